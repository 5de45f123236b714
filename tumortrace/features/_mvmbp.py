"""MVMBP: which neighbours of a pixel exceed the mean of their own neighbours.

The operator is the one of the report from which the project grew; no publication of it was found.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace._numba import kernel
from tumortrace.features import _patterns
from tumortrace.features._vector import FeatureVector

_SIZE = 5
_CHUNK = 16384  # pixels at a time: their scratch stays in the caches, and two more rows of bits cost little


def mvmbp(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    spacing: Sequence[float] | None = None,
    bins: str = "uniform",
) -> FeatureVector:
    """Return the histogram of MVMBP codes.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype. A volume is coded slice by slice and its codes are counted together.
    mask : array_like, same shape, optional
        Non-zero is inside. A 5×5 window counts where its centre is inside; it may reach out of the mask, not out of
        the image.
    spacing : sequence of float, optional
        Accepted by every extractor; the pattern is one of pixels, so it has no effect here.
    bins : {"uniform", "all"}, default "uniform"
        The 58 uniform codes and one bin for the others, or all 256.

    Returns
    -------
    FeatureVector
        Shares in [0, 1] that add up to 1: ``code_0``, …, ``code_255`` and, with uniform bins, ``nonuniform``. NaN,
        with a reason, where no full window is inside.

    Raises
    ------
    ValueError
        If `bins` is none of the above.

    Notes
    -----
    Not an IBSI feature. It does not change where intensities are shifted, or multiplied by a positive number.

    Examples
    --------
    One bright pixel exceeds its neighbours; here it lies to the left of the centre of the only window:

    >>> image = np.zeros((5, 5))
    >>> image[2, 1] = 7
    >>> v = mvmbp(image)
    >>> {name: share for name, share in v.to_dict().items() if share}
    {'code_16': 1.0}
    """
    ndim = np.ndim(image)
    volume = _check.volume(image)
    region = _check.region(mask, volume, ndim)
    _check.spacing(spacing, ndim)
    _check.one_of("bins", bins, _patterns.BINS)
    volume, region = _patterns.crop(volume, region, _SIZE // 2)
    return _patterns.histograms(_codes(volume)[np.newaxis], region, ("",), bins, _SIZE)


def mvmbp_codes(image: ArrayLike) -> NDArray[np.uint8]:
    """Return the MVMBP code of every pixel whose eight neighbours have eight neighbours each.

    A pixel is 1 where it exceeds the mean of its eight neighbours, else 0; the code of a pixel is the ring of those
    bits around it. Bit p weighs ``2**p``; p runs counter-clockwise from the right: right, upper right, up, upper
    left, left, lower left, down, lower right.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype. A volume is coded slice by slice.

    Returns
    -------
    ndarray of uint8, shape (rows − 4, cols − 4) or (slices, rows − 4, cols − 4)
        Code [r, c] belongs to pixel (r + 2, c + 2). An image of fewer than five rows or columns has no code: that
        axis is empty.

    Notes
    -----
    Comparisons are exact for whole numbers up to ``2**48`` in magnitude, ties included, in every dtype.

    Examples
    --------
    >>> image = np.zeros((5, 6))
    >>> image[2, 2] = 7
    >>> mvmbp_codes(image)
    array([[ 0, 16]], dtype=uint8)
    """
    codes = _codes(_check.volume(image))
    return codes[0] if np.ndim(image) == 2 else codes


def _codes(volume: NDArray[Any]) -> NDArray[np.uint8]:
    slices, rows, cols = volume.shape
    codes = np.empty((slices, max(rows - 4, 0), max(cols - 4, 0)), dtype=np.uint8)
    if codes.size:
        _code_slices(volume, codes)
    return codes


@kernel
def _code_slices(volume: NDArray[Any], codes: NDArray[np.uint8]) -> None:
    """Code a few rows at a time, each number of a row at the place of the upper left pixel of its window.

    The last two bits and the last four codes of each row straddle its end; they are computed with the others and
    not copied.
    """
    slices, rows, cols = volume.shape
    height = max(1, _CHUNK // cols)
    bits = np.empty((height + 2) * cols, dtype=np.uint8)
    sums = np.empty((height + 2) * cols, dtype=np.int16)
    chunk = np.empty(height * cols, dtype=np.uint8)
    for z in range(slices):
        pixels = volume[z].ravel()
        for first in range(0, rows - 4, height):
            n_rows = min(height, rows - 4 - first)
            start, n = first * cols, (n_rows + 2) * cols
            top = pixels[start : start + n]
            middle = pixels[start + cols : start + cols + n]
            bottom = pixels[start + 2 * cols : start + 2 * cols + n]
            if volume.itemsize == 1:
                _exceed_integers(top, middle, bottom, sums, bits)
            else:
                _exceed_floats(top, middle, bottom, bits)
            n = n_rows * cols
            _ring(bits[:n], bits[cols : cols + n], bits[2 * cols : 2 * cols + n], chunk)
            for r in range(n_rows):
                for c in range(cols - 4):
                    codes[z, first + r, c] = chunk[r * cols + c]


@kernel
def _exceed_integers(
    top: NDArray[np.uint8],
    middle: NDArray[np.uint8],
    bottom: NDArray[np.uint8],
    sums: NDArray[np.int16],
    bits: NDArray[np.uint8],
) -> None:
    """Compare nine times the centre with the sum of all nine pixels, in 16 bits throughout."""
    for i in range(top.size):
        sums[i] = np.int16(top[i]) + np.int16(middle[i]) + np.int16(bottom[i])
    for i in range(top.size - 2):
        nine_means = np.int16(sums[i] + sums[i + 1] + sums[i + 2])
        bits[i] = np.int16(9 * np.int16(middle[i + 1])) > nine_means


@kernel
def _exceed_floats(
    top: NDArray[np.float64], middle: NDArray[np.float64], bottom: NDArray[np.float64], bits: NDArray[np.uint8]
) -> None:
    """Add up differences from the centre, so that a constant window stays exact."""
    for i in range(top.size - 2):
        c = middle[i + 1]
        above = (top[i] - c) + (top[i + 1] - c) + (top[i + 2] - c)
        beside = (middle[i] - c) + (middle[i + 2] - c)
        below = (bottom[i] - c) + (bottom[i + 1] - c) + (bottom[i + 2] - c)
        bits[i] = above + beside + below < 0


@kernel
def _ring(
    top: NDArray[np.uint8], middle: NDArray[np.uint8], bottom: NDArray[np.uint8], codes: NDArray[np.uint8]
) -> None:
    for i in range(top.size - 2):
        codes[i] = (
            middle[i + 2]
            | top[i + 2] << 1
            | top[i + 1] << 2
            | top[i] << 3
            | middle[i] << 4
            | bottom[i] << 5
            | bottom[i + 1] << 6
            | bottom[i + 2] << 7
        )
