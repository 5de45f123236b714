import csv

import naive
import numpy as np
import pytest

from tumortrace.features import discretise, first_order

IBSI = {
    "Q4LE": "mean",
    "ECT3": "variance",
    "KE2A": "skewness",
    "IPH6": "kurtosis",
    "Y12H": "median",
    "1GSF": "minimum",
    "QG58": "percentile_10",
    "8DWT": "percentile_90",
    "84IY": "maximum",
    "SALO": "interquartile_range",
    "2OJQ": "range",
    "4FUA": "mean_absolute_deviation",
    "1128": "robust_mean_absolute_deviation",
    "N72L": "median_absolute_deviation",
    "7TET": "coefficient_of_variation",
    "9S40": "quartile_coefficient_of_dispersion",
    "N8CA": "energy",
    "5ZWQ": "root_mean_square",
    "X6K6": "histogram_mean",
    "CH89": "histogram_variance",
    "88K1": "histogram_skewness",
    "C3I7": "histogram_kurtosis",
    "WIFQ": "histogram_median",
    "1PR8": "histogram_minimum",
    "GPMT": "histogram_percentile_10",
    "OZ0C": "histogram_percentile_90",
    "3NCY": "histogram_maximum",
    "AMMC": "histogram_mode",
    "WR0O": "histogram_interquartile_range",
    "5Z3W": "histogram_range",
    "D2ZX": "histogram_mean_absolute_deviation",
    "WRZB": "histogram_robust_mean_absolute_deviation",
    "4RNL": "histogram_median_absolute_deviation",
    "CWYJ": "histogram_coefficient_of_variation",
    "SLWD": "histogram_quartile_coefficient_of_dispersion",
    "TLU2": "histogram_entropy",
    "BJ5W": "histogram_uniformity",
    "12CE": "histogram_maximum_gradient",
    "8E6O": "histogram_maximum_gradient_intensity",
    "VQB3": "histogram_minimum_gradient",
    "RHQZ": "histogram_minimum_gradient_intensity",
}


def test_the_ibsi_phantom(data_root):
    """Every consensus value, to the three digits it is printed with."""
    phantom = np.load(data_root / "ibsi" / "digital_phantom.npz")
    found = first_order(phantom["image"], phantom["mask"], spacing=phantom["spacing"], bin_width=1)
    with (data_root / "ibsi" / "digital_phantom_reference.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["family_code"] in ("UHIW", "ZVCW")]
    assert {IBSI[row["ibsi_code"]]: float(row["value"]) for row in rows} == {
        name: float(f"{value:.3g}") for name, value in found.items()
    }


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float64])
@pytest.mark.parametrize("parameters", [{}, {"levels": 5}, {"levels": 256}, {"bin_width": 7}])
@pytest.mark.parametrize("shape", [(9, 11), (3, 5, 4)])
def test_equals_the_plain_computation(rng, dtype, parameters, shape):
    image = rng.integers(0, 200, shape).astype(dtype)
    mask = rng.random(shape) < 0.7
    for inside in (None, mask):
        x = image[mask] if inside is not None else image.ravel()
        grey, n_levels = discretise(image, inside, **parameters)
        expected = naive.intensity_statistics(x) | naive.intensity_histogram(grey[grey > 0], n_levels)
        assert first_order(image, inside, **parameters).to_dict() == pytest.approx(expected, rel=1e-11, abs=1e-11)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 10, 11, 12, 31, 71, 101, 1001])
def test_percentiles_equal_numpy(rng, n):
    x = rng.normal(size=(1, n))
    found = first_order(x)
    names = ("minimum", "percentile_10", "median", "percentile_90", "maximum")
    assert [found[name] for name in names] == pytest.approx(np.percentile(x, (0, 10, 50, 90, 100)), rel=1e-13)
    assert found["interquartile_range"] == pytest.approx(np.subtract(*np.percentile(x, (75, 25))), rel=1e-12)


def test_percentile_on_a_pixel_keeps_that_pixel():
    """Rank 0.1 · 70 is 7, not a rounding above it: the robust deviation counts the seventh pixel."""
    x = np.arange(71.0)[np.newaxis]
    assert first_order(x)["percentile_10"] == 7
    assert first_order(x)["robust_mean_absolute_deviation"] == pytest.approx(np.mean(abs(x[0, 7:64] - 35)))


def test_constant_region():
    v = first_order(np.full((4, 5), 3), levels=4)
    zero = ("variance", "skewness", "kurtosis", "coefficient_of_variation", "quartile_coefficient_of_dispersion")
    assert [v[name] for name in zero] == [0] * 5
    assert [v[f"histogram_{name}"] for name in zero] == [0] * 5
    assert (v["mean"], v["energy"], v["root_mean_square"], v["histogram_mode"]) == (3, 180, 3, 1)
    assert (v["histogram_entropy"], v["histogram_uniformity"], v["histogram_minimum_gradient"]) == (0, 1, -20)
    assert v.reason == ""


def test_one_bin_has_no_gradient():
    v = first_order([[5]], bin_width=1)
    assert (v["histogram_maximum_gradient"], v["histogram_minimum_gradient"]) == (0, 0)


@pytest.mark.parametrize(
    ("image", "name", "reason"),
    [
        ([[-2, 1, 1]], "coefficient_of_variation", "the mean is 0"),
        ([[-1, -1, -1, 0, 1, 1, 1]], "quartile_coefficient_of_dispersion", "the quartiles sum to 0"),
        ([[1, 9]], "robust_mean_absolute_deviation", "no pixel lies between"),
    ],
)
def test_undefined_values_say_why(image, name, reason):
    v = first_order(image)
    assert np.isnan(v[name])
    assert f"{name}: {reason}" in v.reason


def test_mode_of_ties_is_the_level_nearest_to_the_mean_then_the_lowest():
    assert first_order([[1, 1, 2, 4, 4, 5, 5]], bin_width=1)["histogram_mode"] == 4
    assert first_order([[1, 1, 3, 3]], bin_width=1)["histogram_mode"] == 1


@pytest.mark.parametrize("offset", [2.0**30, -(2.0**40)])
def test_a_large_offset_costs_no_digits(rng, offset):
    """The image and its shifted copy are both exact, so their moments are the same."""
    image = rng.integers(0, 4096, (20, 20)) / 64
    near, far = first_order(image), first_order(image + offset)
    for name in ("variance", "skewness", "kurtosis", "mean_absolute_deviation", "interquartile_range"):
        assert far[name] == near[name]
    assert far["mean"] == pytest.approx(near["mean"] + offset, rel=1e-15)


@pytest.mark.parametrize("scale", [2.0**-900, 2.0**-300, 2.0**190])
def test_form_does_not_change_with_the_unit(rng, scale):
    image = rng.integers(1, 100, (7, 7))
    plain, scaled = first_order(image), first_order(image * scale)
    for name in ("skewness", "kurtosis", "coefficient_of_variation", "quartile_coefficient_of_dispersion"):
        if name != "coefficient_of_variation" or scale > 2.0**-500:  # the variance itself is below float64 there
            assert scaled[name] == plain[name]


def test_an_even_spread_over_the_levels_has_the_highest_entropy():
    v = first_order(np.arange(64).reshape(8, 8), levels=16)
    assert (v["histogram_entropy"], v["histogram_uniformity"]) == (4, 1 / 16)
