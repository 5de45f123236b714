"""A table of predictions is measured at each level as the metrics measure its means."""

import numpy as np
import pandas as pd
import pytest
from evaluation.cohorts import cohort

from tumortrace.evaluation import (
    METRICS,
    aggregate,
    auc,
    carried_thresholds,
    grouped_folds,
    measure,
    metrics,
)
from tumortrace.evaluation._bootstrap import _draws


@pytest.fixture
def predictions(rng):
    """Twenty-four patients with three slices of two sequences."""
    y, score, names = cohort(rng, patients=24, rows=6, signal=1.5)
    return pd.DataFrame(
        {
            "patient": names,
            "slice": np.tile([1, 1, 2, 2, 3, 3], 24),
            "sequence": np.tile(["SUB1", "SUB2"], 72),
            "label": np.where(y == 1, "Malignant", "Benign"),
            "fold": grouped_folds(y, names, folds=4),
            "score": score,
        }
    )


def values(table, level):
    return table[table["level"] == level].set_index("metric")["value"]


def test_every_metric_at_every_level(predictions):
    table = measure(predictions, resamples=100)
    assert list(table) == ["level", "metric", "value", "low", "high", "n", "patients"]
    assert table["metric"].tolist() == [*METRICS] * 3
    assert table.groupby("level", sort=False)["n"].first().to_dict() == {"image": 144, "slice": 72, "patient": 24}
    assert set(table["patients"]) == {24}
    for level, by in {
        "image": ["patient", "slice", "sequence"],
        "slice": ["patient", "slice"],
        "patient": ["patient"],
    }.items():
        rows = aggregate(predictions, by)
        expected = metrics(rows["label"] == "Malignant", rows["score"])
        assert values(table, level).to_dict() == pytest.approx(expected)


def test_the_interval_is_that_of_the_slow_bootstrap(predictions):
    found = measure(predictions, levels=["slice"], resamples=100, seed=4).set_index("metric")
    rows = aggregate(predictions, ["patient", "slice"])
    y, score = (rows["label"] == "Malignant").to_numpy(), rows["score"].to_numpy()
    groups = np.unique(rows["patient"], return_inverse=True)[1]
    drawn = [np.repeat(np.arange(len(y)), times.astype(int)[groups]) for times in _draws(y, groups, 100, 4)]
    draws = pd.DataFrame([metrics(y[some], score[some]) for some in drawn])
    for metric in METRICS[:-1]:
        bounds = draws[metric].quantile([0.025, 0.975])
        np.testing.assert_allclose(found.loc[metric, ["low", "high"]].astype(float), bounds, atol=1e-12)
    same = auc(y, score, rows["patient"], resamples=100, seed=4)
    np.testing.assert_allclose(found.loc["auc", ["value", "low", "high"]].astype(float), same, atol=1e-12)
    assert found.loc["ece", ["low", "high"]].isna().all()


def test_a_rule_is_carried_over_at_each_level(predictions):
    table = measure(predictions, threshold="sensitivity", at=0.9, resamples=10)
    for level, by in {"slice": ["patient", "slice"], "patient": ["patient"]}.items():
        rows = aggregate(predictions, by)
        y = rows["label"] == "Malignant"
        limits = carried_thresholds(y, rows["score"], rows["fold"], rule="sensitivity", at=0.9)
        assert values(table, level).to_dict() == pytest.approx(metrics(y, rows["score"], threshold=limits))


def test_the_column_threshold_is_used_and_a_number_overrules_it(predictions):
    chosen = predictions.assign(threshold=np.where(predictions["fold"] == 0, 0.2, 0.7))
    rows = aggregate(chosen, ["patient"])
    assert set(rows["threshold"].round(12)) == {0.2, 0.7}
    y = rows["label"] == "Malignant"
    by_column = measure(chosen, levels=["patient"], resamples=10)
    assert values(by_column, "patient").to_dict() == pytest.approx(
        metrics(y, rows["score"], threshold=rows["threshold"])
    )
    by_number = measure(chosen, levels=["patient"], threshold=0.5, resamples=10)
    assert values(by_number, "patient").to_dict() == pytest.approx(metrics(y, rows["score"]))


def test_the_positive_class_may_be_named(predictions):
    turned = measure(predictions, levels=["patient"], positive="Benign", resamples=10)
    plain = measure(predictions, levels=["patient"], resamples=10)
    assert values(turned, "patient")["auc"] == pytest.approx(1 - values(plain, "patient")["auc"])


def test_levels_of_ones_own(predictions):
    table = measure(predictions, levels={"sequence": ["patient", "sequence"], "half": ["slice"]}, resamples=10)
    assert table.groupby("level")["n"].first().to_dict() == {"half": 72, "sequence": 48}


def test_levels_without_their_columns_are_left_out(predictions):
    table = measure(predictions.drop(columns=["sequence", "fold"]), resamples=10)
    assert table["level"].unique().tolist() == ["slice", "patient"]


def test_a_patient_of_both_classes_is_measured_by_slice(predictions):
    both = predictions.copy()
    both.loc[(both["patient"] == "p000") & (both["slice"] == 1), "label"] = "Malignant"
    found = measure(both, levels=["image", "slice"], resamples=50).set_index(["level", "metric"])
    assert found.loc[("slice", "auc"), "low"] <= found.loc[("slice", "auc"), "value"]
    with pytest.raises(ValueError, match="patient 'p000' has rows of more than one label"):
        measure(both, resamples=10)


def test_precision_is_resampled_where_it_is_defined(predictions):
    few = predictions.assign(score=np.where(predictions["patient"] == "p001", 0.9, 0.1))  # one malignant patient
    table = measure(few, levels=["patient"], resamples=200).set_index("metric")
    assert table.loc["precision", ["value", "low", "high"]].tolist() == [1, 1, 1]
    assert table.loc["sensitivity", "low"] == 0  # some resamples are without it
    none = measure(few, levels=["patient"], threshold=0.95, resamples=50).set_index("metric")
    assert none.loc["precision", ["value", "low", "high"]].isna().all()


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        ({}, {"levels": ["lesion"]}, "levels name lesion; give some of image, slice, patient"),
        ({}, {"positive": "Cancer"}, "positive is 'Cancer'"),
        ({}, {"threshold": "best"}, "rule is 'best'"),
        ({}, {"threshold": 0.5, "at": 0.9}, "at is 0.9"),
        ({"score": 1.2}, {}, "score holds 1.2"),
        ({"label": "Benign"}, {}, "label holds 'Benign'; give two classes"),
        ({"score": np.nan}, {}, "score: rows without a value"),
    ],
)
def test_unfit_arguments_are_refused(predictions, change, arguments, message):
    with pytest.raises(ValueError, match=message):
        measure(predictions.assign(**change), resamples=10, **arguments)


@pytest.mark.parametrize("column", ["patient", "label", "score"])
def test_columns_that_are_needed(predictions, column):
    with pytest.raises(ValueError, match=f"predictions lack {column}"):
        measure(predictions.drop(columns=column))


def test_a_rule_needs_folds(predictions):
    with pytest.raises(ValueError, match="predictions lack fold"):
        measure(predictions.drop(columns="fold"), threshold="youden")


def test_aggregate_refuses_what_means_would_hide(predictions):
    split = predictions.assign(fold=np.arange(len(predictions)) % 2)
    with pytest.raises(ValueError, match=r"patient 'p000' has rows of more than one fold"):
        aggregate(split, ["patient"])
    gaps = predictions.astype({"slice": float})
    gaps.loc[3, "slice"] = np.nan
    with pytest.raises(ValueError, match="slice: rows without a value"):
        aggregate(gaps, ["patient", "slice"])
    with pytest.raises(ValueError, match="predictions lack lesion"):
        aggregate(predictions, ["patient", "lesion"])
