"""Local intensity: the mean intensity of one cubic centimetre around a voxel, where it peaks.

Reference: Zwanenburg et al. 2020, The Image Biomarker Standardization Initiative,
https://doi.org/10.1148/radiol.2020191145, and the reference manual, section 3.2.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace._numba import kernel
from tumortrace.features._region import Region, region
from tumortrace.features._vector import FeatureVector

_NAMES = ("local_intensity_peak", "global_intensity_peak")
_RADIUS = 10 * (3 / (4 * math.pi)) ** (1 / 3)  # mm, of a sphere of 1 cm³


def local_intensity(
    image: ArrayLike, mask: ArrayLike | None = None, *, spacing: Sequence[float] | None = None
) -> FeatureVector:
    """Find the peak of the intensities of a region, each averaged over a sphere of 1 cm³.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype. A 2-D image counts as one slice: the sphere is a disc of the same radius.
    mask : array_like, same shape, optional
        Non-zero is inside; without it the whole image is. A sphere stands on a voxel inside but takes in all voxels
        of the image, also those outside the mask.
    spacing : sequence of float, optional
        Voxel spacing in mm, one number per axis; 1 mm where not given.

    Returns
    -------
    FeatureVector
        Two numbers in the unit of the image:

        - ``local_intensity_peak``: mean of the sphere around the voxel with the highest intensity; of several such
          voxels the highest mean
        - ``global_intensity_peak``: the highest mean of all spheres

    Raises
    ------
    TypeError
        If `image` or `mask` is not real.
    ValueError
        If `image`, `mask` or `spacing` is not as said.

    Notes
    -----
    IBSI local intensity features (9ST6): `local_intensity_peak` (VJGA) and `global_intensity_peak` (0F91). The
    sphere has a radius of (3/4π)^⅓ cm, about 6.2 mm, and holds the voxels whose centres lie in it. What lies
    outside the image does not count.

    References
    ----------
    Zwanenburg et al. 2020, https://doi.org/10.1148/radiol.2020191145; Frings et al. 2014,
    https://doi.org/10.1148/radiol.14132807

    Examples
    --------
    >>> v = local_intensity([[0, 0, 9, 0, 5, 5]], spacing=(6, 6))
    >>> v["local_intensity_peak"], v["global_intensity_peak"]
    (3.0, 5.0)
    """
    chosen = region(image, mask, spacing)
    ndim = np.ndim(image)
    steps = (1.0,) * (3 - ndim) + _check.spacing(spacing, ndim)
    array = np.asarray(image).reshape((1,) * (3 - ndim) + np.shape(image))
    reach = [min(int(_RADIUS / step), n) for step, n in zip(steps, array.shape, strict=True)]
    sums, held, first = _around(array, chosen, reach)
    values = chosen.volume.astype(np.float64, copy=False)
    peaks = np.empty(2)
    _peaks(values, chosen.inside, sums, held, first, _chords(steps, reach), peaks)
    return FeatureVector(_NAMES, peaks)


def _chords(steps: tuple[float, ...], reach: list[int]) -> NDArray[np.int64]:
    """Return (slice, row, half-length) of the rows of voxels that make up the sphere."""
    chords = []
    for z in range(-reach[0], reach[0] + 1):
        for y in range(-reach[1], reach[1] + 1):
            rest = _RADIUS**2 - (z * steps[0]) ** 2 - (y * steps[1]) ** 2
            if rest >= 0:
                chords.append((z, y, min(int(math.sqrt(rest) / steps[2]), reach[2])))
    return np.array(chords)


def _around(
    array: NDArray[Any], chosen: Region, reach: list[int]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return running sums along the rows of what the spheres can reach.

    First of the intensities, then of one for each voxel of the image, both 0 beyond it; last, where in them the box
    of the region begins.
    """
    low = [part.start - r for part, r in zip(chosen.box, reach, strict=True)]
    high = [part.stop + r for part, r in zip(chosen.box, reach, strict=True)]
    inner = tuple(slice(max(a, 0), min(b, n)) for a, b, n in zip(low, high, array.shape, strict=True))
    before, width = inner[2].start - low[2], high[2] - low[2]
    after = before + inner[2].stop - inner[2].start
    held = np.zeros(width + 1, dtype=np.int64)
    held[before + 1 : after + 1] = 1
    part = array[inner]
    sums = np.zeros((*part.shape[:2], width + 1))
    sums[..., before + 1 : after + 1] = part
    first = np.array(
        [box.start - cut.start for box, cut in zip(chosen.box[:2], inner[:2], strict=True)] + [reach[2]]
    )
    return np.cumsum(sums, axis=2, out=sums), np.cumsum(held), first


@kernel
def _peaks(
    volume: NDArray[np.float64],
    inside: NDArray[np.bool_],
    sums: NDArray[np.float64],
    held: NDArray[np.int64],
    first: NDArray[np.int64],
    chords: NDArray[np.int64],
    out: NDArray[np.float64],
) -> None:
    """Write the mean of the sphere around the most intense voxel, and the highest mean."""
    slices, rows, cols = volume.shape
    total, count = np.empty(cols), np.empty(cols, dtype=np.int64)
    of_length = np.empty(first[2] + 1, dtype=np.int64)
    highest = -np.inf
    out[:] = -np.inf
    for z in range(slices):
        for y in range(rows):
            low, high = 0, cols
            while low < cols and not inside[z, y, low]:
                low += 1
            while high > low and not inside[z, y, high - 1]:
                high -= 1
            total[:], count[:], of_length[:] = 0, 0, 0
            for k in range(len(chords)):
                zz, yy, half = z + first[0] + chords[k, 0], y + first[1] + chords[k, 1], chords[k, 2]
                if 0 <= zz < sums.shape[0] and 0 <= yy < sums.shape[1]:
                    of_length[half] += 1
                    start, stop = sums[zz, yy, first[2] - half :], sums[zz, yy, first[2] + half + 1 :]
                    for x in range(low, high):
                        total[x] += stop[x] - start[x]
            for half in range(of_length.size):
                for x in range(low, high):
                    count[x] += of_length[half] * (held[x + first[2] + half + 1] - held[x + first[2] - half])
            for x in range(low, high):
                if inside[z, y, x]:
                    mean, value = total[x] / count[x], volume[z, y, x]
                    out[1] = max(out[1], mean)
                    if value > highest or (value == highest and mean > out[0]):
                        highest, out[0] = value, mean
