"""A volume's features by Pictologics or PyRadiomics, in an interpreter that has them.

    python peers_volumes.py pictologics FOLDER

`FOLDER` holds `image.npy` (float64) and `mask.npy` (bool). After one line of JSON with every number, each line of
input names a task, and is answered by the seconds that it took. The script imports nothing of tumortrace.
"""

import json
import os
import sys
import time
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "PICTOLOGICS_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np  # noqa: E402 - the number of threads is read when it loads

LEVELS = 32


def pictologics(image, mask):
    from importlib.metadata import version

    from pictologics.features.intensity import calculate_intensity_features, calculate_intensity_histogram_features
    from pictologics.features.texture import calculate_all_texture_features, calculate_glcm_features
    from pictologics.preprocessing import discretise_image

    ones = mask.astype(np.uint8)

    def discretise():
        return discretise_image(image, "FBN", roi_mask=ones, n_bins=LEVELS)

    def everything(levels):
        return (
            calculate_all_texture_features(levels, ones, LEVELS)
            | calculate_intensity_features(image[mask])
            | calculate_intensity_histogram_features(levels[mask], LEVELS)
        )

    levels = discretise()
    return f"Pictologics {version('pictologics')}", {
        "glcm": lambda: calculate_glcm_features(discretise(), ones, LEVELS),
        "all": lambda: everything(discretise()),
        "glcm, levels given": lambda: calculate_glcm_features(levels, ones, LEVELS),
        "all, levels given": lambda: everything(levels),
    }


def pyradiomics(image, mask):
    import logging

    import radiomics
    import SimpleITK
    from radiomics import firstorder, glcm, gldm, glrlm, glszm, imageoperations, ngtdm

    logging.disable(logging.WARNING)
    volume, region = SimpleITK.GetImageFromArray(image), SimpleITK.GetImageFromArray(mask.astype(np.uint8))
    box, _ = imageoperations.checkMask(volume, region)
    cropped = imageoperations.cropToTumorMask(volume, region, box)
    settings = {"binCount": LEVELS, "weightingNorm": "no_weighting"}

    def of(*families):
        found = {}
        for family in families:
            (extractor,) = (getattr(family, n) for n in dir(family) if n.lower() == f"radiomics{_name(family)}")
            numbers = extractor(*cropped, **settings).execute()
            found |= {f"{_name(family)}_{name}": float(number) for name, number in numbers.items()}
        return found

    return f"PyRadiomics {radiomics.__version__.lstrip('v')}", {
        "glcm": lambda: of(glcm),
        "all": lambda: of(firstorder, glcm, glrlm, glszm, gldm, ngtdm),
    }


def _name(module):
    return module.__name__.rpartition(".")[2]


def main():
    peer, folder = sys.argv[1], Path(sys.argv[2])
    image, mask = np.load(folder / "image.npy"), np.load(folder / "mask.npy")
    name, tasks = {"pictologics": pictologics, "pyradiomics": pyradiomics}[peer](image, mask)
    print(json.dumps({"peer": name, "tasks": list(tasks), "features": tasks["all"]()}), flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        tasks[line.strip()]()
        print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()
