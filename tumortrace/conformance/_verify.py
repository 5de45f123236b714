"""Compute what there are references for, and compare."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tumortrace import _check
from tumortrace._entry import known
from tumortrace.conformance._check import Check, Reference, read_reference, within
from tumortrace.conformance._configurations import CONFIGURATIONS, DIGITAL_PHANTOM
from tumortrace.features._nomenclature import IBSI_FAMILIES, TERMS

if TYPE_CHECKING:
    from tumortrace.io import Image

_DATA = Path(__file__).parent / "data"
REFERENCE = _DATA / "digital_phantom_reference.csv"

FAMILIES = tuple(IBSI_FAMILIES)
"""The extractors whose features the IBSI defines."""

_OF_CODE = {code: family for family, codes in IBSI_FAMILIES.items() for code in codes}


def digital_phantom() -> Image:
    """Return the digital phantom of the IBSI with its mask: 4 × 4 × 5 voxels of 2 mm, grey levels 1 to 6.

    By Alex Zwanenburg, CC BY 4.0, https://github.com/theibsi/data_sets

    Examples
    --------
    >>> phantom = digital_phantom()
    >>> phantom.array.shape, phantom.spacing, int(phantom.mask.sum())
    ((4, 4, 5), (2.0, 2.0, 2.0), 74)
    """
    from tumortrace.io import Image

    path = _DATA / "digital_phantom.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    return Image(
        np.array(content["image"], dtype=np.int16),
        np.array(content["mask"], dtype=bool),
        tuple(content["spacing"]),
        str(path),
    )


def verify(*, families: Iterable[str] | None = None) -> list[Check]:
    """Compute the features of the digital phantom and compare them with the consensus of the IBSI.

    The numbers come from `tumortrace.table.Settings`, as those of a table do; the consensus is only looked at
    afterwards. A number is right within the tolerance that the IBSI gives, and where it gives none, within half a
    unit of the last of the three digits that it prints.

    Parameters
    ----------
    families : iterable of str, optional
        Only these of `FAMILIES`.

    Returns
    -------
    list of Check
        In the order of the reference manual; 482 of all families.

    Raises
    ------
    ValueError
        If a family is unknown.

    References
    ----------
    Zwanenburg et al. 2020, https://doi.org/10.1148/radiol.2020191145

    Examples
    --------
    >>> checks = verify(families=["ngtdm"])
    >>> checks[0].feature, round(checks[0].computed, 4), checks[0].reference
    ('coarseness', 0.1205, 0.121)
    >>> sum(check.within for check in checks), len(checks)
    (15, 15)
    """
    chosen = _chosen(families)
    return _compare(_computed(digital_phantom(), DIGITAL_PHANTOM, chosen), read_reference(REFERENCE), chosen)


def verify_volume(
    image: Image,
    configuration: str,
    reference: str | Path | None = None,
    *,
    families: Iterable[str] | None = None,
) -> list[Check]:
    """Compute the features of a volume under a configuration of the IBSI, and compare where there are references.

    Parameters
    ----------
    image : Image
        A volume with mask and spacing, in Hounsfield units; they are rounded to whole numbers first, as the IBSI
        does with its CT phantom.
    configuration : {"A", "B", "C", "D", "E"}
        Of `CONFIGURATIONS`.
    reference : str or path, optional
        A table of references as `read_reference` takes it. Without one, `Check.within` is None.
    families : iterable of str, optional
        Only these of `FAMILIES`.

    Returns
    -------
    list of Check
        One per row of the reference, or per feature of the IBSI where there is none.

    Raises
    ------
    ValueError
        If the image has no mask or spacing, a name is unknown, or the reference cannot be read.

    Examples
    --------
    >>> checks = verify_volume(digital_phantom(), "A", families=["local_intensity"])
    >>> [(check.feature, round(check.computed, 2), check.within) for check in checks]
    [('local_intensity_peak', 2.6, None), ('global_intensity_peak', 3.1, None)]
    """
    settings = CONFIGURATIONS[_check.one_of("configuration", configuration, tuple(CONFIGURATIONS))]
    for noun, value in (("mask", image.mask), ("spacing", image.spacing)):
        if value is None:
            raise ValueError(f"{image.source or 'the image'} has no {noun}; the IBSI measures a region in mm")
    chosen = _chosen(families)
    references = None if reference is None else read_reference(reference)
    if image.array.dtype.kind == "f":
        image = replace(image, array=np.rint(image.array))
    computed = _computed(image, settings, chosen)
    return list(computed) if references is None else _compare(computed, references, chosen)


def _chosen(families: Iterable[str] | None) -> tuple[str, ...]:
    chosen = FAMILIES if families is None else tuple(families)
    known(chosen, FAMILIES, "family")
    return chosen


def _computed(image: Image, settings: Sequence[Mapping[str, Any]], families: Sequence[str]) -> Iterator[Check]:
    """Give every feature that the IBSI has a code for, under one settings after another."""
    from tumortrace.table import Settings

    for mapping in settings:
        present = [family for family in families if family in mapping]
        if not present:
            continue
        chosen = Settings.of(mapping, features=present)
        values, _ = chosen.compute(image.array, image.mask, image.spacing, image.direction)
        for column, value in zip(chosen.columns, values.tolist(), strict=True):
            family = next(name for name in present if column.startswith(f"{name}_"))
            feature = column.removeprefix(f"{family}_")
            code = TERMS[family][feature].ibsi if feature in TERMS[family] else ""
            if code:
                aggregation = chosen.parameters[family].get("aggregation", "")
                yield Check(family, aggregation, feature, code, value)


def _compare(computed: Iterable[Check], references: Sequence[Reference], families: Sequence[str]) -> list[Check]:
    """Return a check per reference of the families; what is not computed is not within."""
    found = {(check.ibsi_code, check.aggregation): check for check in computed}
    checks = []
    for reference in references:
        family = _OF_CODE.get(reference.family_code)
        if family is None:
            raise ValueError(
                f"the reference has a family {reference.family_code!r}; the IBSI has {', '.join(_OF_CODE)}"
            )
        if family not in families:
            continue
        missing = Check(family, reference.aggregation, reference.feature, reference.ibsi_code, float("nan"))
        check = found.get((reference.ibsi_code, reference.aggregation), missing)
        checks.append(
            check._replace(
                reference=reference.value,
                tolerance=reference.tolerance,
                consensus=reference.consensus,
                within=within(check.computed, reference.value, reference.tolerance),
            )
        )
    return checks
