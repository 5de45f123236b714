"""Listing: the images of a source and what is known of each; and the walk over folders that makes one."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

VOLUMES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
"""Endings of files of volumes, in lower case."""

ENDINGS = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", *VOLUMES)
"""Endings of image files, in lower case; any case is accepted."""


@dataclass(frozen=True, eq=False)
class Listing:
    """The images of a folder, manifest or file, one row each, in a fixed order.

    Parameters
    ----------
    frame : DataFrame
        The identity columns. `image` always: the path relative to `root`, with forward slashes (a manifest keeps
        what it says). Where known: `mask` (a path, or empty), `split`, `label`, `patient`, `sequence`, `slice`
        (int), and the other columns of a manifest, as text. No value is missing; what is not known is the empty
        string.
    root : Path
        The folder that `image` and `mask` are relative to.
    skipped : tuple of (str, str)
        Path and reason of everything that was found and left out.
    problems : tuple of str
        What looks wrong with the data set as a whole, such as a patient in two splits.
    """

    frame: "pd.DataFrame"
    root: Path
    skipped: tuple[tuple[str, str], ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that a walk met: its path as parts below the root, and why it is no image, if it is none."""

    parts: tuple[str, ...]
    reason: str = ""

    @property
    def path(self) -> str:
        return "/".join(self.parts)


def natural(name: str) -> tuple[list[str | int], str]:
    """Return a key that sorts numbers in names as numbers: p-9 before p-10.

    Examples
    --------
    >>> sorted(["p-10.jpg", "p-9.jpg", "SUB1"], key=natural)
    ['p-9.jpg', 'p-10.jpg', 'SUB1']
    """
    pieces: list[str | int] = list(re.split(r"([0-9]+)", name.casefold()))
    pieces[1::2] = [int(digits) for digits in pieces[1::2]]
    return pieces, name


def walk(root: Path) -> Iterator[Found]:
    """Meet every file below `root` in natural order, following links to folders.

    A name with the ending of an image counts as an image whatever stands behind it, a folder included: reading it
    then says what is wrong. Hidden names (a leading dot) are passed over.
    """
    yield from _walk(root, (), frozenset())


def _walk(folder: Path, parts: tuple[str, ...], above: frozenset[tuple[int, int]]) -> Iterator[Found]:
    try:
        status = folder.stat()
        here = (status.st_dev, status.st_ino)
        if here in above:
            yield Found(parts, "a link back to a folder that contains it")
            return
        with os.scandir(folder) as entries:
            items = sorted((natural(entry.name), entry.name, _is_folder(entry)) for entry in entries)
    except OSError as error:
        yield Found(parts, f"a folder that cannot be listed: {error.strerror}")
        return
    for _, name, is_folder in items:
        if name.startswith("."):
            continue
        if not _is_text(name):
            yield Found((*parts, ascii(name)), "its name is no valid text; rename it")
        elif name.lower().endswith(ENDINGS):
            yield Found((*parts, name))
        elif is_folder:
            yield from _walk(folder / name, (*parts, name), above | {here})
        else:
            yield Found((*parts, name), f"not an image: its name ends in none of {', '.join(ENDINGS)}")


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or to where one may not look
        return False


def _is_text(name: str) -> bool:
    """Tell a name from one whose bytes the file system could not decode."""
    return not any("\ud800" <= character <= "\udfff" for character in name)


def folder_path(root: str | os.PathLike[str]) -> Path:
    """Return `root` as a path, if it is a folder that exists."""
    path = Path(root)
    if not path.exists():
        raise FileNotFoundError(f"{path}: does not exist; give a folder")
    if not path.is_dir():
        raise NotADirectoryError(f"{path}: is a file; give a folder")
    return path
