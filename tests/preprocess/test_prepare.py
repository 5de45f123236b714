"""The steps together, their order, and what is refused."""

import tracemalloc

import numpy as np
import pytest

from tumortrace.preprocess import prepare, resample


def test_without_settings_the_image_is_cut_and_not_copied():
    image = np.arange(4 * 6 * 5, dtype=np.int16).reshape(4, 6, 5)
    mask = np.zeros(image.shape, dtype=np.uint8)
    mask[1:3, 2, 3] = 255
    found = prepare(image, mask, (2, 1, 1), margin=1)
    assert found.box == (slice(0, 4), slice(1, 4), slice(2, 5))
    assert found.start == (0.0, 1.0, 2.0)
    assert np.shares_memory(found.array, image)
    assert np.array_equal(found.array, image[found.box])
    assert found.mask.dtype == bool
    assert np.array_equal(found.mask, mask[found.box] > 0)
    assert found.spacing == (2.0, 1.0, 1.0)


def test_a_margin_ends_where_the_image_does():
    image = np.zeros((9, 9))
    mask = np.zeros(image.shape, dtype=bool)
    mask[1, 7] = True
    assert prepare(image, mask, margin=3).box == (slice(0, 5), slice(4, 9))
    assert prepare(image, mask, margin=None).box == (slice(0, 9), slice(0, 9))
    assert prepare(image, mask, None, {"padding": 0}, margin=3).box == (slice(1, 2), slice(7, 8))
    assert prepare(image).mask is None


def test_rounding():
    image = np.array([[0, 1, 3, 3]], dtype=np.int16)
    settings = {"spacing": [0, 0.5]}
    plain = prepare(image, None, (1, 1), settings).array
    assert plain[0].tolist() == [0, 0.25, 0.75, 1.5, 2.5, 3, 3, 3]
    rounded = prepare(image, None, (1, 1), {**settings, "rounding": "nearest"}).array
    assert rounded[0].tolist() == [0, 0, 1, 2, 2, 3, 3, 3]
    cut = prepare(-image, None, (1, 1), {**settings, "rounding": "dtype"}).array
    assert cut.dtype == np.int16
    assert cut[0].tolist() == [0, 0, 0, -1, -2, -3, -3, -3]
    single = prepare(image.astype(np.float32), None, (1, 1), {**settings, "rounding": "dtype"}).array
    assert single.dtype == np.float32
    assert single[0].tolist() == plain[0].tolist()
    assert prepare(plain, None, None, {"rounding": "nearest"}).array[0].tolist() == rounded[0].tolist()


def test_a_return_to_the_number_type_keeps_whole_numbers_whole_and_within_its_range():
    flat = np.full((9, 9, 9), 100, dtype=np.int16)
    settings = {"spacing": 1.3, "interpolation": "cubic", "rounding": "dtype"}
    assert np.unique(prepare(flat, None, (1, 1, 1), settings).array).tolist() == [100]
    edge = np.zeros((1, 1, 20), dtype=np.uint8)
    edge[..., 10:] = 255
    found = prepare(edge, None, (1, 1, 1), {**settings, "spacing": [0, 0, 0.3]}).array
    assert found.dtype == np.uint8
    assert set(found[0, 0, :20].tolist()) | set(found[0, 0, -20:].tolist()) <= {*range(3), *range(250, 256)}


def test_normalisation_is_of_the_whole_image(rng):
    image = rng.integers(0, 1000, (3, 8, 9)).astype(np.uint16)
    mask = np.zeros(image.shape, dtype=bool)
    mask[1, 2:5, 3:6] = True
    found = prepare(image, mask, None, {"normalise": {}})
    expected = (image - image.mean()) / image.std(ddof=1)
    assert found.array == pytest.approx(expected[1:2, 2:5, 3:6], abs=1e-12)
    cut = prepare(image, mask, None, {"normalise": {"scale": 100, "outliers": 0.5}})
    assert cut.array == pytest.approx(100 * np.clip(expected, -0.5, 0.5)[1:2, 2:5, 3:6], abs=1e-10)
    again = prepare(image, None, (1, 1, 1), {"normalise": {}, "spacing": 2, "interpolation": "nearest"})
    assert set(again.array.ravel().round(9)) <= set(expected.ravel().round(9))


def test_the_order_is_that_of_ibsi(rng):
    """Normalise, resample, round, re-segment: the range is of what was rounded."""
    image = rng.normal(0, 50, (4, 12, 12))
    settings = {"spacing": [0, 0.7, 0.7], "rounding": "nearest", "normalise": {"scale": 10}, "range": [-5, 5]}
    found = prepare(image, None, (2, 1, 1), settings)
    first = prepare(image, None, None, {"normalise": {"scale": 10}}).array
    second = resample(first, None, (2, 1, 1), {"spacing": [0, 0.7, 0.7]}).array
    assert np.array_equal(found.array, np.rint(second))
    assert np.array_equal(found.mask, np.abs(np.rint(second)) <= 5)


def test_a_plain_picture_is_resampled_too():
    found = prepare(np.eye(4), np.eye(4), (1, 1), {"spacing": 0.5})
    assert found.array.shape == found.mask.shape
    assert found.spacing == (0.5, 0.5)


def test_what_is_given_is_not_changed(rng):
    image, mask = rng.normal(size=(5, 6, 7)), rng.random((5, 6, 7)) < 0.5
    before = image.copy(), mask.copy()
    prepare(
        image,
        mask,
        (1, 1, 1),
        {"spacing": 0.8, "normalise": {"outliers": 1}, "range": [0, 1], "rounding": "nearest"},
    )
    assert np.array_equal(image, before[0])
    assert np.array_equal(mask, before[1])


def test_memory_goes_with_the_mask_and_not_with_the_image():
    image = np.zeros((60, 300, 300), dtype=np.int16)
    image[30, 100, :200] = np.arange(200)
    mask = np.zeros(image.shape, dtype=bool)
    mask[28:32, 95:105, 95:105] = True
    settings = {"spacing": 0.9, "interpolation": "cubic", "normalise": {}, "range": [-5, 500]}
    prepare(image[28:32], mask[28:32], (1, 1, 1), settings)  # what is imported once
    tracemalloc.start()
    prepare(image, mask, (1, 1, 1), settings)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * image.nbytes  # all of it as float64 would be four times


@pytest.mark.parametrize(
    ("image", "mask", "spacing", "settings", "message"),
    [
        (np.zeros(3), None, None, {}, r"image has shape \(3,\)"),
        (np.zeros((2, 0)), None, None, {}, r"image has shape \(2, 0\)"),
        (np.eye(3), np.eye(4), None, {}, r"mask has shape \(4, 4\); give the shape of the image, \(3, 3\)"),
        (np.eye(3), np.zeros((3, 3)), None, {}, "mask is empty"),
        (np.eye(3), None, None, {"spacing": 1}, "the image does not say its spacing"),
        (np.eye(3), None, (1, 0), {}, "spacing is"),
        (np.eye(3), None, (1, 1), {"spacing": [1, 1, 1]}, "the image has 2 axes; give one number for each"),
        (np.ones((3, 3)), None, None, {"normalise": {}}, "normalise: the image is 1 everywhere"),
        (np.eye(3), np.eye(3), None, {"range": [5, 6]}, r"re-segmentation to \[5, 6\] leaves no voxel"),
        (
            np.zeros((9, 9)),
            np.arange(81).reshape(9, 9) == 40,
            (1, 1),
            {"spacing": 6},
            "resampling to 6 × 6 mm leaves no voxel of the mask, which has 1",
        ),
    ],
)
def test_errors_say_what_would_be_right(image, mask, spacing, settings, message):
    with pytest.raises(ValueError, match=message):
        prepare(image, mask, spacing, settings)
