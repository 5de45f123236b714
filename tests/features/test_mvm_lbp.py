"""MVM-LBP against values by hand, the exact naive version and a composition of scipy filters."""

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from benchmarks.peers_scipy import mvm_lbp_scipy
from tumortrace.features import mvm_lbp, mvm_lbp_codes
from tumortrace.features._mvm_lbp import _CHUNK

COMBINE = ("threshold", "concatenate")
# mean 5, standard deviation 2, median 5: T = 4, and the 4 in the corner is equal to it
TIE = np.array([[4, 2, 5], [8, 5, 7], [2, 5, 7]])


def both(image):
    """The codes of the threshold and of the three statistics, as one array of four patterns."""
    threshold = mvm_lbp_codes(image)[np.newaxis]
    return np.concatenate([threshold, mvm_lbp_codes(image, combine="concatenate")])


def naive_both(image):
    return np.concatenate([naive.mvm_lbp_codes(image)[np.newaxis], naive.mvm_lbp_codes(image, "concatenate")])


def test_a_neighbour_equal_to_the_threshold_counts():
    # right, upper right, up, upper left, left, lower left, down, lower right: 7 5 2 4 8 2 5 7
    threshold = 1 + 2 + 8 + 16 + 64 + 128
    mean = 1 + 2 + 16 + 64 + 128
    median = mean
    variance = 1 + 4 + 16 + 32 + 128
    assert both(TIE).ravel().tolist() == [threshold, mean, median, variance]


@pytest.mark.parametrize("value", [0, 1, 7, 255, -3, 0.1, 1e6 + 0.1, 1e-9])
def test_a_constant_window(value):
    """T is two thirds of the value: below it where positive, above it where negative; every spread is 0 ≥ 0."""
    expected = [255 if value >= 0 else 0, 255, 255, 255]
    assert both(np.full((3, 3), value)).ravel().tolist() == expected
    if isinstance(value, int) and value >= 0:
        assert both(np.full((3, 3), value, dtype=np.uint8)).ravel().tolist() == expected


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("high", [2, 3, 10, 256, 2**15])
def test_equal_to_naive_in_every_window(rng, dtype, high):
    for shape in ((3, 3), (3, 8), (7, 3), (9, 11)):
        image = rng.integers(0, high, shape).astype(dtype)
        np.testing.assert_array_equal(both(image), naive_both(image))


@given(
    arrays(np.int64, array_shapes(min_dims=2, max_dims=2, min_side=3, max_side=5), elements=st.integers(-9, 9)),
    st.sampled_from([1, 100, 2**15]),
)
def test_equal_to_naive_where_ties_are_many(image, scale):
    np.testing.assert_array_equal(both(image * scale), naive_both(image * scale))


@given(arrays(np.uint8, (4, 5), elements=st.sampled_from([0, 1, 2, 127, 128, 253, 254, 255])))
def test_equal_to_naive_at_the_ends_of_8_bits(image):
    np.testing.assert_array_equal(both(image), naive_both(image))
    np.testing.assert_array_equal(both(image), both(image.astype(np.float64)))


def test_equal_to_naive_on_real_numbers(rng):
    image = rng.normal(size=(12, 13))
    np.testing.assert_array_equal(both(image), naive_both(image))


@pytest.mark.parametrize("high", [2, 9, 256])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_equal_to_a_composition_of_scipy_filters(rng, high, dtype):
    image = rng.integers(0, high, (40, 60)).astype(dtype)
    np.testing.assert_array_equal(mvm_lbp_codes(image), mvm_lbp_scipy(image))


@pytest.mark.parametrize("cols", [_CHUNK // 8 + 3, _CHUNK + 5])
def test_rows_are_coded_alike_however_many_are_taken_at_once(rng, cols):
    image = rng.integers(0, 9, (23, cols)).astype(np.uint8)
    codes = both(image)
    for left in (0, cols - 11):
        np.testing.assert_array_equal(codes[:, :, left : left + 9], both(image[:, left : left + 11]))


def test_a_volume_is_coded_slice_by_slice(rng):
    volume = rng.integers(0, 20, (4, 6, 7))
    expected = np.stack([both(image) for image in volume], axis=1)
    assert mvm_lbp_codes(volume).shape == (4, 4, 5)
    assert mvm_lbp_codes(volume, combine="concatenate").shape == (3, 4, 4, 5)
    np.testing.assert_array_equal(both(volume), expected)


def test_only_the_three_patterns_are_invariant_to_a_shift(rng):
    image = rng.integers(0, 50, (20, 20))
    shifted = image + 200
    np.testing.assert_array_equal(
        mvm_lbp_codes(image, combine="concatenate"), mvm_lbp_codes(shifted, combine="concatenate")
    )
    assert np.mean(mvm_lbp_codes(image) == 255) < 0.5
    assert np.mean(mvm_lbp_codes(shifted) == 255) == 1


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (3, 2), (1, 9)])
@pytest.mark.parametrize("combine", COMBINE)
def test_without_a_full_window_there_is_no_code(shape, combine):
    image = np.zeros(shape)
    codes = mvm_lbp_codes(image, combine=combine)
    assert codes.shape[-2:] == (max(shape[0] - 2, 0), max(shape[1] - 2, 0))
    assert codes.dtype == np.uint8
    found = mvm_lbp(image, combine=combine)
    assert np.isnan(found).all()
    assert found.reason == "no full 3×3 window inside the image"


@pytest.mark.parametrize("bins", ["uniform", "all"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_the_features_are_the_shares_of_the_codes(rng, bins, dtype):
    image = rng.integers(0, 9, (9, 14)).astype(dtype)
    found = mvm_lbp(image, bins=bins)
    np.testing.assert_allclose(found, naive.pattern_shares(mvm_lbp_codes(image), bins), atol=1e-12)
    three = mvm_lbp(image, bins=bins, combine="concatenate")
    codes = mvm_lbp_codes(image, combine="concatenate")
    np.testing.assert_allclose(three, np.ravel([naive.pattern_shares(c, bins) for c in codes]), atol=1e-12)
    assert three.names == tuple(f"{word}_{name}" for word in ("mean", "median", "variance") for name in found.names)


def test_the_columns():
    uniform, everything = mvm_lbp(np.eye(3)), mvm_lbp(np.eye(3), bins="all")
    assert everything.names == tuple(f"code_{code}" for code in range(256))
    assert uniform.names[:6] == ("code_0", "code_1", "code_2", "code_3", "code_4", "code_6")
    assert uniform.names[-2:] == ("code_255", "nonuniform")
    assert len(uniform) == 59


def test_a_mask_selects_windows_by_their_centre(rng):
    volume = rng.integers(0, 9, (3, 30, 40))
    mask = np.zeros(volume.shape, dtype=bool)
    mask[1:, 11:20, 13:31] = rng.random((2, 9, 18)) < 0.4
    codes = mvm_lbp_codes(volume)[mask[:, 1:-1, 1:-1]]
    np.testing.assert_allclose(mvm_lbp(volume, mask), naive.pattern_shares(codes, "uniform"), atol=1e-12)


def test_a_mask_on_the_border_alone_has_no_window():
    mask = np.ones((6, 7), dtype=bool)
    mask[1:-1, 1:-1] = False
    found = mvm_lbp(np.zeros((6, 7)), mask)
    assert np.isnan(found).all()
    assert found.reason == "no full 3×3 window with its centre in the mask"


def test_spacing_is_checked_and_has_no_effect(rng):
    image = rng.integers(0, 9, (8, 8))
    np.testing.assert_array_equal(mvm_lbp(image, spacing=(0.5, 2)), mvm_lbp(image))
    with pytest.raises(ValueError, match="spacing"):
        mvm_lbp(image, spacing=(0, 1))


def test_unknown_values_are_refused_with_the_valid_ones():
    image = np.zeros((5, 5))
    with pytest.raises(ValueError, match=r"combine is 'mean'; give one of 'threshold', 'concatenate'"):
        mvm_lbp(image, combine="mean")
    with pytest.raises(ValueError, match=r"combine is 'mean'; give one of 'threshold', 'concatenate'"):
        mvm_lbp_codes(image, combine="mean")
    with pytest.raises(ValueError, match=r"bins is 59; give one of 'uniform', 'all'"):
        mvm_lbp(image, bins=59)
