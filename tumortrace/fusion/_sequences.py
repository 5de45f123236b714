"""One model per sequence, or one for all sequences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from tumortrace.fusion._base import CLIP, BinaryClassifier, positions, take
from tumortrace.fusion._crossfit import fit, positive
from tumortrace.fusion._early import EarlyFusion


class PerSequence(BinaryClassifier):
    """One classifier per value of a column: each row goes to the classifier of its own sequence.

    Parameters
    ----------
    estimator : scikit-learn classifier, optional
        Cloned and fitted once per value; None is `EarlyFusion()`.
    column : str, int or None, default None
        The name (of a DataFrame's column) or position of the column that says where a row belongs, such as
        ``"sequence"``. It is no feature. None: no such column, one classifier for all rows.

    Attributes
    ----------
    classes_ : ndarray, shape (2,)
        The second is the positive class.
    values_ : list
        The values of `column`, sorted; ``[None]`` without a column.
    estimators_ : list of classifier
        The fitted classifier of each value; their classes are 0 and 1.
    n_features_in_, feature_names_in_
        As in scikit-learn; they count the column.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = np.tile([0, 1], 60)
    >>> sequence = np.repeat(["SUB1", "VIBRANT"], 60)
    >>> sign = np.where(sequence == "SUB1", 1, -1)
    >>> X = pd.DataFrame({"sequence": sequence, "contrast": sign * y + 0.1 * rng.normal(size=120)})
    >>> PerSequence(column="sequence").fit(X, y).score(X, y)
    1.0
    >>> EarlyFusion({"all": ["contrast"]}).fit(X, y).score(X, y) < 0.8
    True
    """

    def __init__(self, estimator: Any = None, *, column: str | int | None = None) -> None:
        self.estimator = estimator
        self.column = column

    def fit(self, X: Any, y: ArrayLike, patients: ArrayLike | None = None) -> PerSequence:
        """Fit one classifier per value of the column.

        Parameters
        ----------
        X : DataFrame or array_like, shape (n, columns)
            The column that routes, and the features.
        y : array_like, shape (n,)
            Two classes, both in every sequence; the second in sorted order is the positive one.
        patients : array_like, shape (n,), optional
            The patient of each row, for a classifier whose `fit` takes it; None means that each row is a patient of
            its own.

        Raises
        ------
        ValueError, TypeError
            If the column is missing or has missing values, or a sequence has rows of one class only.
        """
        X, codes, patients = self._start(X, y, patients)
        features, route = self._routed(X)
        estimator = EarlyFusion() if self.estimator is None else self.estimator
        self.values_: list[Any] = sorted(set(route), key=str)
        self.estimators_: list[Any] = []
        for value in self.values_:
            rows = _where(route, value)
            if len(np.unique(codes[rows])) < 2:
                raise ValueError(
                    f"{self.column} {value!r} has rows of class {self.classes_.tolist()[codes[rows[0]]]!r} only; "
                    "drop it or add rows of both classes"
                )
            self.estimators_.append(fit(clone(estimator), take(features, rows=rows), codes[rows], patients[rows]))
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probabilities of the two classes, shape (n, 2).

        Raises
        ------
        ValueError
            If a row has a value of the column that no row of `fit` had.
        """
        parts = list(self.routed(X))
        second = np.empty(sum(len(rows) for rows, _, _ in parts))
        for rows, estimator, features in parts:
            second[rows] = positive(estimator, features)
        return np.column_stack([1 - second, second])

    def routed(self, X: Any) -> Iterator[tuple[NDArray[np.intp], Any, Any]]:
        """Yield, for each sequence that `X` has, the positions of its rows, its classifier, and their features.

        Raises
        ------
        ValueError
            If a row has a value of the column that no row of `fit` had.
        """
        check_is_fitted(self)
        features, route = self._routed(self._rows(X, reset=False))
        unknown = sorted(set(route) - set(self.values_), key=str)
        if unknown:
            raise ValueError(
                f"{self.column} {unknown[0]!r} was not there when the model was fitted; "
                f"it knows {', '.join(map(repr, self.values_))}"
            )
        for value, estimator in zip(self.values_, self.estimators_, strict=True):
            rows = _where(route, value)
            if len(rows):
                yield rows, estimator, take(features, rows=rows)

    def _routed(self, X: Any) -> tuple[Any, list[Any]]:
        """Return `X` without the column, and the column."""
        if self.column is None:
            return X, [None] * len(X)
        at = positions(X, [self.column], "column")[0]  # type: ignore[arg-type]
        route = X.iloc[:, at] if isinstance(X, pd.DataFrame) else pd.Series(X[:, at])
        if route.isna().any():
            raise ValueError(f"{self.column} has missing values; say where each row belongs")
        return take(X, columns=[k for k in range(X.shape[1]) if k != at]), route.tolist()


class OverSequences(BinaryClassifier):
    """One classifier for the sequences one by one: each column of a row is a case of its own; scores are averaged.

    With a column of paths per sequence, a network learns from each crop by itself: from many times as many images
    as there are slices, and from what does not take all sequences at once, such as a margin.

    Parameters
    ----------
    estimator : scikit-learn classifier, optional
        Cloned and fitted on one column that holds the columns of `X` one after the other; None is `EarlyFusion()`.

    Attributes
    ----------
    classes_ : ndarray, shape (2,)
        The second is the positive class.
    estimator_ : classifier
        The fitted classifier; its classes are 0 and 1.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    Notes
    -----
    The score of a row is the mean of the log-odds of its columns, clipped as by `LateFusion`.

    Examples
    --------
    >>> X = [[0.1, 0.2], [0.3, 0.1], [0.9, 0.4], [0.8, 0.9]]
    >>> OverSequences().fit(X, ["no", "no", "yes", "yes"]).predict([[0.9, 0.8], [0.2, 0.3]]).tolist()
    ['yes', 'no']
    """

    def __init__(self, estimator: Any = None) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: ArrayLike, patients: ArrayLike | None = None) -> OverSequences:
        """Fit the classifier on every column of every row.

        Parameters
        ----------
        X : DataFrame or array_like, shape (n, sequences)
            One column per sequence: paths of images, or numbers.
        y : array_like, shape (n,)
            Two classes; the second in sorted order is the positive one.
        patients : array_like, shape (n,), optional
            The patient of each row, for a classifier whose `fit` takes it; None means that each row is a patient of
            its own.
        """
        X, codes, patients = self._start(X, y, patients)
        estimator = EarlyFusion() if self.estimator is None else self.estimator
        count = X.shape[1]
        self.estimator_ = fit(clone(estimator), _one_column(X), np.tile(codes, count), np.tile(patients, count))
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probabilities of the two classes, shape (n, 2)."""
        check_is_fitted(self)
        X = self._rows(X, reset=False)
        scores = positive(self.estimator_, _one_column(X)).reshape(X.shape[1], len(X))
        second = expit(logit(np.clip(scores, CLIP, 1 - CLIP)).mean(axis=0))
        return np.column_stack([1 - second, second])


def _one_column(X: Any) -> Any:
    """Return the columns of `X` one after the other, as one."""
    if isinstance(X, pd.DataFrame):
        return pd.DataFrame({"image": np.concatenate([X.iloc[:, k].to_numpy() for k in range(X.shape[1])])})
    return X.T.reshape(-1, 1)


def _where(route: list[Any], value: Any) -> NDArray[np.intp]:
    return np.flatnonzero([one == value for one in route])
