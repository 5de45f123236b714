"""What a report is about: predictions with their truth, and what is known of where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tumortrace.io.synthetic import is_synthetic

if TYPE_CHECKING:
    import pandas as pd

    from tumortrace.model import Model

KEYS = ("image", "patient", "sequence", "slice")
"""The columns that tell rows apart, where they are there."""

_SCORE = "score_"


@dataclass(frozen=True, eq=False)
class Study:
    """A model, or its predictions alone, and the data that they are of.

    Parameters
    ----------
    predictions : DataFrame
        One row per slice or image, as `Model.predict` or `Model.out_of_fold` gives them: `patient`, `label`,
        `score`, and where there are `slice`, `sequence`, `image`, `split`, `threshold` and `score_<member>`. With a
        column `fold` they are out-of-fold: each row was scored by a model that did not see its patient.
    positive : str
        The label of the positive class.
    name : str
        What the model is called in tables and figures.
    model : Model, optional
        What made the predictions.
    frame : DataFrame, optional
        The rows with their features, `digest` and columns of paths: what `model.inputs.frame` makes of `listing`.
        Rows that are not among `predictions` are not looked at.
    listing : DataFrame, optional
        The images, with absolute paths in `path`.
    others : mapping of str to DataFrame
        Predictions of other models for the same rows, by the names of the models.
    seed : int
        Of all resampling and of every draw of rows.
    jobs : int, optional
        Worker processes, where there is work for them; one per available CPU by default.

    Raises
    ------
    ValueError
        If there is no row with a label and a score, or the labels are not two, or `positive` is none of them.
    """

    predictions: pd.DataFrame
    positive: str
    name: str = "model"
    model: Model | None = None
    frame: pd.DataFrame | None = None
    listing: pd.DataFrame | None = None
    others: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    seed: int = 0
    jobs: int | None = None

    def __post_init__(self) -> None:
        found = sorted(set(self.rows["label"]))
        if len(found) != 2 or self.positive not in found:
            raise ValueError(
                f"the labels are {found} and the positive one {self.positive!r}; give rows of two classes, "
                "and name one of them"
            )

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The predictions that have a label and a score."""
        from tumortrace.model import scored_rows

        return scored_rows(self.predictions).reset_index(drop=True)

    @cached_property
    def y(self) -> NDArray[np.bool_]:
        """Which of `rows` are positive."""
        return np.asarray(self.rows["label"] == self.positive)

    @property
    def classes(self) -> tuple[str, str]:
        """The negative and the positive label."""
        return next(name for name in sorted(set(self.rows["label"])) if name != self.positive), self.positive

    @property
    def cross_fitted(self) -> bool:
        """Whether each row was scored by a model that did not see its patient, by the folds it is in."""
        return "fold" in self.rows

    @property
    def unit(self) -> str:
        """What a row is: "image" or "slice", and where neither is known "patient" or, of several each, "row"."""
        known = [name for name in ("image", "slice") if name in self.rows]
        return known[0] if known else "patient" if self.rows["patient"].is_unique else "row"

    @cached_property
    def levels(self) -> dict[str, tuple[str, ...]]:
        """What a level is called, and the columns whose rows are averaged for it."""
        from tumortrace.model import levels_of

        return levels_of(self.rows)

    @cached_property
    def features(self) -> pd.DataFrame | None:
        """The rows of `frame` in the order of `rows`; None where there is no frame, or it lacks one of them."""
        if self.frame is None:
            return None
        keys = [name for name in KEYS if name in self.rows and name in self.frame]
        if self.frame.duplicated(keys).any():
            return None
        found = self.rows[keys].merge(self.frame, on=keys, how="left", validate="many_to_one", indicator=True)
        return found.drop(columns="_merge") if (found["_merge"] == "both").all() else None

    @cached_property
    def seen(self) -> NDArray[np.bool_] | None:
        """Which of `rows` the model was trained on, by their content; None where that is not known."""
        if self.model is None or self.features is None:
            return None
        return np.asarray(self.features["digest"].isin(self.model.record["seen"]))

    @cached_property
    def synthetic(self) -> bool:
        """Whether every image is one that `tumortrace.io.synthetic` made."""
        if self.listing is None or self.listing.empty:
            return False
        return all(is_synthetic(folder) for folder in {Path(path).parent for path in self.listing["path"]})

    @cached_property
    def members(self) -> dict[str, Any]:
        """The members of a model that averages, whose scores are among the predictions: name → `model.Member`."""
        if self.model is None:
            return {}
        from tumortrace.model import members

        found = members(self.model.estimator)
        return found if all(f"{_SCORE}{name}" in self.rows for name in found) else {}

    @property
    def leaves(self) -> dict[str, Any]:
        """The members that have no members themselves; their weights sum to 1."""
        parents = {member.parent for member in self.members.values()}
        return {name: member for name, member in self.members.items() if name not in parents}

    def scores_of(self, member: str) -> NDArray[np.float64]:
        """Return what a member said of each of `rows`."""
        return np.asarray(self.rows[f"{_SCORE}{member}"], np.float64)
