"""From stacks to tensors: the numbers by hand, the same for an image whatever is beside it, and back from JSON."""

import json

import numpy as np
import pytest
import torch

from tumortrace.deep import Preprocessing
from tumortrace.deep._preprocess import intensity_scale


def test_an_image_of_the_right_size_is_only_normalised():
    ready = Preprocessing(size=2, channels=2, mean=(0.5, 0.0), std=(0.5, 2.0), scale=10.0)
    stack = np.array([[[0, 10], [5, 10]], [[0, 10], [20, 40]]], np.uint8)
    expected = [[[-1, 1], [0, 1]], [[0, 0.5], [1, 2]]]
    torch.testing.assert_close(ready([stack])[0], torch.tensor(expected, dtype=torch.float32))


def test_resizing_is_that_of_torch_with_antialiasing(rng):
    stack = rng.random((3, 41, 23)).astype(np.float32)
    ready = Preprocessing(size=16, channels=3, mean=0.0, std=1.0, scale=1.0)
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(stack)[None], (16, 16), mode="bilinear", antialias=True
    )
    torch.testing.assert_close(ready([stack]), expected, rtol=0, atol=0)
    assert ready.resize([stack], 20).shape == (1, 3, 20, 20)


def test_an_image_gives_the_same_bits_whatever_is_beside_it(rng):
    ready = Preprocessing(size=8, channels=1, mean=0.3, std=0.2)
    images = [rng.integers(0, 256, (1, n, n + 3), dtype=np.uint8) for n in (6, 30, 75, 30)]
    together = ready(images)
    for image, tensor in zip(images, together, strict=True):
        assert torch.equal(ready([image])[0], tensor)


def test_the_input_is_not_changed(rng):
    image = rng.random((1, 8, 8)).astype(np.float32)
    before = image.copy()
    image.setflags(write=False)
    Preprocessing(8, 1, 0.5, 0.5, 2.0)([image])
    np.testing.assert_array_equal(image, before)


def test_measured_on_training_images_they_have_mean_0_and_variance_1(rng):
    stacks = [rng.integers(0, 200, (2, 8, 8), dtype=np.uint8) for _ in range(20)]
    stacks = [np.concatenate([stack, np.full((1, 8, 8), 7, np.uint8)]) for stack in stacks]
    ready = Preprocessing.measured(stacks, size=8)
    result = ready(stacks)
    torch.testing.assert_close(result.mean((0, 2, 3)), torch.zeros(3), rtol=0, atol=1e-5)
    torch.testing.assert_close(
        result.std((0, 2, 3), correction=0), torch.tensor([1.0, 1.0, 0.0]), rtol=0, atol=1e-4
    )


def test_the_scale_is_that_of_the_pixels():
    assert intensity_scale([np.zeros((1, 2, 2), np.uint8)]) == 255
    assert intensity_scale([np.full((1, 2, 2), -900.0), np.zeros((1, 2, 2), np.uint8)]) == 900
    assert intensity_scale([np.zeros((1, 2, 2))]) == 1


def test_it_goes_through_json():
    ready = Preprocessing(32, 2, (0.1, 0.2), (1 / 3, 0.4), scale=1000.0)
    assert Preprocessing.from_dict(json.loads(json.dumps(ready.to_dict()))) == ready


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 0}, "size is 0"),
        ({"channels": 0}, "channels is 0"),
        ({"mean": (0.1, 0.2)}, "one number per channel, 1"),
        ({"mean": (float("nan"),)}, "mean"),
        ({"std": (0.0,)}, "above 0"),
        ({"scale": 0}, "scale is 0"),
    ],
)
def test_a_value_out_of_range_is_named(changes, message):
    values = {"size": 8, "channels": 1, "mean": (0.5,), "std": (0.5,), "scale": 255.0}
    with pytest.raises(ValueError, match=message):
        Preprocessing.from_dict(values | changes)


def test_what_is_missing_or_unknown_is_an_error():
    with pytest.raises(ValueError, match="it needs"):
        Preprocessing.from_dict({"size": 8})
