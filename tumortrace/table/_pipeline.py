"""From an image to its numbers: regions, preprocessing, filters, extractors, in the order of IBSI."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tumortrace.features import FEATURES, FeatureVector
from tumortrace.features._region import shared
from tumortrace.table._ahead import compile_ahead
from tumortrace.table._parameters import MORPHOLOGICAL, defaults, in_one_line, takes
from tumortrace.table._place import Place

if TYPE_CHECKING:
    from tumortrace.preprocess import Preprocessing
    from tumortrace.table._regions import Region

FORM = ("shape", "morphology")
"""Extractors of the form of a region: they are not computed again of every filtered image."""

_WINDOW = 6  # voxels beyond the mask that the windows of texture operators see at their defaults
_SPHERE = 6.21  # mm, the radius of the sphere of 1 cm³ of local intensity


class Call(NamedTuple):
    """An extractor with the parameters that differ from its defaults: a call with fewer is faster."""

    name: str
    function: Callable[..., FeatureVector]
    parameters: dict[str, Any]
    morphological: bool
    edges: tuple[str, ...]

    def __call__(self, image: NDArray[Any], mask: NDArray[Any] | None, **given: Any) -> FeatureVector:
        """Run it; what the settings say goes before what the image says."""
        try:
            return self.function(image, mask, **given, **self.parameters)
        except Exception as error:
            raise ValueError(f"{self.name}: {in_one_line(error)}") from error


class Lesion(NamedTuple):
    """A region that is ready to be measured.

    `mask` are the voxels whose intensities count, and `morphological_mask` those before re-segmentation; None where
    the whole image is the region. `spacing` is None where the image does not say.
    """

    image: NDArray[Any]
    mask: NDArray[Any] | None
    morphological_mask: NDArray[Any] | None
    spacing: tuple[float, ...] | None

    def before(self) -> Lesion:
        """Return it as it was before re-segmentation."""
        return self._replace(mask=self.morphological_mask)

    def largest_slice(self) -> Lesion:
        """Return the slice with most of the region, the first of several; it is still a volume."""
        if self.mask is None or self.mask.ndim < 3:
            return self
        largest = int(np.count_nonzero(self.mask, axis=(1, 2)).argmax())
        image, mask = (array[largest : largest + 1] for array in (self.image, self.mask))
        return self._replace(image=image, mask=mask, morphological_mask=mask)

    def voxels(self, *, before: bool) -> int:
        """Return how many voxels there are, `before` re-segmentation or after."""
        mask = self.morphological_mask if before else self.mask
        return self.image.size if mask is None else int(np.count_nonzero(mask))


class Filter(NamedTuple):
    """A filter of `tumortrace.filters`, and the prefix of its columns."""

    name: str
    parameters: dict[str, Any]
    prefix: str


@dataclass(frozen=True)
class Pipeline:
    """What settings make of an image.

    Parameters
    ----------
    calls : list of Call
        The extractors.
    preprocessing : Preprocessing or None
        What is done to the intensities and the mask first.
    filters : list of Filter or None
        None is the image itself.
    regions : list of Region or None
        None is the mask itself.
    in_body : bool
        Whether regions are kept to the body.
    shift : float or None
        Columns have the names and numbers of PyRadiomics, which adds this to intensities before it squares them;
        None for our own.
    """

    calls: list[Call]
    preprocessing: Preprocessing | None
    filters: list[Filter | None]
    regions: list[Region | None]
    in_body: bool
    shift: float | None

    @classmethod
    def of(cls, parameters: Mapping[str, Mapping[str, Any]], sections: Mapping[str, Any]) -> Pipeline:
        """Return the pipeline of checked settings."""
        preprocessing = None
        if "preprocess" in sections:
            from tumortrace.preprocess import Preprocessing

            preprocessing = Preprocessing.of(sections["preprocess"])
        regions: list[Region | None] = [None]
        if "regions" in sections:
            from tumortrace.table._regions import parse

            regions = parse(sections["regions"])
        return cls(
            [_call(name, values) for name, values in parameters.items()],
            preprocessing,
            _filters(sections.get("filters", ["original"])),
            regions,
            sections.get("body") == "auto",
            _shift(sections.get("names")),
        )

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of the numbers, ``[<region>__][<filter>__]<extractor>_<feature>``."""
        block = self._of_one_region
        return tuple(f"{region.prefix}__{name}" if region else name for region in self.regions for name in block)

    @cached_property
    def _of_one_region(self) -> tuple[str, ...]:
        compile_ahead(self.calls)
        names = {call.name: _names_of(call) for call in self.calls}
        found: list[str] = []
        for filtered in self._images:
            for call in self._calls(filtered):
                theirs = self._translated(call, dict.fromkeys(names[call.name], 1.0), filtered, 1, (1.0,) * 3)
                found += theirs or self._ours(call, names[call.name], filtered)
        return tuple(found)

    def __call__(
        self,
        image: NDArray[Any],
        mask: NDArray[Any] | None,
        place: Place,
    ) -> tuple[NDArray[np.float64], str]:
        """Return the numbers of one image, and why some are NaN."""
        if self._as_it_is and (image.ndim == 2 or mask is None):
            with shared():
                return self._measure(self.calls, Lesion(image, mask, mask, place.spacing))
        if self.regions == [None]:
            return self._region(image, mask, place)
        from tumortrace.table._regions import each

        n_columns = len(self._of_one_region)
        return each(self._region, self.regions, n_columns, image, mask, place, in_body=self.in_body)

    @cached_property
    def _as_it_is(self) -> bool:
        return self.preprocessing is None and self.filters == [None] and self.regions == [None]

    @cached_property
    def _images(self) -> list[Filter | None]:
        """The filters, after the image itself where only the form of the region is measured on that."""
        return self.filters if None in self.filters or not self._forms else [None, *self.filters]

    @cached_property
    def _forms(self) -> list[Call]:
        return [call for call in self.calls if call.name in FORM]

    def _calls(self, filtered: Filter | None) -> list[Call]:
        """Return the extractors that run on an image: those of form on no filtered one."""
        if filtered is not None:
            return [call for call in self.calls if call.name not in FORM]
        return self.calls if None in self.filters else self._forms

    def _region(
        self, image: NDArray[Any], mask: NDArray[Any] | None, place: Place
    ) -> tuple[NDArray[np.float64], str]:
        """Return the numbers of one region: preprocess, then filter and measure, one filter after another."""
        from tumortrace.preprocess import resample, resegment

        spacing, origin, direction = place
        margin = self._margin(image.ndim, spacing)
        prepared = resample(
            image, mask, spacing, self.preprocessing, margin=margin, origin=origin, direction=direction
        )
        inside = prepared.mask
        if self.preprocessing is not None:
            inside = resegment(prepared.array, inside, self.preprocessing)
        lesion = Lesion(prepared.array, inside, prepared.mask, None if spacing is None else prepared.spacing)
        values, reasons = [], []
        for filtered in self._images:
            seen = lesion if filtered is None else lesion._replace(image=_apply(filtered, lesion))
            with shared():
                found, reason = self._measure(self._calls(filtered), seen, filtered)
            values.append(found)
            if reason:
                reasons.append(f"{filtered.prefix}: {reason}" if filtered else reason)
        return np.concatenate(values), "; ".join(reasons)

    def _measure(
        self, calls: Sequence[Call], lesion: Lesion, filtered: Filter | None = None
    ) -> tuple[NDArray[np.float64], str]:
        """Run extractors on one image."""
        values: list[Any] = []
        reasons = []
        for call in calls:
            seen = lesion
            if call.name == "shape":  # of the region before re-segmentation; shape2D of PyRadiomics is of one slice
                seen = lesion.before() if self.shift is None else lesion.before().largest_slice()
            vector = call(seen.image, seen.mask, **self._given(call, seen, filtered))
            if self.shift is None:
                values.append(np.asarray(vector))
            else:
                voxels = seen.voxels(before=call.name in FORM)
                spacing = seen.spacing or (1.0,) * seen.image.ndim
                theirs = self._translated(call, vector, filtered, voxels, spacing)
                values.append(np.array(list(theirs.values())) if theirs else np.asarray(vector))
            if vector.reason:
                reasons.append(f"{call.name}: {vector.reason}")
        return np.concatenate(values), "; ".join(reasons)

    def _given(self, call: Call, lesion: Lesion, filtered: Filter | None) -> dict[str, Any]:
        """Return what the image says to an extractor, beyond what the settings say."""
        given: dict[str, Any] = {}
        if lesion.spacing is not None and "spacing" not in call.parameters:
            given["spacing"] = lesion.spacing
        if call.morphological and lesion.morphological_mask is not lesion.mask:
            given[MORPHOLOGICAL] = lesion.morphological_mask
        if filtered is None:
            given |= {edge: self._edges[edge] for edge in call.edges if edge in self._edges}
        return given

    def _ours(self, call: Call, names: Sequence[str], filtered: Filter | None) -> list[str]:
        prefix = f"{filtered.prefix}__" if filtered else ""
        return [f"{prefix}{call.name}_{name}" for name in names]

    def _translated(
        self,
        call: Call,
        vector: Mapping[str, float],
        filtered: Filter | None,
        voxels: int,
        spacing: tuple[float, ...],
    ) -> dict[str, float]:
        """Return a vector as PyRadiomics has it; nothing where it has no such features, or is not asked for."""
        if self.shift is None:
            return {}
        from tumortrace.table._names import image_type, pyradiomics_names

        kind = image_type(filtered.name, filtered.parameters) if filtered else "original"
        return pyradiomics_names(
            call.name, vector, voxels=voxels, spacing=spacing, image_type=kind, shift=self.shift
        )

    @cached_property
    def _edges(self) -> dict[str, float]:
        """Return where bins of a width begin and end, by IBSI: at the ends of the range of re-segmentation."""
        settings = self.preprocessing
        if settings is None or settings.range is None or settings.range_mode != "absolute":
            return {}
        ends = zip(("first_edge", "last_edge"), settings.range, strict=True)
        return {name: end for name, end in ends if end is not None}

    def _new_spacing(self, old: tuple[float, ...]) -> tuple[float, ...]:
        wanted = None if self.preprocessing is None else self.preprocessing.spacing
        if wanted is None:
            return old
        new = wanted if isinstance(wanted, tuple) else (wanted,) * len(old)
        return tuple(after or before for before, after in zip(old, new, strict=True))

    def _margin(self, ndim: int, spacing: tuple[float, ...] | None) -> int | None:
        """Return how many voxels beyond the mask matter, None for all of the image."""
        new = self._new_spacing(spacing or (1.0,) * ndim)
        margin = _WINDOW
        for call in self.calls:
            if call.name == "local_intensity":
                margin = max(margin, math.ceil(_SPHERE / min(new)))
            margin = max(margin, math.ceil(call.parameters.get("radius", 0)) + 1)
        if any(self.filters):
            from tumortrace.filters import reach

            for filtered in filter(None, self.filters):
                beyond = reach(filtered.name, filtered.parameters, new)
                if beyond is None:
                    return None
                margin = max(margin, *(n + _WINDOW for n in beyond))
        return margin


def _call(name: str, values: Mapping[str, Any]) -> Call:
    usual = defaults(name)
    # bins of a width follow the range of re-segmentation, as IBSI asks, where no edge is given
    free = {"first_edge": "ibsi", "last_edge": None} if values.get("bin_width") is not None else {}
    edges = tuple(edge for edge, unset in free.items() if edge in values and values[edge] == unset)
    return Call(
        name,
        FEATURES[name],
        {key: value for key, value in values.items() if value != usual[key]},
        takes(name, MORPHOLOGICAL),
        edges,
    )


def _names_of(call: Call) -> tuple[str, ...]:
    """Return the names of the features of an extractor, found by running it on a blank image."""
    spacing = call.parameters.get("spacing")
    shape = (16, 16) if spacing is None or len(spacing) != 3 else (1, 16, 16)
    try:
        return call.function(np.zeros(shape, dtype=np.uint8), None, **call.parameters).names
    except (ValueError, TypeError) as error:
        raise type(error)(f"settings of {call.name}: {error}") from error


def _filters(entries: Sequence[Any]) -> list[Filter | None]:
    """Return the filters that a list in the settings stands for."""
    found: list[Filter | None] = []
    for entry in entries:
        if entry == "original":
            found.append(None)
            continue
        from tumortrace.filters import label, parse

        found += [Filter(name, given, label(name, given)) for name, given in parse(entry)]
    prefixes = [filtered.prefix if filtered else "original" for filtered in found]
    twice = sorted({prefix for prefix in prefixes if prefixes.count(prefix) > 1})
    if twice:
        raise ValueError(f"settings: the filter {twice[0]} is there more than once; remove one")
    return found


def _apply(filtered: Filter, lesion: Lesion) -> NDArray[np.float64]:
    from tumortrace.filters import FILTERS

    try:
        return FILTERS[filtered.name](lesion.image, spacing=lesion.spacing, **filtered.parameters)
    except Exception as error:
        raise ValueError(f"{filtered.prefix}: {in_one_line(error)}") from error


def _shift(names: Any) -> float | None:
    """Return the shift of intensities of names of PyRadiomics, None for our names."""
    if names == "pyradiomics":
        return 0.0
    return float(names["pyradiomics"]["voxelArrayShift"]) if isinstance(names, Mapping) else None
