"""What each feature says by itself: its area under the ROC curve, and how stable its rank is.

All features are resampled together. An area is a weighted share of pairs of a positive and a negative row, and the
weights are those of patients, so that the pairs of two patients are counted once and the resamples are two matrix
products.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumortrace.evaluation._bootstrap import bounds, replicates
from tumortrace.evaluation._rows import codes, labels

TOP = 20
"""How many features are the best."""

_BLOCK = 64
"""Features at a time: memory stays below some 100 MB."""


def univariate(
    features: pd.DataFrame,
    y_true: NDArray[np.bool_],
    patients: NDArray[np.object_],
    *,
    resamples: int = 500,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the area of every feature by itself, with its interval and its rank over resampled patients.

    Parameters
    ----------
    features : DataFrame, shape (n, features)
        Numbers; one that is missing counts as the median of its feature.
    y_true : ndarray of bool, shape (n,)
        The positive rows.
    patients : ndarray, shape (n,)
        The patient of each row.
    resamples, seed : int
        How many draws, and their seed.

    Returns
    -------
    DataFrame
        By feature, the one with the area furthest from 0.5 first: ``auc``, above 0.5 where positive rows have
        higher values, ``low``, ``high``, and ``top``, the share of resamples in which the feature is among the
        `TOP` furthest from 0.5. Features that do not vary are left out.
    """
    y, groups = labels(y_true), codes("patients", patients, len(y_true))
    values = features.to_numpy(np.float64)
    values = np.where(np.isfinite(values), values, np.nan)
    some = ~np.isnan(values).all(axis=0)
    some[some] = np.nanmin(values[:, some], axis=0) < np.nanmax(values[:, some], axis=0)
    names, values = features.columns[some], values[:, some]
    values = np.where(np.isnan(values), np.nanmedian(values, axis=0), values) if values.size else values
    draws = replicates(lambda weights: weights, y, groups, resamples, seed)
    weights = np.vstack([np.ones(draws.shape[1]), draws])
    areas = np.hstack(
        [np.empty((len(weights), 0))]
        + [_areas(values[:, at : at + _BLOCK], y, groups, weights) for at in range(0, len(names), _BLOCK)]
    )
    distance = np.abs(areas - 0.5)
    low, high = bounds(areas[1:], 0.95)
    table = pd.DataFrame({"auc": areas[0], "low": low, "high": high, "top": top_share(distance[1:])}, names)
    order = np.argsort(-distance[0], kind="stable")
    return table.iloc[order]


def _areas(
    values: NDArray[np.float64], y: NDArray[np.bool_], groups: NDArray[np.intp], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the area of each column for each row of weights of patients."""
    first, above = np.unique(groups[y], return_inverse=True)
    second, below = np.unique(groups[~y], return_inverse=True)
    pairs = np.zeros((len(first), len(second), values.shape[1]), np.float32)
    negatives = values[~y]
    order = np.argsort(below, kind="stable")
    starts = np.searchsorted(below[order], np.arange(len(second)))
    for row, patient in zip(values[y], above, strict=True):
        wins = (row > negatives) + np.float32(0.5) * (row == negatives)
        pairs[patient] += np.add.reduceat(wins[order], starts, axis=0)
    w_first, w_second = weights[:, first], weights[:, second]
    shares = np.einsum("rq,rqf->rf", w_second, np.tensordot(w_first.astype(np.float32), pairs, axes=1))
    totals = (w_first @ np.bincount(above)) * (w_second @ np.bincount(below))
    return np.asarray(shares / totals[:, None], np.float64)


def top_share(sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of rows in which each column is among the `TOP` largest; ties are inside."""
    if sizes.shape[1] <= TOP:
        return np.ones(sizes.shape[1])
    limit = -np.partition(-sizes, TOP - 1, axis=1)[:, TOP - 1]
    return np.asarray((sizes >= limit[:, None]).mean(axis=0), np.float64)
