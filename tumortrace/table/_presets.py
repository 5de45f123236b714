"""Settings that have a name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tumortrace.features import FEATURES
from tumortrace.features._nomenclature import IBSI_FAMILIES

OF_VOLUMES = ("ivh", "local_intensity", "morphology", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm")
"""Extractors that lesion crops are not described with unless asked."""


def _pyradiomics() -> dict[str, Any]:
    from tumortrace.table._pyradiomics import from_pyradiomics

    return from_pyradiomics({})


PRESETS: dict[str, Callable[[], dict[str, Any]]] = {
    "default": lambda: {name: {} for name in FEATURES if name not in OF_VOLUMES},
    "ibsi": lambda: {name: {} for name in FEATURES if name in IBSI_FAMILIES},
    "pyradiomics": _pyradiomics,
    "all": lambda: {name: {} for name in FEATURES},
}
"""Preset → the settings that it stands for: `default` for crops, `ibsi` for its families, `pyradiomics` for what
PyRadiomics computes by default, `all` for every extractor."""
