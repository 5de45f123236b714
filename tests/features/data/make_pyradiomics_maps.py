"""Write `pyradiomics_maps.json`: what PyRadiomics maps of a made-up volume.

``python make_pyradiomics_maps.py`` in an environment with pyradiomics 3.0.1, SimpleITK 2.5 and numpy 1.26.
"""

import json
import logging
from pathlib import Path

import numpy as np


def volume():
    """Return the image: whole numbers by rule, so that any machine makes the same."""
    slices, rows, cols = np.indices((3, 4, 5))
    return 480 + 5 * ((37 * cols + 53 * rows + 29 * slices) % 41) * (cols > 1) + 12 * rows * slices


def maps(image):
    """Return every GLCM and first order feature of the 3 × 3 × 3 voxels around each voxel."""
    import SimpleITK as sitk
    from radiomics.firstorder import RadiomicsFirstOrder
    from radiomics.glcm import RadiomicsGLCM

    images = [sitk.GetImageFromArray(array) for array in (image.astype(np.int16), np.ones(image.shape, np.uint8))]
    found = {}
    for name, kind in (("glcm", RadiomicsGLCM), ("first_order", RadiomicsFirstOrder)):
        features = kind(*images, binWidth=25, voxelBased=True, kernelRadius=1, label=1)
        features.enableAllFeatures()
        found[name] = {key: sitk.GetArrayFromImage(map_).tolist() for key, map_ in features.execute().items()}
    return found


if __name__ == "__main__":
    logging.getLogger("radiomics").setLevel(logging.CRITICAL)
    target = Path(__file__).with_name("pyradiomics_maps.json")
    target.write_text(json.dumps(maps(volume())) + "\n", encoding="utf-8")
