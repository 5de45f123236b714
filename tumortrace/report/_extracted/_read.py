"""A table of features, as `tumortrace extract` leaves it, with its record."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tumortrace.features import FEATURES
from tumortrace.table._record import record_path
from tumortrace.table._rows import FAILED
from tumortrace.table._source import AFTER_IDENTITY, LAST

if TYPE_CHECKING:
    import pandas as pd

FEATURE_TABLE, PREDICTIONS = "features", "predictions"
"""The kinds of table that a report can be on."""


@dataclass(frozen=True, eq=False)
class Extracted:
    """A table of features and what is known of how it was made.

    Parameters
    ----------
    name : str
        Of the file.
    sha256 : str
        Of its content.
    frame : DataFrame
        The table: identity columns, `status` and `error` as text, features as float64.
    identity, features : tuple of str
        Names of the columns before `digest`, and of those between it and `status`.
    record : dict
        What lies beside the table.
    """

    name: str
    sha256: str
    frame: pd.DataFrame
    identity: tuple[str, ...]
    features: tuple[str, ...]
    record: Mapping[str, Any]

    @property
    def parameters(self) -> dict[str, Mapping[str, Any]]:
        """The extractors and their parameters."""
        return {name: values for name, values in self.record["settings"].items() if name in FEATURES}

    @property
    def sections(self) -> dict[str, Any]:
        """What else the settings say."""
        return {name: values for name, values in self.record["settings"].items() if name not in FEATURES}

    @property
    def deviations(self) -> list[str]:
        """Where the settings leave the IBSI, as the record says."""
        return list(self.record["deviations_from_ibsi"])

    @property
    def root(self) -> Path:
        """The folder that the paths of images are relative to."""
        return Path(self.record["root"])

    @cached_property
    def measured(self) -> pd.DataFrame:
        """The rows that have numbers."""
        return self.frame[self.frame["status"] != FAILED]

    def without_root(self, text: str) -> str:
        """Return a text without what tells of the machine: the folder that the images are in."""
        return text.replace(f"{self.root}{os.sep}", "")

    def called(self, row: int) -> str:
        """Return what a row is called: its image, and what tells it from others of this image."""
        values = self.frame.iloc[row]
        said = [Path(values["image"]).name]
        said += [f"{name} {values[key]}" for key, name in _TELLING.items() if values.get(key)]
        return ", ".join(said)


_TELLING = {"patient": "patient", "roi_name": "region", "roi": "label", "sequence": "sequence", "slice": "slice"}


def kind_of(path: Path) -> str:
    """Tell a table of features from one of predictions, by the names of its columns.

    Raises
    ------
    ValueError
        If it is neither, or a table of slices, which has no record of single images.
    FileNotFoundError
        If there is no such file.
    """
    columns = _header(path)
    if {AFTER_IDENTITY, *LAST} <= set(columns):
        return FEATURE_TABLE
    if "score" in columns:
        return PREDICTIONS
    if set(LAST) <= set(columns):
        raise ValueError(
            f"{path}: is a table of slices; give the table of their images, {path.stem}.images.csv, beside it"
        )
    raise ValueError(
        f"{path}: is no table that a report can be on; give one of features, as `tumortrace extract` writes it "
        f"(with the columns {AFTER_IDENTITY}, {' and '.join(LAST)}), or one of predictions (patient, label, score)"
    )


def read(path: Path) -> Extracted:
    """Read a table of features and its record.

    Raises
    ------
    ValueError
        If a feature holds another thing than numbers, or the record is not that of a table of features.
    FileNotFoundError
        If the record is missing.
    """
    columns = _header(path)
    place, end = columns.index(AFTER_IDENTITY), columns.index(LAST[0])
    identity, features = tuple(columns[:place]), tuple(columns[place + 1 : end])
    frame = _frame(path, columns, features)
    return Extracted(
        path.name, sha256(path.read_bytes()).hexdigest(), frame, identity, features, _record(record_path(path))
    )


def _header(path: Path) -> list[str]:
    if path.suffix == ".parquet":
        import pyarrow.parquet

        return [str(name) for name in pyarrow.parquet.read_schema(path).names]
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return next(csv.reader(file), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: is no table: {error}") from error


def _frame(path: Path, columns: list[str], features: tuple[str, ...]) -> pd.DataFrame:
    import pandas as pd

    if path.suffix == ".parquet":
        frame = pd.read_parquet(path)
    else:
        try:
            frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
        except pd.errors.ParserError as error:
            raise ValueError(f"{path}: is no table: {error}") from error
    others = [name for name in columns if name not in features]
    text = frame[others].astype(object).where(frame[others].notna(), "").astype(str)
    try:
        numbers = frame[list(features)].replace("", np.nan).astype(np.float64)
    except ValueError as error:
        raise ValueError(f"{path}: a column of features holds another thing than numbers: {error}") from error
    return pd.concat([text, numbers], axis=1)[columns]


def _record(path: Path) -> Mapping[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{path}: is missing; it is written beside the table and says how it was made: put it back"
        ) from None
    except ValueError as error:
        raise ValueError(f"{path}: is no record of a table: {error}") from error
    needed = ("settings", "deviations_from_ibsi", "versions", "rows", "root")
    missing = [key for key in needed if not isinstance(record, dict) or key not in record]
    if missing:
        raise ValueError(f"{path}: does not say {', '.join(missing)}; extract the table anew")
    return dict(record)
