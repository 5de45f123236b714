"""Which settings compute something else than the IBSI defines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tumortrace.features._nomenclature import IBSI_FAMILIES


def deviations(parameters: Mapping[str, Mapping[str, Any]], sections: Mapping[str, Any]) -> list[str]:
    """Say where settings leave the IBSI.

    Parameters
    ----------
    parameters, sections
        Of `Settings`.

    Returns
    -------
    list of str
        One sentence each; empty where nothing does. Choices that the IBSI leaves to its users, such as the number
        of bins, are none.

    References
    ----------
    Zwanenburg et al. 2020, https://doi.org/10.1148/radiol.2020191145; Whybra et al. 2024,
    https://doi.org/10.1148/radiol.231319, for filters.

    Examples
    --------
    >>> deviations({"glcm": {"first_edge": "pyradiomics"}, "hog": {}}, {})
    ['hog is not a family of the IBSI.', 'glcm: the first edge of its bins is that of PyRadiomics.']
    """
    outside = [name for name in parameters if name not in IBSI_FAMILIES]
    found = []
    if outside:
        found.append(
            f"{', '.join(outside)} {'is not a family' if len(outside) == 1 else 'are not families'} of the IBSI."
        )
    for name, values in parameters.items():
        found += [f"{name}: {text}" for text in _of_extractor(name, values)]
    found += _of_preprocessing(sections.get("preprocess", {}))
    found += _of_filters(sections.get("filters", ()))
    if sections.get("names"):
        found.append("names: columns have the names and the numbers of PyRadiomics.")
    return found


def _of_extractor(name: str, values: Mapping[str, Any]) -> list[str]:
    found = []
    if values.get("first_edge") == "pyradiomics":
        found.append("the first edge of its bins is that of PyRadiomics.")
    if values.get("spacing") is not None:
        found.append("the spacing is given by the settings, not by the image.")
    return found


def _of_preprocessing(values: Mapping[str, Any]) -> list[str]:
    found = []
    if values.get("grid") == "pyradiomics":
        found.append(
            "preprocess: the grid of resampled images is aligned as in PyRadiomics, at corners and not at centres."
        )
    if values.get("mask_interpolation") == "nearest" and values.get("spacing"):
        found.append(
            "preprocess: the mask is resampled by nearest neighbour; reference values of the IBSI are by linear."
        )
    if values.get("range_mode", "absolute") != "absolute":
        found.append(f"preprocess: the range of re-segmentation is {values['range_mode']}, not in intensities.")
    if values.get("rounding") == "dtype" and values.get("spacing"):
        found.append("preprocess: resampled intensities are cut to whole numbers, not rounded.")
    if values.get("normalise") is not None:
        found.append("preprocess: intensities are normalised, which the IBSI does not define.")
    return found


def _of_filters(entries: Any) -> list[str]:
    found = []
    outside = {"square", "square_root", "logarithm", "exponential", "lbp", "gradient"}
    named = [next(iter(entry)) if isinstance(entry, Mapping) else entry for entry in entries]
    beyond = [name for name in dict.fromkeys(named) if name in outside]
    if beyond:
        found.append(f"filters: {', '.join(beyond)} {'is' if len(beyond) == 1 else 'are'} not defined by the IBSI.")
    if any(isinstance(e, Mapping) and "pyradiomics" in str(next(iter(e.values()))) for e in entries):
        found.append("filters: some follow the convention of PyRadiomics.")
    return found
