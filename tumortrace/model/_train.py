"""Training: from a source of images to a model that was tested on patients it did not see."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import tumortrace
from tumortrace import _check
from tumortrace.evaluation import grouped_folds
from tumortrace.model._cohort import Cohort, check_listing, cohort
from tumortrace.model._inputs import Inputs, content_digests, list_images
from tumortrace.model._measured import read_predictions
from tumortrace.model._members import member_scores
from tumortrace.model._model import Model
from tumortrace.model._plan import NUMBERED, Plan, chosen_features
from tumortrace.model._tested import tested
from tumortrace.model._work import Work

if TYPE_CHECKING:
    import pandas as pd

Say = Callable[[str], object]

HELD_OUT = "test"
WITHOUT_FOLDS = 0.5
BACKGROUND = 64
OUT_OF_FOLD, HISTORY, SOURCE = "out_of_fold.csv", "history.csv", "source.json"
"""Files of the folder beside a model."""


def train(
    kind: str,
    source: Any,
    *,
    unit: str = "slice",
    classifier: str = "svm",
    networks: str = "slice",
    backbone: str = "resnet8",
    weights: str | os.PathLike[str] | None = None,
    recipe: str = "small",
    size: int | None = None,
    epochs: int | None = None,
    sequences: int | Sequence[str] | None = None,
    features: Mapping[str, Mapping[str, Any] | None] | Iterable[str] | None = None,
    group: str = "patient",
    positive: str | None = None,
    splits: Sequence[str] | None = None,
    folds: int = 5,
    seed: int = 0,
    jobs: int | None = None,
    out: str | os.PathLike[str] | None = None,
    force: bool = False,
    say: Say | None = None,
) -> Model:
    """Train a model and test it by cross-validation in which no patient is on both sides.

    Parameters
    ----------
    kind : {"handcrafted", "cnn", "fused"}
        Texture and kinetics; a network on the pixels; or an average of all three.
    source : str, path or DataFrame
        A folder or manifest (.csv) of labelled images, or a DataFrame with a column `image` of paths.
    unit : {"slice", "image"}
        What is scored: a slice with its sequences side by side, or each image by itself.
    classifier : {"svm", "logistic", "forest", "xgboost"}
        Of the features.
    networks : {"slice", "both"}, default "slice"
        "slice" trains one network, the sequences of a slice being its channels. "both" trains a second one on every
        crop by itself, whose scores are averaged over a slice: better, and several times as slow.
    backbone, weights, recipe, size, epochs
        Of the network: `tumortrace.deep.CNNClassifier`.
    sequences : int or sequence of str, optional
        The sequences to use, or 1, 9 or 17 of those of BreaDM: the second phase after contrast, all phases, and
        with them the subtractions. By default every sequence of the source.
    features : mapping or list of str, optional
        Extractors, with their parameters or not, and ``"kinetics"``, the time course of a slice. By default all but
        `shape`: size and form of a crop tell patients apart, and make models worse on new ones. Kinetics are in
        the default where the source has the nine phases of BreaDM, and all of its subtractions or none.
    group : str, default "patient"
        The column that tells patients apart: its rows are never split.
    positive : str, optional
        The label of the positive class; by default "malignant", in any case.
    splits : sequence of str, optional
        The splits to train on; by default all but one called "test".
    folds : int, default 5
        Of the cross-validation. 0 leaves it out: nothing is measured, and the threshold is 0.5.
    seed : int
        The same seed and images give the same model.
    jobs : int, optional
        Worker processes of the extraction; one per available CPU by default.
    out : path, optional
        Where to save the model. Beside it come ``<out>.training/`` with the out-of-fold predictions, which name
        patients, the history of networks, and where the images lie; and, during the training, ``<out>.partial/``,
        from which a killed one goes on, to the same model, when it is asked for again.
    force : bool
        Overwrite the model at `out`, and discard an unfinished training.
    say : callable, optional
        Told of the progress line by line.

    Returns
    -------
    Model
        Fitted on every row. Its threshold maximises Youden's index on the out-of-fold predictions.

    Raises
    ------
    ValueError
        If a parameter is out of its range, or the data are unfit: no labels, not two classes, fewer patients of a
        class than folds, missing sequences, no readable image. What can be known is said before any image is read.
    FileExistsError
        If `out` is there already, or an unfinished training with other parameters or images.
    ModuleNotFoundError
        If a network is asked for and the extra ``deep`` is missing.

    Notes
    -----
    Rows that cannot be read are left out, and counted in ``record["data"]``. The final model is fitted on all rows;
    its quality is taken to be that of the models of the folds, each fitted on fewer.
    """
    plan = Plan(
        kind=kind,
        unit=unit,
        classifier=classifier,
        networks=networks,
        backbone=backbone,
        weights=None if weights is None else str(weights),
        recipe=recipe,
        size=size,
        epochs=epochs,
        sequences=_sequences(sequences),
        features=chosen_features(features),
        group=group,
        positive=positive,
        splits=None if splits is None else tuple(splits),
        folds=folds,
        seed=seed,
    )
    say = say or _silence
    target = None if out is None else Path(out)
    _prepare(target, force)
    listing = _listing(plan, source, say)
    classes = check_listing(listing, plan.group, plan.positive, plan.folds)
    inputs = plan.inputs(list(dict.fromkeys(listing["sequence"])) if "sequence" in listing else [])
    data = cohort(_frame(inputs, listing, jobs, say), classes, plan.folds)
    for line in data.left_out:
        say(f"left out: {line}")
    work = Work(
        None if target is None else _beside(target, "partial"),
        {"version": tumortrace.__version__, "plan": plan.to_dict(), "images": _digest(data)},
    )
    run = _Run(plan, data, inputs.columns(data.frame), work, say)
    model = _model(run, inputs, run.cross_validate(), run.fit_all())
    if target is not None:
        _save(model, target, force)
        _put(training_folder(target) / SOURCE, json.dumps(_source(source, plan.splits)))
        work.clear()
    return model


@dataclass
class _Run:
    """The fits of one training: one per fold, and the final one."""

    plan: Plan
    data: Cohort
    columns: list[str]
    work: Work
    say: Say
    history: list[dict[str, Any]] = field(default_factory=list)

    def cross_validate(self) -> tuple[NDArray[np.int64], dict[str, NDArray[np.float64]]] | None:
        """Return the fold of each row, from 1, and its scores by a model that did not see its patient.

        ``score`` is that of the model, ``score_<member>`` that of each of its members.
        """
        if self.plan.folds == 0:
            return None
        y, patients = self.data.y, self.data.patients
        folds = 1 + grouped_folds(y, patients, folds=self.plan.folds, seed=self.plan.seed)
        scores: dict[str, NDArray[np.float64]] = {}
        for fold in range(1, self.plan.folds + 1):
            name, test = f"fold-{fold}", folds == fold
            done = self.work.step(name)
            if done is None:
                start = time.perf_counter()
                estimator = self._fit(name, ~test, f"fold {fold} of {self.plan.folds}")
                found = self._scores(estimator, self.data.frame.loc[test, self.columns])
                history = [{"fold": fold, **row} for row in _history(estimator)]
                done = {"scores": found, "history": history, "seconds": time.perf_counter() - start}
                self.work.keep(name, done)
                self.say(f"fold {fold} of {self.plan.folds}: {done['seconds']:.1f} s")
            else:
                self.say(f"fold {fold} of {self.plan.folds}: taken over from an earlier run")
            for column, values in done["scores"].items():
                scores.setdefault(column, np.empty(len(y)))[test] = values
            self.history += done["history"]
        return folds, scores

    def _scores(self, estimator: Any, features: pd.DataFrame) -> dict[str, list[float]]:
        """Return column → scores, of the model and of its members."""
        score, columns = member_scores(estimator, features)
        return {"score": score.tolist(), **{name: values.tolist() for name, values in columns.items()}}

    def background(self, estimator: Any) -> pd.DataFrame:
        """Return some of the rows, as the final estimator sees them.

        Half are of each class where there are as many; of each sequence apart where each has a model of its own.
        """
        import pandas as pd

        rng, data = np.random.default_rng(self.plan.seed), self.data
        routed = "sequence" in self.columns
        kinds = data.frame["sequence"].to_numpy() if routed else np.zeros(len(data.y))
        drawn = [_drawn(np.flatnonzero(kinds == kind), data.y, rng) for kind in dict.fromkeys(kinds.tolist())]
        rows = np.sort(np.concatenate(drawn))
        features = data.frame.loc[rows, self.columns]
        score, columns = member_scores(estimator, features)
        return (
            features.drop(columns=[name for name in self.columns if name.endswith("__image")])
            .assign(label=np.array(data.classes)[data.y[rows]], **columns, score=score)
            .pipe(pd.DataFrame.reset_index, drop=True)
        )

    def fit_all(self) -> Any:
        """Return the estimator fitted on every row."""
        start = time.perf_counter()
        estimator = self._fit("final", np.ones(len(self.data.y), bool), "all rows")
        self.history += [{"fold": 0, **row} for row in _history(estimator)]
        self.say(f"all rows: {time.perf_counter() - start:.1f} s")
        for network in _networks(estimator):
            network.set_params(checkpoint=None, progress=False)
        return estimator

    def _fit(self, name: str, rows: NDArray[np.bool_], called: str) -> Any:
        def tell(epoch: Mapping[str, float]) -> None:
            numbers = ", ".join(f"{key} {value:.4g}" for key, value in epoch.items() if key != "epoch")
            self.say(f"{called}, epoch {epoch['epoch']:.0f}: {numbers}")

        estimator = self.plan.estimator(self.columns, checkpoint=self.work.checkpoint(name), progress=tell)
        return estimator.fit(
            self.data.frame.loc[rows, self.columns], self.data.y[rows], patients=self.data.patients[rows]
        )


def _drawn(rows: NDArray[np.intp], y: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw rows, half of each class where there are as many."""
    order = [rng.permutation(rows[y[rows] == k]) for k in (0, 1)]
    few = min(BACKGROUND // 2, *map(len, order))
    return np.concatenate([one[: max(few, BACKGROUND - few)] for one in order])


def _model(
    run: _Run,
    inputs: Inputs,
    outcome: tuple[NDArray[np.int64], dict[str, NDArray[np.float64]]] | None,
    estimator: Any,
) -> Model:
    import pandas as pd

    plan, data = run.plan, run.data
    threshold, out_of_fold = WITHOUT_FOLDS, None
    measured: dict[str, list[dict[str, Any]]] = {"metrics": [], "calibration": []}
    if outcome is not None:
        folds, columns = outcome
        found = tested(data.frame, columns.pop("score"), folds, columns, data.classes)
        threshold, out_of_fold = found.threshold, found.out_of_fold
        measured = {"metrics": found.metrics, "calibration": found.calibration}
    record = {
        "plan": plan.to_dict(),
        "data": {
            "rows": len(data.y),
            "patients": data.patients_of_class,
            "digest": _digest(data),
            "left_out": list(data.left_out),
        },
        **measured,
        "seen": sorted(set(data.frame["digest"])),
    }
    if plan.kind == "fused":
        paths = [name for name in run.columns if name.endswith("__image")]
        record["seen_pixels"] = sorted(set(content_digests(data.frame[paths])))
    history = pd.DataFrame(run.history) if run.history else None
    return Model(
        estimator, inputs, data.classes, threshold, record, out_of_fold, history, run.background(estimator)
    )


def _listing(plan: Plan, source: Any, say: Say) -> pd.DataFrame:
    """Return the images of the splits to train on."""
    listing = list_images(source, group=plan.group, splits=plan.splits)
    if plan.splits is None and "split" in listing and HELD_OUT in set(listing["split"]):
        say(f"the split {HELD_OUT!r} is left out; name the splits to train on to take it in")
        listing = listing[listing["split"] != HELD_OUT].reset_index(drop=True)
    return listing


def _frame(inputs: Inputs, listing: pd.DataFrame, jobs: int | None, say: Say) -> pd.DataFrame:
    start = time.perf_counter()
    frame = inputs.frame(listing, jobs=jobs)
    say(f"read {len(listing):,} images, {len(frame):,} {inputs.unit}s: {time.perf_counter() - start:.1f} s")
    return frame


def _digest(data: Cohort) -> str:
    """Return 32 hex digits over the content of the rows, their classes and patients."""
    content = blake2b(digest_size=16)
    for digest, label, patient in zip(data.frame["digest"], data.y, data.patients, strict=True):
        content.update(f"{digest} {label} {patient}\n".encode())
    return content.hexdigest()


def _networks(estimator: Any) -> Iterator[Any]:
    """Yield every network in an estimator: the fitted ones, and the unfitted ones among its parameters."""
    if hasattr(estimator, "checkpoint"):
        yield estimator
    for name in ("estimator", "estimator_"):
        if getattr(estimator, name, None) is not None:
            yield from _networks(getattr(estimator, name))
    for _, member, _ in getattr(estimator, "members", None) or ():
        yield from _networks(member)
    for member in getattr(estimator, "members_", {}).values():
        yield from _networks(member)


def _history(estimator: Any) -> list[dict[str, Any]]:
    fitted = (network for network in _networks(estimator) if hasattr(network, "history_"))
    return [row for network in fitted for row in network.history_.to_dict("records")]


def _sequences(given: int | Sequence[str] | None) -> tuple[str, ...] | None:
    if isinstance(given, int):
        return NUMBERED[_check.one_of("sequences", given, tuple(NUMBERED))]
    if isinstance(given, str):
        raise TypeError(f"sequences is {given!r}; give a list of names, or 1, 9 or 17")
    return None if given is None else tuple(given)


def _prepare(target: Path | None, force: bool) -> None:
    """Find what would stop the model from being saved, before the work."""
    if target is None:
        return
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{target.parent}: does not exist; make the folder first")
    if target.exists() and not force:
        raise FileExistsError(f"{target}: exists; give another name, or force to overwrite it")
    if force and _beside(target, "partial").exists():
        shutil.rmtree(_beside(target, "partial"))


def training_folder(target: str | os.PathLike[str]) -> Path:
    """Return the folder beside a model that holds its out-of-fold predictions and its history."""
    return _beside(Path(target), "training")


def out_of_fold(target: str | os.PathLike[str]) -> pd.DataFrame:
    """Return the out-of-fold predictions of the model in a folder.

    Raises
    ------
    FileNotFoundError
        If they are not beside it: moved, or it was trained without folds.
    """
    path = training_folder(target) / OUT_OF_FOLD
    if not path.exists():
        raise FileNotFoundError(
            f"{path}: is not there, the out-of-fold predictions of {target}; put it back, or give images to score"
        )
    return read_predictions(path)


def training_source(target: str | os.PathLike[str]) -> tuple[Path, list[str] | None] | None:
    """Return the folder or manifest that the model in a folder was trained on, and the splits that were asked for.

    None where it is not known, or no longer there.
    """
    try:
        found = json.loads((training_folder(target) / SOURCE).read_text(encoding="utf-8"))
        source, splits = found["source"], found["splits"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return (Path(source), splits) if source is not None and Path(source).exists() else None


def _source(source: Any, splits: Sequence[str] | None) -> dict[str, Any]:
    path = str(Path(source).absolute()) if isinstance(source, str | os.PathLike) else None
    return {"source": path, "splits": None if splits is None else list(splits)}


def _beside(target: Path, what: str) -> Path:
    return target.with_name(f"{target.name}.{what}")


def _save(model: Model, target: Path, force: bool) -> None:
    model.save(target, overwrite=force)
    folder = training_folder(target)
    folder.mkdir(exist_ok=True)
    for name, table in ((OUT_OF_FOLD, model.out_of_fold), (HISTORY, model.history)):
        if table is None:
            (folder / name).unlink(missing_ok=True)
        else:
            _put(folder / name, table.to_csv(index=False))


def _put(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}")
    draft.write_text(text, encoding="utf-8", newline="")
    draft.replace(path)


def _silence(line: str) -> None:
    pass
