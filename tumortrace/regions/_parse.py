"""Regions as entries of settings: checked, named, and derived."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tumortrace import _check
from tumortrace._entry import Entry, expand, known, words
from tumortrace.regions._masks import Mask, contralateral, core, lesion, rim, ring

REGIONS: dict[str, Callable[..., Mask]] = {
    "lesion": lesion,
    "rim": rim,
    "core": core,
    "ring": ring,
    "contralateral": contralateral,
    "versus_contralateral": contralateral,
}
"""Name → region."""

DIFFERENCES = ("versus_contralateral",)
"""Regions that stand for a comparison: the features of the lesion minus those of the region."""

_SUPPLIED = ("spacing", "direction", "body")


def parse(entry: Any) -> tuple[Entry, ...]:
    """Return the regions that an entry of the settings stands for, checked, with every parameter.

    Parameters
    ----------
    entry : str or dict
        A name (``"lesion"``), or one name with parameters (``{"ring": {"width": [3, 5], "gap": 1}}``). A parameter
        that is a list stands for a region for each of its values. `axis` of the contralateral region may be left
        out: it is found from the direction of the image.

    Raises
    ------
    ValueError
        If a name, a parameter or a value is not valid; the message lists the valid ones.

    Examples
    --------
    >>> [label(*region) for region in parse({"ring": {"width": [3, 5], "gap": 1}})]
    ['ring_3mm_gap_1mm', 'ring_5mm_gap_1mm']
    """
    regions = expand(entry, REGIONS, "region", _SUPPLIED)
    for name, parameters in regions:
        try:
            _check_parameters(**parameters)
        except ValueError as error:
            raise ValueError(f"region {name}: {error}") from error
    return regions


def label(name: str, parameters: Mapping[str, Any]) -> str:
    """Return the column prefix of a region.

    Examples
    --------
    >>> label("rim", {"width": 2.5}), label("contralateral", {"axis": None, "plane": 127.5})
    ('rim_2_5mm', 'contralateral_plane_127_5')
    """
    known([name], REGIONS, "region")
    parts = [name]
    if "width" in parameters:
        parts.append(f"{words(float(parameters['width']))}mm")
    if parameters.get("gap"):
        parts.append(f"gap_{words(float(parameters['gap']))}mm")
    parts += [f"{key}_{words(parameters[key])}" for key in ("axis", "plane") if parameters.get(key) is not None]
    return "_".join(parts)


def derive(
    region: Entry,
    mask: ArrayLike,
    *,
    spacing: Sequence[float] | None = None,
    direction: ArrayLike | None = None,
    body: ArrayLike | None = None,
) -> Mask:
    """Return the mask of a region of `parse`.

    Parameters
    ----------
    region : Entry
        ``(name, parameters)``.
    mask, spacing
        Of the lesion.
    direction : array_like, shape (3, 3), optional
        Of the image, for the contralateral region; its `axis` goes before it.
    body : array_like, same shape as `mask`, optional
        Keep rings and contralateral regions to this mask.

    Raises
    ------
    ValueError
        If the region is empty, or where left and right are is not known.
    """
    name, parameters = region
    given = {"spacing": spacing, "direction": direction, "body": body}
    takes = inspect.signature(REGIONS[name]).parameters
    return REGIONS[name](mask, **{key: value for key, value in given.items() if key in takes}, **parameters)


def _check_parameters(
    width: float = 1.0, gap: float = 0.0, axis: int | None = None, plane: float | None = None
) -> None:
    _check.positive("width", width)
    if gap != 0:
        _check.positive("gap", gap)
    if axis is not None:
        _check.integer("axis", axis, 0, 2)
    if plane is not None and (
        isinstance(plane, bool) or not isinstance(plane, int | float) or not np.isfinite(plane)
    ):
        raise ValueError(f"plane is {plane!r}; give a position along the axis in voxels")
