"""Images and settings to one table of features, in parallel, resumable, with a record of how it was made."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tumortrace.table._describe import describe, template
from tumortrace.table._extract import extract
from tumortrace.table._groups import column_groups
from tumortrace.table._pool import WorkerDied
from tumortrace.table._presets import PRESETS
from tumortrace.table._pyradiomics import from_pyradiomics
from tumortrace.table._series import extract_series
from tumortrace.table._settings import Settings
from tumortrace.table._slices import extract_slices
from tumortrace.table._wide import feature_columns, widen
from tumortrace.table._write import Summary

if TYPE_CHECKING:
    from tumortrace.table._transformer import FeatureExtractor

__all__ = [
    "PRESETS",
    "FeatureExtractor",
    "Settings",
    "Summary",
    "WorkerDied",
    "column_groups",
    "describe",
    "extract",
    "extract_series",
    "extract_slices",
    "feature_columns",
    "from_pyradiomics",
    "template",
    "widen",
]


def __getattr__(name: str) -> Any:
    if name == "FeatureExtractor":  # scikit-learn takes a second to import
        return import_module("tumortrace.table._transformer").FeatureExtractor
    raise AttributeError(f"module 'tumortrace.table' has no attribute {name!r}")
