"""Write `pyradiomics_settings.json`: what PyRadiomics gives for made-up volumes, parameter file by parameter file.

``python make_pyradiomics_settings.py`` in an environment with pyradiomics 3.0.1, SimpleITK 2.5 and numpy 1.26.
"""

import json
import logging
from pathlib import Path

import numpy as np

SPACINGS = {"ct": (2.5, 0.8, 0.8), "mr": (3.0, 1.25, 1.0), "slice": (4.0, 0.7, 0.7), "small": (1.0, 1.0, 1.0)}
TEXTURE = dict.fromkeys(("firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"))
EVERY = {**TEXTURE, "shape": None}
FEW = {"firstorder": None, "glcm": None}
CUBIC = {"interpolator": "sitkBSpline", "binWidth": 25}
FILTERS = ("Original", "LoG", "Wavelet", "Square", "SquareRoot", "Logarithm", "Exponential", "Gradient")
OF_FILTERS = ("Mean", "Variance", "Skewness", "90Percentile", "Entropy", "Contrast", "JointEntropy")
CASES = {
    "defaults of ct": ("ct", {"featureClass": EVERY}),
    "defaults of mr": ("mr", {"featureClass": EVERY}),
    "defaults of a slice": ("slice", {"featureClass": EVERY}),
    "defaults of a small region": ("small", {"featureClass": EVERY}),
    "plane": ("ct", {"setting": {"force2D": True}, "featureClass": TEXTURE}),
    "form of a slice": ("slice", {"setting": {"force2D": True}, "featureClass": {"shape2D": None}}),
    "merged planes": (
        "mr",
        {"setting": {"force2D": True, "weightingNorm": "no_weighting", "binCount": 20}, "featureClass": TEXTURE},
    ),
    "cubic": ("ct", {"setting": {**CUBIC, "resampledPixelSpacing": [1.7, 1.7, 1.7]}, "featureClass": EVERY}),
    "cubic and padded": (
        "mr",
        {"setting": {**CUBIC, "resampledPixelSpacing": [2, 1, 1], "padDistance": 2}, "featureClass": EVERY},
    ),
    "cubic in the plane": (
        "ct",
        {"setting": {**CUBIC, "resampledPixelSpacing": [1.3, 1.3, 0]}, "featureClass": EVERY},
    ),
    "cubic of a slice": (
        "slice",
        {"setting": {**CUBIC, "resampledPixelSpacing": [1.3, 1.3, 1.3]}, "featureClass": EVERY},
    ),
    "cubic on old voxels": (
        "mr",
        {"setting": {**CUBIC, "resampledPixelSpacing": [3, 3.75, 1], "padDistance": 1}, "featureClass": EVERY},
    ),
    "linear": (
        "ct",
        {
            "setting": {"interpolator": "sitkLinear", "resampledPixelSpacing": [1.1, 0.9, 3.2]},
            "featureClass": EVERY,
        },
    ),
    "nearest": (
        "mr",
        {
            "setting": {"interpolator": "sitkNearestNeighbor", "resampledPixelSpacing": [2.1, 2.3, 2.2]},
            "featureClass": EVERY,
        },
    ),
    "same spacing": ("mr", {"setting": {**CUBIC, "resampledPixelSpacing": [1, 1.25, 3]}, "featureClass": FEW}),
    "normalised": (
        "mr",
        {
            "setting": {"normalize": True, "normalizeScale": 100, "removeOutliers": 1.5, "binWidth": 7.5},
            "featureClass": TEXTURE,
        },
    ),
    "normalised and resampled": (
        "ct",
        {
            "setting": {**CUBIC, "normalize": True, "binWidth": 0.3, "resampledPixelSpacing": [1.7, 1.7, 1.7]},
            "featureClass": TEXTURE,
        },
    ),
    "range": (
        "ct",
        {"setting": {"resegmentRange": [100, -700], "voxelArrayShift": 1000}, "featureClass": EVERY},
    ),
    "relative range": (
        "mr",
        {"setting": {"resegmentRange": [0.6], "resegmentMode": "relative"}, "featureClass": TEXTURE},
    ),
    "range of a resampled image": (
        "ct",
        {
            "setting": {
                **CUBIC,
                "resegmentRange": [-1.5, 1],
                "resegmentMode": "sigma",
                "resampledPixelSpacing": [1.7, 1.7, 1.7],
            },
            "featureClass": TEXTURE,
        },
    ),
    "image types": (
        "ct",
        {
            "imageType": {name: {"sigma": [1.5, 3]} if name == "LoG" else {} for name in FILTERS},
            "featureClass": FEW,
        },
    ),
    "image types of a crop": (
        "mr",
        {
            "setting": {"preCrop": True, "padDistance": 3},
            "imageType": {"Wavelet": {"level": 2}},
            "featureClass": FEW,
        },
    ),
    "image types of a resampled image": (
        "ct",
        {
            "setting": {**CUBIC, "resampledPixelSpacing": [1.7, 1.7, 1.7]},
            "imageType": {"Wavelet": {"wavelet": "db2"}, "Gradient": {}, "LoG": {"sigma": [2.0]}},
            "featureClass": FEW,
        },
    ),
    "image types in the plane": (
        "mr",
        {"setting": {"force2D": True}, "imageType": {"Wavelet": {}}, "featureClass": FEW},
    ),
}


def volume(name):
    """Return image and mask: whole numbers by rule, so that any machine makes the same."""
    slices, rows, cols = np.indices({"slice": (5, 26, 24)}.get(name, (10, 26, 30)))
    speckle = (37 * cols + 53 * rows + 29 * slices + 11 * rows * cols) % 97
    ball = ((slices - 4.5) / 3.6) ** 2 + ((rows - 12) / 8) ** 2 + ((cols - 14) / 10) ** 2
    if name == "ct":
        return np.where(ball < 1.1, 60 - 250 * (speckle > 88) + speckle // 2, -850 + speckle), ball < 1
    image = 300 + 6 * speckle - (30 * ball).astype(int)
    if name == "mr":
        return image, ball < 1
    if name == "slice":
        return image, (slices == 2) & (((rows - 12) / 9) ** 2 + ((cols - 11) / 7) ** 2 < 1)
    return image, (slices // 2 == 2) & (rows // 3 == 4) & (cols // 2 == 7)


def features(image, mask, spacing, parameters):
    """Return features by their names there, such as ``original_glcm_Contrast``: all, of filtered images a few."""
    import SimpleITK as sitk
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    images = [sitk.GetImageFromArray(array.astype(np.int16)) for array in (image, mask)]
    for each in images:
        each.SetSpacing(spacing[::-1])
    found = RadiomicsFeatureExtractor(parameters).execute(*images)
    kept = OF_FILTERS if "imageType" in parameters else tuple("_" + name.rsplit("_", 1)[1] for name in found)
    return {
        name: float(f"{value:.12g}")
        for name, value in found.items()
        if not name.startswith("diagnostics") and name.endswith(kept)
    }


if __name__ == "__main__":
    import radiomics

    logging.getLogger("radiomics").setLevel(logging.ERROR)
    cases = []
    for case, (name, parameters) in CASES.items():
        found = features(*volume(name), SPACINGS[name], parameters)
        print(f"{case}: {len(found)} features")
        cases.append({"case": case, "volume": name, "parameters": parameters, "features": found})
    made = {"made by": f"make_pyradiomics_settings.py with PyRadiomics {radiomics.__version__}", "cases": cases}
    lines = json.dumps(made, separators=(",", ":")).replace('{"case"', '\n{"case"')
    Path(__file__).with_name("pyradiomics_settings.json").write_text(lines + "\n")
