"""Slow, obvious versions of what the kernels compute: the oracle of the tests.

Plain loops over plain arrays, one formula a line, nothing shared with the package.
"""

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
