"""What every operator makes of one lesion, side by side."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import BoundaryNorm, PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace.features import (
    glcm_matrix,
    hog_cells,
    lbp_codes,
    mvm_lbp_codes,
    mvmbp_codes,
    sobel_gradients,
)
from tumortrace.report._style import COLOURS, FAINT, HEADING, SMALL, TEXT, TITLE, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

_OUTLINE = COLOURS[4]
_WIDTH = 2.4  # inches, of one picture
_GLYPHS = 16  # cells along the longer side of the HOG view
_LEVELS = 32


def panel(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    spacing: Sequence[float] | None = None,
    views: Sequence[str] | None = None,
    title: str | None = None,
) -> Figure:
    """Draw an image and what the operators make of it, one labelled view each.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype. Of a volume, the middle one of the slices that the mask touches is drawn.
    mask : array_like, same shape, optional
        Non-zero is inside. Its outline is drawn, what lies outside is faded, and the co-occurrence matrix and the
        histogram are of the inside.
    spacing : sequence of float, optional
        Pixel spacing in mm, one number per axis; pixels are drawn in these proportions.
    views : sequence of str, optional
        Some of ``"image"``, ``"first_order"``, ``"sobel"``, ``"hog"``, ``"glcm"``, ``"lbp"``, ``"mvm_lbp"`` and
        ``"mvmbp"``; all of them by default.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    TypeError, ValueError
        If `image`, `mask` or `spacing` is not as said, or a view is not known.
    """
    ndim = np.ndim(image)
    volume = _check.volume(image)
    region = _check.region(mask, volume, ndim)
    step = _check.spacing(spacing, ndim)[-2:]
    chosen = tuple(_VIEWS) if views is None else tuple(_check.one_of("view", v, tuple(_VIEWS)) for v in views)
    if not chosen:
        raise ValueError(f"views is empty; give some of {', '.join(_VIEWS)}")
    touched = np.arange(len(volume)) if region.size == 0 else np.flatnonzero(region.any(axis=(1, 2)))
    middle = int(touched[len(touched) // 2])
    pixels, inside = volume[middle], region[middle] if region.size else None
    if len(volume) > 1:
        title = f"{title or 'Volume'}, slice {middle + 1} of {len(volume)}"
    figure, grid = _grid(len(chosen), pixels.shape[0] * step[0] / (pixels.shape[1] * step[1]), title)
    for axes, view in zip(grid, chosen, strict=True):
        _VIEWS[view](axes, pixels, inside, step[0] / step[1])
    return figure


def _grid(count: int, ratio: float, title: str | None) -> tuple[Figure, list["Axes"]]:
    """Return a figure with `count` places for pictures of the given height to width, in inches: tops in line."""
    columns = min(4, count)
    rows = -(-count // columns)
    height = _WIDTH * min(max(ratio, 0.75), 1.35)
    above, left, right, below = 0.4, 0.5, 0.55, 0.5
    head = 0.35 if title else 0.0
    cell = left + _WIDTH + right, above + height + below
    width, total = columns * cell[0], rows * cell[1] + head
    figure = Figure(figsize=(width, total), facecolor="white")
    if title:
        figure.suptitle(title, x=left / width, y=1 - 0.12 / total, ha="left", va="top", **HEADING)
    places = []
    for k in range(count):
        x, y = (k % columns) * cell[0] + left, total - head - (k // columns) * cell[1] - above - height
        axes = figure.add_axes((x / width, y / total, _WIDTH / width, height / total), anchor="NW")
        places.append(axes)
    return figure, places


def _image(axes: "Axes", pixels: NDArray[Any], inside: NDArray[np.bool_] | None, aspect: float) -> None:
    shown = _map(axes, pixels, aspect=aspect, cmap="gray")
    size = f"{pixels.shape[0]} × {pixels.shape[1]} pixels"
    _frame(axes, pixels.shape, inside, "Image", size if inside is None else f"{size}, {inside.sum():,} in the mask")
    _scale(axes, shown)


def _first_order(axes: "Axes", pixels: NDArray[Any], inside: NDArray[np.bool_] | None, aspect: float) -> None:
    values = (pixels if inside is None else pixels[inside]).ravel()
    axes.hist(values, bins=_LEVELS, color=COLOURS[0], rwidth=0.92)
    mean, median = values.mean(), np.median(values)
    axes.axvline(mean, color=COLOURS[1], lw=1.6)
    axes.axvline(median, color=COLOURS[1], lw=1.6, ls=(0, (2, 1)))
    tidy(axes, "First order", f"intensity: mean {mean:.4g}, median {median:.4g} (dashed)", "pixels")
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))


def _sobel(axes: "Axes", pixels: NDArray[Any], inside: NDArray[np.bool_] | None, aspect: float) -> None:
    magnitude = sobel_gradients(pixels).magnitude
    shown = _map(axes, magnitude, aspect=aspect, cmap="magma", vmin=0, vmax=magnitude.max() or 1)
    _frame(axes, pixels.shape, inside, "Sobel", "magnitude of the gradient")
    _scale(axes, shown)


def _hog(axes: "Axes", pixels: NDArray[Any], inside: NDArray[np.bool_] | None, aspect: float) -> None:
    side = max(2, -(-max(pixels.shape) // _GLYPHS))
    side = min(side, *pixels.shape)
    cells = hog_cells(pixels, pixels_per_cell=(side, side))
    orientations = cells.shape[-1]
    angles = np.pi * (np.arange(orientations) + 0.5) / orientations
    # an edge runs across its gradient
    along = 0.48 * side * np.stack([-np.sin(angles), np.cos(angles)], axis=-1)
    rows, cols = (side * (np.arange(n) + 0.5) - 0.5 for n in cells.shape[:2])
    centres = np.stack(np.meshgrid(cols, rows), axis=-1)[:, :, None, :]
    lines = np.stack([centres - along, centres + along], axis=-2).reshape(-1, 2, 2)
    strength = cells / (cells.max() or 1)
    _map(axes, pixels, aspect=aspect, cmap="gray", alpha=0.35)
    axes.set_facecolor("black")
    order = np.argsort(strength.ravel())
    axes.add_collection(
        LineCollection(
            list(lines[order]),
            colors=[(1.0, 0.83, 0.35, a) for a in strength.ravel()[order] ** 0.5],
            linewidths=1.1,
            capstyle="round",
        )
    )
    _frame(axes, pixels.shape, None, "HOG", f"edges in cells of {side} × {side} pixels")
    if inside is not None:
        axes.add_collection(LineCollection(_outline(inside), colors="white", linewidths=0.8))


def _glcm(axes: "Axes", pixels: NDArray[Any], inside: NDArray[np.bool_] | None, aspect: float) -> None:
    counts = glcm_matrix(pixels, inside, levels=_LEVELS).reshape(-1, _LEVELS, _LEVELS).sum(axis=0)
    shares = counts / max(counts.sum(), 1)
    edge = _LEVELS + 0.5
    shown = axes.imshow(
        shares,
        cmap="magma",
        norm=PowerNorm(0.5, 0, shares.max() or 1),
        interpolation="nearest",
        extent=(0.5, edge, edge, 0.5),
    )
    tidy(axes, "GLCM", f"grey level of the neighbour, 1 to {_LEVELS}", "grey level of the pixel")
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    _scale(axes, shown, "share of pairs (root scale)")


def _lbp(axes: "Axes", pixels: NDArray[Any], inside: NDArray[np.bool_] | None, aspect: float) -> None:
    points = 8
    codes = lbp_codes(pixels, points=points, radius=1, method="uniform")
    colours = BoundaryNorm(np.arange(-0.5, points + 2), 256)
    shown = _map(axes, codes, aspect=aspect, cmap="viridis", norm=colours)
    _frame(axes, pixels.shape, inside, "LBP", f"uniform code, {points} points, radius 1")
    _scale(axes, shown, ticks=range(points + 2))


def _mvm_lbp(axes: "Axes", pixels: NDArray[Any], inside: NDArray[np.bool_] | None, aspect: float) -> None:
    _codes(axes, pixels, inside, aspect, mvm_lbp_codes, "MVM-LBP", "code of a 3 × 3 window")


def _mvmbp(axes: "Axes", pixels: NDArray[Any], inside: NDArray[np.bool_] | None, aspect: float) -> None:
    _codes(axes, pixels, inside, aspect, mvmbp_codes, "MVMBP", "code of a 5 × 5 window")


def _codes(
    axes: "Axes",
    pixels: NDArray[Any],
    inside: NDArray[np.bool_] | None,
    aspect: float,
    function: Callable[[NDArray[Any]], NDArray[np.uint8]],
    title: str,
    caption: str,
) -> None:
    """Draw codes of eight bits; the border that has none stays empty."""
    codes = function(pixels)
    border = (pixels.shape[0] - codes.shape[0]) // 2
    everywhere = np.full(pixels.shape, np.nan)
    if codes.size:
        everywhere[border:-border, border:-border] = codes
    shown = _map(axes, everywhere, aspect=aspect, cmap="viridis", vmin=0, vmax=255)
    _frame(axes, pixels.shape, inside, title, caption)
    if codes.size == 0:
        axes.text(0.5, 0.5, "no full window", ha="center", fontsize=TEXT, color=FAINT, transform=axes.transAxes)
    _scale(axes, shown, ticks=(0, 64, 128, 192, 255))


def _map(axes: "Axes", values: NDArray[Any], **style: Any) -> "AxesImage":
    """Draw one value per pixel; a large picture is smoothed where it has more pixels than the figure."""
    return axes.imshow(values, interpolation="nearest" if max(values.shape) < 256 else "antialiased", **style)


def _frame(
    axes: "Axes", shape: tuple[int, ...], inside: NDArray[np.bool_] | None, title: str, caption: str
) -> None:
    """Set limits and letters, fade what lies outside the mask, and outline it along the edges of pixels."""
    axes.set(xlim=(-0.5, shape[1] - 0.5), ylim=(shape[0] - 0.5, -0.5), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.set_title(title, fontsize=TITLE, loc="left")
    axes.set_xlabel(caption, fontsize=TEXT, color=FAINT, loc="left")
    if inside is not None:
        axes.imshow(np.where(inside[..., None], (1, 1, 1, 0), (1, 1, 1, 0.55)), aspect=axes.get_aspect())
        axes.add_collection(
            LineCollection(_outline(inside), colors=_OUTLINE, linewidths=1.4, capstyle="projecting")
        )


def _outline(inside: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Return the edges between pixels inside and outside as segments ``[[x, y], [x, y]]``."""
    padded = np.pad(inside, 1)
    rows, cols = np.nonzero(padded[1:, 1:-1] != padded[:-1, 1:-1])
    across = np.stack([np.stack([cols - 0.5, rows - 0.5], -1), np.stack([cols + 0.5, rows - 0.5], -1)], 1)
    rows, cols = np.nonzero(padded[1:-1, 1:] != padded[1:-1, :-1])
    down = np.stack([np.stack([cols - 0.5, rows - 0.5], -1), np.stack([cols - 0.5, rows + 0.5], -1)], 1)
    return [*across, *down]


def _scale(axes: "Axes", shown: "AxesImage", label: str = "", ticks: Sequence[int] | None = None) -> None:
    """Put a slim colour bar beside `axes`, as tall as the picture; a flat one shows its ends only."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    width, height = figure.get_size_inches()
    axes.apply_aspect()
    box = axes.get_position()
    place = figure.add_axes((box.x1 + 0.07 / width, box.y0, 0.1 / width, box.height))
    ends = (ticks[0], ticks[-1]) if ticks else shown.get_clim()
    bar = figure.colorbar(shown, cax=place, ticks=ends if box.height * height < 0.9 else ticks)
    bar.outline.set_visible(False)
    place.tick_params(labelsize=SMALL, length=2, color=FAINT)
    bar.set_label(label, fontsize=SMALL, color=FAINT)


_VIEWS: dict[str, Callable[["Axes", NDArray[Any], NDArray[np.bool_] | None, float], None]] = {
    "image": _image,
    "first_order": _first_order,
    "sobel": _sobel,
    "hog": _hog,
    "glcm": _glcm,
    "lbp": _lbp,
    "mvm_lbp": _mvm_lbp,
    "mvmbp": _mvmbp,
}
