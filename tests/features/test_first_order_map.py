import naive
import numpy as np
import pytest
from naive_maps import window_maps

from tumortrace.features import discretise, first_order, first_order_map

NAMES = tuple(first_order_map(np.eye(3), window=3))


def of_window(image, inside):
    return first_order(image, inside)


def assert_same(maps, expected, names=NAMES[:18]):
    for name in names:
        np.testing.assert_allclose(maps[name], expected[name], rtol=1e-10, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
@pytest.mark.parametrize("masked", [True, False])
def test_equals_first_order_of_each_window(rng, dtype, masked):
    image = rng.integers(0, 100, (2, 5, 7)).astype(dtype)
    mask = rng.random(image.shape) > 0.4
    maps = first_order_map(image, mask, window=3, masked=masked)
    inside = mask if masked else np.ones_like(mask)
    assert_same(maps, window_maps(of_window, image, inside, mask, (1, 1, 1)))
    assert all(np.isnan(maps[name][~mask]).all() for name in NAMES)


def test_histogram_is_that_of_the_levels_of_the_whole_region(rng):
    image = rng.normal(size=(6, 8))
    grey, n = discretise(image, levels=6)
    maps = first_order_map(image, window=(3, 5), levels=6)
    expected = window_maps(lambda g, _: naive.intensity_histogram(g.ravel(), n), grey, grey > 0, grey > 0, (1, 2))
    assert_same(maps, expected, ("histogram_entropy", "histogram_uniformity"))


def test_a_large_offset_and_equal_values_cost_no_digits(rng):
    image = 1e9 + rng.integers(0, 3, (5, 12)) / 8
    maps = first_order_map(image, window=5)
    assert_same(maps, window_maps(of_window, image, np.ones(image.shape, bool), np.ones(image.shape, bool), (2, 2)))
    near = first_order_map(image - 1e9, window=5)
    for name in ("variance", "skewness", "kurtosis", "range", "mean_absolute_deviation"):
        np.testing.assert_allclose(maps[name], near[name], rtol=1e-12, atol=1e-12)
    flat = first_order_map(np.full((3, 4), -2.5), window=3)
    assert (flat["mean"] == -2.5).all()
    assert (flat["variance"] == 0).all()
    assert (flat["kurtosis"] == 0).all()
    assert (flat["histogram_entropy"] == 0).all()
    assert (flat["histogram_uniformity"] == 1).all()


def test_what_is_undefined_is_nan():
    maps = first_order_map(np.array([[-1.0, 1.0]]), window=3)
    assert np.isnan(maps["coefficient_of_variation"]).all()
    assert (maps["mean"] == 0).all()
    assert np.isnan(maps["robust_mean_absolute_deviation"]).all()


def test_threads_do_not_matter(rng):
    image = rng.integers(0, 255, (3, 8, 9))
    one, three = (first_order_map(image, window=5, threads=threads) for threads in (1, 3))
    for name in NAMES:
        assert np.array_equal(one[name], three[name]), name


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"window": 2}, "window is 2; give an odd side"),
        ({"features": ["mode"]}, "features is 'mode'; give one of 'mean'"),
        ({"threads": 0.5}, "threads is 0.5"),
    ],
)
def test_errors_say_what_would_be_right(wrong, message):
    with pytest.raises(ValueError, match=message):
        first_order_map(np.zeros((9, 9)), **wrong)
