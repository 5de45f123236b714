"""Kinetics: how a lesion takes up contrast medium and loses it, from a stack of phases.

References: Kuhl et al. 1999, Dynamic breast MR imaging: are signal intensity time course data useful for
differential diagnosis of enhancing lesions?, https://doi.org/10.1148/radiology.211.1.r99ap38101 (types of curves);
Li et al. 2008, Invasive breast cancer: predicting disease recurrence by using high-spatial-resolution signal
enhancement ratio imaging, https://doi.org/10.1148/radiol.2481070846; Otsu 1979, A threshold selection method from
gray-level histograms, https://doi.org/10.1109/TSMC.1979.4310076; Geary 1954, The contiguity ratio and statistical
mapping, https://doi.org/10.2307/2986645.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace.features._enhancement import CURVE, FLOOR, Floats, checked, curves, otsu, varies
from tumortrace.features._vector import FeatureVector

HOT_SPOT = 10  # one pixel in ten
_NO_UNIT = "no signal before contrast, so no unit of enhancement"

NAMES = (
    *(f"{zone}_{name}" for zone in ("lesion", "rim", "hot_spot") for name in CURVE),
    *(f"{name}_standard_deviation" for name in CURVE),
    *(f"{name}_baseline_correlation" for name in CURVE),
    *(f"{name}_contiguity" for name in CURVE),
    "baseline_contiguity",
    "persistent_fraction",
    "plateau_fraction",
    "washout_fraction",
    "lesion_fraction",
    "hot_spot_spread",
    "hot_spot_offset",
    "curve_roughness",
    "curve_first_component",
    "curve_second_component",
    "baseline_lesion",
    "baseline_rim",
    "baseline_hot_spot",
    "baseline_variation",
    "baseline_lesion_variation",
)


def kinetics(
    stack: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    spacing: Sequence[float] | None = None,
    scale: float = 1.0,
    times: Sequence[float] | None = None,
    early: int = 2,
    plateau: float = 0.1,
) -> FeatureVector:
    """Describe how a lesion takes up contrast medium and loses it, and how that differs within it.

    Parameters
    ----------
    stack : array_like, shape (phases, rows, cols) or (phases, slices, rows, cols)
        Three phases or more of any real dtype, in the order of time. The first is before contrast.
    mask : array_like, shape of a phase, optional
        Non-zero is inside; without it the whole image is: a crop is the lesion with its near surroundings.
    spacing : sequence of float, optional
        Pixel spacing in mm, one number per axis of a phase. It matters for `hot_spot_spread` and `hot_spot_offset`
        alone.
    scale : float, default 1.0
        What the phase before contrast is multiplied by, so that it has the unit of those after it; see
        `common_scale`.
    times : sequence of float, optional
        When each phase was taken, in any unit; by default 0, 1, 2, …
    early : int, default 2
        How many of the phases after contrast are initial ones; at most all but the last.
    plateau : float, default 0.1
        The signal of a plateau changes by no more than this share after the initial phases.

    Returns
    -------
    FeatureVector
        The *lesion* is what enhances: the pixels of the region whose peak enhancement is at or above Otsu's
        threshold. Its *rim* are the pixels of it that touch, in the slice, one that does not belong to it; the *hot
        spot* is the tenth of the region that enhances most.

        - ``lesion_…``, ``rim_…``, ``hot_spot_…``: the fields of `EnhancementMaps`, of the mean curve there;
        - ``…_standard_deviation`` (population): of each map, over the lesion;
        - ``…_baseline_correlation``, −1 to 1: Pearson's, of each map with the phase before contrast, over the
          lesion;
        - ``…_contiguity``: Geary's ratio of each map and of the phase before contrast, over the region, with
          neighbours in the row and in the column of a slice: 0 is smooth, 1 random, 2 a checkerboard;
        - ``persistent_fraction``, ``plateau_fraction``, ``washout_fraction``: Kuhl's types of curves, the shares of
          the lesion's pixels whose signal changes by more than `plateau` upwards, less, or more downwards, from the
          largest of the initial phases to the last;
        - ``lesion_fraction``: its share of the region;
        - ``hot_spot_spread``, ``hot_spot_offset``: the root mean square distance of its pixels from their centroid,
          and the distance of that centroid from the region's, in units of the region's root mean square distance;
        - ``curve_roughness``: the mean absolute second difference of the curves of the lesion's pixels, over the
          peak of their mean curve;
        - ``curve_first_component``, ``curve_second_component``: the shares of the variance between the curves of
          the lesion's pixels along its first two principal components;
        - ``baseline_lesion``, ``baseline_rim``, ``baseline_hot_spot``, ``baseline_variation``,
          ``baseline_lesion_variation``: of the phase before contrast, in units of its mean over the region: the
          mean in the three zones, and the standard deviation over the region and over the lesion.

        All are NaN where the mean of the phase before contrast is not positive, or less than a millionth of the
        largest number: there is no unit then.

    Raises
    ------
    TypeError, ValueError
        If the stack, the mask or a parameter is not as described.

    See Also
    --------
    enhancement_maps, common_scale

    Notes
    -----
    Not defined by IBSI. A gain of all phases changes nothing. All are means and shares: none tells the size of the
    region. Where the denominator of a ratio is an enhancement below 5 % of the baseline, it is taken as 5 %. What
    does not vary has a correlation, a contiguity and components of 0.

    Examples
    --------
    A lesion of two pixels in the left column, the upper one with wash-out, and none in the right column.

    >>> before = [[100, 100], [100, 100]]
    >>> first, second, third = ([[200, 100], [150, 100]], [[300, 100], [200, 100]], [[200, 100], [250, 100]])
    >>> v = kinetics([before, first, second, third])
    >>> v["lesion_fraction"], v["lesion_wash_in"], v["hot_spot_wash_out"], v["washout_fraction"]
    (0.5, 0.75, 0.5, 0.5)
    """
    course, region = checked(stack, mask, scale, times, early)
    millimetres = (1.0, *_check.spacing(spacing, np.ndim(stack) - 1))[-3:]
    plateau = _check.positive("plateau", plateau)
    if course is None:
        return FeatureVector(NAMES, np.full(len(NAMES), np.nan), _NO_UNIT)
    enhancement, baseline = course.enhancement[:, region], course.baseline[region]
    maps = curves(course, enhancement)
    peak = maps[CURVE.index("peak_enhancement")]
    ordered = np.sort(peak)
    lesion = peak >= otsu(ordered)
    hot = peak >= ordered[-max(1, peak.size // HOT_SPOT)]
    zones = (lesion, _rim(lesion, region), hot)
    means = curves(course, np.stack([enhancement[:, zone].mean(axis=1) for zone in zones], axis=1))
    values = [
        *means.T.ravel(),
        *maps[:, lesion].std(axis=1),
        *_correlations(maps[:, lesion], baseline[lesion]),
        *_contiguity(np.concatenate([maps, baseline[np.newaxis]]), region),
        *_types(enhancement[:, lesion] + baseline[lesion], course.early, plateau),
        lesion.mean(),
        *_place(np.argwhere(region) * millimetres, hot),
        _roughness(enhancement[:, lesion]),
        *_components(enhancement[:, lesion]),
        *(baseline[zone].mean() for zone in zones),
        baseline.std(),
        baseline[lesion].std(),
    ]
    return FeatureVector(NAMES, values)


def _rim(lesion: NDArray[np.bool_], region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which pixels of the region are in the lesion and touch, in the slice, one that is not."""
    padded = np.zeros((region.shape[0], region.shape[1] + 2, region.shape[2] + 2), bool)
    padded[:, 1:-1, 1:-1][region] = lesion
    rows, cols = region.shape[1:]
    inner = np.ones(region.shape, bool)
    for y in range(3):
        for x in range(3):
            inner &= padded[:, y : y + rows, x : x + cols]
    return lesion & ~inner[region]


def _correlations(maps: Floats, baseline: Floats) -> Floats:
    """Return Pearson's correlation of each map with the baseline."""
    other = baseline - baseline.mean()
    if not varies(baseline):
        return np.zeros(len(maps))
    centred = maps - maps.mean(axis=1, keepdims=True)
    size = np.sqrt((centred * centred).sum(axis=1) * (other @ other))
    found = np.zeros(len(maps))
    np.divide(centred @ other, size, out=found, where=[varies(m) for m in maps])
    return found


def _contiguity(values: Floats, region: NDArray[np.bool_]) -> Floats:
    """Return Geary's contiguity ratio of each map, given by its values in the region."""
    maps = np.zeros((len(values), *region.shape))
    maps[:, region] = values
    total, pairs = np.zeros(len(values)), 0
    for one, other in (
        ((..., slice(1, None)), (..., slice(None, -1))),
        ((..., slice(1, None), slice(None)), (..., slice(None, -1), slice(None))),
    ):
        both = region[one] & region[other]
        step = (maps[one] - maps[other])[:, both]
        total += (step * step).sum(axis=1)
        pairs += step.shape[1]
    ratio = np.zeros(len(values))
    if pairs:
        np.divide(total, 2 * pairs * values.var(axis=1), out=ratio, where=[varies(v) for v in values])
    return ratio


def _types(signal: Floats, early: int, plateau: float) -> tuple[float, float, float]:
    """Return the shares of curves that go on rising, stay, and fall."""
    initial = signal[:early].max(axis=0)
    change = (signal[-1] - initial) / np.maximum(initial, FLOOR)
    rising, level, falling = change > plateau, np.abs(change) <= plateau, change < -plateau
    return float(rising.mean()), float(level.mean()), float(falling.mean())


def _place(points: NDArray[np.floating], hot: NDArray[np.bool_]) -> tuple[float, float]:
    """Return how far the hot spot spreads, and how far it is from the centroid, of a region given by its points."""
    centre = points.mean(axis=0)
    size = np.sqrt(((points - centre) ** 2).sum(axis=1).mean())
    if size == 0:
        return 0.0, 0.0
    own = points[hot].mean(axis=0)
    spread = np.sqrt(((points[hot] - own) ** 2).sum(axis=1).mean())
    return float(spread / size), float(np.sqrt(((own - centre) ** 2).sum()) / size)


def _roughness(enhancement: Floats) -> float:
    """Return how much curves bend from phase to phase, the phase before contrast included."""
    curves = np.concatenate([np.zeros((1, enhancement.shape[1])), enhancement])
    return float(np.abs(np.diff(curves, 2, axis=0)).mean() / max(enhancement.mean(axis=1).max(), FLOOR))


def _components(enhancement: Floats) -> tuple[float, float]:
    """Return the shares of the variance between curves along the first two principal components."""
    if not any(varies(phase) for phase in enhancement):
        return 0.0, 0.0
    centred = enhancement - enhancement.mean(axis=1, keepdims=True)
    variances = np.linalg.eigvalsh(centred @ centred.T / centred.shape[1])
    second, first = variances[-2:] / variances.sum()
    return float(first), float(max(second, 0.0))
