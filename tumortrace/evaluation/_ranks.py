"""Rows in the order of their scores, and what the order alone decides: areas under curves.

Sums of products are written out: a thousand small calls of a threaded BLAS wait for each other on a busy machine.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


class Ranks(NamedTuple):
    """Rows sorted once, from the highest score down, to be counted many times with other weights.

    Attributes
    ----------
    positive : ndarray of bool, shape (rows,)
        Whether a row is of the positive class.
    groups : ndarray of int, shape (rows,)
        The number of its patient.
    last : ndarray of int, shape (distinct scores,)
        The last row of each run of equal scores: a threshold cannot part them.
    """

    positive: NDArray[np.bool_]
    groups: NDArray[np.intp]
    last: NDArray[np.intp]

    @classmethod
    def of(cls, y: NDArray[np.bool_], score: Numbers, groups: NDArray[np.intp]) -> "Ranks":
        """Sort the rows."""
        order = np.argsort(-score, kind="stable")
        falling = score[order]
        return cls(y[order], groups[order], np.flatnonzero(np.append(falling[1:] != falling[:-1], True)))

    def counts(self, weights: Numbers) -> tuple[Numbers, Numbers]:
        """Return how many positive and how many negative rows each threshold takes in, patients weighed."""
        weight = weights[self.groups]
        hits = np.cumsum(weight * self.positive)[self.last]
        return hits, np.cumsum(weight)[self.last] - hits


def area(hits: Numbers, alarms: Numbers) -> float:
    """Return the area under the ROC curve; ties count one half."""
    rises = np.diff(hits, prepend=0.0)
    widths = np.diff(alarms, prepend=0.0)
    return float((widths * (hits - rises / 2)).sum() / (hits[-1] * alarms[-1]))


def average_precision(hits: Numbers, alarms: Numbers) -> float:
    """Return the mean of the precisions, each weighed by the recall it adds."""
    return float((np.diff(hits, prepend=0.0) * precisions(hits, alarms)).sum() / hits[-1])


def precisions(hits: Numbers, alarms: Numbers) -> Numbers:
    """Return the precision of each threshold; 0 where no row is taken in."""
    called = hits + alarms
    return np.divide(hits, called, out=np.zeros_like(hits), where=called > 0)
