import csv
import gzip

import naive
import numpy as np
import pytest

from tumortrace.features import shape


def disc(radius):
    r, c = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return r**2 + c**2 <= radius**2


def test_a_rectangle_by_hand():
    v = shape(np.ones((3, 6)), spacing=(2, 0.5))
    assert v["pixel_count"] == 18
    assert (v["volume"], v["area"], v["bounding_box_fill"]) == (18, 18, 1)
    assert (v["depth"], v["height"], v["width"]) == (1, 6, 3)
    assert v["maximum_diameter"] == pytest.approx(np.hypot(6, 2.5))
    assert v["perimeter"] == pytest.approx(2 * (4 + 2.5) + 2 * np.hypot(2, 0.5))
    assert v["circularity"] == pytest.approx(4 * np.pi * 17.5 / v["perimeter"] ** 2)
    # the squares of n steps of length s about their mean sum to n s² (n² − 1) / 12
    assert v["major_axis_length"] == pytest.approx(4 * np.sqrt(18 / 17 * 4 * 8 / 12))
    assert v["minor_axis_length"] == pytest.approx(4 * np.sqrt(18 / 17 * 0.25 * 35 / 12))
    assert (v["least_axis_length"], v["flatness"], v["centre_of_mass_shift"]) == (0, 0, 0)


def test_one_pixel():
    v = shape([[0, 5, 0]], [[0, 1, 0]], spacing=(0.3, 0.4))
    assert (v["pixel_count"], v["height"], v["width"], v["maximum_diameter"]) == (1, 0.3, 0.4, 0.4)
    assert v["perimeter"] == pytest.approx(2 * 0.5)
    assert [name for name in v if np.isnan(v[name])] == [
        "major_axis_length",
        "minor_axis_length",
        "least_axis_length",
        "elongation",
        "flatness",
    ]
    assert v.reason == "axis lengths, elongation, flatness: one pixel has no axes"
    assert v["centre_of_mass_shift"] == 0


def test_a_diagonal_line_has_one_axis():
    v = shape(np.ones((9, 9)), np.eye(9))
    assert (v["minor_axis_length"], v["elongation"]) == (0, 0)
    assert v["major_axis_length"] == pytest.approx(4 * np.sqrt(2 * 9 / 8 * 80 / 12))


def test_black_region_has_no_centre_of_mass():
    v = shape(np.zeros((4, 5)))
    assert np.isnan(v["centre_of_mass_shift"])
    assert v.reason == "centre_of_mass_shift: the intensities sum to 0"


def test_the_heavy_side_pulls_the_centre_of_mass():
    assert shape([[0, 0, 4]], spacing=(1, 0.5))["centre_of_mass_shift"] == 0.5
    assert shape([[[1]], [[3]]], spacing=(8, 1, 1))["centre_of_mass_shift"] == 2


@pytest.mark.parametrize(
    ("mask", "perimeter", "enclosed"),
    [
        ([[1, 0], [0, 1]], 4 * np.sqrt(2), 1.0),
        ([[1, 1], [0, 1]], 2 + 6 * np.sqrt(0.5), 2.5),
        (np.pad(np.zeros((1, 1)), 1, constant_values=1), 8 + 4 * np.sqrt(0.5) + 4 * np.sqrt(0.5), 8.0),
    ],
)
def test_the_contour_by_hand(mask, perimeter, enclosed):
    v = shape(np.ones(np.shape(mask)), mask)
    assert v["perimeter"] == pytest.approx(perimeter)
    assert v["circularity"] == pytest.approx(4 * np.pi * enclosed / perimeter**2)


def test_circularity_orders_forms():
    bar, square, round_ = (shape(m, m)["circularity"] for m in (np.ones((3, 60)), np.ones((40, 40)), disc(40)))
    assert bar < square < round_ < 1


def test_a_ball_is_as_long_as_wide():
    z, r, c = np.mgrid[-9:10, -9:10, -9:10]
    ball = z**2 + r**2 + c**2 <= 81
    v = shape(ball, ball)
    assert (v["elongation"], v["flatness"]) == pytest.approx((1, 1))
    assert v["maximum_diameter"] == 19
    assert v["volume"] == pytest.approx(4 / 3 * np.pi * 9**3, rel=0.01)


def test_area_and_perimeter_are_of_the_largest_slice():
    mask = np.zeros((3, 20, 20), bool)
    mask[0, 3:5, 3:5] = mask[2, 2:12, 4:9] = True
    mask[1, 5, 5] = True
    flat, deep = shape(mask[2], mask[2]), shape(mask, mask, spacing=(5, 1, 1))
    assert [deep[n] for n in ("area", "perimeter", "circularity")] == [
        flat[n] for n in ("area", "perimeter", "circularity")
    ]
    assert (deep["depth"], deep["volume"]) == (15, 5 * 55)


@pytest.mark.parametrize("size", [(1, 7, 8), (4, 5, 6), (3, 1, 9)])
@pytest.mark.parametrize("spacing", [(1, 1, 1), (2.5, 0.7, 1.3)])
@pytest.mark.parametrize("share", [0.15, 0.6])
def test_equals_the_plain_computation(rng, size, spacing, share):
    for _ in range(4):
        image = rng.integers(1, 200, size).astype(float)
        mask = rng.random(size) < share
        mask.flat[[0, 9]] = True
        expected = naive.shape(image, mask, spacing)
        found = shape(image, mask, spacing=spacing).to_dict()
        assert {k: found[k] for k in expected} == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_the_ibsi_phantom(data_root):
    phantom = np.load(data_root / "ibsi" / "digital_phantom.npz")
    found = shape(phantom["image"], phantom["mask"], spacing=phantom["spacing"])
    names = {
        "YEKZ": "volume",
        "L0JK": "maximum_diameter",
        "TDIC": "major_axis_length",
        "P9VJ": "minor_axis_length",
        "7J51": "least_axis_length",
        "Q3CK": "elongation",
        "N17B": "flatness",
        "KLMA": "centre_of_mass_shift",
    }
    with (data_root / "ibsi" / "digital_phantom_reference.csv").open(newline="") as file:
        rows = {row["ibsi_code"]: row for row in csv.DictReader(file) if row["family_code"] == "HCUG"}
    for code, name in names.items():
        tolerance = float(rows[code]["tolerance"])
        assert found[name] == pytest.approx(float(rows[code]["value"]), abs=tolerance), name


def nrrd(path):
    header, body = path.read_bytes().split(b"\n\n", 1)
    field = dict(line.split(": ", 1) for line in header.decode().splitlines() if ": " in line)
    dtype = {"short": np.int16, "int": np.int32, "unsigned char": np.uint8}[field["type"]]
    size = [int(n) for n in field["sizes"].split()][::-1]
    rows = [row.strip("()").split(",") for row in field["space directions"].split()]
    spacing = [float(np.linalg.norm([float(x) for x in row])) for row in rows][::-1]
    return np.frombuffer(gzip.decompress(body), dtype).reshape(size), spacing


@pytest.mark.parametrize("case", ["brain1", "breast1"])
def test_equals_pyradiomics(data_root, case):
    """PyRadiomics measures between the vertices of its mesh, and takes the covariance over n."""
    image, spacing = nrrd(data_root / "volumes" / f"{case}_image.nrrd")
    mask = nrrd(data_root / "volumes" / f"{case}_label.nrrd")[0] == 1
    largest = mask.sum(axis=(1, 2)).argmax()
    solid = shape(image, mask, spacing=spacing).to_dict()
    flat = shape(image[largest], mask[largest], spacing=spacing[1:]).to_dict()
    for found in (solid, flat):
        for name in ("major_axis_length", "minor_axis_length", "least_axis_length"):
            found[name] *= np.sqrt(1 - 1 / found["pixel_count"])
    flat["sphericity"] = np.sqrt(flat["circularity"])

    both = {
        "MajorAxisLength": "major_axis_length",
        "MinorAxisLength": "minor_axis_length",
        "Elongation": "elongation",
    }
    volume = {
        "VoxelVolume": "volume",
        "Maximum3DDiameter": "maximum_diameter",
        "LeastAxisLength": "least_axis_length",
        "Flatness": "flatness",
    }
    plane = {
        "PixelSurface": "area",
        "Perimeter": "perimeter",
        "MaximumDiameter": "maximum_diameter",
        "Sphericity": "sphericity",
    }
    with (data_root / "volumes" / "pyradiomics_reference.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["case"] == case]
    for family, variant, found, names in (
        ("shape", "plain", solid, both | volume),
        ("shape2D", "shape2D", flat, both | plane),
    ):
        reference = {
            r["feature"]: float(r["value"]) for r in rows if (r["class"], r["variant"]) == (family, variant)
        }
        for theirs, ours in names.items():
            assert found[ours] == pytest.approx(reference[theirs], rel=1e-9), theirs
