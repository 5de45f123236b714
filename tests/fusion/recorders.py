"""Members that tell on whoever shows them a patient twice."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Refuses(ClassifierMixin, BaseEstimator):
    """Takes the first column for the patient, and refuses to score a patient it was fitted on."""

    def __init__(self, strictness=1):
        self.strictness = strictness

    def fit(self, X, y, patients=None):
        X = np.asarray(X)
        self.classes_ = np.unique(y)
        self.seen_ = set(X[:, 0])
        return self

    def decision_function(self, X):
        X = np.asarray(X)
        both = self.seen_ & set(X[:, 0])
        if both:
            raise AssertionError(f"{len(both)} patients are scored by a model that saw them")
        return X[:, -1].astype(float)

    def predict_proba(self, X):
        positive = 1 / (1 + np.exp(-self.decision_function(X)))
        return np.column_stack([1 - positive, positive])


class Listens(Refuses):
    """Fails where the patients it is told are not those of its rows, as the first column has them."""

    def fit(self, X, y, patients=None):
        assert patients is not None
        assert len(set(zip(X[:, 0], patients, strict=True))) == len(set(X[:, 0])) == len(set(patients))
        return super().fit(X, y, patients)


class Remembers(ClassifierMixin, BaseEstimator):
    """Says 1 for a patient it was fitted on, and 0 for another."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.seen_ = set(X[:, 0])
        return self

    def predict_proba(self, X):
        seen = np.array([x in self.seen_ for x in X[:, 0]], dtype=float)
        return np.column_stack([1 - seen, seen])


class TakesPaths(ClassifierMixin, BaseEstimator):
    """Scores by the name of a file; what it is given must be texts in a DataFrame."""

    def fit(self, X, y, patients=None):
        self.classes_ = np.unique(y)
        self.columns_ = list(X.columns)
        self.patients_ = None if patients is None else list(patients)
        return self

    def predict_proba(self, X):
        assert list(X.columns) == self.columns_
        assert all(isinstance(path, str) for path in X.to_numpy().ravel())
        positive = X.iloc[:, 0].str.contains("bright").to_numpy() * 0.8 + 0.1
        return np.column_stack([1 - positive, positive])
