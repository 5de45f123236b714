"""Trained models: how they are trained, how they predict, and how they lie on disk.

A model on disk is a folder of a JSON manifest and parts in formats that hold numbers, not code; see `write`.
"""

from tumortrace.model._error import ModelError
from tumortrace.model._store import Stored, read, write

__all__ = ["ModelError", "Stored", "read", "write"]
