"""Binary patterns: what LBP, MVM-LBP and MVMBP share once every pixel has its code.

The ring of a pixel is its eight neighbours, counter-clockwise from the right: bit p of a code weighs ``2**p``, and
p = 0, 1, … is the neighbour at (row, column) offset (0, 1), (−1, 1), (−1, 0), (−1, −1), (0, −1), (1, −1), (1, 0),
(1, 1). This is the order of LBP(8, 1) in scikit-image. A pattern is uniform where its ring changes between 0 and 1
at most twice (Ojala et al. 2002, https://doi.org/10.1109/TPAMI.2002.1017623): 58 of the 256 are.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumortrace._numba import kernel
from tumortrace.features._vector import FeatureVector

UNIFORM: tuple[int, ...] = tuple(
    code for code in range(256) if (code ^ (code >> 1 | (code & 1) << 7)).bit_count() <= 2
)
"""The 58 uniform patterns of eight bits, ascending. A histogram of them has one more bin, for all the others."""

BINS = ("uniform", "all")
"""The histograms of patterns: 58 uniform ones and the rest in one bin, or all 256."""


def count(codes: NDArray[Any], region: NDArray[np.bool_], n_codes: int) -> NDArray[np.int64]:
    """Count each code inside the region.

    Parameters
    ----------
    codes : ndarray of uint8 or uint16, shape (slices, rows, cols), C-contiguous
        Codes below `n_codes`; this is not checked.
    region : ndarray of bool, or `NO_MASK`
        Of the shape of the image. Where codes exist for the inner pixels only, `region` is larger than `codes` by
        the same number of rows and columns on each side.
    n_codes : int
        Length of the result.
    """
    counts = np.empty(n_codes, dtype=np.int64)
    _count(codes, region, counts)
    return counts


def histograms(
    codes: NDArray[np.uint8], region: NDArray[np.bool_], prefixes: tuple[str, ...], bins: str, size: int
) -> FeatureVector:
    """Return the share of each pattern inside the region, one histogram per prefix.

    Parameters
    ----------
    codes : ndarray of uint8, shape (prefixes, slices, rows, cols)
        Patterns of eight bits, of the inner pixels.
    region : ndarray of bool, or `NO_MASK`
        As in `count`.
    prefixes : tuple of str
        Starts the names of each histogram.
    bins : str
        One of `BINS`.
    size : int
        Pixels a side of the window that makes a code; names the window in the reason for NaN.
    """
    names, bin_of = _bins(prefixes, bins)
    values = np.empty((len(prefixes), len(names) // len(prefixes)))
    if _shares(codes, region, bin_of, values):
        return FeatureVector(names, values.ravel())
    where = "inside the image" if region.size == 0 else "with its centre in the mask"
    return FeatureVector(names, values.ravel(), f"no full {size}×{size} window {where}")


def crop(volume: NDArray[Any], region: NDArray[np.bool_], border: int) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Cut image and mask to the box around the mask and `border` more rows and columns on each side."""
    if region.size == 0:
        return volume, region
    box = np.empty((3, 2), dtype=np.int64)
    _box(region.view(np.uint8), border, box)
    (front, back), (top, bottom), (left, right) = box.tolist()
    if (back - front, bottom - top, right - left) == volume.shape:
        return volume, region
    cut = slice(front, back), slice(top, bottom), slice(left, right)
    return np.ascontiguousarray(volume[cut]), np.ascontiguousarray(region[cut])


@lru_cache
def _bins(prefixes: tuple[str, ...], bins: str) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the names of the columns and the bin of each of the 256 codes."""
    if bins == "all":
        labels, bin_of = [f"code_{code}" for code in range(256)], np.arange(256)
    else:
        labels, bin_of = [*(f"code_{code}" for code in UNIFORM), "nonuniform"], np.full(256, len(UNIFORM))
        bin_of[list(UNIFORM)] = np.arange(len(UNIFORM))
    return tuple(prefix + label for prefix in prefixes for label in labels), bin_of


@kernel
def _shares(
    codes: NDArray[np.uint8], region: NDArray[np.bool_], bin_of: NDArray[np.int64], values: NDArray[np.float64]
) -> bool:
    """Fill in the normalised histograms; NaN and False where no code is inside."""
    counts = np.empty(bin_of.size, dtype=np.int64)
    total = 0
    for p in range(codes.shape[0]):
        _count(codes[p], region, counts)
        total = 0
        for code in range(counts.size):
            total += counts[code]
        for k in range(values.shape[1]):
            values[p, k] = 0.0 if total else np.nan
        for code in range(counts.size):
            values[p, bin_of[code]] += counts[code] / max(total, 1)
    return total > 0


@kernel
def _count(codes: NDArray[Any], region: NDArray[np.bool_], counts: NDArray[np.int64]) -> None:
    # Four tables in turn: a run of one code would otherwise wait for its own last increment.
    tables = np.zeros((4, counts.size), dtype=np.uint32)
    counts[:] = 0
    slices, rows, cols = codes.shape
    everywhere = region.size == 0
    row_border = 0 if everywhere else (region.shape[1] - rows) // 2
    col_border = 0 if everywhere else (region.shape[2] - cols) // 2
    end = cols - cols % 4
    for z in range(slices):
        for r in range(rows):
            line = codes[z, r]
            if everywhere:
                for c in range(0, end, 4):
                    tables[0, line[c]] += 1
                    tables[1, line[c + 1]] += 1
                    tables[2, line[c + 2]] += 1
                    tables[3, line[c + 3]] += 1
                for c in range(end, cols):
                    tables[0, line[c]] += 1
            else:
                inside = region[z, r + row_border, col_border:]
                for c in range(0, end, 4):
                    tables[0, line[c]] += inside[c]
                    tables[1, line[c + 1]] += inside[c + 1]
                    tables[2, line[c + 2]] += inside[c + 2]
                    tables[3, line[c + 3]] += inside[c + 3]
                for c in range(end, cols):
                    tables[0, line[c]] += inside[c]
        for t in range(4):
            for k in range(counts.size):
                counts[k] += tables[t, k]
                tables[t, k] = 0


@kernel
def _box(region: NDArray[np.uint8], border: int, box: NDArray[np.int64]) -> None:
    """Find first and last + 1 of the slices, rows and columns that the mask touches, widened within the image."""
    slices, rows, cols = region.shape
    touched = np.zeros(cols, dtype=np.uint8)
    box[:, 0] = region.shape
    box[:, 1] = 0
    for z in range(slices):
        for r in range(rows):
            line = region[z, r]
            found = np.uint8(0)
            for c in range(cols):
                found |= line[c]
            if found:
                box[0, 0], box[0, 1] = min(box[0, 0], z), z + 1
                box[1, 0], box[1, 1] = min(box[1, 0], r), max(box[1, 1], r + 1)
                for c in range(cols):
                    touched[c] |= line[c]
    for c in range(cols):
        if touched[c]:
            box[2, 0], box[2, 1] = min(box[2, 0], c), c + 1
    for axis in (1, 2):
        box[axis, 0] = max(box[axis, 0] - border, 0)
        box[axis, 1] = min(box[axis, 1] + border, region.shape[axis])
