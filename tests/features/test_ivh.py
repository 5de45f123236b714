import csv
import re

import naive_volume
import numpy as np
import pytest

from tumortrace.features import ivh


def expected(levels, n_levels, intensity=lambda level: level):
    return pytest.approx(naive_volume.ivh(levels, n_levels, intensity), rel=1e-12)


def test_ten_voxels_by_hand():
    v = ivh([[1, 1, 1, 1, 1, 2, 3, 4, 5, 11]], bin_width=1)
    assert (v["volume_fraction_at_10_intensity"], v["volume_fraction_at_90_intensity"]) == (0.5, 0.1)
    assert v["volume_fraction_difference_between_10_and_90_intensity"] == 0.4
    assert (v["intensity_at_10_volume"], v["intensity_at_90_volume"]) == (6, 2)
    assert v["intensity_difference_between_10_and_90_volume"] == 4
    # ν is 1, .5, .4, .3, .2, then .1 to the end
    assert v["area_under_the_ivh_curve"] == pytest.approx((0.75 + 0.45 + 0.35 + 0.25 + 0.15 + 5 * 0.1) / 10)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float64])
def test_whole_numbers_stand_for_themselves(rng, dtype):
    image = rng.integers(3, 90, (4, 7, 6)).astype(dtype)
    low = int(image.min())
    levels = image.astype(int).ravel() - low + 1
    assert tuple(ivh(image, bin_width=1).values()) == expected(levels, levels.max(), lambda k: k + low - 1)


def test_the_range_of_resegmentation(rng):
    """CT as IBSI has it: bins of one unit from −500 to 400, whatever the region holds."""
    image = rng.integers(-130, 90, (5, 6, 7))
    found = ivh(image, bin_width=1, first_edge=-500, last_edge=400)
    assert tuple(found.values()) == expected(image.ravel() + 501, 901, lambda k: k - 501)


def test_bins_stand_for_their_middle(rng):
    image = rng.normal(0, 80, (5, 6, 7))
    found = ivh(image, bin_width=2.5, first_edge=-1000.0, last_edge=400)
    levels = np.floor((image.ravel() + 1000) / 2.5) + 1
    assert tuple(found.values()) == expected(levels, 561, lambda k: -1000 + (k - 0.5) * 2.5)
    found = ivh(image, bin_width=2.5)
    levels = np.floor((image.ravel() - image.min()) / 2.5) + 1
    assert tuple(found.values()) == expected(levels, int(levels.max()), lambda k: image.min() + (k - 0.5) * 2.5)
    assert ivh(image, bin_width=1)["intensity_at_90_volume"] % 1 == pytest.approx((image.min() + 0.5) % 1)


def test_bins_go_on_to_the_one_that_holds_the_last_edge():
    image = [[0, 1, 2, 3, 4, 5]]
    assert ivh(image, bin_width=2.5, last_edge=5).to_dict() == ivh(image, bin_width=2.5).to_dict()
    assert tuple(ivh(image, bin_width=2.5, last_edge=11).values()) == expected(
        [1, 1, 1, 2, 2, 3], 5, lambda k: (k - 0.5) * 2.5
    )


def test_a_thousand_levels_by_default(rng):
    image = rng.normal(0, 80, (5, 6, 7))
    share = (image.ravel() - image.min()) / np.ptp(image)
    levels = np.minimum(np.floor(1000 * share) + 1, 1000)
    assert tuple(ivh(image).values()) == expected(levels, 1000)


def test_more_than_a_tenth_at_the_maximum():
    """No bin holds at most a tenth from it on: the last one stands for it."""
    v = ivh([[1, 2, 3, 3]], bin_width=1)
    assert v["intensity_at_10_volume"] == 3


def test_one_bin():
    v = ivh([[7, 7, 7]], bin_width=1)
    assert np.isnan(v["volume_fraction_at_10_intensity"])
    assert np.isnan(v["volume_fraction_difference_between_10_and_90_intensity"])
    assert v.reason == "volume fractions: with one bin no intensity is a fraction of the range"
    assert (v["intensity_at_10_volume"], v["intensity_at_90_volume"], v["area_under_the_ivh_curve"]) == (7, 7, 0)


def test_a_constant_region_is_all_in_the_first_of_the_levels():
    v = ivh(np.full((3, 3), 7))
    assert (v["volume_fraction_at_10_intensity"], v["intensity_at_10_volume"]) == (0, 2)
    assert v.reason == ""


def test_edges_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"last_edge is 4, below the maximum of the region, 5"):
        ivh([[1, 5]], bin_width=1, last_edge=4)
    with pytest.raises(ValueError, match=r"first_edge is 2, above the minimum of the region, 1"):
        ivh([[1, 5]], bin_width=1, first_edge=2)
    with pytest.raises(ValueError, match=r"last_edge is 9, but .* give bin_width"):
        ivh([[1, 5]], last_edge=9)


def test_the_ibsi_phantom(data_root):
    phantom = np.load(data_root / "ibsi" / "digital_phantom.npz")
    v = ivh(phantom["image"], phantom["mask"], bin_width=1)
    with (data_root / "ibsi" / "digital_phantom_reference.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["family_code"] == "P88C"]
    names = [re.sub(r"[^a-z0-9]+", "_", row["feature"].lower()) for row in rows]
    assert names == list(v.names[:6])
    for name, row in zip(names, rows, strict=True):
        assert float(f"{v[name]:.3g}") == float(row["value"]), name
