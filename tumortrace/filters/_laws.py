"""Laws' kernels (IBSI JTXT) and their energy (IBSI PQSD).

Reference: Laws 1980, Textured image segmentation, University of Southern California, USCIPI report 940.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tumortrace import _check
from tumortrace.filters._boundary import POOLINGS, Volume, checked, like, window_mean
from tumortrace.filters._rotations import Chain, separable

KERNELS = {
    "l5": (1, 4, 6, 4, 1),
    "e5": (-1, -2, 0, 2, 1),
    "s5": (-1, 0, 2, 0, -1),
    "w5": (-1, 2, 0, -2, 1),
    "r5": (1, -4, 6, -4, 1),
    "l3": (1, 2, 1),
    "e3": (-1, 0, 1),
    "s3": (-1, 2, -1),
}
"""Level, edge, spot, wave and ripple; the filter divides each by its Euclidean norm."""


def laws(
    image: ArrayLike,
    *,
    spacing: Sequence[float] | None = None,
    boundary: str = "mirror",
    kernel: str,
    pooling: str | None = None,
    energy: int | None = None,
) -> Volume:
    """Return the response to a product of Laws' kernels, or its energy.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype.
    spacing : sequence of float, optional
        Accepted by every filter; the kernels are of voxels, so it has no effect here.
    boundary : {"mirror", "constant", "nearest", "periodic"}, default "mirror"
        What lies beyond the image; see `tumortrace.filters`.
    kernel : str
        Names of kernels along x (columns), y (rows) and z (slices): three for a volume (``"l5e5s5"``), two for
        slice by slice or a 2-D image (``"l5s5"``). Each is one of L5, E5, S5, W5, R5, L3, E3, S3.
    pooling : {"max", "average"}, optional
        Pool the responses of all right-angle rotations of the filter; None: no rotation.
    energy : int, optional
        Return the mean absolute response within this Chebyshev distance, δ, in voxels; None: the response itself.

    Returns
    -------
    ndarray of float64, shape of `image`

    Raises
    ------
    ValueError
        If `kernel` is no product of two or three kernels, or has three for a 2-D image.

    Notes
    -----
    IBSI: Laws filter (JTXT), energy (PQSD), with kernels that are divided by their norm. The average over rotations
    is 0 where a kernel is odd (E, W): its responses cancel. Energy is of the pooled response.

    Examples
    --------
    >>> step = np.repeat([[0, 0, 0, 1, 1, 1]], 5, axis=0)
    >>> laws(step, kernel="e3l3").round(3)[2]
    array([ 0.   ,  0.   , -1.155, -1.155,  0.   ,  0.   ])
    """
    volume, _ = checked(image, spacing, boundary)
    chains = _chains(kernel)
    _check.one_of("pooling", pooling, (None, *POOLINGS))
    distance = 0 if energy is None else _check.integer("energy", energy, 0)
    axes = axes_of_parts("kernel", kernel, len(chains), np.ndim(image))
    response = separable(volume, chains, axes, boundary, pooling)
    if energy is not None:
        response = window_mean(np.abs(response), axes, 2 * distance + 1, boundary)
    return like(image, response)


def laws_reach(parameters: Mapping[str, Any], spacing: tuple[float, float, float]) -> tuple[int, ...]:
    """Return the half width of the kernels, and the distance of the energy added."""
    reach = [len(kernel) // 2 for (kernel,) in _chains(parameters["kernel"])]
    if parameters["pooling"] is not None:
        reach = [max(reach)] * len(reach)
    reach = [r + (parameters["energy"] or 0) for r in reach]
    return (0, *reach)[-3:]


def axes_of_parts(name: str, value: str, parts: int, ndim: int) -> tuple[int, ...]:
    """Return the axes of the volume that a filter of 2 or 3 named parts runs along."""
    if parts == 3 and ndim == 2:
        raise ValueError(f"{name} is {value!r}, for three dimensions; give two parts for a 2-D image")
    return (0, 1, 2)[-parts:]


def _chains(kernel: str) -> list[Chain]:
    """Return the kernels in the order of array axes, slices first."""
    parts = re.findall("..?", kernel.lower()) if isinstance(kernel, str) else []
    if len(parts) not in (2, 3) or not set(parts) <= set(KERNELS):
        raise ValueError(
            f"kernel is {kernel!r}; give the names of two or three of {', '.join(KERNELS)}, such as 'l5e5s5'"
        )
    return [(np.array(KERNELS[part]) / np.linalg.norm(KERNELS[part]),) for part in reversed(parts)]
