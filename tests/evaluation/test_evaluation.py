"""Grouped predictions never see the patient; the area equals scikit-learn's; the interval covers."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score, roc_curve

from tumortrace.evaluation import Interval, aggregate, auc, grouped_predictions, roc


def cohort(rng, patients=40, rows=6, signal=1.0):
    """Labels by patient, and scores with a part that all rows of a patient share."""
    y = np.arange(patients) % 2
    score = signal * y + rng.normal(size=patients)
    names = np.repeat([f"p{i}" for i in range(patients)], rows)
    return np.repeat(y, rows), np.repeat(score, rows) + 0.2 * rng.normal(size=patients * rows), names


class Remembers(ClassifierMixin, BaseEstimator):
    """Says 1 for a patient it was fitted on, so that a leak is seen at once."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.seen_ = set(X[:, 0])
        return self

    def predict_proba(self, X):
        seen = np.array([x in self.seen_ for x in X[:, 0]], dtype=float)
        return np.column_stack([1 - seen, seen])

    def predict(self, X):
        return self.predict_proba(X)[:, 1] > 0.5


def test_no_row_is_scored_by_a_model_that_saw_its_patient(rng):
    y, _, names = cohort(rng)
    codes = np.unique(names, return_inverse=True)[1]
    scores = grouped_predictions(Remembers(), codes[:, None].astype(float), y, names)
    assert (scores == 0).all()
    leaky = Remembers().fit(codes[:, None].astype(float), y).predict_proba(codes[:, None].astype(float))
    assert (leaky[:, 1] == 1).all()


def test_predictions_are_probabilities_of_the_positive_class_and_seeded(rng):
    y, x, names = cohort(rng, signal=3.0)
    frame = pd.DataFrame({"x": x})
    first = grouped_predictions(LogisticRegression(), frame, y, names, seed=3)
    assert roc_auc_score(y, first) > 0.9
    np.testing.assert_array_equal(first, grouped_predictions(LogisticRegression(), frame, y, names, seed=3))
    assert (first != grouped_predictions(LogisticRegression(), frame, y, names, seed=4)).any()


def test_shuffled_labels_give_one_half(rng):
    patients = 60
    y = np.repeat(rng.permutation(np.arange(patients) % 2), 5)
    names = np.repeat(np.arange(patients), 5)
    x = np.repeat(rng.normal(size=(patients, 8)), 5, axis=0)  # a fingerprint of the patient
    interval = auc(y, grouped_predictions(LogisticRegression(), x, y, names), names)
    assert interval.low < 0.5 < interval.high


@pytest.mark.parametrize(
    ("y", "patients", "folds", "message"),
    [
        ([0, 1, 1], ["a", "b"], 2, "one of each per row"),
        ([0, 0, 0], ["a", "b", "c"], 2, "both classes"),
        ([0, 1, 2], ["a", "b", "c"], 2, "both classes"),
        ([0, 0, 1, 1], ["a", "b", "c", "c"], 2, "class 1 has 1 patients"),
        ([0, 0, 1, 1], ["a", "b", "c", "d"], 1, "folds is 1"),
    ],
)
def test_unfit_rows_are_refused(y, patients, folds, message):
    with pytest.raises(ValueError, match=message):
        grouped_predictions(LogisticRegression(), np.zeros((len(y), 1)), y, patients, folds=folds)


def test_aggregate_means_by_slice_and_patient():
    rows = pd.DataFrame(
        {
            "patient": ["b", "a", "a", "a"],
            "slice": [1, 2, 1, 1],
            "label": ["Malignant", "Benign", "Benign", "Benign"],
            "score": [0.9, 0.1, 0.2, 0.4],
        }
    )
    slices = aggregate(rows, ["patient", "slice"])
    assert slices[["patient", "slice"]].to_numpy().tolist() == [["a", 1], ["a", 2], ["b", 1]]
    np.testing.assert_allclose(slices["score"], [0.3, 0.1, 0.9])
    patients = aggregate(rows, ["patient"])
    assert patients["label"].tolist() == ["Benign", "Malignant"]
    np.testing.assert_allclose(patients["score"], [0.7 / 3, 0.9])


def test_aggregate_refuses_a_patient_of_two_labels():
    rows = pd.DataFrame({"patient": ["a", "a"], "label": [0, 1], "score": [0.1, 0.2]})
    with pytest.raises(ValueError, match="patient 'a' has rows of more than one label"):
        aggregate(rows, ["patient"])


@pytest.mark.parametrize("decimals", [0, 1, 8])
def test_area_and_curve_equal_scikit_learn(rng, decimals):
    y, score, names = cohort(rng)
    score = score.round(decimals)  # few decimals: many ties
    curve = roc(y, score, names, resamples=20)
    assert curve.auc.value == pytest.approx(roc_auc_score(y, score), abs=1e-12)
    fpr, tpr, _ = roc_curve(y, score, drop_intermediate=False)
    for x, height in zip(curve.fpr, curve.tpr, strict=True):
        i = max(k for k in range(len(fpr)) if fpr[k] <= x)  # the last vertex on or left of x
        rise = (tpr[i + 1] - tpr[i]) / (fpr[i + 1] - fpr[i]) if i + 1 < len(fpr) else 0
        assert height == pytest.approx(tpr[i] + rise * (x - fpr[i]), abs=1e-12)
    assert (curve.low <= curve.high).all()


def test_drawing_a_patient_brings_all_its_rows(rng):
    y, score, names = cohort(rng, patients=40, rows=3, signal=1.5)
    ours = auc(y, score, names, resamples=2000)
    generator = np.random.default_rng(1)
    benign, malignant = (np.unique(names[y == c]) for c in (0, 1))
    values = []
    for _ in range(1500):
        drawn = np.concatenate([generator.choice(benign, len(benign)), generator.choice(malignant, len(malignant))])
        rows = np.concatenate([np.flatnonzero(names == p) for p in drawn])
        values.append(roc_auc_score(y[rows], score[rows]))
    np.testing.assert_allclose([ours.low, ours.high], np.quantile(values, [0.025, 0.975]), atol=0.02)
    assert ours == auc(y, score, names, resamples=2000)
    by_row = auc(y, score, np.arange(len(y)), resamples=500)
    assert by_row.high - by_row.low < ours.high - ours.low


def test_nineteen_intervals_in_twenty_hold_the_truth():
    rng = np.random.default_rng(1)
    truth = auc(*cohort(rng, patients=20000, rows=2), resamples=2).value
    intervals = [auc(*cohort(rng, patients=80, rows=4), resamples=200, seed=seed) for seed in range(150)]
    held = np.mean([interval.low <= truth <= interval.high for interval in intervals])
    assert 0.88 < held < 0.99


def test_a_patient_of_both_classes_is_its_own_stratum():
    # each draw keeps one patient of each kind, so every resample equals the data
    assert auc([0, 1, 0, 1], [0.1, 0.9, 0.6, 0.4], ["a", "b", "c", "c"], resamples=50) == Interval(0.75, 0.75, 0.75)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y_score": [0.1]}, "one score per row"),
        ({"y_score": [0.1, np.nan]}, "NaN or infinity"),
        ({"level": 95}, "level is 95"),
        ({"resamples": 0}, "resamples is 0"),
    ],
)
def test_unfit_scores_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        auc(**({"y_true": [0, 1], "y_score": [0.1, 0.9], "patients": ["a", "b"]} | arguments))


def test_an_interval_prints():
    assert str(Interval(0.9, 0.85, 0.9512)) == "0.900 (0.850 to 0.951)"
