"""What is asked of a training: everything that its result depends on, besides the images."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tumortrace import _check
from tumortrace.features import FEATURES
from tumortrace.io.synthetic import SEQUENCES, SHOWN
from tumortrace.model._inputs import Inputs
from tumortrace.table import PRESETS, Settings
from tumortrace.table._phases import phase_names

KINETICS = "kinetics"
NETWORKS = ("slice", "both")
KINDS = ("handcrafted", "cnn", "fused")
NUMBERED = {1: (SHOWN,), 9: SEQUENCES[:9], 17: SEQUENCES}
"""Sequences by their number: one phase after contrast, all nine phases, and with them the subtractions."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The parameters of `train` that its result depends on; see there."""

    kind: str
    unit: str
    classifier: str
    networks: str
    backbone: str
    weights: str | None
    recipe: str
    size: int | None
    epochs: int | None
    sequences: tuple[str, ...] | None
    features: dict[str, dict[str, Any]] | None
    group: str
    positive: str | None
    splits: tuple[str, ...] | None
    folds: int
    seed: int

    def __post_init__(self) -> None:
        _check.one_of("kind", self.kind, KINDS)
        _check.integer("seed", self.seed, 0)
        if self.folds != 0:
            _check.integer("folds", self.folds, 2)
        if self.deep:
            from tumortrace.deep import BACKBONES, RECIPES

            _check.one_of("backbone", self.backbone, BACKBONES)
            _check.one_of("recipe", self.recipe, tuple(RECIPES))
            _check.one_of("networks", self.networks, NETWORKS)
            if self.networks == "both" and self.unit == "image":
                raise ValueError("networks is 'both', but an image has one crop; give 'slice', or unit='slice'")
        if self.kind != "cnn":
            from tumortrace.fusion import classifier

            classifier(self.classifier, seed=self.seed)

    @property
    def deep(self) -> bool:
        """Whether a network is trained."""
        return self.kind != "handcrafted"

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as JSON gives them."""
        fields: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return fields

    def inputs(self, there: Sequence[str]) -> Inputs:
        """Return what the model takes of a source that has the sequences `there`; none where they have no name."""
        chosen = (self.sequences or tuple(there)) or None
        texture, kinetics = None, None
        if self.kind != "cnn":
            features = dict(self.features or default_features(self.unit, there))
            kinetics = features.pop(KINETICS, None)
            texture = Settings.of(features).parameters if features else None
        pixels = (chosen or () if self.unit == "slice" else ()) if self.deep else None
        phases, subtractions = None, None
        if kinetics is not None and there:
            phases, subtractions = phase_names("the source", list(there), None, None)
        return Inputs(self.unit, chosen, texture, kinetics, pixels, self.group, phases, subtractions)

    def estimator(
        self,
        columns: Sequence[str],
        *,
        checkpoint: Path | None = None,
        progress: Callable[..., object] | None = None,
    ) -> Any:
        """Return the unfitted estimator for the columns of a frame."""
        from tumortrace.model import _estimators

        network: dict[str, Any] = {
            "networks": self.networks,
            "backbone": self.backbone,
            "weights": self.weights,
            "recipe": self.recipe,
            "size": self.size,
            "epochs": self.epochs,
            "checkpoint": None if checkpoint is None else str(checkpoint),
            "progress": progress or False,
        }
        if self.kind == "cnn":
            return _estimators.cnn(columns, seed=self.seed, **network)
        if self.kind == "handcrafted":
            return _estimators.handcrafted(columns, classifier=self.classifier, seed=self.seed)
        return _estimators.fused(columns, classifier=self.classifier, seed=self.seed, network=network)


def default_features(unit: str, there: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the extractors of crops but `shape`, which tells the patient, and kinetics of slices that have them.

    Those are slices with the nine phases of BreaDM, and all or none of its subtractions.
    """
    names = [name for name in PRESETS["default"]() if name != "shape"]
    subtractions = set(NUMBERED[17]) - set(NUMBERED[9])
    if (
        unit == "slice"
        and set(NUMBERED[9]) <= set(there)
        and len(subtractions & set(there)) in (0, len(subtractions))
    ):
        names.append(KINETICS)
    return {name: {} for name in names}


def chosen_features(
    given: Mapping[str, Mapping[str, Any] | None] | Iterable[str] | None,
) -> dict[str, dict[str, Any]] | None:
    """Return name → parameters of what a user chose, None for the default.

    Raises
    ------
    ValueError
        If nothing is chosen, or something that is neither an extractor nor kinetics.
    TypeError
        If it is a single string.
    """
    if given is None:
        return None
    if isinstance(given, str):
        raise TypeError(f"features is {given!r}; give a list of names, or a mapping of names to parameters")
    chosen = {str(name): dict((given[name] or {}) if isinstance(given, Mapping) else {}) for name in given}
    valid = (*FEATURES, KINETICS)
    if not chosen or (unknown := [name for name in chosen if name not in valid]):
        raise ValueError(
            f"features are {', '.join(unknown) if chosen else 'none'}; give some of {', '.join(valid)}"
        )
    return chosen
