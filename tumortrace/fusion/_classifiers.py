"""Classifiers by name, and grids to tune them over."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import check_is_fitted

from tumortrace import _check
from tumortrace.fusion._base import BinaryClassifier, numbers
from tumortrace.fusion._crossfit import folds_by_patient

GRIDS: dict[str, dict[str, list[Any]]] = {
    "logistic": {"C": [0.001, 0.003, 0.01, 0.03, 0.1, 1.0]},
    "svm": {"C": [0.3, 1.0, 3.0, 10.0]},
    "forest": {"min_samples_leaf": [1, 3, 10], "max_features": ["sqrt", 0.1]},
    "xgboost": {"max_depth": [2, 4], "learning_rate": [0.03, 0.1]},
}
"""Name of a classifier → parameter → the values that ``EarlyFusion(tune=True)`` tries."""


def classifier(name: str, *, seed: int = 0, **params: Any) -> Any:
    """Return an unfitted classifier by its name.

    Parameters
    ----------
    name : {"logistic", "svm", "forest", "xgboost"}
        Logistic regression with an L2 penalty (``C=0.01``); a support vector machine with a Gaussian kernel and
        probabilities (`PlattSVC`); a random forest of 500 trees; boosted trees of XGBoost, which needs the extra
        ``boost``. All but XGBoost count the two classes equally, however many rows each has.
    seed : int, default 0
        The same seed and the same rows give the same classifier.
    **params
        Parameters of the classifier in place of these defaults.

    Returns
    -------
    scikit-learn classifier
        It takes numbers without NaN; "logistic" and "svm" want them standardised. `EarlyFusion` sees to both.

    Raises
    ------
    ValueError
        If the name or a parameter is not known; the message lists those that are.
    ModuleNotFoundError
        If XGBoost is asked for and not installed.

    Examples
    --------
    >>> classifier("logistic", C=0.1).C
    0.1
    >>> classifier("svm", c=0.1)
    Traceback (most recent call last):
    ValueError: svm has no parameter 'c'; it has C, class_weight, folds, gamma, seed
    """
    make = _MAKERS[_check.one_of("name", name, tuple(_MAKERS))]
    model = make(seed)
    known = sorted(set(model.get_params()) - {"random_state"})
    unknown = [key for key in params if key not in known]
    if unknown:
        raise ValueError(f"{name} has no parameter {unknown[0]!r}; it has {', '.join(known)}")
    return model.set_params(**params)


class PlattSVC(BinaryClassifier):
    """A support vector machine with probabilities by Platt scaling, cross-fitted by patient.

    The distance of a row from the boundary becomes a probability through a logistic curve. Its slope and offset are
    fitted on distances of rows whose patients the machine had not seen; then the machine is fitted on every row.

    Parameters
    ----------
    C : float, default 1.0
        Inverse strength of the penalty.
    gamma : float or "scale", default "scale"
        Of the Gaussian kernel, as in `sklearn.svm.SVC`.
    class_weight : "balanced" or None, default "balanced"
        "balanced" counts both classes equally, in the machine and in the curve.
    folds : int, default 5
        Folds by patient; fewer where a class has fewer patients.
    seed : int, default 0
        Of the folds.

    Attributes
    ----------
    svc_ : SVC
        Fitted on every row.
    slope_, offset_ : float
        Probability = 1 / (1 + exp(−(slope · distance + offset))).
    classes_ : ndarray, shape (2,)

    References
    ----------
    Platt, Probabilistic outputs for support vector machines, 1999; Lin, Lin and Weng, Machine Learning 68, 2007,
    10.1007/s10994-007-5018-6.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat([0, 1], 40)
    >>> X = rng.normal(size=(80, 2)) + 4 * y[:, None]
    >>> patients = np.repeat(np.arange(20), 4)
    >>> PlattSVC().fit(X, y, patients).predict_proba([[0, 0], [4, 4]])[:, 1].round(1)
    array([0., 1.])
    """

    def __init__(
        self,
        C: float = 1.0,
        *,
        gamma: float | str = "scale",
        class_weight: str | None = "balanced",
        folds: int = 5,
        seed: int = 0,
    ) -> None:
        self.C = C
        self.gamma = gamma
        self.class_weight = class_weight
        self.folds = folds
        self.seed = seed

    def fit(self, X: Any, y: ArrayLike, patients: ArrayLike | None = None) -> PlattSVC:
        """Fit the machine and the curve.

        Parameters
        ----------
        X : array_like, shape (n, columns)
            Standardised numbers without NaN.
        y : array_like, shape (n,)
            Two classes; the second in sorted order is the positive one.
        patients : array_like, shape (n,), optional
            The patient of each row; None means that each row is a patient of its own.

        Raises
        ------
        ValueError
            If `X` is not finite, lengths differ, or there are not two classes with two patients each.
        """
        X, codes, groups = self._start(X, y, patients)
        X = numbers(X)
        folds = folds_by_patient(codes, groups, self.folds, self.seed)
        weights = compute_sample_weight(self.class_weight, codes)
        distance = np.empty(len(codes))
        for fold in np.unique(folds):
            train, test = folds != fold, folds == fold
            distance[test] = self._svc().fit(X[train], codes[train]).decision_function(X[test])
        self.slope_, self.offset_ = _platt(distance, codes, weights)
        self.svc_ = self._svc().fit(X, codes)
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probabilities of the two classes, shape (n, 2)."""
        check_is_fitted(self)
        distance = self.svc_.decision_function(numbers(self._rows(X, reset=False)))
        second = expit(self.slope_ * distance + self.offset_)
        return np.column_stack([1 - second, second])

    def _svc(self) -> SVC:
        return SVC(C=self.C, gamma=self.gamma, class_weight=self.class_weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = False
        return tags


def _platt(distance: NDArray[np.float64], y: NDArray[np.int_], weights: NDArray[np.float64]) -> tuple[float, float]:
    """Return slope and offset of Platt's curve.

    Its targets are not 1 and 0 but (n₁ + 1) / (n₁ + 2) and 1 / (n₀ + 2), so that separable rows do not make a step:
    each row stands once in either class, weighted by its target.
    """
    negative, positive = np.bincount(y)
    target = np.where(y == 1, (positive + 1) / (positive + 2), 1 / (negative + 2))
    curve = LogisticRegression(C=1e9, max_iter=1000).fit(  # as good as without penalty
        np.tile(distance, 2)[:, None],
        np.repeat([1, 0], len(y)),
        np.concatenate([weights * target, weights * (1 - target)]),
    )
    return float(curve.coef_[0, 0]), float(curve.intercept_[0])


def _logistic(seed: int) -> LogisticRegression:
    return LogisticRegression(C=0.01, class_weight="balanced", max_iter=2000, random_state=seed)


def _svm(seed: int) -> PlattSVC:
    return PlattSVC(seed=seed)


def _forest(seed: int) -> RandomForestClassifier:
    return RandomForestClassifier(
        500, min_samples_leaf=3, class_weight="balanced_subsample", n_jobs=1, random_state=seed
    )


def _xgboost(seed: int) -> Any:
    if find_spec("xgboost") is None:
        raise ModuleNotFoundError(
            "the classifier xgboost needs XGBoost, which is not installed: pip install 'tumortrace[boost]'"
        )
    from xgboost import XGBClassifier

    return XGBClassifier(
        n_estimators=300,
        max_depth=3,
        learning_rate=0.05,
        subsample=0.8,
        colsample_bytree=0.3,
        tree_method="hist",
        n_jobs=1,
        random_state=seed,
    )


_MAKERS: dict[str, Callable[[int], BaseEstimator]] = {
    "logistic": _logistic,
    "svm": _svm,
    "forest": _forest,
    "xgboost": _xgboost,
}
