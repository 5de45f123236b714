"""Maps of the GLCM: the features of the co-occurrence matrix in a window around each voxel.

Sources: Haralick, Shanmugam, Dinstein 1973, https://doi.org/10.1109/TSMC.1973.4309314; Zwanenburg et al. 2020, The
Image Biomarker Standardization Initiative, https://doi.org/10.1148/radiol.2020191145.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace.features._glcm import AGGREGATIONS, DIRECTIONS
from tumortrace.features._glcm_features import NAMES
from tumortrace.features._glcm_map_kernels import Scale, Tables, fill
from tumortrace.features._region import Grey, grey
from tumortrace.features._windows import FeatureMaps, around, chosen, over_rows, radius

_AGGREGATIONS = {name: scheme for name, scheme in AGGREGATIONS.items() if not scheme.by_slice}
_MAX_LEVELS = 1024  # each thread has a table of their square for each direction
_MAX_PAIRS = 2**20  # so that sums of products fit 64 bits


def glcm_map(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    window: int | Sequence[int] = 7,
    features: Sequence[str] | None = None,
    levels: int = 32,
    bin_width: float | None = None,
    first_edge: str | float = "ibsi",
    distances: int | Sequence[int] = (1,),
    aggregation: str = "3d_volume_merge",
    masked: bool = True,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> FeatureMaps:
    """Compute features of the grey level co-occurrence matrix in a window around each voxel.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype.
    mask : array_like, same shape, optional
        Non-zero is inside: these voxels get a value. Without it all do.
    window : int or sequence of int, default 7
        Side of the window in voxels, odd; or one side per axis of the image, such as ``(1, 7, 7)`` for windows in
        the slice. At the border of the image it is cut off.
    features : sequence of str, optional
        Names as in `glcm`; without it all 28. `maximal_correlation_coefficient` takes most of the time.
    levels, bin_width, first_edge
        As in `glcm`. The image is discretised once, over the whole region, and not window by window, so that a
        level means the same everywhere.
    distances : int or sequence of int, default (1,)
        Chebyshev distances in voxels. With several, each name ends in ``_d<distance>``.
    aggregation : str, default "3d_volume_merge"
        ``"3d_volume_merge"``: the 13 directions of a window are added up. ``"3d_average"``: each has a matrix, and
        features are averaged over those that hold a pair. ``"2.5d_volume_merge"``, ``"2.5d_direction_merge"``: the
        same of the 4 directions in the slice. On a 2-D image there are these 4 in any case.
    masked : bool, default True
        Count only voxels of the mask in a window. False: count all, and discretise over the whole image.
    threads : int, optional
        How many threads share the rows; by default one per available processor. The numbers do not depend on it.
    progress : callable, optional
        Called with the share that is done, up to 1.

    Returns
    -------
    FeatureMaps
        A mapping of name to a float64 array of the shape of the image. NaN outside the mask, and where no two
        voxels in the window make a pair.

    Raises
    ------
    TypeError
        If `image` or `mask` is not real.
    ValueError
        If a parameter is out of range, a feature is unknown (all are named), a distance does not fit in the window,
        or there are more than 1024 levels.

    Notes
    -----
    Each number is that of `glcm` on the levels in the window, to rounding. The definitions, ranges and what holds
    where all voxels are equal are said there.

    With ``window=3, bin_width=25, first_edge="pyradiomics", aggregation="3d_average"`` these are the voxel-based
    features of PyRadiomics, but for `maximal_correlation_coefficient`: where the pairs of a direction are all of
    one level it counts 1 here, as in flash-radiomics, and 0 there. `glcm` of a region has 0 too, unless the region
    has that level alone.

    Windows that overlap share nearly all of their pairs: as the window moves by a column, only the pairs of the
    column that leaves and of the one that enters are counted.

    References
    ----------
    Haralick, Shanmugam, Dinstein 1973, https://doi.org/10.1109/TSMC.1973.4309314; Zwanenburg et al. 2020,
    https://doi.org/10.1148/radiol.2020191145

    Examples
    --------
    >>> image = np.array([[0, 0, 0, 1, 1, 1]])
    >>> glcm_map(image, window=3, levels=2, features=["contrast"])["contrast"]  # half of the pairs differ
    array([[0. , 0. , 0.5, 0.5, 0. , 0. ]])
    """
    reach = radius(window, np.ndim(image))
    scheme = _AGGREGATIONS[_check.one_of("aggregation", aggregation, tuple(_AGGREGATIONS))]
    names = chosen(features, NAMES)
    each = _distances(distances, window, reach)
    region = grey(image, mask if masked else None, None, levels, bin_width, first_edge)
    if region.n > _MAX_LEVELS:
        raise ValueError(f"there are {region.n} grey levels, too many for a map; give {_MAX_LEVELS} at most")
    inside = region.levels > 0
    if not masked:
        region, inside = around(region, image, mask, reach)
    out = np.full((len(each), len(names), *inside.shape), np.nan)
    for k, distance in enumerate(each):
        steps = DIRECTIONS[: scheme.n_directions] * distance
        steps = np.ascontiguousarray(steps[(np.abs(steps) <= 2 * np.array(reach)).all(axis=1)])
        task = _task(region, inside, reach, steps, scheme.merged, names, out[k])
        over_rows(task, inside, threads, None if progress is None else _part(progress, k, len(each)))
    if len(each) > 1:
        names = tuple(f"{name}_d{distance}" for distance in each for name in names)
    ndim = np.ndim(image)
    values = out.reshape(len(names), *out.shape[5 - ndim :])
    return FeatureMaps(names, values, region.box[3 - ndim :], np.shape(image))


def _distances(distances: int | Sequence[int], window: object, reach: tuple[int, int, int]) -> tuple[int, ...]:
    each = _check.integers("distances", distances, 1)
    if len(set(each)) < len(each):
        raise ValueError(f"distances is {distances!r}; give each distance once")
    if max(each) > 2 * max(reach):
        raise ValueError(
            f"distances is {distances!r}, which does not fit in a window of {window!r}; give a larger one"
        )
    return each


def _task(
    region: Grey,
    inside: NDArray[np.bool_],
    reach: tuple[int, int, int],
    steps: NDArray[np.int64],
    merged: bool,
    names: Sequence[str],
    out: NDArray[np.float64],
) -> Callable[[tuple[int, int]], None]:
    """Return what fills some rows, each time with tables of its own."""
    voxels = int(np.prod([min(2 * r + 1, n) for r, n in zip(reach, region.levels.shape, strict=True)]))
    most = 2 * voxels * (len(steps) if merged else 1)
    if most > _MAX_PAIRS:
        raise ValueError(f"window has {voxels} voxels, too many for a map; give a smaller one")
    scale = _scale(region.n, most)
    matrices = 1 if merged else len(steps)
    numbers = np.array([NAMES.index(name) for name in names])

    def some_rows(lines: tuple[int, int]) -> None:
        tables = _tables(matrices, region.n, most)
        fill(region.levels, inside, lines, reach, steps, tables, scale, numbers, out)

    return some_rows


def _part(progress: Callable[[float], None], k: int, n: int) -> Callable[[float], None]:
    return lambda share: progress((k + share) / n)


def _tables(matrices: int, levels: int, most: int) -> Tables:
    return Tables(
        cells=np.zeros((matrices, levels + 1, levels + 1), np.int32),
        marginal=np.zeros((matrices, levels + 1), np.int32),
        sums=np.zeros((matrices, 2 * levels + 1), np.int32),
        differences=np.zeros((matrices, levels), np.int32),
        entries=np.zeros((matrices, most + 1), np.int32),
        totals=np.zeros((matrices, 8), np.int64),
    )


@lru_cache(maxsize=8)
def _scale(levels: int, most: int) -> Scale:
    counts = np.arange(most + 1.0)
    logs = counts * np.log2(np.maximum(counts, 1))
    unit = 2.0 ** (61 - np.ceil(np.log2(max(logs[-1], 1))))
    k = np.arange(float(levels))
    with np.errstate(divide="ignore"):
        square = np.where(k > 0, 1 / k**2, 0)
    inverse = np.stack(
        [1 / (1 + k), 1 / (1 + k / levels), 1 / (1 + k**2), 1 / (1 + (k / levels) ** 2), square], axis=1
    )
    return Scale(np.round(logs * unit).astype(np.int64), unit, inverse)
