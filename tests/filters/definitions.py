"""Slow, obvious filters, written from the definitions of IBSI 2 as sums over a kernel."""

from itertools import product

import numpy as np


def beyond(index, n, boundary):
    """The voxel that stands for `index` in a line of n voxels, or None for a zero."""
    if boundary == "mirror":
        index %= 2 * n
        return index if index < n else 2 * n - 1 - index
    if boundary == "nearest":
        return min(max(index, 0), n - 1)
    if boundary == "periodic":
        return index % n
    return index if 0 <= index < n else None


def convolved(image, kernel, boundary):
    """Σ_k g[k] f[i − k], with g[0] in the middle of a kernel of odd sides."""
    middle = [n // 2 for n in kernel.shape]
    result = np.zeros(image.shape, dtype=kernel.dtype)
    for where in np.ndindex(image.shape):
        for k in np.ndindex(kernel.shape):
            seen = [
                beyond(i - (j - m), n, boundary) for i, j, m, n in zip(where, k, middle, image.shape, strict=True)
            ]
            if None not in seen:
                result[where] += kernel[k] * image[tuple(seen)]
    return result


def outer(*kernels):
    """The product of kernels along the axes of an array."""
    result = np.ones(())
    for kernel in kernels:
        result = np.multiply.outer(result, np.asarray(kernel, dtype=float))
    return result


def log_kernel(sigma, dimensions, truncate=4):
    """The Laplacian of a Gaussian, σ in voxels."""
    radius = int(truncate * sigma + 0.5)
    squared = sum(
        k.astype(float) ** 2 for k in np.meshgrid(*[np.arange(-radius, radius + 1)] * dimensions, indexing="ij")
    )
    scale = (1 / (np.sqrt(2 * np.pi) * sigma)) ** dimensions
    return -1 / sigma**2 * scale * (dimensions - squared / sigma**2) * np.exp(-squared / (2 * sigma**2))


def gabor_kernel(sigma, wavelength, gamma, theta, sides=(1.0, 1.0)):
    """Rows are k₂ and columns k₁, in mm."""
    radii = [int(4 * sigma / min(gamma, 1) / side + 0.5) for side in sides]
    kernel = np.zeros([2 * r + 1 for r in radii], dtype=complex)
    for row, column in np.ndindex(kernel.shape):
        k2, k1 = (row - radii[0]) * sides[0], (column - radii[1]) * sides[1]
        x = k1 * np.cos(np.deg2rad(theta)) + k2 * np.sin(np.deg2rad(theta))
        y = -k1 * np.sin(np.deg2rad(theta)) + k2 * np.cos(np.deg2rad(theta))
        kernel[row, column] = np.exp(-(x**2 + gamma**2 * y**2) / (2 * sigma**2) + 2j * np.pi * x / wavelength)
    return kernel


def right_angle_rotations(array):
    """Every rotation of a square or a cube onto itself, with what undoes it."""
    for order in product(range(4), repeat=3):
        planes = [(0, 1), (0, 2), (1, 2)] if array.ndim == 3 else [(0, 1)]
        steps = list(zip(order, planes, strict=False))
        turned = array
        for k, plane in steps:
            turned = np.rot90(turned, k, plane)

        def undo(response, steps=steps):
            for k, plane in reversed(steps):
                response = np.rot90(response, -k, plane)
            return response

        yield turned, undo
