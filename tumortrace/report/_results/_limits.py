"""What the results do not show, as far as the data themselves tell."""

from __future__ import annotations

import numpy as np

from tumortrace.evaluation import aggregate, auc
from tumortrace.report._document import Items, Section, Text
from tumortrace.report._results._words import count, number, percent
from tumortrace.report._study import Study

_FEW = 100
_OFF = 0.05


def limits(study: Study) -> Section:
    """Return what a reader must not take from the results."""
    found = [
        _synthetic(study),
        _tested(study),
        _patients(study),
        _centre(study),
        _shares(study),
        _threshold(study),
        _calibration(study),
        _selection(),
        _explanations(study),
        ("Readers", "The model was not compared with radiologists, nor used beside one."),
    ]
    text = (
        "What follows is what the data tell of their own limits. Those that only the author can know are among the "
        "questions of the checklists."
    )
    return Section("limits", "Limits", [Text(text), Items([item for item in found if item is not None])])


def _synthetic(study: Study) -> tuple[str, str] | None:
    if not study.synthetic:
        return None
    return (
        "Synthetic lesions",
        "They were made by a program, with classes that differ in ways that it was told. No number here says how "
        "well anything would do on patients.",
    )


def _tested(study: Study) -> tuple[str, str]:
    if study.cross_fitted:
        return (
            "How it was tested",
            f"By cross-validation in {study.rows['fold'].nunique()} folds. The results are those of models that "
            "were each trained on part of the patients; the final model, trained on all of them, has not been "
            "tested itself, nor has any on patients from elsewhere.",
        )
    if study.seen is None:
        return (
            "How it was tested",
            "Whether the model had seen these patients in training is not known from the predictions. If it had, "
            "every number is too good.",
        )
    seen = int(study.seen.sum())
    if seen:
        return (
            "How it was tested",
            f"{seen:,} of {count(len(study.rows), 'row')} were in the training, and their scores are too good. "
            "Test on patients that the model has not seen.",
        )
    return (
        "How it was tested",
        "On images of which none was in the training, by their content. Whether other images of the same patients "
        "were is for the author to say.",
    )


def _patients(study: Study) -> tuple[str, str]:
    per = study.rows.groupby("label")["patient"].nunique()
    sizes = (
        f"{per[study.positive]:,} patients have {study.positive.lower()} lesions and {per[study.classes[0]]:,} "
        f"{study.classes[0].lower()} ones."
    )
    rows = aggregate(study.rows, ["patient"]) if "patient" in study.levels else study.rows
    area = auc(rows["label"] == study.positive, rows["score"], rows["patient"], seed=study.seed)
    few = " That is few." if per.min() < _FEW else ""
    return (
        "Number of patients",
        f"{sizes}{few} The interval of the AUC is {number(area.high - area.low, 2)} wide. Differences between "
        "models of the same patients are surer than that: see the comparisons.",
    )


def _centre(study: Study) -> tuple[str, str] | None:
    if study.synthetic:
        return None
    return (
        "Where the images come from",
        "The data do not say from which hospitals and scanners. Unless the author knows otherwise, take them to be "
        "of one centre, and expect worse elsewhere.",
    )


def _shares(study: Study) -> tuple[str, str]:
    patients = study.rows.drop_duplicates(["patient", "label"])
    share = float((patients["label"] == study.positive).mean())
    return (
        "Share of the classes",
        f"{percent(share)} of the patients have {study.positive.lower()} lesions. Predictive values, accuracy, "
        "average precision and decision curves belong to that share, and change with it.",
    )


def _threshold(study: Study) -> tuple[str, str] | None:
    if "threshold" not in study.rows:
        return ("Threshold", "No threshold came with the predictions; 0.5 was taken, which nobody chose.")
    if not study.cross_fitted:
        return None
    low, high = study.rows["threshold"].min(), study.rows["threshold"].max()
    return (
        "Threshold",
        f"Each fold has the threshold that the other folds asked for, from {number(low, 2)} to {number(high, 2)}: "
        "how far they lie apart shows how uncertain it is. The scores of the other folds come from models that had "
        "seen the patients of this one, so that the threshold is nearly, not wholly, independent of them.",
    )


def _calibration(study: Study) -> tuple[str, str]:
    said, was = float(study.rows["score"].mean()), float(np.mean(study.y))
    if abs(said - was) < _OFF:
        verdict = "On average that fits; whether it does at every score is in the calibration curve."
    else:
        verdict = "Do not read the score as a probability before it has been recalibrated."
    return (
        "Calibration",
        f"The mean score is {number(said, 2)}, and {percent(was)} of the {study.unit}s are "
        f"{study.positive.lower()}. {verdict} Where the classes have another share, the same score means "
        "something else.",
    )


def _selection() -> tuple[str, str]:
    return (
        "The lesion is given",
        "The model scores a lesion that somebody has found and cut out. It does not find lesions, and says nothing "
        "of what lies outside the crop. How the crop was drawn may change the score.",
    )


def _explanations(study: Study) -> tuple[str, str] | None:
    if study.model is None:
        return None
    return (
        "Explanations",
        "They say what the model does, not why a lesion is what it is. A feature that matters here may stand for "
        "another that was not measured, or for how the images were made.",
    )
