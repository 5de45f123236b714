"""Grids in space: whether image and mask lie on the same one, and a mask from one to the other."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumortrace.io._error import ImageError
from tumortrace.io._image import Image
from tumortrace.io._labels import Labels

TOLERANCE = 0.01
"""How far apart the same voxel of two grids may lie, in voxels; files keep positions rounded."""

_RIGHT_ANGLE = 1e-3
_TIE = 1e-6  # positions halfway between two voxels go up, whatever rounding made of them


def axes(path: object, steps: NDArray[np.float64]) -> tuple[tuple[float, float, float], NDArray[np.float64]]:
    """Return spacing and direction of a grid.

    Parameters
    ----------
    path
        The file, for messages.
    steps : ndarray, shape (3, 3)
        Column `a` is the step in millimetres from a voxel to the next along axis `a` of the array, in the axes of
        DICOM.

    Raises
    ------
    ImageError
        If a step has no length or is not finite, or two are not at right angles (within 0.06°).
    """
    lengths = np.linalg.norm(steps, axis=0)
    if not (np.isfinite(lengths).all() and (lengths > 0).all()):
        words = " × ".join(f"{v:g}" for v in lengths[::-1])
        raise ImageError(f"{path}: its header gives the spacing {words}; give numbers above 0 in mm")
    direction = steps / lengths + 0.0
    off = float(np.abs(direction.T @ direction - np.eye(3)).max())
    if off > _RIGHT_ANGLE:
        angle = np.degrees(np.arcsin(min(off, 1.0)))
        raise ImageError(
            f"{path}: its axes are not at right angles, by {angle:.2g}°; resample it to a grid whose axes are"
        )
    slices, rows, cols = (float(v) for v in lengths)
    return (slices, rows, cols), direction


def same_grid(image: Image, mask: Image | Labels) -> None:
    """Check that a mask lies on the grid of an image.

    Parameters
    ----------
    image : Image
        An image, volume or series of volumes.
    mask : Image or Labels
        The mask. Where either does not know its spacing, origin or direction, that is not compared.

    Raises
    ------
    ImageError
        If the shapes differ, or a voxel lies more than a hundredth of a voxel away from where the image has it. The
        message says by how much they differ.

    Examples
    --------
    >>> image = Image(np.zeros((2, 3, 4)), spacing=(1.0, 1.0, 1.0), source="a.nii")
    >>> same_grid(image, Labels(np.ones((2, 3, 4), dtype=np.uint8), spacing=(1.0, 1.0, 1.0)))
    >>> same_grid(image, Labels(np.ones((2, 3, 3), dtype=np.uint8), spacing=(1.0, 1.0, 1.5), source="m.nii"))
    ... # doctest: +NORMALIZE_WHITESPACE
    Traceback (most recent call last):
        ...
    tumortrace.io._error.ImageError: m.nii: lies on another grid than a.nii: its shape is 2 × 3 × 3, not 2 × 3 × 4;
    its spacing differs by 0.5 mm; bring it onto the grid of the image with --resample-mask
    """
    found = differences(image, mask)
    if found:
        raise ImageError(
            f"{mask.source}: lies on another grid than {image.source}: {'; '.join(found)}; "
            "bring it onto the grid of the image with --resample-mask"
        )


def differences(image: Image, other: Image | Labels) -> list[str]:
    """Say in what the grid of another image or mask differs from that of an image, and by how much."""
    here, there = _shape(image), _shape(other)
    shapes = [] if here == there else [f"its shape is {_words(there)}, not {_words(here)}"]
    return shapes + _apart(image, other)


def resample_labels(labels: Labels, onto: Image) -> tuple[Labels, float]:
    """Bring the regions of a mask onto the grid of an image: every voxel takes the label of the nearest.

    Parameters
    ----------
    labels : Labels
        A mask that knows where it lies.
    onto : Image
        The image.

    Returns
    -------
    Labels
        On the grid of the image, with the names and the source of `labels`.
    outside : float
        The share of the labelled voxels of `labels` whose centre is in no voxel of the image, from 0 to 1.

    Raises
    ------
    ImageError
        If either does not know its spacing, origin and direction, the mask is empty, or nothing of it lies in the
        image.

    Examples
    --------
    >>> place = {"origin": (0.0, 0.0, 0.0), "direction": np.eye(3)[::-1]}
    >>> coarse = Labels(np.array([[[0, 1]]], dtype=np.uint8), spacing=(2.0, 2.0, 2.0), **place)
    >>> fine = Image(np.zeros((1, 1, 3)), spacing=(2.0, 2.0, 1.0), **place)
    >>> labels, outside = resample_labels(coarse, fine)
    >>> labels.array, outside
    (array([[[0, 1, 1]]], dtype=uint8), 0.0)
    """
    layers = labels.array if labels.array.ndim == 4 else labels.array[np.newaxis]
    shape = _shape(onto)
    labelled, kept, box = _seen_from(labels, onto)
    if labelled == 0:
        raise ImageError(f"{labels.source}: the mask is empty: no voxel is inside; give a mask with a region")
    matrix, shift = _between(onto, labels)
    result = np.zeros((len(layers), *shape), dtype=labels.array.dtype)
    _, rows, cols = np.ogrid[box]
    for k in range(shape[0])[box[0]]:
        index = np.stack(
            [a * k + b * rows[0] + c * cols[0] + d for (a, b, c), d in zip(matrix, shift, strict=True)]
        )
        there = _nearest(index)
        inside = _within(there, layers.shape[1:])
        result[:, k, box[1], box[2]][:, inside] = layers[:, *there[:, inside]]
    if not result.any():
        where = "lies outside" if kept == 0 else "falls between the voxels of"
        raise ImageError(f"{labels.source}: all of the mask {where} {onto.source}; are they of one patient?")
    array = result if labels.array.ndim == 4 else result[0]
    outside = 1 - kept / labelled
    return Labels(array, labels.names, onto.spacing, labels.source, onto.origin, onto.direction), outside


def _seen_from(labels: Labels, onto: Image) -> tuple[int, int, tuple[slice, slice, slice]]:
    """Return how many voxels have a label, how many of them lie in the image, and the box that they reach."""
    matrix, shift = _between(labels, onto)
    reach = np.abs(matrix).sum(axis=1) / 2 + 1
    shape = _shape(onto)
    labelled, kept = 0, 0
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for k in range(_shape(labels)[0]):
        voxels = np.argwhere(labels.array[..., k, :, :].reshape(-1, *_shape(labels)[1:]).any(axis=0))
        if len(voxels):
            index = matrix[:, :1] * k + matrix[:, 1:] @ voxels.T + shift[:, np.newaxis]
            labelled += len(voxels)
            kept += int(_within(_nearest(index), shape).sum())
            low, high = np.minimum(low, index.min(axis=1)), np.maximum(high, index.max(axis=1))
    ends = [(0, 0)] * 3 if labelled == 0 else np.clip(np.stack([low - reach, high + reach + 1], axis=1), 0, None)
    first, second, third = (slice(int(a), int(min(b, n))) for (a, b), n in zip(ends, shape, strict=True))
    return labelled, kept, (first, second, third)


def _between(first: Image | Labels, second: Image | Labels) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return matrix and shift that take an index of the first grid to one of the second."""
    here, origin = _affine(first)
    there, target = _affine(second)
    inverse = np.linalg.inv(there).astype(np.float64, copy=False)
    return inverse @ here, inverse @ (origin - target)


def _affine(grid: Image | Labels) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the steps along the axes, and the origin."""
    if grid.spacing is None or grid.origin is None or grid.direction is None:
        raise ImageError(f"{grid.source}: does not say where it lies, so that a mask cannot be resampled")
    return grid.direction * np.asarray(grid.spacing), np.asarray(grid.origin, dtype=np.float64)


def _nearest(index: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.floor(index + (0.5 + _TIE)).astype(np.int64)


def _within(index: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    inside = [(axis >= 0) & (axis < n) for axis, n in zip(index, shape, strict=True)]
    together: NDArray[np.bool_] = np.logical_and.reduce(inside)
    return together


def _apart(image: Image, mask: Image | Labels) -> list[str]:
    """Say where spacing, origin and direction differ by more than voxels that coincide may."""
    if image.spacing is None or mask.spacing is None:
        return []
    spacing, own = np.asarray(image.spacing), np.asarray(mask.spacing)
    if len(spacing) != len(own):
        return []
    shape = np.asarray(_shape(image)[-len(spacing) :])
    differences = []
    if (np.abs(own - spacing) * shape / spacing).max() > TOLERANCE:
        differences.append(f"its spacing differs by {np.abs(own - spacing).max():.3g} mm")
    if image.origin is not None and mask.origin is not None:
        shift = float(np.linalg.norm(np.subtract(mask.origin, image.origin)))
        if shift > TOLERANCE * spacing.min():
            differences.append(f"its origin by {shift:.3g} mm")
    if image.direction is not None and mask.direction is not None:
        turn = np.linalg.norm(mask.direction - image.direction, axis=0)
        if (turn * spacing * shape).max() > TOLERANCE * spacing.min():
            angle = np.degrees(2 * np.arcsin(np.minimum(turn / 2, 1.0))).max()
            differences.append(f"its axes by {angle:.3g}°")
    return differences


def _shape(grid: Image | Labels) -> tuple[int, ...]:
    return grid.array.shape[-3:]


def _words(shape: Any) -> str:
    return " × ".join(map(str, shape))
