"""Every metric equals scikit-learn's, weighed or not; tables are scikit-learn's with names."""

import numpy as np
import pytest
from evaluation.cohorts import cohort, drawn_rows
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve

from tumortrace.evaluation import METRICS, classification_report, confusion, metrics
from tumortrace.evaluation._metrics import called, weighed


def by_scikit_learn(y, score, threshold):
    p = score >= threshold
    shares, means = calibration_curve(y, score, n_bins=10)
    counts, _ = np.histogram(score, np.nextafter(np.linspace(0, 1, 11), 2))  # a bin holds its upper edge
    return {
        "accuracy": sk.accuracy_score(y, p),
        "balanced_accuracy": sk.balanced_accuracy_score(y, p),
        "sensitivity": sk.recall_score(y, p),
        "specificity": sk.recall_score(y, p, pos_label=0),
        "precision": sk.precision_score(y, p, zero_division=np.nan),
        "recall": sk.recall_score(y, p),
        "f1": sk.f1_score(y, p),
        "auc": sk.roc_auc_score(y, score),
        "average_precision": sk.average_precision_score(y, score),
        "brier": sk.brier_score_loss(y, score),
        "ece": np.abs(shares - means) @ counts[counts > 0] / len(y),
    }


@pytest.mark.parametrize("decimals", [1, 2, 8])
@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8])
def test_metrics_equal_scikit_learn(rng, decimals, threshold):
    y, score, _ = cohort(rng, decimals=decimals)
    found = metrics(y, score, threshold=threshold)
    assert tuple(found) == METRICS
    assert found == pytest.approx(by_scikit_learn(y, score, threshold), abs=1e-12)


def test_a_threshold_for_each_row(rng):
    y, score, _ = cohort(rng)
    limits = np.where(np.arange(len(y)) < 100, 0.3, 0.7)
    assert metrics(y, score, threshold=limits) == pytest.approx(by_scikit_learn(y, score, limits), abs=1e-12)


def test_a_score_at_the_threshold_is_called_positive():
    assert metrics([0, 1], [0.2, 0.5])["sensitivity"] == 1.0
    assert metrics([0, 1], [0.2, np.nextafter(0.5, 0)])["sensitivity"] == 0.0


def test_precision_without_a_call_is_undefined():
    found = metrics([0, 1], [0.1, 0.2])
    assert np.isnan(found["precision"])
    assert (found["f1"], found["sensitivity"], found["specificity"]) == (0.0, 0.0, 1.0)


def test_counting_a_patient_twice_is_having_its_rows_twice(rng):
    y, score, names = cohort(rng, decimals=2)
    groups = np.unique(names, return_inverse=True)[1]
    statistic = weighed(y.astype(bool), score, called(score, 0.5), groups)
    rows = next(drawn_rows(names, y, seed=0))
    drawn = np.bincount(groups[rows[::6]], minlength=40).astype(float)  # six rows each
    expected = by_scikit_learn(y[rows], score[rows], 0.5)
    np.testing.assert_allclose(statistic(drawn), [expected[name] for name in METRICS], atol=1e-12)


@pytest.mark.parametrize("bins_edge", [0.0, 0.1, 0.5, 1.0])
def test_ece_by_hand_at_the_edges_of_bins(bins_edge):
    assert metrics([0, 1], [bins_edge, bins_edge])["ece"] == pytest.approx(abs(0.5 - bins_edge))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y_score": [0.1, 1.5]}, "y_score holds 1.5; give probabilities"),
        ({"y_score": [0.1, -0.5]}, "y_score holds -0.5"),
        ({"y_score": [0.1, np.nan]}, "NaN or infinity"),
        ({"threshold": [0.1, 0.2, 0.3]}, "one for each of 2 rows"),
        ({"threshold": np.nan}, "threshold"),
        ({"y_true": [1, 1]}, "both classes"),
        ({"y_true": [[0, 1]]}, "one label per row"),
    ],
)
def test_unfit_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        metrics(**({"y_true": [0, 1], "y_score": [0.1, 0.9]} | arguments))


def test_confusion_counts_by_name():
    true, predicted = ["b", "b", "m", "m", "m"], ["b", "m", "m", "m", "b"]
    table = confusion(true, predicted)
    assert table.to_dict() == {"b": {"b": 1, "m": 1}, "m": {"b": 1, "m": 2}}
    assert (table.index.name, table.columns.name) == ("true", "predicted")
    assert confusion([0, 0], [0, 1]).to_numpy().tolist() == [[1, 1], [0, 0]]  # a class that is only called


def test_the_report_is_scikit_learns():
    true, predicted = [0, 0, 0, 1], [0, 0, 1, 1]
    table = classification_report(true, predicted)
    assert list(table.index) == ["0", "1", "macro avg", "weighted avg"]
    np.testing.assert_allclose(table["precision"], [1, 0.5, 0.75, 0.875])
    np.testing.assert_allclose(table["recall"], [2 / 3, 1, 5 / 6, 0.75])
    assert table["support"].tolist() == [3, 1, 4, 4]
    assert np.isnan(classification_report([0, 1], [0, 0]).loc["1", "precision"])
