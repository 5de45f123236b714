"""The parts of a model that score by themselves and have no parts: one classifier on columns of its own each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from tumortrace.fusion import LateFusion, PerSequence


class Leaf(NamedTuple):
    """A classifier at the end of a fusion of fusions.

    Attributes
    ----------
    name : str
        As `tumortrace.model.members` has it; "cnn" for a network that stands alone.
    weight : float
        Its share in the mean of log-odds that the whole is.
    estimator : classifier
        Fitted.
    columns : list of str
        What it is given; no other leaf is given any of them.
    """

    name: str
    weight: float
    estimator: Any
    columns: list[str]

    @property
    def network(self) -> Any:
        """The network of a leaf that has one, or of the single crops; None for a classifier of features."""
        inner = getattr(self.estimator, "estimator_", self.estimator)
        return inner if hasattr(inner, "network_") else None


def leaves(estimator: Any, columns: Sequence[str], sequence: str | None = None) -> list[Leaf]:
    """Return the leaves of a fitted estimator.

    Parameters
    ----------
    estimator : scikit-learn classifier
        Of a `Model`.
    columns : sequence of str
        The columns that it is given.
    sequence : str, optional
        The sequence of the rows, where each has an estimator of its own.
    """
    return list(_walk(estimator, list(columns), sequence, None, 1.0))


def _walk(
    estimator: Any, columns: list[str], sequence: str | None, name: str | None, share: float
) -> Iterator[Leaf]:
    if isinstance(estimator, PerSequence):
        kept = [column for column in columns if column != estimator.column]
        one = 0 if estimator.column is None else estimator.values_.index(sequence)
        yield from _walk(estimator.estimators_[one], kept, sequence, name, share)
    elif isinstance(estimator, LateFusion) and hasattr(estimator, "weights_"):
        only = name if len(estimator.members_) == 1 else None
        for member, inner in estimator.members_.items():
            chosen = [columns[k] for k in estimator.columns_[member]]
            yield from _walk(inner, chosen, sequence, only or member, share * estimator.weights_[member])
    else:
        leaf = Leaf(name or "model", share, estimator, columns)
        alone = leaf.network is not None and share == 1
        yield leaf._replace(name="cnn") if alone else leaf
