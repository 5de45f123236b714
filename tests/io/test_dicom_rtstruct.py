"""DICOM contours: a sphere, holes, edges, and contours that do not belong to the image."""

import numpy as np
import pydicom
import pytest
from dicoms import AXIAL, OBLIQUE, PATIENT, SAGITTAL, save, write_rtstruct, write_series
from hypothesis import given
from hypothesis import strategies as st

from tumortrace.io import Image, ImageError
from tumortrace.io._dicom import read_series
from tumortrace.io._dicom_labels import read_dicom_labels
from tumortrace.io._dicom_rtstruct import fill, read_rtstruct

SHAPE, STEP, PIXEL = (7, 24, 26), 3.0, 0.8


@pytest.fixture(params=[AXIAL, SAGITTAL, OBLIQUE])
def image(request, tmp_path):
    write_series(
        tmp_path / "image",
        np.zeros(SHAPE, np.int16),
        STEP,
        (-4.0, 5.0, 6.0),
        request.param,
        (PIXEL, PIXEL),
    )
    return read_series(tmp_path / "image")


def points(image, k, rows, cols):
    """Points of slice `k` in millimetres."""
    index = np.stack([np.full(len(rows), float(k)), rows, cols])
    return (image.direction @ (np.array(image.spacing)[:, None] * index)).T + image.origin


def circle(image, k, radius, centre=(11.3, 12.6)):
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    return points(image, k, centre[0] + radius * np.sin(angle), centre[1] + radius * np.cos(angle))


def square(image, k, low, high):
    return points(image, k, np.array([low, low, high, high]), np.array([low, high, high, low]))


def inside_polygon(polygon, row, col):
    """The crossing test, one edge after the other."""
    odd = False
    for (r0, c0), (r1, c1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if (r0 <= row < r1 or r1 <= row < r0) and c0 + (row - r0) * (c1 - c0) / (r1 - r0) <= col:
            odd = not odd
    return odd


def test_sphere(tmp_path, image):
    radius = 8.0
    contours = []
    for k in range(SHAPE[0]):
        rest = radius**2 - ((k - 3) * STEP) ** 2
        if rest > 0:
            contours.append(circle(image, k, np.sqrt(rest) / PIXEL))
    labels = read_dicom_labels(write_rtstruct(tmp_path / "r.dcm", {"GTV": contours}), image=image)
    k, row, col = np.indices(SHAPE)
    distance = ((k - 3) * STEP) ** 2 + ((row - 11.3) * PIXEL) ** 2 + ((col - 12.6) * PIXEL) ** 2
    sure = np.abs(np.sqrt(distance) - radius) > 0.01
    np.testing.assert_array_equal(labels.mask("gtv")[sure], (distance < radius**2)[sure])
    assert sure.mean() > 0.99
    assert labels.spacing == image.spacing
    assert PATIENT not in repr(labels)


def test_holes_edges_and_keyholes(tmp_path, image):
    outer, inner = square(image, 2, 3.0, 13.0), square(image, 2, 6.0, 9.0)
    keyhole = np.concatenate([outer, outer[:1], inner, inner[:1]])
    expected = np.zeros(SHAPE, bool)
    expected[2, 3:13, 3:13] = True
    expected[2, 6:9, 6:9] = False
    for number, contours in enumerate(([outer, inner], [keyhole])):
        path = write_rtstruct(tmp_path / f"{number}.dcm", {"GTV": contours})
        np.testing.assert_array_equal(read_rtstruct(path, image).mask(), expected)


def test_regions_overlap_and_points_enclose_nothing(tmp_path, image):
    rois = {"a": [square(image, 1, 2.5, 8.5)], "b": [square(image, 1, 6.5, 12.5)], "none": []}
    labels = read_rtstruct(write_rtstruct(tmp_path / "r.dcm", rois), image)
    assert labels.rois() == [(1, "a"), (2, "b")]
    assert labels.mask("a").sum() == labels.mask("b").sum() == 36
    assert (labels.mask("a") & labels.mask("b")).sum() == 4
    path = write_rtstruct(tmp_path / "p.dcm", {"iso": [square(image, 1, 2.5, 2.5)[:1]]}, kind="POINT")
    assert read_rtstruct(path, image).rois() == []


def test_regions_counted_from_0(tmp_path, image):
    data = pydicom.dcmread(write_rtstruct(tmp_path / "r.dcm", {"GTV": [square(image, 1, 2.5, 8.5)]}))
    data.StructureSetROISequence[0].ROINumber = data.ROIContourSequence[0].ReferencedROINumber = 0
    labels = read_rtstruct(save(tmp_path / "r.dcm", data), image)
    assert labels.rois() == [(1, "GTV")]
    assert labels.mask("GTV").sum() == 36


def test_a_contour_may_leave_the_image(tmp_path, image):
    path = write_rtstruct(tmp_path / "r.dcm", {"body": [square(image, 1, -10.0, 50.0)]})
    assert read_rtstruct(path, image).mask().sum() == SHAPE[1] * SHAPE[2]


@pytest.mark.parametrize(("at", "off"), [(2.4, "1.2"), (-1.0, "3"), (9.0, "9")])
def test_contours_off_the_slices(tmp_path, image, at, off):
    path = write_rtstruct(tmp_path / "r.dcm", {"GTV": [square(image, at, 2.0, 8.0)]})
    with pytest.raises(ImageError, match=f"'GTV' lies {off} mm off the nearest slice"):
        read_rtstruct(path, image)


def test_contours_across_the_slices(tmp_path, image):
    across = points(image, 0, np.array([2.0, 2.0, 9.0]), np.array([2.0, 9.0, 9.0]))
    across[2] += image.direction[:, 0] * 2 * STEP
    with pytest.raises(ImageError, match="off the nearest slice"):
        read_rtstruct(write_rtstruct(tmp_path / "r.dcm", {"GTV": [across]}), image)


def test_what_is_needed(tmp_path, image):
    path = write_rtstruct(tmp_path / "r.dcm", {"GTV": [square(image, 1, 2.0, 8.0)]})
    with pytest.raises(ImageError, match="need the image"):
        read_dicom_labels(path)
    with pytest.raises(ImageError, match="does not say where it lies"):
        read_rtstruct(path, Image(np.zeros(SHAPE)))
    content = path.read_bytes()
    for length in (200, 500, 700, len(content) - 40, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(ImageError, match=r"r\.dcm"):
            read_dicom_labels(path, image=image)


@given(
    polygon=st.lists(st.tuples(st.integers(-4, 14), st.integers(-4, 14)), min_size=3, max_size=8),
    half=st.booleans(),
)
def test_fill_is_the_crossing_test(polygon, half):
    polygon = np.array(polygon) / (2 if half else 1)
    expected = [[inside_polygon(polygon, row, col) for col in range(9)] for row in range(8)]
    np.testing.assert_array_equal(fill([polygon], (8, 9)), expected)
