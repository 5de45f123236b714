"""Features under the names of PyRadiomics, with its numbers where it defines them differently."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from tumortrace.features._nomenclature import PYRADIOMICS_CLASSES, TERMS

_IMAGE_TYPES = {"square_root": "squareroot", "lbp": "lbp-2D"}


def pyradiomics_names(
    extractor: str,
    vector: Mapping[str, float],
    *,
    voxels: int,
    spacing: tuple[float, ...],
    image_type: str = "original",
    shift: float = 0.0,
) -> dict[str, float]:
    """Return the features that PyRadiomics has too, under its names and with its numbers.

    Parameters
    ----------
    extractor : str
        A name of `tumortrace.features.FEATURES`.
    vector : mapping of str to float
        What the extractor returned.
    voxels : int
        How many voxels the region has that the extractor measured; for ``morphology`` and ``shape`` the region
        before re-segmentation.
    spacing : tuple of float
        Distance between voxels in mm, one number per axis.
    image_type : str, default "original"
        The first part of every name, see `image_type`.
    shift : float, default 0
        ``voxelArrayShift``, which PyRadiomics adds to intensities before it squares them.

    Returns
    -------
    dict of str to float
        ``<image type>_<class>_<Feature>``, such as ``original_glcm_Contrast``; empty for an extractor that
        PyRadiomics has not.

    Notes
    -----
    The numbers that are converted:

    - ``Kurtosis`` is not in excess of that of a normal distribution: 3 more, and 0 for a constant region.
    - ``Energy`` and ``RootMeanSquared`` are of the intensities plus `shift`; ``TotalEnergy`` is the energy times
      the volume of a voxel.
    - Axis lengths are of the covariance over n, where IBSI's consensus needs n − 1.
    - ``Busyness`` is 0 where it divides by 0.
    - The class shape2D is of the contour that `shape` describes.

    Examples
    --------
    >>> pyradiomics_names("glszm", {"zone_percentage": 0.25}, voxels=8, spacing=(1.0, 1.0))
    {'original_glszm_ZonePercentage': 0.25}
    """
    convert = _CONVERTED.get(extractor)
    converted = {} if convert is None else convert(vector, voxels, spacing, shift)
    found = {**_renamed(extractor, vector), **converted}
    return {f"{image_type}_{name}": value for name, value in found.items()}


def image_type(name: str, parameters: Mapping[str, Any]) -> str:
    """Return what PyRadiomics calls the image that a filter makes; what it has not, keeps our label.

    Examples
    --------
    >>> image_type("log", {"sigma": 2.0})
    'log-sigma-2-0-mm-3D'
    >>> image_type("wavelet", {"subband": "llh", "level": 2})
    'wavelet2-LLH'
    """
    if name == "log":
        return f"log-sigma-{str(parameters['sigma']).replace('.', '-')}-mm-3D"
    if name == "wavelet":
        level = parameters.get("level", 1)
        return f"wavelet{level if level > 1 else ''}-{parameters['subband'].upper()}"
    if name in ("mean", "laws", "gabor", "simoncelli"):
        from tumortrace.filters import label

        return label(name, parameters).replace("_", "-")
    return _IMAGE_TYPES.get(name, name)


def _renamed(extractor: str, vector: Mapping[str, float]) -> dict[str, float]:
    """Return the features whose name is all that differs."""
    terms = TERMS.get(extractor, {})
    named = ((terms[feature].pyradiomics, value) for feature, value in vector.items() if feature in terms)
    return {f"{PYRADIOMICS_CLASSES[extractor]}_{name}": value for name, value in named if name}


def _first_order(
    vector: Mapping[str, float], voxels: int, spacing: tuple[float, ...], shift: float
) -> dict[str, float]:
    energy = vector["energy"] + 2 * shift * voxels * vector["mean"] + voxels * shift * shift
    return {
        "firstorder_Kurtosis": vector["kurtosis"] + 3 if vector["variance"] > 0 else 0.0,
        "firstorder_Energy": energy,
        "firstorder_TotalEnergy": energy * math.prod(spacing),
        "firstorder_RootMeanSquared": math.sqrt(energy / voxels),
    }


def _ngtdm(vector: Mapping[str, float], *_: Any) -> dict[str, float]:
    return {"ngtdm_Busyness": 0.0 if math.isnan(vector["busyness"]) else vector["busyness"]}


def _morphology(vector: Mapping[str, float], voxels: int, *_: Any) -> dict[str, float]:
    ratio = math.sqrt((voxels - 1) / voxels)
    return {
        f"shape_{axis}AxisLength": vector[f"{axis.lower()}_axis_length"] * ratio
        for axis in ("Major", "Minor", "Least")
    }


def _shape(vector: Mapping[str, float], voxels: int, *_: Any) -> dict[str, float]:
    perimeter = vector["perimeter"]
    surface = vector["circularity"] * perimeter**2 / (4 * math.pi)
    ratio = math.sqrt((voxels - 1) / voxels)
    return {
        "shape2D_MeshSurface": surface,
        "shape2D_PixelSurface": vector["area"],
        "shape2D_Perimeter": perimeter,
        "shape2D_PerimeterSurfaceRatio": perimeter / surface,
        "shape2D_Sphericity": math.sqrt(vector["circularity"]),
        "shape2D_MaximumDiameter": vector["maximum_diameter"],
        "shape2D_MajorAxisLength": vector["major_axis_length"] * ratio,
        "shape2D_MinorAxisLength": vector["minor_axis_length"] * ratio,
        "shape2D_Elongation": vector["elongation"],
    }


_CONVERTED: dict[str, Callable[..., dict[str, float]]] = {
    "first_order": _first_order,
    "morphology": _morphology,
    "ngtdm": _ngtdm,
    "shape": _shape,
}
"""Extractor → the features whose numbers differ too, as PyRadiomics has them."""
