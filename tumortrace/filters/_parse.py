"""Filters as entries of settings: checked, named, and how far each sees."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tumortrace import _check
from tumortrace._entry import Entry, expand, known, parameters_of, words
from tumortrace.filters._boundary import Volume, three
from tumortrace.filters._gabor import gabor, gabor_reach
from tumortrace.filters._gradient import gradient, gradient_reach
from tumortrace.filters._laws import laws, laws_reach
from tumortrace.filters._lbp import lbp, lbp_reach
from tumortrace.filters._log import laplacian_of_gaussian, log_reach
from tumortrace.filters._mean import mean, mean_reach
from tumortrace.filters._pointwise import exponential, logarithm, square, square_root
from tumortrace.filters._wavelet import simoncelli, wavelet, wavelet_reach

FILTERS: dict[str, Callable[..., Volume]] = {
    "mean": mean,
    "log": laplacian_of_gaussian,
    "laws": laws,
    "gabor": gabor,
    "wavelet": wavelet,
    "simoncelli": simoncelli,
    "gradient": gradient,
    "lbp": lbp,
    "square": square,
    "square_root": square_root,
    "logarithm": logarithm,
    "exponential": exponential,
}
"""Name → filter, in the order of the docs. `label` and settings use these names."""

_ALIASES = {"laplacian_of_gaussian": "log"}
_REACHES: dict[str, Callable[..., tuple[int, ...] | None]] = {
    "mean": mean_reach,
    "log": log_reach,
    "laws": laws_reach,
    "gabor": gabor_reach,
    "wavelet": wavelet_reach,
    "gradient": gradient_reach,
    "lbp": lbp_reach,
}
_SUPPLIED = ("spacing",)
_BARE = ("kernel", "wavelet", "subband")  # parameters whose value says what it is


def parse(entry: Any) -> tuple[Entry, ...]:
    """Return the filters that an entry of the settings stands for, checked, with every parameter.

    Parameters
    ----------
    entry : str or dict
        A name (``"gradient"``), or one name with parameters (``{"wavelet": {"wavelet": "coif1", "subband": ["llh",
        "lhl"]}}``). A parameter that is a list stands for a filter for each of its values; several lists for every
        combination, the last changing fastest in the order of the signature.

    Returns
    -------
    tuple of Entry
        ``(name, parameters)`` each; ``FILTERS[name](image, spacing=spacing, **parameters)`` applies it.

    Raises
    ------
    ValueError
        If a name, a parameter or a value is not valid; the message lists the valid ones.

    Examples
    --------
    >>> [label(*filter) for filter in parse({"log": {"sigma": [1, 2.5]}})]
    ['log_sigma_1', 'log_sigma_2_5']
    """
    if isinstance(entry, str):
        entry = _ALIASES.get(entry, entry)
    elif isinstance(entry, Mapping):
        entry = {_ALIASES.get(name, name): given for name, given in entry.items()}
    filters = expand(entry, FILTERS, "filter", _SUPPLIED)
    for name, parameters in filters:
        try:
            FILTERS[name](np.zeros((2, 2, 2)), spacing=_trial_spacing(**parameters), **parameters)
        except (ValueError, TypeError) as error:
            raise type(error)(f"filter {name}: {error}") from error
    return filters


def _trial_spacing(sigma: Any = None, **others: Any) -> tuple[float, ...] | None:
    """Return a spacing at which a filter of any width is quick to try."""
    valid = isinstance(sigma, int | float) and 0 < sigma < np.inf
    return (float(sigma),) * 3 if valid else None


def label(name: str, parameters: Mapping[str, Any]) -> str:
    """Return the column prefix of a filter: its name, then the parameters that differ from their defaults.

    Examples
    --------
    >>> label("wavelet", {"wavelet": "coif1", "subband": "LLH", "level": 2})
    'wavelet_coif1_llh_level_2'
    >>> label("laws", {"kernel": "L5E5", "pooling": "max", "energy": 7})
    'laws_l5e5_pooling_max_energy_7'
    """
    known([name], FILTERS, "filter")
    valid = parameters_of(FILTERS[name], _SUPPLIED)
    known(parameters, valid, f"parameter of {name}")
    parts, others = [name], []
    for key in sorted(valid, key="boundary".__eq__):  # the boundary comes last
        default = valid[key]
        value = parameters.get(key, default)
        if key in _BARE:
            parts.append(words(value))
        elif default is inspect.Parameter.empty or value != default:
            others += [key] if value is True else [key, words(value)]
    return "_".join(parts + others)


def reach(name: str, parameters: Mapping[str, Any], spacing: Sequence[float]) -> tuple[int, ...] | None:
    """Return how many voxels beyond a voxel its response depends on, along each axis; None: on all of the image.

    A filter may then run on the box around a mask, grown by this and clipped to the image: the response inside the
    mask is that of the whole image.

    Parameters
    ----------
    name, parameters
        As in `FILTERS` and in `parse`; a parameter that is missing has its default.
    spacing
        Millimetres per voxel, one number per axis of the image, 2 or 3.

    Examples
    --------
    >>> reach("log", {"sigma": 2}, (4, 1, 1))
    (2, 8, 8)
    >>> reach("square", {}, (1, 1, 1)) is None
    True
    """
    known([name], FILTERS, "filter")
    every = {**parameters_of(FILTERS[name], _SUPPLIED), **parameters}
    spacing = _check.spacing(spacing, len(spacing))
    if name not in _REACHES or every["boundary"] == "periodic":
        return None
    voxels = _REACHES[name](every, three(spacing))
    return None if voxels is None else voxels[-len(spacing) :]
