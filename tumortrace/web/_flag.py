"""Keep what a person flags, where the operator chose: a line of JSON and the image."""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from tumortrace.web._answer import Answer
from tumortrace.web._error import DemoError
from tumortrace.web._reader import Lesion, lossless
from tumortrace.web._shelf import Shelved

FILE = "flags.jsonl"
LONGEST_COMMENT = 2000

_LOCK = threading.Lock()


def flag(folder: Path, shelved: Shelved, lesion: Lesion, answer: Answer, *, comment: str = "") -> str:
    """Append a line to ``flags.jsonl`` of a folder and write the pictures beside it.

    Parameters
    ----------
    folder : Path
        What the operator chose; made where missing, for its owner only.
    shelved, lesion, answer
        What was asked and answered.
    comment : str
        What the person has to say, at most `LONGEST_COMMENT` letters.

    Returns
    -------
    str
        The name under which it is kept: letters and numbers drawn at random, the folder of its pictures. No name
        that a person gave is part of a path; it is kept in the line.

    Raises
    ------
    DemoError
        If the comment is too long, or the folder cannot be written.

    Notes
    -----
    The pictures are in place, whole, before the line is. A line is written at once and under a lock.
    """
    if len(comment) > LONGEST_COMMENT:
        raise DemoError(f"the comment has {len(comment):,} letters; give {LONGEST_COMMENT:,} at most")
    now = datetime.now(UTC)
    name = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
    stored = [lossless(picture.array) for picture in lesion.pictures]
    files = {f"{place:02d}{ending}": data for place, (data, ending) in enumerate(stored)}
    line = {
        "flag": name,
        "time": now.isoformat(timespec="seconds"),
        "model": shelved.key,
        "kind": shelved.label,
        "data": shelved.record["data"]["digest"],
        "score": answer.positive,
        "threshold": answer.threshold,
        "called": answer.called,
        "comment": comment,
        "pictures": [
            {"file": f"{name}/{file}", "name": picture.name, "sequence": sequence}
            for file, picture, sequence in zip(files, lesion.pictures, lesion.sequences, strict=True)
        ],
    }
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(folder / name, files)
        _append(folder / FILE, json.dumps(line, allow_nan=False))
    except OSError as error:
        raise DemoError(f"it could not be flagged: {error.strerror}; tell whoever runs this page") from error
    return name


def _write(place: Path, files: Mapping[str, bytes]) -> None:
    """Make a folder of files under a temporary name, then move it into place."""
    draft = place.with_name(f".{place.name}")
    draft.mkdir(mode=0o700)
    for name, data in files.items():
        (draft / name).write_bytes(data)
    draft.replace(place)


def _append(path: Path, line: str) -> None:
    """Add a line to a file in one write, which no other writer comes between."""
    with _LOCK, os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab", buffering=0) as file:
        file.write(line.encode() + b"\n")
        os.fsync(file.fileno())
