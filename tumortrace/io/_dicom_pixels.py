"""The numbers of DICOM images: decoded, checked for completeness, and turned into values."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumortrace.io._dicom_plane import Plane, read_header
from tumortrace.io._error import ImageError


def fill(phases: Sequence[Sequence[Plane]]) -> NDArray[Any]:
    """Return the values of the planes, one after the other: an array (phases, slices, rows, cols).

    Slope and intercept of each plane are applied. Integers stay integers, of a type that holds whatever the stored
    bits can be, if all planes have the same slope and intercept and both are whole; else the values are float64.
    """
    planes = [plane for phase in phases for plane in phase]
    array = np.empty((len(planes), *planes[0].shape), dtype=_dtype(planes))
    place = {(plane.path, plane.frame): i for i, plane in enumerate(planes)}
    for path, group in groupby(sorted(planes, key=lambda plane: (str(plane.path), plane.frame)), lambda p: p.path):
        wanted = list(group)
        stored = read_frames(path, [plane.frame for plane in wanted])
        for plane, pixels in zip(wanted, stored, strict=True):
            if pixels.shape != plane.shape:
                raise ImageError(f"{path}: has {pixels.shape} pixels, and its header says {plane.shape}")
            out = array[place[path, plane.frame]]
            if plane.slope == 1 and plane.intercept == 0:
                out[:] = pixels
            elif array.dtype.kind == "f":
                out[:] = pixels * plane.slope + plane.intercept
            else:
                out[:] = pixels.astype(np.int64) * int(plane.slope) + int(plane.intercept)
    return array.reshape(len(phases), -1, *planes[0].shape)


def read_frames(path: Path, frames: Sequence[int]) -> Iterator[NDArray[Any]]:
    """Yield the stored numbers of some frames of a file.

    Raises
    ------
    ImageError
        If the file has no pixels, fewer or more than its header says, or a compression that cannot be undone here.
    """
    from pydicom.pixels.utils import iter_pixels

    data = read_header(path, pixels=True)
    if "PixelData" not in data:
        raise ImageError(f"{path}: has no pixel data, or is cut short before them; give a complete image")
    syntax = data.file_meta.TransferSyntaxUID
    if not syntax.is_compressed:
        _check_length(path, data)
    try:
        yield from iter_pixels(data, indices=list(frames), raw=True)
    except (RuntimeError, NotImplementedError) as error:
        missing = "missing" in str(error) or isinstance(error, NotImplementedError)
        how = "pip install pylibjpeg pylibjpeg-openjpeg python-gdcm, or save it uncompressed"
        problem = f"and no decoder for it is installed: {how}" if missing else f"and cannot be decoded: {error}"
        raise ImageError(f"{path}: is compressed ({syntax.name}), {problem}") from error
    except Exception as error:  # whatever damaged pixels make a decoder raise
        raise ImageError(f"{path}: has damaged pixel data: {error or type(error).__name__}") from error


def _check_length(path: Path, data: Any) -> None:
    """Refuse pixel data that are shorter or longer than the header says: either would give wrong numbers."""
    frames = int(data.get("NumberOfFrames") or 1)
    needed = -(-data.Rows * data.Columns * data.get("SamplesPerPixel", 1) * frames * data.BitsAllocated // 8)
    found = len(data.PixelData)
    if found not in (needed, needed + needed % 2):
        problem = "is cut short" if found < needed else "does not fit its header"
        raise ImageError(
            f"{path}: {problem}: {frames} × {data.Rows} × {data.Columns} pixels of {data.BitsAllocated} bits are "
            f"{needed:,} bytes, and there are {found:,}"
        )


def _dtype(planes: Sequence[Plane]) -> np.dtype[Any]:
    """Return the type that holds the values of the planes."""
    first = planes[0]
    formats = {(plane.slope, plane.intercept, plane.bits, plane.signed) for plane in planes}
    if len(formats) > 1 or first.slope % 1 or first.intercept % 1:
        return np.dtype(np.float64)
    low, high = (-(2 ** (first.bits - 1)), 2 ** (first.bits - 1) - 1) if first.signed else (0, 2**first.bits - 1)
    ends = [int(first.slope) * end + int(first.intercept) for end in (low, high)]
    for kind in (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32):
        if np.iinfo(kind).min <= min(ends) and max(ends) <= np.iinfo(kind).max:
            return np.dtype(kind)
    return np.dtype(np.float64)
