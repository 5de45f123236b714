"""MVM-LBP: neighbours against the mean, the standard deviation and the median of their window.

Reference: Arora, Sucharitha, Sharma 2023, MVM-LBP: mean−variance−median based LBP for face recognition,
https://doi.org/10.1007/s41870-023-01204-y.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace._numba import kernel
from tumortrace.features import _patterns
from tumortrace.features._vector import FeatureVector

_PREFIXES = {"threshold": ("",), "concatenate": ("mean_", "median_", "variance_")}
_SIZE = 3
_CHUNK = 8192  # pixels at a time: their scratch stays in the caches


def mvm_lbp(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    spacing: Sequence[float] | None = None,
    combine: str = "threshold",
    bins: str = "uniform",
) -> FeatureVector:
    """Return the histogram of MVM-LBP codes.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype. A volume is coded slice by slice and its codes are counted together.
    mask : array_like, same shape, optional
        Non-zero is inside. A 3×3 window counts where its centre is inside; it may reach out of the mask, not out of
        the image.
    spacing : sequence of float, optional
        Accepted by every extractor; the pattern is one of pixels, so it has no effect here.
    combine : {"threshold", "concatenate"}, default "threshold"
        One pattern against the mean of the three statistics, or three patterns; see `mvm_lbp_codes`.
    bins : {"uniform", "all"}, default "uniform"
        The 58 uniform codes and one bin for the others, or all 256.

    Returns
    -------
    FeatureVector
        Shares in [0, 1] that add up to 1: ``code_0``, …, ``code_255`` and, with uniform bins, ``nonuniform``.
        ``combine="concatenate"`` gives three such histograms, prefixed ``mean_``, ``median_`` and ``variance_``.
        NaN, with a reason, where no full window is inside.

    Raises
    ------
    ValueError
        If `combine` or `bins` is none of the above.

    Notes
    -----
    Not an IBSI feature. The default pattern is not invariant to a shift of intensity: where intensities are high
    beside their spread, T is about two thirds of them, every neighbour lies above it, and the code is 255: nearly
    half of the pixels (48.7 %) of the lesion crops of BreastDM. ``combine="concatenate"`` is invariant.

    Examples
    --------
    >>> v = mvm_lbp([[1, 2, 9], [1, 2, 9], [1, 2, 9]])
    >>> {name: share for name, share in v.to_dict().items() if share}
    {'code_131': 1.0}
    >>> len(v), len(mvm_lbp([[0]], combine="concatenate", bins="all"))
    (59, 768)
    """
    ndim = np.ndim(image)
    volume = _check.volume(image)
    region = _check.region(mask, volume, ndim)
    _check.spacing(spacing, ndim)
    _check.one_of("bins", bins, _patterns.BINS)
    volume, region = _patterns.crop(volume, region, _SIZE // 2)
    codes = _codes(volume, combine)
    return _patterns.histograms(codes, region, _PREFIXES[combine], bins, _SIZE)


def mvm_lbp_codes(image: ArrayLike, *, combine: str = "threshold") -> NDArray[np.uint8]:
    """Return the MVM-LBP code of every pixel that has eight neighbours.

    With mean, standard deviation (population) and median of the nine pixels of a 3×3 window, bit p of the code of
    its centre is 1 where neighbour p fulfils:

    - ``combine="threshold"``: neighbour ≥ T = (mean + standard deviation + median) / 3;
    - ``combine="concatenate"``: three codes, neighbour ≥ mean; neighbour ≥ median; (neighbour − mean)² ≥ variance.

    Bit p weighs ``2**p``; p runs counter-clockwise from the right: right, upper right, up, upper left, left, lower
    left, down, lower right.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype. A volume is coded slice by slice.
    combine : {"threshold", "concatenate"}, default "threshold"
        One code per pixel, or three.

    Returns
    -------
    ndarray of uint8, shape (rows − 2, cols − 2) or (slices, rows − 2, cols − 2)
        Code [r, c] belongs to pixel (r + 1, c + 1). With ``combine="concatenate"`` a first axis of three is added:
        mean, median, variance. An image of fewer than three rows or columns has no code: that axis is empty.

    Raises
    ------
    ValueError
        If `combine` is none of the above.

    Notes
    -----
    Comparisons are exact for whole numbers up to ``2**20`` in magnitude, ties included, in every dtype.

    Examples
    --------
    The mean is 4, the standard deviation 3.56 and the median 2, so T is 3.19 and the right column lies above it:

    >>> mvm_lbp_codes([[1, 2, 9], [1, 2, 9], [1, 2, 9]])
    array([[131]], dtype=uint8)
    >>> mvm_lbp_codes([[1, 2, 9], [1, 2, 9], [1, 2, 9]], combine="concatenate").ravel()
    array([131, 199, 131], dtype=uint8)
    """
    codes = _codes(_check.volume(image), combine)
    if np.ndim(image) == 2:
        codes = codes[:, 0]
    return codes[0] if combine == "threshold" else codes


def _codes(volume: NDArray[Any], combine: str) -> NDArray[np.uint8]:
    patterns = len(_PREFIXES[_check.one_of("combine", combine, tuple(_PREFIXES))])
    slices, rows, cols = volume.shape
    codes = np.empty((patterns, slices, max(rows - 2, 0), max(cols - 2, 0)), dtype=np.uint8)
    if codes.size:
        (_code_integers if volume.dtype == np.uint8 else _code_floats)(volume, codes)
    return codes


@kernel
def _code_integers(volume: NDArray[np.uint8], codes: NDArray[np.uint8]) -> None:
    """Code a few rows at a time, as one line of windows: window i has its upper left pixel at ``top[i]``.

    Thresholds are rounded up to the next whole number, which leaves every comparison as it was, and compared in 8
    bits. With the sum s and the sum of squares q of the nine pixels, 9 · standard deviation = √(9q − s²). What is
    under the root is below 2**24, where float32 holds every whole number, and the root is whole in float32 only
    where it truly is, so rounding up never errs.
    """
    slices, rows, cols = volume.shape
    height = max(1, _CHUNK // cols)
    size = height * cols
    low, center, high = np.empty(size, np.uint8), np.empty(size, np.uint8), np.empty(size, np.uint8)
    median, threshold, chunk = np.empty(size, np.uint8), np.empty(size, np.uint8), np.empty(size, np.uint8)
    sums, roots = np.empty(size, np.int16), np.empty(size, np.int32)
    lower, upper = np.empty(size, np.int16), np.empty(size, np.int16)
    for z in range(slices):
        pixels = volume[z].ravel()
        for first in range(0, rows - 2, height):
            n = min(height, rows - 2 - first) * cols
            top, middle, bottom = _lines(pixels, first * cols, n, cols)
            _medians(top, middle, bottom, low, center, high, median)
            for i in range(n):
                sums[i] = np.int16(top[i]) + np.int16(middle[i]) + np.int16(bottom[i])
            for i in range(n - 2):
                sums[i] = sums[i] + sums[i + 1] + sums[i + 2]
            for i in range(n):
                a, b, c = np.int32(top[i]), np.int32(middle[i]), np.int32(bottom[i])
                roots[i] = a * a + b * b + c * c
            for i in range(n - 2):
                s = np.int32(sums[i])
                squared = np.int32(9 * (roots[i] + roots[i + 1] + roots[i + 2]) - s * s)
                roots[i] = np.int32(np.ceil(np.sqrt(np.float32(squared))))
            if codes.shape[0] == 1:
                for i in range(n - 2):
                    total = np.int32(np.int32(sums[i]) + 9 * np.int32(median[i]) + roots[i])
                    threshold[i] = np.uint8(np.int32((np.float32(total) + np.float32(26.5)) * np.float32(1 / 27)))
                _at_least(top, middle, bottom, threshold, chunk, codes[0, z, first:])
                continue
            for i in range(n - 2):
                nine_means, root = np.float32(sums[i]), np.float32(roots[i])
                threshold[i] = np.uint8(np.int32((nine_means + np.float32(8.5)) * np.float32(1 / 9)))
                lower[i] = np.int16(np.floor((nine_means - root + np.float32(0.5)) * np.float32(1 / 9)))
                upper[i] = np.int16(np.floor((nine_means + root + np.float32(8.5)) * np.float32(1 / 9)))
            _at_least(top, middle, bottom, threshold, chunk, codes[0, z, first:])
            _at_least(top, middle, bottom, median, chunk, codes[1, z, first:])
            _outside(top, middle, bottom, lower, upper, chunk, codes[2, z, first:])


@kernel
def _code_floats(volume: NDArray[np.float64], codes: NDArray[np.uint8]) -> None:
    """Do the same in float64, with sums of differences from the centre, so that a constant window stays exact."""
    slices, rows, cols = volume.shape
    height = max(1, _CHUNK // cols)
    size = height * cols
    low, center, high = np.empty(size), np.empty(size), np.empty(size)
    median, threshold, chunk = np.empty(size), np.empty(size), np.empty(size, np.uint8)
    sums, roots = np.empty(size), np.empty(size)
    for z in range(slices):
        pixels = volume[z].ravel()
        for first in range(0, rows - 2, height):
            n = min(height, rows - 2 - first) * cols
            top, middle, bottom = _lines(pixels, first * cols, n, cols)
            _medians(top, middle, bottom, low, center, high, median)
            for i in range(n - 2):
                c = middle[i + 1]
                a0, a1, a2 = top[i] - c, top[i + 1] - c, top[i + 2] - c
                b0, b2 = middle[i] - c, middle[i + 2] - c
                c0, c1, c2 = bottom[i] - c, bottom[i + 1] - c, bottom[i + 2] - c
                s = ((a0 + a1) + (a2 + b0)) + ((b2 + c0) + (c1 + c2))
                q = ((a0 * a0 + a1 * a1) + (a2 * a2 + b0 * b0)) + ((b2 * b2 + c0 * c0) + (c1 * c1 + c2 * c2))
                sums[i] = s
                roots[i] = np.sqrt(max(9 * q - s * s, 0.0))
            if codes.shape[0] == 1:
                for i in range(n - 2):
                    threshold[i] = (9 * middle[i + 1] + sums[i] + 9 * median[i] + roots[i]) / 27
                _at_least(top, middle, bottom, threshold, chunk, codes[0, z, first:])
                continue
            lower, upper = low, high
            for i in range(n - 2):
                threshold[i] = middle[i + 1] + sums[i] / 9
                lower[i] = middle[i + 1] + (sums[i] - roots[i]) / 9
                upper[i] = middle[i + 1] + (sums[i] + roots[i]) / 9
            _at_least(top, middle, bottom, threshold, chunk, codes[0, z, first:])
            _at_least(top, middle, bottom, median, chunk, codes[1, z, first:])
            _outside(top, middle, bottom, lower, upper, chunk, codes[2, z, first:])


@kernel
def _lines(pixels: NDArray[Any], start: int, n: int, cols: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    below = start + cols
    return pixels[start : start + n], pixels[below : below + n], pixels[below + cols : below + cols + n]


@kernel
def _medians(
    top: NDArray[Any],
    middle: NDArray[Any],
    bottom: NDArray[Any],
    low: NDArray[Any],
    center: NDArray[Any],
    high: NDArray[Any],
    median: NDArray[Any],
) -> None:
    """Sort each column of three once; the median of nine is that of the highest low, middle median, lowest high."""
    n = top.size
    for i in range(n):
        low[i] = min(min(top[i], middle[i]), bottom[i])
        high[i] = max(max(top[i], middle[i]), bottom[i])
    for i in range(n):
        center[i] = max(min(top[i], middle[i]), min(max(top[i], middle[i]), bottom[i]))
    for i in range(n - 2):
        lowest = max(max(low[i], low[i + 1]), low[i + 2])
        highest = min(min(high[i], high[i + 1]), high[i + 2])
        between = max(min(center[i], center[i + 1]), min(max(center[i], center[i + 1]), center[i + 2]))
        median[i] = max(min(lowest, highest), min(max(lowest, highest), between))


@kernel
def _at_least(
    top: NDArray[Any],
    middle: NDArray[Any],
    bottom: NDArray[Any],
    threshold: NDArray[Any],
    chunk: NDArray[np.uint8],
    codes: NDArray[np.uint8],
) -> None:
    for i in range(top.size - 2):
        t = threshold[i]
        chunk[i] = (
            np.uint8(middle[i + 2] >= t)
            | np.uint8(top[i + 2] >= t) << 1
            | np.uint8(top[i + 1] >= t) << 2
            | np.uint8(top[i] >= t) << 3
            | np.uint8(middle[i] >= t) << 4
            | np.uint8(bottom[i] >= t) << 5
            | np.uint8(bottom[i + 1] >= t) << 6
            | np.uint8(bottom[i + 2] >= t) << 7
        )
    _copy(chunk, top.size, codes)


@kernel
def _outside(
    top: NDArray[Any],
    middle: NDArray[Any],
    bottom: NDArray[Any],
    lower: NDArray[Any],
    upper: NDArray[Any],
    chunk: NDArray[np.uint8],
    codes: NDArray[np.uint8],
) -> None:
    for i in range(top.size - 2):
        low, high = lower[i], upper[i]
        chunk[i] = (
            np.uint8((middle[i + 2] <= low) | (middle[i + 2] >= high))
            | np.uint8((top[i + 2] <= low) | (top[i + 2] >= high)) << 1
            | np.uint8((top[i + 1] <= low) | (top[i + 1] >= high)) << 2
            | np.uint8((top[i] <= low) | (top[i] >= high)) << 3
            | np.uint8((middle[i] <= low) | (middle[i] >= high)) << 4
            | np.uint8((bottom[i] <= low) | (bottom[i] >= high)) << 5
            | np.uint8((bottom[i + 1] <= low) | (bottom[i + 1] >= high)) << 6
            | np.uint8((bottom[i + 2] <= low) | (bottom[i + 2] >= high)) << 7
        )
    _copy(chunk, top.size, codes)


@kernel
def _copy(chunk: NDArray[np.uint8], n: int, codes: NDArray[np.uint8]) -> None:
    """Copy the first `n` codes, rows of two more columns than there are windows in a row."""
    cols = codes.shape[1] + 2
    for r in range(n // cols):
        for c in range(cols - 2):
            codes[r, c] = chunk[r * cols + c]
