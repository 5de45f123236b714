"""GLDZM: how deep in the region the zones of one grey level lie, and the 16 features of it.

Sources: Thibault, Angulo, Meyer 2014, https://doi.org/10.1109/TBME.2013.2284600; Zwanenburg et al. 2020, The
Image Biomarker Standardization Initiative, https://doi.org/10.1148/radiol.2020191145, and its reference manual,
section 3.9.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace._numba import kernel
from tumortrace.features._border import border_distance
from tumortrace.features._level_size_features import N_FEATURES, add_zone_features
from tumortrace.features._region import bounding_box, region
from tumortrace.features._vector import FeatureVector
from tumortrace.features._zones import AGGREGATIONS, Zones, zones

_NAMES = (
    "small_distance_emphasis",
    "large_distance_emphasis",
    "low_grey_level_zone_emphasis",
    "high_grey_level_zone_emphasis",
    "small_distance_low_grey_level_emphasis",
    "small_distance_high_grey_level_emphasis",
    "large_distance_low_grey_level_emphasis",
    "large_distance_high_grey_level_emphasis",
    "grey_level_non_uniformity",
    "normalised_grey_level_non_uniformity",
    "zone_distance_non_uniformity",
    "normalised_zone_distance_non_uniformity",
    "zone_percentage",
    "grey_level_variance",
    "zone_distance_variance",
    "zone_distance_entropy",
)


def gldzm(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    spacing: Sequence[float] | None = None,
    levels: int = 32,
    bin_width: float | None = None,
    first_edge: str | float = "ibsi",
    aggregation: str = "3d",
    morphological_mask: ArrayLike | None = None,
) -> FeatureVector:
    """Features of the grey level distance zone matrix: how deep the patches of one grey level lie.

    Zones are those of `glszm`. The distance of a zone is the least of its pixels', and that of a pixel is the
    number of steps to a face neighbour (4 in a slice, 6 in space) that lead out of the region or of the image: 1 on
    the border. In an image of one slice, steps stay in the slice.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype.
    mask : array_like, same shape, optional
        Non-zero is inside; zones end there. Without it the whole image is.
    spacing : sequence of float, optional
        Accepted as in every extractor; distances are counted in pixels, so it has no effect.
    levels : int, default 32
        Fixed bin number, see `discretise`.
    bin_width : float, optional
        Fixed bin width in the unit of the image, in place of `levels`.
    first_edge : {"ibsi", "pyradiomics"} or float, default "ibsi"
        Where the first bin begins, see `discretise`.
    aggregation : str, default "3d"
        Which zones are counted together:

        - ``"2d"``: those within a slice; features averaged over the slices that the mask touches.
        - ``"2.5d"``: those within slices, all in one matrix.
        - ``"3d"``: those in space.

        With the first two, distances are those within the slice.
    morphological_mask : array_like, same shape, optional
        The region whose border counts, where `mask` has lost pixels by their intensity (re-segmentation); it holds
        all of `mask`. Without it, `mask`.

    Returns
    -------
    FeatureVector
        16 numbers, named as below.

    Raises
    ------
    TypeError
        If `image` or a mask is not real.
    ValueError
        If `image`, a mask or a parameter is not as said.

    Notes
    -----
    With d(i, j) the number of zones of level i at distance j, d(i) and d(j) its sums over the other index,
    n = Σ d(i, j) zones in N pixels of `mask`, and μ a mean over the zones:

    - `small_distance_emphasis` (0GBI) Σ d(j) / j² / n; `large_distance_emphasis` (MB4I) Σ j² d(j) / n
    - `low_grey_level_zone_emphasis` (S1RA) Σ d(i) / i² / n; `high_grey_level_zone_emphasis` (K26C) Σ i² d(i) / n
    - `small_distance_low_grey_level_emphasis` (RUVG) Σ d(i, j) / (i² j²) / n;
      `small_distance_high_grey_level_emphasis` (DKNJ) Σ i² d(i, j) / j² / n
    - `large_distance_low_grey_level_emphasis` (A7WM) Σ j² d(i, j) / i² / n;
      `large_distance_high_grey_level_emphasis` (KLTH) Σ i² j² d(i, j) / n
    - `grey_level_non_uniformity` (VFT7) Σ d(i)² / n, `normalised_grey_level_non_uniformity` (7HP3) the same / n
    - `zone_distance_non_uniformity` (V294) Σ d(j)² / n, `normalised_zone_distance_non_uniformity` (IATH) the
      same / n
    - `zone_percentage` (VIWW) n / N
    - `grey_level_variance` (QK93) Σ (i − μ)² d(i) / n; `zone_distance_variance` (7WT1) Σ (j − μ)² d(j) / n
    - `zone_distance_entropy` (GBDU) −Σ d(i, j) / n · log2(d(i, j) / n)

    All are IBSI features (VMDZ). A region of one pixel has one zone, so none is ever undefined.

    References
    ----------
    Thibault, Angulo, Meyer 2014, https://doi.org/10.1109/TBME.2013.2284600; Zwanenburg et al. 2020,
    https://doi.org/10.1148/radiol.2020191145, reference manual section 3.9.

    Examples
    --------
    A zone around the border, and one pixel a step deeper:

    >>> v = gldzm([[0, 0, 0], [0, 1, 0], [0, 0, 0]], levels=2)
    >>> v["large_distance_emphasis"], v["zone_distance_entropy"]
    (2.5, 1.0)
    """
    by_slice = _check.one_of("aggregation", aggregation, AGGREGATIONS) == "2d"
    found = zones(image, mask, spacing, levels, bin_width, first_edge, aggregation != "3d")
    distances = _distances(image, mask, morphological_mask, found, aggregation)
    total = np.zeros(N_FEATURES)
    parts = found.parts(by_slice)
    for part in parts:
        zones_of_part = found.parents[part], found.levels[part], found.sizes[part]
        add_zone_features(*zones_of_part, distances[part], part.start, total)
    return FeatureVector(_NAMES, total[: len(_NAMES)] / len(parts))


def gldzm_matrix(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    levels: int = 32,
    bin_width: float | None = None,
    first_edge: str | float = "ibsi",
    aggregation: str = "3d",
    morphological_mask: ArrayLike | None = None,
) -> NDArray[np.int64]:
    """Count the zones of each grey level and each distance to the border.

    Parameters
    ----------
    image, mask, levels, bin_width, first_edge, aggregation, morphological_mask
        As in `gldzm`.

    Returns
    -------
    ndarray of int64, shape (matrices, levels, distances)
        ``[m, i, j]`` is the number of zones of level i + 1 at distance j + 1. There is one matrix, or with ``"2d"``
        one for each slice of the box around the mask.

    Raises
    ------
    TypeError, ValueError
        As `gldzm`.

    Examples
    --------
    >>> gldzm_matrix([[0, 0, 0], [0, 1, 0], [0, 0, 0]], levels=2)
    array([[[1, 0],
            [0, 1]]])
    """
    by_slice = _check.one_of("aggregation", aggregation, AGGREGATIONS) == "2d"
    found = zones(image, mask, None, levels, bin_width, first_edge, aggregation != "3d")
    distances = _distances(image, mask, morphological_mask, found, aggregation)
    return found.matrix(distances, np.arange(1, distances[found.standing()].max() + 1), by_slice)


def _distances(
    image: ArrayLike, mask: ArrayLike | None, morphological_mask: ArrayLike | None, found: Zones, aggregation: str
) -> NDArray[np.int32]:
    """Return the distance of the zone that each label stands for."""
    volume = np.asarray(image)
    if volume.ndim == 2:
        volume = volume[np.newaxis]
    in_plane = aggregation != "3d" or len(volume) == 1
    if morphological_mask is None:
        depth = border_distance(region(image, mask, None).inside, in_plane)
    else:
        whole = _check.region(morphological_mask, volume, np.ndim(image), "morphological_mask")
        depth = _depth(whole, found, in_plane)
    distances = _least(depth, found.labels, found.parents)
    if distances.min() == 0:
        raise ValueError(
            "morphological_mask leaves out pixels of mask; give the mask before re-segmentation, which has all"
        )
    return distances


def _depth(whole: NDArray[np.bool_], found: Zones, in_plane: bool) -> NDArray[np.uint16]:
    """Return how deep each pixel of the box of the zones lies in another region; 0 outside."""
    box = bounding_box(whole)
    depth = np.zeros(found.labels.shape, np.uint16)
    common = [slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(box, found.box, strict=True)]
    if all(c.start < c.stop for c in common):
        distance = border_distance(np.ascontiguousarray(whole[box]), in_plane)
        depth[_within(common, found.box)] = distance[_within(common, box)]
    return depth


def _within(part: Sequence[slice], box: Sequence[slice]) -> tuple[slice, ...]:
    return tuple(slice(p.start - b.start, p.stop - b.start) for p, b in zip(part, box, strict=True))


@kernel
def _least(depth: NDArray[np.uint16], labels: NDArray[np.int32], parents: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return for each label that stands for a zone the least depth of its pixels."""
    least = np.full(parents.size, 2**31 - 1, np.int32)
    deep, flat = depth.reshape(depth.size), labels.reshape(labels.size)
    for k in range(flat.size):
        if flat[k] >= 0:
            least[flat[k]] = min(least[flat[k]], np.int32(deep[k]))
    for k in range(parents.size - 1, -1, -1):
        least[parents[k]] = min(least[parents[k]], least[k])
    return least
