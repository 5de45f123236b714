"""Handcrafted-feature radiomics: fast named features, one table, honest comparison.

Importing `tumortrace` loads nothing heavy; each public name is imported when it is first used.
Research software, no medical device.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from tumortrace.table import FeatureExtractor, extract

_HOME = {"extract": "tumortrace.table", "FeatureExtractor": "tumortrace.table"}

__all__ = ["FeatureExtractor", "__version__", "extract"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'tumortrace' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
