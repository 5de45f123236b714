"""Models are offered by what their manifests say; the demo's own are trained once; examples are clicked on."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tumortrace import io
from tumortrace.model import load
from tumortrace.web import _own
from tumortrace.web._error import DemoError
from tumortrace.web._examples import examples
from tumortrace.web._own import Recipe, own_models
from tumortrace.web._reader import crop, phases, read
from tumortrace.web._shelf import Shelf, open_shelf

TINY = Recipe(patients=24, slices=1, folds=2, epochs=1)


@pytest.fixture(scope="module")
def shelf(models):
    return open_shelf([models])


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """The demo's own models, their folder, and what was said in two starts, of which the first was interrupted."""
    folder, build, said = tmp_path_factory.mktemp("own"), _own._build, ([], [])

    def interrupted(workshop, lesions, name, *rest):
        if name == "9-phases":
            raise KeyboardInterrupt
        build(workshop, lesions, name, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_own, "_build", interrupted)
        with pytest.raises(KeyboardInterrupt):
            own_models(folder, recipe=TINY, jobs=1, say=said[0].append)
    return folder, own_models(folder, recipe=TINY, jobs=1, say=said[1].append), said


@pytest.fixture(scope="module")
def clicked(tmp_path_factory):
    return {example.key: example for example in examples(tmp_path_factory.mktemp("clicked") / "examples")}


def test_every_kind_of_model_is_on_the_shelf(shelf):
    found = {one.key: (one.label, one.count, one.unit) for one in shelf}
    assert found == {
        "cnn": ("CNN (ResNet8)", 1, "image"),
        "fused": ("Fused", 1, "image"),
        "handcrafted": ("Handcrafted", 1, "image"),
        "phases9": ("Fused", 9, "slice"),
        "phases17": ("Fused", 17, "slice"),
        "resnet18": ("ResNet18", 1, "image"),
        "resnet50": ("ResNet50", 1, "image"),
        "vgg16": ("VGG16", 1, "image"),
    }
    assert list(found).index("phases9") < list(found).index("phases17")
    assert [one.key for one in shelf.fitting(17)] == ["phases17"]
    assert shelf["phases9"].sequences == io.synthetic.SEQUENCES[:9]
    assert shelf["phases17"].sequences == io.synthetic.SEQUENCES


def test_a_model_says_what_it_is_of_and_how_it_was_tested(shelf):
    fused, untested = shelf["phases17"], shelf["vgg16"]
    area = next(
        row for row in load(fused.path).record["metrics"] if (row["level"], row["metric"]) == ("slice", "auc")
    )
    assert fused.measured("auc", "slice") == area
    assert fused.about.startswith(
        "Sees texture, kinetics and pixels of 17 phases; trained on 12 slices of 12 patients, "
    )
    assert (
        f"2-fold cross-validation, its AUC per slice was {area['value']:.2f} ({area['low']:.2f} to" in fused.about
    )
    assert untested.about.endswith("It was not tested.")
    assert (fused.tested, untested.tested) == (True, False)


def test_a_model_is_read_once_when_it_is_first_asked_for(models, monkeypatch):
    one = open_shelf([models / "handcrafted"])["handcrafted"]
    calls = []
    monkeypatch.setattr("tumortrace.model.load", lambda path: calls.append(path) or load(path))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: one.model, range(8)))
    assert calls == [models / "handcrafted"]
    assert all(model is found[0] for model in found)


def test_a_model_of_synthetic_lesions_is_known_by_its_source(models, lesions, tmp_path):
    for name, source in (("made", lesions), ("real", tmp_path), ("gone", tmp_path / "gone")):
        shutil.copytree(models / "handcrafted", tmp_path / name)
        beside = tmp_path / f"{name}.training"
        beside.mkdir()
        (beside / "source.json").write_text(json.dumps({"source": str(source), "splits": None}))
    shelf = open_shelf([tmp_path])
    assert {one.key: one.synthetic for one in shelf} == {"made": True, "real": False, "gone": False}
    assert "images of 12 synthetic patients, " in shelf["made"].about
    assert "images of 12 patients, " in shelf["real"].about


def test_models_of_one_name_have_keys_of_their_own(models, tmp_path):
    shutil.copytree(models / "handcrafted", tmp_path / "handcrafted")
    assert list(open_shelf([models / "handcrafted", tmp_path]).models) == ["handcrafted", "handcrafted (2)"]


def test_a_model_of_other_sequences_is_left_out_and_said(models, tmp_path):
    shutil.copytree(models / "phases9", tmp_path / "three")
    manifest = tmp_path / "three" / "manifest.json"
    content = json.loads(manifest.read_text())
    content["record"]["inputs"] |= {"sequences": ["a", "b", "c"], "pixels": ["a"], "phases": None}
    manifest.write_text(json.dumps(content))
    with pytest.raises(
        DemoError, match="takes 3 sequences; the demo shows models of one crop, of 9 or of 17 phases"
    ):
        open_shelf([tmp_path])
    assert "three: takes 3 sequences" in open_shelf([tmp_path, models / "cnn"]).notices[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is no folder"),
        ({}, "holds no model; train one with tumortrace train"),
        ({"x": "{"}, "holds no trained"),
    ],
)
def test_what_is_no_model_is_refused(tmp_path, content, message):
    folder = tmp_path / "folder"
    if content is not None:
        folder.mkdir()
        for text in content.values():
            (folder / "manifest.json").write_text(text)
    with pytest.raises(DemoError, match=f"folder: {message}"):
        open_shelf([folder])


def test_a_key_that_is_not_there_is_refused(shelf):
    with pytest.raises(DemoError, match="there is no model 'best'; choose one of fused, phases9"):
        shelf["best"]


def test_the_own_models_are_fused_ones_and_their_parts(own):
    _, shelf, _ = own
    assert isinstance(shelf, Shelf)
    assert [(one.key, one.label, one.count) for one in shelf] == [
        (f"{name}-{kind}", label, count)
        for name, count in (("crop", 1), ("9-phases", 9), ("17-phases", 17))
        for kind, label in (("fused", "Fused"), ("handcrafted", "Handcrafted"), ("cnn", "CNN (ResNet8)"))
    ]
    assert all(one.synthetic and one.tested for one in shelf)
    (notice,) = shelf.notices
    assert notice.startswith(
        "Not here: ResNet18, ResNet50, VGG16. Start with --backbones resnet8,resnet18,resnet50,vgg16"
    )


def test_a_start_that_was_interrupted_goes_on(own):
    folder, _, (first, second) = own
    assert first[0].startswith("Training the demo's own models on synthetic lesions, 3 steps; they are kept in ")
    assert ", 2 steps; " in second[0]
    told = [line.split(" s  ")[1] for line in (*first[1:], *second[1:])]
    assert told == [
        "1 of 3: one crop: fused, handcrafted and CNN",
        "1 of 2: 9 phases: fused, handcrafted and CNN",
        "2 of 2: 17 phases: fused, handcrafted and CNN",
    ]
    assert not list(folder.rglob(".partial*"))


def test_a_second_start_trains_nothing(own, monkeypatch):
    folder, first, _ = own
    said = []
    monkeypatch.setattr(_own, "_build", None)
    second = own_models(folder, recipe=TINY, say=said.append)
    assert said == []
    assert [(one.key, one.path) for one in second] == [(one.key, one.path) for one in first]
    assert [example.key for example in second.examples] == [example.key for example in first.examples]


def test_without_torch_there_are_handcrafted_models_and_this_is_said(tmp_path, models, monkeypatch):
    def built(workshop, lesions, name, backbone, recipe, deep, jobs):
        assert (backbone, deep) == ("", False)
        shutil.copytree(models / "handcrafted", workshop / name / "handcrafted")

    monkeypatch.setattr(_own, "_is_deep", lambda: False)
    monkeypatch.setattr(_own, "_build", built)
    shelf = own_models(tmp_path, recipe=TINY, say=list)
    assert [one.key for one in shelf] == ["crop-handcrafted", "9-phases-handcrafted", "17-phases-handcrafted"]
    assert "no networks here, as torch is not installed" in shelf.notices[0]
    with pytest.raises(DemoError, match="vgg16 needs torch"):
        own_models(tmp_path, backbones=["resnet8", "vgg16"], recipe=TINY)


def test_further_networks_are_of_one_crop(tmp_path, models, own, monkeypatch):
    folder, _, _ = own
    wanted = []

    def built(workshop, lesions, name, *rest):
        wanted.append(name)
        shutil.copytree(models / name, workshop / name / "cnn")

    monkeypatch.setattr(_own, "_build", built)
    shutil.copytree(folder, tmp_path / "own")
    shelf = own_models(tmp_path / "own", backbones=["vgg16", "resnet18"], recipe=TINY, say=list)
    assert wanted == ["resnet18", "vgg16"]
    assert [(one.key, one.label, one.count) for one in shelf][9:] == [
        ("crop-resnet18", "ResNet18", 1),
        ("crop-vgg16", "VGG16", 1),
    ]


def test_an_unknown_backbone_is_refused(tmp_path):
    with pytest.raises(DemoError, match="no backbone 'alexnet'; give some of resnet8, resnet18, resnet50, vgg16"):
        own_models(tmp_path, backbones=["alexnet"])


def test_there_is_a_benign_and_a_malignant_example_of_each_kind(clicked):
    assert [(one.kind, one.truth) for one in clicked.values()] == [
        (kind, truth) for kind in ("crop", "slice", "9", "17") for truth in ("Benign", "Malignant")
    ]
    for one in clicked.values():
        assert [path.name for path in one.paths] == list(one.names)
        if one.kind in ("9", "17"):
            assert phases(one.paths, one.names).sequences == io.synthetic.SEQUENCES[: int(one.kind)]


def test_the_box_of_a_slice_holds_a_bright_lesion(clicked):
    for one in clicked.values():
        assert (one.box is None) == (one.kind != "slice")
        if one.box is not None:
            field = read(one.paths[0])
            lesion = crop(field, one.box).array
            outside = np.delete(field.array, np.s_[one.box.top : one.box.top + one.box.height], axis=0)
            assert lesion.mean() > 1.3 * outside.mean()
            assert lesion.size < 0.1 * field.array.size


def test_examples_are_the_same_every_time(clicked, tmp_path):
    again = {one.key: one for one in examples(tmp_path / "examples")}
    for key, one in clicked.items():
        assert [path.read_bytes() for path in again[key].paths] == [path.read_bytes() for path in one.paths]
        assert again[key].box == one.box
