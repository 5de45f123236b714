"""Kinetics: how contrast medium comes and goes, from a stack of phases."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace.features._vector import FeatureVector

CURVE = ("wash_in", "peak_enhancement", "time_to_peak", "wash_out", "signal_enhancement_ratio", "area_under_curve")
ZONES = ("lesion", "rim", "core", "hot_spot")
SPREAD = ("standard_deviation", "percentile_10", "percentile_90", "autocorrelation")
TYPES = ("persistent_fraction", "plateau_fraction", "wash_out_fraction")
NAMES = (
    *(f"{zone}_{name}" for zone in ZONES for name in CURVE),
    *(f"{name}_{statistic}" for name in CURVE for statistic in SPREAD),
    *TYPES,
)


class EnhancementMaps(NamedTuple):
    """The course of enhancement in each pixel."""

    wash_in: NDArray[np.float64]
    peak_enhancement: NDArray[np.float64]
    time_to_peak: NDArray[np.float64]
    wash_out: NDArray[np.float64]
    signal_enhancement_ratio: NDArray[np.float64]
    area_under_curve: NDArray[np.float64]


def kinetics(
    stack: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    spacing: Sequence[float] | None = None,
    scale: float = 1.0,
    times: Sequence[float] | None = None,
    early: int = 2,
    plateau: float = 0.1,
) -> FeatureVector:
    """Describe how a lesion enhances."""
    images, region = _checked(stack, mask)
    enhancement = images[1:] - _check.positive("scale", scale) * images[0]
    unit = images[1:, region].mean()
    if not unit > 0:
        return FeatureVector(NAMES, np.full(len(NAMES), np.nan), "no signal after contrast")
    enhancement /= unit
    maps = _maps(enhancement, early)
    values = []
    top = maps.peak_enhancement >= np.quantile(maps.peak_enhancement[region], 0.9)
    core = np.zeros_like(region)
    rows, cols = region.shape[1:]
    core[:, rows // 4 : rows - rows // 4, cols // 4 : cols - cols // 4] = True
    for zone in (region, region & ~core, region & core, region & top):
        course = enhancement[:, zone].mean(axis=1) if zone.any() else np.full(len(enhancement), np.nan)
        values += [float(v) for v in _maps(course, early)]
    for m in maps:
        inside = m[region]
        values += [inside.std(), *np.percentile(inside, (10, 90)), _autocorrelation(m)]
    late = maps.wash_out[region]
    values += [np.mean(late > plateau), np.mean(abs(late) <= plateau), np.mean(late < -plateau)]
    missing = np.isnan(values).any()
    return FeatureVector(NAMES, values, "the lesion has no rim or core" if missing else "")


def _checked(stack: ArrayLike, mask: ArrayLike | None) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    images = np.asarray(stack, dtype=np.float64)
    if images.ndim == 3:
        images = images[:, None]
    if images.ndim != 4 or len(images) < 3:
        raise ValueError(f"stack has shape {np.shape(stack)}; give (phases, rows, cols) of three phases or more")
    if mask is None:
        return images, np.ones(images.shape[1:], bool)
    return images, np.asarray(mask, bool).reshape(images.shape[1:])


def _maps(e: NDArray[Any], early: int) -> EnhancementMaps:
    first = e[:early].max(axis=0)
    safe = np.where(np.abs(first) > 1e-3, first, 1e-3)
    last = np.where(np.abs(e[-1]) > 1e-3, e[-1], 1e-3)
    return EnhancementMaps(
        e[0],
        e.max(axis=0),
        e.argmax(axis=0) + 1.0,
        np.clip((e[-1] - first) / safe, -2, 2),
        np.clip(first / last, -1, 4),
        e.mean(axis=0),
    )


def _autocorrelation(m: NDArray[Any]) -> float:
    d = m - m.mean()
    variance = (d * d).mean()
    if not variance > 1e-15 or min(m.shape[1:]) < 2:
        return 0.0
    return float(((d[:, 1:] * d[:, :-1]).mean() + (d[:, :, 1:] * d[:, :, :-1]).mean()) / 2 / variance)
