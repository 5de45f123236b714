"""How stable features are: each lesion perturbed, measured again, and compared with itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tumortrace import _check
from tumortrace.evaluation import icc
from tumortrace.stability._perturb import DEFAULT, Chain, apply, label, parse
from tumortrace.table import Settings
from tumortrace.table._parameters import in_one_line
from tumortrace.table._pool import run
from tumortrace.table._rows import Compute, Item, Row
from tumortrace.table._source import collect
from tumortrace.table._write import progress_bar

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 3
"""Lesions that an intraclass correlation needs here; its interval is wide with few."""

_CLASSES = ((0.9, "excellent"), (0.75, "good"), (0.5, "moderate"))
_MARGIN = 16  # voxels kept around a lesion: what filters and windows see, and what a turn brings in


class Repeats(NamedTuple):
    """A lesion measured as it is and perturbed: a row each, or why there are none."""

    values: NDArray[np.float64] | None
    error: str = ""


@dataclass(frozen=True)
class Repeat:
    """Items to their repeats; each lesion has random numbers of its own, whichever process it is in."""

    settings: Settings
    chains: Sequence[Chain]
    seed: int

    def __call__(self, items: Sequence[tuple[int, Item]]) -> list[Repeats]:
        """Read, perturb and measure, one lesion after another."""
        return [self._repeats(*item) for item in items]

    def _repeats(self, place: int, item: Item) -> Repeats:
        found = Compute(self.settings).read(item)
        if found is None or isinstance(found, Row):
            return Repeats(None, found.error if found else "")
        _, image, mask, spacing, direction, origin = found
        inside = None if mask is None else np.asarray(mask).astype(bool)
        image, inside = self._cut(image, inside)
        steps = spacing or (1.0,) * image.ndim
        values = []
        try:
            values.append(self.settings.compute(image, inside, spacing, direction, origin)[0])
            for copy, chain in enumerate(self.chains):
                rng = np.random.default_rng([self.seed, place, copy])
                perturbed, moved = apply(chain, image, inside, steps, rng)
                values.append(self.settings.compute(perturbed, moved, spacing, direction, origin)[0])
        except ValueError as error:
            return Repeats(None, in_one_line(error))
        return Repeats(np.array(values))

    def _cut(self, image: NDArray[Any], mask: NDArray[np.bool_] | None) -> tuple[Any, Any]:
        """Cut image and mask to where the lesion is, unless a step looks at all of the image."""
        if mask is None or not mask.any() or self.settings.sections.keys() & {"filters", "preprocess", "regions"}:
            return image, mask
        box = []
        for axis in range(mask.ndim):
            there = np.flatnonzero(mask.any(axis=tuple(a for a in range(mask.ndim) if a != axis)))
            box.append(slice(max(int(there[0]) - _MARGIN, 0), int(there[-1]) + 1 + _MARGIN))
        return image[tuple(box)], mask[tuple(box)]


def stability(
    source: Any,
    settings: Any = None,
    *,
    masks: Sequence[Any] | None = None,
    perturbations: Iterable[Any] | None = None,
    confidence: float = 0.95,
    seed: int = 0,
    jobs: int | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Measure how stable each feature is when lesions are perturbed.

    Parameters
    ----------
    source, masks
        As `tumortrace.extract` takes them.
    settings : optional
        As `tumortrace.extract` takes them.
    perturbations : iterable, optional
        As `parse` takes them; by default `DEFAULT`, ten copies.
    confidence : float, default 0.95
        Of the intervals.
    seed : int, default 0
        Of the noise. The numbers do not depend on `jobs`.
    jobs : int, optional
        Worker processes; one per available CPU by default.
    progress : bool, default False
        Show a progress bar on stderr.

    Returns
    -------
    DataFrame
        A row per feature: `feature`; `icc`, the intraclass correlation ICC(1,1) of a lesion and its perturbed
        copies, with `low` and `high`, the ends of its interval; `stability`, "excellent" where `low` is at least
        0.9, "good" from 0.75, "moderate" from 0.5, else "poor" (Koo and Li 2016); `lesions` and `copies`, how many;
        `reason`, why there is no number. ``attrs["left_out"]`` lists (image, reason) of the lesions that could not
        be measured, ``attrs["perturbations"]`` the copies in words.

    Raises
    ------
    ValueError
        If fewer than three lesions could be measured, or an argument is not valid.

    Notes
    -----
    A feature is stable here if lesions differ in it by more than a lesion differs from itself. It says nothing of
    whether the feature is useful, and depends on the lesions: where all are alike, nothing is stable. Classes are
    not looked at, so that a selection by stability leaks nothing about them.

    References
    ----------
    Zwanenburg et al. 2019, https://doi.org/10.1038/s41598-018-36938-4; Koo, Li 2016,
    https://doi.org/10.1016/j.jcm.2016.02.012; Shrout, Fleiss 1979, https://doi.org/10.1037/0033-2909.86.2.420

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> lesions = [rng.normal(100 * k, 5 + k, (16, 16)) for k in range(6)]
    >>> table = stability(lesions, {"first_order": {}}, perturbations=["noise"], jobs=1)
    >>> table.loc[table.feature == "first_order_mean", ["stability", "lesions", "copies"]].values.tolist()
    [['excellent', 6, 1]]
    """
    import pandas as pd

    checked = Settings.of(settings)
    chains = parse(DEFAULT if perturbations is None else perturbations)
    images = collect(source, masks)
    results, left = [], []
    repeat = Repeat(checked, chains, _check.integer("seed", seed, 0))
    work = run(repeat, enumerate(images.items()), len(images), jobs)
    with closing(work) as found, progress_bar(len(images), progress, "lesion") as bar:
        for place, (_, repeats) in enumerate(found):
            if repeats.values is None:
                left.append((str(images.identity["image"].iloc[place]), repeats.error))
            else:
                results.append(repeats.values)
            bar.update()
    if len(results) < FEWEST:
        why = f"; the first that could not: {': '.join(left[0])}" if left else ""
        raise ValueError(f"{len(results)} lesions could be measured; give {FEWEST} at least, ten or more{why}")
    values = np.stack(results)
    rows = [
        _row(name, values[:, :, column], len(chains), confidence) for column, name in enumerate(checked.columns)
    ]
    table = pd.DataFrame(rows)
    table.attrs |= {"left_out": left, "perturbations": [label(chain) for chain in chains]}
    return table


def _row(name: str, ratings: NDArray[np.float64], copies: int, confidence: float) -> dict[str, Any]:
    found = icc(ratings, confidence=confidence)
    reason = ""
    if np.isnan(found.value):
        reason = "undefined for nearly every lesion" if found.subjects < 2 else "the same for every lesion and copy"
    return {
        "feature": name,
        "icc": found.value,
        "low": found.low,
        "high": found.high,
        "stability": "" if reason else next((word for low, word in _CLASSES if found.low >= low), "poor"),
        "lesions": found.subjects,
        "copies": copies,
        "reason": reason,
    }
