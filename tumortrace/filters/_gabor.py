"""Gabor filters (IBSI Q88H)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace.filters._boundary import NUMPY, POOLINGS, Volume, checked, like, pooled

_TRUNCATE = 4.0
_SLICES_AT_ONCE = 8


def gabor(
    image: ArrayLike,
    *,
    spacing: Sequence[float] | None = None,
    boundary: str = "mirror",
    sigma: float,
    wavelength: float,
    gamma: float = 1.0,
    theta: float = 0.0,
    theta_step: float | None = None,
    orthogonal: bool = False,
    pooling: str = "average",
) -> Volume:
    """Return the modulus of the response to a wave under a Gaussian, in the plane of the slices.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype.
    spacing : sequence of float, optional
        Millimetres per voxel, one number per axis; None is 1.
    boundary : {"mirror", "constant", "nearest", "periodic"}, default "mirror"
        What lies beyond the image; see `tumortrace.filters`.
    sigma : float
        Standard deviation of the Gaussian along the wave, in mm.
    wavelength : float
        Wavelength in mm, λ.
    gamma : float, default 1
        Ratio of axes, γ: across the wave the Gaussian has the standard deviation σ/γ.
    theta : float, default 0
        Direction of the wave in degrees: 0 is along the columns' index (x), 90 along the rows' (y), which points
        down: clockwise.
    theta_step : float, optional
        Pool the directions `theta`, `theta` + `theta_step`, … over 360°, which it must divide; None: one direction.
    orthogonal : bool, default False
        Pool the three orthogonal planes of a volume too, not the plane of the slices only.
    pooling : {"average", "max"}, default "average"
        How directions and planes are pooled.

    Returns
    -------
    ndarray of float64, shape of `image`
        At least 0.

    Raises
    ------
    ValueError
        If a parameter is not valid, or `orthogonal` is asked of a 2-D image.

    Notes
    -----
    IBSI: Gabor filter (Q88H). The kernel is ``exp(−(x² + γ²y²)/(2σ²) + 2πi·x/λ)`` with
    ``x = k₁·cos θ + k₂·sin θ`` and ``y = −k₁·sin θ + k₂·cos θ``, k in mm, sampled at voxels and cut off at 4σ, or
    4σ/γ where that is more. Opposite directions have the same modulus. The convolution is done by FFT.

    Examples
    --------
    Stripes of four pixels respond to their wavelength across, not along:

    >>> stripes = np.tile([0, 0, 1, 1], (16, 4))
    >>> across, along = (gabor(stripes, sigma=2, wavelength=4, theta=t)[8, 8] for t in (0, 90))
    >>> bool(across > 20 * along)
    True
    """
    volume, spacing3 = checked(image, spacing, boundary)
    angles = _angles(theta, theta_step)
    _check.one_of("orthogonal", orthogonal, (True, False))
    _check.one_of("pooling", pooling, POOLINGS)
    if orthogonal and np.ndim(image) == 2:
        raise ValueError("orthogonal planes need a volume, and the image is 2-D; leave orthogonal out")
    sigma, wavelength = _check.positive("sigma", sigma), _check.positive("wavelength", wavelength)
    shape = (sigma, wavelength, _check.positive("gamma", gamma))
    planes = (0, 1, 2) if orthogonal else (0,)
    sides = [tuple(np.delete(spacing3, plane)) for plane in planes]

    def responses() -> Iterator[Volume]:
        for plane, side in zip(planes, sides, strict=True):
            in_plane = _in_plane(np.moveaxis(volume, plane, 0), side, shape, angles, boundary, pooling)
            yield np.moveaxis(in_plane, 0, plane)

    return like(image, pooled(responses(), pooling))


def gabor_reach(parameters: Mapping[str, Any], spacing: tuple[float, float, float]) -> tuple[int, ...]:
    """Return the half width of the kernel."""
    reach = tuple(_radius(parameters["sigma"], parameters["gamma"], side) for side in spacing)
    return reach if parameters["orthogonal"] else (0, *reach[1:])


def _angles(theta: float, step: float | None) -> tuple[float, ...]:
    """Return directions in radians, opposite ones once."""
    if isinstance(theta, bool) or not isinstance(theta, int | float) or not np.isfinite(theta):
        raise ValueError(f"theta is {theta!r}; give a number of degrees")
    count = 1
    if step is not None:
        count = round(360 / _check.positive("theta_step", step))
        if count == 0 or abs(count * step - 360) > 1e-6:
            raise ValueError(f"theta_step is {step!r}; give degrees that divide 360, such as 45")
    distinct = {round((theta + 360 / count * i) % 180, 9) % 180 for i in range(count)}
    return tuple(np.deg2rad(sorted(distinct)))


def _radius(sigma: float, gamma: float, side: float) -> int:
    return int(_TRUNCATE * sigma / min(1.0, gamma) / side + 0.5)


def _in_plane(
    stack: Volume,
    sides: tuple[float, ...],
    shape: tuple[float, float, float],
    angles: tuple[float, ...],
    boundary: str,
    pooling: str,
) -> Volume:
    """Return the pooled modulus over `angles`, slice by slice along the first axis."""
    from scipy.fft import fft2, ifft, next_fast_len

    radii = [_radius(shape[0], shape[2], side) for side in sides]
    rows, cols = (slice(r, r + n) for r, n in zip(radii, stack.shape[1:], strict=True))
    size = tuple(next_fast_len(n + 2 * r) for r, n in zip(radii, stack.shape[1:], strict=True))
    transfers = [fft2(_kernel(radii, sides, shape, angle, size)).real for angle in angles]
    response = np.empty(stack.shape)
    for start in range(0, len(stack), _SLICES_AT_ONCE):
        chunk = slice(start, start + _SLICES_AT_ONCE)
        margins = [(0, 0), *((r, r) for r in radii)]
        padded = np.pad(stack[chunk], margins, mode=NUMPY[boundary])
        spectrum = fft2(padded, size)
        response[chunk] = pooled(
            (np.abs(ifft(ifft(spectrum * h, axis=1)[:, rows], axis=2)[:, :, cols]) for h in transfers), pooling
        )
    return response


def _kernel(
    radii: Sequence[int],
    sides: Sequence[float],
    shape: tuple[float, float, float],
    angle: float,
    size: tuple[int, ...],
) -> NDArray[np.complex128]:
    """Return the kernel in an array of `size` with its middle at [0, 0]: its Fourier transform is real."""
    sigma, wavelength, gamma = shape
    k2, k1 = (np.arange(-r, r + 1) * side for r, side in zip(radii, sides, strict=True))
    along = k1 * np.cos(angle) + k2[:, np.newaxis] * np.sin(angle)
    across = -k1 * np.sin(angle) + k2[:, np.newaxis] * np.cos(angle)
    kernel = np.zeros(size, dtype=np.complex128)
    kernel[: 2 * radii[0] + 1, : 2 * radii[1] + 1] = np.exp(
        -(along**2 + gamma**2 * across**2) / (2 * sigma**2) + 2j * np.pi * along / wavelength
    )
    return np.roll(kernel, [-r for r in radii], axis=(0, 1))
