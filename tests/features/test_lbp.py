"""LBP against values by hand, the naive version and scikit-image, code for code."""

import warnings

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from skimage.feature import local_binary_pattern

from tumortrace.features import lbp, lbp_codes
from tumortrace.features._lbp_kernels import _WIDTH, METHODS

CIRCLES = [(8, 1), (16, 2), (24, 3)]
OTHER_CIRCLES = [(1, 1), (2, 0.4), (3, 1.5), (4, 1), (5, 1.3), (12, 2), (20, 2.7), (31, 4.7)]


def peer(image, points, radius, method):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Applying `local_binary_pattern` to floating-point images", UserWarning)
        return local_binary_pattern(image, points, radius, method)


def pictures(rng):
    flat = np.full((14, 23), 77, dtype=np.uint8)
    flat[4:9, 6:] = rng.integers(100, 103, (5, 17))
    return {
        "noise": rng.integers(0, 256, (13, 21)).astype(np.uint8),
        "two levels": rng.integers(0, 2, (13, 21)).astype(np.uint8),
        "flat with a step": flat,
        "constant": np.full((9, 10), 201, dtype=np.uint8),
        "black": np.zeros((5, 6), dtype=np.uint8),
        "real numbers": rng.normal(size=(12, 11)),
        "flat, real": flat * 0.1,
        "negative": rng.integers(-3, 3, (11, 9)),
        "one pixel": np.array([[5]]),
        "one row": rng.integers(0, 4, (1, 19)),
        "2 × 3": rng.integers(0, 4, (2, 3)),
    }


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("points", "radius"), CIRCLES + OTHER_CIRCLES)
def test_equal_to_scikit_image(rng, points, radius, method):
    for name, image in pictures(rng).items():
        codes = lbp_codes(image, points=points, radius=radius, method=method)
        np.testing.assert_array_equal(codes, peer(image, points, radius, method), err_msg=name)


@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
@pytest.mark.parametrize(("points", "radius"), CIRCLES)
def test_ties_are_decided_as_in_scikit_image_far_from_the_origin(rng, points, radius, dtype):
    """The rounding of coordinates decides a tie: it changes with every power of two of rows and columns."""
    wide = np.full((3, _WIDTH + 40), 7, dtype=dtype)
    wide[1] += rng.integers(0, 2, wide.shape[1]).astype(dtype)
    for image in (wide, np.ascontiguousarray(wide.T)):
        for method in ("default", "var"):
            codes = lbp_codes(image, points=points, radius=radius, method=method)
            np.testing.assert_array_equal(codes, peer(image, points, radius, method))


@pytest.mark.parametrize("method", METHODS)
@given(
    arrays(np.int64, array_shapes(min_dims=2, max_dims=2, max_side=4), elements=st.integers(0, 3)),
    st.integers(1, 10),
    st.sampled_from([0.5, 1, 1.5, 2]),
)
def test_equal_to_naive_where_ties_are_many(method, image, points, radius):
    codes = lbp_codes(image, points=points, radius=radius, method=method)
    np.testing.assert_array_equal(codes, naive.lbp_codes(image, points, radius, method))


@pytest.mark.parametrize(("p", "row", "col"), [(0, 1, 2), (1, 0, 1), (2, 1, 0), (3, 2, 1)])
def test_each_of_four_neighbours_sets_its_bit(p, row, col):
    image = np.zeros((3, 3))
    image[1, 1] = 5
    image[row, col] = 5
    assert lbp_codes(image, points=4, method="default")[1, 1] == 2**p


def test_a_diagonal_point_is_interpolated():
    """The point at 45° lies 0.70711 to the right and up: half its value is the corner's."""
    image = np.zeros((3, 3))
    image[1, 1] = 1
    image[0, 2] = (1 - 0.29289**2) / 0.70711**2 - 1e-6
    assert lbp_codes(image, method="default")[1, 1] == 0
    image[0, 2] += 2e-6
    assert lbp_codes(image, method="default")[1, 1] == 2


def test_outside_the_image_is_0():
    image = np.array([[-1]])
    assert lbp_codes(image, method="default").tolist() == [[255]]
    assert lbp_codes(-image, method="default").tolist() == [[0]]
    assert lbp_codes(image, radius=100).tolist() == [[8]]


@pytest.mark.parametrize("points", [2, 4, 7])
def test_every_uniform_pattern_has_a_label_of_its_own(points):
    labels = {}
    for code in range(2**points):
        around = [code >> p & 1 for p in range(points)]
        labels.setdefault(naive.lbp_code(around, 1, "nri_uniform"), []).append(code)
    several = points * (points - 1) + 2
    assert sorted(labels) == list(range(several + (points > 3)))
    assert all(len(codes) == 1 for label, codes in labels.items() if label != several)


@pytest.mark.parametrize(
    ("points", "method", "dtype"),
    [
        (8, "default", np.uint8),
        (9, "default", np.uint16),
        (16, "ror", np.uint16),
        (17, "ror", np.uint32),
        (32, "uniform", np.uint8),
        (16, "nri_uniform", np.uint8),
        (17, "nri_uniform", np.uint16),
        (8, "var", np.float64),
    ],
)
def test_codes_are_as_small_as_they_can_be(points, method, dtype):
    assert lbp_codes(np.zeros((2, 2)), points=points, method=method).dtype == dtype


def test_32_points_do_not_overflow():
    image = np.zeros((1, 1))
    everywhere = {"default": 2**32 - 1, "ror": 2**32 - 1, "uniform": 32, "nri_uniform": 32 * 31 + 1}
    for method, code in everywhere.items():
        assert lbp_codes(image, points=32, method=method).tolist() == [[code]]


@pytest.mark.parametrize("method", METHODS)
def test_a_volume_is_coded_slice_by_slice(rng, method):
    volume = rng.integers(0, 9, (3, 6, 7))
    codes = lbp_codes(volume, method=method)
    np.testing.assert_array_equal(codes, np.stack([lbp_codes(image, method=method) for image in volume]))


def shares(codes, names, method, points=8):
    """Count the codes that the names promise, one by one."""
    values = []
    for name in names:
        number = int(name.rpartition("_")[2]) if name != "nonuniform" else None
        if method == "var":
            low, high = 2.0**number - 1, 2.0 ** (number + 1) - 1
            inside = (codes >= low) & ((codes < high) | (number == 15))
            values.append(np.mean(inside | ((number == 0) & ~(codes >= 0))))
        elif name == "nonuniform":
            values.append(np.mean(codes == (points + 1 if method == "uniform" else points * (points - 1) + 2)))
        else:
            values.append(np.mean(codes == number))
    return values


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_the_features_are_the_shares_of_the_codes(rng, method, dtype):
    for high in (2, 256):
        image = rng.integers(0, high, (9, 14)).astype(dtype)
        found = lbp(image, method=method)
        codes = lbp_codes(image, method=method).astype(float)
        np.testing.assert_allclose(found, shares(codes, found.names, method), atol=1e-12)
        assert sum(found.values()) == pytest.approx(1)
        assert found.reason == ""


@pytest.mark.parametrize("method", METHODS)
def test_a_mask_selects_pixels_and_does_not_move_the_origin(rng, method):
    """A constant image has nothing but ties, decided by the coordinates in the whole image."""
    volume = np.full((4, 40, 50), 77.0)
    volume[2] = rng.integers(0, 9, (40, 50))
    mask = np.zeros(volume.shape, dtype=bool)
    mask[1:3, 11:36, 13:50] = rng.random((2, 25, 37)) < 0.4
    mask[2, 39, 0] = True
    found = lbp(volume, mask, method=method)
    codes = lbp_codes(volume, method=method)[mask].astype(float)
    np.testing.assert_allclose(found, shares(codes, found.names, method), atol=1e-12)
    everywhere = lbp(volume, np.ones_like(mask), method=method)
    np.testing.assert_array_equal(everywhere, lbp(volume, method=method))


@pytest.mark.parametrize(
    ("method", "points", "n", "first", "last"),
    [
        ("uniform", 8, 10, "uniform_0", "nonuniform"),
        ("uniform", 24, 26, "uniform_0", "nonuniform"),
        ("nri_uniform", 8, 59, "nri_uniform_0", "nonuniform"),
        ("default", 8, 256, "code_0", "code_255"),
        ("ror", 4, 6, "code_0", "code_15"),
        ("ror", 8, 36, "code_0", "code_255"),
        ("ror", 16, 4116, "code_0", "code_65535"),
        ("var", 8, 16, "variance_0", "variance_15"),
    ],
)
def test_the_columns_depend_on_the_parameters(method, points, n, first, last):
    names = lbp([[0]], points=points, method=method).names
    assert (len(names), names[0], names[-1]) == (n, first, last)
    assert len(set(names)) == n


def test_codes_that_a_rotation_makes_smaller_have_no_column():
    names = lbp([[0]], points=4, method="ror").names
    assert names == ("code_0", "code_1", "code_3", "code_5", "code_7", "code_15")


@pytest.mark.parametrize(("x", "k"), [(0, 0), (2, 0), (2.4, 1), (4, 2), (200, 12), (1000, 15), (1e9, 15)])
def test_the_variance_bins_are_octaves(x, k):
    """One of four neighbours is x, the others 0: VAR = x² · 3/16. The bin is floor(log2(1 + VAR)), at most 15."""
    image = np.zeros((3, 3))
    image[1, 2] = x
    mask = np.zeros((3, 3))
    mask[1, 1] = 1
    assert lbp(image, mask, points=4, method="var")[f"variance_{k}"] == 1


def test_the_same_image_in_any_dtype_has_the_same_codes(rng):
    image = rng.integers(0, 100, (12, 11))
    for method in METHODS:
        expected = lbp_codes(image.astype(np.uint8), method=method)
        for dtype in (np.uint16, np.int32, np.float32, np.float64):
            np.testing.assert_array_equal(lbp_codes(image.astype(dtype), method=method), expected)


def test_a_shift_changes_codes_at_the_border_only(rng):
    image = rng.integers(10, 60, (20, 20))
    np.testing.assert_array_equal(lbp_codes(image)[1:-1, 1:-1], lbp_codes(image + 100)[1:-1, 1:-1])


def test_spacing_is_checked_and_has_no_effect(rng):
    image = rng.integers(0, 9, (8, 8))
    np.testing.assert_array_equal(lbp(image, spacing=(0.5, 2)), lbp(image))
    with pytest.raises(ValueError, match="spacing"):
        lbp(image, spacing=(0, 1))


@pytest.mark.parametrize("function", [lbp, lbp_codes])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"method": "Uniform"},
            "method is 'Uniform'; give one of 'default', 'ror', 'uniform', 'nri_uniform', 'var'",
        ),
        ({"points": 0}, "points is 0; give a whole number from 1 to 32"),
        ({"points": 33}, "points is 33; give a whole number from 1 to 32"),
        ({"points": 8.0}, "points is 8.0; give a whole number from 1 to 32"),
        ({"radius": 0}, "radius is 0; give a number above 0"),
        ({"radius": 101}, "radius is 101.*; give a number above 0 and up to 100"),
    ],
)
def test_parameters_out_of_range_are_refused_with_the_valid_ones(function, settings, message):
    with pytest.raises(ValueError, match=message):
        function(np.zeros((5, 5)), **settings)


@pytest.mark.parametrize("method", ["default", "ror"])
def test_too_many_bins_are_refused(method):
    with pytest.raises(ValueError, match=f"points of method '{method}' is 17; give a whole number from 1 to 16"):
        lbp(np.zeros((5, 5)), points=17, method=method)
