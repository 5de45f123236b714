"""The mean filter (IBSI S60F)."""

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike

from tumortrace import _check
from tumortrace.filters._boundary import Volume, axes_of, checked, like, window_mean


def mean(
    image: ArrayLike,
    *,
    spacing: Sequence[float] | None = None,
    boundary: str = "mirror",
    size: int,
    dimensions: int = 3,
) -> Volume:
    """Return the mean of the voxels around each voxel.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype.
    spacing : sequence of float, optional
        Accepted by every filter; the window is one of voxels, so it has no effect here.
    boundary : {"mirror", "constant", "nearest", "periodic"}, default "mirror"
        What lies beyond the image; see `tumortrace.filters`.
    size : int
        Side of the window in voxels, M, an odd number.
    dimensions : {3, 2}, default 3
        3: a cube; 2: a square, slice by slice. A 2-D image is filtered in two dimensions.

    Returns
    -------
    ndarray of float64, shape of `image`

    Raises
    ------
    ValueError
        If `size` is even or below 1, or another parameter is not valid.

    Notes
    -----
    IBSI: mean filter (S60F), support M.

    Examples
    --------
    >>> float(mean([[0, 0, 0], [0, 9, 0], [0, 0, 9]], size=3)[1, 1])
    2.0
    """
    volume, _ = checked(image, spacing, boundary)
    if _check.integer("size", size, 1) % 2 == 0:
        raise ValueError(f"size is {size}; give an odd number, so that the window has a middle")
    return like(image, window_mean(volume, axes_of(image, dimensions), size, boundary))


def mean_reach(parameters: Mapping[str, Any], spacing: tuple[float, float, float]) -> tuple[int, ...]:
    """Return the half width of the window."""
    reach = parameters["size"] // 2
    return (0 if parameters["dimensions"] == 2 else reach, reach, reach)
