"""A volume with the region of interest that a mask file holds."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tumortrace.io._error import ImageError
from tumortrace.io._grid import resample_labels, same_grid
from tumortrace.io._image import Image
from tumortrace.io._listing import ENDINGS, VOLUMES
from tumortrace.io._volume import read_labels, read_volume

_PICTURES = tuple(ending for ending in ENDINGS if ending not in VOLUMES)


def is_volume(path: str | os.PathLike[str]) -> bool:
    """Say whether a path is read by `read_volume`: it is no picture by its ending.

    Examples
    --------
    >>> is_volume("a.nii.gz"), is_volume("dicom#3"), is_volume("p-040.jpg")
    (True, True, False)
    """
    return not Path(path).name.lower().endswith(_PICTURES)


def read_lesion(
    image: str | os.PathLike[str],
    mask: str | os.PathLike[str] | None = None,
    *,
    label: int | str | None = None,
    resample: bool = False,
    phases: bool = False,
) -> Image:
    """Read a volume and one region of its mask.

    Parameters
    ----------
    image : str or path
        As `read_volume` takes it.
    mask : str or path, optional
        As `read_labels` takes it.
    label : int or str, optional
        The region, by number or name, where the mask has several.
    resample : bool, default False
        Bring a mask that lies on another grid onto that of the image, by nearest neighbour.
    phases : bool, default False
        Read a series of volumes.

    Returns
    -------
    Image
        With `mask`, of the shape of one phase.

    Raises
    ------
    ImageError
        As `read_volume`, `read_labels`, `same_grid` and `resample_labels`; of the mask, the message begins with
        "mask:".
    """
    found = read_volume(image, phases=phases)
    if mask is None:
        return found
    try:
        return replace(found, mask=_inside(found, mask, label, resample))
    except ImageError as error:
        raise ImageError(f"mask: {str(error).removeprefix(f'{mask}: ')}") from error


def _inside(
    image: Image, mask: str | os.PathLike[str], label: int | str | None, resample: bool
) -> NDArray[np.bool_]:
    labels = read_labels(mask, image=image)
    if resample:
        try:
            same_grid(image, labels)
        except ImageError:
            labels, _ = resample_labels(labels, image)
    else:
        same_grid(image, labels)
    return labels.mask(label, in_place=True)
