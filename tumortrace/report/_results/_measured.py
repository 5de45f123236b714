"""How well the model does: every number at every level, the curves, and the spread over folds."""

from __future__ import annotations

import pandas as pd

from tumortrace.evaluation import aggregate, auc, measure
from tumortrace.report._document import Block, Note, Picture, Pictures, Section, Table, Text
from tumortrace.report._predictions import plot_predictions
from tumortrace.report._results._words import INTERVALS, NONE, count, interval, listed, number
from tumortrace.report._study import Study

_NAMES = {
    "auc": "Area under the ROC curve (AUC)",
    "average_precision": "Average precision",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "precision": "Positive predictive value",
    "balanced_accuracy": "Balanced accuracy",
    "accuracy": "Accuracy",
    "f1": "F1",
    "brier": "Brier score (lower is better)",
    "ece": "Expected calibration error (lower is better)",
}
_BOUNDS = ("value", "low", "high")
_READ = {
    "roc": "Of a {positive} and a {negative} lesion taken at random, the {positive} one has the higher score as "
    "often as the AUC says. The dashed line is a score that knows nothing.",
    "precision_recall": "Of the lesions that are called {positive}, the precision says how many are. It depends on "
    "how many the data hold, and would be another in a clinic.",
}
_INCHES = {
    "roc": (4.2, 4.4),
    "precision_recall": (4.2, 4.4),
    "calibration": (4.6, 5.2),
    "decision_curve": (4.2, 3.9),
}
"""Smaller than they come, so that their letters stay large on the page."""


def results(study: Study) -> Section:
    """Return what was measured, level by level."""
    measured = measure(study.rows, levels=study.levels, positive=study.positive, seed=study.seed)
    blocks: list[Block] = [Text(_read(study))]
    seen = 0 if study.cross_fitted or study.seen is None else int(study.seen.sum())
    if seen:
        blocks.append(
            Note(
                f"{seen:,} of {count(len(study.rows), 'row')} are among those that the model was trained on. Their "
                "scores are too good, and so is every number below that counts them."
            )
        )
    blocks.append(_table(measured))
    sections = [_curves(study)]
    if study.unit == "image" and study.rows.get("sequence", pd.Series("")).nunique() > 1:
        sections.append(Section("sequences", "Sequence by sequence", [_sequences(study)]))
    if study.cross_fitted:
        sections.append(Section("folds", "Fold by fold", [_folds(study)]))
    return Section("results", "Results", blocks, sections)


def _read(study: Study) -> str:
    levels = listed(f"per {name}" for name in study.levels)
    lines = [
        f"Every number is given {levels}: what has several scores there has their mean. The intervals come from "
        "drawing patients anew, not slices or images: those of one patient resemble each other, and intervals that "
        "take them as independent are too narrow."
    ]
    threshold = study.rows.get("threshold")
    of_threshold = "Sensitivity, specificity and what follows from them belong to"
    if threshold is None:
        lines.append(f"{of_threshold} the threshold 0.5.")
    elif study.cross_fitted and study.model is not None:
        lines.append(
            f"{of_threshold} a threshold. That of each fold was chosen on the other folds, by the highest sum of "
            f"sensitivity and specificity: {_span(threshold)}. A slice or patient with several scores has the mean "
            "of their thresholds."
        )
    elif study.model is not None:
        lines.append(
            f"{of_threshold} the threshold of the model, {_span(threshold)}. It was chosen in the training, not "
            "here."
        )
    else:
        lines.append(f"{of_threshold} the threshold that comes with the predictions: {_span(threshold)}.")
    return "\n\n".join(lines)


def _span(threshold: pd.Series) -> str:
    return " to ".join(dict.fromkeys([number(threshold.min()), number(threshold.max())]))


def _table(measured: pd.DataFrame) -> Table:
    levels = list(dict.fromkeys(measured["level"]))
    found = {(row["level"], row["metric"]): row for row in measured.to_dict("records")}
    sizes = [int(found[level, "auc"]["n"]) for level in levels]
    rows = [
        [name, *(interval([found[level, metric][bound] for bound in _BOUNDS]) for level in levels)]
        for metric, name in _NAMES.items()
    ]
    return Table(
        "Results at every level, with intervals",
        ["Measure", *(f"Per {level} ({size:,})" for level, size in zip(levels, sizes, strict=True))],
        rows,
        note=f"{INTERVALS} The calibration error has none: drawing patients anew adds noise to every bin.",
        numeric=range(1, 1 + len(levels)),
    )


def _curves(study: Study) -> Section:
    figures = plot_predictions(study.rows, study.positive, levels=study.levels)
    for name, figure in figures.items():
        if size := _INCHES.get("decision_curve" if name.startswith("decision_curve") else name):
            figure.set_size_inches(size)
    negative, positive = (name.lower() for name in study.classes)
    pair = Pictures(
        [
            Picture(figures[name], alt, _READ[name].format(negative=negative, positive=positive), 3.3)
            for name, alt in (
                ("roc", "ROC curves, level by level"),
                ("precision_recall", "Precision-recall curves"),
            )
        ]
    )
    calls = Picture(
        figures["confusion"],
        "Confusion matrices, level by level: rows of each true class by the class that they were called.",
        "How many of each class were called what, at the threshold of each row.",
    )
    calibrated = Picture(
        figures["calibration"],
        "Reliability curves, level by level, over a histogram of the scores.",
        f"Above: of the rows with about the same score, the share that is {positive}. On the dashed line a score "
        "means what it says; a point of few rows strays from it by chance. Below: how the scores are spread.",
        4.0,
    )
    decisions = [
        Picture(
            figures[f"decision_curve_{name}"],
            f"Net benefit per {name} over threshold probabilities, beside acting on all and on none.",
            "",
            3.3,
        )
        for name in study.levels
    ]
    benefit = Pictures(
        decisions,
        "Decision curves: what acting on the score would bring against acting on every lesion or on none, by how "
        "much one needless action may cost. The share of each class in research data is not that of a clinic: "
        "compare models with it, do not read it as a benefit to come.",
    )
    return Section("curves", "Curves and tables of calls", [pair, calls, calibrated, benefit])


def _sequences(study: Study) -> Table:
    rows = []
    for sequence, inside in study.rows.groupby("sequence", sort=False):
        y = inside["label"] == study.positive
        area = NONE
        if y.nunique() > 1:
            area = interval(auc(y, inside["score"], inside["patient"], seed=study.seed))
        rows.append([str(sequence), f"{len(inside):,}", f"{inside['patient'].nunique():,}", area])
    return Table(
        "Single images of each sequence",
        ["Sequence", "Images", "Patients", "AUC per image"],
        rows,
        note=INTERVALS,
        numeric=[1, 2, 3],
    )


def _folds(study: Study) -> Table:
    rows = []
    for fold, inside in study.rows.groupby("fold"):
        areas = []
        for by in study.levels.values():
            table = aggregate(inside, list(dict.fromkeys(["patient", *by])))
            y = table["label"] == study.positive
            areas.append(
                number(auc(y, table["score"], table["patient"], resamples=2).value) if y.nunique() > 1 else NONE
            )
        of_class = inside.groupby("label")["patient"].nunique()
        patients = [f"{of_class.get(name, 0):,}" for name in reversed(study.classes)]
        rows.append([str(fold), *patients, *areas])
    return Table(
        "The model of each fold, on the patients that it did not see",
        [
            "Fold",
            *(f"Patients, {name}" for name in reversed(study.classes)),
            *(f"AUC per {n}" for n in study.levels),
        ],
        rows,
        note="A fold has few patients: a wide spread is to be expected, and no interval is given.",
        numeric=range(1, 3 + len(study.levels)),
    )
