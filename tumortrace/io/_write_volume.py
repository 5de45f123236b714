"""Write a volume on the grid of an image, as NIfTI."""

import gzip
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace.io._error import missing_extra
from tumortrace.io._image import Image

_ENDINGS = (".nii", ".nii.gz")
_SCANNER = 1
_LARGEST = 2**15 - 1
_TO_RAS = np.array([-1.0, -1.0, 1.0])


def write_nifti(path: str | os.PathLike[str], array: ArrayLike, like: Image) -> None:
    """Write an array to a NIfTI file, on the grid of an image.

    Parameters
    ----------
    path : str or path
        The file; its name ends in .nii or .nii.gz. It appears when it is complete; what was there is replaced.
    array : array_like, shape (slices, rows, cols) or (n, slices, rows, cols)
        A mask, a map, or several: bool is written as uint8, other integers and floats as they are.
    like : Image
        Its spacing, origin and direction are written; its `times` too, where they are evenly spaced and as many as
        the volumes of `array`.

    Raises
    ------
    ValueError
        If the ending is another, the shape is not that of the image, an axis has more than 32,767 voxels, or the
        dtype is not real.
    ImageError
        If the extra ``medical`` is not installed.

    Notes
    -----
    NIfTI keeps lengths as float32: positions read back agree to 7 digits, and voxels exactly. The same array gives
    the same bytes.

    Examples
    --------
    >>> import tempfile
    >>> from tumortrace.io import read_labels
    >>> like = Image(np.zeros((2, 3, 4)), spacing=(3.0, 0.5, 0.5))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_nifti(f"{folder}/mask.nii.gz", like.array == 0, like)
    ...     read_labels(f"{folder}/mask.nii.gz").mask().sum()
    np.int64(24)
    """
    target = Path(path)
    if not target.name.lower().endswith(_ENDINGS):
        raise ValueError(f"{target}: a NIfTI file ends in {' or '.join(_ENDINGS)}")
    values = _values(array, like)
    data = _header(target, values, like).binaryblock + bytes(4)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            if target.name.lower().endswith(".gz"):
                with gzip.GzipFile("", "wb", compresslevel=1, fileobj=file, mtime=0) as packed:
                    _write(packed, data, values)
            else:
                _write(file, data, values)
        temporary.replace(target)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _write(file: Any, data: bytes, values: NDArray[Any]) -> None:
    file.write(data)
    for plane in values.reshape(-1, *values.shape[-2:]):
        file.write(np.ascontiguousarray(plane).tobytes())


def _values(array: ArrayLike, like: Image) -> NDArray[Any]:
    """Return `array` with three axes or four and a dtype that NIfTI has."""
    values = np.asarray(array)
    shape = like.array.shape[-min(3, like.array.ndim) :]
    if values.shape[-len(shape) :] != shape or values.ndim - len(shape) not in (0, 1):
        raise ValueError(f"array has shape {values.shape}; give the shape of the image, {shape}, or several of it")
    if max(values.shape) > _LARGEST:
        raise ValueError(f"array has shape {values.shape}; NIfTI has {_LARGEST:,} voxels along an axis at most")
    if values.dtype.kind not in "biuf" or values.dtype.itemsize > 8:
        raise ValueError(f"array has dtype {values.dtype}; give bool, integers or floats of up to 64 bits")
    if values.dtype == bool:
        values = values.astype(np.uint8)
    elif values.dtype == np.float16:
        values = values.astype(np.float32)
    values = values.astype(values.dtype.newbyteorder("<"), copy=False)
    return values if len(shape) == 3 else values[..., np.newaxis, :, :]


def _header(path: Path, values: NDArray[Any], like: Image) -> Any:
    try:
        from nibabel.nifti1 import Nifti1Header
    except ImportError:
        raise missing_extra(path, "nibabel", "a NIfTI file") from None
    make: Any = Nifti1Header
    header = make(endianness="<")
    header.set_data_dtype(values.dtype)
    header.set_data_shape(values.shape[::-1])
    spacing = np.array([1.0, *(like.spacing or (1.0,) * 3)][-3:])
    steps = [float(v) for v in spacing[::-1]]
    header.set_zooms(steps + [_time_step(like, values)] * (values.ndim - 3))
    header.set_xyzt_units("mm", "sec")
    if like.direction is not None and like.origin is not None:
        affine = np.eye(4)
        affine[:3, :3] = _TO_RAS[:, np.newaxis] * (like.direction * spacing)[:, ::-1]
        affine[:3, 3] = _TO_RAS * np.asarray(like.origin)
        header.set_qform(affine, _SCANNER)
        header.set_sform(affine, _SCANNER)
    header["magic"] = b"n+1"
    header["vox_offset"] = 352
    header["descrip"] = b"tumortrace: research software, no medical device"
    return header


def _time_step(like: Image, values: NDArray[Any]) -> float:
    """Return the seconds between two volumes, or 0 where they are no phases or not evenly spaced."""
    if like.times is None or len(like.times) != len(values) or len(like.times) < 2:
        return 0.0
    steps = np.diff(like.times)
    return float(steps[0]) if np.allclose(steps, steps[0], rtol=1e-6) else 0.0
