"""Moran's I and Geary's C: whether voxels that lie near each other have like intensities.

Both weight every pair of voxels by the inverse of its distance. The sums over pairs are quadratic forms of a matrix
that depends on the offset alone, so they are taken from spectra, in n log n steps instead of n².

References: Moran 1950, https://doi.org/10.1093/biomet/37.1-2.17; Geary 1954, https://doi.org/10.2307/2986645.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_BYTES = 2**26  # of spectra held at a time, when the rows are transformed
_CACHED = 2**21  # and when their planes are


def spatial_autocorrelation(
    volume: NDArray[Any], inside: NDArray[np.bool_], steps: NDArray[np.float64]
) -> tuple[float, float]:
    """Return Moran's I and Geary's C of the voxels inside, which lie `steps` mm apart.

    Both are NaN where all intensities are equal.
    """
    values = volume[inside].astype(np.float64)
    low, high = values.min(), values.max()
    if low == high:
        return np.nan, np.nan
    n = values.size
    values -= low
    values /= high - low
    values -= values.mean()
    variance = float(values @ values) / n
    deviations = np.zeros(inside.shape)
    deviations[inside] = values
    pairs, products, squares = _sums_over_pairs(inside, deviations, steps)
    return products / pairs / variance, (n - 1) / n * (squares - products) / pairs / variance


def _sums_over_pairs(
    inside: NDArray[np.bool_], deviations: NDArray[np.float64], steps: NDArray[np.float64]
) -> tuple[float, float, float]:
    """Return Σ w, Σ w dᵢ dⱼ and Σ w dᵢ² over all ordered pairs of voxels, w being one over their distance.

    The box is half of a period along each axis, so that no voxel meets another around the end. The frequencies
    along the columns are worked through in portions: memory stays bounded.
    """
    from scipy import fft

    half = [fft.next_fast_len(n, real=True) for n in inside.shape]
    slices, rows, _ = inside.shape
    portion = max(1, _BYTES // (64 * slices * rows))
    few = max(1, _CACHED // (256 * half[0] * half[1]))
    kz, ky = (np.minimum(np.arange(2 * n), np.arange(2 * n, 0, -1)) for n in half[:2])
    totals = np.zeros(3)
    for start in range(0, half[2] + 1, portion):
        chosen = slice(start, min(start + portion, half[2] + 1))
        weights = _weights(half, steps, chosen)
        spectra = np.empty((3, len(weights), slices, rows), dtype=np.complex128)
        for z in range(slices):
            d = deviations[z]
            of_rows = fft.rfft(np.array([inside[z], d, d * d]), 2 * half[2])[..., chosen]
            spectra[:, :, z] = of_rows.swapaxes(1, 2)
        for k in range(0, len(weights), few):
            one, d, square = fft.fft(fft.fft(spectra[:, k : k + few], 2 * half[1]), 2 * half[0], axis=2)
            weight = weights[k : k + few, kz[:, np.newaxis], ky]
            near = weight * one
            totals += np.real([np.vdot(near, one), np.vdot(weight * d, d), np.vdot(near, square)])
    pairs, products, squares = totals / (8 * half[0] * half[1] * half[2])
    return float(pairs), float(products), float(squares)


def _weights(half: list[int], steps: NDArray[np.float64], chosen: slice) -> NDArray[np.float64]:
    """Return the spectrum of one over the distance at the chosen frequencies along the columns, those first.

    It is even along every axis: a cosine transform of the offsets from 0 to half a period. Along the columns the
    negative frequencies, all but two, are counted with the positive ones.
    """
    from scipy import fft

    z, y, x = (np.arange(n + 1) * step for n, step in zip(half, steps, strict=True))
    planes = []
    for offset in z:
        distance = np.sqrt(offset * offset + (y * y)[:, np.newaxis] + x * x)
        if offset == 0:
            distance[0, 0] = np.inf
        planes.append(fft.dct(1 / distance, type=1)[:, chosen])
    spectrum = np.moveaxis(fft.dctn(np.array(planes), type=1, axes=(0, 1)), 2, 0)
    frequencies = np.arange(half[2] + 1)[chosen]
    return np.where(frequencies % half[2] == 0, 1, 2)[:, np.newaxis, np.newaxis] * spectrum
