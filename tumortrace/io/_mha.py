"""MetaImage: .mha, and .mhd with its data file.

The format: https://itk.org/Wiki/MetaIO/Documentation. A text header of ``Key = Value``, then voxels, raw or
packed by zlib.
"""

import os
import re
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from tumortrace.io._error import ImageError
from tumortrace.io._grid import axes
from tumortrace.io._image import Image
from tumortrace.io._voxels import (
    MAX_VOXELS,
    beside,
    check_shape,
    header_lines,
    one_or_phases,
    opened,
    read_voxels,
)

_TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_KEY = re.compile(rb"\s*([A-Za-z]\w*)\s*=\s*(.*?)\s*")


def read_mha(path: str | os.PathLike[str], *, phases: bool = False, max_voxels: int = MAX_VOXELS) -> Image:
    """Read a MetaImage file; parameters, result and errors are those of `read_volume`.

    Notes
    -----
    A data file beside the header is read where it is a single file of the same folder. The format has no unit of
    time, so the `times` of a series are None.
    """
    with opened(path) as file:
        header = read_header(path, file)
        sizes = [_whole(path, "DimSize", word) for word in header["DimSize"].split()]
        if not 2 <= len(sizes) <= 4 or header["NDims"] != str(len(sizes)):
            raise ImageError(
                f"{path}: its header gives {header['NDims']} dimensions and {len(sizes)} sizes; "
                "a volume has 3, a series of volumes 4"
            )
        check_shape(path, tuple(sizes), max_voxels)
        shape = one_or_phases(path, tuple(reversed([*sizes, 1][: max(len(sizes), 3)])), phases)
        geometry = _geometry(path, header, len(sizes))
        dtype = _dtype(path, header)
        encoding = "zlib" if _flag(header, "CompressedData") else "raw"
        data_file = data_file_of(path, header)
        if data_file is None:
            array = read_voxels(path, file, encoding, shape, dtype)
        else:
            with opened(data_file) as data:
                array = read_voxels(data_file, data, encoding, shape, dtype)
    return Image(array, None, source=str(path), **geometry)


def is_mha(data: bytes) -> bool:
    """Tell whether these are the first bytes of a header of MetaImage."""
    found = _KEY.match(data)
    return found is not None and found[1] in (b"ObjectType", b"NDims", b"Comment", b"ObjectSubType")


def read_header(path: object, file: BinaryIO) -> dict[str, str]:
    """Read the header; the file then stands at the first byte after it."""
    lines = header_lines(path, file, lambda line: line.lstrip().startswith(b"ElementDataFile"))
    header = {}
    for number, line in enumerate(lines, start=1):
        found = _KEY.fullmatch(line)
        if found:
            header[found[1].decode()] = found[2].decode("utf-8", "replace")
        elif line.strip():
            raise ImageError(f"{path}: is damaged: line {number} of its header is no Key = Value")
    lacking = [key for key in ("NDims", "DimSize", "ElementType", "ElementDataFile") if not header.get(key)]
    if lacking:
        raise ImageError(f"{path}: is cut short or damaged: its header has no {lacking[0]}")
    if header.get("ObjectType", "Image") != "Image":
        raise ImageError(f"{path}: holds a {header['ObjectType']}; give an Image")
    if not _flag(header, "BinaryData", True):
        raise ImageError(f"{path}: keeps its voxels as text; save it as binary data")
    if header.get("HeaderSize", "0") != "0":
        raise ImageError(f"{path}: its header skips part of the data (HeaderSize); save it anew")
    if header.get("ElementNumberOfChannels", "1") != "1":
        raise ImageError(
            f"{path}: has {header['ElementNumberOfChannels']} channels in a voxel; give a volume of grey values"
        )
    return header


def data_file_of(path: str | os.PathLike[str], header: dict[str, str]) -> Path | None:
    """Return the file of its own that holds the voxels, or None."""
    name = header["ElementDataFile"]
    return None if name.upper() == "LOCAL" else beside(path, name)


def _dtype(path: object, header: dict[str, str]) -> "np.dtype[Any]":
    name = header["ElementType"]
    if name not in _TYPES:
        raise ImageError(f"{path}: has voxels of type {name}; give one of {', '.join(_TYPES)}")
    big = _flag(header, "BinaryDataByteOrderMSB") or _flag(header, "ElementByteOrderMSB")
    return np.dtype((">" if big else "<") + _TYPES[name])


def _geometry(path: object, header: dict[str, str], ndim: int) -> dict[str, Any]:
    """Return spacing, origin and direction as `Image` takes them, as far as the header tells."""
    spacing = _numbers(path, header, ("ElementSpacing", "ElementSize"), ndim)
    if spacing is not None and not (np.isfinite(spacing[:3]).all() and (spacing[:3] > 0).all()):
        words = " × ".join(f"{v:g}" for v in spacing)
        raise ImageError(f"{path}: its header gives the spacing {words}; give numbers above 0 in mm")
    origin = _numbers(path, header, ("Offset", "Position", "Origin"), ndim)
    matrix = _numbers(path, header, ("TransformMatrix", "Rotation", "Orientation"), ndim * ndim)
    if spacing is None:
        return {}
    if ndim == 2:
        return {"spacing": (1.0, float(spacing[1]), float(spacing[0]))}
    turn = np.eye(3) if matrix is None else matrix.reshape(ndim, ndim)[:3, :3]
    own, direction = axes(path, (turn * spacing[:3, np.newaxis])[::-1].T)
    if origin is None:
        return {"spacing": own}
    if not np.allclose(own, spacing[2::-1], rtol=1e-3, atol=0) or not np.isfinite(origin).all():
        raise ImageError(f"{path}: its TransformMatrix is no rotation, or its Offset no place in space")
    x, y, z = (float(v) for v in origin[:3])
    return {"spacing": own, "origin": (x, y, z), "direction": direction}


def _numbers(path: object, header: dict[str, str], keys: tuple[str, ...], count: int) -> Any:
    """Return the numbers of the first of several keys that is there, or None."""
    key = next((key for key in keys if key in header), None)
    if key is None:
        return None
    try:
        values = np.array([float(word) for word in header[key].split()])
    except ValueError:
        raise ImageError(f"{path}: is damaged: {key} is no list of numbers") from None
    if len(values) != count:
        raise ImageError(f"{path}: is damaged: {key} has {len(values)} numbers, not {count}")
    return values


def _whole(path: object, key: str, word: str) -> int:
    if not re.fullmatch(r"-?\d{1,18}", word):
        raise ImageError(f"{path}: is damaged: {key} holds {word!r}; give whole numbers")
    return int(word)


def _flag(header: dict[str, str], key: str, default: bool = False) -> bool:
    return header.get(key, str(default)).lower() in ("true", "1", "t")
