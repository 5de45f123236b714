"""No patient is in two folds, the folds are alike, and a model that wants the patients gets them."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from tumortrace.evaluation import grouped_folds, grouped_predictions


def rows(rng, patients=40):
    """Labels and patients, with one to nine rows each, in no order."""
    counts = rng.integers(1, 10, patients)
    order = rng.permutation(counts.sum())
    return np.repeat(np.arange(patients) % 3 == 0, counts)[order], np.repeat(np.arange(patients), counts)[order]


@pytest.mark.parametrize("folds", [2, 5])
def test_patients_stay_whole_and_classes_are_shared_out(rng, folds):
    y, patients = rows(rng)
    tested = grouped_folds(y, patients, folds=folds)
    assert set(tested) == set(range(folds))
    for patient in np.unique(patients):
        assert len(set(tested[patients == patient])) == 1
    for value in (0, 1):
        shares = np.bincount(tested[y == value], minlength=folds) / (y == value).sum()
        assert abs(shares - 1 / folds).max() < 0.1


def test_the_seed_decides(rng):
    y, patients = rows(rng)
    np.testing.assert_array_equal(grouped_folds(y, patients, seed=1), grouped_folds(y, patients, seed=1))
    assert (grouped_folds(y, patients, seed=1) != grouped_folds(y, patients, seed=2)).any()


def test_names_of_patients_do_not_matter(rng):
    y, patients = rows(rng)
    named = np.array([f"patient {p:03}" for p in patients])
    np.testing.assert_array_equal(grouped_folds(y, patients), grouped_folds(y, named))


class WantsPatients(ClassifierMixin, BaseEstimator):
    """Scores a row by the patient it was told last, so that what it was told can be read off."""

    def fit(self, X, y, patients=None):
        self.classes_ = np.unique(y)
        assert (patients == X[:, 0]).all()
        self.patients_ = set(patients)
        return self

    def predict_proba(self, X):
        known = np.isin(X[:, 0], list(self.patients_)).astype(float)
        return np.column_stack([known, 1 - known])

    def predict(self, X):
        return self.predict_proba(X)[:, 1] > 0.5


def test_a_model_that_takes_patients_gets_those_of_its_rows(rng):
    y, patients = rows(rng)
    scores = grouped_predictions(WantsPatients(), patients[:, None].astype(float), y, patients)
    assert (scores == 1).all()


@pytest.mark.parametrize(
    ("patients", "message"),
    [
        ([0.0, 1.0, np.nan, 3.0], "missing"),
        (["a", None, "b", "c"], "missing"),
        (["a", "b", "c"], "one of each per row"),
    ],
)
def test_a_row_without_a_patient_is_refused(patients, message):
    with pytest.raises(ValueError, match=message):
        grouped_folds([0, 0, 1, 1], patients, folds=2)
