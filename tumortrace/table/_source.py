"""What a user gives as images, as one thing: identity columns, and where the pixels of each row are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tumortrace import io
from tumortrace.table._rows import Item, Source, cells

if TYPE_CHECKING:
    import pandas as pd

AFTER_IDENTITY = "digest"
LAST = ("status", "error")


@dataclass(frozen=True, eq=False)
class Images:
    """Images to extract from.

    Parameters
    ----------
    identity : DataFrame
        One row per image, `image` first: what the table says of it besides its numbers.
    images, masks : sequence
        For each row a path or an array; `masks` holds None where there is none, or is empty.
    root : Path
        The folder that paths are relative to.
    name : str
        The source in words, for the record.
    skipped, problems
        As in `io.Listing`.
    """

    identity: pd.DataFrame
    images: Sequence[Any]
    masks: Sequence[Any]
    root: Path
    name: str
    skipped: tuple[tuple[str, str], ...] = ()
    problems: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.identity)

    def items(self) -> Iterator[Item]:
        """Yield an item per row, made as it is asked for."""
        rows = self.identity.itertuples(index=False, name=None)
        masks = self.masks if len(self.masks) else [None] * len(self)
        rois = self.identity["roi"].astype(str) if "roi" in self.identity else [""] * len(self)
        for row, image, mask, roi in zip(rows, self.images, masks, rois, strict=True):
            yield Item(self._source(image), self._mask(mask), cells(row)[:-1] + b",", roi=roi)

    def _source(self, image: Any) -> Source:
        return self.root / image if isinstance(image, str | os.PathLike) else image

    def _mask(self, mask: Any) -> Source | None:
        return None if mask is None or (isinstance(mask, str) and not mask) else self._source(mask)


def each_roi(images: Images) -> Images:
    """Give every region of every mask a row, with its number in a column `roi` and its name in `roi_name`.

    A mask that cannot be read keeps its one row, which will say why.
    """
    if not len(images.masks):
        raise ValueError(f"{images.name}: there are no masks to loop over; give some, or no label")
    rows, rois, named = [], [], []
    for row, item in enumerate(images.items()):
        for number, name in _rois(item):
            rows.append(row)
            rois.append(number)
            named.append(name)
    identity = images.identity.iloc[rows].reset_index(drop=True).assign(roi=rois)
    if any(named):
        identity["roi_name"] = named
    return replace(
        images,
        identity=identity,
        images=[images.images[row] for row in rows],
        masks=[images.masks[row] for row in rows],
    )


def _rois(item: Item) -> list[tuple[str, str]]:
    if not isinstance(item.mask, Path) or not io.is_volume(item.mask):
        return [("", "")]
    try:
        found = io.read_labels(item.mask).rois()
    except io.ImageError:
        found = []
    return [(str(number), name) for number, name in found] or [("", "")]


def collect(source: Any, masks: Sequence[Any] | None = None) -> Images:
    """Return the images of a folder, manifest, image file, DataFrame, or sequence of arrays or paths."""
    import pandas as pd

    if isinstance(source, str | os.PathLike):
        if masks is not None:
            raise ValueError("masks go with a list of images; for a folder write a manifest with a column Mask")
        found = io.find(source)
        paths = found.frame["mask"].tolist() if "mask" in found.frame else []
        return _checked(
            Images(
                found.frame,
                found.frame["image"].tolist(),
                paths,
                found.root,
                str(source),
                found.skipped,
                found.problems,
            )
        )
    if isinstance(source, pd.DataFrame):
        if masks is not None:
            raise ValueError("masks go with a list of images; give the DataFrame a column mask")
        return _checked(_of_frame(source))
    images = _listed(source, "images")
    listed = [] if masks is None else _listed(masks, "masks")
    if masks is not None and len(listed) != len(images):
        raise ValueError(f"there are {len(images)} images and {len(listed)} masks; give one each, None for no mask")
    frame = pd.DataFrame({"image": _names(images)})
    return Images(frame, images, listed, Path(), f"{len(images)} images")


def _of_frame(frame: pd.DataFrame) -> Images:
    if "image" not in frame:
        raise ValueError(f"the DataFrame has no column image; its columns are {', '.join(map(str, frame.columns))}")
    images = _listed(frame["image"], "images")
    masks: list[Any] = []
    if "mask" in frame:
        known = frame["mask"].notna()
        masks = _listed([mask if k else None for mask, k in zip(frame["mask"], known, strict=True)], "masks")
    identity = frame.rename(columns=str).reset_index(drop=True)
    identity["image"] = _names(images)
    if masks:
        identity["mask"] = ["" if mask is None else name for mask, name in zip(masks, _names(masks), strict=True)]
    first = [name for name in io.manifest.KNOWN if name in identity]
    identity = identity[first + [name for name in identity.columns if name not in first]]
    missing = identity.isna()
    if missing.to_numpy().any():
        identity = identity.astype(object).mask(missing, "")
    return Images(identity, images, masks, Path(), f"DataFrame of {len(identity)} images")


def _listed(source: Any, what: str) -> list[Any]:
    """Return arrays and paths as a list of arrays, paths and None."""
    if isinstance(source, np.ndarray) and source.dtype != object and source.ndim not in (3, 4):
        raise ValueError(f"{what} are an array of shape {source.shape}; give a list of arrays, one per image")
    items = list(source)
    if not items:
        raise ValueError(f"there are no {what}; give one at least")
    for item in items:
        if not (
            (item is None and what == "masks") or isinstance(item, str | os.PathLike) or hasattr(item, "__array__")
        ):
            raise TypeError(f"{what} hold a {type(item).__name__}; give arrays or paths")
    return [np.asarray(item) if hasattr(item, "__array__") else item for item in items]


def _names(sources: list[Any]) -> list[str]:
    """Name each: a path by itself, with escapes for what is no text; an array by its position."""
    return [
        str(i) if isinstance(source, np.ndarray) else str(source).encode("utf-8", "backslashreplace").decode()
        for i, source in enumerate(sources)
    ]


def _checked(images: Images) -> Images:
    taken = [name for name in images.identity.columns if name in (AFTER_IDENTITY, *LAST)]
    if taken:
        raise ValueError(f"the column {taken[0]!r} has the name of one that the table writes; rename it")
    return images
