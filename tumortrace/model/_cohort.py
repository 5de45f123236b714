"""The rows that a model is trained on: labelled, of known patients, and fit for the folds that are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tumortrace.model._inputs import FAILED

if TYPE_CHECKING:
    import pandas as pd

POSITIVE = "malignant"
_SHOWN = 3


class Cohort(NamedTuple):
    """Rows to train on.

    Attributes
    ----------
    frame : DataFrame
        As `Inputs.frame` returns it, without the rows that are left out.
    y : ndarray of int, shape (n,)
        1 for the positive class.
    patients : ndarray of object, shape (n,)
        Who is never split.
    classes : (str, str)
        The labels of 0 and 1.
    left_out : tuple of str
        What is not in the frame, and why; a line per kind.
    """

    frame: pd.DataFrame
    y: NDArray[np.int64]
    patients: NDArray[np.object_]
    classes: tuple[str, str]
    left_out: tuple[str, ...]

    @property
    def patients_of_class(self) -> dict[str, int]:
        """Label → how many patients have it."""
        return {name: len(set(self.patients[self.y == k])) for k, name in enumerate(self.classes)}


def check_listing(listing: pd.DataFrame, group: str, positive: str | None, folds: int) -> tuple[str, str]:
    """Return the labels of the negative and the positive class of a listing, found fit before any image is read.

    Raises
    ------
    ValueError
        If an image has no patient, there are not two labels of which one is known to be positive, or a class has
        fewer patients than there are folds.
    """
    columns = ", ".join(listing.columns.drop("path"))
    if group not in listing:
        raise ValueError(
            f"the source has no column {group!r} to tell patients apart, its columns are {columns}; "
            "name the right one as group: rows of one patient must not be on both sides of a split"
        )
    if nobody := int((listing["patient"] == "").sum()):
        raise ValueError(f"{nobody:,} images have no {group}; say whose they are, or leave them out")
    if "label" not in listing or not set(listing["label"]) - {""}:
        raise ValueError(
            f"the source gives no labels, its columns are {columns}; give a manifest with a column Label"
        )
    classes = two_classes(listing["label"], positive)
    labels = listing["label"].to_numpy()
    _check_count({name: len(set(listing["patient"][labels == name])) for name in classes}, folds)
    return classes


def two_classes(labels: Iterable[str], positive: str | None) -> tuple[str, str]:
    """Return the negative and the positive label; empty ones do not count.

    Raises
    ------
    ValueError
        If there are not two labels, or neither is known to be positive: given, or "malignant" in any case.
    """
    found = sorted(set(labels) - {""})
    there = ", ".join(map(repr, found))
    if len(found) != 2:
        raise ValueError(f"the labels are {there or 'missing'}; give images of two classes")
    if positive is None:
        known = [name for name in found if name.casefold() == POSITIVE]
        if not known:
            raise ValueError(f"the labels are {there}; say which is the positive one")
        positive = known[0]
    elif positive not in found:
        raise ValueError(f"the positive label is {positive!r}, but the labels are {there}")
    return next(name for name in found if name != positive), positive


def cohort(frame: pd.DataFrame, classes: tuple[str, str], folds: int) -> Cohort:
    """Return the rows that can be trained on.

    Raises
    ------
    ValueError
        If no row is left, or a class has fewer patients than there are folds.
    """
    failed = frame["status"] == FAILED
    nameless = (frame["label"] == "") & ~failed
    left_out = _reasons(frame[failed])
    if nameless.any():
        left_out.append(f"{nameless.sum():,} rows have no label")
    kept = frame[~failed & ~nameless].reset_index(drop=True)
    if kept.empty:
        raise ValueError(f"no row can be trained on: {left_out[0]}")
    y = np.asarray(kept["label"] == classes[1], dtype=np.int64)
    found = Cohort(kept, y, kept["patient"].to_numpy(object), classes, tuple(left_out))
    _check_count(found.patients_of_class, folds)
    return found


def _check_count(patients_of_class: Mapping[str, int], folds: int) -> None:
    for name, count in patients_of_class.items():
        if count < max(folds, 2):
            wanted = f"{folds} folds need one each at least; give fewer folds" if folds else "a model needs two"
            raise ValueError(f"the class {name!r} has {count} patients: {wanted}")


def _reasons(failed: pd.DataFrame) -> list[str]:
    """Return how many rows cannot be used, with the first few reasons."""
    if failed.empty:
        return []
    shown: Sequence[str] = list(dict.fromkeys(failed["error"]))[:_SHOWN]
    return [f"{len(failed):,} rows cannot be used: {'; '.join(shown)}"]
