"""A trained model: from a source of images to a table of predictions."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tumortrace import _check
from tumortrace.model._error import ModelError
from tumortrace.model._inputs import FAILED, Inputs, list_images
from tumortrace.model._members import member_scores, members
from tumortrace.model._store import read, write
from tumortrace.model._tested import predictions, tested

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Model:
    """A trained model: what `train` returns and `load` reads.

    Parameters
    ----------
    estimator : scikit-learn classifier
        Fitted; its classes are 0 and 1.
    inputs : Inputs
        What it takes from a source of images.
    classes : (str, str)
        The labels of 0 and 1; the second is the positive class.
    threshold : float
        A row is called positive where its score is at least this.
    record : dict
        How it was trained and what it measured, as JSON takes it: `plan`, the parameters of `train`; `data`, with
        `rows`, `patients` by label, `digest` and `left_out`; `metrics`, the rows of `evaluation.measure` of the
        out-of-fold predictions; `calibration`, what share of these was positive where the score was so much, a bin
        of scores each; and `seen`, the digests of the rows it was trained on. It names no patient.
    out_of_fold : DataFrame, optional
        The rows it was trained on with their out-of-fold predictions. It names patients, so that it is not saved
        with the model; see `train`.
    history : DataFrame, optional
        A row per epoch of each network: `fold` (0 for the final one), `epoch`, `loss` and others.
    background : DataFrame, optional
        Some of the rows it was trained on, to explain others by: their numbers as the estimator takes them,
        `label`, ``score_<member>`` and `score`. It names no patient and no file. None for a model of an earlier
        version.
    """

    estimator: Any
    inputs: Inputs
    classes: tuple[str, str]
    threshold: float
    record: dict[str, Any]
    out_of_fold: pd.DataFrame | None = None
    history: pd.DataFrame | None = None
    background: pd.DataFrame | None = None

    def predict(
        self, source: Any, *, splits: Sequence[str] | None = None, jobs: int | None = None, progress: bool = False
    ) -> pd.DataFrame:
        """Score the slices or images of a source.

        Parameters
        ----------
        source : str, path or DataFrame
            A folder, a manifest (.csv) or an image; or a DataFrame with a column `image` of paths. Labels are not
            needed.
        splits : sequence of str, optional
            The splits to score; everything by default.
        jobs : int, optional
            Worker processes of the extraction; one per available CPU by default.
        progress : bool
            Show a progress bar on stderr.

        Returns
        -------
        DataFrame
            The identity columns there are; ``score_<member>`` for each of `members`; `score`, the probability of
            the positive class; `threshold`; `predicted`, the label; `status` and `error`. A row that cannot be
            scored has the status "failed", no score, an empty prediction, and says why.

        Raises
        ------
        ValueError
            If the source lacks a sequence or a column that the model needs.

        Warns
        -----
        UserWarning
            If rows are among those that the model was trained on.
        """
        frame = self.inputs.frame(
            list_images(source, group=self.inputs.group, splits=splits), jobs=jobs, progress=progress
        )
        good = (frame["status"] != FAILED).to_numpy()
        self._warn_of_seen(frame[good])
        names = list(self.estimator.feature_names_in_)
        if missing := [name for name in names if name not in frame]:
            raise ModelError(f"the source gives no {missing[0]}, which the model was trained with")
        score = np.full(len(frame), np.nan)
        columns = {f"score_{name}": score.copy() for name in members(self.estimator)}
        if good.any():
            score[good], scores = member_scores(self.estimator, frame.loc[good, names])
            for name, values in scores.items():
                columns[name][good] = values
        return predictions(frame, score, self.threshold, self.classes, **columns)

    def member(self, name: str) -> Model:
        """Return a part of a fused model as a model of its own, tested on the same folds.

        Parameters
        ----------
        name : {"handcrafted", "cnn"}
            Which part.

        Returns
        -------
        Model
            It takes what the part needs of a source, and its scores are the column ``score_<name>`` of this one.
            Its threshold comes from its own out-of-fold predictions.

        Raises
        ------
        ValueError
            If this is no fused model, or it was loaded: its out-of-fold predictions are needed, which `train`
            returns with the model.
        """
        plan = self.record["plan"]
        if plan["kind"] != "fused":
            raise ValueError(f"the model is {plan['kind']}, not fused; it has no such parts")
        _check.one_of("name", name, tuple(self.estimator.members_))
        if self.out_of_fold is None and self.record["metrics"]:
            raise ValueError("the model was loaded without its out-of-fold predictions; take what train returns")
        estimator = self.estimator.members_[name]
        below = [f"score_{member}" for member in members(estimator)]
        record = {**self.record, "plan": {**plan, "kind": name}}
        if name == "cnn":
            inputs = replace(self.inputs, texture=None, kinetics=None, phases=None, subtractions=None)
            record["seen"] = record["seen_pixels"]
        else:
            inputs = replace(self.inputs, pixels=None)
        del record["seen_pixels"]
        threshold, out_of_fold, history = self.threshold, None, self.history if name == "cnn" else None
        if (rows := self.out_of_fold) is not None:
            found = tested(
                rows,
                rows[f"score_{name}"].to_numpy(),
                rows["fold"].to_numpy(),
                {column: rows[column].to_numpy() for column in below},
                self.classes,
            )
            threshold, out_of_fold = found.threshold, found.out_of_fold
            record |= {"metrics": found.metrics, "calibration": found.calibration}
        background = self.background
        if background is not None:
            numbers = [column for column in estimator.feature_names_in_ if column in background]
            background = background.assign(score=background[f"score_{name}"])[[*numbers, "label", *below, "score"]]
        return Model(estimator, inputs, self.classes, threshold, record, out_of_fold, history, background)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the model as a folder, for `load`; see `write` for what is raised.

        Parameters
        ----------
        path : path
            The folder to make.
        overwrite : bool
            Whether to take the place of a model that is there.
        """
        record = {
            "inputs": self.inputs.to_dict(),
            "classes": list(self.classes),
            "threshold": self.threshold,
            **self.record,
        }
        return write(path, record, self.estimator, background=self.background, overwrite=overwrite)

    def _warn_of_seen(self, frame: pd.DataFrame) -> None:
        seen = int(frame["digest"].isin(self.record["seen"]).sum())
        if seen:
            warnings.warn(
                f"{seen:,} of {len(frame):,} rows are among those that the model was trained on: their scores are "
                "too good; its out-of-fold predictions tell how it does on new patients",
                stacklevel=3,
            )


def load(path: str | os.PathLike[str]) -> Model:
    """Read a model that was saved.

    Parameters
    ----------
    path : path
        Its folder.

    Returns
    -------
    Model
        It predicts the same bits as the one that was saved.

    Raises
    ------
    ModelError
        If the folder holds no model, or one that is damaged or of a newer version; see `read`.
    """
    stored = read(path)
    record = dict(stored.record)
    try:
        inputs = Inputs.from_dict(record.pop("inputs"))
        negative, positive = record.pop("classes")
        threshold = float(record.pop("threshold"))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path}: its manifest is not that of a trained model: {error}") from error
    return Model(stored.estimator, inputs, (negative, positive), threshold, record, background=stored.background)
