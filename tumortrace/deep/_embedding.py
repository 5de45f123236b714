"""Penultimate features of a network, as a step of a scikit-learn pipeline."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted
from torch import nn

from tumortrace import _check
from tumortrace.deep._backbone import backbone, default_preprocessing, n_features, penultimate
from tumortrace.deep._device import choose_device, few_threads, own_random_numbers, seed_layers
from tumortrace.deep._embedding_cache import EmbeddingCache
from tumortrace.deep._inputs import Stacks, collect, count_channels
from tumortrace.deep._predict import batch_rows, logits
from tumortrace.deep._preprocess import Preprocessing

if TYPE_CHECKING:
    import pandas as pd


_BATCH = 8  # with fewer images at a time, reading the weights costs as much as using them


class InSampleWarning(UserWarning):
    """Features come from a network that was trained on the same images; they look better than they are."""


class CNNEmbedding(TransformerMixin, BaseEstimator):
    """What a network says of an image before it decides: images in, the features of its penultimate layer out.

    Parameters
    ----------
    model : CNNClassifier or {"vgg16", "resnet18", "resnet50", "resnet8"}
        A fitted classifier, or the name of a backbone, which is used as its weights are (frozen).
    weights : "imagenet", path or None, default "imagenet"
        For a name: the weights, as `backbone` takes them. None is a network drawn at random from `seed`.
    preprocessing : Preprocessing, optional
        For a name: what is done to images first. By default what goes with the weights, `size` 224 (resnet8 32).
    batch_size : int, optional
        Images that go through the network at a time; a smaller rest is filled up to it. By default what suits the
        device. It changes speed and memory, and features in their last digits.
    device : str, default "auto"
        ``"auto"`` is a GPU where there is one.
    cache : path, optional
        A folder in which features are kept, by the content of the image, the weights and the preprocessing. Several
        processes may share it. It may be deleted at any time.
    seed : int, default 0
        For ``weights=None``.
    progress : bool, default False
        Show a progress bar on stderr.

    Attributes
    ----------
    trunk_ : torch.nn.Module
        The network without its last layer, in evaluation mode on its device; a copy, of its own.
    preprocessing_ : Preprocessing
        What is done to images before.
    name_ : str
        The name of the backbone.

    See Also
    --------
    CNNClassifier, tumortrace.fusion.EarlyFusion

    Notes
    -----
    `fit` learns nothing: it builds the network for the number of channels of the images. A fitted classifier is
    taken as it is, and `sklearn.base.clone` keeps it fitted.

    A fitted classifier knows the images that it was trained on. Features of these are in-sample: the network has
    bent them towards their labels, and a model trained on them trusts them too much. `transform` gives an
    `InSampleWarning` then, and lists the rows in ``.attrs["in_sample"]`` of the result; `tumortrace.fusion` refuses
    to be fitted on such a table. Embed images with a network that saw none of their patients.

    The network sees each image as it is, in evaluation mode, without augmentation. What it says of an image does
    not hang on the images beside it: on a CPU not even a bit changes.

    Examples
    --------
    >>> images = [np.eye(20, dtype=np.uint8), np.ones((24, 30), np.uint8)]
    >>> embedding = CNNEmbedding("resnet8", weights=None)
    >>> embedding.fit_transform(images).shape
    (2, 128)
    >>> embedding.get_feature_names_out()[:2]
    array(['resnet8_000', 'resnet8_001'], dtype=object)
    """

    def __init__(
        self,
        model: Any,
        *,
        weights: str | os.PathLike[str] | None = "imagenet",
        preprocessing: Preprocessing | None = None,
        batch_size: int | None = None,
        device: str = "auto",
        cache: str | os.PathLike[str] | None = None,
        seed: int = 0,
        progress: bool = False,
    ) -> None:
        self.model = model
        self.weights = weights
        self.preprocessing = preprocessing
        self.batch_size = batch_size
        self.device = device
        self.cache = cache
        self.seed = seed
        self.progress = progress

    def fit(self, X: Any = None, y: Any = None) -> CNNEmbedding:
        """Build the network, or take that of the fitted classifier; nothing is learnt.

        Parameters
        ----------
        X
            Images, see `transform`. A name needs them, for their number of channels; a fitted classifier does not.
        y
            Ignored.

        Raises
        ------
        ValueError
            If a parameter is not valid or the weights cannot be read.
        sklearn.exceptions.NotFittedError
            If `model` is a classifier that is not fitted.
        """
        if self.batch_size is not None:
            _check.integer("batch_size", self.batch_size, 1)
        device = choose_device(self.device)
        if isinstance(self.model, str):
            if X is None:
                raise ValueError(f"fit needs the images: {self.model} is built for their number of channels")
            network, self.preprocessing_ = self._build(count_channels(X), device)
            self.name_ = self.model
        else:
            check_is_fitted(self.model)
            network, self.preprocessing_ = self.model.network_, self.model.preprocessing_
            self.name_ = self.model.backbone
        self.n_features_ = n_features(network)
        trunk = deepcopy(penultimate(network)).eval().requires_grad_(False)
        self.trunk_ = trunk.to(device).to(memory_format=torch.channels_last)
        return self

    def transform(self, X: Any) -> pd.DataFrame:
        """Return the features of each image.

        Parameters
        ----------
        X
            A list of arrays, ``(rows, cols)`` or ``(channels, rows, cols)``, of any sizes; an array
            ``(n, rows, cols)`` or ``(n, channels, rows, cols)``; a list or Series of paths; or a DataFrame of
            paths, one column per channel.

        Returns
        -------
        DataFrame of float32, shape (images, features)
            Columns as in `get_feature_names_out`; the index is that of `X` where it has one.

        Raises
        ------
        ValueError, TypeError
            If an image cannot be read, or has another number of channels than the network takes.

        Warns
        -----
        InSampleWarning
            If the network was trained on some of the images.
        """
        import pandas as pd

        check_is_fitted(self)
        stacks = collect(X, channels=self.preprocessing_.channels)
        in_sample = self._in_sample(stacks)
        values = self._features(stacks) if self.cache is None else self._cached(stacks, Path(self.cache))
        frame = pd.DataFrame(values, columns=self.get_feature_names_out(), index=stacks.row_labels)
        if in_sample:
            frame.attrs["in_sample"] = in_sample
        return frame

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the columns, ``<backbone>_<number>``."""
        check_is_fitted(self)
        width = max(3, len(str(self.n_features_ - 1)))
        return np.array([f"{self.name_}_{k:0{width}}" for k in range(self.n_features_)], dtype=object)

    def _build(self, channels: int, device: torch.device) -> tuple[nn.Module, Preprocessing]:
        preprocessing = self.preprocessing or default_preprocessing(
            self.model, weights=self.weights, channels=channels
        )
        if preprocessing.channels != channels:
            raise ValueError(f"preprocessing is for {preprocessing.channels} channels; the images have {channels}")
        with own_random_numbers(device):
            seed_layers(self.seed, device)
            return backbone(self.model, weights=self.weights, in_channels=channels), preprocessing

    def _in_sample(self, stacks: Stacks) -> list[int]:
        """Return the positions of images that the network was trained on; warn if there are any."""
        if isinstance(self.model, str):
            return []
        seen = set(self.model.seen_)
        found = [i for i, digest in enumerate(stacks.digests) if digest in seen]
        if found:
            warnings.warn(
                f"the network was trained on {len(found)} of these {len(stacks)} images, such as "
                f"{stacks.names[found[0]]}: their features fit their labels too well to train another model on; "
                "embed them with a network that saw none of their patients",
                InSampleWarning,
                stacklevel=4,
            )
        return found

    def _features(self, stacks: Stacks) -> NDArray[np.float32]:
        """Return the features of each stack, ``(n, n_features_)``."""
        from tqdm import tqdm

        device = next(self.trunk_.parameters()).device
        size = self.batch_size or max(_BATCH, batch_rows(self.preprocessing_.size, device))
        starts = tqdm(range(0, len(stacks), size), unit="batch", disable=not self.progress)
        batches = (self.preprocessing_(stacks[start : start + size]) for start in starts)
        with few_threads():
            return logits(self.trunk_, batches, size, device=device).astype(np.float32)

    def _cached(self, stacks: Stacks, folder: Path) -> NDArray[np.float32]:
        """Return the features of each stack, those of stacks that the cache does not hold computed and kept."""
        cache = EmbeddingCache(folder, self.trunk_, self.preprocessing_)
        known: Mapping[str, NDArray[np.float32]] = cache.read(stacks.digests)
        missing = {digest: i for i, digest in enumerate(stacks.digests) if digest not in known}
        if missing:
            values = self._features(stacks.take(list(missing.values())))
            cache.write(list(missing), values)
            known = {**known, **dict(zip(missing, values, strict=True))}
        return np.stack([known[digest] for digest in stacks.digests])

    def __sklearn_clone__(self) -> CNNEmbedding:
        return type(self)(**self.get_params(deep=False))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.no_validation = True
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        return tags
