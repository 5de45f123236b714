"""The phases of a dynamic series: which images belong to which, and when each was taken."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tumortrace.io._dicom_plane import Plane
from tumortrace.io._dicom_stack import slots
from tumortrace.io._error import ImageError

NUMBERS = ("TemporalPositionIdentifier", "TemporalPositionTimeOffset", "AcquisitionNumber", "TriggerTime")
"""Attributes that have one value in each phase, in the order in which they are tried."""

TIMES = ("TriggerTime", "AcquisitionTime", "ContentTime")
"""Attributes that grow from slice to slice and phase to phase, in the order in which they are tried."""

CLOCKS = ("TemporalPositionTimeOffset", "TriggerTime", "AcquisitionTime")
"""Attributes that say when a phase was taken, in the order in which they are tried."""

_DAY = 86_400.0


class Phases(NamedTuple):
    """The phases of a series in their order, the attribute that told them apart, and their times in seconds."""

    planes: list[list[Plane]]
    by: str
    times: tuple[float, ...] | None


def split(planes: Sequence[Plane], where: object) -> Phases:
    """Split the planes of a series into phases.

    Where every place along the normal holds one plane, there is one phase. Where places hold several, the first
    attribute that parts the planes into volumes of the same places tells the phases apart: temporal position
    (`TemporalPositionIdentifier`, in a multi-frame file `TemporalPositionIndex`; `TemporalPositionTimeOffset`),
    acquisition (`AcquisitionNumber`), `TriggerTime`, each with one value for each phase; else the times at which
    the planes of each place were taken (`TriggerTime`, `AcquisitionTime`, `ContentTime`), if all of one phase come
    before all of the next.

    Raises
    ------
    ImageError
        If the planes are no whole number of volumes: some are missing in a phase, or there are duplicates.
    """
    place = slots(planes)
    count = np.bincount(place)
    if count.max() == 1:
        _refuse_parts(planes, where)
        return Phases([list(planes)], "", None)
    for attributes, order in ((NUMBERS, _by_value), (TIMES, _by_rank)):
        for name in attributes:
            values = _values(planes, name)
            phase = None if values is None else order(values, place)
            if phase is not None:
                return _phases(planes, phase, name, where)
    raise _no_phases(planes, place, where)


def _values(planes: Sequence[Plane], name: str) -> NDArray[np.float64] | None:
    """Return an attribute of all planes; None where one has none or all have the same."""
    if any(name not in plane.moments for plane in planes):
        return None
    values = np.array([plane.moments[name] for plane in planes])
    if values.max() < _DAY:  # times of a day without a date may have passed midnight
        values = values + _DAY * (values < values.max() - _DAY / 2)
    return values if values.max() > values.min() else None


def _by_value(values: NDArray[np.float64], place: NDArray[np.intp]) -> NDArray[np.intp] | None:
    """Return the phase of each plane, if each value belongs to one plane at every place."""
    phase = np.unique(values, return_inverse=True)[1]
    table = np.zeros((phase.max() + 1, place.max() + 1), dtype=np.intp)
    np.add.at(table, (phase, place), 1)
    return phase if (table == 1).all() else None


def _by_rank(values: NDArray[np.float64], place: NDArray[np.intp]) -> NDArray[np.intp] | None:
    """Return the phase of each plane as its rank among those of its place, if phases follow one another."""
    count = np.bincount(place)
    if count.min() != count.max():
        return None
    order = np.lexsort((values, place)).reshape(len(count), -1)  # row: place, column: rank
    taken = values[order]
    if not (taken.max(axis=0)[:-1] < taken.min(axis=0)[1:]).all():
        return None
    phase = np.empty(len(values), dtype=np.intp)
    phase[order] = np.arange(order.shape[1])
    return phase


def _phases(planes: Sequence[Plane], phase: NDArray[np.intp], name: str, where: object) -> Phases:
    """Return the phases in their order, with their times."""
    parts = [[planes[i] for i in np.flatnonzero(phase == k).tolist()] for k in range(int(phase.max()) + 1)]
    for clock in CLOCKS:
        values = _values(planes, clock)
        if values is None:
            continue
        times = np.array([values[phase == k].min() for k in range(len(parts))])
        if (np.diff(times) <= 0).any():
            raise ImageError(
                f"{where}: its phases by {name} do not follow one another by {clock}; the order of the phases is "
                "not known"
            )
        return Phases(parts, name, tuple(float(round(t, 6)) for t in times - times[0]))
    step = parts[0][0].step
    return Phases(parts, name, tuple(step * k for k in range(len(parts))) if step else None)


def _refuse_parts(planes: Sequence[Plane], where: object) -> None:
    """Refuse planes that are parts of several phases, though no two of them lie at one place."""
    values = _values(planes, "TemporalPositionIdentifier")
    if values is not None:
        raise ImageError(
            f"{where}: holds parts of {len(set(values))} phases (by TemporalPositionIdentifier) and no phase as a "
            "whole; add the slices that are missing"
        )


def _no_phases(planes: Sequence[Plane], place: NDArray[np.intp], where: object) -> ImageError:
    """Return the error of planes that lie at one place and are no phases."""
    count = np.bincount(place)
    usual = Counter(count.tolist()).most_common(1)[0][0]
    odd = int(np.flatnonzero(count != usual)[0]) if (count != usual).any() else 0
    names = [plane.path.name for plane, at in zip(planes, place, strict=True) if at == odd]
    depth = f"place {odd + 1} of {len(count)}"
    if count.min() == count.max():
        return ImageError(
            f"{where}: {count[0]} images lie at each place, and no attribute tells them apart as phases (at "
            f"{depth}: {_shown(names)}); remove duplicates"
        )
    if usual == 1:
        return ImageError(
            f"{where}: {count[odd]} images lie at the same place ({depth}): {_shown(names)}; remove the duplicate"
        )
    return ImageError(
        f"{where}: a dynamic series of {usual} images at each place has {count[odd]} at {depth}: {_shown(names)}; "
        "add what is missing or remove what is too much"
    )


def _shown(names: list[str], most: int = 4) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
