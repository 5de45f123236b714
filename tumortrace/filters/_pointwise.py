"""PyRadiomics' four transforms of intensity, voxel by voxel, scaled by the largest magnitude of the image.

None is an IBSI filter. With m the largest magnitude, ``square``, ``square_root`` and ``logarithm`` map [−m, m] into
itself. They depend on all of the image, because m does; `spacing` and `boundary` have no effect.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from tumortrace.filters._boundary import Volume, checked, like


def square(image: ArrayLike, *, spacing: Sequence[float] | None = None, boundary: str = "mirror") -> Volume:
    """Return f²/m, with m the largest magnitude of the image; 0 where the image is 0 everywhere.

    >>> square([[-2, 1, 4]])
    array([[1.  , 0.25, 4.  ]])
    """
    volume, largest = _scaled(image, spacing, boundary)
    return like(image, (volume * (1 / np.sqrt(largest))) ** 2)


def square_root(image: ArrayLike, *, spacing: Sequence[float] | None = None, boundary: str = "mirror") -> Volume:
    """Return √(m·|f|) with the sign of f, with m the largest magnitude of the image.

    >>> square_root([[-1, 0, 4]])
    array([[-2.,  0.,  4.]])
    """
    volume, largest = _scaled(image, spacing, boundary)
    return like(image, np.sign(volume) * np.sqrt(largest * np.abs(volume)))


def logarithm(image: ArrayLike, *, spacing: Sequence[float] | None = None, boundary: str = "mirror") -> Volume:
    """Return m·ln(|f| + 1)/ln(m + 1) with the sign of f, with m the largest magnitude of the image.

    >>> logarithm([[-3, 0, 3]])
    array([[-3.,  0.,  3.]])
    """
    volume, largest = _scaled(image, spacing, boundary)
    return like(image, np.sign(volume) * np.log1p(np.abs(volume)) * (largest / np.log1p(largest)))


def exponential(image: ArrayLike, *, spacing: Sequence[float] | None = None, boundary: str = "mirror") -> Volume:
    """Return m^(f/m), with m the largest magnitude of the image; 1 where the image is 0 everywhere.

    >>> exponential([[0, 2, 4]])
    array([[1., 2., 4.]])
    """
    volume, largest = _scaled(image, spacing, boundary)
    return like(image, np.exp(np.log(largest) / largest * volume))


def _scaled(image: ArrayLike, spacing: Sequence[float] | None, boundary: str) -> tuple[Volume, float]:
    """Return the checked image, and its largest magnitude, or 1 where that is 0."""
    volume, _ = checked(image, spacing, boundary)
    return volume, float(np.abs(volume).max()) or 1.0
