"""Read what a stranger uploads: every bound checked before a pixel is decoded, every refusal in plain words.

A name that comes with a file is shown, and read for the phase it may tell. It is never a path.
"""

from __future__ import annotations

import io as _io
import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tumortrace import io
from tumortrace.web._error import DemoError
from tumortrace.web._phases import assign, of_pages

MAX_BYTES = 10 * 2**20
"""The most bytes of a file: 10 MiB."""
MAX_FILES = 64
"""The most files at once."""
MAX_SIDE = 4096
"""The most pixels along a side; all pages of a file and all phases of a slice have at most its square together."""
MIN_SIDE = 3
"""The fewest pixels along a side: the operators look at windows of 3 × 3."""

_MIB = MAX_BYTES // 2**20
_LONGEST_NAME = 80
_FORMATS = "a JPEG, PNG, TIFF or BMP file"
_KNOWN = ("JPEG", "PNG", "TIFF", "BMP")
_ENDINGS = {b"\xff\xd8\xff": ".jpg", b"\x89PNG": ".png", b"BM": ".bmp"}


class Box(NamedTuple):
    """A rectangle in an image, in pixels.

    Attributes
    ----------
    left, top : int
        Its first column and row, counted from 0.
    width, height : int
        How many columns and rows it has.
    """

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, eq=False)
class Picture:
    """One grey image that was uploaded.

    Parameters
    ----------
    name : str
        What to call it on the page; plain text, not yet escaped.
    array : ndarray, shape (rows, cols) or (pages, rows, cols)
        As `tumortrace.io.decode` returns it; read-only.
    colour : bool
        Whether it was in colour, and read as grey.
    data : bytes
        The file that holds exactly these pixels, in grey.
    ending : str
        That of the format of `data`, such as ``".jpg"``.
    """

    name: str
    array: NDArray[Any]
    colour: bool
    data: bytes
    ending: str


@dataclass(frozen=True, eq=False)
class Lesion:
    """The pictures of one lesion: a crop, or the phases of a slice.

    Parameters
    ----------
    pictures : tuple of Picture
        Of one size.
    sequences : tuple of str
        What each is, as `tumortrace.io.synthetic.SEQUENCES` names them; ``("",)`` for a single crop.
    how : str
        How the sequences were told, in a sentence for the page; empty for a single crop.
    """

    pictures: tuple[Picture, ...]
    sequences: tuple[str, ...] = ("",)
    how: str = ""

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, cols = self.pictures[0].array.shape
        return rows, cols


def read(path: str | os.PathLike[str], name: str | None = None) -> Picture:
    """Read an uploaded file.

    Parameters
    ----------
    path : path
        Where the server has put it.
    name : str, optional
        What the person calls it; the last part of `path` by default.

    Raises
    ------
    DemoError
        If it is empty, has more than `MAX_BYTES`, is no image of a known format, damaged, or has a side of less
        than `MIN_SIDE` or more than `MAX_SIDE` pixels. What a file claims to unpack to is checked before it does.
    """
    path = Path(path)
    shown = shown_name(path.name if name is None else name)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DemoError(
                f"{shown}: has {path.stat().st_size / 2**20:.1f} MiB; give a file of at most {_MIB} MiB"
            )
        return read_data(io.read_bytes(path), shown)
    except OSError as error:
        raise DemoError(f"{shown}: cannot be read: {error.strerror}; upload it again") from error
    except io.ImageError as error:
        raise DemoError(str(error).replace(str(path), shown)) from error


def read_data(data: bytes, name: str) -> Picture:
    """Read the bytes of an image; see `read`.

    Examples
    --------
    >>> read_data(b"patient,age", "scan.png")
    Traceback (most recent call last):
    tumortrace.web._error.DemoError: scan.png: is text, whatever its name says; give a JPEG, PNG, TIFF or BMP file
    """
    name = shown_name(name)
    if len(data) > MAX_BYTES:
        raise DemoError(f"{name}: has {len(data) / 2**20:.1f} MiB; give a file of at most {_MIB} MiB")
    _refuse_what_is_known(data, name)
    try:
        array = _decoded(data, name)
    except io.ImageError as error:
        raise DemoError(str(error).replace(" or raise max_pixels", "")) from error
    _check_sides(array.shape, name)
    if not np.isfinite(array).all():
        raise DemoError(f"{name}: has pixels that are no number or infinite; fill them and save it anew")
    array.flags.writeable = False
    if _is_colour(data):
        return Picture(name, array, True, *lossless(array))
    ending = next((ending for first, ending in _ENDINGS.items() if data.startswith(first)), ".tif")
    return Picture(name, array, False, data, ending)


def crop(picture: Picture, box: Box) -> Picture:
    """Cut a rectangle out of a picture.

    Raises
    ------
    DemoError
        If the picture has several pages, or the box is not inside it or is too small.
    """
    if picture.array.ndim != 2:
        raise DemoError(f"{picture.name}: has {len(picture.array)} pages; give one slice to draw a box in")
    rows, cols = picture.array.shape
    left, top, width, height = box
    if left < 0 or top < 0 or left + width > cols or top + height > rows:
        raise DemoError(
            f"the box reaches from column {left} to {left + width - 1} and row {top} to {top + height - 1}; the "
            f"image has columns 0 to {cols - 1} and rows 0 to {rows - 1}: draw it inside"
        )
    if min(width, height) < MIN_SIDE:
        raise DemoError(
            f"the box has {width} × {height} pixels; draw one of at least {MIN_SIDE} × {MIN_SIDE} around the lesion"
        )
    array = np.ascontiguousarray(picture.array[top : top + height, left : left + width])
    array.flags.writeable = False
    return Picture(picture.name, array, picture.colour, *lossless(array))


def single(picture: Picture) -> Lesion:
    """Return a lesion of one crop.

    Raises
    ------
    DemoError
        If the picture has several pages.
    """
    if picture.array.ndim != 2:
        raise DemoError(
            f"{picture.name}: has {len(picture.array)} pages; give a single image, or choose the phases of a slice"
        )
    return Lesion((picture,))


def phases(paths: Sequence[str | os.PathLike[str]], names: Sequence[str] | None = None) -> Lesion:
    """Read the 9 or 17 phases of one slice, as so many files or the pages of one TIFF.

    Parameters
    ----------
    paths : sequence of path
        Where the server has put them.
    names : sequence of str, optional
        What the person calls each, with folders where known. See `tumortrace.web._phases.assign` for what they
        tell.

    Returns
    -------
    Lesion
        In the order of `tumortrace.io.synthetic.SEQUENCES`.

    Raises
    ------
    DemoError
        As `read`, or if the files are neither 9 nor 17, their names contradict each other, or they differ in size.
    """
    called = [Path(path).name for path in paths] if names is None else list(names)
    if len(paths) == 1:
        pictures = _pages(read(paths[0], called[0]))
        sequences, how = of_pages(len(pictures)), f"the pages of {shown_name(called[0])}, in their order"
    else:
        order, sequences, how = assign(called)
        pictures, left = [], MAX_SIDE**2
        for place in order:
            pictures.append(read(paths[place], called[place]))
            left -= pictures[-1].array.size
            if left < 0:
                raise DemoError(
                    f"the phases have more than {MAX_SIDE**2:,} pixels together; give crops of the lesion"
                )
    for picture, sequence in zip(pictures, sequences, strict=True):
        if picture.array.ndim != 2:
            raise DemoError(f"{picture.name}: has {len(picture.array)} pages; give one file for each phase")
        if picture.array.shape != pictures[0].array.shape:
            raise DemoError(
                f"{picture.name} ({sequence}) has {_size(picture)} pixels, {pictures[0].name} ({sequences[0]}) has "
                f"{_size(pictures[0])}; cut every phase alike"
            )
    return Lesion(tuple(pictures), sequences, how)


def check_count(count: int) -> None:
    """Refuse no file, and more than `MAX_FILES`."""
    if count == 0:
        raise DemoError(f"there is no file; give {_FORMATS}")
    if count > MAX_FILES:
        raise DemoError(f"there are {count} files; give {MAX_FILES} at most")


def shown_name(name: str) -> str:
    r"""Return what to call a file on a page: the last part of its name, printable, not too long.

    Examples
    --------
    >>> shown_name("C:\\scans\\..\\p-040\n.jpg"), shown_name("/")
    ('p-040.jpg', 'file')
    """
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    printable = "".join(letter for letter in last if letter == " " or unicodedata.category(letter)[0] not in "CZ")
    printable = printable.strip()
    if len(printable) > _LONGEST_NAME:
        printable = f"{printable[: _LONGEST_NAME - 13]}…{printable[-12:]}"
    return printable or "file"


def png(array: NDArray[Any]) -> bytes:
    """Return an image as PNG: 8 or 16 bits of grey, or 8 bits of RGBA; the same bytes for the same pixels."""
    from PIL import Image

    out = _io.BytesIO()
    Image.fromarray(array).save(out, "PNG", compress_level=6)
    return out.getvalue()


def lossless(array: NDArray[Any]) -> tuple[bytes, str]:
    """Return a file that holds an image or its pages without loss, PNG where it can, and its ending."""
    from PIL import Image

    if array.ndim == 2 and array.dtype in (np.uint8, np.uint16):
        return png(array), ".png"
    pages = [Image.fromarray(page) for page in array.reshape(-1, *array.shape[-2:])]
    out = _io.BytesIO()
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:])
    return out.getvalue(), ".tif"


def _decoded(data: bytes, name: str) -> NDArray[Any]:
    try:
        return io.decode(data, name, max_pixels=MAX_SIDE**2)
    except io.ColourWarning:  # where warnings are errors; it is said once in a process, and here of every picture
        return io.decode(data, name, max_pixels=MAX_SIDE**2)


def _refuse_what_is_known(data: bytes, name: str) -> None:
    """Say of common mistakes what they are."""
    if not data:
        raise DemoError(f"{name}: is empty (0 bytes); give {_FORMATS}")
    if data[128:132] == b"DICM":
        raise DemoError(f"{name}: is DICOM, which this page does not read; export the image as PNG or TIFF")
    start = data[:512]
    if not start.startswith(b"BM") and all(byte >= 32 or byte in b"\t\n\r\f" for byte in start):
        raise DemoError(f"{name}: is text, whatever its name says; give {_FORMATS}")


def _check_sides(shape: tuple[int, ...], name: str) -> None:
    rows, cols = shape[-2:]
    if max(rows, cols) > MAX_SIDE:
        raise DemoError(
            f"{name}: has {rows:,} × {cols:,} pixels; give at most {MAX_SIDE:,} along a side: cut the lesion out"
        )
    if min(rows, cols) < MIN_SIDE:
        raise DemoError(f"{name}: has {rows} × {cols} pixels; give at least {MIN_SIDE} along each side")


def _is_colour(data: bytes) -> bool:
    """Tell whether a file that could be decoded is in colour: its channels differ somewhere."""
    from PIL import Image

    with Image.open(_io.BytesIO(data), formats=_KNOWN) as picture:
        if picture.mode in ("1", "L", "LA", "La", "I", "F") or picture.mode.startswith("I;"):
            return False
        picture.load()
        picture.info.pop("transparency", None)
        channels = np.asarray(picture.convert("RGB"))
    return bool((channels != channels[..., :1]).any())


def _pages(picture: Picture) -> list[Picture]:
    if picture.array.ndim == 2:
        raise DemoError(
            f"{picture.name}: is a single image; give the 9 or 17 phases of a slice as so many files, or as "
            "the pages of one TIFF"
        )
    count = len(picture.array)
    pages = []
    for number, page in enumerate(picture.array, start=1):
        data, ending = lossless(page)
        pages.append(Picture(f"{picture.name}, page {number} of {count}", page, picture.colour, data, ending))
    return pages


def _size(picture: Picture) -> str:
    return " × ".join(map(str, picture.array.shape))
