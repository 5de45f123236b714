"""Recipes: every number of a training in one place."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tumortrace import _check


@dataclass(frozen=True)
class Augmentation:
    """What is drawn at random for each training image; the defaults change nothing.

    Rotation, translation, zoom, crop and flips are one affine map, applied by one bilinear interpolation.

    Parameters
    ----------
    rotation : float
        Degrees, drawn from ±`rotation`; 180 is every direction.
    translation : float
        Share of the side, drawn from ±`translation` for rows and for columns.
    zoom : float
        Natural logarithm of the magnification, drawn from ±`zoom`.
    centre_crop : float
        Share of the side that is kept around the centre before the random crop.
    crop_area : (float, float), optional
        Bounds of the share of the area that a random crop keeps; the crop is resized to the whole.
    crop_ratio : (float, float)
        Bounds of width by height of that crop, drawn on a logarithmic scale.
    horizontal_flip, vertical_flip : bool
        Mirror one image in two.
    outside : {"zeros", "reflection", "border"}
        What lies beyond the edge of the image.
    brightness : float
        The grey values are multiplied by a factor from 1 ± `brightness` and cut at black and white.
    jitter : float
        Standard deviation of gain (its logarithm) and offset of the normalised image, common to its channels.
    channel_jitter : float
        The same, drawn for each channel apart.
    """

    rotation: float = 0.0
    translation: float = 0.0
    zoom: float = 0.0
    centre_crop: float = 1.0
    crop_area: tuple[float, float] | None = None
    crop_ratio: tuple[float, float] = (3 / 4, 4 / 3)
    horizontal_flip: bool = False
    vertical_flip: bool = False
    outside: Literal["zeros", "reflection", "border"] = "zeros"
    brightness: float = 0.0
    jitter: float = 0.0
    channel_jitter: float = 0.0

    def __post_init__(self) -> None:
        for name in ("rotation", "translation", "zoom", "jitter", "channel_jitter"):
            _share(name, getattr(self, name), 0, math.inf)
        _share("brightness", self.brightness, 0, 1)
        _check.positive("centre_crop", self.centre_crop)
        _check.one_of("outside", self.outside, ("zeros", "reflection", "border"))
        for name, bounds in (("crop_area", self.crop_area or (1.0, 1.0)), ("crop_ratio", self.crop_ratio)):
            if not (len(bounds) == 2 and 0 < bounds[0] <= bounds[1]):
                raise ValueError(f"{name} is {bounds!r}; give two numbers above 0, the smaller first")


@dataclass(frozen=True)
class Recipe:
    """How a network is trained. `RECIPES` holds those with a name; `dataclasses.replace` makes a variant of one.

    Parameters
    ----------
    name : str
        What it is called.
    size : int
        Side in pixels of the square input.
    stem : {"standard", "small"}
        First layers of the network, see `backbone`.
    normalise : "channel" or (float, float)
        Mean and standard deviation of each channel of the training images, or one given pair for grey values that
        run from 0 to 1.
    augmentation : Augmentation
        Of the training images only.
    views : {1, 8}
        Symmetric views (flips and quarter turns) of an image whose log-odds a prediction averages.
    optimiser : {"adamw", "sgd"}
        AdamW, or gradient descent with Nesterov-free momentum.
    learning_rate, weight_decay, momentum : float
        Of the optimiser; AdamW has no momentum to set.
    schedule : {"cosine", "step"}
        The learning rate falls to 0 along a half cosine, or by `step_factor` every `step_epochs` down to `floor`.
    warmup : float
        Epochs in which the learning rate rises from 0.
    step_epochs, step_factor, floor
        Of the schedule "step".
    epochs, batch_size : int
        Passes over the images at most, and images per step.
    label_smoothing : float
        Of the cross entropy.
    average : float, optional
        The result is the exponential moving average of the weights; this is the largest decay per step.
    balance : bool
        Draw classes equally often, and each patient in proportion to the square root of its rows; else every row
        comes once per epoch.
    validation : float
        Share of the patients held out to choose the best epoch; 0 trains on all to the end.
    patience : int
        Stop after this many epochs without a lower validation loss.
    variants : mapping of str to mapping
        What is different for a backbone: its name to fields and values.

    Examples
    --------
    >>> RECIPES["report"].optimiser, RECIPES["report"].size
    ('sgd', 224)
    >>> dataclasses.replace(RECIPES["small"], epochs=5).epochs
    5
    """

    name: str
    size: int
    stem: Literal["standard", "small"]
    normalise: Literal["channel"] | tuple[float, float]
    augmentation: Augmentation
    views: Literal[1, 8]
    optimiser: Literal["adamw", "sgd"]
    learning_rate: float
    weight_decay: float
    schedule: Literal["cosine", "step"]
    epochs: int
    batch_size: int
    momentum: float = 0.9
    warmup: float = 0.0
    step_epochs: int = 10
    step_factor: float = 0.1
    floor: float = 0.0
    label_smoothing: float = 0.0
    average: float | None = None
    balance: bool = False
    validation: float = 0.0
    patience: int = 10
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check.integer("size", self.size, 8)
        _check.integer("epochs", self.epochs, 1)
        _check.integer("batch_size", self.batch_size, 2)
        _check.positive("learning_rate", self.learning_rate)
        _check.one_of("stem", self.stem, ("standard", "small"))
        _check.one_of("views", self.views, (1, 8))
        _check.one_of("optimiser", self.optimiser, ("adamw", "sgd"))
        _check.one_of("schedule", self.schedule, ("cosine", "step"))
        _check.integer("patience", self.patience, 1)
        _share("validation", self.validation, 0, 0.5)
        _share("weight_decay", self.weight_decay, 0, math.inf)
        if self.average is not None and not 0 <= self.average < 1:
            raise ValueError(f"average is {self.average!r}; give a decay from 0 to below 1, or None")
        if isinstance(self.normalise, str):
            _check.one_of("normalise", self.normalise, ("channel",))

    @classmethod
    def of(cls, recipe: str | Recipe, backbone: str, **changes: Any) -> Recipe:
        """Return a recipe, also by its name, for a backbone, with the `changes` that are not None."""
        if isinstance(recipe, str):
            recipe = RECIPES[_check.one_of("recipe", recipe, tuple(RECIPES))]
        given = {name: value for name, value in changes.items() if value is not None}
        return dataclasses.replace(recipe, **{**recipe.variants.get(backbone, {}), **given, "variants": {}})

    def learning_rate_at(self, step: int, steps: int) -> float:
        """Return the learning rate of a step, counted from 0 through all epochs, at `steps` per epoch."""
        rate = self.learning_rate
        if self.schedule == "cosine":
            rate *= (1 + math.cos(math.pi * step / (steps * self.epochs))) / 2
        else:
            rate = max(self.floor, rate * self.step_factor ** (step // steps // self.step_epochs))
        return rate * min(1.0, (step + 1) / (self.warmup * steps)) if self.warmup else rate

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as JSON takes it."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Recipe:
        """Return the recipe that `to_dict` gave, also after JSON turned its tuples into lists."""
        augmentation = Augmentation(**_tuples(fields["augmentation"]))
        return cls(**_tuples(fields) | {"augmentation": augmentation})


def _share(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name} is {value!r}; give a number from {low:g} to {high:g}")


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="small",
            size=64,
            stem="standard",
            normalise="channel",
            augmentation=Augmentation(
                rotation=180.0,
                translation=0.05,
                zoom=0.2,
                horizontal_flip=True,
                outside="reflection",
                jitter=0.2,
                channel_jitter=0.1,
            ),
            views=8,
            optimiser="adamw",
            learning_rate=2e-3,
            weight_decay=5e-2,
            schedule="cosine",
            warmup=2.0,
            epochs=30,
            batch_size=32,
            label_smoothing=0.05,
            average=0.99,
            balance=True,
            variants={"resnet8": {"size": 32}, "vgg16": {"learning_rate": 1e-4}},
        ),
        Recipe(
            name="report",
            size=224,
            stem="standard",
            normalise=(0.5, 0.5),
            augmentation=Augmentation(
                translation=0.1,
                crop_area=(0.5, 1.0),
                horizontal_flip=True,
                vertical_flip=True,
                brightness=0.2,
            ),
            views=1,
            optimiser="sgd",
            learning_rate=1e-3,
            weight_decay=1e-4,
            schedule="step",
            floor=1e-5,
            epochs=60,
            batch_size=32,
            validation=0.2,
            patience=10,
            variants={"resnet8": {"size": 32}},
        ),
    )
}
"""By name: ``small`` for small crops, few patients and a CPU; ``report`` as the report trained, mended."""
