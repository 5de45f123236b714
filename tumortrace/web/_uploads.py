"""The folder of uploads: private, bounded, and emptied."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LARGEST_FOLDER = 1000**3
"""Bytes of all uploads and downloads that are there at a time."""
KEPT_SECONDS = 3600.0
"""How long one is kept."""


@contextmanager
def private_folder() -> Iterator[Path]:
    """Make a temporary folder that no other user of the machine can read, and remove it afterwards."""
    with tempfile.TemporaryDirectory(prefix="tumortrace-demo-", ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve()


class Uploads:
    """What lies in a folder of uploads and downloads.

    Parameters
    ----------
    folder : Path
        It is there. What it holds already belongs to the page and is kept.
    """

    def __init__(self, folder: Path):
        self.folder, self._since = folder.resolve(), time.time()

    def holds(self, name: str) -> bool:
        """Return whether an absolute path leads into the folder, links and ``..`` followed."""
        try:
            return Path(name).is_absolute() and Path(name).resolve().is_relative_to(self.folder)
        except (OSError, ValueError):  # no path at all, or a circle of links
            return False

    def has_room(self) -> bool:
        """Remove what is older than `KEPT_SECONDS` and return whether the rest leaves room for an upload."""
        size, oldest = 0, time.time() - KEPT_SECONDS
        for parent, _, names in os.walk(self.folder):
            for path in (Path(parent, name) for name in names):
                try:
                    facts = path.stat(follow_symlinks=False)
                    if self._since < facts.st_mtime < oldest:
                        path.unlink()
                    else:
                        size += facts.st_size
                except FileNotFoundError:  # removed meanwhile
                    continue
        return size <= LARGEST_FOLDER
