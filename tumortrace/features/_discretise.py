"""Grey levels: intensities to a small number of bins, as IBSI defines it or as PyRadiomics does.

References: Zwanenburg et al. 2020, The Image Biomarker Standardization Initiative,
https://doi.org/10.1148/radiol.2020191145, and the reference manual, section 2.7; van Griethuysen et al. 2017,
https://doi.org/10.1158/0008-5472.CAN-17-0339, for the edges of PyRadiomics.
"""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace._numba import kernel

MAX_LEVELS = 4096

Box = tuple[int, int, int, int, int, int]
"""The first slice, row and column, each with one past the last of its kind."""


class OutOfRangeError(ValueError):
    """A box holds NaN, infinity or a number that is too large."""


def discretise(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    levels: int = 32,
    bin_width: float | None = None,
    first_edge: str | float = "ibsi",
) -> tuple[NDArray[np.uint16], int]:
    """Replace the intensities of a region by grey levels 1, 2, …; 0 is outside.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype.
    mask : array_like, same shape, optional
        Non-zero is inside; without it the whole image is.
    levels : int, default 32
        Fixed bin number: ``min(floor(levels · (x − min) / (max − min)) + 1, levels)`` with the minimum and maximum
        of the region. A constant region is all level 1. The one exception is ``levels=256`` on 8-bit data, which
        keeps the raw values: level ``x + 1``.
    bin_width : float, optional
        Fixed bin width in the unit of the image, in place of `levels`: ``floor((x − min) / bin_width) + 1``. The
        number of levels then depends on the region.
    first_edge : {"ibsi", "pyradiomics"} or float, default "ibsi"
        Where the first bin begins. "ibsi": at the minimum of the region, as above. "pyradiomics": for a width, at
        the last multiple of it that is not above the minimum, so that bins of the same width agree between regions;
        for a number of bins, at the minimum, with edges rounded as `numpy.linspace` rounds them, and a constant
        region on the middle level. A number, with `bin_width` only: there, as IBSI asks of a fixed bin size after a
        re-segmentation to a range, whose lower end it then is.

    Returns
    -------
    grey : ndarray of uint16, shape of `image`
        Level of each pixel, 0 outside the mask.
    n_levels : int
        The highest level that can occur.

    Raises
    ------
    ValueError
        If `levels` is not in 1..4096, `bin_width` is not positive or makes more than 4096 levels, or `first_edge`
        is no such word, above the minimum of the region, or a number without a `bin_width`.

    Notes
    -----
    IBSI: fixed bin number (K15C) and fixed bin size (Q3RU).

    Examples
    --------
    >>> discretise([[0, 5, 10]], levels=2)
    (array([[1, 2, 2]], dtype=uint16), 2)
    >>> discretise([[0, 5, 10]], bin_width=4)
    (array([[1, 2, 3]], dtype=uint16), 3)
    >>> discretise([[3, 4, 10]], bin_width=4, first_edge="pyradiomics")
    (array([[1, 2, 3]], dtype=uint16), 3)
    >>> discretise([[3, 4, 10]], bin_width=4, first_edge=-4)
    (array([[2, 3, 4]], dtype=uint16), 4)
    """
    ndim = np.ndim(image)
    volume = _check.volume(image)
    grey, n_levels = grey_levels(volume, _check.region(mask, volume, ndim), levels, bin_width, first_edge)
    return (grey[0] if ndim == 2 else grey), n_levels


def grey_levels(
    volume: NDArray[Any],
    region: NDArray[np.bool_],
    levels: int,
    bin_width: float | None,
    first_edge: str | float = "ibsi",
    box: Box | None = None,
) -> tuple[NDArray[np.uint16], int]:
    """Do the same for an image and mask that are checked already, or for what lies in a box in them.

    In a box only the dtype of the image need be checked: a value that is NaN or too large raises OutOfRangeError.
    """
    levels = _check.integer("levels", levels, 1, MAX_LEVELS)
    width = None if bin_width is None else _check.positive("bin_width", bin_width)
    first_edge = _first_edge(first_edge, width)
    box = box or whole(volume.shape)
    z_start, z_stop, y_start, y_stop, x_start, x_stop = box
    grey = np.empty((z_stop - z_start, y_stop - y_start, x_stop - x_start), dtype=np.uint16)
    if width is None and levels == 256 and volume.dtype == np.uint8 and first_edge == "ibsi":
        _raw(volume, region, box, grey)
        return grey, 256
    limit = np.uint8(255) if volume.dtype == np.uint8 else _check.LARGEST
    low, high, is_usable = _range(volume, region, box, limit)
    if not is_usable:
        raise OutOfRangeError
    if first_edge == "pyradiomics":
        edges = _edges(float(low), float(high), levels, width)
        _between(volume, region, box, edges, grey)
        return grey, int(np.searchsorted(edges, float(high), side="right"))
    if width is None:
        # the quotient of an 8-bit number is at least 1/255 away from the next level: float32 cannot miss it
        number = np.float32 if volume.dtype == np.uint8 else np.float64
        _fixed_number(volume, region, box, np.array([low, high, levels], dtype=number), grey)
        return grey, levels
    start = float(low) if isinstance(first_edge, str) else first_edge
    if start > low:
        raise ValueError(
            f"first_edge is {start:g}, above the minimum of the region, {low:g}; "
            f"give {low:g} or less, or re-segment the region to what is above {start:g}"
        )
    _check_bins(start, float(high), width)
    _fixed_width(volume, region, box, start, width, grey)
    return grey, int(np.floor((float(high) - start) / width)) + 1


def _first_edge(first_edge: Any, width: float | None) -> str | float:
    """Return a checked `first_edge`, a number as float."""
    if first_edge in ("ibsi", "pyradiomics"):
        return str(first_edge)
    if isinstance(first_edge, bool) or not isinstance(first_edge, Real) or not np.isfinite(float(first_edge)):
        raise ValueError(f"first_edge is {first_edge!r}; give 'ibsi', 'pyradiomics' or a number")
    if width is None:
        raise ValueError(
            f"first_edge is {first_edge!r}, but `levels` bins run from the minimum of the region to its maximum; "
            "give bin_width too, or 'ibsi' or 'pyradiomics'"
        )
    return float(first_edge)


def _check_bins(start: float, high: float, width: float) -> None:
    bins = np.floor((high - start) / width) + 1
    if start + width == start:
        raise ValueError(f"bin_width is {width!r}, which vanishes beside intensities of {start:g}; give more")
    if bins > MAX_LEVELS:
        raise ValueError(
            f"bin_width is {width!r}, which makes {bins:.0f} grey levels of the range {start:g} to {high:g}; "
            f"give at least {(high - start) / MAX_LEVELS:.3g} for {MAX_LEVELS} levels at most"
        )


def _edges(low: float, high: float, levels: int, width: float | None) -> NDArray[np.float64]:
    """Return the edges of the bins as PyRadiomics makes them, every bin closed below and open above."""
    if width is not None:
        start = low - low % width
        _check_bins(start, high, width)
        return np.arange(start, high + 2 * width, width)
    spread = 0.5 if low == high else 0.0
    edges = np.linspace(low - spread, high + spread, levels + 1)
    edges[-1] += 1
    return edges


def whole(shape: tuple[int, ...]) -> Box:
    """Return the box that is all of an image."""
    slices, rows, cols = shape
    return 0, slices, 0, rows, 0, cols


@kernel
def bounds(region: NDArray[np.bool_]) -> Box:
    """Return the first slice, row and column that hold a pixel of the region, and one past the last of each."""
    slices, rows, cols = region.shape
    in_row = np.zeros(rows, np.bool_)
    in_col = np.zeros(cols, np.bool_)
    z_start, z_stop = slices, 0
    for z in range(slices):
        for y in range(rows):
            row = region[z, y]
            touched = False
            for x in range(cols):
                touched |= row[x]
                in_col[x] |= row[x]
            if touched:
                in_row[y] = True
                z_start, z_stop = min(z_start, z), z + 1
    ys, xs = np.flatnonzero(in_row), np.flatnonzero(in_col)
    return z_start, z_stop, ys[0], ys[-1] + 1, xs[0], xs[-1] + 1


@kernel
def _row(array: NDArray[Any], box: Box, z: int, y: int) -> NDArray[Any]:
    """Return a row of what lies in a box."""
    return array[box[0] + z, box[2] + y, box[4] : box[5]]


@kernel
def _range(volume: NDArray[Any], region: NDArray[np.bool_], box: Box, limit: Any) -> tuple[float, float, bool]:
    """Return the least and the greatest value of a region, and whether the box around it lies within ± `limit`.

    Many columns are looked at side by side, so that it is vectorised.
    """
    slices, rows, cols = box[1] - box[0], box[3] - box[2], box[5] - box[4]
    everywhere, all_inside = region.size == 0, np.ones(cols, np.bool_)
    z, y, x = box[0], box[2], box[4]
    while not everywhere and not region[z, y, x]:
        x += 1
        if x == box[5]:
            x, y = box[4], y + 1
        if y == box[3]:
            y, z = box[2], z + 1
    some = volume[z, y, x]
    one = volume.dtype.type(1)
    lows = np.full(min(cols, 256), some)
    highs, beyond = lows.copy(), np.zeros_like(lows)
    for z in range(slices):
        for y in range(rows):
            row = _row(volume, box, z, y)
            inside_row = all_inside if everywhere else _row(region, box, z, y)
            for start in range(0, cols, 256):
                values, inside = row[start : start + 256], inside_row[start : start + 256]
                for x in range(values.size):
                    value = values[x]
                    beyond[x] = beyond[x] if abs(value) <= limit else one
                    value = value if inside[x] else some
                    lows[x] = value if value < lows[x] else lows[x]
                    highs[x] = value if value > highs[x] else highs[x]
    low = high = some
    for x in range(lows.size):
        low, high = min(low, lows[x]), max(high, highs[x])
    return low, high, not beyond.any()


@kernel
def _raw(volume: NDArray[Any], region: NDArray[np.bool_], box: Box, grey: NDArray[np.uint16]) -> None:
    everywhere, all_inside = region.size == 0, np.ones(grey.shape[2], np.bool_)
    for z in range(grey.shape[0]):
        for y in range(grey.shape[1]):
            values, out = _row(volume, box, z, y), grey[z, y]
            inside = all_inside if everywhere else _row(region, box, z, y)
            for x in range(out.size):
                out[x] = np.uint16(values[x]) + np.uint16(1) if inside[x] else np.uint16(0)


@kernel
def _fixed_number(
    volume: NDArray[Any], region: NDArray[np.bool_], box: Box, scale: NDArray[Any], grey: NDArray[np.uint16]
) -> None:
    """Fill `grey`; `scale` holds the least value, the greatest, and the number of levels."""
    number = scale.dtype.type
    everywhere, all_inside = region.size == 0, np.ones(grey.shape[2], np.bool_)
    low, levels = scale[0], scale[2]
    extent = scale[1] - low if scale[1] > low else number(np.inf)
    for z in range(grey.shape[0]):
        for y in range(grey.shape[1]):
            values, out = _row(volume, box, z, y), grey[z, y]
            inside = all_inside if everywhere else _row(region, box, z, y)
            for x in range(out.size):
                level = np.floor(levels * (number(values[x]) - low) / extent) + number(1)
                level = level if level < levels else levels
                out[x] = np.uint16(np.int32(level if inside[x] else number(0)))


@kernel
def _fixed_width(
    volume: NDArray[Any],
    region: NDArray[np.bool_],
    box: Box,
    low: float,
    width: float,
    grey: NDArray[np.uint16],
) -> None:
    everywhere, all_inside = region.size == 0, np.ones(grey.shape[2], np.bool_)
    for z in range(grey.shape[0]):
        for y in range(grey.shape[1]):
            values, out = _row(volume, box, z, y), grey[z, y]
            inside = all_inside if everywhere else _row(region, box, z, y)
            for x in range(out.size):
                out[x] = int(np.floor((values[x] - low) / width)) + 1 if inside[x] else 0


@kernel
def _between(
    volume: NDArray[Any],
    region: NDArray[np.bool_],
    box: Box,
    edges: NDArray[np.float64],
    grey: NDArray[np.uint16],
) -> None:
    """Fill `grey` with how many edges are not above each value: guessed by division, then corrected."""
    everywhere, all_inside = region.size == 0, np.ones(grey.shape[2], np.bool_)
    last = edges.size - 1
    width = edges[1] - edges[0]
    for z in range(grey.shape[0]):
        for y in range(grey.shape[1]):
            values, out = _row(volume, box, z, y), grey[z, y]
            inside = all_inside if everywhere else _row(region, box, z, y)
            for x in range(out.size):
                value, level = float(values[x]), 0
                if inside[x]:
                    level = min(int((value - edges[0]) / width) + 1, last) if width > 0 else 0
                    while level < last and value >= edges[level]:
                        level += 1
                    while value < edges[level - 1]:
                        level -= 1
                out[x] = level
