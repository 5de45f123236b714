"""The smallest box and ellipsoid around a cloud of points.

References: Todd and Yıldırım 2007, https://doi.org/10.1016/j.dam.2007.02.013, for the ellipsoid; O'Rourke 1985,
https://doi.org/10.1007/BF00991005, for what is known of the box.
"""

import numpy as np
from numpy.typing import NDArray

_TOLERANCE = 1e-7
_ROUNDS = 100_000


def enclosing_box(corners: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the sides of the smallest box around points that has a face in the plane of a face of their hull.

    The smallest box of all may be a little smaller: two neighbouring faces that hold an edge each would do.
    """
    from scipy.spatial import ConvexHull

    faces = ConvexHull(corners).equations[:, :3]
    faces *= np.where(faces[np.arange(len(faces)), np.abs(faces).argmax(axis=1)] < 0, -1, 1)[:, np.newaxis]
    best, sides = np.inf, (0.0, 0.0, 0.0)
    for normal in faces[np.unique(np.round(faces, 10), axis=0, return_index=True)[1]]:
        across = np.linalg.svd(normal[np.newaxis])[2][1:]
        height = np.ptp(corners @ normal)
        flat = corners @ across.T
        flat = flat[ConvexHull(flat).vertices]
        along = np.roll(flat, 1, axis=0) - flat
        along /= np.linalg.norm(along, axis=1)[:, np.newaxis]
        lengths = np.ptp(flat @ along.T, axis=0)
        widths = np.ptp(flat @ np.array([-along[:, 1], along[:, 0]]), axis=0)
        k = int((lengths * widths).argmin())
        if height * lengths[k] * widths[k] < best:
            best = height * lengths[k] * widths[k]
            sides = float(height), float(lengths[k]), float(widths[k])
    return sides


def enclosing_ellipsoid(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the semi-axes, longest first, of the ellipsoid of least volume around points that span space.

    The weights of the points go to those on the ellipsoid, step by step towards the farthest point or away from the
    nearest one that has a weight, until both are on it to one in ten million.
    """
    n, size = len(points), points.shape[1] + 1
    lifted = np.column_stack([points - points.mean(axis=0), np.ones(n)])
    weights = np.full(n, 1 / n)
    inverse = np.linalg.inv(lifted.T @ (weights[:, np.newaxis] * lifted))
    reach = np.einsum("ij,jk,ik->i", lifted, inverse, lifted)
    for _ in range(_ROUNDS):
        far, near = int(reach.argmax()), int(np.where(weights > 0, reach, np.inf).argmin())
        if max(reach[far] - size, size - reach[near]) < _TOLERANCE * size:
            break
        towards = reach[far] - size > size - reach[near]
        k = far if towards else near
        step = (reach[k] - size) / (size * (reach[k] - 1)) if reach[k] > 1 else -np.inf
        step = step if towards else max(step, -weights[k] / (1 - weights[k]))
        ratio = step / (1 - step) / (1 + step / (1 - step) * reach[k])
        moved = inverse @ lifted[k]
        inverse = (inverse - ratio * np.outer(moved, moved)) / (1 - step)
        reach = (reach - ratio * (lifted @ moved) ** 2) / (1 - step)
        weights *= 1 - step
        weights[k] = weights[k] + step if weights[k] + step > 1e-15 else 0.0
    offsets = points - weights @ points / weights.sum()
    spread = offsets.T @ (weights[:, np.newaxis] * offsets)
    scale = np.einsum("ij,jk,ik->i", offsets, np.linalg.inv(spread), offsets).max()
    semi_axes: NDArray[np.float64] = np.sqrt(scale * np.linalg.eigvalsh(spread)[::-1])
    return semi_axes
