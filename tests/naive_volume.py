"""Slow, obvious versions of what is measured in volumes: the oracle of the tests.

Plain loops over plain arrays, one formula a line, nothing shared with the package.
"""

import itertools
import math

import numpy as np


def vertices(mask, spacing):
    """Points half-way between a voxel inside and a face neighbour outside, in mm."""
    padded = np.pad(np.asarray(mask, bool), 1)
    for voxel in np.argwhere(padded):
        for axis, side in itertools.product(range(3), (-1, 1)):
            move = np.eye(3, dtype=int)[axis] * side
            if not padded[tuple(voxel + move)]:
                yield (voxel + move / 2) * spacing


def diameters(mask, spacing):
    """The largest distance between two vertices: any, of one slice, row and column coordinate."""
    found = np.zeros(4)
    for p, q in itertools.combinations(vertices(mask, spacing), 2):
        d = np.linalg.norm(p - q)
        found = np.maximum(found, [d, *(d * np.isclose(p, q))])
    return found


def autocorrelation(image, mask, spacing):
    """Moran's I and Geary's C, pair by pair."""
    places = np.argwhere(mask) * spacing
    x = image[np.asarray(mask, bool)].astype(float)
    n, d = len(x), x - x.mean()
    weights = moran = geary = 0.0
    for i, j in itertools.permutations(range(n), 2):
        w = 1 / np.linalg.norm(places[i] - places[j])
        weights += w
        moran += w * d[i] * d[j]
        geary += w * (x[i] - x[j]) ** 2
    return n * moran / weights / sum(d**2), (n - 1) * geary / 2 / weights / sum(d**2)


def centre_shift(image, mask, morphological_mask, spacing):
    voxels, solid = np.argwhere(mask), np.argwhere(morphological_mask)
    weights = image[np.asarray(mask, bool)]
    return np.linalg.norm((weights @ voxels / weights.sum() - solid.mean(axis=0)) * spacing)


def axis_lengths(mask, spacing):
    return 4 * np.sqrt(np.abs(np.linalg.eigvalsh(np.cov((np.argwhere(mask) * spacing).T))))[::-1]


def peaks(image, mask, spacing):
    """Mean of the sphere of 1 cm³ around the most intense voxel, and the highest mean of all."""
    places = np.argwhere(np.ones(image.shape, bool))
    means = {}
    for voxel in np.argwhere(mask):
        away = np.linalg.norm((places - voxel) * spacing, axis=1)
        means[tuple(voxel)] = image.ravel()[away <= 10 * math.cbrt(3 / 4 / math.pi)].mean()
    top = max(image[voxel] for voxel in means)
    return max(mean for voxel, mean in means.items() if image[voxel] == top), max(means.values())


def ivh(levels, n_levels, intensity=lambda level: level):
    """The features of levels 1 … n_levels, each of which stands for an intensity."""
    present = range(1, n_levels + 1)
    volume = {i: np.mean(np.asarray(levels) >= i) for i in present}
    share = {i: (i - 1) / (n_levels - 1) for i in present}
    v10, v90 = (max(volume[i] for i in present if share[i] >= x) for x in (0.1, 0.9))
    i10, i90 = (intensity(min([i for i in present if volume[i] <= x], default=n_levels)) for x in (0.1, 0.9))
    pairs = itertools.pairwise(present)
    area = sum((share[j] - share[i]) * (volume[i] + volume[j]) / 2 for i, j in pairs)
    return v10, v90, i10, i90, v10 - v90, i10 - i90, area
