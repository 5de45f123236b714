"""Maps the slow way: cut out each window and compute its features from scratch."""

import numpy as np


def window_maps(features, array, inside, wanted, reach):
    """Map each name that ``features(window, inside window)`` returns; where it returns None, there is no number."""
    maps = {}
    for voxel in np.argwhere(wanted):
        box = tuple(slice(max(c - r, 0), c + r + 1) for c, r in zip(voxel, reach, strict=True))
        for name, value in (features(array[box], inside[box]) or {}).items():
            maps.setdefault(name, np.full(array.shape, np.nan))[tuple(voxel)] = value
    return maps
