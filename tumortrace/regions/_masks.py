"""The regions: masks from a mask."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check

Mask = NDArray[np.bool_]

_ROUNDING = 1 + 1e-9  # a distance of 3 · 0.3 mm lies within 0.9 mm


def lesion(mask: ArrayLike, *, spacing: Sequence[float] | None = None) -> Mask:
    """Return the mask itself."""
    inside, _ = _checked(mask, spacing)
    return inside


def rim(mask: ArrayLike, *, spacing: Sequence[float] | None = None, width: float) -> Mask:
    """Return the inner border of a mask: its voxels within `width` of a voxel outside.

    Parameters
    ----------
    mask : array_like, shape (rows, cols) or (slices, rows, cols)
        Non-zero is inside.
    spacing : sequence of float, optional
        Millimetres per voxel, one number per axis; None is 1.
    width : float
        Width in mm, between centres: with voxels of 1 mm, width 1 is the outermost layer.

    Returns
    -------
    ndarray of bool, shape of `mask`

    Raises
    ------
    ValueError
        If no voxel is that near to the outside: `width` is less than the spacing, or the mask fills the image.

    Notes
    -----
    The edge of the image is no border: what lies beyond is not known.

    Examples
    --------
    >>> rim([[0, 1, 1, 1, 1, 1, 0]], width=1).astype(int)
    array([[0, 1, 0, 0, 0, 1, 0]])
    """
    inside, box, depth = _depth(mask, spacing)
    width = _check.positive("width", width)
    region = np.zeros_like(inside)
    region[box] = inside[box] & (depth <= width * _ROUNDING)
    return _some(region, f"the rim of {width:g} mm", "no voxel of the mask is so near to one outside of it")


def core(mask: ArrayLike, *, spacing: Sequence[float] | None = None, width: float) -> Mask:
    """Return what a mask is without its rim: its voxels farther than `width` from every voxel outside.

    Parameters
    ----------
    mask, spacing, width
        As of `rim`.

    Returns
    -------
    ndarray of bool, shape of `mask`

    Raises
    ------
    ValueError
        If the rim is all of the mask.

    Examples
    --------
    >>> core([[0, 1, 1, 1, 1, 1, 0]], width=1).astype(int)
    array([[0, 0, 1, 1, 1, 0, 0]])
    """
    inside, box, depth = _depth(mask, spacing)
    width = _check.positive("width", width)
    region = np.zeros_like(inside)
    region[box] = depth > width * _ROUNDING
    return _some(region, f"the core inside {width:g} mm", "every voxel of the mask belongs to the rim")


def ring(
    mask: ArrayLike,
    *,
    spacing: Sequence[float] | None = None,
    width: float,
    gap: float = 0.0,
    body: ArrayLike | None = None,
) -> Mask:
    """Return the surroundings of a mask: voxels outside within `width` of it, beyond `gap`.

    Parameters
    ----------
    mask : array_like, shape (rows, cols) or (slices, rows, cols)
        Non-zero is inside.
    spacing : sequence of float, optional
        Millimetres per voxel, one number per axis; None is 1.
    width : float
        Width in mm: the distance to the nearest voxel of the mask is above `gap` and at most `gap + width`.
    gap : float, default 0
        What is left out next to the mask, in mm, for instance where its border is not certain.
    body : array_like, same shape, optional
        Keep to this mask, for instance of `body`.

    Returns
    -------
    ndarray of bool, shape of `mask`

    Raises
    ------
    ValueError
        If nothing is left: `width` is less than the spacing, or there is no room in the image or the body.

    Examples
    --------
    >>> ring([[0, 0, 0, 0, 1, 0, 0]], width=2, gap=1).astype(int)
    array([[0, 1, 1, 0, 0, 0, 1]])
    """
    inside, spacing = _checked(mask, spacing)
    width = _check.positive("width", width)
    gap = 0.0 if gap == 0 else _check.positive("gap", gap)
    from scipy.ndimage import distance_transform_edt

    margins = [int((gap + width) * _ROUNDING / side) for side in spacing]
    box = _box(inside, margins)
    distance = distance_transform_edt(~inside[box], sampling=spacing)
    region = np.zeros_like(inside)
    region[box] = (distance > gap * _ROUNDING) & (distance <= (gap + width) * _ROUNDING)
    name = f"the ring of {width:g} mm"
    _some(region, name, "no voxel of the image outside the mask is within that distance")
    if body is not None:
        region &= _same_shape("body", body, inside)
        _some(region, name, "none of it lies in the body")
    return region


def contralateral(
    mask: ArrayLike,
    *,
    spacing: Sequence[float] | None = None,
    axis: int | None = None,
    plane: float | None = None,
    direction: ArrayLike | None = None,
    body: ArrayLike | None = None,
) -> Mask:
    """Return the mask mirrored to the other side of the body.

    Parameters
    ----------
    mask : array_like, shape (rows, cols) or (slices, rows, cols)
        Non-zero is inside.
    spacing : sequence of float, optional
        Accepted by every region; a mirror image has no distances, so it has no effect here.
    axis : int, optional
        The axis of the array that runs from left to right. None: found from `direction`.
    plane : float, optional
        Where the mid-plane crosses that axis, in voxels: 0 is the centre of the first voxel, rounded to halves.
        None: the middle of the body, the mean position of its voxels, or of the image where `body` is None.
    direction : array_like, shape (3, 3), optional
        Of the `Image`: column a is the LPS unit vector of array axis a.
    body : array_like, same shape, optional
        Keep to this mask, for instance of `body`.

    Returns
    -------
    ndarray of bool, shape of `mask`
        Without voxels of the mask itself.

    Raises
    ------
    ValueError
        If nothing is left: the mirrored mask lies outside the image or the body, or on the mask itself; if neither
        `axis` nor `direction` says where left and right are.

    Notes
    -----
    No registration: the two sides are as alike as the body is symmetric and lies straight.

    Examples
    --------
    >>> contralateral([[0, 1, 1, 0, 0, 0, 0, 0]], axis=1).astype(int)
    array([[0, 0, 0, 0, 0, 1, 1, 0]])
    >>> contralateral([[0, 1, 1, 0, 0, 0, 0, 0]], axis=1, plane=3).astype(int)
    array([[0, 0, 0, 0, 1, 1, 0, 0]])
    """
    inside, _ = _checked(mask, spacing)
    if axis is None:
        if direction is None:
            raise ValueError("the image has no direction; say by axis which axis of the array runs left to right")
        axis = left_right(direction)
    axis = _check.integer("axis", axis, 0, inside.ndim - 1)
    within = None if body is None else _same_shape("body", body, inside)
    twice = _twice_the_plane(inside.shape[axis], axis, plane, within)
    mirrored = np.zeros_like(inside)
    where = np.argwhere(inside)
    where[:, axis] = twice - where[:, axis]
    where = where[(where[:, axis] >= 0) & (where[:, axis] < inside.shape[axis])]
    mirrored[tuple(where.T)] = True
    name = f"the contralateral region about {twice / 2:g} along axis {axis}"
    _some(mirrored, name, "it lies outside the image")
    mirrored &= ~inside
    _some(mirrored, name, "the mask lies across the mid-plane and mirrors onto itself")
    if within is not None:
        mirrored &= within
        _some(mirrored, name, "none of it lies in the body")
    return mirrored


def left_right(direction: ArrayLike) -> int:
    """Return the array axis that runs from left to right, from the direction of an `Image`.

    Parameters
    ----------
    direction : array_like, shape (3, 3)
        Column a is the LPS unit vector of array axis a.

    Raises
    ------
    ValueError
        If no axis is within 30° of left and right.

    Examples
    --------
    An axial series: slices go up, rows to the back, columns to the left.

    >>> left_right([[0, 0, 1], [0, 1, 0], [1, 0, 0]])
    2
    """
    matrix = np.asarray(direction, dtype=float)
    if matrix.shape != (3, 3):
        raise ValueError(f"direction has shape {matrix.shape}; give (3, 3), a column per axis of the image")
    axis = int(np.argmax(np.abs(matrix[0])))
    if abs(matrix[0, axis]) < np.cos(np.deg2rad(30)):
        raise ValueError("no axis of the image is within 30° of left and right; say which by axis")
    return axis


def _checked(mask: ArrayLike, spacing: Sequence[float] | None) -> tuple[Mask, tuple[float, ...]]:
    array = np.asarray(mask)
    if array.ndim not in (2, 3):
        raise ValueError(f"mask has {array.ndim} dimensions; give 2-D (rows, cols) or 3-D (slices, rows, cols)")
    blank = np.empty((1,) * (3 - array.ndim) + array.shape, dtype=np.bool_)
    return _check.region(array, blank, array.ndim).reshape(array.shape), _check.spacing(spacing, array.ndim)


def _depth(mask: ArrayLike, spacing: Sequence[float] | None) -> tuple[Mask, tuple[slice, ...], NDArray[np.float64]]:
    """Return the mask, the box around it and one voxel more, and how far each voxel there is from the outside."""
    from scipy.ndimage import distance_transform_edt

    inside, sampling = _checked(mask, spacing)
    box = _box(inside, [1] * inside.ndim)
    if inside[box].all():
        return inside, box, np.full(inside[box].shape, np.inf)
    return inside, box, distance_transform_edt(inside[box], sampling=sampling)


def _box(inside: Mask, margins: Sequence[int]) -> tuple[slice, ...]:
    """Return the box around a mask, grown by `margins` and clipped to the image."""
    box = []
    for axis, margin in enumerate(margins):
        along = np.flatnonzero(inside.any(axis=tuple(a for a in range(inside.ndim) if a != axis)))
        box.append(slice(max(int(along[0]) - margin, 0), int(along[-1]) + 1 + margin))
    return tuple(box)


def _some(region: Mask, name: str, why: str) -> Mask:
    if not region.any():
        raise ValueError(f"{name} is empty: {why}")
    return region


def _same_shape(name: str, mask: ArrayLike, inside: Mask) -> Mask:
    array = np.asarray(mask)
    if array.shape != inside.shape:
        raise ValueError(f"{name} has shape {array.shape}; give the shape of the mask, {inside.shape}")
    return array.astype(bool)


def _twice_the_plane(size: int, axis: int, plane: float | None, within: Mask | None) -> int:
    if plane is not None:
        return round(2 * plane)
    if within is None:
        return size - 1
    if not within.any():
        raise ValueError("body is empty: no voxel is inside; give another mask, or leave it out")
    counts = within.sum(axis=tuple(a for a in range(within.ndim) if a != axis))
    return round(2 * float(np.average(np.arange(size), weights=counts)))
