"""Settings from the parameter files of PyRadiomics.

Reference: van Griethuysen et al. 2017, Computational radiomics system to decode the radiographic phenotype,
https://doi.org/10.1158/0008-5472.CAN-17-0339; the numbers are those of its release 3.0.1.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

from tumortrace._entry import known

DEFAULTS: dict[str, Any] = {
    "label": 1,
    "label_channel": 0,
    "correctMask": False,
    "normalize": False,
    "normalizeScale": 1,
    "removeOutliers": None,
    "resampledPixelSpacing": None,
    "interpolator": "sitkBSpline",
    "padDistance": 5,
    "preCrop": False,
    "resegmentRange": None,
    "resegmentMode": "absolute",
    "resegmentShape": False,
    "force2D": False,
    "force2Ddimension": 0,
    "binWidth": 25,
    "binCount": None,
    "distances": [1],
    "weightingNorm": None,
    "symmetricalGLCM": True,
    "gldm_a": 0,
    "voxelArrayShift": 0,
    "minimumROIDimensions": 2,
    "minimumROISize": None,
    "geometryTolerance": None,
    "additionalInfo": True,
}
"""Setting of PyRadiomics → its default."""

CLASSES = {
    "firstorder": "first_order",
    "shape": "morphology",
    "shape2D": "shape",
    "glcm": "glcm",
    "glrlm": "glrlm",
    "glszm": "glszm",
    "gldm": "ngldm",
    "ngtdm": "ngtdm",
}
"""Feature class of PyRadiomics → extractor."""

_SECTIONS = ("setting", "imageType", "featureClass", "voxelSetting")
_INTERPOLATORS = {
    "sitkNearestNeighbor": "nearest",
    "sitkLinear": "linear",
    "sitkBSpline": "cubic",
    1: "nearest",
    2: "linear",
    3: "cubic",
}
_WAVELET = {"wavelet": "coif1", "level": 1, "start_level": 0}
_LBP = {"lbp2DRadius": 1, "lbp2DSamples": 8, "lbp2DMethod": "uniform"}


def from_pyradiomics(parameters: Mapping[str, Any] | str | Path | None = None) -> dict[str, Any]:
    """Turn a parameter file of PyRadiomics into settings that compute the same numbers.

    Parameters
    ----------
    parameters : mapping or path
        A YAML or JSON file, or what is in it: the sections ``setting``, ``imageType`` and ``featureClass``, or the
        settings alone. None or empty: the defaults of PyRadiomics, all classes but shape2D of the original image.

    Returns
    -------
    dict
        What `Settings.of` takes.

    Raises
    ------
    ValueError
        If a key is unknown, or asks for what is not supported: image type LBP3D; ``distances`` other than [1] with
        glcm; ``weightingNorm`` other than null and no_weighting; ``symmetricalGLCM: false``; ``force2Ddimension``
        other than 0; ``resegmentShape: true`` with a range; interpolators other than nearest neighbour, linear and
        B-spline; settings that differ between image types, beyond the parameters of the filter.
    FileNotFoundError
        If the file does not exist.

    Warns
    -----
    UserWarning
        Where rows or columns are not wholly those of PyRadiomics: ``featureClass`` with a list of features, of
        which all are computed; limits on the region (``minimumROISize``); ``voxelSetting``.

    Notes
    -----
    Spacings turn round: PyRadiomics has (cols, rows, slices). Matrices of directions are averaged over them, as
    ``weightingNorm: null`` asks for, or added up; with ``force2D`` those of the plane.

    Where PyRadiomics refuses a region (of one voxel or one line; of several slices, for the class shape2D), it is
    measured here. With a ``resegmentRange``, the class shape is of the whole region; PyRadiomics cuts it to the box
    of what is left. More than 4096 grey levels are refused.

    Examples
    --------
    >>> settings = from_pyradiomics({"setting": {"binWidth": 10, "resampledPixelSpacing": [1, 1, 3]}})
    >>> settings["glcm"]
    {'bin_width': 10, 'first_edge': 'pyradiomics', 'aggregation': '3d_average'}
    >>> settings["preprocess"]["spacing"], settings["preprocess"]["interpolation"]
    ([3, 1, 1], 'cubic')
    """
    where, content = _read(parameters)
    if content and not any(section in content for section in _SECTIONS):
        content = {"setting": content}
    known(content, _SECTIONS, f"section of {where}")
    given = _section(content, "setting", where)
    types = _section(content, "imageType", where) or {"Original": {}}
    classes = _section(content, "featureClass", where) or {name: None for name in CLASSES if name != "shape2D"}
    known(types, _FILTERS, f"imageType of {where}")
    known(classes, CLASSES, f"featureClass of {where}")
    of_filters = {"sigma", "gradientUseSpacing", *_WAVELET, *_LBP}
    known(given, [*DEFAULTS, *of_filters], f"setting of {where}")
    setting = {**DEFAULTS, **given}
    _refuse(setting, classes)
    _warn(setting, classes, "voxelSetting" in content)
    settings: dict[str, Any] = {
        "preprocess": _preprocess(setting),
        "filters": [entry for name, own in types.items() for entry in _filters(name, own or {}, given)],
        "mask": {"label": setting["label"], "resample": bool(setting["correctMask"])},
        "names": _names(setting),
    }
    for name in classes:
        settings[CLASSES[name]] = _extractor(name, setting)
    return settings


def _read(parameters: Any) -> tuple[str, dict[str, Any]]:
    """Return what the parameters are called in errors, and their sections."""
    if parameters is None:
        return "PyRadiomics", {}
    where = "PyRadiomics"
    if isinstance(parameters, str | Path):
        import yaml

        where = str(parameters)
        try:
            parameters = yaml.safe_load(Path(parameters).read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ValueError(f"{where} is no YAML: {' '.join(str(error).split())}") from error
    if parameters is not None and not isinstance(parameters, Mapping):
        raise ValueError(f"{where}: the parameters are {parameters!r}; give a mapping of section to settings")
    return where, dict(parameters or {})


def _section(content: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    section = content.get(name)
    if section is not None and not isinstance(section, Mapping):
        raise ValueError(f"{where}: {name} is {section!r}; give a mapping")
    return dict(section or {})


def _refuse(setting: Mapping[str, Any], classes: Mapping[str, Any]) -> None:
    """Raise an error for what would compute other numbers."""
    asked = []
    distances = list(setting["distances"])
    if distances != [1] and "glcm" in classes:
        asked.append(f"distances: {distances} with glcm (there are more directions at a distance; 1 only)")
    if sorted(distances) != list(range(1, len(distances) + 1)) and {"gldm", "ngtdm"} & set(classes):
        asked.append(f"distances: {distances} with gldm or ngtdm (all distances up to the largest only)")
    if setting["weightingNorm"] not in (None, "no_weighting"):
        asked.append(f"weightingNorm: {setting['weightingNorm']} (null or no_weighting only)")
    if not setting["symmetricalGLCM"]:
        asked.append("symmetricalGLCM: false")
    if setting["force2Ddimension"] != 0 and (setting["force2D"] or "shape2D" in classes):
        asked.append(f"force2Ddimension: {setting['force2Ddimension']} (0 only: the plane is (rows, cols))")
    if setting["resegmentShape"] and setting["resegmentRange"] is not None:
        asked.append("resegmentShape: true")
    if setting["label_channel"] != 0:
        asked.append(f"label_channel: {setting['label_channel']}")
    if setting["interpolator"] not in (None, *_INTERPOLATORS):
        valid = ", ".join(name for name in _INTERPOLATORS if isinstance(name, str))
        asked.append(f"interpolator: {setting['interpolator']} ({valid} only)")
    if asked:
        raise ValueError(f"not supported of the settings of PyRadiomics: {'; '.join(asked)}")


def _warn(setting: Mapping[str, Any], classes: Mapping[str, Any], voxels: bool) -> None:
    told = []
    if any(classes.values()):
        told.append("featureClass: all features of a class are computed, not the listed alone")
    if setting["minimumROISize"] is not None or setting["minimumROIDimensions"] > 2:
        told.append("minimumROISize, minimumROIDimensions: small regions are computed too")
    if voxels:
        told.append("voxelSetting: has no effect on a table")
    if told:
        warnings.warn(f"settings of PyRadiomics: {'; '.join(told)}", stacklevel=3)


def _preprocess(setting: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"grid": "pyradiomics", "mask_interpolation": "nearest", "rounding": "dtype"}
    resamples = setting["interpolator"] is not None and setting["resampledPixelSpacing"] is not None
    if resamples:
        found["spacing"] = list(setting["resampledPixelSpacing"])[::-1]
        found["interpolation"] = _INTERPOLATORS[setting["interpolator"]]
    if resamples or setting["preCrop"]:
        found["padding"] = setting["padDistance"]
    if setting["normalize"]:
        found["normalise"] = {"scale": setting["normalizeScale"], "outliers": setting["removeOutliers"]}
    if setting["resegmentRange"] is not None:
        bounds = sorted(setting["resegmentRange"])
        if len(bounds) not in (1, 2):
            raise ValueError(f"resegmentRange is {setting['resegmentRange']!r}; give one threshold or two")
        found["range"] = [bounds[0], bounds[1] if len(bounds) == 2 else None]
        found["range_mode"] = setting["resegmentMode"]
    return found


def _names(setting: Mapping[str, Any]) -> Any:
    shift = setting["voxelArrayShift"]
    return {"pyradiomics": {"voxelArrayShift": shift}} if shift else "pyradiomics"


def _extractor(name: str, setting: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of the extractor of a feature class."""
    if name in ("shape", "shape2D"):
        return {}
    bins = {"bin_width": setting["binWidth"]} if setting["binCount"] is None else {"levels": setting["binCount"]}
    found = {**bins, "first_edge": "pyradiomics"}
    if name in ("glcm", "glrlm"):
        in_plane, in_space = ("2.5d_direction_merge", "2.5d_volume_merge"), ("3d_average", "3d_volume_merge")
        averaged, merged = in_plane if setting["force2D"] else in_space
        return {**found, "aggregation": averaged if setting["weightingNorm"] is None else merged}
    if name != "firstorder":
        found["aggregation"] = "2.5d" if setting["force2D"] else "3d"
    if name in ("gldm", "ngtdm") and len(setting["distances"]) > 1:
        found["distance"] = len(setting["distances"])
    if name == "ngtdm":
        found["lone_pixels"] = True
    if name == "gldm" and setting["gldm_a"] != 0:
        found["coarseness"] = setting["gldm_a"]
    return found


def _filters(name: str, own: Mapping[str, Any], given: Mapping[str, Any]) -> list[Any]:
    """Return the filters of an image type, with its own settings before the common ones."""
    defaults, make = _FILTERS[name]
    for key, value in own.items():
        if key not in defaults and value != given.get(key, DEFAULTS.get(key)):
            known([key], [*DEFAULTS, *defaults], f"setting of imageType {name}")
            raise ValueError(
                f"not supported of the settings of PyRadiomics: {key} for imageType {name} alone; "
                "extract that type with settings of its own"
            )
    options = {key: own.get(key, given.get(key, default)) for key, default in defaults.items()}
    return make({**options, "force2D": given.get("force2D", False)})


def _log(options: Mapping[str, Any]) -> list[Any]:
    return [{"log": {"sigma": sigma, "convention": "pyradiomics"}} for sigma in options["sigma"]]


def _wavelet(options: Mapping[str, Any]) -> list[Any]:
    levels = range(options["start_level"] + 1, options["start_level"] + options["level"] + 1)
    entries = []
    for level in levels:
        bands = ["".join(band) for band in product("lh", repeat=2 if options["force2D"] else 3)]
        bands = bands[1:] + (bands[:1] if level == levels[-1] else [])
        common = {"wavelet": options["wavelet"], "level": level, "convention": "pyradiomics"}
        entries += [{"wavelet": {**common, "subband": band}} for band in bands]
    return entries


def _gradient(options: Mapping[str, Any]) -> list[Any]:
    if not options["gradientUseSpacing"]:
        raise ValueError("not supported of the settings of PyRadiomics: gradientUseSpacing: false")
    return [{"gradient": {"boundary": "nearest"}}]


def _lbp(options: Mapping[str, Any]) -> list[Any]:
    keys = {"lbp2DSamples": "points", "lbp2DRadius": "radius", "lbp2DMethod": "method"}
    return [{"lbp": {ours: options[theirs] for theirs, ours in keys.items()} | {"boundary": "constant"}}]


_FILTERS: dict[str, tuple[dict[str, Any], Callable[[Mapping[str, Any]], list[Any]]]] = {
    "Original": ({}, lambda _: ["original"]),
    "LoG": ({"sigma": []}, _log),
    "Wavelet": (_WAVELET, _wavelet),
    "Square": ({}, lambda _: ["square"]),
    "SquareRoot": ({}, lambda _: ["square_root"]),
    "Logarithm": ({}, lambda _: ["logarithm"]),
    "Exponential": ({}, lambda _: ["exponential"]),
    "Gradient": ({"gradientUseSpacing": True}, _gradient),
    "LBP2D": (_LBP, _lbp),
}
"""Image type → its own settings and their defaults, and the filters that it stands for."""
