"""Argument checks: what every public function accepts, and one wording of what is wrong."""

from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

NO_MASK: NDArray[np.bool_] = np.zeros((0, 0, 0), dtype=bool)
"""What a kernel is given where there is no mask: no pixel, meaning every pixel."""

_EXACT_INTEGER = 2**53
LARGEST = 1e60
"""The largest number of an image: fourth powers, summed over any image, stay finite."""


def volume(image: ArrayLike) -> NDArray[Any]:
    """Return `image` as kernels take it: ``(slices, rows, cols)``, C-contiguous, uint8 or float64.

    uint8 and bool become uint8, every other real dtype float64. A 2-D image becomes a volume of one slice. The
    input is not copied where it already fits and is writeable, and never changed.

    Raises
    ------
    TypeError
        If the dtype is not real.
    ValueError
        If the image is empty, not 2-D or 3-D, holds NaN, infinity or numbers beyond 1e60, integers that float64
        cannot hold, or looks like RGB.
    """
    array = real("image", shaped(image))
    return _for_kernels(array[np.newaxis] if array.ndim == 2 else array)


def shaped(image: ArrayLike) -> NDArray[Any]:
    """Return `image` as an array of which the shape is checked, but no value.

    Raises
    ------
    ValueError
        If it is empty, not 2-D or 3-D, or looks like RGB.
    """
    array = np.asarray(image)
    if array.ndim not in (2, 3):
        raise ValueError(
            f"image has {array.ndim} dimensions, shape {array.shape}; "
            "give 2-D (rows, cols) or 3-D (slices, rows, cols)"
        )
    if array.size == 0:
        raise ValueError(f"image is empty: shape {array.shape}")
    of_bytes = array.dtype in (np.uint8, np.bool_)
    if of_bytes and array.ndim == 3 and array.shape[2] in (3, 4) and min(array.shape[:2]) >= 16:
        raise ValueError(
            f"image of shape {array.shape} looks like RGB(A), not like (slices, rows, cols); convert it to grey"
        )
    return array


def real(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """Return a non-empty `array` as uint8, where it was uint8 or bool, else as float64.

    Raises
    ------
    TypeError
        If the dtype is not real.
    ValueError
        If it holds NaN, infinity or numbers beyond 1e60, or integers that float64 cannot hold.
    """
    kind = array.dtype.kind
    if array.dtype == np.uint8 or kind == "b":
        return array.astype(np.uint8, copy=False)
    if kind not in "iuf":
        raise TypeError(f"{name} has dtype {array.dtype}; give real numbers (bool, integer or float)")
    if kind != "f" and array.dtype.itemsize == 8 and max(abs(int(array.min())), int(array.max())) > _EXACT_INTEGER:
        raise ValueError(f"{name} holds integers beyond 2**53, which float64 cannot hold exactly")
    if kind == "f" and not (float(array.min()) >= -LARGEST and float(array.max()) <= LARGEST):
        bad = ~(np.abs(array.astype(np.longdouble)) <= LARGEST)
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        problem = "beyond 1e60" if np.isfinite(array[where]) else "not finite"
        raise ValueError(f"{name} is {problem}: {array[where]} at {where}; fill or crop such pixels first")
    return array.astype(np.float64, copy=False)


def region(mask: ArrayLike | None, image: NDArray[Any], ndim: int, name: str = "mask") -> NDArray[np.bool_]:
    """Return `mask` as kernels take it: bool, C-contiguous, of the shape of the checked `image`, or `NO_MASK`.

    Parameters
    ----------
    mask
        What the caller gave; non-zero is inside. None means the whole image.
    image
        The result of `volume`.
    ndim
        Dimensions of the image as the caller gave it, 2 or 3.
    name
        What the caller calls it.

    Raises
    ------
    TypeError
        If the dtype is not real.
    ValueError
        If the shape is not the image's, a value is NaN, or no pixel is inside.
    """
    if mask is None:
        return NO_MASK
    array = np.asarray(mask)
    shape = image.shape[3 - ndim :]
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}; give the shape of the image, {shape}")
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {array.dtype}; give bool or numbers, non-zero inside")
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise ValueError(f"{name} holds NaN; give 0 outside and non-zero inside")
    array = _for_kernels(array.astype(bool, copy=False).reshape(image.shape))
    if not array.any():
        raise ValueError(f"{name} is empty: no pixel is inside; give a mask that is non-zero somewhere")
    return array


def spacing(value: Sequence[float] | None, ndim: int) -> tuple[float, ...]:
    """Return the pixel spacing in millimetres, one positive number per axis of the image; None is 1 everywhere."""
    if value is None:
        return (1.0,) * ndim
    numbers = _as_tuple(value)
    if len(numbers) != ndim or not all(_is_positive(v) for v in numbers):
        raise ValueError(f"spacing is {value!r}; give {ndim} positive numbers in mm, one per axis of the image")
    return tuple(float(v) for v in numbers)


def one_of(name: str, value: Any, allowed: Sequence[Any]) -> Any:
    """Return `value` if it is one of `allowed`."""
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}; give one of {', '.join(map(repr, allowed))}")
    return value


def integer(name: str, value: Any, low: int, high: int | None = None) -> int:
    """Return `value` as int if it is a whole number in ``[low, high]``."""
    if not _is_whole(value) or value < low or (high is not None and value > high):
        bounds = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise ValueError(f"{name} is {value!r}; give a whole number {bounds}")
    return int(value)


def positive(name: str, value: Any) -> float:
    """Return `value` as float if it is a finite number above 0."""
    if not _is_positive(value):
        raise ValueError(f"{name} is {value!r}; give a number above 0")
    return float(value)


def integers(name: str, value: Any, low: int, *, length: int | None = None) -> tuple[int, ...]:
    """Return `value` as a tuple of whole numbers of at least `low`, of the given length where one is given."""
    items = _as_tuple(value)
    if len(items) != (length or max(len(items), 1)) or not all(_is_whole(v) and v >= low for v in items):
        count = "one or more" if length is None else str(length)
        raise ValueError(f"{name} is {value!r}; give {count} whole numbers of at least {low}")
    return tuple(int(v) for v in items)


def _for_kernels(array: NDArray[Any]) -> NDArray[Any]:
    """Return `array` C-contiguous and writeable: for a read-only one, numba would compile every kernel again."""
    array = np.ascontiguousarray(array)
    return array if array.flags.writeable else array.copy()


def _as_tuple(value: Any) -> tuple[Any, ...]:
    if type(value) is tuple:
        return value
    return tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else (value,)


def _is_whole(value: Any) -> bool:
    # the first test is for speed: a look-up of an abstract class costs as much as a small kernel
    return type(value) is int or (isinstance(value, Integral) and not isinstance(value, bool))


def _is_positive(value: Any) -> bool:
    return isinstance(value, Real) and 0 < float(value) < float("inf") and not isinstance(value, np.bool_ | bool)
