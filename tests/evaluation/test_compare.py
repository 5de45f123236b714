"""DeLong equals its definition; the paired bootstrap equals drawing rows; both agree where rows are patients."""

import numpy as np
import pytest
from evaluation.cohorts import cohort, drawn_rows
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from tumortrace.evaluation import Interval, auc, compare, delong


def placements(y, score):
    """Return for each positive the share of negatives below it, for each negative that of positives above it."""
    wins = np.array([[(p > q) + 0.5 * (p == q) for q in score[y == 0]] for p in score[y == 1]])
    return wins.mean(axis=1), wins.mean(axis=0)


def naive_delong(y, a, b):
    """Return areas and covariance as DeLong, DeLong and Clarke-Pearson write them."""
    found = [placements(y, score) for score in (a, b)]
    areas = [above.mean() for above, _ in found]
    covariance = np.zeros((2, 2))
    for r in range(2):
        for s in range(2):
            for side in range(2):
                u, v = found[r][side] - areas[r], found[s][side] - areas[s]
                covariance[r, s] += sum(u * v) / (len(u) - 1) / len(u)
    return areas, covariance


def two_models(rng, **kinds):
    y, a, names = cohort(rng, **kinds)
    return y, a, np.clip(a + rng.normal(0, 0.15, len(a)), 0, 1), names


@pytest.mark.parametrize("decimals", [1, 8])
def test_delong_equals_its_definition(rng, decimals):
    y, a, b, _ = two_models(rng, rows=2)
    a, b = a.round(decimals), b.round(decimals)
    found = delong(y, a, b)
    areas, covariance = naive_delong(y, a, b)
    np.testing.assert_allclose([found.auc_a, found.auc_b], areas, atol=1e-12)
    np.testing.assert_allclose(found.covariance, covariance, atol=1e-12)
    assert found.auc_a == pytest.approx(roc_auc_score(y, a))
    error = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    assert found.z == pytest.approx((areas[0] - areas[1]) / error)
    assert found.p == pytest.approx(2 * norm.sf(abs(found.z)))


def test_delong_by_hand():
    # positives 2, 4 and negatives 1, 3: shares below 1/2 and 1, shares above 1 and 1/2
    found = delong([0, 1, 0, 1], [1, 2, 3, 4], [1, 3, 2, 4])
    assert (found.auc_a, found.auc_b) == (0.75, 1.0)
    np.testing.assert_allclose(found.covariance, [[0.125, 0], [0, 0]])
    assert found.z == pytest.approx(-0.25 / np.sqrt(0.125))


def test_delong_without_variance():
    y = [0, 0, 1, 1]
    same = delong(y, [1, 2, 3, 4], [10, 20, 30, 40])
    assert (same.z, same.p) == (0, 1)
    apart = delong(y, [1, 2, 3, 4], [4, 3, 2, 1])
    assert apart.auc_a - apart.auc_b == 1
    assert np.isnan(apart.z)
    assert np.isnan(apart.p)


def test_delong_variance_is_that_of_repeated_samples(rng):
    y = np.arange(120) % 2
    areas, variances = [], []
    for _ in range(300):
        shared = y + rng.normal(size=120)
        found = delong(y, shared + rng.normal(size=120), shared + rng.normal(size=120))
        areas.append(found.auc_a - found.auc_b)
        c = found.covariance
        variances.append(c[0, 0] + c[1, 1] - 2 * c[0, 1])
    assert np.mean(variances) == pytest.approx(np.var(areas), rel=0.25)


def test_models_are_measured_on_the_same_patients(rng):
    y, a, b, names = two_models(rng, rows=3)
    found = compare(y, a, b, names, resamples=2000)
    draws = []
    for rows, _ in zip(drawn_rows(names, y, seed=5), range(1200), strict=False):
        draws.append(roc_auc_score(y[rows], a[rows]) - roc_auc_score(y[rows], b[rows]))
    np.testing.assert_allclose(found.difference[1:], np.quantile(draws, [0.025, 0.975]), atol=0.012)
    assert found.difference.value == pytest.approx(roc_auc_score(y, a) - roc_auc_score(y, b))
    assert found.a == auc(y, a, names, resamples=2000)
    paired = found.difference.high - found.difference.low
    assert paired < 0.7 * (found.a.high - found.a.low)  # what is hard for both cancels
    swapped = compare(y, b, a, names, resamples=2000)
    np.testing.assert_allclose(swapped.difference, [-found.difference[i] for i in (0, 2, 1)], atol=1e-12)
    assert swapped.p == found.p


def test_bootstrap_and_delong_agree_where_each_row_is_a_patient(rng):
    y, a, b, names = two_models(rng, patients=150, rows=1, signal=1.0)
    found = compare(y, a, b, names, resamples=4000, seed=1)
    assert found.p == pytest.approx(found.p_delong, abs=0.04)
    assert "independent" not in str(found)


def test_delong_is_too_sure_where_patients_have_many_rows(rng):
    by_rows, by_patients = [], []
    for seed in range(80):
        y, a, names = cohort(rng, rows=10)
        noise = rng.normal(0, 1.0, (2, 40)).repeat(10, axis=1)  # what each model makes of a patient
        found = compare(y, a + noise[0], a + noise[1], names, resamples=200, seed=seed)
        by_rows.append(found.p_delong < 0.05)
        by_patients.append(found.p < 0.05)
    assert np.mean(by_rows) > 0.3  # the models are equally good: 0.05 would be right
    assert np.mean(by_patients) < 0.15


def test_a_model_and_itself(rng):
    y, a, names = cohort(rng)
    found = compare(y, a, 2 * a, names, resamples=50)
    assert found.difference == Interval(0, 0, 0)
    assert (found.p, found.p_delong) == (1, 1)


def test_a_comparison_prints(rng):
    y, a, b, names = two_models(rng)
    found = compare(y, a, b, names, resamples=100, level=0.9)
    assert (found.rows, found.patients) == (240, 40)
    first, second = str(found).splitlines()
    assert f"AUC {found.a} against {found.b}, difference {found.difference}" in first
    assert "90 % intervals, 40 patients resampled, 240 rows" in first
    assert "takes rows of one patient as independent" in second
    assert "\np < 0.001 (patients resampled); DeLong p = 0.040" in str(found._replace(p=0.0004, p_delong=0.04))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"a": [1, 2, 3]}, "a has shape"),
        ({"b": [1, 2, 3, np.nan]}, "b holds NaN"),
        ({"patients": ["p", "q"]}, "patients has shape"),
        ({"y_true": [0, 0, 0, 1]}, "1 positive and 3 negative rows"),
        ({"level": 1}, "level is 1"),
    ],
)
def test_unfit_arguments_are_refused(arguments, message):
    fit = {"y_true": [0, 0, 1, 1], "a": [1, 2, 3, 4], "b": [1, 2, 3, 4], "patients": list("pqrs")}
    with pytest.raises(ValueError, match=message):
        compare(**(fit | arguments))
