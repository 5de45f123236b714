"""ROC, precision-recall and decision curves, with bands from resampling patients."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace.evaluation._bootstrap import Interval, Numbers, resampled, total
from tumortrace.evaluation._ranks import Ranks, area, average_precision, precisions
from tumortrace.evaluation._rows import codes, labels, probabilities, scores


class Roc(NamedTuple):
    """A ROC curve on an even grid of false positive rates, its pointwise band, its area, and their coverage."""

    fpr: NDArray[np.float64]
    tpr: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    auc: Interval
    level: float


class PrecisionRecall(NamedTuple):
    """A precision-recall curve on an even grid of recalls, its pointwise band, and its average precision.

    `prevalence` is the share of positive rows: the precision of a score that knows nothing.
    """

    recall: NDArray[np.float64]
    precision: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    average_precision: Interval
    prevalence: float
    level: float


class DecisionCurve(NamedTuple):
    """The net benefit of acting on a score at each threshold, its pointwise band, and that of acting on everyone.

    The net benefit of acting on no one is 0.
    """

    threshold: NDArray[np.float64]
    benefit: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    treat_all: NDArray[np.float64]
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
    return roc(y_true, y_score, patients, level=level, resamples=resamples, seed=seed, points=2).auc


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
    fpr = np.linspace(0, 1, _check.integer("points", points, 2))
    ranks = Ranks.of(y, score, groups)

    def curve(weights: Numbers) -> Numbers:
        hits, alarms = ranks.counts(weights)
        return np.append(_heights(hits, alarms, fpr), area(hits, alarms))

    value, low, high = resampled(curve, y, groups, level, resamples, seed)
    return Roc(fpr, value[:-1], low[:-1], high[:-1], _last(value, low, high), level)


def precision_recall(
    y_true: ArrayLike,
    y_score: ArrayLike,
    patients: ArrayLike,
    *,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
    points: int = 201,
) -> PrecisionRecall:
    """Return the precision-recall curve with a pointwise band, and the average precision with its interval.

    Parameters are those of `auc`, and `points`, the number of recalls from 0 to 1.

    Returns
    -------
    PrecisionRecall
        The precision at a recall is that of the highest threshold that reaches it, so that the mean height of the
        curve is the average precision; nothing is interpolated. The average precision equals scikit-learn's.

    Raises
    ------
    ValueError
        As for `auc`.

    Examples
    --------
    >>> curve = precision_recall([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], ["a", "b", "c", "d"], points=3)
    >>> curve.recall, curve.precision.round(3), curve.prevalence
    (array([0. , 0.5, 1. ]), array([1.   , 1.   , 0.667]), 0.5)
    """
    y = labels(y_true)
    groups, score = codes("patients", patients, len(y)), scores("y_score", y_score, len(y))
    recall = np.linspace(0, 1, _check.integer("points", points, 2))
    ranks = Ranks.of(y, score, groups)

    def curve(weights: Numbers) -> Numbers:
        hits, alarms = ranks.counts(weights)
        reached = np.searchsorted(hits, np.maximum(recall * hits[-1] - 1e-9, 1e-9))  # at recall 0, the first hit
        return np.append(precisions(hits, alarms)[reached], average_precision(hits, alarms))

    value, low, high = resampled(curve, y, groups, level, resamples, seed)
    mean = _last(value, low, high)
    return PrecisionRecall(recall, value[:-1], low[:-1], high[:-1], mean, float(y.mean()), level)


def decision_curve(
    y_true: ArrayLike,
    y_score: ArrayLike,
    patients: ArrayLike,
    *,
    thresholds: ArrayLike | None = None,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> DecisionCurve:
    """Return the net benefit of acting on every row whose score reaches a threshold, for a range of thresholds.

    Parameters
    ----------
    y_true, patients, level, resamples, seed
        As for `auc`.
    y_score : array_like, shape (n,)
        Probability of the positive class.
    thresholds : array_like, optional
        Probabilities above 0 and below 1, rising; 0.01, 0.02, … 0.99 by default.

    Returns
    -------
    DecisionCurve
        At threshold t, ``benefit = (true positives − false positives · t / (1 − t)) / rows``: the odds
        ``t / (1 − t)`` say what a needless action costs, in units of what a right one gains.

    Raises
    ------
    ValueError
        As for `auc`, or if a score is no probability, or `thresholds` is not as described.

    Notes
    -----
    After Vickers and Elkin 2006, https://doi.org/10.1177/0272989X06295361. Net benefit depends on how many rows
    are positive. In a research set chosen to hold many lesions of both kinds it says which model is the more
    useful, not how useful a model would be in a clinic.

    Examples
    --------
    >>> curve = decision_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], ["a", "b", "c", "d"], thresholds=[0.2, 0.5])
    >>> curve.benefit, curve.treat_all
    (array([0.4375, 0.25  ]), array([0.375, 0.   ]))
    """
    y = labels(y_true)
    groups, score = codes("patients", patients, len(y)), probabilities("y_score", y_score, len(y))
    t = np.arange(1, 100) / 100 if thresholds is None else np.asarray(thresholds, dtype=np.float64)
    if t.ndim != 1 or t.size == 0 or not ((t > 0) & (t < 1)).all() or (np.diff(t) <= 0).any():
        raise ValueError(f"thresholds is {thresholds!r}; give rising numbers above 0 and below 1")
    reached = np.searchsorted(t, score, side="right")  # how many thresholds a row reaches
    hits, alarms = (_reaching(groups, reached, chosen, len(t)) for chosen in (y, ~y))
    rows = np.bincount(groups)
    odds = t / (1 - t)

    def benefit(weights: Numbers) -> Numbers:
        return np.asarray((total(weights, hits) - odds * total(weights, alarms)) / total(weights, rows))

    value, low, high = resampled(benefit, y, groups, level, resamples, seed)
    prevalence = float(y.mean())
    return DecisionCurve(t, value, low, high, prevalence - odds * (1 - prevalence), level)


def _heights(hits: Numbers, alarms: Numbers, fpr: Numbers) -> Numbers:
    """Return the true positive rates at `fpr`, between thresholds on a straight line."""
    tpr = np.concatenate([[0.0], hits / hits[-1]])
    false = np.concatenate([[0.0], alarms / alarms[-1]])
    before = np.searchsorted(false, fpr, side="right") - 1  # at a vertical step its upper end
    after = np.minimum(before + 1, len(false) - 1)
    width = false[after] - false[before]
    share = np.divide(fpr - false[before], width, out=np.zeros_like(fpr), where=width > 0)
    return np.asarray(tpr[before] + share * (tpr[after] - tpr[before]))


def _reaching(
    groups: NDArray[np.intp], reached: NDArray[np.intp], chosen: NDArray[np.bool_], thresholds: int
) -> Numbers:
    """Return how many of the chosen rows of each patient reach each threshold, shape (patients, thresholds)."""
    patients, cells = int(groups.max()) + 1, thresholds + 1
    exactly = np.bincount(groups * cells + reached, chosen, patients * cells).reshape(patients, cells)
    return np.asarray(np.cumsum(exactly[:, :0:-1], axis=1)[:, ::-1], dtype=np.float64)


def _last(value: Numbers, low: Numbers, high: Numbers) -> Interval:
    return Interval(float(value[-1]), float(low[-1]), float(high[-1]))
