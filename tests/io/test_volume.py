"""One way in for every format, and one way out."""

import gzip
import os
import tracemalloc

import dicoms
import numpy as np
import PIL.Image
import pytest
from volumes import checked, mha, nifti, nrrd, packed

from tumortrace.io import (
    Image,
    ImageError,
    _write_volume,
    fingerprint,
    read_labels,
    read_volume,
    same_grid,
    write_nifti,
)

ARRAY = np.arange(-12, 48, dtype=np.int16).reshape(3, 4, 5)
MAKERS = {"nifti": nifti, "nifti.gz": lambda array: packed(nifti(array)), "nrrd": nrrd, "mha": mha}
PLACED = Image(
    ARRAY,
    spacing=(3.0, 0.7, 0.4),
    origin=(1.5, -2.25, 300.0),
    direction=np.array([[0, 0.6, 0.8], [0, -0.8, 0.6], [1.0, 0, 0]]),
)


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("name", ["scan.nii.gz", "scan.nrrd", "scan.mha", "scan", "scan.dcm", "Läsion 1 – 中.x"])
def test_content_counts_not_the_ending(tmp_path, kind, name):
    path = tmp_path / name
    path.write_bytes(MAKERS[kind](ARRAY))
    image = read_volume(str(path))
    checked(image)
    np.testing.assert_array_equal(image.array, ARRAY)
    assert image.source == str(path)


def test_pictures_are_read_as_ever(tmp_path):
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    PIL.Image.fromarray(pixels).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_volume(tmp_path / "a.png").array, pixels)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.nii", b"", r"is empty \(0 bytes\)"),
        ("a.nii", b"text", "is cut short: 4 bytes, and the header of NIfTI has 348"),
        ("a.nii.gz", gzip.compress(b"text", mtime=0), "is cut short: 4 bytes, and the header of NIfTI has 348"),
        ("a.nrrd", b"text", "is damaged: its header cannot be understood"),
        ("a.mha", b"text", "is damaged: line 1 of its header is no Key = Value"),
        ("a.txt", b"text", "is no JPEG, PNG, TIFF or BMP"),
        ("a.nii", bytes(400), "is no NIfTI: the magic bytes are"),
    ],
)
def test_what_is_in_no_format(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    for read in (read_volume, read_labels):
        with pytest.raises(ImageError, match=name + ": .*" + message):
            read(tmp_path / name)


@pytest.mark.parametrize("name", ["none.nii", "pipe.nii", "nul\0.nii", "a.nii/b.nii", "loop.nii"])
def test_what_is_no_file(tmp_path, name):
    (tmp_path / "a.nii").write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe.nii")
    (tmp_path / "loop.nii").symlink_to("loop.nii")
    for step in (read_volume, read_labels, fingerprint):
        with pytest.raises(ImageError, match=r"does not exist|is no regular file|cannot be read: "):
            step(tmp_path / name)


@pytest.mark.parametrize("kind", MAKERS)
def test_fingerprint_changes_with_a_voxel_and_not_with_the_name(tmp_path, kind):
    other = ARRAY.copy()
    other[2, 3, 4] += 1
    for name, array in (("a", ARRAY), ("b", ARRAY), ("c", other)):
        (tmp_path / name).write_bytes(MAKERS[kind](array))
    a, b, c = (fingerprint(tmp_path / name) for name in "abc")
    assert a == b != c
    assert len(a) == 32


@pytest.mark.parametrize(
    ("name", "header", "data"),
    [
        ("a.nhdr", nrrd(ARRAY, b"", data_file="a.raw"), "a.raw"),
        ("a.mhd", mha(ARRAY, b"", ElementDataFile="a.raw"), "a.raw"),
        ("a.hdr", nifti(ARRAY, magic=b"ni1\0", vox_offset=0.0)[:348], "a.img"),
    ],
)
def test_fingerprint_covers_the_data_file(tmp_path, name, header, data):
    (tmp_path / name).write_bytes(header)
    (tmp_path / data).write_bytes(ARRAY.tobytes())
    before = fingerprint(tmp_path / name)
    np.testing.assert_array_equal(read_volume(tmp_path / name).array, ARRAY)
    (tmp_path / data).write_bytes((ARRAY + 1).tobytes())
    assert fingerprint(tmp_path / name) != before
    (tmp_path / data).unlink()
    with pytest.raises(ImageError, match="does not exist"):
        fingerprint(tmp_path / name)


def test_series_of_a_folder(tmp_path):
    first, second = (ARRAY.astype(np.uint16), ARRAY.astype(np.uint16) + 50)
    dicoms.write_series(tmp_path / "P" / "a", first, SeriesInstanceUID="1.2.1", SeriesNumber=1)
    one = read_volume(tmp_path / "P")
    np.testing.assert_array_equal(one.array, first)
    assert one.source == str(tmp_path / "P")
    alone = fingerprint(tmp_path / "P")
    dicoms.write_series(tmp_path / "P" / "b", second, SeriesInstanceUID="1.2.2", SeriesNumber=2)
    with pytest.raises(ImageError, match="holds 2 series"):
        read_volume(tmp_path / "P")
    image = read_volume(f"{tmp_path}/P#2")
    np.testing.assert_array_equal(image.array, second)
    assert image.source == f"{tmp_path}/P#2"
    assert dicoms.PATIENT not in repr(image)
    assert fingerprint(f"{tmp_path}/P#1") == alone != fingerprint(f"{tmp_path}/P#2")


def test_a_name_with_a_hash_is_a_name(tmp_path):
    (tmp_path / "a#1.nii").write_bytes(nifti(ARRAY))
    np.testing.assert_array_equal(read_volume(tmp_path / "a#1.nii").array, ARRAY)
    with pytest.raises(ImageError, match=r"a#2\.nii: does not exist"):
        read_volume(tmp_path / "a#2.nii")


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32", "float64", ">i2", "int64"])
def test_written_and_read_again(tmp_path, ending, dtype):
    path = tmp_path / f"a{ending}"
    array = np.abs(ARRAY).astype(dtype)[:, ::-1]
    write_nifti(path, array, PLACED)
    again = read_volume(path)
    assert again.array.dtype == np.dtype(dtype).newbyteorder("=")
    np.testing.assert_array_equal(again.array, array)
    np.testing.assert_allclose(again.spacing, PLACED.spacing, rtol=1e-6)
    np.testing.assert_allclose(again.origin, PLACED.origin, rtol=1e-6)
    np.testing.assert_allclose(again.direction, PLACED.direction, atol=1e-6)
    same_grid(PLACED, again)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_nibabel_reads_what_is_written(tmp_path):
    import nibabel

    write_nifti(tmp_path / "a.nii.gz", ARRAY, PLACED)
    there = nibabel.load(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(np.asarray(there.dataobj).T, ARRAY)
    for index in ((0, 0, 0), (2, 1, 3)):
        x, y, z = PLACED.origin + PLACED.direction @ np.multiply(PLACED.spacing, index)
        for affine in (there.affine, there.header.get_qform()):
            np.testing.assert_allclose(affine @ [*index[::-1], 1], [-x, -y, z, 1], rtol=1e-5)
    assert b"no medical device" in there.header["descrip"].tobytes()


def test_masks_series_and_plain_images_are_written(tmp_path):
    write_nifti(tmp_path / "m.nii", ARRAY > 0, PLACED)
    np.testing.assert_array_equal(read_labels(tmp_path / "m.nii").mask(), ARRAY > 0)
    series = Image(
        np.stack([ARRAY] * 3), spacing=PLACED.spacing, times=(0.0, 60.0, 120.0), origin=None, direction=None
    )
    write_nifti(tmp_path / "s.nii.gz", series.array, series)
    again = read_volume(tmp_path / "s.nii.gz", phases=True)
    np.testing.assert_array_equal(again.array, series.array)
    assert (again.times, again.origin) == ((0.0, 60.0, 120.0), None)
    flat = Image(ARRAY[0])
    write_nifti(tmp_path / "f.nii", flat.array.astype(np.float16), flat)
    again = read_volume(tmp_path / "f.nii")
    assert (again.array.shape, again.array.dtype, again.spacing) == ((1, 4, 5), np.float32, (1.0, 1.0, 1.0))


def test_the_same_array_gives_the_same_bytes(tmp_path):
    for name in ("a.nii.gz", "b.nii.gz"):
        write_nifti(tmp_path / name, ARRAY, PLACED)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("a.nrrd", ARRAY, r"a\.nrrd: a NIfTI file ends in \.nii or \.nii\.gz"),
        ("a.nii", ARRAY[1:], r"array has shape \(2, 4, 5\); give the shape of the image, \(3, 4, 5\)"),
        ("a.nii", ARRAY[0], r"array has shape \(4, 5\)"),
        ("a.nii", ARRAY.astype(complex), "array has dtype complex128; give bool, integers or floats"),
    ],
)
def test_what_cannot_be_written(tmp_path, name, array, message):
    with pytest.raises(ValueError, match=message):
        write_nifti(tmp_path / name, array, PLACED)
    assert [file.name for file in tmp_path.iterdir()] == []


def test_an_axis_too_long_for_nifti(tmp_path):
    array = np.zeros((1, 1, 2**15), dtype=np.uint8)
    with pytest.raises(ValueError, match="NIfTI has 32,767 voxels along an axis at most"):
        write_nifti(tmp_path / "a.nii", array, Image(array))


def test_nothing_is_left_where_writing_fails(tmp_path, monkeypatch):
    write_nifti(tmp_path / "a.nii", ARRAY, PLACED)
    before = (tmp_path / "a.nii").read_bytes()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_write_volume, "_write", full)
    with pytest.raises(OSError, match="No space left"):
        write_nifti(tmp_path / "a.nii", ARRAY + 1, PLACED)
    assert [file.name for file in tmp_path.iterdir()] == ["a.nii"]
    assert (tmp_path / "a.nii").read_bytes() == before


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.mha"])
def test_reading_takes_the_memory_of_the_array(tmp_path, name):
    array = np.zeros((32, 512, 512), dtype=np.int16)
    if name.startswith("a.nii"):
        write_nifti(tmp_path / name, array, Image(array))
    else:
        (tmp_path / name).write_bytes({"a.nrrd": nrrd, "a.mha": mha}[name](array))
    read_volume(tmp_path / name)
    tracemalloc.start()
    fingerprint(tmp_path / name)
    image = read_volume(tmp_path / name)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert image.array.nbytes <= peak < 1.25 * image.array.nbytes


def test_a_mask_is_kept_small(tmp_path):
    array = np.zeros((16, 512, 512), dtype=np.int32)
    array[5:9] = 1
    write_nifti(tmp_path / "m.nii", array, Image(array))
    labels = read_labels(tmp_path / "m.nii")
    assert labels.array.nbytes * 4 == array.nbytes
    assert labels.mask().nbytes * 4 == array.nbytes
