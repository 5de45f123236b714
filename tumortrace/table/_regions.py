"""The regions around a mask that settings name, each a block of columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tumortrace import regions
from tumortrace._entry import Entry
from tumortrace.table._place import Place

Numbers = tuple[NDArray[np.float64], str]
Measure = Callable[[NDArray[Any], "NDArray[Any] | None", Place], Numbers]


class Region(NamedTuple):
    """A derived region, the prefix of its columns, and whether they are the lesion's numbers less its own."""

    entry: Entry
    prefix: str
    difference: bool


def parse(entries: Sequence[Any]) -> list[Region | None]:
    """Return the regions that a list in the settings stands for; None is the lesion."""
    found: list[Region | None] = []
    for entry in (parsed for given in entries for parsed in regions.parse(given)):
        if entry.name == "lesion":
            found.append(None)
        else:
            prefix = regions.label(*entry)
            found.append(Region(entry, prefix, entry.name in regions.DIFFERENCES))
    names = [region.prefix if region else "lesion" for region in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"settings: the region {twice[0]} is there more than once; remove one")
    return found


def each(
    measure: Measure,
    wanted: Sequence[Region | None],
    n_columns: int,
    image: NDArray[Any],
    mask: NDArray[Any] | None,
    place: Place,
    *,
    in_body: bool,
) -> Numbers:
    """Measure one region after another; one that does not exist in this image has NaN, and the reason.

    `n_columns` is the number of columns of a region. With `in_body`, rings and mirrored regions are kept to the
    body, which is found in the image.
    """
    if mask is None:
        raise ValueError("regions: there is no mask to derive them from; give one")
    body = regions.body(image) if in_body else None
    lesion: Numbers | None = None
    values, reasons = [], []
    for region in wanted:
        if lesion is None and (region is None or region.difference):
            lesion = measure(image, mask, place)
        if region is None:
            assert lesion is not None
            found, reason = lesion
        else:
            found, reason = _derived(measure, region, n_columns, image, mask, place, body)
            if region.difference:
                assert lesion is not None
                found = lesion[0] - found
        values.append(found)
        if reason:
            reasons.append(f"{region.prefix}: {reason}" if region else reason)
    return np.concatenate(values), "; ".join(reasons)


def _derived(
    measure: Measure,
    region: Region,
    n_columns: int,
    image: NDArray[Any],
    mask: NDArray[Any],
    place: Place,
    body: NDArray[np.bool_] | None,
) -> Numbers:
    try:
        derived = regions.derive(region.entry, mask, spacing=place.spacing, direction=place.direction, body=body)
        return measure(image, derived, place)
    except ValueError as error:
        return np.full(n_columns, np.nan), str(error)
