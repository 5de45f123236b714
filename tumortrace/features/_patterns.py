"""Binary patterns: what LBP, MVM-LBP and MVMBP share once every pixel has its code.

A pattern of eight bits is uniform where its ring changes between 0 and 1 at most twice (Ojala et al. 2002,
https://doi.org/10.1109/TPAMI.2002.1017623): 58 of the 256 are.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumortrace._numba import kernel

UNIFORM: tuple[int, ...] = tuple(
    code for code in range(256) if (code ^ (code >> 1 | (code & 1) << 7)).bit_count() <= 2
)
"""The 58 uniform patterns of eight bits, ascending. A histogram of them has one more bin, for all the others."""


def count(codes: NDArray[Any], region: NDArray[np.bool_], n_codes: int) -> NDArray[np.int64]:
    """Count each code inside the region.

    Parameters
    ----------
    codes : ndarray of uint8 or uint16, shape (slices, rows, cols), C-contiguous
        Codes below `n_codes`; this is not checked.
    region : ndarray of bool, or `NO_MASK`
        Of the shape of the image. Where codes exist for the inner pixels only, `region` is larger than `codes` by the
        same number of rows and columns on each side.
    n_codes : int
        Length of the result.
    """
    counts = np.empty(n_codes, dtype=np.int64)
    _count(codes, region, counts)
    return counts


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
