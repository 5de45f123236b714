"""Convolution along one axis of a volume: what separable filters are made of."""

import numpy as np
from numpy.typing import NDArray

from tumortrace._numba import kernel

_BLOCK = 512  # voxels of a row at a time: they stay in the cache while the taps of a kernel pass over them


def convolve_axis(
    volume: NDArray[np.float64], axis: int, taps: NDArray[np.float64], source: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return Σ_k taps[k + r] · f[i − k] along an axis, for 2r + 1 taps.

    Parameters
    ----------
    volume : ndarray, shape (slices, rows, cols)
        C-contiguous.
    axis : int
        0, 1 or 2.
    taps : ndarray, shape (2r + 1,)
        Zeros among them cost nothing.
    source : ndarray, shape (n + 2r,)
        For −r … n + r − 1, the voxel of the line that is seen there; −1 is a zero.
    """
    out = np.zeros(volume.shape)
    used = np.flatnonzero(taps)
    offsets = len(taps) - 1 - used
    if axis == 2:
        _lines(
            volume.reshape(-1, 1, volume.shape[2]), taps[used], offsets, source, out.reshape(-1, 1, volume.shape[2])
        )
    else:
        shape = (1, volume.shape[0], -1) if axis == 0 else volume.shape
        _rows(volume.reshape(shape), taps[used], offsets, source, out.reshape(shape))
    return out


@kernel
def _rows(
    volume: NDArray[np.float64],
    weights: NDArray[np.float64],
    offsets: NDArray[np.intp],
    source: NDArray[np.intp],
    out: NDArray[np.float64],
) -> None:
    """Convolve along the middle axis."""
    outer, n, inner = volume.shape
    for o in range(outer):
        for start in range(0, inner, _BLOCK):
            stop = min(start + _BLOCK, inner)
            for i in range(n):
                for t in range(len(weights)):
                    j = source[i + offsets[t]]
                    if j >= 0:
                        weight = weights[t]
                        for c in range(start, stop):
                            out[o, i, c] += weight * volume[o, j, c]


@kernel
def _lines(
    volume: NDArray[np.float64],
    weights: NDArray[np.float64],
    offsets: NDArray[np.intp],
    source: NDArray[np.intp],
    out: NDArray[np.float64],
) -> None:
    """Convolve along the last axis."""
    n = volume.shape[2]
    extended = np.zeros(len(source))
    for o in range(volume.shape[0]):
        for m in range(len(source)):
            if source[m] >= 0:
                extended[m] = volume[o, 0, source[m]]
        for t in range(len(weights)):
            weight, offset = weights[t], offsets[t]
            for i in range(n):
                out[o, 0, i] += weight * extended[i + offset]
