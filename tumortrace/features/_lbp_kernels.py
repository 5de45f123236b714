"""The kernels of LBP: a circle of points goes over the slices of a volume row by row."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tumortrace._numba import kernel

METHODS = ("default", "ror", "uniform", "nri_uniform", "var")
ONE = 1 << 32  # a code carries the number of its ones above its 32 bits

_DEFAULT, _ROR, _UNIFORM, _NRI_UNIFORM, _VAR = range(len(METHODS))
_WIDTH = 1024  # columns coded at a time: what the rows of a circle hold of them stays in the second cache


class Circle(NamedTuple):
    """The points of a circle, apart by whether they lie on pixels; each part padded to an even number of points.

    What a point adds to a code is `ONE` and its bit, or 0 where it pads.
    """

    points: int
    reach: int  # rows and columns around a pixel that the circle touches
    pixel_rows: NDArray[np.int64]  # offsets of the points on pixels
    pixel_cols: NDArray[np.int64]
    pixel_ones: NDArray[np.int64]
    rows: NDArray[np.float64]  # offsets of the points between pixels
    cols: NDArray[np.float64]  # each once
    col_of: NDArray[np.int64]
    ones: NDArray[np.int64]


@kernel
def code_slices(
    volume: NDArray[Any], region: NDArray[np.bool_], circle: Circle, method: int, codes: NDArray[Any]
) -> None:
    """Code row by row. A row that enters the circle is interpolated along itself once, for all points.

    `pixels` and `along` hold the rows around the present one, row r at the place (r + reach) modulo their number.
    """
    points, reach = circle.points, circle.reach
    pixel_rows, pixel_cols, pixel_ones = circle.pixel_rows, circle.pixel_cols + reach, circle.pixel_ones
    rows, cols, col_of, ones = circle.rows, circle.cols, circle.col_of, circle.ones
    depth = 2 * reach + 1
    width = min(codes.shape[2], _WIDTH)
    line = (width + 7) // 8 * 8 + 8  # whole cache lines; not a power of two, whose rows would share their sets
    pixels = np.empty((depth, width + depth), dtype=volume.dtype)
    along = _aligned(cols.size * depth * line).reshape((cols.size, depth, line))
    fraction = _aligned(cols.size * line).reshape((cols.size, line))
    scratch = _aligned(2 * line).reshape((2, line))
    place = np.empty(pixel_rows.size, dtype=np.int64)
    above, below = np.empty(rows.size, dtype=np.int64), np.empty(rows.size, dtype=np.int64)
    weight = np.empty(rows.size)
    for z in range(codes.shape[0]):
        top, bottom, left, right = _box(region, z) if region.size else (0, codes.shape[1], 0, codes.shape[2])
        for start in range(left, right, width):
            n = min(width, right - start)
            bits, least = scratch[0, :n].view(np.int64), scratch[1, :n].view(np.int64)
            _fractions(start, cols, n, fraction)
            for entering in range(top - reach, bottom + reach):
                _load(volume, z, entering, start - reach, pixels[(entering + reach) % depth, : n + depth])
                _interpolate(pixels, (entering + reach) % depth, reach, cols, fraction, n, along)
                r = entering - reach
                if r < top:
                    continue
                here, out = (r + reach) % depth, codes[z, r, start : start + n]
                _places(r, rows, reach, above, below, weight)
                if method == _VAR:
                    _moments(along, col_of, above, below, weight, points, scratch[0, :n], scratch[1, :n])
                    _variance(scratch[0, :n], scratch[1, :n], points, out)
                    continue
                for p in range(place.size):
                    place[p] = (r + pixel_rows[p] + reach) % depth
                bits[:] = 0
                _compare_pixels(pixels, here, reach, place, pixel_cols, pixel_ones, bits)
                _compare_points(pixels, here, reach, along, col_of, above, below, weight, ones, bits)
                if method == _DEFAULT:
                    _default(bits, out)
                elif method == _ROR:
                    _ror(bits, points, least, out)
                elif method == _UNIFORM:
                    _uniform(bits, points, out)
                else:
                    _nri_uniform(bits, points, out)


@kernel
def _aligned(n: int) -> NDArray[np.float64]:
    """Return n numbers that start at a cache line: loads of 64 bytes across two lines cost half as much again."""
    room = np.empty(n + 8)
    start = -(room.ctypes.data // 8) % 8
    return room[start : start + n]


@kernel
def _box(region: NDArray[np.bool_], z: int) -> tuple[int, int, int, int]:
    """Find first and last + 1 of the rows and of the columns that the mask touches."""
    _, rows, cols = region.shape
    touched = np.zeros(cols, dtype=np.bool_)
    top, bottom, left, right = rows, 0, cols, 0
    for r in range(rows):
        found = False
        for c in range(cols):
            found |= region[z, r, c]
        if found:
            top, bottom = min(top, r), r + 1
            for c in range(cols):
                touched[c] |= region[z, r, c]
    for c in range(cols):
        if touched[c]:
            left, right = min(left, c), c + 1
    return top, bottom, left, right


@kernel
def _fractions(start: int, cols: NDArray[np.float64], n: int, fraction: NDArray[np.float64]) -> None:
    """Find how far right of a column each point lies: not the same in all columns, as its last bits are rounded."""
    for j in range(cols.size):
        for c in range(n):
            x = (start + c) + cols[j]
            fraction[j, c] = x - np.floor(x)


@kernel
def _places(
    r: int,
    rows: NDArray[np.float64],
    reach: int,
    above: NDArray[np.int64],
    below: NDArray[np.int64],
    weight: NDArray[np.float64],
) -> None:
    """Find the rows above and below each point, and the weight of the one below."""
    depth = 2 * reach + 1
    for p in range(rows.size):
        y = r + rows[p]
        row = int(np.floor(y))
        weight[p] = y - row
        above[p] = (row + reach) % depth
        below[p] = (row + reach + 1) % depth


@kernel
def _load(volume: NDArray[Any], z: int, r: int, start: int, line: NDArray[Any]) -> None:
    """Copy row r from column `start`; 0 outside the image."""
    _, rows, cols = volume.shape
    first = max(0, -start) if 0 <= r < rows else line.size
    end = max(first, min(line.size, cols - start))
    line[:first] = 0
    line[end:] = 0
    if first < end:
        inside, row = line[first:end], volume[z, r, start + first : start + end]
        for c in range(inside.size):
            inside[c] = row[c]


@kernel
def _interpolate(
    pixels: NDArray[Any],
    here: int,
    reach: int,
    cols: NDArray[np.float64],
    fraction: NDArray[np.float64],
    n: int,
    along: NDArray[np.float64],
) -> None:
    """Interpolate one row between columns. Offsets are unsigned: a sign would have to be checked at each pixel."""
    for j in range(cols.size):
        left = np.uint64(reach + int(np.floor(cols[j])))
        right = left + np.uint64(1)
        for c in range(np.uint64(n)):
            f = fraction[j, c]
            along[j, here, c] = (1 - f) * pixels[here, c + left] + f * pixels[here, c + right]


@kernel
def _compare_pixels(
    pixels: NDArray[Any],
    here: int,
    reach: int,
    place: NDArray[np.int64],
    cols: NDArray[np.int64],
    ones: NDArray[np.int64],
    bits: NDArray[np.int64],
) -> None:
    """Add the points on pixels, two at a time."""
    centre, none = np.uint64(reach), np.int64(0)
    for p in range(0, place.size, 2):
        row0, row1 = place[p], place[p + 1]
        col0, col1 = np.uint64(cols[p]), np.uint64(cols[p + 1])
        one0, one1 = ones[p], ones[p + 1]
        for c in range(np.uint64(bits.size)):
            x = pixels[here, c + centre]
            first = one0 if pixels[row0, c + col0] >= x else none
            second = one1 if pixels[row1, c + col1] >= x else none
            bits[c] += first + second


@kernel
def _compare_points(
    pixels: NDArray[Any],
    here: int,
    reach: int,
    along: NDArray[np.float64],
    col_of: NDArray[np.int64],
    above: NDArray[np.int64],
    below: NDArray[np.int64],
    weight: NDArray[np.float64],
    ones: NDArray[np.int64],
    bits: NDArray[np.int64],
) -> None:
    """Add the points between pixels, two at a time."""
    centre, none = np.uint64(reach), np.int64(0)
    for p in range(0, weight.size, 2):
        j0, j1 = col_of[p], col_of[p + 1]
        above0, above1, below0, below1 = above[p], above[p + 1], below[p], below[p + 1]
        w0, w1 = weight[p], weight[p + 1]
        v0, v1 = 1 - w0, 1 - w1
        one0, one1 = ones[p], ones[p + 1]
        for c in range(np.uint64(bits.size)):
            x = float(pixels[here, c + centre])
            first = one0 if v0 * along[j0, above0, c] + w0 * along[j0, below0, c] >= x else none
            second = one1 if v1 * along[j1, above1, c] + w1 * along[j1, below1, c] >= x else none
            bits[c] += first + second


@kernel
def _moments(
    along: NDArray[np.float64],
    col_of: NDArray[np.int64],
    above: NDArray[np.int64],
    below: NDArray[np.int64],
    weight: NDArray[np.float64],
    points: int,
    total: NDArray[np.float64],
    squares: NDArray[np.float64],
) -> None:
    total[:] = 0
    squares[:] = 0
    for p in range(points):
        j, a, b, w = col_of[p], above[p], below[p], weight[p]
        v = 1 - w
        for c in range(total.size):
            x = v * along[j, a, c] + w * along[j, b, c]
            total[c] += x
            squares[c] += x * x


@kernel
def _variance(
    total: NDArray[np.float64], squares: NDArray[np.float64], points: int, out: NDArray[np.float64]
) -> None:
    for c in range(out.size):
        variance = (squares[c] - total[c] * total[c] / points) / points
        out[c] = variance if variance != 0 else np.nan


@kernel
def _default(bits: NDArray[np.int64], out: NDArray[Any]) -> None:
    for c in range(out.size):
        out[c] = bits[c] & (ONE - 1)


@kernel
def _ror(bits: NDArray[np.int64], points: int, least: NDArray[np.int64], out: NDArray[Any]) -> None:
    low = (1 << points) - 1
    for c in range(out.size):
        least[c] = bits[c] & low
    for k in range(1, points):
        for c in range(out.size):
            code = bits[c] & low
            least[c] = min(least[c], (code >> k | code << (points - k)) & low)
    for c in range(out.size):
        out[c] = least[c]


@kernel
def _is_uniform(code: int, points: int) -> bool:
    """Whether at most two neighbouring bits differ, the last and the first apart: they never make a third."""
    changes = (code ^ code >> 1) & ((1 << (points - 1)) - 1)
    changes &= changes - 1  # takes the lowest one away
    changes &= changes - 1
    return changes == 0


@kernel
def _uniform(bits: NDArray[np.int64], points: int, out: NDArray[Any]) -> None:
    for c in range(out.size):
        out[c] = bits[c] >> 32 if _is_uniform(bits[c], points) else points + 1


@kernel
def _nri_uniform(bits: NDArray[np.int64], points: int, out: NDArray[Any]) -> None:
    low = (1 << points) - 1
    for c in range(out.size):
        ones, code = bits[c] >> 32, bits[c] & low
        begins = code & ~(code << 1 | code >> (points - 1))  # the one that follows a zero
        turn = points - _count_ones(begins - 1) if begins > 1 else 0
        label = 1 + (ones - 1) * points + turn
        if ones == 0 or ones == points:
            label = 0 if ones == 0 else points * (points - 1) + 1
        out[c] = label if _is_uniform(code, points) else points * (points - 1) + 2


@kernel
def _count_ones(x: int) -> int:
    """Count the ones of a number of 32 bits: of each two, four and eight bits at once, then of all."""
    x = x - (x >> 1 & 0x55555555)
    x = (x & 0x33333333) + (x >> 2 & 0x33333333)
    x = (x + (x >> 4)) & 0x0F0F0F0F
    return (x * 0x01010101 >> 24) & 0xFF
