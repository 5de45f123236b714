"""What every function of the package is given: labels, scores and patients, one of each per row."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray


def labels(y_true: ArrayLike) -> NDArray[np.bool_]:
    """Return `y_true` as bool.

    Raises
    ------
    ValueError
        If it is not a vector of 0 and 1 (or False and True) with both present.
    """
    y = np.asarray(y_true)
    if y.ndim != 1:
        raise ValueError(f"y_true has shape {y.shape}; give one label per row")
    if set(np.unique(y).tolist()) != {0, 1}:
        raise ValueError("y_true must hold both classes as 0 and 1 (or False and True) and nothing else")
    return y.astype(bool)


def scores(name: str, y_score: ArrayLike, count: int) -> NDArray[np.float64]:
    """Return `y_score` as float64.

    Raises
    ------
    ValueError
        If it is not a vector of `count` finite numbers.
    """
    score = np.asarray(y_score, dtype=np.float64)
    if score.shape != (count,):
        raise ValueError(f"{name} has shape {score.shape}; give one score per row, {(count,)}")
    if not np.isfinite(score).all():
        raise ValueError(f"{name} holds NaN or infinity; give a number for each row")
    return score


def probabilities(name: str, y_score: ArrayLike, count: int) -> NDArray[np.float64]:
    """Return `y_score` as float64.

    Raises
    ------
    ValueError
        If it is not a vector of `count` numbers from 0 to 1.
    """
    score = scores(name, y_score, count)
    outside = (score < 0) | (score > 1)
    if outside.any():
        raise ValueError(f"{name} holds {score[outside][0]:g}; give probabilities, from 0 to 1")
    return score


def codes(name: str, values: ArrayLike, count: int) -> NDArray[np.intp]:
    """Return for each row the number of its value (its patient, its fold) among the sorted values.

    Raises
    ------
    ValueError
        If it is not a vector of `count` values, or one is missing.
    """
    array: NDArray[Any] = np.asarray(values)
    if array.shape != (count,):
        raise ValueError(f"{name} has shape {array.shape}; give one of each per row, {(count,)}")
    numbers: NDArray[np.intp] = pd.factorize(array, sort=True)[0]
    if (numbers < 0).any():
        raise ValueError(f"{name} has missing values; give one for each row")
    return numbers
