"""Out-of-fold scores: each row is scored by a member that saw no row of its patient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from tumortrace import _check
from tumortrace.evaluation import grouped_folds
from tumortrace.fusion._base import take

Member = tuple[Any, list[int] | None]
"""An unfitted classifier and the positions of its columns; None is all of them."""


def folds_by_patient(y: NDArray[np.int_], patients: NDArray[Any], folds: int, seed: int) -> NDArray[np.int_]:
    """Return the fold of each row: `folds` of them, or as many as the smaller class has patients.

    Raises
    ------
    ValueError
        If a class has a single patient: whoever is tested, nothing is left to learn from.
    """
    folds = _check.integer("folds", folds, 2)
    fewest = min(len(np.unique(patients[y == value])) for value in (0, 1))
    if fewest < 2:
        raise ValueError("a class has a single patient; out-of-fold scores need two or more of each class")
    return grouped_folds(y, patients, folds=min(folds, fewest), seed=seed)


def fit(model: Any, X: Any, y: NDArray[np.int_], patients: NDArray[Any]) -> Any:
    """Fit `model`, telling the patients to it, or to the steps of a pipeline, where `fit` takes them."""
    return model.fit(X, y, **dict.fromkeys(_takers(model), patients))


def positive(model: Any, X: Any) -> NDArray[np.float64]:
    """Return the probability of class 1."""
    return np.asarray(model.predict_proba(X)[:, 1], dtype=np.float64)


def fit_all(
    members: Sequence[Member], X: Any, y: NDArray[np.int_], patients: NDArray[Any], n_jobs: int | None
) -> list[Any]:
    """Return clones of the members fitted on every row."""
    jobs = (delayed(fit)(clone(model), take(X, columns=columns), y, patients) for model, columns in members)
    return list(Parallel(n_jobs)(jobs))


def out_of_fold(
    members: Sequence[Member],
    X: Any,
    y: NDArray[np.int_],
    patients: NDArray[Any],
    folds: NDArray[np.int_],
    n_jobs: int | None,
) -> NDArray[np.float64]:
    """Return the probability of class 1, shape (rows, members), each by a clone fitted on the other folds."""
    cells = [(k, fold) for k in range(len(members)) for fold in np.unique(folds)]
    jobs = (delayed(_score_fold)(*members[k], X, y, patients, folds == fold) for k, fold in cells)
    scores = np.full((len(y), len(members)), np.nan)
    for (k, fold), values in zip(cells, Parallel(n_jobs)(jobs), strict=True):
        scores[folds == fold, k] = values
    return scores


def _score_fold(
    model: Any,
    columns: list[int] | None,
    X: Any,
    y: NDArray[np.int_],
    patients: NDArray[Any],
    tested: NDArray[np.bool_],
) -> NDArray[np.float64]:
    train, test = np.flatnonzero(~tested), np.flatnonzero(tested)
    fitted = fit(clone(model), take(X, rows=train, columns=columns), y[train], patients[train])
    return positive(fitted, take(X, rows=test, columns=columns))


def _takers(model: Any) -> list[str]:
    if isinstance(model, Pipeline):
        return [f"{name}__{taker}" for name, step in model.steps for taker in _takers(step)]
    return ["patients"] if hasattr(model, "fit") and has_fit_parameter(model, "patients") else []
