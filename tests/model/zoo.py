"""One small fitted estimator of every kind that a model on disk may hold, and rows for it."""

from functools import cache

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.feature_selection import SelectFromModel, SelectKBest, f_classif
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PowerTransformer, QuantileTransformer, RobustScaler, StandardScaler
from sklearn.svm import SVC, LinearSVC

from tumortrace.fusion import EarlyFusion, LateFusion, PerSequence, TimeCourse, classifier

TEXTURE, KINETICS = [f"glcm_{k}" for k in range(6)], [f"kinetics_{k}" for k in range(6)]
ROWS = 90


@cache
def rows():
    """Features with a missing number and the sequence, labels as text, and patients of three rows each."""
    rng = np.random.default_rng(5)
    patients = np.repeat(np.arange(ROWS // 3), 3)
    malignant = patients % 2 == 1
    numbers = rng.normal(size=(ROWS, 12)) + malignant[:, None] * np.linspace(0, 1, 12)
    frame = pd.DataFrame(numbers, columns=TEXTURE + KINETICS)
    frame.iloc[4, 2] = np.nan
    frame["sequence"] = np.tile(["SUB1", "VIBRANT", "VIBRANT+C1"], ROWS // 3)
    return frame, np.where(malignant, "Malignant", "Benign"), patients


def numbers():
    return rows()[0][TEXTURE + KINETICS]


def images():
    """Pixels as a network takes them, one channel, of several sizes."""
    rng = np.random.default_rng(6)
    return [rng.integers(0, 255, (9 + k % 3, 11), dtype=np.uint8) for k in range(12)]


def impute(*steps):
    return make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), *steps)


def plain():
    """Pipelines of scikit-learn alone."""
    logistic = LogisticRegression(C=0.1)
    scaled = make_pipeline(SimpleImputer(), StandardScaler())
    columns = ColumnTransformer([("scaled", scaled, TEXTURE), ("kept", "passthrough", KINETICS)])
    return {
        "logistic": impute(StandardScaler(), SelectKBest(f_classif, k=5), logistic),
        "svc": impute(RobustScaler(), PCA(4), SVC()),
        "forest": impute(QuantileTransformer(n_quantiles=10), RandomForestClassifier(4, random_state=0)),
        "trees": make_pipeline(columns, ExtraTreesClassifier(3, random_state=0)),
        "selected": impute(PowerTransformer(), SelectFromModel(LinearSVC()), logistic),
        "calibrated": impute(CalibratedClassifierCV(LinearSVC(), ensemble=False)),
        "isotonic": impute(CalibratedClassifierCV(LogisticRegression(), method="isotonic", cv=3)),
    }


def ours():
    """Estimators of tumortrace, and pipelines around them."""
    groups = {"texture": TEXTURE, "kinetics": KINETICS}
    small = classifier("xgboost", n_estimators=5)
    members = [
        ("texture", EarlyFusion({"texture": TEXTURE}, select=3), TEXTURE),
        ("kinetics", EarlyFusion({"kinetics": KINETICS}, "svm"), KINETICS),
    ]
    return {
        "svm": impute(StandardScaler(), classifier("svm")),
        "early": EarlyFusion(groups, select={"texture": 3, "kinetics": PCA(2)}),
        "tuned": EarlyFusion(groups, tune={"classifier__C": [0.01, 0.1]}, folds=3),
        "boosted": EarlyFusion(groups, small),
        "weighted": LateFusion(members, combine="weighted", folds=3),
        "stacked": LateFusion(members, combine="stacked", folds=3),
        "per sequence": PerSequence(EarlyFusion(), column="sequence"),
        "course": make_pipeline(TimeCourse(), EarlyFusion(scale="normal")),
        "all": PerSequence(LateFusion(members), column="sequence"),
    }


def given(name):
    """Return what an estimator is fitted on, without its labels, and predicts from."""
    if name == "embedding":
        return [255 - image for image in images()]  # that the network has not seen
    return images() if name == "network" else rows()[0] if name in ("per sequence", "all") else numbers()


@cache
def fitted(name):
    """Return an estimator and what it predicts from."""
    (_, y, patients), X = rows(), given(name)
    if name == "xgboost":
        return classifier("xgboost", n_estimators=5, gamma=0.1).fit(X, y == "Malignant"), X
    if name == "network":
        from tumortrace.deep import CNNClassifier

        return CNNClassifier("resnet8", epochs=1, size=16).fit(X, np.arange(12) % 2), X
    if name == "embedding":
        from tumortrace.deep import CNNEmbedding

        embedding = CNNEmbedding(fitted("network")[0])
        return make_pipeline(embedding, classifier("logistic")).fit(X, np.arange(12) % 2), X
    if name in plain():
        return plain()[name].fit(X, y), X
    model = ours()[name]
    return (model.fit(X, y) if name in ("svm", "course") else model.fit(X, y, patients)), X


NAMES = [*plain(), *ours(), "xgboost", "network", "embedding"]


def scores(model, X):
    """Return what a model says of rows, as numbers."""
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.decision_function(X)
