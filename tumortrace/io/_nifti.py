"""NIfTI-1 and NIfTI-2: .nii, .nii.gz, and .hdr with its .img.

The standard: Cox et al. 2004, https://nifti.nimh.nih.gov/nifti-1. The header is checked here and interpreted by
nibabel; the voxels are read by `_voxels`, which tells a file that is cut short.
"""

import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumortrace.io._error import ImageError, missing_extra
from tumortrace.io._grid import axes
from tumortrace.io._image import Image
from tumortrace.io._voxels import (
    MAX_VOXELS,
    check_shape,
    damage,
    one_or_phases,
    opened,
    read_voxels,
    rescaled,
    unpacked,
)

MAGIC = {348: (344, (b"n+1\0", b"ni1\0")), 540: (4, (b"n+2\0\r\n\x1a\n", b"ni2\0\r\n\x1a\n"))}
"""Size of the header: where its magic bytes are, and what they are for one file and for a pair."""

_TYPES = {2: "u1", 256: "i1", 4: "i2", 512: "u2", 8: "i4", 768: "u4", 1024: "i8", 1280: "u8", 16: "f4", 64: "f8"}
_NAMES = {1: "bits", 32: "complex", 128: "RGB", 1536: "float128", 1792: "complex", 2048: "complex", 2304: "RGBA"}
_MILLIMETRES = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
_SECONDS = {8: 1.0, 16: 1e-3, 24: 1e-6}
_TO_LPS = np.array([-1.0, -1.0, 1.0])


def read_nifti(path: str | os.PathLike[str], *, phases: bool = False, max_voxels: int = MAX_VOXELS) -> Image:
    """Read a NIfTI file; parameters, result and errors are those of `read_volume`.

    Notes
    -----
    Where a voxel lies is told by the sform where it has a code, else by the qform; where neither has, `origin` and
    `direction` are None. Lengths in metres or micrometres are turned into millimetres. ``scl_slope`` and
    ``scl_inter`` are applied: the integer type stays where both are whole, else the result is float64. The times of
    a series are ``pixdim[4]`` apart; they are None where that is 0 or its unit no unit of time.
    """
    with opened(path) as file:
        encoding = "gzip" if file.read(2) == b"\x1f\x8b" else "raw"
        file.seek(0)
        header = _header(path, _start(path, unpacked(file, encoding)))
        shape = _shape(path, header, phases, max_voxels)
        dtype = _dtype(path, header)
        first = _offset(path, header)
        geometry = _geometry(path, header)
        slope, intercept = _scale(path, header)
        if _is_single(header):
            file.seek(0 if encoding == "gzip" else first)
            start = first if encoding == "gzip" else 0
            array = read_voxels(path, file, encoding, shape, dtype, start=start)
        else:
            data_file = data_file_of(path)
            with opened(data_file) as data:
                data.seek(first)
                array = read_voxels(data_file, data, "raw", shape, dtype)
    times = _times(header, shape[0]) if len(shape) == 4 else None
    return Image(rescaled(array, slope, intercept), None, source=str(path), times=times, **geometry)


def is_nifti(data: bytes) -> bool:
    """Tell whether these are the first bytes of a header of NIfTI."""
    return any(data[at : at + len(magics[0])] in magics for at, magics in MAGIC.values())


def _start(path: object, stream: Any) -> bytes:
    """Return the bytes of the header, as many as there are."""
    data = b""
    try:
        while len(data) < 540 and (more := stream.read(540 - len(data))):
            data += more
    except EOFError:  # how much there is will tell
        pass
    except zlib.error as error:
        raise ImageError(f"{path}: is damaged: {damage(error)}") from error
    return data


def _header(path: object, data: bytes) -> Any:
    """Return the header after checking that it is one."""
    try:
        from nibabel.nifti1 import Nifti1Header
        from nibabel.nifti2 import Nifti2Header
    except ImportError:
        raise missing_extra(path, "nibabel", "a NIfTI file") from None
    size = next((n for n, (at, magics) in MAGIC.items() if data[at : at + len(magics[0])] in magics), None)
    if size is None:
        if len(data) < 348:
            raise ImageError(f"{path}: is cut short: {len(data)} bytes, and the header of NIfTI has 348")
        raise ImageError(f"{path}: is no NIfTI: the magic bytes are {data[344:348]!r}, not b'n+1\\x00'")
    if len(data) < size:
        raise ImageError(f"{path}: is cut short: {len(data)} bytes, and its header has {size}")
    kind: Any = Nifti1Header if size == 348 else Nifti2Header
    orders = [order for order in "<>" if int(np.frombuffer(data, order + "i4", 1)[0]) == size]
    if not orders:
        raise ImageError(f"{path}: is damaged: its header does not begin with its size, {size}")
    return kind(data[:size], endianness=orders[0], check=False)


def _is_single(header: Any) -> bool:
    return bytes(header["magic"].tobytes()[:2]) == b"n+"


def _shape(path: object, header: Any, phases: bool, max_voxels: int) -> tuple[int, ...]:
    """Return the shape of the array, slowest axis first: a volume, or phases of one."""
    sizes = [int(n) for n in header["dim"]]
    ndim = sizes[0]
    if not 2 <= ndim <= 7:
        raise ImageError(f"{path}: its header gives {ndim} dimensions; a volume has 3, a series of volumes 4")
    check_shape(path, tuple(sizes[1 : ndim + 1]), max_voxels)
    shape = [*sizes[1 : ndim + 1], 1][: max(ndim, 3)]
    while len(shape) > 3 and shape[-1] == 1:
        shape.pop()
    return one_or_phases(path, tuple(reversed(shape)), phases)


def _dtype(path: object, header: Any) -> "np.dtype[Any]":
    code, bits = int(header["datatype"]), int(header["bitpix"])
    if code not in _TYPES:
        raise ImageError(
            f"{path}: has voxels of data type {code} ({_NAMES.get(code, 'unknown')}); "
            "give integers of 8 to 64 bits, or floats of 32 or 64"
        )
    dtype: np.dtype[Any] = np.dtype(header.endianness + _TYPES[code])
    if bits != 8 * dtype.itemsize:
        raise ImageError(
            f"{path}: is damaged: its data type {code} has {8 * dtype.itemsize} bits, its header {bits}"
        )
    return dtype


def _offset(path: object, header: Any) -> int:
    """Return where the voxels begin."""
    given = float(header["vox_offset"])
    least = int(header["sizeof_hdr"]) + 4 if _is_single(header) else 0
    if given == 0:
        return least
    if not (given.is_integer() and least <= given < 2**40):
        raise ImageError(
            f"{path}: its header has the voxels begin at byte {given:g}; they begin at {least} or later"
        )
    return int(given)


def _scale(path: object, header: Any) -> tuple[float, float]:
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or np.isnan(slope):  # as the standard has it: no scale
        return 1.0, 0.0
    if not np.isfinite([slope, intercept]).all():
        raise ImageError(
            f"{path}: its header scales the voxels by {slope:g} and {intercept:g}; give finite numbers"
        )
    return slope, intercept


def _geometry(path: object, header: Any) -> dict[str, Any]:
    """Return spacing, origin and direction as `Image` takes them."""
    scale = _MILLIMETRES.get(int(header["xyzt_units"]) & 7, 1.0)
    if int(header["dim"][0]) == 2 and not float(header["pixdim"][3]) > 0:
        header["pixdim"][3] = 1.0
    pixdim = np.array([float(v) for v in header["pixdim"][1:4]])
    if not (np.isfinite(pixdim).all() and (pixdim > 0).all()):
        raise ImageError(f"{path}: its header gives the spacing {_words(pixdim)}; give numbers above 0 in mm")
    if int(header["sform_code"]) > 0:
        return _placed(path, header.get_sform(), pixdim, scale)
    if int(header["qform_code"]) <= 0:
        return {"spacing": tuple(float(v) for v in scale * pixdim[::-1])}
    try:
        affine = header.get_qform()
    except ValueError as error:
        raise ImageError(f"{path}: is damaged: its qform is no rotation: {error}") from error
    return _placed(path, affine, pixdim, scale)


def _placed(path: object, affine: NDArray[np.float64], pixdim: NDArray[np.float64], scale: float) -> dict[str, Any]:
    steps = scale * _TO_LPS[:, np.newaxis] * affine[:3, 2::-1]
    spacing, direction = axes(path, steps)
    if not np.allclose(spacing, scale * pixdim[::-1], rtol=1e-3, atol=0):
        raise ImageError(
            f"{path}: its header gives two spacings: {_words(scale * pixdim)} (pixdim) and {_words(spacing[::-1])} "
            "(affine); save it anew with the right one"
        )
    origin = scale * _TO_LPS * affine[:3, 3]
    if not np.isfinite(origin).all():
        raise ImageError(f"{path}: its header has an origin that is not finite")
    x, y, z = (float(v) for v in origin)
    return {"spacing": spacing, "origin": (x, y, z), "direction": direction}


def _times(header: Any, count: int) -> tuple[float, ...] | None:
    step = float(header["pixdim"][4])
    unit = _SECONDS.get(int(header["xyzt_units"]) & 0x38)
    if unit is None or not 0 < step < np.inf:
        return None
    return tuple(i * step * unit for i in range(count))


def data_file_of(path: str | os.PathLike[str]) -> Path:
    """Return the file that holds the voxels of a pair."""
    return Path(path).with_suffix(".img" if Path(path).suffix.islower() else ".IMG")


def _words(spacing: Any) -> str:
    return " × ".join(f"{float(v):g}" for v in spacing)
