"""Intraclass correlation: how far repeated measurements tell subjects apart.

References: Shrout, Fleiss 1979, Intraclass correlations: uses in assessing rater reliability,
https://doi.org/10.1037/0033-2909.86.2.420; McGraw, Wong 1996, Forming inferences about some intraclass correlation
coefficients, https://doi.org/10.1037/1082-989X.1.1.30.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check

KINDS = ("ICC(1,1)", "ICC(2,1)", "ICC(3,1)")


class ICC(NamedTuple):
    """An intraclass correlation with its interval, and the number of subjects that it is of."""

    value: float
    low: float
    high: float
    subjects: int


def icc(ratings: ArrayLike, kind: str = "ICC(1,1)", *, confidence: float = 0.95) -> ICC:
    """Compute the intraclass correlation of single measurements.

    Parameters
    ----------
    ratings : array_like, shape (subjects, measurements)
        A row per subject. Rows with NaN are left out.
    kind : {"ICC(1,1)", "ICC(2,1)", "ICC(3,1)"}
        One-way random: the measurements of a subject have no order, as repetitions have. Two-way random, absolute
        agreement: every column is one rater of many. Two-way mixed, consistency: these raters and no others.
    confidence : float, default 0.95
        Of the interval, from the F distribution.

    Returns
    -------
    ICC
        `value` is at most 1, and may be below 0; with its interval it is NaN where fewer than two subjects are left
        or all measurements are equal.

    Raises
    ------
    ValueError
        If `ratings` has not two dimensions, or fewer than two measurements, or a parameter is not as said.

    Examples
    --------
    The six subjects and four judges of Shrout and Fleiss:

    >>> judged = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> [round(icc(judged, kind).value, 2) for kind in KINDS]
    [0.17, 0.29, 0.71]
    """
    _check.one_of("kind", kind, KINDS)
    if not 0 < _check.positive("confidence", confidence) < 1:
        raise ValueError(f"confidence is {confidence!r}; give a number between 0 and 1")
    table: NDArray[np.float64] = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        raise ValueError(f"ratings have shape {table.shape}; give (subjects, measurements), two of these at least")
    table = table[np.isfinite(table).all(axis=1)]
    n = len(table)
    if n < 2 or np.ptp(table) == 0:
        return ICC(np.nan, np.nan, np.nan, n)
    table = (table - table.mean()) / np.ptp(table)
    return ICC(*_single(table, kind, (1 - confidence) / 2), n)


def _single(table: NDArray[np.float64], kind: str, tail: float) -> tuple[float, float, float]:
    """Return the correlation and the ends of its interval from the mean squares."""
    from scipy.stats import f

    n, k = table.shape
    rows, columns = table.mean(axis=1), table.mean(axis=0)
    between = k * float(np.sum(rows**2)) / (n - 1)
    within = float(np.sum((table - rows[:, np.newaxis]) ** 2)) / (n * (k - 1))
    judges = n * float(np.sum(columns**2)) / (k - 1)
    error = float(np.sum((table - rows[:, np.newaxis] - columns) ** 2)) / ((n - 1) * (k - 1))
    if kind == "ICC(2,1)":
        return _agreement(n, k, between, judges, error, tail)
    noise, freedom = (within, n * (k - 1)) if kind == "ICC(1,1)" else (error, (n - 1) * (k - 1))
    if noise == 0:
        return 1.0, 1.0, 1.0
    ratio = between / noise
    ends = ratio / f.ppf(1 - tail, n - 1, freedom), ratio * f.ppf(1 - tail, freedom, n - 1)
    value, low, high = ((x - 1) / (x + k - 1) for x in (ratio, *ends))
    return value, float(low), float(high)


def _agreement(
    n: int, k: int, between: float, judges: float, error: float, tail: float
) -> tuple[float, float, float]:
    from scipy.stats import f

    value = (between - error) / (between + (k - 1) * error + k / n * (judges - error))
    if error == 0 and judges == 0:
        return 1.0, 1.0, 1.0
    a = k * value / (n * (1 - value))
    b = 1 + k * value * (n - 1) / (n * (1 - value))
    freedom = (a * judges + b * error) ** 2 / ((a * judges) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1)))
    spread = k * judges + (k * n - k - n) * error
    first, second = f.ppf(1 - tail, n - 1, freedom), f.ppf(1 - tail, freedom, n - 1)
    low = n * (between - first * error) / (first * spread + n * between)
    high = n * (second * between - error) / (spread + n * second * between)
    return value, float(low), float(high)
