"""Convolution and running means along one axis of a volume: what separable filters are made of."""

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
    used = np.flatnonzero(taps)
    # four taps are added up at a time; zeros fill the last four
    weights = np.zeros(max(-(-len(used) // 4), 1) * 4)
    weights[: len(used)] = taps[used]
    offsets = np.zeros(len(weights), dtype=np.intp)
    offsets[: len(used)] = len(taps) - 1 - used
    out = np.empty(volume.shape)
    if axis == 2:
        _lines(_as_lines(volume), weights, offsets, source, _as_lines(out))
    else:
        _rows(_as_rows(volume, axis), weights, offsets, source, _as_rows(out, axis))
    return out


def mean_axis(volume: NDArray[np.float64], axis: int, size: int, source: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the mean of the `size` voxels around each along an axis; arguments as of `convolve_axis`."""
    out = np.empty(volume.shape)
    if axis == 2:
        _mean_lines(_as_lines(volume), size, source, _as_lines(out))
    else:
        _mean_rows(_as_rows(volume, axis), size, source, _as_rows(out, axis))
    return out


def _as_lines(volume: NDArray[np.float64]) -> NDArray[np.float64]:
    return volume.reshape(-1, volume.shape[2])


def _as_rows(volume: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Return a volume so that `axis`, 0 or 1, is the middle one of three."""
    return volume if axis == 1 else volume.reshape(1, volume.shape[0], -1)


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
    nothing = np.zeros(min(inner, _BLOCK))
    for o in range(outer):
        for start in range(0, inner, _BLOCK):
            stop = min(start + _BLOCK, inner)
            for i in range(n):
                total = out[o, i, start:stop]
                for t in range(0, len(weights), 4):
                    j0, j1 = source[i + offsets[t]], source[i + offsets[t + 1]]
                    j2, j3 = source[i + offsets[t + 2]], source[i + offsets[t + 3]]
                    a = volume[o, j0, start:stop] if j0 >= 0 else nothing
                    b = volume[o, j1, start:stop] if j1 >= 0 else nothing
                    c = volume[o, j2, start:stop] if j2 >= 0 else nothing
                    d = volume[o, j3, start:stop] if j3 >= 0 else nothing
                    w0, w1, w2, w3 = weights[t], weights[t + 1], weights[t + 2], weights[t + 3]
                    if t == 0:
                        for x in range(total.size):
                            total[x] = w0 * a[x] + w1 * b[x] + w2 * c[x] + w3 * d[x]
                    else:
                        for x in range(total.size):
                            total[x] += w0 * a[x] + w1 * b[x] + w2 * c[x] + w3 * d[x]


@kernel
def _lines(
    volume: NDArray[np.float64],
    weights: NDArray[np.float64],
    offsets: NDArray[np.intp],
    source: NDArray[np.intp],
    out: NDArray[np.float64],
) -> None:
    """Convolve along the last axis."""
    extended = np.zeros(len(source))
    for o in range(volume.shape[0]):
        for m in range(len(source)):
            if source[m] >= 0:
                extended[m] = volume[o, source[m]]
        total = out[o]
        for t in range(0, len(weights), 4):
            a, b = extended[offsets[t] :], extended[offsets[t + 1] :]
            c, d = extended[offsets[t + 2] :], extended[offsets[t + 3] :]
            w0, w1, w2, w3 = weights[t], weights[t + 1], weights[t + 2], weights[t + 3]
            if t == 0:
                for x in range(total.size):
                    total[x] = w0 * a[x] + w1 * b[x] + w2 * c[x] + w3 * d[x]
            else:
                for x in range(total.size):
                    total[x] += w0 * a[x] + w1 * b[x] + w2 * c[x] + w3 * d[x]


@kernel
def _mean_rows(volume: NDArray[np.float64], size: int, source: NDArray[np.intp], out: NDArray[np.float64]) -> None:
    """Average along the middle axis."""
    outer, n, inner = volume.shape
    nothing, sums = np.zeros(min(inner, _BLOCK)), np.empty(min(inner, _BLOCK))
    for o in range(outer):
        for start in range(0, inner, _BLOCK):
            stop = min(start + _BLOCK, inner)
            sums[:] = 0
            for m in range(size):
                if source[m] >= 0:
                    row = volume[o, source[m], start:stop]
                    for x in range(row.size):
                        sums[x] += row[x]
            for i in range(n):
                mean = out[o, i, start:stop]
                if i > 0:
                    new, old = source[i + size - 1], source[i - 1]
                    enters = volume[o, new, start:stop] if new >= 0 else nothing
                    leaves = volume[o, old, start:stop] if old >= 0 else nothing
                    for x in range(mean.size):
                        sums[x] += enters[x] - leaves[x]
                for x in range(mean.size):
                    mean[x] = sums[x] / size


@kernel
def _mean_lines(volume: NDArray[np.float64], size: int, source: NDArray[np.intp], out: NDArray[np.float64]) -> None:
    """Average along the last axis."""
    n = volume.shape[1]
    extended = np.zeros(len(source))
    for o in range(volume.shape[0]):
        for m in range(len(source)):
            if source[m] >= 0:
                extended[m] = volume[o, source[m]]
        total = 0.0
        for m in range(size):
            total += extended[m]
        mean = out[o]
        mean[0] = total
        for i in range(1, n):
            total += extended[i + size - 1] - extended[i - 1]
            mean[i] = total
        for i in range(n):
            mean[i] /= size
