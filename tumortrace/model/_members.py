"""The members of a fusion of fusions: their names, how much each counts, and what each says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tumortrace.fusion import LateFusion, PerSequence


class Member(NamedTuple):
    """A part of a fusion that scores by itself.

    Attributes
    ----------
    name : str
        As in `tumortrace.fusion.LateFusion`; the columns of its scores are ``score_<name>``.
    parent : str or None
        The member that it is part of; None where it is a part of the whole.
    weight : float
        Its share in the mean of log-odds of the whole. The shares of the members without members are 1 in sum.
    """

    name: str
    parent: str | None
    weight: float


def members(estimator: Any) -> dict[str, Member]:
    """Return the members of a fitted estimator at every depth, each after the one that it is part of.

    Parameters
    ----------
    estimator : scikit-learn classifier
        Of a `Model`. Where each sequence has an estimator of its own, they have the same members.

    Returns
    -------
    dict of str to Member
        Empty where the estimator is no mean of two or more.

    Notes
    -----
    With `tumortrace.fusion.LateFusion`, ``logit(score) = Σ weight · logit(score_member)`` over the members without
    members, as long as no score is nearer than 1e-4 to 0 or 1.

    Examples
    --------
    >>> texture = LateFusion([("glcm", None, [0]), ("lbp", None, [1])])
    >>> texture.members_, texture.weights_ = {"glcm": None, "lbp": None}, {"glcm": 0.5, "lbp": 0.5}
    >>> whole = LateFusion([("texture", texture, [0, 1]), ("kinetics", None, [2])])
    >>> whole.members_, whole.weights_ = {"texture": texture, "kinetics": None}, {"texture": 0.5, "kinetics": 0.5}
    >>> {name: member.weight for name, member in members(whole).items()}
    {'texture': 0.5, 'glcm': 0.25, 'lbp': 0.25, 'kinetics': 0.5}
    """
    return {member.name: member for member in _walk(estimator, None, 1.0)}


def member_scores(estimator: Any, rows: Any) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    """Return the probability of the positive class by an estimator, and that by each of its members.

    Parameters
    ----------
    estimator : scikit-learn classifier
        Fitted.
    rows : DataFrame, shape (n, columns)
        Its columns.

    Returns
    -------
    ndarray, shape (n,)
        What `predict_proba` returns, to the bit.
    dict of str to ndarray
        ``score_<name>`` for each of `members`, in their order.
    """
    if isinstance(estimator, PerSequence):
        return _by_sequence(estimator, rows)
    if not _is_mean(estimator):
        return np.asarray(estimator.predict_proba(rows)[:, 1], dtype=np.float64), {}
    scores: dict[str, NDArray[np.float64]] = {}
    own = []
    for name, member in estimator.members_.items():
        score, below = member_scores(member, rows.iloc[:, estimator.columns_[name]])
        scores |= {f"score_{name}": score, **below}
        own.append(score)
    return estimator.combined(np.column_stack(own))[:, 1], scores


def _by_sequence(estimator: PerSequence, rows: Any) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    """Send each row to the estimator of its sequence."""
    whole = np.empty(len(rows))
    scores: dict[str, NDArray[np.float64]] = {}
    for here, one, features in estimator.routed(rows):
        whole[here], found = member_scores(one, features)
        for name, score in found.items():
            scores.setdefault(name, np.empty(len(rows)))[here] = score
    return whole, scores


def _walk(estimator: Any, parent: str | None, share: float) -> Iterator[Member]:
    if isinstance(estimator, PerSequence):
        estimator = estimator.estimators_[0]
    if _is_mean(estimator):
        for name, member in estimator.members_.items():
            weight = share * estimator.weights_[name]
            yield Member(name, parent, weight)
            yield from _walk(member, name, weight)


def _is_mean(estimator: Any) -> bool:
    """Tell whether an estimator is a mean of two or more; a fusion of one member is that member."""
    return isinstance(estimator, LateFusion) and hasattr(estimator, "weights_") and len(estimator.members_) > 1
