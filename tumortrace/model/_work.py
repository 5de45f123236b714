"""What a training has finished so far, kept in a folder so that a killed one goes on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

_REQUEST = "training.json"


class Work:
    """The finished steps of one training.

    Parameters
    ----------
    folder : Path or None
        Where they are kept; None keeps nothing.
    request : dict
        All that the training depends on, as JSON takes it.

    Raises
    ------
    FileExistsError
        If the folder holds the steps of another training.
    """

    def __init__(self, folder: Path | None, request: dict[str, Any]) -> None:
        self.folder = folder
        if folder is None:
            return
        request = json.loads(json.dumps(request))
        found = _read(folder / _REQUEST) or request
        if found != request:
            differ = sorted(key for key in request if found.get(key) != request[key])
            raise FileExistsError(
                f"{folder}: holds an unfinished training with another {', '.join(differ)}; "
                "run that to its end, remove the folder, or begin anew with force"
            )
        folder.mkdir(exist_ok=True)
        _write(folder / _REQUEST, request)

    def step(self, name: str) -> Any:
        """Return what the step was kept with, or None if it is not finished."""
        return None if self.folder is None else _read(self.folder / f"{name}.json")

    def keep(self, name: str, content: Any) -> None:
        """Keep the result of a step; its checkpoints are no longer needed."""
        if self.folder is not None:
            _write(self.folder / f"{name}.json", content)
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def checkpoint(self, name: str) -> Path | None:
        """Return the folder for the checkpoints of a step."""
        return None if self.folder is None else self.folder / name

    def clear(self) -> None:
        """Remove everything: the training is done."""
        if self.folder is not None:
            shutil.rmtree(self.folder)


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _write(path: Path, content: Any) -> None:
    draft = path.with_name(f".{path.name}")
    draft.write_text(json.dumps(content), encoding="utf-8")
    draft.replace(path)
