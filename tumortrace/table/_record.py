"""The record beside a table: from what, with which settings and versions it was made."""

from __future__ import annotations

import json
import platform
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tumortrace
from tumortrace.table._rows import Recipe
from tumortrace.table._source import Images

if TYPE_CHECKING:
    from tumortrace.table._write import Summary

_LIBRARIES = ("numpy", "scipy", "numba", "pillow", "pandas", "orjson")
_OF_VOLUMES = ("nibabel", "pynrrd", "pydicom", "PyWavelets")


def record_path(table: Path) -> Path:
    """Return where the record of a table is: ``features.csv`` → ``features.csv.json``."""
    return table.with_name(table.name + ".json")


def write_record(summary: Summary, images: Images, settings: Recipe) -> None:
    """Write the record of a table of images."""
    content: dict[str, Any] = {
        "table": summary.path.name,
        "source": images.name,
        "root": str(images.root.absolute()),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "settings_hash": settings.hash,
        "settings": settings.content,
        "deviations_from_ibsi": settings.deviations,
        "identity_columns": list(images.identity.columns),
        "feature_columns": len(settings.columns),
        "rows": summary.rows,
        "computed": summary.computed,
        "reused": summary.reused,
        "incomplete": summary.incomplete,
        "failed": summary.failed,
        "skipped": [{"path": path, "reason": reason} for path, reason in summary.skipped],
        "problems": list(summary.problems),
    }
    put(record_path(summary.path), content)


def put(target: Path, content: dict[str, Any]) -> None:
    """Write a record; it goes into place at once."""
    draft = target.with_name(target.name + ".new")
    draft.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(target)


def versions() -> dict[str, str]:
    """Return the versions that numbers may depend on."""
    libraries = {name: version(name) for name in _LIBRARIES}
    for name in _OF_VOLUMES:
        with suppress(PackageNotFoundError):  # of the extra `medical`
            libraries[name] = version(name)
    return {"tumortrace": tumortrace.__version__, "python": platform.python_version(), **libraries}
