"""What the extractors of a region share: its box, its intensities, its grey levels.

An extractor cuts its image down to the box around the mask before it computes anything, so that a small lesion in a
large volume costs what the lesion costs. Within `shared`, extractors that are given the same image and mask do this
once between them.
"""

import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace.features._discretise import Box as Corners
from tumortrace.features._discretise import OutOfRangeError, bounds, grey_levels, whole

Box = tuple[slice, slice, slice]
T = TypeVar("T")

_KERNELS = (np.uint8, np.float64)
"""The dtypes that kernels take."""

_memory = threading.local()


class Region(NamedTuple):
    """A region of interest: what lies in the box around it.

    `volume` holds the intensities, uint8 or float64, and `inside` says which belong to the region; both have the
    shape (slices, rows, cols) and are C-contiguous. `box` is where they lie in the image.
    """

    volume: NDArray[Any]
    inside: NDArray[np.bool_]
    box: Box


class Grey(NamedTuple):
    """A region in grey levels: 1 … `n` inside, 0 outside, in the box around the mask; not to be written to."""

    levels: NDArray[np.uint16]
    n: int
    box: Box


@contextmanager
def shared() -> Iterator[None]:
    """Let the extractors that run within it, in this thread, prepare each region once.

    Image and mask must not be changed meanwhile.

    Examples
    --------
    >>> from tumortrace.features import glcm, first_order
    >>> image = np.arange(400).reshape(20, 20)
    >>> with shared():
    ...     vectors = [glcm(image), first_order(image)]
    """
    outer = getattr(_memory, "found", None)
    _memory.found = {}
    try:
        yield
    finally:
        _memory.found = outer


def once(function: Callable[..., T]) -> Callable[..., T]:
    """Compute a function of (image, mask, …) once per image, mask and parameters, within `shared`."""

    @wraps(function)
    def remembering(image: Any, mask: Any, *parameters: Hashable) -> T:
        found = getattr(_memory, "found", None)
        if found is None:
            return function(image, mask, *parameters)
        key = (function, id(image), id(mask), parameters)
        if key not in found:
            # image and mask are kept: while they live, nothing else has their id
            found[key] = (function(image, mask, *parameters), image, mask)
        result: T = found[key][0]
        return result

    return remembering


def region(image: ArrayLike, mask: ArrayLike | None, spacing: Sequence[float] | None) -> Region:
    """Check what an extractor was given, and cut it to the box around the mask; beyond it no value is looked at.

    Raises
    ------
    TypeError, ValueError
        As `_check.volume`, `_check.region` and `_check.spacing`.
    """
    _check.spacing(spacing, np.ndim(image))
    return _region(image, mask)


def grey(
    image: ArrayLike,
    mask: ArrayLike | None,
    spacing: Sequence[float] | None,
    levels: int,
    bin_width: float | None,
    first_edge: str | float,
) -> Grey:
    """Do the same, and discretise; see `discretise`."""
    _check.spacing(spacing, np.ndim(image))
    return _grey(image, mask, levels, bin_width, first_edge)


@once
def _region(image: ArrayLike, mask: ArrayLike | None) -> Region:
    if mask is None:
        volume = _check.volume(image)
        return Region(volume, np.ones(volume.shape, dtype=bool), _slices(whole(volume.shape)))
    array = _check.shaped(image)
    stack = array[np.newaxis] if array.ndim == 2 else array
    inside = _check.region(mask, stack, array.ndim)
    box = bounding_box(inside)
    return Region(_part(stack, box, image), np.ascontiguousarray(inside[box]), box)


def _part(stack: NDArray[Any], box: Box, image: ArrayLike) -> NDArray[Any]:
    """Return what lies in the box, the only part that is checked and converted."""
    part = stack[box]
    if part.dtype in _KERNELS:  # else it is copied when it is converted
        part = np.ascontiguousarray(part)
    try:
        part = _check.real("image", part)
    except ValueError:
        alone = np.zeros_like(stack)
        alone[box] = stack[box]
        _check.volume(alone.reshape(np.shape(image)))  # says where in the whole image
        raise
    return part if part.flags.writeable else part.copy()


@once
def _grey(
    image: ArrayLike, mask: ArrayLike | None, levels: int, bin_width: float | None, first_edge: str | float
) -> Grey:
    array = _check.shaped(image)
    stack = array[np.newaxis] if array.ndim == 2 else array
    if mask is not None and stack.dtype in _KERNELS and stack.flags.carray:
        # nothing is copied: the kernels look at the box where it lies
        inside = _check.region(mask, stack, array.ndim)
        corners = bounds(inside)
        with suppress(OutOfRangeError):
            return Grey(*grey_levels(stack, inside, levels, bin_width, first_edge, corners), _slices(corners))
    volume, inside, box = _region(image, mask)
    return Grey(
        *grey_levels(volume, _check.NO_MASK if mask is None else inside, levels, bin_width, first_edge), box
    )


def bounding_box(inside: NDArray[np.bool_]) -> Box:
    """Return the least box around the pixels of a region."""
    return _slices(bounds(inside))


def _slices(corners: Corners) -> Box:
    z_start, z_stop, y_start, y_stop, x_start, x_stop = corners
    return slice(z_start, z_stop), slice(y_start, y_stop), slice(x_start, x_stop)
