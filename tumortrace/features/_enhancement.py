"""Enhancement: the course of the signal in each pixel of a stack of phases, in units of the baseline."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace._numba import kernel

FLOOR = 0.05  # where the denominator of a ratio is an enhancement below 5 % of the baseline, it is taken as that
_FEWEST_PHASES = 3
_LOST = 1e-6  # a baseline below this share of the largest number is none
_ROUNDING = 1e-12  # a sum below this share of its terms is 0 and rounding
_EQUAL = 1e-9  # numbers that differ by less than this share of the largest do not vary

Floats = NDArray[np.float64]


class EnhancementMaps(NamedTuple):
    """The course of enhancement in each pixel.

    E is the enhancement at a phase, ``(after − scale · before) / baseline``, where the baseline is the mean of
    ``scale · before`` over the region. Time is counted from the phase before contrast.

    Attributes
    ----------
    wash_in : ndarray of float64, shape of a phase
        E at the first phase after contrast, per unit of time.
    peak_enhancement : ndarray
        The largest E.
    time_to_peak : ndarray
        When it is first reached, but for rounding.
    wash_out : ndarray
        The share of the peak that is lost at the last phase, 0 to 1.
    signal_enhancement_ratio : ndarray
        The largest E of the initial phases over E of the last one, −1 to 3. Above 1 is wash-out.
    area_under_curve : ndarray
        The mean of E over time, by trapezoids.
    delayed_slope : ndarray
        The slope of the line through E from the last initial phase on, per unit of time.
    """

    wash_in: Floats
    peak_enhancement: Floats
    time_to_peak: Floats
    wash_out: Floats
    signal_enhancement_ratio: Floats
    area_under_curve: Floats
    delayed_slope: Floats


CURVE = EnhancementMaps._fields


def enhancement_maps(
    stack: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    scale: float = 1.0,
    times: Sequence[float] | None = None,
    early: int = 2,
) -> EnhancementMaps:
    """Return the course of enhancement in each pixel.

    Parameters
    ----------
    stack, mask, scale, times, early
        As in `kinetics`. The mask matters for the baseline alone: the maps cover the whole image.

    Returns
    -------
    EnhancementMaps
        Maps of the shape of a phase; NaN everywhere where `kinetics` is NaN.

    Raises
    ------
    TypeError, ValueError
        If the stack, the mask or a parameter is not as described.

    Examples
    --------
    >>> maps = enhancement_maps([[[100, 100]], [[180, 120]], [[160, 140]]])
    >>> maps.peak_enhancement, maps.time_to_peak, maps.wash_out
    (array([[0.8, 0.4]]), array([[1., 2.]]), array([[0.25, 0.  ]]))
    """
    shape = np.shape(stack)[1:]
    course, _ = checked(stack, mask, scale, times, early)
    if course is None:
        return EnhancementMaps(*np.full((len(CURVE), *shape), np.nan))
    pixels = course.enhancement.reshape(len(course.enhancement), -1)
    return EnhancementMaps(*curves(course, pixels).reshape(len(CURVE), *shape))


def enhancing_lesion(peak_enhancement: ArrayLike, mask: ArrayLike | None = None) -> NDArray[np.bool_]:
    """Return the lesion as `kinetics` sees it: where the peak enhancement is at or above Otsu's threshold.

    Parameters
    ----------
    peak_enhancement : array_like, shape (rows, cols) or (slices, rows, cols)
        Of `enhancement_maps`.
    mask : array_like, same shape, optional
        Non-zero is inside; the threshold is that of the inside.

    Returns
    -------
    ndarray of bool, shape of `peak_enhancement`
        False outside the mask, and everywhere if the enhancement is NaN. The whole region if it does not vary.

    Raises
    ------
    TypeError, ValueError
        If the enhancement or the mask is not as described.

    Notes
    -----
    The threshold is exact, without a histogram: of all splits of the sorted values, the one with the largest
    variance between the classes, the lowest of equal ones. Otsu 1979, A threshold selection method from gray-level
    histograms, https://doi.org/10.1109/TSMC.1979.4310076.

    Examples
    --------
    >>> enhancing_lesion([[0.1, 0.2, 1.5, 1.1]])
    array([[False, False,  True,  True]])
    """
    peak = np.asarray(peak_enhancement)
    if np.isnan(peak).all():
        return np.zeros(peak.shape, bool)
    image = _check.volume(peak)
    region = _check.region(mask, image, peak.ndim)
    inside = image.astype(np.float64) if region is _check.NO_MASK else image[region]
    lesion = peak >= otsu(np.sort(inside, axis=None))
    return lesion if mask is None else lesion & region.reshape(peak.shape)


class Course(NamedTuple):
    """A checked stack in units of the baseline; both arrays end in ``(slices, rows, cols)``."""

    enhancement: Floats
    baseline: Floats
    times: Floats
    early: int


def checked(
    stack: ArrayLike, mask: ArrayLike | None, scale: float, times: Sequence[float] | None, early: int
) -> tuple[Course | None, NDArray[np.bool_]]:
    """Return the course, None where there is no unit, and the region, of three dimensions."""
    array = np.asarray(stack)
    ndim = array.ndim
    if ndim not in (3, 4) or len(array) < _FEWEST_PHASES:
        raise ValueError(
            f"stack has shape {array.shape}; give (phases, rows, cols) or (phases, slices, rows, cols) "
            "of three phases or more, the first before contrast"
        )
    if array.size == 0:
        raise ValueError(f"stack is empty: shape {array.shape}")
    images: Floats = _check.real("stack", array).astype(np.float64, order="C")
    if ndim == 3:
        images = images[:, np.newaxis]
    region = _check.region(mask, images[0], ndim - 1)
    region = np.ones(images.shape[1:], bool) if region is _check.NO_MASK else region
    scale = _check.positive("scale", scale)
    early = min(_check.integer("early", early, 1), len(images) - 2)
    when = _times(times, len(images))
    before = scale * images[0]
    unit = before[region].mean()
    if not unit > _LOST * max(np.abs(images[:, region]).max(), np.abs(before[region]).max()):
        return None, region
    return Course((images[1:] - before) / unit, before / unit, when, early), region


def _times(times: Sequence[float] | None, phases: int) -> Floats:
    """Return the times of the phases after contrast, counted from the one before."""
    if times is None:
        return np.arange(1.0, phases)
    when = np.asarray(times)
    wrong = f"times are {times!r}; give {phases} growing numbers, one per phase"
    if when.shape != (phases,) or when.dtype.kind not in "iuf":
        raise ValueError(wrong)
    if not (np.isfinite(when).all() and (np.diff(when) > 0).all()):
        raise ValueError(wrong)
    counted: Floats = np.asarray(when[1:] - when[0], dtype=np.float64)
    return counted


def curves(course: Course, enhancement: Floats) -> Floats:
    """Return the fields of `EnhancementMaps` of curves ``(phases, n)``: ``(fields, n)``."""
    late = course.times[course.early - 1 :] - course.times[course.early - 1 :].mean()
    slope = np.zeros(len(course.times))
    slope[course.early - 1 :] = late / (late @ late)
    out = np.empty((len(CURVE), enhancement.shape[1]))
    _describe(np.ascontiguousarray(enhancement), course.times, slope, course.early, out)
    return out


def otsu(ordered: Floats) -> float:
    """Return the least number of the upper class of sorted numbers; the least of all where they are equal.

    Of splits that are equally good, but for rounding, it is the lowest.
    """
    if not varies(ordered):
        return float(ordered[0])
    n = ordered.size
    below = np.arange(1, n)
    sums = np.cumsum(ordered - ordered.mean())[:-1]
    between = np.where(np.diff(ordered) > 0, sums * sums / (below * (n - below)), -1.0)
    best = np.argmax(between >= (1 - _EQUAL) * between.max())
    return float(ordered[best + 1])


def varies(values: Floats) -> bool:
    """Tell whether numbers differ by more than rounding."""
    return bool(np.ptp(values) > _EQUAL * np.abs(values).max())


@kernel
def _describe(enhancement: Floats, times: Floats, slope: Floats, early: int, out: Floats) -> None:
    """Fill `out`, ``(fields, n)``, from curves ``(phases, n)``; `slope` are the weights of a line's slope."""
    phases, n = enhancement.shape
    for i in range(n):
        first, last = enhancement[0, i], enhancement[phases - 1, i]
        peak = initial = first
        at = 0
        area = first * times[0] / 2
        rise = slope[0] * first
        terms = abs(rise)
        for p in range(1, phases):
            e = enhancement[p, i]
            if e - peak > _EQUAL * max(abs(e), abs(peak)):
                peak, at = e, p
            if p < early:
                initial = max(initial, e)
            area += (e + enhancement[p - 1, i]) / 2 * (times[p] - times[p - 1])
            rise += slope[p] * e
            terms += abs(slope[p] * e)
        out[0, i] = first / times[0]
        out[1, i] = peak
        out[2, i] = times[at]
        out[3, i] = min((peak - last) / max(peak, FLOOR), 1.0)
        out[4, i] = min(max(initial / max(last, FLOOR), -1.0), 3.0)
        out[5, i] = area / times[phases - 1]
        out[6, i] = rise if abs(rise) > _ROUNDING * terms else 0.0  # a flat curve has no slope
