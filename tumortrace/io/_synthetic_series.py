"""Dynamic series of volumes from a seed, as NIfTI, to try things on without any patient's data."""

import csv
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tumortrace import _check
from tumortrace.io._image import Image
from tumortrace.io._write_volume import write_nifti

SPACING = (3.0, 1.0, 1.0)
"""Slices, rows, columns, in mm."""

_MARK = ".synthetic.json"
_MANIFEST = "manifest.csv"
_LARGEST = 999


def make_series(
    out: str | os.PathLike[str],
    *,
    patients: int = 4,
    phases: int = 5,
    interval: float = 60.0,
    shape: Sequence[int] = (8, 32, 32),
    seed: int = 0,
) -> Path:
    """Make dynamic contrast-enhanced series with one lesion each, as NIfTI of four dimensions, and masks.

    Half of the patients, the first and every second after, are ``Benign``: their lesions are smooth and go on
    rising. Those of the others, ``Malignant``, are patchy, brighter at the rim, fast to enhance and washing out. No
    model of tumours: never judge a method by them.

    Parameters
    ----------
    out : str or path
        The folder to write. It must be absent, empty, or made by this function, in which case it is replaced.
    patients : int, default 4
        How many series, 1 to 999.
    phases : int, default 5
        Of each, 3 or more; the first is before contrast.
    interval : float, default 60.0
        Seconds from a phase to the next.
    shape : sequence of int, default (8, 32, 32)
        Slices, rows and columns, 4 or more each. Voxels are 3 × 1 × 1 mm.
    seed : int, default 0
        The same seed and parameters give the same bytes.

    Returns
    -------
    Path
        `out`. It holds ``SYN-001.nii.gz``, int16, and ``SYN-001_mask.nii.gz`` for each patient, and
        ``manifest.csv`` with the columns Image, Mask, Label and Patient.

    Raises
    ------
    ValueError
        If a parameter is out of its range.
    FileExistsError
        If `out` is a file, or holds something that this function has not written.
    ImageError
        If the extra ``medical`` is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from tumortrace.io import read_lesion
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = make_series(folder, patients=1)
    ...     series = read_lesion(made / "SYN-001.nii.gz", made / "SYN-001_mask.nii.gz", phases=True)
    >>> series.array.shape, series.times
    ((5, 8, 32, 32), (0.0, 60.0, 120.0, 180.0, 240.0))
    """
    _check.integer("patients", patients, 1, _LARGEST)
    _check.integer("phases", phases, 3)
    _check.positive("interval", interval)
    size = _check.integers("shape", shape, 4, length=3)
    _check.integer("seed", seed, 0)
    out = Path(out)
    _refuse_foreign(out)
    partial = out.with_name(f".{out.name}.partial-{os.getpid()}")
    partial.mkdir(parents=True)
    try:
        rows = [_write(partial, number, phases, interval, size, seed) for number in range(patients)]
        with (partial / _MANIFEST).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([("Image", "Mask", "Label", "Patient"), *rows])
        (partial / _MARK).write_text("{}\n", encoding="utf-8")
        if out.exists():
            shutil.rmtree(out)
        partial.replace(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return out


def _refuse_foreign(out: Path) -> None:
    if out.is_dir():
        names = {entry.name for entry in out.iterdir()}
        own = {name for name in names if name.startswith("SYN-")} | {_MARK, _MANIFEST}
        if names and not (_MARK in names and names <= own):
            raise FileExistsError(f"{out}: holds other files; give a new or empty folder")
    elif out.exists():
        raise FileExistsError(f"{out}: is a file; give a new or empty folder")


def _write(
    folder: Path, number: int, phases: int, interval: float, shape: tuple[int, ...], seed: int
) -> tuple[str, str, str, str]:
    """Write the series of a patient, and return its line of the manifest."""
    name = f"SYN-{number + 1:03d}"
    malignant = number % 2 == 1
    times = tuple(interval * k for k in range(phases))
    array, mask = _render(np.random.default_rng([seed, number]), malignant, np.array(times), shape)
    grid = Image(array, spacing=SPACING, origin=(0.0, 0.0, 0.0), direction=np.fliplr(np.eye(3)), times=times)
    write_nifti(folder / f"{name}.nii.gz", array, grid)
    write_nifti(folder / f"{name}_mask.nii.gz", mask, grid)
    return f"{name}.nii.gz", f"{name}_mask.nii.gz", "Malignant" if malignant else "Benign", name


def _render(
    rng: np.random.Generator, malignant: bool, times: NDArray[np.float64], shape: tuple[int, ...]
) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    """Return the phases and the mask of a lesion."""
    from scipy.ndimage import gaussian_filter

    def field(grain: float) -> NDArray[np.float64]:
        smooth = gaussian_filter(rng.standard_normal(shape), [grain / s for s in SPACING], mode="wrap")
        return np.asarray(smooth / (smooth.std() + 1e-9))

    half = np.array(shape) / 2
    radii = half * rng.uniform(0.45, 0.65, 3)
    index = np.stack(np.meshgrid(*(np.arange(n) - (n - 1) / 2 for n in shape), indexing="ij"), axis=-1)
    distance = np.sqrt(((index / radii) ** 2).sum(axis=-1)) + (0.08 if malignant else 0.04) * field(4.0)
    distance -= distance.min()  # the centre is inside whatever the field
    mask = distance < 1

    uptake = np.exp(rng.normal(0.0, 0.15)) * (1 + (0.35 if malignant else 0.08) * field(2.5))
    uptake *= 0.5 + 0.7 * distance if malignant else 1.0
    rise, loss = (rng.uniform(25, 45), rng.uniform(0.2, 0.4)) if malignant else (rng.uniform(90, 160), -0.1)
    curve = 1 - np.exp(-times / rise)
    curve *= 1 - loss * np.clip(times - 2 * rise, 0, None) / times[-1]
    lesion, around = np.clip(uptake, 0.1, 2.5), 0.15 * times / times[-1]
    before = 400 + 30 * field(6.0)
    own, gland = (values[:, np.newaxis, np.newaxis, np.newaxis] for values in (curve, around))
    signal = before * (1 + np.where(mask, lesion * own, gland)) + 8 * rng.standard_normal((len(times), *shape))
    return np.clip(np.rint(signal), 0, 4095).astype(np.int16), mask
