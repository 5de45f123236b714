"""Is one model better than another, on patients neither has seen? Made-up features, everything by patient."""

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tumortrace.evaluation import aggregate, compare, grouped_folds, grouped_predictions, measure

rng = np.random.default_rng(0)
patients = np.repeat(np.arange(100), 6)  # 100 patients, 6 slices each
malignant = patients % 2
texture, kinetics = (
    signal * malignant[:, None] + rng.normal(size=(100, 5))[patients] + 0.5 * rng.normal(size=(600, 5))
    for signal in (0.4, 0.5)
)

model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1))
rows = pd.DataFrame({"patient": patients, "slice": np.tile(np.arange(6), 100), "label": malignant})
rows["fold"] = grouped_folds(malignant, patients)
scored = {
    name: rows.assign(score=grouped_predictions(model, columns, malignant, patients))
    for name, columns in {"texture": texture, "texture and kinetics": np.hstack([texture, kinetics])}.items()
}

for name, predictions in scored.items():
    # the threshold of a fold is chosen on the other folds
    table = measure(predictions, threshold="youden")
    print(f"{name}\n{table[table['metric'].isin(['auc', 'sensitivity', 'specificity'])].round(3)}\n")

for by in (["patient", "slice"], ["patient"]):
    one, both = (aggregate(predictions, by) for predictions in scored.values())
    print(f"texture and kinetics against texture, per {by[-1]}:")
    print(compare(both["label"], both["score"], one["score"], both["patient"]), "\n")
