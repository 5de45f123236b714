"""Intensity-volume histogram: how much of a region is at least how intense.

Reference: Zwanenburg et al. 2020, The Image Biomarker Standardization Initiative,
https://doi.org/10.1148/radiol.2020191145, and the reference manual, section 3.5.
"""

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace.features._discretise import grey_levels
from tumortrace.features._first_order import _distribution
from tumortrace.features._region import region
from tumortrace.features._vector import FeatureVector

_NAMES = (
    "volume_fraction_at_10_intensity",
    "volume_fraction_at_90_intensity",
    "intensity_at_10_volume",
    "intensity_at_90_volume",
    "volume_fraction_difference_between_10_and_90_intensity",
    "intensity_difference_between_10_and_90_volume",
    "area_under_the_ivh_curve",
)
_ONE_BIN = "volume fractions: with one bin no intensity is a fraction of the range"


def ivh(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    spacing: Sequence[float] | None = None,
    levels: int = 1000,
    bin_width: float | None = None,
    first_edge: str | float = "ibsi",
    last_edge: float | None = None,
) -> FeatureVector:
    """Compute the features of the intensity-volume histogram of a region.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype.
    mask : array_like, same shape, optional
        Non-zero is inside; without it the whole image is.
    spacing : sequence of float, optional
        Accepted as in every extractor; voxels are counted, so it has no effect.
    levels : int, default 1000
        Fixed bin number, see `discretise`: for intensities without a unit, as those of most MR images. An intensity
        is then the number of its bin, 1 … `levels`.
    bin_width : float, optional
        Fixed bin width in the unit of the image, in place of `levels`: for intensities with a unit. With
        ``bin_width=1`` on whole numbers, such as the Hounsfield units of CT, a bin is one intensity and counts as
        that; otherwise a bin counts as its middle.
    first_edge : {"ibsi"} or float, default "ibsi"
        Where the first bin begins: with the minimum of the region, or at a number, which needs `bin_width` and is
        the lower end of the range of re-segmentation.
    last_edge : float, optional
        The upper end of the range of re-segmentation, with `bin_width`: bins go on to the one that holds it.
        Without it they end with the maximum of the region.

    Returns
    -------
    FeatureVector
        7 numbers. With bins k = 1 … N, ν(k) the share of voxels in bin k or above, and γ(k) = (k − 1) / (N − 1) the
        bin's place in the range:

        - ``volume_fraction_at_10_intensity`` and ``…_at_90_intensity``: the largest ν among bins with γ ≥ 0.1, 0.9;
          NaN where there is one bin
        - ``intensity_at_10_volume`` and ``…_at_90_volume``: the lowest intensity of a bin with ν ≤ 0.1, 0.9; where
          there is none, that of the last bin
        - ``volume_fraction_difference_between_10_and_90_intensity`` and
          ``intensity_difference_between_10_and_90_volume``: the first of each two less the second
        - ``area_under_the_ivh_curve``: of ν over γ by trapezia, 0 to 1; 0 where there is one bin

    Raises
    ------
    TypeError
        If `image` or `mask` is not real.
    ValueError
        If an argument is not as said, there would be more than 4096 bins, or the region reaches beyond an edge.

    Notes
    -----
    IBSI intensity-volume histogram (P88C), in the order of the vector: NK6P, 4279, PWN1, BOHI, WITY, JXJA. There is
    no consensus on the area (9CMM). γ is taken in the range of re-segmentation where that is given, as
    IBSI has it, else in that of the region.

    IBSI tells three cases apart. Definite units in whole numbers, as CT: ``bin_width=1``. Definite units that are
    not whole, as PET: a `bin_width` of choice. Arbitrary units: the default.

    References
    ----------
    El Naqa et al. 2009, https://doi.org/10.1016/j.patcog.2008.08.011; Zwanenburg et al. 2020,
    https://doi.org/10.1148/radiol.2020191145

    Examples
    --------
    >>> v = ivh([[1, 1, 1, 1, 1, 2, 3, 4, 5, 11]], bin_width=1)
    >>> v["volume_fraction_at_10_intensity"], v["intensity_at_10_volume"], v["intensity_at_90_volume"]
    (0.5, 6.0, 2.0)
    """
    chosen = region(image, mask, spacing)
    if isinstance(first_edge, str):
        _check.one_of("first_edge", first_edge, ("ibsi",))
    values, counts = _distribution(chosen.volume, chosen.inside)
    grey, n = grey_levels(values[np.newaxis, np.newaxis], _check.NO_MASK, levels, bin_width, first_edge)
    last = _last_edge(last_edge, bin_width, values)
    start, step = 1.0, 1.0
    if bin_width is not None:
        step = float(bin_width)
        start = float(values[0] if isinstance(first_edge, str) else first_edge)
        single = step == 1 and start % 1 == 0 and not np.any(values % 1)
        if last is not None:
            n = math.floor((last - start) / step) + 1
        start += 0.0 if single else step / 2
    in_bin_or_above = np.bincount(grey.ravel() - 1, counts, n)[::-1].cumsum()[::-1]
    fractions: NDArray[np.float64] = in_bin_or_above / float(counts.sum())
    numbers = _features(fractions, start + step * np.arange(n, dtype=np.float64))
    return FeatureVector(_NAMES, numbers, _ONE_BIN if n == 1 else "")


def _last_edge(value: Any, bin_width: float | None, values: NDArray[Any]) -> float | None:
    """Return a checked `last_edge`."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise ValueError(f"last_edge is {value!r}; give a number, or None for the maximum of the region")
    if bin_width is None:
        raise ValueError(
            f"last_edge is {value!r}, but `levels` bins end with the maximum of the region; give bin_width"
        )
    if value < values[-1]:
        raise ValueError(
            f"last_edge is {value:g}, below the maximum of the region, {values[-1]:g}; "
            f"give {values[-1]:g} or more, or re-segment the region to what is below {value:g}"
        )
    return float(value)


def _features(fractions: NDArray[np.float64], intensities: NDArray[np.float64]) -> tuple[float, ...]:
    """Return the features of the shares of voxels from each bin on, and of what the bins stand for."""
    n = fractions.size
    volumes = [float(fractions[-(-share * (n - 1) // 100)]) if n > 1 else math.nan for share in (10, 90)]
    reached = [min(int(np.searchsorted(-fractions, -share)), n - 1) for share in (0.1, 0.9)]
    at = [float(intensities[k]) for k in reached]
    area = float(np.mean(fractions[1:] + fractions[:-1])) / 2 if n > 1 else 0.0
    return (*volumes, *at, volumes[0] - volumes[1], at[0] - at[1], area)
