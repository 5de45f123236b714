"""What all figures share: colours, letter sizes, an axis without clutter, and saving."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe & Ito's palette, safe for the colour-blind
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
INK, FAINT = "#222222", "#6b6b6b"
TITLE, TEXT, SMALL = 11, 9, 8
HEADING = {"fontsize": TITLE + 2, "fontweight": "bold", "color": INK}


def new_figure(width: float, height: float, title: str | None = None) -> Figure:
    """Return an empty white figure, sizes in inches, that lays itself out."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    if title:
        figure.suptitle(title, **HEADING)
    return figure


def tidy(axes: "Axes", title: str = "", x: str = "", y: str = "") -> None:
    """Give `axes` its title and labels, and take away the upper and right edge."""
    axes.set_title(title, fontsize=TITLE, color=INK, loc="left")
    axes.set_xlabel(x, fontsize=TEXT, color=INK, loc="left")
    axes.set_ylabel(y, fontsize=TEXT, color=INK)
    axes.tick_params(labelsize=SMALL, color=FAINT, labelcolor=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)


def save(figure: Figure, path: str | os.PathLike[str], *, dpi: int = 160) -> Path:
    """Write `figure` under a temporary name, then move it into place.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What a function of this module returned.
    path : path
        Where to; the ending chooses the format (``.png``, ``.svg``, ``.pdf``). Its folder is made where missing.
    dpi : int, default 160
        Dots per inch of a raster format.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    ValueError
        If matplotlib cannot write that ending.
    """
    path = Path(path)
    kind = path.suffix.lstrip(".").lower() or "png"
    known = figure.canvas.get_supported_filetypes()
    if kind not in known:
        raise ValueError(f"cannot write {path.name}; give an ending of {', '.join(f'.{k}' for k in sorted(known))}")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        figure.savefig(draft, format=kind, dpi=dpi)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path
