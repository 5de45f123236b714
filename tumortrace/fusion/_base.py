"""What the estimators of fusion share: two classes, rows of patients, columns by name or position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_array, validate_data

CLIP = 1e-4
"""A probability nearer than this to 0 or 1 counts as this near: no member that is sure silences the others."""


class BinaryClassifier(ClassifierMixin, BaseEstimator):
    """A classifier of two classes that may be told the patient of each row."""

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class of each row: the one whose probability exceeds one half.

        Parameters
        ----------
        X : DataFrame or array_like, shape (n, columns)
            Columns as in `fit`.

        Returns
        -------
        ndarray, shape (n,)
        """
        positive = self.predict_proba(X)[:, 1] > 0.5
        return np.asarray(self.classes_[positive.astype(int)])

    def _start(
        self, X: Any, y: ArrayLike, patients: ArrayLike | None
    ) -> tuple[Any, NDArray[np.int_], NDArray[Any]]:
        """Return checked rows, their classes as 0 and 1, and their patients; set `classes_`."""
        in_sample = getattr(X, "attrs", {}).get("in_sample")
        if in_sample is not None and len(in_sample) > 0:
            raise ValueError(
                f"{len(in_sample)} rows of X are embeddings from a network that was trained on them: a fusion "
                "fitted on these trusts them too much; embed each row by a network that did not see its patient "
                "(one network per fold)"
            )
        classes = validate_data(self, y=y)
        check_classification_targets(classes)
        kind = type_of_target(classes, input_name="y", raise_unknown=True)
        if kind != "binary":
            raise ValueError(f"Only binary classification is supported. The type of the target is {kind}.")
        X = self._rows(X, reset=True)
        self.classes_, codes = np.unique(classes, return_inverse=True)
        if len(codes) != len(X):
            raise ValueError(f"y has {len(codes)} labels and X {len(X)} rows; give one label per row")
        if len(self.classes_) < 2:
            raise ValueError(f"y holds one class only, {self.classes_.tolist()[0]!r}; give rows of two")
        return X, codes, _patients(patients, len(codes))

    def _rows(self, X: Any, *, reset: bool) -> Any:
        """Return `X` as it is where it is a DataFrame, else as a 2-D array; check names and number of columns."""
        if not isinstance(X, pd.DataFrame):
            X = check_array(X, dtype=None, ensure_all_finite=False, estimator=self, input_name="X")
        elif len(X) == 0:
            raise ValueError(f"X has 0 rows, shape {X.shape}; a minimum of 1 is required")
        return validate_data(self, X, reset=reset, skip_check_array=True)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True  # imputed, or left to the members
        return tags


def positions(X: Any, columns: Sequence[str] | Sequence[int], what: str) -> list[int]:
    """Return where `columns` (names of a DataFrame's columns, or positions) stand in `X`.

    Raises
    ------
    ValueError, TypeError
        If there are none, one is missing or given twice, or they are a single string; `what` begins the message.
    """
    if isinstance(columns, str):
        raise TypeError(f"{what}: columns are {columns!r}; give a list")
    chosen: list[Any] = list(columns)
    if not chosen:
        raise ValueError(f"{what}: no columns; give one or more")
    if all(isinstance(c, int | np.integer) and not isinstance(c, bool) for c in chosen):
        missing = [c for c in chosen if not 0 <= c < X.shape[1]]
        found = [int(c) for c in chosen]
        there = f"X has columns 0 to {X.shape[1] - 1}"
    elif isinstance(X, pd.DataFrame):
        found = X.columns.get_indexer(pd.Index(chosen)).tolist()
        missing = [c for c, k in zip(chosen, found, strict=True) if k < 0]
        there = f"X has {', '.join(map(repr, X.columns[:5]))}{', …' if X.shape[1] > 5 else ''}"
    else:
        raise TypeError(f"{what}: columns {chosen[:3]!r} are names, but X is no DataFrame; give positions")
    if missing:
        raise ValueError(f"{what}: X lacks {len(missing)} of its columns, the first {missing[0]!r}; {there}")
    if len(set(found)) < len(found):
        raise ValueError(f"{what}: a column is given twice; give each once")
    return found


def numbers(X: Any, *, nan: bool = False) -> NDArray[np.float64]:
    """Return `X` as float64, finite, or with NaN where that is allowed; in one layout, for the same bits."""
    finite = "allow-nan" if nan else True
    return np.asarray(check_array(X, dtype=np.float64, order="C", ensure_all_finite=finite, input_name="X"))


def take(X: Any, *, rows: NDArray[Any] | None = None, columns: list[int] | None = None) -> Any:
    """Return some rows and columns of a DataFrame or array, as what it is."""
    at = X.iloc if isinstance(X, pd.DataFrame) else X
    if columns is not None and columns != list(range(X.shape[1])):
        X = at[:, columns]
        at = X.iloc if isinstance(X, pd.DataFrame) else X
    return X if rows is None else at[rows]


def _patients(patients: ArrayLike | None, rows: int) -> NDArray[Any]:
    if patients is None:
        return np.arange(rows)
    array = np.asarray(patients)
    if array.shape != (rows,):
        raise ValueError(f"patients has shape {array.shape}; give one per row, ({rows},)")
    if pd.isna(array).any():
        raise ValueError("patients holds missing values; give the patient of each row")
    return array
