"""Precision-recall, decision and reliability curves equal their definitions; bands are bootstraps."""

import numpy as np
import pytest
from evaluation.cohorts import cohort, drawn_rows
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, brier_score_loss, precision_recall_curve

from tumortrace.evaluation import calibration, decision_curve, metrics, precision_recall


@pytest.mark.parametrize("decimals", [1, 2, 8])
def test_precision_and_recall_equal_scikit_learn(rng, decimals):
    y, score, names = cohort(rng, decimals=decimals)
    curve = precision_recall(y, score, names, resamples=20)
    assert curve.average_precision.value == pytest.approx(average_precision_score(y, score), abs=1e-12)
    assert curve.prevalence == y.mean()
    precision, recall, _ = precision_recall_curve(y, score)
    for r, height in zip(curve.recall[1:], curve.precision[1:], strict=True):
        assert height == pytest.approx(precision[np.flatnonzero(recall >= r - 1e-12)[-1]])
    assert (curve.low <= curve.high).all()


def test_the_mean_height_is_the_average_precision(rng):
    y, score, names = cohort(rng, decimals=2)
    curve = precision_recall(y, score, names, points=100 * y.sum() + 1, resamples=2)
    assert curve.precision[1:].mean() == pytest.approx(curve.average_precision.value)


def test_the_first_false_alarms_do_not_hide_the_start():
    curve = precision_recall([0, 0, 1, 1], [0.9, 0.8, 0.7, 0.1], list("abcd"), points=3, resamples=2)
    np.testing.assert_allclose(curve.precision, [1 / 3, 1 / 3, 1 / 2])


def naive_benefit(y, score, t):
    called = score >= t
    return (called & (y == 1)).sum() / len(y) - (called & (y == 0)).sum() / len(y) * t / (1 - t)


def test_net_benefit_equals_its_definition(rng):
    y, score, names = cohort(rng, decimals=2)  # scores that meet thresholds
    curve = decision_curve(y, score, names, resamples=20)
    np.testing.assert_allclose(curve.threshold, np.arange(1, 100) / 100)
    np.testing.assert_allclose(curve.benefit, [naive_benefit(y, score, t) for t in curve.threshold], atol=1e-12)
    everyone = np.ones(len(y))
    np.testing.assert_allclose(
        curve.treat_all, [naive_benefit(y, everyone, t) for t in curve.threshold], atol=1e-12
    )
    assert decision_curve(y, 0.0 * score, names, resamples=2).benefit.tolist() == [0.0] * 99


def test_reliability_equals_scikit_learn(rng):
    y, score, names = cohort(rng, decimals=2)
    curve = calibration(y, score, names, bins=7, resamples=20)
    shares, means = calibration_curve(y, score, n_bins=7)
    some = curve.rows > 0
    np.testing.assert_allclose(curve.share[some], shares)
    np.testing.assert_allclose(curve.score[some], means)
    assert curve.rows.sum() == len(y)
    assert curve.brier.value == pytest.approx(brier_score_loss(y, score))
    assert calibration(y, score, names, resamples=2).ece == pytest.approx(metrics(y, score)["ece"])


def test_an_empty_bin_has_no_share(rng):
    y, score, names = cohort(rng)
    curve = calibration(y, score / 2, names, resamples=20)
    np.testing.assert_array_equal(curve.rows[6:], 0)
    for values in (curve.score, curve.share, curve.low, curve.high):
        assert np.isnan(values[6:]).all()
        assert np.isfinite(values[2:4]).all()


def test_bands_are_those_of_the_slow_bootstrap(rng):
    y, score, names = cohort(rng, rows=3)
    draws = {"benefit": [], "share": [], "precision": []}
    for rows, _ in zip(drawn_rows(names, y, seed=2), range(800), strict=False):
        t, s = y[rows], score[rows]
        draws["benefit"].append(naive_benefit(t, s, 0.3))
        draws["share"].append(t[(s > 0.5) & (s <= 0.75)].mean())
        precision, recall, _ = precision_recall_curve(t, s)
        draws["precision"].append(precision[recall >= 0.8][-1])
    options = {"level": 0.8, "resamples": 1500}
    decision = decision_curve(y, score, names, thresholds=[0.3], **options)
    reliable = calibration(y, score, names, bins=4, **options)
    precise = precision_recall(y, score, names, points=6, **options)
    found = {
        "benefit": (decision.low[0], decision.high[0]),
        "share": (reliable.low[2], reliable.high[2]),
        "precision": (precise.low[4], precise.high[4]),
    }
    for name, samples in draws.items():
        np.testing.assert_allclose(found[name], np.quantile(samples, [0.1, 0.9]), atol=0.02, err_msg=name)


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (decision_curve, {"thresholds": [0.5, 0.2]}, "thresholds is"),
        (decision_curve, {"thresholds": [0.0, 0.2]}, "above 0 and below 1"),
        (decision_curve, {"thresholds": []}, "thresholds is"),
        (decision_curve, {"y_score": [1, 2]}, "give probabilities"),
        (calibration, {"y_score": [1, 2]}, "give probabilities"),
        (calibration, {"bins": 0}, "bins is 0"),
        (precision_recall, {"points": 1}, "points is 1"),
        (precision_recall, {"patients": ["a", None]}, "missing"),
    ],
)
def test_unfit_arguments_are_refused(function, arguments, message):
    fit = {"y_true": [0, 1], "y_score": [0.1, 0.9], "patients": ["a", "b"]}
    with pytest.raises(ValueError, match=message):
        function(**(fit | arguments))
