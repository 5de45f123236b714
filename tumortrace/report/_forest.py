"""Numbers with their intervals, one below the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from tumortrace.report._curves import DASHES
from tumortrace.report._style import COLOURS, FAINT, INK, TEXT, new_figure, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tumortrace.evaluation import Interval

_ROW, _HEAD, _LETTER, _PANEL = 0.27, 0.85, 0.075, 2.75  # inches


def plot_forest(
    panels: Mapping[str, Mapping[str, Interval]],
    *,
    lines: Mapping[str, float] | None = None,
    dots: Mapping[str, Mapping[str, Sequence[float]]] | None = None,
    title: str | None = None,
) -> Figure:
    """Draw numbers with their intervals, a row per name and a panel per kind of number.

    Parameters
    ----------
    panels : mapping of str to mapping of str to Interval
        What a panel shows, and what it shows of each name. The rows are those of the first panel, in its order; the
        others may lack some.
    lines : mapping of str to float, optional
        Panel to the number at which it has a dashed line: no effect, or a reference.
    dots : mapping of str to mapping of str to sequence of float, optional
        Panel and name to numbers that are drawn as faint dots, such as those of single folds.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is nothing to draw, or a panel has a name that the first has not.

    Examples
    --------
    >>> from tumortrace.evaluation import Interval
    >>> figure = plot_forest({"AUC": {"texture": Interval(0.87, 0.8, 0.93), "kinetics": Interval(0.85, 0.79, 0.9)}})
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['texture', 'kinetics']
    """
    if not panels or not next(iter(panels.values())):
        raise ValueError("there is nothing to draw; give a panel with a row at least")
    names = list(next(iter(panels.values())))
    for panel, found in panels.items():
        if unknown := [name for name in found if name not in names]:
            raise ValueError(f"the panel {panel!r} has {unknown[0]!r}, which the first panel has not")
    width = _LETTER * max(map(len, names)) + _PANEL * len(panels)
    figure = new_figure(width, _HEAD + _ROW * len(names) + (0.35 if title else 0), title)
    grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (panel, found) in zip(grid, panels.items(), strict=True):
        if lines and panel in lines:
            axes.axvline(lines[panel], color=FAINT, lw=0.9, ls=DASHES)
        _rows(axes, names, found, (dots or {}).get(panel, {}))
        tidy(axes, x=panel)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color="#e6e6e6", lw=0.6)
        axes.set_axisbelow(True)
        axes.spines["left"].set_visible(False)
    grid[0].set_yticks(range(len(names)), names, fontsize=TEXT, color=INK)
    grid[0].set_ylim(len(names) - 0.4, -0.6)
    return figure


def _rows(
    axes: Axes, names: Sequence[str], found: Mapping[str, Interval], dots: Mapping[str, Sequence[float]]
) -> None:
    for place, name in enumerate(names):
        if name not in found:
            continue
        value, low, high = found[name]
        single = np.asarray(dots.get(name, []), np.float64)
        axes.plot(single, np.full(len(single), place + 0.22), ls="", marker="|", ms=5, color=FAINT, alpha=0.8)
        axes.plot([low, high], [place, place], color=COLOURS[0], lw=2.2, alpha=0.55, solid_capstyle="round")
        axes.plot([value], [place], marker="o", ms=5.5, color=COLOURS[0])
