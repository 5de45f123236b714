"""Re-segmentation: leave voxels out of a region for their intensity.

Reference: Zwanenburg et al. 2020, https://doi.org/10.1148/radiol.2020191145, reference manual section 2.5.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumortrace.preprocess._settings import Preprocessing


def resegment(
    array: NDArray[Any], mask: NDArray[np.bool_] | None, preprocessing: Preprocessing | Mapping[str, Any]
) -> NDArray[np.bool_] | None:
    """Return the voxels of a region whose intensity lies within the range and is no outlier.

    Parameters
    ----------
    array : ndarray
        Intensities, as resampled and before any filter.
    mask : ndarray of bool, of the same shape, or None
        The region; None is the whole array.
    preprocessing : Preprocessing or mapping
        Its `range`, `range_mode` and `outliers` are used.

    Returns
    -------
    ndarray of bool, or None
        `mask` itself where the settings ask for nothing.

    Raises
    ------
    ValueError
        If no voxel is left.

    Examples
    --------
    >>> resegment(np.array([-900, 20, 40, 700]), None, {"range": [-500, 400]})
    array([False,  True,  True, False])
    """
    preprocessing = Preprocessing.of(preprocessing)
    if not preprocessing.resegments:
        return mask
    inside = np.ones(array.shape, dtype=bool) if mask is None else mask.copy()
    values = array[inside]
    keep = np.ones(values.shape, dtype=bool)
    bounds = []
    for low, high in _bounds(values, preprocessing):
        if low is not None:
            keep &= values >= low
        if high is not None:
            keep &= values <= high
        bounds.append(f"[{_shown(low, '−∞')}, {_shown(high, '∞')}]")
    if not keep.any():
        raise ValueError(
            f"re-segmentation to {' and '.join(bounds)} leaves no voxel; "
            f"the intensities of the region lie in [{values.min():g}, {values.max():g}]"
        )
    inside[inside] = keep
    return inside


def _bounds(values: NDArray[Any], preprocessing: Preprocessing) -> list[tuple[float | None, float | None]]:
    """Return the intervals that the intensities of a region have to lie in."""
    bounds: list[tuple[float | None, float | None]] = []
    mean, sigma = float(np.mean(values, dtype=np.float64)), float(np.std(values, dtype=np.float64))
    if preprocessing.range is not None:
        mode = preprocessing.range_mode
        scale = {"absolute": 1.0, "relative": float(values.max()), "sigma": sigma}[mode]
        offset = mean if mode == "sigma" else 0.0
        low, high = (None if bound is None else offset + scale * bound for bound in preprocessing.range)
        bounds.append((low, high))
    if preprocessing.outliers is not None:
        bounds.append((mean - preprocessing.outliers * sigma, mean + preprocessing.outliers * sigma))
    return bounds


def _shown(bound: float | None, infinite: str) -> str:
    return infinite if bound is None else f"{bound:g}"
