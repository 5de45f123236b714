"""Counting codes, and which patterns are uniform."""

import numpy as np
import pytest

from tumortrace._check import NO_MASK
from tumortrace.features._patterns import UNIFORM, count, crop


def test_the_58_patterns_that_change_at_most_twice_around_the_ring_are_uniform():
    def changes(code):
        bits = [code >> p & 1 for p in range(8)]
        return sum(bits[p] != bits[p - 1] for p in range(8))

    assert list(UNIFORM) == [code for code in range(256) if changes(code) <= 2]
    assert len(UNIFORM) == 58


@pytest.mark.parametrize(("dtype", "n_codes"), [(np.uint8, 256), (np.uint8, 10), (np.uint16, 300)])
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 3, 4), (3, 7, 9)])
@pytest.mark.parametrize("border", [0, 1, 2])
def test_count_is_bincount_of_the_codes_inside(rng, dtype, n_codes, shape, border):
    codes = rng.integers(0, n_codes, shape).astype(dtype)
    region = rng.random((shape[0], shape[1] + 2 * border, shape[2] + 2 * border)) < 0.5
    inner = region[:, border : border + shape[1], border : border + shape[2]]
    np.testing.assert_array_equal(count(codes, region, n_codes), np.bincount(codes[inner], minlength=n_codes))
    np.testing.assert_array_equal(count(codes, NO_MASK, n_codes), np.bincount(codes.ravel(), minlength=n_codes))


@pytest.mark.parametrize("border", [0, 1, 2])
def test_crop_is_the_box_of_the_mask_and_a_border(rng, border):
    volume = rng.random((5, 20, 30))
    region = np.zeros(volume.shape, dtype=bool)
    region[1, 7, 11] = region[3, 12, 25] = region[2, 1, 29] = True
    box = slice(1, 4), slice(max(1 - border, 0), 13 + border), slice(11 - border, 30)
    image, mask = crop(volume, region, border)
    np.testing.assert_array_equal(image, volume[box])
    np.testing.assert_array_equal(mask, region[box])
    assert image.flags.c_contiguous
    assert mask.flags.c_contiguous


def test_crop_keeps_what_the_mask_fills_and_what_has_none(rng):
    volume = rng.random((2, 4, 5))
    region = np.ones(volume.shape, dtype=bool)
    for given in (region, NO_MASK):
        image, mask = crop(volume, given, 1)
        assert image is volume
        assert mask is given
