"""GLSZM and GLDZM: by hand, against the naive version, and by the values that IBSI and PyRadiomics published."""

import csv
import gzip
import json
import re

import naive_zones as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tumortrace.features import discretise, gldzm, gldzm_matrix, glszm, glszm_matrix
from tumortrace.features._border import border_distance
from tumortrace.features._nomenclature import TERMS
from tumortrace.features._region import shared
from tumortrace.features._zones import AGGREGATIONS, zones

SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 6))
IMAGES = SHAPES.flatmap(lambda shape: hnp.arrays(np.int64, shape, elements=st.integers(0, 2)))
# the middle of five rings of one level each lies three steps deep
RINGS = np.array([[0] * 5, [0, 1, 1, 1, 0], [0, 1, 2, 1, 0], [0, 1, 1, 1, 0], [0] * 5])


def drawn_mask(data, shape):
    return data.draw(hnp.arrays(bool, shape).filter(np.any), label="mask")


def test_sizes_by_hand():
    counts, sizes = glszm_matrix(RINGS, levels=3)
    assert sizes.tolist() == [1, 8, 16]
    assert counts[0].tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    v = glszm(RINGS, levels=3)
    assert v["zone_percentage"] == 3 / 25
    assert v["large_zone_emphasis"] == pytest.approx((1 + 64 + 256) / 3)
    assert v["low_grey_level_zone_emphasis"] == pytest.approx((1 + 1 / 4 + 1 / 9) / 3)
    assert v["large_zone_high_grey_level_emphasis"] == pytest.approx((256 + 4 * 64 + 9) / 3)
    assert v["zone_size_entropy"] == pytest.approx(np.log2(3))


def test_distances_by_hand():
    assert gldzm_matrix(RINGS, levels=3)[0].tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    v = gldzm(RINGS, levels=3)
    assert v["large_distance_emphasis"] == pytest.approx((1 + 4 + 9) / 3)
    assert v["zone_distance_variance"] == pytest.approx(2 / 3)
    stack = np.stack([RINGS] * 3)
    assert gldzm_matrix(stack, levels=3, aggregation="2.5d")[0].tolist() == [[3, 0, 0], [0, 3, 0], [0, 0, 3]]
    assert gldzm_matrix(stack, levels=3)[0].tolist() == [[1], [1], [1]]  # all reach the first slice
    assert gldzm_matrix(stack, levels=3, aggregation="2d").shape == (3, 3, 3)


def test_corners_connect_and_other_levels_do_not():
    assert glszm_matrix(np.eye(4), levels=2)[1].tolist() == [4, 12]
    corner = np.zeros((2, 2, 2))
    corner[0, 0, 0] = corner[1, 1, 1] = 1
    assert glszm_matrix(corner, levels=2)[1].tolist() == [2, 6]
    assert glszm_matrix(corner, levels=2, aggregation="2.5d")[1].tolist() == [1, 3]


@given(st.data())
def test_features_are_those_of_the_naive_version(data):
    image = data.draw(IMAGES, label="image")
    mask = drawn_mask(data, image.shape)
    aggregation = data.draw(st.sampled_from(AGGREGATIONS))
    grey = discretise(image, mask, levels=3)[0].astype(int)
    for extractor, measure in ((glszm, naive.size), (gldzm, naive.distance)):
        expected = naive.texture(grey, mask, aggregation, measure)
        found = extractor(image, mask, levels=3, aggregation=aggregation)
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@given(st.data())
def test_matrices_are_those_of_the_naive_version(data):
    image = data.draw(IMAGES, label="image")
    mask = drawn_mask(data, image.shape)
    aggregation = data.draw(st.sampled_from(["2.5d", "3d"]))
    grey = discretise(image, mask, levels=3)[0].astype(int)
    (part,) = naive.parts(grey, mask, aggregation)
    counts, sizes = glszm_matrix(image, mask, levels=3, aggregation=aggregation)
    of_distance = gldzm_matrix(image, mask, levels=3, aggregation=aggregation)
    expected, expected_of_distance = np.zeros_like(counts), np.zeros_like(of_distance)
    for level, size in naive.pairs(part, naive.size):
        expected[0, level - 1, sizes.tolist().index(size)] += 1
    for level, distance in naive.pairs(part, naive.distance):
        expected_of_distance[0, level - 1, distance - 1] += 1
    assert np.array_equal(counts, expected)
    assert np.array_equal(of_distance, expected_of_distance)
    assert counts.sum(axis=(0, 1)).all()
    assert of_distance[..., -1].any()


@given(SHAPES.flatmap(lambda shape: hnp.arrays(bool, shape, elements=st.sampled_from([True, True, False]))))
def test_depths_are_those_of_the_naive_version(inside):
    assert np.array_equal(border_distance(inside, False), naive.depths(inside))
    assert np.array_equal(border_distance(inside, True), [naive.depths(plane) for plane in inside])


def test_depths_are_those_of_scipy(rng):
    from scipy.ndimage import distance_transform_cdt

    inside = rng.random((9, 14, 17)) < 0.97
    expected = distance_transform_cdt(np.pad(inside, 1), "taxicab")[1:-1, 1:-1, 1:-1]
    assert expected.max() > 3
    assert np.array_equal(border_distance(inside, False), expected)


@pytest.mark.parametrize("levels", [2, 4])
def test_zones_are_those_of_scikit_image(rng, levels):
    from skimage.measure import label

    image = rng.integers(0, levels, (11, 12, 13))
    labels, n = label(image + 1, connectivity=3, return_num=True)
    counts, sizes = glszm_matrix(image, levels=levels)
    assert counts.sum() == n
    expected = np.bincount(labels.ravel())[1:]
    assert np.array_equal(np.repeat(sizes, counts.sum(axis=(0, 1))), np.sort(expected))


def test_border_of_the_morphological_mask(rng):
    image = rng.integers(0, 12, (5, 9, 10))
    whole = np.zeros(image.shape, bool)
    whole[:-1, 1:-1, 2:] = True
    mask = whole & (image < 11)
    mask[:, 7:] = False
    grey = discretise(image, mask, levels=11)[0].astype(int)
    for aggregation in AGGREGATIONS:
        found = gldzm(image, mask, levels=11, aggregation=aggregation, morphological_mask=whole)
        expected = naive.texture(grey, whole, aggregation, naive.distance)
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)
    assert found["large_distance_emphasis"] != gldzm(image, mask, levels=11)["large_distance_emphasis"]


def test_a_morphological_mask_holds_the_mask():
    image, mask = np.arange(12).reshape(3, 4), np.ones((3, 4), bool)
    part = mask.copy()
    part[1, 1] = False
    with pytest.raises(ValueError, match="morphological_mask leaves out pixels of mask"):
        gldzm(image, mask, morphological_mask=part)
    with pytest.raises(ValueError, match="morphological_mask leaves out pixels of mask"):
        gldzm(image, np.eye(3, 4), morphological_mask=np.eye(3, 4, k=1))
    with pytest.raises(ValueError, match=r"^morphological_mask is empty"):
        gldzm(image, mask, morphological_mask=~mask)


def test_zones_are_found_once_for_both(rng):
    image = rng.integers(0, 5, (3, 6, 7))
    arguments = (image, None, None, 4, None, "ibsi", False)
    with shared():
        glszm(image, levels=4)
        found = zones(*arguments)
        gldzm(image, levels=4)
        assert zones(*arguments) is found
    assert zones(*arguments) is not found


# what others published


def slug(feature):
    return re.sub(r"[^a-z0-9]+", "_", feature.lower().replace("'", "")).strip("_")


@pytest.fixture(scope="module")
def phantom(data_root):
    data = np.load(data_root / "ibsi" / "digital_phantom.npz")
    return data["image"], data["mask"]


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.parametrize(("extractor", "family"), [(glszm, "9SAK"), (gldzm, "VMDZ")])
def test_features_are_the_consensus_values(phantom, data_root, extractor, family, aggregation):
    with (data_root / "ibsi" / "digital_phantom_reference.csv").open() as file:
        rows = [
            r for r in csv.DictReader(file) if (r["family_code"], r["aggregation_slug"]) == (family, aggregation)
        ]
    v = extractor(*phantom, bin_width=1, aggregation=aggregation)
    assert v.names == tuple(slug(row["feature"]) for row in rows)
    for row in rows:
        assert not row["tolerance"]
        assert float(f"{v[slug(row['feature'])]:.3g}") == float(row["value"]), row["feature"]


@pytest.mark.parametrize(
    ("name", "aggregation"),
    [("size zone", "2d"), ("size zone", "3d"), ("distance zone", "2d"), ("distance zone", "3d")],
)
def test_matrices_are_the_printed_ones(phantom, data_root, name, aggregation):
    printed = json.loads((data_root / "ibsi" / "digital_phantom_matrices.json").read_text())
    tables = printed[f"Grey level {name} matrix ({aggregation.upper()})"]
    if name == "size zone":
        counts, values = glszm_matrix(*phantom, bin_width=1, aggregation=aggregation)
    else:
        counts = gldzm_matrix(*phantom, bin_width=1, aggregation=aggregation)
        values = np.arange(1, counts.shape[2] + 1)
    assert len(tables) == len(counts)
    for table, ours in zip(tables, counts, strict=True):
        expected = {(float(i), float(j)): float(n) for i, j, n in table["rows"]}
        assert {(i + 1, values[j]): ours[i, j] for i, j in np.argwhere(ours)} == expected


def nrrd(path):
    head, _, body = path.read_bytes().partition(b"\n\n")
    fields = dict(line.split(": ", 1) for line in head.decode().splitlines() if ": " in line)
    sizes = [int(size) for size in fields["sizes"].split()]
    return np.frombuffer(gzip.decompress(body), {"short": "<i2", "int": "<i4"}[fields["type"]]).reshape(sizes[::-1])


@pytest.mark.parametrize("case", ["brain1", "breast1"])
@pytest.mark.parametrize(
    ("variant", "parameters"),
    [
        ("plain", {"bin_width": 25}),
        ("2d", {"bin_width": 25, "aggregation": "2.5d"}),
        ("FBN", {"levels": 64}),
        ("flatRegion", {"bin_width": 5000}),
    ],
)
def test_features_are_those_of_pyradiomics(data_root, case, variant, parameters):
    folder = data_root / "volumes"
    image, mask = nrrd(folder / f"{case}_image.nrrd"), nrrd(folder / f"{case}_label.nrrd") == 1
    v = glszm(image, mask, first_edge="pyradiomics", **parameters)
    with (folder / "pyradiomics_reference.csv").open() as file:
        rows = [
            r for r in csv.DictReader(file) if (r["class"], r["case"], r["variant"]) == ("glszm", case, variant)
        ]
    theirs = {row["feature"]: float(row["value"]) for row in rows}
    assert len(theirs) == 16
    assert {TERMS["glszm"][name].pyradiomics: value for name, value in v.items()} == pytest.approx(theirs, rel=1e-9)
