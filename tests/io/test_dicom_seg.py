"""DICOM segmentations: a sphere in every encoding, on its own grid and on that of its image."""

import numpy as np
import pydicom
import pytest
from dicoms import AXIAL, OBLIQUE, PATIENT, positions, write_seg, write_series
from hypothesis import given
from hypothesis import strategies as st

from tumortrace.io import ImageError
from tumortrace.io._dicom import read_series
from tumortrace.io._dicom_labels import read_dicom_labels
from tumortrace.io._dicom_seg import read_seg

SHAPE = (9, 11, 12)


def ball(centre, radius, shape=SHAPE, spacing=(2.0, 1.0, 1.0)):
    k, row, col = np.indices(shape)
    distance = [(axis - c) * s for axis, c, s in zip((k, row, col), centre, spacing, strict=True)]
    return sum(d**2 for d in distance) <= radius**2


def frames(segment, inside, orientation=AXIAL, origin=(0, 0, 0), value=1):
    """The slices of a region that are not empty, as segmentations store them."""
    places = positions(len(inside), 2.0, origin, orientation)
    return [
        (segment, places[k], inside[k] * value if value != 1 else inside[k])
        for k in range(len(inside))
        if inside[k].any()
    ]


@pytest.fixture
def image(tmp_path):
    write_series(tmp_path / "image", np.zeros(SHAPE, np.int16), origin=(-4.0, 5.0, 6.0), orientation=OBLIQUE)
    return read_series(tmp_path / "image")


def test_sphere_on_the_grid_of_the_image(tmp_path, image):
    inside = ball((4, 5, 6), 4.2)
    path = write_seg(tmp_path / "s.dcm", frames(1, inside, OBLIQUE, (-4.0, 5.0, 6.0)), orientation=OBLIQUE)
    labels = read_dicom_labels(path, image=image)
    assert labels.rois() == [(1, "tumour")]
    np.testing.assert_array_equal(labels.mask("tumour"), inside)
    assert (labels.spacing, labels.origin) == (image.spacing, image.origin)
    assert PATIENT not in repr(labels)


def test_sphere_on_its_own_grid(tmp_path):
    inside = ball((4, 5, 6), 4.2)
    path = write_seg(tmp_path / "s.dcm", frames(1, inside)[::-1])
    labels = read_seg(path)
    slices = np.flatnonzero(inside.any(axis=(1, 2)))
    np.testing.assert_array_equal(labels.mask(), inside[slices[0] : slices[-1] + 1])
    assert labels.origin == (0, 0, 2.0 * slices[0])
    assert labels.spacing == (2.0, 1.0, 1.0)


def test_slices_left_out_are_empty(tmp_path):
    inside = ball((1, 5, 6), 1.5) | ball((7, 5, 6), 1.5)
    labels = read_seg(write_seg(tmp_path / "s.dcm", frames(1, inside)))
    np.testing.assert_array_equal(labels.mask(), inside[1:8])


def test_segments_that_overlap(tmp_path):
    one, two, three = ball((4, 5, 4), 3), ball((4, 5, 6), 3), ball((7, 9, 9), 1.5)
    stored = [*frames(1, one), *frames(2, two), *frames(3, three)]
    labels = read_seg(write_seg(tmp_path / "s.dcm", stored, names=("core", "rim", "")))
    assert labels.array.ndim == 4
    assert len(labels.array) == 2
    first = int(np.flatnonzero((one | two | three).any(axis=(1, 2)))[0])
    for name, inside in (("core", one), ("rim", two), (3, three)):
        np.testing.assert_array_equal(labels.mask(name), inside[first : first + labels.array.shape[1]])


def test_fractional_is_cut_at_half(tmp_path):
    inside = ball((4, 5, 6), 4.2)
    pixels = np.where(inside, 128, 127).astype(np.uint8)
    stored = [(1, place, pixels[k]) for k, place in enumerate(positions(9, 2.0))]
    labels = read_seg(write_seg(tmp_path / "s.dcm", stored, kind="FRACTIONAL"))
    slices = np.flatnonzero(inside.any(axis=(1, 2)))
    np.testing.assert_array_equal(labels.mask(), inside)
    assert len(slices) < 9


def test_label_map(tmp_path):
    one, two = ball((4, 5, 3), 2), ball((4, 5, 8), 2)
    pixels = (one + 2 * two).astype(np.uint8)
    stored = [(None, place, pixels[k]) for k, place in enumerate(positions(9, 2.0))]
    labels = read_seg(write_seg(tmp_path / "s.dcm", stored, names=("a", "b"), kind="LABELMAP"))
    np.testing.assert_array_equal(labels.array, pixels)
    assert labels.names == {1: "a", 2: "b"}


def test_other_voxels_than_the_image(tmp_path, image):
    path = write_seg(tmp_path / "s.dcm", frames(1, ball((4, 5, 6), 4.2)))
    assert read_seg(path, image=image).origin == read_seg(path).origin != image.origin


def test_part_of_the_image(tmp_path):
    write_series(tmp_path / "image", np.zeros(SHAPE, np.int16))
    image = read_series(tmp_path / "image")
    inside = ball((4, 5, 6), 3)
    cut = inside[:, 1:10, 2:11]
    path = write_seg(tmp_path / "s.dcm", frames(1, cut, origin=(2.0, 1.0, 0.0)))
    np.testing.assert_array_equal(read_seg(path, image=image).mask(), inside)


def test_from_highdicom(tmp_path):
    """A segmentation that another library wrote."""
    hd = pytest.importorskip("highdicom")
    from pydicom.sr.codedict import codes

    empty = dict.fromkeys(("AccessionNumber", "PatientSex", "StudyTime", "StudyID"), "")
    paths = write_series(tmp_path / "image", np.zeros(SHAPE, np.int16), SliceThickness=2.0, **empty)
    source = [pydicom.dcmread(path) for path in paths]
    inside = ball((4, 5, 6), 4.2)
    segment = hd.seg.SegmentDescription(
        segment_number=1,
        segment_label="lesion",
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Lesion,
        algorithm_type="MANUAL",
    )
    made = hd.seg.Segmentation(
        source, inside, "BINARY", [segment], hd.UID(), 100, hd.UID(), 1, "maker", "model", "1", "0"
    )
    made.save_as(tmp_path / "s.dcm")
    labels = read_seg(tmp_path / "s.dcm", image=read_series(tmp_path / "image"))
    np.testing.assert_array_equal(labels.mask("lesion"), inside)


def test_refused(tmp_path, image):
    path = write_series(tmp_path / "more", np.zeros((1, 4, 4), np.int16))[0]
    with pytest.raises(ImageError, match="modality MR; give a segmentation"):
        read_dicom_labels(path)
    with pytest.raises(ImageError, match="no segmentation"):
        read_seg(path)
    path = write_seg(tmp_path / "s.dcm", frames(1, ball((4, 5, 6), 4.2)))
    with pytest.raises(ImageError, match="more than the 10 allowed"):
        read_seg(path, max_voxels=10)
    places = [(0, 0, 0), (0, 0, 2.0), (0, 0, 5.1)]
    stored = [(1, place, np.ones((4, 4), bool)) for place in places]
    with pytest.raises(ImageError, match="at multiples of 2 mm"):
        read_seg(write_seg(tmp_path / "u.dcm", stored))


@pytest.fixture(scope="module")
def one_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("cut") / "s.dcm"
    write_seg(path, frames(1, ball((4, 5, 6), 4.2)))
    return path, path.read_bytes()


@given(data=st.data())
def test_cut_short_anywhere(one_file, data):
    path, content = one_file
    cut = path.with_name("cut.dcm")
    cut.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(ImageError, match=r"cut\.dcm"):
        read_dicom_labels(cut)
