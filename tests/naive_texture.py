"""Slow, obvious versions of GLRLM, NGTDM and NGLDM, of arrays of grey levels (slices, rows, columns), 0 outside."""

import itertools
from fractions import Fraction

import numpy as np

PLANE = [(0, 0, 1), (0, 1, 1), (0, 1, 0), (0, 1, -1)]
SPACE = PLANE + [(1, y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]


def level(grey, at):
    inside = all(0 <= i < n for i, n in zip(at, grey.shape, strict=True))
    return int(grey[at]) if inside else 0


def slices(grey):
    return [grey[z : z + 1] for z in range(len(grey)) if grey[z].any()]


def runs(grey, step):
    """Level and length of every run along a step."""
    found = []
    for first in map(tuple, np.argwhere(grey)):
        if level(grey, tuple(np.subtract(first, step))) != level(grey, first):
            line = (tuple(np.add(first, np.multiply(k, step))) for k in itertools.count())
            found.append((level(grey, first), next(k for k, p in enumerate(line) if level(grey, p) != grey[first])))
    return found


def followed(grey, step):
    """Whether one pixel follows another along a step."""
    return any(level(grey, tuple(np.add(at, step))) for at in map(tuple, np.argwhere(grey)))


def run_lists(grey, aggregation):
    """What is counted apart, each as a list of runs."""
    in_space = aggregation.startswith("3d") and len(slices(grey)) > 1
    steps, volumes = (SPACE if in_space else PLANE), slices(grey)
    if not aggregation.startswith("2d"):
        steps, volumes = [step for step in steps if followed(grey, step)] or steps, [grey]
    each = [[runs(volume, step) for step in steps] for volume in volumes]
    if aggregation in ("2d_average", "2.5d_direction_merge", "3d_average"):
        return list(itertools.chain(*each))
    return [list(itertools.chain(*of_volume)) for of_volume in each]


def neighbours(grey, at, distance, in_plane):
    """The levels inside the region up to a Chebyshev distance from a pixel, without its own."""
    reach = range(-distance, distance + 1)
    steps = itertools.product((0,) if in_plane else reach, reach, reach)
    around = [level(grey, tuple(np.add(at, step))) for step in steps if any(step)]
    return [value for value in around if value]


def parts(grey, aggregation):
    return slices(grey) if aggregation == "2d" else [grey]


def dependences(grey, distance, coarseness, in_plane):
    """Level and dependence of every pixel."""
    return [
        (
            level(grey, at),
            1 + sum(abs(n - level(grey, at)) <= coarseness for n in neighbours(grey, at, distance, in_plane)),
        )
        for at in map(tuple, np.argwhere(grey))
    ]


def differences(grey, distance, in_plane):
    """Level of every pixel that has a neighbour, and its exact difference from the mean of them."""
    around = {at: neighbours(grey, at, distance, in_plane) for at in map(tuple, np.argwhere(grey))}
    return [(level(grey, at), abs(level(grey, at) - Fraction(sum(n), len(n)))) for at, n in around.items() if n]


def counts(pairs, shape):
    """The matrix of pairs of a level and a size."""
    matrix = np.zeros(shape, int)
    for i, j in pairs:
        matrix[i - 1, j - 1] += 1
    return matrix


def emphases(pairs, n_voxels):
    """The sixteen features of pairs of a level and a size, in the order of the IBSI manual, and energy."""
    i, j = np.array(pairs, float).T
    of_levels, of_sizes = (np.unique(each, return_counts=True)[1] for each in (i, j))
    p = np.unique(np.array([i, j]), axis=1, return_counts=True)[1] / len(i)
    terms = [j**-2, j**2, i**-2, i**2, j**-2 / i**2, j**-2 * i**2, j**2 / i**2, j**2 * i**2]
    uneven = [(c**2).sum() / len(i) ** k for c in (of_levels, of_sizes) for k in (1, 2)]
    spread = [len(i) / n_voxels, i.var(), j.var(), -(p * np.log2(p)).sum(), (p**2).sum()]
    return [*[t.mean() for t in terms], *uneven, *spread]


def glrlm(grey, aggregation):
    lists = run_lists(grey, aggregation)
    return np.mean([emphases(pairs, sum(length for _, length in pairs)) for pairs in lists], axis=0)[:16]


def ngldm(grey, distance, coarseness, aggregation):
    lists = [dependences(part, distance, coarseness, aggregation != "3d") for part in parts(grey, aggregation)]
    return np.mean([emphases(pairs, len(pairs)) for pairs in lists], axis=0)


def tone_features(pairs):
    """The five features of levels and differences; None where the definition divides by 0."""
    levels = sorted({i for i, _ in pairs})
    total = len(pairs)
    p = {k: Fraction(sum(i == k for i, _ in pairs), total) for k in levels}
    s = {k: sum(d for i, d in pairs if i == k) for k in levels}
    both = list(itertools.product(levels, levels))
    rough = sum(p[i] * s[i] for i in levels)
    change = sum(abs(i * p[i] - j * p[j]) for i, j in both)
    alone = len(levels) == 1
    return [
        1 / rough if rough else 10**6,
        0
        if alone
        else sum(p[i] * p[j] * (i - j) ** 2 for i, j in both)
        / (len(levels) * (len(levels) - 1))
        * (sum(s.values()) / Fraction(total)),
        0 if alone else rough / change if change else None,
        sum(abs(i - j) * (p[i] * s[i] + p[j] * s[j]) / (p[i] + p[j]) for i, j in both) / total,
        sum((p[i] + p[j]) * (i - j) ** 2 for i, j in both) / sum(s.values()) if any(s.values()) else 0,
    ]


def ngtdm(grey, distance, aggregation):
    lists = [differences(part, distance, aggregation != "3d") for part in parts(grey, aggregation)]
    each = [tone_features(pairs) for pairs in lists if pairs]
    return np.mean(np.array(each, float), axis=0) if each else np.full(5, np.nan)
