import numpy as np
import pytest

from tumortrace.preprocess import prepare, resegment

IMAGE = np.array([[-900, -500, 0, 40, 60, 80, 400, 401, 3000]])


def kept(mask=None, **settings):
    return IMAGE[resegment(IMAGE, mask, settings)].tolist()


def test_nothing_to_do_returns_the_mask_itself():
    mask = IMAGE > 0
    assert resegment(IMAGE, mask, {"spacing": 2}) is mask
    assert resegment(IMAGE, None, {}) is None


def test_both_ends_of_a_range_are_inside():
    assert kept(range=[-500, 400]) == [-500, 0, 40, 60, 80, 400]
    assert kept(range=[60, None]) == [60, 80, 400, 401, 3000]
    assert kept(range=[None, -500]) == [-900, -500]
    assert kept(IMAGE < 80, range=[40, 400]) == [40, 60]


def test_shares_and_standard_deviations():
    assert kept(range=[0.1, 0.5], range_mode="relative") == [400, 401]
    inside = IMAGE < 1000
    mean, sigma = IMAGE[inside].mean(), IMAGE[inside].std()
    low, high = mean - 1.2 * sigma, mean + 0.5 * sigma
    assert kept(inside, range=[-1.2, 0.5], range_mode="sigma") == [v for v in IMAGE[inside] if low <= v <= high]


def test_outliers_are_those_of_the_whole_region_whatever_the_range():
    """IBSI: the result is the intersection of what range and outliers leave, each by itself."""
    mean, sigma = IMAGE.mean(), IMAGE.std()
    by_itself = kept(outliers=1)
    assert by_itself == [v for v in IMAGE[0] if mean - sigma <= v <= mean + sigma] != IMAGE[0].tolist()
    assert kept(range=[0, 400], outliers=1) == sorted(set(by_itself) & set(kept(range=[0, 400])))
    after_range = IMAGE[(IMAGE >= 0) & (IMAGE <= 400)]
    assert after_range.mean() + after_range.std() < 400  # in turn would leave it out
    assert 400 in kept(range=[0, 400], outliers=1)


def test_the_mask_that_is_given_is_not_changed():
    mask = IMAGE > -1000
    resegment(IMAGE, mask, {"range": [0, 50]})
    assert mask.all()


def test_the_error_says_which_step_left_nothing():
    with pytest.raises(
        ValueError, match=r"re-segmentation to \[41, 59\] leaves no voxel; .* lie in \[-900, 3000\]"
    ):
        resegment(IMAGE, None, {"range": [41, 59]})
    with pytest.raises(ValueError, match=r"\[5000, ∞\] and \[-2\S+, 3\S+\] leaves no voxel"):
        resegment(IMAGE, None, {"range": [5000, None], "outliers": 3})


def test_both_masks_come_back():
    mask = IMAGE < 1000
    found = prepare(IMAGE, mask, None, {"range": [0, 400]}, margin=None)
    assert np.array_equal(found.morphological_mask, mask)
    assert IMAGE[found.mask].tolist() == [0, 40, 60, 80, 400]
    assert prepare(IMAGE, mask).morphological_mask is None
    without = prepare(IMAGE, None, None, {"range": [0, 400]})
    assert without.morphological_mask.all()
    assert without.mask.sum() == 5
