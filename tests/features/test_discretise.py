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
        ({"bin_width": 1e-6, "first_edge": "pyradiomics"}, "grey levels"),
        ({"first_edge": "numpy"}, "first_edge is 'numpy'; give 'ibsi', 'pyradiomics' or a number"),
        ({"first_edge": True, "bin_width": 1}, "first_edge is True"),
        ({"first_edge": 0}, "give bin_width too"),
        ({"first_edge": 0.5, "bin_width": 1}, "above the minimum of the region, 0"),
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


def pyradiomics_edges(values, levels=32, width=None):
    """Edges as PyRadiomics documents them: multiples of the width, or `numpy.histogram` with a longer last bin."""
    if width is None:
        edges = np.histogram(values, levels)[1]
        edges[-1] += 1
        return edges
    return np.arange(values.min() - values.min() % width, values.max() + 2 * width, width)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float64])
@pytest.mark.parametrize(
    "bins", [{"bin_width": 25}, {"bin_width": 0.7}, {"bin_width": 10}, {"levels": 7}, {"levels": 256}]
)
def test_edges_of_pyradiomics(rng, dtype, bins):
    image = rng.normal(100, 30, (3, 20, 20)).astype(dtype)
    if dtype == np.float64:
        image[0, 0, :10] = 60 + 10.0 * np.arange(10)
        image -= 160
    mask = rng.random(image.shape) < 0.4
    mask[0, 0] = True
    grey, n = discretise(image, mask, **bins, first_edge="pyradiomics")
    inside = image[mask].astype(float)
    expected = np.digitize(inside, pyradiomics_edges(inside, bins.get("levels"), bins.get("bin_width")))
    assert np.array_equal(grey[mask], expected)
    assert n == expected.max()
    assert not grey[~mask].any()


@pytest.mark.parametrize("value", [0, 49, 50])
@pytest.mark.parametrize(
    ("bins", "level"), [({"bin_width": 25}, 1), ({"levels": 1}, 1), ({"levels": 8}, 5), ({"levels": 7}, 4)]
)
def test_a_constant_region_as_in_pyradiomics(value, bins, level):
    image = np.full((2, 2), value)
    grey, n = discretise(image, **bins, first_edge="pyradiomics")
    edges = pyradiomics_edges(image, bins.get("levels"), bins.get("bin_width"))
    assert (grey == level).all()
    assert np.digitize(value, edges) == level
    assert n == level


def test_a_first_edge_below_the_minimum():
    grey, n = discretise([[-499.0, -475.5, -475.0, 0.0]], bin_width=25, first_edge=-500)
    assert (grey.tolist(), n) == ([[1, 1, 2, 21]], 21)


@pytest.mark.parametrize("first_edge", ["ibsi", "pyradiomics"])
def test_a_width_below_the_rounding_of_the_intensities_is_refused(first_edge):
    with pytest.raises(ValueError, match="vanishes beside intensities of 1e\\+20; give more"):
        discretise([[1e20, 1e20]], bin_width=1, first_edge=first_edge)
