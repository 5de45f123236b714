"""Every figure of a table of predictions."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from tumortrace.evaluation import (
    LEVELS,
    aggregate,
    calibration,
    confusion,
    decision_curve,
    precision_recall,
    roc,
)
from tumortrace.report._calibration import plot_calibration
from tumortrace.report._confusion import plot_confusion
from tumortrace.report._curves import plot_decision_curve, plot_precision_recall, plot_roc

if TYPE_CHECKING:
    import pandas as pd


def plot_predictions(
    predictions: "pd.DataFrame", positive: str, *, levels: Mapping[str, Sequence[str]] | None = None
) -> dict[str, Figure]:
    """Draw what there is to see about predictions of labelled rows, level by level.

    Parameters
    ----------
    predictions : DataFrame
        One row per image or slice: `patient`, `label`, `score`, and what `levels` name; perhaps `threshold` (0.5
        without).
    positive : str
        The label of the positive class.
    levels : mapping of str to sequence of str, optional
        What a level is called, and the columns whose rows are averaged for it; by default those of
        `tumortrace.evaluation.LEVELS` whose columns are there.

    Returns
    -------
    dict of str to Figure
        ``roc``, ``precision_recall``, ``calibration`` and ``confusion`` with all levels, and
        ``decision_curve_<level>`` for each.

    Raises
    ------
    ValueError
        If the labels are not two, `positive` is none of them, or rows that are averaged differ in label.
    """
    classes = sorted(set(predictions["label"]))
    if len(classes) != 2 or positive not in classes:
        raise ValueError(f"the labels are {classes} and the positive one {positive!r}; give two, and one of them")
    if levels is None:
        levels = {name: by for name, by in LEVELS.items() if set(by) <= set(predictions)}
    negative = classes[classes[0] == positive]
    rows, calls = {}, {}
    for name, by in levels.items():
        table = aggregate(predictions, list(dict.fromkeys(["patient", *by])))
        rows[name] = (table["label"] == positive, table["score"], table["patient"])
        called = table["score"] >= table.get("threshold", 0.5)
        calls[f"per {name}"] = confusion(table["label"], np.where(called, positive, negative))

    def curves(of: Callable[..., Any]) -> dict[str, Any]:
        return {f"per {name}": of(*columns) for name, columns in rows.items()}

    return {
        "roc": plot_roc(curves(roc)),
        "precision_recall": plot_precision_recall(curves(precision_recall)),
        "calibration": plot_calibration(curves(calibration)),
        "confusion": plot_confusion(calls),
        **{
            f"decision_curve_{name}": plot_decision_curve({f"per {name}": decision_curve(*columns)})
            for name, columns in rows.items()
        },
    }
