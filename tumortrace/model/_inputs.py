"""What a model takes from a source of images: a frame of rows to score, made the same way each time."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tumortrace import _check, io

if TYPE_CHECKING:
    import pandas as pd

UNITS = ("slice", "image")
IDENTITY = ("image", "split", "label", "patient", "sequence", "slice")
PATH = "pixels__image"
"""The column of a single image's path; those of a slice are ``<sequence>__image``."""

OK, FAILED = "ok", "failed"
_BESIDE = ("digest", "status", "error")


@dataclass(frozen=True)
class Inputs:
    """What a model takes from a source: which images, and which numbers or pixels of them.

    Parameters
    ----------
    unit : {"slice", "image"}
        What a row is: a slice with its sequences side by side, or a single image.
    sequences : tuple of str, optional
        The sequences that are used; None where the images have no sequence.
    texture : dict of str to dict, optional
        Extractor → parameters, as `tumortrace.table.Settings` takes them. None is no texture.
    kinetics : dict, optional
        Parameters of `tumortrace.features.kinetics`, the time course of a slice; its phases need not be among
        `sequences`. None is no kinetics.
    pixels : tuple of str, optional
        The sequences whose pixels are the channels of a network, in that order. Of single images it is empty: each
        has one channel. None is no pixels.
    group : str
        The column that tells patients apart; where a source has it, it stands for `patient`.
    phases, subtractions : tuple of str, optional
        The sequences that kinetics are computed from, as `tumortrace.table.extract_slices` takes them; a source
        must have them all. None are those of BreaDM that a source has.
    """

    unit: str = "slice"
    sequences: tuple[str, ...] | None = None
    texture: dict[str, dict[str, Any]] | None = None
    kinetics: dict[str, Any] | None = None
    pixels: tuple[str, ...] | None = None
    group: str = "patient"
    phases: tuple[str, ...] | None = None
    subtractions: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        _check.one_of("unit", self.unit, UNITS)
        if self.unit == "image" and self.kinetics is not None:
            raise ValueError("kinetics are those of a slice; leave them out, or let the unit be a slice")
        if self.texture is None and self.pixels is None and self.kinetics is None:
            raise ValueError("the model takes nothing; give texture, kinetics or pixels")

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON gives them."""
        fields: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return fields

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Inputs:
        """Return what `to_dict` gave."""
        names = ("sequences", "pixels", "phases", "subtractions")
        return cls(**{**fields, **{key: None if fields[key] is None else tuple(fields[key]) for key in names}})

    def frame(self, listing: pd.DataFrame, *, jobs: int | None = None, progress: bool = False) -> pd.DataFrame:
        """Return a row per slice or image of a listing.

        Parameters
        ----------
        listing : DataFrame
            What `list_images` returns.
        jobs : int, optional
            Worker processes of the extraction; one per available CPU by default.
        progress : bool
            Show a progress bar on stderr.

        Returns
        -------
        DataFrame
            The identity columns there are; the features; the columns of paths; `digest`, 32 hex digits over the
            content of the row's files; `status` ("failed" where a row cannot be scored) and `error`, the reason.

        Raises
        ------
        ValueError
            If the listing lacks a sequence, or a column that is needed.
        """
        rows = self._chosen(listing)
        return (self._slices if self.unit == "slice" else self._images)(rows, jobs, progress)

    def columns(self, frame: pd.DataFrame) -> list[str]:
        """Return the columns of a frame that the estimator is given."""
        chosen = [name for name in frame.columns if name not in IDENTITY and name not in _BESIDE]
        routed = self.unit == "image" and self.texture is not None and self.sequences is not None
        return [*chosen, "sequence"] if routed else chosen

    def _chosen(self, listing: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of the listing whose sequence is used."""
        named = (self.sequences, self.pixels, self.phases, self.subtractions)
        wanted = dict.fromkeys(name for names in named for name in names or ())
        needed = {"sequence"} if wanted else set()
        if self.unit == "slice":
            needed |= {"patient", "slice", "sequence"}
        if lacking := sorted(needed - set(listing.columns)):
            columns = ", ".join(listing.columns.drop("path"))
            remedy = "give a manifest with it, or let the unit be an image" if self.unit == "slice" else "give one"
            raise ValueError(f"the source names no {lacking[0]}, its columns are {columns}; {remedy}")
        if not wanted:
            return listing
        there = list(dict.fromkeys(listing["sequence"]))
        missing = [name for name in wanted if name not in there]
        if missing and (self.unit == "slice" or len(missing) == len(wanted)):
            raise ValueError(f"the source lacks the sequences {', '.join(missing)}; it has {', '.join(there)}")
        return listing if self.kinetics is not None else listing[listing["sequence"].isin(wanted)]

    def _slices(self, rows: pd.DataFrame, jobs: int | None, progress: bool) -> pd.DataFrame:
        import pandas as pd

        from tumortrace.table import extract_slices, widen

        rows = rows.assign(image=rows["path"])
        beside = widen(rows, features=["image"])
        paths = [name for name in beside.columns if name.endswith("__image")]
        column = dict(zip(dict.fromkeys(rows["sequence"]), paths, strict=True))
        frame = beside.drop(columns=paths)
        errors = [""] * len(frame)
        if self.texture is not None or self.kinetics is not None:
            table = extract_slices(
                rows,
                self.texture,
                texture=self.texture is not None,
                kinetics=False if self.kinetics is None else self.kinetics,
                phases=self.phases,
                subtractions=self.subtractions,
                jobs=jobs,
                progress=progress,
            )
            used = ("kinetics_", *(column[name].removesuffix("image") for name in self.sequences or ()))
            numbers = [name for name in table.columns if name.startswith(used) and name not in paths]
            frame = pd.concat([frame, table[numbers]], axis=1)
            errors = table["error"].where(table["status"] == FAILED, "").tolist()
        channels = [column[name] for name in self.pixels or ()]
        used_paths = channels if self.texture is None and self.kinetics is None else paths
        frame = pd.concat([frame, beside[channels]], axis=1)
        return _finished(frame, beside[used_paths], channels, errors)

    def _images(self, rows: pd.DataFrame, jobs: int | None, progress: bool) -> pd.DataFrame:
        import pandas as pd

        from tumortrace.table import Settings, extract, feature_columns

        rows = rows.reset_index(drop=True)
        known = [name for name in IDENTITY if name in rows]
        frame = rows[known].assign(**({} if self.pixels is None else {PATH: rows["path"]}))
        errors = [""] * len(rows)
        if self.texture is not None:
            paths = rows[["path"]].rename(columns={"path": "image"})
            table = extract(paths, Settings.of(self.texture), jobs=jobs, progress=progress)
            frame = pd.concat([frame, table[feature_columns(table)]], axis=1)
            failed = table["status"] == FAILED
            errors = table["error"].where(failed, "").tolist()
        return _finished(frame, rows[["path"]], ["path"], errors)


def list_images(source: Any, *, group: str = "patient", splits: Sequence[str] | None = None) -> pd.DataFrame:
    """Return what a source holds, one row per image.

    Parameters
    ----------
    source : str, path or DataFrame
        A folder, a manifest (.csv) or an image, as `tumortrace.io.find` takes it; or a DataFrame with a column
        `image` of paths and the identity columns.
    group : str
        The column that stands for `patient`, where it is there.
    splits : sequence of str, optional
        The splits to keep; every row by default.

    Returns
    -------
    DataFrame
        The columns of the source, and `path`, absolute.

    Raises
    ------
    ValueError
        If the source has no such split, or holds no path in `image`.
    FileNotFoundError
        If the source does not exist.
    """
    if isinstance(source, str | os.PathLike):
        found = io.find(source)
        frame, root = found.frame, found.root.absolute()
    else:
        frame, root = source.reset_index(drop=True), Path.cwd()
        if "image" not in frame or not all(isinstance(image, str | os.PathLike) for image in frame["image"]):
            raise ValueError("the DataFrame needs a column image that holds paths")
    frame = frame.assign(path=[str(root / image) for image in frame["image"]])
    if group in frame:
        frame = frame.assign(patient=frame[group])
    if splits is None:
        return frame
    there = list(dict.fromkeys(frame["split"])) if "split" in frame else []
    if missing := [name for name in splits if name not in there]:
        raise ValueError(f"the source has no split {missing[0]!r}; it has {', '.join(map(repr, there)) or 'none'}")
    return frame[frame["split"].isin(list(splits))].reset_index(drop=True)


def content_digests(paths: pd.DataFrame) -> list[str]:
    """Return 32 hex digits for each row of paths, over the content of its files."""
    return [_read(row, ())[0] for row in paths.to_dict("records")]


def _finished(
    frame: pd.DataFrame, files: pd.DataFrame, channels: Sequence[str], errors: Sequence[str]
) -> pd.DataFrame:
    """Add digest, status and error.

    The content of every file counts for the digest. Those in the columns `channels` must be there, be pictures, and
    of one size in a row.
    """
    digests, reasons = [], []
    for row, error in zip(files.to_dict("records"), errors, strict=True):
        digest, reason = _read(row, channels)
        digests.append(digest)
        reasons.append(error or reason)
    return frame.assign(digest=digests, status=[FAILED if reason else OK for reason in reasons], error=reasons)


def _read(row: dict[Any, Any], channels: Sequence[str]) -> tuple[str, str]:
    """Return 32 hex digits over the content of the files of a row, and why its channels cannot be used."""
    content = blake2b(digest_size=16)
    shapes = {}
    for name, path in row.items():
        if not isinstance(path, str):
            if name in channels:
                return "", f"it has no {name.removesuffix('__image')}"
            continue
        try:
            data = io.read_bytes(path)
            if name in channels:
                shapes[name] = io.decode(data, path).shape
        except (OSError, ValueError) as error:
            if name in channels:
                return "", str(error)
            continue
        content.update(blake2b(data, digest_size=16).digest())
    if len(set(shapes.values())) > 1:
        return "", f"its sequences differ in size: {', '.join(map(str, dict.fromkeys(shapes.values())))}"
    return content.hexdigest(), ""
