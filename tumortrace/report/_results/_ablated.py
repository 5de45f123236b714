"""What each family does alone, and what the model is without it."""

from __future__ import annotations

from collections.abc import Collection
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from tumortrace.evaluation import Interval, aggregate, compare
from tumortrace.report._document import Block, Picture, Section, Table, Text
from tumortrace.report._forest import plot_forest
from tumortrace.report._results._parts import recombined
from tumortrace.report._results._words import (
    INTERVALS,
    SMALLEST,
    family,
    interval,
    listed,
    p_value,
    percent,
    signed,
)
from tumortrace.report._study import Study

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tumortrace.evaluation import Comparison

_EXACT = 1e-6


class Ablation(NamedTuple):
    """A member by itself and the model without it, each against the whole model."""

    weight: float
    alone: Comparison
    without: Comparison


def ablations(study: Study) -> Section:
    """Return what the model is with one member only, and with all but one."""
    if len(study.leaves) < 2:
        why = (
            "How the parts of a model are weighed is not known from its predictions alone: give the model."
            if study.model is None
            else "The model has no parts that could be left out one by one."
        )
        return Section("ablations", "Ablations", [Text(why)])
    levels = list(study.levels)
    last = levels[-1]
    found = {level: ablated(study, level) for level in dict.fromkeys([levels[0], last])}
    blocks: list[Block] = [Text(_say(study, found[last], last)), _picture(found[last], last, study.leaves)]
    blocks += [_table(of_level, level, study.leaves) for level, of_level in found.items()]
    return Section("ablations", "Ablations", blocks)


def ablated(study: Study, level: str) -> dict[str, Ablation]:
    """Return member → what it does alone and what the whole is without it, at a level.

    The members without members come first, then those that have some. The whole is put together from the members'
    scores too, so that both sides of a pair are made in the same way.
    """
    leaves = list(study.leaves)
    whole = recombined(study, leaves)
    found = {}
    for name, member in study.members.items():
        own = leaves_below(study, name)
        rest = [leaf for leaf in leaves if leaf not in own]
        found[name] = Ablation(
            member.weight,
            _paired(study, level, whole, recombined(study, own)),
            _paired(study, level, whole, recombined(study, rest)),
        )
    return {name: found[name] for name in [*leaves, *(n for n in found if n not in leaves)]}


def leaves_below(study: Study, name: str) -> list[str]:
    """Return the members without members that a member is made of, itself where it has none."""
    children = [child for child, member in study.members.items() if member.parent == name]
    return [leaf for child in children for leaf in leaves_below(study, child)] or [name]


def alike(study: Study, level: str) -> pd.Series[float]:
    """Return pair of members without members → rank correlation of their scores, the lowest first."""
    by = list(dict.fromkeys(["patient", *study.levels[level]]))
    names = list(study.leaves)
    scores = pd.DataFrame(
        {name: aggregate(study.rows, by, score=f"score_{name}")[f"score_{name}"] for name in names}
    )
    pairs = {(a, b): scores[a].corr(scores[b], "spearman") for a, b in combinations(names, 2)}
    return pd.Series(pairs).sort_values(kind="stable")


def _paired(study: Study, level: str, whole: NDArray[np.float64], other: NDArray[np.float64]) -> Comparison:
    by = list(dict.fromkeys(["patient", *study.levels[level]]))
    rows = study.rows.assign(whole=whole, other=other)
    one, two = aggregate(rows, by, score="whole"), aggregate(rows, by, score="other")
    y = one["label"] == study.positive
    return compare(y, one["whole"], two["other"], one["patient"], seed=study.seed)


def _say(study: Study, found: dict[str, Ablation], level: str) -> str:
    leaves = list(study.leaves)
    needed = [name for name in leaves if found[name].without.difference.low > 0]
    harmful = [name for name in leaves if found[name].without.difference.high < 0]
    as_good = [name for name in leaves if found[name].alone.difference.low <= 0]
    lines = [
        "The model is a weighted mean of the log-odds of its parts. So it can be put together without one of them, "
        "or of one alone, from the scores that each part gave, and nothing has to be trained anew."
    ]
    looked = f"Per {level}, by intervals that are not corrected for looking at {len(leaves)} parts,"
    if study.cross_fitted:
        lines[0] += " These scores are out-of-fold: no part had seen the patient."
    if needed:
        lines.append(f"{looked} the model is worse without {listed(map(family, needed))}.")
    if harmful:
        lines.append(f"{looked} the model is better without {listed(map(family, harmful))}.")
    if not needed and not harmful:
        lines.append(
            f"Per {level}, leaving out any one of them changes the AUC by less than these data can tell: the parts "
            "say much the same, or there are too few patients."
        )
    lines.append(
        f"Alone, {listed(map(family, as_good))} cannot be told from the whole, which is no proof of being as good."
        if as_good
        else "None alone comes up to the whole."
    )
    correlations = alike(study, level)
    (least, most), low, high = correlations.index[[0, -1]], correlations.iloc[0], correlations.iloc[-1]
    if len(correlations) > 1:
        lines.append(
            f"The more alike two parts rank the {level}s, the less either is missed: their rank correlations go "
            f"from {low:.2f} ({listed(map(family, least))}) to {high:.2f} ({listed(map(family, most))})."
        )
    gap = float(np.abs(recombined(study, leaves) - study.rows["score"]).max())
    if gap > _EXACT:
        lines.append(
            f"Put together from its parts, the model differs from its own scores by up to {gap:.2g}; the table "
            "compares with what is put together."
        )
    return "\n\n".join([lines[0], " ".join(lines[1:])])


def _picture(found: dict[str, Ablation], level: str, leaves: Collection[str]) -> Picture:
    whole = next(iter(found.values())).alone.a
    alone, change = f"AUC alone, per {level}", f"Change of AUC without it, per {level}"
    figure = plot_forest(
        {
            alone: {_called(name, leaves): one.alone.b for name, one in found.items()},
            change: {_called(name, leaves): _turned(one.without) for name, one in found.items()},
        },
        lines={alone: whole.value, change: 0.0},
    )
    return Picture(
        figure,
        "Each part of the model with the AUC it reaches alone and the change of the AUC when it is left out, with "
        "intervals; the numbers are in the table below.",
        f"Left: each part alone; the dashed line is the whole model, {whole.value:.3f}. Right: what the AUC "
        "changes by when the part is left out; left of the dashed line the model is worse without it.",
    )


def _called(name: str, leaves: Collection[str]) -> str:
    return family(name) if name in leaves else f"{family(name)} (all)"


def _turned(comparison: Comparison) -> Interval:
    """Return what the other model has more than the first."""
    value, low, high = comparison.difference
    return Interval(-value, -high, -low)


def _table(found: dict[str, Ablation], level: str, leaves: Collection[str]) -> Table:
    rows = [
        [
            _called(name, leaves),
            percent(one.weight),
            interval(one.alone.b),
            p_value(one.alone.p),
            interval(one.without.b),
            signed(_turned(one.without)),
            p_value(one.without.p),
        ]
        for name, one in found.items()
    ]
    whole = next(iter(found.values())).alone.a
    return Table(
        f"Each part alone and left out, per {level}: the whole model has an AUC of {interval(whole)}",
        ["Part", "Weight", "AUC alone", "p", "AUC without it", "Change", "p"],
        rows,
        note=f"{INTERVALS} Weight: share in the mean of log-odds. p: two-sided, against the whole model, patients "
        f"drawn for both together, not corrected for the number of rows. {SMALLEST}",
        numeric=range(1, 7),
    )
