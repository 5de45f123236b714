import naive_texture as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tumortrace.features import discretise, ngldm, ngldm_matrix
from tumortrace.features._zones import AGGREGATIONS

SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 6))
IMAGES = SHAPES.flatmap(lambda shape: hnp.arrays(np.int64, shape, elements=st.integers(0, 3)))


def test_by_hand():
    v = ngldm([[0, 1, 1]], levels=2)  # one of level 1 and dependence 1, two of level 2 and dependence 2
    assert v["low_dependence_emphasis"] == pytest.approx((1 + 2 / 4) / 3)
    assert v["high_dependence_high_grey_level_emphasis"] == pytest.approx((1 + 2 * 16) / 3)
    assert v["dependence_count_percentage"] == 1
    assert v["dependence_count_variance"] == pytest.approx(2 / 9)
    assert v["dependence_count_energy"] == pytest.approx((1 + 4) / 9)


def test_coarseness_by_hand():
    image = [[0, 1, 3, 4, 9]]
    assert np.argwhere(ngldm_matrix(image, bin_width=1)[0]).tolist() == [[k, 0] for k in (0, 1, 3, 4, 9)]
    near = ngldm_matrix(image, bin_width=1, coarseness=1)[0]
    assert np.argwhere(near).tolist() == [[0, 1], [1, 1], [3, 1], [4, 1], [9, 0]]
    far = ngldm_matrix(image, bin_width=1, coarseness=4, distance=2)[0]
    assert np.argwhere(far).tolist() == [[0, 2], [1, 3], [3, 3], [4, 2], [9, 0]]


@given(st.data())
def test_features_and_matrices_are_those_of_the_naive_version(data):
    image = data.draw(IMAGES, label="image")
    mask = data.draw(hnp.arrays(bool, image.shape, elements=st.sampled_from([True, True, False])).filter(np.any))
    aggregation, distance = data.draw(st.sampled_from(AGGREGATIONS)), data.draw(st.sampled_from([1, 2, 9]))
    parameters = {
        "levels": 4,
        "distance": distance,
        "coarseness": data.draw(st.sampled_from([0, 1, 2, 99])),
        "aggregation": aggregation,
    }
    grey = discretise(image, mask, levels=4)[0].astype(int)
    expected = naive.ngldm(grey, distance, parameters["coarseness"], aggregation)
    np.testing.assert_allclose(ngldm(image, mask, **parameters), expected, rtol=1e-10, atol=1e-12)
    found = ngldm_matrix(image, mask, **parameters)
    lists = [
        naive.dependences(p, distance, parameters["coarseness"], aggregation != "3d")
        for p in naive.parts(grey, aggregation)
    ]
    expected = [naive.counts(pairs, found.shape[1:]) for pairs in lists]
    assert np.array_equal(found[found.any(axis=(1, 2))], expected)


def test_blocks_count_every_neighbour(rng):
    """More pixels than a block holds, with ragged and empty parts."""
    image = rng.integers(0, 3, (20, 21, 22))
    mask = rng.random(image.shape) < 0.9
    mask[8:13] = False
    grey = np.pad(discretise(image, mask, levels=3)[0].astype(int), 1)
    alike = np.zeros_like(grey)
    for step in np.ndindex(3, 3, 3):
        alike += grey == np.roll(grey, np.subtract(step, 1), (0, 1, 2))
    expected = np.zeros((3, 27), int)
    np.add.at(expected, (grey[grey > 0] - 1, alike[grey > 0] - 1), 1)
    assert np.array_equal(ngldm_matrix(image, mask, levels=3), [expected])


def test_a_constant_region():
    (matrix,) = ngldm_matrix(np.full((3, 3, 3), 7), levels=2)
    assert [(j + 1, matrix[0, j]) for j in np.flatnonzero(matrix[0])] == [(8, 8), (12, 12), (18, 6), (27, 1)]
    v = ngldm(np.full((3, 3, 3), 7), distance=2)
    assert v["high_dependence_emphasis"] == 27**2
    assert v["dependence_count_entropy"] == v["dependence_count_variance"] == 0


def test_too_many_neighbours_are_an_error():
    image = np.zeros((300, 220))
    with pytest.raises(ValueError, match="distance is 150, which makes 65999 neighbours; give a smaller one"):
        ngldm(image, distance=150)
