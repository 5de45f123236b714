"""Do the scores mean what they say? Shares of positives beside mean scores, bin by bin."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace.evaluation._bootstrap import Interval, Numbers, resampled, total
from tumortrace.evaluation._rows import codes, labels, probabilities

BINS = 10


class Calibration(NamedTuple):
    """A reliability curve: what share of the rows of each bin of scores is positive.

    Attributes
    ----------
    edges : ndarray, shape (bins + 1,)
        Of the bins, of equal width.
    score : ndarray, shape (bins,)
        Mean score of the rows of a bin; NaN where there is none.
    share, low, high : ndarray, shape (bins,)
        Share of positive rows and its interval; NaN where there is no row.
    rows : ndarray of int, shape (bins,)
        How many rows there are.
    ece : float
        Expected calibration error: the mean over rows of the distance between `share` and `score` of their bin. It
        has no interval, see `calibration`.
    brier : Interval
        Mean squared difference of score and label.
    level : float
        Coverage of the intervals.
    """

    edges: NDArray[np.float64]
    score: NDArray[np.float64]
    share: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    rows: NDArray[np.int64]
    ece: float
    brier: Interval
    level: float


def calibration(
    y_true: ArrayLike,
    y_score: ArrayLike,
    patients: ArrayLike,
    *,
    bins: int = BINS,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Calibration:
    """Return the reliability curve with intervals from resampling patients.

    Parameters
    ----------
    y_true, patients, level, resamples, seed
        As for `auc`.
    y_score : array_like, shape (n,)
        Probability of the positive class.
    bins : int, default 10
        Bins of equal width over 0 to 1, each with its upper edge and the first with 0 too.

    Returns
    -------
    Calibration

    Raises
    ------
    ValueError
        As for `auc`, or if a score is no probability.

    Notes
    -----
    Bins as in scikit-learn's ``calibration_curve(strategy="uniform")``; ECE after Naeini et al. 2015,
    https://doi.org/10.1609/aaai.v29i1.9602. ECE grows with noise, and drawing patients again adds noise to every
    bin: most resamples lie above the value, and their percentiles are no interval for it. None is given.

    Examples
    --------
    >>> curve = calibration([0, 1, 0, 1], [0.2, 0.4, 0.6, 0.8], ["a", "b", "c", "d"], bins=2)
    >>> curve.score, curve.share, round(curve.ece, 3), round(curve.brier.value, 3)
    (array([0.3, 0.7]), array([0.5, 0.5]), 0.2, 0.2)
    """
    y = labels(y_true)
    groups, score = codes("patients", patients, len(y)), probabilities("y_score", y_score, len(y))
    edges = np.linspace(0, 1, _check.integer("bins", bins, 1) + 1)
    cell = binned(score, bins)
    patient = int(groups.max()) + 1
    flat, shape = groups * bins + cell, (patient, bins)
    positive, every = (np.bincount(flat, w, patient * bins).reshape(shape) for w in (y, np.ones(len(y))))
    error = np.bincount(groups, (y - score) ** 2)
    rows = np.bincount(groups)

    def curve(weights: Numbers) -> Numbers:
        some = total(weights, every)
        share = np.divide(total(weights, positive), some, out=np.full(bins, np.nan), where=some > 0)
        return np.append(share, total(weights, error) / total(weights, rows))

    value, low, high = resampled(curve, y, groups, level, resamples, seed)
    count = every.sum(axis=0)
    sums = np.bincount(cell, score, bins)
    mean = np.divide(sums, count, out=np.full(bins, np.nan), where=count > 0)
    ece = float(np.abs(positive.sum(axis=0) - sums).sum() / len(y))
    brier = Interval(float(value[-1]), float(low[-1]), float(high[-1]))
    return Calibration(edges, mean, value[:-1], low[:-1], high[:-1], count.astype(np.int64), ece, brier, level)


def binned(score: NDArray[np.float64], bins: int) -> NDArray[np.intp]:
    """Return the bin of each score; bins include their upper edge."""
    return np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], score)
