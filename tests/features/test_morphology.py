import csv
import re

import naive_volume
import numpy as np
import pytest

from tumortrace.features import morphology, shape
from tumortrace.features._enclosing import enclosing_box, enclosing_ellipsoid
from tumortrace.features._mesh import _triangles
from tumortrace.io import read_volume

EXACT = {"rel": 1e-9, "abs": 1e-12}


def ball(radius):
    z, r, c = np.mgrid[-radius : radius + 1, -radius : radius + 1, -radius : radius + 1]
    return z**2 + r**2 + c**2 <= radius**2


def test_a_box_by_hand():
    """A box of voxels loses half of each voxel's quarter along its edges, and 5/6 of an eighth at its corners."""
    a, b, c = 3, 4, 6
    box = np.ones((a, b, c))
    v = morphology(box * 2)
    edges = 4 * (a + b + c - 3)
    volume = a * b * c - edges / 8 - 8 * 5 / 48
    area = 2 * ((a - 1) * (b - 1) + (b - 1) * (c - 1) + (c - 1) * (a - 1)) + edges * np.sqrt(0.5) + np.sqrt(3)
    assert v["volume_mesh"] == pytest.approx(volume)
    assert v["surface_area_mesh"] == pytest.approx(area)
    assert v["surface_to_volume_ratio"] == pytest.approx(area / volume)
    assert v["compactness_1"] == pytest.approx(volume / np.sqrt(np.pi * area**3))
    assert v["compactness_2"] == pytest.approx(36 * np.pi * volume**2 / area**3)
    assert v["sphericity"] == pytest.approx(np.cbrt(36 * np.pi * volume**2) / area)
    assert v["spherical_disproportion"] == pytest.approx(area / np.cbrt(36 * np.pi * volume**2))
    assert v["asphericity"] == pytest.approx(np.cbrt(area**3 / volume**2 / 36 / np.pi) - 1)
    assert v["volume_density_axis_aligned_bounding_box"] == pytest.approx(volume / (a * b * c))
    assert v["area_density_axis_aligned_bounding_box"] == pytest.approx(area / (2 * (a * b + b * c + c * a)))
    assert (v["volume_density_convex_hull"], v["area_density_convex_hull"]) == pytest.approx((1, 1))
    assert v["integrated_intensity"] == pytest.approx(2 * volume)
    assert v["major_axis_length"] == pytest.approx(4 * np.sqrt(72 / 71 * (c**2 - 1) / 12))


def test_one_voxel_is_an_octahedron():
    v = morphology([[[7.0]]], spacing=(3, 2, 1))
    assert v["volume_mesh"] == pytest.approx(3 * 2 * 1 / 6)
    assert v["surface_area_mesh"] == pytest.approx(4 * np.linalg.norm(np.cross([1.5, -1, 0], [1.5, 0, -0.5])))
    assert v["maximum_3d_diameter"] == 3
    assert [v[f"maximum_2d_diameter_{plane}"] for plane in ("slice", "row", "column")] == [2, 3, 3]
    assert v["integrated_intensity"] == 7 * v["volume_mesh"]
    assert v["centre_of_mass_shift"] == 0
    assert v.reason == (
        "major_axis_length: one voxel has no axes; volume_density_approximate_enclosing_ellipsoid: the region is "
        "flat; area_density_approximate_enclosing_ellipsoid: the region is a line; morans_i_index: all intensities "
        "are equal"
    )


def test_a_flat_region_has_no_ellipsoid_and_a_line_no_area():
    flat, line = morphology(np.arange(12).reshape(3, 4)), morphology(np.arange(5)[None])
    assert np.isnan(flat["volume_density_approximate_enclosing_ellipsoid"])
    assert flat["area_density_approximate_enclosing_ellipsoid"] > 0
    assert flat.reason == "volume_density_approximate_enclosing_ellipsoid: the region is flat"
    assert np.isnan(line["area_density_approximate_enclosing_ellipsoid"])
    assert (line["elongation"], line["flatness"]) == (0, 0)


def test_black_regions_have_no_centre_of_mass():
    v = morphology([[-1.0, 1.0]])
    assert np.isnan(v["centre_of_mass_shift"])
    assert "centre_of_mass_shift: the intensities sum to 0" in v.reason


def test_balls_become_round():
    """The mesh of a large ball has its volume; the area stays above, as that of a staircase."""
    radius = 12
    v = morphology(ball(radius), ball(radius))
    assert v["volume_mesh"] == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.02)
    assert v["surface_area_mesh"] == pytest.approx(4 * np.pi * radius**2, rel=0.1)
    assert v["sphericity"] > morphology(np.ones((9, 9, 9)))["sphericity"]
    assert v["volume_density_approximate_enclosing_ellipsoid"] == pytest.approx(
        v["volume_mesh"] * 6 / np.pi / v["major_axis_length"] ** 3
    )
    assert v["area_density_approximate_enclosing_ellipsoid"] == pytest.approx(
        v["surface_area_mesh"] / np.pi / v["major_axis_length"] ** 2
    )
    assert (v["elongation"], v["flatness"]) == pytest.approx((1, 1))


def test_an_ellipsoid_reaches_beyond_its_ellipsoid():
    """The variance of a ball along an axis is r² / 5, so that the axes come out short by √(4/5)."""
    z, r, c = np.mgrid[-6:7, -9:10, -12:13]
    mask = (z / 6) ** 2 + (r / 9) ** 2 + (c / 12) ** 2 <= 1
    v = morphology(mask, mask, spacing=(2, 1, 0.5))
    assert v["volume_density_approximate_enclosing_ellipsoid"] == pytest.approx(np.sqrt(5) ** 3 / 8, rel=0.02)
    assert v["elongation"] == pytest.approx(9 / 12, rel=0.02)
    assert v["flatness"] == pytest.approx(6 / 12, rel=0.02)


def turned(points):
    a, b = np.radians(25), np.radians(70)
    about_z = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_x = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    return points @ about_z @ about_x


def test_a_box_in_any_direction_is_its_own_smallest_box():
    box = np.array(np.meshgrid((0, 2), (0, 3), (0, 7))).reshape(3, -1).T
    assert sorted(enclosing_box(turned(box))) == pytest.approx([2, 3, 7])
    assert enclosing_ellipsoid(turned(box)) == pytest.approx(np.sqrt(3) * np.array([7, 3, 2]) / 2)


def test_the_least_ellipsoid_around_points():
    """That of a stretched octahedron has its corners; any other holds all points and no smaller one would do."""
    octahedron = np.vstack([np.eye(3), -np.eye(3)]) * (2, 3, 7)
    assert enclosing_ellipsoid(turned(octahedron) + 5) == pytest.approx([7, 3, 2])
    points = np.random.default_rng(2).normal(size=(60, 3)) * (1, 2, 5)
    stretched = enclosing_ellipsoid(points * (3, 1, 1)).prod()
    assert stretched == pytest.approx(3 * enclosing_ellipsoid(points).prod(), rel=1e-6)
    assert enclosing_ellipsoid(np.vstack([points, points[:9] / 2])).prod() == pytest.approx(stretched / 3, rel=1e-6)


def test_enclosing_adds_four():
    mask = np.ones((3, 4, 6))
    plain, more = morphology(mask), morphology(mask, enclosing=True)
    assert more.names[:28] == plain.names
    of_box = [more[f"{what}_density_oriented_minimum_bounding_box"] for what in ("volume", "area")]
    assert of_box == pytest.approx(
        [more[f"{what}_density_axis_aligned_bounding_box"] for what in ("volume", "area")]
    )
    of_box_without_corners = more["volume_density_minimum_volume_enclosing_ellipsoid"]
    assert 2 / np.sqrt(3) / np.pi < of_box_without_corners < 1


def test_cases_are_surfaces():
    """Within a cube an edge belongs to two triangles that run it both ways, or to one and lies in a face."""
    corners = np.array([(0, 0, 0), (0, 0, 1), (0, 1, 1), (0, 1, 0), (1, 0, 0), (1, 0, 1), (1, 1, 1), (1, 1, 0)])
    for case, triangles in enumerate(_triangles()):
        inside = {tuple(corner): bool(case >> k & 1) for k, corner in enumerate(corners)}
        real = [t for t in triangles.tolist() if t[0] != t[1]]
        used = {tuple(p) for t in real for p in t}
        assert used == {
            tuple(map(sum, zip(p, q, strict=True)))
            for p in inside
            for q in inside
            if inside[p] > inside[q] and np.abs(np.subtract(p, q)).sum() == 1
        }
        edges = [(tuple(t[k]), tuple(t[k - 1])) for t in real for k in range(3)]
        assert len(set(edges)) == len(edges)
        for p, q in edges:
            shared_face = any(a == b and a != 1 for a, b in zip(p, q, strict=True))
            assert ((q, p) in edges) or shared_face
        if case in (1, 254):
            a, b, c = np.array(real[0])
            assert np.cross(b - a, c - a).sum() > 0 if case == 1 else np.cross(b - a, c - a).sum() < 0


@pytest.mark.parametrize("size", [(1, 4, 5), (3, 4, 2)])
@pytest.mark.parametrize("spacing", [(1, 1, 1), (2.5, 0.7, 1.3)])
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_equals_the_plain_computation(rng, size, spacing, share):
    from scipy.spatial import ConvexHull

    for _ in range(2):
        image = rng.integers(1, 200, size).astype(float)
        solid = rng.random(size) < share
        solid.flat[[0, 9]] = True
        mask = solid & (rng.random(size) < 0.8)
        mask.flat[[0, 9]] = True
        v = morphology(image, mask, spacing=spacing, morphological_mask=solid)
        across, *planes = naive_volume.diameters(solid, spacing)
        assert v["maximum_3d_diameter"] == pytest.approx(across, **EXACT)
        found = [v[f"maximum_2d_diameter_{plane}"] for plane in ("slice", "column", "row")]
        assert found == pytest.approx(planes, **EXACT)
        hull = ConvexHull(list(naive_volume.vertices(solid, spacing)))
        assert v["volume_mesh"] / v["volume_density_convex_hull"] == pytest.approx(hull.volume, **EXACT)
        assert v["surface_area_mesh"] / v["area_density_convex_hull"] == pytest.approx(hull.area, **EXACT)
        lengths = [v[f"{axis}_axis_length"] for axis in ("major", "minor", "least")]
        assert lengths == pytest.approx(naive_volume.axis_lengths(solid, spacing), rel=1e-9, abs=1e-6)
        autocorrelation = naive_volume.autocorrelation(image, mask, spacing)
        assert (v["morans_i_index"], v["gearys_c_measure"]) == pytest.approx(autocorrelation, **EXACT)
        shift = naive_volume.centre_shift(image, mask, solid, spacing)
        assert v["centre_of_mass_shift"] == pytest.approx(shift, rel=1e-9, abs=1e-9)
        assert v["integrated_intensity"] == pytest.approx(v["volume_mesh"] * image[mask].mean(), **EXACT)
        assert v["volume_voxel_counting"] == pytest.approx(solid.sum() * np.prod(spacing), **EXACT)


def test_portions_of_frequencies_change_nothing(rng, monkeypatch):
    image, mask = rng.random((5, 6, 9)), rng.random((5, 6, 9)) < 0.7
    whole = morphology(image, mask)
    monkeypatch.setattr("tumortrace.features._autocorrelation._BYTES", 0)
    assert morphology(image, mask).to_dict() == pytest.approx(whole.to_dict(), rel=1e-12)


def test_what_it_shares_with_shape(rng):
    image = rng.integers(1, 50, (4, 9, 8))
    mask = rng.random(image.shape) < 0.6
    ours, other = morphology(image, mask, spacing=(3, 1, 2)), shape(image, mask, spacing=(3, 1, 2))
    for name, theirs in {
        "volume_voxel_counting": "volume",
        "maximum_3d_diameter": "maximum_diameter",
        "major_axis_length": "major_axis_length",
        "flatness": "flatness",
        "centre_of_mass_shift": "centre_of_mass_shift",
    }.items():
        assert ours[name] == pytest.approx(other[theirs], rel=1e-9)


def test_a_bad_morphological_mask_is_named():
    for mask, error in (([[1, 2]], ValueError), ([[0], [0]], ValueError), ([["a"], ["b"]], TypeError)):
        with pytest.raises(error, match=r"^morphological_mask "):
            morphology([[1], [2]], morphological_mask=mask)


def test_the_ibsi_phantom(data_root):
    phantom = np.load(data_root / "ibsi" / "digital_phantom.npz")
    v = morphology(phantom["image"], phantom["mask"], spacing=phantom["spacing"])
    with (data_root / "ibsi" / "digital_phantom_reference.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["family_code"] == "HCUG"]
    names = [re.sub(r"[^a-z0-9]+", "_", row["feature"].lower().replace("'", "")).strip("_") for row in rows]
    assert names == list(v.names[:25])
    for name, row in zip(names, rows, strict=True):
        assert v[name] == pytest.approx(float(row["value"]), abs=float(row["tolerance"])), name


@pytest.mark.parametrize("case", ["brain1", "breast1"])
def test_equals_pyradiomics(data_root, case):
    """The reference has the mesh of an earlier version; that of 3.0.1 is ours to the last digits.

    PyRadiomics takes the covariance over n.
    """
    image, labels = (read_volume(data_root / "volumes" / f"{case}_{what}.nrrd") for what in ("image", "label"))
    mask = labels.array == 1
    v = morphology(image.array, mask, spacing=image.spacing).to_dict()
    for name in ("major_axis_length", "minor_axis_length", "least_axis_length"):
        v[name] *= np.sqrt(1 - 1 / mask.sum())
    with (data_root / "volumes" / "pyradiomics_reference.csv").open(newline="") as file:
        rows = [
            r for r in csv.DictReader(file) if (r["class"], r["case"], r["variant"]) == ("shape", case, "plain")
        ]
    own = {"MeshVolume": "volume_mesh", "VoxelVolume": "volume_voxel_counting", "SurfaceArea": "surface_area_mesh"}
    own |= {"SurfaceVolumeRatio": "surface_to_volume_ratio"}
    assert len(rows) == 14
    for row in rows:
        snake = re.sub(r"(?<=[a-z])(?=[A-Z0-9])", "_", row["feature"].replace("DDiameter", "D_Diameter")).lower()
        name = own.get(row["feature"], snake)
        of_mesh = name in ("volume_mesh", "surface_area_mesh", "surface_to_volume_ratio", "sphericity")
        assert v[name] == pytest.approx(float(row["value"]), rel=1e-3 if of_mesh else 1e-9), name
    of_3_0_1 = {
        "brain1": (16147.51180013021, 6438.821603779402),
        "breast1": (124.09130483210153, 172.88707947619218),
    }
    assert (v["volume_mesh"], v["surface_area_mesh"]) == pytest.approx(of_3_0_1[case], rel=1e-12)
