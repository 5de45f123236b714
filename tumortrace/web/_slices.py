"""The part of a volume around a region: what the page shows slice by slice, and one slice of it as a crop."""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tumortrace.features._region import bounding_box
from tumortrace.web._reader import MIN_SIDE, Lesion, Picture, png
from tumortrace.web._volumes import Volume

MAX_SHOWN = 2**20
"""The most voxels that are shown and mapped."""
MARGIN = 10.0
"""Millimetres around the region that are shown."""
DARK, BRIGHT = 1, 99
"""Percentiles of what is shown that are black and white."""

_CROP_MARGIN = 2  # pixels around the region of a crop
_PLANES = ("sagittal", "coronal", "axial")  # across x, y, z
_LETTERS = ("RL", "AP", "FH")  # the two ends of x, y, z
_TURNED = (1, 1, -1)  # left to the right, back and feet down


@dataclass(frozen=True, eq=False)
class Part:
    """The box around a region, as it is looked at.

    Parameters
    ----------
    array, mask : ndarray, shape (slices, rows, cols)
        Intensities, and the region in them; rows and columns turned as radiologists look at them where the file
        tells: the patient's left on the right, the back or the feet below.
    spacing : tuple of float
        Millimetres between slices, rows and columns.
    first, slices : int
        The first slice, counted from 0, and how many the volume has.
    plane : str
        ``"axial"``, ``"coronal"`` or ``"sagittal"``; empty where it is not known.
    letters : str
        What is to the left, above, to the right and below, such as ``"RALP"``; empty where it is not known.
    whole : bool
        Whether all of the region lies in the box.
    """

    array: NDArray[Any]
    mask: NDArray[np.bool_]
    spacing: tuple[float, float, float]
    first: int
    slices: int
    plane: str
    letters: str
    whole: bool

    @property
    def largest(self) -> int:
        """The slice of the box in which the region has its largest area."""
        return int(self.mask.sum(axis=(1, 2)).argmax())

    @property
    def ends(self) -> tuple[float, float]:
        """The intensities that are black and white."""
        dark, bright = np.percentile(self.array, (DARK, BRIGHT))
        return float(dark), float(bright)


class Shade(NamedTuple):
    """A map of the box: its name, what to call it, its unit, and a number for each voxel or NaN."""

    name: str
    words: str
    unit: str
    values: NDArray[np.float64]


def part_of(volume: Volume) -> Part:
    """Cut the box around the region out of a volume, with a margin, and of no more than `MAX_SHOWN` voxels."""
    image = volume.image
    assert image.mask is not None
    spacing = image.spacing or (1.0, 1.0, 1.0)
    around = []
    for side, step, length in zip(bounding_box(image.mask), spacing, image.array.shape, strict=True):
        margin = max(2, math.ceil(MARGIN / step))
        around.append(slice(max(side.start - margin, 0), min(side.stop + margin, length)))
    box = _fitted(around, image.mask)
    mask = image.mask[box]
    plane, letters, turned = _orientation(image.direction)
    return Part(
        array=np.ascontiguousarray(image.array[box][turned]),
        mask=np.ascontiguousarray(mask[turned]),
        spacing=(float(spacing[0]), float(spacing[1]), float(spacing[2])),
        first=box[0].start,
        slices=len(image.array),
        plane=plane,
        letters=letters,
        whole=bool(mask.sum() == image.mask.sum()),
    )


def view(part: Part, shades: Sequence[Shade] = ()) -> dict[str, Any]:
    """Return what ``volume.js`` draws: intensities in steps, the region, and maps in 255 colours."""
    from matplotlib import colormaps

    low, step, levels = _stepped(part.array)
    dark, bright = part.ends
    slices, rows, cols = part.array.shape
    colours = np.rint(255 * colormaps["viridis"](np.arange(256))[:, :3]).astype(np.uint8)
    return {
        "shape": [slices, rows, cols],
        "spacing": list(part.spacing),
        "first": part.first,
        "slices": part.slices,
        "start": part.largest,
        "plane": part.plane,
        "letters": part.letters,
        "low": low,
        "step": step,
        "window": _rounded(max(bright - dark, step)),
        "level": _rounded((dark + bright) / 2),
        "pixels": _packed(levels),
        "mask": _packed(part.mask.astype(np.uint8)),
        "colours": _packed(colours),
        "maps": [_shaded(shade) for shade in shades],
    }


def largest_slice(volume: Volume) -> Lesion:
    """Return the slice in which the region has its largest area as a crop of 8 bits, cut close around it."""
    part = part_of(volume)
    shown, inside = part.array[part.largest], part.mask[part.largest]
    sides = []
    for axis, length in enumerate(inside.shape):
        found = np.flatnonzero(inside.any(axis=1 - axis))
        start, stop = max(found[0] - _CROP_MARGIN, 0), min(found[-1] + 1 + _CROP_MARGIN, length)
        start = max(min(start, length - MIN_SIDE), 0)
        sides.append(slice(start, max(stop, start + MIN_SIDE)))
    dark, bright = part.ends
    grey = (shown[sides[0], sides[1]].astype(np.float64) - dark) * (255 / (bright - dark) if bright > dark else 0)
    pixels = np.rint(np.clip(grey, 0, 255)).astype(np.uint8)
    pixels.flags.writeable = False
    name = f"{volume.name}, slice {part.first + part.largest + 1} of {part.slices}"
    return Lesion((Picture(name, pixels, False, png(pixels), ".png"),))


def _fitted(box: Sequence[slice], mask: NDArray[np.bool_]) -> tuple[slice, slice, slice]:
    """Shorten the longest sides of a box, about the middle of the region's largest slice, until it is small."""
    sizes = [side.stop - side.start for side in box]
    if math.prod(sizes) > MAX_SHOWN:
        z = int(mask.sum(axis=(1, 2)).argmax())
        centre = (z, *(int(np.median(found)) for found in np.nonzero(mask[z])))
        while math.prod(sizes) > MAX_SHOWN:
            longest = sizes.index(max(sizes))
            sizes[longest] = sizes[longest] * 7 // 8
        starts = [
            min(max(middle - n // 2, side.start), side.stop - n)
            for middle, n, side in zip(centre, sizes, box, strict=True)
        ]
        box = [slice(start, start + n) for start, n in zip(starts, sizes, strict=True)]
    slices, rows, cols = box
    return slices, rows, cols


def _orientation(direction: NDArray[np.float64] | None) -> tuple[str, str, tuple[slice, slice, slice]]:
    """Return the plane of slices, what lies at their four edges, and how to turn them to be looked at."""
    if direction is None:
        return "", "", (slice(None), slice(None), slice(None))
    along = np.abs(direction).argmax(axis=0)  # x, y or z of each axis
    ends, turned = [], [slice(None)]
    for axis in (1, 2):
        space = int(along[axis])
        ends.append(_LETTERS[space][:: _TURNED[space]])
        turned.append(slice(None, None, 1 if direction[space, axis] * _TURNED[space] > 0 else -1))
    rows, cols = ends
    return _PLANES[along[0]], cols[0] + rows[0] + cols[1] + rows[1], (turned[0], turned[1], turned[2])


def _stepped(array: NDArray[Any]) -> tuple[float, float, NDArray[np.uint16]]:
    """Return intensities as whole steps above the lowest: exact where they are whole numbers and near enough."""
    low, high = float(array.min()), float(array.max())
    exact = array.dtype.kind in "iu" and high - low < 2**16
    step = 1.0 if exact or high == low else (high - low) / (2**16 - 1)
    return low, step, np.rint((array.astype(np.float64) - low) / step).astype("<u2")


def _shaded(shade: Shade) -> dict[str, Any]:
    """Return a map in steps: 0 where it has no number, 1 to 255 from the least to the greatest."""
    there = np.isfinite(shade.values)
    low, high = float(shade.values[there].min()), float(shade.values[there].max())
    scaled = (np.where(there, shade.values, low) - low) * (254 / (high - low) if high > low else 0)
    steps = np.where(there, 1 + np.rint(scaled), 0).astype(np.uint8)
    return {
        "name": shade.name,
        "words": shade.words,
        "unit": shade.unit,
        "low": low,
        "high": high,
        "data": _packed(steps),
    }


def _packed(array: NDArray[Any]) -> str:
    return base64.b64encode(zlib.compress(array.tobytes(), 6)).decode()


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
