"""Write a small model of the current version of the format, with what it predicts.

Run once when the format gets a new version: ``python tests/model/data/make_stored.py``. What is there is never
written anew: it stands for the models that users have.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

from tumortrace.fusion import EarlyFusion, LateFusion, PerSequence, classifier
from tumortrace.model import write
from tumortrace.model._store import VERSION


def main():
    rng = np.random.default_rng(2026)
    y = np.tile([0, 0, 0, 1, 1, 1], 10)
    columns = [f"glcm_{k}" for k in range(4)] + [f"kinetics_{k}" for k in range(4)]
    X = pd.DataFrame((rng.normal(size=(60, 8)) + y[:, None]).round(3), columns=columns)
    X["sequence"] = np.where(np.arange(60) % 2, "SUB1", "VIBRANT")
    glcm, kinetics = columns[:4], columns[4:]
    members = [
        ("glcm", EarlyFusion({"glcm": glcm}, select=PCA(2)), glcm),
        ("sequences", PerSequence(EarlyFusion(), column="sequence"), ["glcm_0", "glcm_1", "sequence"]),
        ("kinetics", EarlyFusion({"kinetics": kinetics}, "svm", select=3), kinetics),
        ("forest", classifier("forest", n_estimators=1, max_depth=2), columns),
        ("boosted", classifier("xgboost", n_estimators=3, max_depth=2), columns),
    ]
    model = LateFusion(members, combine="stacked", folds=2).fit(X, y, np.repeat(np.arange(20), 3))
    record = {
        "kind": "handcrafted",
        "columns": [*columns, "sequence"],
        "threshold": 0.5,
        "made_of": "synthetic numbers",
    }
    folder = Path(__file__).parent / f"version{VERSION}"
    folder.mkdir()
    write(folder / "model", record, model, background=X.iloc[:4].assign(label="Benign", score=0.25))
    rows = X.iloc[:12]
    expected = {
        "record": record,
        "rows": rows.to_dict("list"),
        "scores": model.predict_proba(rows)[:, 1].tolist(),
    }
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
