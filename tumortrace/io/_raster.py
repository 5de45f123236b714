"""Read JPEG, PNG, TIFF and BMP safely: known formats only, size checked before a pixel is decoded.

The format is told by the first bytes of the file, not by the ending of its name, and Pillow's reader of just that
format is called. One global setting of Pillow is changed, where another library has set it: to fill up files that
are cut short. Grey values that nobody measured are not read.
"""

import io
import os
import re
import stat
import threading
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tumortrace.io._error import ImageError
from tumortrace.io._image import Image

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

MAX_PIXELS = 8192 * 8192
"""The most pixels that are decoded unless the caller allows more: 64 Mi (67,108,864)."""

_BYTES_PER_PIXEL = 16
_DIRECT = {"L", "I", "F", "I;16", "I;16L", "I;16B", "I;16N"}
_COLOUR = {"RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr"}
_DEEP_COLOUR = re.compile(r"(LA|RGB|RGBA|RGBa|RGBX+|CMYK);16[BLN]")
_ORIENTATION = 274
_PHOTOMETRIC = 262
_SAMPLE_FORMAT = 339


class ColourWarning(UserWarning):
    """Colour was turned into grey; said once in a process."""


def read_image(path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS) -> Image:
    """Read a grey image from a JPEG, PNG, TIFF or BMP file.

    Parameters
    ----------
    path : str or path
        The file. Its content decides the format, not its ending.
    max_pixels : int, default 67_108_864
        Refuse a larger image before decoding it. It is checked against the size in the header, so that a small
        file that would unpack to gigabytes is refused at once.

    Returns
    -------
    Image
        With `array` as `decode` returns it and `source` the path.

    Raises
    ------
    ImageError
        If the file is missing, a folder, unreadable, empty, too large, damaged, or in another format.
    """
    return Image(decode(read_bytes(path, max_pixels=max_pixels), path, max_pixels=max_pixels), source=str(path))


def read_mask(path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS) -> NDArray[np.bool_]:
    """Read a mask from a JPEG, PNG, TIFF or BMP file: True where the grey value is not 0.

    Save masks losslessly (PNG): JPEG puts small non-zero values around an edge, and they count as inside.

    Parameters
    ----------
    path, max_pixels
        As in `read_image`.

    Returns
    -------
    ndarray of bool, shape (rows, cols) or (slices, rows, cols)

    Raises
    ------
    ImageError
        As `read_image`.
    """
    return read_image(path, max_pixels=max_pixels).array.astype(bool)


def read_bytes(path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS) -> bytes:
    """Read the bytes of an image file, for `decode` and for a digest: the file is read once.

    Parameters
    ----------
    path : str or path
        A regular file that is not empty.
    max_pixels : int, default 67_108_864
        A file of more than 16 bytes for each such pixel is refused (1 GiB by default).

    Returns
    -------
    bytes

    Raises
    ------
    ImageError
        If the path is missing, a folder or device, unreadable, empty or too large.
    """
    try:
        status = os.stat(path)  # noqa: PTH116 - once per image: as fast as it gets
        if stat.S_ISDIR(status.st_mode):
            raise ImageError(f"{path}: is a folder; give an image file")
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(f"{path}: is no regular file; give an image file")
        if status.st_size > max_pixels * _BYTES_PER_PIXEL:
            raise ImageError(f"{path}: has {status.st_size:,} bytes, too many for {max_pixels:,} pixels")
        with open(path, "rb") as file:  # noqa: PTH123
            data = file.read()
    except FileNotFoundError:
        raise ImageError(f"{path}: does not exist") from None
    except (OSError, ValueError) as error:
        if isinstance(error, ImageError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise ImageError(f"{path}: cannot be read: {reason}") from error
    if not data:
        raise ImageError(f"{path}: is empty (0 bytes); give a JPEG, PNG, TIFF or BMP file")
    return data


def decode(data: bytes, source: str | os.PathLike[str] = "image", *, max_pixels: int = MAX_PIXELS) -> NDArray[Any]:
    """Decode the bytes of a JPEG, PNG, TIFF or BMP file to grey values.

    Parameters
    ----------
    data : bytes
        The content of the file.
    source : str or path, optional
        Its name, for messages.
    max_pixels : int, default 67_108_864
        Refuse a larger image before decoding it.

    Returns
    -------
    ndarray, shape (rows, cols), or (pages, rows, cols) for a TIFF of several equal pages
        uint8 for up to 8 bits per pixel, uint16 for 9 to 16 bits, int32 or uint32 for more, float32 for a floating
        point TIFF. May be read-only.

    Raises
    ------
    ImageError
        If the content is in another format, damaged or cut short, larger than `max_pixels`, of a kind that grey
        values cannot be taken from without loss (16 bits per colour), or a TIFF whose pages differ.

    Warns
    -----
    ColourWarning
        The first time in a process that a picture really is in colour. Its grey value is the luma of ITU-R BT.601,
        ``0.299 R + 0.587 G + 0.114 B``. A picture of three equal channels is grey, and nothing is lost or said.

    Notes
    -----
    Transparency is ignored. A black and white picture has the values 0 and 255. A palette is looked up. The
    orientation that a camera notes (EXIF) is applied: rows and columns are those that a viewer shows.

    Safe to call from several threads and processes.
    """
    reader = _reader(data)
    if reader is None:
        raise ImageError(
            f"{source}: is no JPEG, PNG, TIFF or BMP: it begins with {data[:8]!r}; convert it to one of these"
        )
    _refuse_what_is_cut_short()
    try:
        with reader(io.BytesIO(data)) as picture:
            pages = getattr(picture, "n_frames", 1) if picture.format == "TIFF" else 1
            rows, cols = picture.height, picture.width
            if rows * cols * pages > max_pixels:
                raise ImageError(
                    f"{source}: has {_size(picture, pages)} pixels, more than the {max_pixels:,} allowed; "
                    "crop it or raise max_pixels"
                )
            if pages == 1:
                return _grey(picture, source)
            return _stack(picture, pages, source)
    except (ImageError, ColourWarning, MemoryError):
        raise
    except Exception as error:  # whatever a damaged file makes a decoder raise
        reason = str(error) or type(error).__name__
        raise ImageError(
            f"{source}: is damaged or of an unusual kind: {reason}; save it anew, as PNG say"
        ) from error


def _refuse_what_is_cut_short() -> None:
    """Undo what some libraries tell Pillow when they are imported: to fill up the missing part of a file."""
    from PIL import ImageFile

    ImageFile.LOAD_TRUNCATED_IMAGES = False


def _reader(data: bytes) -> "type[ImageFile] | None":
    """Return Pillow's reader of the format that the first bytes announce."""
    if data.startswith(b"\xff\xd8\xff"):
        from PIL.JpegImagePlugin import JpegImageFile

        return JpegImageFile
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        from PIL.PngImagePlugin import PngImageFile

        return PngImageFile
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        from PIL.TiffImagePlugin import TiffImageFile

        return TiffImageFile
    if data.startswith(b"BM"):
        from PIL.BmpImagePlugin import BmpImageFile

        return BmpImageFile
    return None


def _size(picture: "ImageFile", pages: int) -> str:
    return f"{picture.height:,} × {picture.width:,}" + (f" × {pages} pages" if pages > 1 else "")


def _stack(picture: "ImageFile", pages: int, source: object) -> NDArray[Any]:
    """Read the pages of a TIFF as slices."""
    slices: list[NDArray[Any]] = []
    size = picture.size
    for page in range(pages):
        picture.seek(page)
        if picture.size != size:
            raise ImageError(
                f"{source}: page {page + 1} has {_size(picture, 1)} pixels, page 1 another size; "
                "save one page, or pages of one size as the slices of a volume"
            )
        slices.append(_grey(picture, source))
    if len({array.dtype for array in slices}) > 1:
        raise ImageError(f"{source}: its pages have different pixel types; save them all in the same one")
    return np.stack(slices)


def _grey(picture: "ImageFile", source: object) -> NDArray[Any]:
    """Return the grey values of the current page."""
    arguments: Any = picture.tile[0].args
    stored = arguments if isinstance(arguments, str) else str(arguments[0])
    tags = getattr(picture, "tag_v2", {})
    deep = picture.mode in _DIRECT and picture.mode != "L"
    if _DEEP_COLOUR.fullmatch(stored):
        raise ImageError(
            f"{source}: has several channels of 16 bits; save it as 16-bit grey, or with 8 bits per channel"
        )
    if deep and tags.get(_PHOTOMETRIC) == 0:
        raise ImageError(f"{source}: stores white as 0 in more than 8 bits; save it with black as 0")
    unsigned = picture.mode == "I" and tags.get(_SAMPLE_FORMAT, (1,))[0] == 1 and stored.startswith("I;32")
    upright = _upright(picture)
    if upright.mode not in _DIRECT:
        upright = _to_grey(upright, source)
    array = np.asarray(upright)
    if unsigned:
        return array.view(np.uint32)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _upright(picture: "ImageFile") -> Any:
    """Turn a picture the way a viewer shows it; Pillow does so itself for TIFF."""
    if "exif" in picture.info and picture.getexif().get(_ORIENTATION, 1) != 1:
        from PIL import ImageOps

        return ImageOps.exif_transpose(picture)
    picture.load()
    return picture


def _to_grey(picture: Any, source: object) -> Any:
    """Return `picture` in mode L, and warn once where colour is lost."""
    if picture.mode in ("P", "PA"):
        picture.info.pop("transparency", None)
        picture = picture.convert("RGB")
    elif picture.mode in ("1", "LA", "La"):
        return picture.convert("L")
    elif picture.mode not in _COLOUR:
        raise ImageError(f"{source}: has pixels of mode {picture.mode}; save it as grey or RGB")
    picture = picture.convert("RGB")
    _warn_of_colour(picture, source)
    return picture.convert("L")


_colour_told = threading.Lock()  # taken for good by the first to tell


def _warn_of_colour(picture: Any, source: object) -> None:
    """Say once in a process that a picture in colour is read as grey."""
    if _colour_told.locked():
        return
    red, green, blue = (channel.tobytes() for channel in picture.split())
    if not red == green == blue and _colour_told.acquire(blocking=False):
        warnings.warn(
            f"{source} is in colour and read as grey, 0.299 R + 0.587 G + 0.114 B; "
            "further colour images are read so without a word",
            ColourWarning,
            stacklevel=5,
        )
