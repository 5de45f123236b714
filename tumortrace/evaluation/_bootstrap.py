"""Intervals from resampling patients.

Rows of one patient resemble each other, so an interval from resampling rows would be too narrow. Here patients are
drawn with replacement, class by class, and each brings all of its rows. What is measured is therefore written as a
function of how often each patient counts.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tumortrace import _check

Numbers = NDArray[np.float64]
Statistic = Callable[[Numbers], Numbers]


class Interval(NamedTuple):
    """A number with the bounds of its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def total(weights: Numbers, table: NDArray[np.number]) -> Numbers:
    """Return the sum of the rows of `table`, one or more numbers per patient, weighed; without a threaded BLAS."""
    return np.asarray(np.einsum("p,p...->...", weights, table))


def resampled(
    statistic: Statistic, y: NDArray[np.bool_], groups: NDArray[np.intp], level: float, resamples: int, seed: int
) -> tuple[Numbers, Numbers, Numbers]:
    """Return what `statistic` makes of the rows, and the lower and upper bounds of its interval."""
    _checked(level)
    draws = replicates(statistic, y, groups, resamples, seed)
    return statistic(np.ones(int(groups.max()) + 1)), *bounds(draws, level)


def replicates(
    statistic: Statistic, y: NDArray[np.bool_], groups: NDArray[np.intp], resamples: int, seed: int
) -> Numbers:
    """Return what `statistic` makes of each resample, one row each."""
    resamples = _check.integer("resamples", resamples, 2)
    return np.array([statistic(weights) for weights in _draws(y, groups, resamples, seed)])


def bounds(draws: Numbers, level: float) -> tuple[Numbers, Numbers]:
    """Return the percentiles between which `level` of the defined resamples lie; NaN where none is defined."""
    some = ~np.isnan(draws).all(axis=0)
    low, high = np.full((2, draws.shape[1]), np.nan)
    tails = [(1 - _checked(level)) / 2, (1 + level) / 2]
    low[some], high[some] = np.nanquantile(draws[:, some], tails, axis=0)
    return low, high


def _checked(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"level is {level!r}; give a number between 0 and 1, such as 0.95")
    return level


def _draws(y: NDArray[np.bool_], groups: NDArray[np.intp], resamples: int, seed: int) -> Iterator[Numbers]:
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
