"""NGLDM: how many neighbours of a pixel have its grey level, and the 17 features of it.

Sources: Sun and Wee 1983, https://doi.org/10.1016/0734-189X(83)90032-4; Zwanenburg et al. 2020, The Image Biomarker
Standardization Initiative, https://doi.org/10.1148/radiol.2020191145, and its reference manual, section 3.11.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace._numba import kernel
from tumortrace.features._level_size_features import N_FEATURES, add_features, ranges
from tumortrace.features._region import grey
from tumortrace.features._vector import FeatureVector
from tumortrace.features._zones import AGGREGATIONS

_NAMES = (
    "low_dependence_emphasis",
    "high_dependence_emphasis",
    "low_grey_level_count_emphasis",
    "high_grey_level_count_emphasis",
    "low_dependence_low_grey_level_emphasis",
    "low_dependence_high_grey_level_emphasis",
    "high_dependence_low_grey_level_emphasis",
    "high_dependence_high_grey_level_emphasis",
    "grey_level_non_uniformity",
    "normalised_grey_level_non_uniformity",
    "dependence_count_non_uniformity",
    "normalised_dependence_count_non_uniformity",
    "dependence_count_percentage",
    "grey_level_variance",
    "dependence_count_variance",
    "dependence_count_entropy",
    "dependence_count_energy",
)

_BLOCK = 2048  # voxels compared at a time, so that they stay in the nearest cache
_MOST = 2**16 - 1  # neighbours that a 16-bit number can count


def ngldm(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    spacing: Sequence[float] | None = None,
    levels: int = 32,
    bin_width: float | None = None,
    first_edge: str | float = "ibsi",
    distance: int = 1,
    coarseness: int = 0,
    aggregation: str = "3d",
) -> FeatureVector:
    """Features of the neighbouring grey level dependence matrix: how many neighbours are like a pixel.

    The dependence of a pixel is the number of pixels up to a distance from it, itself included, whose level differs
    from its own by at most `coarseness`.

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
    coarseness : int, default 0
        Difference in levels up to which a neighbour counts as alike; the α of IBSI.
    aggregation : str, default "3d"
        Which neighbours are meant, and what is counted together:

        - ``"2d"``: those within a slice (8 at distance 1); features averaged over the slices that the mask touches.
        - ``"2.5d"``: those within a slice, all slices in one matrix.
        - ``"3d"``: those in space (26 at distance 1).

    Returns
    -------
    FeatureVector
        17 numbers, named as below.

    Raises
    ------
    TypeError
        If `image` or `mask` is not real.
    ValueError
        If `image`, `mask` or a parameter is not as said, or `distance` makes more than 65535 neighbours.

    Notes
    -----
    With s(i, j) the number of pixels of level i and dependence j, s(i) and s(j) its sums over the other index,
    n = Σ s(i, j), which is the number of pixels, and μ a mean over them:

    - `low_dependence_emphasis` (SODN) Σ s(j) / j² / n; `high_dependence_emphasis` (IMOQ) Σ j² s(j) / n
    - `low_grey_level_count_emphasis` (TL9H) Σ s(i) / i² / n; `high_grey_level_count_emphasis` (OAE7) Σ i² s(i) / n
    - `low_dependence_low_grey_level_emphasis` (EQ3F) Σ s(i, j) / (i² j²) / n;
      `low_dependence_high_grey_level_emphasis` (JA6D) Σ i² s(i, j) / j² / n
    - `high_dependence_low_grey_level_emphasis` (NBZI) Σ j² s(i, j) / i² / n;
      `high_dependence_high_grey_level_emphasis` (9QMG) Σ i² j² s(i, j) / n
    - `grey_level_non_uniformity` (FP8K) Σ s(i)² / n, `normalised_grey_level_non_uniformity` (5SPA) the same / n
    - `dependence_count_non_uniformity` (Z87G) Σ s(j)² / n, `normalised_dependence_count_non_uniformity` (OKJI) the
      same / n
    - `dependence_count_percentage` (6XV8), which is 1, since every pixel has a dependence
    - `grey_level_variance` (1PFV) Σ (i − μ)² s(i) / n; `dependence_count_variance` (DNX2) Σ (j − μ)² s(j) / n
    - `dependence_count_entropy` (FCBV) −Σ s(i, j) / n · log2(s(i, j) / n)
    - `dependence_count_energy` (CAS9) Σ (s(i, j) / n)²

    All are IBSI features (REK0). A pixel without neighbours has the dependence 1, so none is ever undefined.

    References
    ----------
    Sun and Wee 1983, https://doi.org/10.1016/0734-189X(83)90032-4; Zwanenburg et al. 2020,
    https://doi.org/10.1148/radiol.2020191145, reference manual section 3.11.

    Examples
    --------
    The first pixel has no neighbour like itself, the second one and the third one do:

    >>> v = ngldm([[0, 1, 1]], levels=2)
    >>> v["high_dependence_emphasis"]  # (1 + 4 + 4) / 3
    3.0
    """
    by_slice = _check.one_of("aggregation", aggregation, AGGREGATIONS) == "2d"
    reach = _check.integer("distance", distance, 1)
    tolerance = _check.integer("coarseness", coarseness, 0)
    found = grey(image, mask, spacing, levels, bin_width, first_edge)
    total, n_matrices = np.zeros(N_FEATURES), 0
    for part in _parts(found.levels, by_slice):
        table = _table(part, found.n, reach, tolerance, aggregation != "3d")
        tables = table[np.newaxis]
        n_matrices += add_features(tables, *ranges(tables), int(table[1:].sum()), total)
    return FeatureVector(_NAMES, total / n_matrices)


def ngldm_matrix(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    levels: int = 32,
    bin_width: float | None = None,
    first_edge: str | float = "ibsi",
    distance: int = 1,
    coarseness: int = 0,
    aggregation: str = "3d",
) -> NDArray[np.uint32]:
    """Count the pixels of each grey level and each number of neighbours alike.

    Parameters
    ----------
    image, mask, levels, bin_width, first_edge, distance, coarseness, aggregation
        As in `ngldm`.

    Returns
    -------
    ndarray of uint32, shape (matrices, levels, window)
        ``[m, i, j]`` is the number of pixels of the level i + 1 and the dependence j + 1: j neighbours alike. The
        last axis goes to the number of pixels in a whole neighbourhood, as far as one fits into the box around the
        mask. There is one matrix, or with ``"2d"`` one for each slice of that box.

    Raises
    ------
    TypeError, ValueError
        As `ngldm`.

    Examples
    --------
    >>> ngldm_matrix([[0, 1, 1]], levels=2)[0]
    array([[1, 0, 0],
           [0, 2, 0]], dtype=uint32)
    """
    by_slice = _check.one_of("aggregation", aggregation, AGGREGATIONS) == "2d"
    reach = _check.integer("distance", distance, 1)
    tolerance = _check.integer("coarseness", coarseness, 0)
    found = grey(image, mask, None, levels, bin_width, first_edge)
    parts = _parts(found.levels, by_slice)
    return np.array([_table(part, found.n, reach, tolerance, aggregation != "3d")[1:] for part in parts])


def _parts(levels: NDArray[np.uint16], by_slice: bool) -> list[NDArray[np.uint16]]:
    return [levels[z : z + 1] for z in range(len(levels))] if by_slice else [levels]


def _table(
    levels: NDArray[np.uint16], n_levels: int, distance: int, coarseness: int, in_plane: bool
) -> NDArray[np.uint32]:
    """Return the counts, shape (n_levels + 1, neighbourhood): row 0 stands for what is outside."""
    reach_y, reach_x = (min(distance, n - 1) for n in levels.shape[1:])
    reach_z = 0 if in_plane else min(distance, len(levels) - 1)
    window = int(np.prod([min(2 * distance + 1, n) for n in (len(levels) if reach_z else 1, *levels.shape[1:])]))
    if window > _MOST:
        raise ValueError(f"distance is {distance}, which makes {window - 1} neighbours; give a smaller one")
    table = np.zeros((n_levels + 1, window), dtype=np.uint32)
    _tally(levels, reach_z, reach_y, reach_x, min(coarseness, n_levels), table)
    return table


@kernel
def _tally(
    levels: NDArray[np.uint16], reach_z: int, reach_y: int, reach_x: int, coarseness: int, table: NDArray[np.uint32]
) -> None:
    """Count the pixels of each level and dependence.

    The volume is laid out flat, with gutters of 0 between rows and slices: a neighbour is a shift, and no pixel
    needs a test of bounds.
    """
    slices, rows, cols = levels.shape
    width = cols + reach_x
    plane = (rows + reach_y) * width
    edge = reach_z * plane + reach_y * width + reach_x
    size = (slices - 1) * plane + (rows - 1) * width + cols
    flat = np.zeros(size + 2 * edge, np.uint16)
    for z in range(slices):
        for y in range(rows):
            start = edge + z * plane + y * width
            target, row = flat[start : start + cols], levels[z, y]
            for x in range(cols):
                target[x] = row[x]
    low, high, alike = np.empty(_BLOCK, np.uint16), np.empty(_BLOCK, np.uint16), np.empty(_BLOCK, np.uint16)
    for start in range(edge, edge + size, _BLOCK):
        here = flat[start : min(start + _BLOCK, edge + size)]
        if _bounds(here, coarseness, low, high):
            alike[:] = 0
            for dz in range(-reach_z, reach_z + 1):
                for dy in range(-reach_y, reach_y + 1):
                    for dx in range(-reach_x, reach_x + 1):
                        first = start + dz * plane + dy * width + dx
                        _compare(flat[first : first + here.size], low, high, alike)
            for k in range(here.size):
                if here[k] > 0:
                    table[here[k], alike[k] - 1] += np.uint32(1)


@kernel
def _bounds(here: NDArray[np.uint16], coarseness: int, low: NDArray[np.uint16], high: NDArray[np.uint16]) -> bool:
    """Fill in the levels between which a neighbour is alike, never 0; return whether there is a pixel inside."""
    some = np.uint16(0)
    for k in range(here.size):
        level = int(here[k])
        low[k] = np.uint16(max(level - coarseness, 1))
        high[k] = np.uint16(level + coarseness)
        some |= here[k]
    return bool(some > 0)


@kernel
def _compare(
    there: NDArray[np.uint16], low: NDArray[np.uint16], high: NDArray[np.uint16], alike: NDArray[np.uint16]
) -> None:
    for k in range(there.size):
        alike[k] += np.uint16((there[k] >= low[k]) & (there[k] <= high[k]))
