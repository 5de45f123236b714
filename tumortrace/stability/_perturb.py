"""Perturbations: the same lesion as another position, another scan or another reader would have given it.

Reference: Zwanenburg et al. 2019, Assessing robustness of radiomic features by image perturbation,
https://doi.org/10.1038/s41598-018-36938-4.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumortrace import _check
from tumortrace._entry import Entry, expand, words

Mask = NDArray[np.bool_] | None
Perturbed = tuple[NDArray[Any], Mask]

_HALF = 0.5


def shift(image: NDArray[Any], mask: Mask, *, spacing: Sequence[float], rng: Any, by: float) -> Perturbed:
    """Shift image and mask by a part of a voxel along every axis of more than one voxel.

    Parameters
    ----------
    image, mask : ndarray
        The mask may be None.
    spacing, rng
        Accepted by every perturbation; no effect.
    by : float
        In voxels. Intensities are interpolated by cubic splines, the mask linearly and cut at a half.

    Examples
    --------
    >>> ramp = np.arange(40.0) * np.ones((40, 1))
    >>> shift(ramp, None, spacing=(1, 1), rng=None, by=0.5)[0][20, 18:22].round(6)
    array([17.5, 18.5, 19.5, 20.5])
    """
    from scipy import ndimage

    offsets = [float(by) if n > 1 else 0.0 for n in image.shape]
    moved = ndimage.shift(image.astype(np.float64), offsets, order=3, mode="nearest")
    if mask is None:
        return moved, None
    return moved, ndimage.shift(mask.astype(np.float64), offsets, order=1, mode="constant") >= _HALF


def rotate(image: NDArray[Any], mask: Mask, *, spacing: Sequence[float], rng: Any, degrees: float) -> Perturbed:
    """Turn image and mask in the plane of the slices about the middle of the mask, or of the image.

    Parameters
    ----------
    image, mask, rng
        As of `shift`.
    spacing : sequence of float
        In mm: where rows and columns are not equally far apart, the turn is one in space.
    degrees : float
        Positive turns rows towards columns.

    Examples
    --------
    >>> square = np.zeros((5, 5))
    >>> square[0, 2] = 1
    >>> int(rotate(square, None, spacing=(1, 1), rng=None, degrees=90)[0].round().argmax())
    10
    """
    from scipy import ndimage

    angle = np.deg2rad(float(degrees))
    steps = np.asarray(spacing[-2:], dtype=np.float64)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    plane = turn * steps[np.newaxis] / steps[:, np.newaxis]
    matrix = np.eye(image.ndim)
    matrix[-2:, -2:] = plane
    middle = (np.asarray(image.shape) - 1) / 2
    if mask is not None and mask.any():
        middle = np.argwhere(mask).mean(axis=0)
    offset = middle - matrix @ middle
    turned = ndimage.affine_transform(image.astype(np.float64), matrix, offset, order=3, mode="nearest")
    if mask is None:
        return turned, None
    share = ndimage.affine_transform(mask.astype(np.float64), matrix, offset, order=1, mode="constant")
    return turned, share >= _HALF


def noise(
    image: NDArray[Any], mask: Mask, *, spacing: Sequence[float], rng: Any, sigma: float | None = None
) -> Perturbed:
    """Add Gaussian noise.

    Parameters
    ----------
    image, mask, spacing
        As of `shift`.
    rng : numpy.random.Generator
    sigma : float, optional
        Standard deviation in the unit of the image; None is that of the noise in the image, see `noise_level`.
    """
    level = noise_level(image) if sigma is None else _check.positive("sigma", sigma)
    return image + rng.normal(0.0, 1.0, image.shape) * level, mask


def noise_level(image: NDArray[Any]) -> float:
    """Estimate the standard deviation of the noise in an image.

    From the differences of 2 × 2 pixels in a slice that are diagonal in the Haar wavelet: their median magnitude
    over 0.6745. Edges are few among them.

    References
    ----------
    Donoho, Johnstone 1994, Ideal spatial adaptation by wavelet shrinkage, https://doi.org/10.1093/biomet/81.3.425

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> round(noise_level(100 + 5 * rng.normal(size=(200, 200))))
    5
    """
    values = image.astype(np.float64)
    corners = values[..., ::2, ::2], values[..., 1::2, ::2], values[..., ::2, 1::2], values[..., 1::2, 1::2]
    rows, cols = (min(corner.shape[axis] for corner in corners) for axis in (-2, -1))
    a, b, c, d = (corner[..., :rows, :cols] for corner in corners)
    return float(np.median(np.abs(a - b - c + d)) / 2 / 0.6745) if a.size else 0.0


def grow(image: NDArray[Any], mask: Mask, *, spacing: Sequence[float], rng: Any, fraction: float) -> Perturbed:
    """Let the mask grow by a share of its volume, or shrink where `fraction` is below 0.

    Parameters
    ----------
    image, mask, rng
        As of `shift`. Without a mask nothing happens.
    spacing : sequence of float
        In mm. Voxels join, and leave, in the order of how much of their surroundings is mask: a Gaussian of the
        smallest spacing tells. Of voxels with as much, the first in the array come first. One at least stays.
    fraction : float
        Above −1.

    Examples
    --------
    >>> grow(np.zeros((1, 7)), np.array([[0, 0, 0, 1, 1, 0, 0]], bool), spacing=(1, 1), rng=None, fraction=1)[1] * 1
    array([[0, 0, 1, 1, 1, 1, 0]])
    """
    from scipy.ndimage import gaussian_filter

    if mask is None or fraction == 0:
        return image, mask
    n = int(np.count_nonzero(mask))
    wanted = min(max(round(n * (1 + fraction)), 1), mask.size)
    steps = np.asarray(spacing, dtype=np.float64)
    beside = gaussian_filter(mask.astype(np.float64), steps.min() / steps, mode="constant")
    first = np.argsort(-(beside + mask), axis=None, kind="stable")[:wanted]
    changed = np.zeros(mask.size, dtype=bool)
    changed[first] = True
    return image, changed.reshape(mask.shape)


PERTURBATIONS: dict[str, Callable[..., Perturbed]] = {
    "shift": shift,
    "rotate": rotate,
    "noise": noise,
    "grow": grow,
}
"""Name → perturbation, ``name(image, mask, *, spacing, rng, …) -> (image, mask)``."""

DEFAULT: tuple[Any, ...] = (
    {"shift": {"by": [0.25, 0.5]}},
    {"rotate": {"degrees": [-4, 4]}},
    "noise",
    {"grow": {"fraction": [-0.1, 0.1]}},
    [{"rotate": {"degrees": -2}}, {"shift": {"by": 0.5}}, "noise"],
    [{"rotate": {"degrees": 2}}, {"shift": {"by": 0.25}}, {"grow": {"fraction": 0.1}}],
    [{"shift": {"by": -0.25}}, "noise", {"grow": {"fraction": -0.1}}],
)
"""What is done where nothing is said: ten copies, most with one perturbation, three with several."""

_SUPPLIED = ("spacing", "rng")
Chain = tuple[Entry, ...]


def parse(entries: Iterable[Any]) -> list[Chain]:
    """Return the perturbed copies that a list stands for, each a chain of perturbations.

    Parameters
    ----------
    entries : list
        Of a name (``"noise"``), of one name with parameters (``{"rotate": {"degrees": [-4, 4]}}``, a copy for each
        value), or of a list of these: one copy that undergoes all of them in turn.

    Raises
    ------
    ValueError
        If a name or a parameter is not valid, or there is no entry; the message lists the valid ones.

    Examples
    --------
    >>> [label(chain) for chain in parse([{"shift": {"by": [0.25, 0.5]}}, ["noise", {"grow": {"fraction": 0.1}}]])]
    ['shift_by_0_25', 'shift_by_0_5', 'noise then grow_fraction_0_1']
    """
    chains: list[Chain] = []
    for entry in entries:
        if isinstance(entry, str | Mapping):
            chains += [(one,) for one in expand(entry, PERTURBATIONS, "perturbation", _SUPPLIED)]
            continue
        steps = [expand(step, PERTURBATIONS, "perturbation", _SUPPLIED) for step in entry]
        if any(len(step) != 1 for step in steps) or not steps:
            raise ValueError(f"perturbation {entry!r} is a chain; give each of its parameters one value")
        chains.append(tuple(step[0] for step in steps))
    if not chains:
        raise ValueError(f"there are no perturbations; give some of {', '.join(PERTURBATIONS)}")
    return chains


def label(chain: Chain) -> str:
    """Return a chain in words."""
    return " then ".join(
        "_".join([name, *(f"{key}_{words(value)}" for key, value in given.items() if value is not None)])
        for name, given in chain
    )


def apply(chain: Chain, image: NDArray[Any], mask: Mask, spacing: Sequence[float], rng: Any) -> Perturbed:
    """Perturb an image and its mask.

    Raises
    ------
    ValueError
        If a perturbation leaves no voxel of the mask.
    """
    for name, given in chain:
        image, mask = PERTURBATIONS[name](image, mask, spacing=spacing, rng=rng, **given)
        if mask is not None and not mask.any():
            raise ValueError(f"{label(((name, given),))} leaves no voxel of the mask")  # type: ignore[arg-type]
    return image, mask
