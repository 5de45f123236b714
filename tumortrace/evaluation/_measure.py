"""Everything there is to say about a table of predictions: each metric at each level, with its interval."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tumortrace.evaluation._bootstrap import resampled
from tumortrace.evaluation._metrics import METRICS, called, weighed
from tumortrace.evaluation._predictions import aggregate
from tumortrace.evaluation._rows import codes, labels, probabilities
from tumortrace.evaluation._threshold import carried_thresholds

LEVELS: dict[str, tuple[str, ...]] = {
    "image": ("patient", "slice", "sequence"),
    "slice": ("patient", "slice"),
    "patient": ("patient",),
}
"""What one row stands for at each level: the rows that share these columns are averaged."""


def measure(
    predictions: pd.DataFrame,
    *,
    levels: Iterable[str] | Mapping[str, Sequence[str]] | None = None,
    threshold: float | str | None = None,
    at: float | None = None,
    positive: Any = None,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure predictions per image, slice and patient, with intervals from resampling patients.

    Parameters
    ----------
    predictions : DataFrame
        One row per image or slice: ``patient``, ``label``, ``score`` (probability of the positive class), and where
        there are ``slice``, ``sequence``, ``fold`` and ``threshold``.
    levels : iterable of str or mapping, optional
        Some of `LEVELS`, or names of your own and the columns whose rows are averaged for each; by default those of
        `LEVELS` whose columns are there.
    threshold : float or str, optional
        A number for all rows; or a rule of `choose_threshold`, by which at each level a threshold is chosen on the
        other folds and carried over (needs ``fold``). By default the column ``threshold`` where there is one,
        averaged like the scores, else 0.5.
    at : float, optional
        What the rules "sensitivity" and "specificity" must reach.
    positive : optional
        The label of the positive class. By default the later of the two in sorted order, which is what the second
        column of `predict_proba` belongs to: 1, True, "malignant".
    level, resamples, seed
        As for `auc`. Thresholds stay as they are in every resample.

    Returns
    -------
    DataFrame
        One row per level and metric: ``level``, ``metric`` (as in `metrics`), ``value``, ``low``, ``high``, ``n``
        (rows at that level) and ``patients``. The ``ece`` has no bounds: see `calibration`. The bounds of
        ``precision`` are of the resamples in which a row is called positive.

    Raises
    ------
    ValueError
        If a column is missing, the labels are not of two classes, rows that are averaged differ in label or fold,
        or a score is no probability.

    Examples
    --------
    >>> predictions = pd.DataFrame({
    ...     "patient": ["a", "a", "b", "c", "d", "d"], "slice": [1, 2, 1, 1, 1, 2],
    ...     "label": [0, 0, 0, 1, 1, 1], "score": [0.1, 0.3, 0.6, 0.4, 0.7, 0.9],
    ... })
    >>> found = measure(predictions, resamples=100)
    >>> found[found["metric"] == "auc"].round(3)[["level", "value", "n", "patients"]]
          level  value  n  patients
    7     slice  0.889  6         4
    18  patient  0.750  4         4
    """
    y = _positive(predictions, positive)
    tables = []
    for name, by in _levels(predictions, levels).items():
        rows = aggregate(predictions.assign(label=y), by)
        truth, patients = labels(rows["label"]), codes("patient", rows["patient"], len(rows))
        score = probabilities("score", rows["score"], len(rows))
        calls = called(score, _threshold(rows, threshold, at))
        value, low, high = resampled(
            weighed(truth, score, calls, patients), truth, patients, level, resamples, seed
        )
        none = np.isnan(value) | (np.array(METRICS) == "ece")
        low[none] = high[none] = np.nan
        tables.append(
            pd.DataFrame(
                {
                    "level": name,
                    "metric": METRICS,
                    "value": value,
                    "low": low,
                    "high": high,
                    "n": len(rows),
                    "patients": int(patients.max()) + 1,
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def _positive(predictions: pd.DataFrame, positive: Any) -> NDArray[np.int64]:
    missing = [name for name in ("patient", "label", "score") if name not in predictions]
    if missing:
        raise ValueError(
            f"predictions lack {', '.join(missing)}; they have {', '.join(map(str, predictions.columns))}"
        )
    classes = predictions["label"].unique()
    if len(classes) != 2 or predictions["label"].isna().any():
        raise ValueError(
            f"label holds {', '.join(map(repr, classes[:5]))}; give two classes, every row one of them"
        )
    if positive is None:
        positive = sorted(classes)[1]
    elif positive not in classes:
        raise ValueError(f"positive is {positive!r}, and label holds {classes[0]!r} and {classes[1]!r}")
    return np.asarray(predictions["label"] == positive, dtype=np.int64)


def _levels(
    predictions: pd.DataFrame, levels: Iterable[str] | Mapping[str, Sequence[str]] | None
) -> dict[str, Sequence[str]]:
    if levels is None:
        return {name: by for name, by in LEVELS.items() if set(by) <= set(predictions)}
    if isinstance(levels, Mapping):
        return {name: [*by] if "patient" in by else ["patient", *by] for name, by in levels.items()}
    unknown = [name for name in levels if name not in LEVELS]
    if unknown:
        raise ValueError(f"levels name {', '.join(unknown)}; give some of {', '.join(LEVELS)}, or a mapping")
    return {name: LEVELS[name] for name in levels}


def _threshold(rows: pd.DataFrame, threshold: float | str | None, at: float | None) -> NDArray[np.float64] | float:
    if isinstance(threshold, str):
        if "fold" not in rows:
            raise ValueError(f"threshold {threshold!r} is chosen on other folds, and predictions lack fold")
        return carried_thresholds(rows["label"], rows["score"], rows["fold"], rule=threshold, at=at)
    if at is not None:
        raise ValueError(f"at is {at!r}, which goes with threshold 'sensitivity' or 'specificity'")
    if threshold is not None:
        return threshold
    return rows["threshold"].to_numpy(np.float64) if "threshold" in rows else 0.5
