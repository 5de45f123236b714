import naive_texture as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tumortrace.features import discretise, glrlm, glrlm_matrix
from tumortrace.features._glcm import AGGREGATIONS
from tumortrace.features._glrlm import _BIT_OF

SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 6))


def drawn(data):
    image = data.draw(SHAPES.flatmap(lambda shape: hnp.arrays(np.int64, shape, elements=st.integers(0, 2))))
    mask = data.draw(hnp.arrays(bool, image.shape, elements=st.sampled_from([True, True, False])).filter(np.any))
    inside = np.argwhere(mask.any(axis=(1, 2)))
    grey = discretise(image, mask, levels=3)[0].astype(int)
    return image, mask, grey[inside[0, 0] : inside[-1, 0] + 1]


def test_by_hand():
    v = glrlm([[0, 0, 0, 1]], levels=2, aggregation="2d_slice_merge")  # along the row 3 and 1; 3 times four of 1
    assert v["short_runs_emphasis"] == pytest.approx((13 + 1 / 9) / 14)
    assert v["long_runs_emphasis"] == pytest.approx((13 + 9) / 14)
    assert v["low_grey_level_run_emphasis"] == pytest.approx((10 + 4 / 4) / 14)
    assert v["grey_level_non_uniformity"] == pytest.approx((10**2 + 4**2) / 14)
    assert v["normalised_run_length_non_uniformity"] == pytest.approx((13**2 + 1) / 14**2)
    assert v["run_percentage"] == 14 / 16
    assert v["run_entropy"] == pytest.approx(-(9 * np.log2(9 / 14) + 4 * np.log2(4 / 14) + np.log2(1 / 14)) / 14)


def test_a_line_of_each_direction():
    """A cube with one line of its own level: a run as long as the cube, in one direction alone."""
    for d, step in enumerate(naive.SPACE):
        image = np.zeros((5, 5, 5))
        for k in range(-2, 3):
            image[tuple(np.add(2, np.multiply(k, step)))] = 1
        lines = glrlm_matrix(image, levels=2, aggregation="3d_average")[:, 1]
        assert np.argwhere(lines[:, 1:]).tolist() == [[d, 3]]


@given(st.data())
def test_features_are_those_of_the_naive_version(data):
    image, mask, grey = drawn(data)
    aggregation = data.draw(st.sampled_from(list(AGGREGATIONS)))
    found = glrlm(image, mask, levels=3, aggregation=aggregation)
    np.testing.assert_allclose(found, naive.glrlm(grey, aggregation), rtol=1e-10, atol=1e-12)


@given(st.data())
def test_matrices_are_those_of_the_naive_version(data):
    image, mask, grey = drawn(data)
    aggregation = data.draw(st.sampled_from(list(AGGREGATIONS)))
    found = glrlm_matrix(image, mask, levels=3, aggregation=aggregation)
    expected = [naive.counts(pairs, found.shape[1:]) for pairs in naive.run_lists(grey, aggregation)]
    assert np.array_equal(found[found.any(axis=(1, 2))], expected)
    assert found[..., -1].any()


def lengths_by_rolling(grey, step, shape):
    """The matrix of runs along a step: follow all runs at once, from where they start to where they end."""
    padded = np.pad(grey.astype(int), 1)  # what is rolled around the end meets 0
    goes_on = (padded > 0) & (padded == np.roll(padded, np.negative(step), (0, 1, 2)))
    left = (padded > 0) & ~np.roll(goes_on, step, (0, 1, 2))
    matrix = np.zeros(shape, int)
    for k in range(shape[1]):
        on = np.roll(goes_on, np.multiply(-k, step), (0, 1, 2))
        matrix[:, k] = np.bincount(padded[left & ~on], minlength=shape[0] + 1)[1:]
        left &= on
    assert not left.any()
    return matrix


@pytest.mark.parametrize("shape", [(3, 40, 70), (70, 3, 40), (1, 90, 50)])
def test_blocks_and_bits_count_every_run(rng, shape):
    """More pixels than a block holds: long runs in one part, noise in another, a ragged mask with empty parts."""
    image = np.broadcast_to(rng.integers(0, 3, (*shape[:2], 1)), shape).copy()
    image[..., : shape[2] // 3] = rng.integers(0, 3, (*shape[:2], shape[2] // 3))
    mask = rng.random(shape) < 0.98
    mask[:, :, shape[2] // 2 : shape[2] // 2 + 5] = False
    mask[len(mask) // 2 : len(mask) // 2 + len(mask) // 4] = False
    grey = discretise(image, mask, levels=3)[0]
    found = glrlm_matrix(image, mask, levels=3, aggregation="3d_average")
    steps = naive.SPACE if shape[0] > 1 else naive.PLANE
    expected = [lengths_by_rolling(grey, step, found.shape[1:]) for step in steps]
    assert np.array_equal(found, expected)
    assert np.array_equal(glrlm_matrix(image, mask, levels=3)[0], found.sum(axis=0))


def test_every_bit_is_found():
    words = [1 << bit for bit in range(64)]
    assert [_BIT_OF[word % 67] for word in words] == list(range(64))


def test_a_slice_has_four_directions(rng):
    image = rng.integers(0, 3, (9, 12))
    stack, mask = rng.integers(0, 3, (4, 9, 12)), np.zeros((4, 9, 12), bool)
    stack[2], mask[2] = image, True
    for aggregation in ("2.5d_volume_merge", "2d_slice_merge"):
        assert np.array_equal(glrlm(image), glrlm(image, aggregation=aggregation))
        assert np.array_equal(glrlm(image, levels=3), glrlm(stack, mask, levels=3))
    assert len(glrlm_matrix(image, aggregation="3d_average")) == 4


def test_a_constant_cube():
    v = glrlm(np.full((2, 2, 2), 7), aggregation="3d_average")  # 3 directions of 4 runs of 2, 6 with 2 runs of 2, 4
    shares = [4 / 8] * 3 + [6 / 8] * 6 + [7 / 8] * 4
    assert v["run_percentage"] == pytest.approx(np.mean(shares))
    assert v["grey_level_variance"] == 0
    assert v["low_grey_level_run_emphasis"] == v["high_grey_level_run_emphasis"] == 1


def test_regions_too_long_or_too_large_are_errors(monkeypatch):
    monkeypatch.setattr("tumortrace.features._glrlm._LONGEST", 12)
    assert glrlm(np.zeros((2, 12)))["run_percentage"] < 1
    with pytest.raises(ValueError, match="image has a region of 13 pixels in a line; crop it to 12"):
        glrlm(np.zeros((13, 2)))
    monkeypatch.setattr("tumortrace.features._glrlm._MAX_RUNS", 4 * 24)
    with pytest.raises(ValueError, match="24 voxels, too many to count runs in 4 directions"):
        glrlm_matrix(np.zeros((2, 12)))
