"""What an extractor may be told: the parameters in its signature, checked, with their defaults."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from tumortrace._entry import known
from tumortrace.features import FEATURES

_NUMBER = re.compile(r"[-+]?[0-9]*\.?[0-9]+[eE][-+]?[0-9]+")

MORPHOLOGICAL = "morphological_mask"
"""The keyword of extractors that need the mask before re-segmentation too; it is no parameter of a user."""


def resolved(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return every parameter of an extractor, as given or by default."""
    of_name = defaults(name)
    known(given, of_name, f"parameter of {name}")
    return {key: plain(given[key]) if key in given else default for key, default in of_name.items()}


def defaults(name: str) -> dict[str, Any]:
    """Return parameter → default of an extractor: what is keyword-only in its signature."""
    parameters = inspect.signature(FEATURES[name]).parameters.values()
    return {p.name: plain(p.default) for p in parameters if p.kind is p.KEYWORD_ONLY and p.name != MORPHOLOGICAL}


def takes(name: str, keyword: str) -> bool:
    """Say whether an extractor has a keyword."""
    return keyword in inspect.signature(FEATURES[name]).parameters


def plain(value: Any) -> Any:
    """Return sequences as tuples, and ``1e-3`` as the number that YAML 1.1 does not see in it."""
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return tuple(map(plain, value))
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value)
    return value


def in_one_line(error: Exception) -> str:
    """Return what an error says, and its kind where that is unusual."""
    text = " ".join(str(error).split())
    if text and isinstance(error, ValueError | TypeError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
