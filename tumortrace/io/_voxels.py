"""Voxels from a file: sizes checked before anything is allocated, and exactly the bytes that the header announces.

A volume is read once, into the array that is returned: what is read beside it is a chunk of a mebibyte.
"""

import io
import math
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tumortrace.io._error import ImageError

MAX_VOXELS = 2**30
"""The most voxels of a file that are read unless the caller allows more: 1 Gi (1,073,741,824)."""

MAX_HEADER = 2**20
"""The most bytes of a text header."""

_CHUNK = 2**20
_DEFLATE = 1032  # a byte of deflate unpacks to no more than this many


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[io.BufferedReader]:
    """Open a regular file that is not empty; whatever the system has against it is an ImageError."""
    try:
        status = Path(path).stat()
        if stat.S_ISDIR(status.st_mode):
            raise ImageError(f"{path}: is a folder; give a file")
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(f"{path}: is no regular file")
        if status.st_size == 0:
            raise ImageError(f"{path}: is empty (0 bytes)")
        with Path(path).open("rb") as file:
            yield file
    except FileNotFoundError:
        raise ImageError(f"{path}: does not exist") from None
    except OSError as error:
        raise ImageError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        if "embedded null" not in str(error):
            raise
        raise ImageError(f"{path}: cannot be read: {error}") from error


def beside(path: str | os.PathLike[str], name: str) -> Path:
    """Return the path of a data file that a header names, if it is a file of the header's own folder.

    A header that could name any file would let a stranger's upload read the files of the machine.
    """
    if name.upper().startswith("LIST") or "%" in name:
        raise ImageError(f"{path}: its header spreads the voxels over several files; save them as one")
    folder = Path(path).parent
    plain = name.removeprefix("./")
    if not plain or Path(plain).name != plain or "\\" in plain or plain in (".", ".."):
        raise ImageError(
            f"{path}: its header keeps the voxels in {name!r}; give one file, in the folder of the header"
        )
    if (folder / plain).resolve().parent != folder.resolve():
        raise ImageError(f"{path}: its data file {name!r} is a link out of the folder of the header")
    return folder / plain


def check_shape(path: object, shape: tuple[int, ...], max_voxels: int) -> None:
    """Refuse sizes that are no sizes, or more voxels than allowed."""
    words = " × ".join(f"{n:,}" for n in shape)
    if min(shape) < 1:
        raise ImageError(f"{path}: its header gives the size {words}; every size is 1 at least")
    if math.prod(shape) > max_voxels:
        raise ImageError(
            f"{path}: has {words} voxels, more than the {max_voxels:,} allowed; crop it or raise max_voxels"
        )


def one_or_phases(path: object, shape: tuple[int, ...], phases: bool) -> tuple[int, ...]:
    """Return the shape, if it is that of what was asked for: one volume, or a series."""
    if len(shape) > 4:
        words = " × ".join(map(str, reversed(shape)))
        raise ImageError(f"{path}: has {len(shape)} dimensions, {words}; give a volume, or a series of volumes")
    if len(shape) == 4 and not phases:
        raise ImageError(
            f"{path}: is a series of {shape[0]} volumes; save the one that is meant, or read all as phases"
        )
    if len(shape) == 3 and phases:
        raise ImageError(f"{path}: is one volume, not a series of phases")
    return shape


def header_lines(path: object, file: BinaryIO, is_last: Callable[[bytes], bool]) -> list[bytes]:
    """Return the lines up to the one that ends a text header, or all there are, with a bound on their length."""
    lines: list[bytes] = []
    length = 0
    while line := file.readline(MAX_HEADER):
        length += len(line)
        if length >= MAX_HEADER:
            raise ImageError(f"{path}: has a header of more than {MAX_HEADER:,} bytes, or none that ends")
        lines.append(line.rstrip(b"\r\n"))
        if is_last(line):
            break
    return lines


def unpacked(file: BinaryIO, encoding: str) -> Any:
    """Return the stream of what follows in `file`, packed as `encoding` says: raw, gzip, zlib or bzip2."""
    if encoding == "raw":
        return file
    if encoding == "bzip2":
        import bz2

        return bz2.BZ2File(file)
    return _Inflated(file)


def read_voxels(
    path: object, file: BinaryIO, encoding: str, shape: tuple[int, ...], dtype: "np.dtype[Any]", *, start: int = 0
) -> NDArray[Any]:
    """Read the voxels that follow in a file.

    Parameters
    ----------
    path
        The name of the file, for messages.
    file
        The open file, before the first byte of what is stored (raw, or packed).
    encoding
        "raw", "gzip", "zlib" or "bzip2".
    shape, dtype
        As the header announces them, slowest axis first, after `check_shape`.
    start
        How many bytes of what is unpacked come before the voxels.

    Returns
    -------
    ndarray
        Native byte order, C-contiguous, finite.

    Raises
    ------
    ImageError
        If fewer or more bytes are there, they cannot be unpacked, or a voxel is NaN or infinite.
    """
    expected = math.prod(shape) * dtype.itemsize
    there = os.fstat(file.fileno()).st_size - file.tell()
    if encoding == "raw":
        _compare(path, expected, there - start)
    elif encoding != "bzip2" and expected + start > _DEFLATE * there:
        raise ImageError(
            f"{path}: is cut short: its header announces {expected:,} bytes of voxels, "
            f"and the {there:,} compressed bytes that follow cannot hold as many"
        )
    stream = unpacked(file, encoding)
    got = 0
    try:
        _skip(stream, start)
        array = np.empty(shape, dtype)
        view = memoryview(array.reshape(-1).view(np.uint8).data)
        while got < expected and (n := stream.readinto(view[got : got + _CHUNK])):
            got += n
        _compare(path, expected, got + len(stream.read(1)))
    except EOFError:
        raise ImageError(
            f"{path}: is cut short: its compressed data end early, after {got:,} of {expected:,} bytes of voxels"
        ) from None
    except (zlib.error, OSError) as error:
        why = damage(error)
        raise ImageError(f"{path}: is damaged: {why}, after {got:,} of {expected:,} bytes of voxels") from error
    if not array.dtype.isnative:
        array = array.byteswap(inplace=True).view(array.dtype.newbyteorder("="))
    check_finite(path, array)
    return array


def damage(error: Exception) -> str:
    """Return what a decompressor says is wrong, without its code: ``Error -3 while decompressing data: …``."""
    return str(error).rpartition("data: ")[2]


def check_finite(path: object, array: NDArray[Any]) -> None:
    """Refuse NaN and infinity."""
    if array.dtype.kind != "f":
        return
    planes = array.reshape(-1, *array.shape[-2:])
    bad = [(i, plane) for i, plane in enumerate(planes) if not np.isfinite(plane).all()]
    if not bad:
        return
    count = sum(int(np.count_nonzero(~np.isfinite(plane))) for _, plane in bad)
    number, plane = bad[0]
    first = (*np.unravel_index(number, array.shape[:-2]), *np.argwhere(~np.isfinite(plane))[0])
    where = ", ".join(str(int(i)) for i in first)
    raise ImageError(
        f"{path}: {count:,} of its {array.size:,} voxels are NaN or infinite, the first at [{where}]; "
        "fill or crop them"
    )


def rescaled(array: NDArray[Any], slope: float, intercept: float) -> NDArray[Any]:
    """Return ``slope * array + intercept``: integers where all three are, in a dtype that holds them; else float64.

    Examples
    --------
    >>> rescaled(np.array([0, 100], dtype=np.uint8), 2.0, -50.0)
    array([-50, 150], dtype=int16)
    """
    if (slope, intercept) == (1, 0):
        return array
    if array.dtype.kind in "iu" and float(slope).is_integer() and float(intercept).is_integer():
        factor, shift = int(slope), int(intercept)
        ends = [int(array.min()) * factor + shift, int(array.max()) * factor + shift, factor, shift]
        dtype = np.result_type(array.dtype, *(np.min_scalar_type(end) for end in ends))
        if dtype.kind in "iu":
            array = array.astype(dtype, copy=False)
            array *= factor
            array += shift
            return array
    result: NDArray[Any] = array.astype(np.float64)
    result *= slope
    result += intercept
    return result


class _Inflated(io.RawIOBase):
    """The content of a gzip or zlib stream, which ends where the file does: an early end is an EOFError."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._state = zlib.decompressobj(zlib.MAX_WBITS | 32)
        self._rest = b""
        self._over = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._over:
            if self._state.eof:
                self._next_member()
                continue
            data = self._rest or self._file.read(_CHUNK)
            if not data:
                raise EOFError
            block = self._state.decompress(data, len(buffer))
            self._rest = self._state.unconsumed_tail
            if block:
                buffer[: len(block)] = block
                return len(block)
        return 0

    def _next_member(self) -> None:
        """Go on with the next of several gzip streams in a row; zeros may fill up the last block of a tape."""
        rest = self._state.unused_data.lstrip(b"\0")
        while not rest and (data := self._file.read(_CHUNK)):
            rest = data.lstrip(b"\0")
        self._over = not rest
        if rest and not rest.startswith(b"\x1f"):
            raise zlib.error("other data follow the compressed ones")
        self._state = zlib.decompressobj(zlib.MAX_WBITS | 32)
        self._rest = rest


def _skip(stream: BinaryIO, count: int) -> None:
    while count:
        data = stream.read(min(count, _CHUNK))
        if not data:
            raise EOFError
        count -= len(data)


def _compare(path: object, expected: int, there: int) -> None:
    if there < expected:
        raise ImageError(f"{path}: is cut short: {_announced(expected, max(there, 0))}")
    if there > expected:
        raise ImageError(
            f"{path}: holds more than the {expected:,} bytes of voxels that its header announces; "
            "one of the two is wrong"
        )


def _announced(expected: int, there: int) -> str:
    return f"its header announces {expected:,} bytes of voxels, {there:,} are there"
