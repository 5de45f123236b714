"""Which families of features move the scores, and whether they move them the right way."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tumortrace.evaluation import Interval
from tumortrace.evaluation._bootstrap import Numbers, resampled
from tumortrace.evaluation._rows import codes
from tumortrace.report._document import Block, Items, Picture, Section, Table, Text
from tumortrace.report._forest import plot_forest
from tumortrace.report._results._parts import contributions
from tumortrace.report._results._words import INTERVALS, family, interval, listed, number, percent
from tumortrace.report._study import Study

_MEANINGS = {
    "hog": "the directions of edges, cell by cell",
    "sobel": "how strong edges are, and where they point",
    "lbp": "patterns of each pixel's neighbours against the pixel itself",
    "mvm_lbp": "patterns of each pixel's neighbours against the mean, spread and median of a window",
    "mvmbp": "patterns of pixels that are brighter than their surroundings",
    "glcm": "how often which grey levels lie side by side: contrast, homogeneity, disorder",
    "first_order": "the distribution of grey values, wherever they lie",
    "kinetics": "how fast the lesion takes up contrast agent, how much, and whether it washes out",
    "cnn": "a convolutional network that looks at the pixels themselves",
    "slices": "a convolutional network that looks at all sequences of a slice at once",
    "crops": "a convolutional network that looks at one crop at a time",
}


_KEY = "What the families measure:"


class Family(NamedTuple):
    """How much a member moves the log-odds of the rows.

    Attributes
    ----------
    size : Interval
        Mean absolute contribution over rows.
    apart : Interval
        Mean contribution to positive rows less that to negative ones: what it moves the classes apart by.
    folds : tuple of float
        The size in each fold; one number where there are no folds.
    """

    size: Interval
    apart: Interval
    folds: tuple[float, ...]


def measured_families(study: Study) -> dict[str, Family]:
    """Return member without members → how much it moves the log-odds, the largest first."""
    parts = contributions(study)
    y, groups = study.y, codes("patient", study.rows["patient"], len(study.rows))
    values = parts.to_numpy()
    absolute, positive, negative = (
        _per_patient(groups, table) for table in (np.abs(values), values * y[:, None], values * ~y[:, None])
    )
    rows, positives, negatives = (np.bincount(groups, mask) for mask in (np.ones(len(y)), y, ~y))

    def statistic(weights: Numbers) -> Numbers:
        sizes = weights @ absolute / (weights @ rows)
        means = weights @ positive / (weights @ positives) - weights @ negative / (weights @ negatives)
        return np.append(sizes, means)

    count = len(parts.columns)
    value, low, high = resampled(statistic, y, groups, 0.95, 1000, study.seed)
    bounds = [Interval(*map(float, three)) for three in zip(value, low, high, strict=True)]
    folds = study.rows["fold"] if study.cross_fitted else np.zeros(len(parts), int)
    by_fold = parts.abs().groupby(np.asarray(folds)).mean()
    found = {
        name: Family(bounds[k], bounds[count + k], tuple(by_fold[name])) for k, name in enumerate(parts.columns)
    }
    return dict(sorted(found.items(), key=lambda item: -item[1].size.value))


def families(study: Study) -> Section:
    """Return how much each family moves the scores of a model that has parts."""
    found = measured_families(study)
    useless = [name for name, one in found.items() if one.apart.low <= 0]
    first = (
        "What a family adds to a lesion's log-odds is its weight times how far its own log-odds lie from their "
        "mean. For a weighted mean this is its Shapley value, exactly; the values of all families sum to the "
        "log-odds of the lesion, less their mean."
    )
    if study.cross_fitted:
        first += " The scores are out-of-fold, so that this is what the families say of patients they did not see."
    second = (
        "A large contribution is not yet a good one. A family is of use as far as it moves the classes apart, "
        f"which is the right half of the picture. {_verdict(found, useless)}"
    )
    meanings = Items([(family(name), _MEANINGS[name]) for name in found if name in _MEANINGS])
    blocks: list[Block] = [
        Text(f"{first}\n\n{second}"), _picture(study, found), _table(study, found), Text(_KEY), meanings,
    ]  # fmt: skip
    return Section("families", "Families of features", blocks)


def _verdict(found: dict[str, Family], useless: list[str]) -> str:
    top = next(iter(found))
    lines = [f"{family(top)} moves the scores most."]
    if useless:
        lines.append(
            f"For {listed(map(family, useless))}, these data do not show that the classes are moved apart."
        )
    else:
        lines.append("Here every family does, by intervals that leave out 0.")
    return " ".join(lines)


def _picture(study: Study, found: dict[str, Family]) -> Picture:
    size, apart = "Mean absolute contribution, log-odds", "Moves the classes apart by, log-odds"
    dots = {size: {family(name): one.folds for name, one in found.items()}} if study.cross_fitted else None
    figure = plot_forest(
        {
            size: {family(name): one.size for name, one in found.items()},
            apart: {family(name): one.apart for name, one in found.items()},
        },
        lines={apart: 0.0},
        dots=dots,
    )
    small = " The small marks are the folds." if study.cross_fitted else ""
    return Picture(
        figure,
        "Families from the largest mean absolute contribution to the smallest, and what each moves the classes "
        "apart by, with intervals; the numbers are in the table below.",
        f"Left: how much a family moves the log-odds of a lesion, up or down.{small} Right: mean contribution to "
        f"lesions that are {study.positive.lower()}, less that to the others.",
    )


def _table(study: Study, found: dict[str, Family]) -> Table:
    header = ["Family", "Weight", "Mean absolute contribution", "Moves the classes apart by"]
    rows = []
    for name, one in found.items():
        row = [family(name), percent(study.leaves[name].weight), interval(one.size), interval(one.apart)]
        if study.cross_fitted:
            row.append(f"{number(min(one.folds))} to {number(max(one.folds))}")
        rows.append(row)
    return Table(
        "Contributions of the families, in log-odds",
        [*header, "Folds, lowest to highest"] if study.cross_fitted else header,
        rows,
        note=f"{INTERVALS} Log-odds of 0.7 double the odds.",
        numeric=range(1, 5 if study.cross_fitted else 4),
    )


def _per_patient(groups: NDArray[np.intp], table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of the rows of each patient, shape (patients, columns)."""
    sums = np.zeros((int(groups.max()) + 1, table.shape[1]))
    np.add.at(sums, groups, table)
    return sums
