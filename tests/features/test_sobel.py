import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from tumortrace.features import SobelGradients, sobel, sobel_gradients, sobel_magnitude

SHAPES = [(24, 26), (1, 1), (2, 3), (1, 5), (6, 1), (33, 70)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.float32, np.float64])
def test_gradients_are_scipys(rng, shape, dtype):
    image = (rng.random(shape) * 256).astype(dtype)
    gradients = sobel_gradients(image)
    assert gradients.row.shape == gradients.col.shape == shape
    assert np.array_equal(gradients.row, ndimage.sobel(image.astype(float), axis=0))
    assert np.array_equal(gradients.col, ndimage.sobel(image.astype(float), axis=1))


def test_gradients_equal_the_naive_version(rng):
    image = rng.integers(0, 256, (9, 7), dtype=np.uint8)
    row, col = naive.sobel_gradients(image)
    assert np.array_equal(sobel_gradients(image).row, row)
    assert np.array_equal(sobel_gradients(image).col, col)


def test_the_steepest_8_bit_edge_fits():
    image = np.zeros((3, 4), dtype=np.uint8)
    image[:, 2:] = 255
    gradients = sobel_gradients(image)
    assert gradients.col.dtype == np.int16
    assert gradients.col[1].tolist() == [0, 1020, 1020, 0]
    assert sobel_gradients(255 - image).col[1].tolist() == [0, -1020, -1020, 0]
    assert sobel_magnitude(image).dtype == np.float32
    assert sobel_magnitude(image).max() == 1020


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("dtype", "of_magnitude"), [(np.uint8, np.float32), (float, np.float64)])
def test_magnitude_is_that_of_the_gradients(rng, shape, dtype, of_magnitude):
    image = (rng.random(shape) * 256).astype(dtype)
    magnitude = sobel_magnitude(image)
    row, col = naive.sobel_gradients(image)
    assert magnitude.dtype == of_magnitude
    assert np.array_equal(magnitude, sobel_gradients(image).magnitude)
    np.testing.assert_allclose(magnitude, np.hypot(row, col), rtol=2e-7 if dtype == np.uint8 else 1e-14)


def test_a_volume_is_taken_slice_by_slice(rng):
    volume = rng.integers(0, 256, (3, 8, 9), dtype=np.uint8)
    gradients, magnitude = sobel_gradients(volume), sobel_magnitude(volume)
    for z in range(3):
        assert np.array_equal(gradients.row[z], sobel_gradients(volume[z]).row)
        assert np.array_equal(gradients.col[z], sobel_gradients(volume[z]).col)
        assert np.array_equal(magnitude[z], sobel_magnitude(volume[z]))


def test_orientation_by_hand():
    row = np.array([[0.0, 0.0, 1.0, -1.0, 1.0, -1.0, -1e-30, 0.0]])
    col = np.array([[2.0, -2.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0]])
    assert SobelGradients(row, col).orientation.tolist() == [[0.0, 0.0, 90.0, 90.0, 45.0, 135.0, 0.0, 0.0]]


@given(
    arrays(np.uint8, st.tuples(st.integers(2, 9), st.integers(2, 9))),
    st.sampled_from([1, 2, 3, 4, 6, 8, 9, 12]),
    st.sampled_from([0.5, 2.0]),
    st.data(),
)
def test_features_equal_the_naive_version(image, orientations, threshold, data):
    mask = data.draw(arrays(bool, image.shape))
    row, col = naive.sobel_gradients(image)
    inside = np.hypot(row, col)[mask]
    if np.unique(inside).size < 2:
        mask[:] = True
    if np.unique(np.hypot(row, col)).size < 2:
        return
    got = sobel(image, mask, orientations=orientations, edge_threshold=threshold)
    expected = naive.sobel(row[mask], col[mask], orientations, threshold)
    assert got.names == tuple(expected)
    np.testing.assert_allclose(np.asarray(got), list(expected.values()), rtol=1e-9, atol=1e-9)
    assert got.reason == ""


@pytest.mark.parametrize("orientations", [4, 8, 12])
def test_gradients_on_the_edge_of_a_bin_count_in_the_upper_one(orientations):
    down_right = np.add.outer(np.arange(5), np.arange(5))
    inner = np.pad(np.ones((3, 3), bool), 1)
    for image, angle in ((down_right, 45), (-down_right, 45), (down_right[:, ::-1], 135), (down_right[::-1], 135)):
        v = sobel(image, inner, orientations=orientations)
        assert v[f"orientation_{angle * orientations // 180}"] == 1


def test_opposite_gradients_fall_in_the_same_bin(rng):
    image = rng.random((9, 9))
    np.testing.assert_allclose(np.asarray(sobel(image)), np.asarray(sobel(-image)), rtol=1e-12)


def test_gain_and_offset_of_intensity(rng):
    image = rng.integers(0, 60, (12, 12))
    v = sobel(image)
    for gain, offset in ((4, 10), (1e-90, 0), (1e50, 0)):
        w = sobel(gain * image + offset)
        for name in v:
            factor = gain if name in ("mean", "standard_deviation", "maximum", "root_mean_square") else 1
            assert w[name] == pytest.approx(factor * v[name], rel=1e-9), name


@pytest.mark.parametrize("image", [np.full((5, 4), 7), np.zeros((1, 1)), np.full((2, 3), 0.1)])
def test_a_flat_image_has_no_orientation(image):
    v = sobel(image)
    assert "no gradient" in v.reason
    for name in v:
        assert np.isnan(v[name]) if name.startswith("orientation") else v[name] == 0


def test_constant_slope_has_no_skewness():
    v = sobel(0.1 * np.add.outer(np.zeros(9), np.arange(9)) + 3, np.pad(np.ones((7, 7), bool), 1))
    assert v["mean"] == pytest.approx(0.8)
    assert (v["skewness"], v["kurtosis"], v["edge_density"]) == (0, 0, 0)


def test_the_rim_of_the_mask_sees_the_pixels_beside_it():
    image = np.zeros((5, 6))
    image[:, 3:] = 1
    mask = np.zeros(image.shape, bool)
    mask[:, :3] = True
    assert sobel(image, mask)["maximum"] == 4


def test_slices_are_pooled(rng):
    volume = rng.integers(0, 256, (3, 8, 9))
    mask = rng.random(volume.shape) < 0.4
    mask[1] = False
    parts = [naive.sobel_gradients(s) for s in volume]
    row, col = (np.array(d) for d in zip(*parts, strict=True))
    expected = naive.sobel(row[mask], col[mask], 9, 2.0)
    np.testing.assert_allclose(np.asarray(sobel(volume, mask)), list(expected.values()), rtol=1e-10)


@pytest.mark.parametrize("dtype", [np.uint16, np.int64, np.float32, np.float64])
def test_any_dtype_gives_the_same_numbers(rng, dtype):
    image = rng.integers(0, 256, (13, 11), dtype=np.uint8)
    assert np.array_equal(np.asarray(sobel(image)), np.asarray(sobel(image.astype(dtype))))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"orientations": 0}, "orientations is 0"),
        ({"orientations": 4.5}, "orientations is 4.5"),
        ({"edge_threshold": 0}, "edge_threshold is 0"),
        ({"spacing": (1, 1, 1)}, "spacing is"),
        ({"mask": np.zeros((4, 4))}, "mask is empty"),
    ],
)
def test_errors_name_the_argument(arguments, message):
    with pytest.raises(ValueError, match=message):
        sobel(np.eye(4), **arguments)
