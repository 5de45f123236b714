import csv

import naive_volume
import numpy as np
import pytest

from tumortrace.features import local_intensity


def test_a_sphere_of_one_cubic_centimetre():
    """Of voxels of 1 mm it holds about a thousand."""
    image = np.zeros((17, 17, 17))
    image[8, 8, 8] = 1
    z, r, c = np.indices(image.shape) - 8
    held = np.count_nonzero(z**2 + r**2 + c**2 <= 6.2035**2)
    assert held == pytest.approx(1000, rel=0.05)
    v = local_intensity(image)
    assert (v["local_intensity_peak"], v["global_intensity_peak"]) == pytest.approx((1 / held, 1 / held), rel=0.5)
    assert v["local_intensity_peak"] == 1 / held


def test_of_equal_maxima_the_higher_mean_counts():
    image = np.array([[9, 0, 0, 0, 9, 5]])
    v = local_intensity(image, spacing=(1, 6))
    assert v["local_intensity_peak"] == pytest.approx(14 / 3)
    assert v["global_intensity_peak"] == 7
    assert local_intensity(image, image == 9, spacing=(1, 6))["global_intensity_peak"] == pytest.approx(14 / 3)


def test_spheres_reach_out_of_the_mask_but_stand_inside():
    image = np.array([[0, 8, 2, 100, 100]])
    mask = [[0, 1, 1, 0, 0]]
    v = local_intensity(image, mask, spacing=(1, 4))
    assert v["local_intensity_peak"] == pytest.approx(10 / 3)
    assert v["global_intensity_peak"] == pytest.approx(110 / 3)


def test_voxels_larger_than_the_sphere_stand_alone():
    image = np.arange(8.0).reshape(2, 2, 2)
    v = local_intensity(image, spacing=(7, 7, 7))
    assert (v["local_intensity_peak"], v["global_intensity_peak"]) == (7, 7)


def test_voxels_much_smaller_than_the_sphere(rng):
    image = rng.random((3, 9, 8))
    assert np.asarray(local_intensity(image, spacing=(1e-6, 1e-6, 1e-6))) == pytest.approx(image.mean())


@pytest.mark.parametrize("spacing", [(1.5, 2.5, 2), (6, 0.9, 3.1), (3, 4, 1.2)])
def test_equals_the_plain_computation(rng, spacing):
    for share in (0.1, 0.9):
        image = rng.integers(0, 30, (4, 6, 9))
        mask = rng.random(image.shape) < share
        mask.flat[40] = True
        expected = naive_volume.peaks(image, mask, spacing)
        assert np.asarray(local_intensity(image, mask, spacing=spacing)) == pytest.approx(expected, rel=1e-12)
        inner = np.zeros_like(mask)
        inner[1:3, 2:4, 5:8] = True
        expected = naive_volume.peaks(image, inner, spacing)
        assert np.asarray(local_intensity(image, inner, spacing=spacing)) == pytest.approx(expected, rel=1e-12)


def test_the_ibsi_phantom(data_root):
    phantom = np.load(data_root / "ibsi" / "digital_phantom.npz")
    v = local_intensity(phantom["image"], phantom["mask"], spacing=phantom["spacing"])
    with (data_root / "ibsi" / "digital_phantom_reference.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["family_code"] == "9ST6"]
    assert len(rows) == 2
    for row in rows:
        name = row["feature"].lower().replace(" ", "_")
        assert f"{v[name]:.2g}" == row["value"], name
