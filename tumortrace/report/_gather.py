"""From what a user names, folders and files, to what a report is about."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tumortrace.report._study import KEYS, Study

if TYPE_CHECKING:
    import pandas as pd

    from tumortrace.model import Model

Say = Callable[[str], object]

OUT_OF_FOLD, SCORED, GIVEN = "out-of-fold", "scored", "given"
"""Where predictions come from: a cross-validation, the model on a source, a table."""


@dataclass(frozen=True, eq=False)
class Origin:
    """Where a study comes from, by names of files; no path, which would tell of the machine.

    Parameters
    ----------
    name : str
        Of the folder of the model, or of the table.
    sha256 : str
        Of the manifest of the model, which stands for the whole folder, or of the table.
    kind : {"out-of-fold", "scored", "given"}
        How the predictions came about: by cross-validation, by the model on a source, or as a table.
    source : str, optional
        Name of the folder or manifest of images.
    splits : sequence of str, optional
        The splits of it; None is all.
    versions : dict of str to str, optional
        With which the model was trained.
    history : DataFrame, optional
        A row per epoch of each network, as `Model.history`.
    """

    name: str
    sha256: str
    kind: str
    source: str | None = None
    splits: Sequence[str] | None = None
    versions: dict[str, str] | None = None
    history: pd.DataFrame | None = None


def gather(
    what: str | os.PathLike[str],
    *,
    source: str | os.PathLike[str] | None = None,
    splits: Sequence[str] | None = None,
    compare: Sequence[str | os.PathLike[str]] = (),
    positive: str | None = None,
    seed: int = 0,
    jobs: int | None = None,
    say: Say = lambda line: None,
) -> tuple[Study, Origin]:
    """Read and score what a report needs; the parameters are those of `write_report`."""
    path = Path(what)
    if source is None and splits is not None:
        raise ValueError("splits are those of a source; give the source too")
    if path.is_dir():
        study, origin = _of_model(path, source, splits, seed, jobs, say)
        if positive not in (None, study.positive):
            raise ValueError(f"positive is {positive!r}, but the model was trained for {study.positive!r}")
    elif path.suffix == ".csv":
        study, origin = _of_table(path, source, splits, positive, seed, jobs)
    else:
        raise ValueError(f"{path}: give the folder of a model, a table of predictions (.csv), or one of features")
    others: dict[str, pd.DataFrame] = {}
    for other in map(Path, compare):
        say(f"reading {other.name} to compare with")
        taken = {study.name, *others}
        name = next(name for name in _names(other.stem) if name not in taken)
        others[name] = _other(other, study, origin, source, splits, jobs)
    return replace(study, others=others), origin


def _of_model(
    path: Path, source: Any, splits: Sequence[str] | None, seed: int, jobs: int | None, say: Say
) -> tuple[Study, Origin]:
    from tumortrace import model as models

    model = models.load(path)
    predictions: pd.DataFrame | None = None
    if source is None:
        predictions = models.out_of_fold(path)
        source, splits = models.training_source(path) or (None, None)
        if source is None:
            say("where the images of the training are is not known: the report does without them")
    listing = frame = None
    if source is not None:
        say(f"reading the images of {Path(source).name}")
        listing = _listed(source, model, splits, predictions)
        frame = model.inputs.frame(listing, jobs=jobs)
        if predictions is None:
            predictions = _seen_before(path, model, frame, say)
    kind = OUT_OF_FOLD
    if predictions is None:
        kind, predictions = SCORED, model.predict(source, splits=splits, jobs=jobs)
    study = Study(
        predictions,
        model.classes[1],
        name=path.name,
        model=model,
        frame=frame,
        listing=listing,
        seed=seed,
        jobs=jobs,
    )
    origin = Origin(
        path.name,
        _digest(path / "manifest.json"),
        kind,
        None if source is None else Path(source).name,
        splits,
        dict(models.read(path).versions),
        _history(models.training_folder(path)),
    )
    return study, origin


def _seen_before(path: Path, model: Model, frame: pd.DataFrame, say: Say) -> pd.DataFrame | None:
    """Return the out-of-fold predictions where the model was trained on every row: its own would be too good."""
    from tumortrace.model import out_of_fold

    if not frame.loc[frame["status"] != "failed", "digest"].isin(model.record["seen"]).all():
        return None
    say("the model was trained on these very rows: the report is on its out-of-fold predictions")
    try:
        return out_of_fold(path)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"{path}: was trained on every row of the source, and its out-of-fold predictions are not beside it; "
            "put them back, or give images of patients that it has not seen"
        ) from error


def _of_table(
    path: Path, source: Any, splits: Sequence[str] | None, positive: str | None, seed: int, jobs: int | None
) -> tuple[Study, Origin]:
    from tumortrace.model import read_predictions, two_classes

    predictions = read_predictions(path)
    positive = two_classes(predictions.get("label", ()), positive)[1]
    listing = None if source is None else _listed(source, None, splits, predictions)
    study = Study(predictions, positive, name=path.stem, listing=listing, seed=seed, jobs=jobs)
    return study, Origin(path.name, _digest(path), GIVEN, None if source is None else Path(source).name, splits)


def _listed(
    source: Any, model: Model | None, splits: Sequence[str] | None, predictions: pd.DataFrame | None
) -> pd.DataFrame:
    """Return the images of a source, those of the predictions where these are known."""
    from tumortrace.model._inputs import list_images

    listing = list_images(source, group="patient" if model is None else model.inputs.group, splits=splits)
    if predictions is None:
        return listing
    keys = [name for name in KEYS if name in predictions and name in listing]
    wanted = set(predictions[keys].itertuples(index=False, name=None))
    here = [row in wanted for row in listing[keys].itertuples(index=False, name=None)]
    return listing[here].reset_index(drop=True)


def _other(
    path: Path, study: Study, origin: Origin, source: Any, splits: Sequence[str] | None, jobs: int | None
) -> pd.DataFrame:
    """Return the predictions of a model to compare with, for the rows of the study."""
    from tumortrace import model as models

    if not path.is_dir():
        return models.read_predictions(path)
    other = models.load(path)
    if other.classes[1] != study.positive:
        raise ValueError(
            f"{path}: its positive class is {other.classes[1]!r} and that of {study.name} {study.positive!r}; "
            "compare models of one question"
        )
    if origin.kind == SCORED:
        return other.predict(source, splits=splits, jobs=jobs)
    return models.out_of_fold(path)


def _names(stem: str) -> Iterator[str]:
    yield stem
    yield from (f"{stem} ({k})" for k in count(2))


def _history(folder: Path) -> pd.DataFrame | None:
    import pandas as pd

    path = folder / "history.csv"
    return pd.read_csv(path) if path.is_file() else None


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
