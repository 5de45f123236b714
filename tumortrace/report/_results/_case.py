"""One lesion on one line: its images, where the network looked, and what pulled its score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import NDArray

from tumortrace.report._results._crops import scale_of, tile
from tumortrace.report._results._words import family
from tumortrace.report._style import COLOURS, FAINT, INK, SMALL, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIDE, _BARS = 0.98, 1.9  # inches
_SHOWN = 5
_HEAT = LinearSegmentedColormap.from_list(
    "warm", [(1.0, 0.75, 0.1, 0.0), (1.0, 0.55, 0.0, 0.45), (0.9, 0.1, 0.0, 0.75)]
)


class Case(NamedTuple):
    """What is drawn of a lesion.

    Attributes
    ----------
    images : sequence of (str, ndarray)
        Captions and images.
    overlay : (str, ndarray, ndarray) or None
        The name of a sequence, its image, and where the network looked, 0 to 1.
    pulled : Series or None
        Family → log-odds, above 0 towards the positive class.
    classes : (str, str)
        The negative and the positive label.
    """

    images: Sequence[tuple[str, NDArray[Any]]]
    overlay: tuple[str, NDArray[Any], NDArray[np.float32]] | None
    pulled: pd.Series | None
    classes: tuple[str, str]


def draw_case(case: Case) -> Figure:
    """Draw a lesion on one line."""
    tiles = len(case.images) + (case.overlay is not None)
    widths = [_SIDE] * tiles + ([_BARS] if case.pulled is not None else [])
    figure = new_figure(sum(widths) * 1.05 + 0.15, _SIDE + 0.5)
    places = figure.subplots(1, len(widths), squeeze=False, width_ratios=widths)[0]
    scale = scale_of([image for _, image in case.images])
    for axes, (caption, image) in zip(places, case.images, strict=False):
        tile(axes, image, scale)
        axes.set_title(caption, fontsize=SMALL, color=FAINT, pad=3)
    if case.overlay is not None:
        name, image, heat = case.overlay
        axes = places[len(case.images)]
        tile(axes, image, scale_of([image]))
        rows, cols = image.shape
        limits = axes.get_xlim(), axes.get_ylim()
        axes.imshow(
            heat, cmap=_HEAT, vmin=0, vmax=1, extent=(-0.5, cols - 0.5, rows - 0.5, -0.5), interpolation="bilinear"
        )
        axes.set(xlim=limits[0], ylim=limits[1])
        axes.set_title(f"Grad-CAM on {name}", fontsize=SMALL, color=FAINT, pad=3)
    if case.pulled is not None:
        _bars(places[-1], case.pulled, case.classes)
    return figure


def _bars(axes: Axes, pulled: pd.Series, classes: tuple[str, str]) -> None:
    """Draw the families that pulled most, the others as one bar."""
    order = pulled.abs().sort_values(ascending=False, kind="stable").index
    bars = [(family(str(name)), float(pulled[name])) for name in order[:_SHOWN]]
    if len(order) > _SHOWN + 1:
        bars.append((f"{len(order) - _SHOWN} others", float(pulled[order[_SHOWN:]].sum())))
    elif len(order) > _SHOWN:
        bars.append((family(str(order[-1])), float(pulled[order[-1]])))
    names, values = zip(*bars, strict=True)
    colours = [COLOURS[1] if value > 0 else COLOURS[0] for value in values]
    axes.barh(range(len(bars)), values, color=colours, height=0.7)
    axes.axvline(0, color=INK, lw=0.8)
    axes.set_yticks(range(len(bars)), names, fontsize=SMALL - 1, color=INK)
    axes.invert_yaxis()
    reach = max(max(map(abs, values)), 0.1) * 1.1
    axes.set_xlim(-reach, reach)
    axes.tick_params(axis="y", length=0, pad=2)
    axes.tick_params(axis="x", labelsize=SMALL - 2, color=FAINT, labelcolor=FAINT)
    axes.set_title(f"← {classes[0]}    {classes[1]} →", fontsize=SMALL, color=FAINT, pad=3)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
