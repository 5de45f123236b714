"""Predictions of a model that averages, to report on."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from tumortrace.fusion import LateFusion
from tumortrace.report._study import Study

WEIGHTS = {"glcm": 0.3, "lbp": 0.2, "kinetics": 0.5}


def fusion():
    """Return a mean of texture, itself a mean of two, and kinetics, with the weights above."""
    texture = LateFusion([("glcm", None, [0]), ("lbp", None, [1])])
    texture.members_, texture.weights_ = {"glcm": None, "lbp": None}, {"glcm": 0.6, "lbp": 0.4}
    whole = LateFusion([("texture", texture, [0, 1]), ("kinetics", None, [2])])
    whole.members_, whole.weights_ = {"texture": texture, "kinetics": None}, {"texture": 0.5, "kinetics": 0.5}
    return whole


@pytest.fixture
def predictions(rng):
    """24 patients of three slices, in four folds, with the scores of the members of `fusion`."""
    patient = np.repeat([f"P{i:02}" for i in range(24)], 3)
    label = np.repeat(np.tile(["benign", "malignant"], 12), 3)
    hard = np.repeat(rng.normal(size=24), 3)
    odds = {
        name: 1.4 * (label == "malignant") - 0.7 + hard + sway * rng.normal(size=72)
        for name, sway in (("glcm", 1.0), ("lbp", 2.0), ("kinetics", 0.6))
    }
    odds["texture"] = 0.6 * odds["glcm"] + 0.4 * odds["lbp"]
    table = pd.DataFrame(
        {
            "patient": patient,
            "slice": np.tile([1, 2, 3], 24),
            "label": label,
            "fold": np.repeat(np.arange(24) // 2 % 4, 3),
        }
    )
    scores = {f"score_{name}": expit(values) for name, values in odds.items()}
    whole = expit(sum(WEIGHTS[name] * odds[name] for name in WEIGHTS))
    return table.assign(**scores, score=whole, threshold=0.5)


@pytest.fixture
def study(predictions):
    record = {"data": {"left_out": ["2 rows have no label"]}, "plan": {"kind": "handcrafted"}, "seen": []}
    model = SimpleNamespace(estimator=fusion(), record=record)
    return Study(predictions, "malignant", model=model)
