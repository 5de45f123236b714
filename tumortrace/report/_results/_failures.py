"""The worst errors, one per patient, with their pictures and with what pulled the wrong way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumortrace.evaluation import aggregate
from tumortrace.report._document import Block, Picture, Section, Table, Text
from tumortrace.report._results._case import Case, draw_case
from tumortrace.report._results._crops import files, main_sequence, phases, pixels, short
from tumortrace.report._results._parts import contributions
from tumortrace.report._results._words import count, family, listed, number
from tumortrace.report._study import Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CASES = 3
_PATIENTS = 12
_PHASES = 4


def failures(study: Study) -> Section:
    """Return what the model got most wrong."""
    rows = with_margin(study)
    wrong = rows[rows["margin"] < 0]
    if wrong.empty:
        return Section("failures", "Failures", [Text(f"Every {study.unit} was called right at its threshold.")])
    negative, positive = study.classes
    blocks: list[Block] = [Text(_in_short(study, rows, wrong))]
    blocks += _patients(study, rows)
    worst = {
        label: wrong[wrong["label"] == label]
        .sort_values("margin", kind="stable")
        .drop_duplicates("patient")[:_CASES]
        for label in (positive, negative)
    }
    chosen = pd.concat(worst.values())
    pulled = contributions(study) if len(study.leaves) > 1 else None
    maps = grad_cams(study, list(chosen.index))
    if maps:
        blocks.append(Text(_about_maps(study)))
    titles = {
        positive: ("missed", f"Missed: {positive.lower()}, called {negative.lower()}"),
        negative: ("false-alarms", f"False alarms: {negative.lower()}, called {positive.lower()}"),
    }
    sections = []
    for label, found in worst.items():
        cases: list[Block] = []
        for place, row in zip(found.index, found.to_dict("records"), strict=True):
            own = None if pulled is None else pulled.loc[place]
            picture = _draw(study, row, own, maps.get(int(place)))
            caption = _caption(study, row, rows, own)
            cases.append(Text(caption) if picture is None else Picture(picture, _alt(row), caption))
        if cases:
            sections.append(Section(*titles[label], cases))
    return Section("failures", "Failures", blocks, sections)


def with_margin(study: Study) -> pd.DataFrame:
    """Return the rows with `margin`: how far the score is on the right side of its threshold, negative if wrong."""
    rows = study.rows.assign(threshold=study.rows.get("threshold", 0.5))
    above = rows["score"] - rows["threshold"]
    right = np.where(study.y, rows["score"] >= rows["threshold"], rows["score"] < rows["threshold"])
    return rows.assign(margin=np.where(right, above.abs(), -above.abs() - np.finfo(float).tiny))


def grad_cams(study: Study, places: list[int]) -> dict[int, NDArray[np.float32]]:
    """Return row → map of the first network on the sequence that stands for the row; empty without a network."""
    model, frame = study.model, study.features
    if model is None or frame is None or model.background is None or model.record["plan"]["kind"] == "handcrafted":
        return {}
    from tumortrace.explain import explain_frame

    found = {}
    explained = explain_frame(model, frame.iloc[places].reset_index(drop=True), features=False)
    channels = list(model.inputs.pixels or [])
    for place, one in zip(places, explained, strict=True):
        maps = next(iter(one.maps.values()))
        shown = channels.index(main_sequence(channels)) if len(maps) > 1 else 0
        found[place] = maps[shown]
    return found


def _in_short(study: Study, rows: pd.DataFrame, wrong: pd.DataFrame) -> str:
    negative, positive = study.classes
    parts = []
    for label, said in ((positive, negative), (negative, positive)):
        own, all_own = wrong[wrong["label"] == label], rows[rows["label"] == label]
        parts.append(
            f"{len(own):,} of {count(len(all_own), study.unit)} of {label.lower()} lesions were called "
            f"{said.lower()}, in {own['patient'].nunique():,} of {count(all_own['patient'].nunique(), 'patient')}"
        )
    return (
        f"{'; '.join(parts)}. Below are those that the model was most wrong about: furthest from the threshold on "
        "the wrong side, one per patient. Look at them before you trust the numbers above. A label that is wrong, "
        "a crop that misses the lesion, or a kind of lesion that the training had too few of shows here first."
    )


def _patients(study: Study, rows: pd.DataFrame) -> list[Block]:
    """Return the patients whose mean score is on the wrong side."""
    if "patient" not in study.levels or study.unit == "patient":
        return []
    table = aggregate(rows, ["patient"]).set_index("patient")
    called = np.asarray(table["score"] >= table["threshold"])
    truth = np.asarray(table["label"] == study.positive)
    by_distance = (table["score"] - table["threshold"]).abs().sort_values(ascending=False, kind="stable").index
    order = by_distance[by_distance.isin(table.index[called != truth])]
    if order.empty:
        return []
    lines = []
    for patient in order[:_PATIENTS]:
        own = rows[rows["patient"] == patient]
        one = table.loc[patient]
        wrong = f"{(own['margin'] < 0).sum():,} of {len(own):,}"
        lines.append([str(patient), one["label"], number(one["score"], 2), number(one["threshold"], 2), wrong])
    more = f" {count(len(order) - _PATIENTS, 'other')} not shown." if len(order) > _PATIENTS else ""
    return [
        Table(
            "Patients who were called wrongly by the mean of their scores",
            ["Patient", "Label", "Mean score", "Threshold", f"Wrong {study.unit}s"],
            lines,
            note=f"The furthest from the threshold first.{more}",
            numeric=[2, 3, 4],
        )
    ]


def _about_maps(study: Study) -> str:
    text = (
        "The last picture of each row shows, in warm colours, where the network looked when it spoke for "
        f"{study.positive.lower()} (Grad-CAM). The bars show what pulled the score, in log-odds: to the right "
        f"towards {study.positive.lower()}."
    )
    if study.cross_fitted:
        text += (
            " Scores and bars are those of the model of the fold, which had not seen the patient. The map is that "
            "of the final model, which had."
        )
    return text


def _draw(
    study: Study, row: Mapping[Any, Any], pulled: pd.Series | None, heat: NDArray[np.float32] | None
) -> Figure | None:
    found = files(study, row)
    if not found:
        return None
    names = phases(list(found))
    if len(names) > _PHASES:
        names = [names[k] for k in (0, 1, len(names) // 2, len(names) - 1)]
    images = [(short(name), image) for name in names if (image := pixels(found[name])) is not None]
    if not images:
        return None
    under = pixels(found[main_sequence(list(found))])
    overlay = None if heat is None or under is None else (short(main_sequence(list(found))), under, heat)
    return draw_case(Case(images, overlay, pulled, study.classes))


def _caption(study: Study, row: Mapping[Any, Any], rows: pd.DataFrame, pulled: pd.Series | None) -> str:
    own = rows[rows["patient"] == row["patient"]]
    text = f"{_who(row)}: {row['label']}, score {number(row['score'], 2)}, threshold {number(row['threshold'], 2)}."
    if len(own) > 1:
        text += (
            f" {(own['margin'] < 0).sum():,} of {count(len(own), study.unit)} of this patient were called wrongly."
        )
    if pulled is None:
        return text
    towards = pulled if row["label"] != study.positive else -pulled
    wrong = [family(str(name)) for name in towards[towards > 0].sort_values(ascending=False).index[:2]]
    right = [family(str(name)) for name in towards[towards < 0].sort_values().index[:1]]
    if wrong:
        text += f" {listed(wrong)} pulled the wrong way most"
        text += f"; {right[0]} pulled the right way." if right else "."
    return text


def _alt(row: Mapping[Any, Any]) -> str:
    return f"Images of {_who(row)}, and what pulled its score."


def _who(row: Mapping[Any, Any]) -> str:
    words = [str(row["patient"])]
    words += [f"slice {row['slice']}"] if "slice" in row else []
    words += [str(row["sequence"])] if row.get("sequence") else []
    return ", ".join(words)
