"""The plain way: a Dataset of PIL pictures, torchvision's transforms and networks, a DataLoader without workers."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import models
from torchvision.transforms import v2

Picture = Image.Image


class Pictures(Dataset):
    """Grey pictures, opened or by path, each through `transform`, with a class."""

    def __init__(self, pictures: Sequence[Picture | Path], targets: Sequence[int], transform: v2.Transform) -> None:
        self.pictures, self.targets, self.transform = pictures, targets, transform

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        picture = self.pictures[i]
        if isinstance(picture, Path):
            picture = Image.open(picture).convert("L")
        return self.transform(picture), self.targets[i]


def plain_transform(size: int) -> v2.Transform:
    """Float, resize, normalise: nothing at random."""
    return v2.Compose(
        [
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Resize((size, size), antialias=True),
            v2.Normalize([0.5], [0.5]),
        ]
    )


def augmenting_transform(size: int) -> v2.Transform:
    """What the recipe `report` draws, step by step on the picture as tutorials do it."""
    return v2.Compose(
        [
            v2.Resize((size, size)),
            v2.RandomAffine(0, translate=(0.1, 0.1)),
            v2.CenterCrop(size),
            v2.ColorJitter(brightness=0.2),
            v2.RandomResizedCrop(size, scale=(0.5, 1.0)),
            v2.RandomHorizontalFlip(),
            v2.RandomVerticalFlip(),
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize([0.5], [0.5]),
        ]
    )


def network(name: str, ours: nn.Module) -> nn.Module:
    """Return torchvision's network for grey images with the weights of ours (resnet8, which it lacks, as it is)."""
    if name == "resnet8":
        return deepcopy(ours).to(memory_format=torch.contiguous_format)
    plain: Any = models.get_model(name, weights=None, num_classes=2)
    if name == "vgg16":
        plain.features[0] = nn.Conv2d(1, 64, 3, padding=1)
    else:
        plain.conv1 = nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
    plain.load_state_dict(ours.state_dict())
    return plain


def without_head(plain: Any) -> nn.Module:
    """Return the network up to its penultimate features, in evaluation mode."""
    if isinstance(plain, models.VGG):
        plain.classifier = plain.classifier[:-1]
    else:
        plain.fc = nn.Identity()
    return plain.eval()


@torch.no_grad()
def embed(trunk: nn.Module, data: Pictures, batch: int, device: str) -> np.ndarray:
    loader = DataLoader(data, batch_size=batch)
    return torch.cat([trunk(images.to(device)).cpu() for images, _ in loader]).numpy()


def train(plain: nn.Module, data: Pictures, batch: int, device: str) -> list[float]:
    """Return the mean loss of an epoch of gradient descent with momentum."""
    loader = DataLoader(data, batch_size=batch, shuffle=True)
    optimiser = torch.optim.SGD(plain.parameters(), lr=1e-3, momentum=0.9, weight_decay=1e-4)
    criterion = nn.CrossEntropyLoss()
    plain.train()
    total = 0.0
    for images, targets in loader:
        optimiser.zero_grad()
        loss = criterion(plain(images.to(device)), targets.to(device))
        loss.backward()
        optimiser.step()
        total += loss.item() * len(targets)
    return [total / len(data)]
