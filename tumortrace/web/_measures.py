"""The features of a region, under the names and codes of the IBSI."""

from __future__ import annotations

import csv
import io as _io
import math
from dataclasses import dataclass
from typing import NamedTuple

from tumortrace.features._nomenclature import PYRADIOMICS_CLASSES, TERMS
from tumortrace.web._volumes import Volume

PRESETS = {"ibsi": "IBSI", "pyradiomics": "PyRadiomics"}
"""Settings to choose from, and what to call them."""


_FAMILIES = {
    "first_order": "Intensity statistics and histogram",
    "firstorder": "First order",
    "ivh": "Intensity-volume histogram",
    "local_intensity": "Local intensity",
    "morphology": "Morphology",
    "shape": "Shape",
    "gldm": "GLDM: dependences of grey levels",
    "glcm": "GLCM: co-occurrence of grey levels",
    "glrlm": "GLRLM: runs of grey levels",
    "glszm": "GLSZM: zones of grey levels",
    "gldzm": "GLDZM: distances of zones",
    "ngtdm": "NGTDM: tone differences of neighbours",
    "ngldm": "NGLDM: dependences of neighbours",
}


class Measure(NamedTuple):
    """One feature: its column, its family, what the family calls it, its code in the IBSI manual, and its value."""

    column: str
    family: str
    name: str
    code: str
    value: float


@dataclass(frozen=True)
class Measures:
    """The features of a region.

    Parameters
    ----------
    rows : tuple of Measure
        In the order of `tumortrace.table.Settings.columns`.
    reason : str
        Why some have no value.
    deviations : tuple of str
        Where the settings leave the IBSI.
    """

    rows: tuple[Measure, ...]
    reason: str
    deviations: tuple[str, ...]

    @property
    def families(self) -> dict[str, list[Measure]]:
        """The features by family, as it is called on the page."""
        found: dict[str, list[Measure]] = {}
        for row in self.rows:
            found.setdefault(_FAMILIES[row.family], []).append(row)
        return found

    @property
    def leaves(self) -> list[str]:
        """Where the settings leave the IBSI, what several families have in common once."""
        found: dict[str, list[str]] = {}
        for sentence in self.deviations:
            name, _, said = sentence.partition(": ")
            found.setdefault(said, []).append(name)
        return [f"{', '.join(names)}: {said}" for said, names in found.items()]

    @property
    def csv(self) -> bytes:
        """The table as CSV: ``feature,family,ibsi_code,value``, with every digit; empty where there is no value."""
        text = _io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["feature", "family", "ibsi_code", "value"])
        for row in self.rows:
            writer.writerow([row.column, row.family, row.code, "" if math.isnan(row.value) else repr(row.value)])
        return text.getvalue().encode()


def measures(volume: Volume, preset: str) -> Measures:
    """Compute the features of a region of a volume, as `tumortrace extract` does with a preset.

    Raises
    ------
    ValueError
        If there is no such preset, or an extractor refuses the region.
    """
    from tumortrace.table import Settings

    settings = Settings.of(preset=preset)
    image = volume.image
    values, reason = settings.compute(image.array, image.mask, image.spacing, image.direction, image.origin)
    named = _theirs if settings.sections.get("names") else _ours
    rows = tuple(
        Measure(column, *named(column), float(value))
        for column, value in zip(settings.columns, values, strict=True)
    )
    return Measures(rows, reason, tuple(settings.deviations))


def _ours(column: str) -> tuple[str, str, str]:
    """Return family, name and code of a column of ours."""
    family = next(name for name in TERMS if column.startswith(f"{name}_"))
    name = column.removeprefix(f"{family}_")
    term = TERMS[family].get(name)
    return family, name.replace("_", " "), "" if term is None else term.ibsi


def _theirs(column: str) -> tuple[str, str, str]:
    """Return class, name and code of a column of PyRadiomics; no code where it defines the feature differently."""
    _, family, name = column.split("_", 2)
    families = [ours for ours, theirs in PYRADIOMICS_CLASSES.items() if theirs == family]
    terms = [term for ours in families for term in TERMS[ours].values()]
    return family, name, next((term.ibsi for term in terms if term.pyradiomics == name), "")
