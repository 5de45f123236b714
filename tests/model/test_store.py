"""A model is written whole or not at all, is read by a fresh process, and says what it is."""

import ast
import hashlib
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from model import zoo
from sklearn.linear_model import LogisticRegression

import tumortrace
from tumortrace.fusion import EarlyFusion, LateFusion
from tumortrace.model import ModelError, Stored, read, write

RECORD = {"kind": "handcrafted", "columns": ["a", "b"], "threshold": 0.37, "metrics": {"auc": 0.9, "ece": None}}


@pytest.fixture
def logistic():
    return zoo.fitted("logistic")


def names(folder):
    return [path.name for path in folder.iterdir()]


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_was_written_is_read(tmp_path, logistic):
    model, X = logistic
    assert write(tmp_path / "model", RECORD, model) == tmp_path / "model"
    stored = read(str(tmp_path / "model"))
    assert isinstance(stored, Stored)
    assert stored.record == RECORD
    assert stored.versions["tumortrace"] == tumortrace.__version__
    assert set(stored.versions) == {"tumortrace", "python", "numpy", "sklearn"}
    np.testing.assert_array_equal(stored.estimator.predict_proba(X), model.predict_proba(X))
    assert names(tmp_path) == ["model"]


def test_the_manifest_lists_every_part_and_its_hash(tmp_path):
    members = [(name, zoo.fitted(name)[0], None) for name in ("forest", "stacked", "xgboost")]
    folder = write(tmp_path / "model", RECORD, LateFusion(members))
    there = files(folder)
    manifest = json.loads(there["manifest.json"])
    assert (manifest["format"], manifest["version"]) == ("tumortrace-model", 2)
    listed = {part["name"]: (part["bytes"], part["sha256"]) for part in manifest["parts"]}
    assert {name.split("0")[0] for name in listed} == {"array", "sklearn.skops", "xgboost"}
    assert set(there) == {*listed, "manifest.json", "manifest.sha256"}
    for name, (size, digest) in listed.items():
        assert (len(there[name]), hashlib.sha256(there[name]).hexdigest()) == (size, digest)
    # as sha256sum writes it, so that any system can check it
    digest = hashlib.sha256(there["manifest.json"]).hexdigest()
    assert there["manifest.sha256"].decode() == f"{digest}  manifest.json\n"


def test_a_fresh_process_predicts_the_same_bits(tmp_path):
    data = {}
    for name in zoo.NAMES:
        model, X = zoo.fitted(name)
        write(tmp_path / name, {}, model)
        data[name] = zoo.scores(model, X)
    code = """
import sys; from pathlib import Path; import numpy as np
sys.path.insert(0, sys.argv[2])
from model import zoo
from tumortrace.model import read
for folder in sorted(Path(sys.argv[1]).iterdir()):
    np.save(folder / "scores.npy", zoo.scores(read(folder).estimator, zoo.given(folder.name)))
"""
    subprocess.run([sys.executable, "-c", code, tmp_path, Path(__file__).parents[1]], check=True, timeout=300)
    assert len(data) == len(list(tmp_path.iterdir())) >= 16
    for name, scores in data.items():
        np.testing.assert_array_equal(np.load(tmp_path / name / "scores.npy"), scores, err_msg=name)


def test_what_is_there_is_not_overwritten_unasked(tmp_path, logistic):
    folder = write(tmp_path / "model", {"kind": "first"}, logistic[0])
    before = files(folder)
    with pytest.raises(FileExistsError, match="model: exists; give another name, or overwrite=True"):
        write(folder, {"kind": "second"}, logistic[0])
    assert files(folder) == before
    write(folder, {"kind": "second"}, logistic[0], overwrite=True)
    assert read(folder).record == {"kind": "second"}
    assert names(tmp_path) == ["model"]


@pytest.mark.parametrize("kind", ["folder", "empty folder", "file", "link"])
def test_what_is_no_model_is_never_overwritten(tmp_path, logistic, kind):
    target = tmp_path / "target"
    if kind == "file":
        target.write_text("thesis")
    elif kind == "link":
        target.symlink_to(write(tmp_path / "elsewhere", {}, logistic[0]))
    else:
        target.mkdir()
        if kind == "folder":
            (target / "thesis.tex").write_text("thesis")
    with pytest.raises(FileExistsError, match="target: is no model, and is left alone"):
        write(target, {}, logistic[0], overwrite=True)
    assert kind != "folder" or files(target) == {"thesis.tex": b"thesis"}
    assert kind != "file" or target.read_text() == "thesis"
    assert kind != "link" or target.is_symlink()


def test_a_write_that_fails_leaves_the_earlier_model(tmp_path, logistic, monkeypatch):
    folder = write(tmp_path / "model", {"kind": "first"}, logistic[0])
    before = files(folder)
    for function, error in (("fsync", KeyboardInterrupt), ("fsync", OSError(28, "No space left on device"))):
        with monkeypatch.context() as patch:
            patch.setattr(os, function, lambda *_, error=error: (_ for _ in ()).throw(error))
            with pytest.raises(type(error) if isinstance(error, OSError) else error):
                write(folder, {"kind": "second"}, logistic[0], overwrite=True)
        assert files(folder) == before
        assert names(tmp_path) == ["model"]


def test_a_move_that_fails_brings_the_earlier_model_back(tmp_path, logistic, monkeypatch):
    folder = write(tmp_path / "model", {"kind": "first"}, logistic[0])
    rename = Path.rename

    def fails_for_the_new_one(self, target):
        if Path(target) == folder and "second" in (self / "manifest.json").read_text():
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fails_for_the_new_one)
    with pytest.raises(OSError, match="Input/output"):
        write(folder, {"kind": "second"}, logistic[0], overwrite=True)
    assert read(folder).record == {"kind": "first"}
    assert names(tmp_path) == ["model"]


def test_a_model_that_cannot_be_read_is_not_put_in_place(tmp_path, logistic, monkeypatch):
    monkeypatch.setattr("tumortrace.model._sound.check", lambda _: 1 / 0)
    with pytest.raises(ModelError, match=r"model: sklearn\.skops cannot be read: ZeroDivisionError"):
        write(tmp_path / "model", {}, logistic[0])
    assert names(tmp_path) == []


def test_a_model_needs_a_folder_to_lie_in(tmp_path, logistic):
    with pytest.raises(FileNotFoundError, match="missing: does not exist; make the folder first"):
        write(tmp_path / "missing" / "model", {}, logistic[0])


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (
            {"metrics": {"auc": float("nan")}},
            r"record\['metrics'\]\['auc'\] is nan, a float; give plain JSON, None for",
        ),
        ({"auc": np.float64(0.5)}, r"record\['auc'\] is .*, a float64"),
        ({"columns": ("a", "b")}, r"record\['columns'\] is \('a', 'b'\), a tuple"),
        ({"columns": [{1: 2}]}, r"record\['columns'\]\[0\] has the key 1; give text"),
        ([], r"record is a list; give a dict"),
    ],
)
def test_a_record_is_plain_json(tmp_path, logistic, record, message):
    with pytest.raises(ModelError, match=message):
        write(tmp_path / "model", record, logistic[0])
    assert names(tmp_path) == []


def test_what_cannot_be_saved_is_said_with_the_folder(tmp_path):
    with pytest.raises(ModelError, match=r"model: estimator is a object; give a fitted estimator"):
        write(tmp_path / "model", {}, object())
    with pytest.raises(
        ModelError, match=r"model: estimator\.classifier is a builtins\.range, which cannot be saved"
    ):
        write(tmp_path / "model", {}, EarlyFusion(classifier=range(3)))
    assert names(tmp_path) == []


def test_text_of_any_kind_comes_back(tmp_path, logistic):
    record = {"source": "Läsionen/病变/\udcff", "empty": {}, "nested": [[], None, True, -1, 10**30, 1e-300]}
    assert read(write(tmp_path / "model", record, logistic[0])).record == record


def test_another_version_of_a_library_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("sklearn.__version__", "1.2.3")
    monkeypatch.setattr("sklearn.base.__version__", "1.2.3")
    folder = write(tmp_path / "model", {}, LogisticRegression().fit([[0.0], [1.0]], [0, 1]))
    monkeypatch.undo()
    with pytest.warns(
        UserWarning, match=r"model: made with sklearn 1\.2\.3 \(here 1\.\d+\.\d+\); compare"
    ) as caught:
        stored = read(folder)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert stored.versions["sklearn"] == "1.2.3"


def test_a_missing_library_is_named(tmp_path, monkeypatch):
    folder = write(tmp_path / "model", {}, zoo.fitted("xgboost")[0])
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(ModuleNotFoundError, match=r"needs XGBoost.*pip install 'tumortrace\[boost\]'"):
        read(folder)


def test_a_newer_format_is_refused_with_what_to_install(tmp_path, logistic):
    folder = write(tmp_path / "model", {}, logistic[0])
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest.update(version=3, versions={"tumortrace": "9.1"}, novelty="of which this version knows nothing")
    data = json.dumps(manifest).encode()
    (folder / "manifest.json").write_bytes(data)
    (folder / "manifest.sha256").write_text(f"{hashlib.sha256(data).hexdigest()}  manifest.json\n")
    with pytest.raises(
        ModelError, match=r"has version 3 of the format.*reads up to 2.*made by tumortrace 9\.1: install"
    ):
        read(folder)


def test_the_background_comes_back(tmp_path, logistic):
    background = pd.DataFrame(
        {"glcm_mean": [1.0, np.nan], "sequence": ["SUB1", "C1"], "label": ["a", "b"], "score": [0, 1]}
    )
    stored = read(write(tmp_path / "model", {}, logistic[0], background=background))
    pd.testing.assert_frame_equal(stored.background, background.astype({"score": float}))
    assert read(write(tmp_path / "other", {}, logistic[0])).background is None


@pytest.mark.parametrize("version", [1, 2])
def test_models_of_earlier_versions_are_read(version):
    """`data/make_stored.py` wrote them, once per version of the format; they are never written anew."""
    folder = Path(__file__).parent / "data" / f"version{version}"
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 50_000
    expected = json.loads((folder / "expected.json").read_text())
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(?s).*made with")  # by older libraries
        stored = read(folder / "model")
    assert stored.record == expected["record"]
    assert (stored.background is None) == (version == 1)
    X = pd.DataFrame(expected["rows"])
    # boosted trees add up in float32, whose last digit may differ between processors
    np.testing.assert_allclose(stored.estimator.predict_proba(X)[:, 1], expected["scores"], rtol=1e-6, atol=0)


def test_no_code_of_the_package_can_unpickle():
    package = Path(tumortrace.__file__).parent
    calls = []
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name.split(".")[0] for alias in node.names} | {str(getattr(node, "module", ""))}
                assert not names & {"pickle", "cloudpickle", "dill", "marshal", "shelve"}, path
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "load":
                calls.append((ast.unparse(node.func), ast.unparse(node)))
            elif isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert ast.unparse(node.value) == "False", path
    assert {"np.load", "safetensors.torch.load"} <= {name for name, _ in calls}
    assert "joblib.load" not in {name for name, _ in calls}
    for name, call in calls:
        assert "weights_only=True" in call or not name.startswith("torch."), call
        assert "allow_pickle=False" in call or not name.startswith("np."), call
