"""Grad-CAM: by hand on a network one can compute in the head, then on every backbone."""

import numpy as np
import pytest
import torch
from torch import nn

from tumortrace.deep import CNNClassifier, Preprocessing, backbone, grad_cam

AS_IS = Preprocessing(24, 1, 0.0, 1.0, scale=1.0)


class Toy(nn.Module):
    """Two maps, the image and its negative: the mean of the first is the logit of class 1, of the second of 0."""

    def __init__(self):
        super().__init__()
        self.stage = nn.Conv2d(1, 2, 1)
        self.fc = nn.Linear(2, 2)
        with torch.no_grad():
            self.stage.weight[:] = torch.tensor([1.0, -1.0]).view(2, 1, 1, 1)
            self.stage.bias[:] = torch.tensor([0.0, 1.0])
            self.fc.weight[:] = torch.tensor([[0.0, 1.0], [1.0, 0.0]])

    def forward(self, images):
        return self.fc(self.stage(images).mean((2, 3)))


@pytest.fixture
def square():
    """A bright square on black, and where it is."""
    image = np.zeros((24, 24))
    image[4:10, 13:20] = 1.0
    return image, image > 0


def test_the_map_is_hot_where_a_bright_square_decides(square):
    image, inside = square
    (bright,) = grad_cam(Toy(), [image], layer="stage", preprocessing=AS_IS)
    np.testing.assert_allclose(bright, inside, atol=1e-6)
    (dark,) = grad_cam(Toy(), [image], layer="stage", target=0, preprocessing=AS_IS)
    np.testing.assert_allclose(dark, ~inside, atol=1e-6)


def test_a_map_has_the_size_of_its_image(square):
    image, inside = square
    images = [image, np.kron(image, np.ones((3, 2))), image[:12]]
    network = Toy()
    maps = grad_cam(network, images, layer=network.stage, preprocessing=AS_IS, batch_size=2)
    assert [one.shape for one in maps] == [(24, 24), (72, 48), (12, 24)]
    assert all(one.dtype == np.float32 for one in maps)
    large = np.kron(inside, np.ones((3, 2))) > 0
    assert maps[1][large].mean() > 0.8
    assert maps[1][~large].mean() < 0.05


def test_where_nothing_speaks_for_the_class_the_map_is_zero():
    (nothing,) = grad_cam(Toy(), [np.zeros((24, 24))], layer="stage", preprocessing=AS_IS)
    assert not nothing.any()


@pytest.mark.parametrize("name", ["vgg16", "resnet18", "resnet50", "resnet8"])
def test_every_backbone_has_maps(name, rng):
    torch.manual_seed(3)
    network = backbone(name, in_channels=2)
    images = [rng.random((2, 20, 31)), rng.random((2, 40, 40))]
    ready = Preprocessing(64, 2, 0.5, 0.3, 1.0)
    first, last = (grad_cam(network, images, target=target, preprocessing=ready) for target in (0, 1))
    assert network.training, "the network is left in its mode"
    assert all(parameter.grad is None for parameter in network.parameters())
    for zero, one, image in zip(first, last, images, strict=True):
        assert zero.shape == one.shape == image.shape[1:]
        for values in (zero, one):
            assert values.min() >= 0
            assert values.max() in (0, pytest.approx(1))
        assert zero.any() or one.any()
        assert not np.array_equal(zero, one)


def test_a_network_that_learnt_a_square_looks_at_it(rng):
    def image(bright):
        noise = rng.integers(0, 60, (32, 32), dtype=np.uint8)
        row, col = rng.integers(2, 20, 2)
        if bright:
            noise[row : row + 9, col : col + 9] += 150
        return noise

    images = [image(i % 2) for i in range(48)]
    labels = ["square" if i % 2 else "noise" for i in range(48)]
    model = CNNClassifier(epochs=4, batch_size=16, learning_rate=3e-3, device="cpu").fit(images, labels)
    new = [image(True) for _ in range(8)]
    maps = grad_cam(model, new, target="square")
    inside = np.array([one[picture > 100].mean() for one, picture in zip(maps, new, strict=True)])
    outside = np.array([one[picture <= 100].mean() for one, picture in zip(maps, new, strict=True)])
    assert np.median(inside / np.maximum(outside, 1e-3)) > 2
    np.testing.assert_allclose(grad_cam(model, new[:1])[0], maps[0], atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"preprocessing": None}, "preprocessing is None"),
        ({"target": 2}, "target is 2; the network has logits 0 to 1"),
        ({"target": -1}, "target is -1"),
        ({"layer": "nowhere"}, "the network has stage, fc"),
        ({"layer": "fc"}, "no output of rows and columns"),
        ({"layer": nn.ReLU()}, "no part of the network"),
        ({"batch_size": 0}, "batch_size is 0"),
    ],
)
def test_a_parameter_out_of_range_is_named(arguments, message, square):
    with pytest.raises(ValueError, match=message):
        grad_cam(Toy(), [square[0]], **{"layer": "stage", "preprocessing": AS_IS, **arguments})


def test_a_target_is_one_of_the_classes(rng):
    images = rng.integers(0, 255, (8, 12, 12), dtype=np.uint8)
    model = CNNClassifier(size=8, epochs=1, batch_size=4, device="cpu").fit(images, ["a", "b"] * 4)
    with pytest.raises(ValueError, match="give one of 'a', 'b'"):
        grad_cam(model, images, target=1)
