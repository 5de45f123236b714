"""Derived masks: distances in millimetres by brute force, what is empty, and entries of the settings."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tumortrace.regions import (
    DIFFERENCES,
    REGIONS,
    body,
    contralateral,
    core,
    derive,
    label,
    left_right,
    lesion,
    parse,
    rim,
    ring,
)

masks = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=3, max_side=6))
AXIAL = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]])


def distances(mask, spacing):
    """Of every voxel to the nearest one of the mask, by trying all."""
    centres = np.argwhere(np.ones(mask.shape, dtype=bool)) * spacing
    inside = np.argwhere(mask) * spacing
    if not len(inside):
        return np.full(mask.shape, np.inf)
    return np.linalg.norm(centres[:, np.newaxis] - inside, axis=2).min(axis=1).reshape(mask.shape)


def or_empty(function, mask, **parameters):
    try:
        return function(mask, **parameters)
    except ValueError as error:
        if "is empty" not in str(error):
            raise
        return np.zeros(mask.shape, dtype=bool)


@given(masks, st.sampled_from([(1, 1, 1), (2.5, 0.7, 0.7), (0.3, 0.3, 0.3)]), st.sampled_from([0.6, 1, 2.1, 3]))
def test_distances_are_those_between_centres(mask, spacing, width):
    if not mask.any():
        return
    spacing = spacing[: mask.ndim]
    depth, away = distances(~mask, spacing), distances(mask, spacing)
    near = width * (1 + 1e-9)
    border = or_empty(rim, mask, spacing=spacing, width=width)
    np.testing.assert_array_equal(border, mask & (depth <= near))
    np.testing.assert_array_equal(or_empty(core, mask, spacing=spacing, width=width), mask & (depth > near))
    around = or_empty(ring, mask, spacing=spacing, width=width)
    np.testing.assert_array_equal(around, ~mask & (away <= near))
    apart = or_empty(ring, mask, spacing=spacing, width=width, gap=0.9)
    np.testing.assert_array_equal(apart, (away > 0.9 * (1 + 1e-9)) & (away <= (0.9 + width) * (1 + 1e-9)))


def test_a_ring_is_as_wide_in_millimetres_in_every_direction():
    mask = np.zeros((21, 61, 61), dtype=bool)
    mask[10, 30, 30] = True
    around = ring(mask, spacing=(3, 1, 1), width=9)
    assert np.flatnonzero(around[:, 30, 30]).tolist() == [7, 8, 9, 11, 12, 13]
    assert np.flatnonzero(around[10, 30]).tolist() == [*range(21, 30), *range(31, 40)]
    ball = 4 / 3 * np.pi * 9**3 / 3
    assert around.sum() == pytest.approx(ball, rel=0.03)
    assert not (around & mask).any()


def test_rim_and_core_make_the_lesion():
    mask = np.zeros((9, 9), dtype=np.uint8)
    mask[2:7, 2:7] = 3
    border, inner = (f(mask, width=1) for f in (rim, core))
    assert border.sum() == 16
    assert inner.sum() == 9
    np.testing.assert_array_equal(border ^ inner, lesion(mask))
    assert rim(mask, spacing=(0.5, 0.5), width=1).sum() == 24


def test_rings_stay_in_the_image_and_the_body():
    mask = np.zeros((5, 8), dtype=bool)
    mask[1:3, 0:2] = True
    around = ring(mask, width=2)
    assert around[:, 4:].sum() == 0
    assert around[0, 0]
    inside = np.zeros(mask.shape)
    inside[:, :3] = 1
    np.testing.assert_array_equal(ring(mask, width=2, body=inside), around & (inside > 0))


@pytest.mark.parametrize(
    ("function", "parameters", "message"),
    [
        (rim, {"width": 0.5}, "the rim of 0.5 mm is empty: no voxel of the mask is so near"),
        (core, {"width": 3}, "the core inside 3 mm is empty: every voxel of the mask belongs to the rim"),
        (ring, {"width": 0.5}, "the ring of 0.5 mm is empty: no voxel of the image outside the mask"),
        (ring, {"width": 1, "body": np.zeros((5, 6))}, "the ring of 1 mm is empty: none of it lies in the body"),
        (contralateral, {"axis": 1, "plane": 7}, "about 7 along axis 1 is empty: it lies outside the image"),
        (contralateral, {"axis": 0}, "the mask lies across the mid-plane and mirrors onto itself"),
        (
            contralateral,
            {"axis": 1, "body": np.repeat([1, 0], (6, 24)).reshape(5, 6)},
            "none of it lies in the body",
        ),
        (contralateral, {"axis": 1, "body": np.zeros((5, 6))}, "body is empty"),
        (contralateral, {}, "the image has no direction; say by axis"),
        (contralateral, {"axis": 2}, "axis is 2; give a whole number from 0 to 1"),
        (rim, {"width": 0}, "width is 0; give a number above 0"),
        (ring, {"width": 1, "gap": -1}, "gap is -1"),
        (ring, {"width": 1, "spacing": (1, 1, 1)}, "spacing is"),
        (ring, {"width": 1, "body": np.zeros((5, 5))}, r"body has shape \(5, 5\); give the shape of the mask"),
    ],
)
def test_empty_regions_say_why(function, parameters, message):
    mask = np.zeros((5, 6), dtype=bool)
    mask[1:4, :2] = True
    with pytest.raises(ValueError, match=message):
        function(mask, **parameters)


def test_masks_are_checked():
    with pytest.raises(ValueError, match="mask is empty: no pixel is inside"):
        rim(np.zeros((3, 3)), width=1)
    with pytest.raises(ValueError, match="mask has 1 dimensions"):
        ring([0, 1], width=1)
    with pytest.raises(ValueError, match="the rim of 2 mm is empty"):
        rim(np.ones((4, 4)), width=2)
    assert core(np.ones((4, 4)), width=2).all()


def test_the_other_side():
    mask = np.zeros((2, 3, 9), dtype=bool)
    mask[0, 1, 1:3] = True
    other = contralateral(mask, direction=AXIAL)
    assert np.argwhere(other).tolist() == [[0, 1, 6], [0, 1, 7]]
    whole = np.zeros(mask.shape, dtype=bool)
    whole[:, :, 0:7] = True  # the middle is voxel 3
    assert np.argwhere(contralateral(mask, axis=2, body=whole)).tolist() == [[0, 1, 4], [0, 1, 5]]
    assert np.argwhere(contralateral(mask, axis=2, plane=2.5)).tolist() == [[0, 1, 3], [0, 1, 4]]
    assert np.argwhere(contralateral(mask, axis=2, plane=2)).tolist() == [[0, 1, 3]]  # 2 mirrors onto itself
    assert np.argwhere(contralateral(mask, axis=2, plane=0.5)).tolist() == [[0, 1, 0]]  # the rest is outside


def test_left_and_right_come_from_the_direction():
    assert left_right(AXIAL) == left_right(-AXIAL) == 2
    sagittal = np.array([[-1, 0, 0], [0, 0, 1], [0, -1, 0]])
    assert left_right(sagittal) == 0
    turn = np.deg2rad(20)
    turned = [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    assert left_right(turned @ AXIAL) == 2
    turn = np.deg2rad(40)
    turned = [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    with pytest.raises(ValueError, match="within 30° of left and right"):
        left_right(turned @ AXIAL)
    with pytest.raises(ValueError, match=r"direction has shape \(2, 2\)"):
        left_right(np.eye(2))


def test_the_body_is_the_largest_bright_part_without_holes(rng):
    y, x = np.mgrid[:60, :80]
    disc = np.hypot(y - 30, x - 38) < 22
    scan = rng.normal(10, 3, (3, 60, 80)) + 100 * disc
    scan[:, 28:34, 30:40] = 8  # a lung
    scan[:, 2:5, 70:76] = 150  # a marker
    np.testing.assert_array_equal(body(scan), np.tile(disc, (3, 1, 1)))
    np.testing.assert_array_equal(body(scan[0]), disc)
    np.testing.assert_array_equal(body((scan - 1000).astype(np.int16)), np.tile(disc, (3, 1, 1)))
    with pytest.raises(ValueError, match="the image is constant"):
        body(np.ones((4, 4)))


def test_every_region_is_a_mask_of_the_same_shape():
    mask = np.zeros((4, 7, 12), dtype=bool)
    mask[1:3, 2:5, 1:4] = True
    entries = ["lesion", {"rim": {"width": 2}}, {"core": {"width": 1}}, {"ring": {"width": [1, 5], "gap": 1}}]
    entries += ["contralateral", "versus_contralateral"]
    found = [region for entry in entries for region in parse(entry)]
    assert {region.name for region in found} == set(REGIONS)
    for region in found:
        derived = derive(region, mask, spacing=(2, 1, 1), direction=AXIAL, body=np.ones(mask.shape))
        assert derived.shape == mask.shape
        assert derived.dtype == bool
        assert derived.any()
    np.testing.assert_array_equal(derive(found[0], mask), mask)
    np.testing.assert_array_equal(derive(found[-1], mask, direction=AXIAL), mask[:, :, ::-1])
    assert found[-1].name in DIFFERENCES
    with pytest.raises(ValueError, match="the image has no direction"):
        derive(found[-1], mask)


def test_labels_are_column_names_and_differ_where_regions_do():
    entries = [
        "lesion",
        {"rim": {"width": [1, 2.5, 10]}},
        {"core": {"width": [1, 2]}},
        {"ring": {"width": [2, 5], "gap": [0, 1, 0.5]}},
        {"contralateral": {"axis": [None, 1], "plane": [None, 12.5]}},
        "versus_contralateral",
    ]
    labels = [label(*region) for entry in entries for region in parse(entry)]
    assert len(set(labels)) == len(labels) == 17
    assert {"lesion", "rim_2_5mm", "ring_5mm", "ring_5mm_gap_1mm", "contralateral"} <= set(labels)
    assert all(re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", text) for text in labels)
    with pytest.raises(ValueError, match="unknown region"):
        label("shell", {})


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("rings", r"unknown region: rings \(did you mean ring\?\); valid: lesion, rim, core, ring, contralateral"),
        ("ring", "region ring needs width"),
        ({"ring": {"widht": 2}}, r"unknown parameter of ring: widht \(did you mean width\?\); valid: width, gap"),
        ({"ring": {"width": 2, "body": 1}}, "unknown parameter of ring: body"),
        ({"ring": {"width": [2, -1]}}, "region ring: width is -1"),
        ({"ring": {"width": 2, "gap": "much"}}, "region ring: gap is 'much'"),
        ({"contralateral": {"axis": 3}}, "region contralateral: axis is 3"),
        ({"contralateral": {"plane": "middle"}}, "region contralateral: plane is 'middle'"),
        ({"contralateral": 2}, "give a name, or one name with its parameters"),
        ({"lesion": {"width": 2}}, "unknown parameter of lesion: width; valid: none"),
    ],
)
def test_entries_that_are_wrong(entry, message):
    with pytest.raises(ValueError, match=message):
        parse(entry)
