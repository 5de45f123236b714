"""Synthetic lesions to click on, of patients that no model has seen."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumortrace import io
from tumortrace.io._listing import natural
from tumortrace.io.synthetic import SHOWN
from tumortrace.web._phases import COUNTS
from tumortrace.web._reader import Box, png

FIELD = (176, 208)
"""Rows and columns of a slice."""

_TITLES = {"crop": "one crop", "slice": "a slice", "9": "9 phases", "17": "17 phases"}
_TRUTHS = ("Benign", "Malignant")
_BOXES = "boxes.json"
_SEED = 2026
_VOLUME, _SPACING = (30, 88, 104), (2.0, 0.8, 0.8)  # voxels, and millimetres between them
_ELLIPSOIDS = (
    ((29.0, 33.0, 38.0), (15.0, 12.0, 14.0)),
    ((22.0, 50.0, 66.0), (5.0, 4.5, 5.5)),
)  # centre, axes in mm
_CLEAR = 3.2  # how far apart the classes lie: an example should look like what it is


@dataclass(frozen=True)
class Example:
    """A lesion to click on.

    Parameters
    ----------
    key : str
        Tells it apart.
    kind : {"crop", "slice", "9", "17"}
        What it is an example of.
    title : str
        What to call it.
    truth : {"Benign", "Malignant"}
        As it was made.
    paths : tuple of Path
        Its files.
    names : tuple of str
        What a person would call them.
    box : Box or None
        Of a slice: where the lesion is.
    """

    key: str
    kind: str
    title: str
    truth: str
    paths: tuple[Path, ...]
    names: tuple[str, ...]
    box: Box | None = None


def examples(folder: Path) -> tuple[Example, ...]:
    """Return a benign and a malignant example of each kind, made where they are missing.

    Parameters
    ----------
    folder : Path
        Where they are kept; the folder that it lies in must exist.
    """
    if not folder.is_dir():
        draft = folder.with_name(f".{folder.name}.partial-{os.getpid()}")
        try:
            _make(draft)
            draft.replace(folder)
        except OSError:
            if not folder.is_dir():  # nobody else was faster
                raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    boxes = json.loads((folder / _BOXES).read_text(encoding="utf-8"))
    return tuple(_example(folder, kind, truth, boxes) for kind in _TITLES for truth in _TRUTHS)


def volume_example(folder: Path) -> tuple[Path, Path]:
    """Return a synthetic volume of a breast and the mask of its lesion and of a smaller one, made where missing.

    Raises
    ------
    ImageError
        If the extra ``medical`` is not installed.
    """
    image, mask = folder / "synthetic-volume.nii.gz", folder / "synthetic-volume-mask.nii.gz"
    if not mask.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        array, labels = _lesions_in_space(np.random.default_rng(_SEED))
        like = io.Image(array, spacing=_SPACING, origin=(-60.0, -40.0, -30.0), direction=np.eye(3)[:, ::-1])
        io.write_nifti(image, array, like)
        io.write_nifti(mask, labels, like)
    return image, mask


def _lesions_in_space(rng: np.random.Generator) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
    """Return tissue with two bright lesions, coarse of texture, and their labels."""
    from scipy.ndimage import gaussian_filter

    tissue, texture = (
        field / field.std()
        for grain in ((2, 5, 5), (0.7, 1.6, 1.6))
        for field in [gaussian_filter(rng.standard_normal(_VOLUME), grain, mode="wrap")]
    )
    array = 260 + 35 * tissue + 12 * rng.standard_normal(_VOLUME)
    labels = np.zeros(_VOLUME, dtype=np.uint8)
    place = np.indices(_VOLUME) * np.reshape(_SPACING, (3, 1, 1, 1))
    for label, (centre, axes) in enumerate(_ELLIPSOIDS, start=1):
        distance = np.sqrt(sum(((x - c) / a) ** 2 for x, c, a in zip(place, centre, axes, strict=True)))
        ragged = distance + 0.12 * tissue
        labels[ragged < 1] = label
        array += (420 + 90 * texture) / (1 + np.exp((ragged - 1) / 0.06))
    return np.clip(np.rint(array), 0, 4095).astype(np.int16), labels


def _example(folder: Path, kind: str, truth: str, boxes: dict[str, list[int]]) -> Example:
    key = _key(kind, truth)
    paths = tuple(sorted((folder / key).iterdir(), key=lambda path: natural(path.name)))
    box = Box(*boxes[key]) if key in boxes else None
    names = tuple(path.name for path in paths)
    return Example(key, kind, f"{truth}, {_TITLES[kind]}", truth, paths, names, box)


def _key(kind: str, truth: str) -> str:
    return f"{kind}-{truth}".lower()


def _make(folder: Path) -> None:
    """Write the examples: a patient of each class for the crop, the slice, and the phases."""
    shutil.rmtree(folder, ignore_errors=True)
    made = io.synthetic.make_lesions(
        folder / "lesions",
        patients=10,
        slices=1,
        malignant_fraction=0.5,
        val_fraction=0,
        separation=_CLEAR,
        seed=_SEED,
    )
    listing = io.find(made).frame
    boxes = {}
    for truth in _TRUTHS:
        rows = listing[listing["label"] == truth]
        patients = [
            {row["sequence"]: made / row["image"] for row in rows[rows["patient"] == patient].to_dict("records")}
            for patient in dict.fromkeys(rows["patient"])
        ]
        patients.sort(key=lambda files: io.read_image(files[SHOWN]).array.size)
        for kind in _TITLES:
            (folder / _key(kind, truth)).mkdir()
        crop, inside, phases = patients[-3:]  # those with something to see
        shutil.copy(crop[SHOWN], folder / _key("crop", truth) / f"synthetic-{truth.lower()}.jpg")
        rng = np.random.default_rng([_SEED, len(truth)])
        field, box = _surrounded(io.read_image(inside[SHOWN]).array, rng)
        key = _key("slice", truth)
        (folder / key / f"synthetic-slice-{truth.lower()}.png").write_bytes(png(field))
        boxes[key] = list(box)
        for count in COUNTS:
            for sequence in io.synthetic.SEQUENCES[:count]:
                shutil.copy(phases[sequence], folder / _key(str(count), truth) / f"{sequence}.jpg")
    (folder / _BOXES).write_text(json.dumps(boxes) + "\n", encoding="utf-8")
    shutil.rmtree(made)


def _surrounded(crop: NDArray[Any], rng: np.random.Generator) -> tuple[NDArray[np.uint8], Box]:
    """Return a breast of smooth tissue that holds a crop, pixel by pixel, and where it is."""
    from scipy.ndimage import distance_transform_edt, gaussian_filter

    rows, cols = FIELD
    height, width = crop.shape
    box = Box(int(0.42 * cols - width / 2), int(0.5 * rows - height / 2), width, height)
    around = np.ones(FIELD, dtype=bool)
    place = (slice(box.top, box.top + height), slice(box.left, box.left + width))
    around[place] = False
    edge = float(np.median(np.concatenate([crop[0], crop[-1], crop[:, 0], crop[:, -1]])))

    y, x = np.mgrid[:rows, :cols]
    outline = np.hypot(x / (0.86 * cols), (y - rows / 2) / (0.47 * rows))
    breast = 1 / (1 + np.exp((outline - 1) / 0.012))
    gland = sum(
        strength * field / field.std()
        for strength, grain in ((0.3, 14), (0.22, 5), (0.08, 1.5))
        for field in [gaussian_filter(rng.standard_normal(FIELD), grain, mode="wrap")]
    )
    tissue = 0.8 * edge * np.exp(gland) * breast + 6 + 3 * rng.standard_normal(FIELD)

    distance, (row, col) = distance_transform_edt(around, return_indices=True)
    nearest = np.zeros(FIELD)
    nearest[place] = crop
    near = np.exp(-((distance / 9) ** 2))
    blurred = gaussian_filter(nearest[row, col], 2)
    field = near * blurred + (1 - near) * tissue
    field[place] = crop
    return np.clip(np.rint(field), 0, 255).astype(np.uint8), box
