"""What is said about one lesion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Explanation:
    """What moved the score of one slice or image.

    Parameters
    ----------
    identity : dict
        The identity columns of the row: patient, slice, sequence, ..., those there are.
    score : float
        Probability of the positive class, to the bit what `tumortrace.model.Model.predict` says.
    classes : (str, str)
        The negative and the positive label.
    threshold : float
        The row is called positive where its score is at least this.
    output, base : float
        Log-odds of the score, and their mean over the background: the rows of `Model.background`, of the same
        sequence where each has a model of its own.
    families : Series
        Family of features or network → how far it moved the log-odds. ``base + families.sum() == output``.
    features : DataFrame or None
        A row per feature that a classifier sees, the strongest first. ``shap`` is how far it moved the log-odds;
        those of a ``family`` add up to its number in `families`. Then its ``value`` in this row, NaN where it is
        missing, and where that stands in the background: ``percentile`` (0 to 100), ``low``, ``median`` and
        ``high`` (5, 50 and 95 %), ``median_negative`` and ``median_positive`` (of each class). None where not asked
        for, and without rows where a network is all there is.
    maps : dict of str to list of ndarray of float32
        Network → Grad-CAM maps for the positive class, ``(rows, cols)``, 0 to 1: one for all its channels, of
        "crops" one per sequence. Empty where not asked for.
    """

    identity: dict[str, Any]
    score: float
    classes: tuple[str, str]
    threshold: float
    output: float
    base: float
    families: pd.Series[float]
    features: pd.DataFrame | None = None
    maps: dict[str, list[NDArray[np.float32]]] = field(default_factory=dict)

    @property
    def predicted(self) -> str:
        """The label that the row is called."""
        return self.classes[self.score >= self.threshold]


def tabulate(explanations: Sequence[Explanation]) -> pd.DataFrame:
    """Return explanations as one table, to be written to a file.

    Parameters
    ----------
    explanations : sequence of Explanation
        What `explain` returned.

    Returns
    -------
    DataFrame
        For each row that was explained, a row per family and one per feature: the identity columns; `score`,
        `threshold` and `predicted`; `base`, in log-odds; `kind` ("family" or "feature"), `name` and `family`;
        `shap`; and of features the other columns of `Explanation.features`.

    Examples
    --------
    >>> import pandas as pd
    >>> families = pd.Series({"glcm": 0.75, "cnn": 0.25})
    >>> one = Explanation({"patient": "A"}, 0.5, ("no", "yes"), 0.4, 0.0, -1.0, families)
    >>> tabulate([one])[["patient", "predicted", "kind", "name", "shap"]].values.tolist()
    [['A', 'yes', 'family', 'glcm', 0.75], ['A', 'yes', 'family', 'cnn', 0.25]]
    """
    import pandas as pd

    tables = []
    for one in explanations:
        parts = [
            pd.DataFrame({"name": one.families.index, "family": one.families.index, "shap": one.families.array})
        ]
        if one.features is not None and len(one.features):
            parts.append(one.features.rename_axis("name").reset_index())
        kinds = ("family", "feature")
        table = pd.concat([part.assign(kind=kind) for kind, part in zip(kinds, parts, strict=False)])
        said: dict[str, Any] = {"score": one.score, "threshold": one.threshold, "predicted": one.predicted}
        said["base"] = one.base
        table = table.assign(**one.identity, **said)
        first = [*one.identity, *said, "kind", "name", "family"]
        tables.append(table[[*first, *(name for name in table.columns if name not in first)]])
    return pd.concat(tables, ignore_index=True)
