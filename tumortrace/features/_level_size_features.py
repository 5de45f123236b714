"""The features that matrices of grey level × size share: of runs, of zones by size or distance, of dependences.

Reference: the manual of the Image Biomarker Standardisation Initiative, sections 3.7 to 3.9 and 3.11,
https://doi.org/10.1148/radiol.2020191145.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumortrace._numba import kernel

N_FEATURES = 17


def ranges(tables: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the levels and the sizes of tables that have a row and a column for each, those that occur or not."""
    return np.arange(tables.shape[1]), np.arange(1, tables.shape[2] + 1)


@kernel
def add_features(
    tables: NDArray[np.uint32],
    grades: NDArray[np.int64],
    columns: NDArray[np.int64],
    n_voxels: int,
    total: NDArray[np.float64],
) -> int:
    """Add the features of each matrix that counts anything to `total`, and return how many matrices do.

    `tables` has the shape (matrices, 1 + levels, sizes): ``[m, i, j]`` counts what has the level ``grades[i]`` and
    the size ``columns[j]``, both ascending; row 0 stands for what is outside the mask. `n_voxels` is the number of
    voxels that a matrix was counted on. The features are, in this order: the emphases of small and of large sizes,
    of low and of high levels, of small sizes of low and of high levels, of large sizes of low and of high levels;
    the non-uniformity of levels and that of sizes, each followed by its normalised one; how many were counted per
    voxel; the variance of level and of size; entropy and energy.
    """
    n_rows, n_sizes = tables.shape[1:]
    found = 0
    for m in range(tables.shape[0]):
        sizes = np.zeros(n_sizes)
        levels = np.zeros(n_rows)
        mixed = np.zeros(4)  # small sizes of low and of high levels, large sizes of low and of high levels
        logs = squares = 0.0
        for i in range(1, n_rows):
            row = tables[m, i]
            small = large = 0.0
            for j in range(n_sizes):
                if row[j] > 0:
                    count, size = float(row[j]), float(columns[j])
                    sizes[j] += count
                    levels[i] += count
                    small += count / size**2
                    large += count * size**2
                    logs += count * np.log2(count)
                    squares += count * count
            grade = float(grades[i])
            mixed[0] += small / grade**2
            mixed[1] += small * grade**2
            mixed[2] += large / grade**2
            mixed[3] += large * grade**2
        n = levels.sum()
        if n > 0:
            found += 1
            short, long, uneven_sizes, size_variance = _marginal(sizes, columns)
            low, high, uneven_levels, level_variance = _marginal(levels, grades)
            total[:4] += np.array([short, long, low, high]) / n
            total[4:8] += mixed / n
            total[8] += uneven_levels / n
            total[9] += uneven_levels / n**2
            total[10] += uneven_sizes / n
            total[11] += uneven_sizes / n**2
            total[12] += n / n_voxels
            total[13] += level_variance
            total[14] += size_variance
            total[15] += np.log2(n) - logs / n
            total[16] += squares / n**2
    return found


@kernel
def add_zone_features(
    parents: NDArray[np.int32],
    levels: NDArray[np.uint16],
    sizes: NDArray[np.int32],
    values: NDArray[np.int32],
    first: int,
    total: NDArray[np.float64],
) -> None:
    """Add to `total` the features of the zones of some labels, of which `first` is the first.

    `parents`, `levels` and `sizes` are those of `Zones`; `values` are what the columns of the matrix stand for, the
    sizes themselves or the distances. The matrix has rows and columns for what occurs only.
    """
    grades = np.append(np.array([0]), _occurring(parents, levels, first))
    columns = _occurring(parents, values, first)
    row, column = _ranks(grades), _ranks(columns)
    counts = np.zeros((1, grades.size, columns.size), np.uint32)
    pixels = 0
    for k in range(parents.size):
        if parents[k] == first + k:
            counts[0, row[levels[k]], column[values[k]]] += np.uint32(1)
            pixels += sizes[k]
    add_features(counts, grades, columns, pixels, total)


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
def _marginal(counts: NDArray[np.float64], values: NDArray[np.int64]) -> tuple[float, float, float, float]:
    """Return Σ c/v², Σ c·v², Σ c² and the variance of v, of counts c of the values v."""
    low = high = squares = mean = variance = 0.0
    n = counts.sum()
    for k in range(counts.size):
        if counts[k] > 0:
            value = float(values[k])
            low += counts[k] / value**2
            high += counts[k] * value**2
            squares += counts[k] ** 2
            mean += counts[k] * value / n
    for k in range(counts.size):
        if counts[k] > 0:
            variance += (values[k] - mean) ** 2 * counts[k] / n
    return low, high, squares, variance
