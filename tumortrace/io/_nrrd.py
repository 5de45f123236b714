"""NRRD: .nrrd, and .nhdr with its data file.

The format: http://teem.sourceforge.net/nrrd/format.html. The header is read by pynrrd and checked here; the
voxels are read by `_voxels`, which tells a file that is cut short.
"""

import os
import re
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tumortrace.io._error import ImageError, missing_extra
from tumortrace.io._grid import axes
from tumortrace.io._image import Image
from tumortrace.io._voxels import (
    MAX_VOXELS,
    beside,
    check_finite,
    check_shape,
    header_lines,
    one_or_phases,
    opened,
    read_voxels,
)

_ENCODINGS = {"raw": "raw", "gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2"}
_TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
_TEXT = ("ascii", "text", "txt")
_TO_LPS = {
    "left-posterior-superior": (1.0, 1.0, 1.0),
    "right-anterior-superior": (-1.0, -1.0, 1.0),
    "left-anterior-superior": (1.0, -1.0, 1.0),
}
_SHORT = {"lps": "left-posterior-superior", "ras": "right-anterior-superior", "las": "left-anterior-superior"}
_MILLIMETRES = {"": 1.0, "mm": 1.0, "millimeter": 1.0, "millimeters": 1.0, "cm": 10.0, "m": 1000.0, "um": 0.001}
_SECONDS = {"s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "msec": 1e-3}
_SPATIAL = ("domain", "space", "???", "none", "")
_SERIES = ("list", "time")


def read_nrrd(path: str | os.PathLike[str], *, phases: bool = False, max_voxels: int = MAX_VOXELS) -> Image:
    """Read an NRRD file; parameters, result and errors are those of `read_volume`.

    Notes
    -----
    Encodings raw, gzip, bzip2 and text. A data file beside the header is read where it is a single file of the same
    folder. In a space other than LPS, RAS and LAS, or in none, `origin` and `direction` are None. The times of a
    series come from the spacing of its axis, where its unit is one of time; else they are None.
    """
    with opened(path) as file:
        header = read_header(path, file)
        series = _series_axis(path, header)
        sizes = [int(n) for n in header["sizes"]]
        check_shape(path, tuple(sizes), max_voxels)
        one_or_phases(path, _phases_first(sizes, series), phases)
        geometry = _geometry(path, header, series)
        array = _voxels(path, file, header, tuple(reversed(sizes)))
    times = None
    if series is not None:
        times = _times(header, series, sizes[series])
        array = np.ascontiguousarray(np.moveaxis(array, len(sizes) - 1 - series, 0))
    return Image(array.reshape(_phases_first(sizes, series)), None, source=str(path), times=times, **geometry)


def read_header(path: object, file: BinaryIO) -> dict[str, Any]:
    """Read the header; the file then stands at the first byte after it."""
    try:
        import nrrd
    except ImportError:
        raise missing_extra(path, "pynrrd", "an NRRD file") from None
    lines = header_lines(path, file, lambda line: not line.strip())
    try:
        header: dict[str, Any] = nrrd.read_header([line.decode("utf-8", "replace") for line in lines])
    except Exception as error:  # whatever a damaged header makes the parser raise
        raise ImageError(f"{path}: is damaged: its header cannot be understood: {_plain(error)}") from error
    lacking = [name for name in ("type", "dimension", "sizes", "encoding") if name not in header]
    if lacking:
        raise ImageError(f"{path}: is cut short or damaged: its header has no field {lacking[0]!r}")
    if len(header["sizes"]) != header["dimension"]:
        raise ImageError(
            f"{path}: its header gives {header['dimension']} dimensions and {len(header['sizes'])} sizes"
        )
    return header


def _voxels(path: str | os.PathLike[str], file: BinaryIO, header: dict[str, Any], shape: tuple[int, ...]) -> Any:
    """Read the voxels from where the header says."""
    dtype = _dtype(path, header)
    for field in ("line skip", "lineskip", "byte skip", "byteskip"):
        if int(header.get(field, 0)) != 0:
            raise ImageError(f"{path}: its header skips part of the data ({field} {header[field]}); save it anew")
    data_file = data_file_of(path, header)
    if data_file is None:
        return _encoded(path, file, header["encoding"], shape, dtype)
    with opened(data_file) as data:
        return _encoded(data_file, data, header["encoding"], shape, dtype)


def data_file_of(path: str | os.PathLike[str], header: dict[str, Any]) -> Path | None:
    """Return the file of its own that holds the voxels, or None."""
    name = header.get("data file", header.get("datafile"))
    return None if name is None else beside(path, name)


def _encoded(
    path: object, file: BinaryIO, encoding: str, shape: tuple[int, ...], dtype: "np.dtype[Any]"
) -> NDArray[Any]:
    encoding = encoding.lower()
    if encoding in _TEXT:
        return _from_text(path, file, shape, dtype)
    if encoding not in _ENCODINGS:
        raise ImageError(f"{path}: is packed as {encoding!r}; give raw, gzip, bzip2 or text")
    return read_voxels(path, file, _ENCODINGS[encoding], shape, dtype)


def _from_text(path: object, file: BinaryIO, shape: tuple[int, ...], dtype: "np.dtype[Any]") -> NDArray[Any]:
    """Read voxels written as numbers in text."""
    expected = int(np.prod(shape))
    words = file.read(64 * expected).split()
    if len(words) != expected:
        raise ImageError(f"{path}: its header announces {expected:,} numbers, {len(words):,} are there")
    number = float if dtype.kind == "f" else int
    try:
        array = np.array([number(word) for word in words], dtype=dtype.newbyteorder("=")).reshape(shape)
    except (ValueError, OverflowError) as error:
        raise ImageError(f"{path}: holds what is no {dtype.name}: {error}") from None
    check_finite(path, array)
    return array


def _dtype(path: object, header: dict[str, Any]) -> "np.dtype[Any]":
    code = next((code for code, names in _TYPES.items() if header["type"] in names), None)
    if code is None:
        raise ImageError(f"{path}: has voxels of type {header['type']!r}; give integers or floats")
    dtype = np.dtype(code)
    endian = header.get("endian", "")
    if dtype.itemsize > 1 and header["encoding"].lower() not in _TEXT:
        if endian not in ("little", "big"):
            raise ImageError(f"{path}: its header gives no byte order; endian is little or big")
        dtype = dtype.newbyteorder("<" if endian == "little" else ">")
    return dtype


def _series_axis(path: object, header: dict[str, Any]) -> int | None:
    """Return the axis of phases, or None; refuse axes of colour and the like."""
    ndim = int(header["dimension"])
    kinds = [str(kind).lower() for kind in header.get("kinds", [""] * ndim)]
    odd = [kind for kind in kinds if kind not in _SPATIAL + _SERIES]
    if odd or len(kinds) != ndim:
        raise ImageError(f"{path}: has an axis of kind {', '.join(odd) or 'unknown'}; give a volume of grey values")
    listed = [axis for axis, kind in enumerate(kinds) if kind in _SERIES]
    if ndim == 4 and not listed:
        listed = [3]
    if not 2 <= ndim <= 4 or len(listed) != ndim // 4:
        raise ImageError(
            f"{path}: has {ndim} dimensions, {len(listed)} of them lists; give a volume, or a series of volumes"
        )
    return listed[0] if listed else None


def _phases_first(sizes: list[int], series: int | None) -> tuple[int, ...]:
    """Return the shape of the array: slowest axis first, phases before all."""
    spatial = [n for axis, n in enumerate(sizes) if axis != series]
    shape = tuple(reversed([*spatial, 1][: max(len(spatial), 3)]))
    return shape if series is None else (sizes[series], *shape)


def _geometry(path: object, header: dict[str, Any], series: int | None) -> dict[str, Any]:
    """Return spacing, origin and direction as `Image` takes them, as far as the header tells."""
    ndim = int(header["dimension"])
    spatial = [axis for axis in range(ndim) if axis != series]
    units = {str(unit).strip('"').lower() for unit in header.get("space units", [""])}
    unknown = sorted(units - set(_MILLIMETRES))
    if unknown or len(units) > 1:
        raise ImageError(f"{path}: measures space in {', '.join(sorted(units))}; give mm")
    scale = _MILLIMETRES[units.pop()]
    if "space directions" not in header:
        return _spacing_alone(path, header, spatial)
    vectors = np.asarray(header["space directions"], dtype=np.float64)
    if len(spatial) != 3 or vectors.shape != (ndim, 3):
        raise ImageError(f"{path}: its space directions are not those of a volume in space")
    space = str(header.get("space", "")).lower()
    signs = np.array(_TO_LPS.get(_SHORT.get(space, space), (1.0, 1.0, 1.0)))
    spacing, direction = axes(path, scale * (vectors[spatial[::-1]] * signs).T)
    if _SHORT.get(space, space) not in _TO_LPS or "space origin" not in header:
        return {"spacing": spacing}
    origin = scale * signs * np.asarray(header["space origin"], dtype=np.float64)
    if origin.shape != (3,) or not np.isfinite(origin).all():
        raise ImageError(f"{path}: its space origin is no place in space")
    x, y, z = (float(v) for v in origin)
    return {"spacing": spacing, "origin": (x, y, z), "direction": direction}


def _spacing_alone(path: object, header: dict[str, Any], spatial: list[int]) -> dict[str, Any]:
    if "spacings" not in header:
        return {}
    steps = np.asarray(header["spacings"], dtype=np.float64)
    given = [float(steps[axis]) for axis in spatial if axis < len(steps)]
    if len(given) != len(spatial) or not all(0 < v < np.inf for v in given):
        raise ImageError(f"{path}: its header gives the spacing {given}; give numbers above 0 in mm")
    return {"spacing": tuple([*given, 1.0][: max(len(given), 3)][::-1])}


def _times(header: dict[str, Any], series: int, count: int) -> tuple[float, ...] | None:
    steps, units = header.get("spacings", ()), header.get("units", ())
    if series >= len(steps) or series >= len(units):
        return None
    unit = _SECONDS.get(str(units[series]).strip('"').lower())
    step = float(steps[series])
    return tuple(i * step * unit for i in range(count)) if unit is not None and 0 < step < np.inf else None


def _plain(error: Exception) -> str:
    """Return what a parser says of a header, without the text of the header, which may name a patient."""
    return re.sub(r"(['\"]).*?\1", "…", str(error).partition("\n")[0])[:120] or type(error).__name__


class Segment(NamedTuple):
    """A segment that 3D Slicer described in a header."""

    name: str
    value: int
    layer: int


def segments(path: str | os.PathLike[str]) -> list[Segment]:
    """Return the segments that 3D Slicer wrote into a header; none in other files."""
    with opened(path) as file:
        header = read_header(path, file)
    found: list[Segment] = []
    while f"Segment{len(found)}_ID" in header:
        i = len(found)
        value, layer = (int(header.get(f"Segment{i}_{key}", n)) for key, n in (("LabelValue", 1), ("Layer", 0)))
        found.append(Segment(str(header.get(f"Segment{i}_Name", "")), value, layer))
    return found
