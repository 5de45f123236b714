"""Rows that earlier runs left: found again by their identity cells, copied byte for byte."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from tumortrace.table._rows import FAILED

_FIELD = rb'(?:(?:"(?:[^"]|"")*"|[^",\n]*),)'
_STATUS = re.compile(rb',(ok|incomplete|failed),(?:"(?:[^"]|"")*"|[^",\n]*)\n\Z')


class Place(NamedTuple):
    """Where a row stands, and what it says of itself."""

    file: int
    offset: int
    length: int
    digest: str
    status: str


class Kept:
    """The rows of earlier tables, finished or interrupted, that have the same columns.

    Only places are held in memory. Of rows with the same identity the one in the last file counts. A line that a
    killed process did not finish is passed over, and so is a failed row: it is tried again.

    Parameters
    ----------
    paths : sequence of Path
        CSV files.
    header : bytes
        The first line that they must have.
    n_identity : int
        How many columns stand before `digest`.
    """

    def __init__(self, paths: Sequence[Path], header: bytes, n_identity: int) -> None:
        self._files: list[IO[bytes]] = []
        self._places: dict[bytes, Place] = {}
        identity = re.compile(rb"(%b{%d})([0-9a-f]{32})," % (_FIELD, n_identity))
        for number, path in enumerate(paths):
            file = path.open("rb")
            self._files.append(file)
            if file.readline() == header:
                self._index(file, number, len(header), identity)

    def _index(self, file: IO[bytes], number: int, offset: int, identity: re.Pattern[bytes]) -> None:
        for record in _records(file):
            start = identity.match(record)
            end = _STATUS.search(record)
            if start and end and end[1] != FAILED.encode():
                self._places[start[1]] = Place(number, offset, len(record), start[2].decode(), end[1].decode())
            offset += len(record)

    def find(self, identity: bytes) -> Place | None:
        """Return where the row with these identity cells is."""
        return self._places.get(identity)

    def read(self, place: Place) -> bytes:
        """Return the row, with its line end."""
        file = self._files[place.file]
        file.seek(place.offset)
        return file.read(place.length)

    def close(self) -> None:
        """Close the files."""
        for file in self._files:
            file.close()


def _records(file: IO[bytes]) -> Iterator[bytes]:
    """Yield lines, joined where a quoted cell holds a line end; not one that has none at its end."""
    record = b""
    for line in file:
        record += line
        if record.count(b'"') % 2 == 0 and record.endswith(b"\n"):
            yield record
            record = b""
