"""One row of the table: an image to its numbers, and the row as a line of CSV."""

from __future__ import annotations

import csv
import io as text_io
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import orjson
from numpy.typing import NDArray

from tumortrace import io
from tumortrace.table._parameters import in_one_line
from tumortrace.table._settings import Settings

OK, INCOMPLETE, FAILED = "ok", "incomplete", "failed"

Source = Path | NDArray[Any]


class Item(NamedTuple):
    """What a row is computed from.

    `identity` are the identity cells as CSV, and `digest` that of the row that an earlier run left for them. `roi`
    is the region of the mask that is meant, "" for the one of the settings.
    """

    image: Source
    mask: Source | None = None
    identity: bytes = b""
    digest: str = ""
    roi: str = ""


class Row(NamedTuple):
    """What is computed: `values` in the order of the columns, `error` empty where `status` is "ok"."""

    digest: str
    values: NDArray[np.float64]
    status: str
    error: str


class Recipe(Protocol):
    """What a table and its record say of how the numbers are made; `Settings` is one."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the numbers."""

    @property
    def hash(self) -> str:
        """32 hex digits over what determines the numbers."""

    @property
    def content(self) -> dict[str, Any]:
        """What determines the numbers, for people."""

    @property
    def deviations(self) -> list[str]:
        """Where it leaves the IBSI, one sentence each."""


class Computes(Protocol):
    """Items to their rows; None where the row of the earlier run has the same digest and stays as it is."""

    @property
    def settings(self) -> Recipe:
        """What the numbers are made by."""

    @property
    def unit(self) -> str:
        """What an item is, for the progress bar."""

    def __call__(self, items: Sequence[Item]) -> list[Row | None]:
        """Compute the rows; what cannot be read or is refused makes a row that says so."""


class Pixels(NamedTuple):
    """An item that has been read."""

    digest: str
    image: NDArray[Any]
    mask: NDArray[Any] | None
    spacing: tuple[float, ...] | None = None
    direction: NDArray[np.float64] | None = None
    origin: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Compute:
    """Items to their rows; None where the row of the earlier run has the same digest and stays as it is.

    Pictures are read before any is computed: on small images, doing one thing at a time keeps the processor's
    caches warm and takes two thirds of the time. Of volumes there is one at a time in memory.
    """

    settings: Settings
    unit: str = "image"

    def __call__(self, items: Sequence[Item]) -> list[Row | None]:
        """Compute the rows; an image that cannot be read or is refused makes a row that says so."""
        read: Iterable[Pixels | Row | None] = (self.read(item) for item in items)
        if not any(_is_volume(item.image) for item in items):
            read = list(read)
        return [self._row(pixels) if isinstance(pixels, Pixels) else pixels for pixels in read]

    def read(self, item: Item) -> Pixels | Row | None:
        """Read an item; a failed row where that cannot be, None where the earlier row is kept."""
        digest = ""
        try:
            content = _content(item.image)
            mask_content = None if item.mask is None else _of_mask(_content, item.mask)
            digest = self._digest(content, mask_content, item.roi)
            if digest == item.digest:
                return None
            if isinstance(item.image, Path) and (_is_volume(item.image) or _is_volume(item.mask)):
                return self._volume(item.image, item.mask, item.roi, digest)
            mask = None if item.mask is None else _of_mask(_pixels, item.mask, mask_content)
            return Pixels(digest, _pixels(item.image, content), mask)
        except Exception as error:  # whatever it was belongs to this image: the row tells it, the batch goes on
            return self._failed(digest, _told(error, item))

    def _volume(self, image: Path, mask: Source | None, roi: str, digest: str) -> Pixels:
        settings = self.settings
        file = None if isinstance(mask, np.ndarray) else mask
        found = io.read_lesion(image, file, label=roi or settings.label, resample=settings.resample_mask)
        inside = mask if isinstance(mask, np.ndarray) else found.mask
        return Pixels(digest, found.array, inside, found.spacing, found.direction, found.origin)

    def _row(self, pixels: Pixels) -> Row:
        try:
            values, reason = self.settings.compute(*pixels[1:])
        except Exception as error:  # memory may run out too
            return self._failed(pixels.digest, in_one_line(error))
        if np.isnan(values).any():
            return Row(pixels.digest, values, INCOMPLETE, reason or "some features are undefined on this image")
        return Row(pixels.digest, values, OK, "")

    def _failed(self, digest: str, error: str) -> Row:
        return Row(digest, np.full(len(self.settings.columns), np.nan), FAILED, error)

    def _digest(self, content: bytes, mask_content: bytes | None, roi: str) -> str:
        """Hash the settings and the content of image and mask: equal digests mean equal numbers."""
        state = blake2b(self.settings.hash.encode(), digest_size=16)
        state.update(len(content).to_bytes(8, "little"))
        state.update(content)
        if mask_content is not None:
            state.update(mask_content)
        state.update(roi.encode())
        return state.hexdigest()


@dataclass(frozen=True)
class Format:
    """Items to the status and the CSV line of their rows; None where the earlier row stays."""

    compute: Computes

    def __call__(self, items: Sequence[Item]) -> list[tuple[str, bytes] | None]:
        """Compute and format, both in the worker."""
        rows = self.compute(items)
        return [
            None if row is None else (row.status, line(i.identity, row)) for i, row in zip(items, rows, strict=True)
        ]


def line(identity: bytes, row: Row) -> bytes:
    """Return a row as a line of CSV."""
    return b"%b%b,%b,%b" % (identity, row.digest.encode(), numbers(row.values), cells([row.status, row.error]))


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


def _told(error: Exception, item: Item) -> str:
    """Return what an error says, without the folders of image and mask: the row names both files."""
    text = in_one_line(error)
    paths = [path for path in (item.image, item.mask) if isinstance(path, Path)]
    for path in paths:
        text = text.removeprefix(f"{path}: ")
    for folder in (*paths, *(path.parent for path in paths)):
        text = re.sub(rf"(?<!\S){re.escape(f'{folder}{os.sep}')}", "", text)
    return text


def _content(source: Source) -> bytes:
    """Return the bytes that determine the pixels."""
    if isinstance(source, np.ndarray):
        return f"{source.dtype.str}{source.shape}".encode() + source.tobytes()
    return io.fingerprint(source) if _is_volume(source) else io.read_bytes(source)


def _is_volume(source: Source | None) -> bool:
    return isinstance(source, Path) and io.is_volume(source)


def _pixels(source: Source, content: bytes) -> NDArray[Any]:
    return source if isinstance(source, np.ndarray) else io.decode(content, source)


def _of_mask(step: Any, source: Source, *args: Any) -> Any:
    """Do a step of reading for the mask, and say so where it fails."""
    try:
        return step(source, *args)
    except ValueError as error:
        raise ValueError(f"mask: {str(error).removeprefix(f'{source}: ')}") from error
