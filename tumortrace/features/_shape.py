"""Shape: size and form of a region, from its pixels alone.

Reference: Zwanenburg et al. 2020, The Image Biomarker Standardization Initiative,
https://doi.org/10.1148/radiol.2020191145, and the reference manual, section 3.1.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace._numba import kernel
from tumortrace.features._vector import FeatureVector

_NAMES = (
    "pixel_count",
    "volume",
    "area",
    "perimeter",
    "circularity",
    "depth",
    "height",
    "width",
    "bounding_box_fill",
    "maximum_diameter",
    "major_axis_length",
    "minor_axis_length",
    "least_axis_length",
    "elongation",
    "flatness",
    "centre_of_mass_shift",
)
_NO_AXES = "axis lengths, elongation, flatness: one pixel has no axes"
_NO_MASS = "centre_of_mass_shift: the intensities sum to 0"


def shape(
    image: ArrayLike, mask: ArrayLike | None = None, *, spacing: Sequence[float] | None = None
) -> FeatureVector:
    """Measure the size and form of a region or, without a mask, of the whole image.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype. Its intensities matter for ``centre_of_mass_shift`` alone.
    mask : array_like, same shape, optional
        Non-zero is inside; without it the whole image is.
    spacing : sequence of float, optional
        Pixel spacing in mm, one number per axis; 1 mm where not given. A 2-D image counts as one slice of 1 mm.

    Returns
    -------
    FeatureVector
        16 numbers, the same for 2-D and 3-D:

        - ``pixel_count``: n
        - ``volume`` (mm³): n times the volume of a pixel; for a 2-D image the number is that of its area in mm²
        - ``area`` (mm²) and ``perimeter`` (mm) of the slice with the most pixels inside, the first of several. The
          area counts pixels; the perimeter is the length of the contour that runs half-way between the centres
          of pixels inside and outside (marching squares; pixels that touch at a corner are apart)
        - ``circularity``: 4π · A / P² of that contour and the area A that it encloses, above 0, below 1; about
          0.9 for a large disc, whose contour is a staircase
        - ``depth``, ``height``, ``width`` (mm): the bounding box along slices, rows and columns
        - ``bounding_box_fill``: volume over that of the bounding box, above 0, at most 1
        - ``maximum_diameter`` (mm): the largest distance between two points half-way between a pixel inside and a
          face neighbour outside; neighbours across slices count where the region has more than one slice
        - ``major_axis_length``, ``minor_axis_length``, ``least_axis_length`` (mm): 4 √λ with the eigenvalues λ of
          the covariance of the pixel centres, Σ(p − p̄)(p − p̄)ᵀ / (n − 1); the least is 0 in one slice
        - ``elongation`` √(λ₂ / λ₁) and ``flatness`` √(λ₃ / λ₁), 0 to 1; these five are NaN for one pixel
        - ``centre_of_mass_shift`` (mm): distance between the centre of the pixels and the same centre weighted by
          intensity; NaN where the intensities sum to 0

    Raises
    ------
    TypeError
        If `image` or `mask` is not real.
    ValueError
        If `image`, `mask` or `spacing` is not as said.

    Notes
    -----
    The exact size of a crop is a fingerprint of the patient, and so is ``shape`` of an image without a mask: added
    to texture it made pooled models worse on unseen patients (grouped cross-validation, AUC .650 → .601). Models
    leave ``shape`` out unless asked.

    IBSI morphology (HCUG) for 3-D regions: ``volume`` (by voxel counting, YEKZ), ``maximum_diameter`` (L0JK: the
    points are the vertices of the IBSI mesh), the axis lengths (TDIC, P9VJ, 7J51), ``elongation`` (Q3CK),
    ``flatness`` (N17B) and ``centre_of_mass_shift`` (KLMA). The others, and all of them in 2-D, are not defined by
    IBSI. The consensus values of the axis lengths need the n − 1; PyRadiomics divides by n. Beyond the image is
    outside.

    References
    ----------
    Zwanenburg et al. 2020, https://doi.org/10.1148/radiol.2020191145

    Examples
    --------
    >>> v = shape([[0, 7, 7, 7, 7, 0]], [[0, 1, 1, 1, 1, 0]], spacing=(2, 0.5))
    >>> v["pixel_count"], v["area"], v["height"], v["width"], v["maximum_diameter"]
    (4.0, 4.0, 2.0, 2.0, 2.5)
    """
    ndim = np.ndim(image)
    volume = _check.volume(image)
    region = _check.region(mask, volume, ndim)
    steps = np.array((1.0,) * (3 - ndim) + _check.spacing(spacing, ndim))
    if region.size == 0:
        region = np.ones(volume.shape, dtype=bool)
    numbers = np.empty(len(_NAMES))
    covariance = np.empty((3, 3))
    _measure(volume, region, steps, numbers, covariance)
    numbers[10:15] = _axes(covariance) if numbers[0] > 1 else np.nan
    reasons = (_NO_AXES, numbers[13]), (_NO_MASS, numbers[15])
    return FeatureVector(_NAMES, numbers, "; ".join(reason for reason, number in reasons if np.isnan(number)))


def _axes(covariance: NDArray[np.float64]) -> tuple[float, ...]:
    """Return the three axis lengths, longest first, and the ratio of each other one to the longest."""
    least, minor, major = np.linalg.eigvalsh(covariance).tolist()
    rounding = 16 * np.finfo(np.float64).eps * major
    a, b, c = (4 * math.sqrt(v) if v > rounding else 0.0 for v in (major, minor, least))
    return a, b, c, b / a, c / a


@kernel
def _measure(
    volume: NDArray[Any],
    region: NDArray[np.bool_],
    steps: NDArray[np.float64],
    out: NDArray[np.float64],
    covariance: NDArray[np.float64],
) -> None:
    """Write all numbers but those of the axes, and the covariance of the pixel centres in mm²."""
    slices, rows, _ = volume.shape
    moments, mass = np.zeros((4, 4)), np.zeros(4)
    ends = np.empty((slices, rows, 2), dtype=np.int64)
    _scan(volume, region, moments, mass, ends)
    n = moments[0, 0]
    pairs = n * max(n - 1, 1.0)
    for i in range(3):
        for j in range(3):
            product = moments[0, i + 1] * moments[0, j + 1]
            covariance[i, j] = (n * moments[i + 1, j + 1] - product) / pairs * steps[i] * steps[j]

    box, largest = _extent(region, ends)
    sides = box * steps
    pixel = steps[0] * steps[1] * steps[2]
    perimeter, enclosed = _contour(region[largest], steps[1], steps[2])
    shift = 0.0
    for i in range(3):
        centre = mass[i + 1] / mass[0] if mass[0] != 0 else np.nan
        shift += ((centre - moments[0, i + 1] / n) * steps[i]) ** 2

    out[0], out[1] = n, n * pixel
    out[2], out[3] = region[largest].sum() * steps[1] * steps[2], perimeter
    out[4] = 4 * math.pi * enclosed / (perimeter * perimeter)
    out[5], out[6], out[7] = sides[0], sides[1], sides[2]
    out[8] = n / (box[0] * box[1] * box[2])
    out[9] = _diameter(ends, steps, box[0] > 1)
    out[15] = math.sqrt(shift)


@kernel
def _scan(
    volume: NDArray[Any],
    region: NDArray[np.bool_],
    moments: NDArray[np.float64],
    mass: NDArray[np.float64],
    ends: NDArray[np.int64],
) -> None:
    """Sum (1, z, r, c)ᵀ(1, z, r, c), and (1, z, r, c) times intensity; keep each row's first and last column."""
    slices, rows, cols = volume.shape
    for z in range(slices):
        for r in range(rows):
            first, last = cols, -1
            n = s = ss = np.int64(0)
            x = xc = 0.0
            for c in range(cols):
                if region[z, r, c]:
                    first, last = min(first, c), c
                    n += 1
                    s += c
                    ss += c * c
                    x += volume[z, r, c]
                    xc += np.float64(volume[z, r, c]) * c
            ends[z, r, 0], ends[z, r, 1] = first, last
            known = (1.0, float(z), float(r))
            for i in range(3):
                for j in range(3):
                    moments[i, j] += n * known[i] * known[j]
                moments[i, 3] += s * known[i]
                moments[3, i] += s * known[i]
                mass[i] += x * known[i]
            moments[3, 3] += ss
            mass[3] += xc


@kernel
def _extent(region: NDArray[np.bool_], ends: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Return the sides of the bounding box in pixels, and the first slice with the most pixels inside."""
    slices, rows, cols = region.shape
    low = np.array([slices, rows, cols])
    high = np.array([-1, -1, -1])
    most = largest = 0
    for z in range(slices):
        for r in range(rows):
            if ends[z, r, 1] >= 0:
                low[0], low[1], low[2] = min(low[0], z), min(low[1], r), min(low[2], ends[z, r, 0])
                high[0], high[1], high[2] = z, max(high[1], r), max(high[2], ends[z, r, 1])
        inside = region[z].sum()
        if inside > most:
            most, largest = inside, z
    return high - low + 1, largest


@kernel
def _contour(inside: NDArray[np.bool_], height: float, width: float) -> tuple[float, float]:
    """Return the length of the half-way contour and the area in it, from what each 2×2 window holds.

    Windows reach one pixel beyond the image. A window with one or three pixels inside holds one short diagonal, two
    in a row or column one straight piece, and two at opposite corners two short diagonals.
    """
    rows, cols = inside.shape
    outside = np.zeros(cols, dtype=np.bool_)
    windows = np.zeros(16, dtype=np.int64)
    for r in range(rows + 1):
        above = inside[r - 1] if r > 0 else outside
        below = inside[r] if r < rows else outside
        code = 0
        for c in range(cols):
            code = code >> 2 | above[c] << 2 | below[c] << 3
            windows[code] += 1
        windows[code >> 2] += 1
    one = windows[1] + windows[2] + windows[4] + windows[8]
    three = windows[7] + windows[11] + windows[13] + windows[14]
    corners = windows[6] + windows[9]
    upright = windows[3] + windows[12]
    level = windows[5] + windows[10]
    length = 0.5 * math.hypot(height, width) * (one + three + 2 * corners) + height * upright + width * level
    area = one / 8 + corners / 4 + (upright + level) / 2 + three * 7 / 8 + windows[15]
    return length, area * height * width


@kernel
def _diameter(ends: NDArray[np.int64], steps: NDArray[np.float64], deep: bool) -> float:
    """Return the largest distance between two face centres of the region.

    A face centre is a pixel centre moved by half a step along one axis. For two pixels d apart the farthest pair
    has squared distance |d|² + max s(2d + s) over the axes, s the step. This is convex in either pixel: only pixels
    at corners of the convex hull matter. The outermost comes first, and no pair is measured whose distances from
    the middle cannot sum to more than the best so far.
    """
    points, radius = _from_the_middle(_outermost(ends), steps)
    n = radius.size
    axes = 0 if deep else 1
    reach = steps[2]
    for k in range(axes, 2):
        reach = max(reach, steps[k])
    best = 0.0
    for i in range(n):
        if radius[i] + radius[0] + reach < best:
            continue
        for j in range(i, n):
            if radius[i] + radius[j] + reach < best:
                continue
            square = gain = 0.0
            for k in range(3):
                d = abs(points[i, k] - points[j, k])
                square += d * d
                if k >= axes:
                    gain = max(gain, steps[k] * (2 * d + steps[k]))
            best = max(best, math.sqrt(square + gain))
    return best


@kernel
def _from_the_middle(
    pixels: NDArray[np.int64], steps: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the positions of pixels in mm and their distances from the middle, the farthest pixel first."""
    n = len(pixels)
    points, radius, middle = np.empty((n, 3)), np.zeros(n), np.zeros(3)
    for i in range(n):
        for k in range(3):
            points[i, k] = pixels[i, k] * steps[k]
            middle[k] += points[i, k] / n
    farthest = 0
    for i in range(n):
        for k in range(3):
            radius[i] += (points[i, k] - middle[k]) ** 2
        radius[i] = math.sqrt(radius[i])
        if radius[i] > radius[farthest]:
            farthest = i
    for k in range(3):
        points[0, k], points[farthest, k] = points[farthest, k], points[0, k]
    radius[0], radius[farthest] = radius[farthest], radius[0]
    return points, radius


@kernel
def _outermost(ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return (z, r, c) of the pixels at the corners of each slice's convex hull: its left and its right side."""
    slices, rows, _ = ends.shape
    points = np.empty((2 * slices * rows, 3), dtype=np.int64)
    n = 0
    for z in range(slices):
        for side in range(2):
            sign = 1 - 2 * side
            start = n
            for r in range(rows):
                if ends[z, r, 1] < 0:
                    continue
                c = ends[z, r, side]
                while n - start >= 2:
                    r0, c0, r1, c1 = points[n - 2, 1], points[n - 2, 2], points[n - 1, 1], points[n - 1, 2]
                    if sign * (c1 - c0) * (r - r0) < sign * (c - c0) * (r1 - r0):
                        break
                    n -= 1
                points[n, 0], points[n, 1], points[n, 2] = z, r, c
                n += 1
    return points[:n]
