"""Rows of a manifest that are phases, gathered into series."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tumortrace.table._source import Images

if TYPE_CHECKING:
    import pandas as pd

PHASE, TIME = "phase", "time"
"""Columns that mean something for series, written in any case."""

_LESION = ("patient", "lesion", "roi")


class PhaseFiles(NamedTuple):
    """A series of which each phase is a file: the number, file and seconds of each, by number."""

    numbers: tuple[int, ...]
    paths: tuple[Path, ...]
    times: tuple[float, ...] | None

    def only(self, numbers: Sequence[int]) -> PhaseFiles:
        """Return the same of some of its phases; a number that it has not is passed over."""
        places = [self.numbers.index(k) for k in numbers if k in self.numbers]
        times = None if self.times is None else tuple(self.times[place] for place in places)
        return PhaseFiles(tuple(self.numbers[p] for p in places), tuple(self.paths[p] for p in places), times)


def gather(images: Images) -> Images:
    """Return one row per series: where there is a column of phases, the rows of a lesion become one.

    A lesion is a patient, or where there are such columns a lesion or ROI of a patient. Its row has the image of
    the first phase, and of other columns those that are the same in all phases of every lesion.

    Raises
    ------
    ValueError
        If a phase is no whole number or occurs twice in a lesion, a time is missing or no number, images or masks
        are arrays, masks differ between the phases of a lesion, or no column names the patients.
    """
    numbers = _column(images, PHASE)
    if numbers is None:
        return images
    frame = images.identity.rename(columns=str)
    keys = [name for name in frame.columns if name.lower() in _LESION]
    if "patient" not in [name.lower() for name in keys]:
        raise ValueError(f"{images.name}: has phases but no column Patient, which tells what belongs together")
    if any(isinstance(given, np.ndarray) for given in (*images.images, *images.masks)):
        raise ValueError(f"{images.name}: has phases as arrays; give files, or one array (phases, …) per series")
    times = _column(images, TIME)
    phases = [_whole(images, row, value) for row, value in enumerate(numbers)]
    groups = [sorted(rows, key=phases.__getitem__) for rows in frame.groupby(keys, sort=False).indices.values()]
    files = [_files(images, rows, phases, times) for rows in groups]
    frame = frame.drop(columns=[name for name in frame.columns if name.lower() in (PHASE, TIME)])
    identity = _identity(frame, groups)
    if not len(images.masks):
        return replace(images, identity=identity, images=files)
    masks = [_mask_row(images, rows) for rows in groups]
    identity["mask"] = frame["mask"].iloc[masks].to_numpy()
    return replace(images, identity=identity, images=files, masks=[images.masks[row] for row in masks])


def _column(images: Images, name: str) -> list[Any] | None:
    """Return the values of a column, whatever the case of its name."""
    found = [column for column in images.identity if str(column).lower() == name]
    if len(found) > 1:
        raise ValueError(f"{images.name}: the columns {' and '.join(map(repr, found))} are one; remove one")
    return images.identity[found[0]].tolist() if found else None


def _files(images: Images, rows: Sequence[int], phases: Sequence[int], times: list[Any] | None) -> PhaseFiles:
    """Return the files of a lesion, of which `rows` are the rows."""
    numbers = tuple(phases[row] for row in rows)
    twice = next((k for k, following in pairwise(numbers) if k == following), None)
    if twice is not None:
        row = rows[numbers.index(twice)]
        raise ValueError(
            f"{_where(images, row)} is phase {twice}, and so is another image of its patient; where a patient has "
            "several lesions, tell them apart by a column ROI or Lesion"
        )
    paths = tuple(images.root / images.images[row] for row in rows)
    given = [times[row] for row in rows if times is not None and not _is_empty(times[row])]
    if not given:
        return PhaseFiles(numbers, paths, None)
    assert times is not None
    return PhaseFiles(numbers, paths, tuple(_seconds(images, row, times[row]) for row in rows))


def _mask_row(images: Images, rows: Sequence[int]) -> int:
    """Return a row of a lesion that has its mask, which is named in one row or in several."""
    named = {str(images.masks[row]): row for row in rows if not _is_empty(images.masks[row])}
    if len(named) > 1:
        raise ValueError(
            f"{_where(images, rows[0])} and the other phases of its patient have the masks "
            f"{' and '.join(list(named)[:2])}; give one for all phases, or tell lesions apart by a column ROI or "
            "Lesion"
        )
    return next(iter(named.values()), rows[0])


def _identity(frame: pd.DataFrame, groups: Sequence[Sequence[int]]) -> pd.DataFrame:
    """Return what is known of each lesion: the image of the first phase, and what is the same in all."""
    lesion = np.repeat(np.arange(len(groups)), [len(rows) for rows in groups])
    ordered = frame.iloc[np.concatenate(groups)]
    same = (ordered.groupby(lesion).nunique(dropna=False) <= 1).all()
    kept = [name for name in frame.columns if name in ("image", "mask") or same[name]]
    return frame.iloc[[rows[0] for rows in groups]][kept].reset_index(drop=True)


def _whole(images: Images, row: int, value: Any) -> int:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not (number >= 0 and number.is_integer()):
        raise ValueError(f"{_where(images, row)}: phase is {value!r}; give a whole number, 0 before contrast")
    return int(number)


def _seconds(images: Images, row: int, value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = math.nan
    if not math.isfinite(seconds):
        raise ValueError(
            f"{_where(images, row)}: time is {value!r}; give seconds for every phase of a series, or none"
        )
    return seconds


def _where(images: Images, row: int) -> str:
    return f"{images.name}: {images.identity['image'].iloc[row]}"


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip()) or value != value
