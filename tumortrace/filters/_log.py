"""The Laplacian of a Gaussian (IBSI L6PA)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tumortrace import _check
from tumortrace.filters._boundary import Volume, axes_of, checked, convolve, like


def laplacian_of_gaussian(
    image: ArrayLike,
    *,
    spacing: Sequence[float] | None = None,
    boundary: str = "mirror",
    sigma: float,
    truncate: float = 4.0,
    scale_normalised: bool = False,
    dimensions: int = 3,
) -> Volume:
    """Return the Laplacian of the image smoothed by a Gaussian: negative in bright spots, positive in dark ones.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype.
    spacing : sequence of float, optional
        Millimetres per voxel, one number per axis; None is 1.
    boundary : {"mirror", "constant", "nearest", "periodic"}, default "mirror"
        What lies beyond the image; see `tumortrace.filters`.
    sigma : float
        Standard deviation of the Gaussian in mm, σ.
    truncate : float, default 4
        Where the kernel ends, in σ: it has 1 + 2⌊truncate·σ + 1/2⌋ voxels per axis.
    scale_normalised : bool, default False
        Multiply by σ², so that responses at different scales compare; PyRadiomics does.
    dimensions : {3, 2}, default 3
        3: of the volume; 2: slice by slice. A 2-D image is filtered in two dimensions.

    Returns
    -------
    ndarray of float64, shape of `image`
        In intensities per squared voxel; per mm² times mm², so intensities, where `scale_normalised`.

    Raises
    ------
    ValueError
        If a parameter is not valid.

    Notes
    -----
    IBSI: Laplacian-of-Gaussian filter (L6PA). With σ in voxels and D dimensions the kernel is

    ``g(k) = −1/σ² · (1/(√(2π)·σ))^D · (D − ‖k‖²/σ²) · exp(−‖k‖²/(2σ²))``

    It is sampled as it stands. What truncation leaves of its sum is below 0.004/σ² at 4σ, so that a constant image
    responds with up to that share of its intensity. Where voxels are not cubes, distances are those in mm and a
    voxel of the response's unit has the shortest side; IBSI has images resampled to cubes first.

    PyRadiomics uses ITK's recursive Gaussian, an approximation: see the docs of filters for how far apart they are.

    Examples
    --------
    The response to one bright pixel is the kernel:

    >>> spot = np.zeros((9, 9)); spot[4, 4] = 1
    >>> response = laplacian_of_gaussian(spot, sigma=1)
    >>> bool(np.isclose(response[4, 4], -2 / (2 * np.pi)))
    True
    """
    volume, spacing3 = checked(image, spacing, boundary)
    axes = axes_of(image, dimensions)
    sigma, truncate = _check.positive("sigma", sigma), _check.positive("truncate", truncate)
    _check.one_of("scale_normalised", scale_normalised, (True, False))
    unit = sigma**2 if scale_normalised else min(spacing3[axis] for axis in axes) ** 2
    smooth, laplacian = volume, np.zeros_like(volume)
    for axis in axes:
        gaussian, second = _kernels(sigma / spacing3[axis], truncate)
        curved = convolve(smooth, axis, (second * (unit / spacing3[axis] ** 2),), boundary)
        laplacian = convolve(laplacian, axis, (gaussian,), boundary) + curved
        smooth = convolve(smooth, axis, (gaussian,), boundary)
    return like(image, laplacian)


def log_reach(parameters: Mapping[str, Any], spacing: tuple[float, float, float]) -> tuple[int, ...]:
    """Return the half width of the kernel."""
    reach = tuple(_radius(parameters["sigma"] / side, parameters["truncate"]) for side in spacing)
    return reach if parameters["dimensions"] == 3 else (0, *reach[1:])


def _radius(sigma: float, truncate: float) -> int:
    return int(truncate * sigma + 0.5)


def _kernels(sigma: float, truncate: float) -> tuple[Volume, Volume]:
    """Return a Gaussian and its second derivative, sampled at voxels; `sigma` in voxels."""
    radius = _radius(sigma, truncate)
    x = np.arange(-radius, radius + 1.0)
    gaussian = np.exp(-(x**2) / (2 * sigma**2)) / (np.sqrt(2 * np.pi) * sigma)
    return gaussian, (x**2 / sigma**4 - 1 / sigma**2) * gaussian
