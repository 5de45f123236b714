"""Which class is called what."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from tumortrace.report._style import COLOURS, INK, SMALL, TEXT, TITLE, new_figure, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_SHADES = LinearSegmentedColormap.from_list("white to blue", ["white", COLOURS[0]])


def plot_confusion(tables: Mapping[str, "pd.DataFrame"], *, title: str | None = None) -> Figure:
    """Draw confusion matrices side by side: rows counted, and as a percentage of their true class.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        What a matrix is called, and the matrix: `tumortrace.evaluation.confusion`, a row per true class. Six at
        most. The shade is the percentage.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is no table, or more than six, or one is not square.
    """
    if not 1 <= len(tables) <= len(COLOURS):
        raise ValueError(f"{len(tables)} tables were given; give 1 to {len(COLOURS)}")
    for name, table in tables.items():
        if table.shape[0] != table.shape[1]:
            raise ValueError(f"{name!r} has shape {table.shape}; give a row and a column per class")
    columns = min(3, len(tables))
    rows = -(-len(tables) // columns)
    side = max(2.6, 0.9 * max(len(table) for table in tables.values()) + 0.8)
    figure = new_figure(side * columns + 0.4, (side + 0.35) * rows + (0.35 if title else 0), title)
    places = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (name, table) in zip(places, tables.items(), strict=False):
        _matrix(axes, name, table)
    for axes in places[len(tables) :]:
        axes.remove()
    return figure


def _matrix(axes: "Axes", name: str, table: "pd.DataFrame") -> None:
    counts = table.to_numpy()
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    axes.imshow(shares, cmap=_SHADES, vmin=0, vmax=1)
    for (i, j), share in np.ndenumerate(shares):
        colour = "white" if share > 0.6 else INK
        below = f"{100 * share:.1f} %" if totals[i, 0] else "no row"
        axes.text(j, i - 0.04, f"{counts[i, j]:,}", ha="center", va="bottom", fontsize=TITLE, color=colour)
        axes.text(j, i + 0.06, below, ha="center", va="top", fontsize=SMALL, color=colour)
    places = range(len(table))
    tidy(axes, name, "Predicted class", "True class")
    axes.set_xticks(places, [str(c) for c in table.columns], fontsize=TEXT)
    axes.set_yticks(places, [str(c) for c in table.index], fontsize=TEXT, rotation=90, va="center")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
