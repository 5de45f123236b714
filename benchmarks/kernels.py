"""Time the rows of the table of comparisons, after proving that both sides give the same."""

from typing import Any

import cv2

from benchmarks.comparisons import COMPARISONS, Comparison, image
from benchmarks.measure import race


def run(machine: dict[str, Any], seconds: float, only: str = "") -> list[dict[str, Any]]:
    """Return one record per comparison and size; print each as it comes."""
    cv2.setNumThreads(1)
    return [_record(row, size, machine, seconds) for row in COMPARISONS if only in row.name for size in row.sizes]


def check(row: Comparison, size: int) -> tuple[Any, Any]:
    """Assert that both sides agree; return what each side is given."""
    mine, other = row.prepare(image(size, row.data))
    ours, theirs = row.ours(mine), row.theirs(other)
    if row.same:
        row.same(ours, theirs)
    return mine, other


def _record(row: Comparison, size: int, machine: dict[str, Any], seconds: float) -> dict[str, Any]:
    mine, other = check(row, size)
    ours, theirs = race(lambda: row.ours(mine), lambda: row.theirs(other), seconds)
    floor = row.floor(size * size, machine)
    print(
        f"{row.name:34} {row.peer:38} {size:5}  {ours * 1e3:9.4f} ms  {theirs * 1e3:9.3f} ms  "
        f"×{theirs / ours:8.1f}   {ours / floor:6.1f} floors",
        flush=True,
    )
    return {
        "name": row.name,
        "peer": row.peer,
        "size": size,
        "ours_s": ours,
        "theirs_s": theirs,
        "ratio": theirs / ours,
        "floor_s": floor,
        "goal": row.goal if size == row.goal_size else None,
        "equal": row.same is not None,
        "note": row.note,
    }
