"""Local binary patterns as an image."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tumortrace.filters._boundary import NUMPY, Volume, checked, like


def lbp(
    image: ArrayLike,
    *,
    spacing: Sequence[float] | None = None,
    boundary: str = "mirror",
    points: int = 8,
    radius: float = 1,
    method: str = "uniform",
) -> Volume:
    """Return the local binary pattern of every pixel, slice by slice.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype.
    spacing : sequence of float, optional
        Accepted by every filter; the pattern is one of pixels, so it has no effect here.
    boundary : {"mirror", "constant", "nearest", "periodic"}, default "mirror"
        What lies beyond the image; see `tumortrace.filters`. ``"constant"`` is as in scikit-image and PyRadiomics.
    points, radius, method
        As of `tumortrace.features.lbp_codes`, by the same defaults as `tumortrace.features.lbp`.

    Returns
    -------
    ndarray of float64, shape of `image`
        Codes; for ``method="var"`` the variance on the circle.

    Raises
    ------
    ValueError
        If a parameter is not valid.

    Notes
    -----
    Not an IBSI filter. Codes are names more than numbers: ``"uniform"`` counts the ones on the circle, others have
    no order, and means of them mean little.

    Examples
    --------
    >>> float(lbp([[1, 1, 1], [1, 9, 1], [1, 1, 1]])[1, 1])
    0.0
    """
    from tumortrace.features import lbp_codes

    volume, _ = checked(image, spacing, boundary)
    lbp_codes(np.zeros((1, 1, 1)), points=points, radius=radius, method=method)  # the checks of all three
    margin = ceil(radius)
    margins = ((0, 0), (margin, margin), (margin, margin))
    padded = np.pad(volume, margins, mode=NUMPY[boundary])
    codes = lbp_codes(padded, points=points, radius=radius, method=method)[:, margin:-margin, margin:-margin]
    return like(image, np.nan_to_num(codes.astype(np.float64)))


def lbp_reach(parameters: Mapping[str, Any], spacing: tuple[float, float, float]) -> tuple[int, ...]:
    """Return the radius of the circle."""
    return (0, ceil(parameters["radius"]), ceil(parameters["radius"]))
