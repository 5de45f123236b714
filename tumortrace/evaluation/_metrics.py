"""Numbers for one set of scores: at a threshold, over all thresholds, and of the probabilities themselves."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn import metrics as sklearn_metrics

from tumortrace.evaluation._bootstrap import Numbers, Statistic, total
from tumortrace.evaluation._calibration import BINS, binned
from tumortrace.evaluation._ranks import Ranks, area, average_precision
from tumortrace.evaluation._rows import labels, probabilities

METRICS = (
    "accuracy",
    "balanced_accuracy",
    "sensitivity",
    "specificity",
    "precision",
    "recall",
    "f1",
    "auc",
    "average_precision",
    "brier",
    "ece",
)


def metrics(y_true: ArrayLike, y_score: ArrayLike, *, threshold: ArrayLike = 0.5) -> dict[str, float]:
    """Return how well scores do, in eleven numbers.

    Parameters
    ----------
    y_true : array_like, shape (n,)
        1 or True for the positive class, 0 or False for the other.
    y_score : array_like, shape (n,)
        Probability of the positive class.
    threshold : float or array_like of shape (n,), default 0.5
        A row is called positive where its score is at least this; one for all rows, or one for each, as
        `carried_thresholds` gives them.

    Returns
    -------
    dict of str to float
        At the threshold: ``accuracy``, ``balanced_accuracy`` (mean of the next two), ``sensitivity``,
        ``specificity``, ``precision`` (NaN where no row is called positive), ``recall`` (another name of
        sensitivity), ``f1``. Of the order of the scores: ``auc`` and ``average_precision``. Of the scores as
        probabilities, lower is better: ``brier``, the mean squared error, and ``ece``, the expected calibration
        error over 10 bins of equal width (see `calibration`). All are in 0..1 and equal scikit-learn's where it has
        them.

    Raises
    ------
    ValueError
        If lengths differ, a score is no probability, or `y_true` is not 0 and 1 with both present.

    Examples
    --------
    >>> found = metrics([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> found["auc"], found["sensitivity"], found["specificity"], found["precision"]
    (0.75, 0.5, 1.0, 1.0)
    """
    y = labels(y_true)
    score = probabilities("y_score", y_score, len(y))
    statistic = weighed(y, score, called(score, threshold), np.zeros(len(y), np.intp))
    return dict(zip(METRICS, statistic(np.ones(1)).tolist(), strict=True))


def called(score: Numbers, threshold: ArrayLike) -> NDArray[np.bool_]:
    """Return which rows are positive at their threshold."""
    limit = np.asarray(threshold, dtype=np.float64)
    if limit.shape not in ((), score.shape) or np.isnan(limit).any():
        raise ValueError(
            f"threshold has shape {limit.shape}; give one number, or one for each of {len(score)} rows"
        )
    return score >= limit


def weighed(
    y: NDArray[np.bool_], score: Numbers, positive: NDArray[np.bool_], groups: NDArray[np.intp]
) -> Statistic:
    """Return a function that computes `METRICS` from how often each patient counts."""
    patients = int(groups.max()) + 1
    ranks = Ranks.of(y, score, groups)
    outcomes = _sums(groups * 4 + 2 * y + positive, np.ones(len(y)), (patients, 4))
    squares = np.bincount(groups, (y - score) ** 2)
    gaps = _sums(groups * BINS + binned(score, BINS), y - score, (patients, BINS))

    def statistic(weights: Numbers) -> Numbers:
        tn, fp, fn, tp = total(weights, outcomes)
        rows = tn + fp + fn + tp
        sensitivity, specificity = tp / (tp + fn), tn / (tn + fp)
        precision = tp / (tp + fp) if tp + fp else np.nan
        hits, alarms = ranks.counts(weights)
        return np.array(
            [
                (tp + tn) / rows,
                (sensitivity + specificity) / 2,
                sensitivity,
                specificity,
                precision,
                sensitivity,
                2 * tp / (2 * tp + fp + fn),
                area(hits, alarms),
                average_precision(hits, alarms),
                float(total(weights, squares)) / rows,
                np.abs(total(weights, gaps)).sum() / rows,
            ]
        )

    return statistic


def confusion(y_true: ArrayLike, predicted: ArrayLike) -> pd.DataFrame:
    """Return how many rows of each class were called what.

    Parameters
    ----------
    y_true, predicted : array_like, shape (n,)
        Classes, of any kind that sorts.

    Returns
    -------
    DataFrame of int
        A row per true class (index ``true``), a column per class called (columns ``predicted``), both sorted.

    Examples
    --------
    >>> table = confusion(["benign", "benign", "malignant"], ["benign", "malignant", "malignant"])
    >>> int(table.loc["benign", "malignant"]), int(table.loc["malignant", "benign"])
    (1, 0)
    """
    classes = np.union1d(np.asarray(y_true), np.asarray(predicted))
    counts = sklearn_metrics.confusion_matrix(y_true, predicted, labels=classes)
    return pd.DataFrame(counts, pd.Index(classes, name="true"), pd.Index(classes, name="predicted"))


def classification_report(y_true: ArrayLike, predicted: ArrayLike) -> pd.DataFrame:
    """Return precision, recall and F1 of each class: scikit-learn's report as a table.

    Parameters
    ----------
    y_true, predicted : array_like, shape (n,)
        Classes, of any kind that sorts.

    Returns
    -------
    DataFrame
        A row per class, then ``macro avg`` and ``weighted avg``; columns ``precision`` (NaN where the class was
        never called), ``recall`` (NaN where the class does not occur), ``f1-score`` and ``support`` (rows).

    Examples
    --------
    >>> classification_report(["b", "b", "m", "m"], ["b", "m", "m", "m"]).round(3).iloc[:2]
       precision  recall  f1-score  support
    b      1.000     0.5     0.667        2
    m      0.667     1.0     0.800        2
    """
    found = sklearn_metrics.classification_report(y_true, predicted, output_dict=True, zero_division=np.nan)
    found.pop("accuracy", None)
    return pd.DataFrame(found).T.astype({"support": int})


def _sums(cells: NDArray[np.intp], values: Numbers, shape: tuple[int, int]) -> Numbers:
    return np.asarray(np.bincount(cells, values, shape[0] * shape[1]).reshape(shape), dtype=np.float64)
