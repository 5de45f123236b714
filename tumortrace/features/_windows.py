"""What the maps share: their windows, their features by name, and threads over rows."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace.features._region import Grey, region

_CHUNKS = 16  # a thread: enough for all to end together where the mask is uneven


class FeatureMaps(Mapping[str, NDArray[np.float64]]):
    """Named maps of one image, in a fixed order: a mapping of name to an array of the shape of the image.

    Only the box around the mask is kept; a map of the whole image is made when it is asked for. So the maps of a
    small lesion in a large volume take little memory.

    Parameters
    ----------
    names : tuple of str
        One name per map.
    values : ndarray of float64, shape (maps, …)
        The maps in the box around the mask; NaN where there is no number.
    box : tuple of slice
        Where the box lies in the image, a slice per axis.
    shape : tuple of int
        Shape of the image.

    Examples
    --------
    >>> maps = FeatureMaps(("mean",), np.array([[2.0, 3.0]]), (slice(1, 3),), (4,))
    >>> maps["mean"]
    array([nan,  2.,  3., nan])
    """

    __slots__ = ("box", "names", "shape", "values_in_box")

    def __init__(
        self, names: tuple[str, ...], values: NDArray[np.float64], box: tuple[slice, ...], shape: tuple[int, ...]
    ) -> None:
        self.names = names
        self.values_in_box = values
        self.box = box
        self.shape = shape

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        if name not in self.names:
            raise KeyError(f"no map {name!r}; there are {', '.join(self.names)}")
        whole = np.full(self.shape, np.nan)
        whole[self.box] = self.values_in_box[self.names.index(name)]
        return whole

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"FeatureMaps({', '.join(self.names)}; {' × '.join(map(str, self.shape))})"


def radius(window: int | Sequence[int], ndim: int) -> tuple[int, int, int]:
    """Return how far a window reaches from its centre along slices, rows and columns."""
    sides = _check.integers("window", window, 1)
    if len(sides) not in (1, ndim) or any(side % 2 == 0 for side in sides) or max(sides) == 1:
        raise ValueError(
            f"window is {window!r}; give an odd side in voxels, or {ndim} of them, at least one above 1"
        )
    reach = tuple(side // 2 for side in sides) * (ndim if len(sides) == 1 else 1)
    depth, height, width = (0,) * (3 - ndim) + reach
    return depth, height, width


def chosen(features: Sequence[str] | None, names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the features asked for; None is all of `names`."""
    if features is None:
        return tuple(names)
    asked = (features,) if isinstance(features, str) else tuple(features)
    if not asked:
        raise ValueError("features is empty; give names, or None for all")
    if len(set(asked)) < len(asked):
        raise ValueError(f"features is {features!r}; give each name once")
    for name in asked:
        _check.one_of("features", name, names)
    return asked


def around(
    grey: Grey, image: ArrayLike, mask: ArrayLike | None, reach: tuple[int, int, int]
) -> tuple[Grey, NDArray[np.bool_]]:
    """Cut the levels of an image to what windows around the voxels of a mask see; say which those voxels are."""
    _, inside, box = region(image, mask, None)
    wider = [
        slice(max(part.start - r, 0), min(part.stop + r, n))
        for part, r, n in zip(box, reach, grey.levels.shape, strict=True)
    ]
    cut = (wider[0], wider[1], wider[2])
    margins = [(p.start - w.start, w.stop - p.stop) for p, w in zip(box, cut, strict=True)]
    return Grey(np.ascontiguousarray(grey.levels[cut]), grey.n, cut), np.pad(inside, margins)


def over_rows(
    fill: Callable[[tuple[int, int]], Any],
    inside: NDArray[np.bool_],
    threads: int | None,
    progress: Callable[[float], None] | None,
) -> None:
    """Call `fill` with the first row and one past the last, counted through all slices, until all are done."""
    workers = _available() if threads is None else _check.integer("threads", threads, 1)
    voxels = np.cumsum(np.count_nonzero(inside, axis=2).ravel())
    parts = workers * _CHUNKS if workers > 1 or progress else 1
    edges = np.searchsorted(voxels, np.linspace(0, voxels[-1], parts + 1)[1:-1])
    edges = np.unique(np.concatenate([[0], edges, [voxels.size]]))
    chunks = list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
    if workers == 1:
        for done, _ in enumerate(map(fill, chunks), 1):
            _report(progress, done / len(chunks))
        return
    with ThreadPoolExecutor(workers) as pool:
        try:
            for done, _ in enumerate(pool.map(fill, chunks), 1):
                _report(progress, done / len(chunks))
        except BaseException:
            pool.shutdown(cancel_futures=True)  # an interruption need not wait for rows that nobody will see
            raise


def _report(progress: Callable[[float], None] | None, share: float) -> None:
    if progress is not None:
        progress(share)


def _available() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
