"""How a filter sees beyond the image, and what all filters share: the checks, and convolution along one axis."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace.filters._convolve import convolve_axis, mean_axis

Volume = NDArray[np.float64]

NUMPY: dict[str, Any] = {"constant": "constant", "nearest": "edge", "periodic": "wrap", "mirror": "symmetric"}
"""IBSI's boundary conditions in the words of numpy.pad."""

POOLINGS = ("max", "average")


def checked(
    image: ArrayLike, spacing: Sequence[float] | None, boundary: str
) -> tuple[Volume, tuple[float, float, float]]:
    """Return the image as a volume of float64, and its spacing with 1 for the axis that a 2-D image lacks."""
    ndim = np.ndim(image)
    volume = np.asarray(_check.volume(image), dtype=np.float64)
    _check.one_of("boundary", boundary, tuple(NUMPY))
    return volume, three(_check.spacing(spacing, ndim))


def three(spacing: Sequence[float]) -> tuple[float, float, float]:
    """Return the spacing of a volume of which the image may be one slice."""
    slices, rows, columns = (1.0, *spacing)[-3:]
    return slices, rows, columns


def axes_of(image: ArrayLike, dimensions: int) -> tuple[int, ...]:
    """Return the axes of the volume along which a filter runs: rows and columns, and slices for 3 dimensions."""
    _check.one_of("dimensions", dimensions, (2, 3))
    return (1, 2) if dimensions == 2 or np.ndim(image) == 2 else (0, 1, 2)


def like(image: ArrayLike, response: Volume) -> Volume:
    """Return a response in the shape of the image."""
    return response.reshape(np.shape(image))


def convolve(volume: Volume, axis: int, kernels: Iterable[NDArray[np.float64]], boundary: str) -> Volume:
    """Convolve along one axis with kernels of odd length, one after the other."""
    for kernel in kernels:
        source = _source(volume.shape[axis], len(kernel) // 2, boundary)
        volume = convolve_axis(volume, axis, np.ascontiguousarray(kernel), source)
    return volume


def window_mean(volume: Volume, axes: Iterable[int], size: int, boundary: str) -> Volume:
    """Return the mean of the cube of `size` voxels, an odd number, around every voxel."""
    for axis in axes:
        volume = mean_axis(volume, axis, size, _source(volume.shape[axis], size // 2, boundary))
    return volume


def _source(length: int, reach: int, boundary: str) -> NDArray[np.intp]:
    """Return which voxel of a line is seen at −reach … length + reach − 1; −1 is none."""
    beyond = {"constant_values": -1} if boundary == "constant" else {}
    return np.pad(np.arange(length), reach, mode=NUMPY[boundary], **beyond)


def pooled(responses: Iterator[Volume], pooling: str) -> Volume:
    """Return the maximum or the average of responses, voxel by voxel."""
    result = next(responses).copy()
    count = 1
    combine = np.maximum if pooling == "max" else np.add
    for response in responses:
        combine(result, response, out=result)
        count += 1
    if pooling == "average":
        result /= count
    return result
