"""The features of a grey level co-occurrence matrix, from its counts.

A matrix arrives as a triangle of unordered pairs: ``count[i, j]`` with ``i ≥ j`` says how often the levels i and j
meet, in whichever order. The symmetric matrix of IBSI holds that number at ``(i, j)`` and at ``(j, i)``, and twice
that number on the diagonal. Nearly every feature follows from three sums over the triangle: the marginal, the
distribution of ``i + j`` and the distribution of ``|i − j|``.

Sources: Haralick, Shanmugam, Dinstein 1973, https://doi.org/10.1109/TSMC.1973.4309314, and the reference manual of
the Image Biomarker Standardisation Initiative, section 3.6, https://doi.org/10.1148/radiol.2020191145.
"""

import numpy as np
from numpy.typing import NDArray

from tumortrace._numba import kernel

NAMES = (
    "joint_maximum",
    "joint_average",
    "joint_variance",
    "joint_entropy",
    "difference_average",
    "difference_variance",
    "difference_entropy",
    "sum_average",
    "sum_variance",
    "sum_entropy",
    "angular_second_moment",
    "contrast",
    "dissimilarity",
    "inverse_difference",
    "normalised_inverse_difference",
    "inverse_difference_moment",
    "normalised_inverse_difference_moment",
    "inverse_variance",
    "correlation",
    "autocorrelation",
    "cluster_tendency",
    "cluster_shade",
    "cluster_prominence",
    "information_correlation_1",
    "information_correlation_2",
    "maximal_correlation_coefficient",
    "energy",
    "homogeneity",
)

_COUNTS = np.arange(1024.0)
LOGS = _COUNTS * np.log2(np.maximum(_COUNTS, 1))
"""``c · log2(c)`` of small counts, which most cells of a matrix hold."""


@kernel
def add_features(
    tables: NDArray[np.uint32],
    grades: NDArray[np.int64],
    n_levels: int,
    logs: NDArray[np.float64],
    total: NDArray[np.float64],
) -> int:
    """Add the features of each matrix that holds a pair to `total`, and return how many matrices do.

    `tables` has the shape (matrices, copies, size², with size = grades.size); a matrix is the sum of its copies.
    Row and column 0 stand for pixels outside the mask. `grades` are the grey levels of the rows. `n_levels` is the
    number of levels of the discretisation.
    """
    size = grades.size
    marginal = np.empty(size, np.int64)
    sums = np.empty(2 * n_levels + 1, np.int64)
    differences = np.empty(n_levels, np.int64)
    symmetric = np.empty((size - 1, size - 1))
    found = 0
    for m in range(tables.shape[0]):
        counts = tables[m, 0].reshape(size, size)
        for copy in range(1, tables.shape[1]):
            _add(tables[m, 0], tables[m, copy])
        pairs = _project(counts, grades, marginal, sums, differences)
        if pairs == 0:
            continue
        found += 1
        average, variance = _average_and_variance(marginal, grades, 2 * pairs)
        entropy = _entropy(marginal, 2 * pairs, logs)
        joint_entropy = _joint(counts, pairs, logs, total)
        total[1] += average
        total[2] += variance
        contrast = _of_differences(differences, pairs, n_levels, logs, total)
        tendency = _of_sums(sums, pairs, contrast, logs, total)
        total[18] += (tendency - contrast) / (tendency + contrast) if variance > 0 else 1.0
        shared = max(2 * entropy - joint_entropy, 0.0)
        total[23] += -shared / entropy if entropy > 0 else 0.0
        total[24] += np.sqrt(-np.expm1(-2 * shared))
        total[25] += _maximal_correlation(counts, marginal, grades, average, variance, 2 * pairs, symmetric)
    return found


@kernel
def _add(target: NDArray[np.uint32], other: NDArray[np.uint32]) -> None:
    for k in range(target.size):
        target[k] += other[k]


@kernel
def _project(
    counts: NDArray[np.uint32],
    grades: NDArray[np.int64],
    marginal: NDArray[np.int64],
    sums: NDArray[np.int64],
    differences: NDArray[np.int64],
) -> int:
    """Fill the marginal (twice the pairs in all) and the distributions of i + j and |i − j| (the pairs in all)."""
    marginal[:] = 0
    sums[:] = 0
    differences[:] = 0
    pairs = np.int64(0)
    for i in range(1, grades.size):
        row = counts[i]
        in_row = np.int64(0)
        for j in range(1, i + 1):
            count = np.int64(row[j])
            marginal[j] += count
            in_row += count
        marginal[i] += in_row
        pairs += in_row
        grade = grades[i]
        for j in range(1, i + 1):
            count = np.int64(row[j])
            sums[grade + grades[j]] += count
            differences[grade - grades[j]] += count
    return int(pairs)


@kernel
def _joint(counts: NDArray[np.uint32], pairs: int, logs: NDArray[np.float64], total: NDArray[np.float64]) -> float:
    """Add what needs the cells themselves: joint maximum, angular second moment, energy, joint entropy."""
    largest = np.int64(0)
    squares = np.int64(0)
    diagonal_squares = np.int64(0)
    logarithms = 0.0
    for i in range(1, counts.shape[0]):
        row = counts[i]
        for j in range(1, i):
            count = np.int64(row[j])
            largest = max(largest, count)
            squares += count * count
        in_row = 0.0
        for j in range(1, i):
            in_row += _c_log_c(np.int64(row[j]), logs)
        count = np.int64(row[i])
        largest = max(largest, 2 * count)
        diagonal_squares += count * count
        logarithms += 2 * in_row + _c_log_c(2 * count, logs)
    cells = 2.0 * pairs
    moment = (2.0 * squares + 4.0 * diagonal_squares) / (cells * cells)
    entropy = 0.0 if largest == 2 * pairs else np.log2(cells) - logarithms / cells
    total[0] += largest / cells
    total[3] += entropy
    total[10] += moment
    total[26] += np.sqrt(moment)
    return entropy


@kernel
def _c_log_c(count: np.int64, logs: NDArray[np.float64]) -> float:
    return float(logs[count] if count < logs.size else count * np.log2(count))


@kernel
def _entropy(counts: NDArray[np.int64], total: int, logs: NDArray[np.float64]) -> float:
    logarithms = 0.0
    for count in counts:
        if count == total:
            return 0.0
        logarithms += _c_log_c(count, logs)
    return float(np.log2(total)) - logarithms / total


@kernel
def _average_and_variance(counts: NDArray[np.int64], values: NDArray[np.int64], total: int) -> tuple[float, float]:
    weighted = np.int64(0)
    for k in range(counts.size):
        weighted += counts[k] * values[k]
    average = weighted / total
    variance = 0.0
    for k in range(counts.size):
        distance = values[k] - average
        variance += counts[k] * (distance * distance)
    return average, variance / total


@kernel
def _of_differences(
    counts: NDArray[np.int64], pairs: int, n_levels: int, logs: NDArray[np.float64], total: NDArray[np.float64]
) -> float:
    """Add the features of the distribution of |i − j|; return the contrast."""
    average, variance = _average_and_variance(counts, np.arange(counts.size), pairs)
    contrast = difference = normalised_difference = moment = normalised_moment = inverse_variance = 0.0
    for k in range(counts.size):
        share = counts[k] / pairs
        square = float(k * k)
        contrast += share * square
        difference += share / (1 + k)
        normalised_difference += share / (1 + k / n_levels)
        moment += share / (1 + square)
        normalised_moment += share / (1 + square / (n_levels * n_levels))
        if k > 0:
            inverse_variance += share / square
    total[4] += average
    total[5] += variance
    total[6] += _entropy(counts, pairs, logs)
    total[11] += contrast
    total[12] += average
    total[13] += difference
    total[14] += normalised_difference
    total[15] += moment
    total[16] += normalised_moment
    total[17] += inverse_variance
    total[27] += moment
    return contrast


@kernel
def _of_sums(
    counts: NDArray[np.int64], pairs: int, contrast: float, logs: NDArray[np.float64], total: NDArray[np.float64]
) -> float:
    """Add the features of the distribution of i + j; return the cluster tendency."""
    average, variance = _average_and_variance(counts, np.arange(counts.size), pairs)
    shade = prominence = 0.0
    for k in range(counts.size):
        distance = k - average
        cube = counts[k] * (distance * distance * distance)
        shade += cube
        prominence += cube * distance
    total[7] += average
    total[8] += variance
    total[9] += _entropy(counts, pairs, logs)
    total[19] += (variance + average * average - contrast) / 4
    total[20] += variance
    total[21] += shade / pairs
    total[22] += prominence / pairs
    return variance


@kernel
def _maximal_correlation(
    counts: NDArray[np.uint32],
    marginal: NDArray[np.int64],
    grades: NDArray[np.int64],
    average: float,
    variance: float,
    cells: int,
    matrix: NDArray[np.float64],
) -> float:
    """Return the second largest singular value of ``p(i, j) / sqrt(p(i) p(j))``.

    Where all pairs are of one level it is 0, and 1 where the region has no other.

    Its square is the second largest eigenvalue of Haralick's Q. The largest is 1 with the vector sqrt(p); it is
    subtracted, so that the one looked for comes first.
    """
    n = matrix.shape[0]
    if variance == 0:
        return 1.0 if n == 1 else 0.0
    scale = np.zeros(n)
    root = np.zeros(n)
    start = np.empty(n)
    deviation = np.sqrt(variance)
    noise = 1
    for i in range(n):
        if marginal[i + 1] > 0:
            scale[i] = 1 / np.sqrt(marginal[i + 1])
            root[i] = np.sqrt(marginal[i + 1] / cells)
        noise = (1664525 * noise + 1013904223) % 2**32
        start[i] = root[i] * ((grades[i + 1] - average) / deviation + noise / 2.0**32 - 0.5)
    for i in range(n):
        row = counts[i + 1]
        for j in range(i + 1):
            matrix[i, j] = row[j + 1] * (scale[i] * scale[j]) - root[i] * root[j]
        matrix[i, i] += row[i + 1] * (scale[i] * scale[i])
    _mirror(matrix)
    return _spectral_radius(matrix, start, root)


@kernel
def _mirror(matrix: NDArray[np.float64]) -> None:
    """Copy the lower triangle to the upper one, in blocks that stay in the cache."""
    n = matrix.shape[0]
    for top in range(0, n, 8):
        for left in range(0, top + 1, 8):
            for i in range(top, min(top + 8, n)):
                for j in range(left, min(left + 8, i)):
                    matrix[j, i] = matrix[i, j]


@kernel
def _spectral_radius(matrix: NDArray[np.float64], start: NDArray[np.float64], known: NDArray[np.float64]) -> float:
    """Return the largest absolute eigenvalue of a symmetric matrix whose eigenvalues lie in [−1, 1], by Lanczos.

    `start` is where the iteration begins, less its part along the `known` eigenvector of eigenvalue 0. There is no
    reorthogonalisation: what rounding brings in are copies of eigenvalues found already.
    """
    n = start.size
    most = 4 * n + 8
    diagonal = np.empty(most)
    beside = np.empty(most)  # the squares of the off-diagonal
    vector = start - np.sum(start * known) * known
    vector /= np.sqrt(np.sum(vector * vector))
    before = np.zeros(n)
    image = np.empty(n)
    radius = norm = 0.0
    check = 8
    for k in range(1, most + 1):
        _multiply(matrix, vector, image)
        along = np.sum(image * vector)
        square = 0.0
        for i in range(n):
            image[i] -= along * vector[i] + norm * before[i]
            square += image[i] * image[i]
        diagonal[k - 1] = along
        beside[k - 1] = square
        norm = np.sqrt(square)
        complete = norm < 1e-13
        if complete or k == check:
            previous = radius
            radius = _radius(diagonal[:k], beside)
            if complete or abs(radius - previous) < 1e-12:
                break
            check = k + max(4, k // 6)
        for i in range(n):
            before[i] = vector[i]
            vector[i] = image[i] / norm
    return min(radius, 1.0)


@kernel
def _multiply(matrix: NDArray[np.float64], vector: NDArray[np.float64], image: NDArray[np.float64]) -> None:
    """``image = matrix @ vector`` for a symmetric matrix, four rows at a time."""
    n = vector.size
    image[:] = 0
    whole = n - n % 4
    for i in range(0, whole, 4):
        a, b, c, d = matrix[i], matrix[i + 1], matrix[i + 2], matrix[i + 3]
        p, q, r, s = vector[i], vector[i + 1], vector[i + 2], vector[i + 3]
        for j in range(n):
            image[j] += (a[j] * p + b[j] * q) + (c[j] * r + d[j] * s)
    for i in range(whole, n):
        a, p = matrix[i], vector[i]
        for j in range(n):
            image[j] += a[j] * p


@kernel
def _radius(diagonal: NDArray[np.float64], beside: NDArray[np.float64]) -> float:
    """Return the largest absolute eigenvalue of a symmetric tridiagonal matrix."""
    largest = _largest_eigenvalue(diagonal, beside, 1.0)
    pivot = -1.0
    for i in range(diagonal.size):
        pivot = -diagonal[i] - abs(largest) - (beside[i - 1] / pivot if i > 0 else 0.0)
        if not pivot < 0:  # there is an eigenvalue below −|largest|
            return _largest_eigenvalue(diagonal, beside, -1.0)
    return abs(largest)


@kernel
def _largest_eigenvalue(diagonal: NDArray[np.float64], beside: NDArray[np.float64], sign: float) -> float:
    """Return the largest eigenvalue of `sign` times a symmetric tridiagonal matrix, all of them being at most 1.

    Laguerre's iteration on the characteristic polynomial from the right of all roots, where it is monotone and no
    sum cancels: each pivot of the factorisation is negative. The first that is not says that the root is reached.
    """
    n = diagonal.size
    x = 1 + 1e-9
    for _ in range(50):
        pivot = sign * diagonal[0] - x
        slope, curve = -1.0, 0.0  # first and second derivative of the pivot
        first = second = 0.0
        for i in range(n):
            if i > 0:
                ratio = beside[i - 1] / pivot
                curve = ratio / pivot * (curve - 2 * slope * slope / pivot)
                slope = ratio / pivot * slope - 1
                pivot = sign * diagonal[i] - x - ratio
            if not pivot < 0:
                return x
            first += slope / pivot
            second += (slope * slope / pivot - curve) / pivot
        step = n / (first + np.sqrt(max((n - 1) * (n * second - first * first), 0.0)))
        x -= step
        if step < 1e-15:
            break
    return x
