"""The images behind rows of predictions, and pictures of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tumortrace import io
from tumortrace.io.synthetic import SHOWN
from tumortrace.report._study import KEYS, Study
from tumortrace.report._style import FAINT, INK, SMALL, TEXT, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_PHASES = 9
_SIDE = 1.0  # inches
_FITS = 104  # letters of one point on one inch


def files(study: Study, row: Mapping[Any, Any], *, whole_slice: bool = False) -> dict[str, str]:
    """Return sequence → path of the images behind a row; the sequence is "" where images have none.

    Parameters
    ----------
    study : Study
        With the images.
    row : mapping
        The columns of a row.
    whole_slice : bool
        Of a row that is a single image, return the other sequences of its slice too, where slices are known.
    """
    listing = study.listing
    if listing is None:
        return {}
    keys = [name for name in KEYS if name in row and name in listing]
    if whole_slice and {"patient", "slice"} <= set(keys):
        keys = ["patient", "slice"]
    chosen = np.ones(len(listing), bool)
    for name in keys:
        chosen &= np.asarray(listing[name] == row[name])
    found = listing[chosen]
    sequences = found["sequence"] if "sequence" in found else [""] * len(found)
    return dict(zip(sequences, found["path"], strict=True))


def main_sequence(sequences: Sequence[str]) -> str:
    """Return the sequence that stands for the others: early after contrast where it is there, else the first."""
    return SHOWN if SHOWN in sequences else sequences[0]


def phases(sequences: Sequence[str]) -> list[str]:
    """Return the sequences to lay side by side, nine at most: subtractions only where there is nothing else."""
    plain = [name for name in sequences if not name.startswith("SUB")]
    return (plain or list(sequences))[:_PHASES]


def pixels(path: str) -> NDArray[Any] | None:
    """Return the pixels of an image, of a volume its middle slice; None where it cannot be read."""
    try:
        array = io.read_image(path).array
    except (OSError, ValueError):
        return None
    return array if array.ndim == 2 else array[len(array) // 2]


def draw(rows: Sequence[tuple[str, Sequence[tuple[str, NDArray[Any]]]]], *, side: float = _SIDE) -> Figure:
    """Draw rows of images, each under its caption, as wide as one another.

    Parameters
    ----------
    rows : sequence of (str, sequence of (str, ndarray))
        The name of a row, and captions and images. The images of a row share their grey scale: that of the file
        where it has 8 bits, else from the lowest to the highest value of the row.
    side : float
        Of an image, in inches.
    """
    columns = max(len(images) for _, images in rows)
    named = any(name for name, _ in rows)
    lines = 1 + max(caption.count("\n") for _, images in rows for caption, _ in images)
    figure = new_figure(1.04 * side * columns + 0.25 * named, (1.04 * side + 0.05 + 0.13 * lines) * len(rows))
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for places, (name, images) in zip(grid, rows, strict=True):
        scale = scale_of([image for _, image in images])
        for axes, (caption, image) in zip(places, images, strict=False):
            tile(axes, image, scale)
            widest = max(map(len, caption.split("\n")))
            axes.set_title(caption, fontsize=min(SMALL, _FITS * side / widest), color=FAINT, pad=3)
        for axes in places[len(images) :]:
            axes.remove()
        if name:
            places[0].set_ylabel(name, fontsize=TEXT, color=INK)
    return figure


def tile(axes: Axes, image: NDArray[Any], scale: tuple[float, float]) -> None:
    """Draw an image in the middle of a dark square."""
    axes.imshow(image, cmap="gray", vmin=scale[0], vmax=scale[1], interpolation="nearest")
    half = max(image.shape) / 2
    row, col = (image.shape[0] - 1) / 2, (image.shape[1] - 1) / 2
    axes.set(
        xlim=(col - half, col + half), ylim=(row + half, row - half), xticks=[], yticks=[], facecolor="#1b1b1b"
    )
    axes.spines[:].set_visible(False)


def short(sequence: str) -> str:
    """Return the name of a sequence as it fits above a small image: C1 for VIBRANT+C1."""
    return sequence.rpartition("+")[2]


def of_one_sequence(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the sequence that stands for the others; all where a row is of no single one."""
    if "sequence" not in rows:
        return rows
    return rows[rows["sequence"] == main_sequence(list(dict.fromkeys(rows["sequence"])))]


def of_patients(rows: pd.DataFrame, wanted: int, seed: int) -> pd.DataFrame:
    """Return one row of each of some patients, drawn by seed: the middle one of the patient's."""
    patients = np.sort(rows["patient"].unique())
    drawn = np.random.default_rng(seed).permutation(patients)[:wanted]
    chosen = []
    for patient in drawn:
        own = rows[rows["patient"] == patient]
        chosen.append(own.index[len(own) // 2])
    return rows.loc[chosen]


def scale_of(images: Sequence[NDArray[Any]]) -> tuple[float, float]:
    """Return the grey values of black and white: 0 and 255 for 8 bits, else the lowest and the highest."""
    if all(image.dtype == np.uint8 for image in images):
        return 0.0, 255.0
    low, high = min(float(image.min()) for image in images), max(float(image.max()) for image in images)
    return low, high if high > low else low + 1.0
