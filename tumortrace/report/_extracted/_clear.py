"""The items of CLEAR that concern an extraction: the section ``clear``."""

from __future__ import annotations

from collections.abc import Mapping

from tumortrace.report._checklist_items import CLEAR
from tumortrace.report._checklists import ASKED, NOT_DONE, PART, REPORTED, Answer, answered
from tumortrace.report._document import Section, Text
from tumortrace.report._extracted._columns import called, grouped
from tumortrace.report._extracted._read import Extracted
from tumortrace.report._results._words import count, listed

_ITEMS = (13, 16, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 31, 46, 53, 54, 55)
"""Of the data, outlines, images, features and settings; the others are about models."""


def clear(table: Extracted, there: Mapping[str, str]) -> Section:
    """Return what the extraction says of CLEAR; `there` are the titles of sections by their ids."""
    rows = [item for item in CLEAR if item.number in _ITEMS]
    about = (
        f"The {len(rows)} of the 58 items of the CheckList for EvaluAtion of Radiomics research, version 1.0 "
        "(Kocak et al. 2023, doi 10.1186/s13244-023-01415-8), that an extraction can speak to, in short words of "
        "our own. It asks whether a thing is reported, not whether it is good."
    )
    caption = f"CLEAR 1.0, {len(rows)} items that concern features"
    return Section("clear", "CLEAR checklist", [Text(about), answered(caption, rows, _answers(table), there)])


def _answers(table: Extracted) -> dict[int, Answer]:
    sections = table.sections
    steps, filters = sections.get("preprocess"), sections.get("filters")
    spacing = (steps or {}).get("spacing")
    families = listed(called(name) for name in grouped(table.features, "extractor"))
    missing = int(table.measured[list(table.features)].isna().to_numpy().sum())
    lost = len(table.frame) - len(table.measured)
    version = table.record["versions"].get("tumortrace", "of a version that is not recorded")
    return {
        13: Answer(PART, "What the table says of its rows.", "table"),
        21: Answer(PART if steps else ASKED, "What this software did to them." if steps else "", "settings"),
        22: Answer(
            REPORTED if spacing else PART,
            f"To {spacing} mm." if spacing else "Not by this software.",
            "settings",
        ),
        23: Answer(REPORTED, "The grey levels of each family are among its parameters.", "settings"),
        24: Answer(REPORTED, "Original and filtered images." if filters else "Original images.", "settings"),
        25: Answer(REPORTED, f"With tumortrace {version}; every parameter is listed.", "provenance"),
        26: Answer(REPORTED, f"{families}.", "features-families"),
        27: Answer(REPORTED, f"{count(len(table.features), 'feature')} of each row.", "features-families"),
        28: Answer(REPORTED, "What is not the default is marked.", "settings"),
        29: Answer(
            PART,
            f"{count(lost, 'row')} without features, and {count(missing, 'missing number')} in the others.",
            "problems",
        ),
        31: Answer(NOT_DONE, "No feature was tested for how it changes with the outline."),
        46: Answer(PART, "Medians, quartiles and correlations; not how reproducible they are.", "features-values"),
        55: Answer(PART, "The record beside the table holds every setting.", "provenance"),
    }
