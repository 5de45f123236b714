"""First-order statistics: how the intensities of a region are distributed, wherever they lie.

Reference: Zwanenburg et al. 2020, The Image Biomarker Standardization Initiative,
https://doi.org/10.1148/radiol.2020191145, and the reference manual, sections 3.3 and 3.4.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace._numba import kernel
from tumortrace.features._discretise import grey_levels
from tumortrace.features._patterns import count
from tumortrace.features._region import region
from tumortrace.features._vector import FeatureVector

_COMMON = (
    "mean",
    "variance",
    "skewness",
    "kurtosis",
    "median",
    "minimum",
    "percentile_10",
    "percentile_90",
    "maximum",
    "interquartile_range",
    "range",
    "mean_absolute_deviation",
    "robust_mean_absolute_deviation",
    "median_absolute_deviation",
    "coefficient_of_variation",
    "quartile_coefficient_of_dispersion",
)
_OF_BINS = (
    "mode",
    "entropy",
    "uniformity",
    "maximum_gradient",
    "maximum_gradient_intensity",
    "minimum_gradient",
    "minimum_gradient_intensity",
)
_NAMES = (*_COMMON, "energy", "root_mean_square", *(f"histogram_{name}" for name in _COMMON + _OF_BINS))
_UNDEFINED = {
    "coefficient_of_variation": "the mean is 0",
    "quartile_coefficient_of_dispersion": "the quartiles sum to 0",
    "robust_mean_absolute_deviation": "no pixel lies between the 10th and 90th percentile",
}


def first_order(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    spacing: Sequence[float] | None = None,
    levels: int = 32,
    bin_width: float | None = None,
    first_edge: str | float = "ibsi",
) -> FeatureVector:
    """Compute the intensity statistics and the intensity histogram features of a region.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype.
    mask : array_like, same shape, optional
        Non-zero is inside; without it the whole image is.
    spacing : sequence of float, optional
        Pixel spacing in mm, one number per axis. Has no effect: these features do not know where a pixel lies.
    levels : int, default 32
        Fixed bin number of the histogram; see `discretise`. No effect on the first 18 features.
    bin_width : float, optional
        Fixed bin width of the histogram in the unit of the image, in place of `levels`.
    first_edge : {"ibsi", "pyradiomics"} or float, default "ibsi"
        Where the first bin of the histogram begins, see `discretise`.

    Returns
    -------
    FeatureVector
        41 numbers whatever the image. Of the intensities x₁ … xₙ, in their unit u:

        - ``mean`` μ, ``median``, ``minimum``, ``maximum``, ``percentile_10``, ``percentile_90`` (u)
        - ``variance`` σ² = Σ(x − μ)² / n (u²)
        - ``skewness`` Σ(x − μ)³ / nσ³ and ``kurtosis`` Σ(x − μ)⁴ / nσ⁴ − 3; both 0 where σ is 0
        - ``interquartile_range`` Q₃ − Q₁ and ``range`` (u)
        - ``mean_absolute_deviation`` Σ|x − μ| / n; ``robust_mean_absolute_deviation``, the same of those x that lie
          between the 10th and 90th percentile, about their own mean, and NaN where none does (a region of two
          unequal pixels); ``median_absolute_deviation`` Σ|x − median| / n (u)
        - ``coefficient_of_variation`` σ / μ and ``quartile_coefficient_of_dispersion`` (Q₃ − Q₁) / (Q₃ + Q₁);
          0 where the numerator is 0, else NaN where the denominator is
        - ``energy`` Σx² (u²) and ``root_mean_square`` (u)

        Of the grey levels 1 … N with counts h and shares p = h / n, each name prefixed by ``histogram_``: the first
        16 again, and

        - ``mode``, the most frequent level; of several the one nearest to the mean, then the lowest
        - ``entropy`` −Σ p log₂ p (bits, 0 to log₂ N) and ``uniformity`` Σp² (1/N to 1)
        - ``maximum_gradient``, ``minimum_gradient`` of the counts, ``(h[i+1] − h[i−1]) / 2`` and one-sided at both
          ends, and the lowest level where each occurs, ``…_intensity``

    Raises
    ------
    TypeError
        If `image` or `mask` is not real.
    ValueError
        If `image`, `mask`, `spacing`, `levels` or `bin_width` is not as said.

    Notes
    -----
    All 41 are IBSI features: the family of intensity-based statistics (UHIW) and of the intensity histogram (ZVCW);
    ``median_absolute_deviation`` (N72L) is, as there, a mean about the median. Percentiles interpolate linearly
    between order statistics, rank ``q (n − 1)``, as `numpy.percentile` does. Moments are taken in two passes about
    the mean, so that a large offset costs no digits.

    References
    ----------
    Zwanenburg et al. 2020, https://doi.org/10.1148/radiol.2020191145

    Examples
    --------
    >>> v = first_order([[1, 1, 2, 4]], levels=3)
    >>> v["mean"], v["variance"], v["percentile_90"], v["energy"]
    (2.0, 1.5, 3.4, 22.0)
    >>> v["histogram_mode"], v["histogram_uniformity"]
    (1.0, 0.375)
    """
    volume, inside, _ = region(image, mask, spacing)
    values, counts = _distribution(volume, inside)
    grey, n_levels = grey_levels(values[np.newaxis, np.newaxis], _check.NO_MASK, levels, bin_width, first_edge)
    numbers = np.empty(len(_NAMES))
    _fill(values.astype(np.float64, copy=False), grey.ravel(), counts, n_levels, numbers)
    return FeatureVector(_NAMES, numbers, _reason(numbers))


def _distribution(volume: NDArray[Any], inside: NDArray[np.bool_]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the distinct intensities of the region, ascending, and how often each occurs."""
    if volume.dtype == np.uint8:
        counts = count(volume, inside, 256)
        values = np.flatnonzero(counts)
        return values.astype(np.uint8), counts[values]
    low, whole = _count_whole(volume, inside)
    if whole.size:
        steps = np.flatnonzero(whole)
        return low + steps, whole[steps]
    return _runs(np.sort(volume[inside]))


def _reason(numbers: NDArray[np.float64]) -> str:
    undefined = (_NAMES[k] for k in np.flatnonzero(np.isnan(numbers)))
    return "; ".join(f"{name}: {_UNDEFINED[name.removeprefix('histogram_')]}" for name in undefined)


@kernel
def _count_whole(volume: NDArray[np.float64], inside: NDArray[np.bool_]) -> tuple[float, NDArray[np.int64]]:
    """Return the least intensity and how often it, it + 1, … occur.

    Nothing is counted where an intensity is no whole number, or the range is larger than the region.
    """
    flat, within = volume.reshape(volume.size), inside.reshape(inside.size)
    low, high, n = np.inf, -np.inf, 0
    for k in range(flat.size):
        if within[k]:
            value = flat[k]
            if value != np.floor(value):
                return value, np.empty(0, np.int64)
            low, high = min(low, value), max(high, value)
            n += 1
    if high - low >= n:
        return low, np.empty(0, np.int64)
    counts = np.zeros(int(high - low) + 1, np.int64)
    for k in range(flat.size):
        if within[k]:
            counts[int(flat[k] - low)] += 1
    return low, counts


@kernel
def _runs(ordered: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    values = np.empty(ordered.size)
    counts = np.empty(ordered.size, dtype=np.int64)
    n = 0
    for value in ordered:
        if n == 0 or value != values[n - 1]:
            values[n] = value
            counts[n] = 1
            n += 1
        else:
            counts[n - 1] += 1
    return values[:n], counts[:n]


@kernel
def _fill(
    values: NDArray[np.float64],
    grey: NDArray[np.uint16],
    counts: NDArray[np.int64],
    n_levels: int,
    out: NDArray[np.float64],
) -> None:
    """Write the 18 numbers of the intensities, then the 23 of the histogram."""
    _common(values, counts, out[:16])
    energy = 0.0
    for k in range(values.size):
        energy += counts[k] * values[k] * values[k]
    out[16] = energy
    out[17] = math.sqrt(energy / counts.sum())
    bins = np.zeros(n_levels, dtype=np.int64)
    for k in range(grey.size):
        bins[np.int64(grey[k]) - 1] += counts[k]
    _common(np.arange(1.0, n_levels + 1.0), bins, out[18:34])
    _of_bins(bins, out[18], out[34:])


@kernel
def _common(values: NDArray[np.float64], counts: NDArray[np.int64], out: NDArray[np.float64]) -> None:
    n = counts.sum()
    low, high = 0, values.size - 1
    while counts[low] == 0:
        low += 1
    while counts[high] == 0:
        high -= 1
    values, counts = values[low : high + 1], counts[low : high + 1]
    extent = values[-1] - values[0]
    above, variance, skewness, kurtosis = _moments(values, counts, n, extent)
    p10, q1, median, q3, p90 = _percentiles(values, counts, n)
    deviation = median_deviation = kept = kept_sum = kept_deviation = 0.0
    for k in range(values.size):
        deviation += counts[k] * abs(values[k] - values[0] - above)
        median_deviation += counts[k] * abs(values[k] - median)
        if p10 <= values[k] <= p90:
            kept += counts[k]
            kept_sum += counts[k] * (values[k] - median)
    kept_mean = kept_sum / max(kept, 1.0)
    for k in range(values.size):
        if p10 <= values[k] <= p90:
            kept_deviation += counts[k] * abs(values[k] - median - kept_mean)
    mean = values[0] + above
    out[0], out[1], out[2], out[3] = mean, variance, skewness, kurtosis
    out[4], out[5], out[6], out[7], out[8] = median, values[0], p10, p90, values[-1]
    out[9], out[10] = q3 - q1, extent
    out[11], out[12], out[13] = deviation / n, kept_deviation / kept if kept else np.nan, median_deviation / n
    out[14] = _ratio(math.sqrt(variance), mean)
    out[15] = _ratio(q3 - q1, q3 + q1)


@kernel
def _moments(
    values: NDArray[np.float64], counts: NDArray[np.int64], n: int, extent: float
) -> tuple[float, float, float, float]:
    """Return the mean less the minimum, and the moments about the mean.

    They are taken in units of a power of two near the range: nothing is rounded, nothing underflows.
    """
    _, exponent = math.frexp(extent)
    scale = math.ldexp(1.0, -exponent) if exponent > -1000 else 2.0**1000
    total = 0.0
    for k in range(values.size):
        total += counts[k] * ((values[k] - values[0]) * scale)
    centre = total / n
    second = third = fourth = 0.0
    for k in range(values.size):
        d = (values[k] - values[0]) * scale - centre
        square = d * d
        second += counts[k] * square
        third += counts[k] * square * d
        fourth += counts[k] * square * square
    second, third, fourth = second / n, third / n, fourth / n
    if extent == 0:
        return 0.0, 0.0, 0.0, 0.0
    skewness = third / (second * math.sqrt(second))
    return centre / scale, second / scale / scale, skewness, fourth / (second * second) - 3


@kernel
def _percentiles(
    values: NDArray[np.float64], counts: NDArray[np.int64], n: int
) -> tuple[float, float, float, float, float]:
    """Return the 10th, 25th, 50th, 75th and 90th percentile, each at rank percent (n − 1) / 100, exactly."""
    percents = (10, 25, 50, 75, 90)
    found = np.empty(5)
    index, below = 0, np.int64(0)
    for p in range(5):
        position = percents[p] * (n - 1)
        rank, rest = position // 100, position % 100
        while below + counts[index] <= rank:
            below += counts[index]
            index += 1
        found[p] = values[index]
        if rest and below + counts[index] == rank + 1:
            following = index + 1
            while counts[following] == 0:
                following += 1
            found[p] += (values[following] - values[index]) * (rest / 100)
    return found[0], found[1], found[2], found[3], found[4]


@kernel
def _of_bins(bins: NDArray[np.int64], mean: float, out: NDArray[np.float64]) -> None:
    n, last = bins.sum(), bins.size - 1
    mode = steepest = flattest = 0
    entropy = uniformity = 0.0
    highest, lowest = -np.inf, np.inf
    for k in range(bins.size):
        if bins[k] > bins[mode] or (bins[k] == bins[mode] and abs(k + 1 - mean) < abs(mode + 1 - mean)):
            mode = k
        if bins[k]:
            share = bins[k] / n
            entropy -= share * math.log2(share)
            uniformity += share * share
        before, after = max(k - 1, 0), min(k + 1, last)
        gradient = (bins[after] - bins[before]) / max(after - before, 1)
        if gradient > highest:
            highest, steepest = gradient, k
        if gradient < lowest:
            lowest, flattest = gradient, k
    out[0], out[1], out[2] = mode + 1, entropy, uniformity
    out[3], out[4], out[5], out[6] = highest, steepest + 1, lowest, flattest + 1


@kernel
def _ratio(numerator: float, denominator: float) -> float:
    if numerator == 0:
        return 0.0
    return numerator / denominator if denominator != 0 else np.nan
