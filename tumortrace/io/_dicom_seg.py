"""DICOM segmentations: PS3.3 A.51 (binary and fractional) and A.101 (label map)."""

import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tumortrace.io._dicom_labels import Layers
from tumortrace.io._dicom_pixels import read_frames
from tumortrace.io._dicom_plane import Attributes, guarded, read_header
from tumortrace.io._dicom_stack import REGULAR, SHIFT, Grid, directions
from tumortrace.io._error import ImageError
from tumortrace.io._grid import TOLERANCE
from tumortrace.io._image import Image
from tumortrace.io._labels import Labels
from tumortrace.io._voxels import MAX_VOXELS, check_shape

if TYPE_CHECKING:
    from pydicom import Dataset

HALF = 0.5
"""The share of `MaximumFractionalValue` from which a voxel of a fractional segmentation is inside."""


OFF_SLICE = 0.1
"""How far a frame may lie from its slice, in parts of the distance between slices."""


class _Frame(NamedTuple):
    """Which segment a frame shows (None: all, as numbers), and where."""

    segment: int | None
    position: tuple[float, ...]


class _Place(NamedTuple):
    """The grid that frames lie on, its shape, and for each frame its slice and the shift of rows and columns."""

    grid: Grid
    shape: tuple[int, ...]
    slices: NDArray[np.intp]
    rows: int
    cols: int


def read_seg(path: str | os.PathLike[str], *, image: Image | None = None, max_voxels: int = MAX_VOXELS) -> Labels:
    """Read a DICOM segmentation.

    Parameters
    ----------
    path : str or path
        The file: binary, fractional (inside is what has half of `MaximumFractionalValue` or more) or a label map.
    image : Image, optional
        Put the regions on the grid of this image, if its voxels are those of the segmentation.
    max_voxels : int, default 1_073_741_824
        Refuse a larger grid before reading a pixel.

    Returns
    -------
    Labels
        The segments by number, with their labels as names; with a further layer for each that overlaps the ones
        before. Empty slices, which segmentations leave out, are filled in. Without an image, or where the image has
        other voxels, the grid reaches from the first slice that was stored to the last, and slices are as far apart
        as `SpacingBetweenSlices` says, if that fits, else as the closest two that were stored.

    Raises
    ------
    ImageError
        If the file is no segmentation, is damaged or too large, or its frames do not lie on one grid.
    """
    header = read_header(Path(path))
    with guarded(path):
        return _labels(Path(path), header, image, max_voxels)


def _labels(path: Path, header: "Dataset", image: Image | None, max_voxels: int) -> Labels:
    kind = header.get("SegmentationType")
    if kind not in ("BINARY", "FRACTIONAL", "LABELMAP"):
        raise ImageError(
            f"{path}: is no segmentation: SegmentationType is {kind}; give BINARY, FRACTIONAL, LABELMAP"
        )
    frames, grid = _frames(path, header, kind == "LABELMAP")
    size = int(header.Rows), int(header.Columns)
    place = (image and _on_image(frames, size, grid, image)) or _on_own(path, frames, size, grid)
    check_shape(path, place.shape, max_voxels)
    names = {
        int(item.SegmentNumber): str(item.get("SegmentLabel") or "") for item in header.get("SegmentSequence", ())
    }
    cut = HALF * float(header.MaximumFractionalValue) if kind == "FRACTIONAL" else 1
    parts: dict[int, list[tuple[Any, NDArray[np.bool_]]]] = defaultdict(list)
    for (segment, _), k, stored in zip(frames, place.slices, read_frames(path, range(len(frames))), strict=True):
        for label in [segment] if segment is not None else [int(v) for v in np.unique(stored) if v]:
            inside = stored >= cut if segment is not None else stored == label
            if inside.any():
                rows, cols = _extent(inside, 1), _extent(inside, 0)
                part = int(k), _moved(rows, place.rows), _moved(cols, place.cols)
                parts[label].append((part, inside[rows, cols].copy()))
    layers = Layers(place.shape, max([*parts, *names, 1]))
    for label in sorted(parts):
        layers.draw(label, parts[label])
    grid = place.grid
    return Labels(layers.array(), names, grid.spacing, str(path), grid.origin, grid.direction)


def _extent(inside: NDArray[np.bool_], across: int) -> slice:
    """Return the part from the first row or column with something inside to the last."""
    where = np.flatnonzero(inside.any(axis=across))
    return slice(int(where[0]), int(where[-1]) + 1)


def _moved(part: slice, by: int) -> slice:
    return slice(part.start + by, part.stop + by)


def _frames(path: Path, header: "Dataset", is_map: bool) -> tuple[list[_Frame], Grid]:
    """Return the frames, and their grid with the position of the first as its origin."""
    shared = next(iter(header.get("SharedFunctionalGroupsSequence") or []), None)
    groups = header.get("PerFrameFunctionalGroupsSequence") or []
    if not groups or len(groups) != int(header.get("NumberOfFrames") or 1):
        raise ImageError(f"{path}: is cut short: it does not say of each frame where it lies")
    frames, orientations, spacings = [], set(), set()
    for group in groups:
        of = Attributes(header, shared, group)
        position = of.floats("ImagePositionPatient", "PlanePositionSequence", 3)
        orientations.add(of.floats("ImageOrientationPatient", "PlaneOrientationSequence", 6))
        spacings.add(of.floats("PixelSpacing", "PixelMeasuresSequence", 2))
        segment = None if is_map else of.number("ReferencedSegmentNumber", "SegmentIdentificationSequence")
        if position is None or (segment is None and not is_map):
            raise ImageError(f"{path}: has a frame that does not say where it lies, or which segment it shows")
        frames.append(_Frame(None if segment is None else int(segment), position))
    orientation, spacing = next(iter(orientations)), next(iter(spacings))
    if len(orientations) > 1 or len(spacings) > 1 or orientation is None or spacing is None or min(spacing) <= 0:
        raise ImageError(f"{path}: its frames do not share one orientation and one pixel spacing above 0")
    measures = Attributes(header, shared, groups[0])
    step = measures.number("SpacingBetweenSlices", "PixelMeasuresSequence")
    if len({frame.position for frame in frames}) == 1:
        step = step or measures.number("SliceThickness", "PixelMeasuresSequence")
    x, y, z = frames[0].position
    return frames, Grid((abs(step or 0.0), spacing[0], spacing[1]), (x, y, z), directions(orientation, path))


def _on_image(frames: list[_Frame], size: tuple[int, int], grid: Grid, image: Image) -> _Place | None:
    """Return the place of the frames on the grid of an image; None where their voxels are not all the image's."""
    if image.spacing is None or image.origin is None or image.direction is None:
        return None
    spacing = np.asarray(image.spacing)
    shape = image.array.shape[-3:]
    turn = np.abs(grid.direction - image.direction).max() * max(shape)
    stretch = np.abs(np.divide(grid.spacing, spacing) - 1)[1:].max() * max(shape)
    index = (np.array([frame.position for frame in frames]) - image.origin) @ image.direction / spacing
    whole = np.round(index)
    first, last = whole.min(axis=0), whole.max(axis=0) + np.array([1, *size])
    if turn > TOLERANCE or stretch > TOLERANCE or np.abs(index - whole).max() > TOLERANCE:
        return None
    if (whole[:, 1:] != whole[0, 1:]).any() or (first < 0).any() or (last > shape).any():
        return None
    own = Grid((spacing[0], spacing[1], spacing[2]), image.origin, image.direction)
    return _Place(own, shape, whole[:, 0].astype(np.intp), int(first[1]), int(first[2]))


def _on_own(path: Path, frames: list[_Frame], size: tuple[int, int], grid: Grid) -> _Place:
    """Return the place of the frames on a grid of their own, which has a slice for each that was left out."""
    points = np.array([frame.position for frame in frames])
    depth = points @ grid.direction[:, 0]
    above = depth - depth.min()
    pixel = min(grid.spacing[1:])
    steps = np.diff(np.sort(depth))
    steps = steps[steps > REGULAR * pixel]
    step = grid.spacing[0]
    if len(steps) and not (step and _multiples(steps, step)):
        step = float(steps.min())
    if not step:
        raise ImageError(f"{path}: is a single slice, and neither SpacingBetweenSlices nor SliceThickness is given")
    first = points[int(depth.argmin())]
    off = np.linalg.norm(points - first - np.outer(above, grid.direction[:, 0]), axis=1).max()
    if not _multiples(above, step) or off > SHIFT * pixel:
        raise ImageError(f"{path}: its frames do not lie straight above each other, at multiples of {step:g} mm")
    number = np.round(above / step).astype(np.intp)
    own = Grid((step, *grid.spacing[1:]), (float(first[0]), float(first[1]), float(first[2])), grid.direction)
    return _Place(own, (int(number.max()) + 1, *size), number, 0, 0)


def _multiples(distances: NDArray[np.float64], step: float) -> bool:
    """Tell whether all distances are multiples of a step, within a tenth of it."""
    return bool(np.abs(distances / step - np.round(distances / step)).max() <= OFF_SLICE)
