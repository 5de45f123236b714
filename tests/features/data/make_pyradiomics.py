"""Write `pyradiomics.json`: what PyRadiomics gives for a made-up volume, setting by setting.

``python make_pyradiomics.py`` in an environment with pyradiomics 3.0.1, SimpleITK 2.5 and numpy 1.26.
"""

import json
import logging
from pathlib import Path

import numpy as np

SPACING = (2.0, 0.5, 0.5)
SETTINGS = {
    "bin width": {"binWidth": 25},
    "bin count": {"binCount": 32},
    "in the plane": {"binWidth": 25, "force2D": True},
    "merged": {"binWidth": 25, "weightingNorm": "no_weighting"},
    "distance 2": {"binWidth": 25, "distances": [2]},
    "not symmetrical": {"binWidth": 25, "symmetricalGLCM": False},
}


def volume():
    """Return image and mask: whole numbers by rule, so that any machine makes the same."""
    slices, rows, cols = np.indices((4, 20, 22))
    image = 480 + 5 * ((37 * cols + 53 * rows + 29 * slices) % 41) + 12 * ((cols - 11) * (rows - 10) // 4)
    return image, ((slices - 1.5) / 2.2) ** 2 + ((rows - 10) / 8) ** 2 + ((cols - 11) / 9) ** 2 < 1


def features(image, mask, settings, all_classes=False):
    """Return every first order and GLCM feature, or what is computed by default, such as ``glcm_Contrast``."""
    import SimpleITK as sitk
    from radiomics.featureextractor import RadiomicsFeatureExtractor
    from radiomics.firstorder import RadiomicsFirstOrder

    images = [sitk.GetImageFromArray(array.astype(np.int16)) for array in (image, mask)]
    for each in images:
        each.SetSpacing(SPACING[::-1])
    extractor = RadiomicsFeatureExtractor(**settings)
    if not all_classes:
        extractor.disableAllFeatures()
        extractor.enableFeaturesByName(firstorder=list(RadiomicsFirstOrder.getFeatureNames()), glcm=[])
    found = extractor.execute(*images)
    return {name[9:]: float(value) for name, value in found.items() if name.startswith("original_")}


if __name__ == "__main__":
    import radiomics

    logging.getLogger("radiomics").setLevel(logging.ERROR)
    image, mask = volume()
    made = {
        "made by": f"make_pyradiomics.py with PyRadiomics {radiomics.__version__}",
        "spacing": SPACING,
        "volume": {name: features(image, mask, settings) for name, settings in SETTINGS.items()},
        "defaults": features(image, mask, {}, all_classes=True),
        "slice": features(image[1:2], mask[1:2], {"binWidth": 25}),
    }
    Path(__file__).with_name("pyradiomics.json").write_text(json.dumps(made, indent=1) + "\n")
