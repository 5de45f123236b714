"""The features that matrices of grey level × size share: of runs in the GLRLM, of dependences in the NGLDM.

Reference: the manual of the Image Biomarker Standardisation Initiative, sections 3.7 and 3.11,
https://doi.org/10.1148/radiol.2020191145.
"""

import numpy as np
from numpy.typing import NDArray

from tumortrace._numba import kernel

N_FEATURES = 17


@kernel
def add_features(tables: NDArray[np.uint32], n_voxels: int, total: NDArray[np.float64]) -> int:
    """Add the features of each matrix that counts anything to `total`, and return how many matrices do.

    `tables` has the shape (matrices, levels + 1, sizes): ``[m, i, j]`` counts what has the level i and the size
    j + 1; row 0 stands for what is outside the mask. `n_voxels` is the number of voxels that a matrix was counted
    on. The features are, in this order: the emphases of small and of large sizes, of low and of high levels, of
    small sizes of low and of high levels, of large sizes of low and of high levels; the non-uniformity of levels
    and that of sizes, each followed by its normalised one; how many were counted per voxel; the variance of level
    and of size; entropy and energy.
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
                    count, size = float(row[j]), float(j + 1)
                    sizes[j] += count
                    levels[i] += count
                    small += count / size**2
                    large += count * size**2
                    logs += count * np.log2(count)
                    squares += count * count
            mixed[0] += small / float(i) ** 2
            mixed[1] += small * float(i) ** 2
            mixed[2] += large / float(i) ** 2
            mixed[3] += large * float(i) ** 2
        n = levels.sum()
        if n > 0:
            found += 1
            short, long, uneven_sizes, size_variance = _marginal(sizes, 1.0)
            low, high, uneven_levels, level_variance = _marginal(levels, 0.0)
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
def _marginal(counts: NDArray[np.float64], first: float) -> tuple[float, float, float, float]:
    """Return Σ c/v², Σ c·v², Σ c² and the variance of v, of counts c of the values v from `first` on."""
    low = high = squares = mean = variance = 0.0
    n = counts.sum()
    for k in range(counts.size):
        if counts[k] > 0:
            value = first + k
            low += counts[k] / value**2
            high += counts[k] * value**2
            squares += counts[k] ** 2
            mean += counts[k] * value / n
    for k in range(counts.size):
        if counts[k] > 0:
            variance += (first + k - mean) ** 2 * counts[k] / n
    return low, high, squares, variance
