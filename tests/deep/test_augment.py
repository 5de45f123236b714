"""Augmentation: each part alone does what it says, together they are one map, and nothing else is random."""

import numpy as np
import pytest
import torch

from tumortrace.deep import RECIPES, Augmentation, Preprocessing
from tumortrace.deep._augment import affine, augment

PLAIN = Preprocessing(16, 2, mean=0.0, std=1.0)
REPORT = RECIPES["report"].augmentation


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def images(n=64, channels=2, size=16, seed=1):
    return torch.rand(n, channels, size, size, generator=generator(seed))


def test_the_defaults_change_nothing():
    given = images()
    torch.testing.assert_close(augment(given, Augmentation(), PLAIN, generator()), given, atol=1e-5, rtol=0)


def test_normalisation_comes_with_it_and_the_input_stays():
    given = images()
    kept = given.clone()
    ready = Preprocessing(16, 2, mean=(0.5, 0.25), std=(0.5, 2.0))
    expected = (given - torch.tensor([0.5, 0.25]).view(2, 1, 1)) / torch.tensor([0.5, 2.0]).view(2, 1, 1)
    torch.testing.assert_close(augment(given, Augmentation(), ready, generator()), expected, atol=1e-5, rtol=0)
    assert torch.equal(given, kept)


@pytest.mark.parametrize(("part", "axis"), [("horizontal_flip", 3), ("vertical_flip", 2)])
def test_a_flip_mirrors_one_image_in_two(part, axis):
    given = images(n=200)
    result = augment(given, Augmentation(**{part: True}), PLAIN, generator())
    mirrored = torch.tensor(
        [torch.allclose(r, g.flip(axis - 1), atol=1e-5) for r, g in zip(result, given, strict=True)]
    )
    same = torch.tensor([torch.allclose(r, g, atol=1e-5) for r, g in zip(result, given, strict=True)])
    assert (mirrored ^ same).all()
    assert 70 < mirrored.sum() < 130


def test_translation_moves_the_image_by_at_most_its_share():
    dot = torch.zeros(300, 2, 41, 41)
    dot[:, :, 20, 20] = 1
    ready = Preprocessing(41, 2, mean=0.0, std=1.0)
    moved = augment(dot, Augmentation(translation=0.1), ready, generator())[:, 0]
    places = torch.arange(41.0) - 20
    for axis in (1, 2):
        shift = (moved.sum(axis) * places).sum(1) / moved.sum((1, 2))
        assert shift.abs().max() <= 4.1 + 1e-3  # 10 % of 41 pixels
        assert shift.max() > 3.5
        assert shift.min() < -3.5


def test_rotation_turns_about_the_centre():
    angles = affine(Augmentation(rotation=30.0), 500, generator())
    turn = torch.rad2deg(torch.atan2(angles[:, 1, 0], angles[:, 0, 0]))
    assert turn.abs().max() <= 30
    assert turn.max() > 28
    assert turn.min() < -28
    torch.testing.assert_close(torch.linalg.det(angles[:, :, :2]), torch.ones(500))
    assert (angles[:, :, 2] == 0).all()


def test_zoom_is_logarithmic():
    maps = affine(Augmentation(zoom=0.2), 500, generator())
    logs = torch.linalg.det(maps[:, :, :2]).log() / 2
    assert logs.abs().max() <= 0.2
    assert abs(float(logs.mean())) < 0.02


def test_a_random_crop_keeps_its_area_and_stays_inside():
    maps = affine(Augmentation(crop_area=(0.3, 0.9)), 1000, generator())
    width, height = maps[:, 0, 0], maps[:, 1, 1]
    area = width * height
    assert float(area.min()) < 0.35
    assert float(area.max()) <= 0.9 + 1e-6
    inside = (width < 1) & (height < 1)
    assert area[inside].min() >= 0.3
    assert (width / height)[inside].min() >= 3 / 4 - 1e-6
    assert (width / height)[inside].max() <= 4 / 3 + 1e-6
    assert (maps[:, 0, 2].abs() + width).max() <= 1 + 1e-6
    assert (maps[:, 1, 2].abs() + height).max() <= 1 + 1e-6


def test_a_centre_crop_shows_the_centre():
    ramp = torch.linspace(0, 1, 16).expand(1, 2, 16, 16)
    shown = augment(ramp, Augmentation(centre_crop=0.5), PLAIN, generator())[0, 0, 0]
    np.testing.assert_allclose(shown.diff(), torch.full((15,), 1 / 30), atol=1e-5)
    assert float(shown.mean()) == pytest.approx(0.5, abs=1e-5)


def test_all_parts_together_are_one_map():
    """The composed map equals the parts one after the other, point by point."""
    composed = affine(REPORT, 50, generator(3))
    draws = torch.rand(10, 50, generator=generator(3))
    _, _, right, down, area, ratio, across, along, mirror, invert = draws
    low, high = REPORT.crop_area
    kept = low + (high - low) * area
    aspect = torch.exp(torch.log(torch.tensor(3 / 4)) + torch.log(torch.tensor(16 / 9)) * ratio)
    point = torch.tensor([0.3, -0.6])
    for i in range(50):
        x, y = point
        x, y = (-x if mirror[i] < 0.5 else x), (-y if invert[i] < 0.5 else y)  # undo the flips
        width, height = min(1, (kept * aspect)[i] ** 0.5), min(1, (kept / aspect)[i] ** 0.5)
        x = x * width + (1 - width) * (2 * across[i] - 1)  # undo the crop
        y = y * height + (1 - height) * (2 * along[i] - 1)
        x, y = x + 0.2 * (2 * right[i] - 1), y + 0.2 * (2 * down[i] - 1)  # undo the translation
        expected = composed[i] @ torch.tensor([point[0], point[1], 1.0])
        torch.testing.assert_close(expected, torch.stack([x, y]), atol=1e-5, rtol=0)


def test_brightness_multiplies_and_cuts_at_white():
    given = torch.full((300, 2, 16, 16), 0.9)
    bright = augment(given, Augmentation(brightness=0.2), PLAIN, generator())[:, 0, 8, 8]
    assert bright.max() == 1
    assert 0.72 - 1e-5 <= bright.min() < 0.75


def test_jitter_is_common_and_channel_jitter_is_not():
    ready = Preprocessing(16, 2, mean=0.5, std=0.25)
    given = images(n=1, channels=1).expand(400, 2, 16, 16)
    common = augment(given, Augmentation(jitter=0.2), ready, generator())
    torch.testing.assert_close(common[:, 0], common[:, 1])
    gain = common[:, 0].std((1, 2)) / (given[0, 0].std() / 0.25)
    assert float(gain.log().std()) == pytest.approx(0.2, abs=0.03)
    own = augment(given, Augmentation(channel_jitter=0.2), ready, generator())
    assert float((own[:, 0] - own[:, 1]).mean((1, 2)).std()) == pytest.approx(0.2 * 2**0.5, abs=0.05)


@pytest.mark.parametrize("name", RECIPES)
def test_a_seed_decides_all_and_images_differ(name):
    given = images(n=1).expand(8, 2, 16, 16)
    first = augment(given, RECIPES[name].augmentation, PLAIN, generator(5))
    assert torch.equal(first, augment(given, RECIPES[name].augmentation, PLAIN, generator(5)))
    assert not torch.equal(first, augment(given, RECIPES[name].augmentation, PLAIN, generator(6)))
    assert len({tuple(image.flatten().tolist()) for image in first}) == 8
    assert torch.isfinite(first).all()


def test_torch_s_own_generator_is_not_used():
    before = torch.get_rng_state()
    augment(images(), RECIPES["small"].augmentation, PLAIN, generator())
    assert torch.equal(before, torch.get_rng_state())
