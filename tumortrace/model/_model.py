"""A trained model: from a source of images to a table of predictions."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tumortrace.model._error import ModelError
from tumortrace.model._inputs import FAILED, IDENTITY, Inputs, list_images
from tumortrace.model._store import read, write

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
        out-of-fold predictions; and `seen`, the digests of the rows it was trained on. It names no patient.
    out_of_fold : DataFrame, optional
        The rows it was trained on with their out-of-fold predictions. It names patients, so that it is not saved
        with the model; see `train`.
    history : DataFrame, optional
        A row per epoch of each network: `fold` (0 for the final one), `epoch`, `loss` and others.
    """

    estimator: Any
    inputs: Inputs
    classes: tuple[str, str]
    threshold: float
    record: dict[str, Any]
    out_of_fold: pd.DataFrame | None = None
    history: pd.DataFrame | None = None

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
            The identity columns there are; `score`, the probability of the positive class; `threshold`;
            `predicted`, the label; `status` and `error`. A row that cannot be scored has the status "failed", no
            score, an empty prediction, and says why.

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
        if good.any():
            score[good] = self.estimator.predict_proba(frame.loc[good, names])[:, 1]
        return predictions(frame, score, self.threshold, self.classes)

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
        return write(path, record, self.estimator, overwrite=overwrite)

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
        return Model(stored.estimator, inputs, (negative, positive), float(record.pop("threshold")), record)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path}: its manifest is not that of a trained model: {error}") from error


def predictions(
    frame: pd.DataFrame, score: Any, threshold: Any, classes: tuple[str, str], **columns: Any
) -> pd.DataFrame:
    """Return the predictions table of a frame; `columns` come before the score."""
    known = [name for name in frame.columns if name in IDENTITY]
    called = np.where(np.isnan(score), "", np.where(score >= threshold, classes[1], classes[0]))
    return frame[known].assign(
        **columns, score=score, threshold=threshold, predicted=called, status=frame["status"], error=frame["error"]
    )
