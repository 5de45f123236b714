"""Grad-CAM: where in an image the evidence of a network for a class lies.

Reference: Selvaraju et al. 2017, Grad-CAM: visual explanations from deep networks via gradient-based localization,
https://doi.org/10.1109/ICCV.2017.74.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tumortrace import _check
from tumortrace.deep._backbone import last_convolution
from tumortrace.deep._inputs import collect
from tumortrace.deep._preprocess import Preprocessing


def grad_cam(
    model: Any,
    stacks: Any,
    *,
    target: Any = None,
    layer: nn.Module | str | None = None,
    preprocessing: Preprocessing | None = None,
    batch_size: int = 16,
) -> list[NDArray[np.float32]]:
    """Return for each image a map of where the evidence of a network for a class lies.

    Parameters
    ----------
    model : CNNClassifier or torch.nn.Module
        A fitted classifier, or a network with its `preprocessing`.
    stacks
        Images, as `CNNClassifier` takes them: a list of arrays, paths, or a DataFrame of paths.
    target : label or int, optional
        The class that is asked about: one of ``model.classes_`` for a classifier, the number of a logit for a
        network. By default the last one, which for two classes is the positive one.
    layer : torch.nn.Module or str, optional
        The module whose output is weighted, or its name in the network. By default the last with rows and columns:
        in VGG16 that before the last max pool, in ResNets the last stage.
    preprocessing : Preprocessing, optional
        For a network: what is done to images first.
    batch_size : int, default 16
        Images at a time.

    Returns
    -------
    list of ndarray of float32, each (rows, cols)
        A map at the size of each image, 0 to 1: the share of the highest evidence in that image. All 0 where
        nothing speaks for the class.

    Raises
    ------
    ValueError
        If `target` or `layer` is not one of the model's, the layer has no rows and columns, or a network comes
        without its preprocessing.

    Notes
    -----
    With A the output of the layer and y the logit of the class, the map is ``relu(Σ_k w_k A_k)``, ``w_k`` the mean
    of ``∂y/∂A_k`` over rows and columns; it is resized bilinearly from the few cells of the layer to the image.

    There is one map per stack. A network mixes its channels in the first layer, so that the map says where, not in
    which channel: a stack of 17 sequences has one map that holds for all of them together.

    Maps of two images cannot be compared in height, as each is divided by its own maximum. A map shows what moved
    this network. It does not outline a tumour, and a network that is wrong has maps just as sharp.

    Examples
    --------
    >>> from tumortrace.deep import Preprocessing, backbone
    >>> network = backbone("resnet8", in_channels=1).eval()
    >>> maps = grad_cam(network, [np.eye(20, 24)], preprocessing=Preprocessing(32, 1, 0.5, 0.5))
    >>> maps[0].shape
    (20, 24)
    """
    network, preprocessing, logit = _parts(model, target, preprocessing)
    module = _layer(network, layer)
    images = collect(stacks, channels=preprocessing.channels)
    _check.integer("batch_size", batch_size, 1)
    device = next(network.parameters()).device
    maps: list[NDArray[np.float32]] = []
    training = network.training
    network.eval()
    try:
        for start in range(0, len(images), batch_size):
            batch = images[start : start + batch_size]
            cells = _evidence(network, module, preprocessing(batch).to(device), logit).cpu()
            maps += [_at_size(cell, stack.shape[1:]) for cell, stack in zip(cells, batch, strict=True)]
    finally:
        network.train(training)
    return maps


def _parts(model: Any, target: Any, preprocessing: Preprocessing | None) -> tuple[nn.Module, Preprocessing, int]:
    """Return the network, its preprocessing, and the number of the logit that is asked about."""
    if isinstance(model, nn.Module):
        if preprocessing is None:
            raise ValueError("preprocessing is None; give that of the network, or a fitted CNNClassifier")
        return model, preprocessing, -1 if target is None else _check.integer("target", target, 0)
    from sklearn.utils.validation import check_is_fitted

    check_is_fitted(model)
    classes = model.classes_.tolist()
    logit = -1 if target is None else classes.index(_check.one_of("target", target, classes))
    return model.network_, model.preprocessing_, logit


def _layer(network: nn.Module, layer: nn.Module | str | None) -> nn.Module:
    if layer is None:
        return last_convolution(network)
    modules: dict[str, nn.Module] = dict(network.named_modules())
    if isinstance(layer, str):
        if layer not in modules:
            raise ValueError(f"layer is {layer!r}; the network has {', '.join(list(modules)[1:])}")
        return modules[layer]
    if not any(layer is module for module in modules.values()):
        raise ValueError(f"layer is a {type(layer).__name__} that is no part of the network")
    return layer


def _evidence(network: nn.Module, layer: nn.Module, images: Tensor, logit: int) -> Tensor:
    """Return ``relu(Σ_k w_k A_k)``, ``(n, 1, cells, cells)``."""
    kept: list[Tensor] = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
    try:
        with torch.enable_grad():
            logits = network(images.requires_grad_())
    finally:
        hook.remove()
    if not kept or kept[-1].ndim != 4:
        raise ValueError("layer has no output of rows and columns; give a convolution or a stage of them")
    if not -logits.shape[1] <= logit < logits.shape[1]:
        raise ValueError(f"target is {logit}; the network has logits 0 to {logits.shape[1] - 1}")
    activation = kept[-1]
    (gradient,) = torch.autograd.grad(logits[:, logit].sum(), activation)
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    return (weights * activation.detach()).sum(dim=1, keepdim=True).relu()


def _at_size(cells: Tensor, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Resize one map to its image and divide it by its maximum."""
    resized = functional.interpolate(cells[None], shape, mode="bilinear", antialias=True)[0, 0]
    highest = resized.max()
    scaled: NDArray[np.float32] = (resized / highest if highest > 0 else resized).numpy()
    return scaled
