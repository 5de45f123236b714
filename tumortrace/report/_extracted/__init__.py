"""The report on a table of features: how it was made, where that leaves the IBSI, and what is in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import tumortrace
from tumortrace.report._document import Document, Items, Section, Text
from tumortrace.report._extracted._clear import clear
from tumortrace.report._extracted._looked import chosen_maps, chosen_rows, looked_at
from tumortrace.report._extracted._made import contents, deviations, settings, summary
from tumortrace.report._extracted._nomenclature import nomenclature
from tumortrace.report._extracted._problems import problems
from tumortrace.report._extracted._read import FEATURE_TABLE, Extracted, kind_of, read
from tumortrace.report._extracted._values import values
from tumortrace.report._provenance import versions
from tumortrace.report._results._words import NONE, count

__all__ = ["FEATURE_TABLE", "Extracted", "kind_of", "of_table", "read"]

IMAGES = 6
"""How many rows are looked at by default."""


def of_table(
    table: Extracted,
    *,
    images: int | None = None,
    rows: Sequence[int] | None = None,
    maps: Sequence[str] | None = None,
    positive: str | None = None,
    title: str | None = None,
    question: str | None = None,
    author: str | None = None,
    seed: int = 0,
    jobs: int | None = None,
    say: Callable[[str], object] = lambda line: None,
) -> Document:
    """Return all sections in the order of reading; the parameters are those of `write_report`."""
    chosen = chosen_rows(table, IMAGES if images is None else images, rows)
    drawn = chosen_maps(maps, len(chosen))
    say(f"reading {count(len(chosen), 'image')} to look at")
    looked = looked_at(table, chosen, drawn, threads=jobs)
    say("measuring, comparing, drawing")
    sections = [
        summary(table),
        *([Section("question", "The question", [Text(question)])] if question else []),
        contents(table),
        settings(table),
        deviations(table),
        problems(table),
        looked,
        values(table, positive=positive, seed=seed),
        nomenclature(table),
        _provenance(table, seed),
    ]
    there = {section.id: section.title for section in Document("", "", sections).walk()}
    sections.append(clear(table, there))
    details = [
        ("Author", author or "not named"),
        ("Day", datetime.now(UTC).date().isoformat()),
        ("Table", table.name),
        ("Made with", f"tumortrace {tumortrace.__version__}"),
    ]
    size = f"{count(len(table.features), 'feature')} of {count(len(table.frame), 'row')}"
    under = f"{size}: how they were made, and what they are like."
    return Document(title or "A table of features", under, sections, details)


def _provenance(table: Extracted, seed: int) -> Section:
    record = table.record
    items = [
        ("Table", table.name),
        ("SHA-256", table.sha256),
        ("Settings", f"{record.get('settings_hash', NONE)} (BLAKE2b over the version and every setting)"),
        ("Record", f"{table.name}.json, beside the table: settings and versions to make it again"),
        ("Seed", f"{seed} for resampling of this report"),
    ]
    return Section("provenance", "Provenance", [Items(items), versions(record["versions"], "table")])
