"""The surface of a region: marching cubes through the points half-way between inside and outside.

References: Lorensen and Cline 1987, https://doi.org/10.1145/37401.37422, for the method; the triangles of each case
are those of PyRadiomics, van Griethuysen et al. 2017, https://doi.org/10.1158/0008-5472.CAN-17-0339.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tumortrace._numba import kernel

# Corners of a cube as (slice, row, column), and for each edge the two corners that it joins.
_CORNERS = np.array([(0, 0, 0), (0, 0, 1), (0, 1, 1), (0, 1, 0), (1, 0, 0), (1, 0, 1), (1, 1, 1), (1, 1, 0)])
_EDGES = np.array([(0, 1), (1, 2), (2, 3), (3, 0), (4, 5), (5, 6), (6, 7), (7, 4), (0, 4), (1, 5), (2, 6), (3, 7)])
# Cases 1, 2, … 127: bit k is set where corner k is inside; three edges, in hexadecimal, are a triangle. A case from
# 128 on has the triangles of what it leaves outside, turned over.
_CASES = """
083 019 183198 12a 08312a 0292a9 2832a88a9 23b 08b0b2 01923b 19b1b28b9 13a3ba 08a0a18ba 0393b99ba 8a98ba 478
043347 019478 147173194 12a478 04312a347 0292a9478 2732972a9479 23b478 04224b47b 01923b478 19229b47b4b9
13a3ba478 04114b1ba47b 0393b94789ba 47b4b99ba 495 083495 015054 153358485 12a495 08312a495 0242542a5
2532a5348354 23b495 08b0b2495 01505423b 15225828b485 13a3ba495 08a0a14958ba 03b0540b55ba 48558a8ba 579789
093357395 017078157 157173 12a579789 09312a357395 0282582a5578 2532a5357 23b579789 09227b297579 01815717823b
15717b1b2 13a3ba579789 05707b0950a10ba 03b0570780a50ba 57b5ba 5a6 0835a6 0195a6 1831985a6 126165 083126165
026069596 258265283598 23b5a6 08b0b25a6 01923b5a6 19b1b25a68b9 1353653b6 05108b0b55b6 0360590653b6 59669b8b9
4785a6 0433475a6 0194785a6 1471731945a6 126165478 043126165347 026069478596 269293397479596 23b4785a6
04224b47b5a6 01923b4785a6 19229b47b4b95a6 1353653b6478 04b0b11b547b5b6 0360590653b6478 47959669b7b9 49a4a6
08349a4a6 01a0640a6 1681831a6486 124149264 083124149264 024264 248264283 23b49a4a6 08b0b249a4a6 01a0640a623b
14816418b1a61b2 1393693b6496 08114916418b1b6 0360643b6 48668b 67a78a89a 07309a0a767a 0181781a767a 1731a767a
126168189678 093129269397679 026067078 267273 23b67a78a89a 07209727b67a79a 0181781a723b67a 16717b1a61b2
1361693b6678689 09167b 03b0670780b6 67b
"""

_NOWHERE = 2**30  # more than any coordinate


class Surface(NamedTuple):
    """What is measured on the mesh, in mm.

    `corners` are the vertices of its convex hull, shape (n, 3), in (slice, row, column) order; `plane_diameters`
    the largest distances between vertices that share a slice, a column and a row coordinate.
    """

    volume: float
    area: float
    hull_volume: float
    hull_area: float
    corners: NDArray[np.float64]
    diameter: float
    plane_diameters: tuple[float, float, float]


def surface(inside: NDArray[np.bool_], steps: NDArray[np.float64]) -> Surface:
    """Measure the mesh of a region in voxels of `steps` mm; beyond the array is outside.

    The mesh is that of PyRadiomics. Its cases are symmetrical to inside and outside, so that at two voxels that
    touch along an edge it may have a hole; its volume is then the sum of the tetrahedra between the triangles and
    the centre of the voxel before the first of the box.
    """
    padded = np.zeros([n + 2 for n in inside.shape], dtype=np.uint8)
    padded[1:-1, 1:-1, 1:-1] = inside
    slices, rows, cols = (2 * n - 1 for n in padded.shape)
    along_cols = np.full((slices, rows, 2), (_NOWHERE, -1), dtype=np.int32)
    along_rows = np.full((slices, cols, 2), (_NOWHERE, -1), dtype=np.int32)
    counts = np.zeros(256, dtype=np.int64)
    flux = _march(padded, _FLUX, counts, along_cols, along_rows)
    areas = np.linalg.norm(_NORMALS * (np.prod(steps) / steps), axis=2).sum(axis=1) / 8

    in_row = _convex(_turned(along_cols), steps[0], steps[2])
    in_col = _convex(_turned(along_rows), steps[0], steps[1])
    in_slice = _convex(along_cols, steps[1], steps[2])
    left = _turned(along_cols)
    _convex(left, steps[0], steps[2])
    hull_volume, hull_area, corners = _hull(_points(left), steps)
    return Surface(
        flux / 48 * float(np.prod(steps)),
        float(counts @ areas),
        hull_volume,
        hull_area,
        corners,
        _farthest(corners),
        (in_slice, in_col, in_row),
    )


def _triangles() -> NDArray[np.int64]:
    """Return the triangles of the 256 cases, up to five each, in half voxels: shape (256, 5, 3 points, 3 axes)."""
    middles = _CORNERS[_EDGES].sum(axis=1)
    triangles = np.zeros((256, 5, 3, 3), dtype=np.int64)
    for case, edges in enumerate(_CASES.split(), start=1):
        points = middles[[int(edge, 16) for edge in edges]].reshape(-1, 3, 3)
        triangles[case, : len(points)] = points
        triangles[255 - case, : len(points)] = points[:, ::-1]
    return triangles


_a, _b, _c = np.moveaxis(_triangles(), 2, 0)
# Twice the area vector of each triangle, in quarter faces of a voxel; 0 for those that a case does not have.
_NORMALS = np.cross(_b - _a, _c - _a)
# By case: 6 times the volume between triangles and the cube's first corner, then what moving that corner adds.
_FLUX = np.column_stack([np.sum(_a * np.cross(_b, _c), axis=(1, 2)), 2 * _NORMALS.sum(axis=1)])


def _turned(planes: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the planes across those of `planes`."""
    return np.ascontiguousarray(planes.swapaxes(0, 1))


def _points(ends: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the (slice, row, column) of the ends that are left, given by row, slice and side."""
    r, z, side = np.nonzero((ends >= 0) & (ends < _NOWHERE))
    return np.column_stack([z, r, ends[r, z, side]])


def _hull(points: NDArray[np.int64], steps: NDArray[np.float64]) -> tuple[float, float, NDArray[np.float64]]:
    """Return volume and area of the convex hull of points on the half-voxel grid, and its vertices in mm."""
    from scipy.spatial import ConvexHull

    found = ConvexHull(points)
    in_mm = points * (steps / 2)
    a, b, c = in_mm[found.simplices].swapaxes(0, 1)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2
    return float(found.volume * np.prod(steps) / 8), float(area), in_mm[found.vertices]


@kernel
def _march(
    inside: NDArray[np.uint8],
    flux_of: NDArray[np.int64],
    counts: NDArray[np.int64],
    along_cols: NDArray[np.int32],
    along_rows: NDArray[np.int32],
) -> np.int64:
    """Count the cubes of each case and return 48 times the volume in voxels.

    `along_cols` and `along_rows` receive the first and last vertex of each line of the half-voxel grid that runs
    along the columns and along the rows.
    """
    slices, rows, cols = inside.shape
    cases = np.empty(cols - 1, dtype=np.uint8)
    total = np.int64(0)
    for z in range(slices - 1):
        for y in range(rows - 1):
            a, b, c, d = inside[z, y], inside[z, y + 1], inside[z + 1, y], inside[z + 1, y + 1]
            for x in range(cols - 1):
                near = a[x] | a[x + 1] << 1 | b[x + 1] << 2 | b[x] << 3
                far = c[x] | c[x + 1] << 1 | d[x + 1] << 2 | d[x] << 3
                cases[x] = near | far << 4
            for x in range(cols - 1):
                case = np.int64(cases[x])
                if case == 0 or case == 255:
                    continue
                counts[case] += 1
                moved = z * flux_of[case, 1] + y * flux_of[case, 2] + x * flux_of[case, 3]
                total += flux_of[case, 0] + moved
                for neighbour in (1, 3, 4):
                    if (case ^ case >> neighbour) & 1:
                        h = 2 * z + (neighbour == 4)
                        r = 2 * y + (neighbour == 3)
                        k = 2 * x + (neighbour == 1)
                        along_cols[h, r, 0] = min(along_cols[h, r, 0], k)
                        along_cols[h, r, 1] = max(along_cols[h, r, 1], k)
                        along_rows[h, k, 0] = min(along_rows[h, k, 0], r)
                        along_rows[h, k, 1] = max(along_rows[h, k, 1], r)
    return total


@kernel
def _convex(planes: NDArray[np.int32], step_of_lines: float, step_along: float) -> float:
    """Remove from each plane's lines the ends that are no corner of its convex hull.

    Returns the largest distance between two corners of one plane, in mm.
    """
    count, lines, _ = planes.shape
    corners = np.empty((2 * lines, 2), dtype=np.int64)
    best = 0.0
    for p in range(count):
        ends = planes[p]
        n = 0
        for side in range(2):
            sign = 1 - 2 * side
            start = n
            for r in range(lines):
                c = np.int64(ends[r, side])
                if c < 0 or c == _NOWHERE:
                    continue
                while n - start >= 2:
                    r0, c0, r1, c1 = corners[n - 2, 0], corners[n - 2, 1], corners[n - 1, 0], corners[n - 1, 1]
                    if sign * (c1 - c0) * (r - r0) < sign * (c - c0) * (r1 - r0):
                        break
                    n -= 1
                corners[n, 0], corners[n, 1] = r, c
                n += 1
            ends[:, side] = -1 if side else _NOWHERE
            for k in range(start, n):
                ends[corners[k, 0], side] = corners[k, 1]
        for i in range(n):
            for j in range(i):
                height = (corners[i, 0] - corners[j, 0]) * step_of_lines / 2
                width = (corners[i, 1] - corners[j, 1]) * step_along / 2
                best = max(best, height * height + width * width)
    return math.sqrt(best)


@kernel
def _farthest(points: NDArray[np.float64]) -> float:
    """Return the largest distance between two points."""
    best = 0.0
    for i in range(len(points)):
        for j in range(i):
            z, y, x = points[i, 0] - points[j, 0], points[i, 1] - points[j, 1], points[i, 2] - points[j, 2]
            best = max(best, z * z + y * y + x * x)
    return math.sqrt(best)
