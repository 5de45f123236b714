"""Separable filters, and all of their right-angle rotations, pooled.

Rotating an image by right angles, filtering it and rotating the response back is the same as filtering the image
with the kernels exchanged between the axes and reversed. There are 4 such rotations in the plane, 24 in space.
"""

from collections.abc import Iterator, Sequence
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from tumortrace.filters._boundary import Volume, convolve, pooled

Chain = tuple[NDArray[np.float64], ...]
"""Kernels of odd length that are applied one after the other along one axis."""


def separable(
    volume: Volume, chains: Sequence[Chain], axes: Sequence[int], boundary: str, pooling: str | None
) -> Volume:
    """Return the response of a separable filter: one chain per axis, or all of its rotations, pooled."""
    if pooling is None:
        return next(_responses(volume, [tuple(chains)], axes, boundary))
    return pooled(_responses(volume, rotations(chains), axes, boundary), pooling)


def rotations(chains: Sequence[Chain]) -> list[tuple[Chain, ...]]:
    """Return the distinct arrangements of `chains` that right-angle rotations make, the given one first."""
    n = len(chains)
    found: dict[tuple[tuple[bytes, ...], ...], tuple[Chain, ...]] = {}
    for order in permutations(range(n)):
        parity = round(np.linalg.det(np.eye(n)[list(order)]))
        for signs in product((1, -1), repeat=n):
            if parity * np.prod(signs) == 1:
                turned = tuple(_turned(chains[i], sign) for i, sign in zip(order, signs, strict=True))
                found.setdefault(tuple(map(_key, turned)), turned)
    return list(found.values())


def _turned(chain: Chain, sign: int) -> Chain:
    return tuple(np.ascontiguousarray(kernel[::sign]) for kernel in chain)


def _key(chain: Chain) -> tuple[bytes, ...]:
    return tuple(kernel.tobytes() for kernel in chain)


def _responses(
    volume: Volume, arrangements: list[tuple[Chain, ...]], axes: Sequence[int], boundary: str
) -> Iterator[Volume]:
    """Yield the response of every arrangement; those that begin alike share what they begin with."""
    if not axes:
        yield volume
        return
    groups: dict[tuple[bytes, ...], list[tuple[Chain, ...]]] = {}
    for arrangement in arrangements:
        groups.setdefault(_key(arrangement[0]), []).append(arrangement)
    for group in groups.values():
        filtered = convolve(volume, axes[0], group[0][0], boundary)
        yield from _responses(filtered, [rest[1:] for rest in group], axes[1:], boundary)
