"""Convolutional networks on lesion crops: training by recipe, embedding, Grad-CAM, all as scikit-learn parts.

Knows arrays, paths and labels only. Needs the extra ``deep``.
"""

from importlib.util import find_spec

if find_spec("torch") is None or find_spec("torchvision") is None or find_spec("safetensors") is None:
    raise ModuleNotFoundError(
        "networks need torch, torchvision and safetensors, of which one is not installed: "
        "pip install 'tumortrace[deep]'"
    )

from tumortrace.deep._backbone import BACKBONES, backbone
from tumortrace.deep._checkpoint import CheckpointError
from tumortrace.deep._classifier import CNNClassifier
from tumortrace.deep._embedding import CNNEmbedding, InSampleWarning
from tumortrace.deep._grad_cam import grad_cam
from tumortrace.deep._preprocess import Preprocessing
from tumortrace.deep._recipe import RECIPES, Augmentation, Recipe

__all__ = [
    "BACKBONES",
    "RECIPES",
    "Augmentation",
    "CNNClassifier",
    "CNNEmbedding",
    "CheckpointError",
    "InSampleWarning",
    "Preprocessing",
    "Recipe",
    "backbone",
    "grad_cam",
]
