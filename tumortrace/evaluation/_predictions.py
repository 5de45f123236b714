"""Out-of-fold predictions split by patient, and their means per slice or patient."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.utils.validation import has_fit_parameter

from tumortrace.evaluation._folds import grouped_folds
from tumortrace.evaluation._rows import labels


def grouped_predictions(
    model: Any, features: Any, y_true: ArrayLike, patients: ArrayLike, *, folds: int = 5, seed: int = 0
) -> NDArray[np.float64]:
    """Predict each row by a model that saw no row of its patient.

    Parameters
    ----------
    model : scikit-learn classifier
        Cloned and fitted once per fold, on the rows outside it. Put every step that learns (imputer, scaler,
        selection) into it as a pipeline, so that it is learned inside the fold. A model whose `fit` takes
        `patients` is given those of its rows, to split by patient inside the fold too.
    features : DataFrame or array_like, shape (n, columns)
        What the model takes.
    y_true : array_like, shape (n,)
        1 or True for the positive class, 0 or False for the other.
    patients : array_like, shape (n,)
        The patient of each row; never split between folds.
    folds, seed : int
        As in `grouped_folds`.

    Returns
    -------
    ndarray of float64, shape (n,)
        Probability of the positive class.

    Raises
    ------
    ValueError
        If lengths differ, `y_true` is not 0 and 1, or a class has fewer patients than there are folds.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> y = [0, 0, 0, 0, 1, 1, 1, 1]
    >>> patients = ["a", "a", "b", "b", "c", "c", "d", "d"]
    >>> x = [[0.1], [0.2], [0.1], [0.3], [0.9], [0.8], [0.7], [0.9]]
    >>> (grouped_predictions(LogisticRegression(), x, y, patients, folds=2) > 0.5).astype(int)
    array([0, 0, 0, 0, 1, 1, 1, 1])
    """
    y = labels(y_true)
    split = PredefinedSplit(grouped_folds(y, patients, folds=folds, seed=seed))
    params = {"patients": np.asarray(patients)} if has_fit_parameter(model, "patients") else None
    scores = cross_val_predict(model, features, y, cv=split, params=params, method="predict_proba")
    return np.asarray(scores[:, 1], dtype=np.float64)


def aggregate(predictions: pd.DataFrame, by: Sequence[str], *, score: str = "score") -> pd.DataFrame:
    """Average the scores of the rows that share the columns `by`.

    Parameters
    ----------
    predictions : DataFrame
        One row per image, with the columns `by`, ``label`` and `score`.
    by : sequence of str
        What one row of the result stands for: ``["patient", "slice"]`` or ``["patient"]``.
    score : str, default "score"
        The column to average.

    Returns
    -------
    DataFrame
        One row per group, in the order of `by`: the columns `by`, ``label``, ``fold`` where there is one, the mean
        of `score`, and the mean of ``threshold`` where there is one. Other columns are left out.

    Raises
    ------
    ValueError
        If a column is missing, `by` or `score` has a row without a value, or the rows of a group differ in label or
        fold.

    Examples
    --------
    >>> rows = pd.DataFrame({"patient": ["a", "a", "b"], "label": [0, 0, 1], "score": [0.2, 0.4, 0.9]})
    >>> aggregate(rows, ["patient"])
      patient  label  score
    0       a      0    0.3
    1       b      1    0.9
    """
    by = list(by)
    missing = [name for name in (*by, "label", score) if name not in predictions]
    if missing:
        raise ValueError(
            f"predictions lack {', '.join(missing)}; they have {', '.join(map(str, predictions.columns))}"
        )
    empty = [name for name in (*by, score) if predictions[name].isna().any()]
    if empty:
        raise ValueError(f"{', '.join(empty)}: rows without a value cannot be averaged; fill or drop them")
    groups = predictions.groupby(by, observed=True, sort=True)
    shared = [name for name in ("label", "fold") if name in predictions and name not in by]
    for name in shared:
        different = groups[name].nunique(dropna=False) > 1
        if different.any():
            first = different.index[different][0]
            raise ValueError(f"{', '.join(by)} {first!r} has rows of more than one {name}")
    averaged = [name for name in (score, "threshold") if name in predictions]
    columns = {name: (name, "first") for name in shared} | {name: (name, "mean") for name in averaged}
    return groups.agg(**columns).reset_index()
