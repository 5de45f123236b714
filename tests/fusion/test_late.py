"""Late fusion equals its formula; weights and stackers learn from out-of-fold scores alone."""

import itertools

import numpy as np
import pandas as pd
import pytest
from fusion.recorders import Remembers, TakesPaths
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from tumortrace.evaluation import grouped_folds, grouped_predictions
from tumortrace.fusion import EarlyFusion, LateFusion, classifier
from tumortrace.fusion._late import _best_weights


def members():
    return [
        ("good", EarlyFusion(), [0, 1]),
        ("fair", EarlyFusion(classifier=classifier("forest", n_estimators=20)), [2, 3]),
        ("noise", EarlyFusion(), range(4, 12)),
    ]


def log_odds(p):
    return logit(np.clip(p, 1e-4, 1 - 1e-4))


def test_the_average_is_of_log_odds(cohort):
    X, y, patients = cohort
    model = LateFusion(members()).fit(X, y, patients)
    alone = [clone(m).fit(X[:, list(c)], y).predict_proba(X[:, list(c)])[:, 1] for _, m, c in members()]
    np.testing.assert_array_equal(model.member_probabilities(X), np.column_stack(alone))
    expected = expit(np.mean([log_odds(p) for p in alone], axis=0))
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], expected, rtol=1e-12)
    assert model.weights_ == dict.fromkeys(["good", "fair", "noise"], 1 / 3)
    assert not hasattr(model, "out_of_fold_")


def test_a_member_that_is_sure_does_not_silence_the_others():
    X = np.column_stack([np.arange(8), np.tile([0.0, 1.0], 4)])
    y = np.tile([0, 1], 4)
    model = LateFusion([("sure", Remembers(), [0]), ("logistic", LogisticRegression(), [1])]).fit(X, y)
    score = model.predict_proba([[0, 0.0], [0, 1.0]])[:, 1]
    assert (score < 1).all()
    assert score[0] < score[1]


def test_out_of_fold_scores_are_those_of_grouped_cross_validation(cohort):
    X, y, patients = cohort
    model = LateFusion(members(), combine="stacked", folds=4, seed=2).fit(X, y, patients)
    np.testing.assert_array_equal(model.folds_, grouped_folds(y, patients, folds=4, seed=2))
    for k, (_, member, columns) in enumerate(members()):
        expected = grouped_predictions(member, X[:, list(columns)], y, patients, folds=4, seed=2)
        np.testing.assert_array_equal(model.out_of_fold_[:, k], expected)


def test_stacking_is_a_logistic_regression_on_out_of_fold_log_odds(cohort):
    X, y, patients = cohort
    model = LateFusion(members(), combine="stacked").fit(X, y, patients)
    stacker = LogisticRegression(class_weight="balanced").fit(log_odds(model.out_of_fold_), y)
    expected = stacker.predict_proba(log_odds(model.member_probabilities(X)))
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-6)
    assert not hasattr(model, "weights_")


def best_loss(odds, y, weights, balanced):
    """The least loss of any multiple of a weighted mean."""
    mean = odds @ weights
    return minimize_scalar(
        lambda multiple: log_loss(y, expit(multiple * mean), sample_weight=balanced), bounds=(0, 30)
    ).fun


@pytest.mark.parametrize("kept", [np.arange(40), np.r_[0:12, 12:40:2]], ids=["as many", "fewer malignant"])
def test_some_multiple_of_the_weighted_mean_has_the_greatest_likelihood(cohort, kept):
    X, y, patients = cohort
    rows = np.isin(patients, kept)
    X, y, patients = X[rows], y[rows], patients[rows]
    model = LateFusion(members(), combine="weighted").fit(X, y, patients)
    weights = np.array(list(model.weights_.values()))
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)
    odds, balanced = log_odds(model.out_of_fold_), 1 / np.bincount(y)[y]
    grid = [np.array([a, b, 20 - a - b]) / 20 for a, b in itertools.product(range(21), repeat=2) if a + b <= 20]
    losses = [best_loss(odds, y, w, balanced) for w in grid]
    assert best_loss(odds, y, weights, balanced) <= min(losses) + 1e-9
    np.testing.assert_allclose(
        model.predict_proba(X)[:, 1], expit(log_odds(model.member_probabilities(X)) @ weights), rtol=1e-12
    )


def test_members_that_err_apart_share_the_weight(rng):
    odds = rng.normal(size=(4000, 4)) * [1, 1, 1, 3]
    odds[:, :3] += np.tile([-0.5, 0.5], 2000)[:, None]  # true log-odds; the last member is sure, and says nothing
    weights = _best_weights(odds, np.tile([0, 1], 2000))
    np.testing.assert_allclose(weights, [1 / 3, 1 / 3, 1 / 3, 0], atol=0.04)


def test_members_that_say_nothing_share_the_weight():
    y = np.tile([0, 1], 5)
    np.testing.assert_array_equal(_best_weights(np.where(y == 1, -1.0, 1.0)[:, None] * [1, 2], y), [0.5, 0.5])


def test_a_member_that_only_remembers_gets_no_weight(cohort):
    X, y, patients = cohort
    overfit = classifier("forest", n_estimators=30, min_samples_leaf=1)
    rows = [("overfit", overfit, range(4, 12)), ("good", EarlyFusion(), [0, 1, 2])]
    model = LateFusion(rows, combine="weighted").fit(X, y, patients)
    assert model.members_["overfit"].score(X[:, 4:], y) == 1.0
    assert model.weights_["overfit"] < 0.2


@pytest.mark.parametrize("combine", ["average", "stacked"])
def test_jobs_change_nothing(cohort, combine):
    X, y, patients = cohort
    one, two = (
        LateFusion(members(), combine=combine, folds=2, n_jobs=n).fit(X, y, patients).predict_proba(X)
        for n in (None, 2)
    )
    np.testing.assert_array_equal(one, two)


def test_a_member_may_take_paths(cohort):
    X, y, patients = cohort
    frame = pd.DataFrame(X[:, :3], columns=["t0", "t1", "t2"])
    frame.insert(0, "sub1__image", np.where(y == 1, "bright/p-1.jpg", "dark/p-2.jpg"))
    frame["t1"] = frame["t1"].mask(frame.index < 3)
    rows = [("network", TakesPaths(), ["sub1__image"]), ("texture", EarlyFusion(), ["t0", "t1", "t2"])]
    model = LateFusion(rows, combine="weighted").fit(frame, y, patients)
    assert model.members_["network"].columns_ == ["sub1__image"]
    assert model.members_["network"].patients_ == patients.tolist()
    assert model.weights_["network"] > 0.8
    assert (model.predict(frame) == y).all()
    assert model.columns_ == {"network": [0], "texture": [1, 2, 3]}


def test_fewer_patients_than_folds_make_fewer_folds(cohort):
    X, y, patients = cohort
    rows = np.isin(patients, [0, 1, 2, 3, 4, 5])
    model = LateFusion(combine="stacked", folds=5).fit(X[rows], y[rows], patients[rows])
    assert set(model.folds_) == {0, 1, 2}
    rows = np.isin(patients, [0, 1, 3])
    with pytest.raises(ValueError, match="a class has a single patient"):
        LateFusion(combine="stacked").fit(X[rows], y[rows], patients[rows])
    LateFusion().fit(X[rows], y[rows], patients[rows])  # the average needs no folds


def test_parameters_and_members_are_left_as_they_were(cohort):
    X, y, patients = cohort
    model = LateFusion(members(), combine="stacked")
    model.fit(X, y, patients)
    assert not any(hasattr(member, "classes_") for _, member, _ in model.members)
    assert clone(model).combine == "stacked"


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"combine": "vote"}, ValueError, "combine is 'vote'; give one of 'average', 'weighted', 'stacked'"),
        ({"members": []}, ValueError, "members is empty"),
        ({"members": [("a", EarlyFusion())]}, TypeError, r"give \(name, classifier, columns\)"),
        ({"members": [EarlyFusion()]}, TypeError, r"give \(name, classifier, columns\)"),
        ({"members": [("a", EarlyFusion(), None)] * 2}, ValueError, "two members are named 'a'"),
        ({"members": [("a", "logistic", None)]}, TypeError, "give a classifier with predict_proba"),
        ({"members": [("a", EarlyFusion(), [99])]}, ValueError, "member 'a': X lacks 1 of its columns"),
        ({"combine": "stacked", "folds": 0}, ValueError, "folds is 0"),
    ],
)
def test_mistakes(cohort, given, error, message):
    X, y, patients = cohort
    with pytest.raises(error, match=message):
        LateFusion(**given).fit(X, y, patients)


def test_an_error_of_a_member_is_not_swallowed(cohort):
    X, y, patients = cohort
    broken = DummyClassifier(strategy="constant", constant=7)
    with pytest.raises(ValueError, match="constant"):
        LateFusion([("a", broken, None)], combine="stacked").fit(X, y, patients)


def test_given_weights_are_those_of_the_average(cohort):
    X, y, patients = cohort
    members = [(name, EarlyFusion(), columns) for name, columns in (("a", [0, 3]), ("b", [1, 2, 4]))]
    model = LateFusion(members, weights={"b": 3, "a": 1}).fit(X, y, patients)
    assert model.weights_ == {"a": 0.25, "b": 0.75}
    odds = logit(model.member_probabilities(X))
    np.testing.assert_allclose(logit(model.predict_proba(X)[:, 1]), odds @ [0.25, 0.75])
    for weights, message in (
        ({"a": 1}, "give one to each of a, b"),
        ({"a": 1, "b": 1, "c": 1}, "give one to each of a, b"),
        ({"a": 1, "b": 0}, "the weight of 'b' is 0; give a number above 0"),
    ):
        with pytest.raises(ValueError, match=message):
            LateFusion(members, weights=weights).fit(X, y)
    with pytest.raises(ValueError, match="combine='stacked' learns them"):
        LateFusion(members, combine="stacked", weights={"a": 1, "b": 1}).fit(X, y)
