"""Resizing a box of an image to a fixed number of pixels, in float64.

Along each axis on its own: the mean over the area of the new pixel where it shrinks, linear between pixel centres
where it grows. OpenCV calls that INTER_AREA and INTER_LINEAR, but its weights are float32: a flat patch of value
200 comes out varying by 1e-5, which the block normalisation of HOG would blow up into a pattern. Nor need OpenCV
be loaded, which takes a tenth of a second.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumortrace._numba import kernel


def resize(
    volume: NDArray[Any], slices: NDArray[np.int64], box: tuple[int, int, int, int], size: tuple[int, int]
) -> NDArray[np.float64]:
    """Return ``(top, left, rows, cols)`` of the given slices, each resized to `size`."""
    top, left, rows, cols = box
    if (rows, cols) == size:
        return volume[slices, top : top + rows, left : left + cols].astype(np.float64)
    resized = np.empty((slices.size, *size))
    _resize(volume, slices, *box, resized)
    return resized


@kernel
def _weights(n_old: int, n_new: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return for each new pixel the first old pixel it sees, and the weights of this one and those after it."""
    shrinks = n_new < n_old
    taps = min(n_old, n_old // n_new + 2 if shrinks else 2)
    first = np.empty(n_new, np.int64)
    weights = np.empty((n_new, taps))
    for i in range(n_new):
        low, high = i * n_old / n_new, (i + 1) * n_old / n_new
        centre = min(max((low + high) / 2 - 0.5, 0.0), n_old - 1.0)
        first[i] = min(int(low if shrinks else centre), n_old - taps)
        for k in range(taps):
            old = first[i] + k
            if shrinks:
                weights[i, k] = max(min(high, old + 1.0) - max(low, float(old)), 0.0) * n_new / n_old
            else:
                weights[i, k] = max(1 - abs(centre - old), 0.0)
    return first, weights


@kernel
def _resize(
    volume: NDArray[Any],
    slices: NDArray[np.int64],
    top: int,
    left: int,
    rows: int,
    cols: int,
    resized: NDArray[np.float64],
) -> None:
    """Add weighted differences to the first pixel seen: a flat patch stays flat to the last bit."""
    first_row, row_weights = _weights(rows, resized.shape[1])
    first_col, col_weights = _weights(cols, resized.shape[2])
    line = np.empty(cols)
    for z in range(slices.size):
        box = volume[slices[z], top : top + rows, left : left + cols]
        _, exponent = math.frexp(max(float(box.max()), -float(box.min())))
        unit = math.ldexp(1.0, max(exponent, -900) - 44)
        for i in range(resized.shape[1]):
            start = volume[slices[z], top + first_row[i]]
            for x in range(cols):
                line[x] = start[left + x]
            for k in range(1, row_weights.shape[1]):
                source, weight = volume[slices[z], top + first_row[i] + k], row_weights[i, k]
                for x in range(cols):
                    line[x] += weight * (np.float64(source[left + x]) - np.float64(start[left + x]))
            for j in range(resized.shape[2]):
                origin = value = line[first_col[j]]
                for k in range(1, col_weights.shape[1]):
                    value += col_weights[j, k] * (line[first_col[j] + k] - origin)
                resized[z, i, j] = np.rint(value / unit) * unit
