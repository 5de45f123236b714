"""Counting codes, and which patterns are uniform."""

import numpy as np
import pytest

from tumortrace._check import NO_MASK
from tumortrace.features._patterns import UNIFORM, count


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
