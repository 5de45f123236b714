"""MVMBP against values by hand, the exact naive version and a composition of scipy filters."""

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from benchmarks.peers_scipy import mvmbp_scipy
from tumortrace.features import mvmbp, mvmbp_codes
from tumortrace.features._mvmbp import _CHUNK


@pytest.mark.parametrize("p", range(8))
def test_one_bright_neighbour_sets_its_bit(p):
    image = np.zeros((5, 5), dtype=np.uint8)
    row, col = naive.RING[p]
    image[2 + row, 2 + col] = 1
    assert mvmbp_codes(image).tolist() == [[2**p]]


def test_a_pixel_equal_to_the_mean_of_its_neighbours_is_0():
    """On a slope every pixel is that mean; one step up in it exceeds it, and takes its neighbours below theirs."""
    slope = np.add.outer(np.arange(5), 3 * np.arange(5))
    assert mvmbp_codes(slope).tolist() == [[0]]
    slope[1, 3] += 1
    assert mvmbp_codes(slope).tolist() == [[2]]


@pytest.mark.parametrize("value", [0, 7, 255, -3, 0.1, 1e6 + 0.1])
def test_a_constant_image_has_no_bit(value):
    assert not mvmbp_codes(np.full((6, 7), value)).any()


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("high", [2, 3, 10, 256, 2**15])
def test_equal_to_naive_in_every_window(rng, dtype, high):
    for shape in ((5, 5), (5, 9), (8, 5), (10, 11)):
        image = rng.integers(0, high, shape).astype(dtype)
        np.testing.assert_array_equal(mvmbp_codes(image), naive.mvmbp_codes(image))


@given(
    arrays(np.int64, array_shapes(min_dims=2, max_dims=2, min_side=5, max_side=6), elements=st.integers(-4, 4)),
    st.sampled_from([1, 100, 2**30]),
)
def test_equal_to_naive_where_ties_are_many(image, scale):
    np.testing.assert_array_equal(mvmbp_codes(image * scale), naive.mvmbp_codes(image * scale))


@given(arrays(np.uint8, (6, 5), elements=st.sampled_from([0, 1, 2, 127, 128, 253, 254, 255])))
def test_equal_to_naive_at_the_ends_of_8_bits(image):
    np.testing.assert_array_equal(mvmbp_codes(image), naive.mvmbp_codes(image))
    np.testing.assert_array_equal(mvmbp_codes(image), mvmbp_codes(image.astype(np.float64)))


def test_equal_to_naive_on_real_numbers(rng):
    image = rng.normal(size=(12, 13))
    np.testing.assert_array_equal(mvmbp_codes(image), naive.mvmbp_codes(image))


@pytest.mark.parametrize("high", [2, 9, 256])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_equal_to_a_composition_of_scipy_filters(rng, high, dtype):
    image = rng.integers(0, high, (40, 60)).astype(dtype)
    np.testing.assert_array_equal(mvmbp_codes(image), mvmbp_scipy(image))


@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
@pytest.mark.parametrize("cols", [_CHUNK // 8 + 3, _CHUNK + 5])
def test_rows_are_coded_alike_however_many_are_taken_at_once(rng, cols, dtype):
    image = rng.integers(0, 9, (23, cols)).astype(dtype)
    codes = mvmbp_codes(image)
    for left in (0, cols - 13):
        np.testing.assert_array_equal(codes[:, left : left + 9], mvmbp_codes(image[:, left : left + 13]))


def test_a_volume_is_coded_slice_by_slice(rng):
    volume = rng.integers(0, 20, (4, 7, 8))
    np.testing.assert_array_equal(mvmbp_codes(volume), np.stack([mvmbp_codes(image) for image in volume]))


def test_a_shift_or_a_positive_factor_changes_nothing(rng):
    image = rng.integers(0, 50, (20, 20))
    np.testing.assert_array_equal(mvmbp_codes(image), mvmbp_codes(3 * image - 70))


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (3, 3), (4, 4), (4, 9), (9, 4)])
def test_without_a_full_window_there_is_no_code(shape):
    codes = mvmbp_codes(np.zeros(shape))
    assert codes.shape == (max(shape[0] - 4, 0), max(shape[1] - 4, 0))
    assert codes.dtype == np.uint8
    found = mvmbp(np.zeros(shape))
    assert np.isnan(found).all()
    assert found.reason == "no full 5×5 window inside the image"


@pytest.mark.parametrize("bins", ["uniform", "all"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_the_features_are_the_shares_of_the_codes(rng, bins, dtype):
    image = rng.integers(0, 9, (9, 14)).astype(dtype)
    found = mvmbp(image, bins=bins)
    np.testing.assert_allclose(found, naive.pattern_shares(mvmbp_codes(image), bins), atol=1e-12)
    assert found.reason == ""


def test_a_mask_selects_windows_by_their_centre(rng):
    volume = rng.integers(0, 9, (3, 30, 40))
    mask = np.zeros(volume.shape, dtype=bool)
    mask[1:, 11:20, 13:31] = rng.random((2, 9, 18)) < 0.4
    codes = mvmbp_codes(volume)[mask[:, 2:-2, 2:-2]]
    np.testing.assert_allclose(mvmbp(volume, mask), naive.pattern_shares(codes, "uniform"), atol=1e-12)


def test_a_mask_near_the_border_alone_has_no_window():
    mask = np.ones((7, 8), dtype=bool)
    mask[2:-2, 2:-2] = False
    found = mvmbp(np.zeros((7, 8)), mask)
    assert np.isnan(found).all()
    assert found.reason == "no full 5×5 window with its centre in the mask"


def test_spacing_is_checked_and_has_no_effect(rng):
    image = rng.integers(0, 9, (8, 8))
    np.testing.assert_array_equal(mvmbp(image, spacing=(0.5, 2)), mvmbp(image))
    with pytest.raises(ValueError, match="spacing"):
        mvmbp(image, spacing=(0, 1))


def test_unknown_bins_are_refused_with_the_valid_ones():
    with pytest.raises(ValueError, match=r"bins is 59; give one of 'uniform', 'all'"):
        mvmbp(np.zeros((5, 5)), bins=59)
