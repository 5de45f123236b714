"""Run a network over batches of one size, so that what a row gives does not hang on how many rows there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tumortrace.deep._device import autocast


def batch_rows(size: int, device: torch.device) -> int:
    """Return how many images of ``size × size`` pixels to compute at once: one size per device, for equal bits."""
    most, pixels = (16, 2**18) if device.type == "cpu" else (1024, 2**22)
    return max(1, min(most, pixels // size**2))


def unit(images: Tensor) -> Tensor:
    """Return stored images as float32 with grey values from 0 to 1."""
    return images.to(torch.float32).div_(255) if images.dtype == torch.uint8 else images.clone()


@torch.inference_mode()
def logits(
    network: nn.Module,
    batches: Iterable[Tensor],
    rows: int,
    *,
    device: torch.device,
    precision: str = "float32",
    views: int = 1,
) -> NDArray[np.float64]:
    """Return what `network` gives for the images of all batches, the mean over their symmetric views.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode, on `device`.
    batches : iterable of Tensor, shape (up to rows, channels, size, size)
        Preprocessed images.
    rows : int
        A smaller batch is filled up to this many, so that every row is computed in the same way.
    views : {1, 8}
        1 is the image as it is; 8 all its flips and quarter turns.

    Returns
    -------
    ndarray of float64, shape (n, outputs)
    """
    parts = []
    with autocast(device, precision):
        for batch in batches:
            filled = torch.cat([batch, batch.new_zeros(rows - len(batch), *batch.shape[1:])])
            filled = filled.to(device, memory_format=torch.channels_last)
            # added one by one: a reduction may add the rows of a batch in different orders
            total = sum(network(view)[: len(batch)].cpu().double() for view in _symmetric(filled, views))
            parts.append(torch.as_tensor(total) / views)
    return torch.cat(parts).numpy()


def _symmetric(images: Tensor, views: int) -> Iterator[Tensor]:
    yield images
    if views == 8:
        turned = images.transpose(2, 3)
        yield from (images.flip(2), images.flip(3), images.flip(2, 3))
        yield from (turned, turned.flip(2), turned.flip(3), turned.flip(2, 3))
