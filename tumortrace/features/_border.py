"""How deep a pixel lies in a region: city-block distance to its border."""

import numpy as np
from numpy.typing import NDArray

from tumortrace._numba import kernel


@kernel
def border_distance(inside: NDArray[np.bool_], in_plane: bool) -> NDArray[np.uint16]:
    """Return how many steps to a face neighbour lead out of a region or of the image; 0 outside, 1 on the border.

    One axis after the other, as a shortest way may take its steps in any order: along rows, run by run; then every
    row, and unless `in_plane` every slice, is compared with the one before it, and on the way back with the one
    after.
    """
    slices, rows, cols = inside.shape
    distance = np.zeros(inside.shape, np.uint16)
    for z in range(slices):
        plane = distance[z]
        for y in range(rows):
            _along_row(inside[z, y], plane[y])
        _along_first_axis(plane)
    if not in_plane:
        _along_first_axis(distance.reshape(slices, rows * cols))
    return distance


@kernel
def _along_row(inside: NDArray[np.bool_], distance: NDArray[np.uint16]) -> None:
    start = 0
    while start < inside.size:
        if not inside[start]:
            start += 1
            continue
        stop = start
        while stop < inside.size and inside[stop]:
            stop += 1
        for x in range(start, stop):
            distance[x] = min(x - start + 1, stop - x)
        start = stop


@kernel
def _along_first_axis(distance: NDArray[np.uint16]) -> None:
    n = distance.shape[0]
    _limit(distance[0], np.zeros_like(distance[0]))
    _limit(distance[-1], np.zeros_like(distance[0]))
    for k in range(1, n):
        _limit(distance[k], distance[k - 1])
    for k in range(n - 2, -1, -1):
        _limit(distance[k], distance[k + 1])


@kernel
def _limit(distance: NDArray[np.uint16], beside: NDArray[np.uint16]) -> None:
    for k in range(distance.size):
        limit = np.uint16(beside[k] + np.uint16(1))
        distance[k] = limit if limit < distance[k] else distance[k]
