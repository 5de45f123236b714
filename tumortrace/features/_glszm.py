"""GLSZM: how large the zones of one grey level are, and the 16 features of it.

Sources: Thibault, Angulo, Meyer 2014, https://doi.org/10.1109/TBME.2013.2284600; Zwanenburg et al. 2020, The
Image Biomarker Standardization Initiative, https://doi.org/10.1148/radiol.2020191145, and its reference manual,
section 3.8.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace.features._level_size_features import N_FEATURES, add_zone_features
from tumortrace.features._vector import FeatureVector
from tumortrace.features._zones import AGGREGATIONS, zones

_NAMES = (
    "small_zone_emphasis",
    "large_zone_emphasis",
    "low_grey_level_zone_emphasis",
    "high_grey_level_zone_emphasis",
    "small_zone_low_grey_level_emphasis",
    "small_zone_high_grey_level_emphasis",
    "large_zone_low_grey_level_emphasis",
    "large_zone_high_grey_level_emphasis",
    "grey_level_non_uniformity",
    "normalised_grey_level_non_uniformity",
    "zone_size_non_uniformity",
    "normalised_zone_size_non_uniformity",
    "zone_percentage",
    "grey_level_variance",
    "zone_size_variance",
    "zone_size_entropy",
)


def glszm(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    spacing: Sequence[float] | None = None,
    levels: int = 32,
    bin_width: float | None = None,
    first_edge: str | float = "ibsi",
    aggregation: str = "3d",
) -> FeatureVector:
    """Features of the grey level size zone matrix: how large the patches of one grey level are.

    A zone is a set of pixels of one level that hang together: within a slice by edges and corners (8 neighbours),
    in space by faces, edges and corners (26).

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype.
    mask : array_like, same shape, optional
        Non-zero is inside; zones end there. Without it the whole image is.
    spacing : sequence of float, optional
        Accepted as in every extractor; sizes are counted in pixels, so it has no effect.
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

    Returns
    -------
    FeatureVector
        16 numbers, named as below.

    Raises
    ------
    TypeError
        If `image` or `mask` is not real.
    ValueError
        If `image`, `mask` or a parameter is not as said.

    Notes
    -----
    With s(i, j) the number of zones of level i and size j in pixels, s(i) and s(j) its sums over the other index,
    n = Σ s(i, j) zones in N pixels, and μ a mean over the zones:

    - `small_zone_emphasis` (5QRC) Σ s(j) / j² / n; `large_zone_emphasis` (48P8) Σ j² s(j) / n
    - `low_grey_level_zone_emphasis` (XMSY) Σ s(i) / i² / n; `high_grey_level_zone_emphasis` (5GN9) Σ i² s(i) / n
    - `small_zone_low_grey_level_emphasis` (5RAI) Σ s(i, j) / (i² j²) / n;
      `small_zone_high_grey_level_emphasis` (HW1V) Σ i² s(i, j) / j² / n
    - `large_zone_low_grey_level_emphasis` (YH51) Σ j² s(i, j) / i² / n;
      `large_zone_high_grey_level_emphasis` (J17V) Σ i² j² s(i, j) / n
    - `grey_level_non_uniformity` (JNSA) Σ s(i)² / n, `normalised_grey_level_non_uniformity` (Y1RO) the same / n
    - `zone_size_non_uniformity` (4JP3) Σ s(j)² / n, `normalised_zone_size_non_uniformity` (VB3A) the same / n
    - `zone_percentage` (P30P) n / N
    - `grey_level_variance` (BYLV) Σ (i − μ)² s(i) / n; `zone_size_variance` (3NSA) Σ (j − μ)² s(j) / n
    - `zone_size_entropy` (GU8N) −Σ s(i, j) / n · log2(s(i, j) / n)

    All are IBSI features (9SAK). A region of one pixel has one zone, so none is ever undefined.

    References
    ----------
    Thibault, Angulo, Meyer 2014, https://doi.org/10.1109/TBME.2013.2284600; Zwanenburg et al. 2020,
    https://doi.org/10.1148/radiol.2020191145, reference manual section 3.8.

    Examples
    --------
    Three zones, of 3, 2 and 1 pixels:

    >>> v = glszm([[0, 0, 1], [0, 1, 2]], levels=3)
    >>> v["zone_percentage"], v["large_zone_emphasis"]
    (0.5, 4.666666666666667)
    """
    by_slice = _check.one_of("aggregation", aggregation, AGGREGATIONS) == "2d"
    found = zones(image, mask, spacing, levels, bin_width, first_edge, aggregation != "3d")
    total = np.zeros(N_FEATURES)
    parts = found.parts(by_slice)
    for part in parts:
        sizes = found.sizes[part]
        add_zone_features(found.parents[part], found.levels[part], sizes, sizes, part.start, total)
    return FeatureVector(_NAMES, total[: len(_NAMES)] / len(parts))


def glszm_matrix(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    levels: int = 32,
    bin_width: float | None = None,
    first_edge: str | float = "ibsi",
    aggregation: str = "3d",
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count the zones of each grey level and each size.

    Parameters
    ----------
    image, mask, levels, bin_width, first_edge, aggregation
        As in `glszm`.

    Returns
    -------
    counts : ndarray of int64, shape (matrices, levels, len(sizes))
        ``[m, i, j]`` is the number of zones of level i + 1 that hold ``sizes[j]`` pixels. There is one matrix, or
        with ``"2d"`` one for each slice of the box around the mask.
    sizes : ndarray of int64
        The sizes that occur in any of the matrices, ascending.

    Raises
    ------
    TypeError, ValueError
        As `glszm`.

    Examples
    --------
    >>> counts, sizes = glszm_matrix([[0, 0, 1], [0, 1, 2]], levels=3)
    >>> sizes
    array([1, 2, 3])
    >>> counts[0]
    array([[0, 0, 1],
           [0, 1, 0],
           [1, 0, 0]])
    """
    by_slice = _check.one_of("aggregation", aggregation, AGGREGATIONS) == "2d"
    found = zones(image, mask, None, levels, bin_width, first_edge, aggregation != "3d")
    sizes = np.unique(found.sizes[found.standing()]).astype(np.int64)
    return found.matrix(found.sizes, sizes, by_slice), sizes
