"""Why a model says what it says of one lesion: families, features and maps; and what the operators make of it."""

from __future__ import annotations

import io
import threading
import warnings
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tumortrace.io.synthetic import SHOWN
from tumortrace.web._answer import placed
from tumortrace.web._error import DemoError
from tumortrace.web._reader import Lesion, Picture, png
from tumortrace.web._shelf import ENGINE, Shelved

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tumortrace.explain import Explanation

TOP = 12
"""Features that are listed."""

_SIDE = 448  # pixels of the longer side of a map, about
_DPI = 110
_DRAWING = threading.Lock()  # matplotlib shares its fonts
_VIEWS = {
    "hog": "HOG: how strong edges of each direction are, cell by cell",
    "sobel": "Sobel: how steep the grey values are",
    "lbp": "LBP: the pattern of each pixel's eight neighbours",
    "mvm_lbp": "MVM-LBP: neighbours against mean, spread and median of the window",
    "mvmbp": "MVMBP: which neighbours exceed the mean of their own surroundings",
    "glcm": "GLCM: how often two grey levels are neighbours",
}


@dataclass(frozen=True)
class Push:
    """How far one thing moved the log-odds of a score.

    Parameters
    ----------
    name : str
        Of a family of features or a network, such as ``"glcm"``; of a feature, such as ``"change__glcm_contrast"``.
    words : str
        The name as a reader would say it.
    shap : float
        Above 0 towards the positive class.
    """

    name: str
    words: str
    shap: float


@dataclass(frozen=True)
class Feature(Push):
    """How far one feature moved the log-odds of a score, and where its value stands among the training rows.

    Parameters
    ----------
    family : str
        That it belongs to.
    value : float
        In this lesion; NaN where it could not be measured.
    percentile : float
        Of the value among the training rows, 0 to 100.
    low, median, high : float
        5, 50 and 95 % of the training rows.
    median_negative, median_positive : float
        Of the training rows of each class.
    """

    family: str
    value: float
    percentile: float
    low: float
    median: float
    high: float
    median_negative: float
    median_positive: float


@dataclass(frozen=True)
class Map:
    """A picture of the demo.

    Parameters
    ----------
    name : str
        Of a network (``"cnn"``) or an operator (``"lbp"``).
    png : bytes
        The picture. A Grad-CAM map is colour that is the more opaque the hotter, to lie over the lesion.
    alt : str
        What it shows, for whom it cannot be seen.
    """

    name: str
    png: bytes
    alt: str


@dataclass(frozen=True)
class Details:
    """Why a model gives a lesion its score.

    Parameters
    ----------
    output, base : float
        Log-odds of the score, and their mean over the training rows it is explained by.
    base_probability : float
        `base` as a probability.
    families : tuple of Push
        Families and networks, the strongest first. ``base + Σ shap == output``.
    features : tuple of Feature
        The `TOP` strongest. Empty for a network.
    others : int
        How many further features there are.
    maps : tuple of Map
        Grad-CAM of each network, to lie over `lesion`. Empty without a network.
    lesion : bytes
        The picture the maps lie over, PNG, in its own pixels.
    figure : bytes
        All of it as one PNG to keep.
    """

    output: float
    base: float
    base_probability: float
    families: tuple[Push, ...]
    features: tuple[Feature, ...]
    others: int
    maps: tuple[Map, ...]
    lesion: bytes
    figure: bytes


def details(shelved: Shelved, lesion: Lesion, *, workplace: Path, sequence: str | None = None) -> Details:
    """Explain what a model says of a lesion.

    Parameters
    ----------
    shelved, lesion, workplace, sequence
        As for `answer`.

    Returns
    -------
    Details
        The same bytes for the same pixels. Safe to call from several threads.

    Raises
    ------
    DemoError
        As `answer`, and if the model was trained by a version that kept nothing to explain it by.
    """
    from scipy.special import expit

    from tumortrace.explain import in_words
    from tumortrace.report import plot_explanation

    found = _explained(shelved, lesion, workplace, sequence)
    shown = shown_picture(lesion)
    table = found.features
    rows = [] if table is None else list(table.itertuples())
    families = found.families.sort_values(key=abs, ascending=False, kind="stable")
    with _DRAWING:
        figure = plot_explanation(found, shown.array, title=f"{shelved.label} model")
        drawn = _drawn(figure)
    return Details(
        output=found.output,
        base=found.base,
        base_probability=float(expit(found.base)),
        families=tuple(Push(str(name), in_words(str(name)), float(shap)) for name, shap in families.items()),
        features=tuple(_feature(row) for row in rows[:TOP]),
        others=max(0, len(rows) - TOP),
        maps=tuple(_overlay(name, lesion, heat) for name, heat in found.maps.items()),
        lesion=picture_png(shown),
        figure=drawn,
    )


def code_maps(lesion: Lesion) -> tuple[Map, ...]:
    """Draw what HOG, Sobel, LBP, MVM-LBP, MVMBP and GLCM make of a lesion, one picture each.

    Parameters
    ----------
    lesion : Lesion
        Of the phases of a slice, `SHOWN` is drawn.
    """
    from tumortrace.report import panel

    pixels = shown_picture(lesion).array
    maps = []
    for name, alt in _VIEWS.items():
        with _DRAWING:
            maps.append(Map(name, _drawn(panel(pixels, views=[name])), alt))
    return tuple(maps)


def shown_picture(lesion: Lesion) -> Picture:
    """Return the picture of a lesion that is looked at."""
    known = SHOWN in lesion.sequences
    return lesion.pictures[lesion.sequences.index(SHOWN) if known else 0]


def picture_png(picture: Picture) -> bytes:
    """Return a picture as a PNG of 8 bits that a browser shows; other depths are stretched from least to most."""
    pixels = picture.array if picture.array.ndim == 2 else picture.array[len(picture.array) // 2]
    if pixels.dtype == np.uint8:
        return png(pixels)
    low, high = float(pixels.min()), float(pixels.max())
    stretched = (pixels.astype(np.float64) - low) * (255 / (high - low) if high > low else 0)
    return png(np.rint(stretched).astype(np.uint8))


def _explained(shelved: Shelved, lesion: Lesion, workplace: Path, sequence: str | None) -> Explanation:
    from tumortrace.explain import explain

    model = shelved.model
    if model.background is None:
        raise DemoError(f"the model {shelved.key} was trained by an earlier version; train it again to explain it")
    with placed(shelved, lesion, workplace, sequence) as source, ENGINE, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # `answer` has said it
        found = explain(model, source, jobs=1)
    if not found:
        raise DemoError(f"{lesion.pictures[0].name}: the model cannot score it, so there is nothing to explain")
    return found[0]


def _feature(row: Any) -> Feature:
    from tumortrace.explain import in_words

    numbers = {f.name: float(getattr(row, f.name)) for f in fields(Feature) if f.type == "float"}
    return Feature(name=str(row.Index), words=in_words(str(row.Index)), family=str(row.family), **numbers)


def _overlay(name: str, lesion: Lesion, maps: list[NDArray[np.float32]]) -> Map:
    """Return a Grad-CAM map as colour over a lesion; of several, that of the picture that is looked at."""
    from matplotlib import colormaps
    from PIL import Image

    known = len(maps) == len(lesion) and SHOWN in lesion.sequences
    heat = maps[lesion.sequences.index(SHOWN) if known else 0]
    rows, cols = heat.shape
    times = max(1, round(_SIDE / max(rows, cols)))
    large = Image.fromarray(heat).resize((cols * times, rows * times), Image.Resampling.BILINEAR)
    values = np.clip(np.asarray(large), 0, 1)
    colour = np.asarray(colormaps["inferno"](0.25 + 0.75 * values))
    colour[..., 3] = values
    return Map(name, png(np.rint(255 * colour).astype(np.uint8)), _where(name, heat))


def _where(name: str, heat: NDArray[np.float32]) -> str:
    """Say in words where a map is hot."""
    from tumortrace.explain import in_words

    if not heat.any():
        return f"Grad-CAM of {in_words(name)}: nothing in the image speaks for the positive class"
    row, col = np.unravel_index(int(heat.argmax()), heat.shape)
    down = ("upper ", "", "lower ")[int(3 * row / heat.shape[0])]
    across = ("left", "centre", "right")[int(3 * col / heat.shape[1])]
    share = 100 * (heat > 0.5).mean()
    return f"Grad-CAM of {in_words(name)}: hottest in the {down}{across}, above half in {share:.0f} % of the image"


def _drawn(figure: Figure) -> bytes:
    out = io.BytesIO()
    metadata: dict[str, Any] = {"Software": None}
    figure.savefig(out, format="png", dpi=_DPI, metadata=metadata)
    return out.getvalue()
