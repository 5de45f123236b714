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
_CHUNK = 2048  # pixels at a time: their scratch stays in the first cache


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
    beside their spread, T is about two thirds of them, every neighbour lies above it, and the code is 255.
    ``combine="concatenate"`` is invariant.

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
        _code_slices(volume, codes)
    return codes


@kernel
def _code_slices(volume: NDArray[Any], codes: NDArray[np.uint8]) -> None:
    """Code a few rows at a time, as one line of windows: window i has its upper left pixel at ``top[i]``.

    The last two windows of each row straddle its end; they are computed with the others and not copied.
    """
    slices, rows, cols = volume.shape
    height = max(1, _CHUNK // cols)
    size = height * cols
    median = np.empty(size, dtype=volume.dtype)
    # One array each: rows of one array could overlap for all the compiler knows, which would cost its wide loops.
    scratch = np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    chunk = np.empty((codes.shape[0], size), dtype=np.uint8)
    for z in range(slices):
        pixels = volume[z].ravel()
        for first in range(0, rows - 2, height):
            n_rows = min(height, rows - 2 - first)
            start, n = first * cols, n_rows * cols
            top = pixels[start : start + n]
            middle = pixels[start + cols : start + cols + n]
            bottom = pixels[start + 2 * cols : start + 2 * cols + n]
            _medians(top, middle, bottom, scratch, median)
            if volume.itemsize == 1:
                _code_integers(top, middle, bottom, median, scratch, chunk)
            else:
                _code_floats(top, middle, bottom, median, scratch, chunk)
            for p in range(codes.shape[0]):
                for r in range(n_rows):
                    for c in range(cols - 2):
                        codes[p, z, first + r, c] = chunk[p, r * cols + c]


@kernel
def _medians(
    top: NDArray[Any],
    middle: NDArray[Any],
    bottom: NDArray[Any],
    scratch: tuple[NDArray[np.float64], ...],
    median: NDArray[Any],
) -> None:
    """Sort each column of three once; the median of nine is that of the highest low, middle median, lowest high."""
    n = top.size
    low, center, high = scratch[0].view(top.dtype), scratch[1].view(top.dtype), scratch[2].view(top.dtype)
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
def _code_integers(
    top: NDArray[np.uint8],
    middle: NDArray[np.uint8],
    bottom: NDArray[np.uint8],
    median: NDArray[np.uint8],
    scratch: tuple[NDArray[np.float64], ...],
    chunk: NDArray[np.uint8],
) -> None:
    """Round thresholds up to the next whole number, which leaves every comparison as it was, and compare in 8 bits.

    With the sum s and the sum of squares q of the nine pixels, 9 · standard deviation = √(9q − s²). What is under
    the root is below 2**24, where float32 holds every whole number, and the root is whole in float32 only where it
    truly is, so rounding up never errs.
    """
    n = top.size
    sums, roots, threshold = scratch[0].view(np.int16), scratch[1].view(np.int32), scratch[2].view(np.uint8)
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
    if chunk.shape[0] == 1:
        for i in range(n - 2):
            total = np.int32(np.int32(sums[i]) + 9 * np.int32(median[i]) + roots[i])
            threshold[i] = np.uint8(np.int32((np.float32(total) + np.float32(26.5)) * np.float32(1 / 27)))
        _at_least(top, middle, bottom, threshold, chunk[0])
        return
    for i in range(n - 2):
        threshold[i] = np.uint8(np.int32((np.float32(sums[i]) + np.float32(8.5)) * np.float32(1 / 9)))
    _at_least(top, middle, bottom, threshold, chunk[0])
    _at_least(top, middle, bottom, median, chunk[1])
    lower, upper = scratch[2].view(np.int16), scratch[3].view(np.int16)
    for i in range(n - 2):
        nine_means, root = np.float32(sums[i]), np.float32(roots[i])
        lower[i] = np.int16(np.floor((nine_means - root + np.float32(0.5)) * np.float32(1 / 9)))
        upper[i] = np.int16(np.floor((nine_means + root + np.float32(8.5)) * np.float32(1 / 9)))
    _outside(top, middle, bottom, lower, upper, chunk[2])


@kernel
def _code_floats(
    top: NDArray[np.float64],
    middle: NDArray[np.float64],
    bottom: NDArray[np.float64],
    median: NDArray[np.float64],
    scratch: tuple[NDArray[np.float64], ...],
    chunk: NDArray[np.uint8],
) -> None:
    """Do the same in float64, with sums of differences from the centre, so that a constant window stays exact."""
    n = top.size
    sums, roots, lower, upper = scratch
    for i in range(n - 2):
        c = middle[i + 1]
        a0, a1, a2 = top[i] - c, top[i + 1] - c, top[i + 2] - c
        b0, b2 = middle[i] - c, middle[i + 2] - c
        c0, c1, c2 = bottom[i] - c, bottom[i + 1] - c, bottom[i + 2] - c
        s = ((a0 + a1) + (a2 + b0)) + ((b2 + c0) + (c1 + c2))
        q = ((a0 * a0 + a1 * a1) + (a2 * a2 + b0 * b0)) + ((b2 * b2 + c0 * c0) + (c1 * c1 + c2 * c2))
        sums[i] = s
        roots[i] = np.sqrt(max(9 * q - s * s, 0.0))
    if chunk.shape[0] == 1:
        for i in range(n - 2):
            lower[i] = (9 * middle[i + 1] + sums[i] + 9 * median[i] + roots[i]) / 27
        _at_least(top, middle, bottom, lower, chunk[0])
        return
    for i in range(n - 2):
        lower[i] = middle[i + 1] + sums[i] / 9
    _at_least(top, middle, bottom, lower, chunk[0])
    _at_least(top, middle, bottom, median, chunk[1])
    for i in range(n - 2):
        lower[i] = middle[i + 1] + (sums[i] - roots[i]) / 9
        upper[i] = middle[i + 1] + (sums[i] + roots[i]) / 9
    _outside(top, middle, bottom, lower, upper, chunk[2])


@kernel
def _at_least(
    top: NDArray[Any], middle: NDArray[Any], bottom: NDArray[Any], threshold: NDArray[Any], codes: NDArray[np.uint8]
) -> None:
    for i in range(top.size - 2):
        t = threshold[i]
        codes[i] = (
            np.uint8(middle[i + 2] >= t)
            | np.uint8(top[i + 2] >= t) << 1
            | np.uint8(top[i + 1] >= t) << 2
            | np.uint8(top[i] >= t) << 3
            | np.uint8(middle[i] >= t) << 4
            | np.uint8(bottom[i] >= t) << 5
            | np.uint8(bottom[i + 1] >= t) << 6
            | np.uint8(bottom[i + 2] >= t) << 7
        )


@kernel
def _outside(
    top: NDArray[Any],
    middle: NDArray[Any],
    bottom: NDArray[Any],
    lower: NDArray[Any],
    upper: NDArray[Any],
    codes: NDArray[np.uint8],
) -> None:
    for i in range(top.size - 2):
        low, high = lower[i], upper[i]
        codes[i] = (
            np.uint8((middle[i + 2] <= low) | (middle[i + 2] >= high))
            | np.uint8((top[i + 2] <= low) | (top[i + 2] >= high)) << 1
            | np.uint8((top[i + 1] <= low) | (top[i + 1] >= high)) << 2
            | np.uint8((top[i] <= low) | (top[i] >= high)) << 3
            | np.uint8((middle[i] <= low) | (middle[i] >= high)) << 4
            | np.uint8((bottom[i] <= low) | (bottom[i] >= high)) << 5
            | np.uint8((bottom[i + 1] <= low) | (bottom[i + 1] >= high)) << 6
            | np.uint8((bottom[i + 2] <= low) | (bottom[i + 2] >= high)) << 7
        )
