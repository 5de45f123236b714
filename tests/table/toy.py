"""Small data sets to extract from, and an extractor whose time and width a test chooses."""

import functools
import multiprocessing
import os
import signal
import time

import numpy as np
from PIL import Image

from tumortrace.features import FeatureVector


def toy(image, mask=None, *, spacing=None, wait=0.0, width=2, fatal_rows=None):
    """Compute the mean of an image and a third of its rows.

    Parameters
    ----------
    image, mask
        As everywhere.
    spacing
        No effect.
    wait : {0.0, "long"}, default 0.0
        Seconds to sleep; for tests of
        interruption. Not for users.
    width : int
        How many columns.
    fatal_rows : int
        Kill the process at an image of so many rows.
    """
    if not isinstance(width, int) or width < 1:
        raise ValueError(f"width is {width!r}; give a whole number of at least 1")
    if len(image) == fatal_rows and multiprocessing.parent_process():
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(2 if os.environ.get("TOY_STOPS_AT_ROWS") == str(len(image)) else wait)
    pixels = np.asarray(image, dtype=float)
    values = np.resize([pixels[mask].mean() if mask is not None else pixels.mean(), len(pixels) / 3], width)
    reason = "too few rows" if len(pixels) < 3 else ""
    return FeatureVector(_names(width), np.where(reason, np.nan, values), reason)


@functools.lru_cache
def _names(width):
    return tuple(f"value_{i}" for i in range(width))


def write_images(folder, count, seed=0):
    """Write `count` PNG files of differing sizes in the BreaDM layout."""
    rng = np.random.default_rng(seed)
    for i in range(count):
        place = folder / ("train" if i % 3 else "val") / ("Benign" if i % 2 else "Malignant")
        place = place / f"P-{i % 2}{i % 3}{i // 30}" / ("VIBRANT+C1" if i % 5 else "SUB1")
        place.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (5 + i % 4, 6 + i % 3), dtype=np.uint8)
        Image.fromarray(pixels).save(place / f"p-{i:03d}.png")
    return folder
