"""One family of features in one model: how far each feature moved it, and where each stands in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from tumortrace.explain._shapley import Numbers, shapley

if TYPE_CHECKING:
    from tumortrace.explain._leaves import Leaf

_SHARES = {"low": 0.05, "median": 0.5, "high": 0.95}


def family_tables(
    leaf: Leaf, rows: pd.DataFrame, background: pd.DataFrame, classes: tuple[str, str], moved: Numbers
) -> list[pd.DataFrame]:
    """Return the part of `Explanation.features` that is of one family, for each row.

    Parameters
    ----------
    leaf : Leaf
        A classifier of features: `EarlyFusion`, or a pipeline that ends in one.
    rows, background : DataFrame
        With the columns of the leaf; the background with `label` too.
    classes : (str, str)
        The negative and the positive label.
    moved : ndarray, shape (rows,)
        How far the family moved the log-odds of the whole.

    Raises
    ------
    TypeError
        If the leaf is another classifier, or one that mixes columns before it classifies them.
    """
    last = leaf.estimator[-1] if isinstance(leaf.estimator, Pipeline) else leaf.estimator
    if getattr(last, "transformers_", True):
        raise TypeError(f"{leaf.name} is a {type(last).__name__} that mixes columns; ask for families only")
    count = len(rows)
    # together, as the scaling takes its time per column
    values, prepared = _seen(leaf, pd.concat([rows[leaf.columns], background[leaf.columns]], ignore_index=True))
    spread = _spread(values.iloc[count:], background["label"].to_numpy(), classes)
    found = []
    for value, row, whole in zip(values.to_numpy()[:count], prepared[:count], moved, strict=True):
        shap = leaf.weight * shapley(last.classifier_, row, prepared[count:])
        # trees compute in float32, the quadrature leaves a last bit: the parts are made to be the whole
        size = np.abs(shap)
        shap += (whole - shap.sum()) * size / (size.sum() or 1)
        percentile = _percentiles(value, values.to_numpy()[count:])
        table = spread.assign(family=leaf.name, shap=shap, value=value, percentile=percentile)
        found.append(table[["family", "shap", "value", "percentile", *spread.columns]])
    return found


def _seen(leaf: Leaf, rows: pd.DataFrame) -> tuple[pd.DataFrame, Numbers]:
    """Return the columns that the classifier of a leaf sees, in their own units and prepared."""
    last = leaf.estimator
    if isinstance(last, Pipeline):
        rows, last = last[:-1].transform(rows), last[-1]
    kept = [last.columns_[name][k] for name in last.weights_ for k in last.kept_[name]]
    return rows.iloc[:, kept], np.asarray(last.prepare(rows))


def _spread(values: pd.DataFrame, labels: Numbers, classes: tuple[str, str]) -> pd.DataFrame:
    """Return of each column what it usually is."""
    spread = values.quantile(list(_SHARES.values())).T.set_axis(list(_SHARES), axis=1)
    medians = (values[labels == label].median() for label in classes)
    return spread.assign(**dict(zip(("median_negative", "median_positive"), medians, strict=True)))


def _percentiles(value: Numbers, background: Numbers) -> Numbers:
    """Return how many percent of the background lie below each value, ties counted half; NaN for a missing one."""
    below = (background < value).sum(axis=0) + 0.5 * (background == value).sum(axis=0)
    there = (~np.isnan(background)).sum(axis=0)
    known = (there > 0) & ~np.isnan(value)
    return np.where(known, 100 * below / np.maximum(there, 1), np.nan)
