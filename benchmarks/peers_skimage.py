"""Every column of our default table, from scikit-image, SciPy and NumPy: the pipeline one would write without us.

    python -m benchmarks.peers_skimage FOLDER -o features.csv --jobs 4

Vectorised wherever the libraries allow it, joblib over images, pandas for the CSV.
"""

import argparse
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy import ndimage, stats
from scipy.spatial.distance import pdist
from skimage.feature import graycomatrix, hog, local_binary_pattern
from skimage.io import imread
from skimage.measure import find_contours

from benchmarks.peers_scipy import mvm_lbp_scipy, mvmbp_scipy

ANGLES = (0, np.pi / 4, np.pi / 2, 3 * np.pi / 4)
LEVELS = 32


def describe(image: NDArray[np.uint8]) -> dict[str, float]:
    """Return the features of one 8-bit image, numbered within each family in the order of our table."""
    grey = _levels(image)
    values = {
        "hog": _hog(image),
        "sobel": _sobel(image),
        "lbp": _lbp(image),
        "mvm_lbp": _shares(_uniform_labels()[mvm_lbp_scipy(image)], 59),
        "mvmbp": _shares(_uniform_labels()[mvmbp_scipy(image)], 59),
        "glcm": _glcm(grey),
        "first_order": _first_order(image, grey),
        "shape": _shape(image),
    }
    return {f"{family}_{k}": v for family, numbers in values.items() for k, v in enumerate(numbers)}


def _levels(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    low, high = float(image.min()), float(image.max())
    if low == high:
        return np.zeros_like(image)
    return np.minimum(np.floor(LEVELS * (image - low) / (high - low)), LEVELS - 1).astype(np.uint8)


@lru_cache(maxsize=256)
def _resampling(old: int, new: int) -> NDArray[np.float64]:
    """Weights (new, old): area averages where the axis shrinks, linear interpolation where it grows."""
    if new < old:
        edges = np.arange(new + 1) * old / new
        cells = np.arange(old)
        overlap = np.minimum(edges[1:, None], cells + 1) - np.maximum(edges[:-1, None], cells)
        return np.maximum(overlap, 0) * new / old
    centres = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    return np.maximum(1 - np.abs(centres[:, None] - np.arange(old)), 0)


def _hog(image: NDArray[np.uint8], size: int = 24) -> NDArray[np.float64]:
    resized = _resampling(image.shape[0], size) @ image @ _resampling(image.shape[1], size).T
    # equal neighbours stay equal: a difference of 1e-14 would vote at 179° in place of 0°
    return hog(resized.round(9), 9, (8, 8), (2, 2), block_norm="L2-Hys")


def _sobel(image: NDArray[np.uint8]) -> list[float]:
    values = image.astype(np.float64)
    row, col = ndimage.sobel(values, 0), ndimage.sobel(values, 1)
    m = np.hypot(row, col)
    rms = np.sqrt(np.mean(m * m))
    bins = (np.rad2deg(np.arctan2(row, col)) % 180 // 20).astype(int)
    histogram = np.bincount(bins.ravel(), m.ravel(), 9) / m.sum()
    flat = m.ravel()
    return [
        m.mean(),
        m.std(),
        stats.skew(flat),
        stats.kurtosis(flat),
        m.max(),
        rms,
        np.mean(m > 2 * rms),
        *histogram,
    ]


def _lbp(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    return _shares(local_binary_pattern(image, 8, 1, "uniform").astype(int), 10)


@lru_cache(maxsize=1)
def _uniform_labels() -> NDArray[np.int64]:
    """Label 0 to 57 of each uniform 8-bit code in ascending order, 58 of the rest."""
    bits = np.arange(256)[:, None] >> np.arange(8) & 1
    uniform = (bits != np.roll(bits, 1, axis=1)).sum(axis=1) <= 2
    return np.where(uniform, np.cumsum(uniform) - 1, 58)


def _shares(codes: NDArray[Any], bins: int) -> NDArray[np.float64]:
    return np.bincount(codes.ravel(), minlength=bins) / codes.size


def _entropy(p: NDArray[np.float64]) -> float:
    p = p[p > 0]
    return float(-(p * np.log2(p)).sum())


@lru_cache(maxsize=1)
def _grids() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    i, j = np.indices((LEVELS, LEVELS)) + 1
    return i, j


def _glcm(grey: NDArray[np.uint8]) -> list[float]:
    p = graycomatrix(grey, [1], ANGLES, levels=LEVELS, symmetric=True)[:, :, 0].sum(axis=2).astype(np.float64)
    p /= p.sum()
    i, j = _grids()
    k = np.arange(LEVELS)
    px = p.sum(axis=1)
    sums = np.bincount((i + j).ravel(), p.ravel(), 2 * LEVELS + 1)
    differences = np.bincount(np.abs(i - j).ravel(), p.ravel(), LEVELS)
    mean = ((k + 1) * px).sum()
    variance = ((k + 1 - mean) ** 2 * px).sum()
    difference_mean, sum_mean = (k * differences).sum(), (np.arange(2 * LEVELS + 1) * sums).sum()
    joint_entropy, entropy = _entropy(p), _entropy(px)
    product = np.outer(px, px)
    cross = -(p[product > 0] * np.log2(product[product > 0])).sum()
    independent = -(product[product > 0] * np.log2(product[product > 0])).sum()
    contrast = (k**2 * differences).sum()
    moment = np.arange(2 * LEVELS + 1) - 2 * mean
    asm = (p * p).sum()
    idm = (differences / (1 + k**2)).sum()
    kept = px > 0
    symmetric = p[np.ix_(kept, kept)] / np.sqrt(product[np.ix_(kept, kept)])
    eigenvalues = np.sort(np.linalg.eigvalsh(symmetric) ** 2)
    return [
        p.max(),
        mean,
        variance,
        joint_entropy,
        difference_mean,
        ((k - difference_mean) ** 2 * differences).sum(),
        _entropy(differences),
        sum_mean,
        ((np.arange(2 * LEVELS + 1) - sum_mean) ** 2 * sums).sum(),
        _entropy(sums),
        asm,
        contrast,
        difference_mean,
        (differences / (1 + k)).sum(),
        (differences / (1 + k / LEVELS)).sum(),
        idm,
        (differences / (1 + (k / LEVELS) ** 2)).sum(),
        (differences[1:] / k[1:] ** 2).sum(),
        ((i * j * p).sum() - mean**2) / variance if variance > 0 else 1.0,
        (i * j * p).sum(),
        (moment**2 * sums).sum(),
        (moment**3 * sums).sum(),
        (moment**4 * sums).sum(),
        (joint_entropy - cross) / entropy if entropy > 0 else 0.0,
        np.sqrt(max(1 - np.exp(-2 * (independent - joint_entropy)), 0)),
        np.sqrt(eigenvalues[-2]) if len(eigenvalues) > 1 else 1.0,
        np.sqrt(asm),
        idm,
    ]


def _common(x: NDArray[np.float64]) -> list[float]:
    p10, q1, median, q3, p90 = np.percentile(x, (10, 25, 50, 75, 90))
    mean, deviation = x.mean(), x.std()
    kept = x[(x >= p10) & (x <= p90)]
    return [
        mean,
        deviation**2,
        stats.skew(x),
        stats.kurtosis(x),
        median,
        x.min(),
        p10,
        p90,
        x.max(),
        q3 - q1,
        np.ptp(x),
        np.abs(x - mean).mean(),
        np.abs(kept - kept.mean()).mean(),
        np.abs(x - median).mean(),
        deviation / mean,
        (q3 - q1) / (q3 + q1),
    ]


def _first_order(image: NDArray[np.uint8], grey: NDArray[np.uint8]) -> list[float]:
    x = image.ravel().astype(np.float64)
    level = grey.ravel() + 1.0
    counts = np.bincount(grey.ravel(), minlength=LEVELS).astype(np.float64)
    gradient = np.gradient(counts)
    p = counts / counts.sum()
    modes = np.flatnonzero(counts == counts.max()) + 1
    mode = modes[np.argmin(np.abs(modes - level.mean()))]
    energy = (x * x).sum()
    of_bins = [mode, _entropy(p), (p * p).sum(), gradient.max(), gradient.argmax() + 1, gradient.min()]
    return [*_common(x), energy, np.sqrt(energy / x.size), *_common(level), *of_bins, gradient.argmin() + 1]


def _shape(image: NDArray[np.uint8]) -> list[float]:
    """Of the whole crop as a region, by the functions that serve any region."""
    inside = np.pad(np.ones(image.shape, bool), 1)
    points = np.argwhere(inside)
    contour = find_contours(inside.astype(np.float64), 0.5)[0]
    steps = np.diff(contour, axis=0)
    perimeter = np.hypot(steps[:, 0], steps[:, 1]).sum()
    enclosed = abs((contour[:-1, 0] * contour[1:, 1] - contour[1:, 0] * contour[:-1, 1]).sum()) / 2
    n = len(points)
    minor, major = np.linalg.eigvalsh(np.cov(points.T))
    axes = 4 * np.sqrt((major, minor))
    height, width = np.ptp(points, axis=0) + 1
    weights = np.pad(image, 1)[inside].astype(np.float64)
    shift = np.linalg.norm((points * weights[:, None]).sum(axis=0) / weights.sum() - points.mean(axis=0))
    return [
        n,
        n,
        n,
        perimeter,
        4 * np.pi * enclosed / perimeter**2,
        1,
        height,
        width,
        n / (height * width),
        pdist(contour).max(),
        *axes,
        0,
        axes[1] / axes[0],
        0,
        shift,
    ]


def _row(root: Path, path: Path) -> dict[str, Any]:
    return {"image": path.relative_to(root).as_posix(), **describe(imread(path))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=4)
    options = parser.parse_args()
    paths = sorted(options.root.rglob("*.jpg"))
    rows = Parallel(n_jobs=options.jobs)(delayed(_row)(options.root, path) for path in paths)
    pd.DataFrame(rows).to_csv(options.out, index=False)


if __name__ == "__main__":
    from benchmarks import peers_skimage  # workers find the functions by the name of the module

    peers_skimage.main()
