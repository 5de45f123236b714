"""The benchmark of maps measures what it says."""

import numpy as np

from benchmarks.maps import IN_PYTHON, THEIRS, alone, ours, region
from tumortrace.features import discretise
from tumortrace.features._glcm_features import NAMES


def test_the_region_is_that_of_the_goal():
    image, mask = region()
    assert mask.sum() == 4139
    assert discretise(image, mask, bin_width=25, first_edge="pyradiomics")[1] == 33


def test_all_24_features_of_pyradiomics_are_compared():
    assert len(THEIRS) == 24
    assert set(THEIRS | IN_PYTHON) <= set(NAMES)


def test_both_measurements_run():
    image, mask = region(24)
    maps = ours(image[10:14], mask[10:14], ["contrast"])()
    assert np.array_equal(np.isfinite(maps["contrast"]), mask[10:14])
    assert 0 < alone(side=9, threads=1) < 10
