"""Zones: connected pixels of one grey level, what GLSZM and GLDZM count.

A zone is found by looking back from each pixel to the neighbours before it in the array, 13 in space and 4 in the
plane. Most of them are neighbours of each other too, and so are in one zone already if their levels are equal: a
neighbour is looked at only where none that it touches has the level, in an order that puts first what touches most.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace._numba import kernel
from tumortrace.features._region import Box, grey, once

AGGREGATIONS = ("2d", "2.5d", "3d")


class Zones(NamedTuple):
    """The zones of a region, first as labels that the kernel gave out and then joined.

    `labels` holds the label of each pixel of the box, −1 outside the region. A label k belongs to the same zone as
    label ``parents[k] <= k``; where both are equal, it stands for its zone. `levels` and `sizes` are the grey level
    and the number of pixels of the zone that a label stands for; `starts` the first label of each slice, and one
    past the last label. `n_levels` is the number of levels of the discretisation.
    """

    labels: NDArray[np.int32]
    parents: NDArray[np.int32]
    levels: NDArray[np.uint16]
    sizes: NDArray[np.int32]
    starts: NDArray[np.int64]
    n_levels: int
    box: Box

    def standing(self) -> NDArray[np.int64]:
        """Return the labels that stand for a zone."""
        return np.flatnonzero(self.parents == np.arange(self.parents.size))

    def matrix(self, values: NDArray[np.int32], columns: NDArray[np.int64], by_slice: bool) -> NDArray[np.int64]:
        """Count the zones by grey level and value, one of `columns`: one matrix, or one for each slice."""
        zones = self.standing()
        matrices = np.searchsorted(self.starts, zones, side="right") - 1 if by_slice else np.zeros_like(zones)
        cells = (matrices, self.levels[zones] - 1, np.searchsorted(columns, values[zones]))
        shape = (self.starts.size - 1 if by_slice else 1, self.n_levels, columns.size)
        return np.bincount(np.ravel_multi_index(cells, shape), minlength=math.prod(shape)).reshape(shape)

    def parts(self, by_slice: bool) -> list[slice]:
        """Return the labels of each slice that holds one, or all labels."""
        starts = self.starts if by_slice else self.starts[[0, -1]]
        return [slice(a, b) for a, b in pairwise(starts) if a < b]


def zones(
    image: ArrayLike,
    mask: ArrayLike | None,
    spacing: Sequence[float] | None,
    levels: int,
    bin_width: float | None,
    first_edge: str | float,
    in_plane: bool,
) -> Zones:
    """Check what an extractor was given, discretise, and find the zones, within slices or in space."""
    grey(image, mask, spacing, levels, bin_width, first_edge)
    return _zones(image, mask, levels, bin_width, first_edge, in_plane)


@once
def _zones(
    image: Any, mask: Any, levels: int, bin_width: float | None, first_edge: str | float, in_plane: bool
) -> Zones:
    region = grey(image, mask, None, levels, bin_width, first_edge)
    labels = np.empty(region.levels.shape, np.int32)
    found = _label(np.pad(region.levels, ((1, 0), (1, 1), (1, 1))), in_plane, labels)
    return Zones(labels, *found, region.n, region.box)


# the neighbours before a pixel, as steps (slice, row, column), those first that touch most of the others
_BEFORE = np.array(
    [
        *[(-1, 0, 0), (0, -1, 0), (-1, -1, 0), (-1, 1, 0), (0, 0, -1), (-1, 0, -1), (-1, 0, 1)],
        *[(0, -1, -1), (0, -1, 1), (-1, -1, -1), (-1, -1, 1), (-1, 1, -1), (-1, 1, 1)],
    ]
)
_LOWEST_BIT = np.array([0] + [(n & -n).bit_length() - 1 for n in range(1, 1 << 13)], np.uint8)


@kernel
def _label(
    padded: NDArray[np.uint16], in_plane: bool, labels: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.uint16], NDArray[np.int32], NDArray[np.int64]]:
    """Fill `labels`; return the parents, levels, sizes and starts of `Zones`. `padded` is 0 before and beside."""
    slices, rows, cols = labels.shape
    steps = (_BEFORE[:, 0] * rows + _BEFORE[:, 1]) * cols + _BEFORE[:, 2]
    flat = labels.reshape(labels.size)
    parents = np.empty(labels.size, np.int32)
    levels = np.empty(labels.size, np.uint16)
    sizes = np.empty(labels.size, np.int32)
    starts = np.zeros(slices + 1, np.int64)
    equal = np.empty(cols, np.uint16)
    nothing = np.zeros(cols + 2, np.uint16)
    n = 0
    for z in range(slices):
        for y in range(rows):
            here, before = padded[z + 1, y + 1], padded[z + 1, y]
            if in_plane:
                _equal_before(here, before, nothing, nothing, nothing, equal)
            else:
                _equal_before(here, before, padded[z, y], padded[z, y + 1], padded[z, y + 2], equal)
            at = (z * rows + y) * cols
            for x in range(cols):
                level, bits = here[x + 1], equal[x]
                if level == 0:
                    flat[at + x] = -1
                    continue
                if bits == 0:
                    flat[at + x] = parents[n] = n
                    levels[n], sizes[n] = level, 1
                    n += 1
                    continue
                root = _root(parents, flat[at + x + steps[_LOWEST_BIT[bits]]])
                bits &= bits - np.uint16(1)
                while bits:
                    other = _root(parents, flat[at + x + steps[_LOWEST_BIT[bits]]])
                    root, other = min(root, other), max(root, other)
                    parents[other] = root
                    bits &= bits - np.uint16(1)
                flat[at + x] = root
                sizes[root] += 1
        starts[z + 1] = n
    for k in range(n - 1, -1, -1):
        if parents[k] < k:
            sizes[parents[k]] += sizes[k]
    return parents[:n], levels[:n], sizes[:n], starts


@kernel
def _equal_before(
    here: NDArray[np.uint16],
    before: NDArray[np.uint16],
    under_before: NDArray[np.uint16],
    under: NDArray[np.uint16],
    under_after: NDArray[np.uint16],
    equal: NDArray[np.uint16],
) -> None:
    """Write for each pixel of a row the neighbours to join it with, as bits in the order of `_BEFORE`.

    Each row begins one pixel early and ends one late. A neighbour is left out where one that it touches has the
    level.
    """
    one = np.uint16(1)
    for x in range(equal.size):
        level = here[x + 1]
        c, c0, c1 = np.uint16(under[x + 1] == level), np.uint16(under[x] == level), np.uint16(under[x + 2] == level)
        a, a0, a1 = (
            np.uint16(before[x + 1] == level),
            np.uint16(before[x] == level),
            np.uint16(before[x + 2] == level),
        )
        b = np.uint16(under_before[x + 1] == level)
        b0, b1 = np.uint16(under_before[x] == level), np.uint16(under_before[x + 2] == level)
        d = np.uint16(under_after[x + 1] == level)
        d0, d1 = np.uint16(under_after[x] == level), np.uint16(under_after[x + 2] == level)
        w = np.uint16(here[x] == level)
        ca = c | a
        cab = ca | b
        cabd = cab | d
        left, right = w | c0, c1
        bits = c | (a & (c ^ one)) << 1 | (b & (ca ^ one)) << 2 | (d & (c ^ one)) << 3
        bits |= (w & (cabd ^ one)) << 4 | (c0 & ((cabd | w) ^ one)) << 5 | (c1 & (cabd ^ one)) << 6
        bits |= (a0 & ((cab | left) ^ one)) << 7 | (a1 & ((cab | right) ^ one)) << 8
        bits |= (b0 & ((cab | left | a0) ^ one)) << 9 | (b1 & ((cab | right | a1) ^ one)) << 10
        bits |= (d0 & ((c | d | left) ^ one)) << 11 | (d1 & ((c | d | right) ^ one)) << 12
        equal[x] = bits


@kernel
def _root(parents: NDArray[np.int32], label: np.int32) -> np.int32:
    """Return the label that stands for the zone so far, shortening the way to it."""
    while parents[label] != label:
        parents[label] = parents[parents[label]]
        label = parents[label]
    return label
