"""Pictures and models that are not there, for tests of what the page makes of them."""

import math
from pathlib import Path

import numpy as np

from tumortrace.web._reader import Picture
from tumortrace.web._shelf import Shelved

CLASSES = ("Benign", "Malignant")


def picture(name="lesion.png", shape=(12, 9), dtype=np.uint8):
    array = np.arange(math.prod(shape), dtype=dtype).reshape(shape)
    return Picture(name, array, False, b"", ".png")


def shelved(key, count=1, kind="fused", sequences=(), backbone="resnet8", synthetic=False):
    names = list(sequences) or [f"S{k}" for k in range(count)]
    record = {
        "plan": {"kind": kind, "backbone": backbone, "folds": 0},
        "inputs": {
            "unit": "image" if count == 1 else "slice", "sequences": names if count > 1 or sequences else None,
            "phases": None, "subtractions": None, "pixels": None, "kinetics": None, "texture": {"glcm": {}},
        },
        "classes": list(CLASSES), "metrics": [], "data": {"rows": 3, "patients": {"Benign": 1, "Malignant": 2}},
        "threshold": 0.5,
    }  # fmt: skip
    return Shelved(key, Path("nowhere"), record, synthetic)
