"""The kinds of input, one tab each: what is uploaded, how it is read, and how a model is asked about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tumortrace.web import _parts
from tumortrace.web._desk import Asked, Desk, File
from tumortrace.web._details import shown_picture
from tumortrace.web._reader import Picture, check_count, read, shown_name


@dataclass(frozen=True)
class Example:
    """A button with an example: its caption, the files it stands for, and the box where it has one."""

    caption: str
    files: tuple[File, ...]
    box: list[int] | None = None


@dataclass(frozen=True)
class Kind:
    """A kind of input.

    Parameters
    ----------
    name : str
        Begins the ids of its controls, such as ``crop-file``.
    title, told, label : str
        Of its tab, what to give, and the name of its upload.
    counts : tuple of int
        How many pictures its models take.
    read : callable
        Desk and files → what was read.
    show : callable
        What was read → HTML.
    ask : callable
        Desk, what was read, box, key of a model and sequence → what was asked; or, step by step, what to
        show and to say.
    many, boxed : bool
        Whether several files are given, and whether a box is drawn.
    """

    name: str
    title: str
    told: str
    label: str
    counts: tuple[int, ...]
    read: Callable[[Desk, Sequence[File]], Any]
    show: Callable[[Any], str]
    ask: Callable[[Desk, Any, Any, str, str | None], Asked | Iterator[tuple[str, str]]]
    many: bool = False
    boxed: bool = False

    def examples(self, desk: Desk) -> list[Example]:
        """Return the examples of this kind, for the models there are."""
        if self.name == "several":
            files = [file for one in desk.examples("crop") for file in _files(one)]
            return [Example(f"The {len(files)} example crops", tuple(files))] if files else []
        kinds = [str(count) for count in desk.phase_counts()] if self.name == "phases" else [self.name]
        return [
            Example(one.title, _files(one), None if one.box is None else list(one.box))
            for one in desk.examples(*kinds)
        ]

    def thumbnail(self, desk: Desk, example: Example) -> Picture:
        """Return the picture on the button of an example."""
        if self.name == "phases":
            return shown_picture(desk.read_phases(example.files))
        return read(*example.files[0])


def _files(example: Any) -> tuple[File, ...]:
    pairs = zip(example.paths, example.names, strict=True)
    return tuple(File(str(path), name) for path, name in pairs)


def _read_several(desk: Desk, files: Sequence[File]) -> tuple[File, ...]:
    check_count(len(files))
    return tuple(files)


def _show_several(files: Sequence[File]) -> str:
    names = ", ".join(shown_name(file.name) for file in files)
    return _parts.said(f"{len(files)} image{'' if len(files) == 1 else 's'} to analyse: {names}.")


KINDS = (
    Kind(
        "crop",
        "One crop",
        "A grey image of one lesion, cut out close around it.",
        "Crop of a lesion",
        (1,),
        read=Desk.read_crop,
        show=_parts.reading,
        ask=lambda desk, lesion, box, key, sequence: desk.ask(lesion, key, sequence),
    ),
    Kind(
        "slice",
        "Slice with a box",
        "A whole slice. Draw a box close around the lesion; what is in it goes to the model.",
        "Slice",
        (1,),
        read=Desk.read_slice,
        show=lambda picture: "",
        ask=lambda desk, picture, box, key, sequence: desk.ask(desk.cut(picture, box), key, sequence),
        boxed=True,
    ),
    Kind(
        "phases",
        "Phases of a slice",
        "The same crop in 9 phases, before contrast and C1 to C8, or in 17 with the subtractions SUB1 to SUB8: so "
        "many files, or one TIFF with so many pages.",
        "Phases of one slice",
        (9, 17),
        read=Desk.read_phases,
        show=_parts.reading,
        ask=lambda desk, lesion, box, key, sequence: desk.ask(lesion, key, sequence),
        many=True,
    ),
    Kind(
        "several",
        "Several images",
        "Crops of several lesions. Their answers come as a table to download.",
        "Crops of lesions",
        (1,),
        read=_read_several,
        show=_show_several,
        ask=lambda desk, files, box, key, sequence: desk.ask_all(files, key, sequence),
        many=True,
    ),
)
"""In the order of the tabs."""
