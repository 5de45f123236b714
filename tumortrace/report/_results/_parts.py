"""A mean of log-odds taken apart: what each member adds to each row, and what the mean is without it.

A fused or handcrafted model is a weighted mean of the log-odds of its members (see `tumortrace.fusion.LateFusion`),
so that it can be put together anew from their scores, without training anything.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from tumortrace.fusion._base import CLIP
from tumortrace.report._study import Study


def log_odds(study: Study, members: Sequence[str]) -> NDArray[np.float64]:
    """Return the log-odds of the scores of members, shape (rows, members), clipped as the fusion does."""
    scores = np.column_stack([study.scores_of(name) for name in members])
    return np.asarray(logit(np.clip(scores, CLIP, 1 - CLIP)), np.float64)


def recombined(study: Study, members: Sequence[str]) -> NDArray[np.float64]:
    """Return the scores of the mean of some members alone, their weights in the proportions that they have."""
    weights = np.array([study.members[name].weight for name in members])
    return np.asarray(expit(log_odds(study, members) @ (weights / weights.sum())), np.float64)


def contributions(study: Study) -> pd.DataFrame:
    """Return what each member without members adds to the log-odds of each row, against the mean row.

    With folds, the mean row is that of the fold: each fold has a model of its own. The sum over members is the
    log-odds of the row less their mean. For a weighted mean these are the Shapley values, exactly.
    """
    names = list(study.leaves)
    weights = np.array([study.leaves[name].weight for name in names])
    parts = pd.DataFrame(log_odds(study, names) * weights, columns=names)
    fold = study.rows["fold"] if study.cross_fitted else np.zeros(len(parts), int)
    return parts - parts.groupby(np.asarray(fold)).transform("mean")
