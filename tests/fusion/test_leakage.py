"""No row is scored by a model that saw its patient, shuffled labels give one half, and what leaks does harm."""

import numpy as np
import pandas as pd
import pytest
from fusion.recorders import Listens, Refuses, Remembers
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import sem, t
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tumortrace.evaluation import grouped_folds, grouped_predictions
from tumortrace.fusion import EarlyFusion, LateFusion, PerSequence, PlattSVC, _classifiers

REFUSED = "patients are scored by a model that saw them"


@st.composite
def cohorts(draw):
    """Rows, labels and patients of two to seven patients a class with one to five rows each."""
    rows = [draw(st.lists(st.integers(1, 5), min_size=2, max_size=7)) for _ in range(2)]
    y = np.repeat([0, 1], [sum(counts) for counts in rows])
    patients = np.repeat(np.arange(sum(map(len, rows))), rows[0] + rows[1])
    order = np.random.default_rng(draw(st.integers(0, 99))).permutation(len(y))
    names = np.array([f"p{k}" for k in patients])
    X = np.column_stack([patients, np.cos(np.arange(len(y)))])
    return X[order].astype(float), y[order], names[order]


@given(cohorts(), st.integers(2, 6), st.integers(0, 5), st.sampled_from(["weighted", "stacked"]))
def test_no_member_scores_a_patient_it_saw(data, folds, seed, combine):
    X, y, patients = data
    members = [("refuses", Refuses(), None), ("remembers", Remembers(), [0])]
    model = LateFusion(members, combine=combine, folds=folds, seed=seed).fit(X, y, patients)
    assert np.isfinite(model.out_of_fold_).all()
    assert (model.out_of_fold_[:, 1] == 0).all()
    assert (pd.Series(model.folds_).groupby(patients).nunique() == 1).all()
    assert 2 <= len(np.unique(model.folds_)) <= folds
    with pytest.raises(AssertionError, match=REFUSED):  # what is kept is fitted on everyone
        model.predict_proba(X)


@given(cohorts(), st.integers(2, 6), st.integers(0, 5))
def test_tuning_splits_by_patient(data, folds, seed):
    X, y, patients = data
    grid = {"classifier__strictness": [1, 2]}
    model = EarlyFusion(classifier=Refuses(), tune=grid, folds=folds, seed=seed).fit(X, y, patients)
    assert model.best_params_ == {"classifier__strictness": 1}
    with pytest.raises(AssertionError, match=REFUSED):
        model.predict_proba(X)


@given(cohorts(), st.integers(2, 6), st.integers(0, 5))
def test_platt_scaling_splits_by_patient(data, folds, seed):
    X, y, patients = data
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_classifiers, "SVC", lambda **_: Refuses())
        model = PlattSVC(folds=folds, seed=seed).fit(X, y, patients)
    with pytest.raises(AssertionError, match=REFUSED):
        model.predict_proba(X)


def test_without_patients_a_patient_is_seen_twice(cohort):
    X, y, patients = cohort
    X = np.column_stack([patients, X])
    LateFusion([("a", Refuses(), None)], combine="stacked").fit(X, y, patients)
    with pytest.raises(AssertionError, match=REFUSED):
        LateFusion([("a", Refuses(), None)], combine="stacked").fit(X, y)


@pytest.mark.parametrize(
    "model",
    [
        LateFusion([("a", Listens(), None)], combine="weighted"),
        LateFusion([("a", make_pipeline(StandardScaler(), "passthrough", Listens()), None)]),
        LateFusion([("a", make_pipeline(make_pipeline(StandardScaler(), Listens())), None)]),
        LateFusion([("a", LateFusion([("b", Listens(), None)], combine="stacked"), None)]),
        EarlyFusion(classifier=Listens(), tune={"select": [5, 6]}),
        PerSequence(Listens()),
    ],
    ids=["late", "pipeline", "pipelines", "nested", "early", "sequences"],
)
def test_patients_reach_those_who_listen(model, cohort):
    X, y, patients = cohort
    X = np.column_stack([patients + 100 * y, X])  # tells the class: never dropped by a selection
    names = np.array([f"p{k}" for k in patients])
    model.fit(X, y, names)
    with pytest.raises(AssertionError):  # each row a patient of its own, and the first column says otherwise
        model.fit(X, y)


HALVES = {"a": range(60), "b": range(60, 120)}
MEMBERS = [("a", EarlyFusion(), HALVES["a"]), ("b", EarlyFusion(), HALVES["b"])]
MODELS = {
    "early": EarlyFusion(HALVES, select=40),
    "tuned": EarlyFusion(tune={"classifier__C": [0.01, 1]}, folds=2),
    "svm": EarlyFusion(classifier="svm"),
    "average": LateFusion(MEMBERS),
    "weighted": LateFusion(MEMBERS, combine="weighted", folds=3),
    "stacked": LateFusion(MEMBERS, combine="stacked", folds=3),
}


@pytest.mark.parametrize("name", MODELS)
def test_labels_shuffled_by_patient_give_one_half(rng, name):
    patients = np.repeat(np.arange(40), 3)
    areas = []
    for _ in range(7):
        y = rng.permutation(np.arange(40) % 2)[patients]
        X = rng.normal(size=(40, 120))[patients] + 0.2 * rng.normal(
            size=(120, 120)
        )  # a fingerprint of each patient
        areas.append(roc_auc_score(y, grouped_predictions(MODELS[name], X, y, patients, folds=3)))
    low, high = t.interval(0.99, len(areas) - 1, np.mean(areas), sem(areas))
    assert low < 0.5 < high
    by_row = grouped_predictions(MODELS[name], X, y, np.arange(120), folds=3)
    assert roc_auc_score(y, by_row) > 0.8  # the same rows, split without regard to patients


def test_in_sample_scores_inflate_the_training_and_hurt_the_test(rng):
    """A forest's scores of its own training rows look perfect; a fusion that learns from them trusts it wholly."""
    patients = np.repeat(np.arange(120), 3)
    y = patients % 2
    X = rng.normal(size=(120, 12))[patients] + 0.3 * rng.normal(size=(360, 12))
    X[:, :2] += 0.7 * y[:, None]  # texture: 0 and 1
    X[:, 2:] += 0.1 * y[:, None]  # what the forest sees
    test = grouped_folds(y, patients, folds=2) == 1
    train = ~test
    forest = RandomForestClassifier(100, random_state=0)
    unseen = forest.fit(X[train][:, 2:], y[train]).predict_proba(X[test][:, 2:])[:, 1]
    in_sample = forest.predict_proba(X[train][:, 2:])[:, 1]
    out_of_fold = grouped_predictions(forest, X[train][:, 2:], y[train], patients[train])
    assert roc_auc_score(y[train], in_sample) > 0.99
    assert roc_auc_score(y[train], out_of_fold) < 0.75

    areas = {}
    for name, column in (("in-sample", in_sample), ("out-of-fold", out_of_fold)):
        fused = EarlyFusion(balance=False).fit(np.column_stack([X[train][:, :2], column]), y[train])
        areas[name] = roc_auc_score(y[test], fused.predict_proba(np.column_stack([X[test][:, :2], unseen]))[:, 1])
    assert areas["in-sample"] < areas["out-of-fold"] - 0.02


@pytest.mark.parametrize("model", [EarlyFusion(), LateFusion(), PerSequence()])
def test_in_sample_embeddings_are_refused(model, cohort):
    X, y, patients = cohort
    frame = pd.DataFrame(X).add_prefix("resnet18_")
    frame.attrs["in_sample"] = [3, 4]
    with pytest.raises(ValueError, match="2 rows of X are embeddings from a network that was trained on them"):
        model.fit(frame, y, patients)
    with pytest.raises(ValueError, match="did not see its patient"):
        grouped_predictions(model, frame, y, patients)
    frame.attrs["in_sample"] = []
    assert model.fit(frame, y, patients).score(frame, y) > 0.6
