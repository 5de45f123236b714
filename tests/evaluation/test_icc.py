"""Intraclass correlation: published values, limits, coverage."""

import numpy as np
import pytest

from tumortrace.evaluation import icc

# six targets, four judges: Shrout and Fleiss 1979, table 2
JUDGED = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]


@pytest.mark.parametrize(
    ("kind", "value", "low", "high"),
    [
        ("ICC(1,1)", 0.1657, -0.1329, 0.7226),
        ("ICC(2,1)", 0.2898, 0.0188, 0.7611),
        ("ICC(3,1)", 0.7148, 0.3425, 0.9459),
    ],
)
def test_the_published_example(kind, value, low, high):
    found = icc(JUDGED, kind)
    assert found[:3] == pytest.approx((value, low, high), abs=6e-5)
    assert found.subjects == 6


@pytest.mark.parametrize("kind", ["ICC(1,1)", "ICC(2,1)", "ICC(3,1)"])
def test_copies_without_a_difference_are_one(kind):
    assert icc(np.repeat(np.arange(5.0)[:, np.newaxis], 4, axis=1), kind)[:3] == (1, 1, 1)


def test_noise_alone_is_about_zero_and_scale_does_not_matter(rng):
    noise = rng.normal(size=(200, 6))
    found = icc(noise)
    assert abs(found.value) < 0.1
    assert found.low < 0 < found.high
    assert icc(1e-9 * noise + 1000)[:3] == pytest.approx(found[:3], abs=1e-4)


def test_intervals_cover_the_truth(rng):
    """20 subjects with variance 3 between and 1 within: the correlation is 0.75."""
    inside = 0
    for _ in range(400):
        ratings = np.sqrt(3) * rng.normal(size=(20, 1)) + rng.normal(size=(20, 5))
        found = icc(ratings)
        inside += found.low <= 0.75 <= found.high
    assert 0.92 <= inside / 400 <= 0.98


def test_what_is_missing_is_left_out_and_what_is_constant_has_no_number():
    assert icc([*JUDGED, [np.nan, 1, 2, 3]]) == icc(JUDGED)
    assert np.isnan(icc(np.ones((4, 3))).value)
    assert icc([[1, 2], [np.nan, 1]]).subjects == 1


@pytest.mark.parametrize(
    ("ratings", "options", "message"),
    [
        ([1, 2, 3], {}, "give \\(subjects, measurements\\)"),
        ([[1], [2]], {}, "two of these at least"),
        (JUDGED, {"kind": "ICC"}, "kind is 'ICC'"),
        (JUDGED, {"confidence": 1.5}, "between 0 and 1"),
    ],
)
def test_errors_say_what_would_be_right(ratings, options, message):
    with pytest.raises(ValueError, match=message):
        icc(ratings, **options)
