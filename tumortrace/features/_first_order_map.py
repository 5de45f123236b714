"""Maps of first-order statistics: how the intensities in a window around each voxel are distributed.

Reference: Zwanenburg et al. 2020, The Image Biomarker Standardization Initiative,
https://doi.org/10.1148/radiol.2020191145, and the reference manual, sections 3.3 and 3.4.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace._numba import kernel
from tumortrace.features._region import grey, region
from tumortrace.features._windows import FeatureMaps, around, chosen, over_rows, radius

_NAMES = (
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
    "energy",
    "root_mean_square",
    "histogram_entropy",
    "histogram_uniformity",
)


def first_order_map(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    window: int | Sequence[int] = 7,
    features: Sequence[str] | None = None,
    levels: int = 32,
    bin_width: float | None = None,
    first_edge: str | float = "ibsi",
    masked: bool = True,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> FeatureMaps:
    """Compute the intensity statistics of a window around each voxel.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype.
    mask : array_like, same shape, optional
        Non-zero is inside: these voxels get a value. Without it all do.
    window : int or sequence of int, default 7
        Side of the window in voxels, odd; or one side per axis of the image, such as ``(1, 7, 7)`` for windows in
        the slice. At the border of the image it is cut off.
    features : sequence of str, optional
        Names as in `first_order`: its 18 statistics of the intensities, `histogram_entropy` and
        `histogram_uniformity`. Without it all 20.
    levels, bin_width, first_edge
        As in `first_order`, for the two features of the histogram. The image is discretised once, over the whole
        region, and not window by window.
    masked : bool, default True
        Look only at voxels of the mask in a window. False: at all, and discretise over the whole image.
    threads : int, optional
        How many threads share the rows; by default one per available processor. The numbers do not depend on it.
    progress : callable, optional
        Called with the share that is done, up to 1.

    Returns
    -------
    FeatureMaps
        A mapping of name to a float64 array of the shape of the image. NaN outside the mask, and where
        `first_order` is NaN.

    Raises
    ------
    TypeError
        If `image` or `mask` is not real.
    ValueError
        If a parameter is out of range or a feature is unknown; all are named.

    Notes
    -----
    Each number is that of `first_order` on the voxels in the window, to rounding. Units, ranges and what holds
    where all voxels are equal are said there.

    The intensities in the window are kept in order: as it moves by a column, the ones that enter are merged in and
    the ones that leave are dropped. All numbers are read from that list, moments about the mean of the window, so
    that nothing drifts and a large offset costs no digits.

    References
    ----------
    Zwanenburg et al. 2020, https://doi.org/10.1148/radiol.2020191145

    Examples
    --------
    >>> first_order_map([[1, 1, 4, 1, 1]], window=3, features=["mean", "maximum"])["mean"]
    array([[1., 2., 2., 2., 1.]])
    """
    ndim = np.ndim(image)
    reach = radius(window, ndim)
    names = chosen(features, _NAMES)
    within = mask if masked else None
    levelled = grey(image, within, None, levels, bin_width, first_edge)
    volume = region(image, within, None).volume
    inside = levelled.levels > 0
    if not masked:
        levelled, inside = around(levelled, image, mask, reach)
        volume = volume[levelled.box]
    volume = np.ascontiguousarray(volume, dtype=np.float64)
    numbers = np.array([_NAMES.index(name) for name in names])
    logs = _logs(reach, volume.shape)
    out = np.full((len(names), *volume.shape), np.nan)

    def some_rows(lines: tuple[int, int]) -> None:
        _fill(volume, levelled.levels, inside, lines, reach, logs, numbers, out)

    over_rows(some_rows, inside, threads, progress)
    values = out.reshape(len(names), *volume.shape[3 - ndim :])
    return FeatureMaps(names, values, levelled.box[3 - ndim :], np.shape(image))


def _logs(reach: tuple[int, ...], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return ``c · log2(c)`` of the counts that a window can hold."""
    counts = np.arange(1.0 + np.prod([min(2 * r + 1, n) for r, n in zip(reach, shape, strict=True)]))
    logs: NDArray[np.float64] = counts * np.log2(np.maximum(counts, 1))
    return logs


@kernel
def _fill(
    volume: NDArray[np.float64],
    grey: NDArray[np.uint16],
    wanted: NDArray[np.bool_],
    lines: tuple[int, int],
    radius: tuple[int, int, int],
    logs: NDArray[np.float64],
    chosen: NDArray[np.int64],
    out: NDArray[np.float64],
) -> None:
    """Write the features of the window around each wanted voxel of some rows, counted through all slices."""
    slices, rows, cols = grey.shape
    depth, height, width = radius
    side = 2 * width + 1
    # the intensities in the window in order and their grey levels, twice, to merge from one into the other; and the
    # same of each of its columns
    ordered, bins = np.empty((2, logs.size)), np.empty((2, logs.size), np.uint16)
    columns = np.empty((side, (2 * depth + 1) * (2 * height + 1)))
    column_bins = np.empty(columns.shape, np.uint16)
    sizes = np.zeros(side, np.int64)
    values = np.empty(20)
    for line in range(lines[0], lines[1]):
        z, y = line // rows, line % rows
        inside = wanted[z, y]
        left, right = 0, cols - 1
        while left < cols and not inside[left]:
            left += 1
        while right > left and not inside[right]:
            right -= 1
        if left == cols:
            continue
        box = (max(z - depth, 0), min(z + depth + 1, slices), max(y - height, 0), min(y + height + 1, rows))
        sizes[:] = 0
        size = now = 0
        for head in range(left - width, right + width + 1):
            slot = head % side
            gone, gone_size = columns[slot].copy(), sizes[slot]
            sizes[slot] = 0
            if 0 <= head < cols:
                sizes[slot] = _column(volume, grey, box, head, columns[slot], column_bins[slot])
            size = _merge(
                ordered[now, :size],
                bins[now],
                gone[:gone_size],
                columns[slot, : sizes[slot]],
                column_bins[slot],
                ordered[1 - now],
                bins[1 - now],
            )
            now = 1 - now
            x = head - width
            if x >= left and inside[x]:
                _statistics(ordered[now, :size], values)
                values[18], values[19] = _entropy_and_uniformity(bins[now, :size], logs)
                for k in range(chosen.size):
                    out[k, z, y, x] = values[chosen[k]]


@kernel
def _column(
    volume: NDArray[np.float64],
    grey: NDArray[np.uint16],
    box: tuple[int, int, int, int],
    x: int,
    values: NDArray[np.float64],
    bins: NDArray[np.uint16],
) -> int:
    """Sort the intensities of a column of the window by insertion; return how many there are."""
    size = 0
    for z in range(box[0], box[1]):
        for y in range(box[2], box[3]):
            if grey[z, y, x] == 0:
                continue
            value = volume[z, y, x]
            at = size
            while at > 0 and values[at - 1] > value:
                values[at], bins[at] = values[at - 1], bins[at - 1]
                at -= 1
            values[at], bins[at] = value, grey[z, y, x]
            size += 1
    return size


@kernel
def _merge(
    old: NDArray[np.float64],
    old_bins: NDArray[np.uint16],
    gone: NDArray[np.float64],
    come: NDArray[np.float64],
    come_bins: NDArray[np.uint16],
    new: NDArray[np.float64],
    new_bins: NDArray[np.uint16],
) -> int:
    """Write the ordered list `old` without what is `gone` and with what has `come`; return its length."""
    at = dropped = taken = size = 0
    while at < old.size or taken < come.size:
        if at < old.size and dropped < gone.size and old[at] == gone[dropped]:
            at += 1
            dropped += 1
        elif at == old.size or (taken < come.size and come[taken] < old[at]):
            new[size], new_bins[size] = come[taken], come_bins[taken]
            taken += 1
            size += 1
        else:
            new[size], new_bins[size] = old[at], old_bins[at]
            at += 1
            size += 1
    return size


@kernel
def _statistics(x: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Write the 18 numbers of intensities in ascending order."""
    n, low, extent = x.size, x[0], x[-1] - x[0]
    unit = extent if extent > 0 else 1.0
    p10, q1, median, q3, p90 = (
        _percentile(x, 10),
        _percentile(x, 25),
        _percentile(x, 50),
        _percentile(x, 75),
        _percentile(x, 90),
    )
    total = energy = kept = kept_total = 0.0
    for k in range(n):
        total += (x[k] - low) / unit
        energy += x[k] * x[k]
        if p10 <= x[k] <= p90:
            kept += 1
            kept_total += x[k] - median
    centre, kept_mean = total / n, kept_total / max(kept, 1.0)
    second = third = fourth = deviation = median_deviation = kept_deviation = 0.0
    for k in range(n):
        d = (x[k] - low) / unit - centre
        square = d * d
        second += square
        third += square * d
        fourth += square * square
        deviation += abs(d)
        median_deviation += abs(x[k] - median)
        if p10 <= x[k] <= p90:
            kept_deviation += abs(x[k] - median - kept_mean)
    second, third, fourth = second / n, third / n, fourth / n
    mean = low + centre * unit
    out[0], out[1] = mean, second * unit * unit
    out[2] = third / (second * math.sqrt(second)) if extent > 0 else 0.0
    out[3] = fourth / (second * second) - 3 if extent > 0 else 0.0
    out[4], out[5], out[6], out[7], out[8] = median, low, p10, p90, x[-1]
    out[9], out[10] = q3 - q1, extent
    out[11] = deviation / n * unit
    out[12] = kept_deviation / kept if kept > 0 else np.nan
    out[13] = median_deviation / n
    out[14] = _ratio(math.sqrt(second) * unit, mean)
    out[15] = _ratio(q3 - q1, q3 + q1)
    out[16], out[17] = energy, math.sqrt(energy / n)


@kernel
def _percentile(x: NDArray[np.float64], percent: int) -> float:
    position = percent * (x.size - 1)
    rank, rest = position // 100, position % 100
    return float(x[rank] + (x[rank + 1] - x[rank]) * (rest / 100) if rest > 0 else x[rank])


@kernel
def _ratio(numerator: float, denominator: float) -> float:
    if numerator == 0:
        return 0.0
    return numerator / denominator if denominator != 0 else np.nan


@kernel
def _entropy_and_uniformity(bins: NDArray[np.uint16], logs: NDArray[np.float64]) -> tuple[float, float]:
    """Return both of grey levels in ascending order."""
    n, start = bins.size, 0
    logarithms = squares = 0.0
    for k in range(1, n + 1):
        if k == n or bins[k] != bins[start]:
            logarithms += logs[k - start]
            squares += float(k - start) * (k - start)
            start = k
    return max(math.log2(n) - logarithms / n, 0.0), squares / (float(n) * n)
