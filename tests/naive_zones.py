"""Slow, obvious versions of GLSZM and GLDZM."""

import itertools

import numpy as np


def around(pixel, shape, corners):
    """The pixels that touch one, by faces only or by corners too, inside an array."""
    for step in itertools.product((-1, 0, 1), repeat=len(shape)):
        if any(step) and (corners or sum(map(abs, step)) == 1):
            other = tuple(np.add(pixel, step))
            if all(0 <= i < n for i, n in zip(other, shape, strict=True)):
                yield other


def zones(grey):
    """Sets of pixels of one level that hang together; 0 is outside."""
    left = {tuple(p) for p in np.argwhere(grey)}
    found = []
    while left:
        zone, edge = set(), {min(left)}
        while edge:
            pixel = edge.pop()
            zone.add(pixel)
            edge |= {p for p in around(pixel, grey.shape, corners=True) if grey[p] == grey[pixel]} - zone
        found.append(zone)
        left -= zone
    return found


def depths(inside):
    """The steps out of a region or of the image, layer by layer; 0 outside."""
    depth = np.zeros(inside.shape, int)
    layer = 0
    while (depth[inside] == 0).any():
        layer += 1
        deeper = {tuple(p) for p in np.argwhere(inside & (depth == 0))}
        for p in deeper:
            beside = list(around(p, inside.shape, corners=False))
            if len(beside) < 2 * inside.ndim or any(not inside[b] or 0 < depth[b] < layer for b in beside):
                depth[p] = layer
    return depth


def size(zone, inside):
    return len(zone)


def distance(zone, inside):
    return min(depths(inside)[p] for p in zone)


def parts(grey, inside, aggregation):
    """What is counted apart, each as a list of arrays in which zones are found, and of the regions of these."""
    slices = [(g, i) for g, i in zip(grey, inside, strict=True) if g.any()]
    return {"2d": [[s] for s in slices], "2.5d": [slices], "3d": [[(grey, inside)]]}[aggregation]


def pairs(part, measure):
    """Level and measure of each zone of a part."""
    return [(grey[min(zone)], measure(zone, inside)) for grey, inside in part for zone in zones(grey)]


def features(part, measure):
    """The sixteen numbers in the order of the IBSI manual."""
    level, value = np.array(pairs(part, measure), float).T
    voxels = sum((grey > 0).sum() for grey, _ in part)
    counts = [np.unique(each, return_counts=True)[1] for each in (level, value)]
    joint = np.unique(np.array([level, value]), axis=1, return_counts=True)[1] / len(level)
    terms = [
        *[value**-2, value**2, level**-2, level**2],
        *[value**-2 / level**2, value**-2 * level**2, value**2 / level**2, value**2 * level**2],
    ]
    uneven = [(c**2).sum() / len(level) ** k for c in counts for k in (1, 2)]
    spread = [len(level) / voxels, level.var(), value.var(), -(joint * np.log2(joint)).sum()]
    return [*[t.mean() for t in terms], *uneven, *spread]


def texture(grey, inside, aggregation, measure):
    return np.mean([features(part, measure) for part in parts(grey, inside, aggregation)], axis=0)
