"""Parquet: a finished CSV to Parquet and back, a bounded number of rows at a time. Needs the extra ``parquet``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from tumortrace.table._rows import cells, numbers
from tumortrace.table._source import AFTER_IDENTITY, LAST

_BLOCK_BYTES = 16 * 2**20
_BATCH_ROWS = 512


def require() -> None:
    """Say what to install where pyarrow is missing."""
    if find_spec("pyarrow") is None:
        raise ModuleNotFoundError(
            "a Parquet table needs pyarrow, which is not installed: pip install 'tumortrace[parquet]'"
        )


def from_csv(path: Path, target: Path, identity: Mapping[str, Any], features: Sequence[str]) -> None:
    """Convert the table at `path`; the result goes into place at once.

    Parameters
    ----------
    path, target : Path
        CSV and Parquet.
    identity
        Identity column → its dtype; integers and floats keep theirs, everything else is text.
    features
        The feature columns: float64.
    """
    import pyarrow as pa
    from pyarrow import csv, parquet

    types = {name: _arrow_type(dtype) for name, dtype in identity.items()}
    types |= dict.fromkeys(features, pa.float64())
    types |= dict.fromkeys([AFTER_IDENTITY, *LAST], pa.string())
    reader = csv.open_csv(
        path,
        read_options=csv.ReadOptions(block_size=_BLOCK_BYTES, use_threads=False),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(column_types=types, null_values=[""], strings_can_be_null=False),
    )
    draft = target.with_name(target.name + ".new")
    with reader, parquet.ParquetWriter(draft, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)
    draft.replace(target)


def to_csv(path: Path, target: Path) -> None:
    """Write the rows of a Parquet table as the CSV that it was made from."""
    from pyarrow import parquet

    with parquet.ParquetFile(path) as table, target.open("xb") as file:
        names = table.schema_arrow.names
        first, last = names.index(AFTER_IDENTITY), len(names) - len(LAST)
        file.write(cells(names))
        for batch in table.iter_batches(batch_size=_BATCH_ROWS):
            columns = batch.columns
            block = np.column_stack([column.to_numpy(zero_copy_only=False) for column in columns[first + 1 : last]])
            texts = [column.to_pylist() for column in (*columns[: first + 1], *columns[last:])]
            for *before, status, error, values in zip(*texts, block, strict=True):
                file.write(cells(before)[:-1] + b"," + numbers(values) + b"," + cells([status, error]))


def _arrow_type(dtype: Any) -> Any:
    import pyarrow as pa

    kind = getattr(dtype, "kind", "O")
    return pa.int64() if kind in "iu" else pa.float64() if kind == "f" else pa.string()
