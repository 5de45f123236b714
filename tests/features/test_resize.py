import cv2
import naive
import numpy as np
import pytest

from tumortrace.features._resize import resize

SIZES = [(7, 5), (12, 11), (24, 24), (6, 30), (31, 4), (1, 1), (13, 17)]


def whole(image, size):
    return resize(image[np.newaxis], np.array([0]), (0, 0, *image.shape), size)[0]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("shape", [(13, 17), (1, 6), (40, 2), (1, 1)])
def test_equals_the_naive_version(rng, shape, size):
    image = rng.random(shape) * 200
    np.testing.assert_allclose(whole(image, size), naive.resized(image, size), rtol=0, atol=200 * 2**-43)


@pytest.mark.parametrize(
    ("size", "interpolation"),
    [
        ((12, 11), cv2.INTER_AREA),
        ((5, 17), cv2.INTER_AREA),
        ((24, 20), cv2.INTER_LINEAR),
        ((13, 40), cv2.INTER_LINEAR),
    ],
)
def test_equals_opencv_to_its_float32_weights(rng, size, interpolation):
    image = rng.random((13, 17)) * 200
    expected = cv2.resize(image, size[::-1], interpolation=interpolation)
    np.testing.assert_allclose(whole(image, size), expected, rtol=1e-5)


def test_same_size_is_the_same_image(rng):
    image = rng.random((13, 17))
    assert np.array_equal(whole(image, image.shape), image)


def test_halving_by_hand():
    assert whole(np.array([[0.0, 2.0, 8.0, 6.0], [4.0, 6.0, 2.0, 0.0]]), (1, 2)).tolist() == [[3.0, 4.0]]


@pytest.mark.parametrize("size", SIZES)
def test_a_flat_image_stays_flat(size):
    resized = whole(np.full((17, 19), 0.1), size)
    assert (resized == resized[0, 0]).all()
    assert resized[0, 0] == pytest.approx(0.1, rel=2**-43)


def test_box_and_slices(rng):
    volume = rng.integers(0, 256, (4, 12, 10), dtype=np.uint8)
    got = resize(volume, np.array([1, 3]), (2, 1, 6, 8), (3, 3))
    for i, z in enumerate((1, 3)):
        expected = naive.resized(volume[z, 2:8, 1:9], (3, 3))
        np.testing.assert_allclose(got[i], expected, rtol=0, atol=255 * 2**-43)


@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30])
def test_rows_that_are_equal_stay_equal(rng, scale):
    row = rng.integers(0, 256, 31) * scale
    image = np.broadcast_to(row, (1, 37, 31)).copy()
    resized = resize(image, np.array([0]), (0, 0, 37, 31), (24, 24))[0]
    assert (resized == resized[0]).all()
    assert np.ptp(resized[0]) > 0
