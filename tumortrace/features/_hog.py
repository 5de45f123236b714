"""HOG: histograms of oriented gradients.

Reference: Dalal and Triggs 2005, Histograms of oriented gradients for human detection,
https://doi.org/10.1109/CVPR.2005.177. Cells and blocks are those of ``skimage.feature.hog``.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace._numba import kernel
from tumortrace.features._resize import resize
from tumortrace.features._sobel import cotangents
from tumortrace.features._vector import FeatureVector

BlockNorm = Literal["L1", "L1-sqrt", "L2", "L2-Hys"]

_EPSILON = 1e-5
_CLIP = 0.2
_NARROW_ORIENTATIONS = 64
_NO_WEIGHTS = np.empty((0, 0, 0))


def hog(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    spacing: Sequence[float] | None = None,
    size: Sequence[int] = (24, 24),
    orientations: int = 9,
    pixels_per_cell: Sequence[int] = (8, 8),
    cells_per_block: Sequence[int] = (2, 2),
    block_norm: BlockNorm = "L2-Hys",
) -> FeatureVector:
    """Describe an image by its histograms of oriented gradients, at a fixed size.

    The image, or the bounding box of the mask, is resized to `size`. Each cell of pixels gets a histogram of
    gradient orientation, weighted by gradient magnitude. Blocks of cells overlap and are normalised one by one.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype. A volume is taken slice by slice, over the slices that the mask touches, with one bounding
        box for all. The cell histograms are averaged over the slices, then normalised.
    mask : array_like, same shape, optional
        Non-zero is inside; without it the whole image is. Only pixels inside vote. Where resizing makes one pixel
        of several, it votes with the share of it that is inside. Gradients are those of the box: at the rim of the
        mask they see the pixels beside it.
    spacing : sequence of float, optional
        Pixel spacing in mm, one number per axis. It has no effect: `size` decides what a pixel is.
    size : (int, int), default (24, 24)
        Rows and columns after resizing, at least one block: the mean over an area where an axis shrinks, linear
        where it grows.
    orientations : int, default 9
        Number of bins over 0° to 180°.
    pixels_per_cell : (int, int), default (8, 8)
        Rows and columns of a cell.
    cells_per_block : (int, int), default (2, 2)
        Rows and columns of a block, in cells; blocks move by one cell.
    block_norm : {"L1", "L1-sqrt", "L2", "L2-Hys"}, default "L2-Hys"
        How a block v is normalised, with ε = 1e-5: ``v / (Σ|v| + ε)``; the square root of that;
        ``v / √(Σv² + ε²)``; or that cut off at 0.2 and normalised again.

    Returns
    -------
    FeatureVector
        ``block_<row>_<col>_cell_<row>_<col>_bin_<k>``, each from 0 to 1, 144 of them by default. All are 0
        where there is no gradient.

    Raises
    ------
    TypeError, ValueError
        If the image, the mask or a parameter is not as described, or `size` holds no block.

    See Also
    --------
    hog_cells, hog_blocks : the same without resizing.

    Notes
    -----
    Not defined by IBSI.

    Examples
    --------
    A ramp along the columns has all its gradients in the first bin.

    >>> v = hog([list(range(24))] * 24)
    >>> len(v)
    144
    >>> v["block_0_0_cell_0_0_bin_0"] > 0, v["block_0_0_cell_0_0_bin_1"]
    (True, 0.0)
    """
    ndim = np.ndim(image)
    volume = _check.volume(image)
    region = _check.region(mask, volume, ndim)
    _check.spacing(spacing, ndim)
    grid = _grid(orientations, pixels_per_cell, cells_per_block, block_norm)
    rows, cols = _check.integers("size", size, 1, length=2)
    names = _names(grid, *_block_counts("size", (rows, cols), grid))
    volume, weights = _fit(volume, region, (rows, cols))
    return FeatureVector(names, _blocks(volume, weights, 1, grid).ravel())


def hog_cells(
    image: ArrayLike, *, orientations: int = 9, pixels_per_cell: Sequence[int] = (8, 8)
) -> NDArray[np.float64]:
    """Return the histogram of oriented gradients of each cell, before normalisation.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype; it is not resized.
    orientations, pixels_per_cell
        As in `hog`.

    Returns
    -------
    ndarray of float64, shape (cell rows, cell cols, orientations)
        With a leading axis of slices for a volume. Pixels beyond the last full cell do not vote. Each histogram is
        ``Σ m / n`` over the pixels of a bin, with the gradient magnitude m and n pixels in the cell.

    Raises
    ------
    TypeError, ValueError
        If the image or a parameter is not as described.

    Notes
    -----
    Gradients are differences of the two neighbours, ``x[i + 1] − x[i − 1]``; across the border of the image they
    are 0. Bin k holds the angles from ``180 k / orientations`` up to but not including the next edge: 0° is a
    gradient along the columns, and from there the angle turns towards the growing row.

    scikit-image adds up in float32 and drops the vote of a gradient whose angle lies less than 1e-14 degrees below
    180°; here sums are float64 and such a vote counts in the last bin.

    Examples
    --------
    Two of four columns have a gradient, of magnitude 6 along the columns: 8 pixels of 16.

    >>> hog_cells([[0, 0, 6, 6]] * 4, orientations=2, pixels_per_cell=(4, 4))
    array([[[3., 0.]]])
    """
    volume = _check.volume(image)
    grid = _grid(orientations, pixels_per_cell)
    slices, rows, cols = volume.shape
    cells = np.empty((slices, rows // grid.cell[0], cols // grid.cell[1], grid.orientations))
    _cells(volume, _edges(volume, grid), grid.cell, cells)
    return cells[0] if np.ndim(image) == 2 else cells


def hog_blocks(
    image: ArrayLike,
    *,
    orientations: int = 9,
    pixels_per_cell: Sequence[int] = (8, 8),
    cells_per_block: Sequence[int] = (2, 2),
    block_norm: BlockNorm = "L2-Hys",
) -> NDArray[np.float64]:
    """Return the normalised blocks of an image that is not resized.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype.
    orientations, pixels_per_cell, cells_per_block, block_norm
        As in `hog`.

    Returns
    -------
    ndarray of float64, shape (block rows, block cols, cell rows, cell cols, orientations)
        With a leading axis of slices for a volume; equal to ``skimage.feature.hog(..., feature_vector=False)``.

    Raises
    ------
    TypeError, ValueError
        If the image or a parameter is not as described, or the image holds no block.

    Examples
    --------
    >>> hog_blocks([[0, 0, 6, 6]] * 4, orientations=2, pixels_per_cell=(4, 4), cells_per_block=(1, 1)).round(3)
    array([[[[[1., 0.]]]]])
    """
    volume = _check.volume(image)
    grid = _grid(orientations, pixels_per_cell, cells_per_block, block_norm)
    blocks = _blocks(volume, _NO_WEIGHTS, volume.shape[0], grid)
    return blocks[0] if np.ndim(image) == 2 else blocks


class _Grid(NamedTuple):
    orientations: int
    cell: tuple[int, int]
    block: tuple[int, int]
    norm: str


def _grid(orientations: Any, pixels_per_cell: Any, cells_per_block: Any = (1, 1), block_norm: Any = "L2") -> _Grid:
    cell_rows, cell_cols = _check.integers("pixels_per_cell", pixels_per_cell, 1, length=2)
    block_rows, block_cols = _check.integers("cells_per_block", cells_per_block, 1, length=2)
    return _Grid(
        _check.integer("orientations", orientations, 1),
        (cell_rows, cell_cols),
        (block_rows, block_cols),
        _check.one_of("block_norm", block_norm, get_args(BlockNorm)),
    )


def _block_counts(what: str, shape: Sequence[int], grid: _Grid) -> tuple[int, int]:
    """Return how many blocks lie below each other and beside each other."""
    rows, cols = (n // c - b + 1 for n, c, b in zip(shape, grid.cell, grid.block, strict=True))
    if rows < 1 or cols < 1:
        raise ValueError(
            f"{what} is {shape[0]}×{shape[1]} pixels, less than one block of {grid.block[0]}×{grid.block[1]} cells "
            f"of {grid.cell[0]}×{grid.cell[1]} pixels; give more pixels, smaller cells or smaller blocks"
        )
    return rows, cols


@lru_cache(maxsize=64)
def _names(grid: _Grid, rows: int, cols: int) -> tuple[str, ...]:
    shape = (rows, cols, *grid.block, grid.orientations)
    return tuple("block_{}_{}_cell_{}_{}_bin_{}".format(*index) for index in np.ndindex(shape))


def _fit(
    volume: NDArray[Any], region: NDArray[np.bool_], size: tuple[int, int]
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Cut out what the mask touches and resize it; return it with the share of each pixel that is inside."""
    slices = np.arange(volume.shape[0])
    if region.size == 0:
        if volume.shape[1:] == size:
            return volume, _NO_WEIGHTS
        return resize(volume, slices, (0, 0, *volume.shape[1:]), size), _NO_WEIGHTS
    rows, cols = (np.flatnonzero(region.any(axis=axes)) for axes in ((0, 2), (0, 1)))
    slices = np.flatnonzero(region.any(axis=(1, 2)))
    box = (int(rows[0]), int(cols[0]), int(rows[-1] - rows[0]) + 1, int(cols[-1] - cols[0]) + 1)
    return resize(volume, slices, box, size), resize(region.view(np.uint8), slices, box, size)


def _edges(volume: NDArray[Any], grid: _Grid) -> NDArray[Any]:
    """Return the edges of the bins; float32 decides alike for 8-bit numbers, up to so many orientations."""
    return cotangents(grid.orientations, volume.dtype == np.uint8 and grid.orientations <= _NARROW_ORIENTATIONS)


def _blocks(volume: NDArray[Any], weights: NDArray[np.float64], n: int, grid: _Grid) -> NDArray[np.float64]:
    """Return `n` sets of blocks: one for each slice, or one for all slices together."""
    rows, cols = _block_counts("image", volume.shape[1:], grid)
    blocks = np.empty((n, rows, cols, *grid.block, grid.orientations))
    euclidean, hysteresis = grid.norm.startswith("L2"), grid.norm == "L2-Hys"
    _describe(volume, weights, _edges(volume, grid), grid.cell, euclidean, hysteresis, blocks)
    return np.sqrt(blocks, out=blocks) if grid.norm == "L1-sqrt" else blocks


@kernel
def _gradient_row(image: NDArray[Any], y: int, row: NDArray[Any], col: NDArray[Any]) -> None:
    """Compute the two differences of row `y`, turned to the half-plane of angles from 0° to 180°."""
    number = row.dtype.type
    last = row.size - 1
    inner = 0 < y < image.shape[0] - 1
    above, here, below = image[y - 1 if inner else y], image[y], image[y + 1 if inner else y]
    col[0] = col[last] = 0
    for x in range(1, last):
        col[x] = number(here[x + 1]) - number(here[x - 1])
    for x in range(row.size):
        r, c = number(below[x]) - number(above[x]), col[x]
        col[x] = -c if (r < 0) | ((r == 0) & (c < 0)) else c
        row[x] = abs(r)


@kernel
def _bin_row(row: NDArray[Any], col: NDArray[Any], edges: NDArray[Any], bins: NDArray[np.uint32]) -> None:
    """Find the bin of each gradient: how many edges it has reached."""
    bins[:] = 0
    for k in range(0, edges.size, 4):
        a, b, c, d = edges[k], edges[k + 1], edges[k + 2], edges[k + 3]
        for x in range(bins.size):
            bins[x] += (
                np.uint32(col[x] <= row[x] * a)
                + np.uint32(col[x] <= row[x] * b)
                + np.uint32(col[x] <= row[x] * c)
                + np.uint32(col[x] <= row[x] * d)
            )


@kernel
def _magnitude_row(row: NDArray[Any], col: NDArray[Any], magnitude: NDArray[np.float64]) -> None:
    for x in range(row.size):
        r, c = np.float64(row[x]), np.float64(col[x])
        magnitude[x] = np.sqrt(r * r + c * c)


@kernel
def _cell_row(
    volume: NDArray[Any],
    weights: NDArray[np.float64],
    edges: NDArray[Any],
    slices: tuple[int, int],
    y: int,
    cell: tuple[int, int],
    histograms: NDArray[np.float64],
) -> None:
    """Fill row `y` of the cells with the mean of their votes over the slices from the first up to the second."""
    cell_rows, cell_cols = cell
    cols = volume.shape[2]
    row, col = np.empty(cols, edges.dtype), np.empty(cols, edges.dtype)
    magnitude, bins = np.empty(cols), np.empty(cols, np.uint32)
    histograms[:] = 0
    for z in range(slices[0], slices[1]):
        for i in range(y * cell_rows, (y + 1) * cell_rows):
            _gradient_row(volume[z], i, row, col)
            _bin_row(row, col, edges, bins)
            _magnitude_row(row, col, magnitude)
            if weights.size:
                for x in range(cols):
                    magnitude[x] *= weights[z, i, x]
            # neighbouring cells in turn, so that no vote waits for the one before it
            for offset in range(cell_cols):
                for j in range(histograms.shape[0]):
                    x = j * cell_cols + offset
                    histograms[j, bins[x]] += magnitude[x]
    histograms /= (slices[1] - slices[0]) * cell_rows * cell_cols


@kernel
def _cells(volume: NDArray[Any], edges: NDArray[Any], cell: tuple[int, int], cells: NDArray[np.float64]) -> None:
    for z in range(cells.shape[0]):
        for y in range(cells.shape[1]):
            _cell_row(volume, np.empty((0, 0, 0)), edges, (z, z + 1), y, cell, cells[z, y])


@kernel
def _clipped_norms(planes: NDArray[np.float64], scale: NDArray[np.float64], norms: NDArray[np.float64]) -> None:
    """Compute the squared norm of each block, scaled and cut off: blocks side by side, bin by bin."""
    norms[:] = 0
    for u in range(planes.shape[0]):
        for v in range(planes.shape[2] - norms.size + 1):
            for k in range(planes.shape[1]):
                plane = planes[u, k, v : v + norms.size]
                for j in range(norms.size):
                    value = min(plane[j] * scale[j], _CLIP)
                    norms[j] += value * value


@kernel
def _block_row(
    cells: NDArray[np.float64],
    planes: NDArray[np.float64],
    powers: NDArray[np.float64],
    top: int,
    euclidean: bool,
    hysteresis: bool,
    blocks: NDArray[np.float64],
) -> None:
    """Normalise a row of blocks; row u of a block is row ``top + u`` of the cells, which wrap around."""
    n_cols, block_rows, block_cols, orientations = blocks.shape
    norms, scale, rescale = np.zeros(n_cols), np.empty(n_cols), np.ones(n_cols)
    for u in range(block_rows):
        for v in range(block_cols):
            for j in range(n_cols):
                norms[j] += powers[u, j + v]
    for j in range(n_cols):
        scale[j] = 1 / np.sqrt(norms[j] + _EPSILON**2) if euclidean else 1 / (norms[j] + _EPSILON)
    clip = np.inf
    if hysteresis:
        clip = _CLIP
        _clipped_norms(planes, scale, norms)
        for j in range(n_cols):
            rescale[j] = 1 / np.sqrt(norms[j] + _EPSILON**2)
    lines = cells.reshape((block_rows, cells.shape[1] * orientations))
    scaled = blocks.reshape((n_cols, block_rows, block_cols * orientations))
    for j in range(n_cols):
        first, second = scale[j], rescale[j]
        for u in range(block_rows):
            line, block = lines[(top + u) % block_rows, j * orientations :], scaled[j, u]
            for x in range(block.size):
                block[x] = min(line[x] * first, clip) * second


@kernel
def _describe(
    volume: NDArray[Any],
    weights: NDArray[np.float64],
    edges: NDArray[Any],
    cell: tuple[int, int],
    euclidean: bool,
    hysteresis: bool,
    blocks: NDArray[np.float64],
) -> None:
    """Fill the blocks row by row, from a ring of as many rows of cells as a block has: nothing else is kept."""
    n, n_rows, _, block_rows, _, orientations = blocks.shape
    n_cells = volume.shape[2] // cell[1]
    depth = volume.shape[0] // n
    cells = np.empty((block_rows, n_cells, orientations))
    planes, powers = np.empty((block_rows, orientations, n_cells)), np.empty((block_rows, n_cells))
    for z in range(n):
        for y in range(n_rows + block_rows - 1):
            u = y % block_rows
            _cell_row(volume, weights, edges, (z * depth, (z + 1) * depth), y, cell, cells[u])
            powers[u] = 0
            for k in range(orientations):
                for j in range(n_cells):
                    value = cells[u, j, k]
                    planes[u, k, j] = value
                    powers[u, j] += value * value if euclidean else value
            if y >= block_rows - 1:
                top = y - block_rows + 1
                _block_row(cells, planes, powers, top, euclidean, hysteresis, blocks[z, top])
