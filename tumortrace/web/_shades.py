"""Maps of a volume for the page, computed while it is told how far they are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from tumortrace.web._slices import Part, Shade

if TYPE_CHECKING:
    from tumortrace.features import FeatureMaps

WINDOW = 5
"""Voxels along each side of the window around a voxel."""
LEVELS = (16, 32)
"""Grey levels to choose from."""

_IMAGE = "in the unit of the image"
_GLCM = {
    "contrast": ("GLCM contrast", "in squared grey levels"),
    "joint_entropy": ("GLCM joint entropy", "in bits"),
    "angular_second_moment": ("GLCM angular second moment", "from 0 to 1"),
    "inverse_difference_moment": ("GLCM inverse difference moment", "from 0 to 1"),
    "correlation": ("GLCM correlation", "from −1 to 1"),
    "cluster_tendency": ("GLCM cluster tendency", "in squared grey levels"),
}
_FIRST_ORDER = {
    "mean": ("Mean", _IMAGE),
    "variance": ("Variance", "in the squared unit of the image"),
    "skewness": ("Skewness", "without a unit"),
    "interquartile_range": ("Interquartile range", _IMAGE),
    "histogram_entropy": ("Histogram entropy", "in bits"),
}
_SHARE = 0.8  # of the time that the GLCM takes

T = TypeVar("T")


class _LeftError(Exception):
    """Nobody waits for the maps any more."""


def shades(part: Part, levels: int, report: Callable[[float], None]) -> tuple[Shade, ...]:
    """Compute the maps of a region: features of the window of `WINDOW` voxels a side around each of its voxels.

    Parameters
    ----------
    part : Part
        The box around the region.
    levels : int
        Grey levels, between the least and the greatest intensity of the region in the box.
    report : callable
        Told the share that is done.

    Returns
    -------
    tuple of Shade
        Those of the GLCM and of intensities that have a number anywhere.
    """
    from tumortrace.features import first_order_map, glcm_map

    glcm = glcm_map(
        part.array,
        part.mask,
        window=WINDOW,
        features=tuple(_GLCM),
        levels=levels,
        progress=lambda share: report(_SHARE * share),
    )
    intensities = first_order_map(
        part.array,
        part.mask,
        window=WINDOW,
        features=tuple(_FIRST_ORDER),
        levels=levels,
        progress=lambda share: report(_SHARE + (1 - _SHARE) * share),
    )
    found = [*_named("glcm", glcm, _GLCM), *_named("first_order", intensities, _FIRST_ORDER)]
    return tuple(shade for shade in found if np.isfinite(shade.values).any())


def _named(family: str, maps: FeatureMaps, words: dict[str, tuple[str, str]]) -> list[Shade]:
    return [Shade(f"{family}_{name}", *words[name], maps[name]) for name in maps]


def in_steps(compute: Callable[[Callable[[float], None]], T]) -> Generator[float, None, T]:
    """Compute in a thread of its own and yield the shares that it reports; what is closed early is given up.

    Parameters
    ----------
    compute : callable
        Is given the function to report to.

    Returns
    -------
    What `compute` returns.

    Examples
    --------
    >>> def compute(report):
    ...     report(0.5)
    ...     return "done"
    >>> steps = in_steps(compute)
    >>> next(steps)
    0.5
    """
    told: SimpleQueue[float | None] = SimpleQueue()
    left = threading.Event()

    def report(share: float) -> None:
        if left.is_set():
            raise _LeftError
        told.put(share)

    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(compute, report)
        found.add_done_callback(lambda _: told.put(None))
        try:
            while (share := told.get()) is not None:
                yield share
        finally:
            left.set()
    return found.result()
