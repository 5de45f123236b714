"""CNNClassifier is a classifier of scikit-learn; a seed decides its bits, and a kill costs it one epoch."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from joblib import Parallel, delayed
from PIL import Image
from sklearn.base import clone
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from tumortrace.deep import RECIPES, CheckpointError, CNNClassifier, Recipe
from tumortrace.deep._labels import hold_out
from tumortrace.io import ImageError

SMALL = dataclasses.replace(RECIPES["small"], size=8, epochs=2, batch_size=8, variants={})
REPORT = dataclasses.replace(RECIPES["report"], size=8, epochs=4, batch_size=8, validation=0.25, variants={})


def lesions(n=24, channels=3, seed=0, dtype=np.uint8):
    """Stacks of many sizes; the class is in the brightness. Two slices per patient."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) // 2 % 2
    stacks = [(rng.integers(0, 150, (channels, *rng.integers(6, 15, 2))) + 80 * label).astype(dtype) for label in y]
    return stacks, np.array(["benign", "malignant"])[y], np.array([f"p{i // 2}" for i in range(n)])


def weights(model):
    return {name: tensor.clone() for name, tensor in model.network_.state_dict().items()}


def assert_same_weights(first, second):
    first, second = weights(first), weights(second)
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


def assert_same_history(first, second):
    pd.testing.assert_frame_equal(
        first.history_.drop(columns="seconds"), second.history_.drop(columns="seconds"), check_exact=True
    )


@pytest.fixture(scope="module")
def fitted():
    X, y, patients = lesions()
    return CNNClassifier(recipe=SMALL, epochs=8).fit(X, y, patients)


def test_it_tells_the_classes_of_lesions_it_never_saw(fitted):
    X, y, _ = lesions(seed=7)
    assert fitted.classes_.tolist() == ["benign", "malignant"]
    assert fitted.score(X, y) > 0.85
    probabilities = fitted.predict_proba(X)
    assert probabilities.shape == (24, 2)
    np.testing.assert_allclose(probabilities.sum(1), 1)
    odds = fitted.decision_function(X)
    np.testing.assert_allclose(odds, np.log(probabilities[:, 1] / probabilities[:, 0]), atol=1e-9)
    assert (fitted.predict(X) == np.where(odds > 0, "malignant", "benign")).all()
    assert fitted.n_features_in_ == 3
    assert fitted.history_["epoch"].tolist() == list(range(1, 9))
    assert len(fitted.seen_) == 24
    assert fitted.seen_ == sorted(fitted.seen_)


def test_prediction_is_the_same_in_any_company(fitted):
    X, _, _ = lesions(40, seed=3)
    together = fitted.decision_function(X)
    np.testing.assert_array_equal(together, fitted.decision_function(X))
    np.testing.assert_array_equal(together[::-1], fitted.decision_function(X[::-1]))
    alone = np.concatenate([fitted.decision_function([x]) for x in X[:5]])
    np.testing.assert_array_equal(together[:5], alone)


def test_a_prediction_is_the_mean_over_the_symmetric_views(fitted):
    X = [x[:, :6, :6] for x in lesions()[0]]
    turned = [np.rot90(x, axes=(1, 2))[:, ::-1] for x in X]
    np.testing.assert_allclose(fitted.decision_function(X), fitted.decision_function(turned), atol=1e-4)
    once = CNNClassifier.from_parts(*fitted.to_parts())
    once.recipe_ = dataclasses.replace(once.recipe_, views=1)
    assert np.abs(once.decision_function(X) - once.decision_function(turned)).max() > 1e-3


@pytest.mark.parametrize("recipe", [SMALL, REPORT], ids=["small", "report"])
def test_a_seed_decides_every_bit_and_torch_s_generators_stay(recipe):
    X, y, patients = lesions()
    model = CNNClassifier(recipe=recipe, seed=3)
    before = torch.get_rng_state()
    first = clone(model).fit(X, y, patients)
    assert torch.equal(before, torch.get_rng_state())
    torch.rand(7)
    second = clone(model).fit(X, y, patients)
    assert_same_weights(first, second)
    assert_same_history(first, second)
    other = clone(model).set_params(seed=4).fit(X, y, patients)
    assert not torch.equal(weights(first)["fc.weight"], weights(other)["fc.weight"])


@pytest.mark.parametrize(
    "labels",
    [[1, 0], [True, False], ["b", "a"], [7, 3, 5], [2.0, 1.0]],
    ids=["int", "bool", "text", "three", "float"],
)
def test_labels_of_any_kind(labels):
    X, _, _ = lesions()
    y = np.array([labels[i % len(labels)] for i in range(24)])
    model = CNNClassifier(recipe=SMALL, epochs=1).fit(X, y)
    assert model.classes_.tolist() == sorted(labels)
    assert model.classes_.dtype == y.dtype
    assert set(model.predict(X)) <= set(labels)
    assert model.predict_proba(X).shape == (24, len(labels))
    back = CNNClassifier.from_parts(*model.to_parts())
    assert back.classes_.dtype == y.dtype
    assert back.predict(X).tolist() == model.predict(X).tolist()
    if len(labels) == 3:
        np.testing.assert_allclose(np.exp(model.decision_function(X)), model.predict_proba(X), atol=1e-9)


def test_floats_train_like_the_bytes_they_were(fitted):
    X, y, patients = lesions(dtype=np.float64)
    model = CNNClassifier(recipe=SMALL, epochs=8).fit(X, y, patients)
    assert model.preprocessing_.scale == max(x.max() for x in X)
    assert model.score(*lesions(seed=7, dtype=np.float64)[:2]) > 0.85
    assert model.seen_ == fitted.seen_


def test_paths_and_frames_of_paths(tmp_path):
    X, y, patients = lesions(12, channels=2)
    columns = {"vibrant__image": [], "vibrant_c1__image": []}
    for i, stack in enumerate(X):
        for (name, paths), channel in zip(columns.items(), stack, strict=True):
            paths.append(str(tmp_path / f"{name}{i}.png"))
            Image.fromarray(channel).save(paths[-1])
    frame = pd.DataFrame(columns, index=range(100, 112))
    model = CNNClassifier(recipe=SMALL, epochs=1)
    by_frame = clone(model).fit(frame, y, patients)
    assert_same_weights(by_frame, clone(model).fit(X, y, patients))
    assert by_frame.feature_names_in_.tolist() == list(columns)
    np.testing.assert_array_equal(by_frame.decision_function(frame), by_frame.decision_function(X))
    with pytest.raises(ValueError, match="give those of fit in their order"):
        by_frame.predict(frame[list(columns)[::-1]])
    one = clone(model).fit(frame["vibrant__image"], y)
    assert one.n_features_in_ == 1
    assert not hasattr(one, "feature_names_in_")
    (tmp_path / "vibrant__image3.png").write_bytes(b"no picture")
    with pytest.raises(ImageError, match=r"vibrant__image3.png"):
        clone(model).fit(frame, y, patients)


def test_cross_validation_passes_patients_on():
    X, y, patients = lesions(16)
    model = CNNClassifier(recipe=SMALL, epochs=1)
    scores = cross_val_predict(
        model, X, y, groups=patients, cv=StratifiedGroupKFold(2), method="decision_function",
        params={"patients": patients},
    )  # fmt: skip
    assert scores.shape == (16,)
    assert np.isfinite(scores).all()


def threads_of_a_fit(_):
    X, y, patients = lesions(8)
    seen = []
    model = CNNClassifier(recipe=SMALL, epochs=1, progress=lambda row: seen.append(torch.get_num_threads()))
    torch.set_num_threads(2)
    model.fit(X, y, patients)
    return seen, torch.get_num_threads()


def test_a_worker_computes_with_one_thread():
    assert Parallel(2)(delayed(threads_of_a_fit)(i) for i in range(2)) == [([1], 2)] * 2


def test_who_is_held_out_is_whole_stratified_and_not_trained_on():
    _, y, names = lesions(60)
    targets, patients = (np.unique(v, return_inverse=True)[1] for v in (y, names))
    training, held_out = hold_out(targets, patients, 0.2, 0, np.array(["benign", "malignant"]))
    assert sorted([*training, *held_out]) == list(range(60))
    assert not set(patients[training]) & set(patients[held_out])
    assert 0.1 <= len(held_out) / 60 <= 0.3
    assert set(targets[held_out]) == {0, 1}
    other, _ = hold_out(targets, patients, 0.2, 1, np.array(["benign", "malignant"]))
    assert training.tolist() != other.tolist()


def test_the_mean_and_the_deviation_are_those_of_the_rows_trained_on():
    X, y, patients = lesions(40)
    recipe = dataclasses.replace(REPORT, normalise="channel", epochs=1)
    model = CNNClassifier(recipe=recipe).fit(X, y, patients)
    targets, groups = (np.unique(v, return_inverse=True)[1] for v in (y, patients))
    training, _ = hold_out(targets, groups, 0.25, 0, model.classes_)
    pixels = np.concatenate([X[i].reshape(3, -1) for i in training], axis=1) / 255
    np.testing.assert_allclose(model.preprocessing_.mean, pixels.mean(1), rtol=1e-6)
    np.testing.assert_allclose(model.preprocessing_.std, pixels.std(1), rtol=1e-6)
    assert len(model.seen_) == 40  # those held out chose the epoch: they count as seen


KILLED = """
import sys
sys.path.insert(0, sys.argv[1])
from test_classifier import resumable, wait_to_be_killed
resumable(sys.argv[2], progress=wait_to_be_killed)
"""


def wait_to_be_killed(row):
    print("epoch", row["epoch"], file=sys.stderr, flush=True)
    if row["epoch"] == 12:
        time.sleep(60)


def resumable(folder, **parameters):
    """A training with all that a checkpoint must hold: momentum, dropout, an average, the best so far."""
    X, y, patients = lesions()
    recipe = dataclasses.replace(REPORT, epochs=16, patience=16, average=0.9, learning_rate=0.05)
    return CNNClassifier(recipe=recipe, checkpoint=folder, **parameters).fit(X, y, patients)


def test_a_killed_training_goes_on_to_the_same_bits(tmp_path):
    """SIGKILL in the middle of an epoch; the run that follows ends where one that was never killed ends."""
    threads = torch.get_num_threads()
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, "-c", KILLED, str(Path(__file__).parent), str(tmp_path / "run")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        for line in process.stderr:
            if line == "epoch 3\n":
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    assert list((tmp_path / "run").glob("epoch-*.safetensors"))
    told = []
    resumed = resumable(tmp_path / "run", progress=told.append)
    assert 4 <= told[0]["epoch"] <= 13
    whole = resumable(None)
    assert_same_history(resumed, whole)
    assert_same_weights(resumed, whole)


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("recipe", [SMALL, REPORT], ids=["small", "report"])
def test_an_interrupted_training_goes_on_to_the_same_bits(tmp_path, recipe):
    X, y, patients = lesions()

    def interrupt(row):
        if row["epoch"] == 2:
            raise Interrupted

    model = CNNClassifier(recipe=recipe, epochs=4)
    with pytest.raises(Interrupted):
        clone(model).set_params(checkpoint=tmp_path, progress=interrupt).fit(X, y, patients)
    resumed = clone(model).set_params(checkpoint=tmp_path).fit(X, y, patients)
    whole = clone(model).fit(X, y, patients)
    assert_same_weights(resumed, whole)
    assert_same_history(resumed, whole)
    told = []
    again = clone(model).set_params(checkpoint=tmp_path, progress=told.append).fit(X, y, patients)
    assert told == []  # finished: nothing is trained again
    assert_same_weights(again, whole)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "history.csv"), resumed.history_)


def test_a_checkpoint_of_other_data_or_settings_is_refused(tmp_path):
    X, y, patients = lesions()
    model = CNNClassifier(recipe=SMALL, epochs=1, checkpoint=tmp_path).fit(X, y, patients)
    for other in (
        (X[::-1], y, patients),
        ([X[0] + 1, *X[1:]], y, patients),
        (X, y[::-1], patients),
        (X, y, patients[::-1].tolist()),
        (X, y, None),
    ):
        if other[2] is not None and list(other[2]) != list(patients):
            other = (X, y, np.where(patients == "p1", "p0", patients))
        with pytest.raises(CheckpointError, match="other training images, labels or patients"):
            clone(model).fit(*other)
    for change in ({"seed": 1}, {"epochs": 2}, {"learning_rate": 0.5}, {"size": 9}):
        with pytest.raises(CheckpointError, match=f"{next(iter(change))} .*, not {next(iter(change.values()))}"):
            clone(model).set_params(**change).fit(X, y, patients)


def test_progress_is_a_line_per_epoch(capsys):
    X, y, patients = lesions()
    CNNClassifier(recipe=REPORT, epochs=2, progress=True).fit(X, y, patients)
    lines = capsys.readouterr().err.splitlines()
    assert [line[:14] for line in lines] == ["epoch   1 of 2", "epoch   2 of 2"]
    assert "validation_loss" in lines[0]


def test_parts_survive_json_and_predict_the_same_bits(fitted):
    X, _, _ = lesions(seed=5)
    config, content = fitted.to_parts()
    back = CNNClassifier.from_parts(json.loads(json.dumps(config)), content)
    np.testing.assert_array_equal(back.predict_proba(X), fitted.predict_proba(X))
    assert back.predict(X).tolist() == fitted.predict(X).tolist()
    assert back.classes_.dtype == fitted.classes_.dtype
    assert back.seen_ == fitted.seen_
    pd.testing.assert_frame_equal(back.history_, fitted.history_)
    assert back.to_parts() == (config, content)
    assert back.recipe == fitted.recipe_
    refitted = clone(back).fit(*lesions())
    assert_same_weights(refitted, fitted)


def test_a_named_recipe_comes_back_by_name():
    X, y, patients = lesions(8)
    model = CNNClassifier(size=8, epochs=1, batch_size=4).fit(X, y, patients)
    back = CNNClassifier.from_parts(*model.to_parts())
    assert back.recipe_ == model.recipe_ == Recipe.of("small", "resnet8", size=8, epochs=1, batch_size=4)
    assert isinstance(back.recipe, Recipe)


@pytest.mark.parametrize(
    "damage",
    [
        lambda config, content: (config, content[:-8]),
        lambda config, content: (config, b"\x80\x04K\x01."),
        lambda config, content: (config, b""),
        lambda config, content: ({}, content),
        lambda config, content: (config | {"backbone": "resnet18"}, content),
        lambda config, content: (config | {"backbone": "alexnet"}, content),
        lambda config, content: (config | {"classes": [*config["classes"], "x"]}, content),
        lambda config, content: (config | {"classes": 3}, content),
        lambda config, content: (config | {"recipe": {"name": "small"}}, content),
        lambda config, content: (config | {"recipe": config["recipe"] | {"size": "8"}}, content),
        lambda config, content: (config | {"preprocessing": None}, content),
        lambda config, content: (config | {"columns": ["a"]}, content),
    ],
)
def test_parts_that_do_not_fit_are_refused(fitted, damage):
    with pytest.raises(ValueError, match=r"."):
        CNNClassifier.from_parts(*damage(*fitted.to_parts()))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": ["a"] * 24}, "y holds one class, a; give images of two classes"),
        ({"y": ["a"] * 23}, "y has shape"),
        ({"y": [np.nan, *range(23)]}, "y holds nan"),
        ({"y": [None, *["a", "b"] * 11, "a"]}, "y holds None"),
        ({"patients": ["p"] * 23}, "patients has shape"),
        ({"patients": [None] * 24}, "patients holds None"),
        ({"X": []}, "there are no images"),
        ({"X": [np.full((3, 8, 8), np.nan)] * 24}, "NaN"),
        ({"X": [np.ones((3, 8, 8)), *[np.ones((2, 8, 8))] * 23]}, "has 2 channels"),
    ],
)
def test_unfit_data_are_refused(change, message):
    X, y, patients = lesions()
    data = {"X": X, "y": y, "patients": patients} | change
    with pytest.raises(ValueError, match=message):
        CNNClassifier(recipe=SMALL).fit(**data)


def test_patients_held_out_need_two_of_each_class():
    X, _, _ = lesions(6)
    y = ["a", "a", "b", "b", "b", "b"]
    with pytest.raises(ValueError, match=r"class a has 1 patient\(s\); the recipe holds patients out"):
        CNNClassifier(recipe=REPORT).fit(X, y, ["p", "p", "q", "q", "r", "r"])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"backbone": "alexnet"}, "backbone is 'alexnet'; give one of"),
        ({"recipe": "large"}, "recipe is 'large'"),
        ({"seed": -1}, "seed is -1"),
        ({"epochs": 0}, "epochs is 0"),
        ({"precision": "half"}, "precision is 'half'"),
        ({"device": "tpu9"}, "device is 'tpu9'"),
        ({"in_channels": 5}, "has 3 channels, the network takes 5"),
    ],
)
def test_parameters_out_of_range_are_refused(parameters, message):
    X, y, patients = lesions()
    with pytest.raises(ValueError, match=message):
        CNNClassifier(**({"recipe": SMALL} | parameters)).fit(X, y, patients)


def test_another_backbone_trains():
    X, y, patients = lesions(8)
    model = CNNClassifier("resnet18", size=32, epochs=1, batch_size=8).fit(X, y, patients)
    assert model.recipe_.size == 32
    assert np.isfinite(model.decision_function(X)).all()


def test_bfloat16_is_close(fitted):
    X, y, patients = lesions()
    model = CNNClassifier(recipe=SMALL, epochs=8, precision="bfloat16").fit(X, y, patients)
    assert next(model.network_.parameters()).dtype == torch.float32
    assert model.score(*lesions(seed=7)[:2]) > 0.85
    assert not torch.equal(weights(model)["fc.weight"], weights(fitted)["fc.weight"])
