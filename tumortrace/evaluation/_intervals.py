"""ROC curve and its area, with intervals from resampling patients.

Rows of one patient resemble each other, so an interval from resampling rows would be too narrow. Here patients are
drawn with replacement, class by class, and each brings all of its rows.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace.evaluation._rows import codes, labels, scores


class Interval(NamedTuple):
    """A number with the bounds of its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


class Roc(NamedTuple):
    """A ROC curve on an even grid of false positive rates, its pointwise band, its area, and their coverage."""

    fpr: NDArray[np.float64]
    tpr: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    auc: Interval
    level: float


def auc(
    y_true: ArrayLike,
    y_score: ArrayLike,
    patients: ArrayLike,
    *,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """Return the area under the ROC curve with its interval.

    Parameters
    ----------
    y_true : array_like, shape (n,)
        1 or True for the positive class, 0 or False for the other.
    y_score : array_like, shape (n,)
        Higher for the positive class.
    patients : array_like, shape (n,)
        The patient of each row.
    level : float, default 0.95
        Coverage of the interval: percentiles of the bootstrap over patients.
    resamples : int, default 1000
        Draws of the bootstrap.
    seed : int, default 0
        The same seed gives the same interval.

    Returns
    -------
    Interval
        ``(value, low, high)``, each in 0..1; ties count one half.

    Raises
    ------
    ValueError
        If lengths differ, a score is not finite, or `y_true` is not 0 and 1 with both present.

    Examples
    --------
    >>> auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], ["a", "b", "c", "d"]).value
    0.75
    """
    return roc(y_true, y_score, patients, level=level, resamples=resamples, seed=seed).auc


def roc(
    y_true: ArrayLike,
    y_score: ArrayLike,
    patients: ArrayLike,
    *,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
    points: int = 201,
) -> Roc:
    """Return the ROC curve with a pointwise band and the area with its interval; parameters as for `auc`.

    Examples
    --------
    >>> curve = roc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], ["a", "b", "c", "d"], points=3)
    >>> curve.fpr, curve.tpr
    (array([0. , 0.5, 1. ]), array([0.5, 1. , 1. ]))
    """
    y = labels(y_true)
    groups, score = codes("patients", patients, len(y)), scores("y_score", y_score, len(y))
    if not 0 < level < 1:
        raise ValueError(f"level is {level!r}; give a number between 0 and 1, such as 0.95")
    resamples = _check.integer("resamples", resamples, 2)
    fpr = np.linspace(0, 1, _check.integer("points", points, 2))
    thresholds, rank = np.unique(-score, return_inverse=True)
    tpr, area = _curve(y, rank, len(thresholds), np.ones(len(y)), fpr)
    draws = [
        _curve(y, rank, len(thresholds), weights[groups], fpr) for weights in _draws(y, groups, resamples, seed)
    ]
    tails = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile([curve for curve, _ in draws], tails, axis=0)
    interval = np.quantile([a for _, a in draws], tails)
    return Roc(fpr, tpr, low, high, Interval(area, float(interval[0]), float(interval[1])), level)


def _draws(y: NDArray[np.bool_], groups: NDArray[Any], resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Yield, for each resample, how often each patient was drawn; strata are the classes a patient has."""
    count = int(groups.max()) + 1
    positive, negative = np.bincount(groups, y, count) > 0, np.bincount(groups, ~y, count) > 0
    strata = [
        np.flatnonzero(s) for s in (positive & ~negative, negative & ~positive, positive & negative) if s.any()
    ]
    rng = np.random.default_rng(seed)
    for _ in range(resamples):
        drawn = np.concatenate([rng.choice(s, len(s)) for s in strata])
        yield np.bincount(drawn, minlength=count).astype(np.float64)


def _curve(
    y: NDArray[np.bool_],
    rank: NDArray[Any],
    thresholds: int,
    weights: NDArray[np.float64],
    fpr: NDArray[np.float64],
) -> tuple[NDArray[np.float64], float]:
    """Return the true positive rates at `fpr` and the area, rows counted by `weights`."""
    hits = np.bincount(rank, weights * y, thresholds).cumsum()
    alarms = np.bincount(rank, weights * ~y, thresholds).cumsum()
    tpr = np.concatenate([[0.0], hits / hits[-1]])
    false = np.concatenate([[0.0], alarms / alarms[-1]])
    area = float(np.trapezoid(tpr, false))
    before = np.searchsorted(false, fpr, side="right") - 1  # at a vertical step its upper end
    after = np.minimum(before + 1, len(false) - 1)
    width = false[after] - false[before]
    share = np.divide(fpr - false[before], width, out=np.zeros_like(fpr), where=width > 0)
    return tpr[before] + share * (tpr[after] - tpr[before]), area
