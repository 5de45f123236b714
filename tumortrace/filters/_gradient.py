"""The magnitude of the gradient."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tumortrace.filters._boundary import Volume, axes_of, checked, convolve, like


def gradient(
    image: ArrayLike,
    *,
    spacing: Sequence[float] | None = None,
    boundary: str = "mirror",
    dimensions: int = 3,
) -> Volume:
    """Return the magnitude of the gradient by central differences.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype.
    spacing : sequence of float, optional
        Millimetres per voxel, one number per axis; None is 1.
    boundary : {"mirror", "constant", "nearest", "periodic"}, default "mirror"
        What lies beyond the image; see `tumortrace.filters`.
    dimensions : {3, 2}, default 3
        3: of the volume; 2: slice by slice. A 2-D image is filtered in two dimensions.

    Returns
    -------
    ndarray of float64, shape of `image`
        In intensities per mm, at least 0.

    Notes
    -----
    Not an IBSI filter. Along an axis with spacing s it is (f(i + 1) − f(i − 1))/(2s), as in SimpleITK and
    PyRadiomics; ``"mirror"`` and ``"nearest"`` are the same here.

    Examples
    --------
    >>> gradient([[0, 1, 2, 3]], spacing=(1, 0.5))
    array([[1., 2., 2., 1.]])
    """
    volume, spacing3 = checked(image, spacing, boundary)
    squares = np.zeros_like(volume)
    for axis in axes_of(image, dimensions):
        difference = convolve(volume, axis, (np.array([0.5, 0, -0.5]) / spacing3[axis],), boundary)
        squares += difference**2
    return like(image, np.sqrt(squares))


def gradient_reach(parameters: Mapping[str, Any], spacing: tuple[float, float, float]) -> tuple[int, ...]:
    """Return one voxel."""
    return (0 if parameters["dimensions"] == 2 else 1, 1, 1)
