"""What the features of a table are called elsewhere: the section ``nomenclature``."""

from __future__ import annotations

from tumortrace.features._nomenclature import PYRADIOMICS_CLASSES, TERMS, Term
from tumortrace.report._document import Block, Section, Table, Text
from tumortrace.report._extracted._columns import called, column
from tumortrace.report._extracted._read import Extracted
from tumortrace.report._results._words import NONE, count, listed


def nomenclature(table: Extracted) -> Section:
    """Return our name, the code of the IBSI and the name in PyRadiomics of each feature that is there."""
    found: dict[str, dict[str, None]] = {}
    for _, extractor, feature in map(column, table.features):
        found.setdefault(extractor, {})[feature] = None
    rows, nowhere = [], []
    for extractor, features in found.items():
        terms = TERMS.get(extractor, {})
        if not terms:
            nowhere.append(f"{called(extractor)} ({count(len(features), 'feature')})")
        for feature in features if terms else ():
            term = terms.get(feature, Term())
            theirs = f"{PYRADIOMICS_CLASSES[extractor]}_{term.pyradiomics}" if term.pyradiomics else NONE
            rows.append([f"{extractor}_{feature}", term.ibsi or NONE, theirs])
    blocks: list[Block] = []
    if rows:
        blocks.append(
            Text(
                "Each feature once, whatever region or filter it is of. A name of PyRadiomics says that the same "
                "thing is meant; where it is defined differently there, so is the number."
            )
        )
        blocks.append(
            Table(
                "Names of the features",
                ["Feature", "Code of the IBSI", "Name in PyRadiomics"],
                rows,
                note="A dash: there is none.",
            )
        )
    if nowhere:
        blocks.append(Text(f"Without a code or another name: {listed(nowhere)}."))
    return Section("nomenclature", "Names elsewhere", blocks)
