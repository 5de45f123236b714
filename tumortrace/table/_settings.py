"""Settings: which extractors run, with which parameters, on what is made of the image first.

The signatures in `FEATURES` are the only home of the names and defaults of parameters; settings are checked against
them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import tumortrace
from tumortrace import _check
from tumortrace._entry import known
from tumortrace.features import FEATURES
from tumortrace.table._parameters import plain, resolved
from tumortrace.table._place import Place
from tumortrace.table._presets import PRESETS

if TYPE_CHECKING:
    from tumortrace.table._pipeline import Pipeline

SECTIONS = ("preprocess", "filters", "regions", "body", "mask", "names")
"""Keys of settings that are no extractors."""

NAMES = ("ibsi", "pyradiomics")
ALL_LABELS = "all"
"""The label that stands for a row for each region of a mask."""

_MASK = {"label": None, "resample": False}


@dataclass(frozen=True)
class Settings:
    """Extractors and every parameter of each, and what happens to an image before; checked.

    Make one with `Settings.of`, which takes what a user writes.

    Parameters
    ----------
    parameters : dict of str to dict
        Extractor → parameter → value, defaults included, in the order of `FEATURES`.
    sections : dict
        What else is set, as `Settings.of` says; a section that is not there changes nothing.

    Examples
    --------
    >>> settings = Settings.of({"first_order": {"levels": 64}})
    >>> settings.parameters["first_order"]
    {'spacing': None, 'levels': 64, 'bin_width': None, 'first_edge': 'ibsi'}
    >>> settings.columns[0]
    'first_order_mean'
    """

    parameters: dict[str, dict[str, Any]]
    sections: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        source: Settings | Mapping[str, Any] | Iterable[str] | str | Path | None = None,
        *,
        preset: str | None = None,
        features: Iterable[str] | None = None,
        overrides: Iterable[str] = (),
        names: str | None = None,
    ) -> Settings:
        """Return checked settings.

        Parameters
        ----------
        source
            A YAML file, a mapping of extractor to parameters (None or empty: its defaults), or names of extractors
            (a list). None means those of the preset. Beside extractors, a file or mapping may have these sections:

            - ``preset``: the settings to start from; extractors that the mapping names replace those of the preset
            - ``preprocess``: a mapping, see `tumortrace.preprocess.Preprocessing`
            - ``filters``: a list of filters, see `tumortrace.filters.parse`; features of intensity are computed on
              each, and on the image itself where ``original`` is in the list
            - ``regions``: a list of regions, see `tumortrace.regions.parse`; features are computed of each
            - ``body``: ``auto`` keeps regions around a lesion to the body, as `tumortrace.regions.body` finds it
            - ``mask``: ``label``, the number or name of the region where a mask has several, or ``all`` for a row
              each; and ``resample``, whether a mask on another grid is brought onto that of the image
            - ``names``: see `names`
        preset : {"default", "ibsi", "pyradiomics", "all"}, optional
            The settings to start from. By default "default": what lesion crops are described with.
        features
            Run these extractors only, with the parameters that `source` gives them.
        overrides
            Single parameters, each ``"extractor.parameter=value"`` or ``"preprocess.field=value"``, with the value
            written as in YAML.
        names : {"ibsi", "pyradiomics"}, optional
            What columns are called: our names, which are those of IBSI where it has the feature, or PyRadiomics'
            names with its numbers, ``original_glcm_Contrast``.

        Raises
        ------
        ValueError, TypeError
            If an extractor, a parameter or a value is not valid; the message lists the valid ones.
        FileNotFoundError
            If the file does not exist.
        """
        chosen, sections = _chosen(source, preset)
        if features is not None:
            features = list(features)
            known(features, FEATURES, "extractor")
            chosen = {name: chosen.get(name, {}) for name in features}
        for text in overrides:
            _override(text, chosen, sections)
        if names is not None:
            sections["names"] = names
        if not chosen:
            raise ValueError(f"no extractor is chosen; give some of {', '.join(FEATURES)}")
        known(chosen, FEATURES, "extractor")
        parameters = {name: resolved(name, chosen[name]) for name in FEATURES if name in chosen}
        settings = cls(parameters, _checked(sections))
        settings.columns  # noqa: B018  a value that an extractor refuses is found here, before any image
        return settings

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the feature columns, ``[<region>__][<filter>__]<extractor>_<feature>``."""
        return self._pipeline.columns

    @cached_property
    def hash(self) -> str:
        """32 hex digits over what determines the numbers: the version of tumortrace and every parameter."""
        content = {"tumortrace": tumortrace.__version__, "parameters": self.parameters, **self.sections}
        return blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=16).hexdigest()

    @property
    def content(self) -> dict[str, Any]:
        """What a YAML file would hold: extractors with every parameter, and the sections that are set."""
        return {**self.sections, **self.parameters}

    @property
    def deviations(self) -> list[str]:
        """Where the settings leave the IBSI, one sentence each; choices that it leaves to its users are none."""
        from tumortrace.table._deviations import deviations

        return deviations(self.parameters, self.sections)

    @property
    def label(self) -> int | str | None:
        """The region of a mask that is meant where a mask has several."""
        label: int | str | None = self.sections.get("mask", _MASK)["label"]
        return label

    def for_each_label(self) -> Settings:
        """Return the same settings without a label: every row has one of its own."""
        return replace(self, sections={**self.sections, "mask": {**self.sections["mask"], "label": None}})

    @property
    def resample_mask(self) -> bool:
        """Whether a mask on another grid is brought onto that of the image."""
        return bool(self.sections.get("mask", _MASK)["resample"])

    def compute(
        self,
        image: NDArray[Any],
        mask: NDArray[Any] | None = None,
        spacing: tuple[float, ...] | None = None,
        direction: NDArray[np.float64] | None = None,
        origin: tuple[float, float, float] | None = None,
    ) -> tuple[NDArray[np.float64], str]:
        """Return the numbers of one image in the order of `columns`, and why some are NaN.

        Parameters
        ----------
        image, mask
            As an extractor takes them.
        spacing : tuple of float, optional
            Of the pixels in mm, for extractors that are not told another one by the settings.
        direction, origin : optional
            Of a volume, as in `tumortrace.io.Image`. Regions that know left from right need the direction; on the
            grid of PyRadiomics both decide to which side a tie is rounded.

        Raises
        ------
        ValueError
            If a step or an extractor refuses the image or fails; the message begins with its name.
        """
        return self._pipeline(image, mask, Place(spacing, origin, direction))

    @cached_property
    def _pipeline(self) -> Pipeline:
        from tumortrace.table._pipeline import Pipeline

        return Pipeline.of(self.parameters, self.sections)


def _chosen(source: Any, preset: str | None) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Return extractor → the parameters that are given for it, and the other sections, all unchecked."""
    if isinstance(source, Settings):
        return dict(source.parameters), dict(source.sections)
    where = "settings"
    if isinstance(source, str | Path):
        where = str(source)
        source = _read(Path(source))
    if source is None:
        source = {}
        preset = preset or "default"
    elif not isinstance(source, Mapping) and isinstance(source, Iterable):
        source = {str(name): {} for name in source}
    if not isinstance(source, Mapping):
        raise TypeError(
            f"{where} are {source!r}; give a mapping of extractor to parameters, a list of extractors or a file"
        )
    given = {str(name): values for name, values in source.items()}
    preset = given.pop("preset", None) or preset
    sections = {key: given.pop(key) for key in SECTIONS if key in given}
    for name, values in given.items():
        if values is not None and not isinstance(values, Mapping):
            raise ValueError(f"{where}: {name} is {values!r}; give a mapping of parameter to value, or nothing")
    chosen = {name: dict(values or {}) for name, values in given.items()}
    if preset is None and (chosen or not sections):
        return chosen, sections
    base = PRESETS[_check.one_of("preset", preset or "default", tuple(PRESETS))]()
    sections = {**{key: base.pop(key) for key in SECTIONS if key in base}, **sections}
    return (
        ({name: {**base.get(name, {}), **values} for name, values in chosen.items()} if chosen else base),
        sections,
    )


def _read(path: Path) -> Any:
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no YAML: {' '.join(str(error).split())}") from error


def _override(text: str, chosen: dict[str, dict[str, Any]], sections: dict[str, Any]) -> None:
    """Set one parameter of an extractor, or one field of a section that is a mapping."""
    import yaml

    key, equals, value = text.partition("=")
    name, dot, parameter = key.strip().partition(".")
    if not (equals and dot and parameter):
        raise ValueError(f"{text!r} sets nothing; write extractor.parameter=value, such as glcm.levels=64")
    try:
        parsed = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise ValueError(f"the value in {text!r} is no YAML: {' '.join(str(error).split())}") from error
    if name in ("preprocess", "mask"):
        sections[name] = {**(sections.get(name) or {}), parameter: parsed}
        return
    known([name], FEATURES, "extractor")
    if name not in chosen:
        raise ValueError(f"{text!r} sets {name}, which is not among the chosen: {', '.join(chosen)}")
    chosen[name] = {**chosen[name], parameter: parsed}


def _checked(sections: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sections that say something, as plain values; what is in filters and regions is checked on use."""
    found: dict[str, Any] = {}
    for key in ("preprocess", "mask"):
        given = sections.get(key)
        if given is not None and not isinstance(given, Mapping):
            raise ValueError(f"settings: {key} is {given!r}; give a mapping")
        if given:
            found[key] = {str(name): plain(value) for name, value in given.items()}
    if "mask" in found:
        known(found["mask"], _MASK, "field of mask")
        found["mask"] = {**_MASK, **found["mask"]}
        label, resample = found["mask"]["label"], found["mask"]["resample"]
        if isinstance(label, bool) or not isinstance(label, int | str | None):
            raise ValueError(f"settings: the label of mask is {label!r}; give the number or the name of a region")
        if not isinstance(resample, bool):
            raise ValueError(f"settings: resample of mask is {resample!r}; give true or false")
    for key in ("filters", "regions"):
        given = sections.get(key)
        if given is not None and (isinstance(given, str | Mapping) or not isinstance(given, Iterable)):
            raise ValueError(f"settings: {key} are {given!r}; give a list")
        if given:
            found[key] = list(given)
    if sections.get("body") is not None:
        found["body"] = _check.one_of("body", sections["body"], ("auto",))
    names = sections.get("names")
    if isinstance(names, Mapping):
        shift = names.get("pyradiomics", {}).get("voxelArrayShift")
        if names != {"pyradiomics": {"voxelArrayShift": shift}} or not isinstance(shift, int | float):
            raise ValueError(f"names are {names!r}; give 'ibsi', 'pyradiomics', or its voxelArrayShift below it")
        found["names"] = {"pyradiomics": {"voxelArrayShift": shift}}
    elif names is not None and _check.one_of("names", names, NAMES) != NAMES[0]:
        found["names"] = names
    return found
