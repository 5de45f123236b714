"""The estimators of the three kinds of models: the recipe that cross-validation chose, in one place.

Each function takes the columns that the estimator will be given, as `Inputs.columns` names them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sklearn.pipeline import make_pipeline

from tumortrace.fusion import EarlyFusion, LateFusion, OverSequences, PerSequence, TimeCourse
from tumortrace.table import column_groups


def family(classifier: str = "svm", *, seed: int = 0) -> Any:
    """Return a classifier for the columns of one extractor: their course over time, scaled by rank.

    Parameters
    ----------
    classifier : str
        A name that `tumortrace.fusion.classifier` knows.
    seed : int
        Of what is random in the classifier.
    """
    return make_pipeline(TimeCourse(), EarlyFusion(None, classifier, scale="normal", seed=seed))


def handcrafted(columns: Sequence[str], *, classifier: str = "svm", seed: int = 0) -> Any:
    """Return the average of texture, itself the average of one classifier per extractor, and of kinetics.

    Parameters
    ----------
    columns : sequence of str
        Features; a column `sequence` among them sends each sequence to a model of its own.
    classifier, seed
        As for `family`.
    """
    features, _ = _parted(columns)
    groups = column_groups(features)
    kinetics = groups.pop("kinetics", None)
    members = [(name, family(classifier, seed=seed), chosen) for name, chosen in groups.items()]
    if kinetics is not None:
        texture = [name for chosen in groups.values() for name in chosen]
        members = [("texture", LateFusion(members, seed=seed), texture)] if members else []
        members.append(("kinetics", family(classifier, seed=seed), kinetics))
    fusion = LateFusion(members, seed=seed)
    return PerSequence(fusion, column="sequence") if "sequence" in columns else fusion


def cnn(columns: Sequence[str], *, networks: str = "slice", seed: int = 0, **network: Any) -> Any:
    """Return a network that takes the images of the columns of paths as channels, and perhaps one of single crops.

    Parameters
    ----------
    columns : sequence of str
        Paths; others are not looked at.
    networks : {"slice", "both"}
        "both": a second network learns from every crop by itself, in a tenth of the epochs, as there are so many
        more; its scores are averaged over the sequences, and both count the same.
    seed : int
        Of the weights and the training.
    **network
        Parameters of `tumortrace.deep.CNNClassifier`.
    """
    from tumortrace.deep import CNNClassifier, Recipe

    _, paths = _parted(columns)
    members: list[tuple[str, Any, list[str]]] = [("slices", CNNClassifier(seed=seed, **network), paths)]
    if networks == "both":
        recipe = Recipe.of(network["recipe"], network["backbone"], epochs=network.get("epochs"))
        own: dict[str, Any] = {"epochs": max(1, recipe.epochs // 10), "checkpoint": None}
        if network.get("checkpoint"):
            own["checkpoint"] = str(Path(network["checkpoint"]) / "crops")
        crops = OverSequences(CNNClassifier(seed=seed, **(network | own)))
        members.append(("crops", crops, paths))
    return LateFusion(members, seed=seed)


def fused(columns: Sequence[str], *, classifier: str = "svm", seed: int = 0, network: Mapping[str, Any]) -> Any:
    """Return the average of `handcrafted` and `cnn` in which texture, kinetics and each network count the same.

    An average learns nothing from the scores of its members, so that none need be cross-fitted for it.
    """
    features, paths = _parted(columns)
    routed = [name for name in columns if name == "sequence"]
    members = [
        ("handcrafted", handcrafted([*features, *routed], classifier=classifier, seed=seed), [*features, *routed]),
        ("cnn", cnn(paths, seed=seed, **network), paths),
    ]
    kinds = {"kinetics" if name.startswith("kinetics_") else "texture" for name in features}
    count = 2 if network.get("networks") == "both" else 1
    return LateFusion(members, weights={"handcrafted": len(kinds), "cnn": count}, seed=seed)


def _parted(columns: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the columns of features and those of paths."""
    groups = column_groups(name for name in columns if name != "sequence")
    paths = groups.pop("image", [])
    return [name for group in groups.values() for name in group], paths
