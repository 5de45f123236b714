"""What a model says of one lesion: its prediction, how sure to be of it, and what to mind."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tumortrace.io._listing import natural
from tumortrace.web._confidence import Confidence, confidence
from tumortrace.web._error import DemoError
from tumortrace.web._reader import Lesion
from tumortrace.web._shelf import ENGINE, Shelved

if TYPE_CHECKING:
    import pandas as pd

SMALL = 8
"""A crop with a side below this has little texture."""


@dataclass(frozen=True)
class Score:
    """What a member of a model says by itself.

    Parameters
    ----------
    name : str
        As in `tumortrace.model.members`, such as ``"glcm"``.
    parent : str or None
        The member that it is part of.
    weight : float
        Its share in the mean of log-odds of the whole model.
    positive : float
        Its probability of the positive class.
    """

    name: str
    parent: str | None
    weight: float
    positive: float


@dataclass(frozen=True)
class Answer:
    """What a model says of a lesion.

    Parameters
    ----------
    classes : (str, str)
        The negative and the positive label, such as ``("Benign", "Malignant")``.
    negative, positive : float
        Their probabilities, 1 in sum; `positive` is the score that `tumortrace predict` gives for the same pixels.
    threshold : float
        The lesion is called positive where `positive` is at least this.
    called : str
        The label that it is called.
    confidence : Confidence
        How sure to be, in words.
    members : tuple of Score
        Of a model that is a mean of others, each after the one that it is part of.
    notices : tuple of str
        What to mind: sentences.
    row : mapping
        The row of the predictions table.
    """

    classes: tuple[str, str]
    negative: float
    positive: float
    threshold: float
    called: str
    confidence: Confidence
    members: tuple[Score, ...]
    notices: tuple[str, ...]
    row: Mapping[str, Any]


def answer(shelved: Shelved, lesion: Lesion, *, workplace: Path, sequence: str | None = None) -> Answer:
    """Ask a model about a lesion, as `tumortrace predict` does.

    Parameters
    ----------
    shelved : Shelved
        The model.
    lesion : Lesion
        As many pictures as the model takes.
    workplace : Path
        A private folder; what is written there is removed before the answer comes.
    sequence : str, optional
        Of a single crop and a model that knows several sequences: which it is.

    Returns
    -------
    Answer
        The same for the same pixels, always. Safe to call from several threads.

    Raises
    ------
    DemoError
        If the lesion is not what the model takes, or the model cannot score it.
    """
    from tumortrace.model import members

    model = shelved.model
    with (
        placed(shelved, lesion, workplace, sequence) as source,
        ENGINE,
        warnings.catch_warnings(record=True) as told,
    ):
        warnings.simplefilter("always")
        row = model.predict(source, jobs=1).astype(object).iloc[0]
    if row["status"] == "failed":
        raise DemoError(f"{lesion.pictures[0].name}: the model cannot score it: {row['error']}")
    seen = any("are among those that the model was trained on" in str(warning.message) for warning in told)
    positive = float(row["score"])
    scores = tuple(Score(*member, float(row[f"score_{name}"])) for name, member in members(model.estimator).items())
    return Answer(
        classes=model.classes,
        negative=1 - positive,
        positive=positive,
        threshold=model.threshold,
        called=str(row["predicted"]),
        confidence=confidence(shelved.record, positive),
        members=scores,
        notices=tuple(_notices(shelved, lesion, seen)),
        row={str(name): value for name, value in row.items()},
    )


@contextmanager
def placed(
    shelved: Shelved, lesion: Lesion, workplace: Path, sequence: str | None = None
) -> Iterator[pd.DataFrame]:
    """Write the pictures of a lesion below `workplace`, give them as a source for a model, and remove them.

    Raises
    ------
    DemoError
        If the lesion is not what the model takes.
    """
    import pandas as pd

    names = _named(shelved, lesion, sequence)
    with tempfile.TemporaryDirectory(dir=workplace) as folder:
        rows: list[dict[str, object]] = []
        # in the order of a folder, by which a slice of the training is known again
        for name, picture in sorted(zip(names, lesion.pictures, strict=True), key=lambda pair: natural(pair[0])):
            path = Path(folder, f"{len(rows):02d}{picture.ending}")
            path.write_bytes(picture.data)
            rows.append({"image": str(path), "patient": "", "sequence": name, "slice": 0})
        yield pd.DataFrame(rows) if any(names) else pd.DataFrame(rows)[["image"]]


def _named(shelved: Shelved, lesion: Lesion, sequence: str | None) -> tuple[str, ...]:
    """Return the sequence of each picture of a lesion as the model calls it."""
    known = shelved.sequences
    if len(lesion) != shelved.count:
        raise DemoError(
            f"the model {shelved.key} takes {_pictures(shelved.count)}, and here {_are(len(lesion))}; choose "
            f"another model or give {_pictures(shelved.count)}"
        )
    if len(lesion) == 1:
        if len(known) > 1 and sequence not in known:
            raise DemoError(f"the model {shelved.key} knows {', '.join(known)}; say which one the crop is")
        return (sequence if len(known) > 1 and sequence is not None else (known or ("",))[0],)
    return lesion.sequences if set(lesion.sequences) == set(known) else known


def _notices(shelved: Shelved, lesion: Lesion, seen: bool) -> Iterator[str]:
    if shelved.synthetic:
        yield "This model was trained on synthetic lesions alone: what it says of a real one means nothing."
    if seen:
        yield "This lesion is among those that the model was trained on: its score is too good."
    if any(picture.colour for picture in lesion.pictures):
        yield "The image is in colour; its brightness was read as grey."
    if min(lesion.shape) < SMALL:
        rows, cols = lesion.shape
        yield f"The crop has {rows} × {cols} pixels: too few for much texture, so that the answer rests on little."
    if len(lesion) > 1 and set(lesion.sequences) != set(shelved.sequences):
        yield f"The phases were taken for {', '.join(shelved.sequences)}, in this order."


def _pictures(count: int) -> str:
    return "one crop" if count == 1 else f"the {count} phases of a slice"


def _are(count: int) -> str:
    return "is one crop" if count == 1 else f"are {count} phases"
