"""How well scores separate two classes, and what acting on them would bring."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from matplotlib.figure import Figure

from tumortrace.evaluation import DecisionCurve, PrecisionRecall, Roc
from tumortrace.report._style import COLOURS, FAINT, INK, TEXT, new_figure, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DASHES = (0, (4, 4))
LINE = 0.17  # inches, of a line of the legend
KEY: Any = {"title_fontsize": TEXT, "fontsize": TEXT, "labelcolor": INK, "frameon": False, "alignment": "left"}
SQUARE: Any = {"aspect": "equal", "xlim": (-0.01, 1.01), "ylim": (-0.01, 1.01)}


class Measured(Protocol):
    """A curve with a band."""

    @property
    def level(self) -> float:
        """Coverage of the band."""


Curve = TypeVar("Curve", bound=Measured)


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
    figure = new_figure(5.2, 5.4, title)
    axes = figure.add_subplot(**SQUARE)
    axes.plot([0, 1], [0, 1], color=FAINT, lw=0.8, ls=DASHES)
    for colour, name, curve in coloured(curves):
        axes.fill_between(curve.fpr, curve.low, curve.high, color=colour, alpha=0.14, lw=0)
        axes.plot([0, *curve.fpr], [0, *curve.tpr], color=colour, lw=1.8, label=f"{name}: {curve.auc}")
    tidy(axes, x="False positive rate (1 − specificity)", y="True positive rate (sensitivity)")
    grid(axes)
    axes.legend(loc="lower right", title=f"AUC ({intervals(curves)})", **KEY)
    return figure


def plot_precision_recall(curves: Mapping[str, PrecisionRecall], *, title: str | None = None) -> Figure:
    """Draw precision-recall curves with their pointwise bands; the legend gives each average precision.

    A dashed line marks the share of positive rows, the precision of a score that knows nothing. It differs between
    levels (image, slice, patient), and average precision with it: compare models at one level.

    Parameters
    ----------
    curves : mapping of str to PrecisionRecall
        What the legend calls a curve, and the curve: `tumortrace.evaluation.precision_recall`. Six at most.
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
    figure = new_figure(5.2, 5.5 + LINE * len(curves), title)
    axes = figure.add_subplot(**SQUARE)
    for prevalence in sorted({curve.prevalence for curve in curves.values()}):
        axes.axhline(prevalence, color=FAINT, lw=0.8, ls=DASHES)
    for colour, name, curve in coloured(curves):
        axes.fill_between(curve.recall, curve.low, curve.high, step="pre", color=colour, alpha=0.14, lw=0)
        label = f"{name}: {curve.average_precision}"
        axes.plot(curve.recall, curve.precision, drawstyle="steps-pre", color=colour, lw=1.8, label=label)
    tidy(axes, x="Recall (sensitivity)", y="Precision (positive predictive value)")
    grid(axes)
    figure.legend(loc="outside lower left", title=f"Average precision ({intervals(curves)})", **KEY)
    return figure


def plot_decision_curve(curves: Mapping[str, DecisionCurve], *, title: str | None = None) -> Figure:
    """Draw the net benefit of acting on scores, with bands, beside acting on everyone and on no one.

    Parameters
    ----------
    curves : mapping of str to DecisionCurve
        What the legend calls a curve, and the curve: `tumortrace.evaluation.decision_curve`, all of the same rows.
        Six at most.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is no curve, or more than six, or they are of rows with different shares of positives.
    """
    figure = new_figure(6.4, 4.8 + LINE * len(curves), title)
    axes = figure.add_subplot()
    for colour, name, curve in coloured(curves):
        axes.fill_between(curve.threshold, curve.low, curve.high, color=colour, alpha=0.14, lw=0)
        axes.plot(curve.threshold, curve.benefit, color=colour, lw=1.8, label=name)
    # net benefit at odds 1 : 1 gives the prevalence away, whatever the thresholds
    shares = [curve.treat_all * (1 - curve.threshold) + curve.threshold for curve in curves.values()]
    prevalence = float(shares[0][0])
    if any(abs(share - prevalence).max() > 1e-9 for share in shares):
        raise ValueError(
            "curves are of rows with different shares of positives; draw one level and one set of rows"
        )
    t = np.linspace(0, 0.99, 199)
    all_treated = prevalence - t / (1 - t) * (1 - prevalence)
    axes.plot(t, all_treated, color=INK, lw=1.0, ls=DASHES, label="treat all")
    axes.axhline(0, color=FAINT, lw=1.0, label="treat none")
    top = max(prevalence, *(float(np.max(curve.high)) for curve in curves.values()))
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.15 * top, 1.06 * top))
    tidy(axes, x="Threshold probability", y="Net benefit")
    grid(axes)
    figure.legend(loc="outside lower left", title=f"Band: {intervals(curves)}", **KEY)
    return figure


def coloured(curves: Mapping[str, Curve]) -> Iterator[tuple[str, str, Curve]]:
    """Yield the colour, the name and the curve of each."""
    if not 1 <= len(curves) <= len(COLOURS):
        raise ValueError(f"{len(curves)} curves were given; give 1 to {len(COLOURS)}")
    for colour, (name, curve) in zip(COLOURS, curves.items(), strict=False):
        yield colour, name, curve


def intervals(curves: Mapping[str, Measured]) -> str:
    """Say what the intervals of the curves are."""
    levels = " and ".join(sorted({f"{100 * curve.level:g} %" for curve in curves.values()}))
    return f"{levels} interval, patients resampled"


def grid(axes: "Axes") -> None:
    """Give `axes` a faint grid behind what is drawn."""
    axes.grid(color="#e6e6e6", lw=0.6)
    axes.set_axisbelow(True)
