"""What a table is, with which settings it was made, and where these leave the IBSI."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tumortrace.features._nomenclature import IBSI_FAMILIES
from tumortrace.report._document import Block, Figures, Items, Note, Section, Table, Text
from tumortrace.report._extracted._columns import called, column
from tumortrace.report._extracted._read import Extracted
from tumortrace.report._parameters import in_words
from tumortrace.report._results._words import NONE, count, listed
from tumortrace.table._rows import FAILED, INCOMPLETE, OK

_MEANINGS = (
    (
        "not a family|not families",
        "The IBSI has no reference values for their features. Other software need not agree.",
    ),
    (
        "first edge of its bins",
        "Grey levels begin at another intensity than the IBSI says. Numbers that rest on grey levels agree with "
        "PyRadiomics, and not with software that follows the IBSI.",
    ),
    (
        "spacing is given by the settings",
        "Lengths, areas and volumes are right only where every image has this spacing.",
    ),
    (
        "grid of resampled images",
        "New voxels lie up to half a voxel elsewhere. Every number of a resampled image differs a little.",
    ),
    (
        "mask is resampled by nearest",
        "The border of the region is coarser. Volumes and numbers of small lesions differ most.",
    ),
    (
        "range of re-segmentation",
        "What is left out of a region depends on the region itself, so that the same intensity may be in one "
        "lesion and out in another.",
    ),
    ("cut to whole numbers", "Intensities are up to one unit lower than by rounding, on average half a unit."),
    (
        "intensities are normalised",
        "Intensities are relative to the whole image that they come from. They have no unit, and depend on what "
        "else the image shows.",
    ),
    ("not defined by the IBSI", "The IBSI has no reference values for images of these filters."),
    (
        "some follow the convention of PyRadiomics",
        "Filtered images agree with PyRadiomics, and not with the reference values of the IBSI for filters.",
    ),
    (
        "names: columns",
        "Some numbers are defined differently there: kurtosis is 3 greater, axis lengths are shorter, energy and "
        "root mean square are of shifted intensities.",
    ),
)


def meaning(deviation: str) -> str:
    """Return what a deviation does to the numbers; a dash where that is not known.

    Examples
    --------
    >>> meaning("hog is not a family of the IBSI.")
    'The IBSI has no reference values for their features. Other software need not agree.'
    """
    return next((text for part, text in _MEANINGS if re.search(part, deviation)), NONE)


def summary(table: Extracted) -> Section:
    """Return the few figures to take away."""
    states = table.frame["status"].value_counts()
    ok, incomplete, failed = (int(states.get(state, 0)) for state in (OK, INCOMPLETE, FAILED))
    rows, leaving = len(table.frame), table.deviations
    blocks: list[Block] = [
        Figures(
            [
                ("Rows", f"{rows:,}", f"{ok:,} whole, {incomplete:,} incomplete, {failed:,} failed"),
                ("Features", f"{len(table.features):,}", listed(_families(table))),
                ("Deviations from the IBSI", f"{len(leaving)}", "said below" if leaving else "none"),
            ]
        ),
        Text(
            f"The table {table.name} holds {count(len(table.features), 'feature')} of each of "
            f"{count(rows, 'row')}. {_leaving(leaving)} Rows and patients are called what the table calls them: "
            "keep this page as you keep the data."
        ),
    ]
    if rows != table.record["rows"]:
        blocks.append(
            Note(
                f"The record beside the table says {count(int(table.record['rows']), 'row')}, and the table has "
                f"{rows:,}: it was changed after it was made, and what is said of how it was made may no longer "
                "hold."
            )
        )
    return Section("summary", "In short", blocks)


def _families(table: Extracted) -> list[str]:
    return [called(name) for name in dict.fromkeys(column(name).extractor for name in table.features)]


def _leaving(deviations: list[str]) -> str:
    if not deviations:
        return "Its settings do not deviate from the IBSI."
    return f"Its settings deviate from the IBSI in {count(len(deviations), 'point')}."


def contents(table: Extracted) -> Section:
    """Return what the rows are of."""
    rows = []
    for name in table.identity:
        values = table.frame[name]
        there = values[values != ""].map(table.without_root)
        examples = there.drop_duplicates().head(3).tolist()
        rows.append([name, f"{len(there):,}", f"{there.nunique():,}", ", ".join(examples) or NONE])
    record = table.record
    items = [("Made from", _last(str(record.get("source", NONE)))), ("Finished", str(record.get("finished", NONE)))]
    items += [("Left out", f"{item['path']}: {item['reason']}") for item in record.get("skipped", ())]
    items += [("Looks wrong", str(problem)) for problem in record.get("problems", ())]
    items = [(term, table.without_root(text)) for term, text in items]
    return Section(
        "table",
        "The table",
        [
            Items(items),
            Table(
                "What the table says of each row besides its features",
                ["Column", "Rows that have it", "Different values", "Such as"],
                rows,
                numeric=(1, 2),
            ),
        ],
    )


def settings(table: Extracted) -> Section:
    """Return every setting."""
    sections = table.sections
    items = [
        ("Preprocessing", _fields(sections.get("preprocess")) or "None: intensities and masks as they are."),
        ("Filters", _entries(sections.get("filters")) or "None: the image itself."),
        ("Regions", _entries(sections.get("regions")) or "The lesion itself."),
        ("Mask", _fields(sections.get("mask")) or "The one region of each mask."),
        ("Names", json.dumps(sections["names"]) if "names" in sections else "Ours, which follow the IBSI."),
    ]
    known = ("preprocess", "filters", "regions", "mask", "names")
    items += [(key.capitalize(), json.dumps(value)) for key, value in sections.items() if key not in known]
    widths = dict.fromkeys(table.parameters, 0)
    for name in table.features:
        widths[column(name).extractor] = widths.get(column(name).extractor, 0) + 1
    rows = [
        [called(name), " ".join(IBSI_FAMILIES.get(name, ())) or NONE, f"{widths[name]:,}", in_words(name, values)]
        for name, values in table.parameters.items()
    ]
    extractors = Table(
        "Extractors and every parameter",
        ["Extractor", "Family of the IBSI", "Columns", "Parameters"],
        rows,
        note="All are the defaults of the version that made the table unless marked. A spacing that is not given "
        "is that of the image. A dash: no family of the IBSI.",
        numeric=(2,),
    )
    words = "What is not named here was left at its default."
    return Section("settings", "Settings", [Text(words), Items(items), extractors])


def deviations(table: Extracted) -> Section:
    """Return where the settings leave the IBSI, and what each does to the numbers."""
    found = table.deviations
    about = Text(
        "The Image Biomarker Standardisation Initiative defines features and steps of processing, with reference "
        "values (Zwanenburg et al. 2020, doi 10.1148/radiol.2020191145; for filters Whybra et al. 2024, doi "
        "10.1148/radiol.231319). Choices that it leaves to its users, such as the number of bins, are no "
        "deviations. A deviation is no error: it says with which other numbers these can be compared."
    )
    if not found:
        return Section("ibsi", "Deviations from the IBSI", [about, Text("None: the settings follow the IBSI.")])
    rows = [[str(k), text, meaning(text)] for k, text in enumerate(found, 1)]
    table_ = Table("Where the settings leave the IBSI", ["No.", "What deviates", "What that means"], rows)
    return Section("ibsi", "Deviations from the IBSI", [about, table_])


def _fields(values: Mapping[str, Any] | None) -> str:
    return "; ".join(f"{key} = {json.dumps(value)}" for key, value in (values or {}).items())


def _entries(entries: Any) -> str:
    return "; ".join(entry if isinstance(entry, str) else json.dumps(entry) for entry in entries or ())


def _last(path: str) -> str:
    """Return the last part of a path: the others tell of the machine."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2]
