"""Which features rise and fall together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tumortrace.report._style import FAINT, INK, SMALL, TEXT, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

SIMILAR = 0.9
_NAMED = 40
_SIDE = 5.2  # inches


@dataclass(frozen=True, eq=False)
class Clusters:
    """Groups of features.

    Parameters
    ----------
    names : list of str
        The features in the order of the groups, and of the tree within each.
    rho : ndarray, shape (features, features)
        Spearman's correlation of each pair, in this order.
    groups : list of list of str
        The names of each group.
    """

    names: list[str]
    rho: NDArray[np.float64]
    groups: list[list[str]]

    def middle(self, group: list[str]) -> str:
        """Return the feature of a group that is most like the others."""
        places = [self.names.index(name) for name in group]
        return group[int(np.abs(self.rho[np.ix_(places, places)]).mean(axis=1).argmax())]


def clusters(values: pd.DataFrame) -> Clusters:
    """Group features by rank correlation: average linkage of ``1 − |ρ|``, cut at `SIMILAR`.

    Parameters
    ----------
    values : DataFrame, shape (rows, features)
        Finite numbers that vary; two features at least.
    """
    from scipy.cluster.hierarchy import fcluster, leaves_list, linkage
    from scipy.spatial.distance import squareform
    from scipy.stats import rankdata

    rho = np.clip(np.corrcoef(rankdata(values.to_numpy(np.float64), axis=0), rowvar=False), -1, 1)
    apart = 1 - np.abs(rho)
    np.fill_diagonal(apart, 0)
    tree = linkage(squareform(apart, checks=False), "average")
    order = leaves_list(tree)
    member = fcluster(tree, 1 - SIMILAR, "distance")[order]
    names = [str(values.columns[place]) for place in order.tolist()]
    edges = [0, *(np.flatnonzero(np.diff(member)) + 1), len(names)]
    groups = [names[start:stop] for start, stop in pairwise(edges)]
    return Clusters(names, rho[np.ix_(order, order)], groups)


def plot_correlations(found: Clusters) -> Figure:
    """Draw the correlations, with the groups framed; few features are named."""
    from matplotlib.patches import Rectangle

    named = len(found.names) <= _NAMED
    figure = new_figure(_SIDE + (2.6 if named else 0.6), _SIDE)
    axes = figure.subplots()
    drawn = axes.imshow(found.rho, cmap="PuOr_r", vmin=-1, vmax=1, interpolation="nearest")
    start = 0
    for group in found.groups:
        if len(group) > 1:
            corner = (start - 0.5, start - 0.5)
            axes.add_patch(Rectangle(corner, len(group), len(group), fill=False, edgecolor=INK, linewidth=0.8))
        start += len(group)
    axes.set(xticks=[], yticks=range(len(found.names)) if named else [])
    if named:
        axes.set_yticklabels(found.names, fontsize=SMALL - 2, color=INK)
        axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(drawn, ax=axes, fraction=0.04, pad=0.02)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=SMALL, length=2, color=FAINT)
    bar.set_label("Spearman's ρ", fontsize=TEXT, color=FAINT)
    return figure
