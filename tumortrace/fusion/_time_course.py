"""The course of every feature over the phases, in place of its value in each sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

AFTER = tuple(f"vibrant_c{phase}" for phase in range(1, 9))
SUBTRACTIONS = tuple(f"sub{phase}" for phase in range(1, 9))
"""The names of BreaDM's sequences in columns."""


class TimeCourse(TransformerMixin, BaseEstimator):
    """Contrasts over time of features that stand side by side, sequence by sequence.

    A lesion that takes up contrast agent changes its texture. Over 17 sequences a feature has 17 columns that
    mostly say the same; what differs between lesions is where it starts and how it moves. This transformer learns
    nothing from the numbers: each contrast is a fixed sum of columns.

    Parameters
    ----------
    before : str, default "vibrant"
        The sequence before contrast, as it begins the names of columns: ``<sequence>__<feature>``.
    after : sequence of str, default "vibrant_c1" to "vibrant_c8"
        The sequences after contrast, in time.
    subtractions : sequence of str, default "sub1" to "sub8"
        The sequences of what was added, in time.

    Attributes
    ----------
    names_ : list of str
        Names of the columns that `transform` returns.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    Notes
    -----
    With B before, A₁ … Aₙ after and S₁ … Sₙ subtractions, the columns of a feature are

    - ``before__``: B; ``after__``: mean A; ``subtraction__``: mean S;
    - ``change__``: mean A − B; ``first_change__``: A₁ − B;
    - ``trend__``, ``subtraction_trend__``: mean of tᵢ Aᵢ and of tᵢ Sᵢ, the t evenly from −1 to 1;
    - ``turn__``, ``subtraction_turn__``: the first less the mean of the second and third.

    Sequences that no column names are left out, and with them the contrasts that need them. Columns of other
    sequences, or of none (``kinetics_…``), are returned as they are, as are all columns of an array, which has no
    names. A number that is missing makes the contrasts NaN that it is part of.

    Examples
    --------
    >>> slices = pd.DataFrame({"vibrant__glcm_contrast": [1.0], "vibrant_c1__glcm_contrast": [4.0],
    ...                        "vibrant_c2__glcm_contrast": [2.0], "kinetics_peak": [0.5]})
    >>> TimeCourse().fit_transform(slices).T
                                   0
    kinetics_peak                0.5
    before__glcm_contrast        1.0
    after__glcm_contrast         3.0
    change__glcm_contrast        2.0
    first_change__glcm_contrast  3.0
    trend__glcm_contrast        -1.0
    turn__glcm_contrast          2.0
    """

    def __init__(
        self,
        *,
        before: str = "vibrant",
        after: Sequence[str] = AFTER,
        subtractions: Sequence[str] = SUBTRACTIONS,
    ) -> None:
        self.before = before
        self.after = after
        self.subtractions = subtractions

    def fit(self, X: Any, y: Any = None) -> TimeCourse:
        """Read the names of the columns.

        Parameters
        ----------
        X : DataFrame or array_like, shape (n, columns)
            Numbers; NaN where one is missing.
        y : ignored

        Raises
        ------
        ValueError
            If a sequence is named twice, or a feature is of one sequence and not of another.
        """
        values = self._values(X, reset=True)
        names = list(X.columns) if isinstance(X, pd.DataFrame) else []
        sequences = _columns_of([self.before, *self.after, *self.subtractions], names)
        taken = {column for columns in sequences.values() for column in columns.values()}
        self.others_ = [column for column in range(values.shape[1]) if column not in taken]
        self.names_ = [str(names[column]) for column in self.others_] if names else []
        self.contrasts_: list[dict[str, list[Any]]] = []
        for name, weights in _weights(
            [self.before] if self.before in sequences else [],
            [name for name in self.after if name in sequences],
            [name for name in self.subtractions if name in sequences],
        ).items():
            features = next(iter(sequences.values()))
            columns = [[sequences[sequence][feature] for sequence in weights] for feature in features]
            self.contrasts_.append({"columns": columns, "weights": list(weights.values())})
            self.names_ += [f"{name}__{feature}" for feature in features]
        return self

    def transform(self, X: Any) -> Any:
        """Return the contrasts: a DataFrame for a DataFrame, else an array; float64."""
        check_is_fitted(self)
        values = self._values(X, reset=False)
        blocks = [values[:, self.others_]]
        blocks += [values[:, np.array(c["columns"])] @ np.array(c["weights"]) for c in self.contrasts_]
        result = np.hstack(blocks)
        return pd.DataFrame(result, columns=self.names_, index=X.index) if isinstance(X, pd.DataFrame) else result

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the columns that `transform` returns."""
        check_is_fitted(self)
        names = self.names_ or (input_features if input_features is not None else _numbered(self.n_features_in_))
        return np.array(names, dtype=object)

    def _values(self, X: Any, *, reset: bool) -> NDArray[np.float64]:
        return np.asarray(
            validate_data(self, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan"), dtype=np.float64
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _numbered(count: int) -> list[str]:
    return [f"x{i}" for i in range(count)]


def _columns_of(sequences: Sequence[str], names: Sequence[Any]) -> dict[str, dict[str, int]]:
    """Return, for each of the sequences that has columns, feature → position."""
    if len(set(sequences)) < len(sequences):
        raise ValueError(f"before, after and subtractions name a sequence twice: {', '.join(sequences)}")
    found: dict[str, dict[str, int]] = {}
    for position, name in enumerate(names):
        sequence, _, feature = str(name).partition("__")
        if feature and sequence in sequences:
            found.setdefault(sequence, {})[feature] = position
    features = {feature for columns in found.values() for feature in columns}
    for sequence, columns in found.items():
        if missing := sorted(features - columns.keys()):
            raise ValueError(f"X lacks {len(missing)} columns of the sequence {sequence}, the first {missing[0]}")
    return found


def _weights(
    before: Sequence[str], after: Sequence[str], subtractions: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Return contrast → sequence → weight, for the sequences that there are."""
    contrasts: dict[str, dict[str, float]] = {}
    if before:
        contrasts["before"] = {before[0]: 1.0}
    for names, prefix in ((after, ""), (subtractions, "subtraction_")):
        n = len(names)
        if n:
            contrasts[prefix.rstrip("_") or "after"] = dict.fromkeys(names, 1 / n)
        if n and before and names is after:
            contrasts["change"] = dict.fromkeys(names, 1 / n) | {before[0]: -1.0}
            contrasts["first_change"] = {names[0]: 1.0, before[0]: -1.0}
        if n > 1:
            times = np.linspace(-1, 1, n) / n
            contrasts[f"{prefix}trend"] = dict(zip(names, times.tolist(), strict=True))
            contrasts[f"{prefix}turn"] = {names[0]: 1.0} | dict.fromkeys(names[1:3], -1 / len(names[1:3]))
    return contrasts
