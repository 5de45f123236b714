"""Augmentation of whole batches: one affine map, one interpolation, then grey values."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from tumortrace.deep._preprocess import Preprocessing
from tumortrace.deep._recipe import Augmentation


def augment(
    images: Tensor, augmentation: Augmentation, preprocessing: Preprocessing, generator: torch.Generator
) -> Tensor:
    """Return images as training sees them: changed at random, then normalised.

    Parameters
    ----------
    images : Tensor of float32, shape (n, channels, size, size)
        Resized, grey values from 0 to 1: `Preprocessing.resize`. Not changed.
    augmentation : Augmentation
        What is drawn, and from which range.
    preprocessing : Preprocessing
        For mean and standard deviation.
    generator : torch.Generator
        On the CPU. The same state gives the same images.

    Returns
    -------
    Tensor of float32, shape of `images`
        Each image changed in its own way, its channels alike (but for `channel_jitter`).
    """
    n, channels = images.shape[:2]

    def normal(columns: int, spread: float) -> Tensor:
        return (torch.randn(n, columns, 1, 1, generator=generator) * spread).to(images.device)

    grid = functional.affine_grid(
        affine(augmentation, n, generator).to(images.device), list(images.shape), align_corners=False
    )
    x = functional.grid_sample(images, grid, padding_mode=augmentation.outside, align_corners=False)
    if augmentation.brightness:
        factor = 1 + (2 * torch.rand(n, 1, 1, 1, generator=generator) - 1) * augmentation.brightness
        x = x.mul_(factor.to(x.device)).clamp_(-1, 1)
    x = preprocessing.normalise(x)
    if augmentation.jitter or augmentation.channel_jitter:
        common, own = augmentation.jitter, augmentation.channel_jitter
        gain = (normal(1, common) + normal(channels, own)).exp_()
        x = x.mul_(gain).add_(normal(1, common) + normal(channels, own))
    return x


def affine(augmentation: Augmentation, n: int, generator: torch.Generator) -> Tensor:
    """Return `n` random maps ``(n, 2, 3)`` from places of the result to places of the image, for `affine_grid`.

    In the order of the image: rotation, zoom and translation, centre crop, random resized crop, flips.
    """
    a = augmentation
    turn, zoom, right, down, area, ratio, across, along, mirror, invert = torch.rand(10, n, generator=generator)
    width, height = _crop(a, area, ratio)
    kept = a.centre_crop
    # of the crop: half its sides with the sign of the flips, and its centre, in units of half an image
    x_scale = kept * width * _sign(mirror, a.horizontal_flip)
    y_scale = kept * height * _sign(invert, a.vertical_flip)
    x_centre = kept * (1 - width) * _spread(across) + 2 * a.translation * _spread(right)
    y_centre = kept * (1 - height) * _spread(along) + 2 * a.translation * _spread(down)
    angle = math.radians(a.rotation) * _spread(turn)
    shrink = torch.exp(a.zoom * _spread(zoom))
    cos, sin = torch.cos(angle) * shrink, torch.sin(angle) * shrink
    rows = (
        (cos * x_scale, -sin * y_scale, cos * x_centre - sin * y_centre),
        (sin * x_scale, cos * y_scale, sin * x_centre + cos * y_centre),
    )
    return torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)


def _crop(augmentation: Augmentation, area: Tensor, ratio: Tensor) -> tuple[Tensor, Tensor]:
    """Return width and height of the random crop as shares of the side; what sticks out is cut off."""
    if augmentation.crop_area is None:
        return torch.ones_like(area), torch.ones_like(area)
    low, high = augmentation.crop_area
    narrow, wide = map(math.log, augmentation.crop_ratio)
    area = low + (high - low) * area
    ratio = torch.exp(narrow + (wide - narrow) * ratio)
    return torch.sqrt(area * ratio).clamp(max=1), torch.sqrt(area / ratio).clamp(max=1)


def _spread(uniform: Tensor) -> Tensor:
    """Return numbers from 0 to 1 as numbers from −1 to 1."""
    return 2 * uniform - 1


def _sign(uniform: Tensor, flips: bool) -> Tensor:
    return torch.where(uniform < 0.5, -1.0, 1.0) if flips else torch.ones_like(uniform)
