"""A folder of images, volumes and DICOM files in no particular layout."""

import itertools
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tumortrace.io._error import ImageError
from tumortrace.io._listing import ENDINGS, VOLUMES, Found, Listing, folder_path, walk

if TYPE_CHECKING:
    from tumortrace.io._dicom import Series

DICOM = (".dcm", ".dicom", ".ima")
"""Endings of DICOM files, in lower case; without an ending, or with one of digits, the content tells."""

_WORD = "mask|labels?|seg|segmentation|roi"
_MASK = re.compile(rf"(?:{_WORD})[_-](.+)|(.+)[_.-](?:{_WORD})", re.IGNORECASE)
_IMAGE = re.compile(r"(.+)[_-](?:image|img)", re.IGNORECASE)


def scan(root: str | os.PathLike[str]) -> Listing:
    """List the images of a folder and of the folders in it.

    Parameters
    ----------
    root : str or path
        The folder. What ends in .jpg, .jpeg, .png, .tif, .tiff, .bmp, .nii, .nii.gz, .nrrd, .nhdr, .mha or .mhd
        (any case) counts as an image, whatever is inside; hidden files are passed over. Links are followed.

    Returns
    -------
    Listing
        Its frame has the column `image`, in natural order (p-9 before p-10), and `mask` where there is one. Other
        files are in `skipped`.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If `root` is no folder.
    ValueError
        If it holds no image.

    Notes
    -----
    A folder that holds DICOM files is one image, those below it included. Where it holds several series, each is
    one, named ``folder#key`` with the key of `list_series`; localizers beside others are skipped. Where images of
    one series UID differ in size, spacing, orientation or frame of reference, the folder itself is a row, and
    reading it says so.

    A volume is a mask and no image where its name says so: ``x_mask``, ``x_label``, ``x_seg``, ``x_roi`` or
    ``mask_x``, ``label_x``, … belongs to the volume or DICOM folder ``x`` or ``x_image`` of the same folder. Of
    several masks each makes a row. A mask without its image is in `skipped`. Name others in a manifest.
    """
    root = folder_path(root)
    return arrange(root, list(walk(root)))


def arrange(root: Path, found: list[Found]) -> Listing:
    """Return the listing of what a walk of `root` met."""
    import pandas as pd

    stacks = _dicom_folders(root, found)
    if () in stacks:  # the folder is an image itself, and needs a name
        root = root.resolve()
        found = [Found((root.name, *item.parts), item.reason) for item in found]
        root, stacks = root.parent, [(root.name,)]
    images: list[str] = []
    skipped: list[tuple[str, str]] = []
    listed = set()
    for item in found:
        stack = next((stack for stack in stacks if _is_of(item, stack)), None)
        if stack is None and item.reason:
            skipped.append((item.path, item.reason))
        elif stack is None:
            images.append(item.path)
        elif stack not in listed:
            listed.add(stack)
            names, left = _series(root, "/".join(stack))
            images += names
            skipped += left
    rows, alone = _with_masks(images)
    if not rows:
        raise ValueError(f"{root}: holds no image; endings that count are {', '.join((*ENDINGS, *DICOM))}")
    frame = pd.DataFrame(rows, columns=["image", "mask"])
    return Listing(frame if frame["mask"].any() else frame[["image"]], root, (*skipped, *alone))


def _dicom_folders(root: Path, found: list[Found]) -> list[tuple[str, ...]]:
    """Return the folders that hold DICOM files, and are in no other that does."""
    folders: list[tuple[str, ...]] = []
    for item in found:
        folder = item.parts[:-1]
        if item.reason and not _lies_in(folder, folders) and _is_dicom(root.joinpath(*item.parts)):
            folders.append(folder)
    return [folder for folder in folders if not _lies_in(folder, [f for f in folders if f != folder])]


def _lies_in(folder: tuple[str, ...], others: list[tuple[str, ...]]) -> bool:
    return any(folder[: len(other)] == other for other in others)


def _is_of(item: Found, stack: tuple[str, ...]) -> bool:
    return bool(item.reason) and item.parts[: len(stack)] == stack and _may_be_dicom(item.parts[-1])


def _may_be_dicom(name: str) -> bool:
    ending = Path(name).suffix.lower()
    return ending in ("", *DICOM) or ending[1:].isdigit()


def _is_dicom(path: Path) -> bool:
    """Tell a DICOM file by the ending of its name, or by its content where there is none of its own."""
    if path.suffix.lower() in DICOM:
        return path.is_file()
    try:
        if not (_may_be_dicom(path.name) and path.is_file()):
            return False
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def _series(root: Path, folder: str) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the names of the series of a DICOM folder, and what of it is left out."""
    from tumortrace.io._dicom import list_series

    try:
        found = list_series(root / folder)
    except ImageError:  # reading it will say so again, in a row of its own
        return [folder], []
    if not found:
        return [], [(folder, "DICOM files, and no image among them")]
    if len(found) == 1:
        return [folder], []
    kept = [series for series in found if not series.localizer] or found
    left = [(f"{folder}#{series.key}", "a localizer") for series in found if series not in kept]
    torn = _torn(kept)
    whole = [folder] if torn else []  # reading it says in what its images differ
    return whole + [f"{folder}#{series.key}" for series in kept if series.uid not in torn], left


def _torn(found: list["Series"]) -> set[str]:
    """Return the UIDs under which images lie that are no parts of one volume, nor echoes or b-values of it."""
    from tumortrace.io._dicom import differences

    form = {"size", "spacing", "orientation", "position", "frame of reference"}
    pairs = [(a, b) for a, b in itertools.combinations(found, 2) if a.uid == b.uid and not a.localizer]
    return {a.uid for a, b in pairs if form & set(differences(a.planes[0], b.planes[0]))}


def _with_masks(paths: list[str]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return each image with its mask, once for each mask, and the masks that belong to none."""
    named = {path: _mask_of(path) for path in paths}
    images: dict[tuple[str, str], list[str]] = {}
    for path, base in named.items():
        if base is None:
            images.setdefault(_base(path), []).append(path)
    masks: dict[str, list[str]] = {}
    alone = []
    for path, base in named.items():
        fitting = [] if base is None else images.get(base, [])
        if len(fitting) == 1:
            masks.setdefault(fitting[0], []).append(path)
        elif base is not None:
            reason = f"{len(fitting)} images fit" if fitting else "no image of that name is beside it"
            alone.append((path, f"by its name a mask, but {reason}; pair them in a manifest"))
    rows = [(path, mask) for path, base in named.items() if base is None for mask in masks.get(path, [""])]
    return rows, alone


def _mask_of(path: str) -> tuple[str, str] | None:
    """Return folder and name of the image that a volume is the mask of, if its name says that it is one."""
    folder, _, name = path.rpartition("/")
    found = _MASK.fullmatch(_stem(name)) if name.lower().endswith(VOLUMES) else None
    return None if found is None else (folder, _plain(found[1] or found[2]))


def _base(path: str) -> tuple[str, str]:
    """Return folder and name by which a mask finds an image."""
    folder, _, name = path.rpartition("/")
    return folder, _plain(_stem(name) if name.lower().endswith(VOLUMES) else name.partition("#")[0])


def _stem(name: str) -> str:
    ending = next(ending for ending in sorted(VOLUMES, key=len, reverse=True) if name.lower().endswith(ending))
    return name[: -len(ending)]


def _plain(stem: str) -> str:
    found = _IMAGE.fullmatch(stem)
    return (found[1] if found else stem).casefold()
