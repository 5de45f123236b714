"""Networks by name: torchvision's VGG16, ResNet18 and ResNet50, and one of ours for crops of some 30 pixels.

References: Simonyan and Zisserman 2015, https://doi.org/10.48550/arXiv.1409.1556; He et al. 2016,
https://doi.org/10.1109/CVPR.2016.90.
"""

from __future__ import annotations

import os
from copy import copy
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn
from torchvision import models
from torchvision.models.resnet import BasicBlock

from tumortrace import _check
from tumortrace.deep._preprocess import Preprocessing

BACKBONES = ("vgg16", "resnet18", "resnet50", "resnet8")
"""Names that `backbone` takes."""

STEMS = ("standard", "small")

_WEIGHTS = {
    "vgg16": models.VGG16_Weights.DEFAULT,
    "resnet18": models.ResNet18_Weights.DEFAULT,
    "resnet50": models.ResNet50_Weights.DEFAULT,
}
_PICKLES = (b"PK\x03\x04", b"\x80")


class ResNet8(nn.Module):
    """A small residual network for images of some 30 pixels a side: three basic blocks of 32, 64 and 128 channels.

    A 3×3 convolution of 32 channels, the blocks with strides 1, 2 and 2, the mean over the image, dropout of 0.3,
    one linear layer. 0.3 million weights.
    """

    def __init__(self, in_channels: int, classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 32, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(32)
        self.relu = nn.ReLU(inplace=True)
        self.layer1 = BasicBlock(32, 32)
        self.layer2 = BasicBlock(32, 64, 2, _shortcut(32, 64))
        self.layer3 = BasicBlock(64, 128, 2, _shortcut(64, 128))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.3)
        self.fc = nn.Linear(128, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of each image, ``(n, classes)``."""
        x = self.relu(self.bn1(self.conv1(images)))
        x = self.avgpool(self.layer3(self.layer2(self.layer1(x))))
        logits: Tensor = self.fc(self.dropout(x.flatten(1)))
        return logits


def backbone(
    name: str,
    *,
    weights: str | os.PathLike[str] | None = None,
    in_channels: int = 3,
    classes: int = 2,
    stem: str = "standard",
) -> nn.Module:
    """Return a network that maps images ``(n, in_channels, rows, cols)`` to logits ``(n, classes)``.

    Parameters
    ----------
    name : {"vgg16", "resnet18", "resnet50", "resnet8"}
        The first three are torchvision's: VGG16 with the head 4096–4096–`classes` (ReLU and dropout of 0.5 after
        the first two), ResNets with one linear layer. ``"resnet8"`` is ours, for images of some 30 pixels.
    weights : "imagenet", path or None
        ``"imagenet"`` is torchvision's default weights, downloaded once and checked against their hash. A path is a
        safetensors file of this network, or a folder that holds one. None draws the weights from torch's generator.
    in_channels : int, default 3
        Channels of the input, 1 or more.
    classes : int, default 2
        Number of logits. A last layer of another size is not taken from `weights` but drawn anew.
    stem : {"standard", "small"}
        ``"small"`` keeps small inputs from vanishing: a 3×3 first convolution of stride 1 and no max pool behind
        it. resnet8 is made so.

    Returns
    -------
    torch.nn.Module
        In training mode, on the CPU.

    Raises
    ------
    ValueError
        If a parameter is out of its range, or the file is a pickle, damaged, or of another network.
    OSError
        If the file does not exist or the download fails.

    Notes
    -----
    Pretrained RGB kernels meet other channels so: for 3 channels they are kept; for n others, each channel gets the
    mean of the three kernels times ``3 / n``. For one channel that is their sum. Shown a grey picture in each of
    its n channels, the first layer then answers as the pretrained one does to the same picture in R, G and B. A
    first convolution of another kernel size (``stem="small"``) is drawn anew.

    Examples
    --------
    >>> network = backbone("resnet8", in_channels=17)
    >>> network.eval()(torch.zeros(1, 17, 32, 32)).shape
    torch.Size([1, 2])
    """
    _check.one_of("backbone", name, BACKBONES)
    _check.one_of("stem", stem, STEMS)
    in_channels = _check.integer("in_channels", in_channels, 1)
    classes = _check.integer("classes", classes, 2)
    network = _build(name, in_channels, classes)
    if stem == "small":
        _make_stem_small(network)
    if weights is not None:
        state, source = _state(name, weights)
        _load(network, state, source)
    return network


def default_preprocessing(
    name: str, *, weights: str | os.PathLike[str] | None, channels: int, size: int | None = None
) -> Preprocessing:
    """Return the preprocessing that goes with the weights of a backbone, for 8-bit images.

    With weights, the mean and standard deviation of ImageNet that torchvision states with them, kept for 3 channels
    and averaged for other numbers; without, 0.5 and 0.5. `size` is 224 by default, for resnet8 32. A stack is
    resized to it whole: nothing is cut off, as the crop of a lesion holds no margin to spare.
    """
    _check.one_of("backbone", name, BACKBONES)
    size = size or (32 if name == "resnet8" else 224)
    if weights is None or name not in _WEIGHTS:
        return Preprocessing(size, channels, (0.5,) * channels, (0.5,) * channels)
    statistics = _WEIGHTS[name].transforms()
    mean, std = statistics.mean, statistics.std
    if channels != 3:
        mean, std = [sum(mean) / 3] * channels, [sum(std) / 3] * channels
    return Preprocessing(size, channels, tuple(mean), tuple(std))


def penultimate(network: nn.Module) -> nn.Module:
    """Return the network without its last linear layer; it shares all other weights.

    Its output is what the last layer sees: ``(n, n_features(network))``.

    Examples
    --------
    >>> network = backbone("resnet8").eval()
    >>> penultimate(network)(torch.zeros(1, 3, 32, 32)).shape
    torch.Size([1, 128])
    """
    trunk = copy(network)
    trunk._modules = dict(network._modules)
    if isinstance(network, models.VGG):
        trunk.classifier = network.classifier[:-1]
    else:
        trunk.fc = nn.Identity()
    return trunk


def n_features(network: nn.Module) -> int:
    """Return the number of penultimate features: vgg16 4096, resnet18 512, resnet50 2048, resnet8 128."""
    return int(_last_layer(network).in_features)


def last_convolution(network: nn.Module) -> nn.Module:
    """Return the module whose output is the last one with rows and columns: where Grad-CAM looks.

    For VGG16 the ReLU before the last max pool, for ResNets their last stage.
    """
    if isinstance(network, models.VGG):
        name = "features.29"
    else:
        name = "layer3" if isinstance(network, ResNet8) else "layer4"
    return network.get_submodule(name)


def _shortcut(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, 2, bias=False), nn.BatchNorm2d(outputs))


def _build(name: str, in_channels: int, classes: int) -> nn.Module:
    if name == "resnet8":
        return ResNet8(in_channels, classes)
    network: nn.Module = models.get_model(name, weights=None, num_classes=classes)
    if in_channels != 3:
        _set_first(network, in_channels=in_channels)
    return network


def _make_stem_small(network: Any) -> None:
    if isinstance(network, models.VGG):
        network.features[4] = nn.Identity()  # its first convolution is 3×3 already
    elif isinstance(network, models.ResNet):
        _set_first(network, kernel_size=3, stride=1, padding=1)
        network.maxpool = nn.Identity()


def _first(network: Any) -> nn.Conv2d:
    convolution: nn.Conv2d = network.features[0] if isinstance(network, models.VGG) else network.conv1
    return convolution


def _set_first(network: Any, **changes: Any) -> None:
    """Replace the first convolution by one with other settings, drawn as torchvision draws it."""
    old = _first(network)
    settings = {"in_channels": old.in_channels, "kernel_size": old.kernel_size, "stride": old.stride}
    settings |= {"padding": old.padding, **changes}
    new = nn.Conv2d(out_channels=old.out_channels, bias=old.bias is not None, **settings)  # type: ignore[arg-type]
    nn.init.kaiming_normal_(new.weight, mode="fan_out", nonlinearity="relu")
    if new.bias is not None:
        nn.init.zeros_(new.bias)
    if isinstance(network, models.VGG):
        network.features[0] = new
    else:
        network.conv1 = new


def _last_layer(network: Any) -> nn.Linear:
    layer: nn.Linear = network.classifier[-1] if isinstance(network, models.VGG) else network.fc
    return layer


def _state(name: str, weights: str | os.PathLike[str]) -> tuple[dict[str, Tensor], str]:
    """Return pretrained tensors by name, and where they came from."""
    if weights == "imagenet":
        if name not in _WEIGHTS:
            raise ValueError(
                f"{name} has no ImageNet weights; give None, a safetensors file, or one of {', '.join(_WEIGHTS)}"
            )
        return _downloaded(name), f"the ImageNet weights of {name}"
    path = _weights_file(Path(weights))
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(_PICKLES):
        raise ValueError(
            f"{path}: is a pickle, which may run code when it is read; convert it where you trust it: "
            "safetensors.torch.save_file(torch.load(path, weights_only=True), 'weights.safetensors')"
        )
    try:
        return safetensors.torch.load_file(path), str(path)
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise ValueError(f"{path}: is damaged or no safetensors file: {error}") from error


def _weights_file(path: Path) -> Path:
    if path.is_dir():
        found = sorted(path.rglob("*.safetensors"))
        if len(found) != 1:
            raise ValueError(f"{path}: holds {len(found)} safetensors files; name the one to read")
        return found[0]
    if not path.exists():
        raise FileNotFoundError(f"{path}: does not exist; weights are 'imagenet', a safetensors file, or None")
    return path


def _downloaded(name: str) -> dict[str, Tensor]:
    weights = _WEIGHTS[name]
    try:
        state: dict[str, Tensor] = weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except (OSError, RuntimeError) as error:
        target = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
        raise OSError(
            f"the ImageNet weights of {name} could not be downloaded: {error}. Put {weights.url} at {target}, "
            "or give weights=None or a safetensors file"
        ) from error
    return state


def _load(network: nn.Module, state: dict[str, Tensor], source: str) -> None:
    """Load pretrained tensors, the first convolution adapted to the channels, the last layer where it fits."""
    own = network.state_dict()
    wrong = sorted(key for key in set(state) ^ set(own) if not key.endswith("num_batches_tracked"))
    if wrong:
        raise ValueError(
            f"{source}: holds another network: {len(wrong)} tensors differ in name, such as {wrong[0]!r}; "
            "give the backbone that it was saved from"
        )
    first, last = _first_and_last(network)
    taken = own | state
    taken[first] = _adapted(state[first], own[first], source)
    for key in (f"{last}.weight", f"{last}.bias"):
        if state[key].shape != own[key].shape:
            taken[key] = own[key]
    for key, tensor in taken.items():
        if tensor.shape != own[key].shape:
            raise ValueError(
                f"{source}: holds another network: {key} is {tuple(tensor.shape)}, not {tuple(own[key].shape)}"
            )
    network.load_state_dict(taken)


def _first_and_last(network: nn.Module) -> tuple[str, str]:
    """Return the names of the first kernels and of the last layer."""
    if isinstance(network, models.VGG):
        return "features.0.weight", f"classifier.{len(network.classifier) - 1}"
    return "conv1.weight", "fc"


def _adapted(kernels: Tensor, own: Tensor, source: str) -> Tensor:
    """Return pretrained kernels for the channels of our own first convolution."""
    if kernels.shape[2:] != own.shape[2:]:
        return own
    saved, wanted = kernels.shape[1], own.shape[1]
    if saved == wanted:
        return kernels
    if saved != 3:
        raise ValueError(f"{source}: takes {saved} channels; give in_channels={saved}, or weights for 3 channels")
    return (kernels.mean(dim=1, keepdim=True) * (3 / wanted)).expand(-1, wanted, -1, -1)
