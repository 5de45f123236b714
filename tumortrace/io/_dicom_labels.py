"""Regions from DICOM: segmentations (SEG) and structure sets (RTSTRUCT)."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumortrace.io._dicom_plane import guarded, read_header
from tumortrace.io._error import ImageError
from tumortrace.io._image import Image
from tumortrace.io._labels import Labels
from tumortrace.io._voxels import MAX_VOXELS


def read_dicom_labels(
    path: str | os.PathLike[str], *, image: Image | None = None, max_voxels: int = MAX_VOXELS
) -> Labels:
    """Read the regions of a DICOM segmentation or structure set.

    Parameters
    ----------
    path : str or path
        A file of DICOM SEG (binary, fractional or label map) or RTSTRUCT.
    image : Image, optional
        The image that it was drawn on. A structure set needs it: its contours have no grid. A segmentation is put
        on the grid of the image where its voxels are voxels of the image, and stays on its own grid otherwise.
    max_voxels : int, default 1_073_741_824
        Refuse a larger grid before reading a pixel.

    Returns
    -------
    Labels
        See `read_seg` and `read_rtstruct`.

    Raises
    ------
    ImageError
        If the file is neither, or cannot be read.
    """
    from tumortrace.io._dicom_rtstruct import read_rtstruct
    from tumortrace.io._dicom_seg import read_seg

    header = read_header(Path(path), ["Modality"])
    with guarded(path):
        modality = str(header.get("Modality") or "unknown")
    if modality == "SEG":
        return read_seg(path, image=image, max_voxels=max_voxels)
    if modality == "RTSTRUCT":
        if image is None:
            raise ImageError(f"{path}: holds contours (RTSTRUCT), which need the image that they were drawn on")
        return read_rtstruct(path, image)
    raise ImageError(f"{path}: is DICOM of the modality {modality}; give a segmentation (SEG) or RTSTRUCT")


class Layers:
    """An array of labels under construction: a region that overlaps another goes to the next layer."""

    def __init__(self, shape: tuple[int, ...], largest: int) -> None:
        self._shape = shape
        self._dtype = np.min_scalar_type(largest)
        self._layers: list[NDArray[np.unsignedinteger]] = []

    def draw(self, label: int, parts: Sequence[tuple[Any, NDArray[np.bool_]]]) -> None:
        """Draw a region in the first layer where its place is free: parts of slices, and what is inside of each."""
        for layer in self._layers:
            if not any(layer[part][inside].any() for part, inside in parts):
                break
        else:
            layer = np.zeros(self._shape, dtype=self._dtype)
            self._layers.append(layer)
        for part, inside in parts:
            layer[part][inside] = label

    def array(self) -> NDArray[np.unsignedinteger]:
        """Return the labels: (slices, rows, cols), or (layers, slices, rows, cols) where regions overlap."""
        if not self._layers:
            return np.zeros(self._shape, dtype=self._dtype)
        return self._layers[0] if len(self._layers) == 1 else np.stack(self._layers)
