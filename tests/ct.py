"""A small volume as of a CT, by rule and so the same everywhere: soft tissue in lung, with bone and air beside."""

import numpy as np

SPACING = (3.0, 0.9765625, 0.9765625)


def volume():
    """Return whole Hounsfield units and a mask, (slices, rows, cols); about 1,100 voxels are inside.

    Some of them are below -1000 or above 400, as re-segmentation needs, and some beyond three standard deviations.
    """
    k, j, i = np.indices((15, 42, 40))
    z, y, x = (step * (at - middle) for step, at, middle in zip(SPACING, (k, j, i), (7, 20, 21), strict=True))
    wave = np.sin(0.9 * x + 0.31 * z) + np.cos(0.7 * y - 0.4 * x) * np.sin(0.23 * z + 0.11 * y * y)
    grain = (k * 7919 + j * 104729 + i * 1299709 + (k * j * i) % 997 * 31) % 61 - 30
    radius = np.sqrt(x * x + y * y + z * z) * (1 + 0.09 * np.sin(3 * np.arctan2(y, x)) + 0.02 * z)
    tissue = np.where(radius < 8.3, 60 + 55 * wave, -760 + 90 * wave) + grain
    tissue[grain > 28] += 700
    tissue[grain < -28] -= 1100
    return np.rint(tissue).astype(np.int16), radius < 9.2
