"""What a study trains: parts, each fitted per fold on the patients outside it, their scores kept on disk."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from scipy.special import logit

import tumortrace
from tumortrace.fusion import LateFusion, PerSequence
from tumortrace.model._estimators import family

HELD_OUT = -1


@dataclasses.dataclass(frozen=True)
class Part:
    """One thing that is trained on some columns of one of the study's frames, and scores its rows."""

    name: str
    frame: str
    columns: tuple[str, ...]
    network: tuple[tuple[str, Any], ...] = ()  # parameters of CNNClassifier; none is a model of features
    classifier: str = "svm"
    seed: int = 0

    def estimator(self) -> Any:
        if self.network:
            from tumortrace.deep import CNNClassifier

            return CNNClassifier(**dict(self.network), seed=self.seed)
        one = family(self.classifier, seed=self.seed)
        return PerSequence(one, column="sequence") if "sequence" in self.columns else one


@dataclasses.dataclass(frozen=True)
class Rows:
    """Rows of one frame: which fold tests each (`HELD_OUT` for those of the held-out split, tested at the end)."""

    frame: pd.DataFrame
    y: np.ndarray
    patients: np.ndarray
    fold: np.ndarray

    def sides(self, fold: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows that train and the rows that are tested."""
        known = self.fold != HELD_OUT
        return (known, ~known) if fold == HELD_OUT else (known & (self.fold != fold), self.fold == fold)


def score(
    parts: Sequence[Part],
    rows: dict[str, Rows],
    folds: Sequence[int],
    kept: Path,
    jobs: int,
    say: Callable[[str], object],
) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """Fit every part for every fold, as far as it is not in the folder `kept`.

    Returns
    -------
    scores : dict
        Name of a part → log-odds of each row of its frame; NaN where no fold of `folds` tests it.
    costs : DataFrame
        `part`, `fold`, `seconds`, `memory` (peak of the process that fitted it, bytes).
    """
    kept.mkdir(parents=True, exist_ok=True)
    tasks = [(part, fold, kept / f"{_key(part, rows[part.frame], fold)}.npz") for part in parts for fold in folds]
    waiting = [task for task in tasks if not task[2].exists()]
    say(f"{len(tasks) - len(waiting)} of {len(tasks)} fits are there from an earlier run")
    # long ones first, so that no process is left alone with one at the end
    waiting.sort(key=lambda task: (not task[0].network, task[0].frame != "image"))
    begin = time.perf_counter()
    # a GPU takes one network after the other; processors take one fit each
    alone = [task for task in waiting if task[0].network and _has_gpu()]
    calls = [_task(rows, task) for task in waiting if task not in alone]
    results = itertools.chain(
        (function(*arguments) for function, arguments, _ in (_task(rows, task) for task in alone)),
        joblib.Parallel(jobs, return_as="generator_unordered")(calls),
    )
    for done, told in enumerate(results, start=1):
        left = (time.perf_counter() - begin) / done * (len(waiting) - done) / 60
        say(f"{done:4} of {len(waiting)}  {told}; about {left:.0f} min left")
    scores = {part.name: np.full(len(rows[part.frame].y), np.nan) for part in parts}
    costs = []
    for part, fold, path in tasks:
        with np.load(path) as file:
            scores[part.name][rows[part.frame].sides(fold)[1]] = file["odds"]
            costs.append((part.name, fold, float(file["seconds"]), int(file["memory"])))
    return scores, pd.DataFrame(costs, columns=["part", "fold", "seconds", "memory"])


def _fit(part: Part, rows: Rows, fold: int, path: Path) -> str:
    """Fit a part on the training rows of a fold, and keep the log-odds of the tested ones."""
    begin = time.perf_counter()
    train, test = rows.sides(fold)
    if set(rows.patients[train]) & set(rows.patients[test]):
        raise RuntimeError(f"{part.name}: a patient is on both sides of fold {fold}")
    features = rows.frame[list(part.columns)]
    # an average of one: it hands the patients to whatever in the part asks for them
    model = LateFusion([("part", part.estimator(), None)])
    model.fit(features[train], rows.y[train], patients=rows.patients[train])
    odds = logit(model.predict_proba(features[test])[:, 1])
    seconds = time.perf_counter() - begin
    draft = path.with_name(f".{path.stem}-{os.getpid()}.npz")
    np.savez(draft, odds=odds, seconds=seconds, memory=peak_memory())
    draft.replace(path)
    return f"{part.name}, {'held out' if fold == HELD_OUT else f'fold {fold}'}: {seconds:.0f} s"


def peak_memory() -> int:
    """Return the greatest size that this process had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _task(rows: dict[str, Rows], task: tuple[Part, int, Path]) -> Any:
    part, fold, path = task
    own = rows[part.frame]
    return joblib.delayed(_fit)(part, dataclasses.replace(own, frame=own.frame[list(part.columns)]), fold, path)


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _key(part: Part, rows: Rows, fold: int) -> str:
    """Return the name under which a fit is kept: it changes with whatever the scores depend on."""
    network = dict(part.network)
    if network:
        from tumortrace.deep import Recipe

        network["recipe"] = Recipe.of(network["recipe"], network["backbone"]).to_dict()
    train, test = rows.sides(fold)
    settings = dataclasses.asdict(part) | {"name": "", "network": network, "version": tumortrace.__version__}
    key = hashlib.blake2b(json.dumps(settings, sort_keys=True, default=str).encode(), digest_size=12)
    for side in (train, test):
        key.update("".join(rows.frame["digest"][side]).encode())
        key.update("".join(map(str, rows.patients[side])).encode())
        key.update(rows.y[side].tobytes())
    return key.hexdigest()
