"""The common scale of images before and after contrast, recovered from their subtractions."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

FEWEST_PIXELS = 20
LEAST_R_SQUARED = 0.25
LEAST_BASELINE = 0.05  # k · before, as a share of after
_HUBER = 1.345  # 95 % as good as least squares where the noise is normal
_ROUNDS, _TOLERANCE = 50, 1e-6


class CommonScale(NamedTuple):
    """What brings an image before contrast to the scale of those after it.

    Attributes
    ----------
    k : float
        ``after − k · before`` is the uptake of contrast medium, in the unit of the images after contrast. NaN where
        the subtractions do not tell; `reason` then says why.
    a, b : tuple of float
        Gain and offset of each phase: ``subtraction ≈ a · (after − k · before) + b``.
    r_squared : float
        The share of the variance of the subtractions that this explains, over the pixels used. NaN without a fit.
    pixels : int
        How many pixels were used, those of all phases counted.
    """

    k: float
    a: tuple[float, ...]
    b: tuple[float, ...]
    r_squared: float
    pixels: int

    @property
    def reason(self) -> str:
        """Why `k` is NaN; empty where it is a number."""
        if not np.isnan(self.k):
            return ""
        if self.pixels < FEWEST_PIXELS:
            return f"{self.pixels} pixels are not clipped, fewer than {FEWEST_PIXELS}"
        if self.r_squared < LEAST_R_SQUARED:
            return f"the subtractions do not follow from the phases, r² {self.r_squared:.2f}"
        return "the subtractions do not fall where the phase before contrast rises: they are not after minus before"


def common_scale(
    before: Sequence[ArrayLike],
    after: Sequence[ArrayLike],
    subtractions: Sequence[ArrayLike],
    *,
    clipped: tuple[float, float] = (0, 255),
) -> CommonScale:
    """Recover the scale between images before and after contrast from their subtractions.

    A viewer or an exporter maps grey values to 8 bits with a window of its own for each series, so that images
    before and after contrast have different units. Their subtractions were made before that, and tell the ratio:
    ``subtraction = a · (after − k · before) + b``, with one `k` for a patient, and `a` and `b` for each phase.

    Parameters
    ----------
    before : sequence of array_like, each of shape (rows, cols)
        The slices of one patient before contrast.
    after, subtractions : sequence of array_like, each of shape (phases, rows, cols)
        The same slices after contrast, and after minus before as it was exported.
    clipped : (float, float), default (0, 255)
        The ends of the range of grey values. Pixels at or beyond them in any of the three have lost their value and
        are left out.

    Returns
    -------
    CommonScale
        With `k` NaN and a `reason` where fewer than 20 pixels are left, where the fit explains less than a quarter
        of the variance, or where ``k · before`` is less than a twentieth of `after`: what was given as subtractions
        is something else then.

    Raises
    ------
    ValueError
        If the three do not fit together.

    Notes
    -----
    A robust fit over the pixels of all slices and phases: least squares with Huber's weights (Huber 1964, Robust
    estimation of a location parameter, https://doi.org/10.1214/aoms/1177703732), as motion between the phases makes
    outliers. The offset is needed: where a viewer shows a subtraction with a window that begins below 0, b is above
    0, and a fit without it finds far too small a k. On the 185 patients of BreaDM's train and val the median r² is
    0.98 and the middle half of k lies between 0.43 and 0.53; four patients have none.

    Examples
    --------
    >>> import numpy as np
    >>> before = np.arange(10.0, 60).reshape(5, 10)
    >>> after = np.stack([0.5 * before + 20 + before % 7, 0.5 * before + 40 + before % 3])
    >>> scale = common_scale([before], [after], [1.25 * (after - 0.5 * before)])
    >>> round(scale.k, 6), round(scale.a[0], 6), round(scale.r_squared, 6), scale.pixels
    (0.5, 1.25, 1.0, 100)
    """
    v, c, s = _pooled(before, after, subtractions)
    low, high = clipped
    used = (low < v) & (v < high) & (low < c) & (c < high) & (low < s) & (s < high)
    pixels = int(used.sum())
    unknown = (float("nan"),) * len(c)
    if pixels < FEWEST_PIXELS:
        return CommonScale(float("nan"), unknown, unknown, float("nan"), pixels)
    k, a, b = _fit(v, c, s, used)
    rest = (s - a[:, None] * (c - k * v) - b[:, None])[used]
    spread = s[used] - s[used].mean()
    total = float(spread @ spread)
    r_squared = 1 - float(rest @ rest) / total if total > 0 else 0.0
    after_mean = float(c[used].mean())
    before_mean = float(np.broadcast_to(v, c.shape)[used].mean())
    found = r_squared >= LEAST_R_SQUARED and k * before_mean >= LEAST_BASELINE * after_mean
    return CommonScale(float(k) if found else float("nan"), tuple(a.tolist()), tuple(b.tolist()), r_squared, pixels)


def _pooled(
    before: Sequence[ArrayLike], after: Sequence[ArrayLike], subtractions: Sequence[ArrayLike]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the pixels of all slices: ``(pixels,)`` before, ``(phases, pixels)`` after and subtracted."""
    if not len(before) or not len(before) == len(after) == len(subtractions):
        counts = f"{len(before)}, {len(after)} and {len(subtractions)}"
        raise ValueError(f"before, after and subtractions have {counts} slices; give as many of each, one at least")
    parts: list[tuple[NDArray[Any], ...]] = []
    for i, triple in enumerate(zip(before, after, subtractions, strict=True)):
        v, c, s = (np.asarray(array, dtype=np.float64) for array in triple)
        if c.ndim < 2 or c.shape != s.shape or c.shape[1:] != v.shape or len(c) != len(np.asarray(after[0])):
            raise ValueError(
                f"slice {i}: before has shape {v.shape}, after {c.shape}, subtractions {s.shape}; "
                "give (rows, cols) and twice (phases, rows, cols), with the same phases in every slice"
            )
        parts.append((v.reshape(-1), c.reshape(len(c), -1), s.reshape(len(s), -1)))
    v, c, s = (np.concatenate(part, axis=-1) for part in zip(*parts, strict=True))
    return v, c, s


def _fit(
    v: NDArray[np.float64], c: NDArray[np.float64], s: NDArray[np.float64], used: NDArray[np.bool_]
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Return k, and a and b of each phase, by iteratively reweighted least squares."""
    weight = used.astype(np.float64)
    k = 0.0
    for _ in range(_ROUNDS):
        previous = k
        k, a, b = _least_squares(v, c, s, weight)
        size = np.abs(s - a[:, None] * (c - k * v) - b[:, None])
        limit = _HUBER * 1.4826 * float(np.median(size[used]))
        weight = np.where(used, limit / np.maximum(size, limit), 0.0) if limit > 0 else weight
        if abs(k - previous) <= _TOLERANCE * max(1.0, abs(k)):
            break
    return k, a, b


def _least_squares(
    v: NDArray[np.float64], c: NDArray[np.float64], s: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Return k, a and b for these weights: a for the best k so far and k for that a, in turn."""
    total = weight.sum(axis=1)
    mean = [np.divide((weight * x).sum(axis=1), total, out=np.zeros(len(c)), where=total > 0) for x in (v, c, s)]
    v, c, s = (x - m[:, None] for x, m in zip((v, c, s), mean, strict=True))
    cc, cv, vv, sc, sv = ((weight * x * y).sum(axis=1) for x, y in ((c, c), (c, v), (v, v), (s, c), (s, v)))
    k, a = 0.5, np.ones(len(c))
    for _ in range(500):
        energy = cc - 2 * k * cv + k * k * vv
        a = np.divide(sc - k * sv, energy, out=np.zeros_like(energy), where=energy > 0)
        scale = float(a * a @ vv)
        if scale <= 0:
            break
        previous = k
        k = float((a * a) @ cv - a @ sv) / scale
        if abs(k - previous) <= 1e-9 * max(1.0, abs(k)):
            break
    return k, a, mean[2] - a * (mean[1] - k * mean[0])
