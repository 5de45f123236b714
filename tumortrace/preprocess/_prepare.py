"""From an image and its mask to what the extractors are given, in the order of the IBSI."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace.preprocess._normalise import moments, normalise
from tumortrace.preprocess._resample import EXACT, Axis, Place, Positions, axes, cut, interpolate
from tumortrace.preprocess._resegment import resegment
from tumortrace.preprocess._settings import Preprocessing

_MAX_VOXELS = 2**30


class Prepared(NamedTuple):
    """An image and its masks on their new grid, cut to the box around the mask.

    `mask` holds the voxels whose intensities count, None where all do. `morphological_mask` is the region before
    re-segmentation, None where that is the same. `spacing` is in mm. `box` is the place of the arrays on the whole
    new grid, and `start` that of their first voxel in the old one, in voxels: in mm it lies at
    ``origin + direction @ (old spacing * start)``.
    """

    array: NDArray[Any]
    mask: NDArray[np.bool_] | None
    morphological_mask: NDArray[np.bool_] | None
    spacing: tuple[float, ...]
    box: tuple[slice, ...]
    start: tuple[float, ...]


def prepare(
    array: ArrayLike,
    mask: ArrayLike | None = None,
    spacing: Sequence[float] | None = None,
    preprocessing: Preprocessing | Mapping[str, Any] | None = None,
    *,
    margin: int | None = 0,
    origin: Sequence[float] | None = None,
    direction: ArrayLike | None = None,
) -> Prepared:
    """Normalise, resample, round and re-segment an image and its mask, in this order.

    Parameters
    ----------
    array : array_like, shape (slices, rows, cols) or (rows, cols)
        Intensities.
    mask : array_like, same shape, optional
        Non-zero is inside; without it the whole image is.
    spacing : sequence of float, optional
        Distance between voxels in mm, one number per axis; needed to resample.
    preprocessing : Preprocessing or mapping, optional
        What to do; see `Preprocessing`.
    margin : int, optional
        Keep this many voxels of the new grid around the mask, for a filter; None keeps the whole image.
    origin, direction : optional
        Where the volume lies in the patient, as in `tumortrace.io.Image`. The grid of PyRadiomics alone asks: a new
        voxel half way between two old ones goes to the one that ITK's rounding of millimetres decides for.

    Returns
    -------
    Prepared
        The array keeps its dtype where nothing changes its numbers, else it is float64.

    Raises
    ------
    ValueError
        If image, mask or spacing do not fit each other or the settings, the image is constant and has to be
        normalised, the new spacing makes more than 2^30 voxels, or a step leaves no voxel of the mask; the message
        says which.

    Notes
    -----
    Memory goes with the box around the mask, not with the image: only the box is converted to float64, with 32
    voxels around it for a cubic spline. The mean and the standard deviation of a normalisation are of the whole
    image, taken slice by slice.

    References
    ----------
    Zwanenburg et al. 2020, https://doi.org/10.1148/radiol.2020191145, reference manual chapter 2.

    Examples
    --------
    >>> image = np.arange(6.0) * np.ones((1, 4, 1))
    >>> found = prepare(image, image > 1, (5.0, 1.0, 1.0), {"spacing": [0, 2, 2]})
    >>> found.array[0, 0], found.mask[0, 0], found.spacing
    (array([0.5, 2.5, 4.5]), array([False,  True,  True]), (5.0, 2.0, 2.0))
    """
    preprocessing = Preprocessing.of(preprocessing)
    found = resample(array, mask, spacing, preprocessing, margin=margin, origin=origin, direction=direction)
    if not preprocessing.resegments:
        return found
    whole = np.ones(found.array.shape, dtype=bool) if found.mask is None else found.mask
    return found._replace(mask=resegment(found.array, whole, preprocessing), morphological_mask=whole)


def resample(
    array: ArrayLike,
    mask: ArrayLike | None = None,
    spacing: Sequence[float] | None = None,
    preprocessing: Preprocessing | Mapping[str, Any] | None = None,
    *,
    margin: int | None = 0,
    origin: Sequence[float] | None = None,
    direction: ArrayLike | None = None,
) -> Prepared:
    """Do what `prepare` does, up to re-segmentation.

    Parameters and errors are those of `prepare`. The result goes through a filter, and `resegment`, with the
    unfiltered intensities.
    """
    preprocessing = Preprocessing.of(preprocessing)
    array = np.asarray(array)
    inside = _mask(mask, array)
    if spacing is None and preprocessing.spacing is not None:
        raise ValueError(
            "the image does not say its spacing, and cannot be resampled; give it in mm, or no spacing"
        )
    old = _check.spacing(spacing, array.ndim)
    box = [slice(0, n) for n in array.shape] if inside is None else _box(inside)
    _check_size(box, old, preprocessing.spacing)
    keep = margin if preprocessing.padding is None else preprocessing.padding
    grid = axes(array.shape, old, box, preprocessing, keep, _places(array.ndim, origin, direction))
    return Prepared(
        _intensities(array, grid, preprocessing),
        None if inside is None else _inside(inside, grid, preprocessing),
        None,
        tuple(axis.spacing for axis in grid),
        tuple(slice(axis.first, axis.first + axis.n) for axis in grid),
        tuple(float(axis.first if axis.positions is None else axis.positions[0]) for axis in grid),
    )


def _mask(mask: ArrayLike | None, array: NDArray[Any]) -> NDArray[np.bool_] | None:
    if array.ndim not in (2, 3) or array.size == 0:
        raise ValueError(f"image has shape {array.shape}; give (slices, rows, cols) or (rows, cols)")
    if mask is None:
        return None
    inside = np.asarray(mask)
    if inside.shape != array.shape:
        raise ValueError(f"mask has shape {inside.shape}; give the shape of the image, {array.shape}")
    inside = inside.astype(bool, copy=False)
    if not inside.any():
        raise ValueError("mask is empty: no voxel is inside; give a mask that is non-zero somewhere")
    return inside


def _check_size(box: list[slice], old: Sequence[float], new: float | tuple[float, ...] | None) -> None:
    """Refuse a spacing so small that no memory holds the region, before anything is made of that size."""
    if new is None:
        return
    wanted = new if isinstance(new, tuple) else (new,) * len(old)
    if len(wanted) != len(old):
        return  # told where the grid is laid
    after = [to or by for by, to in zip(old, wanted, strict=True)]
    voxels = math.prod((one.stop - one.start) * by / to for one, by, to in zip(box, old, after, strict=True))
    if voxels > _MAX_VOXELS:
        shown = " × ".join(f"{to:g}" for to in after)
        raise ValueError(
            f"resampling to {shown} mm makes {voxels:.3g} voxels of the region, more than the {_MAX_VOXELS:.3g} "
            "allowed; give a larger spacing"
        )


def _places(ndim: int, origin: Sequence[float] | None, direction: ArrayLike | None) -> list[Place]:
    """Return where each axis lies along the axis of the patient that it is closest to."""
    if origin is None or ndim != 3:
        return [Place()] * ndim
    cosines = np.eye(3)[::-1] if direction is None else np.asarray(direction, dtype=np.float64)
    nearest = np.abs(cosines).argmax(axis=0)
    return [Place(float(origin[c]), float(cosines[c, axis])) for axis, c in enumerate(nearest)]


def _box(inside: NDArray[np.bool_]) -> list[slice]:
    box = []
    for axis in range(inside.ndim):
        found = np.flatnonzero(inside.any(axis=tuple(a for a in range(inside.ndim) if a != axis)))
        box.append(slice(int(found[0]), int(found[-1]) + 1))
    return box


def _intensities(array: NDArray[Any], grid: list[Axis], preprocessing: Preprocessing) -> NDArray[Any]:
    part, positions = cut(array, grid, preprocessing.interpolation)
    if preprocessing.normalise is not None:
        part = normalise(part, *moments(array), preprocessing.normalise)
    if any(at is not None for at in positions):
        found = interpolate(part, positions, preprocessing.interpolation, _border(preprocessing))
        if preprocessing.rounding == "dtype":
            found = _as(found, part.dtype, exact=preprocessing.grid == "pyradiomics")
        part = found
    return np.rint(part) if preprocessing.rounding == "nearest" and part.dtype.kind == "f" else part


def _inside(inside: NDArray[np.bool_], grid: list[Axis], preprocessing: Preprocessing) -> NDArray[np.bool_]:
    positions: list[Positions | None]
    part, positions = cut(inside, grid, preprocessing.mask_interpolation)
    if all(at is None for at in positions):
        return part
    share = interpolate(part, positions, preprocessing.mask_interpolation, _border(preprocessing))
    found = share >= preprocessing.mask_threshold - EXACT
    if not found.any():
        shown = " × ".join(f"{axis.spacing:g}" for axis in grid)
        raise ValueError(
            f"resampling to {shown} mm leaves no voxel of the mask, which has {np.count_nonzero(inside)}; "
            "give a smaller spacing, or mask_interpolation: nearest"
        )
    return found


def _border(preprocessing: Preprocessing) -> str:
    return "mirror" if preprocessing.grid == "pyradiomics" else "nearest"


def _as(values: NDArray[np.float64], dtype: np.dtype[Any], *, exact: bool) -> NDArray[Any]:
    """Return values as a number type holds them: cut to its range, and of integers the fraction cut off.

    Of values that are not exact, what is whole up to rounding stays so. (ITK makes 99 of a constant 100 in two
    voxels of three.)
    """
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        if not exact:
            whole = np.rint(values)
            near = np.abs(values - whole) < EXACT * np.maximum(np.abs(whole), 1)
            values = np.where(near, whole, values)
        values = np.clip(values, limits.min, limits.max)
    return values.astype(dtype)
