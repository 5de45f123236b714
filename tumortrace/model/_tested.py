"""What a cross-validation says of a model: threshold, figures, and predictions on patients it did not see."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tumortrace.evaluation import calibration, carried_thresholds, choose_threshold
from tumortrace.model._inputs import IDENTITY
from tumortrace.model._measured import measure_predictions

if TYPE_CHECKING:
    import pandas as pd

RULE = "youden"
BINS = 5


class Tested(NamedTuple):
    """The result of a cross-validation.

    Attributes
    ----------
    threshold : float
        It maximises Youden's index on all rows.
    out_of_fold : DataFrame
        The predictions table; the threshold of a row comes from the other folds.
    metrics, calibration : list of dict
        As a `Model` records them: plain JSON, None for no number.
    """

    threshold: float
    out_of_fold: pd.DataFrame
    metrics: list[dict[str, Any]]
    calibration: list[dict[str, Any]]


def tested(
    frame: pd.DataFrame,
    score: NDArray[np.float64],
    folds: NDArray[np.int64],
    members: Mapping[str, NDArray[np.float64]],
    classes: tuple[str, str],
) -> Tested:
    """Choose the threshold and measure out-of-fold scores of labelled rows.

    Parameters
    ----------
    frame : DataFrame
        With the identity columns, `status` and `error`.
    score : ndarray, shape (n,)
        By models that did not see the patient.
    folds : ndarray of int, shape (n,)
        In which fold each row was scored.
    members : mapping of str to ndarray
        Further columns of scores.
    classes : (str, str)
        The negative and the positive label.
    """
    y = np.asarray(frame["label"] == classes[1], dtype=np.int64)
    carried = carried_thresholds(y, score, folds, rule=RULE)
    table = predictions(frame, score, carried, classes, fold=folds, **members)
    measured = measure_predictions(table, classes[1]).to_dict("records")
    metrics = [{str(key): None if value != value else value for key, value in row.items()} for row in measured]
    patients = frame["patient"].to_numpy()
    return Tested(choose_threshold(y, score, rule=RULE), table, metrics, _shares(y, score, patients))


def predictions(
    frame: pd.DataFrame, score: Any, threshold: Any, classes: tuple[str, str], **columns: Any
) -> pd.DataFrame:
    """Return the predictions table of a frame; `columns` come before the score."""
    known = [name for name in frame.columns if name in IDENTITY]
    called = np.where(np.isnan(score), "", np.where(score >= threshold, classes[1], classes[0]))
    return frame[known].assign(
        **columns, score=score, threshold=threshold, predicted=called, status=frame["status"], error=frame["error"]
    )


def _shares(y: NDArray[np.int64], score: NDArray[np.float64], patients: NDArray[Any]) -> list[dict[str, Any]]:
    """Return for each bin of scores that has rows what share of them is positive, with its interval."""
    curve = calibration(y, score, patients, bins=BINS)
    bins = []
    for k in np.flatnonzero(curve.rows):
        inside = (score > curve.edges[k]) & (score <= curve.edges[k + 1]) if k else score <= curve.edges[1]
        numbers = {name: float(getattr(curve, name)[k]) for name in ("score", "share", "low", "high")}
        bins.append(
            {
                "from": float(curve.edges[k]),
                "to": float(curve.edges[k + 1]),
                **{name: None if math.isnan(value) else value for name, value in numbers.items()},
                "rows": int(curve.rows[k]),
                "patients": len(set(patients[inside])),
            }
        )
    return bins
