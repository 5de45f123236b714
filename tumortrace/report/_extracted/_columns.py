"""What a column of a table of features is, read from its name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from tumortrace.features import FEATURES, STACK_FEATURES
from tumortrace.features._nomenclature import PYRADIOMICS_CLASSES, TERMS
from tumortrace.report._results._words import family

_EXTRACTORS = (*FEATURES, *STACK_FEATURES)
_CLASSES = {**{theirs: ours for ours, theirs in PYRADIOMICS_CLASSES.items()}, "shape2D": "shape"}
_PYRADIOMICS = re.compile(rf"(?P<image>.+)_(?P<group>{'|'.join(_CLASSES)})_(?P<feature>[A-Z0-9]\w*)")
_OURS = {
    (extractor, term.pyradiomics): name
    for extractor, terms in TERMS.items()
    for name, term in terms.items()
    if term.pyradiomics
}
_FAMILIES = {
    "glrlm": "GLRLM", "glszm": "GLSZM", "gldzm": "GLDZM", "ngtdm": "NGTDM", "ngldm": "NGLDM",
    "ivh": "Intensity-volume histogram", "local_intensity": "Local intensity", "morphology": "Morphology",
}  # fmt: skip


class Column(NamedTuple):
    """A feature column: the region and the filter before it, the extractor, and the feature by our name."""

    prefix: str
    extractor: str
    feature: str


def column(name: str) -> Column:
    """Take the name of a column apart; its extractor is "" where it is of none that is known.

    Examples
    --------
    >>> column("ring_5mm__log_2__glcm_contrast")
    Column(prefix='ring_5mm__log_2', extractor='glcm', feature='contrast')
    >>> column("log-sigma-2-0-mm-3D_glcm_Contrast")
    Column(prefix='log-sigma-2-0-mm-3D', extractor='glcm', feature='contrast')
    """
    prefix, _, rest = name.rpartition("__")
    if found := _PYRADIOMICS.fullmatch(rest):
        image, extractor = found["image"], _CLASSES[found["group"]]
        parts = [part for part in (prefix, "" if image == "original" else image) if part]
        return Column("__".join(parts), extractor, _OURS.get((extractor, found["feature"]), found["feature"]))
    extractor = next((known for known in _EXTRACTORS if rest.startswith(f"{known}_")), "")
    return Column(prefix, extractor, rest.removeprefix(f"{extractor}_"))


def called(extractor: str) -> str:
    """Return what a family is called in a text."""
    return _FAMILIES.get(extractor) or family(extractor) or "Others"


def grouped(names: Iterable[str], by: str) -> dict[str, list[str]]:
    """Group columns by a field of `Column`, in the order in which the groups first occur."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(getattr(column(name), by), []).append(name)
    return groups
