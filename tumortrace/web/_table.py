"""Several images at once, to a table."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tumortrace.web._answer import answer
from tumortrace.web._error import DemoError
from tumortrace.web._reader import check_count, read, shown_name, single
from tumortrace.web._shelf import Shelved

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def table(
    shelved: Shelved,
    paths: Sequence[str | os.PathLike[str]],
    names: Sequence[str] | None = None,
    *,
    workplace: Path,
    sequence: str | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> pd.DataFrame:
    """Ask a model of single crops about several images.

    Parameters
    ----------
    shelved : Shelved
        A model of one crop.
    paths, names
        The files and what the person calls them; `MAX_FILES` at most.
    workplace, sequence
        As for `answer`.
    progress : callable, optional
        Told how many are done and how many there are, after each.

    Returns
    -------
    DataFrame
        A row per file in the order given: `image`, its name; the probability of each class under the label in
        lower case (``benign``, ``malignant``); `threshold`; `called`; `confidence`, the word; and `error`, the
        reason where there is no answer. A name that a spreadsheet would take for a formula begins with an
        apostrophe.

    Raises
    ------
    DemoError
        If there is no file or too many, or the model takes no single crops.
    """
    import pandas as pd

    check_count(len(paths))
    if shelved.count != 1:
        raise DemoError(
            f"the model {shelved.key} takes {shelved.count} phases of a slice; choose one of single crops"
        )
    called = [Path(path).name for path in paths] if names is None else list(names)
    rows = []
    for done, (path, name) in enumerate(zip(paths, called, strict=True), start=1):
        rows.append({"image": _cell(shown_name(name)), **_row(shelved, Path(path), name, workplace, sequence)})
        if progress is not None:
            progress(done, len(paths))
    return pd.DataFrame(rows)


def _row(shelved: Shelved, path: Path, name: str, workplace: Path, sequence: str | None) -> dict[str, object]:
    negative, positive = (label.lower() for label in shelved.classes)
    try:
        found = answer(shelved, single(read(path, name)), workplace=workplace, sequence=sequence)
    except DemoError as error:
        nothing = float("nan")
        told = {
            "threshold": shelved.record["threshold"],
            "called": "",
            "confidence": "",
            "error": _cell(str(error)),
        }
        return {negative: nothing, positive: nothing, **told}
    told = {"threshold": found.threshold, "called": found.called, "confidence": found.confidence.word, "error": ""}
    return {negative: found.negative, positive: found.positive, **told}


def _cell(text: str) -> str:
    """Keep a spreadsheet from computing what is only a name."""
    return f"'{text}" if text.startswith(_FORMULA) else text
