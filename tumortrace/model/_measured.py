"""Predictions read, measured at every level they have, and compared row by row."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tumortrace.evaluation import Comparison, aggregate, compare, measure
from tumortrace.model._inputs import IDENTITY

if TYPE_CHECKING:
    import pandas as pd

LEVELS = {"image": ("image",), "slice": ("patient", "slice"), "patient": ("patient",)}
"""What a row stands for at each level: the rows that share these columns are averaged."""

_NUMBERS = {"threshold": float, "fold": int, "slice": int}


def read_predictions(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a table of predictions; names stay text.

    Raises
    ------
    ValueError
        If it is no CSV, has no column `score`, or other things than numbers in a column of numbers.
    """
    import pandas as pd

    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ValueError(f"{path}: is no table of predictions: {error}") from error
    if "score" not in table:
        raise ValueError(f"{path}: has no column score; its columns are {', '.join(table.columns)}")
    for name in table.columns:
        kind = float if name == "score" or name.startswith("score_") else _NUMBERS.get(name)
        if kind is not None:
            try:
                table[name] = [math.nan if cell == "" else kind(cell) for cell in table[name]]
            except ValueError as error:
                raise ValueError(f"{path}: the column {name} holds another thing than numbers: {error}") from error
    return table


def scored_rows(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that have a label and a score.

    Raises
    ------
    ValueError
        If there is no column of labels or patients, or no such row.
    """
    if missing := [name for name in ("label", "patient") if name not in predictions]:
        raise ValueError(f"the predictions have no column {missing[0]}; what they say cannot be measured without")
    rows = predictions[(predictions["label"] != "") & predictions["score"].notna()]
    if rows.empty:
        raise ValueError("no row of the predictions has a label and a score")
    return rows


def levels_of(predictions: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Return the levels that the predictions have: their columns are there, and rows that are averaged agree."""
    found = {}
    for name, by in LEVELS.items():
        if set(by) <= set(predictions) and predictions.groupby(list(by))["label"].nunique().max() == 1:
            found[name] = by
    return found


def measure_predictions(predictions: pd.DataFrame, positive: str, *, seed: int = 0) -> pd.DataFrame:
    """Return every metric at every level, as `tumortrace.evaluation.measure` does."""
    rows = scored_rows(predictions)
    return measure(rows, levels=levels_of(rows), positive=positive, seed=seed)


def compare_predictions(a: pd.DataFrame, b: pd.DataFrame, positive: str, *, seed: int = 0) -> dict[str, Comparison]:
    """Return level → the comparison of the areas of two models that scored the same rows.

    Raises
    ------
    ValueError
        If the two tables do not have the same rows, a row is in one twice, or they differ in a label.
    """
    first, second = scored_rows(a), scored_rows(b)
    keys = [name for name in IDENTITY if name in first and name in second and name not in ("label", "split")]
    for which, table in (("first", first), ("second", second)):
        if table.duplicated(keys).any():
            raise ValueError(f"the {which} table has rows twice, by {', '.join(keys)}; keep one of each")
    joined = first.merge(second, on=keys, how="outer", suffixes=("_a", "_b"), indicator=True)
    counts = joined["_merge"].value_counts()
    if counts["both"] < len(joined):
        raise ValueError(
            f"{counts['both']:,} rows are in both tables, {counts['left_only']:,} only in the first and "
            f"{counts['right_only']:,} only in the second, by {', '.join(keys)}; compare models on the same rows"
        )
    if (joined["label_a"] != joined["label_b"]).any():
        raise ValueError(f"{(joined['label_a'] != joined['label_b']).sum():,} rows differ in label")
    joined = joined.assign(label=joined["label_a"])
    found = {}
    for name, by in levels_of(joined).items():
        sides = [aggregate(joined, _with_patient(by), score=f"score_{side}") for side in "ab"]
        y = sides[0]["label"] == positive
        found[name] = compare(y, sides[0]["score_a"], sides[1]["score_b"], sides[0]["patient"], seed=seed)
    return found


def _with_patient(by: Sequence[str]) -> list[str]:
    return [*by] if "patient" in by else ["patient", *by]
