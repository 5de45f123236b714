"""Training: no patient on both sides, resumable, and early, clear errors where the data are unfit."""

import os
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tumortrace import evaluation, io
from tumortrace.io import synthetic
from tumortrace.io.synthetic import SEQUENCES
from tumortrace.model import Inputs, load, out_of_fold, train, training_folder
from tumortrace.model._plan import Plan, default_features
from tumortrace.table import PRESETS


def listed(lesions):
    found = io.find(lesions)
    return found.frame.assign(image=[str(found.root / image) for image in found.frame["image"]])


class Spy:
    """Says which rows were fitted and which were scored."""

    def __init__(self, calls):
        self.calls = calls

    def fit(self, X, y, patients):
        self.calls.append(("fit", set(X.index), set(patients)))
        return self

    def predict_proba(self, X):
        self.calls.append(("score", set(X.index)))
        return np.tile([0.4, 0.6], (len(X), 1))


def test_no_row_is_scored_by_a_model_that_saw_its_patient(lesions, quick, monkeypatch):
    calls = []
    monkeypatch.setattr(Plan, "estimator", lambda *args, **kwargs: Spy(calls))
    model = train("handcrafted", lesions, **quick)
    patient = model.out_of_fold["patient"]
    scored = set()
    for (fit, rows, told), (score, tested) in zip(calls[0:6:2], calls[1:6:2], strict=True):
        assert (fit, score) == ("fit", "score")
        assert told == set(patient[list(rows)])
        assert not told & set(patient[list(tested)])
        scored |= tested
    assert scored == set(range(len(patient)))
    assert calls[6][1] == scored  # the final model has them all
    assert [call[0] for call in calls[7:]] == ["score"]  # of its background, which nothing is measured by


def test_scores_thresholds_and_metrics_are_what_evaluation_makes_of_them(lesions, quick):
    said = []
    model = train("handcrafted", lesions, say=said.append, **quick)
    table = model.out_of_fold
    y = (table["label"] == "Malignant").astype(int)
    frame = model.inputs.frame(listed(lesions).assign(path=lambda f: f["image"]))
    names = list(model.estimator.feature_names_in_)
    assert {name.split("_")[0] for name in names} == {"vibrant", "sub2", "kinetics"}
    by_hand = evaluation.grouped_predictions(model.estimator, frame[names], y, table["patient"], folds=3)
    np.testing.assert_array_equal(table["score"], by_hand)
    folds = 1 + evaluation.grouped_folds(y, table["patient"], folds=3)
    np.testing.assert_array_equal(table["fold"], folds)
    np.testing.assert_array_equal(table["threshold"], evaluation.carried_thresholds(y, by_hand, folds))
    assert model.threshold == evaluation.choose_threshold(y, by_hand)
    assert table["predicted"].eq("Malignant").equals(table["score"] >= table["threshold"])
    metrics = pd.DataFrame(model.record["metrics"])
    auc = metrics[(metrics["level"] == "slice") & (metrics["metric"] == "auc")].iloc[0]
    assert tuple(auc[["value", "low", "high"]]) == evaluation.auc(y, by_hand, table["patient"])
    assert set(metrics["level"]) == {"slice", "patient"}
    assert model.record["data"]["rows"] == len(table) == auc["n"]
    assert model.record["data"]["patients"] == {"Benign": 6, "Malignant": 8}
    assert [line.split(":")[0] for line in said[1:]] == ["fold 1 of 3", "fold 2 of 3", "fold 3 of 3", "all rows"]


def slice_auc(model):
    (row,) = (r for r in model.record["metrics"] if (r["level"], r["metric"]) == ("slice", "auc"))
    return row["value"], row["low"], row["high"]


def test_labels_shuffled_by_patient_cannot_be_told(tmp_path, quick):
    frame = listed(synthetic.make_lesions(tmp_path / "lesions", patients=40, slices=3, val_fraction=0, seed=1))
    real = frame.drop_duplicates("patient").set_index("patient")["label"]
    parameters = quick | {"features": ["first_order"]}
    found = []
    for seed in range(8):
        shuffled = pd.Series(np.random.default_rng(seed).permutation(real), index=real.index)
        model = train(
            "handcrafted",
            frame.assign(label=frame["patient"].map(shuffled)),
            **parameters,
        )
        found.append(slice_auc(model))
    value, low, high = np.transpose(found)
    assert abs(value.mean() - 0.5) < 0.08
    assert np.mean((low < 0.5) & (high > 0.5)) >= 0.75
    assert slice_auc(train("handcrafted", frame, **quick))[1] > 0.6


def test_a_random_split_by_slice_would_tell_shuffled_labels(lesions, quick):
    model = train("handcrafted", lesions, **quick | {"folds": 0})
    table = model.inputs.frame(listed(lesions).assign(path=lambda f: f["image"]))
    table = table[table["patient"].duplicated(keep=False)]
    y = table["patient"].map(lambda name: int(name[-1]) % 2)
    second = table["patient"].duplicated()
    names = list(model.estimator.feature_names_in_)
    score = model.estimator.fit(table.loc[~second, names], y[~second]).predict_proba(table.loc[second, names])[:, 1]
    assert evaluation.auc(y[second], score, table["patient"][second]).value > 0.9


@pytest.mark.parametrize(
    ("kind", "unit"), [("handcrafted", "image"), ("cnn", "image"), ("fused", "image"), ("fused", "slice")]
)
def test_every_kind_scores_every_unit(lesions, quick, tiny, kind, unit):
    names = ["first_order"] if unit == "image" else quick["features"]
    parameters = tiny | {"features": names, "folds": 2, "epochs": 1}
    model = train(kind, lesions, unit=unit, **parameters)
    rows = listed(lesions)
    rows = rows[rows["sequence"].isin(parameters["sequences"])]
    levels = {row["level"] for row in model.record["metrics"]}
    if unit == "image":
        assert len(model.out_of_fold) == len(rows)
        assert levels == {"image", "slice", "patient"}
    else:
        assert len(model.out_of_fold) == len(rows.drop_duplicates(["patient", "slice"]))
        assert levels == {"slice", "patient"}
    assert model.out_of_fold["score"].between(0, 1, inclusive="neither").all()
    columns = list(model.estimator.feature_names_in_)
    assert any(name.endswith("__image") for name in columns) == (kind != "handcrafted")
    assert ("sequence" in columns) == (kind != "cnn" and unit == "image")
    assert (model.history is None) == (kind == "handcrafted")
    if model.history is not None:
        assert model.history["fold"].tolist() == [1, 2, 0]


@pytest.mark.parametrize(("features", "weight"), [(["first_order"], 1), (["first_order", "kinetics"], 2)])
def test_texture_kinetics_and_network_count_the_same_in_a_fused_score(lesions, tiny, features, weight):
    parameters = tiny | {"folds": 0, "features": features}
    models = {kind: train(kind, lesions, **parameters) for kind in ("handcrafted", "cnn", "fused")}
    with pytest.warns(UserWarning, match="trained on"):
        score = {kind: model.predict(lesions, jobs=1)["score"] for kind, model in models.items()}
    odds = {kind: np.log(s / (1 - s)) for kind, s in score.items()}
    expected = (weight * odds["handcrafted"] + odds["cnn"]) / (weight + 1)
    np.testing.assert_allclose(odds["fused"], expected, rtol=1e-6)


def test_without_folds_nothing_is_measured(lesions, quick, tmp_path):
    out = tmp_path / "model"
    model = train("handcrafted", lesions, out=out, **quick | {"folds": 0})
    assert model.threshold == 0.5
    assert model.out_of_fold is None
    assert load(out).record["metrics"] == []
    with pytest.raises(FileNotFoundError, match=r"out-of-fold predictions of .*; put it back"):
        out_of_fold(out)


def test_a_split_called_test_is_left_out_unless_it_is_named(tmp_path, lesions, quick):
    frame = listed(lesions)
    people = sorted(set(frame["patient"]))[::4]
    frame = frame.assign(split=np.where(frame["patient"].isin(people), "test", "train"))
    said = []
    model = train("handcrafted", frame, say=said.append, **quick | {"folds": 0})
    assert said[0].startswith("the split 'test' is left out")
    assert sum(model.record["data"]["patients"].values()) == 14 - len(people)
    assert not {"test"} & set(model.predict(frame, splits=["test"], jobs=1)["patient"].map(str))
    both = train("handcrafted", frame, splits=["train", "test"], **quick | {"folds": 0})
    assert sum(both.record["data"]["patients"].values()) == 14


def test_the_column_that_groups_stands_for_the_patient(lesions, quick):
    frame = listed(lesions).rename(columns={"patient": "subject"})
    with pytest.raises(ValueError, match=r"no column 'patient' to tell patients apart, its columns are .*subject"):
        train("handcrafted", frame, **quick)
    model = train("handcrafted", frame, group="subject", **quick)
    expected = train("handcrafted", lesions, **quick)
    pd.testing.assert_frame_equal(
        model.out_of_fold[["patient", "fold", "score"]], expected.out_of_fold[["patient", "fold", "score"]]
    )


@pytest.mark.parametrize(
    ("change", "parameters", "message"),
    [
        (
            lambda f: f.drop(columns="label"),
            {},
            r"gives no labels, its columns are image, .*; give a manifest with",
        ),
        (lambda f: f.assign(label=""), {}, "gives no labels"),
        (lambda f: f[f["label"] == "Benign"], {}, "the labels are 'Benign'; give images of two classes"),
        (lambda f: f.assign(label=f["patient"]), {}, "the labels are 'SYN-001', .*; give images of two classes"),
        (
            lambda f: f.assign(label=f["label"].str[:1]),
            {},
            "the labels are 'B', 'M'; say which is the positive one",
        ),
        (lambda f: f, {"positive": "Bad"}, "the positive label is 'Bad', but the labels are 'Benign', 'Malignant'"),
        (lambda f: f, {"folds": 7}, "the class 'Benign' has 6 patients: 7 folds need one each at least"),
        (
            lambda f: f,
            {"sequences": ["SUB1", "T2"]},
            r"the source lacks the sequences T2; it has SUB1, SUB2, .*C8$",
        ),
        (
            lambda f: f.drop(columns="sequence"),
            {},
            "names no sequence, its columns are image, .*; give a manifest with it, or",
        ),
        (lambda f: f, {"splits": ["train"]}, "the source has no split 'train'; it has ''"),
        (lambda f: f.drop(columns="image"), {}, "needs a column image that holds paths"),
        (lambda f: f.assign(patient=""), {}, r"\d+ images have no patient; say whose"),
        (lambda f: f.assign(image=f["image"] + "x"), {}, r"no row can be trained on: \d+ rows cannot be used: .*"),
        (lambda f: f, {"sequences": 3}, "sequences is 3; give one of 1, 9, 17"),
        (lambda f: f, {"features": ["textur"]}, "features are textur; give some of hog, .*, kinetics$"),
        (lambda f: f, {"features": []}, "features are none; give some of"),
        (lambda f: f, {"unit": "image", "features": ["kinetics"]}, "kinetics are those of a slice"),
        (lambda f: f, {"classifier": "oracle"}, "name is 'oracle'; give one of 'logistic'"),
        (lambda f: f, {"unit": "pixel"}, "unit is 'pixel'; give one of 'slice', 'image'"),
        (lambda f: f, {"folds": 1}, "folds is 1; give a whole number of at least 2"),
    ],
)
def test_what_is_unfit_is_said(lesions, quick, change, parameters, message):
    with pytest.raises(ValueError, match=message):
        train("handcrafted", change(listed(lesions)), **quick | parameters)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"backbone": "vgg"}, "backbone is 'vgg'; give one of"),
        ({"recipe": "best"}, "recipe is 'best'; give one of"),
    ],
)
def test_a_network_that_is_not_known_is_said_before_any_image_is_read(parameters, message):
    with pytest.raises(ValueError, match=message):
        train("cnn", "no such folder", **parameters)


def test_one_string_is_no_list(lesions):
    with pytest.raises(TypeError, match="sequences is 'SUB1'; give a list of names"):
        train("handcrafted", lesions, sequences="SUB1")
    with pytest.raises(TypeError, match="features is 'glcm'; give a list of names"):
        train("handcrafted", lesions, features="glcm")


def test_rows_that_cannot_be_read_are_left_out_and_counted(lesions, tiny, tmp_path):
    frame = listed(lesions)
    frame = frame[frame["sequence"].isin(tiny["sequences"])].reset_index(drop=True)
    slices = frame[frame["sequence"] == "VIBRANT"].index
    frame.loc[slices[0], "image"] = str(tmp_path / "bad.jpg")
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "small.png")
    frame.loc[slices[1], "image"] = str(tmp_path / "small.png")
    said = []
    model = train("cnn", frame.drop(index=slices[2]), say=said.append, **tiny | {"folds": 0, "epochs": 1})
    (reason,) = model.record["data"]["left_out"]
    assert said[1] == f"left out: {reason}"
    assert reason.startswith("3 rows cannot be used: ")
    for why in ("bad.jpg", "its sequences differ in size: (9, 9), ", "it has no vibrant"):
        assert why in reason
    assert model.record["data"]["rows"] == len(slices) - 3


def test_what_a_training_writes(lesions, tiny, tmp_path):
    out = tmp_path / "model"
    model = train("cnn", lesions, out=out, **tiny)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "model.training"]
    pd.testing.assert_frame_equal(out_of_fold(out), model.out_of_fold)
    pd.testing.assert_frame_equal(pd.read_csv(training_folder(out) / "history.csv"), model.history)
    text = (out / "manifest.json").read_text()
    assert not any(patient in text for patient in model.out_of_fold["patient"])
    assert str(lesions) not in text
    with pytest.raises(FileExistsError, match="exists; give another name, or force"):
        train("cnn", lesions, out=out, **tiny)
    train("handcrafted", lesions, out=out, force=True, features=["first_order"], folds=0, jobs=1)
    assert load(out).record["plan"]["kind"] == "handcrafted"
    assert [path.name for path in training_folder(out).iterdir()] == ["source.json"]
    with pytest.raises(FileNotFoundError, match="make the folder first"):
        train("cnn", lesions, out=tmp_path / "none" / "model")


def test_a_killed_training_goes_on_to_the_same_model(lesions, tmp_path):
    out = tmp_path / "model"
    options = "--sequences VIBRANT,VIBRANT+C2 --features first_order --folds 2 --jobs 1"
    options += " --recipe report --size 16 --epochs 4"
    command = [sys.executable, "-m", "tumortrace", "train", "fused", lesions, "-o", out, *options.split(" ")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ) as process:
        said = []
        for line in process.stderr:
            said.append(line)
            if line.startswith("fold 2 of 2, epoch 2"):
                process.send_signal(signal.SIGKILL)
                break
        else:
            pytest.fail(f"the training ended before it was killed: {said}")
    assert not out.exists()
    assert (tmp_path / "model.partial" / "fold-1.json").exists()
    parameters = {"sequences": ["VIBRANT", "VIBRANT+C2"], "size": 16, "epochs": 4, "folds": 2, "jobs": 1}
    parameters |= {"features": ["first_order"], "recipe": "report"}
    with pytest.raises(FileExistsError, match="unfinished training with another plan; run that to its end"):
        train("fused", lesions, out=out, **parameters | {"seed": 1})
    said = []
    model = train("fused", lesions, out=out, say=said.append, **parameters)
    assert "fold 1 of 2: taken over from an earlier run" in said
    assert not any(line.startswith("fold 2 of 2, epoch 1") for line in said)
    assert not (tmp_path / "model.partial").exists()
    straight = train("fused", lesions, **parameters)
    pd.testing.assert_frame_equal(model.out_of_fold, straight.out_of_fold, check_exact=True)
    columns = ["fold", "epoch", "learning_rate", "loss", "validation_loss"]
    pd.testing.assert_frame_equal(model.history[columns], straight.history[columns], check_exact=True)
    with pytest.warns(UserWarning, match="trained on"):
        scores = [made.predict(lesions, jobs=1) for made in (model, straight)]
    pd.testing.assert_frame_equal(*scores, check_exact=True)


def test_force_discards_an_unfinished_training(lesions, quick, tmp_path, monkeypatch):
    out = tmp_path / "model"
    fit_all = "tumortrace.model._train._Run.fit_all"
    with monkeypatch.context() as patch:
        patch.setattr(fit_all, lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            train("handcrafted", lesions, out=out, **quick)
    assert (tmp_path / "model.partial" / "fold-3.json").exists()
    said = []
    train("handcrafted", lesions, out=out, force=True, say=said.append, seed=2, **quick)
    assert not any("taken over" in line for line in said)
    assert not (tmp_path / "model.partial").exists()


@pytest.mark.parametrize(
    ("unit", "there", "expected"),
    [
        ("slice", SEQUENCES, True),
        ("slice", SEQUENCES[:9], True),
        ("slice", SEQUENCES[:-1], False),
        ("slice", ("T1", "T2"), False),
        ("image", SEQUENCES, False),
    ],
)
def test_features_by_default(unit, there, expected):
    features = default_features(unit, there)
    assert ("kinetics" in features) == expected
    assert set(features) - {"kinetics"} == set(PRESETS["default"]()) - {"shape"}


def test_inputs_go_through_json():
    inputs = Inputs("slice", ("SUB1", "SUB2"), {"glcm": {"levels": 8}}, {}, ("SUB1",), "subject")
    assert Inputs.from_dict(inputs.to_dict()) == inputs
    assert inputs.to_dict()["sequences"] == ["SUB1", "SUB2"]
    with pytest.raises(ValueError, match="takes nothing"):
        Inputs("slice")
