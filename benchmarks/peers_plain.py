"""The pattern operators as plain Python loops over lists: what a first script would look like."""

from math import sqrt
from statistics import median

import numpy as np

RING = ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1))


def mvm_lbp_codes(image: np.ndarray) -> list[list[int]]:
    pixels = image.tolist()
    codes = []
    for r in range(1, len(pixels) - 1):
        line = []
        for c in range(1, len(pixels[0]) - 1):
            window = [pixels[r + i][c + j] for i in (-1, 0, 1) for j in (-1, 0, 1)]
            mean = sum(window) / 9
            deviation = sqrt(sum((value - mean) ** 2 for value in window) / 9)
            threshold = (mean + deviation + median(window)) / 3
            line.append(sum(2**p for p, (i, j) in enumerate(RING) if pixels[r + i][c + j] >= threshold))
        codes.append(line)
    return codes


def mvmbp_codes(image: np.ndarray) -> list[list[int]]:
    pixels = image.tolist()
    rows, cols = len(pixels), len(pixels[0])
    above = [[0] * cols for _ in range(rows)]
    for r in range(1, rows - 1):
        for c in range(1, cols - 1):
            above[r][c] = int(pixels[r][c] > sum(pixels[r + i][c + j] for i, j in RING) / 8)
    return [
        [sum(2**p for p, (i, j) in enumerate(RING) if above[r + i][c + j]) for c in range(2, cols - 2)]
        for r in range(2, rows - 2)
    ]
