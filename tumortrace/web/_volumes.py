"""Read a volume and a region of its mask that a stranger uploads: bounded, and every refusal in plain words."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tumortrace import io
from tumortrace.io._volume import kind_of
from tumortrace.io._zip import read_zip
from tumortrace.web._error import DemoError
from tumortrace.web._reader import shown_name

MAX_BYTES = 200 * 2**20
"""The most bytes of a file of a volume or a mask: 200 MiB."""
MAX_VOXELS = 512 * 512 * 600
"""The most voxels of a volume or a mask."""
MAX_UNPACKED = 2**30
"""The most bytes that a zip may unpack to: 1 GiB."""

FORMATS = ".nii, .nii.gz, .nrrd, .mha, or a .zip of a DICOM folder"

_SIDE = 3  # voxels along rows and columns: less is no picture
_FOR_PROGRAMS = (
    (" or raise max_voxels", ""),
    ("choose one by its key: series=...", "zip the files of one series alone"),
    ("save the one that is meant, or read all as phases", "give the one that is meant"),
    ("bring it onto the grid of the image with --resample-mask", "or tick “Resample the mask”"),
)


class OtherGridError(DemoError):
    """A mask lies on another grid than the image; it can be resampled."""


@dataclass(frozen=True, eq=False)
class Volume:
    """A volume, and one region of its mask.

    Parameters
    ----------
    name, mask_name : str
        What to call both files on the page; plain text, not yet escaped.
    image : tumortrace.io.Image
        With the region as its mask.
    rois : tuple of (int, str)
        Number and name of every region of the mask; the name may be empty.
    label : int
        The number of the region.
    outside : float
        Of a mask that was resampled: the share of it that lies outside the image.
    """

    name: str
    mask_name: str
    image: io.Image
    rois: tuple[tuple[int, str], ...]
    label: int
    outside: float = 0.0


def read_image(path: str, name: str, workplace: Path) -> io.Image:
    """Read an uploaded volume.

    Parameters
    ----------
    path, name : str
        Where the server has put the file, and what the person calls it.
    workplace : Path
        A private folder; what is unpacked there is removed before the volume is returned.

    Raises
    ------
    DemoError
        If it has more than `MAX_BYTES` or `MAX_VOXELS`, is no volume, a series of volumes, or damaged. Sizes are
        checked before a voxel is read.
    """
    name = shown_name(name)
    with _placed(path, name, workplace) as place:
        if kind_of(place) == "raster":
            raise DemoError(f"{name}: is no volume of a known format; give {FORMATS}")
        found = io.read_volume(place, max_voxels=MAX_VOXELS)
    if found.array.size > MAX_VOXELS:
        raise DemoError(f"{name}: has {found.array.size:,} voxels; give {MAX_VOXELS:,} at most")
    if found.array.ndim != 3 or min(found.array.shape[1:]) < _SIDE:
        raise DemoError(f"{name}: has {size(found)} voxels; give a volume of at least {_SIDE} rows and columns")
    return replace(found, source=name)


def read_region(
    image: io.Image, path: str, name: str, workplace: Path, *, label: int | None = None, resample: bool = False
) -> Volume:
    """Read an uploaded mask for a volume.

    Parameters
    ----------
    image : tumortrace.io.Image
        What `read_image` returned.
    path, name, workplace
        As for `read_image`; a zip may hold a DICOM segmentation (SEG) or contours (RTSTRUCT).
    label : int, optional
        The number of the region; by default, or where it is not there, the first.
    resample : bool, default False
        Bring a mask on another grid onto that of the image.

    Raises
    ------
    OtherGridError
        If the mask lies on another grid and is not to be resampled.
    DemoError
        As `read_image`, and if no voxel is inside.
    """
    name, outside = shown_name(name), 0.0
    with _placed(path, name, workplace) as place:
        labels = replace(io.read_labels(place, image=image, max_voxels=MAX_VOXELS), source=name)
        try:
            io.same_grid(image, labels)
        except io.ImageError as error:
            if not resample:
                raise OtherGridError(_for_people(str(error))) from error
            labels, outside = io.resample_labels(labels, image)
        rois = tuple(labels.rois())
        numbers = [number for number, _ in rois]
        chosen = label if label in numbers or not numbers else numbers[0]
        mask = labels.mask(chosen)
    assert chosen is not None
    return Volume(image.source, name, replace(image, mask=mask), rois, chosen, outside)


def size(image: io.Image) -> str:
    """Return how many voxels a volume has along each axis, slices first."""
    return " × ".join(map(str, image.array.shape))


@contextmanager
def _placed(path: str, name: str, workplace: Path) -> Iterator[Path]:
    """Give the file or, of a zip, what it holds; say on the page whatever is wrong with it."""
    with tempfile.TemporaryDirectory(dir=workplace) as folder:
        try:
            yield _unpacked(Path(path), name, Path(folder))
        except DemoError:
            raise
        except io.ImageError as error:
            text = str(error).replace(str(path), name).replace(folder, name)
            raise DemoError(_for_people(text)) from error
        except MemoryError:
            raise DemoError(
                f"{name}: needs more memory than this machine has left; give a smaller volume"
            ) from None


def _unpacked(path: Path, name: str, folder: Path) -> Path:
    try:
        length = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(2)
    except OSError as error:
        raise DemoError(f"{name}: cannot be read: {error.strerror}; upload it again") from error
    if length > MAX_BYTES:
        raise DemoError(f"{name}: has {length / 2**20:.1f} MiB; give a file of at most {MAX_BYTES // 2**20} MiB")
    if start != b"PK":
        return path
    read_zip(path.read_bytes(), folder, source=name, max_bytes=MAX_UNPACKED)
    inside = folder
    while len(entries := list(inside.iterdir())) == 1:  # down to the files, or to the one file there is
        inside = entries[0]
        if inside.is_file():
            break
    return inside


def _for_people(text: str) -> str:
    """Say on a page what a message says to who programs."""
    for theirs, ours in _FOR_PROGRAMS:
        text = text.replace(theirs, ours)
    return text
