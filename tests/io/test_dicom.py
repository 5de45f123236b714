"""DICOM series: geometry and values of what is a volume, and a reason for everything that is none."""

import numpy as np
import pydicom
import pytest
from dicoms import (
    AXIAL,
    CORONAL,
    OBLIQUE,
    PATIENT,
    SAGITTAL,
    ct,
    dataset,
    normal,
    positions,
    put_pixels,
    save,
    write_multiframe,
    write_series,
    write_slice,
)
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import RLELossless

from tumortrace.io import ImageError
from tumortrace.io._dicom import list_series, read_series


@pytest.fixture
def volume(rng):
    return rng.integers(0, 4000, (5, 6, 7)).astype(np.uint16)


def refused(path, message, **options):
    with pytest.raises(ImageError, match=message) as caught:
        read_series(path, **options)
    assert PATIENT not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("orientation", [AXIAL, SAGITTAL, CORONAL, OBLIQUE])
def test_geometry(tmp_path, volume, orientation):
    write_series(tmp_path, volume, 2.5, (-10.5, 20.25, 3.0), orientation, (0.5, 0.75), SliceThickness=9.0)
    image = read_series(tmp_path)
    np.testing.assert_array_equal(image.array, volume)
    assert image.array.dtype == np.uint16
    np.testing.assert_allclose(image.spacing, (2.5, 0.5, 0.75), atol=1e-6)
    for index in [(0, 0, 0), (4, 5, 6), (2, 0, 3)]:
        k, row, col = index
        expected = np.array(positions(5, 2.5, (-10.5, 20.25, 3.0), orientation)[k])
        expected = expected + row * 0.5 * np.array(orientation[3:]) + col * 0.75 * np.array(orientation[:3])
        found = image.origin + image.direction @ (np.array(image.spacing) * index)
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_order_is_that_of_the_normal_not_of_the_names(tmp_path, volume):
    write_series(tmp_path, volume[::-1], -2.0, (0, 0, 8.0))
    image = read_series(tmp_path)
    np.testing.assert_array_equal(image.array, volume)
    assert image.origin == (0, 0, 0)


def test_folders_names_and_other_files(tmp_path, volume):
    folder = tmp_path / "Ärzte 日本 (1)"
    write_series(folder / "sub folder", volume[:2], name="IM{:04}")
    write_series(folder, volume[2:], origin=(0, 0, 4.0), name="1.2.{}")
    (folder / "notes.txt").write_text("no image")
    (folder / "DICOMDIR").write_bytes(b"")
    save(folder / "report.dcm", dataset("1.2.840.10008.5.1.4.1.1.88.11", Modality="SR"))
    np.testing.assert_array_equal(read_series(folder).array, volume)


def test_slope_and_intercept(tmp_path, volume):
    write_series(tmp_path / "ct", volume, **ct(BitsStored=12, HighBit=11))
    image = read_series(tmp_path / "ct")
    assert image.array.dtype == np.int16
    np.testing.assert_array_equal(image.array, volume.astype(int) - 1024)
    write_series(tmp_path / "wide", volume, **ct())
    assert read_series(tmp_path / "wide").array.dtype == np.int32
    write_series(tmp_path / "half", volume, **ct(RescaleSlope=0.5))
    np.testing.assert_array_equal(read_series(tmp_path / "half").array, volume * 0.5 - 1024)
    slopes = [1.0, 2.0, 3.0, 4.0, 5.0]
    write_series(tmp_path / "pet", volume, RescaleSlope=slopes, RescaleIntercept=0)
    image = read_series(tmp_path / "pet")
    assert image.array.dtype == np.float64
    np.testing.assert_array_equal(image.array, volume * np.reshape(slopes, (5, 1, 1)))


def test_signed_and_8_bits(tmp_path, volume):
    write_series(tmp_path / "signed", (volume.astype(np.int16) - 2000))
    np.testing.assert_array_equal(read_series(tmp_path / "signed").array, volume.astype(int) - 2000)
    write_series(tmp_path / "bytes", volume[:, :5].astype(np.uint8))  # 35 pixels: a byte of padding
    np.testing.assert_array_equal(read_series(tmp_path / "bytes").array, volume[:, :5].astype(np.uint8))


def test_unused_bits_are_not_read(tmp_path):
    pixels = np.arange(42, dtype=np.uint16).reshape(6, 7)
    write_slice(tmp_path / "a.dcm", pixels | 0xF000, BitsStored=12, HighBit=11, SliceThickness=2.0)
    np.testing.assert_array_equal(read_series(tmp_path / "a.dcm").array[0], pixels)


def test_numbers_longer_than_the_standard_allows(tmp_path, volume):
    """Many programs write them; a warning would be an error here."""
    with pydicom.config.disable_value_validation():
        write_slice(tmp_path / "a.dcm", volume[0], PixelSpacing=("0.123456789012345678", "1"), SliceThickness=2.0)
    assert read_series(tmp_path).spacing == (2.0, 0.123456789012345678, 1.0)


def test_single_slice_has_the_thickness_of_its_header(tmp_path, volume):
    path = write_slice(tmp_path / "a.dcm", volume[0], SliceThickness=4.0)
    assert read_series(path).spacing == (4.0, 1.0, 1.0)
    path = write_slice(tmp_path / "b.dcm", volume[0], SliceThickness=4.0, SpacingBetweenSlices=5.0)
    assert read_series(path).spacing == (5.0, 1.0, 1.0)
    refused(write_slice(tmp_path / "c.dcm", volume[0]), "single slice")


def test_multiframe(tmp_path, volume):
    places = positions(5, 3.0, (1.0, 2.0, 3.0), OBLIQUE)
    slopes = [
        {"PixelValueTransformationSequence": {"RescaleSlope": s, "RescaleIntercept": 1.0}} for s in range(1, 6)
    ]
    path = write_multiframe(
        tmp_path / "a.dcm", volume[::-1], places[::-1], orientation=OBLIQUE, per_frame=slopes[::-1]
    )
    image = read_series(path)
    np.testing.assert_array_equal(image.array, volume * np.reshape(range(1, 6), (5, 1, 1)) + 1.0)
    np.testing.assert_allclose(image.spacing, (3.0, 1.0, 1.0), atol=1e-6)
    path = write_multiframe(tmp_path / "b.dcm", volume, places, PerFrameFunctionalGroupsSequence=None)
    refused(path, "5 frames and does not say where")
    data = pydicom.dcmread(write_multiframe(tmp_path / "c.dcm", volume, places))
    data.PerFrameFunctionalGroupsSequence = data.PerFrameFunctionalGroupsSequence[:4]
    refused(save(tmp_path / "c.dcm", data), "holds 5 frames, and where 4")


def test_list_series(tmp_path, volume):
    write_series(tmp_path / "a", volume, SeriesDescription=f"T1 {PATIENT}")
    write_series(tmp_path / "b", volume[:3, :4], SeriesInstanceUID="1.2.3", SeriesNumber=7)
    first, second = list_series(tmp_path)
    assert (first.number, second.number, first.shape, second.shape) == (3, 7, (6, 7), (4, 7))
    assert (len(first.files), len(second.files)) == (5, 3)
    assert PATIENT not in repr([first, second])
    assert "1.2" not in repr([first, second])
    refused(tmp_path, "holds 2 series: .*number 3.*number 7")
    for series in (7, "7", "1.2.3", second.key):
        assert read_series(tmp_path, series=series).array.shape == (3, 4, 7)
    refused(tmp_path, "has no series 9", series=9)


@pytest.mark.parametrize(
    ("odd", "word"),
    [
        ({"PixelSpacing": (1.0, 1.5)}, "spacing"),
        ({"ImageOrientationPatient": SAGITTAL}, "orientation"),
        ({"FrameOfReferenceUID": "1.2.4"}, "frame of reference"),
        ({"EchoTime": 4.5}, "EchoTime"),
        ({"ImageType": ("DERIVED", "PRIMARY", "P")}, "ImageType"),
    ],
)
def test_one_uid_is_not_one_volume(tmp_path, volume, odd, word):
    write_series(tmp_path, volume)
    write_slice(tmp_path / "z.dcm", volume[0], (0, 0, 10.0), **odd)
    refused(tmp_path, f"2 series under one series UID, which differ in {word}")
    key = next(series.key for series in list_series(tmp_path) if len(series.files) == 5)
    np.testing.assert_array_equal(read_series(tmp_path, series=key).array, volume)


def test_mixed_shapes(tmp_path, volume):
    write_series(tmp_path, volume)
    write_slice(tmp_path / "z.dcm", volume[0, :4], (0, 0, 10.0))
    refused(tmp_path, "differ in size")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"PhotometricInterpretation": "MONOCHROME1"}, "MONOCHROME1"),
        ({"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3}, "in colour"),
        ({"ImageType": ("ORIGINAL", "PRIMARY", "LOCALIZER")}, "localizer"),
        ({"ImagePositionPatient": None}, "no ImagePositionPatient"),
        ({"PixelSpacing": None}, "no PixelSpacing"),
        ({"PixelSpacing": (0.0, 1.0)}, "PixelSpacing"),
        ({"ImageOrientationPatient": (1, 0, 0, 1, 0, 0)}, "perpendicular"),
        ({"ImagePositionPatient": (0.0, 1.0)}, "3 finite numbers"),
        ({"RescaleSlope": 0}, "RescaleSlope"),
        ({"Rows": 65535, "Columns": 65535}, "need 8,589,672,450 bytes"),
        ({"Rows": 0}, "both must be above 0"),
        ({"Rows": 5}, "does not fit its header"),
        ({"PixelData": None}, "no pixel data"),
        ({"BitsStored": 17}, "17 bits"),
        ({"Rows": None}, "no Rows"),
    ],
)
def test_refused_slices(tmp_path, volume, change, message):
    path = write_slice(tmp_path / "a.dcm", volume[0], SliceThickness=1.0, SeriesDescription="x" * 60, **change)
    refused(path, message)


def test_a_deflated_file_is_refused_before_it_is_inflated(tmp_path, volume):
    path = write_slice(tmp_path / "a.dcm", volume[0], SliceThickness=1.0)
    data = pydicom.dcmread(path)
    data.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    data.save_as(path)
    refused(path, r"is deflated \(transfer syntax 1.2.840.10008.1.2.1.99\); save it with another")


def test_no_regular_volume(tmp_path, volume):
    write_series(tmp_path, volume)
    (tmp_path / "002.dcm").unlink()
    refused(tmp_path, r"a slice is missing: slices are 2 mm apart, but 4 mm between 001.dcm and 003.dcm")
    write_slice(tmp_path / "002.dcm", volume[2], (0, 0, 4.5))
    refused(tmp_path, r"varies from 1.5 to 2.5 mm")
    write_slice(tmp_path / "002.dcm", volume[2], (0, 0.5, 4.0))
    refused(tmp_path, r"shifted against each other by up to 0.5 mm")
    write_slice(tmp_path / "002.dcm", volume[2], (0, 0, 4.0))
    write_slice(tmp_path / "copy.dcm", volume[2], (0, 0, 4.0))
    refused(tmp_path, r"2 images lie at the same place \(place 3 of 5\): 002.dcm, copy.dcm")


def test_tilted_gantry(tmp_path, volume):
    for k, pixels in enumerate(volume):
        write_slice(tmp_path / f"{k}.dcm", pixels, (0, 0.4 * k, 2.0 * k))
    refused(tmp_path, r"11.3 degrees.*tilted gantry")


def test_what_is_no_dicom(tmp_path):
    refused(tmp_path / "none", "does not exist")
    refused(tmp_path, "holds no DICOM image")
    (tmp_path / "a.dcm").write_bytes(b"GIF89a" * 40)
    refused(tmp_path / "a.dcm", "is no DICOM file")
    with pytest.raises(ImageError, match=r"a.dcm: is no DICOM file"):
        read_series(tmp_path)


def test_nothing_of_the_patient_is_returned_or_logged(tmp_path, volume, caplog):
    write_series(tmp_path, volume, SeriesDescription=PATIENT)
    image = read_series(tmp_path)
    write_slice(tmp_path / "z.dcm", volume[0], (0, 0, 99.0))
    with pytest.raises(ImageError) as caught:
        read_series(tmp_path)
    for text in (repr(image), repr(list_series(tmp_path)), str(caught.value), caplog.text):
        for secret in (PATIENT, "4711", "19600229", "20200101", "1.2.826"):
            assert secret not in text.replace(str(tmp_path), "")


def test_voxels_are_counted_before_they_are_read(tmp_path, volume):
    write_series(tmp_path, volume)
    refused(tmp_path, "more than the 100 allowed", max_voxels=100)


def test_compression(tmp_path, volume):
    paths = write_series(tmp_path, volume)
    for path in paths:
        data = pydicom.dcmread(path)
        data.compress(RLELossless)
        data.save_as(path)
    np.testing.assert_array_equal(read_series(tmp_path).array, volume)
    data = pydicom.dcmread(paths[0])
    data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.100"
    data.save_as(paths[0])
    with pytest.raises(ImageError, match=r"000.dcm: is compressed \(MPEG2.*no decoder"):
        read_series(tmp_path)


@pytest.fixture(scope="module")
def one_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("cut") / "a.dcm"
    pixels = np.arange(42, dtype=np.int16).reshape(6, 7)
    write_slice(path, pixels, SliceThickness=2.0, RescaleSlope=2, RescaleIntercept=-5)
    return path, path.read_bytes()


@given(data=st.data())
def test_cut_short_anywhere(one_file, data):
    path, content = one_file
    cut = path.with_name("cut.dcm")
    cut.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(ImageError, match=r"cut\.dcm"):
        read_series(cut)


def test_a_slice_cut_short_fails_the_folder(tmp_path, volume):
    last = write_series(tmp_path, volume)[-1]
    content = last.read_bytes()
    for length in (0, 60, 140, 400, 700, len(content) - 1):
        last.write_bytes(content[:length])
        with pytest.raises(ImageError, match=r"004\.dcm"):
            read_series(tmp_path)


@given(
    step=st.floats(0.1, 10),
    noise=st.lists(st.floats(-0.02, 0.02), min_size=4, max_size=4),
    orientation=st.sampled_from([AXIAL, SAGITTAL, OBLIQUE]),
)
def test_agrees_with_highdicom(tmp_path_factory, step, noise, orientation):
    spatial = pytest.importorskip("highdicom.spatial")
    folder = tmp_path_factory.mktemp("hd")
    places = [tuple(round(float(v), 7) for v in (k + e) * step * normal(orientation)) for k, e in enumerate(noise)]
    for k, place in enumerate(places):
        data = dataset(
            ImagePositionPatient=place,
            ImageOrientationPatient=orientation,
            PixelSpacing=(1.0, 1.0),
            ImageType=("ORIGINAL", "PRIMARY"),
        )
        put_pixels(data, np.full((2, 2), k, np.uint8))
        save(folder / f"{k}.dcm", data)
    spacing, _ = spatial.get_volume_positions(places, orientation)
    if spacing is None:
        refused(folder, "varies|missing")
    else:
        assert read_series(folder).spacing[0] == pytest.approx(spacing, rel=1e-9)


@given(data=st.data())
def test_a_damaged_byte_is_refused_or_harmless(one_file, data):
    path, content = one_file
    at = data.draw(st.integers(128, len(content) - 85))  # before the pixels
    damaged = bytearray(content)
    damaged[at] ^= data.draw(st.integers(1, 255))
    other = path.with_name("other.dcm")
    other.write_bytes(damaged)
    try:
        image = read_series(other)
    except ImageError as error:
        assert other.name in str(error)  # noqa: PT017 - either is right
    else:
        assert image.array.shape == (1, 6, 7)
