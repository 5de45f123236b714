"""A simple mask of the body."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check


def body(image: ArrayLike) -> NDArray[np.bool_]:
    """Return a simple mask of the body: what is brighter than the air around it.

    Voxels above Otsu's threshold; of these the largest connected component; its holes filled, slice by slice.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        MR or CT, with air around the body.

    Returns
    -------
    ndarray of bool, shape of `image`

    Raises
    ------
    ValueError
        If the image is constant.

    Notes
    -----
    Otsu 1979, A threshold selection method from gray-level histograms, https://doi.org/10.1109/TSMC.1979.4310076,
    on 256 bins. It needs air that is darker than tissue. Dark tissue at the surface is taken for air, a table that
    touches the body for body: look at the mask.

    Examples
    --------
    >>> body([[0, 0, 0, 0, 0], [0, 7, 8, 7, 0], [9, 0, 0, 0, 0]]).astype(int)
    array([[0, 0, 0, 0, 0],
           [0, 1, 1, 1, 0],
           [1, 0, 0, 0, 0]])
    """
    from scipy.ndimage import binary_fill_holes, generate_binary_structure, label

    array = _check.volume(image)
    if array.min() == array.max():
        raise ValueError("the image is constant: there is no body to tell from air; give a mask of the body")
    bright = array > _otsu(array)
    parts, _ = label(bright, generate_binary_structure(3, 3))
    largest = parts == np.argmax(np.bincount(parts.ravel())[1:]) + 1
    filled = np.stack([binary_fill_holes(part) for part in largest])
    return filled.reshape(np.shape(image))


def _otsu(array: NDArray[Any]) -> float:
    """Return the threshold that separates two classes with the largest variance between them."""
    counts, edges = np.histogram(array, bins=256)
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)[:-1]
    total = np.cumsum(counts * centres)
    above = array.size - below
    between = below * above * (total[:-1] / below - (total[-1] - total[:-1]) / above) ** 2
    return float(edges[1:-1][np.argmax(between)])
