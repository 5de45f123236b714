"""Shapley values of the log-odds of one classifier of prepared numbers, exact for the classifiers that models use.

A value answers: how far does the output move when this feature changes from what it is in a row of the background
to what it is here, on average over all orders in which the features change? It is computed for one background row
at a time, and averaged. Where the output is a curve of what can be explained exactly (a probability made log-odds,
log-odds clipped), the values of that are stretched by the slope of the chord between the two rows, the generalised
rescale rule, so that they add up to the difference of the two outputs.

References: Lundberg and Lee, A unified approach to interpreting model predictions, NeurIPS 2017; Owen, Multilinear
extensions of games, Management Science 18, 1972, 10.1287/mnsc.18.5.64; Chen, Lundberg and Lee, Explaining a series
of models by propagating Shapley values, Nature Communications 13, 2022, 10.1038/s41467-022-31384-3.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from tumortrace.fusion import PlattSVC
from tumortrace.fusion._base import CLIP

Numbers = NDArray[np.float64]

_LIMIT = float(logit(1 - CLIP))
_NODES = 8
_BLOCK = 2**16  # numbers that stay in the cache of a processor
_STEP = 1e-6


class Inner(NamedTuple):
    """What of a classifier can be explained exactly, and the curve that makes log-odds of it.

    Attributes
    ----------
    each : ndarray, shape (background, columns)
        Shapley values of the row against each row of the background.
    row : float
        What is explained, in the row.
    background : ndarray, shape (background,)
        The same in the background.
    curve : callable
        From that to log-odds.
    """

    each: Numbers
    row: float
    background: Numbers
    curve: Callable[[Numbers], Numbers]


def log_odds(probability: Any) -> Numbers:
    """Return log-odds, of a probability nearer to 0 or 1 than 1e-4 those of this, as `LateFusion` takes them."""
    return np.asarray(logit(np.clip(probability, CLIP, 1 - CLIP)), dtype=np.float64)


def shapley(classifier: Any, row: Numbers, background: Numbers) -> Numbers:
    """Return how far each column moves the log-odds of a row from their mean over a background.

    Parameters
    ----------
    classifier : PlattSVC, LogisticRegression, RandomForestClassifier or XGBClassifier
        Fitted on two classes.
    row : ndarray of float64, shape (columns,)
        As the classifier sees it.
    background : ndarray of float64, shape (n, columns)
        Rows to compare with.

    Returns
    -------
    ndarray of float64, shape (columns,)
        Together they are the log-odds of the row less the mean of those of the background.

    Raises
    ------
    TypeError
        If the classifier is another.
    ModuleNotFoundError
        If it is one of trees, and shap is missing.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> model = LogisticRegression().fit([[0, 0], [1, 0], [0, 1], [3, 1]], [0, 0, 1, 1])
    >>> parts = shapley(model, np.array([1.0, 2.0]), np.array([[0.0, 2.0], [2.0, 0.0]]))
    >>> np.allclose(parts, model.coef_[0] * [0, 1])
    True
    """
    kind = type(classifier).__name__
    if kind not in _INNER:
        raise TypeError(f"the classifier is a {kind}; features are explained for {', '.join(_INNER)}")
    inner = _INNER[kind](classifier, row, background)
    slope = _chord(inner.curve, np.full(len(background), inner.row), inner.background)
    return np.asarray((inner.each * slope[:, None]).mean(axis=0))


def _machine(classifier: PlattSVC, row: Numbers, background: Numbers) -> Inner:
    machine = classifier.svc_
    each = product_kernel(row, background, machine.support_vectors_, machine.dual_coef_[0], float(machine._gamma))
    distance = machine.decision_function(np.vstack([row, background]))

    def curve(distance: Numbers) -> Numbers:
        return np.clip(classifier.slope_ * distance + classifier.offset_, -_LIMIT, _LIMIT)

    return Inner(each, distance[0], distance[1:], curve)


def product_kernel(row: Numbers, background: Numbers, points: Numbers, weights: Numbers, gamma: float) -> Numbers:
    """Return the exact Shapley values of ``Σ weight · exp(−gamma |x − point|²)``, shape (background, columns).

    Parameters
    ----------
    row : ndarray, shape (columns,)
    background : ndarray, shape (n, columns)
    points : ndarray, shape (m, columns)
    weights : ndarray, shape (m,)
    gamma : float

    Notes
    -----
    A Gaussian is a product over columns: that of a point is ``Π_j a_j`` at the row and ``Π_j c_j`` at a background
    row, and where some columns are of the one and some of the other, a product of the two kinds. The Shapley values
    of such a game are ``(a_j − c_j) ∫₀¹ Π_{k≠j} (c_k + t (a_k − c_k)) dt``, the derivative of its multilinear
    extension along the diagonal. The integral is by Gauss-Legendre quadrature of 8 nodes: exact up to 16 columns,
    and of 1e-10 with hundreds, of which none decides alone.
    """
    nodes, shares = np.polynomial.legendre.leggauss(_NODES)
    weighed = list(zip((nodes + 1) / 2, shares / 2, strict=True))
    found = np.zeros_like(background)
    size = max(1, _BLOCK // len(row))
    for start in range(0, len(points), size):
        some, counts = np.ascontiguousarray(points[start : start + size].T), weights[start : start + size]
        here = _factors(row, some, gamma)
        for values, other in zip(found, background, strict=True):
            there = _factors(other, some, gamma)
            step = here - there
            total = np.zeros_like(step)
            for node, share in weighed:
                factor = there + node * step
                total += (factor.prod(axis=0) * counts * share) / factor
            values += np.einsum("jm,jm->j", total, step)
    return found


def _factors(row: Numbers, points: Numbers, gamma: float) -> Numbers:
    """Return each column's factor of each Gaussian, (columns, points); what vanishes is kept from being 0."""
    return np.maximum(np.exp(-gamma * (points - row[:, None]) ** 2), 1e-300)


def _linear(classifier: Any, row: Numbers, background: Numbers) -> Inner:
    odds = classifier.decision_function(np.vstack([row, background]))
    return Inner(classifier.coef_[0] * (row - background), odds[0], odds[1:], _clipped)


def _forest(classifier: Any, row: Numbers, background: Numbers) -> Inner:
    probability = classifier.predict_proba(np.vstack([row, background]))[:, 1]
    return Inner(_trees(classifier, row, background)[..., 1], probability[0], probability[1:], log_odds)


def _boosted(classifier: Any, row: Numbers, background: Numbers) -> Inner:
    odds = classifier.predict(np.vstack([row, background]), output_margin=True).astype(np.float64)
    return Inner(_trees(classifier, row, background), odds[0], odds[1:], _clipped)


def _trees(classifier: Any, row: Numbers, background: Numbers) -> Numbers:
    """Return what shap says of the background against the row, turned round: the value changes its sign."""
    if find_spec("shap") is None:
        raise ModuleNotFoundError(
            "features of trees are explained by shap, which is not installed: pip install 'tumortrace[explain]'"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # of its colour maps, on import
        from shap import TreeExplainer
    explainer = TreeExplainer(classifier, data=row[None], feature_perturbation="interventional")
    return -np.asarray(explainer.shap_values(background, check_additivity=False), dtype=np.float64)


def _clipped(odds: Numbers) -> Numbers:
    return np.clip(odds, -_LIMIT, _LIMIT)


def _chord(curve: Callable[[Numbers], Numbers], a: Numbers, b: Numbers) -> Numbers:
    """Return the slope of the chord of a curve between a and b, of its tangent where they meet."""
    meet = np.abs(a - b) < _STEP
    a, b = np.where(meet, a + _STEP, a), np.where(meet, a - _STEP, b)
    return np.asarray((curve(a) - curve(b)) / (a - b))


_INNER: dict[str, Callable[[Any, Numbers, Numbers], Inner]] = {
    "PlattSVC": _machine,
    "LogisticRegression": _linear,
    "RandomForestClassifier": _forest,
    "XGBClassifier": _boosted,
}
