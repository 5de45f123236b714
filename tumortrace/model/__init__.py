"""Trained models: how they are trained, how they predict, and how they lie on disk.

A model on disk is a folder of a JSON manifest and parts in formats that hold numbers, not code; see `write`.
"""

from tumortrace.model._cohort import two_classes
from tumortrace.model._error import ModelError
from tumortrace.model._inputs import Inputs
from tumortrace.model._measured import (
    compare_predictions,
    levels_of,
    measure_predictions,
    read_predictions,
    scored_rows,
)
from tumortrace.model._members import Member, member_scores, members
from tumortrace.model._model import Model, load
from tumortrace.model._store import Stored, read, write
from tumortrace.model._train import out_of_fold, train, training_folder, training_source

__all__ = [
    "Inputs",
    "Member",
    "Model",
    "ModelError",
    "Stored",
    "compare_predictions",
    "levels_of",
    "load",
    "measure_predictions",
    "member_scores",
    "members",
    "out_of_fold",
    "read",
    "read_predictions",
    "scored_rows",
    "train",
    "training_folder",
    "training_source",
    "two_classes",
    "write",
]
