"""What matters over many rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tumortrace import _check
from tumortrace.explain._explanation import Explanation

if TYPE_CHECKING:
    import pandas as pd


def importance(
    explanations: Sequence[Explanation], *, level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Return the mean |SHAP| of each family and feature, with an interval from resampling patients.

    Parameters
    ----------
    explanations : sequence of Explanation
        What `explain` returned of many rows, by one model.
    level : float, default 0.95
        Coverage of the intervals.
    resamples : int, default 1000
        How often patients are drawn with replacement, each with all of its rows.
    seed : int, default 0
        Of the resampling.

    Returns
    -------
    DataFrame
        Families first, then features, each by importance: `kind` ("family" or "feature"), `name`, `family`,
        `importance`, `low` and `high`, in log-odds. The bounds are NaN where there is one patient.

    Raises
    ------
    ValueError
        If there are no explanations, one has no patient, or they do not name the same families and features.

    Notes
    -----
    The values are those of one fitted model: the interval says how far its importances depend on who was looked at,
    not how they would change if it was trained again. A mean of sizes adds up to nothing, and features that
    resemble each other share what one of them alone would have.

    Examples
    --------
    >>> import pandas as pd
    >>> def one(patient, a, b):
    ...     families = pd.Series({"glcm": a, "cnn": b})
    ...     return Explanation({"patient": patient}, 0.5, ("no", "yes"), 0.5, 0.0, 0.0, families)
    >>> importance([one("A", 1.0, -3.0), one("B", -1.0, 1.0)], resamples=50)[["name", "importance"]].values.tolist()
    [['cnn', 2.0], ['glcm', 1.0]]
    """
    import pandas as pd

    if not explanations:
        raise ValueError("there are no explanations; give those of one row or more")
    if not 0 < level < 1:
        raise ValueError(f"level is {level!r}; give a number between 0 and 1, such as 0.95")
    _check.integer("resamples", resamples, 2)
    patients = [str(one.identity.get("patient", "")) for one in explanations]
    if "" in patients:
        raise ValueError("an explanation names no patient; rows of one patient are drawn together")
    first = explanations[0]
    named = [pd.DataFrame({"kind": "family", "name": first.families.index, "family": first.families.index})]
    sizes = [np.array([_of(one.families, first.families.index) for one in explanations])]
    if first.features is not None and len(first.features):
        index = first.features.index
        named.append(
            pd.DataFrame({"kind": "feature", "name": index, "family": first.features["family"].to_numpy()})
        )
        sizes.append(np.array([_of(_shap(one), index) for one in explanations]))
    bounds = [_interval(np.abs(part), patients, level, resamples, seed) for part in sizes]
    tables = [
        table.assign(importance=mean, low=low, high=high).sort_values("importance", ascending=False, kind="stable")
        for table, (mean, low, high) in zip(named, bounds, strict=True)
    ]
    return pd.concat(tables, ignore_index=True)


def _shap(one: Explanation) -> pd.Series[float]:
    if one.features is None:
        raise ValueError("some explanations have features and some have none; explain all in one way")
    return one.features["shap"]


def _of(values: pd.Series[float], index: pd.Index) -> NDArray[np.float64]:
    if len(values) != len(index) or not values.index.isin(index).all():
        raise ValueError("the explanations name different families or features; give those of one model")
    return np.asarray(values.reindex(index), dtype=np.float64)


def _interval(
    sizes: NDArray[np.float64], patients: Sequence[str], level: float, resamples: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean over rows, and its bounds under resampling of patients."""
    people, who = np.unique(patients, return_inverse=True)
    mean: NDArray[np.float64] = sizes.mean(axis=0, dtype=np.float64)
    if len(people) < 2:
        unknown = np.full(mean.shape, np.nan)
        return mean, unknown, unknown
    sums = np.zeros((len(people), sizes.shape[1]))
    np.add.at(sums, who, sizes)
    drawn = np.random.default_rng(seed).multinomial(len(people), np.full(len(people), 1 / len(people)), resamples)
    means = np.einsum("rp,pf->rf", drawn, sums) / (drawn @ np.bincount(who))[:, None]
    bounds: NDArray[np.float64] = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return mean, bounds[0], bounds[1]
