"""How a training went, epoch by epoch."""

from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tumortrace.report._style import COLOURS, FAINT, INK, TEXT, new_figure, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_MEASURES = {
    "validation_auc": "AUC",
    "validation_accuracy": "Accuracy",
    "validation_balanced_accuracy": "Balanced accuracy",
}


def plot_history(history: "pd.DataFrame", *, title: str | None = None) -> Figure:
    """Draw the loss of each epoch, what was measured on the patients held out, and the learning rate.

    Parameters
    ----------
    history : DataFrame
        One row per epoch: `history_` of a trained network, or the ``history.csv`` beside its checkpoints. Columns
        `epoch`, `learning_rate`, `loss`, and `validation_loss` with other ``validation_…`` where patients were held
        out; the epoch of the lowest `validation_loss` is marked.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If a column is missing or there is no row.
    """
    missing = [name for name in ("epoch", "learning_rate", "loss") if name not in history]
    if missing or history.empty:
        raise ValueError(f"no history of a training: it lacks {', '.join(missing) or 'rows'}; give history_")
    measured = {name: label for name, label in _MEASURES.items() if name in history}
    panels = 3 if measured else 2
    figure = new_figure(3.4 * panels, 3.2, title)
    loss, *middle, rate = figure.subplots(1, panels)
    _lines(loss, history, {"loss": "Training", "validation_loss": "Patients held out"}, "Loss")
    for axes in middle:
        _lines(axes, history, measured, "On the patients held out")
        axes.set_ylim(-0.02, 1.02)
    _lines(rate, history, {"learning_rate": ""}, "Learning rate")
    rate.set_yscale("log" if (history["learning_rate"] > 0).all() else "linear")
    if "validation_loss" in history:
        best = history["epoch"].iloc[int(history["validation_loss"].argmin())]
        for axes in (loss, *middle):
            axes.axvline(best, color=FAINT, lw=0.8, ls=(0, (4, 4)), zorder=0)
    return figure


def _lines(axes: "Axes", history: "pd.DataFrame", columns: dict[str, str], title: str) -> None:
    """Draw the columns that there are over the epochs."""
    for colour, (name, label) in zip(COLOURS, columns.items(), strict=False):
        if name in history:
            axes.plot(history["epoch"], history[name], color=colour, lw=1.8, marker=".", ms=4, label=label or None)
    tidy(axes, title, x="Epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if len(axes.lines) > 1 or next(iter(columns.values())):
        axes.legend(fontsize=TEXT, labelcolor=INK, facecolor="white", edgecolor="none")
