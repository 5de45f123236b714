"""Labels and patients as numbers, and who is held out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray


def hold_out(
    targets: NDArray[np.int64], patients: NDArray[np.int64], share: float, seed: int, classes: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows to train on and the rows held out: that share of the patients of each class, whole.

    The class of a patient is that of most of its rows.

    Raises
    ------
    ValueError
        If patients are to be held out and a class has only one.
    """
    if share == 0:
        return np.arange(len(targets)), np.arange(0)
    votes = np.zeros((patients.max() + 1, len(classes)))
    np.add.at(votes, (patients, targets), 1)
    rng = np.random.default_rng(seed)
    held_out = np.zeros(len(votes), dtype=bool)
    for number, label in enumerate(classes):
        members = np.flatnonzero(votes.argmax(axis=1) == number)
        if len(members) < 2:
            raise ValueError(
                f"class {label!s} has {len(members)} patient(s); the recipe holds patients out to know when to "
                "stop: give at least two of each class, or a recipe with validation=0"
            )
        held_out[rng.choice(members, max(1, round(share * len(members))), replace=False)] = True
    return np.flatnonzero(~held_out[patients]), np.flatnonzero(held_out[patients])


def class_numbers(y: ArrayLike, n: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the classes, sorted, and the number of each row's."""
    labels = np.asarray(y)
    if labels.shape != (n,):
        raise ValueError(f"y has shape {labels.shape}; give one label per image, ({n},)")
    if missing := _missing(labels):
        raise ValueError(f"y holds {missing}; give a label for each image")
    classes, targets = np.unique(labels, return_inverse=True)
    if classes.dtype == object:
        classes = np.array(classes.tolist())
    if len(classes) < 2:
        raise ValueError(f"y holds one class, {classes[0]!s}; give images of two classes or more")
    return classes, targets.astype(np.int64)


def patient_numbers(patients: ArrayLike | None, n: int) -> NDArray[np.int64]:
    """Return a number for the patient of each row."""
    if patients is None:
        return np.arange(n)
    names = np.asarray(patients)
    if names.shape != (n,):
        raise ValueError(f"patients has shape {names.shape}; give one patient per image, ({n},)")
    if missing := _missing(names):
        raise ValueError(f"patients holds {missing}; give the patient of each image")
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def _missing(values: NDArray[Any]) -> str:
    """Return the first of `values` that stands for none, in words, or nothing."""
    missing = pd.isna(values)
    return str(values[missing][0]) if missing.any() else ""
