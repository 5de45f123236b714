"""The cubic B-spline of ITK, to the last digit.

PyRadiomics cuts the fraction off resampled whole numbers. Where a new voxel lies on an old one, or intensities are
all alike, the spline is a whole number and the last digit decides, so that the sums here have ITK's order.

Reference: Unser 1999, Splines: a perfect fit for signal and image processing, https://doi.org/10.1109/79.799930.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tumortrace._numba import kernel

_POLE = math.sqrt(3.0) - 2.0
_HORIZON = math.ceil(math.log(1e-10) / math.log(abs(_POLE)))
"""How many values begin a line: what follows adds less than 1e-10."""


def cubic(values: NDArray[np.float64], positions: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the spline through the voxels of a volume at positions along its three axes."""
    coefficients = values
    for axis in (2, 1, 0):
        lines = np.ascontiguousarray(np.moveaxis(coefficients, axis, 2)).copy()
        if lines.shape[2] > 1:
            _filter(lines.reshape(-1, lines.shape[2]), _POLE, _HORIZON)
        coefficients = np.moveaxis(lines, 2, axis)
    (z, z_weights), (y, y_weights), (x, x_weights) = map(_taps, positions, values.shape)
    out = np.empty([len(at) for at in positions])
    _evaluate(np.ascontiguousarray(coefficients), z, y, x, z_weights, y_weights, x_weights, out)
    return out


def _taps(at: NDArray[np.float64], n: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the four voxels that make each new one, of a line that is mirrored at its ends, and their weights."""
    below = np.floor(at)
    t = at - below
    last = (1.0 / 6.0) * t * t * t
    first = (1.0 / 6.0) + 0.5 * t * (t - 1.0) - last
    third = t + first - 2.0 * last
    taps = below.astype(np.intp)[:, np.newaxis] + np.arange(-1, 3)
    taps = n - 1 - np.abs(n - 1 - np.abs(taps) % (2 * (n - 1))) if n > 1 else np.zeros_like(taps)
    return taps, np.stack([first, 1.0 - first - third - last, third, last], axis=1)


@kernel
def _filter(lines: NDArray[np.float64], pole: float, horizon: int) -> None:
    """Turn values into the coefficients of the spline through them, along each line, mirrored at its ends."""
    n = lines.shape[1]
    gain = (1.0 - pole) * (1.0 - 1.0 / pole)
    for line in lines:
        for k in range(n):
            line[k] *= gain
        power = pole
        if horizon < n:
            total = line[0]
            for k in range(1, horizon):
                total += power * line[k]
                power *= pole
            line[0] = total
        else:
            back = pole ** float(n - 1)
            total = line[0] + back * line[n - 1]
            back *= back * (1.0 / pole)
            for k in range(1, n - 1):
                total += (power + back) * line[k]
                power *= pole
                back *= 1.0 / pole
            line[0] = total / (1.0 - power * power)
        for k in range(1, n):
            line[k] += pole * line[k - 1]
        line[n - 1] = (pole / (pole * pole - 1.0)) * (pole * line[n - 2] + line[n - 1])
        for k in range(n - 2, -1, -1):
            line[k] = pole * (line[k + 1] - line[k])


@kernel
def _evaluate(
    coefficients: NDArray[np.float64],
    z_taps: NDArray[np.intp],
    y_taps: NDArray[np.intp],
    x_taps: NDArray[np.intp],
    z_weights: NDArray[np.float64],
    y_weights: NDArray[np.float64],
    x_weights: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Fill `out` with the sums over 64 voxels, those along x first."""
    weights = np.empty((4, 4))
    for z in range(out.shape[0]):
        for y in range(out.shape[1]):
            for x in range(out.shape[2]):
                for b in range(4):
                    for a in range(4):
                        weights[b, a] = x_weights[x, a] * y_weights[y, b]
                total = 0.0
                for c in range(4):
                    for b in range(4):
                        row = coefficients[z_taps[z, c], y_taps[y, b]]
                        for a in range(4):
                            total += weights[b, a] * z_weights[z, c] * row[x_taps[x, a]]
                out[z, y, x] = total
