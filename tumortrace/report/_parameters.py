"""Parameters of extractors in words, with those marked that are not the defaults."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tumortrace.table import Settings


def in_words(extractor: str, parameters: Mapping[str, Any]) -> str:
    """Return every parameter but a spacing that is not given.

    Examples
    --------
    >>> in_words("first_order", {"spacing": None, "levels": 64, "bin_width": None})
    'levels = 64 (not the default); bin_width = null'
    """
    usual = {key: json.dumps(value) for key, value in Settings.of([extractor]).parameters[extractor].items()}
    given = {key: json.dumps(value) for key, value in parameters.items()}
    return "; ".join(
        f"{key} = {value}{'' if value == usual.get(key) else ' (not the default)'}"
        for key, value in given.items()
        if (key, value) != ("spacing", "null")
    )
