"""Write a table: rows as they come to a part file, the finished table into place at once, a record beside it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tumortrace.table import _parquet
from tumortrace.table._kept import Kept
from tumortrace.table._pool import run
from tumortrace.table._record import write_record
from tumortrace.table._rows import FAILED, INCOMPLETE, Computes, Format, cells
from tumortrace.table._source import AFTER_IDENTITY, LAST, Images

ENDINGS = (".csv", ".parquet")


@dataclass(frozen=True)
class Summary:
    """What a run did.

    Parameters
    ----------
    path : Path
        The table. Beside it lies ``<path>.json`` with versions and settings.
    rows, computed, reused : int
        Rows of the table; how many of them this run computed, and how many it took from an earlier one.
    incomplete : int
        Rows with some features undefined; their `error` says why.
    failed : int
        Rows of images that could not be read or were refused: no features.
    skipped : tuple of (str, str)
        Files of the source that are in no row, and why.
    problems : tuple of str
        What looks wrong with the data set as a whole.
    columns : int
        How many feature columns the table has.
    """

    path: Path
    rows: int
    computed: int
    reused: int
    incomplete: int
    failed: int
    skipped: tuple[tuple[str, str], ...] = ()
    problems: tuple[str, ...] = ()
    columns: int = 0


def write_table(
    images: Images, compute: Computes, out: Path, *, jobs: int | None, resume: bool, progress: bool
) -> Summary:
    """Extract to a file; see `extract`."""
    check_target(out)
    settings = compute.settings
    header = cells([*images.identity.columns, AFTER_IDENTITY, *settings.columns, *LAST])
    kept = Kept(_earlier(out) if resume else [], header, images.identity.shape[1])
    part = _free_part(out)
    counts: Counter[str] = Counter()
    with closing(kept), part.open("xb") as file:
        file.write(header)
        bar = progress_bar(len(images), progress, compute.unit)
        with closing(_lines(images, compute, kept, jobs)) as lines, bar:
            for line, status, reused in lines:
                file.write(line)
                file.flush()  # a row that is computed outlives the process
                counts[status] += 1
                counts["reused"] += reused
                bar.update()
    if out.suffix == ".parquet":
        _parquet.from_csv(part, out, {str(k): v for k, v in images.identity.dtypes.items()}, settings.columns)
    else:
        part.replace(out)
    for path in _parts(out):
        path.unlink()
    summary = Summary(
        path=out,
        rows=len(images),
        computed=len(images) - counts["reused"],
        reused=counts["reused"],
        incomplete=counts[INCOMPLETE],
        failed=counts[FAILED],
        skipped=images.skipped,
        problems=images.problems,
        columns=len(settings.columns),
    )
    write_record(summary, images, settings)
    return summary


def progress_bar(total: int, shown: bool, unit: str) -> Any:
    """Return a progress bar on stderr, with rate and remaining time."""
    from tqdm import tqdm

    return tqdm(total=total, unit=unit, disable=not shown, smoothing=0.1, mininterval=0.2)


def _lines(images: Images, compute: Computes, kept: Kept, jobs: int | None) -> Generator[tuple[bytes, str, bool]]:
    """Yield each row as CSV, its status, and whether it is an earlier one."""
    places = ((item, kept.find(item.identity)) for item in images.items())
    items = (item if place is None else item._replace(digest=place.digest) for item, place in places)
    with closing(run(Format(compute), items, len(images), jobs)) as results:
        for item, result in results:
            if result is not None:
                yield result[1], result[0], False
            elif place := kept.find(item.identity):
                yield kept.read(place), place.status, True


def check_target(out: Path) -> None:
    """Find what would stop the table from being written, before the work."""
    if out.suffix not in ENDINGS:
        raise ValueError(f"{out}: a table ends in {' or '.join(ENDINGS)}")
    if not out.parent.is_dir():
        raise FileNotFoundError(f"{out.parent}: does not exist; make the folder first")
    if out.is_dir():
        raise IsADirectoryError(f"{out}: is a folder; give a file")
    if out.suffix == ".parquet":
        _parquet.require()


def _earlier(out: Path) -> list[Path]:
    """Return the CSV files that may hold rows: the finished table, then what interrupted runs left."""
    parts = _parts(out)
    if not out.exists():
        return parts
    if out.suffix == ".csv":
        return [out, *parts]
    part = _free_part(out)
    _parquet.to_csv(out, part)
    return [part, *parts]


def _parts(out: Path) -> list[Path]:
    """Return the part files beside a table, in the order in which they were begun."""
    pattern = re.compile(re.escape(out.name) + r"\.part(\d+)")
    found = [(int(match[1]), path) for path in out.parent.iterdir() if (match := pattern.fullmatch(path.name))]
    return [path for _, path in sorted(found)]


def _free_part(out: Path) -> Path:
    """Return the part file after the last one: no earlier run is overwritten before the table is in place."""
    parts = _parts(out)
    number = int(parts[-1].suffix.removeprefix(".part")) + 1 if parts else 1
    return out.with_name(f"{out.name}.part{number}")
