"""The settings of the IBSI: of its digital phantom, and the configurations A to E of its CT phantom.

Reference: Zwanenburg et al. 2020, https://doi.org/10.1148/radiol.2020191145, reference manual, chapter on reference
data sets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_OF_DIRECTIONS = ("glcm", "glrlm")
_OF_NEIGHBOURS = ("glszm", "gldzm", "ngtdm", "ngldm")

_IN_SLICES = (
    ("2.5d_volume_merge", "2.5d"),
    ("2d_average", "2d"),
    ("2d_slice_merge", ""),
    ("2.5d_direction_merge", ""),
)
_IN_VOLUME = (("3d_volume_merge", "3d"), ("3d_average", ""))


def _settings(
    preprocess: Mapping[str, Any],
    bins: Mapping[str, Any],
    ivh: Mapping[str, Any],
    aggregations: Sequence[tuple[str, str]],
) -> tuple[dict[str, Any], ...]:
    """Return settings, one per aggregation of the families of directions; the first have every family."""
    found: list[dict[str, Any]] = []
    for of_directions, of_neighbours in aggregations:
        one: dict[str, Any] = {"preprocess": dict(preprocess)} if preprocess else {}
        if not found:
            one |= {
                "first_order": dict(bins),
                "ivh": dict(ivh),
                "local_intensity": {},
                "morphology": {"enclosing": True},
            }
        one |= {name: {**bins, "aggregation": of_directions} for name in _OF_DIRECTIONS}
        if of_neighbours:
            one |= {name: {**bins, "aggregation": of_neighbours} for name in _OF_NEIGHBOURS}
        found.append(one)
    return tuple(found)


DIGITAL_PHANTOM = _settings({}, {"bin_width": 1}, {"bin_width": 1}, (*_IN_VOLUME, *_IN_SLICES))
"""Settings for the digital phantom: its grey levels as they are, in every aggregation."""

_RESAMPLED = {"spacing": 2, "interpolation": "linear", "rounding": "nearest"}

CONFIGURATIONS: dict[str, tuple[dict[str, Any], ...]] = {
    "A": _settings({"range": [-500, 400]}, {"bin_width": 25}, {"bin_width": 1}, _IN_SLICES),
    "B": _settings(
        {**_RESAMPLED, "spacing": [0, 2, 2], "range": [-500, 400]}, {"levels": 32}, {"bin_width": 1}, _IN_SLICES
    ),
    "C": _settings({**_RESAMPLED, "range": [-1000, 400]}, {"bin_width": 25}, {"bin_width": 2.5}, _IN_VOLUME),
    "D": _settings({**_RESAMPLED, "outliers": 3}, {"levels": 32}, {"bin_width": 1}, _IN_VOLUME),
    "E": _settings(
        {**_RESAMPLED, "interpolation": "cubic", "range": [-1000, 400], "outliers": 3},
        {"levels": 32},
        {"levels": 1000},
        _IN_VOLUME,
    ),
}
"""Configuration of the IBSI → settings for its CT phantom, as `tumortrace.table.Settings.of` takes them.

The first settings of each have every family, with matrices merged; the others have the further aggregations. A and
B work slice by slice, C to E in the volume. Intensities are whole Hounsfield units.
"""
