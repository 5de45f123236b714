import naive_texture as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tumortrace.features import discretise, ngtdm, ngtdm_matrix
from tumortrace.features._zones import AGGREGATIONS

SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 6))
IMAGES = SHAPES.flatmap(lambda shape: hnp.arrays(np.int64, shape, elements=st.integers(0, 3)))
AMADASUN = [[1, 2, 5, 2], [3, 5, 1, 3], [1, 3, 5, 5], [3, 1, 1, 1]]


def test_matrix_of_the_example_of_pyradiomics():
    """The one worked out in its documentation, where s is rounded."""
    (matrix,) = ngtdm_matrix(AMADASUN, bin_width=1)
    assert matrix[:, 0].tolist() == [6, 2, 4, 0, 4]
    np.testing.assert_allclose(matrix[:, 1], [13.35, 2.00, 3.03, 0, 10.075], atol=0.005)


def test_by_hand():
    v = ngtdm([[0, 1, 1]], levels=2)  # n = 1, 2; p = 1/3, 2/3; s = 1, 1/2
    assert v.to_dict() == pytest.approx(
        {
            "coarseness": 1 / (1 / 3 + 1 / 3),
            "contrast": (2 * 2 / 9) / 2 * (3 / 2) / 3,
            "busyness": (2 / 3) / (2 * (4 / 3 - 1 / 3)),
            "complexity": 2 * (1 / 3 + 1 / 3) / 3,
            "strength": 2 / (3 / 2),
        }
    )


@given(st.data())
def test_features_are_those_of_the_naive_version(data):
    image = data.draw(IMAGES, label="image")
    mask = data.draw(hnp.arrays(bool, image.shape, elements=st.sampled_from([True, True, False])).filter(np.any))
    aggregation, distance = data.draw(st.sampled_from(AGGREGATIONS)), data.draw(st.sampled_from([1, 2, 9]))
    grey = discretise(image, mask, levels=4)[0].astype(int)
    found = ngtdm(image, mask, levels=4, distance=distance, aggregation=aggregation)
    np.testing.assert_allclose(found, naive.ngtdm(grey, distance, aggregation), rtol=1e-10, atol=1e-12)
    lists = [naive.differences(p, distance, aggregation != "3d") for p in naive.parts(grey, aggregation)]
    expected = [[(sum(i == k for i, _ in p), sum(d for i, d in p if i == k)) for k in range(1, 5)] for p in lists]
    matrices = ngtdm_matrix(image, mask, levels=4, distance=distance, aggregation=aggregation)
    counted = matrices[:, :, 0].any(axis=1)
    expected = np.array([m for m in expected if any(n for n, _ in m)], float).reshape(-1, 4, 2)
    np.testing.assert_allclose(matrices[counted], expected, rtol=1e-12)


def test_wide_windows_of_many_levels(rng):
    """Every window is the whole image; 32 bits do not hold the sum of levels beside the number of pixels."""
    image = rng.integers(0, 4000, (3, 30, 31))
    grey = discretise(image, levels=4096)[0].astype(int)
    difference = abs(grey - (grey.sum() - grey) / (grey.size - 1))
    (matrix,) = ngtdm_matrix(image, levels=4096, distance=40)
    assert np.array_equal(matrix[:, 0], np.bincount(grey.ravel(), minlength=4097)[1:])
    expected = np.bincount(grey.ravel(), difference.ravel(), minlength=4097)[1:]
    np.testing.assert_allclose(matrix[:, 1], expected, rtol=1e-12)


def test_a_constant_region_is_as_coarse_as_can_be():
    for aggregation in AGGREGATIONS:
        v = ngtdm(np.full((3, 4, 5), 7), aggregation=aggregation)
        assert v.to_dict() == {"coarseness": 1e6, "contrast": 0, "busyness": 0, "complexity": 0, "strength": 0}
        assert v.reason == ""


def test_no_neighbour_is_nan_with_the_reason():
    apart = np.zeros((3, 5, 5), bool)
    apart[::2, ::2, ::2] = True
    for image, mask in (([[4]], None), (np.arange(75).reshape(3, 5, 5), apart)):
        v = ngtdm(image, mask)
        assert np.isnan(np.asarray(v)).all()
        assert v.reason == "no pixel has a neighbour inside the image or mask"
    assert np.isfinite(np.asarray(ngtdm(np.arange(75).reshape(3, 5, 5), apart, distance=2))).all()


def test_busyness_of_levels_of_equal_weight_is_nan_with_the_reason():
    v = ngtdm([[0, 0, 1]], levels=2)  # 1 · 2/3 = 2 · 1/3
    assert np.isnan(v["busyness"])
    assert np.isfinite([v[name] for name in v if name != "busyness"]).all()
    assert v.reason == "busyness: i p(i) is the same for all levels"


def test_slices_without_a_neighbour_are_left_out():
    image = np.array([[[0, 3, 1]], [[1, 0, 0]], [[0, 1, 0]]])
    mask = np.array([[[1, 1, 1]], [[1, 0, 1]], [[0, 0, 0]]])
    expected = ngtdm(image[0], levels=4)
    assert np.array_equal(ngtdm(image, mask, levels=4, aggregation="2d"), expected)


def test_windows_too_large_to_sum_up_are_an_error(monkeypatch):
    monkeypatch.setattr("tumortrace.features._ngtdm._MAX_BITS", 14)
    assert ngtdm(np.arange(100).reshape(10, 10), levels=32)["contrast"] > 0
    with pytest.raises(ValueError, match="distance is 4, which makes windows of 81 voxels; give a smaller one"):
        ngtdm(np.arange(100).reshape(10, 10), levels=32, distance=4)


def test_lone_pixels_count_where_asked_to():
    """Two pixels side by side and one apart; PyRadiomics 3.0.1 gave these numbers."""
    image, mask = np.zeros((2, 3, 6, 6))
    image[0, 0, 1], image[2, 4, 4] = 1, 2
    mask[0, 0, :2] = mask[2, 4, 4] = 1
    v = ngtdm(image, mask, bin_width=1, lone_pixels=True)
    assert v.to_dict() == pytest.approx(
        {"coarseness": 1.5, "contrast": 4 / 27, "busyness": 0.25, "complexity": 5 / 3, "strength": 4}
    )
    assert ngtdm_matrix(image, mask, bin_width=1, lone_pixels=True)[0].tolist() == [[1, 1], [1, 1], [1, 0]]
    without = ngtdm(image, mask, bin_width=1)
    assert without["strength"] == 1
