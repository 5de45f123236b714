"""From one row per image to one row per slice, with its sequences side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tumortrace.table._source import AFTER_IDENTITY, LAST

if TYPE_CHECKING:
    import pandas as pd

SLICE = ("split", "label", "patient", "slice")


def feature_columns(table: pd.DataFrame) -> list[str]:
    """Return the names of the feature columns of a table: those between `digest` and `status`.

    Raises
    ------
    ValueError
        If it is no table of `extract`.

    Examples
    --------
    >>> import pandas as pd
    >>> feature_columns(pd.DataFrame(columns=["image", "digest", "glcm_contrast", "status", "error"]))
    ['glcm_contrast']
    """
    names = list(table.columns)
    if AFTER_IDENTITY not in names or LAST[0] not in names:
        raise ValueError(f"no feature table: it lacks the column {AFTER_IDENTITY} or {LAST[0]}; name the features")
    return names[names.index(AFTER_IDENTITY) + 1 : names.index(LAST[0])]


def widen(
    table: pd.DataFrame,
    *,
    by: Sequence[str] | None = None,
    across: str = "sequence",
    features: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Lay the sequences of each slice side by side.

    Parameters
    ----------
    table : DataFrame
        One row per image, as `extract` returns it.
    by : sequence of str, optional
        The columns that name a slice; by default those of `split`, `label`, `patient` and `slice` that are there.
    across : str, default "sequence"
        The column whose values stand side by side.
    features : sequence of str, optional
        The columns to lay out; by default every feature of the table.

    Returns
    -------
    DataFrame
        A row per slice in the order in which slices first occur: the columns `by`, then ``<sequence>__<feature>``,
        sequence by sequence in the order in which they first occur. A sequence is written in lower case with an
        underscore for what is neither letter nor digit: ``VIBRANT+C1`` → ``vibrant_c1``. Where a slice lacks a
        sequence, or its row failed, the numbers are NaN.

    Raises
    ------
    ValueError
        If a column is missing, a slice has two rows of one sequence, or two sequences get the same name.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({
    ...     "patient": ["a", "a", "b"], "slice": [1, 1, 4], "sequence": ["SUB1", "VIBRANT+C1", "SUB1"],
    ...     "digest": "", "mean": [1.0, 2.0, 3.0], "status": "ok", "error": "",
    ... })
    >>> widen(table)
      patient  slice  sub1__mean  vibrant_c1__mean
    0       a      1         1.0               2.0
    1       b      4         3.0               NaN
    """
    import pandas as pd

    chosen = feature_columns(table) if features is None else list(features)
    keys = [name for name in SLICE if name in table] if by is None else list(by)
    missing = [name for name in (across, *keys, *chosen) if name not in table]
    if missing or not keys:
        raise ValueError(f"the table lacks the columns {', '.join(missing or SLICE)}")
    twice = table.duplicated([*keys, across])
    if twice.any():
        row = table.loc[twice, [*keys, across]].iloc[0]
        where = ", ".join(f"{name} {value}" for name, value in row.items())
        raise ValueError(f"{twice.sum()} rows repeat a slice and {across}, the first: {where}; keep one of each")
    slices = table.groupby(keys, sort=False, dropna=False).ngroup()
    first = table.loc[~slices.duplicated(), keys].reset_index(drop=True)
    blocks = [first]
    for value, name in safe_names(table[across].unique().tolist()).items():
        rows = table[across] == value
        block = table.loc[rows, chosen].set_axis(slices[rows].to_numpy()).reindex(first.index)
        blocks.append(block.add_prefix(f"{name}__"))
    return pd.concat(blocks, axis=1)


def safe_names(values: Sequence[object]) -> dict[object, str]:
    """Return a name of ``[a-z0-9_]+`` for each value."""
    names: dict[object, str] = {}
    for value in values:
        name = re.sub("[^a-z0-9]+", "_", str(value).lower()).strip("_")
        same = [other for other, taken in names.items() if taken == name]
        if not name or same:
            raise ValueError(f"{value!r} cannot name columns{f': {same[0]!r} has the same name' if same else ''}")
        names[value] = name
    return names
