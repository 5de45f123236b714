"""GLCM: how often grey levels meet at a distance, and the 28 features of it.

Sources: Haralick, Shanmugam, Dinstein 1973, https://doi.org/10.1109/TSMC.1973.4309314; Zwanenburg et al. 2020, The
Image Biomarker Standardization Initiative, https://doi.org/10.1148/radiol.2020191145, and its reference manual,
section 3.6.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace._numba import kernel
from tumortrace.features._glcm_features import LOGS, NAMES, add_features
from tumortrace.features._region import grey
from tumortrace.features._vector import FeatureVector


class Aggregation(NamedTuple):
    """How matrices are gathered: the directions counted, and what is kept apart."""

    n_directions: int
    by_slice: bool
    merged: bool


AGGREGATIONS = {
    "2d_average": Aggregation(4, by_slice=True, merged=False),
    "2d_slice_merge": Aggregation(4, by_slice=True, merged=True),
    "2.5d_direction_merge": Aggregation(4, by_slice=False, merged=False),
    "2.5d_volume_merge": Aggregation(4, by_slice=False, merged=True),
    "3d_average": Aggregation(13, by_slice=False, merged=False),
    "3d_volume_merge": Aggregation(13, by_slice=False, merged=True),
}

# steps (slice, row, column); the first four stay in the plane and are the 0°, 45°, 90°, 135° of scikit-image
DIRECTIONS = np.array(
    [(0, 0, 1), (0, 1, 1), (0, 1, 0), (0, 1, -1)] + [(1, y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
)

_MAX_PAIRS = 2**31  # what the sums over 32-bit counts allow
_BATCH = 4096  # pairs counted at a time, so that they stay in the nearest cache


def glcm(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    spacing: Sequence[float] | None = None,
    levels: int = 32,
    bin_width: float | None = None,
    first_edge: str | float = "ibsi",
    distances: int | Sequence[int] = (1,),
    aggregation: str = "3d_volume_merge",
) -> FeatureVector:
    """Features of the grey level co-occurrence matrix: which levels lie side by side.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype.
    mask : array_like, same shape, optional
        Non-zero is inside; both pixels of a pair must be. Without it the whole image is.
    spacing : sequence of float, optional
        Accepted as in every extractor; distances are counted in pixels, so it has no effect.
    levels : int, default 32
        Fixed bin number, see `discretise`; ``levels=256`` on 8-bit data keeps the raw values.
    bin_width : float, optional
        Fixed bin width in the unit of the image, in place of `levels`.
    first_edge : {"ibsi", "pyradiomics"} or float, default "ibsi"
        Where the first bin begins, see `discretise`.
    distances : int or sequence of int, default (1,)
        Chebyshev distances in pixels: at distance d a direction such as (1, −1) steps by (d, −d).
    aggregation : str, default "3d_volume_merge"
        What becomes of the matrices of the directions and slices:

        - ``"2d_average"``: one matrix per slice and in-plane direction; features averaged.
        - ``"2d_slice_merge"``: one per slice, its 4 directions added up; features averaged.
        - ``"2.5d_direction_merge"``: one per in-plane direction, slices added up; features averaged.
        - ``"2.5d_volume_merge"``: all slices and in-plane directions added up.
        - ``"3d_average"``: one per each of 13 directions in space; features averaged.
        - ``"3d_volume_merge"``: all 13 directions added up.

        A 2-D image is a volume of one slice; its default is the 4 directions added up.

    Returns
    -------
    FeatureVector
        28 numbers per distance, named as below; with several distances, each name ends in ``_d<distance>``.

    Raises
    ------
    ValueError
        If a parameter is out of range, a distance is repeated, or the image has so many voxels that a count could
        overflow (165 million for 13 directions).

    Notes
    -----
    With p(i, j) the symmetric matrix divided by its sum, levels i, j from 1 to N, the number of levels of the
    discretisation, the marginal p(i) of mean μ and variance σ², and the distributions s(k) of i + j and d(k) of
    |i − j|:

    - `joint_maximum` max p(i, j); `joint_average` μ; `joint_variance` σ²
    - `joint_entropy` H = −Σ p(i, j) log2 p(i, j)
    - `difference_average`, `difference_variance`, `difference_entropy` of d
    - `sum_average`, `sum_variance`, `sum_entropy` of s
    - `angular_second_moment` Σ p(i, j)²; `contrast` Σ k² d(k); `dissimilarity` Σ k d(k)
    - `inverse_difference` Σ d(k) / (1 + k); `normalised_inverse_difference` Σ d(k) / (1 + k/N)
    - `inverse_difference_moment` Σ d(k) / (1 + k²); `normalised_inverse_difference_moment` Σ d(k) / (1 + k²/N²)
    - `inverse_variance` Σ d(k) / k² over k > 0
    - `correlation` (Σ i j p(i, j) − μ²) / σ²; `autocorrelation` Σ i j p(i, j)
    - `cluster_tendency`, `cluster_shade`, `cluster_prominence` Σ (i + j − 2μ)ⁿ p(i, j) with n = 2, 3, 4
    - `information_correlation_1` (H − 2h) / h and `information_correlation_2` √(1 − exp(−2 (2h − H))), where
      h = −Σ p(i) log2 p(i)

    These 25 are IBSI's (LFYI). Three are not: `maximal_correlation_coefficient`, Haralick's f14, the square root of
    the second largest eigenvalue of Q(i, j) = Σₖ p(i, k) p(j, k) / (p(i) p(k)); `energy` √Σ p(i, j)², and
    `homogeneity`, which is `inverse_difference_moment`, as scikit-image names them.

    Ranges are those of the formulas: probabilities, inverses and `maximal_correlation_coefficient` lie in [0, 1],
    `correlation` in [−1, 1], entropies in [0, 2 log2 N].

    Where all pairs are of one level, `correlation` and `information_correlation_1` read 0/0; they are 1 and 0, as
    in scikit-image and PyRadiomics. Q has one level there, and no second eigenvalue: as in PyRadiomics,
    `maximal_correlation_coefficient` is 0 where the region has other levels, and 1 where it has not. A direction or
    slice without any pair is left out of an average. Where there is no pair at all, every feature is NaN and
    `reason` says so.

    References
    ----------
    Haralick, Shanmugam, Dinstein 1973, https://doi.org/10.1109/TSMC.1973.4309314; Zwanenburg et al. 2020,
    https://doi.org/10.1148/radiol.2020191145, reference manual section 3.6.

    Examples
    --------
    >>> v = glcm([[0, 0, 1], [0, 0, 1]], levels=2)
    >>> v["contrast"], v["joint_maximum"]  # 4 of 11 pairs differ; 6 are (1, 1), one is (2, 2)
    (0.36363636363636365, 0.5454545454545454)
    """
    region = grey(image, mask, spacing, levels, bin_width, first_edge)
    steps, scheme = _scheme(distances, aggregation, region.levels.size)
    ranks, grades = _rank(region.levels, region.n)
    values = np.zeros((len(steps), len(NAMES)))
    reasons = []
    for row, step in zip(values, steps, strict=True):
        found = 0
        for part in _parts(ranks, scheme):
            found += add_features(_tables(part, grades.size, step, scheme), grades, region.n, LOGS, row)
        if found == 0:
            row[:] = np.nan
            reasons.append(f"no pair of pixels at distance {step} inside the image or mask")
        elif found > 1:
            row /= found
    return FeatureVector(_names(steps), values.reshape(-1), "; ".join(reasons))


def glcm_matrix(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    levels: int = 32,
    bin_width: float | None = None,
    first_edge: str | float = "ibsi",
    distances: int | Sequence[int] = (1,),
    aggregation: str = "3d_volume_merge",
    symmetric: bool = True,
    normed: bool = False,
) -> NDArray[np.uint32] | NDArray[np.float64]:
    """Count how often grey levels lie at a distance from each other.

    Parameters
    ----------
    image, mask, levels, bin_width, first_edge, distances, aggregation
        As in `glcm`.
    symmetric : bool, default True
        Count a pair of pixels in both orders, as IBSI does; otherwise only from a pixel to the one that comes later
        in the array.
    normed : bool, default False
        Divide each matrix by its sum. A matrix without any pair stays 0.

    Returns
    -------
    ndarray of uint32 or float64, shape (distances, matrices, levels, levels)
        ``[d, m, i, j]`` is the number of pairs of the levels i + 1 and j + 1. The matrices are, by `aggregation`:
        every slice with its 4 directions, ``m = 4 · slice + direction`` (``"2d_average"``); the slices
        (``"2d_slice_merge"``); 4 directions (``"2.5d_direction_merge"``); 13 directions (``"3d_average"``); or one
        matrix. Directions step by (row, column) (0, 1), (1, 1), (1, 0), (1, −1) in the plane, then by one slice and
        (−1, −1), (−1, 0), … (1, 1).

    Raises
    ------
    ValueError
        As `glcm`.

    Notes
    -----
    On a 2-D image of 8 bits, ``glcm_matrix(image, levels=256, aggregation="2d_average", symmetric=False)[0, a]``
    equals ``graycomatrix(image, [1], [0, π/4, π/2, 3π/4])[:, :, 0, a]`` of scikit-image. The same holds for every
    distance along rows and columns. Along diagonals, scikit-image rounds a step of Euclidean length d to pixels;
    here it is (d, d) as in IBSI, which there is the distance √2 d.

    Examples
    --------
    The example of Haralick 1973, pairs along a row:

    >>> image = [[0, 0, 1, 1], [0, 0, 1, 1], [0, 2, 2, 2], [2, 2, 3, 3]]
    >>> glcm_matrix(image, levels=4, aggregation="2d_average")[0, 0]
    array([[4, 2, 1, 0],
           [2, 4, 0, 0],
           [1, 0, 6, 1],
           [0, 0, 1, 2]], dtype=uint32)
    """
    region = grey(image, mask, None, levels, bin_width, first_edge)
    steps, scheme = _scheme(distances, aggregation, region.levels.size)
    size = region.n + 1
    tables = [
        _tables(part, size, step, scheme, ordered=not symmetric).sum(axis=1, dtype=np.uint32)
        for step in steps
        for part in _parts(region.levels, scheme)
    ]
    counts = np.concatenate(tables).reshape(len(steps), -1, size, size)[:, :, 1:, 1:]
    counts = counts + counts.swapaxes(2, 3) if symmetric else np.ascontiguousarray(counts)
    return counts / np.maximum(counts.sum(axis=(2, 3), keepdims=True), 1) if normed else counts


def _scheme(distances: Any, aggregation: str, size: int) -> tuple[tuple[int, ...], Aggregation]:
    steps = _check.integers("distances", distances, 1)
    if len(set(steps)) < len(steps):
        raise ValueError(f"distances is {distances!r}; give each distance once")
    scheme = AGGREGATIONS[_check.one_of("aggregation", aggregation, tuple(AGGREGATIONS))]
    if size * scheme.n_directions >= _MAX_PAIRS:
        raise ValueError(
            f"image has {size} voxels, too many to count {scheme.n_directions} directions in 32 bits; "
            f"crop it to less than {_MAX_PAIRS // scheme.n_directions}"
        )
    return steps, scheme


def _parts(levels: NDArray[np.uint16], scheme: Aggregation) -> list[NDArray[np.uint16]]:
    return [levels[z : z + 1] for z in range(levels.shape[0])] if scheme.by_slice else [levels]


def _tables(
    grey: NDArray[np.uint16], size: int, distance: int, scheme: Aggregation, ordered: bool = False
) -> NDArray[np.uint32]:
    """Return the counts, shape (matrices, copies, size²); a matrix is the sum of its copies.

    In smooth images neighbours fall into the same cell, and each addition would wait for the one before. Where the
    matrix is small, two copies take turns.
    """
    copies = 2 if not ordered and size <= 45 and grey.size > 4 * size * size else 1
    tables = np.zeros((1 if scheme.merged else scheme.n_directions, copies, size * size), dtype=np.uint32)
    _tally(grey, min(distance, max(grey.shape)), scheme.n_directions, ordered, size, tables)
    return tables


@lru_cache
def _names(distances: tuple[int, ...]) -> tuple[str, ...]:
    if len(distances) == 1:
        return NAMES
    return tuple(f"{name}_d{distance}" for distance in distances for name in NAMES)


@kernel
def _rank(grey: NDArray[np.uint16], n_levels: int) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """Replace each level by its rank among those that occur; return the ranks, and the level of each, 0 for 0."""
    present = np.zeros(n_levels + 1, np.bool_)
    lowest_missing = 1
    for z in range(grey.shape[0]):
        for y in range(grey.shape[1]):
            row = grey[z, y]
            for x in range(row.size):
                present[row[x]] = True
            while lowest_missing <= n_levels and present[lowest_missing]:
                lowest_missing += 1
            if lowest_missing > n_levels:
                return grey, np.arange(n_levels + 1)
    present[0] = True
    grades = np.flatnonzero(present)
    ranks = np.zeros(n_levels + 1, np.uint16)
    for rank in range(grades.size):
        ranks[grades[rank]] = rank
    ranked = np.empty_like(grey)
    flat, out = grey.reshape(grey.size), ranked.reshape(grey.size)
    for k in range(flat.size):
        out[k] = ranks[flat[k]]
    return ranked, grades


@kernel
def _tally(
    grey: NDArray[np.uint16],
    distance: int,
    n_directions: int,
    ordered: bool,
    size: int,
    tables: NDArray[np.uint32],
) -> None:
    """Count pairs of pixels into one table per direction, or into one table where there is only one.

    A cell is ``first · size + second`` where pairs are ordered, ``larger · size + smaller`` where they are not. Two
    copies, of a small matrix, hold ordered pairs until they are folded in the end.
    Level 0, outside, has a row and a column of its own. Of each row of pixels, what lies between the first and the
    last inside is paired with the same stretch of a row beside it, shifted by the direction. Cells are gathered
    before they are counted, so that both loops are long.
    """
    slices, rows, cols = grey.shape
    n_tables, copies = tables.shape[:2]
    pairs = ordered or copies == 2
    flat, counts = grey.reshape(grey.size), tables.reshape(tables.size)
    cells = np.empty(_BATCH + n_directions * cols, np.uint32)
    n = 0
    for z in range(slices):
        for y in range(rows):
            at = (z * rows + y) * cols
            start, stop = 0, cols
            while start < stop and flat[at + start] == 0:
                start += 1
            while start < stop and flat[at + stop - 1] == 0:
                stop -= 1
            inner = distance <= start and stop <= cols - distance
            d = 0
            while d < n_directions:
                dz, dy, dx = DIRECTIONS[d, 0] * distance, DIRECTIONS[d, 1] * distance, DIRECTIONS[d, 2] * distance
                at_once = 3 if inner and d > 0 else 1  # from the second on, three directions lead to one row
                first, last = (start, stop) if at_once == 3 else (max(start, -dx), min(stop, cols - dx))
                if first < last and z + dz < slices and 0 <= y + dy < rows:
                    here, there = at + first, at + first + (dz * rows + dy) * cols + dx
                    table = d * copies * size * size if n_tables > 1 else 0
                    if at_once == 3:
                        apart = copies * size * size if n_tables > 1 else 0
                        _three(flat, here, there, -dx, last - first, pairs, size, table, apart, cells, n)
                    else:
                        _cells(flat, here, there, last - first, pairs, size, table, cells, n)
                    n += at_once * (last - first)
                d += at_once
            if n >= _BATCH:
                _count(cells, n, size * size if copies == 2 else 0, counts)
                n = 0
    _count(cells, n, size * size if copies == 2 else 0, counts)
    if not ordered and copies == 2:
        for t in range(n_tables):
            for copy in range(copies):
                _fold(tables[t, copy].reshape(size, size))


# Below, indices are unsigned: a signed one may count from the end, and the test for that costs most of the time.


@kernel
def _cells(
    grey: NDArray[np.uint16],
    here: int,
    there: int,
    n: int,
    ordered: bool,
    size: int,
    table: int,
    cells: NDArray[np.uint32],
    at: int,
) -> None:
    """Write the cells of `n` pairs of pixels, from `here` and `there` on, to `cells` from `at` on."""
    width, offset = np.uint32(size), np.uint32(table)
    if ordered:
        for x in range(n):
            first, second = np.uint32(grey[np.uint64(here + x)]), np.uint32(grey[np.uint64(there + x)])
            cells[np.uint64(at + x)] = offset + first * width + second
        return
    for x in range(n):
        first, second = np.uint32(grey[np.uint64(here + x)]), np.uint32(grey[np.uint64(there + x)])
        cells[np.uint64(at + x)] = offset + max(first, second) * width + min(first, second)


@kernel
def _three(
    grey: NDArray[np.uint16],
    here: int,
    there: int,
    step: int,
    n: int,
    ordered: bool,
    size: int,
    table: int,
    apart: int,
    cells: NDArray[np.uint32],
    at: int,
) -> None:
    """Do the same for three directions, each a `step` along the row from the one before and a table `apart`."""
    width, offset, next_one = np.uint32(size), np.uint32(table), np.uint32(apart)
    middle, end = there + step, there + 2 * step
    for x in range(n):
        first = np.uint32(grey[np.uint64(here + x)])
        a, b, c = grey[np.uint64(there + x)], grey[np.uint64(middle + x)], grey[np.uint64(end + x)]
        cells[np.uint64(at + x)] = offset + _cell(first, np.uint32(a), ordered, width)
        cells[np.uint64(at + n + x)] = offset + next_one + _cell(first, np.uint32(b), ordered, width)
        cells[np.uint64(at + 2 * n + x)] = offset + next_one + next_one + _cell(first, np.uint32(c), ordered, width)


@kernel
def _cell(first: np.uint32, second: np.uint32, ordered: bool, width: np.uint32) -> np.uint32:
    larger, smaller = (first, second) if ordered else (max(first, second), min(first, second))
    return np.uint32(larger * width + smaller)


@kernel
def _count(cells: NDArray[np.uint32], n: int, apart: int, counts: NDArray[np.uint32]) -> None:
    """Count the two halves of `n` cells in turn, the second in the copy that lies `apart`."""
    half, other = n // 2, np.uint64(apart)
    for k in range(half):
        counts[np.uint64(cells[k])] += np.uint32(1)
        counts[other + np.uint64(cells[np.uint64(half + k)])] += np.uint32(1)
    if n % 2:
        counts[cells[n - 1]] += np.uint32(1)


@kernel
def _fold(table: NDArray[np.uint32]) -> None:
    """Add the pairs above the diagonal to those below."""
    for i in range(table.shape[0]):
        for j in range(i):
            table[i, j] += table[j, i]
            table[j, i] = 0
