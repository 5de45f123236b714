"""A convolutional network as a scikit-learn classifier."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import safetensors
import safetensors.torch
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from tumortrace import _check
from tumortrace.deep._backbone import BACKBONES, backbone
from tumortrace.deep._checkpoint import Checkpoints
from tumortrace.deep._device import (
    choose_device,
    choose_precision,
    few_threads,
    own_random_numbers,
    seed_layers,
)
from tumortrace.deep._inputs import Stacks, collect
from tumortrace.deep._labels import class_numbers, hold_out, patient_numbers
from tumortrace.deep._predict import batch_rows, logits
from tumortrace.deep._preprocess import Preprocessing, intensity_scale
from tumortrace.deep._recipe import RECIPES, Recipe
from tumortrace.deep._train import Rows, Training

if TYPE_CHECKING:
    import pandas as pd


class CNNClassifier(ClassifierMixin, BaseEstimator):
    """A convolutional network, trained by a recipe: images in, classes and probabilities out.

    Parameters
    ----------
    backbone : {"resnet8", "vgg16", "resnet18", "resnet50"}
        The network, see `backbone`.
    weights : "imagenet", path, optional
        Where training starts; by default at random weights.
    recipe : str or Recipe, default "small"
        Every number of the training, see `RECIPES`.
    in_channels : int, optional
        Channels of an image; by default those of the training images.
    size, epochs, batch_size, learning_rate : optional
        In place of those of the recipe. `size` is the side of the network's input in pixels, for resnet8 32 by
        default.
    seed : int, default 0
        The same seed, images and number of threads give the same bits on a CPU. Torch's own generators are left as
        they were.
    device : str or torch.device, default "auto"
        ``"cuda"``, ``"mps"`` or ``"cpu"``; by default the first that is there.
    precision : {"auto", "float32", "bfloat16"}
        Of the computation; weights are float32. By default bfloat16 on CUDA devices that compute it.
    checkpoint : path, optional
        A folder of this training alone. Each epoch is written to it, with the history as CSV; a training that was
        killed goes on from there, to the same bits, when `fit` is called again with the same data.
    progress : bool or callable, default False
        True prints a line per epoch on stderr. A callable is given each row of `history_`.

    Attributes
    ----------
    classes_ : ndarray, shape (classes,)
        Sorted.
    network_ : torch.nn.Module
        In evaluation mode.
    preprocessing_ : Preprocessing
        What is done to an image before the network sees it.
    recipe_ : Recipe
        With the numbers that training used.
    history_ : DataFrame
        One row per epoch.
    seen_ : list of str
        Digests of the images of `fit`, sorted: which rows an embedding of this network may not be trained on.
    n_features_in_ : int
        Channels.
    feature_names_in_ : ndarray of str
        Columns, where `X` was a DataFrame.

    Notes
    -----
    Images are what `CNNEmbedding` takes too: a list of arrays ``(rows, cols)`` or ``(channels, rows, cols)`` of any
    sizes, an array of one more dimension, a list of paths, or a DataFrame of paths with a column per channel.

    In a worker process (joblib, multiprocessing) one thread computes. Train side by side in processes, not in
    threads: threads share the generators that dropout draws from.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> dark, bright = rng.integers(0, 90, (8, 12, 12)), rng.integers(100, 190, (8, 12, 12))
    >>> model = CNNClassifier(size=8, epochs=2, batch_size=8).fit([*dark, *bright], ["no"] * 8 + ["yes"] * 8)
    >>> model.classes_.tolist(), model.predict_proba([*bright]).shape
    (['no', 'yes'], (8, 2))
    """

    def __init__(
        self,
        backbone: str = "resnet8",
        *,
        weights: str | os.PathLike[str] | None = None,
        recipe: str | Recipe = "small",
        in_channels: int | None = None,
        size: int | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        seed: int = 0,
        device: str | torch.device = "auto",
        precision: str = "auto",
        checkpoint: str | os.PathLike[str] | None = None,
        progress: bool | Callable[[Mapping[str, float]], object] = False,
    ) -> None:
        self.backbone = backbone
        self.weights = weights
        self.recipe = recipe
        self.in_channels = in_channels
        self.size = size
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.seed = seed
        self.device = device
        self.precision = precision
        self.checkpoint = checkpoint
        self.progress = progress

    def fit(self, X: Any, y: ArrayLike, patients: ArrayLike | None = None) -> Self:
        """Train the network.

        Parameters
        ----------
        X
            Images, see the notes of the class.
        y : array_like, shape (n,)
            The class of each image: any kind of label, two classes or more.
        patients : array_like, shape (n,), optional
            The patient of each image: balances how often each is drawn, and keeps a patient whole where some are
            held out. None takes each image for a patient of its own.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter is out of its range, lengths differ, labels are missing or all the same, an image is
            unfit or cannot be read, the recipe holds patients out and a class has only one, or the checkpoint is
            of another training.
        FloatingPointError
            If training diverges.
        """
        recipe = self._recipe()
        device = choose_device(self.device)
        stacks = collect(X, channels=self.in_channels)
        self.classes_, targets = class_numbers(y, len(stacks))
        groups = patient_numbers(patients, len(stacks))
        training, held_out = hold_out(targets, groups, recipe.validation, self.seed, self.classes_)
        self.preprocessing_ = _preprocessing(recipe, stacks.take(training))
        self.recipe_ = recipe
        self.seen_ = sorted(set(stacks.digests))
        self.n_features_in_ = stacks.channels
        if hasattr(X, "columns"):
            self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        with few_threads(), own_random_numbers(device):
            seed_layers(self.seed, device)
            job = Training(
                self._network(),
                recipe,
                self.preprocessing_,
                seed=self.seed,
                device=device,
                precision=choose_precision(self.precision, device),
            )
            images = _stored(self.preprocessing_, stacks)
            train, rest = (
                Rows(images[rows], torch.from_numpy(targets[rows]), groups[rows]) for rows in (training, held_out)
            )
            self.network_ = job.run(
                train,
                rest if len(held_out) else None,
                checkpoints=self._checkpoints(stacks, targets, groups),
                progress=_teller(self.progress, recipe.epochs),
            )
        self.history_ = _frame(job.history)
        return self

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return the logarithm of the odds of the second class; of each probability where there are more classes.

        Parameters
        ----------
        X
            Images, see the notes of the class. Nothing is drawn at random.

        Returns
        -------
        ndarray of float64, shape (n,) or (n, classes)
        """
        outputs = self._logits(X)
        if len(self.classes_) == 2:
            return outputs[:, 1] - outputs[:, 0]
        return outputs - np.logaddexp.reduce(outputs, axis=1, keepdims=True)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of each class, shape (n, classes), columns as in `classes_`."""
        outputs = self._logits(X)
        return np.exp(outputs - np.logaddexp.reduce(outputs, axis=1, keepdims=True))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each image."""
        labels: NDArray[Any] = self.classes_[self._logits(X).argmax(axis=1)]
        return labels

    def to_parts(self) -> tuple[dict[str, Any], bytes]:
        """Return the fitted model as what JSON holds, and its weights in the safetensors format.

        Raises
        ------
        TypeError
            If the labels are neither text, numbers, nor booleans.

        See Also
        --------
        from_parts : The way back.
        """
        check_is_fitted(self)
        labels = self.classes_.tolist()
        if not all(isinstance(label, str | int | float) for label in labels):
            raise TypeError(f"classes are {labels!r}; only text, numbers and booleans can be saved")
        config = {
            "backbone": self.backbone,
            "recipe": self.recipe_.to_dict(),
            "seed": self.seed,
            "classes": labels,
            "preprocessing": self.preprocessing_.to_dict(),
            "columns": self.feature_names_in_.tolist() if hasattr(self, "feature_names_in_") else None,
            "history": self.history_.to_dict("records"),
            "seen": self.seen_,
        }
        state = {name: tensor.cpu().contiguous() for name, tensor in self.network_.state_dict().items()}
        return config, safetensors.torch.save(state)

    @classmethod
    def from_parts(cls, config: Mapping[str, Any], weights: bytes) -> Self:
        """Return the model that `to_parts` gave; it computes on the device that `device="auto"` chooses.

        Raises
        ------
        ValueError
            If a part is missing, of another kind, or does not fit the others.
        """
        try:
            recipe = Recipe.from_dict(config["recipe"])
            name = config["backbone"]
            named = next((known for known in RECIPES if Recipe.of(known, name) == recipe), recipe)
            model = cls(name, recipe=named, seed=config["seed"])
            model.recipe_ = recipe
            model.classes_ = np.array(config["classes"])
            model.preprocessing_ = Preprocessing.from_dict(config["preprocessing"])
            model.n_features_in_ = model.preprocessing_.channels
            if config["columns"] is not None:
                model.feature_names_in_ = np.array(config["columns"], dtype=object)
                if len(model.feature_names_in_) != model.n_features_in_:
                    raise ValueError(f"{len(config['columns'])} columns name {model.n_features_in_} channels")
            model.history_ = _frame(config["history"])
            model.seen_ = sorted(map(str, config["seen"]))
            device = choose_device(model.device)
            with own_random_numbers(device):
                network = model._network()
            network.load_state_dict(safetensors.torch.load(weights))
        except (KeyError, TypeError, AttributeError, RuntimeError, safetensors.SafetensorError) as error:
            what = f"{type(error).__name__}: {error}".splitlines()[0]
            raise ValueError(f"these are no parts of a CNNClassifier: {what}") from error
        model.network_ = network.to(device).to(memory_format=torch.channels_last).eval()
        return model

    def _recipe(self) -> Recipe:
        """Return the recipe with the parameters that were given in place of its own."""
        _check.one_of("backbone", self.backbone, BACKBONES)
        _check.integer("seed", self.seed, 0)
        return Recipe.of(
            self.recipe,
            self.backbone,
            size=self.size,
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
        )

    def _network(self) -> nn.Module:
        return backbone(
            self.backbone,
            weights=self.weights,
            in_channels=self.n_features_in_,
            classes=len(self.classes_),
            stem=self.recipe_.stem,
        )

    def _checkpoints(
        self, stacks: Stacks, targets: NDArray[np.int64], groups: NDArray[np.int64]
    ) -> Checkpoints | None:
        if self.checkpoint is None:
            return None
        data = blake2b("".join(stacks.digests).encode(), digest_size=16)
        for numbers in (targets, groups):
            data.update(np.ascontiguousarray(numbers, dtype="<i8").data)
        settings = self.recipe_.to_dict() | {
            "backbone": self.backbone,
            "weights": None if self.weights is None else str(self.weights),
            "seed": self.seed,
            "precision": choose_precision(self.precision, choose_device(self.device)),
            "classes": [str(label) for label in self.classes_],
            "data": data.hexdigest(),
        }
        return Checkpoints(self.checkpoint, settings)

    def _logits(self, X: Any) -> NDArray[np.float64]:
        check_is_fitted(self)
        if hasattr(X, "columns") and hasattr(self, "feature_names_in_"):
            names = list(self.feature_names_in_)
            if list(X.columns) != names:
                raise ValueError(f"X has the columns {list(X.columns)}; give those of fit in their order, {names}")
        stacks = collect(X, channels=self.n_features_in_)
        device = next(self.network_.parameters()).device
        size = batch_rows(self.preprocessing_.size, device)
        batches = (self.preprocessing_(stacks[i : i + size]) for i in range(0, len(stacks), size))
        with few_threads():
            return logits(
                self.network_,
                batches,
                size,
                device=device,
                precision=choose_precision(self.precision, device),
                views=self.recipe_.views,
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.no_validation = True
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        return tags


def _preprocessing(recipe: Recipe, stacks: Stacks) -> Preprocessing:
    if recipe.normalise == "channel":
        return Preprocessing.measured(stacks, size=recipe.size)
    mean, std = ((value,) * stacks.channels for value in recipe.normalise)
    return Preprocessing(recipe.size, stacks.channels, mean, std, intensity_scale(stacks))


def _stored(preprocessing: Preprocessing, stacks: Stacks) -> Tensor:
    """Return all images resized, as uint8 where they came so: augmentation runs over them in memory."""
    narrow = all(stack.dtype == np.uint8 for stack in stacks)
    side, channels = preprocessing.size, preprocessing.channels
    images = torch.empty(len(stacks), channels, side, side, dtype=torch.uint8 if narrow else torch.float32)
    for target, stack in zip(images, stacks, strict=True):
        resized = preprocessing.resize([stack])[0]
        target.copy_(resized.mul_(255).round_().clamp_(0, 255) if narrow else resized)
    return images


def _teller(
    progress: bool | Callable[[Mapping[str, float]], object], epochs: int
) -> Callable[[Mapping[str, float]], object] | None:
    """Return what is told of each epoch."""
    if callable(progress):
        return progress

    def tell(row: Mapping[str, float]) -> None:
        numbers = "  ".join(f"{name} {value:.4g}" for name, value in row.items() if name != "epoch")
        print(f"epoch {row['epoch']:>3} of {epochs}  {numbers}", file=sys.stderr, flush=True)

    return tell if progress else None


def _frame(history: Any) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(history)
