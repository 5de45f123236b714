"""Early fusion equals the pipelines it stands for, group by group."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tumortrace.evaluation import grouped_folds, grouped_predictions
from tumortrace.fusion import GRIDS, EarlyFusion, classifier

GROUPS = {"a": [0, 1, 5, 6], "b": [2, 3, 4, 7, 8, 9, 10, 11]}


def test_one_group_equals_a_pipeline(cohort):
    X, y, _ = cohort
    X[::7, 3] = np.nan
    pipeline = make_pipeline(
        SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(C=0.01, class_weight="balanced")
    )
    model = EarlyFusion().fit(X, y)
    assert model.weights_ == {"all": 1.0}
    np.testing.assert_allclose(model.predict_proba(X), pipeline.fit(X, y).predict_proba(X), rtol=1e-10)
    assert (model.predict(X) == (model.predict_proba(X)[:, 1] > 0.5)).all()


def test_normal_scale_knows_ranks_only(cohort):
    X, y, patients = cohort
    model = EarlyFusion(scale="normal").fit(X, y, patients)
    bent = EarlyFusion(scale="normal").fit(np.exp(3 * X), y, patients)
    # between the 120 values of the rows themselves, which are all quantiles, nothing is interpolated
    np.testing.assert_allclose(bent.prepare(np.exp(3 * X)), model.prepare(X), atol=1e-6)
    far = X.copy()
    far[0, 0] = 1e9
    assert np.abs(model.prepare(far)).max() < 6
    with pytest.raises(ValueError, match="scale is 'log'; give one of 'standard', 'normal'"):
        EarlyFusion(scale="log").fit(X, y)


def test_each_group_is_selected_apart(cohort):
    X, y, _ = cohort
    model = EarlyFusion(GROUPS, select={"a": 2, "b": 3}, balance=False).fit(X, y)
    scaled = StandardScaler().fit_transform(X)
    parts = [
        SelectKBest(f_classif, k=k).fit_transform(scaled[:, GROUPS[name]], y) for name, k in (("a", 2), ("b", 3))
    ]
    np.testing.assert_allclose(model.prepare(X), np.hstack(parts))
    assert {name: len(kept) for name, kept in model.kept_.items()} == {"a": 2, "b": 3}
    assert model.kept_["a"] == [0, 1]  # the two that tell the class
    assert EarlyFusion(GROUPS, select=6).fit(X, y).prepare(X).shape[1] == 4 + 6  # a smaller group is kept whole


def test_balanced_groups_have_the_same_variance(cohort):
    X, y, _ = cohort
    prepared = EarlyFusion(GROUPS).fit(X, y).prepare(X)
    a, b = (part.var(axis=0).sum() for part in np.split(prepared, [4], axis=1))
    assert a == pytest.approx(b) == pytest.approx((4 + 8) / 2)
    assert set(EarlyFusion(GROUPS, balance=False).fit(X, y).weights_.values()) == {1.0}


def test_many_columns_do_not_drown_few(rng):
    patients = np.repeat(np.arange(60), 3)
    y = patients % 2
    X = rng.normal(size=(60, 402))[patients] + 0.3 * rng.normal(size=(180, 402))
    X[:, :2] += 2 * y[:, None]
    groups = {"kinetics": [0, 1], "hog": range(2, 402)}
    areas = {
        balance: roc_auc_score(y, grouped_predictions(EarlyFusion(groups, balance=balance), X, y, patients))
        for balance in (True, False)
    }
    assert areas[True] > 0.8
    assert areas[True] > areas[False] + 0.1


def test_columns_that_do_not_vary_are_dropped(cohort):
    X, y, _ = cohort
    X[:, 0] = 0.1
    X[:, 1] = np.nan
    X[:, [2, 3]] = 1e9
    model = EarlyFusion({"a": [0, 1, 4], "none": [2, 3]}).fit(X, y)
    assert model.kept_ == {"a": [2], "none": []}
    assert model.weights_ == {"a": 1.0}
    X[:, :4] = -1e12  # what never varied does not count, whatever it is now
    assert model.prepare(X).shape == (120, 1)
    assert np.abs(model.prepare(X)).max() < 10
    with pytest.raises(ValueError, match="no column varies over the rows"):
        EarlyFusion({"none": [2, 3]}).fit(X, y)


def test_a_group_may_be_transformed(cohort):
    X, y, _ = cohort
    model = EarlyFusion(GROUPS, select={"b": PCA(2)}).fit(X, y)
    assert model.prepare(X).shape[1] == 4 + 2
    expected = PCA(2).fit_transform(StandardScaler().fit_transform(X[:, GROUPS["b"]]))
    np.testing.assert_allclose(model.prepare(X)[:, 4:], model.weights_["b"] * expected, atol=1e-9)
    assert set(model.transformers_) == {"b"}


def test_columns_by_name_leave_others_alone(cohort):
    X, y, patients = cohort
    frame = pd.DataFrame(X, columns=[f"x{k}" for k in range(12)])
    names = {group: [f"x{k}" for k in columns] for group, columns in GROUPS.items()}
    mixed = frame.assign(path="sub1/p-001.jpg", when=pd.Timestamp("2026-01-01"))
    mixed = mixed[["path", *frame.columns[::-1], "when"]]
    by_name = EarlyFusion(names, select=2).fit(mixed, y, patients)
    by_position = EarlyFusion(GROUPS, select=2).fit(X, y, patients)
    np.testing.assert_array_equal(by_name.predict_proba(mixed), by_position.predict_proba(X))
    assert list(by_name.feature_names_in_) == list(mixed.columns)


def test_tuning_takes_the_best_of_the_grid(cohort):
    X, y, patients = cohort
    model = EarlyFusion(GROUPS, select=3, tune=True, folds=4, seed=3).fit(X, y, patients)
    folds = grouped_folds(y, patients, folds=4, seed=3)
    areas = {}
    for C in GRIDS["logistic"]["C"]:
        one = EarlyFusion(GROUPS, classifier("logistic", C=C, seed=3), select=3)
        areas[C] = np.mean(
            [
                roc_auc_score(
                    y[folds == k],
                    clone(one).fit(X[folds != k], y[folds != k]).predict_proba(X[folds == k])[:, 1],
                )
                for k in range(4)
            ]
        )
    best = max(areas, key=areas.get)
    assert model.best_params_ == {"classifier__C": best}
    assert best == model.classifier_.C


def test_a_grid_of_its_own(cohort):
    X, y, patients = cohort
    model = EarlyFusion(GROUPS, "svm", tune={"select": [1, 3], "classifier__C": [1.0]}, folds=3).fit(X, y, patients)
    assert model.best_params_ == {"select": 3, "classifier__C": 1.0}
    assert model.prepare(X).shape[1] == 6
    assert model.select is None  # parameters stay as they were given
    assert EarlyFusion().fit(X, y).best_params_ == {}


def test_classes_keep_their_names(cohort):
    X, y, _ = cohort
    names = np.where(y == 1, "Malignant", "Benign")
    model = EarlyFusion().fit(X, names)
    assert list(model.classes_) == ["Benign", "Malignant"]
    assert set(model.predict(X)) == {"Benign", "Malignant"}
    np.testing.assert_array_equal(model.predict_proba(X), EarlyFusion().fit(X, y == 1).predict_proba(X))


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"groups": {"a": [0, 12]}}, ValueError, "group 'a': X lacks 1 of its columns, the first 12; .* 0 to 11"),
        ({"groups": {"a": [0, 0]}}, ValueError, "group 'a': a column is given twice"),
        ({"groups": {"a": []}}, ValueError, "group 'a': no columns"),
        ({"groups": {"a": "glcm"}}, TypeError, "group 'a': columns are 'glcm'; give a list"),
        ({"groups": {"a": ["x0"]}}, TypeError, "are names, but X is no DataFrame"),
        ({"groups": [[0, 1]]}, TypeError, "give a mapping"),
        ({"select": 0}, ValueError, "select of group 'all' is 0"),
        ({"select": "anova"}, ValueError, "select of group 'all' is 'anova'"),
        ({"select": {"b": 3}}, ValueError, "select names the group 'b'; the groups are all"),
        ({"classifier": "bayes"}, ValueError, "'logistic', 'svm', 'forest', 'xgboost'"),
        ({"classifier": LogisticRegression(), "tune": True}, ValueError, "give a mapping, such as"),
        ({"tune": True, "folds": 1}, ValueError, "folds is 1"),
        ({"tune": {"C": [1]}}, ValueError, "Invalid parameter 'C'"),
    ],
)
def test_mistakes(cohort, parameters, error, message):
    X, y, patients = cohort
    with pytest.raises(error, match=message):
        EarlyFusion(**parameters).fit(X, y, patients)


def test_a_missing_column_is_named(cohort):
    X, y, _ = cohort
    frame = pd.DataFrame(X).add_prefix("x")
    with pytest.raises(ValueError, match=r"group 'a': X lacks 1 of its columns, the first 'y'; X has 'x0', .*, …"):
        EarlyFusion({"a": ["x1", "y"]}).fit(frame, y)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"patients": ["a"]}, r"patients has shape \(1,\); give one per row"),
        ({"patients": [None] * 120}, "patients holds missing values"),
        ({"y": np.zeros(120)}, "one class only"),
        ({"y": np.arange(120) % 3}, "Only binary classification is supported"),
        ({"y": [0, 1]}, "y has 2 labels and X 120 rows"),
        ({"X": np.full((120, 12), np.inf)}, "infinity"),
    ],
)
def test_unfit_rows(cohort, change, message):
    X, y, patients = cohort
    with pytest.raises(ValueError, match=message):
        EarlyFusion().fit(**({"X": X, "y": y, "patients": patients} | change))
