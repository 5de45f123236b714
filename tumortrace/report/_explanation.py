"""One picture of what moved the score of one lesion, and one of what matters over many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from tumortrace import _check
from tumortrace.report._style import COLOURS, FAINT, HEADING, INK, SMALL, TEXT, TITLE, new_figure, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

    from tumortrace.explain import Explanation

_NEGATIVE, _POSITIVE = COLOURS[:2]
_BAND = "#e3e3e3"
_OUTLINE = "#FFE14D"
_HALF = 0.5
# ticks where there is room for them, the roundest first
_PROBABILITIES = (0.5, 0.1, 0.9, 0.01, 0.99, 0.25, 0.75, 0.05, 0.95, 0.2, 0.8, 0.4, 0.6, 0.3, 0.7, 0.45, 0.55)
_BEYOND = 0.05
_VALUE, _SHAP = 1.12, 1.78
_KEY: Any = {"frameon": False, "fontsize": SMALL, "labelcolor": INK}
NOTICE = "What the model did, not why the tissue is as it is. Research use only, no medical device."


def plot_explanation(
    explanation: Explanation, image: ArrayLike, *, features: int = 8, title: str | None = None
) -> Figure:
    """Draw what moved the score of one lesion: where a network looked, families, and the strongest features.

    Parameters
    ----------
    explanation : Explanation
        What `tumortrace.explain.explain` returned.
    image : array_like, shape (rows, cols)
        The lesion, at the size of the maps: one sequence of a slice, such as the second after contrast.
    features : int, default 8
        How many features to show; 0 for none.
    title : str, optional
        Heading of the figure; by default who it is.

    Returns
    -------
    matplotlib.figure.Figure
        On the left the lesion, below it with the Grad-CAM map of each network, outlined where it reaches half of
        its maximum. In the middle how each family and network moves the score from that of the mean training lesion
        to that of this one. On the right the features that moved it most, each on the range of the training
        lesions.

    Raises
    ------
    ValueError
        If the image is not 2-D, or a map has another size.
    """
    pixels = np.asarray(image)
    if pixels.ndim != 2:
        raise ValueError(f"image has shape {pixels.shape}; give one picture, (rows, cols)")
    for name, maps in explanation.maps.items():
        if maps[0].shape != pixels.shape:
            raise ValueError(
                f"the map of {name} has shape {maps[0].shape}, the image {pixels.shape}; give the crop"
            )
    _check.integer("features", features, 0)
    table = explanation.features
    shown = 0 if table is None else min(features, len(table))
    widths = [2.6, 3.9] + [4.7] * (shown > 0)
    figure = Figure(figsize=(sum(widths), 6.4), facecolor="white")
    bands: Any = figure.subfigures(3, 1, height_ratios=[0.75, 5.35, 0.3])
    head, body, foot = bands
    _heading(head, explanation, title)
    parts: Any = body.subfigures(1, len(widths), width_ratios=widths)
    _pictures(parts[0], explanation, pixels)
    _waterfall(parts[1], explanation)
    if table is not None and shown:
        _strips(parts[2], table.iloc[:shown], len(table), explanation.classes)
    foot.text(0.02, 0.5, NOTICE, fontsize=SMALL, color=FAINT, va="center")
    return figure


def plot_importance(table: pd.DataFrame, *, features: int = 15, title: str | None = None) -> Figure:
    """Draw what matters over many rows: mean |SHAP| of families and of the first features, with intervals.

    Parameters
    ----------
    table : DataFrame
        What `tumortrace.explain.importance` returned.
    features : int, default 15
        How many features to show at most.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If the table is empty.
    """
    if table.empty:
        raise ValueError("the table is empty; give what importance returns")
    _check.integer("features", features, 0)
    panels = {
        "Families and networks": table[table["kind"] == "family"],
        "Features": table[table["kind"] == "feature"].head(features),
    }
    panels = {name: rows for name, rows in panels.items() if len(rows)}
    longest = max(map(len, panels.values()))
    figure = new_figure(1 + 4.6 * len(panels), 1.3 + 0.26 * longest, title)
    for axes, (name, rows) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        _bars(axes, rows, longest)
        tidy(axes, name, "mean |SHAP|, in log-odds; line: interval over patients")
        axes.tick_params(axis="y", length=0)
    return figure


def _heading(figure: SubFigure, explanation: Explanation, title: str | None) -> None:
    one, positive = explanation, explanation.classes[1]
    side = "at or above" if one.score >= one.threshold else "below"
    called = f"{side} the threshold of {one.threshold:.2f}: called {one.predicted}."
    style: Any = HEADING
    figure.text(0.02, 0.72, title or _who(one), va="center", **style)
    figure.text(
        0.02, 0.24, f"Score {one.score:.2f} for {positive}, {called}", fontsize=TITLE, color=INK, va="center"
    )


def _who(explanation: Explanation) -> str:
    found = explanation.identity
    said = [str(found["patient"])] if found.get("patient") else []
    said += [f"slice {found['slice']}"] if str(found.get("slice", "")) else []
    said += [str(found["sequence"])] if found.get("sequence") else []
    return ", ".join(said) or "One lesion"


def _pictures(figure: SubFigure, explanation: Explanation, pixels: NDArray[np.float64]) -> None:
    """Draw the lesion, and below it one picture per network."""
    from tumortrace.explain import in_words

    rows = 1 + len(explanation.maps)
    room = {"left": 0.08, "right": 0.95, "top": 0.93, "bottom": 0.16, "hspace": 0.17 * rows}
    places = figure.subplots(rows, 1, squeeze=False, gridspec_kw=room)[:, 0]
    for axes in places:
        axes.imshow(pixels, cmap="gray", interpolation="nearest")
        axes.set(xticks=[], yticks=[], anchor="NW")
        axes.spines[:].set_visible(False)
    places[0].set_title("Lesion", fontsize=TITLE, color=INK, loc="left")
    for axes, (name, maps) in zip(places[1:], explanation.maps.items(), strict=True):
        axes.set_title(f"Grad-CAM: {in_words(name)}", fontsize=TITLE, color=INK, loc="left")
        axes.set_xlabel(_overlay(axes, maps, explanation.classes[1]), fontsize=SMALL, color=FAINT, loc="left")
    if explanation.maps:
        said = f"Warm: evidence for {explanation.classes[1]}.\nLine: half of its maximum."
        figure.text(0.08, 0.005, said, fontsize=SMALL, color=INK, va="bottom", linespacing=1.45)


def _overlay(axes: Axes, maps: Sequence[NDArray[np.float32]], positive: str) -> str:
    """Lay the mean of some maps over a picture, and return what is to be said about it."""
    heat = np.mean(maps, axis=0)
    if heat.max() <= 0:
        return f"nothing here speaks for {positive}"
    axes.imshow(heat, cmap="inferno", vmin=0, vmax=1, alpha=0.65 * heat, interpolation="bilinear")
    half = _HALF * heat.max()
    if min(heat.shape) > 1 and heat.min() < half:
        axes.contour(heat, levels=[half], colors=_OUTLINE, linewidths=1.4)
    return f"mean of {len(maps)} sequences" if len(maps) > 1 else ""


def _waterfall(figure: SubFigure, explanation: Explanation) -> None:
    """Draw the way from the base to the output, family by family."""
    from tumortrace.explain import in_words

    one = explanation
    steps = one.families.sort_values(key=abs, ascending=False, kind="stable")
    ends = one.base + steps.cumsum().to_numpy()
    starts = np.concatenate([[one.base], ends[:-1]])
    last = len(steps) + 1
    axes = figure.add_subplot()
    figure.subplots_adjust(left=0.34, right=0.95, top=0.93, bottom=0.16)
    low, high = min(ends.min(), one.base), max(ends.max(), one.base)
    threshold = float(logit(np.clip(one.threshold, 1e-4, 1 - 1e-4)))
    room = 0.25 * max(high - low, 0.5)
    axes.set(xlim=(min(low, threshold) - room, max(high, threshold) + room), ylim=(last + 0.6, -0.6))
    axes.axvline(threshold, color=FAINT, lw=1, ls=(0, (4, 3)))
    side = -1 if threshold > np.mean(axes.get_xlim()) else 1
    _beside(axes, f"threshold {one.threshold:.2f}", (threshold, -0.45), 3 * side, fontsize=SMALL, color=FAINT)
    for k, (start, end) in enumerate(zip(starts, ends, strict=True), 1):
        colour = _POSITIVE if end > start else _NEGATIVE
        axes.barh(k, end - start, left=start, height=0.62, color=colour)
        axes.plot([end, end], [k, k + 1], color=FAINT, lw=0.7, zorder=0)
        _beside(axes, _signed(end - start), (max(start, end), k), fontsize=SMALL, color=colour)
    axes.plot([one.base] * 2, [0, 1], color=FAINT, lw=0.7, zorder=0)
    axes.plot([one.base, one.output], [0, last], ls="", marker="D", ms=6, color=INK, zorder=3)
    for place, odds in ((0, one.base), (last, one.output)):
        _beside(axes, f"{expit(odds):.2f}", (odds, place), 7, fontsize=TEXT, color=INK)
    tidy(axes, "What moved the score", f"probability of {one.classes[1]}")
    _probability_axis(axes)
    axes.set_yticks(range(last + 1), ["mean training lesion", *map(in_words, steps.index), "this lesion"])
    axes.tick_params(axis="y", length=0, labelsize=TEXT)
    axes.spines["left"].set_visible(False)
    ways = [
        Patch(color=colour, label=f"towards {name}")
        for colour, name in zip((_NEGATIVE, _POSITIVE), one.classes, strict=True)
    ]
    figure.legend(handles=ways, loc="lower right", bbox_to_anchor=(0.97, 0.0), ncols=2, **_KEY)


def _beside(axes: Axes, text: str, place: tuple[float, float], gap: int = 4, **style: Any) -> None:
    """Write right of a place, so many points away; left of it where they are negative."""
    side = "left" if gap > 0 else "right"
    ground = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 0.5}
    axes.annotate(text, place, (gap, 0), textcoords="offset points", va="center", ha=side, bbox=ground, **style)


def _signed(number: float) -> str:
    text = f"{number:+.2f}".replace("-", "−")
    return "0.00" if text[1:] == "0.00" else text


def _probability_axis(axes: Axes) -> None:
    """Label an axis of log-odds by probabilities, with room between them."""
    low, high = axes.get_xlim()
    chosen: list[float] = []
    for probability in _PROBABILITIES:
        place = float(logit(probability))
        if low <= place <= high and all(abs(place - logit(other)) > 0.12 * (high - low) for other in chosen):
            chosen.append(probability)
    axes.set_xticks(logit(sorted(chosen)).tolist(), [f"{p:g}" for p in sorted(chosen)])


def _strips(figure: SubFigure, rows: pd.DataFrame, count: int, classes: tuple[str, str]) -> None:
    """Draw each feature on the range of the training lesions, from 5 to 95 %."""
    from tumortrace.explain import in_words

    axes = figure.add_subplot()
    figure.subplots_adjust(left=0.03, right=0.97, top=0.93, bottom=0.16)
    axes.set(xlim=(-_BEYOND - 0.02, _SHAP), ylim=(len(rows) - 0.4, -1.0))
    axes.set_title(f"The {len(rows)} strongest of {count:,} features", fontsize=TITLE, color=INK, loc="left")
    axes.set_axis_off()
    for x, head, side in ((_VALUE, "value, percentile", "left"), (_SHAP, "log-odds", "right")):
        axes.text(x, -0.75, head, fontsize=SMALL, color=FAINT, ha=side)
    for k, (name, row) in enumerate(rows.iterrows()):
        axes.text(-_BEYOND, k - 0.36, in_words(str(name)), fontsize=TEXT, color=INK, va="center")
        axes.barh(k + 0.1, 1, height=0.2, color=_BAND)
        _marker(axes, row, "median_negative", k + 0.24, marker=6, color=_NEGATIVE)
        _marker(axes, row, "median_positive", k - 0.04, marker=7, color=_POSITIVE)
        _marker(axes, row, "value", k + 0.1, marker="D", color=INK)
        axes.text(_VALUE, k + 0.1, _value(row), fontsize=SMALL, color=FAINT, va="center")
        colour = _POSITIVE if row["shap"] > 0 else _NEGATIVE
        axes.text(_SHAP, k + 0.1, _signed(row["shap"]), fontsize=TEXT, color=colour, va="center", ha="right")
    marks = [
        Patch(color=_BAND, label="training lesions, 5 to 95 %"),
        Line2D([], [], ls="", marker="D", ms=6, color=INK, mew=0, label="this lesion"),
        Line2D([], [], ls="", marker=6, ms=6, color=_NEGATIVE, mew=0, label=f"median {classes[0]}"),
        Line2D([], [], ls="", marker=7, ms=6, color=_POSITIVE, mew=0, label=f"median {classes[1]}"),
    ]
    figure.legend(handles=marks, loc="lower left", bbox_to_anchor=(0.02, 0.0), ncols=2, **_KEY)


def _marker(axes: Axes, row: pd.Series[Any], which: str, y: float, **style: Any) -> None:
    """Mark a number of a feature on its strip from low to high; beyond its ends by an arrow."""
    if np.isnan(row[which]):
        return
    width = row["high"] - row["low"]
    place = (row[which] - row["low"]) / width if width > 0 else 0.5 + np.sign(row[which] - row["low"])
    if which == "value" and not 0 <= place <= 1:
        style["marker"] = "<" if place < 0 else ">"
    axes.plot(np.clip(place, -_BEYOND, 1 + _BEYOND), y, ms=6, mew=0, zorder=3, **style)


def _value(row: pd.Series[Any]) -> str:
    if np.isnan(row["value"]):
        return "missing"
    return f"{row['value']:.3g}, {row['percentile']:.0f} %".replace("-", "−")


def _bars(axes: Axes, rows: pd.DataFrame, room: int) -> None:
    from tumortrace.explain import in_words

    places = np.arange(len(rows))
    axes.barh(places, rows["importance"], height=0.62, color=COLOURS[0], alpha=0.85)
    axes.hlines(places, rows["low"], rows["high"], color=INK, lw=1.2)
    axes.set_yticks(places, [in_words(name) for name in rows["name"]])
    axes.set_ylim(room - 0.4, -0.6)
    axes.set_xlim(left=0)
