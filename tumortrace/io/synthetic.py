"""Lesions from a seed, to try things on without any patient's data.

`make_series` makes dynamic series of volumes; `make_lesions` crops of breast lesions in the layout of BreaDM. What
these copy from real crops of breast DCE-MRI: the sizes (6 to 75 pixels a side, median about 25), the 17
sequences and how they hang together, window levels that differ per patient and between the images before and after
contrast, clipping, noise and JPEG. What they are not: a model of tumours. Never judge a method by them alone.
"""

import json
import math
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumortrace import _check
from tumortrace.io._synthetic_series import make_series as make_series

PHASES = 8
SEQUENCES = (
    "VIBRANT",
    *(f"VIBRANT+C{phase}" for phase in range(1, PHASES + 1)),
    *(f"SUB{phase}" for phase in range(1, PHASES + 1)),
)
"""The image before contrast, those after it, and the subtractions."""

SHOWN = "VIBRANT+C2"
"""The sequence that stands for a slice where one does: the second after contrast, when lesions differ most."""

_MARK = ".synthetic.json"
_OWN = {_MARK, "train", "val", "Benign", "Malignant"}
_QUALITY = 95
_SMALLEST, _LARGEST = 6, 75


def make_lesions(
    out: str | os.PathLike[str],
    *,
    patients: int = 60,
    slices: int = 6,
    malignant_fraction: float = 0.6,
    val_fraction: float = 0.2,
    separation: float = 1.8,
    seed: int = 0,
    progress: Callable[[int, int], object] | None = None,
) -> Path:
    """Make lesions and write them as a folder in the BreaDM layout.

    Benign lesions tend to be smooth, homogeneous and slow to enhance; malignant ones irregular, patchy, brighter at
    the rim, fast to enhance and washing out. The classes overlap.

    Parameters
    ----------
    out : str or path
        The folder to write. It must be absent, empty, or made by this function, in which case it is replaced.
    patients : int, default 60
        Number of patients, one lesion each.
    slices : int, default 6
        The most slices of a lesion; each has between a third of that and all of it. A slice is 17 images.
    malignant_fraction : float, default 0.6
        Share of malignant lesions, 0 to 1.
    val_fraction : float, default 0.2
        Share of the patients of each class that go to the split ``val``, the others to ``train``. With 0 there is
        no level for splits.
    separation : float, default 1.8
        How easy the classes are to tell apart, 0 (not at all) or more; see the notes.
    seed : int, default 0
        The same seed and parameters give the same bytes.
    progress : callable, optional
        Called with the number of patients done and the number of all, after each.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    ValueError
        If a parameter is out of its range.
    FileExistsError
        If `out` is a file, or holds something that this function has not written.

    Notes
    -----
    A patient's class shows in two hidden numbers alone: one for form (outline, patchiness, rim) and one for
    kinetics (wash-in, wash-out). Each is normal with variance 1, and the means of the classes lie `separation`
    apart. So no method can expect more, per patient, than an AUC of ``Φ(separation)`` (0.964 by default), or
    ``Φ(separation / √2)`` (0.898) from form or kinetics alone. The hidden numbers are spread evenly over their
    distribution, so that the overlap differs little from seed to seed. Size, window levels, surroundings and slice
    numbers say nothing about the class.

    With baseline ``V``, images after contrast ``Cᵢ`` and each patient's scales, ``SUBᵢ = a · (Cᵢ − k · V)`` but for
    rounding and clipping to 0…255.

    The folder is written under a temporary name beside `out` and moved into place when it is complete.

    Examples
    --------
    >>> import tempfile
    >>> from tumortrace.io import find
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     len(find(make_lesions(folder, patients=2, slices=1)).frame)
    34
    """
    settings: dict[str, Any] = {
        "patients": _check.integer("patients", patients, 1),
        "slices": _check.integer("slices", slices, 1, 99),
        "malignant_fraction": _number("malignant_fraction", malignant_fraction, 1.0),
        "val_fraction": _number("val_fraction", val_fraction, 1.0),
        "separation": _number("separation", separation, math.inf),
        "seed": _check.integer("seed", seed, 0),
    }
    out = Path(out)
    _refuse_foreign(out)
    partial = out.with_name(f".{out.name}.partial-{os.getpid()}")
    partial.mkdir(parents=True)
    try:
        for done, lesion in enumerate(_draw(**settings), start=1):
            _write(partial, lesion)
            if progress is not None:
                progress(done, patients)
        (partial / _MARK).write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
        if out.exists():
            shutil.rmtree(out)
        partial.replace(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return out


def is_synthetic(path: str | os.PathLike[str]) -> bool:
    """Tell whether a file or a folder lies in what `make_lesions` wrote.

    Parameters
    ----------
    path : path
        An image, or a folder.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     is_synthetic(folder), is_synthetic(make_lesions(folder, patients=2, slices=1) / "train")
    (False, True)
    """
    path = Path(path).absolute()
    return any((place / _MARK).is_file() for place in (path, *path.parents))


def _number(name: str, value: Any, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= high or value == math.inf:
        bounds = "of at least 0" if high == math.inf else f"from 0 to {high:g}"
        raise ValueError(f"{name} is {value!r}; give a number {bounds}")
    return float(value)


def _refuse_foreign(out: Path) -> None:
    if out.is_dir():
        names = {entry.name for entry in out.iterdir()}
        if names and not (_MARK in names and names <= _OWN):
            raise FileExistsError(f"{out}: holds other files; give a new or empty folder")
    elif out.exists():
        raise FileExistsError(f"{out}: is a file; give a new or empty folder")


@dataclass(frozen=True)
class _Lesion:
    """What is drawn for one patient before any pixel is."""

    name: str
    folder: str
    form: float
    kinetics: float
    depth: int
    rng: np.random.Generator


def _draw(
    patients: int, slices: int, malignant_fraction: float, val_fraction: float, separation: float, seed: int
) -> list[_Lesion]:
    """Draw the patients: class, split, and the two hidden numbers."""
    rng = np.random.default_rng(seed)
    malignant = round(patients * malignant_fraction)
    order = rng.permutation(patients)
    lesions = {}
    for label, count, mean in (("Benign", patients - malignant, -0.5), ("Malignant", malignant, 0.5)):
        members, order = order[:count], order[count:]
        form, kinetics = (_spread(count, rng) + mean * separation for _ in range(2))
        n_val = round(count * val_fraction)
        for i, number in enumerate(members.tolist()):
            split = "" if val_fraction == 0 else "val/" if i < n_val else "train/"
            own = np.random.default_rng([seed, number])
            depth = int(own.integers(-(-slices // 3), slices, endpoint=True))
            name = f"SYN-{number + 1:03d}"
            lesions[number] = _Lesion(
                name, f"{split}{label}/{name}", float(form[i]), float(kinetics[i]), depth, own
            )
    return [lesions[number] for number in range(patients)]


def _spread(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return evenly spread quantiles of the normal distribution, in random order."""
    normal = NormalDist()
    return rng.permutation(np.array([normal.inv_cdf((i + 0.5) / count) for i in range(count)]))


def _write(root: Path, lesion: _Lesion) -> None:
    from PIL import Image

    images = _render(lesion)
    first = int(lesion.rng.integers(20, 80))
    for sequence, stack in zip(SEQUENCES, images, strict=True):
        folder = root / lesion.folder / sequence
        folder.mkdir(parents=True)
        for number, pixels in enumerate(stack, start=first):
            Image.fromarray(pixels).save(folder / f"p-{number:03d}.jpg", "JPEG", quality=_QUALITY)


def _render(lesion: _Lesion) -> NDArray[np.uint8]:
    """Return the images of a lesion, shape (17, slices, rows, cols)."""
    from scipy.ndimage import gaussian_filter

    rng = lesion.rng
    shape = (lesion.depth, *_size(rng))
    form = _share(lesion.form, rng)
    distance, pixels = _distance(shape, 0.25 * form, rng)
    inside = np.clip((1 - distance) * pixels + 0.5, 0, 1)

    gland = np.clip(rng.normal(0.65, 0.12) + 0.3 * _field(shape, 3.5, rng), 0.12, 1.1)
    own = rng.normal(0.8, 0.1) + 0.06 * _field(shape, 1.5, rng)
    before = inside * own + (1 - inside) * gland

    core = np.exp(-((distance / 0.6) ** 2))
    patches = 1 + (0.04 + 0.4 * form) * _field(shape, rng.uniform(1.0, 2.0), rng)
    strength = rng.lognormal(math.log(0.9), 0.25) * np.clip(patches, 0.1, 2) * (1 - 0.75 * form * core)
    phase = np.arange(1, PHASES + 1)[:, None, None, None]
    lesion_uptake = strength * _curve(phase, lesion.kinetics, core * form, rng)
    gland_uptake = rng.uniform(0.05, 0.4) * gland * phase / PHASES
    after = before + inside * lesion_uptake + (1 - inside) * gland_uptake

    signal = gaussian_filter(np.concatenate([before[None], after]), (0, 0, 0.6, 0.6))
    signal += rng.uniform(0.01, 0.04) * rng.standard_normal(signal.shape)
    subtraction = signal[1:] - signal[0]
    images = np.concatenate(
        [
            signal[:1] * _window(signal[0], 138, rng),
            signal[1:] * _window(signal[-1], 150, rng),
            subtraction * _window(np.maximum(subtraction[-1], 0), 128, rng),
        ]
    )
    grey: NDArray[np.uint8] = np.clip(np.rint(images), 0, 255).astype(np.uint8)
    return grey


def _share(hidden: float, rng: np.random.Generator) -> float:
    """Return a hidden number, slightly blurred, as a share from 0 (benign) to 1 (malignant)."""
    return 1 / (1 + math.exp(-1.5 * (hidden + 0.1 * rng.standard_normal())))


def _size(rng: np.random.Generator) -> tuple[int, int]:
    """Return rows and columns of a crop."""
    side = rng.lognormal(math.log(25), 0.38)
    aspect = rng.lognormal(0, 0.14)
    rows, cols = (int(np.clip(round(float(x)), _SMALLEST, _LARGEST)) for x in (side * aspect, side / aspect))
    return rows, cols


def _distance(
    shape: tuple[int, int, int], irregularity: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], float]:
    """Return how far each pixel is from the centre, 1 on the outline, and how many pixels that is."""
    depth, rows, cols = shape
    half = np.array([rows, cols]) / 2 - rng.uniform(0, 2.5)
    height = 0.85 * np.linspace(-1, 1, depth + 2)[1:-1, None, None]
    y = (np.arange(rows) - (rows - 1) / 2)[:, None] / half[0]
    x = (np.arange(cols) - (cols - 1) / 2) / half[1]
    angle = np.arctan2(y, x) + np.zeros((depth, 1, 1))
    outline = np.zeros(shape)
    for lobes in range(2, 10):
        turn = rng.uniform(0, 2 * np.pi) + rng.normal(0, 0.8) * height
        outline += rng.standard_normal() / math.sqrt(lobes) * np.cos(lobes * angle + turn)
    outline = 1 + irregularity * outline
    outline = np.maximum(outline / outline.max(), 0.2) * np.sqrt(1 - height**2)
    return np.hypot(x, y) / outline, float(half.min())


def _field(shape: tuple[int, int, int], grain: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a random field of mean 0 and variance 1, smooth over `grain` pixels."""
    from scipy.ndimage import gaussian_filter

    field: NDArray[np.float64] = gaussian_filter(rng.standard_normal(shape), (0.8, grain, grain), mode="wrap")
    field -= field.mean()
    field /= field.std() + 1e-9
    return field


def _curve(
    phase: NDArray[np.int_], kinetics: float, core: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the uptake over the phases, 1 at most; later in the core."""
    time = 3.5 * math.exp(-2.4 * _share(kinetics, rng)) * (1 + 0.6 * core)
    wash_out = -0.1 + 0.55 * _share(kinetics, rng)
    return (1 - np.exp(-phase / time)) * (1 - wash_out * np.maximum(phase - 2, 0) / (PHASES - 2))


def _window(image: NDArray[np.float64], mean: float, rng: np.random.Generator) -> float:
    """Return the factor that shows `image` with about this mean grey value."""
    return float(mean * rng.lognormal(0, 0.15) / max(image.mean(), 0.05))
