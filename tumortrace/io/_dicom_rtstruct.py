"""DICOM structure sets: contours, filled on the grid of an image. PS3.3 C.8.8.6."""

import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tumortrace.io._dicom_labels import Layers
from tumortrace.io._dicom_plane import guarded, read_header
from tumortrace.io._error import ImageError
from tumortrace.io._image import Image
from tumortrace.io._labels import Labels

if TYPE_CHECKING:
    from pydicom import Dataset

OFF_SLICE = 0.1
"""How far a contour may lie from its slice, in parts of the distance between slices."""

_AREAS = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
_DIGITS = 6  # of positions in voxels: contours through the centres of voxels stay there


def read_rtstruct(path: str | os.PathLike[str], image: Image) -> Labels:
    """Read a DICOM structure set: the voxels whose centres its contours enclose.

    Parameters
    ----------
    path : str or path
        The file.
    image : Image
        The volume that the contours were drawn on, with spacing, origin and direction.

    Returns
    -------
    Labels
        On the grid of the image; the regions by their number in the file (`ROINumber`; one more where a file counts
        from 0) and with their names (`ROIName`). A region that overlaps one before it is in another layer. Points
        and open lines enclose nothing and are left out.

    Raises
    ------
    ImageError
        If the file is no structure set or damaged, the image does not say where it lies, or a contour lies beside
        the slices of the image or across them: the message says by how much.

    Notes
    -----
    A voxel is inside where a line from its centre along the row crosses the contours of the region on this slice an
    odd number of times (even-odd rule). So a contour within another is a hole, and so is what a keyhole contour
    leaves out. A centre on the left or upper edge is inside, one on the right or lower edge is not. No contour is
    made up between slices.
    """
    header = read_header(Path(path))
    with guarded(path):
        return _labels(Path(path), header, image)


def fill(contours: list[NDArray[np.float64]], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which pixels contours enclose, by the even-odd rule.

    Parameters
    ----------
    contours : list of ndarray, shape (points, 2)
        The corners of closed polygons: row and column, pixel centres at whole numbers.
    shape : tuple of int
        Rows and columns.

    Examples
    --------
    >>> fill([np.array([[0, 0], [0, 2], [2, 2], [2, 0]])], (3, 4)).astype(int)
    array([[1, 1, 0, 0],
           [1, 1, 0, 0],
           [0, 0, 0, 0]])
    """
    start = np.concatenate(contours)
    end = np.concatenate([np.roll(contour, -1, axis=0) for contour in contours])
    low, high = np.minimum(start[:, 0], end[:, 0]), np.maximum(start[:, 0], end[:, 0])
    first = np.clip(np.ceil(low), 0, shape[0]).astype(int)
    count = np.clip(np.ceil(high), 0, shape[0]).astype(int) - first  # rows with low <= row < high
    edge = np.repeat(np.arange(len(start)), count)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    (r, c), (dr, dc) = start[edge].T, (end - start)[edge].T
    col = np.clip(np.ceil(np.round(c + (row - r) * dc / dr, _DIGITS)), 0, shape[1]).astype(int)
    crossings = np.zeros((shape[0], shape[1] + 1), dtype=np.int32)
    np.add.at(crossings, (row, col), 1)
    inside: NDArray[np.bool_] = np.cumsum(crossings, axis=1)[:, :-1] % 2 == 1
    return inside


def _labels(path: Path, header: "Dataset", image: Image) -> Labels:
    if header.get("Modality") != "RTSTRUCT" or "StructureSetROISequence" not in header:
        raise ImageError(f"{path}: is no structure set (RTSTRUCT), or cut short")
    if image.spacing is None or image.origin is None or image.direction is None or len(image.spacing) != 3:
        raise ImageError(f"{image.source}: does not say where it lies, so contours cannot be put on it")
    names = {int(roi.ROINumber): str(roi.get("ROIName") or "") for roi in header.StructureSetROISequence}
    more = max(0, 1 - min(names, default=1))  # 0 means outside
    names = {number + more: name for number, name in names.items()}
    if "ROIContourSequence" not in header:
        raise ImageError(f"{path}: names {len(names)} regions and holds no contours; is it cut short?")
    shape = image.array.shape[-3:]
    layers = Layers(shape, max([*names, 1]))
    drawn = {}
    for roi in header.ROIContourSequence:
        number = int(roi.ReferencedROINumber) + more
        slices: dict[int, list[NDArray[np.float64]]] = defaultdict(list)
        for contour in roi.get("ContourSequence") or ():
            if contour.ContourGeometricType in _AREAS:
                k, points = _on_slice(path, names.get(number, ""), contour, image)
                slices[k].append(points)
        if slices:
            drawn[number] = names.get(number, "")
            layers.draw(number, [((k, ...), fill(contours, shape[1:])) for k, contours in sorted(slices.items())])
    return Labels(layers.array(), drawn, image.spacing, str(path), image.origin, image.direction)


def _on_slice(path: Path, name: str, contour: Any, image: Image) -> tuple[int, NDArray[np.float64]]:
    """Return the number of the slice that a contour lies on, and its points as rows and columns."""
    points = np.array([float(v) for v in contour.ContourData]).reshape(-1, 3)
    if len(points) != int(contour.get("NumberOfContourPoints", len(points))) or not np.isfinite(points).all():
        raise ImageError(f"{path}: a contour of {name!r} is cut short or no row of numbers")
    index = (points - np.asarray(image.origin)) @ image.direction / np.asarray(image.spacing)
    depth = index[:, 0]
    nearest = int(np.clip(np.round(depth.mean()), 0, image.array.shape[-3] - 1))
    off = float(np.abs(depth - nearest).max())
    if off > OFF_SLICE:
        step = (image.spacing or (1.0,))[0]
        raise ImageError(
            f"{path}: a contour of {name!r} lies {off * step:.3g} mm off the nearest slice of {image.source} "
            f"(slices are {step:g} mm apart); give the image that it was drawn on"
        )
    return nearest, np.round(index[:, 1:], _DIGITS)
