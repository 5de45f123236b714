"""Arrays as npy files: only numbers, and exactly as many as the header says."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumortrace.model._error import ModelError

NUMBERS = "biuf"


def dump(array: NDArray[Any]) -> bytes:
    """Return an array of numbers as the content of an npy file."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def load(data: bytes) -> NDArray[Any]:
    """Return the array of an npy file.

    Raises
    ------
    ModelError
        If it is none, holds other things than numbers, or fewer or more than its header says.

    Examples
    --------
    >>> load(dump(np.arange(3.0)))
    array([0., 1., 2.])
    """
    check(data, NUMBERS)
    array: NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
    return array


def check(data: bytes, kinds: str) -> None:
    """Raise ModelError unless `data` is an npy file of a dtype of one of `kinds`, of the length its header says.

    The header is read before memory is asked for: it may claim any size.
    """
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, _, dtype = header[version](file)
    except (ValueError, KeyError, SyntaxError, MemoryError, RecursionError) as error:
        raise ModelError(f"is no npy file: {error}") from error
    if dtype.kind not in kinds or dtype.hasobject:
        raise ModelError(f"holds an array of dtype {dtype}; only numbers are read")
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(data) - file.tell():
        raise ModelError(f"holds another number of bytes than an array of shape {shape} has")
