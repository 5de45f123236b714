"""What the features of a table are like: the section ``features``."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tumortrace.evaluation._rows import codes
from tumortrace.features._nomenclature import IBSI_FAMILIES
from tumortrace.report._document import Block, Note, Picture, Section, Table, Text
from tumortrace.report._extracted._clusters import SIMILAR, clusters, plot_correlations
from tumortrace.report._extracted._columns import called, grouped
from tumortrace.report._extracted._read import Extracted
from tumortrace.report._results._univariate import TOP, univariate
from tumortrace.report._results._words import NONE, count, interval, percent

_LISTED = 400
_GROUPS = 12
_FEWEST = 8
"""Rows below which a correlation says nothing."""

_MOST = 1500
"""Features above which the figure of correlations is left out: it would show nothing."""


def values(table: Extracted, *, positive: str | None, seed: int) -> Section:
    """Return how many features there are, their values, which say the same, and how they differ by class."""
    parts = [_families(table), _listed(table), _alike(table), _classes(table, positive, seed)]
    about = (
        f"Of the {count(len(table.measured), 'row')} with numbers. Nothing here is a validated model: features "
        "that differ between classes in one table need not do so in the next patients."
    )
    return Section("features", "Features", [Note(about)], [part for part in parts if part is not None])


def _families(table: Extracted) -> Section:
    numbers = table.measured[list(table.features)]
    rows = [_counted(called(name), names, numbers, name) for name, names in _by(table, "extractor")]
    header = ["Family", "Columns", "With a missing value", "The same in every row"]
    blocks: list[Block] = [
        Table(
            "Features by family",
            [header[0], "Family of the IBSI", *header[1:]],
            [[row[0], " ".join(IBSI_FAMILIES.get(row[-1], ())) or NONE, *row[1:-1]] for row in rows],
            numeric=(2, 3, 4),
        )
    ]
    prefixes = _by(table, "prefix")
    if len(prefixes) > 1:
        rows = [_counted(name or "the lesion, not filtered", names, numbers, "") for name, names in prefixes]
        blocks.append(
            Table(
                "Features by region and filter",
                ["Region and filter", *header[1:]],
                [row[:-1] for row in rows],
                numeric=(1, 2, 3),
            )
        )
    return Section("features-families", "Families", blocks)


def _by(table: Extracted, field: str) -> list[tuple[str, list[str]]]:
    return list(grouped(table.features, field).items())


def _counted(name: str, columns: list[str], numbers: pd.DataFrame, key: str) -> list[str]:
    mine = numbers[columns]
    missing, different = mine.isna().any(), mine.nunique()
    return [name, f"{len(columns):,}", f"{int(missing.sum()):,}", f"{int((different == 1).sum()):,}", key]


def _listed(table: Extracted) -> Section:
    numbers = table.measured[list(table.features)]
    shown = numbers.iloc[:, :_LISTED]
    none = np.full((3, shown.shape[1]), np.nan)
    low, middle, high = shown.quantile([0.25, 0.5, 0.75]).to_numpy() if len(shown) else none
    missing = shown.isna().sum().tolist()
    rows = [
        [str(name), figure(m), f"{figure(a)} to {figure(b)}" if a == a else NONE, f"{lacking:,}"]
        for name, a, m, b, lacking in zip(shown, low, middle, high, missing, strict=True)
    ]
    hidden = numbers.shape[1] - shown.shape[1]
    note = "Quartiles are interpolated between rows. Missing: rows with numbers that lack this one."
    if hidden:
        note += f" The first {_LISTED} of {numbers.shape[1]:,} features; the others are in the table itself."
    return Section(
        "features-values",
        "Values",
        [
            Table(
                "Features, their medians and quartiles",
                ["Feature", "Median", "Quartiles", "Missing"],
                rows,
                note=note,
                numeric=(1, 2, 3),
            )
        ],
    )


def _alike(table: Extracted) -> Section:
    numbers = table.measured[list(table.features)]
    kept = [name for name in numbers if np.isfinite(numbers[name]).all() and numbers[name].nunique() > 1]
    title = "Features that say the same"
    varying = f"{count(len(kept), 'feature')} that {'varies' if len(kept) == 1 else 'vary'}"
    few = f"{count(len(numbers), 'row')} and {varying}"
    if len(numbers) < _FEWEST or len(kept) < 3:
        words = f"With {few} there is nothing to say: correlations need {_FEWEST} rows and 3 features at least."
        return Section("features-alike", title, [Text(words)])
    if len(kept) > _MOST:
        words = f"Left out for {few}: with more than {_MOST:,} it would show nothing. Choose features first."
        return Section("features-alike", title, [Text(words)])
    found = clusters(numbers[kept])
    sizes = [len(group) for group in found.groups]
    blocks: list[Block] = [
        Text(
            f"{count(len(kept), 'feature')} vary and are there in every row. By rank correlation they fall into "
            f"{count(len(sizes), 'group')} (average linkage, cut at a mean |ρ| of {SIMILAR}): as many different "
            "things, at most, does this table say of a lesion. The fewer rows, the more features look alike by "
            "chance."
        ),
        Picture(
            plot_correlations(found),
            "A square of colours, a row and a column per feature: squares along the diagonal are groups of "
            "features that rise and fall together.",
            "Spearman's ρ of each pair of features, in the order of their groups, which are framed.",
        ),
    ]
    groups = [group for group in found.groups if len(group) > 1]
    rows = []
    for group in sorted(groups, key=len, reverse=True)[:_GROUPS]:
        middle = found.middle(group)
        others = [name for name in group if name != middle]
        more = f", and {len(others) - 4:,} more" if len(others) > 4 else ""
        rows.append([middle, f"{len(group):,}", ", ".join(others[:4]) + more])
    if rows:
        note = "Stands for it: the feature with the highest mean |ρ| to the others of its group."
        if len(groups) > _GROUPS:
            note += f" The {_GROUPS} largest of {len(groups):,} groups of more than one."
        header = ["Stands for it", "Features", "Others"]
        blocks.append(Table("The largest groups", header, rows, note=note, numeric=(1,)))
    return Section("features-alike", title, blocks)


def _classes(table: Extracted, positive: str | None, seed: int) -> Section | None:
    if "label" not in table.frame:
        if positive is not None:
            raise ValueError(f"positive is {positive!r}, but {table.name} has no column label")
        return None
    rows = table.measured[table.measured["label"] != ""]
    title, counts = "By class", rows["label"].value_counts()
    if positive is None and len(counts) == 2:
        positive = next((name for name in counts.index if name.casefold() == "malignant"), max(counts.index))
    if positive is not None and positive not in counts.index:
        there = ", ".join(map(repr, counts.index))
        raise ValueError(f"positive is {positive!r}, but the labels of rows with numbers are {there or 'missing'}")
    if len(counts) != 2:
        words = f"The labels are {len(counts)}: features are compared between two classes only."
        return Section("features-classes", title, [Text(words)])
    negative = next(name for name in counts.index if name != positive)
    y = np.asarray(rows["label"] == positive)
    by_patient = "patient" in rows and (rows["patient"] != "").all()
    patients = (rows["patient"] if by_patient else pd.Series(map(str, range(len(rows))))).to_numpy(object)
    groups = codes("patients", patients, len(y))
    if min(len(set(groups[y])), len(set(groups[~y]))) < 2:
        unit = "patients" if by_patient else "rows"
        return Section("features-classes", title, [Text(f"Each class needs two {unit} at least.")])
    found = univariate(rows[list(table.features)], y, patients, seed=seed)
    clear = int(((found["low"] > 0.5) | (found["high"] < 0.5)).sum())
    best = found.head(TOP)
    shown = [
        [str(name), interval((auc, low, high)), percent(top)]
        for name, (auc, low, high, top) in zip(
            best.index, best[["auc", "low", "high", "top"]].to_numpy(np.float64).tolist(), strict=True
        )
    ]
    resampled = "patients" if by_patient else "rows, as no patient is named: too narrow where lesions share one"
    blocks: list[Block] = [
        Text(
            f"{int(y.sum()):,} rows are {positive} and {int((~y).sum()):,} {negative}. Below is the area under the "
            f"ROC curve (AUC) of each feature by itself: above 0.5 where it is higher in {positive}."
        ),
        Note(
            f"{count(len(found), 'feature')} {'was' if len(found) == 1 else 'were'} looked at, and the intervals "
            f"of {clear:,} leave 0.5 out. About {0.05 * len(found):.0f} would by chance alone where no feature "
            "differs. The best of many look better than they are: this is no validated model, and no proof that "
            "texture tells the classes apart. Train on some patients and test on others."
        ),
        Table(
            f"The {count(len(best), 'feature')} that differ most",
            ["Feature", "AUC (95 % interval)", f"Among the best {TOP}"],
            shown,
            note=f"Intervals from resampling {resampled}, 500 times. Among the best: in how many of the resamples. "
            "A missing number counts as the median of its feature.",
            numeric=(1, 2),
        ),
    ]
    return Section("features-classes", title, blocks)


def figure(value: float) -> str:
    """Return a number with four digits.

    Examples
    --------
    >>> figure(1234567.0), figure(-0.00012345), figure(12.5), figure(float("nan"))
    ('1.235e+06', '−0.0001234', '12.5', '–')
    """
    return NONE if np.isnan(value) else f"{value:.4g}".replace("-", "−")
