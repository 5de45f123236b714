"""How well scores separate two classes."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from tumortrace.evaluation import Roc
from tumortrace.report._style import COLOURS, FAINT, INK, TEXT, new_figure, tidy


def plot_roc(curves: Mapping[str, Roc], *, title: str | None = None) -> Figure:
    """Draw ROC curves with their pointwise bands; the legend gives each area with its interval.

    Parameters
    ----------
    curves : mapping of str to Roc
        What the legend calls a curve, and the curve: `tumortrace.evaluation.roc`. Six at most.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is no curve, or more than six.
    """
    if not 1 <= len(curves) <= len(COLOURS):
        raise ValueError(f"{len(curves)} curves were given; give 1 to {len(COLOURS)}")
    figure = new_figure(5.2, 5.4, title)
    axes = figure.add_subplot(aspect="equal", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.plot([0, 1], [0, 1], color=FAINT, lw=0.8, ls=(0, (4, 4)))
    for colour, (name, curve) in zip(COLOURS, curves.items(), strict=False):
        axes.fill_between(curve.fpr, curve.low, curve.high, color=colour, alpha=0.14, lw=0)
        axes.plot([0, *curve.fpr], [0, *curve.tpr], color=colour, lw=1.8, label=f"{name}: {curve.auc}")
    tidy(axes, x="False positive rate (1 − specificity)", y="True positive rate (sensitivity)")
    axes.grid(color="#e6e6e6", lw=0.6)
    axes.set_axisbelow(True)
    levels = " and ".join(sorted({f"{100 * curve.level:g} %" for curve in curves.values()}))
    heading = f"AUC ({levels} interval, patients resampled)"
    axes.legend(loc="lower right", title=heading, title_fontsize=TEXT, fontsize=TEXT, labelcolor=INK, frameon=False)
    return figure
