"""Splines along one axis after another, on the grid of the IBSI or of PyRadiomics.

References: Zwanenburg et al. 2020, https://doi.org/10.1148/radiol.2020191145, reference manual section 2.4; Unser
1999, Splines: a perfect fit for signal and image processing, https://doi.org/10.1109/79.799930.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tumortrace.preprocess._settings import Preprocessing

Positions = NDArray[np.float64]

_REACH = 32
"""Voxels after which a cubic spline has forgotten a value: its influence falls by 0.268 a voxel, to 5e-19."""
EXACT = 1e-9
"""What is closer to a whole number, or to a threshold, than this is there, whatever its last digits say."""


class Axis(NamedTuple):
    """The new voxels along one axis.

    `positions` counts in old voxels, from the centre of the first; None where the axis is kept. `first` is the
    number of the first of these `n` voxels on the whole new grid, and `spacing` is in mm.
    """

    positions: Positions | None
    first: int
    n: int
    spacing: float


class Place(NamedTuple):
    """Where an axis lies in the patient: the first voxel in mm, and the direction cosine of the axis."""

    origin: float = 0.0
    cosine: float = 1.0


def axes(
    shape: Sequence[int],
    spacing: Sequence[float],
    box: Sequence[slice],
    preprocessing: Preprocessing,
    keep: int | None,
    places: Sequence[Place],
) -> list[Axis]:
    """Lay the new grid: the voxels that hold the box of the mask, and `keep` more on either side (None: all)."""
    new = _wanted(shape, spacing, preprocessing)
    old = list(zip(shape, spacing, box, strict=True))
    if preprocessing.grid == "ibsi":
        return [_ibsi(*axis, wanted, keep) for axis, wanted in zip(old, new, strict=True)]
    new = [s if b.stop - b.start == 1 else wanted for (_, s, b), wanted in zip(old, new, strict=True)]
    if np.allclose(spacing, new):
        return [_kept(*axis, keep) for axis in old]
    return [
        _pyradiomics(*axis, wanted, keep, place, by_line=a == len(old) - 1)
        for a, (axis, wanted, place) in enumerate(zip(old, new, places, strict=True))
    ]


def cut(
    array: NDArray[Any], grid: Sequence[Axis], interpolation: str
) -> tuple[NDArray[Any], list[Positions | None]]:
    """Cut an array down to what the new voxels depend on; return it and their positions in it."""
    reach = _REACH if interpolation == "cubic" else 1
    box: list[slice] = []
    positions: list[Positions | None] = []
    for n, axis in zip(array.shape, grid, strict=True):
        if axis.positions is None:
            box.append(slice(axis.first, axis.first + axis.n))
            positions.append(None)
            continue
        start = min(max(math.floor(axis.positions[0]) - reach, 0), n - 1)
        stop = max(min(math.ceil(axis.positions[-1]) + reach + 1, n), start + 1)
        box.append(slice(start, stop))
        positions.append(axis.positions - start)
    return array[tuple(box)], positions


def interpolate(
    array: NDArray[Any], positions: Sequence[Positions | None], interpolation: str, border: str
) -> NDArray[np.float64]:
    """Return `array` at positions along each axis, None for an axis as it is, as float64.

    `border` says how the array goes on: "nearest", as it ends; "mirror", as ITK has it: mirrored about its last
    voxel for a cubic spline, as it ends for others, and 0 beyond half a voxel.
    """
    order = {"nearest": 0, "linear": 1, "cubic": 3}[interpolation]
    if order == 3 and border == "mirror" and array.ndim == 3:
        return _as_itk(array, positions)
    for axis in reversed(range(array.ndim)):  # the order of ITK, columns first
        at = positions[axis]
        if at is not None:
            array = _along(array, axis, at, order, border)
    return np.ascontiguousarray(array, dtype=np.float64)


def _as_itk(array: NDArray[Any], positions: Sequence[Positions | None]) -> NDArray[np.float64]:
    """Return the cubic spline of ITK, and 0 beyond half a voxel."""
    from tumortrace.preprocess._itk import cubic

    every = [np.arange(float(n)) if at is None else at for n, at in zip(array.shape, positions, strict=True)]
    found = cubic(array.astype(np.float64), every)
    for axis, (n, at) in enumerate(zip(array.shape, every, strict=True)):
        found[(slice(None),) * axis + ((at < -0.5) | (at >= n - 0.5),)] = 0
    return found


def _wanted(shape: Sequence[int], spacing: Sequence[float], preprocessing: Preprocessing) -> list[float]:
    """Return the spacing to resample to, one number per axis."""
    new = preprocessing.spacing
    if new is None:
        return list(spacing)
    if not isinstance(new, tuple):
        return [old if n == 1 else new for n, old in zip(shape, spacing, strict=True)]
    if len(new) != len(shape):
        raise ValueError(
            f"preprocess.spacing is {new}, but the image has {len(shape)} axes; give one number for each"
        )
    return [old if number == 0 else number for old, number in zip(spacing, new, strict=True)]


def _kept(n: int, old: float, box: slice, keep: int | None) -> Axis:
    keep = n if keep is None else keep
    first = max(box.start - keep, 0)
    return Axis(None, first, min(box.stop + keep, n) - first, old)


def _ibsi(n: int, old: float, box: slice, new: float, keep: int | None) -> Axis:
    """Align the centres of both grids; keep what a linearly resampled mask can reach."""
    if math.isclose(old, new, rel_tol=1e-5):
        return _kept(n, old, box, keep)
    ratio = new / old
    count = max(math.ceil(n / ratio - EXACT), 1)
    keep = count if keep is None else keep
    start = 0.5 * (n - 1 - ratio * (count - 1))
    first = max(math.floor((box.start - 1 - start) / ratio) - keep, 0)
    last = min(math.ceil((box.stop - start) / ratio) + keep, count - 1)
    positions = np.round(start + ratio * np.arange(first, last + 1), 12)  # half way between two voxels is so
    return Axis(positions, first, positions.size, new)


def _pyradiomics(
    n: int, old: float, box: slice, new: float, keep: int | None, place: Place, *, by_line: bool
) -> Axis:
    """Align the first corners of both grids; keep the voxels that PyRadiomics keeps.

    A voxel half way between two is common, and rounding decides to which it goes. So positions are computed as ITK
    does, by way of millimetres in the patient and, within a line of voxels, between its two ends.
    """
    ratio = old / new
    keep = n + math.ceil(n * ratio) if keep is None else keep
    first = max(math.floor((box.start - 0.5) * ratio - keep), 0)
    last = min(math.ceil((box.stop - 0.5) * ratio + keep), math.ceil(n * ratio) - 1)
    count = last + 1 - first
    step = place.cosine * old
    start = place.origin + step * (0.5 * (new - old) / old + first / ratio)
    positions = ((start + place.cosine * new * np.arange(count + 1)) - place.origin) * (1 / step)
    if by_line:
        positions = positions[0] + np.arange(count + 1) / count * (positions[-1] - positions[0])
    return Axis(positions[:-1], first, count, new)


def _along(array: NDArray[Any], axis: int, at: Positions, order: int, border: str) -> NDArray[np.float64]:
    """Resample along one axis: every new voxel is a weighted sum of ``order + 1`` old ones."""
    n = array.shape[axis]
    outside = (at < -0.5) | (at >= n - 0.5)
    if order == 3:
        array, at = _coefficients(array, axis, at, border)
    taps, weights = _taps(at, order)
    last = array.shape[axis] - 1
    if order == 3 and last > 0:
        taps = last - np.abs(last - np.abs(taps) % (2 * last))
    taps = np.clip(taps, 0, last)
    shape = tuple(-1 if a == axis else 1 for a in range(array.ndim))
    total: NDArray[np.float64] = np.take(array, taps[0], axis).astype(np.float64)
    if order == 1:  # as ITK has it, to the last digit: a + (b − a) t
        total += (np.take(array, taps[1], axis) - total) * weights[1].reshape(shape)
    else:
        total *= weights[0].reshape(shape)
        for tap, weight in zip(taps[1:], weights[1:], strict=True):
            total += np.take(array, tap, axis) * weight.reshape(shape)
    if border == "mirror":
        total[(slice(None),) * axis + (outside,)] = 0
    return total


def _coefficients(
    array: NDArray[Any], axis: int, at: Positions, border: str
) -> tuple[NDArray[np.float64], Positions]:
    """Return the coefficients of the cubic B-spline through the values along an axis."""
    from scipy.ndimage import spline_filter1d

    if border == "nearest":
        array = np.pad(array, [(_REACH, _REACH) if a == axis else (0, 0) for a in range(array.ndim)], mode="edge")
        at = at + _REACH
    return spline_filter1d(array, 3, axis, output=np.float64, mode="mirror"), at


def _taps(at: Positions, order: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return which old voxels make a new one, and their weights; one row per tap."""
    if order == 0:
        return np.floor(at + 0.5).astype(np.intp)[np.newaxis], np.ones((1, at.size))
    below = np.floor(at)
    t = at - below
    if order == 1:
        weights = np.stack([1 - t, t])
    else:
        square, cube = t * t, t * t * t
        weights = np.stack([(1 - t) ** 3, 3 * cube - 6 * square + 4, 3 * (t + square - cube) + 1, cube]) / 6
    first = below.astype(np.intp) - (order - 1) // 2
    return first + np.arange(order + 1)[:, np.newaxis], weights
