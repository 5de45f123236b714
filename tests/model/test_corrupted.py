"""Damaged, foreign and hostile model folders: a ModelError each, no crash, no code run, no long wait."""

import hashlib
import io
import json
import pickle
import random
import shutil
import struct
import time
import zipfile
from collections import Counter
from contextlib import suppress
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import skops.io
from model import zoo
from sklearn.linear_model import LogisticRegression

from tumortrace.fusion import LateFusion
from tumortrace.model import ModelError, read, write

PARTS = ("sklearn.skops", "array003.npy", "xgboost001.json", "network002.safetensors")
FILES = (*PARTS, "manifest.json", "manifest.sha256")
MARKER = Path("code_was_run")
FRESH = count(1)


class Payload:
    """What leaves a file behind where it is unpickled."""

    def __reduce__(self):
        return Path.touch, (MARKER,)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder with a part of every kind."""
    model = LateFusion().fit(zoo.numbers(), zoo.rows()[1])
    members = {name: zoo.fitted(name)[0] for name in ("forest", "svc", "xgboost", "network")}
    model.members_ = {**model.members_, **members}
    model.folds_ = np.arange(zoo.ROWS)
    folder = write(tmp_path_factory.mktemp("corrupted") / "model", {"kind": "fused", "threshold": 0.5}, model)
    assert {path.name for path in folder.iterdir()} == set(FILES)
    return folder


@pytest.fixture
def folder(whole, tmp_path, monkeypatch):
    """A copy to damage."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(whole, tmp_path / "model"))


def assert_refused(folder, message=None):
    start = time.perf_counter()
    with pytest.raises(ModelError, match=message) as caught:
        read(folder)
    assert time.perf_counter() - start < 10
    assert not MARKER.exists()
    assert str(caught.value).startswith(f"{folder}: ")


def seal(folder, change=None):
    """Give the folder right hashes again, as one who tampers would; `change` edits the manifest."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    for part in manifest["parts"]:
        if (folder / part["name"]).is_file():
            data = (folder / part["name"]).read_bytes()
            part.update(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    if change is not None:
        change(manifest)
    seal_text(folder, json.dumps(manifest))


def seal_text(folder, text):
    data = text if isinstance(text, bytes) else text.encode()
    (folder / "manifest.json").write_bytes(data)
    (folder / "manifest.sha256").write_text(f"{hashlib.sha256(data).hexdigest()}  manifest.json\n")


def test_the_undamaged_copy_is_read(folder):
    assert read(folder).record["kind"] == "fused"
    seal(folder)
    assert read(folder).record["kind"] == "fused"


# damage by accident: every hash as it was


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("keep", [0.0, 0.1, 0.5, 0.99, 1.0])
def test_truncated(folder, name, keep):
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[: min(int(keep * len(data)), len(data) - 1)])
    assert_refused(folder, r"manifest|" + name)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("seed", range(6))
def test_bit_flipped(folder, name, seed):
    data = bytearray((folder / name).read_bytes())
    at = random.Random(f"{name} {seed}").randrange(8 * len(data))
    data[at // 8] ^= 1 << at % 8
    (folder / name).write_bytes(data)
    assert_refused(folder, name if name != "manifest.sha256" else "manifest")


@pytest.mark.parametrize("name", FILES)
def test_too_long(folder, name):
    with (folder / name).open("ab") as file:
        file.write(b"\n")
    assert_refused(folder, name)


@pytest.mark.parametrize("name", FILES)
def test_missing(folder, name):
    (folder / name).unlink()
    assert_refused(folder, f"{name} is missing")


@pytest.mark.parametrize(("one", "other"), [(a, b) for a in FILES for b in FILES if a < b])
def test_swapped(folder, one, other):
    first, second = (folder / one).read_bytes(), (folder / other).read_bytes()
    (folder / one).write_bytes(second)
    (folder / other).write_bytes(first)
    assert_refused(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_pickle_renamed(folder, name):
    (folder / name).write_bytes(pickle.dumps(Payload()))
    assert_refused(folder, r"manifest|" + name)


@pytest.mark.parametrize("name", FILES)
def test_a_folder_in_place_of_a_file(folder, name):
    (folder / name).unlink()
    (folder / name).mkdir()
    assert_refused(folder, f"{name} is no plain file")


@pytest.mark.parametrize("name", FILES)
def test_a_link_in_place_of_a_file(folder, name):
    (folder / name).rename(folder.parent / name)
    (folder / name).symlink_to(folder.parent / name)
    assert_refused(folder, f"{name} is no plain file")


@pytest.mark.parametrize("name", ["model.pkl", "__init__.py", "array009.npy", ".hidden", "parts/array.npy"])
def test_a_file_too_many(folder, name):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(pickle.dumps(Payload()))
    assert_refused(folder, f"{name.split('/')[0]} does not belong to the model")


@pytest.mark.parametrize("kind", ["nothing", "empty", "file", "another folder", "part of it"])
def test_no_model_at_all(tmp_path, folder, kind):
    path = tmp_path / "other"
    if kind == "file":
        path.write_bytes(pickle.dumps(Payload()))
    elif kind == "part of it":
        path = folder / "sklearn.skops"
    elif kind != "nothing":
        path.mkdir()
        if kind == "another folder":
            (path / "config.json").write_text("{}")
    assert_refused(path, "give the folder that a model was saved to")


# damage by intent: every hash made right again


@pytest.mark.parametrize("name", PARTS)
def test_a_pickle_renamed_and_sealed(folder, name):
    (folder / name).write_bytes(pickle.dumps(Payload()))
    seal(folder)
    assert_refused(folder, name)


@pytest.mark.parametrize(("one", "other"), [(a, b) for a in PARTS for b in PARTS if a < b])
def test_swapped_and_sealed(folder, one, other):
    first, second = (folder / one).read_bytes(), (folder / other).read_bytes()
    (folder / one).write_bytes(second)
    (folder / other).write_bytes(first)
    seal(folder)
    assert_refused(folder)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe{}",
        "[]",
        "{}",
        "null",
        '{"format": "tumortrace-model"}',
        '{"format": "tumortrace-model", "format": "tumortrace-model"}',
        '{"format": "keras", "version": 1}',
        '{"architectures": ["BertModel"]}',
        '{"format": "tumortrace-model", "version": NaN}',
        '{"format": "tumortrace-model", "version": ' + "9" * 5000 + "}",
        "[" * 200_000,
        '{"a":' * 200_000,
    ],
    ids=lambda text: repr(text[:40]),
)
def test_a_foreign_manifest(folder, text):
    seal_text(folder, text)
    assert_refused(folder, r"manifest\.json")


@pytest.mark.parametrize("version", [0, -1, 1, 3, 10**30, True, 1.0, "1", None])
def test_another_version_of_the_format(folder, version):
    seal(folder, lambda manifest: manifest.update(version=version))
    assert_refused(folder, "has version" if version in (3, 10**30) else "does not have the fields of a version")


@pytest.mark.parametrize(
    "name",
    [
        "../outside.npy",
        "/etc/passwd",
        "..",
        "",
        "array003.npy/../array003.npy",
        "ARRAY003.NPY",
        "array003.pkl",
        "manifest.json",
        "C:\\array003.npy",
        "array003.npy\x00",
        "array003.npy\n",
        None,
        7,
    ],
    ids=repr,
)
def test_a_part_of_another_name(folder, name):
    (folder.parent / "outside.npy").write_bytes(pickle.dumps(Payload()))

    def change(manifest):
        manifest["parts"][0]["name"] = name

    seal(folder, change)
    assert_refused(folder, "lists a part")


@pytest.mark.parametrize(
    "change",
    [
        lambda parts: parts.append(parts[0]),
        lambda parts: parts[0].update(bytes=-1),
        lambda parts: parts[0].update(bytes=10**30),
        lambda parts: parts[0].update(bytes="12"),
        lambda parts: parts[0].update(sha256=parts[1]["sha256"]),
        lambda parts: parts[0].update(sha256=None),
        lambda parts: parts[0].update(run="me"),
        lambda parts: parts[0].clear(),
        lambda parts: parts.pop(),
        lambda parts: parts.clear(),
        lambda parts: parts.append("array009.npy"),
    ],
)
def test_another_list_of_parts(folder, change):
    seal(folder, lambda manifest: change(manifest["parts"]))
    assert_refused(folder)


@pytest.mark.parametrize(
    "node",
    [
        {},
        {"type": "tuple", "items": []},
        {"type": "pickle", "part": "array003.npy"},
        {"type": ["dict"]},
        {"type": "npy", "part": "array777.npy"},
        {"type": "npy", "part": "../outside.npy"},
        {"type": "npy", "part": "xgboost001.json"},
        {"type": "npy"},
        {"type": "array", "dtype": "float64", "shape": [3], "values": [1.0]},
        {"type": "array", "dtype": "float64", "shape": [2**40], "values": [1.0]},
        {"type": "array", "dtype": "U1000000000", "shape": [1], "values": ["a"]},
        {"type": "array", "dtype": "O", "shape": [1], "values": [1]},
        {"type": "array", "dtype": "str", "shape": [1], "values": [1]},
        {"type": "array", "dtype": "int8", "shape": [1], "values": [10**30]},
        {"type": "scalar", "dtype": "datetime64", "value": 1},
        {"type": "float", "value": "1e5"},
        {"type": "dict", "items": [[[], 1]]},
        {"type": "dict", "items": 3},
        {"type": "sklearn", "class": "SVC", "place": 0},
        {"type": "sklearn", "class": "SVC", "place": 10**6},
        {"type": "sklearn", "class": "SVC", "place": "0"},
        {"type": "estimator", "class": "os.system", "params": {}, "learned": {}},
        {"type": "estimator", "class": "Popen", "params": {"args": "touch code_was_run"}, "learned": {}},
        {"type": "estimator", "class": ["EarlyFusion"], "params": {}, "learned": {}},
        {"type": "estimator", "class": "EarlyFusion", "params": {"command": 1}, "learned": {}},
        {"type": "estimator", "class": "EarlyFusion", "params": {}, "learned": {"predict": 1}},
        {"type": "estimator", "class": "EarlyFusion", "params": {}, "learned": {"__class__": 1}},
        {"type": "estimator", "class": "EarlyFusion", "params": {}, "learned": {"_validate_": 1}},
        {"type": "estimator", "class": "EarlyFusion", "params": {}, "learned": []},
        {"type": "network", "class": "EarlyFusion", "config": {}, "part": "network002.safetensors"},
        {"type": "network", "class": "CNNClassifier", "config": {}, "part": "network002.safetensors"},
        {"type": "settings", "class": "EarlyFusion", "fields": {}},
        {"type": "settings", "class": "Recipe", "fields": {"name": "x"}},
        {"type": "xgboost", "params": {"eval_metric": "auc"}, "part": "array003.npy"},
        {"type": "xgboost", "params": {1: 2}, "part": None, "callbacks": 1},
    ],
    ids=lambda node: repr(node)[:70],
)
def test_another_estimator(folder, node):
    (folder.parent / "outside.npy").write_bytes(pickle.dumps(Payload()))
    if node.get("params") == {1: 2}:
        node = {"type": "xgboost", "part": None}
    seal(folder, lambda manifest: manifest.update(estimator=node))
    assert_refused(folder)


@pytest.mark.parametrize("depth", [900, 20_000])
def test_a_deep_estimator(folder, depth):
    seal(folder, lambda manifest: manifest.update(estimator={"type": "DEEP"}))
    whole = (folder / "manifest.json").read_text()
    deep = '{"type": "tuple", "items": [' * depth + "]}" * depth
    seal_text(folder, whole.replace('{"type": "DEEP"}', deep))
    assert_refused(folder, "RecursionError|recursion depth")


# a part of a hostile kind


def skops_of(value, edit=lambda schema: None, *, compression=zipfile.ZIP_STORED, extra=None):
    """Return a skops file whose schema `edit` changed."""
    members = {}
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(value))) as source:
        members = {name: source.read(name) for name in source.namelist()}
    schema = json.loads(members.pop("schema.json"))
    schema = edit(schema) or schema
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as target:
        target.writestr("schema.json", json.dumps(schema))
        for name, data in {**members, **(extra or {})}.items():
            target.writestr(name, data)
    return file.getvalue()


def as_list(*items):
    """Return an edit that puts raw states into the list of estimators."""

    def edit(schema):
        schema["content"].extend(items)

    return edit


def state(loader, kind, **content):
    module, name = kind.rsplit(".", 1)
    return {"__loader__": loader, "__module__": module, "__class__": name, "__id__": next(FRESH), **content}


def text(value):
    return state("JsonNode", "builtins.str", content=json.dumps(value), is_json=True)


def run(function, *arguments):
    """Return the state of a call of a function, as a partial, which skops would build without calling."""
    empty = state("DictNode", "builtins.dict", content={}, key_types=state("ListNode", "builtins.list", content=[]))
    return state(
        "PartialNode",
        "functools.partial",
        content={
            "func": state("FunctionNode", function),
            "args": state("TupleNode", "builtins.tuple", content=[text(a) for a in arguments]),
            "kwds": empty,
            "namespace": empty,
        },
    )


TOUCH = "touch code_was_run"
HOSTILE_TYPES = {
    "function": state("FunctionNode", "os.system"),
    "function as type": state("TypeNode", "os.system"),
    "partial": run("os.system", TOUCH),
    "constructor": state(
        "ConstructorFromReduceNode",
        "os.system",
        content=state("TupleNode", "builtins.tuple", content=[text(TOUCH)]),
    ),
    "constructor of an object": state(
        "ObjectNode", "subprocess.Popen", content=state("TupleNode", "builtins.tuple", content=[text(TOUCH)])
    ),
    "list that calls": state("ListNode", "os.system", content=[text(TOUCH)]),
    "set that calls": state("SetNode", "os.system", content=[text(TOUCH)]),
    "tuple that calls": state("TupleNode", "collections.namedtuple", content=[text("a")]),
    "dict that calls": state(
        "DictNode", "os.getcwd", content={}, key_types=state("ListNode", "builtins.list", content=[])
    ),
    "keys that call": state(
        "DictNode",
        "builtins.dict",
        content={TOUCH: text(1)},
        key_types=state("ListNode", "builtins.list", content=[state("TypeNode", "os.system")]),
    ),
    "operator": state(
        "OperatorFuncNode",
        "operator.methodcaller",
        attrs=state("TupleNode", "builtins.tuple", content=[text("touch")]),
    ),
    "method": state(
        "MethodNode",
        "builtins.str",
        content={"func": "format", "obj": state("ObjectNode", "builtins.str", content=text("x"))},
    ),
    "bytes": state("BytesNode", "builtins.bytes", file="schema.json"),
    "sparse matrix": state("SparseMatrixNode", "scipy.sparse._csr.csr_matrix", type="scipy", file="x.npz"),
    "generator": state("RandomGeneratorNode", "numpy.random._generator.Generator", content={}),
    "array that calls": state("NdArrayNode", "os.system", type="numpy", file="schema.json"),
    "tree that calls": state("TreeNode", "os.system", content={}, __reduce__={}),
    "loss": state("LossNode", "os.system", content={}, __reduce__={}),
    "no loader": state("Nothing", "os.system"),
    "loader of a list": {**text(1), "__loader__": ["JsonNode"]},
    "no class": {"__loader__": "ObjectNode", "__module__": "sklearn.linear_model._logistic"},
    "quantile forest": state("QuantileForestNode", "quantile_forest.QuantileForest"),
    "estimator that is not listed": state("ObjectNode", "sklearn.neighbors._classification.KNeighborsClassifier"),
    "histogram trees": state(
        "ObjectNode", "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor", content=text(1)
    ),
}


@pytest.mark.parametrize("name", HOSTILE_TYPES)
def test_a_type_that_is_not_trusted(folder, name):
    (folder / "sklearn.skops").write_bytes(skops_of([LogisticRegression()], as_list(HOSTILE_TYPES[name])))
    seal(folder)
    assert_refused(folder, r"sklearn\.skops holds .*, which tumortrace does not trust")


def test_a_type_that_is_not_trusted_deep_within(folder):
    model = LogisticRegression()

    def edit(schema):
        schema["content"][0]["content"]["content"]["C"] = run("os.system", TOUCH)

    (folder / "sklearn.skops").write_bytes(skops_of([model], edit))
    seal(folder)
    assert_refused(folder, r"os\.system \(FunctionNode\)")


def test_the_payload_would_have_run(folder):
    """The list is what stands in the way: with the type trusted, skops runs such code."""
    data = skops_of([], as_list(HOSTILE_TYPES["constructor"]))
    skops.io.loads(data, trusted=["os.system"])
    assert MARKER.exists()


def wrong_schema(**fields):
    return lambda schema: schema.update(fields)


HOSTILE_ARCHIVES = {
    "bomb": lambda: skops_of([], compression=zipfile.ZIP_DEFLATED, extra={"0.npy": bytes(200 * 2**20)}),
    "not deflated": lambda: skops_of([], compression=zipfile.ZIP_LZMA),
    "schema of another protocol": lambda: skops_of([], wrong_schema(protocol=0)),
    "schema of a future protocol": lambda: skops_of([], wrong_schema(protocol=3)),
    "schema of protocol true": lambda: skops_of([], wrong_schema(protocol=True)),
    "schema that is a list": lambda: skops_of([], lambda schema: [schema]),
    "no list": lambda: skops_of({"a": LogisticRegression()}),
    "no schema": lambda: archive({"other.json": b"{}"}),
    "empty archive": lambda: archive({}),
    "deep schema": lambda: archive({"schema.json": b'{"a":' * 100_000}),
    "array of pickles": lambda: skops_of(
        [np.arange(99)], extra={"1.npy": npy("|O", (1,), pickle.dumps(Payload()))}
    ),
    "array of another size": lambda: skops_of([], extra={"1.npy": npy("<f8", (10**12,), b"")}),
    "no array": lambda: skops_of([], extra={"1.npy": pickle.dumps(Payload())}),
}


def archive(members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        for name, data in members.items():
            target.writestr(name, data)
    return file.getvalue()


def npy(dtype, shape, data):
    header = repr({"descr": dtype, "fortran_order": False, "shape": shape}).ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


@pytest.mark.parametrize("name", HOSTILE_ARCHIVES)
def test_an_archive_that_is_not_as_skops_writes_it(folder, name):
    (folder / "sklearn.skops").write_bytes(HOSTILE_ARCHIVES[name]())
    seal(folder)
    assert_refused(folder, r"sklearn\.skops ")


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_an_archive_with_two_schemas(folder):
    file = io.BytesIO(skops_of([LogisticRegression()]))
    with zipfile.ZipFile(file, "a") as target:
        target.writestr("schema.json", "{}")
    (folder / "sklearn.skops").write_bytes(file.getvalue())
    seal(folder)
    assert_refused(folder, "no archive as skops writes it")


@pytest.mark.parametrize(
    "data",
    [
        npy("<f8", (10**12,), b""),
        npy("<f8", (-1,), b"12345678"),
        npy("|O", (1,), pickle.dumps(Payload())),
        npy("|V8", (1,), b"12345678"),
        npy([("a", "<f8")], (1,), b"12345678"),
        npy("<M8[D]", (1,), b"12345678"),
        npy("<f8", (2,), b"12345678"),
        b"\x93NUMPY\x09\x00" + bytes(200),
        b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535,
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(99),
        b"",
    ],
    ids=lambda data: repr(data[:60]),
)
def test_an_array_that_is_not_what_its_header_says(folder, data):
    (folder / "array003.npy").write_bytes(data)
    seal(folder)
    assert_refused(folder, r"array003\.npy (holds|is no npy file)")


def tensors(header, data=b""):
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(header)) + header + data


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 2**64 - 1) + b"{}",
        struct.pack("<Q", 99_000_000) + b"{}",
        tensors({}),
        tensors({"a": {"dtype": "F32", "shape": [2**62, 4], "data_offsets": [0, 4]}}, bytes(4)),
        tensors({"a": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4 * 10**12]}}, bytes(4)),
        tensors({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}, bytes(4)),
        tensors({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, bytes(4)),
        tensors({"a": {"dtype": "OBJECT", "shape": [1], "data_offsets": [0, 4]}}, bytes(4)),
        tensors({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, bytes(4)),
        tensors(b"[" * 100_000),
        tensors(b"\xff" * 100),
    ],
    ids=lambda data: repr(data[:50]),
)
def test_weights_with_a_hostile_header(folder, data):
    (folder / "network002.safetensors").write_bytes(data)
    seal(folder)
    assert_refused(folder, r"network002\.safetensors cannot be read")


def change_network(change):
    def edit(manifest):
        nodes = [manifest["estimator"]]
        while nodes:
            node = nodes.pop()
            if isinstance(node, dict) and node.get("type") == "network":
                change(node["config"])
            nodes.extend(node.values() if isinstance(node, dict) else node if isinstance(node, list) else [])

    return edit


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config.update(backbone="resnet18"),
        lambda config: config.update(backbone="/etc/passwd"),
        lambda config: config["preprocessing"].update(channels=17),
        lambda config: config["preprocessing"].update(size=10**9),
        lambda config: config.update(classes=[0, 1, 2]),
        lambda config: config.pop("seen"),
        lambda config: config.clear(),
    ],
)
def test_weights_that_do_not_fit_their_network(folder, change):
    seal(folder, change_network(change))
    assert_refused(folder, r"network002\.safetensors cannot be read")


def trees(model):
    return model["learner"]["gradient_booster"]["model"]["trees"]


@pytest.mark.parametrize(
    "change",
    [
        lambda model: model.clear(),
        lambda model: model["learner"]["gradient_booster"].update(name="dart"),
        lambda model: model["learner"]["learner_model_param"].update(num_feature="1"),
        lambda model: model["learner"]["learner_model_param"].update(num_target="5"),
        lambda model: model["learner"]["gradient_booster"]["model"].update(iteration_indptr=[0, 10**9]),
        lambda model: model["learner"]["gradient_booster"]["model"].update(tree_info=[0, 0, 0, 0, 77]),
        lambda model: trees(model).pop(),
        lambda model: trees(model)[0].update(id=4),
        lambda model: trees(model)[0]["left_children"].__setitem__(0, 10**9),
        lambda model: trees(model)[0]["left_children"].__setitem__(0, -7),
        lambda model: trees(model)[0]["right_children"].__setitem__(0, 0),
        lambda model: trees(model)[0]["split_indices"].__setitem__(0, 10**6),
        lambda model: trees(model)[0]["split_type"].__setitem__(0, 1),
        lambda model: trees(model)[0]["split_conditions"].pop(),
        lambda model: trees(model)[0]["parents"].__setitem__(1, 5),
        lambda model: trees(model)[0]["tree_param"].update(size_leaf_vector="9"),
    ],
)
def test_boosted_trees_that_lead_astray(folder, change):
    path = folder / "xgboost001.json"
    model = json.loads(path.read_text())
    change(model)
    path.write_text(json.dumps(model))
    seal(folder)
    assert_refused(folder, r"xgboost001\.json ")


def hostile(name):
    """Return an estimator whose numbers lead compiled code outside of its arrays."""
    if name.startswith("svc"):
        model = zoo.plain()["svc"].fit(zoo.numbers(), zoo.rows()[1])
        svc = model[-1]
        if name == "svc counts":
            svc._n_support = svc._n_support * 1000
        elif name == "svc columns":
            svc.n_features_in_ = 1
        else:
            svc._dual_coef_ = svc._dual_coef_[:, :1]
        return model
    model = zoo.plain()["forest"].fit(zoo.numbers(), zoo.rows()[1])
    forest = model[-1]
    if name == "forest columns":
        forest.n_features_in_ = 1
        return model
    tree = forest.estimators_[0].tree_
    nodes = tree.__getstate__()
    changed = {"nodes": nodes["nodes"].copy(), "values": nodes["values"].copy()}
    field, value = {
        "tree child": ("left_child", 10**9),
        "tree column": ("feature", 10**6),
        "tree cycle": ("left_child", 0),
        "tree twice": ("left_child", changed["nodes"]["right_child"][0]),
    }.get(name, (None, None))
    if field:
        changed["nodes"][field][0] = value
    changed |= {"max_depth": 1 if name == "tree depth" else nodes["max_depth"]}
    tree.__setstate__({**nodes, **changed})
    return model


@pytest.mark.parametrize(
    "name",
    [
        *("svc counts", "svc columns", "svc coefficients", "forest columns", "tree child", "tree column"),
        *("tree cycle", "tree twice", "tree depth"),
    ],
)
def test_trees_and_machines_that_lead_astray(folder, name):
    (folder / "sklearn.skops").write_bytes(skops.io.dumps([hostile(name)]))
    seal(folder)
    assert_refused(folder, r"sklearn\.skops holds .*; do not use this file")


def test_a_tree_that_counts_its_nodes_wrong(folder):
    model = zoo.fitted("forest")[0]

    def edit(schema):
        nodes = [schema]
        while nodes:
            node = nodes.pop()
            if isinstance(node, dict) and node.get("__loader__") == "TreeNode":
                node["content"]["content"]["node_count"] = text(-5)
            nodes.extend(node.values() if isinstance(node, dict) else node if isinstance(node, list) else [])

    (folder / "sklearn.skops").write_bytes(skops_of([model], edit))
    seal(folder)
    assert_refused(folder, "another number of nodes than it says")


def test_any_digit_changed_and_sealed_gives_a_model_or_an_error(folder):
    """What is read after all predicts, or raises; it does not end the process."""
    path, X = folder / "xgboost001.json", zoo.numbers()
    original, outcomes, generator = path.read_bytes(), Counter(), random.Random(0)
    digits = [i for i, byte in enumerate(original) if chr(byte).isdigit()]
    manifest = json.loads((folder / "manifest.json").read_text())
    node = manifest["estimator"]["learned"]["members_"]["items"][3][1]
    assert node["type"] == "xgboost"
    seal(folder, lambda manifest: manifest.update(estimator=node))
    for _ in range(150):
        data = bytearray(original)
        for at in generator.sample(digits, 2):
            data[at] = generator.choice(b"0123456789")
        path.write_bytes(data)
        seal(folder)
        try:
            model = read(folder).estimator
        except ModelError:
            outcomes["refused"] += 1
        else:
            with suppress(ValueError):  # names of columns hold digits too
                assert model.predict(X).shape == (len(X),)
            outcomes["read"] += 1
    assert min(outcomes["refused"], outcomes["read"]) > 20
