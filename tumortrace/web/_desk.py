"""What the page does when it is used: it reads, asks, explains and flags, and returns what to show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tumortrace.web import _parts
from tumortrace.web._answer import Answer, answer
from tumortrace.web._details import code_maps, details
from tumortrace.web._error import DemoError
from tumortrace.web._flag import flag
from tumortrace.web._phases import COUNTS
from tumortrace.web._reader import Box, Lesion, Picture, check_count, crop, phases, read, single
from tumortrace.web._shelf import Shelf, Shelved
from tumortrace.web._table import table

if TYPE_CHECKING:
    from tumortrace.web._examples import Example


_FIRST = ("fused", "handcrafted")


class File(NamedTuple):
    """An uploaded file: where the server has put it, and what the person calls it."""

    path: str
    name: str


@dataclass(frozen=True, eq=False)
class Asked:
    """What was asked last, to be explained or flagged."""

    shelved: Shelved
    lesion: Lesion
    sequence: str | None
    answer: Answer


@dataclass(frozen=True)
class Desk:
    """The models and folders behind the page.

    Parameters
    ----------
    shelf : Shelf
    workplace : Path
        A private folder for what a model reads.
    flag_folder : Path, optional
        Where flags are kept; None where they are not.
    """

    shelf: Shelf
    workplace: Path
    flag_folder: Path | None = None

    def models(self, counts: Sequence[int]) -> list[tuple[str, str]]:
        """Return label and key of the models that take one of so many pictures, fused ones first; labels differ."""
        found = [one for count in counts for one in self.shelf.fitting(count)]
        found.sort(key=lambda one: _FIRST.index(one.kind) if one.kind in _FIRST else len(_FIRST))
        labels = [one.label for one in found]
        return [
            (one.label if labels.count(one.label) == 1 else f"{one.label}, {one.key}", one.key) for one in found
        ]

    def about(self, key: str) -> str:
        """Show what a model was trained on and how it was tested."""
        shelved = self.shelf[key]
        return _parts.model_said(shelved.label, shelved.about)

    def sequences(self, key: str) -> tuple[str, ...]:
        """Return the sequences that a crop for a model may be of, where it has to be told."""
        shelved = self.shelf[key]
        return shelved.sequences if shelved.count == 1 and len(shelved.sequences) > 1 else ()

    def examples(self, *kinds: str) -> list[Example]:
        """Return the examples of some kinds."""
        return [one for one in self.shelf.examples if one.kind in kinds]

    def phase_counts(self) -> list[int]:
        """Return the numbers of phases that some model takes."""
        return [count for count in COUNTS if self.shelf.fitting(count)]

    def read_slice(self, files: Sequence[File]) -> Picture:
        """Read one image to draw a box in."""
        return single(read(*files[0])).pictures[0]

    def read_crop(self, files: Sequence[File]) -> Lesion:
        """Read one crop of a lesion."""
        return single(read(*files[0]))

    def read_phases(self, files: Sequence[File]) -> Lesion:
        """Read the phases of a slice, and check that some model takes so many."""
        lesion = phases([file.path for file in files], [file.name for file in files])
        if len(lesion) not in self.phase_counts():
            known = " or ".join(map(str, self.phase_counts()))
            raise DemoError(f"these are {len(lesion)} phases, and the models here take {known}; give {known}")
        return lesion

    def cut(self, picture: Picture, box: object) -> Lesion:
        """Cut a lesion out of a slice; `box` is what the page sends: left, top, width and height."""
        if not box:
            raise DemoError("there is no box yet; draw one around the lesion, or type its four numbers")
        if not isinstance(box, list) or len(box) != 4 or not all(type(side) is int for side in box):
            raise DemoError("the box is not four whole numbers; give left, top, width and height in pixels")
        return single(crop(picture, Box(*box)))

    def ask(self, lesion: Lesion, key: str, sequence: str | None) -> Asked:
        """Ask a model about a lesion."""
        shelved = self.shelf[key]
        found = answer(shelved, lesion, workplace=self.workplace, sequence=sequence)
        return Asked(shelved, lesion, sequence, found)

    def ask_all(self, files: Sequence[File], key: str, sequence: str | None) -> Iterator[tuple[str, str]]:
        """Ask a model about several images; yield what to show and say, image by image, and last the table."""
        import pandas as pd

        check_count(len(files))
        shelved, rows = self.shelf[key], []
        for number, file in enumerate(files, start=1):
            yield _parts.working(f"Analysing image {number} of {len(files)} …"), "Analysing."
            rows.append(table(shelved, [file.path], [file.name], workplace=self.workplace, sequence=sequence))
        found = pd.concat(rows, ignore_index=True)
        yield _parts.table(found, shelved), "The table is there."

    def answered(self, asked: Asked) -> str:
        """Show an answer."""
        rows, cols = asked.lesion.shape
        what = "one crop" if len(asked.lesion) == 1 else f"{len(asked.lesion)} phases"
        return _parts.answered(
            asked.answer, asked.lesion, f"{asked.shelved.label}, on {what} of {rows} × {cols} pixels"
        )

    def explained(self, asked: Asked) -> str:
        """Show why; what the operators see is shown even where a model cannot be explained."""
        codes = code_maps(asked.lesion)
        try:
            found = details(asked.shelved, asked.lesion, workplace=self.workplace, sequence=asked.sequence)
        except DemoError as error:
            return _parts.unexplained(str(error), codes)
        return _parts.explained(found, codes, asked.answer)

    def flagged(self, asked: Asked | None, comment: str) -> str:
        """Keep what was asked and answered, and say under which name."""
        if self.flag_folder is None or asked is None:
            raise DemoError("there is no answer to flag yet; press “Analyse” first")
        return flag(self.flag_folder, asked.shelved, asked.lesion, asked.answer, comment=comment)
