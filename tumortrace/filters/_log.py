"""The Laplacian of a Gaussian (IBSI L6PA)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tumortrace import _check
from tumortrace.filters._boundary import Volume, axes_of, checked, convolve, like

CONVENTIONS = {"ibsi": "mirror", "pyradiomics": "nearest"}
"""Convention → its boundary where none is given."""
_TRUNCATE = {"ibsi": 4.0, "pyradiomics": 16.0}
_NARROWEST = 2 / 3


def laplacian_of_gaussian(
    image: ArrayLike,
    *,
    spacing: Sequence[float] | None = None,
    boundary: str | None = None,
    sigma: float,
    truncate: float | None = None,
    dimensions: int = 3,
    convention: str = "ibsi",
) -> Volume:
    """Return the Laplacian of the image smoothed by a Gaussian: negative in bright spots, positive in dark ones.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype.
    spacing : sequence of float, optional
        Millimetres per voxel, one number per axis; None is 1.
    boundary : {"mirror", "constant", "nearest", "periodic"}, optional
        What lies beyond the image; see `tumortrace.filters`. None: ``"mirror"``, or ``"nearest"`` under the
        convention of PyRadiomics.
    sigma : float
        Standard deviation of the Gaussian in mm, σ.
    truncate : float, optional
        Where the kernel ends, in σ: it has 1 + 2⌊truncate·σ + 1/2⌋ voxels per axis. None: 4, or 16 under the
        convention of PyRadiomics.
    dimensions : {3, 2}, default 3
        3: of the volume; 2: slice by slice. A 2-D image is filtered in two dimensions.
    convention : {"ibsi", "pyradiomics"}, default "ibsi"
        ``"ibsi"``: the kernel is sampled as its formula stands. ``"pyradiomics"``: Gaussian and derivative are
        those of ITK's recursive filter, and the response is multiplied by σ².

    Returns
    -------
    ndarray of float64, shape of `image`
        In intensities per squared voxel; under the convention of PyRadiomics, in intensities.

    Raises
    ------
    ValueError
        If a parameter is not valid, or σ is under two thirds of a voxel, too narrow to be sampled (``"ibsi"``).

    Notes
    -----
    IBSI: Laplacian-of-Gaussian filter (L6PA). With σ in voxels and D dimensions the kernel is

    ``g(k) = −1/σ² · (1/(√(2π)·σ))^D · (D − ‖k‖²/σ²) · exp(−‖k‖²/(2σ²))``

    Cut off at 4σ, its sum is not quite 0, about −0.001·D/σ²: of a constant image that share of the intensity is
    left, under the convention of PyRadiomics none. Where voxels are not cubes, lengths are those in mm and the unit
    of the response is the shortest side squared; IBSI has images resampled to cubes first.

    ITK's filter is that of Farnebäck, Westin 2006, Improving Deriche-style recursive Gaussian filters,
    https://doi.org/10.1007/s10851-006-8464-z: two damped waves that come within 1 % of a Gaussian. Here they are
    convolved with, as far as they reach.

    Examples
    --------
    The response to one bright pixel is the kernel:

    >>> spot = np.zeros((9, 9)); spot[4, 4] = 1
    >>> response = laplacian_of_gaussian(spot, sigma=1)
    >>> bool(np.isclose(response[4, 4], -2 / (2 * np.pi)))
    True
    """
    _check.one_of("convention", convention, tuple(CONVENTIONS))
    boundary = CONVENTIONS[convention] if boundary is None else boundary
    volume, spacing3 = checked(image, spacing, boundary)
    axes = axes_of(image, dimensions)
    sigma = _check.positive("sigma", sigma)
    truncate = _TRUNCATE[convention] if truncate is None else _check.positive("truncate", truncate)
    sides = [spacing3[axis] for axis in axes]
    if convention == "ibsi" and sigma < _NARROWEST * max(sides):
        raise ValueError(
            f"sigma is {sigma:g} mm, under two thirds of a voxel of {max(sides):g} mm: too narrow to be sampled; "
            "give a larger one, dimensions=2 or convention='pyradiomics', or resample the image"
        )
    kernels, unit = (_sampled, min(sides)) if convention == "ibsi" else (_recursive, sigma)
    smooth = laplacian = volume
    for axis, side in zip(axes, sides, strict=True):
        gaussian, second = kernels(sigma / side, _radius(sigma / side, truncate))
        curved = convolve(smooth, axis, (second * (unit / side) ** 2,), boundary)
        laplacian = curved if axis == axes[0] else convolve(laplacian, axis, (gaussian,), boundary) + curved
        if axis != axes[-1]:
            smooth = convolve(smooth, axis, (gaussian,), boundary)
    return like(image, laplacian)


def log_reach(parameters: Mapping[str, Any], spacing: tuple[float, float, float]) -> tuple[int, ...]:
    """Return the half width of the kernel."""
    truncate = parameters["truncate"] or _TRUNCATE[parameters["convention"]]
    reach = tuple(_radius(parameters["sigma"] / side, truncate) for side in spacing)
    return reach if parameters["dimensions"] == 3 else (0, *reach[1:])


def _radius(sigma: float, truncate: float) -> int:
    return max(1, int(truncate * sigma + 0.5))


def _sampled(sigma: float, radius: int) -> tuple[Volume, Volume]:
    """Return a Gaussian and its second derivative at voxels; `sigma` in voxels."""
    x = np.arange(-radius, radius + 1.0)
    gaussian = np.exp(-(x**2) / (2 * sigma**2)) / (np.sqrt(2 * np.pi) * sigma)
    return gaussian, (x**2 / sigma**4 - 1 / sigma**2) * gaussian


def _recursive(sigma: float, radius: int) -> tuple[Volume, Volume]:
    """Return the impulse responses of ITK's recursive Gaussian and its second derivative; `sigma` in voxels.

    Each is a sum of two damped waves, scaled so that the first has the sum 1, the second the sum 0 and the second
    derivative 2 of x².
    """
    x = np.arange(-radius, radius + 1.0)
    t = np.abs(x) / sigma
    gaussian = _waves(t, (1.3530, 1.8151), (-0.3531, 0.0902))
    second = _waves(t, (-1.3563, 5.2318), (0.3446, -2.2355))
    gaussian /= gaussian.sum()
    second -= second.sum() * gaussian
    return gaussian, second * (2 / (second @ x**2))


def _waves(t: Volume, first: tuple[float, float], other: tuple[float, float]) -> Volume:
    """Return Farnebäck and Westin's approximation on the positive axis."""
    slow = (first[0] * np.cos(0.6681 * t) + first[1] * np.sin(0.6681 * t)) * np.exp(-1.3932 * t)
    fast = (other[0] * np.cos(2.0787 * t) + other[1] * np.sin(2.0787 * t)) * np.exp(-1.3732 * t)
    return np.asarray(slow + fast)
