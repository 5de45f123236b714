"""From stacks of any size to what a network takes: size, scale, mean and standard deviation, as one object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from tumortrace import _check


@dataclass(frozen=True)
class Preprocessing:
    """What is done to an image before a network sees it; it travels with the weights.

    Each channel is divided by `scale`, resized to ``size × size`` pixels (bilinear, with antialiasing where it
    shrinks), and normalised: ``(value / scale − mean) / std``. No part is random: the same image always gives the
    same tensor, whatever else is in its batch.

    Parameters
    ----------
    size : int
        Rows and columns of the result.
    channels : int
        Channels of a stack.
    mean, std : tuple of float, one per channel
        Of the channel after division by `scale`. One number stands for all.
    scale : float, default 255
        What pixels are divided by: 255 for 8-bit images.

    Examples
    --------
    >>> ready = Preprocessing(size=32, channels=1, mean=0.5, std=0.5)
    >>> ready([np.full((1, 20, 24), 255, np.uint8)]).shape
    torch.Size([1, 1, 32, 32])
    >>> Preprocessing.from_dict(ready.to_dict()) == ready
    True
    """

    size: int
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    scale: float = 255.0

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "size", _check.integer("size", self.size, 1, 4096))
        set_(self, "channels", _check.integer("channels", self.channels, 1))
        set_(self, "mean", self._per_channel("mean", self.mean))
        set_(self, "std", self._per_channel("std", self.std))
        set_(self, "scale", _check.positive("scale", self.scale))
        if min(self.std) <= 0:
            raise ValueError(f"std is {self.std}; give numbers above 0")

    @classmethod
    def measured(cls, stacks: Sequence[NDArray[Any]], *, size: int) -> Preprocessing:
        """Return the preprocessing after which the pixels of these stacks have mean 0 and variance 1 per channel.

        Parameters
        ----------
        stacks : sequence of ndarray, shape (channels, rows, cols)
            Training images. Each pixel counts the same, before resizing. `scale` is `intensity_scale` of them.
        size : int
            Rows and columns of the result.
        """
        scale = intensity_scale(stacks)
        pixels = sum(stack[0].size for stack in stacks)
        mean = sum(stack.sum(axis=(1, 2), dtype=np.float64) for stack in stacks) / pixels
        squares = sum(((stack - mean[:, None, None]) ** 2).sum(axis=(1, 2)) for stack in stacks) / pixels
        std = np.sqrt(squares) / scale
        std[std < 1e-6] = 1.0  # a channel that does not vary
        return cls(size, len(mean), tuple((mean / scale).tolist()), tuple(std.tolist()), scale)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Preprocessing:
        """Return the preprocessing that `to_dict` wrote.

        Raises
        ------
        ValueError
            If a value is missing, unknown or out of its range.
        """
        fields = set(cls.__dataclass_fields__)
        if set(values) != fields:
            raise ValueError(f"preprocessing has {sorted(values)}; it needs {sorted(fields)}")
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Return the values as what JSON holds."""
        return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}

    def __call__(self, stacks: Sequence[NDArray[Any]]) -> Tensor:
        """Return ``(n, channels, size, size)``, float32, resized and normalised."""
        return self.normalise(self.resize(stacks))

    def resize(self, stacks: Sequence[NDArray[Any]], size: int | None = None) -> Tensor:
        """Return ``(n, channels, size, size)``, float32, divided by `scale` and not yet normalised."""
        side = self.size if size is None else size
        resized = torch.empty(len(stacks), self.channels, side, side)
        for target, stack in zip(resized, stacks, strict=True):
            image = torch.from_numpy(np.array(stack, dtype=np.float32, ndmin=4))
            if image.shape[-2:] != target.shape[-2:]:
                image = functional.interpolate(image, (side, side), mode="bilinear", antialias=True)
            target.copy_(image[0])
        return resized.div_(self.scale)

    def normalise(self, images: Tensor) -> Tensor:
        """Return ``(images − mean) / std``, in place; `images` are ``(…, channels, rows, cols)`` over `scale`."""
        shape = (self.channels, 1, 1)
        mean = torch.tensor(self.mean, device=images.device).view(shape)
        std = torch.tensor(self.std, device=images.device).view(shape)
        return images.sub_(mean).div_(std)

    def _per_channel(self, name: str, value: Any) -> tuple[float, ...]:
        numbers = tuple(value) if isinstance(value, Sequence | np.ndarray) else (value,) * self.channels
        if len(numbers) != self.channels or not all(isfinite(v) for v in numbers):
            raise ValueError(f"{name} is {value!r}; give one number per channel, {self.channels}")
        return tuple(float(v) for v in numbers)


def intensity_scale(stacks: Sequence[NDArray[Any]]) -> float:
    """Return what to divide pixels by: 255 for 8-bit stacks, else the largest magnitude of any pixel."""
    if all(stack.dtype == np.uint8 for stack in stacks):
        return 255.0
    return float(max(np.abs(stack.astype(np.float64)).max() for stack in stacks)) or 1.0
