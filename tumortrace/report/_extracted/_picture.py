"""A slice as a small PNG: grey, with the outline of a region, and a map over it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_rgb
from numpy.typing import NDArray
from PIL import Image as Pillow

from tumortrace.report._style import COLOURS

OUTLINE = tuple(round(255 * part) for part in to_rgb(COLOURS[4]))
OPACITY = 0.75
_THICK = 2  # pixels of the picture
_BAR, _GAP = 10, 4
_COLOURS = "viridis"


def grey_range(values: NDArray[Any]) -> tuple[float, float]:
    """Return what is black and what is white: the file's of 8 bits, else the 1st and the 99th percentile."""
    if values.dtype == np.uint8:
        return 0.0, 255.0
    low, high = (float(v) for v in np.percentile(values, (1, 99)))
    return low, high if high > low else low + 1.0


def picture(
    pixels: NDArray[Any],
    inside: NDArray[np.bool_] | None,
    *,
    greys: tuple[float, float],
    spacing: tuple[float, float] = (1.0, 1.0),
    side: int = 320,
    over: NDArray[np.float64] | None = None,
    limits: tuple[float, float] = (0.0, 1.0),
) -> bytes:
    """Draw a slice.

    Parameters
    ----------
    pixels : ndarray, shape (rows, cols)
        The slice.
    inside : ndarray of bool, same shape, optional
        The region; it is outlined from without.
    greys : tuple of float
        The intensities of black and white.
    spacing : tuple of float
        Distance of rows and of columns, for the proportions.
    side : int
        Of the picture in pixels, where it is longer.
    over : ndarray of float64, same shape, optional
        A map; the slice is seen where it is NaN. Below lies a bar of its colours.
    limits : tuple of float
        The values of `over` at the ends of the bar.

    Returns
    -------
    bytes
        A PNG file.
    """
    lengths = pixels.shape[0] * spacing[0], pixels.shape[1] * spacing[1]
    height, width = (max(round(side * length / max(lengths)), 1) for length in lengths)
    low, high = greys
    grey = np.clip((pixels.astype(np.float64) - low) / (high - low), 0, 1)
    shown = np.repeat(np.round(255 * grey).astype(np.uint8)[..., np.newaxis], 3, axis=2)
    if over is not None:
        known = np.isfinite(over)
        mixed = OPACITY * _coloured(over[known], limits) + (1 - OPACITY) * shown[known]
        shown[known] = np.round(mixed).astype(np.uint8)
    drawn = _scaled(shown, width, height)
    if inside is not None and not inside.all():
        region = _scaled(np.uint8(255) * inside.astype(np.uint8), width, height)
        covered = region > 127 if (region > 127).any() else region > 0
        drawn[_grown(covered) & ~covered] = OUTLINE
    if over is not None:
        bar = _coloured(np.linspace(*limits, width), limits)
        strip = np.broadcast_to(np.round(bar).astype(np.uint8), (_BAR, width, 3))
        drawn = np.concatenate([drawn, np.full((_GAP, width, 3), 255, np.uint8), strip])
    file = BytesIO()
    Pillow.fromarray(drawn).save(file, "PNG", optimize=True)
    return file.getvalue()


def _coloured(values: NDArray[np.float64], limits: tuple[float, float]) -> NDArray[np.float64]:
    """Return the colour of each value, from 0 to 255."""
    low, high = limits
    share = (values - low) / (high - low) if high > low else np.zeros_like(values)
    return np.asarray(255 * colormaps[_COLOURS](np.clip(share, 0, 1))[..., :3])


def _scaled(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Bring an image to a size: pixels are repeated where it grows, and averaged where it shrinks."""
    return np.array(Pillow.fromarray(image).resize((width, height), Pillow.Resampling.BOX))


def _grown(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a region with a border around it."""
    for _ in range(_THICK):
        wide = np.pad(region, 1)
        region = wide[1:-1, 1:-1] | wide[:-2, 1:-1] | wide[2:, 1:-1] | wide[1:-1, :-2] | wide[1:-1, 2:]
    return region
