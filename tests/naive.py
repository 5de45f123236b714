"""Slow, obvious versions of what the kernels compute: the oracle of the tests.

Plain loops over plain arrays, one formula a line, nothing shared with the package.
"""

from fractions import Fraction

import numpy as np

# first order


def percentile(x, percent):
    """Interpolate linearly between order statistics, in whole numbers as far as they go."""
    x = sorted(x)
    rank, rest = divmod(percent * (len(x) - 1), 100)
    return x[rank] + (x[min(rank + 1, len(x) - 1)] - x[rank]) * rest / 100


def intensity_statistics(x):
    x = np.asarray(x, float)
    p10, q1, median, q3, p90 = (percentile(x, p) for p in (10, 25, 50, 75, 90))
    mean, std = x.mean(), x.std()
    core = x[(x >= p10) & (x <= p90)]
    return {
        "mean": mean,
        "variance": std**2,
        "skewness": np.mean((x - mean) ** 3) / std**3,
        "kurtosis": np.mean((x - mean) ** 4) / std**4 - 3,
        "median": median,
        "minimum": min(x),
        "percentile_10": p10,
        "percentile_90": p90,
        "maximum": max(x),
        "interquartile_range": q3 - q1,
        "range": max(x) - min(x),
        "mean_absolute_deviation": np.mean(abs(x - mean)),
        "robust_mean_absolute_deviation": np.mean(abs(core - core.mean())),
        "median_absolute_deviation": np.mean(abs(x - median)),
        "coefficient_of_variation": std / mean,
        "quartile_coefficient_of_dispersion": (q3 - q1) / (q3 + q1),
        "energy": np.sum(x**2),
        "root_mean_square": np.sqrt(np.mean(x**2)),
    }


def intensity_histogram(grey, n_levels):
    levels = np.arange(1, n_levels + 1)
    counts = np.array([np.sum(grey == level) for level in levels])
    p = counts / counts.sum()
    gradient = np.gradient(counts.astype(float))
    often = levels[counts == counts.max()]
    found = intensity_statistics(grey) | {
        "mode": often[np.argmin(abs(often - np.mean(grey)))],
        "entropy": -np.sum(p[p > 0] * np.log2(p[p > 0])),
        "uniformity": np.sum(p**2),
        "maximum_gradient": gradient.max(),
        "maximum_gradient_intensity": levels[gradient.argmax()],
        "minimum_gradient": gradient.min(),
        "minimum_gradient_intensity": levels[gradient.argmin()],
    }
    return {f"histogram_{k}": v for k, v in found.items() if k not in ("energy", "root_mean_square")}


# shape


def face_centres(mask, spacing):
    """Points half-way between a pixel inside and a face neighbour outside, in mm."""
    padded = np.pad(mask, 1)
    flat = np.any(mask, axis=(1, 2)).sum() == 1
    for pixel in np.argwhere(padded):
        for axis in range(1 if flat else 0, 3):
            for side in (-1, 1):
                move = np.eye(3, dtype=int)[axis] * side
                if not padded[tuple(pixel + move)]:
                    yield (pixel + move / 2) * spacing


def shape(image, mask, spacing):
    """Shape of a volume and its mask; perimeter and circularity are left to the tests."""
    where = np.argwhere(mask)
    points, weights = where * spacing, image[mask]
    sides = where.max(axis=0) - where.min(axis=0) + 1
    variances = np.sort(np.linalg.eigvalsh(np.cov(points.T)))[::-1].clip(0)
    faces = list(face_centres(mask, spacing))
    return {
        "pixel_count": len(where),
        "volume": len(where) * np.prod(spacing),
        "area": max(np.sum(s) for s in mask) * spacing[1] * spacing[2],
        "depth": sides[0] * spacing[0],
        "height": sides[1] * spacing[1],
        "width": sides[2] * spacing[2],
        "bounding_box_fill": len(where) / np.prod(sides),
        "maximum_diameter": max(np.linalg.norm(a - b) for a in faces for b in faces),
        "major_axis_length": 4 * np.sqrt(variances[0]),
        "minor_axis_length": 4 * np.sqrt(variances[1]),
        "least_axis_length": 4 * np.sqrt(variances[2]),
        "elongation": np.sqrt(variances[1] / variances[0]),
        "flatness": np.sqrt(variances[2] / variances[0]),
        "centre_of_mass_shift": np.linalg.norm(points.mean(axis=0) - weights @ points / weights.sum()),
    }


# binary patterns


RING = ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1))


def fractions(image):
    """The image as nested lists of exact numbers."""
    return [[Fraction(float(x)) for x in row] for row in image]


def ring_code(bit, r, c):
    return sum(2**p for p, (i, j) in enumerate(RING) if bit(r + i, c + j))


def mvm_lbp_codes(image, combine="threshold"):
    """Codes of a 2-D image without rounding: x ≥ √v is x ≥ 0 and x² ≥ v."""
    x = fractions(image)
    rows, cols = len(x), len(x[0])

    def bits(r, c):
        window = sorted(x[r + i][c + j] for i in (-1, 0, 1) for j in (-1, 0, 1))
        mean, median = sum(window) / 9, window[4]
        variance = sum((value - mean) ** 2 for value in window) / 9
        if combine == "threshold":
            return [lambda i, j: (e := 3 * x[i][j] - mean - median) >= 0 and e**2 >= variance]
        return [
            lambda i, j: x[i][j] >= mean,
            lambda i, j: x[i][j] >= median,
            lambda i, j: (x[i][j] - mean) ** 2 >= variance,
        ]

    codes = [[[ring_code(bit, r, c) for bit in bits(r, c)] for c in range(1, cols - 1)] for r in range(1, rows - 1)]
    codes = np.moveaxis(np.array(codes), 2, 0)
    return codes[0] if combine == "threshold" else codes


def mvmbp_codes(image):
    """Codes of a 2-D image without rounding."""
    x = fractions(image)
    rows, cols = len(x), len(x[0])

    def exceeds(r, c):
        return x[r][c] > sum(x[r + i][c + j] for i, j in RING) / 8

    return np.array([[ring_code(exceeds, r, c) for c in range(2, cols - 2)] for r in range(2, rows - 2)])


def pattern_shares(codes, bins):
    """Share of each code, or of each uniform code and of the others together."""
    shares = [np.mean(codes == code) for code in range(256)]
    if bins == "all":
        return shares
    uniform = [code for code in range(256) if sum(code >> p & 1 != code >> (p + 1) % 8 & 1 for p in range(8)) <= 2]
    return [shares[code] for code in uniform] + [1 - sum(shares[code] for code in uniform)]


# LBP


def bilinear(image, y, x):
    def pixel(r, c):
        return float(image[r, c]) if 0 <= r < len(image) and 0 <= c < len(image[0]) else 0.0

    r, c = int(np.floor(y)), int(np.floor(x))
    below, right = y - r, x - c
    top = (1 - right) * pixel(r, c) + right * pixel(r, c + 1)
    bottom = (1 - right) * pixel(r + 1, c) + right * pixel(r + 1, c + 1)
    return (1 - below) * top + below * bottom


def lbp_code(around, centre, method):
    n = len(around)
    if method == "var":
        variance = (sum(v * v for v in around) - sum(around) * sum(around) / n) / n
        return variance if variance != 0 else np.nan
    bits = [int(v >= centre) for v in around]
    rotations = [bits[k:] + bits[:k] for k in range(n)]
    numbers = [sum(bit << p for p, bit in enumerate(turned)) for turned in rotations]
    uniform = sum(bits[p] != bits[p - 1] for p in range(n)) <= 2
    if method == "default":
        return numbers[0]
    if method == "ror":
        return min(numbers)
    if method == "uniform":
        return sum(bits) if uniform else n + 1
    if not uniform:
        return n * (n - 1) + 2
    if sum(bits) in (0, n):
        return 0 if sum(bits) == 0 else n * (n - 1) + 1
    first = next(p for p in range(n) if bits[p] and not bits[p - 1])
    return 1 + (sum(bits) - 1) * n + (n - first) % n


def lbp_codes(image, points, radius, method):
    angle = 2 * np.pi * np.arange(points) / points
    rows, cols = np.round(-radius * np.sin(angle), 5), np.round(radius * np.cos(angle), 5)
    codes = np.empty(image.shape)
    for r, c in np.ndindex(image.shape):
        around = [bilinear(image, r + y, c + x) for y, x in zip(rows, cols, strict=True)]
        codes[r, c] = lbp_code(around, image[r, c], method)
    return codes


# HOG and Sobel


def resized(image, size):
    """Image of the given size, axis by axis: the area mean where it shrinks, linear where it grows."""
    for axis in (0, 1):
        lines = np.moveaxis(image.astype(float), axis, 0)
        old, new = len(lines), size[axis]
        result = []
        for i in range(new):
            if new < old:
                low, high = i * old / new, (i + 1) * old / new
                shares = [max(0, min(high, k + 1) - max(low, k)) for k in range(old)]
            else:
                centre = np.clip((i + 0.5) * old / new - 0.5, 0, old - 1)
                shares = [max(0, 1 - abs(k - centre)) for k in range(old)]
            result.append(sum(s * line for s, line in zip(shares, lines, strict=True)) / sum(shares))
        image = np.moveaxis(np.array(result), 0, axis)
    return image


def hog_cells(image, orientations, pixels_per_cell, weights=None):
    """One histogram of gradient orientation for each cell."""
    x = image.astype(float)
    rows, cols = x.shape
    height, width = pixels_per_cell
    cells = np.zeros((rows // height, cols // width, orientations))
    for i in range(cells.shape[0] * height):
        for j in range(cells.shape[1] * width):
            d_row = x[i + 1, j] - x[i - 1, j] if 0 < i < rows - 1 else 0.0
            d_col = x[i, j + 1] - x[i, j - 1] if 0 < j < cols - 1 else 0.0
            angle = np.degrees(np.arctan2(d_row, d_col)) % 180
            k = min(int(angle * orientations / 180), orientations - 1)
            weight = 1.0 if weights is None else weights[i, j]
            cells[i // height, j // width, k] += weight * np.hypot(d_row, d_col) / (height * width)
    return cells


def hog_blocks(cells, cells_per_block, block_norm):
    """Overlapping blocks of cells, each normalised."""
    rows, cols = (n - b + 1 for n, b in zip(cells.shape, cells_per_block, strict=False))
    blocks = np.empty((rows, cols, *cells_per_block, cells.shape[2]))
    for i in range(rows):
        for j in range(cols):
            v = cells[i : i + cells_per_block[0], j : j + cells_per_block[1]]
            if block_norm.startswith("L1"):
                v = v / (v.sum() + 1e-5)
            else:
                v = v / np.sqrt((v**2).sum() + 1e-10)
            if block_norm == "L1-sqrt":
                v = np.sqrt(v)
            if block_norm == "L2-Hys":
                v = np.minimum(v, 0.2)
                v = v / np.sqrt((v**2).sum() + 1e-10)
            blocks[i, j] = v
    return blocks


def sobel_gradients(image):
    """Both derivatives, with the border pixel repeated once beyond the border."""
    x = np.pad(image.astype(float), 1, mode="symmetric")
    smooth, difference = np.array([1.0, 2.0, 1.0]), np.array([-1.0, 0.0, 1.0])
    row, col = np.empty(image.shape), np.empty(image.shape)
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            window = x[i : i + 3, j : j + 3]
            row[i, j] = difference @ window @ smooth
            col[i, j] = smooth @ window @ difference
    return row, col


def sobel(row, col, orientations, edge_threshold):
    """Statistics of gradients, given as flat arrays over a region."""
    m = np.hypot(row, col)
    z = (m - m.mean()) / m.std()
    root_mean_square = np.sqrt(np.mean(m**2))
    angle = np.degrees(np.arctan2(row, col)) % 180
    bins = np.minimum((angle * orientations / 180).astype(int), orientations - 1)
    return {
        "mean": m.mean(),
        "standard_deviation": m.std(),
        "skewness": np.mean(z**3),
        "kurtosis": np.mean(z**4) - 3,
        "maximum": m.max(),
        "root_mean_square": root_mean_square,
        "edge_density": np.mean(m > edge_threshold * root_mean_square),
        **{f"orientation_{k}": m[bins == k].sum() / m.sum() for k in range(orientations)},
    }


# GLCM

PLANE = [(0, 0, 1), (0, 1, 1), (0, 1, 0), (0, 1, -1)]
SPACE = PLANE + [(1, y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]


def co_occurrences(grey, n_levels, step):
    """Ordered pairs of levels 1, 2, … (0 is outside) of a volume, from each voxel to the one at `step`."""
    counts = np.zeros((n_levels, n_levels))
    for here in np.ndindex(grey.shape):
        there = tuple(np.add(here, step))
        if all(0 <= t < n for t, n in zip(there, grey.shape, strict=True)) and grey[here] and grey[there]:
            counts[grey[here] - 1, grey[there] - 1] += 1
    return counts


def symmetric_matrices(grey, n_levels, distance, aggregation):
    """The symmetric matrices of one of the six aggregations."""
    steps = np.multiply(SPACE if aggregation.startswith("3d") else PLANE, distance)
    slices = [grey[z : z + 1] for z in range(len(grey))]
    single = [[co_occurrences(part, n_levels, step) for step in steps] for part in slices]
    matrices = {
        "2d_average": lambda: [m for of_slice in single for m in of_slice],
        "2d_slice_merge": lambda: [sum(of_slice) for of_slice in single],
        "2.5d_direction_merge": lambda: [sum(of_slice[d] for of_slice in single) for d in range(4)],
        "2.5d_volume_merge": lambda: [sum(m for of_slice in single for m in of_slice)],
        "3d_average": lambda: [co_occurrences(grey, n_levels, step) for step in steps],
        "3d_volume_merge": lambda: [sum(co_occurrences(grey, n_levels, step) for step in steps)],
    }[aggregation]()
    return [m + m.T for m in matrices]


def bits(p):
    return -sum(x * np.log2(x) for x in np.ravel(p) if x > 0)


def glcm_features(counts, flat=1):
    """`flat` is the maximal correlation coefficient of one level."""
    p = counts / counts.sum()
    n = len(p)
    i, j = np.mgrid[1 : n + 1, 1 : n + 1]
    px = p.sum(axis=1)
    mu = np.sum(i * p)
    variance = np.sum((i - mu) ** 2 * p)
    k_sum, k_diff = np.arange(2, 2 * n + 1), np.arange(n)
    p_sum = np.array([p[i + j == k].sum() for k in k_sum])
    p_diff = np.array([p[abs(i - j) == k].sum() for k in k_diff])
    apart = i != j
    hx, hxy = bits(px), bits(p)
    outer = np.outer(px, px)
    hxy1 = -np.sum(p[p > 0] * np.log2(outer[p > 0]))
    hxy2 = bits(outer)
    occurring = px > 0
    q = p[occurring][:, occurring]
    q = (q / px[occurring, None]) @ (q / px[occurring]).T
    eigenvalues = np.sort(np.linalg.eigvals(q).real)
    return {
        "joint_maximum": p.max(),
        "joint_average": mu,
        "joint_variance": variance,
        "joint_entropy": hxy,
        "difference_average": np.sum(k_diff * p_diff),
        "difference_variance": np.sum((k_diff - np.sum(k_diff * p_diff)) ** 2 * p_diff),
        "difference_entropy": bits(p_diff),
        "sum_average": np.sum(k_sum * p_sum),
        "sum_variance": np.sum((k_sum - np.sum(k_sum * p_sum)) ** 2 * p_sum),
        "sum_entropy": bits(p_sum),
        "angular_second_moment": np.sum(p**2),
        "contrast": np.sum((i - j) ** 2 * p),
        "dissimilarity": np.sum(abs(i - j) * p),
        "inverse_difference": np.sum(p / (1 + abs(i - j))),
        "normalised_inverse_difference": np.sum(p / (1 + abs(i - j) / n)),
        "inverse_difference_moment": np.sum(p / (1 + (i - j) ** 2)),
        "normalised_inverse_difference_moment": np.sum(p / (1 + (i - j) ** 2 / n**2)),
        "inverse_variance": np.sum(p[apart] / (i - j)[apart] ** 2),
        "correlation": np.sum((i - mu) * (j - mu) * p) / variance if variance > 0 else 1,
        "autocorrelation": np.sum(i * j * p),
        "cluster_tendency": np.sum((i + j - 2 * mu) ** 2 * p),
        "cluster_shade": np.sum((i + j - 2 * mu) ** 3 * p),
        "cluster_prominence": np.sum((i + j - 2 * mu) ** 4 * p),
        "information_correlation_1": (hxy - hxy1) / hx if hx > 0 else 0,
        "information_correlation_2": np.sqrt(max(1 - np.exp(-2 * (hxy2 - hxy)), 0)),
        "maximal_correlation_coefficient": np.sqrt(max(eigenvalues[-2], 0)) if len(q) > 1 else flat,
        "energy": np.sqrt(np.sum(p**2)),
        "homogeneity": np.sum(p / (1 + (i - j) ** 2)),
    }


def glcm(grey, n_levels, distance, aggregation, flat=None):
    """The mean of each feature over the matrices that hold a pair; `flat` as of `glcm_features`."""
    if flat is None:
        flat = 1 if (np.unique(grey) > 0).sum() == 1 else 0
    each = [
        glcm_features(m, flat) for m in symmetric_matrices(grey, n_levels, distance, aggregation) if m.sum() > 0
    ]
    return {name: np.mean([features[name] for features in each]) for name in each[0]} if each else None


# kinetics


def curve(e, times, early):
    """The seven numbers of an enhancement curve; `times` count from the phase before contrast."""
    peak, last, initial = max(e), e[-1], max(e[:early])
    first = next(
        i for i, value in enumerate(e) if peak - value <= 1e-9 * max(abs(peak), abs(value))
    )  # but for rounding
    late, t = e[early - 1 :], times[early - 1 :]
    steps = zip([0, *e], e, [0, *times], times, strict=False)
    return {
        "wash_in": e[0] / times[0],
        "peak_enhancement": peak,
        "time_to_peak": times[first],
        "wash_out": min(1, (peak - last) / max(peak, 0.05)),
        "signal_enhancement_ratio": min(3, max(-1, initial / max(last, 0.05))),
        "area_under_curve": sum((a + b) / 2 * (t2 - t1) for a, b, t1, t2 in steps) / times[-1],
        "delayed_slope": np.polyfit(t, late, 1)[0],
    }


def otsu(x):
    """The threshold of the split with the largest variance between the classes, the lowest of equal ones."""
    x = np.sort(np.asarray(x))
    between = {
        t: (x < t).mean() * (x >= t).mean() * (x[x >= t].mean() - x[x < t].mean()) ** 2 for t in np.unique(x)[1:]
    }
    return min((t for t in between if between[t] > (1 - 1e-9) * max(between.values())), default=x[0])


def geary(values):
    """Geary's contiguity ratio of a dict of (slice, row, column) to value."""
    x = np.array(list(values.values()))
    steps = [
        (values[z, r, c] - values[n]) ** 2
        for z, r, c in values
        for n in ((z, r + 1, c), (z, r, c + 1))
        if n in values
    ]
    return np.mean(steps) / (2 * x.var()) if steps and x.var() > 1e-15 else 0


def pearson(x, y):
    return np.corrcoef(x, y)[0, 1] if np.std(x) > 1e-9 and np.std(y) > 1e-9 else 0


def kinetics(stack, mask, scale, times, early, plateau, spacing):
    """Every feature, pixel by pixel; `stack` is (phases, slices, rows, columns)."""
    pixels = [tuple(p) for p in np.argwhere(mask)]
    base = {p: scale * stack[0][p] for p in pixels}
    unit = np.mean(list(base.values()))
    base = {p: v / unit for p, v in base.items()}
    e = {p: [(phase[p] - scale * stack[0][p]) / unit for phase in stack[1:]] for p in pixels}
    times = [t - times[0] for t in times[1:]]
    maps = {p: curve(e[p], times, early) for p in pixels}
    peaks = [maps[p]["peak_enhancement"] for p in pixels]
    lesion = [p for p in pixels if maps[p]["peak_enhancement"] >= otsu(peaks)]
    around = [(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1)]
    rim = [p for p in lesion if any((p[0], p[1] + r, p[2] + c) not in lesion for r, c in around)]
    least = sorted(peaks)[-max(1, len(pixels) // 10)]
    hot = [p for p in pixels if maps[p]["peak_enhancement"] >= least]
    found = {}
    for name, zone in (("lesion", lesion), ("rim", rim), ("hot_spot", hot)):
        mean = [float(np.mean([e[p][i] for p in zone])) for i in range(len(times))]
        found |= {f"{name}_{k}": v for k, v in curve(mean, times, early).items()}
        found[f"baseline_{name}"] = np.mean([base[p] for p in zone])
    inside = [base[p] for p in lesion]
    for k in maps[pixels[0]]:
        own = [maps[p][k] for p in lesion]
        found[f"{k}_standard_deviation"] = np.std(own)
        found[f"{k}_baseline_correlation"] = pearson(own, inside)
        found[f"{k}_contiguity"] = geary({p: maps[p][k] for p in pixels})
    found["baseline_contiguity"] = geary(base)
    found["baseline_variation"] = np.std(list(base.values()))
    found["baseline_lesion_variation"] = np.std(inside)
    change = []
    for p in lesion:
        initial = max(v + base[p] for v in e[p][:early])
        change.append((e[p][-1] + base[p] - initial) / max(initial, 0.05))
    found["persistent_fraction"] = np.mean([c > plateau for c in change])
    found["plateau_fraction"] = np.mean([-plateau <= c <= plateau for c in change])
    found["washout_fraction"] = np.mean([c < -plateau for c in change])
    found["lesion_fraction"] = len(lesion) / len(pixels)
    points, spot = np.array(pixels) * spacing, np.array(hot) * spacing
    size = np.sqrt(np.mean(np.sum((points - points.mean(0)) ** 2, axis=1))) or np.inf
    found["hot_spot_spread"] = np.sqrt(np.mean(np.sum((spot - spot.mean(0)) ** 2, axis=1))) / size
    found["hot_spot_offset"] = np.linalg.norm(spot.mean(0) - points.mean(0)) / size
    bends = [abs(c - 2 * b + a) for p in lesion for a, b, c in zip([0, *e[p]], e[p], e[p][1:], strict=False)]
    found["curve_roughness"] = np.mean(bends) / max(0.05, found["lesion_peak_enhancement"])
    curves = np.array([e[p] for p in lesion])
    shares = np.linalg.svd(curves - curves.mean(0), compute_uv=False) ** 2
    shares = np.append(shares, 0) / shares.sum() if shares.sum() > 1e-15 else [0, 0]
    found["curve_first_component"], found["curve_second_component"] = shares[:2]
    return found
