"""The parts of a fusion of fusions, and what a model keeps to be explained by."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from tumortrace.fusion import EarlyFusion, LateFusion, PerSequence
from tumortrace.model import load, member_scores, members, train, training_source

FAMILIES = ["first_order", "sobel", "kinetics"]


@pytest.fixture(scope="module")
def fused(lesions, tmp_path_factory):
    """A fused model, trained and saved."""
    out = tmp_path_factory.mktemp("fused") / "model"
    return train(
        "fused",
        lesions,
        features=FAMILIES,
        sequences=["VIBRANT", "VIBRANT+C2"],
        recipe="report",
        size=16,
        epochs=1,
        folds=2,
        jobs=1,
        out=out,
    ), out


@pytest.fixture
def rows():
    rng = np.random.default_rng(1)
    y = np.tile([0, 1], 20)
    frame = pd.DataFrame(rng.normal(size=(40, 4)) + y[:, None], columns=list("abcd"))
    return frame.assign(sequence=np.repeat(["SUB1", "SUB2"], 20)), y


def nested():
    inner = LateFusion([("one", EarlyFusion(), ["a"]), ("two", EarlyFusion(), ["b"])], weights={"one": 1, "two": 3})
    lone = LateFusion([("hidden", EarlyFusion(), ["d"])])
    return LateFusion([("inner", inner, ["a", "b"]), ("three", EarlyFusion(), ["c"]), ("lone", lone, ["d"])])


def test_names_parents_and_weights(rows):
    X, y = rows
    found = members(nested().fit(X, y))
    assert [(m.name, m.parent, round(m.weight, 6)) for m in found.values()] == [
        ("inner", None, round(1 / 3, 6)),
        ("one", "inner", round(1 / 12, 6)),
        ("two", "inner", round(1 / 4, 6)),
        ("three", None, round(1 / 3, 6)),
        ("lone", None, round(1 / 3, 6)),
    ]
    assert members(EarlyFusion().fit(X[["a"]], y)) == {}


@pytest.mark.parametrize("routed", [False, True])
def test_scores_are_those_of_predict_proba_and_add_up(rows, routed):
    X, y = rows
    model = PerSequence(nested(), column="sequence") if routed else nested()
    model.fit(X, y)
    score, columns = member_scores(model, X)
    np.testing.assert_array_equal(score, model.predict_proba(X)[:, 1])
    assert list(columns) == [f"score_{name}" for name in members(model)]
    parents = {member.parent for member in members(model).values()}
    leaves = [member for member in members(model).values() if member.name not in parents]
    assert sum(member.weight for member in leaves) == pytest.approx(1)
    total = sum(member.weight * logit(columns[f"score_{member.name}"]) for member in leaves)
    np.testing.assert_allclose(expit(total), score, rtol=1e-12)
    if not routed:
        np.testing.assert_array_equal(columns["score_three"], model.members_["three"].predict_proba(X[["c"]])[:, 1])


def test_predictions_say_what_each_member_says(fused, lesions):
    model, _ = fused
    names = [f"score_{name}" for name in members(model.estimator)]
    assert names == [
        "score_handcrafted",
        "score_texture",
        "score_sobel",
        "score_first_order",
        "score_kinetics",
        "score_cnn",
    ]
    with pytest.warns(UserWarning, match="trained on"):
        table = model.predict(lesions, jobs=1)
    for rows in (table, model.out_of_fold):
        assert [name for name in rows if name.startswith("score_")] == names
        assert rows[names].notna().all(axis=None)
        texture = expit(logit(rows[["score_first_order", "score_sobel"]]).mean(axis=1))
        np.testing.assert_allclose(rows["score_texture"], texture, rtol=1e-9)


@pytest.mark.parametrize("name", ["handcrafted", "cnn"])
def test_a_member_is_a_model_of_its_own(fused, lesions, name, tmp_path):
    model, _ = fused
    part = model.member(name)
    with pytest.warns(UserWarning, match=f"{len(model.out_of_fold)} of {len(model.out_of_fold)} rows are among"):
        whole, own = model.predict(lesions, jobs=1), part.predict(lesions, jobs=1)
    pd.testing.assert_series_equal(own["score"], whole[f"score_{name}"], check_names=False)
    pd.testing.assert_series_equal(part.out_of_fold["score"], model.out_of_fold[f"score_{name}"], check_names=False)
    assert part.record["plan"]["kind"] == name
    assert 0 < part.threshold < 1
    assert {row["metric"] for row in part.record["metrics"]} == {row["metric"] for row in model.record["metrics"]}
    assert part.background["score"].tolist() == model.background[f"score_{name}"].tolist()
    again = load(part.save(tmp_path / "part"))
    with pytest.warns(UserWarning, match="trained on"):
        pd.testing.assert_frame_equal(again.predict(lesions, jobs=1), own)


def test_what_has_no_members(fused, lesions, quick):
    model, out = fused
    with pytest.raises(ValueError, match="without its out-of-fold predictions"):
        load(out).member("cnn")
    with pytest.raises(ValueError, match="name is 'vgg'"):
        model.member("vgg")
    with pytest.raises(ValueError, match="is handcrafted, not fused"):
        train("handcrafted", lesions, **(quick | {"folds": 0})).member("cnn")


def test_the_background_is_of_both_classes_and_names_no_one(fused, lesions):
    model, out = fused
    background = load(out).background
    pd.testing.assert_frame_equal(background, model.background)
    numbers = [name for name in model.estimator.feature_names_in_ if not name.endswith("__image")]
    names = [f"score_{name}" for name in members(model.estimator)]
    assert list(background) == [*numbers, "label", *names, "score"]
    assert set(background["label"]) == set(model.classes)
    part = model.estimator.members_["handcrafted"]
    score, _ = member_scores(part, background[part.feature_names_in_])
    np.testing.assert_allclose(score, background["score_handcrafted"], rtol=1e-9)
    text = json.dumps(background.to_dict("list"))
    assert "SYN-" not in text
    assert ".jpg" not in text


def test_the_shares_of_positives_count_every_row_once(fused):
    model, _ = fused
    rows, bins = model.out_of_fold, model.record["calibration"]
    assert sum(one["rows"] for one in bins) == len(rows)
    for one in bins:
        inside = rows[(rows["score"] > one["from"]) & (rows["score"] <= one["to"])]
        assert one["rows"] == len(inside)
        assert one["patients"] == inside["patient"].nunique()
        assert one["share"] == pytest.approx((inside["label"] == "Malignant").mean())
        assert one["low"] <= one["share"] <= one["high"]


def test_where_the_images_of_a_training_lie(fused, lesions, tmp_path):
    _, out = fused
    assert training_source(out) == (lesions, None)
    assert training_source(tmp_path / "nowhere") is None
