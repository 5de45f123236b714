"""Explanations add up, localise what was planted, and are the same each time."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tumortrace import io
from tumortrace.explain import explain, explain_frame, picture, tabulate
from tumortrace.explain._leaves import leaves
from tumortrace.explain._shapley import log_odds
from tumortrace.model import members, train
from tumortrace.model._inputs import list_images

LEAVES = ["lbp", "first_order", "kinetics", "slices", "crops"]
COLUMNS = ["family", "shap", "value", "percentile", "low", "median", "high", "median_negative", "median_positive"]


def test_everything_adds_up(fused, frame, lesions):
    found = explain_frame(fused, frame)
    with pytest.warns(UserWarning, match="among those that the model was trained on"):
        table = fused.predict(lesions, jobs=1)
    assert len(found) == len(table)
    assert {one.base for one in found} == {found[0].base}
    for one, row in zip(found, table.to_dict("records"), strict=True):
        assert (one.score, one.predicted, one.threshold) == (row["score"], row["predicted"], row["threshold"])
        assert type(one.identity["slice"]) is int
        assert one.identity == {name: row[name] for name in ("split", "label", "patient", "slice")}
        assert one.output == pytest.approx(np.log(one.score / (1 - one.score)), abs=1e-9)
        assert one.base + one.families.sum() == pytest.approx(one.output, abs=1e-9)
        assert list(one.families.index) == LEAVES
        assert list(one.features.columns) == COLUMNS
        sums = one.features.groupby("family")["shap"].sum()
        assert sorted(sums.index) == ["first_order", "kinetics", "lbp"]
        np.testing.assert_allclose(sums, one.families[sums.index], rtol=0, atol=1e-9)
        assert one.features["shap"].abs().is_monotonic_decreasing


def test_a_family_moves_by_its_weight_times_its_log_odds(fused, frame):
    one = explain_frame(fused, frame, rows=3, features=False, maps=False)[0]
    known = members(fused.estimator)
    background = fused.background
    for name in LEAVES:
        odds = log_odds(background[f"score_{name}"])
        same = (background["score"] - one.score).abs().idxmin()
        assert background["score"][same] == pytest.approx(one.score, abs=1e-9)
        expected = known[name].weight * (odds[same] - odds.mean())
        assert one.families[name] == pytest.approx(expected, abs=1e-6), name


def test_leaves_are_the_members_without_members(fused):
    known = members(fused.estimator)
    parents = {member.parent for member in known.values()}
    found = {leaf.name: leaf.weight for leaf in leaves(fused.estimator, fused.estimator.feature_names_in_)}
    assert found == {name: member.weight for name, member in known.items() if name not in parents}
    assert sum(found.values()) == pytest.approx(1)


def test_the_same_each_time_whoever_else_is_asked_about(fused, frame, lesions):
    together, alone = explain_frame(fused, frame), explain(fused, lesions, rows=[4, 1], jobs=1)
    for a, b in zip((together[4], together[1]), alone, strict=True):
        assert a.identity == b.identity
        pd.testing.assert_series_equal(a.families, b.families, check_exact=False, rtol=0, atol=1e-6)
        pd.testing.assert_frame_equal(a.features, b.features, check_like=True, rtol=0, atol=1e-6)
    again = explain(fused, lesions, rows=[4, 1], jobs=1)
    for a, b in zip(again, alone, strict=True):
        pd.testing.assert_frame_equal(a.features, b.features, check_exact=True)
        np.testing.assert_array_equal(a.maps["slices"][0], b.maps["slices"][0])


def test_maps_are_of_the_crops(fused, frame, lesions):
    listing = list_images(lesions)
    for one in explain_frame(fused, frame, rows=range(3), features=False):
        shape = picture(one, listing).shape
        assert {name: len(maps) for name, maps in one.maps.items()} == {"slices": 1, "crops": 2}
        for heat in (heat for maps in one.maps.values() for heat in maps):
            assert heat.shape == shape
            assert heat.dtype == np.float32
            assert heat.min() >= 0
            assert heat.max() == 1 or not heat.any()
        assert one.features is None


def test_nothing_is_computed_that_is_not_asked_for(fused, frame):
    (one,) = explain_frame(fused, frame, rows=0, features=False, maps=False)
    assert one.features is None
    assert one.maps == {}


@pytest.mark.parametrize(
    ("part", "families"), [("handcrafted", ["lbp", "first_order", "kinetics"]), ("cnn", ["slices", "crops"])]
)
def test_a_part_of_a_model_is_explained_as_a_model_of_its_own(fused, frame, part, families):
    whole = explain_frame(fused, frame, rows=2)[0]
    one = explain_frame(fused.member(part), frame, rows=2)[0]
    assert list(one.families.index) == families
    assert one.base + one.families.sum() == pytest.approx(one.output, abs=1e-9)
    share = members(fused.estimator)[part].weight
    np.testing.assert_allclose(share * one.families, whole.families[families], rtol=0, atol=1e-9)
    assert len(one.features) == (0 if part == "cnn" else len(whole.features))


def test_a_linear_model_in_closed_form(by_hand):
    model, rows = by_hand
    (one,) = explain_frame(model, rows, rows=7)
    assert one.features.index[0] == "glcm_a"
    for name, share in (("glcm", 0.75), ("lbp", 0.25)):
        part = model.estimator.members_[name]
        columns = [column for column in model.background if column.startswith(f"{name}_")]
        seen = part.prepare(rows.loc[[7], columns])[0] - part.prepare(model.background[columns]).mean(axis=0)
        expected = share * part.classifier_.coef_[0] * seen
        np.testing.assert_allclose(one.features.loc[columns, "shap"], expected, rtol=0, atol=1e-9)
        assert one.families[name] == pytest.approx(expected.sum(), abs=1e-9)


def test_a_feature_stands_where_it_stands_in_the_background(by_hand):
    model, rows = by_hand
    background = model.background["glcm_a"]
    feature = explain_frame(model, rows, rows=50)[0].features.loc["glcm_a"]
    assert feature["value"] == rows["glcm_a"][50]
    assert feature["percentile"] == pytest.approx(100 * (background < rows["glcm_a"][50]).mean())
    for name, share in (("low", 0.05), ("median", 0.5), ("high", 0.95)):
        assert feature[name] == background.quantile(share)
    positive = model.background["label"] == "yes"
    assert feature["median_positive"] == background[positive].median()
    assert feature["median_negative"] == background[~positive].median()
    middle = explain_frame(model, rows, rows=0)[0].features.loc["glcm_a", "percentile"]
    assert middle == pytest.approx(100 * ((background < rows["glcm_a"][0]).sum() + 0.5) / len(background))


def test_a_missing_number_is_explained_by_what_stands_in_for_it(by_hand):
    model, rows = by_hand
    rows.loc[2, "glcm_a"] = np.nan
    feature = explain_frame(model, rows, rows=2)[0].features.loc["glcm_a"]
    assert np.isnan(feature["value"])
    assert np.isnan(feature["percentile"])
    rows.loc[2, "glcm_a"] = model.estimator.members_["glcm"].imputer_.statistics_[0]
    assert feature["shap"] == explain_frame(model, rows, rows=2)[0].features.loc["glcm_a", "shap"]


def test_each_sequence_is_explained_by_its_own_model(lesions):
    model = train(
        "handcrafted",
        lesions,
        unit="image",
        features=["first_order"],
        sequences=["VIBRANT", "SUB2"],
        folds=0,
        jobs=1,
    )
    frame = model.inputs.frame(list_images(lesions), jobs=1)
    found = explain_frame(model, frame, rows=range(6))
    bases = {}
    for one in found:
        own = model.background[model.background["sequence"] == one.identity["sequence"]]
        bases[one.identity["sequence"]] = one.base
        assert one.base == pytest.approx(log_odds(own["score"]).mean(), abs=1e-12)
        assert one.features.loc["first_order_mean", "median"] == own["first_order_mean"].median()
        assert list(one.families.index) == ["first_order"]
        assert one.base + one.features["shap"].sum() == pytest.approx(one.output, abs=1e-9)
    assert len(bases) == 2
    unknown = replace(model, background=model.background.assign(sequence="SUB2"))
    with pytest.raises(ValueError, match="background has no row of 'VIBRANT'; it knows 'SUB2'"):
        explain_frame(unknown, frame[frame["sequence"] == "VIBRANT"])


def test_the_map_is_hot_where_a_bright_square_decides(tmp_path):
    rng = np.random.default_rng(0)
    rows = []
    for k in range(48):
        pixels = rng.integers(0, 60, (24, 24)).astype(np.uint8)
        top, left = rng.integers(1, 15, 2)
        if k % 2:
            pixels[top : top + 8, left : left + 8] = 230
        Image.fromarray(pixels).save(tmp_path / f"{k}.png")
        rows.append(
            {
                "image": str(tmp_path / f"{k}.png"),
                "patient": f"P{k}",
                "label": "yes" if k % 2 else "no",
                "top": top,
                "left": left,
            }
        )
    table = pd.DataFrame(rows)
    model = train(
        "cnn",
        table,
        unit="image",
        positive="yes",
        size=24,
        epochs=20,
        folds=0,
        jobs=1,
    )
    found = explain(model, table, jobs=1)
    assert [one.predicted for one in found] == table["label"].tolist()
    assert all(list(one.families.index) == ["cnn"] and one.features.empty for one in found)
    for one, row in zip(found[1::2], rows[1::2], strict=True):
        heat = one.maps["cnn"][0]
        inside = np.zeros(heat.shape, bool)
        inside[row["top"] : row["top"] + 8, row["left"] : row["left"] + 8] = True
        assert heat[inside].mean() > 3 * heat[~inside].mean()


def test_the_picture_is_of_the_row(fused, frame, lesions):
    listing = list_images(lesions)
    one = explain_frame(fused, frame, rows=1, features=False, maps=False)[0]
    here = listing[(listing["patient"] == one.identity["patient"]) & (listing["slice"] == one.identity["slice"])]
    second = here.loc[here["sequence"] == "VIBRANT+C2", "path"].item()
    np.testing.assert_array_equal(picture(one, listing), io.read_image(second).array)
    np.testing.assert_array_equal(picture(one, lesions), io.read_image(second).array)
    without = listing[listing["sequence"] == "SUB3"]
    sub = here.loc[here["sequence"] == "SUB3", "path"].item()
    np.testing.assert_array_equal(picture(one, without), io.read_image(sub).array)
    with pytest.raises(ValueError, match=f"no image of .*patient {one.identity['patient']}"):
        picture(one, listing[listing["patient"] != one.identity["patient"]])


def test_a_table_holds_all_of_it(by_hand):
    model, rows = by_hand
    found = explain_frame(model, rows, rows=[1, 2])
    table = tabulate(found)
    assert table.groupby(["patient", "kind"]).size().to_dict() == {
        ("0", "family"): 2, ("0", "feature"): 5, ("1", "family"): 2, ("1", "feature"): 5,
    }  # fmt: skip
    second = table[(table["patient"] == "1") & (table["kind"] == "feature")]
    assert second["name"].tolist() == found[1].features.index.tolist()
    np.testing.assert_array_equal(second["shap"], found[1].features["shap"])
    assert second["score"].unique() == [found[1].score]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (80, "row is 80; give a whole number from 0 to 79"),
        ([1, 5], "row 5 has no score: it is torn"),
    ],
)
def test_rows_that_cannot_be_explained(by_hand, rows, message):
    model, frame = by_hand
    frame.loc[5, ["status", "error"]] = ["failed", "it is torn"]
    with pytest.raises(ValueError, match=message):
        explain_frame(model, frame, rows=rows)
    assert len(explain_frame(model, frame, features=False)) == 79
    with pytest.raises(ValueError, match="no row can be explained: it is torn"):
        explain_frame(model, frame.iloc[[5]])


def test_a_model_of_an_earlier_version_is_to_be_trained_again(by_hand, lesions):
    model, frame = by_hand
    with pytest.raises(ValueError, match=r"trained by an earlier version, .* train it again"):
        explain_frame(replace(model, background=None), frame)
    with pytest.raises(ValueError, match="train it again"):
        explain(replace(model, background=None), lesions)
