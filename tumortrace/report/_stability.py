"""How stable features are, family by family."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from tumortrace.report._curves import DASHES
from tumortrace.report._style import COLOURS, FAINT, INK, TEXT, new_figure, tidy

if TYPE_CHECKING:
    import pandas as pd

_LEVELS = (0.5, 0.75, 0.9)
_ROW, _HEAD = 0.42, 0.9  # inches


def plot_stability(table: pd.DataFrame, *, title: str | None = None) -> Figure:
    """Draw the intraclass correlation of every feature with its interval, a row per family.

    Parameters
    ----------
    table : DataFrame
        As `tumortrace.stability.stability` returns it.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        Within a row, features run from the least stable at the bottom to the most stable at the top. Dashed lines
        are where moderate, good and excellent stability begin, which the lower end of an interval has to pass.

    Raises
    ------
    ValueError
        If no feature has a number.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"feature": ["glcm_contrast"], "icc": [0.9], "low": [0.8], "high": [0.95]})
    >>> [label.get_text() for label in plot_stability(table).axes[0].get_yticklabels()]
    ['glcm']
    """
    from tumortrace.table import column_groups

    shown = table[table["icc"].notna()]
    if shown.empty:
        raise ValueError("no feature has a number; there is nothing to draw")
    groups = column_groups(shown["feature"])
    figure = new_figure(6.4, _HEAD + _ROW * len(groups) + (0.35 if title else 0), title)
    axes = figure.subplots()
    for level in _LEVELS:
        axes.axvline(level, color=FAINT, lw=0.9, ls=DASHES)
    of_name = shown.set_index("feature")
    for place, names in enumerate(groups.values()):
        found = of_name.loc[names].sort_values("icc", ascending=False)
        heights = place + np.linspace(-0.36, 0.36, len(found)) if len(found) > 1 else np.array([float(place)])
        axes.hlines(heights, found["low"].clip(lower=0), found["high"], color=COLOURS[0], lw=0.8, alpha=0.35)
        axes.plot(found["icc"].clip(lower=0), heights, ls="", marker="o", ms=2.6, color=COLOURS[0])
    tidy(axes, x="intraclass correlation, with its interval")
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(len(groups) - 0.4, -0.6)
    axes.set_yticks(range(len(groups)), list(groups), fontsize=TEXT, color=INK)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    return figure
