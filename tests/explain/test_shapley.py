"""Shapley values: against their definition, against shap, and against what can be computed in the head."""

import itertools
import math
import warnings

import numpy as np
import pytest

from tumortrace.explain._shapley import log_odds, product_kernel, shapley
from tumortrace.fusion import classifier


def by_definition(function, row, other):
    """Mean over all orders of what each column adds when the columns of `other` become those of `row`."""
    count = len(row)
    values = np.zeros(count)
    for order in itertools.permutations(range(count)):
        mixed = other.copy()
        for column in order:
            before = function(mixed)
            mixed[column] = row[column]
            values[column] += function(mixed) - before
    return values / math.factorial(count)


def fitted(name, rng, columns=6, rows=80, **params):
    """A classifier of which the first column decides."""
    y = np.tile([0, 1], rows // 2)
    X = rng.normal(size=(rows, columns))
    X[:, 0] += 4 * y
    return classifier(name, **params).fit(X, y), X


@pytest.mark.parametrize("columns", [1, 2, 5])
def test_a_gaussian_machine_by_definition(rng, columns):
    points, weights = rng.normal(size=(7, columns)), rng.normal(size=7)
    row, background = rng.normal(size=columns), rng.normal(size=(3, columns))

    def machine(x):
        return float(weights @ np.exp(-0.4 * ((points - x) ** 2).sum(axis=1)))

    found = product_kernel(row, background, points, weights, 0.4)
    for values, other in zip(found, background, strict=True):
        np.testing.assert_allclose(values, by_definition(machine, row, other), rtol=0, atol=1e-13)


@pytest.mark.parametrize("columns", [40, 600])
def test_a_gaussian_machine_of_many_columns_adds_up(rng, columns):
    model, X = fitted("svm", rng, columns)
    machine = model.svc_
    row, background = 3 * X[0], X[1:9]
    found = product_kernel(row, background, machine.support_vectors_, machine.dual_coef_[0], machine._gamma)
    moved = machine.decision_function(row[None]) - machine.decision_function(background)
    np.testing.assert_allclose(found.sum(axis=1), moved, rtol=0, atol=1e-8)


def test_columns_far_from_every_point_give_numbers(rng):
    points = rng.normal(size=(4, 3))
    found = product_kernel(np.full(3, 1e3), np.zeros((2, 3)), points, np.ones(4), 1.0)
    np.testing.assert_allclose(found.sum(axis=1), -np.exp(-(points**2).sum(axis=1)).sum(), rtol=1e-6)


def test_a_logistic_regression_in_closed_form(rng):
    model, X = fitted("logistic", rng)
    expected = model.coef_[0] * (X[3] - X[10:30].mean(axis=0))
    np.testing.assert_allclose(shapley(model, X[3], X[10:30]), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["svm", "logistic"])
def test_the_same_as_shap(rng, name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own libraries, on import
        shap = pytest.importorskip("shap")
    model, X = fitted(name, rng)
    background = X[20:40]
    exact = shap.explainers.Exact(
        lambda rows: log_odds(model.predict_proba(rows)[:, 1]), shap.maskers.Independent(background, 100)
    )
    np.testing.assert_allclose(shapley(model, X[0], background), exact(X[:1]).values[0], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "rounding"), [("svm", 1e-9), ("logistic", 1e-9), ("forest", 1e-6), ("xgboost", 1e-4)]
)
def test_values_add_up_and_what_decides_matters_most(rng, name, rounding):
    model, X = fitted(name, rng)
    values = np.array([shapley(model, row, X[20:60]) for row in X[:12]])
    odds = log_odds(model.predict_proba(X)[:, 1])
    np.testing.assert_allclose(values.sum(axis=1), odds[:12] - odds[20:60].mean(), rtol=0, atol=rounding)
    first, *others = np.abs(values).mean(axis=0)
    assert first > 2 * max(others)
    assert np.corrcoef(values[:, 0], X[:12, 0])[0, 1] > 0.8


@pytest.mark.parametrize("name", ["forest", "xgboost"])
def test_trees_by_definition(rng, name):
    model, X = fitted(name, rng, columns=3, n_estimators=10)
    row, other = X[0], X[1]

    def output(x):
        return float(
            model.predict_proba(x[None])[0, 1]
            if name == "forest"
            else model.predict(x[None], output_margin=True)[0]
        )

    inner = by_definition(output, row, other)
    odds = log_odds(model.predict_proba(np.array([row, other]))[:, 1])
    stretched = inner * (odds[0] - odds[1]) / (output(row) - output(other))
    np.testing.assert_allclose(shapley(model, row, other[None]), stretched, rtol=0, atol=1e-5)


def test_beyond_the_clip_nothing_moves(rng):
    model, X = fitted("logistic", rng, C=1e4)
    background = X[20:60]
    sure = X[1] + [50, 0, 0, 0, 0, 0]
    odds = log_odds(model.predict_proba(np.vstack([sure, background]))[:, 1])
    assert odds[0] == odds.max() == log_odds(1.0)
    values = shapley(model, sure, background)
    np.testing.assert_allclose(values.sum(), odds[0] - odds[1:].mean(), rtol=0, atol=1e-9)
    assert shapley(model, sure, sure[None] + 1).tolist() == [0] * 6


def test_a_classifier_that_cannot_be_explained_is_named(rng):
    from sklearn.naive_bayes import GaussianNB

    X = rng.normal(size=(10, 2))
    with pytest.raises(TypeError, match="is a GaussianNB; features are explained for PlattSVC, LogisticRegression"):
        shapley(GaussianNB().fit(X, [0, 1] * 5), X[0], X)


def test_trees_without_shap_say_what_to_install(rng, monkeypatch):
    model, X = fitted("forest", rng, n_estimators=2)
    monkeypatch.setattr("tumortrace.explain._shapley.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'tumortrace\[explain\]'"):
        shapley(model, X[0], X)
