"""Settings: which extractors run, with which parameters.

The signatures in `FEATURES` are the only home of names and defaults; settings are checked against them.
"""

from __future__ import annotations

import difflib
import inspect
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tumortrace
from tumortrace.features import FEATURES, FeatureVector

_NUMBER = re.compile(r"[-+]?[0-9]*\.?[0-9]+[eE][-+]?[0-9]+")


@dataclass(frozen=True)
class Settings:
    """Extractors and every parameter of each, checked.

    Make one with `Settings.of`, which takes what a user writes.

    Parameters
    ----------
    parameters : dict of str to dict
        Extractor → parameter → value, defaults included, in the order of `FEATURES`.

    Examples
    --------
    >>> settings = Settings.of({"first_order": {"levels": 64}})
    >>> settings.parameters["first_order"]
    {'spacing': None, 'levels': 64, 'bin_width': None}
    >>> settings.columns[0]
    'first_order_mean'
    """

    parameters: dict[str, dict[str, Any]]

    @classmethod
    def of(
        cls,
        source: Settings | Mapping[str, Any] | Iterable[str] | str | Path | None = None,
        *,
        features: Iterable[str] | None = None,
        overrides: Iterable[str] = (),
    ) -> Settings:
        """Return checked settings.

        Parameters
        ----------
        source
            A YAML file, a mapping of extractor to parameters (None or empty: its defaults), or names of extractors
            (a list). None means every extractor with its defaults.
        features
            Run these extractors only, with the parameters that `source` gives them.
        overrides
            Single parameters, each ``"extractor.parameter=value"`` with the value written as in YAML.

        Raises
        ------
        ValueError, TypeError
            If an extractor, a parameter or a value is not valid; the message lists the valid ones.
        FileNotFoundError
            If the file does not exist.
        """
        chosen = _chosen(source)
        if features is not None:
            chosen = {name: chosen.get(name, {}) for name in _known(features, FEATURES, "extractor")}
        for text in overrides:
            name, parameter, value = _override(text)
            _known([name], FEATURES, "extractor")
            if name not in chosen:
                raise ValueError(f"{text!r} sets {name}, which is not among the chosen: {', '.join(chosen)}")
            chosen[name] = {**chosen[name], parameter: value}
        if not chosen:
            raise ValueError(f"no extractor is chosen; give some of {', '.join(FEATURES)}")
        _known(chosen, FEATURES, "extractor")
        settings = cls({name: _resolved(name, chosen[name]) for name in FEATURES if name in chosen})
        settings._layout  # noqa: B018  a value that an extractor refuses is found here, before any image
        return settings

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of the feature columns, ``<extractor>_<feature>``."""
        return tuple(f"{name}_{feature}" for name, features in self._layout.items() for feature in features)

    @cached_property
    def hash(self) -> str:
        """32 hex digits over what determines the numbers: the version of tumortrace and every parameter."""
        content = {"tumortrace": tumortrace.__version__, "parameters": self.parameters}
        return blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=16).hexdigest()

    def compute(self, image: NDArray[Any], mask: NDArray[Any] | None = None) -> tuple[NDArray[np.float64], str]:
        """Return the numbers of one image in the order of `columns`, and why some are NaN.

        Raises
        ------
        ValueError
            If an extractor refuses the image or fails; the message begins with the name of the extractor.
        """
        values, reasons = [], []
        for name, function in self._calls:
            try:
                vector = function(image, mask)
            except Exception as error:
                raise ValueError(f"{name}: {in_one_line(error)}") from error
            values.append(np.asarray(vector))
            if vector.reason:
                reasons.append(f"{name}: {vector.reason}")
        return np.concatenate(values), "; ".join(reasons)

    @cached_property
    def _calls(self) -> list[tuple[str, Callable[..., FeatureVector]]]:
        """Extractors with the parameters that differ from the defaults: a call with fewer is faster."""
        calls: list[tuple[str, Callable[..., FeatureVector]]] = []
        for name, values in self.parameters.items():
            defaults = _defaults(name)
            calls.append((name, partial(FEATURES[name], **{k: v for k, v in values.items() if v != defaults[k]})))
        return calls

    @cached_property
    def _layout(self) -> dict[str, tuple[str, ...]]:
        """Extractor → names of its features, found by running it on a blank image."""
        layout = {}
        for name, function in self._calls:
            spacing = self.parameters[name].get("spacing")
            shape = (16, 16) if spacing is None or len(spacing) != 3 else (1, 16, 16)
            try:
                layout[name] = function(np.zeros(shape, dtype=np.uint8)).names
            except (ValueError, TypeError) as error:
                raise type(error)(f"settings of {name}: {error}") from error
        return layout


def in_one_line(error: Exception) -> str:
    """Return what an error says, and its kind where that is unusual."""
    text = " ".join(str(error).split())
    if text and isinstance(error, ValueError | TypeError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _chosen(source: Any) -> dict[str, dict[str, Any]]:
    """Extractor → the parameters that are given for it, unchecked."""
    if source is None:
        return {name: {} for name in FEATURES}
    if isinstance(source, Settings):
        return dict(source.parameters)
    where = "settings"
    if isinstance(source, str | Path):
        where = str(source)
        source = _read(Path(source))
    if isinstance(source, Mapping):
        for name, values in source.items():
            if values is not None and not isinstance(values, Mapping):
                raise ValueError(f"{where}: {name} is {values!r}; give a mapping of parameter to value, or nothing")
        return {str(name): dict(values or {}) for name, values in source.items()}
    if isinstance(source, Iterable):
        return {str(name): {} for name in source}
    raise TypeError(
        f"{where} are {source!r}; give a mapping of extractor to parameters, a list of extractors or a file"
    )


def _read(path: Path) -> Any:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no YAML: {' '.join(str(error).split())}") from error
    return {name: {} for name in FEATURES} if content is None else content


def _override(text: str) -> tuple[str, str, Any]:
    import yaml

    key, equals, value = text.partition("=")
    name, dot, parameter = key.strip().partition(".")
    if not (equals and dot and parameter):
        raise ValueError(f"{text!r} sets nothing; write extractor.parameter=value, such as glcm.levels=64")
    try:
        return name, parameter, yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise ValueError(f"the value in {text!r} is no YAML: {' '.join(str(error).split())}") from error


def _resolved(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Every parameter of an extractor, as given or by default."""
    defaults = _defaults(name)
    _known(given, defaults, f"parameter of {name}")
    return {key: _plain(given[key]) if key in given else default for key, default in defaults.items()}


def _defaults(name: str) -> dict[str, Any]:
    """Parameter → default of an extractor: what is keyword-only in its signature."""
    parameters = inspect.signature(FEATURES[name]).parameters.values()
    return {p.name: _plain(p.default) for p in parameters if p.kind is p.KEYWORD_ONLY}


def _plain(value: Any) -> Any:
    """Return sequences as tuples, and ``1e-3`` as the number that YAML 1.1 does not see in it."""
    if isinstance(value, np.generic | np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return tuple(map(_plain, value))
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value)
    return value


def _known(names: Iterable[str], valid: Iterable[str], what: str) -> list[str]:
    """Return `names` if all are valid."""
    names, valid = list(names), list(valid)
    for name in names:
        if name not in valid:
            near = difflib.get_close_matches(str(name), valid, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise ValueError(f"unknown {what}: {name}{hint}; valid: {', '.join(valid)}")
    return names
