"""A map laid over the slice it was computed from."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace.report._style import COLOURS, FAINT, SMALL, TEXT, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OUTLINE = COLOURS[4]
_WIDTH = 3.2  # inches, of one picture


def plot_map(
    image: ArrayLike,
    values: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    spacing: Sequence[float] | None = None,
    limits: tuple[float, float] | None = None,
    opacity: float = 0.75,
    label: str = "",
    title: str | None = None,
) -> Figure:
    """Draw a slice, and beside it the same slice under a map.

    Parameters
    ----------
    image : array_like, shape (rows, cols)
        The slice, any real dtype.
    values : array_like, same shape
        The map, such as a slice of what `glcm_map` returns; nothing is laid over the slice where it is NaN.
    mask : array_like, same shape, optional
        Non-zero is inside; its outline is drawn.
    spacing : sequence of float, optional
        Pixel spacing in mm of rows and columns; pixels are drawn in these proportions.
    limits : tuple of float, optional
        The values at the two ends of the colours; by default the least and the greatest. Give the same to all
        slices of a volume, so that they can be compared.
    opacity : float, default 0.75
        Of the map, above 0 and up to 1.
    label : str, optional
        What the map shows, beside the colour bar.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    TypeError, ValueError
        If an argument is not as said, or the shapes differ.

    Notes
    -----
    Research software, no medical device: a map shows where the texture of an image is how, not what the tissue is.
    """
    volume = _check.volume(image)
    if np.ndim(image) != 2:
        raise ValueError(f"image has shape {np.shape(image)}; give one slice, (rows, cols)")
    shown = np.ma.masked_invalid(np.asarray(values, dtype=np.float64))
    if shown.shape != volume.shape[1:]:
        raise ValueError(f"values have shape {shown.shape}; give the shape of the image, {volume.shape[1:]}")
    inside = _check.region(mask, volume, 2)[0] if mask is not None else None
    if not 0 < opacity <= 1:
        raise ValueError(f"opacity is {opacity!r}; give a number above 0 and up to 1")
    row, col = _check.spacing(spacing, 2)
    low, high = limits or ((shown.min(), shown.max()) if shown.count() else (0.0, 1.0))
    ratio = volume.shape[1] * row / (volume.shape[2] * col)
    figure = new_figure(2 * _WIDTH + 0.9, _WIDTH * min(max(ratio, 0.4), 1.6) + (0.6 if title else 0.3), title)
    left, right = figure.subplots(1, 2)
    for axes in (left, right):
        axes.imshow(volume[0], cmap="gray", aspect=row / col)
    colours = right.imshow(shown, cmap="viridis", vmin=low, vmax=high, alpha=opacity, aspect=row / col)
    _finish(left, inside)
    _finish(right, inside)
    bar = figure.colorbar(colours, ax=right, fraction=0.05, pad=0.03)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=SMALL, length=2, color=FAINT)
    bar.set_label(label, fontsize=TEXT, color=FAINT)
    return figure


def _finish(axes: "Axes", inside: NDArray[np.bool_] | None) -> None:
    """Take away the frame and outline the mask."""
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    if inside is not None and not inside.all():
        axes.contour(inside, levels=[0.5], colors=_OUTLINE, linewidths=1.2)
