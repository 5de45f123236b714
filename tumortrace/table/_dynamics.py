"""From a dynamic series to its numbers: kinetics, texture of each phase, and how it changes between phases."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tumortrace
from tumortrace import _check
from tumortrace.features import kinetics
from tumortrace.io import Image
from tumortrace.table._parameters import in_one_line
from tumortrace.table._pipeline import FORM
from tumortrace.table._presets import PRESETS
from tumortrace.table._settings import Settings

DELTAS = ("first", "previous", "none")
"""What the numbers of a phase are compared with."""

TEXTURE = tuple(name for name in PRESETS["ibsi"]() if name not in FORM)
"""What phases are described with unless told otherwise: the mask is one, and so is its form."""

_FEWEST_PHASES = 3
_FROM_SERIES = ("spacing", "times")

Numbers = tuple[NDArray[np.float64], str]


@dataclass(frozen=True)
class Dynamics:
    """What is computed of a series, checked.

    Parameters
    ----------
    settings : Settings
        Of the texture, and of the mask.
    phases : tuple of int
        The numbers of the phases, growing; the first is the one before contrast.
    texture : bool
        Whether to compute texture of each phase.
    kinetics : mapping or None
        Parameters of `features.kinetics`; None for no kinetics.
    delta : {"first", "previous", "none"}
        Which phase each is compared with.
    relative : bool
        Whether to divide differences by what they are from, too.
    times : tuple of float or None
        Seconds, one for each phase, in place of what the series says.
    """

    settings: Settings
    phases: tuple[int, ...]
    texture: bool = True
    kinetics: Mapping[str, Any] | None = None
    delta: str = "first"
    relative: bool = False
    times: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if any(b <= a for a, b in zip(self.phases, self.phases[1:], strict=False)):
            raise ValueError(f"phases are {_words(self.phases)}; give numbers that grow, from 0 on")
        if self.kinetics is not None:
            if len(self.phases) < _FEWEST_PHASES:
                raise ValueError(
                    f"there are {len(self.phases)} phases, and kinetics needs {_FEWEST_PHASES}: one before "
                    "contrast and two after; choose more, or no kinetics"
                )
            taken = [name for name in _FROM_SERIES if name in self.kinetics]
            if taken:
                raise ValueError(f"kinetics is given {taken[0]}, which belongs to the series; leave it out")
        if self.times is not None:
            check_times(self.times, self.phases)
        _check.one_of("delta", self.delta, DELTAS)
        self.columns  # noqa: B018  a parameter that is not valid is found before the work

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of the numbers: ``kinetics_…``, ``phase_<k>__…``, ``delta_<k>_<j>__…``, ``relative_<k>_<j>__…``."""
        names = [f"kinetics_{name}" for name in self._kinetics_names]
        if self.texture:
            prefixes = [f"phase_{k}" for k in self.phases]
            for kind in ("delta", "relative") if self.relative else ("delta",):
                prefixes += [f"{kind}_{self.phases[k]}_{self.phases[j]}" for k, j in self._pairs]
            names += [f"{prefix}__{name}" for prefix in prefixes for name in self.settings.columns]
        return tuple(names)

    @cached_property
    def content(self) -> dict[str, Any]:
        """What determines the numbers: the settings of the texture and the mask, and below `series` the rest."""
        settings = self.settings.content
        if not self.texture:
            settings = {name: section for name, section in settings.items() if name == "mask"}
        series = {
            "phases": list(self.phases),
            "times": None if self.times is None else list(self.times),
            "texture": self.texture,
            "kinetics": None if self.kinetics is None else {**_usual_kinetics(), **self.kinetics},
            "delta": self.delta,
            "relative": self.relative,
        }
        return {**settings, "series": series}

    @cached_property
    def hash(self) -> str:
        """32 hex digits over what determines the numbers."""
        content = {"tumortrace": tumortrace.__version__, **self.content}
        return blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=16).hexdigest()

    @property
    def deviations(self) -> list[str]:
        """Where the texture leaves the IBSI; of kinetics it says nothing."""
        return self.settings.deviations if self.texture else []

    def compute(self, series: Image, places: Sequence[int]) -> Numbers:
        """Return the numbers of a series in the order of `columns`, and why some are NaN.

        Parameters
        ----------
        series : Image
            Its array has the phases first.
        places : sequence of int
            Where each of `phases` is on that axis.

        Raises
        ------
        ValueError
            If kinetics needs times and there are none, or they do not grow.
        """
        blocks: list[NDArray[np.float64]] = []
        reasons: list[str] = []

        def add(name: str, n: int, function: Callable[..., Numbers], *args: Any) -> NDArray[np.float64]:
            try:
                values, reason = function(*args)
            except ValueError as error:
                values, reason = np.full(n, np.nan), in_one_line(error)
            blocks.append(values)
            if reason:
                reasons.append(f"{name}: {reason}")
            return values

        if self.kinetics is not None:
            times = self._times(series, places)
            add("kinetics", len(self._kinetics_names), self._kinetics, series, places, times)
        if self.texture:
            n = len(self.settings.columns)
            texture = [
                add(f"phase {k}", n, self._texture, series, place)
                for k, place in zip(self.phases, places, strict=True)
            ]
            for kind in (_difference, _relative) if self.relative else (_difference,):
                for k, j in self._pairs:
                    name = f"relative_{self.phases[k]}_{self.phases[j]}"
                    add(name, n, kind, texture[k], texture[j])
        return np.concatenate(blocks), "; ".join(reasons)

    @cached_property
    def _kinetics_names(self) -> tuple[str, ...]:
        if self.kinetics is None:
            return ()
        return kinetics(np.zeros((len(self.phases), 8, 8)), **self.kinetics).names

    @cached_property
    def _pairs(self) -> list[tuple[int, int]]:
        """Which phases are compared, as places among `phases`: a later one, and the one it is compared with."""
        if self.delta == "none":
            return []
        return [(k, 0 if self.delta == "first" else k - 1) for k in range(1, len(self.phases))]

    def _times(self, series: Image, places: Sequence[int]) -> Sequence[float]:
        if self.times is not None:
            return self.times
        if series.times is None:
            raise ValueError(
                "the series does not say when its phases were taken, which kinetics needs; give the seconds "
                "(times, or a column Time), or no kinetics"
            )
        times = [series.times[place] for place in places]
        check_times(times, self.phases)
        return times

    def _kinetics(self, series: Image, places: Sequence[int], times: Sequence[float]) -> Numbers:
        """Describe the phases within the box around the mask: only that becomes float64."""
        box = (...,) if series.mask is None else _box(series.mask)
        stack = np.stack([series.array[place][box] for place in places])
        mask = None if series.mask is None else series.mask[box]
        assert self.kinetics is not None
        vector = kinetics(stack, mask, spacing=series.spacing, times=times, **self.kinetics)
        return np.asarray(vector), vector.reason

    def _texture(self, series: Image, place: int) -> Numbers:
        return self.settings.compute(
            series.array[place], series.mask, series.spacing, series.direction, series.origin
        )


def _usual_kinetics() -> dict[str, Any]:
    """Return the parameters of `features.kinetics` that do not come from the series."""
    parameters = inspect.signature(kinetics).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in _FROM_SERIES}


def check_times(times: Sequence[float], phases: Sequence[int]) -> None:
    """Find what is wrong with the times of phases."""
    if len(times) != len(phases):
        raise ValueError(f"there are {len(times)} times for {len(phases)} phases; give one for each")
    if not (np.isfinite(times).all() and (np.diff(times) > 0).all()):
        raise ValueError(f"the times of the phases are {_words(times)}; give seconds that grow")


def _box(mask: NDArray[np.bool_]) -> tuple[slice, ...]:
    from scipy.ndimage import find_objects

    found = find_objects(np.asarray(mask, dtype=bool).view(np.uint8))
    if not found or found[0] is None:
        raise ValueError("mask is empty: no voxel is inside; give a mask that is non-zero somewhere")
    return tuple(found[0])


def _difference(later: NDArray[np.float64], earlier: NDArray[np.float64]) -> Numbers:
    with np.errstate(invalid="ignore"):  # of two infinite numbers
        return later - earlier, ""


def _relative(later: NDArray[np.float64], earlier: NDArray[np.float64]) -> Numbers:
    with np.errstate(invalid="ignore"):
        change = np.full(len(later), np.nan)
        np.divide(later - earlier, np.abs(earlier), out=change, where=earlier != 0)
    zero = int(np.count_nonzero(earlier == 0))
    return change, f"{zero} features are 0 in the phase that they are compared with" if zero else ""


def _words(numbers: Sequence[float]) -> str:
    return ", ".join(f"{number:g}" for number in numbers)
