"""The models that the demo offers: what each is and takes, and the model itself when it is first asked."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tumortrace import io
from tumortrace.web._error import DemoError

if TYPE_CHECKING:
    from tumortrace.model import Model
    from tumortrace.web._examples import Example

ENGINE = threading.RLock()
"""Held while a model loads, scores or explains: torch has one count of threads, and Grad-CAM hooks a network."""

COUNTS = (1, 9, 17)
"""How many pictures a model of the demo takes: one crop, or the phases of a slice."""

LABELS = {"resnet8": "CNN (ResNet8)", "resnet18": "ResNet18", "resnet50": "ResNet50", "vgg16": "VGG16"}
_ORDER = ("fused", "handcrafted", "cnn")
"""Of kinds on the page; the first is chosen where nobody chooses."""

_READ = ("plan", "inputs", "classes", "data", "metrics", "threshold")
_TAKEN = {1: "one crop", 9: "9 phases", 17: "17 phases"}


@dataclass(frozen=True, eq=False)
class Shelved:
    """A model on the shelf.

    Parameters
    ----------
    key : str
        Tells it apart; the same at every start.
    path : Path
        Its folder.
    record : mapping
        What its manifest records; see `tumortrace.model.Model`.
    synthetic : bool
        Whether it was trained on synthetic lesions.
    """

    key: str
    path: Path
    record: Mapping[str, Any] = field(repr=False)
    synthetic: bool = False

    @property
    def kind(self) -> str:
        """``"fused"``, ``"handcrafted"`` or ``"cnn"``."""
        return str(self.record["plan"]["kind"])

    @property
    def label(self) -> str:
        """Its kind as the page says it, such as "Fused", "Handcrafted", "ResNet18", "VGG16" or "CNN (ResNet8)"."""
        if self.kind != "cnn":
            return self.kind.capitalize()
        backbone = str(self.record["plan"]["backbone"])
        return LABELS.get(backbone, backbone)

    @property
    def classes(self) -> tuple[str, str]:
        """The negative and the positive label."""
        negative, positive = self.record["classes"]
        return negative, positive

    @property
    def unit(self) -> str:
        """What a row of it is: ``"slice"`` or ``"image"``."""
        return str(self.record["inputs"]["unit"])

    @property
    def sequences(self) -> tuple[str, ...]:
        """The sequences of a slice that it takes, phases first; of single images those it knows, perhaps none."""
        inputs = self.record["inputs"]
        named = (inputs[key] or () for key in ("phases", "subtractions", "sequences", "pixels"))
        found = dict.fromkeys(name for names in named for name in names)
        known = [name for name in io.synthetic.SEQUENCES if name in found]
        return (*known, *(name for name in found if name not in known))

    @property
    def count(self) -> int:
        """How many pictures it takes."""
        return len(self.sequences) if self.unit == "slice" else 1

    @property
    def tested(self) -> bool:
        """Whether it was tested by cross-validation."""
        return bool(self.record["metrics"])

    @property
    def about(self) -> str:
        """What it sees, what it was trained on and how it was tested, in two sentences."""
        counts = self.record["data"]["patients"]
        patients = f"{sum(counts.values()):,} {'synthetic ' if self.synthetic else ''}patients"
        labels = " and ".join(f"{count:,} {label.lower()}" for label, count in counts.items())
        rows = f"{self.record['data']['rows']:,} {self.unit}s"
        return f"Sees {self._sees()}; trained on {rows} of {patients}, {labels}. {self._test()}"

    @cached_property
    def model(self) -> Model:
        """The model, read when it is first asked for.

        Raises
        ------
        DemoError
            If the folder is damaged.
        """
        from tumortrace.model import ModelError, load

        with ENGINE:  # which another may have waited for, and have the model by now
            try:
                return self.__dict__.get("model") or load(self.path)
            except ModelError as error:
                raise DemoError(f"the model {self.key} cannot be read: it is damaged; train it again") from error

    def _sees(self) -> str:
        inputs = self.record["inputs"]
        seen = [what for what in ("texture", "kinetics", "pixels") if inputs[what] is not None]
        return f"{', '.join(seen[:-1])}{' and ' if seen[1:] else ''}{seen[-1]} of {_TAKEN[self.count]}"

    def _test(self) -> str:
        area = self.measured("auc", self.unit)
        if area is None:
            return "It was not tested."
        folds = self.record["plan"]["folds"]
        value, low, high = (area[name] for name in ("value", "low", "high"))
        interval = "" if low is None else f" ({low:.2f} to {high:.2f})"
        return (
            f"On patients it had not seen, in {folds}-fold cross-validation, its AUC per {self.unit} was "
            f"{value:.2f}{interval}."
        )

    def measured(self, metric: str, level: str) -> Mapping[str, Any] | None:
        """Return what its own test measured, with ``value``, ``low``, ``high``, ``n`` and ``patients``, or None."""
        rows = self.record["metrics"]
        found = (row for row in rows if row["metric"] == metric and row["level"] == level)
        return next((row for row in found if row["value"] is not None), None)


@dataclass(frozen=True, eq=False)
class Shelf:
    """Models by their keys, in the order of the page.

    Parameters
    ----------
    models : mapping of str to Shelved
    examples : tuple of Example
        Lesions to click on.
    notices : tuple of str
        What to tell whoever looks at the page, such as that there is no network without torch.
    """

    models: Mapping[str, Shelved]
    examples: tuple[Example, ...] = ()
    notices: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Shelved]:
        return iter(self.models.values())

    def __len__(self) -> int:
        return len(self.models)

    def __getitem__(self, key: str) -> Shelved:
        """Return a model.

        Raises
        ------
        DemoError
            If there is none of that key.
        """
        if key not in self.models:
            raise DemoError(f"there is no model {key!r}; choose one of {', '.join(self.models)}")
        return self.models[key]

    def fitting(self, count: int) -> list[Shelved]:
        """Return the models that take so many pictures."""
        return [one for one in self if one.count == count]


def open_shelf(folders: Sequence[str | os.PathLike[str]]) -> Shelf:
    """Put models on a shelf, the fused ones first; none is loaded yet.

    Parameters
    ----------
    folders : sequence of path
        Each the folder of a model, or one that holds such folders.

    Raises
    ------
    DemoError
        If one is neither, or no model takes one crop or the 9 or 17 phases of a slice.
    """
    found: dict[str, Shelved] = {}
    notices = []
    for path in _model_folders(folders):
        shelved = read_shelved(path, taken=found)
        if shelved.count in COUNTS:
            found[shelved.key] = shelved
        else:
            notices.append(
                f"{path}: takes {shelved.count} sequences; the demo shows models of one crop, of 9 or of 17 phases"
            )
    if not found:
        raise DemoError("; ".join(notices))
    in_order = sorted(found.items(), key=lambda one: _ORDER.index(one[1].kind))
    return Shelf(dict(in_order), notices=tuple(notices))


def read_shelved(
    path: Path, *, key: str | None = None, synthetic: bool | None = None, taken: Iterable[str] = ()
) -> Shelved:
    """Return the model of a folder for a shelf, by what its manifest records.

    Parameters
    ----------
    path : Path
    key : str, optional
        The name of the folder by default, with a number where it is among `taken`.
    synthetic : bool, optional
        Whether it was trained on synthetic lesions; by default this is found out where it can be.
    taken : iterable of str
        Keys of others.

    Raises
    ------
    DemoError
        If the folder holds no model.
    """
    from tumortrace.model import training_source
    from tumortrace.model._store import MANIFEST

    try:
        record = json.loads((path / MANIFEST).read_bytes())["record"]
        record = {**record, **{name: record[name] for name in _READ}}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DemoError(f"{path}: holds no trained model: {error}") from error
    if synthetic is None:
        source = training_source(path)
        synthetic = source is not None and io.synthetic.is_synthetic(source[0])
    name = path.resolve().name if key is None else key
    others, number = set(taken), 2
    unique = name
    while unique in others:
        unique, number = f"{name} ({number})", number + 1
    return Shelved(unique, path, record, synthetic)


def _model_folders(folders: Sequence[str | os.PathLike[str]]) -> Iterator[Path]:
    from tumortrace.io._listing import natural
    from tumortrace.model._store import MANIFEST

    for folder in map(Path, folders):
        if (folder / MANIFEST).is_file():
            yield folder
            continue
        if not folder.is_dir():
            raise DemoError(f"{folder}: is no folder; give the folder of a model, or one that holds such folders")
        inside = sorted(folder.iterdir(), key=lambda path: natural(path.name))
        models = [path for path in inside if (path / MANIFEST).is_file() and not path.name.startswith(".")]
        if not models:
            raise DemoError(f"{folder}: holds no model; train one with tumortrace train … -o {folder / 'model'}")
        yield from models
