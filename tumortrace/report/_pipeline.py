"""How a score comes about: from the images through the members of a model to the score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from tumortrace.report._method import BACKBONES, CLASSIFIERS, families
from tumortrace.report._results._words import count, family, percent
from tumortrace.report._style import COLOURS, FAINT, INK, SMALL, TEXT, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tumortrace.model import Model

_ROW = 0.42  # inches, of one member
_WIDE, _GAP = (0.95, 2.0, 1.3), 0.42  # inches, of the boxes of images, members without members, and others
_SCORE = ""
"""The root of the members."""


def plot_pipeline(model: Model, *, title: str | None = None) -> Figure:
    """Draw what a model is made of, each member with its share in the score.

    Parameters
    ----------
    model : Model
        Trained. A line is as thick as the share of the member in the mean of log-odds of the whole.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from tumortrace.model import members

    found = members(model.estimator) or _alone(model)
    parents: dict[str, str] = {name: member.parent or _SCORE for name, member in found.items()}
    leaves = [name for name in found if name not in parents.values()]
    heights = {name: float(-k) for k, name in enumerate(leaves)}
    columns = dict.fromkeys(leaves, 1)
    for name in [*reversed(found), _SCORE]:
        below = [child for child, parent in parents.items() if parent == name]
        if below:
            heights[name] = sum(heights[child] for child in below) / len(below)
            columns[name] = 1 + max(columns[child] for child in below)
    middle, last = (max(heights.values()) + min(heights.values())) / 2, columns[_SCORE]
    figure = new_figure(_left(last) + _WIDE[2] + 0.1, _ROW * len(leaves) + 0.1, title)
    axes = figure.add_subplot()
    for name in leaves:
        axes.plot([_right(0), _left(1)], [middle, heights[name]], color="#c3ccd4", lw=1.0, zorder=1)
    for name, member in found.items():
        ends = [_right(columns[name]), _left(columns[parents[name]])]
        line: Any = {"lw": 0.8 + 7 * member.weight, "solid_capstyle": "butt", "zorder": 1}
        axes.plot(ends, [heights[name], heights[parents[name]]], color=COLOURS[0], alpha=0.35, **line)
    _box(axes, 0, middle, _images(model))
    for name, member in found.items():
        share = "" if len(found) == 1 else percent(member.weight)
        lines = [family(name), _inside(name, model) if name in leaves else "", share]
        _box(axes, columns[name], heights[name], [line for line in lines if line])
    _box(axes, last, heights[_SCORE], ["score", f"{model.classes[1]} from {model.threshold:.3f}"])
    axes.set(xlim=(0, _left(last) + _WIDE[2] + 0.02), ylim=(min(heights.values()) - 0.5, 0.5))
    axes.set_axis_off()
    return figure


def _left(column: int) -> float:
    """Return where the boxes of a column begin, in inches."""
    return 0.02 + sum(_WIDE[min(k, 2)] + _GAP for k in range(column))


def _right(column: int) -> float:
    return _left(column) + _WIDE[min(column, 2)]


def _alone(model: Model) -> dict[str, Any]:
    """Return the one member of a model that averages nothing."""
    from tumortrace.model import Member

    name = "cnn" if model.inputs.pixels is not None else next(iter(families(model)))
    return {name: Member(name, None, 1.0)}


def _images(model: Model) -> list[str]:
    if model.inputs.unit == "image":
        return ["one image"]
    sequences = model.inputs.sequences or ()
    return ["one slice", count(len(sequences), "sequence")] if sequences else ["one slice"]


def _inside(name: str, model: Model) -> str:
    """Return what a member without members makes its score of."""
    plan = model.record["plan"]
    if name in ("cnn", "slices", "crops"):
        return f"pixels → {BACKBONES[plan['backbone']]}"
    numbers = families(model)
    if name == "texture":  # of one family only
        columns = sum(size for kind, size in numbers.items() if kind != "kinetics")
    else:
        columns = numbers[name]
    return f"{columns:,} numbers → {CLASSIFIERS[plan['classifier']]}"


def _box(axes: Axes, column: int, y: float, lines: list[str]) -> None:
    from matplotlib.patches import Rectangle

    head, *rest = lines
    x, width = _left(column), _WIDE[min(column, 2)]
    axes.add_patch(Rectangle((x, y - 0.41), width, 0.82, facecolor="white", edgecolor=FAINT, lw=0.8, zorder=2))
    text: Any = {"x": x + width / 2, "ha": "center", "va": "center", "zorder": 3}
    axes.text(y=y + (0.17 if rest else 0), s=head, fontsize=TEXT, fontweight="bold", color=INK, **text)
    axes.text(y=y - 0.2, s="  ·  ".join(rest), fontsize=SMALL - 0.5, color=FAINT, **text)
