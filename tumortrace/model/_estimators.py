"""The estimators of the three kinds of models: the recipe that cross-validation chose, in one place.

Each function takes the columns that the estimator will be given, as `Inputs.columns` names them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tumortrace.fusion import EarlyFusion, LateFusion, PerSequence
from tumortrace.table import column_groups


def handcrafted(columns: Sequence[str], *, classifier: str = "logistic", seed: int = 0) -> Any:
    """Return one classifier per extractor, kinetics being one, whose log-odds are averaged.

    Parameters
    ----------
    columns : sequence of str
        Features; a column `sequence` among them sends each sequence to a model of its own.
    classifier : str
        A name that `tumortrace.fusion.classifier` knows.
    seed : int
        Of what is random in the classifier.
    """
    features, _ = _parted(columns)
    members = [
        (name, EarlyFusion({name: chosen}, classifier, seed=seed), chosen)
        for name, chosen in column_groups(features).items()
    ]
    fusion = LateFusion(members, seed=seed)
    return PerSequence(fusion, column="sequence") if "sequence" in columns else fusion


def cnn(columns: Sequence[str], *, seed: int = 0, **network: Any) -> Any:
    """Return a network that takes the pictures of the columns of paths as channels.

    Parameters
    ----------
    columns : sequence of str
        Paths; others are not looked at.
    seed : int
        Of the weights and the training.
    **network
        Parameters of `tumortrace.deep.CNNClassifier`.
    """
    from tumortrace.deep import CNNClassifier

    _, paths = _parted(columns)
    return LateFusion([("cnn", CNNClassifier(seed=seed, **network), paths)], seed=seed)


def fused(
    columns: Sequence[str], *, classifier: str = "logistic", seed: int = 0, network: Mapping[str, Any]
) -> Any:
    """Return the average of the log-odds of `handcrafted` and `cnn`, both kinds counting the same.

    An average learns nothing from the scores of its members, so that none need be cross-fitted for it.
    """
    _, paths = _parted(columns)
    features = [name for name in columns if name not in paths]
    members = [
        ("handcrafted", handcrafted(features, classifier=classifier, seed=seed), features),
        ("cnn", cnn(paths, seed=seed, **network), paths),
    ]
    return LateFusion(members, seed=seed)


def _parted(columns: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the columns of features and those of paths."""
    groups = column_groups(name for name in columns if name != "sequence")
    paths = groups.pop("image", [])
    return [name for group in groups.values() for name in group], paths
