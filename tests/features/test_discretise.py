import numpy as np
import pytest

from tumortrace.features import discretise


def test_fixed_number_by_hand():
    grey, n = discretise([[0.0, 2.4, 2.5, 9.9, 10.0]], levels=4)
    assert (grey.tolist(), n) == ([[1, 1, 2, 4, 4]], 4)


def test_range_is_of_the_region_and_outside_is_zero():
    grey, _ = discretise(np.array([[-100, 0, 10, 500]], dtype=np.int16), [[0, 1, 1, 0]], levels=2)
    assert grey.tolist() == [[0, 1, 2, 0]]


def test_256_levels_of_8_bit_data_are_the_raw_values():
    image = np.array([[3, 200], [255, 0]], dtype=np.uint8)
    grey, n = discretise(image, levels=256)
    assert n == 256
    assert np.array_equal(grey, image.astype(int) + 1)
    assert discretise(image.astype(float), levels=256)[0].max() == 256


def test_constant_region_is_level_one():
    assert discretise(np.full((2, 2), 7), levels=8)[0].tolist() == [[1, 1], [1, 1]]


def test_fixed_width_counts_from_the_minimum():
    grey, n = discretise([[-3.0, 0.0, 1.9, 2.0]], bin_width=2.5)
    assert (grey.tolist(), n) == ([[1, 2, 2, 3]], 3)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (3, 700), (700, 3), (4, 9, 258)])
@pytest.mark.parametrize("masked", [False, True])
def test_any_shape_equals_the_formula(rng, shape, dtype, masked):
    image = rng.normal(100, 20, shape).astype(dtype)
    mask = rng.random(shape) < (0.3 if masked else 1)
    mask.flat[-1] = True
    low, high = float(image[mask].min()), float(image[mask].max())
    expected = np.minimum(np.floor(13 * (image - low) / (high - low)) + 1, 13) if high > low else np.ones(shape)
    assert np.array_equal(discretise(image, mask if masked else None, levels=13)[0], expected * mask)
    expected = np.floor((image - low) / 1.5) + 1
    grey, n = discretise(image, mask if masked else None, bin_width=1.5)
    assert np.array_equal(grey, expected * mask)
    assert n == grey.max()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"levels": 0}, "levels is 0"),
        ({"levels": 2.5}, "levels is 2.5"),
        ({"bin_width": 0}, "bin_width is 0"),
        ({"bin_width": 1e-6}, "grey levels"),
    ],
)
def test_errors_name_the_argument(arguments, message):
    with pytest.raises(ValueError, match=message):
        discretise([[0, 1]], **arguments)


@pytest.mark.parametrize("levels", [*range(1, 70), 255, 256, 1000, 4095, 4096])
def test_float32_finds_every_level_of_8_bit_data(levels):
    for high in range(1, 256):
        image = np.arange(high + 1, dtype=np.uint8)[np.newaxis]
        expected = np.minimum(levels * np.arange(high + 1) // high + 1, levels)
        got = discretise(image.astype(float) if levels == 256 else image, levels=levels)[0]
        assert np.array_equal(got[0], expected), high
