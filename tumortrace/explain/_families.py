"""One family of features in one model: what its classifier sees of a row, and of the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.pipeline import Pipeline

from tumortrace.explain._shapley import Numbers, shapley

if TYPE_CHECKING:
    import pandas as pd

    from tumortrace.explain._leaves import Leaf

_SHARES = {"low": 0.05, "median": 0.5, "high": 0.95}


class Family:
    """The features of a leaf, with their spread over the background, which is computed once for many rows.

    Parameters
    ----------
    leaf : Leaf
        A classifier of features: `EarlyFusion`, or a pipeline that ends in one.
    background : DataFrame
        Rows of `Model.background`.
    classes : (str, str)
        The labels in its column `label`.

    Raises
    ------
    TypeError
        If the leaf is another classifier, or one whose columns are mixed before it sees them.
    """

    def __init__(self, leaf: Leaf, background: pd.DataFrame, classes: tuple[str, str]) -> None:
        steps = leaf.estimator if isinstance(leaf.estimator, Pipeline) else Pipeline([("only", leaf.estimator)])
        self.leaf, self.before, self.last = leaf, steps[:-1], steps[-1]
        if getattr(self.last, "transformers_", True):
            raise TypeError(
                f"{leaf.name} is a {type(self.last).__name__} that mixes columns; ask for families only"
            )
        self.values, self.prepared = self._seen(background)
        self.spread = self.values.quantile(list(_SHARES.values())).T.set_axis(list(_SHARES), axis=1)
        for name, label in zip(("median_negative", "median_positive"), classes, strict=True):
            self.spread[name] = self.values[background["label"] == label].median()

    def tables(self, rows: pd.DataFrame, moved: Numbers) -> list[pd.DataFrame]:
        """Return the part of `Explanation.features` that is of this family, for each row.

        Parameters
        ----------
        rows : DataFrame, shape (n, columns)
            The columns of the model.
        moved : ndarray, shape (n,)
            How far the family moved the log-odds of the whole.
        """
        values, prepared = self._seen(rows)
        found = []
        for value, row, whole in zip(values.to_numpy(), prepared, moved, strict=True):
            shap = self.leaf.weight * shapley(self.last.classifier_, row, self.prepared)
            # trees compute in float32, the quadrature leaves a last bit: the parts are made to be the whole
            size = np.abs(shap)
            shap += (whole - shap.sum()) * size / (size.sum() or 1)
            table = self.spread.assign(
                family=self.leaf.name, shap=shap, value=value, percentile=_percentiles(value, self.values)
            )
            found.append(table[["family", "shap", "value", "percentile", *self.spread.columns]])
        return found

    def _seen(self, rows: pd.DataFrame) -> tuple[pd.DataFrame, Numbers]:
        """Return the columns that the classifier sees, in their own units and prepared."""
        chosen = rows[self.leaf.columns]
        contrasts = self.before.transform(chosen) if len(self.before) else chosen
        groups = self.last.columns_
        kept = [groups[name][k] for name in self.last.weights_ for k in self.last.kept_[name]]
        return contrasts.iloc[:, kept], np.asarray(self.last.prepare(contrasts))


def _percentiles(value: Numbers, background: pd.DataFrame) -> Numbers:
    """Return how many percent of the background lie below each value, ties counted half; NaN for a missing one."""
    numbers = background.to_numpy()
    below = (numbers < value).sum(axis=0) + 0.5 * (numbers == value).sum(axis=0)
    there = (~np.isnan(numbers)).sum(axis=0)
    known = (there > 0) & ~np.isnan(value)
    return np.where(known, 100 * below / np.maximum(there, 1), np.nan)
