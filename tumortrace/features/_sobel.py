"""Sobel: the gradient of intensity, its magnitude and its orientation.

References: Sobel and Feldman 1968, An isotropic 3×3 image gradient operator, https://doi.org/10.13140/RG.2.1.1912.4965.
The statistics of the magnitude follow the gradient features of MaZda: Szczypiński et al. 2009,
https://doi.org/10.1016/j.cmpb.2008.08.005.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace._numba import kernel
from tumortrace.features._vector import FeatureVector

STATISTICS = (
    "mean",
    "standard_deviation",
    "skewness",
    "kurtosis",
    "maximum",
    "root_mean_square",
    "edge_density",
)


def sobel(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    spacing: Sequence[float] | None = None,
    orientations: int = 9,
    edge_threshold: float = 2.0,
) -> FeatureVector:
    """Describe how steep the edges of a region are, how many there are, and which way they run.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype. A volume is taken slice by slice, its pixels pooled.
    mask : array_like, same shape, optional
        Non-zero is inside; without it the whole image is. Gradients are those of the image: at the rim of the mask
        they see the pixels beside it.
    spacing : sequence of float, optional
        Pixel spacing in mm, one number per axis. It has no effect: derivatives are per pixel, within a slice.
    orientations : int, default 9
        Number of bins of the orientation histogram over 0° to 180°.
    edge_threshold : float, default 2.0
        A pixel is an edge where its magnitude exceeds this multiple of `root_mean_square`.

    Returns
    -------
    FeatureVector
        Of the magnitude m over the region, in the unit of the image:

        - ``mean``, ``standard_deviation`` (population), ``maximum``, ``root_mean_square``;
        - ``skewness`` and ``kurtosis`` (excess: 0 for a Gaussian); both 0 where the magnitude does not vary;
        - ``edge_density``, 0 to 1: the share of pixels with ``m > edge_threshold · root_mean_square``;
        - ``orientation_0``, …: the share of the sum of m in each bin of orientation; they sum to 1. Bin k holds the
          angles from ``180 k / orientations`` up to but not including the next edge, as `SobelGradients` measures
          them. NaN where the magnitude is 0 everywhere: a flat region has no orientation.

    Raises
    ------
    TypeError, ValueError
        If the image, the mask or a parameter is not as described.

    See Also
    --------
    sobel_gradients, sobel_magnitude

    Notes
    -----
    Not defined by IBSI. Nothing changes with an offset of intensity. With a gain (another window width) the first
    four scale; skewness, kurtosis, edge density and orientations do not, which is why the threshold is relative.

    Examples
    --------
    A step from 0 to 4: its two middle columns have magnitude 16, the outer two 0, all along the rows.

    >>> v = sobel([[0, 0, 4, 4]] * 3, orientations=4)
    >>> v["mean"], v["maximum"], v["orientation_0"]
    (8.0, 16.0, 1.0)
    """
    ndim = np.ndim(image)
    volume = _check.volume(image)
    region = _check.region(mask, volume, ndim)
    _check.spacing(spacing, ndim)
    orientations = _check.integer("orientations", orientations, 1)
    threshold = _check.positive("edge_threshold", edge_threshold)
    values = np.zeros(len(STATISTICS) + orientations)
    _describe(volume, region, cotangents(orientations), threshold, values)
    flat = values[STATISTICS.index("maximum")] == 0
    return FeatureVector(
        _names(orientations), values, "no gradient in the region, so no orientation" if flat else ""
    )


class SobelGradients(NamedTuple):
    """The two derivatives of an image, and what follows from them.

    Attributes
    ----------
    row, col : ndarray, shape of the image
        Derivative along the rows (downwards) and along the columns (to the right), in the unit of the image times 8
        per pixel. int16 for an 8-bit image, else float64.
    """

    row: NDArray[Any]
    col: NDArray[Any]

    @property
    def magnitude(self) -> NDArray[Any]:
        """``sqrt(row² + col²)``; float32 for an 8-bit image, else float64."""
        wide = np.result_type(self.row, np.float32)
        row, col = self.row.astype(wide), self.col.astype(wide)
        return np.asarray(np.sqrt(row * row + col * col))

    @property
    def orientation(self) -> NDArray[Any]:
        """Angle of the gradient in degrees, 0 ≤ angle < 180, without its sign.

        0 is a gradient along the columns (a vertical edge), 90 one along the rows; from 0 it turns towards the
        growing row. 0 where there is no gradient.
        """
        angle: NDArray[Any] = np.rad2deg(np.arctan2(self.row, self.col)) % 180
        angle[angle == 180] = 0
        return angle


def sobel_gradients(image: ArrayLike) -> SobelGradients:
    """Return the Sobel derivatives of an image.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype. A volume is taken slice by slice.

    Returns
    -------
    SobelGradients
        ``row`` and ``col``, each of the shape of the image; ``.magnitude`` and ``.orientation`` follow from them.

    Raises
    ------
    TypeError, ValueError
        If the image is not real, finite, 2-D or 3-D.

    Notes
    -----
    Equal to ``scipy.ndimage.sobel`` of a float image along each axis of a slice: beyond the border the image is
    mirrored with its border pixel repeated (``mode="reflect"``).

    Examples
    --------
    >>> row, col = sobel_gradients([[0, 0, 4, 4]] * 3)
    >>> col[1]
    array([ 0., 16., 16.,  0.])
    >>> row[1]
    array([0., 0., 0., 0.])
    """
    ndim = np.ndim(image)
    volume = _check.volume(image)
    number = np.int16 if volume.dtype == np.uint8 else np.float64
    row, col = np.empty(volume.shape, number), np.empty(volume.shape, number)
    _gradients(volume, row, col)
    return SobelGradients(row[0], col[0]) if ndim == 2 else SobelGradients(row, col)


def sobel_magnitude(image: ArrayLike) -> NDArray[Any]:
    """Return the Sobel magnitude of an image, in one pass.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype. A volume is taken slice by slice.

    Returns
    -------
    ndarray, shape of `image`
        ``sqrt(row² + col²)`` of `sobel_gradients`: float32 for an 8-bit image, else float64. The sum for an 8-bit
        image is a whole number that float32 holds exactly; the root is the float32 nearest to the true one.

    Raises
    ------
    TypeError, ValueError
        If the image is not real, finite, 2-D or 3-D.

    Examples
    --------
    >>> sobel_magnitude([[0, 0, 4, 4]] * 3)[1]
    array([ 0., 16., 16.,  0.])
    """
    ndim = np.ndim(image)
    volume = _check.volume(image)
    narrow = volume.dtype == np.uint8
    line = np.empty((2, volume.shape[2]), np.int16 if narrow else np.float64)
    magnitude = np.empty(volume.shape, np.float32 if narrow else np.float64)
    _magnitude(volume, line, magnitude)
    return magnitude[0] if ndim == 2 else magnitude


@lru_cache(maxsize=64)
def cotangents(orientations: int, narrow: bool = False) -> NDArray[Any]:
    """Return the cotangents of the angles between bins, ``180 k / orientations`` degrees, as kernels take them.

    A gradient turned to ``row > 0`` lies in the bin whose number is the count of cotangents with
    ``col <= row · cotangent``. 45°, 90° and 135°, the only edges that whole numbers can hit, are exact. NaN, which
    is never counted, fills up to a multiple of four; `narrow` is float32.
    """
    k = np.arange(1, orientations)
    angle = np.pi * k / orientations
    exact = np.cos(angle) / np.sin(angle)
    exact = np.where(4 * k % orientations == 0, np.rint(exact), exact)
    filled = np.full(-(-k.size // 4) * 4, np.nan, np.float32 if narrow else np.float64)
    filled[: k.size] = exact
    return filled


@lru_cache(maxsize=64)
def _names(orientations: int) -> tuple[str, ...]:
    return (*STATISTICS, *(f"orientation_{k}" for k in range(orientations)))


@kernel
def _gradient_row(image: NDArray[Any], y: int, row: NDArray[Any], col: NDArray[Any]) -> None:
    """Compute the two derivatives of row `y`; the order of the sums is scipy's, so that floats agree to the bit."""
    number = row.dtype.type
    last = row.size - 1
    above, here, below = image[max(y - 1, 0)], image[y], image[min(y + 1, image.shape[0] - 1)]
    two = number(2)
    for x in range(1, last):
        row[x] = two * (number(below[x]) - number(above[x])) + (
            (number(below[x - 1]) - number(above[x - 1])) + (number(below[x + 1]) - number(above[x + 1]))
        )
        col[x] = two * (number(here[x + 1]) - number(here[x - 1])) + (
            (number(above[x + 1]) - number(above[x - 1])) + (number(below[x + 1]) - number(below[x - 1]))
        )
    for x in (0, last):
        left, right = max(x - 1, 0), min(x + 1, last)
        row[x] = two * (number(below[x]) - number(above[x])) + (
            (number(below[left]) - number(above[left])) + (number(below[right]) - number(above[right]))
        )
        col[x] = two * (number(here[right]) - number(here[left])) + (
            (number(above[right]) - number(above[left])) + (number(below[right]) - number(below[left]))
        )


@kernel
def _magnitude_row(row: NDArray[Any], col: NDArray[Any], magnitude: NDArray[Any]) -> None:
    number = magnitude.dtype.type
    for x in range(row.size):
        r, c = number(row[x]), number(col[x])
        magnitude[x] = np.sqrt(r * r + c * c)


@kernel
def _bin_row(
    row: NDArray[np.float64], col: NDArray[np.float64], edges: NDArray[np.float64], bins: NDArray[np.int32]
) -> None:
    """Find the orientation bin of each gradient; turns the gradients to the half-plane ``row >= 0``."""
    for x in range(row.size):
        r, c = row[x], col[x]
        col[x] = -c if r < 0 or (r == 0 and c < 0) else c
        row[x] = abs(r)
    bins[:] = 0
    for k in range(edges.size):
        edge = edges[k]
        for x in range(row.size):
            bins[x] += np.int32(col[x] <= row[x] * edge)


@kernel
def _gradients(volume: NDArray[Any], row: NDArray[Any], col: NDArray[Any]) -> None:
    for z in range(volume.shape[0]):
        for y in range(volume.shape[1]):
            _gradient_row(volume[z], y, row[z, y], col[z, y])


@kernel
def _magnitude(volume: NDArray[Any], line: NDArray[Any], magnitude: NDArray[Any]) -> None:
    row, col = line[0], line[1]
    for z in range(volume.shape[0]):
        for y in range(volume.shape[1]):
            _gradient_row(volume[z], y, row, col)
            _magnitude_row(row, col, magnitude[z, y])


@kernel
def _describe(
    volume: NDArray[Any],
    region: NDArray[np.bool_],
    edges: NDArray[np.float64],
    threshold: float,
    values: NDArray[np.float64],
) -> None:
    """Fill `values`, first zero: the `STATISTICS`, then the histogram. Gradients are made twice, never stored."""
    slices, rows, cols = volume.shape
    everywhere = region.size == 0
    histogram = values[len(STATISTICS) :]
    row, col, m = np.empty(cols), np.empty(cols), np.empty(cols)
    bins = np.empty(cols, np.int32)
    count = 0
    total = squares = maximum = 0.0
    for z in range(slices):
        for y in range(rows):
            if everywhere or region[z, y].any():
                _gradient_row(volume[z], y, row, col)
                _magnitude_row(row, col, m)
                _bin_row(row, col, edges, bins)
                for x in range(cols):
                    if everywhere or region[z, y, x]:
                        count += 1
                        total += m[x]
                        squares += m[x] * m[x]
                        maximum = max(maximum, m[x])
                        histogram[bins[x]] += m[x]
    mean, root_mean_square = total / count, np.sqrt(squares / count)
    unit = maximum if maximum > 0 else 1.0  # powers of tiny magnitudes would be 0
    second = third = fourth = 0.0
    n_edges = 0
    for z in range(slices):
        for y in range(rows):
            if everywhere or region[z, y].any():
                _gradient_row(volume[z], y, row, col)
                _magnitude_row(row, col, m)
                for x in range(cols):
                    if everywhere or region[z, y, x]:
                        deviation = (m[x] - mean) / unit
                        square = deviation * deviation
                        second += square
                        third += square * deviation
                        fourth += square * square
                        n_edges += m[x] > threshold * root_mean_square
    variance = second / count
    varies = variance > (1e-12 * mean / unit) ** 2
    values[0] = mean
    values[1] = unit * np.sqrt(variance)
    values[2] = third / count / variance**1.5 if varies else 0.0
    values[3] = fourth / count / variance**2 - 3 if varies else 0.0
    values[4] = maximum
    values[5] = root_mean_square
    values[6] = n_edges / count
    for k in range(histogram.size):
        histogram[k] = histogram[k] / total if total > 0 else np.nan
