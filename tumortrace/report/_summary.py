"""What a reader should take away, on the first page: the section ``summary``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tumortrace.report._document import Block, Figures, Note, Section, Text
from tumortrace.report._results._words import count, family, interval, number, percent, signed
from tumortrace.report._study import Study

if TYPE_CHECKING:
    import pandas as pd

    from tumortrace.evaluation import Comparison

_BOUNDS = ("value", "low", "high")

WIDE = 0.15
"""An interval of an area that is wider than this is called wide."""


def summary(study: Study) -> Section:
    """Return the few numbers and sentences that stand for the report."""
    from tumortrace.evaluation import measure

    level = list(study.levels)[-1]
    table = measure(study.rows, levels={level: study.levels[level]}, positive=study.positive, seed=study.seed)
    found: dict[str, Any] = {row["metric"]: row for row in table.to_dict("records")}
    rows = _rows(study, level)
    blocks: list[Block] = [
        Figures(_tiles(study, found, rows, level)),
        Text("\n\n".join(_sentences(study, found, rows, level))),
    ]
    if study.synthetic:
        blocks.append(Note("The lesions were made by a program. No figure here says anything about patients."))
    return Section("summary", "In short", blocks)


def _rows(study: Study, level: str) -> pd.DataFrame:
    """Return a row per patient, or what the level is of: whether it is positive, and whether it is called so."""
    from tumortrace.evaluation import aggregate

    rows = aggregate(study.rows, list(dict.fromkeys(["patient", *study.levels[level]])))
    return rows.assign(positive=rows["label"] == study.positive, called=rows["score"] >= rows.get("threshold", 0.5))


def _tiles(study: Study, found: dict[str, Any], rows: pd.DataFrame, level: str) -> list[tuple[str, str, str]]:
    tiles = [
        (
            f"{name}, per {level}",
            number(found[key]["value"]),
            f"{number(found[key]['low'])} to {number(found[key]['high'])}",
        )
        for key, name in (("auc", "AUC"), ("sensitivity", "Sensitivity"), ("specificity", "Specificity"))
    ]
    of_class = ", ".join(
        f"{rows.loc[rows['label'] == name, 'patient'].nunique():,} {name.lower()}" for name in study.classes
    )
    return [*tiles, ("Patients", f"{rows['patient'].nunique():,}", of_class)]


def _sentences(study: Study, found: dict[str, Any], rows: pd.DataFrame, level: str) -> list[str]:
    negative, positive = (name.lower() for name in study.classes)
    sick, well = rows[rows["positive"]], rows[~rows["positive"]]
    area = found["auc"]
    seen = "Each was scored by a model that had not seen the patient. " if study.cross_fitted else ""
    lines = [
        f"{count(len(rows), level)}, {len(well):,} {negative} and {len(sick):,} {positive}. {seen}Of a {positive} "
        f"and a {negative} {level} taken at random, the {positive} one has the higher score in "
        f"{percent(area['value'])} of pairs: this is the AUC, {interval([area[b] for b in _BOUNDS])}.",
        f"At the threshold in force, {int(sick['called'].sum()):,} of {len(sick):,} {positive} {level}s are called "
        f"{positive}, and so are {int(well['called'].sum()):,} of {len(well):,} {negative} ones.",
    ]
    if compared := _parts(study, level):
        lines.append(_against(compared))
    if area["high"] - area["low"] > WIDE:
        lines.append(
            f"The interval of the AUC is wide: with {count(rows['patient'].nunique(), 'patient')}, a model that is "
            "much better or worse than this would not surprise."
        )
    lines.append(_scores(study))
    return lines


def _parts(study: Study, level: str) -> dict[str, Comparison]:
    """Return the parts of a fused model, each with what the model differs from it by."""
    from tumortrace.model import compare_predictions

    parts = [name for name, member in study.members.items() if member.parent is None]
    return {
        family(name): compare_predictions(
            study.rows, study.rows.assign(score=study.scores_of(name)), study.positive, seed=study.seed
        )[level]
        for name in parts
    }


def _against(compared: dict[str, Comparison]) -> str:
    """Say how the model does against the best of its parts."""
    name, best = max(compared.items(), key=lambda item: item[1].b.value)
    low, high = best.difference[1:]
    if low > 0:
        verdict = "more than chance explains"
    elif high < 0:
        verdict = "so that this part is better by itself"
    else:
        verdict = "which may well be chance"
    return (
        f"The best of its parts by itself is {name}, with an AUC of {number(best.b.value)}. The whole model "
        f"differs from it by {signed(best.difference)}, {verdict}."
    )


def _scores(study: Study) -> str:
    """Say whether scores can be read as probabilities, on the whole."""
    mean, share = float(np.mean(study.rows["score"])), float(np.mean(study.y))
    gap = mean - share
    if abs(gap) < 0.05:
        verdict = "on the whole the scores are neither too high nor too low"
    else:
        verdict = f"on the whole the scores are too {'high' if gap > 0 else 'low'}"
    return (
        f"The mean score is {number(mean, 2)}, and {percent(share)} of the {study.unit}s are "
        f"{study.positive.lower()}: {verdict}. Where the share is another, a score means another thing."
    )
