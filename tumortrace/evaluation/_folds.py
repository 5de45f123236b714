"""Folds that never split a patient."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import StratifiedGroupKFold

from tumortrace import _check
from tumortrace.evaluation._rows import codes, labels


def grouped_folds(y_true: ArrayLike, patients: ArrayLike, *, folds: int = 5, seed: int = 0) -> NDArray[np.int64]:
    """Return the fold in which each row is tested; all rows of a patient are in one.

    Parameters
    ----------
    y_true : array_like, shape (n,)
        1 or True for the positive class, 0 or False for the other. The folds are stratified: as near as whole
        patients allow, each has the same share of the rows of each class.
    patients : array_like, shape (n,)
        The patient of each row.
    folds : int, default 5
        How many, at least 2.
    seed : int, default 0
        Of the shuffling: the same seed and the same rows give the same folds.

    Returns
    -------
    ndarray of int, shape (n,)
        0 to ``folds - 1``. Rows outside fold k train the model that is tested on the rows of fold k.

    Raises
    ------
    ValueError
        If lengths differ, `y_true` is not 0 and 1, or a class has fewer patients than there are folds.

    See Also
    --------
    grouped_predictions, carried_thresholds
    sklearn.model_selection.StratifiedGroupKFold, which draws them

    Examples
    --------
    >>> y, patients = [0, 0, 0, 1, 1, 1], ["a", "a", "b", "c", "d", "d"]
    >>> tested = grouped_folds(y, patients, folds=2)
    >>> bool(tested[0] == tested[1] != tested[2]), bool(tested[3] != tested[4] == tested[5])
    (True, True)
    """
    y = labels(y_true)
    groups = codes("patients", patients, len(y))
    folds = _check.integer("folds", folds, 2)
    for value in (False, True):
        count = len(np.unique(groups[y == value]))
        if count < folds:
            raise ValueError(
                f"class {int(value)} has {count} patients; give at least one for each of {folds} folds"
            )
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    tested = np.empty(len(y), np.int64)
    for fold, (_, rows) in enumerate(splitter.split(y, y, groups)):
        tested[rows] = fold
    return tested
