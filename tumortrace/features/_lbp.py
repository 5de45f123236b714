"""LBP: local binary patterns on a circle around each pixel.

Reference: Ojala, Pietikäinen, Mäenpää 2002, Multiresolution gray-scale and rotation invariant texture
classification with local binary patterns, https://doi.org/10.1109/TPAMI.2002.1017623.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace._check import NO_MASK
from tumortrace.features._lbp_kernels import METHODS, ONE, Circle, code_slices
from tumortrace.features._patterns import count
from tumortrace.features._vector import FeatureVector

MAX_POINTS = 32
MAX_RADIUS = 100

_MAX_BINNED_POINTS = 16  # of "default" and "ror": 2**16 codes
_VARIANCE_BINS = 16


def lbp(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    spacing: Sequence[float] | None = None,
    points: int = 8,
    radius: float = 1,
    method: str = "uniform",
) -> FeatureVector:
    """Return the histogram of local binary patterns.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype. A volume is coded slice by slice and its codes are counted together.
    mask : array_like, same shape, optional
        Non-zero is inside. The codes of the pixels inside are counted; their circles may reach out of the mask.
    spacing : sequence of float, optional
        Accepted by every extractor; the pattern is one of pixels, so it has no effect here.
    points : int, default 8
        Points on the circle, 1 to 32; 1 to 16 for ``"default"`` and ``"ror"``, which have up to ``2**points`` bins.
    radius : float, default 1
        Radius of the circle in pixels, above 0 and up to 100.
    method : {"uniform", "default", "ror", "nri_uniform", "var"}, default "uniform"
        What a code says; see `lbp_codes`.

    Returns
    -------
    FeatureVector
        Shares in [0, 1] that add up to 1, one per code that can occur. With P points:

        - ``"default"``: ``code_0``, …, 2**P of them;
        - ``"ror"``: the codes among them that no rotation makes smaller, 36 for P = 8;
        - ``"uniform"``: ``uniform_0``, …, ``uniform_P``, named by the number of ones, and ``nonuniform``;
        - ``"nri_uniform"``: ``nri_uniform_0``, …, P·(P − 1) + 2 of them, and ``nonuniform``;
        - ``"var"``: ``variance_0``, …, ``variance_15``. Bin k holds 2**k ≤ 1 + VAR < 2**(k + 1), the last bin all
          above too; a pixel without variance is in bin 0. The bins suit whole grey levels: intensities in [0, 1]
          all fall into bin 0.

    Raises
    ------
    ValueError
        If `points`, `radius` or `method` is out of its range.

    Notes
    -----
    Not an IBSI feature. All methods but ``"var"`` depend on the order of intensities around a pixel; outside the
    image they are 0, so that a shift of intensity changes codes at the border only.

    Examples
    --------
    Four pixels of a corner image have no neighbour outside that reaches their value:

    >>> v = lbp([[1, 1, 1], [1, 9, 1], [1, 1, 1]])
    >>> v["uniform_0"], v["uniform_5"], v["nonuniform"]
    (0.1111111111111111, 0.4444444444444444, 0.0)
    >>> len(v), len(lbp([[1]], method="nri_uniform")), len(lbp([[1]], method="ror"))
    (10, 59, 36)
    """
    ndim = np.ndim(image)
    volume = _check.volume(image)
    region = _check.region(mask, volume, ndim)
    _check.spacing(spacing, ndim)
    points, radius = _check_circle(points, radius, method)
    if method in ("default", "ror"):
        _check.integer(f"points of method {method!r}", points, 1, _MAX_BINNED_POINTS)
    names, columns = _columns(points, method)
    codes = _codes(volume, region, points, radius, method)
    if method == "var":
        codes = _variance_bins(codes)
    counts = count(codes, region, _n_codes(points, method))
    if columns is not None:
        counts = counts[columns]
    return FeatureVector(names, counts / counts.sum())


def lbp_codes(image: ArrayLike, *, points: int = 8, radius: float = 1, method: str = "uniform") -> NDArray[Any]:
    """Return the local binary pattern of every pixel.

    Point p of P lies at the angle 2πp/P, counter-clockwise from the right, at the distance `radius`. Its intensity
    is interpolated bilinearly, with 0 outside the image. Bit p is 1 where it is at least that of the pixel.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype. A volume is coded slice by slice.
    points : int, default 8
        Points on the circle, P, 1 to 32.
    radius : float, default 1
        Radius of the circle in pixels, above 0 and up to 100.
    method : {"uniform", "default", "ror", "nri_uniform", "var"}, default "uniform"
        - ``"default"``: the sum of ``2**p`` over the bits that are 1.
        - ``"ror"``: the smallest number that a rotation of the bits makes.
        - ``"uniform"``: the number of ones where the bits change at most twice around the circle, else P + 1.
        - ``"nri_uniform"``: a number of its own for each such pattern, 0 to P·(P − 1) + 1: 0 without ones, then by
          the number of ones, then by how many points the first one lies before a full turn; else P·(P − 1) + 2.
        - ``"var"``: VAR, the variance of the intensities on the circle, population; NaN where it is 0.

    Returns
    -------
    ndarray, shape of `image`
        float64 for ``"var"``, else the smallest unsigned integer that holds every code.

    Raises
    ------
    ValueError
        If `points`, `radius` or `method` is out of its range.

    Notes
    -----
    The values equal those of ``skimage.feature.local_binary_pattern`` on x86-64, ties included: the same operations
    on float64 in the same order. A tie between a pixel and an interpolated point, as in a flat region, is decided
    by rounding, which depends on the coordinates of the pixel. With 32 points, ``"default"`` and ``"ror"`` overflow
    in scikit-image and do not here.

    Examples
    --------
    Right, up, left and down lie on pixels; up, left and down are at least 5:

    >>> image = [[0, 7, 0], [6, 5, 4], [0, 5, 0]]
    >>> int(lbp_codes(image, points=4, method="default")[1, 1])
    14
    >>> int(lbp_codes(image, points=4, method="ror")[1, 1]), int(lbp_codes(image, points=4)[1, 1])
    (7, 3)
    """
    volume = _check.volume(image)
    points, radius = _check_circle(points, radius, method)
    codes = _codes(volume, NO_MASK, points, radius, method)
    return codes[0] if np.ndim(image) == 2 else codes


def _check_circle(points: int, radius: float, method: str) -> tuple[int, float]:
    points = _check.integer("points", points, 1, MAX_POINTS)
    radius = _check.positive("radius", radius)
    if radius > MAX_RADIUS:
        raise ValueError(f"radius is {radius!r}; give a number above 0 and up to {MAX_RADIUS}")
    _check.one_of("method", method, METHODS)
    return points, radius


def _n_codes(points: int, method: str) -> int:
    if method == "var":
        return _VARIANCE_BINS
    if method == "uniform":
        return points + 2
    return points * (points - 1) + 3 if method == "nri_uniform" else 2**points


@lru_cache
def _columns(points: int, method: str) -> tuple[tuple[str, ...], NDArray[np.int64] | None]:
    """Return the names of the columns, and the code of each where some codes have none."""
    n_codes = _n_codes(points, method)
    if method == "var":
        return tuple(f"variance_{k}" for k in range(n_codes)), None
    if method in ("uniform", "nri_uniform"):
        return (*(f"{method}_{code}" for code in range(n_codes - 1)), "nonuniform"), None
    codes = np.arange(n_codes)
    if method == "default":
        return tuple(f"code_{code}" for code in codes), None
    rotations = [codes >> k | codes << (points - k) & n_codes - 1 for k in range(points)]
    smallest = codes[codes == np.min(rotations, axis=0)]
    return tuple(f"code_{code}" for code in smallest), smallest


def _variance_bins(variance: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return floor(log2(1 + VAR)), at most 15; 0 for NaN and for what rounding made negative."""
    exponent = np.frexp(1 + np.fmax(variance, 0))[1]
    bins: NDArray[np.uint8] = np.minimum(exponent - 1, _VARIANCE_BINS - 1).astype(np.uint8)
    return bins


@lru_cache
def _circle(points: int, radius: float, apart: bool) -> Circle:
    """Return the circle; where not `apart`, all points are taken as between pixels, in their order."""
    angle = 2 * np.pi * np.arange(points) / points
    rows, cols = np.round(-radius * np.sin(angle), 5), np.round(radius * np.cos(angle), 5)
    on_pixel = (rows == np.floor(rows)) & (cols == np.floor(cols)) & apart
    on, between = _even(np.flatnonzero(on_pixel)), _even(np.flatnonzero(~on_pixel))
    distinct, col_of = np.unique(cols[between[0]], return_inverse=True)
    return Circle(
        points,
        int(np.ceil(max(abs(rows).max(), abs(cols).max()))),
        rows[on[0]].astype(np.int64),
        cols[on[0]].astype(np.int64),
        on[1],
        rows[between[0]],
        distinct,
        col_of,
        between[1],
    )


def _even(chosen: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the chosen points, the last one twice where they are odd in number, and what each adds to a code."""
    bits = ONE + (np.int64(1) << chosen)
    if chosen.size % 2:
        return np.append(chosen, chosen[-1]), np.append(bits, np.int64(0))
    return chosen, bits


def _codes(
    volume: NDArray[Any], region: NDArray[np.bool_], points: int, radius: float, method: str
) -> NDArray[Any]:
    """Return the codes of the slices, rows and columns that the region touches, 0 elsewhere."""
    dtype = np.float64 if method == "var" else np.min_scalar_type(_n_codes(points, method) - 1)
    codes = (np.empty if region.size == 0 else np.zeros)(volume.shape, dtype=dtype)
    code_slices(volume, region, _circle(points, radius, method != "var"), METHODS.index(method), codes)
    return codes
