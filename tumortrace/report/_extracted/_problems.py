"""Rows that failed or are incomplete, by their reasons: the section ``problems``."""

from __future__ import annotations

from tumortrace.report._document import Block, Section, Table, Text
from tumortrace.report._extracted._read import Extracted
from tumortrace.report._results._words import count
from tumortrace.table._rows import FAILED, INCOMPLETE

_REASONS = 40
_ROWS = 12


def problems(table: Extracted) -> Section:
    """Return each reason with the rows that it is said of."""
    frame = table.frame
    bad = frame[frame["status"].isin([FAILED, INCOMPLETE])]
    if bad.empty:
        return Section("problems", "Rows with problems", [Text("None: every row has every feature.")])
    groups: dict[tuple[str, str], list[int]] = {}
    for place, status, reason in zip(bad.index, bad["status"], bad["error"], strict=True):
        groups.setdefault((str(status), str(reason)), []).append(int(place))
    order = sorted(groups, key=lambda key: (key[0] != FAILED, -len(groups[key])))
    rows = []
    for status, reason in order[:_REASONS]:
        places = groups[status, reason]
        named = "; ".join(f"{place + 1}: {table.called(place)}" for place in places[:_ROWS])
        if len(places) > _ROWS:
            named += f"; and {len(places) - _ROWS:,} more"
        rows.append([status.capitalize(), f"{len(places):,}", table.without_root(reason), named])
    failed = int((bad["status"] == FAILED).sum())
    blocks: list[Block] = [
        Text(
            f"{count(failed, 'row')} failed and {'has' if failed == 1 else 'have'} no features; "
            f"{len(bad) - failed:,} lack some. They are grouped by reason; rows are counted from 1, without the "
            "header of the table."
        ),
        Table(
            "Rows with problems, by reason",
            ["State", "Rows", "Reason", "Which"],
            rows,
            note=f"The {_REASONS} reasons of most rows, of {len(order):,}." if len(order) > _REASONS else "",
            numeric=(1,),
        ),
    ]
    return Section("problems", "Rows with problems", blocks)
