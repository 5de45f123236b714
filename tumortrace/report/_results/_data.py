"""What the study is of: patients, slices, images, classes, splits, and what they look like."""

from __future__ import annotations

import pandas as pd

from tumortrace import io
from tumortrace.report._distribution import plot_class_distribution
from tumortrace.report._document import Block, Items, Note, Picture, Section, Table, Text
from tumortrace.report._results._crops import (
    draw,
    files,
    main_sequence,
    of_one_sequence,
    of_patients,
    phases,
    pixels,
    short,
)
from tumortrace.report._results._words import NONE, count, listed
from tumortrace.report._study import Study

_EXAMPLES = 6


def data(study: Study) -> Section:
    """Return what the study is of."""
    source = study.rows if study.listing is None else study.listing
    counts = io.class_distribution(source[source["label"] != ""]) if "label" in source else None
    if counts is not None and study.listing is None and study.unit != "image":
        counts = counts.drop(columns="images")
    blocks: list[Block] = [Text(_in_short(study))]
    if study.synthetic:
        blocks.append(
            Note(
                "The lesions are synthetic: made by a program, from a seed. What follows shows how the software "
                "works. It says nothing about patients."
            )
        )
    if counts is not None:
        blocks.append(_distribution(counts, whole=study.listing is not None))
    blocks.append(Items(_facts(study)))
    if counts is not None and counts["patients"].notna().all() and study.listing is not None:
        blocks.append(
            Picture(
                plot_class_distribution(counts),
                "Bars: how many images, slices and patients there are of each class and split.",
                "How the data are made up.",
            )
        )
    return Section("data", "The data", blocks, _examples(study))


def _in_short(study: Study) -> str:
    rows = study.rows
    negative, positive = study.classes
    per = rows.groupby("label")["patient"].nunique()
    unit = study.unit
    what = (
        f"{count(len(rows), unit)} of {count(rows['patient'].nunique(), 'patient')}"
        if unit != "patient"
        else (count(len(rows), "patient"))
    )
    how = (
        f"tested by cross-validation in {rows['fold'].nunique()} folds, no patient in two of them"
        if study.cross_fitted
        else "scored by a model that was trained before"
    )
    return (
        f"The results are of {what}, {how}: {count(int(per.get(positive, 0)), 'patient')} with {positive.lower()} "
        f"lesions and {int(per.get(negative, 0)):,} with {negative.lower()} ones. The score is that of a lesion "
        f"being {positive.lower()}. Patients are called what the data call them: keep this page as you keep the "
        "data."
    )


def _distribution(counts: pd.DataFrame, *, whole: bool) -> Table:
    units = [name for name in ("patients", "slices", "images") if name in counts and counts[name].notna().any()]
    rows = [
        [
            str(row["split"]),
            str(row["label"]),
            *(NONE if pd.isna(row[unit]) else f"{row[unit]:,}" for unit in units),
        ]
        for row in counts.to_dict("records")
    ]
    return Table(
        f"{listed(units).capitalize()} by split and class",
        ["Split", "Class", *(unit.capitalize() for unit in units)],
        rows,
        note=(
            "All labelled images of the source. A slice counts once, however many sequences show it."
            if whole
            else "Counted from the predictions; the images behind them are not known."
        ),
        numeric=range(2, 2 + len(units)),
    )


def _facts(study: Study) -> list[tuple[str, str]]:
    facts = []
    listing = study.listing
    if listing is not None and "sequence" in listing:
        names = list(dict.fromkeys(listing["sequence"]))
        order = {name: place for place, name in enumerate(io.synthetic.SEQUENCES)}
        names.sort(key=lambda name: order.get(name, len(order)))
        facts.append(("Sequences", f"{len(names):,}: {listed(names)}"))
    if study.cross_fitted:
        folds = study.rows.groupby("fold")["patient"].nunique()
        spread = f"{folds.min()} to {folds.max()}" if folds.min() < folds.max() else f"{folds.min()}"
        facts.append(("Folds", f"{len(folds)}, of {spread} patients each; a patient is in one"))
    if study.unit != "patient":
        rows = study.rows.groupby("patient").size()
        facts.append(
            (f"{study.unit.capitalize()}s of a patient", f"{rows.min()} to {rows.max()}, median {rows.median():g}")
        )
    facts.append(("Left out", _left_out(study)))
    return facts


def _left_out(study: Study) -> str:
    reasons = list(study.model.record["data"]["left_out"]) if study.model is not None and study.cross_fitted else []
    without = len(study.predictions) - len(study.rows)
    if without:
        reasons.append(f"{count(without, 'row')} of the predictions without a label or a score")
    return "; ".join(reasons) if reasons else "nothing"


def _examples(study: Study) -> list[Section]:
    """Return crops of both classes, and the course of contrast of one lesion of each."""
    if study.listing is None:
        return []
    singles, courses = [], []
    sequence = ""
    for label in reversed(study.classes):
        rows = of_patients(of_one_sequence(study.rows[study.rows["label"] == label]), _EXAMPLES, study.seed)
        crops = []
        for row in rows.to_dict("records"):
            found = files(study, row, whole_slice=True)
            if not found:
                continue
            sequence = main_sequence(list(found))
            image = pixels(found[sequence])
            if image is None:
                continue
            crops.append((f"{row['patient']}\n{image.shape[0]} × {image.shape[1]}", image))
            if len(crops) == 1 and len(found) > 1:
                course = [(name, pixels(found[name])) for name in phases(list(found))]
                courses.append((label, [(short(name), phase) for name, phase in course if phase is not None]))
        if crops:
            singles.append((label, crops))
    if not singles:
        return []
    what = f" in the sequence {sequence}" if sequence else ""
    blocks: list[Block] = [
        Picture(
            draw(singles),
            f"Rows of small grey crops of lesions, {listed(label for label, _ in singles)}.",
            f"Crops{what}, one per patient, patients drawn at random; above each, patient and size in pixels. "
            "All are drawn equally large.",
        )
    ]
    if courses:
        blocks.append(
            Picture(
                draw(courses, side=0.72),
                "One lesion of each class, its phases side by side.",
                "The first lesion of each row above over time: before contrast, then the phases after it, in the "
                "grey values of the files.",
            )
        )
    return [Section("examples", "What the lesions look like", blocks)]
