"""GLRLM: how long the runs of one grey level are, and the 16 features of it.

Sources: Galloway 1975, https://doi.org/10.1016/S0146-664X(75)80008-6; Zwanenburg et al. 2020, The Image Biomarker
Standardization Initiative, https://doi.org/10.1148/radiol.2020191145, and its reference manual, section 3.7.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace._numba import kernel
from tumortrace.features._glcm import AGGREGATIONS, DIRECTIONS, Aggregation
from tumortrace.features._level_size_features import N_FEATURES, add_features, ranges
from tumortrace.features._region import grey
from tumortrace.features._vector import FeatureVector

_NAMES = (
    "short_runs_emphasis",
    "long_runs_emphasis",
    "low_grey_level_run_emphasis",
    "high_grey_level_run_emphasis",
    "short_run_low_grey_level_emphasis",
    "short_run_high_grey_level_emphasis",
    "long_run_low_grey_level_emphasis",
    "long_run_high_grey_level_emphasis",
    "grey_level_non_uniformity",
    "normalised_grey_level_non_uniformity",
    "run_length_non_uniformity",
    "normalised_run_length_non_uniformity",
    "run_percentage",
    "grey_level_variance",
    "run_length_variance",
    "run_entropy",
)

# the steps (row, column) of directions that go on from plane to plane, where planes are columns, rows and slices
_ACROSS_COLUMNS = np.zeros((1, 2), dtype=np.int64)
_ACROSS_ROWS = DIRECTIONS[1:4, ::2].copy()
_ACROSS_SLICES = DIRECTIONS[4:, 1:].copy()

_LONGEST = 2**16 - 1  # what a 16-bit length holds
_MAX_RUNS = 2**32  # what a 32-bit count holds

_SPAN = 64
_BLOCK = 16 * _SPAN  # voxels looked at together: 16 rows, one for each bit of a flag
_BIT_OF = np.zeros(67, dtype=np.int64)  # the powers of 2 up to 2⁶³ leave different remainders modulo 67
_BIT_OF[[2**bit % 67 for bit in range(64)]] = range(64)


def glrlm(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    spacing: Sequence[float] | None = None,
    levels: int = 32,
    bin_width: float | None = None,
    first_edge: str | float = "ibsi",
    aggregation: str = "3d_volume_merge",
) -> FeatureVector:
    """Features of the grey level run length matrix: how far one grey level goes on along a line.

    A run is a set of pixels of one level that follow each other in one direction, as long as it gets.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype.
    mask : array_like, same shape, optional
        Non-zero is inside; runs end there. Without it the whole image is.
    spacing : sequence of float, optional
        Accepted as in every extractor; lengths are counted in pixels, so it has no effect.
    levels : int, default 32
        Fixed bin number, see `discretise`.
    bin_width : float, optional
        Fixed bin width in the unit of the image, in place of `levels`.
    first_edge : {"ibsi", "pyradiomics"} or float, default "ibsi"
        Where the first bin begins, see `discretise`.
    aggregation : str, default "3d_volume_merge"
        What becomes of the matrices of the directions and slices:

        - ``"2d_average"``: one matrix per slice and in-plane direction; features averaged.
        - ``"2d_slice_merge"``: one per slice, its 4 directions added up; features averaged.
        - ``"2.5d_direction_merge"``: one per in-plane direction, slices added up; features averaged.
        - ``"2.5d_volume_merge"``: all slices and in-plane directions added up.
        - ``"3d_average"``: one per each of 13 directions in space; features averaged.
        - ``"3d_volume_merge"``: all 13 directions added up.

        A 2-D image is a volume of one slice. A region in one slice has 4 directions: along those that leave the
        slice, every pixel would be a run of 1, whatever the texture. For the same reason, where slices are not
        counted apart, a direction along which no pixel follows another is left out.

    Returns
    -------
    FeatureVector
        16 numbers, named as below.

    Raises
    ------
    TypeError
        If `image` or `mask` is not real.
    ValueError
        If `image`, `mask` or a parameter is not as said, or the region is longer than 65535 pixels or has so many
        that a count could overflow (330 million for 13 directions).

    Notes
    -----
    With r(i, j) the number of runs of level i and length j in pixels, r(i) and r(j) its sums over the other index,
    n = Σ r(i, j) runs, N the number of pixels times the number of directions added up, and μ a mean over the runs:

    - `short_runs_emphasis` (22OV) Σ r(j) / j² / n; `long_runs_emphasis` (W4KF) Σ j² r(j) / n
    - `low_grey_level_run_emphasis` (V3SW) Σ r(i) / i² / n; `high_grey_level_run_emphasis` (G3QZ) Σ i² r(i) / n
    - `short_run_low_grey_level_emphasis` (HTZT) Σ r(i, j) / (i² j²) / n;
      `short_run_high_grey_level_emphasis` (GD3A) Σ i² r(i, j) / j² / n
    - `long_run_low_grey_level_emphasis` (IVPO) Σ j² r(i, j) / i² / n;
      `long_run_high_grey_level_emphasis` (3KUM) Σ i² j² r(i, j) / n
    - `grey_level_non_uniformity` (R5YN) Σ r(i)² / n, `normalised_grey_level_non_uniformity` (OVBL) the same / n
    - `run_length_non_uniformity` (W92Y) Σ r(j)² / n, `normalised_run_length_non_uniformity` (IC23) the same / n
    - `run_percentage` (9ZK5) n / N
    - `grey_level_variance` (8CE5) Σ (i − μ)² r(i) / n; `run_length_variance` (SXLW) Σ (j − μ)² r(j) / n
    - `run_entropy` (HJ9O) −Σ r(i, j) / n · log2(r(i, j) / n)

    All are IBSI features (TP0I). A region of one pixel has one run in each direction, so none is ever undefined.

    References
    ----------
    Galloway 1975, https://doi.org/10.1016/S0146-664X(75)80008-6; Zwanenburg et al. 2020,
    https://doi.org/10.1148/radiol.2020191145, reference manual section 3.7.

    Examples
    --------
    Along a row, a run of 3 pixels and one of 1; in the three other directions of the slice, runs of 1:

    >>> v = glrlm([[0, 0, 0, 1]], levels=2, aggregation="2d_slice_merge")
    >>> v["run_percentage"], v["long_runs_emphasis"]  # 14 runs of 16 pixels; (13 · 1 + 9) / 14
    (0.875, 1.5714285714285714)
    """
    _check.one_of("aggregation", aggregation, tuple(AGGREGATIONS))
    found = grey(image, mask, spacing, levels, bin_width, first_edge)
    scheme, parts = _parts(aggregation, found.levels)
    total, n_matrices = np.zeros(N_FEATURES), 0
    for part in parts:
        tables, n_pixels = _tables(part, found.n, scheme)
        n_matrices += add_features(tables, *ranges(tables), n_pixels, total)
    return FeatureVector(_NAMES, total[: len(_NAMES)] / n_matrices)


def glrlm_matrix(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    levels: int = 32,
    bin_width: float | None = None,
    first_edge: str | float = "ibsi",
    aggregation: str = "3d_volume_merge",
) -> NDArray[np.uint32]:
    """Count the runs of each grey level and each length.

    Parameters
    ----------
    image, mask, levels, bin_width, first_edge, aggregation
        As in `glrlm`.

    Returns
    -------
    ndarray of uint32, shape (matrices, levels, longest)
        ``[m, i, j]`` is the number of runs of the level i + 1 and the length j + 1, up to the longest run that
        there is. The matrices are, by `aggregation`: every slice of the box around the mask with its 4 directions,
        ``m = 4 · slice + direction`` (``"2d_average"``); these slices (``"2d_slice_merge"``); 4 directions
        (``"2.5d_direction_merge"``); 13 directions, 4 in a single slice (``"3d_average"``); or one matrix.
        Directions are those of `glcm_matrix`, less those that `glrlm` leaves out.

    Raises
    ------
    TypeError, ValueError
        As `glrlm`.

    Examples
    --------
    Two levels; runs of 1 and 2 along the rows, and one of 3 and four of 1 along the columns:

    >>> in_row, _, in_column, _ = glrlm_matrix([[0, 0], [0, 1], [0, 1]], levels=2, aggregation="2d_average")
    >>> in_row
    array([[2, 1, 0],
           [2, 0, 0]], dtype=uint32)
    >>> in_column
    array([[1, 0, 1],
           [0, 1, 0]], dtype=uint32)
    """
    _check.one_of("aggregation", aggregation, tuple(AGGREGATIONS))
    found = grey(image, mask, None, levels, bin_width, first_edge)
    scheme, parts = _parts(aggregation, found.levels)
    counts = np.concatenate([_tables(part, found.n, scheme)[0] for part in parts])[:, 1:]
    longest = int(np.flatnonzero(counts.any(axis=(0, 1)))[-1]) + 1
    return np.ascontiguousarray(counts[:, :, :longest])


def _parts(aggregation: str, levels: NDArray[np.uint16]) -> tuple[Aggregation, list[NDArray[np.uint16]]]:
    """Return the directions to count, and what to count apart."""
    scheme = AGGREGATIONS[aggregation]
    if len(levels) == 1:
        scheme = scheme._replace(n_directions=4)
    if max(levels.shape) > _LONGEST:
        raise ValueError(f"image has a region of {max(levels.shape)} pixels in a line; crop it to {_LONGEST}")
    if levels.size * scheme.n_directions >= _MAX_RUNS:
        raise ValueError(
            f"image has a region in a box of {levels.size} voxels, too many to count runs in {scheme.n_directions} "
            f"directions in 32 bits; crop it to less than {_MAX_RUNS // scheme.n_directions}"
        )
    return scheme, [levels[z : z + 1] for z in range(len(levels))] if scheme.by_slice else [levels]


def _tables(grey: NDArray[np.uint16], n_levels: int, scheme: Aggregation) -> tuple[NDArray[np.uint32], int]:
    """Return the counts, shape (matrices, n_levels + 1, lengths), and the number of pixels of one matrix.

    Runs of 2 pixels and more are counted where they end, in one sweep over the planes for all directions that go
    from plane to plane: over columns, over rows, and over slices. What they leave of the pixels are runs of 1.
    """
    slices, rows, cols = grey.shape
    flat = grey.reshape(-1)
    tables = np.zeros((1 if scheme.merged else scheme.n_directions, n_levels + 1, max(grey.shape)), dtype=np.uint32)
    if cols > 1:
        turned = np.empty(grey.size, dtype=np.uint16)
        _turn(grey.reshape(slices * rows, cols), turned.reshape(cols, slices * rows))
        _sweep(turned, (cols, slices, rows), slices * rows, rows, _ACROSS_COLUMNS, tables[:1])
    if rows > 1:
        _sweep(
            flat, (rows, slices, cols), cols, rows * cols, _ACROSS_ROWS, tables[1:4] if len(tables) > 1 else tables
        )
    if slices > 1 and scheme.n_directions > 4:
        _sweep(
            flat, (slices, rows, cols), rows * cols, cols, _ACROSS_SLICES, tables[4:] if len(tables) > 1 else tables
        )
    n_added = scheme.n_directions if scheme.merged else 1
    if not scheme.by_slice:
        followed = _followed(grey, DIRECTIONS[: scheme.n_directions])
        if followed.any() and not followed.all():
            tables, n_added = (tables, int(followed.sum())) if scheme.merged else (tables[followed], 1)
    return tables, n_added * _add_single(flat, n_added, tables)


@kernel
def _followed(grey: NDArray[np.uint16], steps: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say along which directions one pixel of the region follows another."""
    slices, rows, cols = grey.shape
    found = np.zeros(len(steps), np.bool_)
    for d in range(len(steps)):
        dz, dy, dx = steps[d]
        for z in range(slices - dz):
            for y in range(max(0, -dy), min(rows, rows - dy)):
                for x in range(max(0, -dx), min(cols, cols - dx)):
                    if grey[z, y, x] and grey[z + dz, y + dy, x + dx]:
                        found[d] = True
                        break
                if found[d]:
                    break
            if found[d]:
                break
    return found


@kernel
def _turn(grey: NDArray[np.uint16], turned: NDArray[np.uint16]) -> None:
    """Transpose, four rows at a time, so that what is written lies side by side."""
    rows, cols = grey.shape
    fours = rows - rows % 4
    for row in range(0, fours, 4):
        first, second, third, fourth = grey[row], grey[row + 1], grey[row + 2], grey[row + 3]
        for col in range(cols):
            target = turned[col, row : row + 4]
            target[0], target[1], target[2], target[3] = first[col], second[col], third[col], fourth[col]
    for row in range(fours, rows):
        for col in range(cols):
            turned[col, row] = grey[row, col]


@kernel
def _add_single(flat: NDArray[np.uint16], n_added: int, tables: NDArray[np.uint32]) -> int:
    """Add the runs of length 1, which are what longer ones leave of the pixels; return the number of pixels.

    `tables` add up `n_added` directions each.
    """
    n_rows = tables.shape[1]
    counts = np.zeros((4, n_rows), np.int64)  # neighbours are often alike: four copies take turns
    quarter = flat.size // 4
    for k in range(quarter):
        for copy in range(4):
            counts[copy, flat[copy * quarter + k]] += 1
    for k in range(4 * quarter, flat.size):
        counts[0, flat[k]] += 1
    n_pixels = 0
    for i in range(1, n_rows):
        of_level = int(counts[:, i].sum())
        n_pixels += of_level
        for m in range(tables.shape[0]):
            row = tables[m, i]
            in_longer = 0
            for j in range(1, row.size):
                in_longer += (j + 1) * int(row[j])
            row[0] = n_added * of_level - in_longer
    return n_pixels


@kernel
def _sweep(
    flat: NDArray[np.uint16],
    shape: tuple[int, int, int],
    plane_stride: int,
    row_stride: int,
    steps: NDArray[np.int64],
    tables: NDArray[np.uint32],
) -> None:
    """Count runs of 2 pixels and more in directions that go on from plane to plane by `steps` (row, column).

    `shape` is (planes, rows, cols), and the strides say where planes and rows lie in `flat`. A matrix belongs to
    one step, or the only one to all.

    A plane is laid out flat with a gutter of 0 around it, so that a step is a shift, and all pixels that a line
    passes have the same index once the shifts are taken off: there the length of its run so far is kept, less one.
    It ends where the pixel of the next plane differs. A plane of 0 after the last ends what is left.
    """
    planes, rows, cols = shape
    width = cols + 1
    edge = width * np.abs(steps[:, 0]).max() + 1
    n_blocks = (rows * width + 2 * edge + _BLOCK - 1) // _BLOCK
    here = np.zeros(n_blocks * _BLOCK + 2 * edge, np.uint16)
    before = here.copy()
    origin = (planes + 1) * edge
    lengths = np.zeros((steps.shape[0], n_blocks * _BLOCK + 2 * origin), np.uint16)
    ended = np.empty(_BLOCK, np.uint16)
    for z in range(planes + 1):
        here, before = before, here
        _lay_out(flat, z if z < planes else -1, rows, cols, plane_stride, row_stride, here[2 * edge :])
        for start in range(0, n_blocks * _BLOCK, _BLOCK):
            now = here[edge + start : edge + start + _BLOCK]
            if _is_empty(now) and _is_empty(before[start : start + _BLOCK + 2 * edge]):
                continue
            for d in range(steps.shape[0]):
                shift = steps[d, 0] * width + steps[d, 1]
                last = before[edge + start - shift : edge + start - shift + _BLOCK]
                at = origin + start - z * shift
                _go_on(now, last, lengths[d, at : at + _BLOCK], ended)
                _count(last, ended, tables[min(d, tables.shape[0] - 1)])


@kernel
def _lay_out(
    flat: NDArray[np.uint16],
    z: int,
    rows: int,
    cols: int,
    plane_stride: int,
    row_stride: int,
    plane: NDArray[np.uint16],
) -> None:
    """Copy a plane, with one column of 0 between rows; the plane −1 is 0."""
    for y in range(rows):
        target = plane[y * (cols + 1) : y * (cols + 1) + cols]
        if z < 0:
            target[:] = 0
        else:
            first = z * plane_stride + y * row_stride
            source = flat[first : first + cols]
            for x in range(cols):
                target[x] = source[x]


@kernel
def _is_empty(levels: NDArray[np.uint16]) -> bool:
    some = np.uint16(0)
    for k in range(levels.size):
        some |= levels[k]
    return bool(some == 0)


@kernel
def _go_on(
    now: NDArray[np.uint16], last: NDArray[np.uint16], lengths: NDArray[np.uint16], ended: NDArray[np.uint16]
) -> None:
    """Lengthen the runs that go on and start the others anew; `ended` is the length less one of those that end."""
    zero, one = np.uint16(0), np.uint16(1)
    for k in range(_BLOCK):
        same = (now[k] == last[k]) & (now[k] > zero)
        length = lengths[k]
        ended[k] = zero if same else length
        lengths[k] = length + one if same else zero


@kernel
def _count(last: NDArray[np.uint16], ended: NDArray[np.uint16], table: NDArray[np.uint32]) -> None:
    """Count the runs that ended, few among many: the bits of a word are the pixels to look at."""
    zero, one = np.uint16(0), np.uint64(1)
    flags = np.zeros(_SPAN, np.uint16)
    for j in range(16):
        bit = np.uint16(1 << j)
        part = ended[j * _SPAN : (j + 1) * _SPAN]
        for k in range(_SPAN):
            flags[k] |= bit if part[k] > zero else zero
    for k in range(0, _SPAN, 4):
        word = np.uint64(0)
        for i in range(4):
            word |= np.uint64(flags[k + i]) << np.uint64(16 * i)
        while word > 0:
            rest = word & (word - one)
            bit_of = _BIT_OF[(word ^ rest) % np.uint64(67)]
            at = (bit_of & 15) * _SPAN + k + (bit_of >> 4)
            table[last[at], ended[at]] += np.uint32(1)
            word = rest
