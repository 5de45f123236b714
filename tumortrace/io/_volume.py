"""One way in for volumes and masks: the format is told by content, the reader of just that format is called."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tumortrace.io._error import ImageError
from tumortrace.io._image import Image
from tumortrace.io._labels import Labels
from tumortrace.io._mha import is_mha, read_mha
from tumortrace.io._nifti import is_nifti, read_nifti
from tumortrace.io._nrrd import Segment, read_nrrd, segments
from tumortrace.io._raster import read_image, read_mask
from tumortrace.io._voxels import MAX_VOXELS, opened

Kind = Literal["nifti", "nrrd", "mha", "dicom", "raster"]

_BY_ENDING: dict[str, Kind] = {
    ".nii": "nifti",
    ".nii.gz": "nifti",
    ".hdr": "nifti",
    ".nrrd": "nrrd",
    ".nhdr": "nrrd",
    ".mha": "mha",
    ".mhd": "mha",
    ".dcm": "dicom",
}


def read_volume(path: str | os.PathLike[str], *, phases: bool = False, max_voxels: int = MAX_VOXELS) -> Image:
    """Read a volume, or a series of volumes, of grey values.

    Parameters
    ----------
    path : str or path
        A file of NIfTI (.nii, .nii.gz, .hdr with .img), NRRD (.nrrd, .nhdr), MetaImage (.mha, .mhd) or DICOM; a
        folder of DICOM files, or ``folder#series`` for one series of several; or a picture as `read_image` takes
        it. The content decides, not the ending. The extra ``medical`` is needed for all but MetaImage and pictures.
    phases : bool, default False
        Read a series of volumes, such as the phases of a dynamic examination. Without it one is refused.
    max_voxels : int, default 1_073_741_824
        Refuse a larger volume from its header.

    Returns
    -------
    Image
        `array` of shape ``(slices, rows, cols)``, or ``(phases, slices, rows, cols)`` with `phases`, in the dtype
        of the file, C-contiguous, with the axes of the file slowest first; a picture as `read_image` has it.
        `spacing`, `origin`, `direction` and `times` as far as the file tells.

    Raises
    ------
    ImageError
        If the file is missing, in another format, cut short or longer than its header says, larger than allowed,
        not grey, holds NaN or infinity, has axes that are not at right angles, a spacing that is not above 0, or
        keeps its voxels in a file outside its own folder. The message names the file and what is wrong.

    Notes
    -----
    A volume is read into the array that is returned; no copy is made unless its header scales the voxels.

    Examples
    --------
    >>> import tempfile
    >>> from tumortrace.io import write_nifti
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     volume = Image(np.ones((2, 3, 4), dtype=np.int16), spacing=(3.0, 0.5, 0.5))
    ...     write_nifti(f"{folder}/a.nii.gz", volume.array, volume)
    ...     again = read_volume(f"{folder}/a.nii.gz")
    >>> again.array.shape, again.array.dtype.name, again.spacing
    ((2, 3, 4), 'int16', (3.0, 0.5, 0.5))
    """
    kind = kind_of(path)
    if kind == "dicom":
        from tumortrace.io._dicom import read_series

        place, series = split_series(path)
        found = read_series(place, series=series, phases=phases, max_voxels=max_voxels)
        return replace(found, source=str(path))
    if kind == "raster":
        return read_image(path)
    reader: Callable[..., Image] = {"nifti": read_nifti, "nrrd": read_nrrd, "mha": read_mha}[kind]
    image: Image = _guarded(path, reader, path, phases=phases, max_voxels=max_voxels)
    return image


def read_labels(
    path: str | os.PathLike[str], *, image: Image | None = None, max_voxels: int = MAX_VOXELS
) -> Labels:
    """Read the regions of a mask.

    Parameters
    ----------
    path : str or path
        A volume as `read_volume` takes it whose voxels are whole numbers, 0 outside; a segmentation of 3D Slicer
        (.seg.nrrd), whose segments keep their names and may overlap; a DICOM file of SEG or RTSTRUCT, or a folder
        with just that, likewise; a picture, in which every grey value but 0 is region 1.
    image : Image, optional
        The image that the regions belong to. The contours of RTSTRUCT need it: they are drawn on its grid; SEG is
        put on it where its voxels are among those of the image. No other mask is moved.
    max_voxels : int, default 1_073_741_824
        Refuse a larger volume from its header.

    Returns
    -------
    Labels
        In the smallest unsigned integer type that holds the numbers.

    Raises
    ------
    ImageError
        As `read_volume`, and if a voxel is negative or no whole number.
    """
    kind = kind_of(path)
    if kind == "dicom" and (file := _only_file(Path(path))):
        from tumortrace.io._dicom_labels import read_dicom_labels

        return read_dicom_labels(file, image=image, max_voxels=max_voxels)
    if kind == "raster":
        return Labels(read_mask(path).view(np.uint8), source=str(path))
    named = _guarded(path, segments, path) if kind == "nrrd" else []
    layered = any(segment.layer for segment in named)
    drawn = read_volume(path, phases=layered, max_voxels=max_voxels)
    array = _whole(path, drawn.array)
    if layered:
        array, names = _numbered(array, named), {i: s.name for i, s in enumerate(named, start=1)}
    else:
        names = {s.value: s.name for s in named}
    return Labels(array, names, drawn.spacing, drawn.source, drawn.origin, drawn.direction)


def split_series(path: str | os.PathLike[str]) -> tuple[Path, str | None]:
    """Return the folder and the series of ``folder#series``, and any other path as it is."""
    folder, mark, series = str(path).rpartition("#")
    if mark and series and not Path(path).exists() and Path(folder).is_dir():
        return Path(folder), series
    return Path(path), None


def kind_of(path: str | os.PathLike[str]) -> Kind:
    """Tell the format of a file by its first bytes, by its ending where they say nothing; a folder is DICOM."""
    if split_series(path)[0].is_dir():
        return "dicom"
    with opened(path) as file:
        data = file.read(560)
    if data.startswith(b"NRRD"):
        return "nrrd"
    if data[128:132] == b"DICM":
        return "dicom"
    if is_nifti(data) or data.startswith(b"\x1f\x8b"):
        return "nifti"
    if is_mha(data):
        return "mha"
    name = Path(path).name.lower()
    return next((kind for ending, kind in _BY_ENDING.items() if name.endswith(ending)), "raster")


def _only_file(path: Path) -> Path | None:
    """Return a file itself, and of a folder its file, if it holds one alone."""
    if not path.is_dir():
        return path if path.is_file() else None
    inside = [entry for entry in path.iterdir() if not entry.name.startswith(".")]
    return inside[0] if len(inside) == 1 and inside[0].is_file() else None


def _guarded(path: object, step: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Do a step of reading; whatever a damaged file makes a parser raise is an ImageError."""
    try:
        return step(*args, **options)
    except (ImageError, MemoryError):
        raise
    except Exception as error:
        raise ImageError(f"{path}: is damaged or of an unusual kind ({type(error).__name__})") from error


def _whole(path: object, array: NDArray[Any]) -> NDArray[Any]:
    """Return labels as the smallest unsigned integers that hold them."""
    if array.dtype.kind == "f":
        for plane in array.reshape(-1, *array.shape[-2:]):
            odd = plane[plane != np.rint(plane)]
            if odd.size:
                raise ImageError(
                    f"{path}: holds {odd[0]:g}; the voxels of a mask are whole numbers, 0 outside "
                    "(resample a mask with nearest neighbours)"
                )
    low, high = array.min(), array.max()
    if low < 0 or high >= 2**63:
        raise ImageError(
            f"{path}: holds the label {low if low < 0 else high:g}; the labels of a mask are 0 and above"
        )
    return array.astype(np.min_scalar_type(int(high)), copy=False)


def _numbered(layers: NDArray[Any], named: list[Segment]) -> NDArray[Any]:
    """Give the segments of all layers numbers from 1 on: their values are unique in their own layer only."""
    result = np.zeros(layers.shape, dtype=np.min_scalar_type(len(named)))
    for number, segment in enumerate(named, start=1):
        result[segment.layer][layers[segment.layer] == segment.value] = number
    return result
