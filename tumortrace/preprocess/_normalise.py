"""Normalisation: the intensities of a whole image to mean 0 and one standard deviation."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumortrace.preprocess._settings import Normalisation


def moments(array: NDArray[Any]) -> tuple[float, float]:
    """Return the mean of a whole image and its standard deviation, with n − 1 as ITK has it; slice by slice.

    Raises
    ------
    ValueError
        If the image is constant.
    """
    mean = sum(float(part.sum(dtype=np.float64)) for part in array) / array.size
    squares = sum(float(np.square(part.astype(np.float64) - mean).sum()) for part in array)
    if squares == 0:
        raise ValueError(f"normalise: the image is {array.flat[0]:g} everywhere, and has no standard deviation")
    return mean, float(np.sqrt(squares / (array.size - 1)))


def normalise(array: NDArray[Any], mean: float, sigma: float, normalisation: Normalisation) -> NDArray[np.float64]:
    """Return intensities, of a part of an image with these moments, in standard deviations times the scale."""
    values = (array.astype(np.float64) - mean) * (1 / sigma)  # as ITK rounds it
    if normalisation.outliers is not None:
        np.clip(values, -normalisation.outliers, normalisation.outliers, out=values)
    return values * normalisation.scale
