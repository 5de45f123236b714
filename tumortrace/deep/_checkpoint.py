"""Checkpoints: what a training needs to go on after a kill, as safetensors with JSON in the header.

A file holds tensors, notes and a digest over both. It is written under a temporary name and moved into place, so
that one with its name is whole; of the last two epochs both are kept, so that a file damaged later costs one epoch.
"""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import safetensors
import safetensors.torch
import torch
from torch import Tensor

_FORMAT = 1
_KEPT = 2
_NAME = re.compile(r"epoch-(\d{4,})\.safetensors")


class CheckpointError(ValueError):
    """A checkpoint that is damaged, or belongs to another training; the message says which and what to do."""


class Snapshot(NamedTuple):
    """A training after some epochs.

    Attributes
    ----------
    history : list of dict
        A row of numbers per finished epoch.
    tensors : dict of str to Tensor
        Weights, their average, the best ones, and the state of the optimiser.
    """

    history: list[dict[str, float]]
    tensors: dict[str, Tensor]


class Checkpoints:
    """The checkpoints of one training in a folder of their own.

    Parameters
    ----------
    folder : path
        Made where missing.
    settings : mapping
        All that determines the training, as JSON takes it. A checkpoint of other settings is refused.
    """

    def __init__(self, folder: str | os.PathLike[str], settings: Mapping[str, Any]) -> None:
        self.folder = Path(folder)
        self.settings: dict[str, Any] = json.loads(json.dumps(dict(settings)))
        self.folder.mkdir(parents=True, exist_ok=True)

    def latest(self) -> Snapshot | None:
        """Return the last snapshot that is whole, or None where there is none.

        Raises
        ------
        CheckpointError
            If a checkpoint was made with other settings or data, or every one is damaged.

        Warns
        -----
        UserWarning
            If the last is damaged and the one before it is taken.
        """
        problems: list[str] = []
        for path in reversed(self._files()):
            try:
                settings, snapshot = _read(path)
            except CheckpointError as error:
                problems.append(str(error))
                continue
            self._check_settings(settings, path)
            if problems:
                warnings.warn(f"{problems[0]}; training goes on from {path.name}", stacklevel=2)
            return snapshot
        if problems:
            raise CheckpointError(f"{problems[0]}; no earlier one is whole: delete {self.folder} to start anew")
        return None

    def write(self, snapshot: Snapshot) -> Path:
        """Write a snapshot, the history as CSV beside it, and remove what is no longer needed."""
        path = self.folder / f"epoch-{len(snapshot.history):04d}.safetensors"
        notes = json.dumps({"format": _FORMAT, "settings": self.settings, "history": snapshot.history})
        tensors = {name: tensor.contiguous() for name, tensor in snapshot.tensors.items()}
        metadata = {"notes": notes, "digest": _digest(notes, tensors)}
        _move_into_place(path, safetensors.torch.save(tensors, metadata))
        columns = list(snapshot.history[0])
        lines = [columns, *([repr(row[column]) for column in columns] for row in snapshot.history)]
        table = "".join(",".join(line) + "\n" for line in lines)
        _move_into_place(self.folder / "history.csv", table.encode())
        for old in (*self._files()[:-_KEPT], *self.folder.glob(".*.part")):
            old.unlink()
        return path

    def _files(self) -> list[Path]:
        """Return the checkpoints, oldest first."""
        found = [(int(match[1]), p) for p in self.folder.iterdir() if (match := _NAME.fullmatch(p.name))]
        return [path for _, path in sorted(found)]

    def _check_settings(self, settings: Mapping[str, Any], path: Path) -> None:
        for name, value in self.settings.items():
            if settings.get(name) != value:
                what = (
                    "other training images, labels or patients"
                    if name == "data"
                    else f"{name} {settings.get(name)!r}, not {value!r}"
                )
                raise CheckpointError(f"{path}: was trained with {what}; give another folder, or delete this one")


def _read(path: Path) -> tuple[dict[str, Any], Snapshot]:
    try:
        with safetensors.safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{path}: is damaged: {error}") from error
    notes = metadata.get("notes", "")
    if metadata.get("digest") != _digest(notes, tensors):
        raise CheckpointError(f"{path}: is damaged: its digest does not fit its content")
    content = json.loads(notes)
    if content["format"] != _FORMAT:
        raise CheckpointError(f"{path}: has format {content['format']}, not {_FORMAT}")
    return content["settings"], Snapshot(content["history"], tensors)


def _digest(notes: str, tensors: Mapping[str, Tensor]) -> str:
    content = blake2b(notes.encode(), digest_size=16)
    for name in sorted(tensors):
        tensor = tensors[name].cpu()
        content.update(f"{name} {tensor.dtype} {tuple(tensor.shape)} ".encode())
        content.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return content.hexdigest()


def _move_into_place(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.part")
    draft.write_bytes(content)
    draft.replace(path)
