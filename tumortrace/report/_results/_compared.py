"""Whether the model differs from others by more than chance: the same rows, the same patients drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tumortrace.report._document import Block, Section, Table, Text
from tumortrace.report._results._words import (
    INTERVALS,
    NONE,
    SMALLEST,
    count,
    family,
    interval,
    listed,
    p_value,
    signed,
)
from tumortrace.report._study import Study

if TYPE_CHECKING:
    import pandas as pd

    from tumortrace.evaluation import Comparison


def comparisons(study: Study) -> Section:
    """Return how the model differs from its own parts and from others that scored the same rows."""
    rivals = _rivals(study)
    if not rivals:
        return Section(
            "comparisons",
            "Comparisons",
            [Text("There is nothing to compare with: the model has no parts that score by themselves, and no other "
                  "model was given.")],
        )  # fmt: skip
    from tumortrace.model import compare_predictions

    found: dict[tuple[str, str], Comparison] = {}
    for name, table in rivals.items():
        try:
            compared = compare_predictions(study.rows, table, study.positive, seed=study.seed)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        found |= {(name, level): comparison for level, comparison in compared.items()}
    blocks: list[Block] = [Text(_say(study, found)), _table(found)]
    return Section("comparisons", "Comparisons", blocks)


def _rivals(study: Study) -> dict[str, pd.DataFrame]:
    """Return the parts that a fused model is made of, and the other models: name → predictions."""
    parts = [name for name, member in study.members.items() if member.parent is None]
    own = {
        f"{family(name)} (its part)" if family(name) in study.others else family(name): study.rows.assign(
            score=study.scores_of(name)
        )
        for name in parts
    }
    return own | dict(study.others)


def _say(study: Study, found: dict[tuple[str, str], Comparison]) -> str:
    last = list(study.levels)[-1]
    better: list[str] = []
    worse: list[str] = []
    open_: list[str] = []
    for (name, level), comparison in found.items():
        if level == last:
            low, high = comparison.difference[1:]
            (better if low > 0 else worse if high < 0 else open_).append(name)
    lines = []
    if better:
        lines.append(f"Per {last}, the model separates the classes better than {listed(better)}.")
    if worse:
        lines.append(f"Per {last}, the model separates the classes worse than {listed(worse)}.")
    if open_:
        lines.append(
            f"Per {last}, these data do not tell the model from {listed(open_)}: the interval of the difference "
            "takes in 0. That is no proof that they are equal."
        )
    return " ".join(lines) + (
        "\n\nBoth models of a pair are measured on the same patients, drawn anew together: what makes a patient "
        f"hard for both cancels. {count(len(found), 'comparison')} without correction for their number: of "
        "twenty between equals, one is expected to have p below 0.05."
    )


def _table(found: dict[tuple[str, str], Comparison]) -> Table:
    """Return the areas level by level: first that of the model, then the others and what it has more than they."""
    rows = []
    for level in dict.fromkeys(level for _, level in found):
        of_level = {name: comparison for (name, at), comparison in found.items() if at == level}
        rows.append(["The model", level, interval(next(iter(of_level.values())).a), NONE, NONE, NONE])
        rows += [
            [
                name,
                level,
                interval(comparison.b),
                signed(comparison.difference),
                p_value(comparison.p),
                p_value(comparison.p_delong),
            ]
            for name, comparison in of_level.items()
        ]
    return Table(
        "AUC of the model, of its parts and of other models",
        ["Model", "Per", "AUC", "The model has more", "p", "p, DeLong"],
        rows,
        note=f"{INTERVALS} p: two-sided, from the same draws. DeLong's p takes rows as independent; where a "
        f"patient has several it is too small, and p is the one to report. {SMALLEST}",
        numeric=range(2, 6),
    )
