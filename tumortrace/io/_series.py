"""A dynamic series of which each phase is a file of its own."""

import os
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tumortrace.io._error import ImageError
from tumortrace.io._grid import differences
from tumortrace.io._image import Image
from tumortrace.io._lesion import read_lesion
from tumortrace.io._volume import read_volume
from tumortrace.io._voxels import MAX_VOXELS, check_shape


def read_phases(
    paths: Sequence[str | os.PathLike[str]],
    mask: str | os.PathLike[str] | None = None,
    *,
    label: int | str | None = None,
    resample: bool = False,
    max_voxels: int = MAX_VOXELS,
) -> Image:
    """Read the phases of a dynamic series, each from a file of its own, as one image.

    Parameters
    ----------
    paths : sequence of str or path
        A volume or picture for each phase, in the order of time, as `read_volume` takes them.
    mask, label, resample
        One region for all phases, as `read_lesion` takes it.
    max_voxels : int, default 1_073_741_824
        Refuse a larger series before the second phase is read.

    Returns
    -------
    Image
        Of shape (phases, slices, rows, cols), of pictures (phases, rows, cols), in the dtype that holds those of
        all phases, where the first phase lies. Its `times` are None: files of single volumes do not say.

    Raises
    ------
    ImageError
        As `read_volume` and `read_lesion`; if a phase lies on another grid than the first, the message says by how
        much. Phases are not registered: that is for another program to do first.

    Notes
    -----
    One phase at a time is in memory beside the result.

    Examples
    --------
    >>> import tempfile
    >>> from tumortrace.io import write_nifti
    >>> phase = Image(np.ones((2, 3, 4), dtype=np.int16), spacing=(3.0, 0.5, 0.5))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     paths = [f"{folder}/{k}.nii.gz" for k in range(3)]
    ...     for k, path in enumerate(paths):
    ...         write_nifti(path, k * phase.array, phase)
    ...     series = read_phases(paths)
    >>> series.array.shape, series.array[:, 0, 0, 0]
    ((3, 2, 3, 4), array([0, 1, 2], dtype=int16))
    """
    if not paths:
        raise ValueError("there are no phases to read; give a file for each")
    first = read_lesion(paths[0], mask, label=label, resample=resample)
    check_shape(paths[0], (len(paths), *first.array.shape), max_voxels)
    series = np.empty((len(paths), *first.array.shape), first.array.dtype)
    series[0] = first.array
    first = replace(first, array=series[0])  # the phase itself is not needed twice
    for k, path in enumerate(paths[1:], start=1):
        series = _with(series, k, first, read_volume(path))
    return replace(first, array=series)


def _with(series: NDArray[np.generic], k: int, first: Image, phase: Image) -> NDArray[np.generic]:
    """Return the series with phase `k` in it, as a wider dtype where that needs one."""
    apart = differences(first, phase)
    if apart:
        raise ImageError(
            f"{phase.source}: lies on another grid than the first phase, {first.source}: {'; '.join(apart)}; "
            "bring all phases onto one grid first"
        )
    dtype = np.result_type(series, phase.array)
    series = series.astype(dtype, copy=False)
    series[k] = phase.array
    return series
