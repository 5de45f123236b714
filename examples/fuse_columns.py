"""Texture, kinetics and both, fused early and late, compared on patients that no model has seen."""

import numpy as np
import pandas as pd

from tumortrace.evaluation import auc, grouped_predictions
from tumortrace.fusion import EarlyFusion, LateFusion
from tumortrace.table import column_groups

# synthetic columns of 80 patients with three slices each; with your own, read a slice table
rng = np.random.default_rng(1)
patients = np.repeat(np.arange(80), 3)
malignant = patients % 2 == 1
names = [f"vibrant_c1__glcm_{k}" for k in range(120)] + [f"kinetics_{k}" for k in range(10)]
values = rng.normal(size=(80, 130))[patients] + 0.5 * rng.normal(size=(240, 130))
values[np.ix_(malignant, [*range(12), *range(120, 123)])] += 0.6
slices = pd.DataFrame(values, columns=names)

groups = column_groups(slices.columns, by="kind")  # texture and kinetics
members = [(name, EarlyFusion(), columns) for name, columns in groups.items()]
models = {
    **{f"{name} alone": EarlyFusion({name: columns}) for name, columns in groups.items()},
    "early fusion": EarlyFusion(groups),
    "late fusion": LateFusion(members, combine="weighted"),
}
for name, model in models.items():
    scores = grouped_predictions(model, slices, malignant, patients)
    print(f"AUC per slice, {name:15} {auc(malignant, scores, patients)}")
print(LateFusion(members, combine="weighted").fit(slices, malignant, patients).weights_)
