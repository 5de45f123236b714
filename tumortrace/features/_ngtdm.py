"""NGTDM: how far each pixel is from the mean of its neighbours, and the 5 features of it.

Sources: Amadasun and King 1989, https://doi.org/10.1109/21.44046; Zwanenburg et al. 2020, The Image Biomarker
Standardization Initiative, https://doi.org/10.1148/radiol.2020191145, and its reference manual, section 3.10.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace._numba import kernel
from tumortrace.features._region import grey
from tumortrace.features._vector import FeatureVector
from tumortrace.features._zones import AGGREGATIONS

_NAMES = ("coarseness", "contrast", "busyness", "complexity", "strength")

_MOST_COARSE = 1e6  # IBSI, where nothing differs from its neighbours
_COPIES = 4
_MAX_BITS = 64  # for the number of neighbours beside the sum of their levels

_NO_NEIGHBOUR = "no pixel has a neighbour inside the image or mask"
_NO_CHANGE = "busyness: i p(i) is the same for all levels"


def ngtdm(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    spacing: Sequence[float] | None = None,
    levels: int = 32,
    bin_width: float | None = None,
    first_edge: str | float = "ibsi",
    distance: int = 1,
    aggregation: str = "3d",
    lone_pixels: bool = False,
) -> FeatureVector:
    """Features of the neighbourhood grey tone difference matrix: how far a pixel is from what surrounds it.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype.
    mask : array_like, same shape, optional
        Non-zero is inside; only neighbours inside count. Without it the whole image is.
    spacing : sequence of float, optional
        Accepted as in every extractor; distances are counted in pixels, so it has no effect.
    levels : int, default 32
        Fixed bin number, see `discretise`.
    bin_width : float, optional
        Fixed bin width in the unit of the image, in place of `levels`.
    first_edge : {"ibsi", "pyradiomics"} or float, default "ibsi"
        Where the first bin begins, see `discretise`.
    distance : int, default 1
        Chebyshev distance in pixels up to which another pixel is a neighbour.
    aggregation : str, default "3d"
        Which neighbours are meant, and what is counted together:

        - ``"2d"``: those within a slice (8 at distance 1); features averaged over the slices.
        - ``"2.5d"``: those within a slice, all slices in one matrix.
        - ``"3d"``: those in space (26 at distance 1).
    lone_pixels : bool, default False
        Count pixels without a neighbour inside too, as if they did not differ from it; PyRadiomics does.

    Returns
    -------
    FeatureVector
        5 numbers, named as below.

    Raises
    ------
    TypeError
        If `image` or `mask` is not real.
    ValueError
        If `image`, `mask` or a parameter is not as said, or the region is so large, with so large a distance, that
        the sum over a neighbourhood could overflow.

    Notes
    -----
    Of the pixels that have a neighbour inside, n(i) are of level i, p(i) is their share, and s(i) is the sum of
    |i − mean level of the neighbours| over them. With N the number of these pixels, L the number of levels that
    occur among them, and sums over those levels:

    - `coarseness` (QCDE) 1 / Σ p(i) s(i)
    - `contrast` (65HE) ΣΣ p(i) p(j) (i − j)² / (L (L − 1)) · Σ s(i) / N
    - `busyness` (NQ30) Σ p(i) s(i) / ΣΣ |i p(i) − j p(j)|
    - `complexity` (HDEZ) ΣΣ |i − j| (p(i) s(i) + p(j) s(j)) / (p(i) + p(j)) / N
    - `strength` (1X9X) ΣΣ (p(i) + p(j)) (i − j)² / Σ s(i)

    All are IBSI features (IPET), and none is negative.

    Where each pixel is the mean of its neighbours, `coarseness` is 10⁶, the largest value that IBSI gives it, and
    `strength` is 0. Where only one level occurs, `contrast` and `busyness` are 0. Where several do and i p(i) is
    the same for all, `busyness` divides by 0 and is NaN. Slices in which no pixel has a neighbour are left out of
    the average. Where no pixel has a neighbour at all, every feature is NaN. `reason` says which.

    References
    ----------
    Amadasun and King 1989, https://doi.org/10.1109/21.44046; Zwanenburg et al. 2020,
    https://doi.org/10.1148/radiol.2020191145, reference manual section 3.10.

    Examples
    --------
    The first pixel differs by 1 from its neighbour, the next by 1/2 from the mean of both sides, the last by 0:

    >>> v = ngtdm([[0, 1, 1]], levels=2)  # n = 1, 2 and s = 1, 1/2
    >>> v["coarseness"], v["strength"]
    (1.5, 1.3333333333333333)
    """
    _check.one_of("lone_pixels", lone_pixels, (True, False))
    by_slice = _check.one_of("aggregation", aggregation, AGGREGATIONS) == "2d"
    reach = _check.integer("distance", distance, 1)
    found = grey(image, mask, spacing, levels, bin_width, first_edge)
    matrices = _matrices(found.levels, found.n, reach, by_slice, aggregation != "3d", lone_pixels)
    each = [_features(matrix) for matrix in matrices if matrix[:, 0].any()]
    if not each:
        return FeatureVector(_NAMES, np.full(len(_NAMES), np.nan), _NO_NEIGHBOUR)
    values = np.mean(each, axis=0)
    return FeatureVector(_NAMES, values, _NO_CHANGE if np.isnan(values).any() else "")


def ngtdm_matrix(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    levels: int = 32,
    bin_width: float | None = None,
    first_edge: str | float = "ibsi",
    distance: int = 1,
    aggregation: str = "3d",
    lone_pixels: bool = False,
) -> NDArray[np.float64]:
    """Sum up, for each grey level, how far its pixels are from the mean of their neighbours.

    Parameters
    ----------
    image, mask, levels, bin_width, first_edge, distance, aggregation, lone_pixels
        As in `ngtdm`.

    Returns
    -------
    ndarray of float64, shape (matrices, levels, 2)
        ``[m, i]`` holds, of the level i + 1, the number of pixels that have a neighbour inside, and the sum of
        their differences. There is one matrix, or with ``"2d"`` one for each slice of the box around the mask.

    Raises
    ------
    TypeError, ValueError
        As `ngtdm`.

    Examples
    --------
    >>> ngtdm_matrix([[0, 1, 1]], levels=2)[0]
    array([[1. , 1. ],
           [2. , 0.5]])
    """
    _check.one_of("lone_pixels", lone_pixels, (True, False))
    by_slice = _check.one_of("aggregation", aggregation, AGGREGATIONS) == "2d"
    reach = _check.integer("distance", distance, 1)
    found = grey(image, mask, None, levels, bin_width, first_edge)
    return _matrices(found.levels, found.n, reach, by_slice, aggregation != "3d", lone_pixels)


def _matrices(
    levels: NDArray[np.uint16], n_levels: int, distance: int, by_slice: bool, in_plane: bool, lone_pixels: bool
) -> NDArray[np.float64]:
    reach = min(distance, max(levels.shape))
    depth = 1 if in_plane else len(levels)
    window = int(np.prod([min(2 * reach + 1, n) for n in (depth, *levels.shape[1:])]))
    shift = (window * n_levels).bit_length()
    bits = shift + window.bit_length()
    if bits > _MAX_BITS:
        raise ValueError(f"distance is {distance}, which makes windows of {window} voxels; give a smaller one")
    n_padded = (levels.shape[1] + 2 * reach) * (levels.shape[2] + 2 * reach)
    sums = np.zeros((3, n_padded), dtype=np.uint32 if bits <= 32 else np.uint64)
    parts = [levels[z : z + 1] for z in range(len(levels))] if by_slice else [levels]
    matrices = np.zeros((len(parts), n_levels, 2))
    for part, matrix in zip(parts, matrices, strict=True):
        _tally(part, reach, 0 if in_plane else reach, shift, sums, matrix)
        if lone_pixels:
            matrix[:, 0] = np.bincount(part.ravel(), minlength=n_levels + 1)[1:]
    return matrices


@kernel
def _features(matrix: NDArray[np.float64]) -> tuple[float, float, float, float, float]:
    occurring = np.flatnonzero(matrix[:, 0])
    level = occurring + 1.0
    n, s = matrix[occurring, 0], matrix[occurring, 1]
    p = n / n.sum()
    rough = (p * s).sum()
    spread = change = complexity = strength = 0.0
    for i in range(level.size):
        for j in range(i):
            apart = level[i] - level[j]
            spread += 2 * p[i] * p[j] * apart**2
            change += 2 * abs(level[i] * p[i] - level[j] * p[j])
            complexity += 2 * apart * (p[i] * s[i] + p[j] * s[j]) / (p[i] + p[j])
            strength += 2 * (p[i] + p[j]) * apart**2
    return (
        1 / rough if rough > 0 else _MOST_COARSE,
        spread / max(level.size * (level.size - 1), 1) * s.sum() / n.sum(),
        rough / change if change > 0 else (np.nan if level.size > 1 else 0.0),
        complexity / n.sum(),
        strength / s.sum() if s.sum() > 0 else 0.0,
    )


@kernel
def _tally(
    levels: NDArray[np.uint16],
    reach: int,
    reach_z: int,
    shift: int,
    sums: NDArray[Any],
    matrix: NDArray[np.float64],
) -> None:
    """Add up numbers of pixels and differences by level.

    What is summed up over the window around each pixel, first over slices, then rows, then columns, is the level
    and, above the bit `shift`, a one for each pixel inside. The three rows of `sums` are planes with a gutter, laid
    out flat, that hold the sums along the way.
    """
    slices, rows, cols = levels.shape
    width = cols + 2 * reach
    over_slices, over_rows, over_all = sums[0], sums[1], sums[2]
    over_slices[:] = 0
    differences = np.empty(cols)
    counted = np.empty(cols, np.uint16)
    tallies = np.zeros((_COPIES, matrix.shape[0] + 1, 2))
    for z in range(-reach_z, slices):
        if z - reach_z > 0:
            _add(levels[z - reach_z - 1], reach, shift, False, over_slices)
        if z + reach_z < slices:
            _add(levels[z + reach_z], reach, shift, True, over_slices)
        if z >= 0:
            _window(over_slices, reach, width, over_rows)
            _window(over_rows, reach, 1, over_all)
            for y in range(rows):
                start = (y + reach) * width + reach
                _compare(levels[z, y], over_all[start : start + cols], shift, counted, differences)
                _count(counted, differences, tallies)
    for copy in range(_COPIES):
        matrix += tallies[copy, 1:]


@kernel
def _add(plane: NDArray[np.uint16], reach: int, shift: int, enters: bool, over_slices: NDArray[Any]) -> None:
    """Add a plane that enters the window, or subtract one that leaves it."""
    rows, cols = plane.shape
    number = over_slices.dtype.type
    zero, unit = number(0), number(1 << shift)
    for y in range(rows):
        start = (y + reach) * (cols + 2 * reach) + reach
        row, target = plane[y], over_slices[start : start + cols]
        if enters:
            for x in range(cols):
                target[x] += row[x] + (unit if row[x] > 0 else zero)
        else:
            for x in range(cols):
                target[x] -= row[x] + (unit if row[x] > 0 else zero)


@kernel
def _window(values: NDArray[Any], reach: int, stride: int, sums: NDArray[Any]) -> None:
    """Sum up the values at −reach … reach strides; what is nearer to the ends is left as it is."""
    first, last = reach * stride, values.size - reach * stride
    target = sums[first:last]
    target[:] = values[first:last]
    for k in range(1, reach + 1):
        below, above = (
            values[first - k * stride : last - k * stride],
            values[first + k * stride : last + k * stride],
        )
        for i in range(target.size):
            target[i] += below[i] + above[i]


@kernel
def _compare(
    row: NDArray[np.uint16],
    sums: NDArray[Any],
    shift: int,
    counted: NDArray[np.uint16],
    differences: NDArray[np.float64],
) -> None:
    """Fill in the level of pixels that have a neighbour, 0 of others, and how far it is from the mean of those."""
    number = sums.dtype.type
    below = number((1 << shift) - 1)
    for x in range(row.size):
        neighbours = float(sums[x] >> number(shift)) - 1.0
        counted[x] = row[x] if neighbours > 0 else np.uint16(0)
        total = float(sums[x] & below) - float(row[x])
        differences[x] = abs(float(row[x]) - total / max(neighbours, 1.0))


@kernel
def _count(counted: NDArray[np.uint16], differences: NDArray[np.float64], tallies: NDArray[np.float64]) -> None:
    """Add up a row by level; neighbours are often alike, so copies take turns."""
    first, last = 0, counted.size
    while first < last and counted[first] == 0:
        first += 1
    while first < last and counted[last - 1] == 0:
        last -= 1
    part = (last - first) // _COPIES
    for x in range(first, first + part):
        for copy in range(_COPIES):
            at = x + copy * part
            tallies[copy, counted[at], 0] += 1.0
            tallies[copy, counted[at], 1] += differences[at]
    for x in range(first + _COPIES * part, last):
        tallies[0, counted[x], 0] += 1.0
        tallies[0, counted[x], 1] += differences[x]
