"""The 16 numbers of a matrix of zones: how many there are of each grey level and each size, or each distance.

Source: Zwanenburg et al. 2020, The Image Biomarker Standardization Initiative,
https://doi.org/10.1148/radiol.2020191145, and the reference manual, sections 3.8 and 3.9.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumortrace._numba import kernel


@kernel
def add_features(
    parents: NDArray[np.int32],
    levels: NDArray[np.uint16],
    sizes: NDArray[np.int32],
    values: NDArray[np.int32],
    first: int,
    total: NDArray[np.float64],
) -> None:
    """Add to `total` the features of the zones of some labels, of which `first` is the first.

    `parents`, `levels` and `sizes` are those of `Zones`; `values` are what the columns of the matrix stand for, the
    sizes themselves or the distances.
    """
    grades = _occurring(parents, levels, first)
    columns = _occurring(parents, values, first)
    row, column = _ranks(grades), _ranks(columns)
    counts = np.zeros((grades.size, columns.size), np.int64)
    zones = pixels = 0
    for k in range(parents.size):
        if parents[k] == first + k:
            counts[row[levels[k]], column[values[k]]] += 1
            zones += 1
            pixels += sizes[k]
    _of_cells(counts, grades, columns, total)
    uneven, variance = _of_marginal(counts.sum(axis=1), grades)
    total[8] += uneven
    total[9] += uneven / zones
    total[13] += variance
    uneven, variance = _of_marginal(counts.sum(axis=0), columns)
    total[10] += uneven
    total[11] += uneven / zones
    total[14] += variance
    total[12] += zones / pixels


@kernel
def _occurring(parents: NDArray[np.int32], values: NDArray[Any], first: int) -> NDArray[np.int64]:
    """Return the values of the labels that stand for a zone, ascending, each once."""
    present = np.zeros(np.int64(values.max()) + 1, np.bool_)
    for k in range(parents.size):
        if parents[k] == first + k:
            present[values[k]] = True
    return np.flatnonzero(present)


@kernel
def _ranks(occurring: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each value up to the last its place among those that occur."""
    rank = np.empty(occurring[-1] + 1, np.int64)
    for k in range(occurring.size):
        rank[occurring[k]] = k
    return rank


@kernel
def _of_cells(
    counts: NDArray[np.int64], grades: NDArray[np.int64], columns: NDArray[np.int64], total: NDArray[np.float64]
) -> None:
    """Add the eight emphases and the entropy."""
    n = counts.sum()
    emphases = np.zeros(8)
    entropy = 0.0
    for i in range(grades.size):
        level = float(grades[i] * grades[i])
        small = large = 0.0
        in_row = 0
        for j in range(columns.size):
            if counts[i, j]:
                square = float(columns[j]) * float(columns[j])
                small += counts[i, j] / square
                large += counts[i, j] * square
                in_row += counts[i, j]
                entropy -= counts[i, j] / n * math.log2(counts[i, j] / n)
        emphases += np.array(
            [
                small,
                large,
                in_row / level,
                in_row * level,
                small / level,
                small * level,
                large / level,
                large * level,
            ]
        )
    total[:8] += emphases / n
    total[15] += entropy


@kernel
def _of_marginal(counts: NDArray[np.int64], values: NDArray[np.int64]) -> tuple[float, float]:
    """Return the non-uniformity of the counts, and the variance of the values."""
    n = counts.sum()
    squares = mean = variance = 0.0
    for k in range(counts.size):
        squares += float(counts[k]) * float(counts[k])
        mean += counts[k] / n * values[k]
    for k in range(counts.size):
        variance += counts[k] / n * (values[k] - mean) ** 2
    return squares / n, variance
