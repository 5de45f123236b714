"""A manifest: a CSV file with one row per image."""

import csv
import io
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

KNOWN = ("image", "mask", "roi", "label", "split", "patient", "sequence", "slice")
"""Columns that mean something here, in the order in which they come out; written in any case."""

RESERVED = ("status", "error", "digest")
"""Columns that the feature table writes itself."""

_SEPARATORS = ",;\t"


def read_manifest(path: str | os.PathLike[str]) -> "pd.DataFrame":
    """Read a manifest.

    Parameters
    ----------
    path : str or path
        A text file in UTF-8, with or without a byte order mark, values separated by comma, semicolon or tab. The
        first line names the columns. ``Image`` is needed: the path of an image, relative to the manifest or
        absolute. ``Mask`` (a path, may be empty), ``ROI`` (the region of the mask: a label's number or name),
        ``Label``, ``Split``, ``Patient``, ``Sequence`` and ``Slice`` (a
        whole number) are known; their names are read in any case. Other columns are carried through as text.
        Blank lines are passed over.

    Returns
    -------
    DataFrame
        The known columns first, in lower case, then the others as they are called, in the order of the file.
        Everything is text but `slice`, an int. Paths are as written.

    Raises
    ------
    ValueError
        If the file is not such a text, has no ``Image`` column or no row, two columns of one name, a column named
        status, error or digest, a row of another length, an empty image or a slice that is no whole number. The
        message gives the line.
    FileNotFoundError, IsADirectoryError, PermissionError
        If there is no such file, or it cannot be read.
    """
    import pandas as pd

    path = Path(path)
    text = _text(path)
    columns, rows, lines = _table(path, text)
    frame = pd.DataFrame(rows, columns=columns, dtype=str)
    for line, image in zip(lines, frame["image"], strict=True):
        if not image.strip():
            raise ValueError(f"{path}, line {line}: the image is empty; give its path")
    if "slice" in columns:
        frame["slice"] = _whole_numbers(path, frame["slice"].tolist(), lines)
    known = [name for name in KNOWN if name in columns]
    return frame[known + [name for name in columns if name not in known]]


def _text(path: Path) -> str:
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ValueError(f"{path}, line {line}: is no UTF-8 text; save the manifest as CSV in UTF-8") from None


def _table(path: Path, text: str) -> tuple[list[str], list[list[str]], list[int]]:
    """Return the names of the columns, the rows, and the line each row ends on."""
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=_separator(text), skipinitialspace=True, strict=True
    )
    columns: list[str] = []
    rows, lines = [], []
    try:
        for row in reader:
            if not any(value.strip() for value in row):
                continue
            if not columns:
                columns = _columns(path, row)
            elif len(row) != len(columns):
                problem = f"has {len(row)} values; the first line names {len(columns)} columns"
                raise ValueError(f"{path}, line {reader.line_num}: {problem}")
            else:
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: is no CSV: {error}") from None
    if not columns:
        raise ValueError(f"{path}: is empty; give a line of column names with Image, and a line per image")
    if not rows:
        raise ValueError(f"{path}: has no row below the column names; give a line per image")
    return columns, rows, lines


def _separator(text: str) -> str:
    """Return the separator of which the first line has most."""
    first = text.lstrip("\r\n").partition("\n")[0]
    return max(_SEPARATORS, key=first.count)


def _columns(path: Path, header: list[str]) -> list[str]:
    """Return the names of the columns, known ones in lower case, after checking them."""
    names = [name.strip() for name in header]
    names = [name.lower() if name.lower() in KNOWN else name for name in names]
    if "image" not in names:
        raise ValueError(f"{path}: has no column Image; its columns are {', '.join(map(repr, names))}")
    if "" in names:
        raise ValueError(f"{path}: column {names.index('') + 1} has no name; name or remove it")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{path}: has the column {twice[0]!r} more than once; rename or remove one")
    taken = [name for name in names if name.lower() in RESERVED]
    if taken:
        raise ValueError(f"{path}: the column {taken[0]!r} has the name of one that the table writes; rename it")
    return names


def _whole_numbers(path: Path, values: list[str], lines: list[int]) -> list[int]:
    numbers = []
    for value, line in zip(values, lines, strict=True):
        if not re.fullmatch(r"-?[0-9]{1,9}", value.strip()):
            raise ValueError(f"{path}, line {line}: slice is {value!r}; give a whole number")
        numbers.append(int(value))
    return numbers
