"""Whether scores mean what they say."""

from collections.abc import Mapping

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from tumortrace.evaluation import Calibration
from tumortrace.report._curves import DASHES, KEY, LINE, coloured, grid, intervals
from tumortrace.report._style import FAINT, new_figure, tidy


def plot_calibration(curves: Mapping[str, Calibration], *, title: str | None = None) -> Figure:
    """Draw reliability curves with the interval of each bin, and below them how the scores are spread.

    Parameters
    ----------
    curves : mapping of str to Calibration
        What the legend calls a curve, and the curve: `tumortrace.evaluation.calibration`. Six at most. The legend
        gives the expected calibration error (ECE) and the Brier score of each.
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
    figure = new_figure(5.2, 6.4 + LINE * len(curves), title)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    upper.plot([0, 1], [0, 1], color=FAINT, lw=0.8, ls=DASHES)
    for colour, name, curve in coloured(curves):
        some = curve.rows > 0
        score, share = curve.score[some], curve.share[some]
        label = f"{name}: ECE {curve.ece:.3f}, Brier {curve.brier}"
        upper.vlines(score, curve.low[some], curve.high[some], color=colour, lw=1.2, alpha=0.6)
        upper.plot(score, share, color=colour, lw=1.8, marker="o", ms=4.5, label=label)
        lower.stairs(curve.rows / curve.rows.sum(), curve.edges, color=colour, lw=1.4)
        lower.stairs(curve.rows / curve.rows.sum(), curve.edges, color=colour, fill=True, alpha=0.14, lw=0)
    upper.set(xlim=(-0.01, 1.01), ylim=(-0.02, 1.02))
    lower.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    tidy(upper, y="Share of positive rows")
    tidy(lower, x="Score", y="Rows")
    grid(upper)
    figure.legend(loc="outside lower left", title=intervals(curves), **KEY)
    return figure
