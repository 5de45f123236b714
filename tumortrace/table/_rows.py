"""One row of the table: an image to its numbers, and the row as a line of CSV."""

from __future__ import annotations

import csv
import io as text_io
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from tumortrace import io
from tumortrace.table._settings import Settings, in_one_line

OK, INCOMPLETE, FAILED = "ok", "incomplete", "failed"

Source = Path | NDArray[Any]


class Item(NamedTuple):
    """What a row is computed from.

    `identity` are the identity cells as CSV, and `digest` that of the row that an earlier run left for them.
    """

    image: Source
    mask: Source | None = None
    identity: bytes = b""
    digest: str = ""


class Row(NamedTuple):
    """What is computed: `values` in the order of the columns, `error` empty where `status` is "ok"."""

    digest: str
    values: NDArray[np.float64]
    status: str
    error: str


@dataclass(frozen=True)
class Compute:
    """An item to its row; None where the row of the earlier run has the same digest and stays as it is."""

    settings: Settings

    def __call__(self, item: Item) -> Row | None:
        """Compute the row; an image that cannot be read or is refused makes a row that says so."""
        digest = ""
        try:
            content = _content(item.image)
            mask_content = None if item.mask is None else _of_mask(_content, item.mask)
            digest = self._digest(content, mask_content)
            if digest == item.digest:
                return None
            image = _pixels(item.image, content)
            mask = None if item.mask is None else _of_mask(_pixels, item.mask, mask_content)
            values, reason = self.settings.compute(image, mask)
        except Exception as error:  # whatever it was belongs to this image: the row tells it, the batch goes on
            blank = np.full(len(self.settings.columns), np.nan)
            return Row(digest, blank, FAILED, in_one_line(error).removeprefix(f"{item.image}: "))
        if np.isnan(values).any():
            return Row(digest, values, INCOMPLETE, reason or "some features are undefined on this image")
        return Row(digest, values, OK, "")

    def _digest(self, content: bytes, mask_content: bytes | None) -> str:
        """Hash the settings and the bytes of image and mask: equal digests mean equal numbers."""
        state = blake2b(self.settings.hash.encode(), digest_size=16)
        state.update(len(content).to_bytes(8, "little"))
        state.update(content)
        if mask_content is not None:
            state.update(mask_content)
        return state.hexdigest()


@dataclass(frozen=True)
class Format:
    """An item to the status and the CSV line of its row; None where the earlier row stays."""

    compute: Compute

    def __call__(self, item: Item) -> tuple[str, bytes] | None:
        """Compute and format, both in the worker."""
        row = self.compute(item)
        if row is None:
            return None
        return row.status, b"%b%b,%b,%b" % (
            item.identity,
            row.digest.encode(),
            numbers(row.values),
            cells([row.status, row.error]),
        )


def cells(values: Iterable[Any]) -> bytes:
    """Return one line of CSV, with its line end."""
    buffer = text_io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(values)
    return buffer.getvalue().encode("utf-8", "backslashreplace")


def numbers(values: NDArray[np.float64]) -> bytes:
    """Return numbers as CSV cells: the shortest text that reads back as the same float64, NaN as nothing.

    Examples
    --------
    >>> numbers(np.array([0.1, np.nan, 2.0]))
    b'0.1,,2.0'
    """
    text = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]
    if b"null" not in text:
        return text
    if np.isinf(values).any():
        return ",".join("" if np.isnan(v) else repr(v) for v in values.tolist()).encode()
    return text.replace(b"null", b"")


def _content(source: Source) -> bytes:
    """Return the bytes that determine the pixels."""
    if isinstance(source, np.ndarray):
        return f"{source.dtype.str}{source.shape}".encode() + source.tobytes()
    return io.read_bytes(source)


def _pixels(source: Source, content: bytes) -> NDArray[Any]:
    return source if isinstance(source, np.ndarray) else io.decode(content, source)


def _of_mask(step: Any, source: Source, *args: Any) -> Any:
    """Do a step of reading for the mask, and say so where it fails."""
    try:
        return step(source, *args)
    except ValueError as error:
        raise ValueError(f"mask: {str(error).removeprefix(f'{source}: ')}") from error
