"""MVM-LBP and MVMBP composed of scipy.ndimage filters: what one would write without this package.

Sums rather than means, so that whole numbers stay whole and ties are ties.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

# (row, column) of neighbour p
RING = ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1))


def mvm_lbp_scipy(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Codes of the pixels that have eight neighbours, against T = (mean + standard deviation + median) / 3."""
    x = image.astype(np.float64)
    total = _sum_of_nine(x)
    deviation = np.sqrt(np.maximum(9 * _sum_of_nine(x * x) - total * total, 0))
    threshold = (total + deviation + 9.0 * ndimage.median_filter(image, 3)) / 27
    at_least = [neighbour >= threshold[1:-1, 1:-1] for neighbour in _neighbours(x)]
    return _codes(at_least)


def mvmbp_scipy(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Codes of the pixels whose eight neighbours have eight neighbours each."""
    x = image.astype(np.float64)
    exceeds = (9 * x > _sum_of_nine(x))[1:-1, 1:-1]
    return _codes(_neighbours(exceeds))


def _sum_of_nine(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return ndimage.correlate1d(ndimage.correlate1d(x, [1, 1, 1], axis=0), [1, 1, 1], axis=1)


def _neighbours(x: NDArray[Any]) -> list[NDArray[Any]]:
    rows, cols = x.shape
    return [x[1 + i : rows - 1 + i, 1 + j : cols - 1 + j] for i, j in RING]


def _codes(bits: Sequence[NDArray[np.bool_]]) -> NDArray[np.uint8]:
    codes = np.zeros(bits[0].shape, dtype=np.uint8)
    for p, bit in enumerate(bits):
        codes |= bit.astype(np.uint8) << np.uint8(p)
    return codes
