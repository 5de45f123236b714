"""The kernels of `glcm_map`: counts that follow a window, and the features of what they hold.

The window moves along a row. Pairs of the column that enters are added and those of the column that leaves are
taken away; nothing else is counted again. All that is kept is whole numbers: counts, sums over pairs, and
``c · log2(c)`` of the counts in fixed point. So nothing drifts, and it does not matter where a thread begins.

Sources: Haralick, Shanmugam, Dinstein 1973, https://doi.org/10.1109/TSMC.1973.4309314, and the reference manual of
the Image Biomarker Standardisation Initiative, section 3.6, https://doi.org/10.1148/radiol.2020191145.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tumortrace._numba import kernel


class Tables(NamedTuple):
    """What is known of the pairs in a window, a row per matrix; a pair of the levels i ≥ j counts once."""

    cells: NDArray[np.int32]  # (matrices, levels + 1, levels + 1): how often i and j meet
    marginal: NDArray[np.int32]  # (matrices, levels + 1): how often a level is one of a pair
    sums: NDArray[np.int32]  # (matrices, 2 · levels + 1): of i + j
    differences: NDArray[np.int32]  # (matrices, levels): of i − j
    entries: NDArray[np.int32]  # (matrices, most + 1): how many cells of the symmetric matrix hold a number
    totals: NDArray[np.int64]  # (matrices, 8): see the names below


_PAIRS, _SUM, _SUM_SQUARES, _DIFFERENCE, _DIFFERENCE_SQUARES, _SQUARES, _LOGS, _LARGEST = range(8)
_FEATURES, _MAXIMAL_CORRELATION = 28, 25  # in the order of `_glcm_features.NAMES`


class Scale(NamedTuple):
    """Tables that depend on the parameters alone."""

    logs: NDArray[np.int64]  # c · log2(c) of the counts 0 … most, times `unit`
    unit: float
    inverse: NDArray[np.float64]  # (levels, 5): the weights of the five inverse features at a difference k


class Room(NamedTuple):
    """Where the maximal correlation coefficient is worked out; no matrix where it is not asked for."""

    present: NDArray[np.int64]
    side: NDArray[np.int8]
    queue: NDArray[np.int64]
    matrix: NDArray[np.float64]
    diagonal: NDArray[np.float64]
    beside: NDArray[np.float64]
    image: NDArray[np.float64]


@kernel
def fill(
    grey: NDArray[np.uint16],
    wanted: NDArray[np.bool_],
    lines: tuple[int, int],
    radius: tuple[int, int, int],
    steps: NDArray[np.int64],
    tables: Tables,
    scale: Scale,
    chosen: NDArray[np.int64],
    out: NDArray[np.float64],
) -> None:
    """Write the features of the window around each wanted voxel of some rows.

    Level 0 is outside. `lines` are the first row and one past the last, counted through all slices. Each step has a
    matrix of its own, or all share one where `tables` holds one. `chosen` are the numbers of the features that
    ``out[k]`` takes. `tables` are empty before and after.
    """
    slices, rows, cols = grey.shape
    depth, height, width = radius
    levels = scale.inverse.shape[0]
    values = np.zeros(_FEATURES)
    room = Room(
        np.empty(levels + 1, np.int64),
        np.empty(levels, np.int8),
        np.empty(levels, np.int64),
        np.empty(levels * levels if np.any(chosen == _MAXIMAL_CORRELATION) else 0),
        np.empty(levels),
        np.empty(levels),
        np.empty(levels),
    )
    for line in range(lines[0], lines[1]):
        z, y = line // rows, line % rows
        inside = wanted[z, y]
        left, right = 0, cols - 1
        while left < cols and not inside[left]:
            left += 1
        while right > left and not inside[right]:
            right -= 1
        if left == cols:
            continue
        box = (max(z - depth, 0), min(z + depth + 1, slices), max(y - height, 0), min(y + height + 1, rows))
        tail, stop = max(left - width, 0), min(right + width + 1, cols)
        for head in range(tail, right + width + 1):
            if head < stop:
                _column(grey, box, head, tail, head, 1, steps, scale.logs, tables)
            x = head - width
            if tail < x - width:
                _column(grey, box, tail, tail, min(head, stop - 1), -1, steps, scale.logs, tables)
                tail += 1
            if x >= left and inside[x]:
                _evaluate(tables, scale, room, values)
                for k in range(chosen.size):
                    out[k, z, y, x] = values[chosen[k]]
        while tail < stop:
            _column(grey, box, tail, tail, stop - 1, -1, steps, scale.logs, tables)
            tail += 1


@kernel
def _column(
    grey: NDArray[np.uint16],
    box: tuple[int, int, int, int],
    column: int,
    first: int,
    last: int,
    sign: int,
    steps: NDArray[np.int64],
    logs: NDArray[np.int64],
    tables: Tables,
) -> None:
    """Add (`sign` 1) or take away (−1) the pairs that `column` has with the columns from `first` to `last`."""
    for d in range(steps.shape[0]):
        dz, dy, dx = steps[d]
        other = column - sign * abs(dx)
        if other < first or other > last:
            continue
        near, far = (
            (min(column, other), max(column, other)) if dx >= 0 else (max(column, other), min(column, other))
        )
        t = min(d, tables.cells.shape[0] - 1)
        _pairs(grey, box, near, far, dz, dy, sign, logs, t, tables)


@kernel
def _pairs(
    grey: NDArray[np.uint16],
    box: tuple[int, int, int, int],
    near: int,
    far: int,
    dz: int,
    dy: int,
    sign: int,
    logs: NDArray[np.int64],
    t: int,
    tables: Tables,
) -> None:
    """Count the pairs from column `near` to column `far`."""
    cells, marginal, sums, differences = tables.cells[t], tables.marginal[t], tables.sums[t], tables.differences[t]
    entries, totals = tables.entries[t], tables.totals[t]
    pairs = total = squares = away = away_squares = cell_squares = logarithms = np.int64(0)
    largest = totals[_LARGEST]
    for z in range(box[0], box[1] - dz):
        for y in range(box[2] - min(dy, 0), box[3] - max(dy, 0)):
            a, b = np.int64(grey[z, y, near]), np.int64(grey[z + dz, y + dy, far])
            if a == 0 or b == 0:
                continue
            i, j = max(a, b), min(a, b)
            count = np.int64(cells[i, j])
            after = count + sign
            cells[i, j] = after
            marginal[i] += sign
            marginal[j] += sign
            sums[i + j] += sign
            differences[i - j] += sign
            pairs += 1
            total += i + j
            squares += (i + j) * (i + j)
            away += i - j
            away_squares += (i - j) * (i - j)
            twice = 2 if i == j else 1  # a cell of the diagonal counts both orders, the others have a twin
            before, now = twice * count, twice * after
            cell_squares += (now * now - before * before) * (3 - twice)
            logarithms += (logs[now] - logs[before]) * (3 - twice)
            entries[before] -= 1
            entries[now] += 1
            largest = max(largest, now)
    while largest > 0 and entries[largest] == 0:
        largest -= 1
    totals[_PAIRS] += sign * pairs
    totals[_SUM] += sign * total
    totals[_SUM_SQUARES] += sign * squares
    totals[_DIFFERENCE] += sign * away
    totals[_DIFFERENCE_SQUARES] += sign * away_squares
    totals[_SQUARES] += cell_squares
    totals[_LOGS] += logarithms
    totals[_LARGEST] = largest


@kernel
def _evaluate(tables: Tables, scale: Scale, room: Room, values: NDArray[np.float64]) -> None:
    """Write the mean of each feature over the matrices that hold a pair, NaN where none does."""
    found = 0
    values[:] = 0
    for t in range(tables.totals.shape[0]):
        if tables.totals[t, _PAIRS] > 0:
            found += 1
            _features(t, tables, scale, values)
            if room.matrix.size > 0:
                pairs = tables.totals[t, _PAIRS]
                edges = -tables.entries[t, 0]  # each cell that came to hold a pair was taken from those that hold 0
                values[_MAXIMAL_CORRELATION] += _maximal_correlation(
                    tables.cells[t], tables.marginal[t], pairs, edges, room
                )
    values /= found if found > 0 else np.nan


@kernel
def _features(t: int, tables: Tables, scale: Scale, values: NDArray[np.float64]) -> None:
    """Add every feature but the maximal correlation coefficient."""
    pairs, total, squares, away, away_squares, cell_squares, logarithms, largest = tables.totals[t]
    n = float(pairs)
    sum_average, contrast, dissimilarity = total / n, away_squares / n, away / n
    sum_variance = (pairs * squares - total * total) / (n * n)
    difference_variance = (pairs * away_squares - away * away) / (n * n)
    variance = (pairs * (squares + away_squares) - total * total) / (4 * n * n)
    joint_entropy = np.log2(2 * n) - logarithms / (scale.unit * 2 * n) if largest < 2 * pairs else 0.0
    entropy = _entropy(tables.marginal[t], 2 * pairs, scale) if variance > 0 else 0.0
    shared = max(2 * entropy - joint_entropy, 0.0)
    moment = cell_squares / (4 * n * n)
    values[0] += largest / (2 * n)
    values[1] += sum_average / 2
    values[2] += variance
    values[3] += joint_entropy
    values[4] += dissimilarity
    values[5] += difference_variance
    values[6] += _entropy(tables.differences[t], pairs, scale) if difference_variance > 0 else 0.0
    values[7] += sum_average
    values[8] += sum_variance
    values[9] += _entropy(tables.sums[t], pairs, scale) if sum_variance > 0 else 0.0
    values[10] += moment
    values[11] += contrast
    values[12] += dissimilarity
    _inverses(tables.differences[t], scale.inverse, n, values)
    values[18] += (sum_variance - contrast) / (sum_variance + contrast) if variance > 0 else 1.0
    values[19] += (squares - away_squares) / (4 * n)
    values[20] += sum_variance
    shade, prominence = _third_and_fourth(tables.sums[t], sum_average)
    values[21] += shade / n
    values[22] += prominence / n
    values[23] += -shared / entropy if entropy > 0 else 0.0
    values[24] += np.sqrt(-np.expm1(-2 * shared))
    values[26] += np.sqrt(moment)


@kernel
def _entropy(counts: NDArray[np.int32], total: int, scale: Scale) -> float:
    logarithms = np.int64(0)
    for count in counts:
        logarithms += scale.logs[count]
    return float(np.log2(float(total)) - logarithms / (scale.unit * total))


@kernel
def _inverses(
    differences: NDArray[np.int32], inverse: NDArray[np.float64], n: float, values: NDArray[np.float64]
) -> None:
    a = b = c = d = e = 0.0
    for k in range(differences.size):
        count = float(differences[k])
        a += count * inverse[k, 0]
        b += count * inverse[k, 1]
        c += count * inverse[k, 2]
        d += count * inverse[k, 3]
        e += count * inverse[k, 4]
    values[13] += a / n
    values[14] += b / n
    values[15] += c / n
    values[16] += d / n
    values[17] += e / n
    values[27] += c / n


@kernel
def _third_and_fourth(counts: NDArray[np.int32], average: float) -> tuple[float, float]:
    third = fourth = 0.0
    for k in range(counts.size):
        distance = k - average
        cube = counts[k] * (distance * distance * distance)
        third += cube
        fourth += cube * distance
    return third, fourth


@kernel
def _maximal_correlation(
    cells: NDArray[np.int32], marginal: NDArray[np.int32], pairs: int, edges: int, room: Room
) -> float:
    """Return the second largest singular value of ``p(i, j) / sqrt(p(i) p(j))``.

    Levels are the vertices of a graph, with an edge where two meet. The matrix has the eigenvalue 1 once for each
    part of the graph, and −1 for each part without an odd cycle. So where the graph is in pieces, or has two sides,
    the answer is 1 and known without an eigenvalue; in small windows that is nearly always so.
    """
    n = 0
    for level in range(marginal.size):
        n += marginal[level] > 0
    if n == 1 or edges < n:
        return 1.0
    at = 0
    for level in range(marginal.size):
        room.present[at] = level
        at += marginal[level] > 0
    present, matrix = room.present[:n], room.matrix[: n * n].reshape(n, n)
    for i in range(n):
        row = cells[present[i]]
        for j in range(i + 1):
            matrix[i, j] = matrix[j, i] = row[present[j]]
        matrix[i, i] *= 2
    if _splits(matrix, room.side, room.queue):
        return 1.0
    root, inverse = room.diagonal, room.beside
    for i in range(n):
        root[i] = np.sqrt(marginal[present[i]])
        inverse[i] = 1 / root[i]
    for i in range(n):
        own, share = inverse[i], root[i] / (2 * pairs)
        for j in range(n):
            matrix[i, j] = matrix[i, j] * (own * inverse[j]) - share * root[j]
    _tridiagonal(matrix, room.diagonal[:n], room.beside[:n], room.image[:n])
    return min(_spectral_radius(room.diagonal[:n], room.beside[:n]), 1.0)


@kernel
def _splits(matrix: NDArray[np.float64], side: NDArray[np.int8], queue: NDArray[np.int64]) -> bool:
    """Say whether the graph of the levels is in pieces or has two sides."""
    n = matrix.shape[0]
    side[:n] = 0
    side[0] = 1
    queue[0] = 0
    reached = 1
    odd = False
    for at in range(n):
        if at == reached:
            return True
        if odd and reached == n:
            return False
        i = queue[at]
        for j in range(n):
            if matrix[i, j] > 0:
                if side[j] == 0:
                    side[j] = -side[i]
                    queue[reached] = j
                    reached += 1
                odd |= side[j] == side[i]
    return not odd


@kernel
def _tridiagonal(
    matrix: NDArray[np.float64],
    diagonal: NDArray[np.float64],
    beside: NDArray[np.float64],
    image: NDArray[np.float64],
) -> None:
    """Write the diagonal of a similar tridiagonal matrix and the squares beside it, by Householder's reflections.

    ``beside[i]`` is between i − 1 and i. The matrix is overwritten; `image` is room to work in.
    """
    n = matrix.shape[0]
    beside[0] = 0
    for last in range(n - 1, 0, -1):
        vector = matrix[last, :last]
        diagonal[last] = matrix[last, last]
        square = 0.0
        for j in range(last):
            square += vector[j] * vector[j]
        beside[last] = square
        if last == 1 or square == 0.0:
            continue
        length = np.sqrt(square)
        length = length if vector[last - 1] > 0 else -length
        half = square + length * vector[last - 1]
        vector[last - 1] += length
        image[:last] = 0
        for i in range(last):
            row, factor = matrix[i], vector[i] / half
            for j in range(last):
                image[j] += factor * row[j]
        along = 0.0
        for j in range(last):
            along += image[j] * vector[j]
        along /= 2 * half
        for j in range(last):
            image[j] -= along * vector[j]
        for i in range(last):
            row, a, b = matrix[i], vector[i], image[i]
            for j in range(last):
                row[j] -= a * image[j] + b * vector[j]
    diagonal[0] = matrix[0, 0]


@kernel
def _spectral_radius(diagonal: NDArray[np.float64], beside: NDArray[np.float64]) -> float:
    """Return the largest absolute eigenvalue of a symmetric tridiagonal matrix whose eigenvalues lie in [−1, 1].

    Laguerre's iteration on the characteristic polynomials of the matrix and of its negative at once, from the right
    of all roots, where it is monotone and no sum cancels: every pivot of the factorisations is negative. The first
    that is not says that the root is reached.
    """
    n = diagonal.size
    degree = 2 * n
    x = 1 + 1e-9
    for _ in range(50):
        first = second = 0.0
        # one over a pivot, its first and its second derivative; of the matrix, and of its negative
        over, slope, curve = -1.0, 0.0, 0.0
        over_2, slope_2, curve_2 = -1.0, 0.0, 0.0
        for i in range(n):
            ratio, ratio_2 = beside[i] * over, beside[i] * over_2
            curve = ratio * over * (curve - 2 * slope * slope * over)
            curve_2 = ratio_2 * over_2 * (curve_2 - 2 * slope_2 * slope_2 * over_2)
            slope = ratio * over * slope - 1
            slope_2 = ratio_2 * over_2 * slope_2 - 1
            pivot = diagonal[i] - x - ratio
            pivot_2 = -diagonal[i] - x - ratio_2
            if not max(pivot, pivot_2) < 0:
                return x
            over, over_2 = 1 / pivot, 1 / pivot_2
            first += slope * over + slope_2 * over_2
            second += (slope * slope * over - curve) * over + (slope_2 * slope_2 * over_2 - curve_2) * over_2
        step = degree / (first + np.sqrt(max((degree - 1) * (degree * second - first * first), 0.0)))
        x -= step
        if step < 1e-14:
            break
    return x
