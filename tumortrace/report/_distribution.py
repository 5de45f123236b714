"""How many images, slices and patients a data set has of each class."""

from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from tumortrace.report._style import COLOURS, INK, SMALL, TEXT, new_figure, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

UNITS = ("images", "slices", "patients")


def plot_class_distribution(counts: "pd.DataFrame", *, title: str | None = None) -> Figure:
    """Draw the counts of `tumortrace.io.class_distribution`: one panel per unit, bars per split and class.

    Parameters
    ----------
    counts : DataFrame
        Columns ``split``, ``label``, ``images``, ``slices``, ``patients``; totals ("all") are left out where there
        is something to add up. A unit that is not known everywhere (<NA>) gets no panel.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If a column is missing, or there are more than six classes.
    """
    missing = {"split", "label", *UNITS} - set(counts.columns)
    if missing:
        raise ValueError(f"counts lack {', '.join(sorted(missing))}; give what class_distribution returns")
    parts = counts[counts["label"] != "all"]
    if (parts["split"] != "all").any():
        parts = parts[parts["split"] != "all"]
    labels = list(dict.fromkeys(parts["label"]))
    if len(labels) > len(COLOURS):
        raise ValueError(f"there are {len(labels)} classes; {len(COLOURS)} can be told apart by colour")
    units = [unit for unit in UNITS if parts[unit].notna().all()]
    splits = parts["split"].nunique()
    figure = new_figure(3.2 * len(units), max(1.9, 0.75 + 0.42 * len(parts)), title)
    grid = figure.subplots(1, len(units), squeeze=False, sharey=True)[0]
    for axes, unit in zip(grid, units, strict=True):
        _bars(
            axes, parts.pivot(index="split", columns="label", values=unit).reindex(parts["split"].unique())[labels]
        )
        tidy(axes, title=unit.capitalize(), x=f"number of {unit}")
        axes.tick_params(axis="y", length=0)
    if splits == 1 and parts["split"].iloc[0] == "all":
        grid[0].set_yticks([])
    handles, names = grid[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(labels), fontsize=TEXT, frameon=False)
    return figure


def _bars(axes: "Axes", table: "pd.DataFrame") -> None:
    """Draw one group of horizontal bars per row of `table`, the first on top, each with its number."""
    height = 0.8 / table.shape[1]
    for k, (label, column) in enumerate(table.items()):
        values = column.fillna(0).astype(int).to_numpy()
        at = [row + (k - (table.shape[1] - 1) / 2) * height for row in range(len(values))]
        bars = axes.barh(at, values, height * 0.92, color=COLOURS[k], label=str(label))
        axes.bar_label(bars, [f"{v:,}" for v in values], padding=3, fontsize=SMALL, color=INK)
    axes.set_yticks(range(len(table)), [str(name) for name in table.index])
    axes.set_ylim(len(table) - 0.5, -0.5)
    axes.margins(x=0.18)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
