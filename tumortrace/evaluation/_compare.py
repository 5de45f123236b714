"""Whether the areas of two models on the same rows differ by more than chance."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm, rankdata

from tumortrace.evaluation._bootstrap import Interval, Numbers, bounds, replicates
from tumortrace.evaluation._ranks import Ranks, area
from tumortrace.evaluation._rows import codes, labels, scores


class DeLong(NamedTuple):
    """Two areas under ROC curves of the same rows, and the test that they are equal.

    Attributes
    ----------
    auc_a, auc_b : float
        The areas, ties counting one half.
    covariance : ndarray, shape (2, 2)
        Of the two areas.
    z : float
        ``auc_a − auc_b`` over its standard error.
    p : float
        Two-sided.
    """

    auc_a: float
    auc_b: float
    covariance: NDArray[np.float64]
    z: float
    p: float


class Comparison(NamedTuple):
    """Two models on the same rows of the same patients; what `compare` returns.

    Attributes
    ----------
    a, b : Interval
        Area under the ROC curve of each.
    difference : Interval
        ``a − b``.
    p : float
        Two-sided, from the resampled patients; at least ``2 / (resamples + 1)``.
    p_delong : float
        Two-sided, by DeLong, for whom every row is a patient of its own.
    rows, patients : int
        How many there are.
    level : float
        Coverage of the intervals.
    """

    a: Interval
    b: Interval
    difference: Interval
    p: float
    p_delong: float
    rows: int
    patients: int
    level: float

    def __str__(self) -> str:
        warning = "" if self.rows == self.patients else " (takes rows of one patient as independent)"
        return (
            f"AUC {self.a} against {self.b}, difference {self.difference}; "
            f"{100 * self.level:g} % intervals, {self.patients:,} patients resampled, {self.rows:,} rows\n"
            f"p {_p(self.p)} (patients resampled); DeLong p {_p(self.p_delong)}{warning}"
        )


def compare(
    y_true: ArrayLike,
    a: ArrayLike,
    b: ArrayLike,
    patients: ArrayLike,
    *,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Compare the areas of two models that scored the same rows.

    Parameters
    ----------
    y_true : array_like, shape (n,)
        1 or True for the positive class, 0 or False for the other.
    a, b : array_like, shape (n,)
        The scores of the two models, row by row. To compare slices or patients, aggregate both first.
    patients : array_like, shape (n,)
        The patient of each row.
    level, resamples, seed
        As for `auc`. Both models are measured on the same resamples, so that what makes a patient hard for both
        cancels in the difference.

    Returns
    -------
    Comparison
        ``print`` shows it in two lines.

    Raises
    ------
    ValueError
        As for `auc`, or if a class has one row only.

    Notes
    -----
    `p` is twice the share of resamples in which the difference is 0 or has the other sign: it is below
    ``1 − level`` where the interval of the difference leaves out 0. Where a patient has several rows it is the one
    to report: DeLong's test takes rows as independent, which makes its p too small.

    Examples
    --------
    >>> y, patients = [0, 0, 0, 1, 1, 1], list("abcdef")
    >>> found = compare(y, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [0.1, 0.5, 0.3, 0.4, 0.2, 0.6], patients)
    >>> found.difference.value
    0.33333333333333337
    """
    y = labels(y_true)
    first, second = scores("a", a, len(y)), scores("b", b, len(y))
    groups = codes("patients", patients, len(y))
    ranks = [Ranks.of(y, score, groups) for score in (first, second)]

    def areas(weights: Numbers) -> Numbers:
        one, other = (area(*rank.counts(weights)) for rank in ranks)
        return np.array([one, other, one - other])

    count = int(groups.max()) + 1
    draws = replicates(areas, y, groups, resamples, seed)
    found = zip(areas(np.ones(count)).tolist(), *(side.tolist() for side in bounds(draws, level)), strict=True)
    one, other, difference = (Interval(*numbers) for numbers in found)
    beyond = min((draws[:, 2] <= 0).sum(), (draws[:, 2] >= 0).sum())
    p = min(1.0, 2 * (1 + int(beyond)) / (1 + len(draws)))
    return Comparison(one, other, difference, p, delong(y, first, second).p, len(y), count, level)


def delong(y_true: ArrayLike, a: ArrayLike, b: ArrayLike) -> DeLong:
    """Test whether the areas of two models that scored the same rows are equal.

    Parameters
    ----------
    y_true : array_like, shape (n,)
        1 or True for the positive class, 0 or False for the other.
    a, b : array_like, shape (n,)
        The scores of the two models, row by row.

    Returns
    -------
    DeLong
        Where the difference has no variance, `z` is 0 and `p` 1 if the areas are equal, and both are NaN if not:
        there is nothing to judge a difference by.

    Raises
    ------
    ValueError
        If lengths differ, a score is not finite, `y_true` is not 0 and 1, or a class has one row only.

    Notes
    -----
    DeLong et al. 1988, https://doi.org/10.2307/2531595, by midranks after Sun and Xu 2014,
    https://doi.org/10.1109/LSP.2014.2337313. The test takes rows as independent. Slices or images of one patient
    are not: the variance comes out too small. There, report the interval and the p of `compare`.

    Examples
    --------
    >>> found = delong([0, 0, 0, 1, 1, 1], [1, 2, 3, 4, 5, 6], [1, 5, 3, 4, 2, 6])
    >>> found.auc_a, round(found.auc_b, 3), round(found.p, 3)
    (1.0, 0.667, 0.221)
    """
    y = labels(y_true)
    both = np.stack([scores("a", a, len(y)), scores("b", b, len(y))])
    m, n = int(y.sum()), int((~y).sum())
    if min(m, n) < 2:
        raise ValueError(f"there are {m} positive and {n} negative rows; give two of each at least")
    above = (rankdata(both, axis=1)[:, y] - rankdata(both[:, y], axis=1)) / n  # share of negatives below a positive
    below = 1 - (rankdata(both, axis=1)[:, ~y] - rankdata(both[:, ~y], axis=1)) / m
    auc_a, auc_b = above.mean(axis=1).tolist()
    covariance = np.cov(above) / m + np.cov(below) / n
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    if variance > 1e-15:
        z = (auc_a - auc_b) / np.sqrt(variance)
    else:
        z = 0.0 if abs(auc_a - auc_b) < 1e-12 else np.nan
    return DeLong(auc_a, auc_b, covariance, float(z), float(2 * norm.sf(abs(z))))


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"
