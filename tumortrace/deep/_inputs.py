"""What a network is given, as one thing: stacks of channels, read and checked."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from tumortrace.io import read_image

if TYPE_CHECKING:
    import pandas as pd

_LARGEST = 1e30  # in float32, sums of squares stay finite after the division by the scale


@dataclass(frozen=True, eq=False)
class Stacks(Sequence[NDArray[Any]]):
    """Images of the same number of channels, each ``(channels, rows, cols)`` in the dtype it came in.

    Parameters
    ----------
    arrays : list of ndarray
        One stack per row of the input. Sizes may differ from stack to stack.
    names : list of str
        What messages call each stack: a path, or its position.
    row_labels : pandas.Index, optional
        The index of the DataFrame or Series that the stacks came from.
    """

    arrays: list[NDArray[Any]]
    names: list[str] = field(repr=False)
    row_labels: pd.Index[Any] | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.arrays)

    @overload
    def __getitem__(self, key: int) -> NDArray[Any]: ...
    @overload
    def __getitem__(self, key: slice) -> list[NDArray[Any]]: ...
    def __getitem__(self, key: int | slice) -> Any:
        return self.arrays[key]

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return iter(self.arrays)

    @property
    def channels(self) -> int:
        """Number of channels of every stack."""
        return int(self.arrays[0].shape[0])

    @cached_property
    def digests(self) -> list[str]:
        """For each stack 32 hex digits over its shape and values, the same for a picture in uint8 and in float."""
        return [digest(stack) for stack in self.arrays]

    def take(self, positions: Sequence[int] | NDArray[np.integer[Any]]) -> Stacks:
        """Return the stacks at `positions`."""
        labels = None if self.row_labels is None else self.row_labels.take(np.asarray(positions))
        return Stacks([self.arrays[i] for i in positions], [self.names[i] for i in positions], labels)


def collect(X: Any, *, channels: int | None = None) -> Stacks:
    """Return images as stacks of channels.

    Parameters
    ----------
    X
        One of

        - a list of arrays, ``(rows, cols)`` or ``(channels, rows, cols)``, of any sizes;
        - an array ``(n, rows, cols)`` or ``(n, channels, rows, cols)``;
        - a list or Series of paths, one channel each;
        - a DataFrame of paths, one column per channel in the order of the columns.
    channels : int, optional
        The number of channels that a network takes; another number is an error.

    Returns
    -------
    Stacks

    Raises
    ------
    ValueError
        If there is no image, a file cannot be read (`io.ImageError`), pixels are not finite, channels of a row
        differ in size, or rows differ in their number of channels. The message names the row or the file.
    TypeError
        If `X` or a row is of another kind, or pixels are not real numbers.

    Examples
    --------
    >>> stacks = collect([np.zeros((12, 9), np.uint8), np.ones((20, 30), np.uint8)])
    >>> stacks.channels, stacks[1].shape
    (1, (1, 20, 30))
    """
    stacks = X if isinstance(X, Stacks) else _collected(*_rows(X))
    _check_channels(stacks, channels)
    return stacks


def count_channels(X: Any) -> int:
    """Return the number of channels of the first image; the others are not read."""
    if isinstance(X, Stacks):
        return X.channels
    rows, _ = _rows(X)
    return _collected(rows[:1]).channels


def digest(stack: NDArray[Any]) -> str:
    """Return 32 hex digits over the shape of a stack and its values as float32."""
    content = blake2b(str(stack.shape).encode(), digest_size=16)
    content.update(np.ascontiguousarray(stack, dtype="<f4").data)
    return content.hexdigest()


def _rows(X: Any) -> tuple[list[Any], pd.Index[Any] | None]:
    """Return what each row is, an array, a path or a tuple of paths, and the index of `X`."""
    if hasattr(X, "columns") and hasattr(X, "itertuples"):
        if not len(X.columns):
            raise ValueError("the DataFrame has no columns; give paths, one column per channel")
        missing = X.isna().to_numpy()
        if missing.any():
            row, column = np.argwhere(missing)[0]
            raise ValueError(
                f"row {X.index[row]!r} has no path in column {X.columns[column]!r}; give one or drop it"
            )
        return list(X.itertuples(index=False, name=None)), X.index
    if isinstance(X, np.ndarray) and X.dtype.kind not in "OUS":
        if X.ndim not in (3, 4):
            raise ValueError(
                f"X is an array of shape {X.shape}; give (n, rows, cols), (n, channels, rows, cols) or a list"
            )
        return list(X), None
    if isinstance(X, str | os.PathLike):
        raise TypeError(f"X is one path, {str(X)!r}; give a list of paths")
    try:
        return list(X), getattr(X, "index", None) if hasattr(X, "iloc") else None
    except TypeError:
        raise TypeError(f"X is a {type(X).__name__}; give arrays, paths, or a DataFrame of paths") from None


def _collected(rows: list[Any], labels: pd.Index[Any] | None = None) -> Stacks:
    if not rows:
        raise ValueError("there are no images; give one at least")
    names = [_name(i, row) for i, row in enumerate(rows)]
    return Stacks([_stack(row, name) for row, name in zip(rows, names, strict=True)], names, labels)


def _name(i: int, row: Any) -> str:
    if isinstance(row, tuple):
        row = row[0]
    return str(row) if isinstance(row, str | os.PathLike) else f"image {i}"


def _stack(row: Any, name: str) -> NDArray[Any]:
    """Return a row as ``(channels, rows, cols)``."""
    if isinstance(row, str | os.PathLike):
        return _read(row)[np.newaxis]
    if isinstance(row, tuple):
        wrong = next((cell for cell in row if not isinstance(cell, str | os.PathLike)), None)
        if wrong is not None:
            raise TypeError(
                f"{name}: the DataFrame holds a {type(wrong).__name__}; give paths, or a list of arrays"
            )
        channels = [_read(path) for path in row]
        for path, channel in zip(row, channels, strict=True):
            if channel.shape != channels[0].shape:
                raise ValueError(
                    f"{path}: is {_by(channel.shape)} pixels, the first channel of its row "
                    f"{_by(channels[0].shape)}; crop the channels of a row alike"
                )
        return np.stack(channels)
    if not hasattr(row, "__array__"):
        raise TypeError(f"{name} is a {type(row).__name__}; give an array or a path")
    return _checked(np.asarray(row), name)


def _read(path: str | os.PathLike[str]) -> NDArray[Any]:
    array: NDArray[Any] = read_image(path).array
    if array.ndim != 2:
        raise ValueError(f"{path}: has {array.shape[0]} pages; give a picture of one page")
    _checked(array, str(path))
    return array


def _checked(array: NDArray[Any], name: str) -> NDArray[Any]:
    """Return an array as a stack if its shape and pixels are those of one."""
    if array.ndim not in (2, 3) or array.size == 0:
        raise ValueError(f"{name} has shape {array.shape}; give (rows, cols) or (channels, rows, cols)")
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {array.dtype}; give real numbers")
    if array.ndim == 3 and array.dtype == np.uint8 and array.shape[2] in (3, 4) and min(array.shape[:2]) >= 16:
        raise ValueError(
            f"{name} of shape {array.shape} looks like (rows, cols, colours); give (channels, rows, cols)"
        )
    if array.dtype.kind == "f" and not np.all(np.abs(array) <= _LARGEST):
        raise ValueError(
            f"{name} holds NaN, infinity or numbers beyond {_LARGEST:g}; fill or crop such pixels first"
        )
    return array if array.ndim == 3 else array[np.newaxis]


def _check_channels(stacks: Stacks, channels: int | None) -> None:
    expected = channels or stacks.channels
    for stack, name in zip(stacks.arrays, stacks.names, strict=True):
        if stack.shape[0] != expected:
            whose = "the network takes" if channels else f"{stacks.names[0]} has"
            raise ValueError(f"{name} has {stack.shape[0]} channels, {whose} {expected}; give every row as many")


def _by(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
