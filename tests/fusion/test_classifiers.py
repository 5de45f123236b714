"""Classifiers by name: valid names, valid parameters, the same bits for the same seed."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import ParameterGrid, PredefinedSplit
from sklearn.svm import SVC

from tumortrace.evaluation import grouped_folds
from tumortrace.fusion import GRIDS, EarlyFusion, PlattSVC, _classifiers, classifier

NAMES = ["logistic", "svm", "forest", "xgboost"]


def test_every_name_has_a_grid_of_its_parameters():
    assert list(GRIDS) == NAMES
    for name, grid in GRIDS.items():
        for parameters in ParameterGrid(grid):
            made = classifier(name, **parameters).get_params()
            assert {key: made[key] for key in parameters} == parameters


@pytest.mark.parametrize("name", NAMES)
def test_learns_and_repeats(name, cohort):
    X, y, patients = cohort
    test = patients >= 30
    first, second = (
        EarlyFusion(classifier=name, seed=4).fit(X[~test], y[~test], patients[~test]).predict_proba(X[test])[:, 1]
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
    assert roc_auc_score(y[test], first) > 0.8


@pytest.mark.parametrize("name", ["forest", "xgboost"])
def test_the_seed_counts(name, cohort):
    X, y, _ = cohort
    scores = [classifier(name, seed=seed, n_estimators=20).fit(X, y).predict_proba(X) for seed in (0, 1)]
    assert (scores[0] != scores[1]).any()


@pytest.mark.parametrize("name", ["logistic", "svm"])
def test_classes_count_equally_whatever_their_share(name, cohort, rng):
    X, y, patients = cohort
    few = (y == 0) | (patients < 12)
    X = rng.normal(size=X.shape)  # nothing to learn: a score is the share of a class
    score = classifier(name).fit(X[few], y[few], *([patients[few]] if name == "svm" else [])).predict_proba(X)[:, 1]
    assert y[few].mean() < 0.3
    assert np.mean(score) == pytest.approx(0.5, abs=0.12)


def test_platt_scaling_equals_scikit_learn(cohort):
    X, y, patients = cohort
    few = (y == 0) | (patients < 20)
    X, y, patients = X[few], y[few], patients[few]
    ours = PlattSVC(class_weight=None, folds=4, seed=1).fit(X, y, patients)
    split = PredefinedSplit(grouped_folds(y, patients, folds=4, seed=1))
    theirs = CalibratedClassifierCV(SVC(), method="sigmoid", cv=split, ensemble=False).fit(X, y)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-4)


def test_mistakes(monkeypatch):
    with pytest.raises(ValueError, match="name is 'bayes'; give one of 'logistic', 'svm', 'forest', 'xgboost'"):
        classifier("bayes")
    with pytest.raises(ValueError, match="logistic has no parameter 'c'; it has C, class_weight"):
        classifier("logistic", c=1)
    with pytest.raises(ValueError, match=r"xgboost has no parameter 'depth'; it has .*max_depth"):
        classifier("xgboost", depth=1)
    with pytest.raises(ValueError, match="forest has no parameter 'random_state'"):
        classifier("forest", random_state=1)
    monkeypatch.setattr(_classifiers, "find_spec", lambda _: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'tumortrace\[boost\]'"):
        classifier("xgboost")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": np.full((6, 1), np.nan)}, "NaN"),
        ({"patients": [0, 0, 0, 1, 1, 1]}, "a class has a single patient"),
        ({"patients": [0, 1]}, r"patients has shape \(2,\)"),
    ],
)
def test_rows_that_platt_scaling_cannot_take(change, message):
    rows = {"X": np.arange(6.0)[:, None], "y": [0, 0, 0, 1, 1, 1], "patients": None}
    with pytest.raises(ValueError, match=message):
        PlattSVC().fit(**(rows | change))
