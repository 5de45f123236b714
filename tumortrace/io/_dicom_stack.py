"""From planes to a volume: their order and distance, or the reason why they are none.

The distance between slices is that between their positions. What the header claims of it (`SliceThickness`,
`SpacingBetweenSlices`) counts only where there is a single slice.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tumortrace.io._dicom_plane import Plane
from tumortrace.io._error import ImageError

REGULAR = 0.01
"""Distances between slices may differ by this part of their mean."""

SHIFT = 0.25
"""A slice may lie off the line of the others by this part of a pixel."""

_UNIT = 1e-3  # by how much lengths and angles of an orientation may be off: headers round them


class Grid(NamedTuple):
    """Where a volume lies; see `Image` for its fields."""

    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]
    direction: NDArray[np.float64]


def directions(orientation: Sequence[float], where: object) -> NDArray[np.float64]:
    """Return the directions of slices, rows and columns as the columns of a matrix.

    Slices are counted along the normal, the vector product of the direction in which columns are counted and that
    in which rows are.

    Raises
    ------
    ImageError
        If the orientation is no pair of perpendicular unit vectors.
    """
    along_row, along_column = np.array(orientation[:3]), np.array(orientation[3:])
    lengths = np.array([np.linalg.norm(along_row), np.linalg.norm(along_column)])
    if np.abs(lengths - 1).max() > _UNIT or abs(along_row @ along_column) > _UNIT:
        raise ImageError(
            f"{where}: ImageOrientationPatient is {tuple(orientation)}; it must be two perpendicular unit vectors"
        )
    normal = np.cross(along_row, along_column)
    columns = normal / np.linalg.norm(normal), along_column / lengths[1], along_row / lengths[0]
    return np.stack(columns, axis=1)


def depths(planes: Sequence[Plane]) -> NDArray[np.float64]:
    """Return how far along the normal each plane lies, in millimetres; all have the orientation of the first."""
    normal = directions(planes[0].orientation or (), planes[0].path)[:, 0]
    return np.array([plane.position for plane in planes]) @ normal


def slots(planes: Sequence[Plane]) -> NDArray[np.intp]:
    """Return the number of the place that each plane takes along the normal; planes at one place share it."""
    depth = depths(planes)
    order = np.argsort(depth, kind="stable")
    same = REGULAR * min(planes[0].spacing or (1.0,))
    number = np.empty(len(planes), dtype=np.intp)
    number[order] = np.concatenate([[0], np.cumsum(np.diff(depth[order]) > same)])
    return number


def stack(planes: Sequence[Plane], where: object) -> tuple[list[Plane], Grid]:
    """Return the planes of one volume in their order along the normal, and its grid.

    Raises
    ------
    ImageError
        If two planes lie at one place, a slice is missing, distances differ, or slices are shifted against each
        other (a tilted gantry).
    """
    direction = directions(planes[0].orientation or (), planes[0].path)
    depth = depths(planes)
    order = [int(i) for i in np.argsort(depth, kind="stable")]
    ordered = [planes[i] for i in order]
    distance = _distance(ordered, depth[order], where)
    first = np.array(ordered[0].position)
    _refuse_shift(ordered, direction, where)
    rows, cols = planes[0].spacing or (1.0, 1.0)
    return ordered, Grid((distance, rows, cols), (float(first[0]), float(first[1]), float(first[2])), direction)


def _distance(planes: list[Plane], depth: NDArray[np.float64], where: object) -> float:
    """Return the distance between slices, if it is the same everywhere."""
    if len(planes) == 1:
        if not planes[0].thickness:
            raise ImageError(
                f"{where}: is a single slice, and neither SpacingBetweenSlices nor SliceThickness says how thick"
            )
        return abs(planes[0].thickness)
    steps = np.diff(depth)
    closest = int(steps.argmin())
    if steps[closest] <= REGULAR * min(planes[0].spacing or (1.0,)):
        first, second = planes[closest], planes[closest + 1]
        raise ImageError(
            f"{where}: two images lie at the same place, {depth[closest]:g} mm along the normal of the slices: "
            f"{first.path.name} and {second.path.name}; remove the duplicate"
        )
    mean = (depth[-1] - depth[0]) / (len(depth) - 1)
    if np.abs(steps - mean).max() <= REGULAR * mean:
        return float(mean)
    widest, step = int(steps.argmax()), float(steps.min())
    if np.abs(steps / step - np.round(steps / step)).max() <= REGULAR * steps.max() / step:
        missing = int(np.round(steps / step).sum()) - len(steps)
        count = "a slice is" if missing == 1 else f"{missing} slices are"
        raise ImageError(
            f"{where}: {count} missing: slices are {step:g} mm apart, but {steps[widest]:g} mm between "
            f"{planes[widest].path.name} and {planes[widest + 1].path.name}; add what is missing"
        )
    raise ImageError(
        f"{where}: the distance between slices varies from {step:g} to {steps[widest]:g} mm (widest between "
        f"{planes[widest].path.name} and {planes[widest + 1].path.name}); give slices at equal distances"
    )


def _refuse_shift(planes: list[Plane], direction: NDArray[np.float64], where: object) -> None:
    """Refuse slices that do not lie straight above each other."""
    offsets = np.array([plane.position for plane in planes]) - np.array(planes[0].position)
    shift = np.linalg.norm(offsets - np.outer(offsets @ direction[:, 0], direction[:, 0]), axis=1)
    worst = int(shift.argmax())
    if shift[worst] <= SHIFT * min(planes[0].spacing or (1.0,)):
        return
    angle = np.degrees(np.arctan2(shift[worst], abs(offsets[worst] @ direction[:, 0])))
    raise ImageError(
        f"{where}: the slices are shifted against each other by up to {shift[worst]:.3g} mm ({angle:.1f} degrees; "
        f"{planes[worst].path.name}), as with a tilted gantry; resample the series onto a straight grid first"
    )
