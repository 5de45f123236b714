"""The training loop: one for every recipe."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from torch import Tensor, nn
from torch.nn import functional

from tumortrace.deep._augment import augment
from tumortrace.deep._checkpoint import Checkpoints, Snapshot
from tumortrace.deep._device import autocast, seed_layers
from tumortrace.deep._predict import batch_rows, logits, unit
from tumortrace.deep._preprocess import Preprocessing
from tumortrace.deep._recipe import Recipe

Progress = Callable[[Mapping[str, float]], object]


class Rows(NamedTuple):
    """Images with what is known of them.

    Attributes
    ----------
    images : Tensor, shape (n, channels, size, size)
        Resized, uint8 or float32; see `unit`.
    targets : Tensor of int64, shape (n,)
        Classes from 0.
    patients : ndarray of int, shape (n,)
        One number per patient.
    """

    images: Tensor
    targets: Tensor
    patients: NDArray[Any]


class Training:
    """A network on its way through the epochs of a recipe.

    Every epoch draws from generators seeded with `seed` and its number. So a training that goes on after a kill
    draws what it would have drawn, and a snapshot needs no state of a generator.

    Parameters
    ----------
    network : torch.nn.Module
        Trained in place, on `device`.
    recipe : Recipe
        Every number of the training.
    preprocessing : Preprocessing
        Normalises the images.
    seed : int
        Of the order of the images, their augmentation, and dropout.
    device : torch.device
        Where to train.
    precision : {"float32", "bfloat16"}
        In which the network computes.
    """

    def __init__(
        self,
        network: nn.Module,
        recipe: Recipe,
        preprocessing: Preprocessing,
        *,
        seed: int,
        device: torch.device,
        precision: str,
    ) -> None:
        self.network = network.to(device).to(memory_format=torch.channels_last)
        self.recipe, self.preprocessing = recipe, preprocessing
        self.seed, self.device, self.precision = seed, device, precision
        self.optimiser = _optimiser(self.network, recipe)
        self.average = Average(self.network, recipe.average) if recipe.average else None
        self.best: dict[str, Tensor] = {}
        self.history: list[dict[str, float]] = []

    def run(
        self,
        train: Rows,
        held_out: Rows | None = None,
        *,
        checkpoints: Checkpoints | None = None,
        progress: Progress | None = None,
    ) -> nn.Module:
        """Train to the end, or go on from the last checkpoint; return the network in evaluation mode.

        Parameters
        ----------
        train : Rows
            Trained on.
        held_out : Rows, optional
            With them, the epoch of the lowest loss on them is returned, and training stops `recipe.patience` epochs
            after it. Without, the last epoch is returned.
        checkpoints : Checkpoints, optional
            Where to write every epoch, and to look for one to go on from.
        progress : callable, optional
            Given the row of each new epoch, as in `history`.

        Raises
        ------
        FloatingPointError
            If the loss is no longer finite.
        """
        if checkpoints and (snapshot := checkpoints.latest()):
            self._restore(snapshot)
        train = self._moved(train)
        while len(self.history) < self.recipe.epochs and self._epochs_since_best() < self.recipe.patience:
            start = time.perf_counter()
            row = {"epoch": len(self.history) + 1, **self._train_epoch(train)}
            if held_out:
                row |= self._validate(held_out)
            self.history.append(row | {"seconds": time.perf_counter() - start})
            if held_out and self._epochs_since_best() == 0:
                self.best = {name: tensor.clone() for name, tensor in self._result.state_dict().items()}
            if checkpoints:
                checkpoints.write(self._snapshot())
            if progress:
                progress(self.history[-1])
        if self.best:
            self._result.load_state_dict(self.best)
        return self._result.eval()

    def _moved(self, rows: Rows) -> Rows:
        """Return the rows with their images on the GPU where they take no more than half of its free memory."""
        if self.device.type != "cuda" or rows.images.nbytes > torch.cuda.mem_get_info(self.device)[0] // 2:
            return rows
        return rows._replace(images=rows.images.to(self.device))

    @property
    def _result(self) -> nn.Module:
        return self.average.network if self.average else self.network

    def _epochs_since_best(self) -> int:
        losses = [row["validation_loss"] for row in self.history if "validation_loss" in row]
        return len(losses) - 1 - int(np.argmin(losses)) if losses else 0

    def _train_epoch(self, rows: Rows) -> dict[str, float]:
        epoch = len(self.history)
        seed = int(np.random.SeedSequence([self.seed, epoch]).generate_state(1, np.uint64)[0])
        generator = torch.Generator().manual_seed(seed)
        seed_layers(seed, self.device)
        batches = list(draw(rows, self.recipe, generator))
        self.network.train()
        total = torch.zeros((), device=self.device)
        for i, batch in enumerate(batches):
            rate = self.recipe.learning_rate_at(epoch * len(batches) + i, len(batches))
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            images = unit(rows.images[batch.to(rows.images.device)].to(self.device))
            images = augment(images, self.recipe.augmentation, self.preprocessing, generator)
            total += len(batch) * self._step(images, rows.targets[batch].to(self.device))
            if self.average:
                self.average.update(epoch * len(batches) + i + 1)
        loss = float(total) / sum(map(len, batches))
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"epoch {epoch + 1}: the loss is {loss}; give a learning_rate below {self.recipe.learning_rate:g}"
            )
        return {"learning_rate": rate, "loss": loss}

    def _step(self, images: Tensor, targets: Tensor) -> Tensor:
        """Take one step of the optimiser; return the mean loss before it."""
        with autocast(self.device, self.precision):
            outputs = self.network(images.contiguous(memory_format=torch.channels_last))
            loss = functional.cross_entropy(outputs, targets, label_smoothing=self.recipe.label_smoothing)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        return loss.detach()

    def _validate(self, rows: Rows) -> dict[str, float]:
        """Measure the network on rows it was not trained on; a row is taken for its most probable class."""
        size = batch_rows(self.preprocessing.size, self.device)
        batches = (self.preprocessing.normalise(unit(images)) for images in torch.split(rows.images, size))
        outputs = logits(self._result.eval(), batches, size, device=self.device, precision=self.precision)
        targets = rows.targets.numpy()
        with np.errstate(over="ignore"):
            losses = np.logaddexp.reduce(outputs, axis=1) - outputs[np.arange(len(targets)), targets]
        predicted = outputs.argmax(axis=1)
        measured = {
            "validation_loss": float(losses.mean()),
            "validation_accuracy": float((predicted == targets).mean()),
            "validation_balanced_accuracy": float(balanced_accuracy_score(targets, predicted)),
        }
        if outputs.shape[1] == 2:
            measured["validation_auc"] = float(roc_auc_score(targets, outputs[:, 1] - outputs[:, 0]))
        return measured

    def _snapshot(self) -> Snapshot:
        tensors = _named("network", self.network.state_dict()) | _named("best", self.best)
        if self.average:
            tensors |= _named("average", self.average.network.state_dict())
        for i, state in self.optimiser.state_dict()["state"].items():
            tensors |= _named(f"optimiser/{i}", {key: value for key, value in state.items() if value is not None})
        return Snapshot(self.history, tensors)

    def _restore(self, snapshot: Snapshot) -> None:
        self.history = list(snapshot.history)
        parts: dict[str, dict[str, Tensor]] = {"network": {}, "best": {}, "average": {}, "optimiser": {}}
        for name, tensor in snapshot.tensors.items():
            part, _, key = name.partition("/")
            parts[part][key] = tensor
        self.network.load_state_dict(parts["network"])
        self.best = parts["best"]
        if self.average:
            self.average.network.load_state_dict(parts["average"])
        state: dict[int, dict[str, Tensor]] = {}
        weights = list(self.network.parameters())
        for name, tensor in parts["optimiser"].items():
            i, _, key = name.partition("/")
            weight = weights[int(i)]
            # a fused optimiser runs over memory: its state must lie there as the weight does (channels last)
            like = torch.empty_like(weight).copy_(tensor) if tensor.shape == weight.shape else tensor
            state.setdefault(int(i), {})[key] = like
        self.optimiser.load_state_dict(self.optimiser.state_dict() | {"state": state})


class Average:
    """The exponential moving average of the weights and running statistics of a network.

    The decay rises with the number of steps, ``(1 + k) / (10 + k)`` at the k-th, up to `decay`.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = deepcopy(network).eval().requires_grad_(False)
        self.decay = decay
        pairs = zip(self.network.state_dict().values(), network.state_dict().values(), strict=True)
        floating = [(mine, its) for mine, its in pairs if mine.is_floating_point()]
        self._mine, self._its = [mine for mine, _ in floating], [its for _, its in floating]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take the weights into the average as they are after a step, counted from 1."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self._mine, self._its, 1 - decay)


def draw(rows: Rows, recipe: Recipe, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield the positions of the rows of each batch of one epoch."""
    n, size = len(rows.targets), recipe.batch_size
    if recipe.balance:
        weights = torch.from_numpy(balanced_weights(rows.targets.numpy(), rows.patients))
        yield from torch.split(
            torch.multinomial(weights, max(1, n // size) * size, True, generator=generator), size
        )
    else:
        batches = max(1, min(math.ceil(n / size), n // 2))  # batch normalisation needs two
        yield from torch.randperm(n, generator=generator).tensor_split(batches)


def balanced_weights(targets: NDArray[Any], patients: NDArray[Any]) -> NDArray[np.float64]:
    """Return the chance of each row to be drawn: classes alike, a patient as the square root of its rows."""
    _, patient, rows = np.unique(patients, return_inverse=True, return_counts=True)
    weights = 1 / np.sqrt(rows[patient])
    balanced: NDArray[np.float64] = weights / np.bincount(targets, weights)[targets]
    return balanced


def _optimiser(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    shared: dict[str, Any] = {"lr": recipe.learning_rate, "weight_decay": recipe.weight_decay, "fused": True}
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(network.parameters(), momentum=recipe.momentum, **shared)
    return torch.optim.AdamW(network.parameters(), **shared)


def _named(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}/{name}": tensor for name, tensor in tensors.items()}
