"""NIfTI: what is read, from where, and every kind of file that is refused."""

import gzip
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from volumes import NIFTI, ORIGIN, SPACING, checked, nifti, packed

from tumortrace.io import ImageError, read_volume

ARRAY = np.arange(-12, 48, dtype=np.int16).reshape(3, 4, 5)


@pytest.fixture
def read(tmp_path):
    """Write bytes to a file and read it as a volume."""

    def read(data, name="scan.nii", **options):
        path = tmp_path / name
        path.write_bytes(data)
        return read_volume(path, **options)

    return read


@pytest.mark.parametrize("dtype", sorted(NIFTI))
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("pack", [bytes, packed])
def test_every_dtype_and_byte_order(read, dtype, order, pack):
    array = np.abs(ARRAY).astype(dtype)
    image = read(pack(nifti(array, order)))
    checked(image)
    assert image.array.dtype == dtype
    np.testing.assert_array_equal(image.array, array)


def test_negative_values_and_source(read, tmp_path):
    image = read(nifti(ARRAY), "Läsion 1.nii")
    np.testing.assert_array_equal(image.array, ARRAY)
    assert image.source == str(tmp_path / "Läsion 1.nii")
    assert (image.mask, image.times) == (None, None)


def test_nifti_2_and_quaternion_agree_with_nibabel(read, tmp_path):
    import nibabel

    affine = np.array([[0, -2.0, 0, 7], [1.5, 0, 0, -8], [0, 0, 3, 9], [0, 0, 0, 1]])
    for kind in (nibabel.Nifti1Image, nibabel.Nifti2Image):
        made = kind(ARRAY.T, affine)
        made.set_sform(None, 0)
        made.set_qform(affine, 1)
        made.to_filename(tmp_path / "q.nii.gz")
        image = read_volume(tmp_path / "q.nii.gz")
        np.testing.assert_array_equal(image.array, ARRAY)
        for index in np.ndindex(2, 2, 2):
            x, y, z = nibabel.load(tmp_path / "q.nii.gz").affine[:3] @ [*index[::-1], 1]
            place = image.origin + image.direction @ (np.multiply(image.spacing, index))
            np.testing.assert_allclose(place, (-x, -y, z), atol=1e-6)


def test_without_codes_the_place_is_unknown(read):
    image = read(nifti(ARRAY, codes=(0, 0)))
    assert image.spacing == SPACING
    assert (image.origin, image.direction) == (None, None)


@pytest.mark.parametrize(("unit", "factor"), [(0, 1.0), (1, 1000.0), (2, 1.0), (3, 0.001)])
def test_lengths_become_millimetres(read, unit, factor):
    image = read(nifti(ARRAY, units=unit))
    np.testing.assert_allclose(image.spacing, np.multiply(SPACING, factor))
    np.testing.assert_allclose(image.origin, np.multiply(ORIGIN, factor))


@pytest.mark.parametrize(
    ("scale", "dtype"),
    [
        ((1.0, 0.0), "int16"),
        ((0.0, 5.0), "int16"),
        ((float("nan"), 5.0), "int16"),
        ((1.0, -1024.0), "int16"),
        ((1000.0, 0.0), "int32"),
        ((1.0, 0.5), "float64"),
        ((0.25, 0.0), "float64"),
    ],
)
def test_scale(read, scale, dtype):
    slope, intercept = scale if scale[0] not in (0,) and scale[0] == scale[0] else (1.0, 0.0)
    image = read(nifti(ARRAY, scale=scale))
    assert image.array.dtype == dtype
    np.testing.assert_array_equal(image.array, slope * ARRAY.astype(float) + intercept)


@pytest.mark.parametrize(("unit", "seconds"), [(8, 60.0), (16, 0.06), (24, 60e-6), (0, None), (32, None)])
def test_phases_and_their_times(read, unit, seconds):
    series = np.stack([ARRAY, ARRAY + 1, ARRAY + 2])
    image = read(nifti(series, units=2 | unit), phases=True)
    checked(image)
    np.testing.assert_array_equal(image.array, series)
    if seconds is None:
        assert image.times is None
    else:
        np.testing.assert_allclose(image.times, [0, seconds, 2 * seconds])


def test_one_phase_is_a_volume_and_one_slice_too(read):
    assert read(nifti(ARRAY[np.newaxis])).array.shape == ARRAY.shape
    assert read(nifti(ARRAY[:1])).array.shape == (1, 4, 5)
    flat = read(nifti(ARRAY[0], pixdim=(1.0, 0.25, 0.5, 0.0), codes=(0, 0)))
    assert (flat.array.shape, flat.spacing) == ((1, 4, 5), (1.0, 0.5, 0.25))


def test_pair_of_files(read, tmp_path):
    data = nifti(ARRAY, magic=b"ni1\0", vox_offset=0.0)
    (tmp_path / "scan.img").write_bytes(data[352:])
    image = read(data[:348], "scan.hdr")
    checked(image)
    np.testing.assert_array_equal(image.array, ARRAY)
    (tmp_path / "scan.img").write_bytes(data[352:-1])
    with pytest.raises(ImageError, match=r"scan\.img: is cut short: .* 120 bytes of voxels, 119 are there"):
        read(data[:348], "scan.hdr")
    (tmp_path / "scan.img").unlink()
    with pytest.raises(ImageError, match=r"scan\.img: does not exist"):
        read(data[:348], "scan.hdr")


NOT_FINITE = np.zeros((3, 4, 5), dtype=np.float32)
NOT_FINITE[2, 0, 3], NOT_FINITE[2, 3, 1] = np.nan, -np.inf
SHEARED = (-0.25, 0.1, 0, 0, 0, -0.5, 0, 0, 0, 0, 3.0, 0)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (nifti(ARRAY)[:-1], "is cut short: its header announces 120 bytes of voxels, 119 are there"),
        (nifti(ARRAY)[:352], "is cut short: its header announces 120 bytes of voxels, 0 are there"),
        (nifti(ARRAY)[:347], "is cut short: 347 bytes, and the header of NIfTI has 348"),
        (nifti(ARRAY) + b"\0", "holds more than the 120 bytes of voxels"),
        (
            packed(nifti(ARRAY))[:-1],
            "is cut short: its compressed data end early, after 120 of 120 bytes of voxels",
        ),
        (packed(nifti(ARRAY)[:-2]), "is cut short: its header announces 120 bytes of voxels, 118 are there"),
        (packed(nifti(ARRAY) + bytes(99)), "holds more than the 120 bytes"),
        (packed(nifti(ARRAY)) + b"more", "is damaged: other data follow the compressed ones"),
        (nifti(ARRAY, dim=(3, 5, -4, 3)), "gives the size 5 × -4 × 3; every size is 1 at least"),
        (nifti(ARRAY, dim=(3, 5, 0, 3)), "gives the size 5 × 0 × 3"),
        (nifti(ARRAY, dim=(3, 32767, 32767, 32767)), "voxels, more than the 1,073,741,824 allowed"),
        (
            packed(nifti(ARRAY, dim=(3, 1000, 1000, 1000))),
            "is cut short: .* compressed bytes .* cannot hold as many",
        ),
        (nifti(ARRAY, dim=(3, 1000, 1000, 1000)), "is cut short: .* 2,000,000,000 bytes of voxels, 120 are there"),
        (nifti(ARRAY, dim=(0, 5, 4, 3)), "gives 0 dimensions; a volume has 3"),
        (nifti(ARRAY, dim=(1, 60, 1, 1)), "gives 1 dimensions"),
        (nifti(ARRAY, dim=(5, 5, 4, 1, 1, 3)), "has 5 dimensions, 5 × 4 × 1 × 1 × 3; give a volume"),
        (nifti(ARRAY, dim=(4, 5, 4, 1, 3)), "is a series of 3 volumes; save the one that is meant, or read all as"),
        (nifti(ARRAY, datatype=32), r"voxels of data type 32 \(complex\); give integers"),
        (nifti(ARRAY, datatype=128), r"voxels of data type 128 \(RGB\)"),
        (nifti(ARRAY, datatype=1), r"voxels of data type 1 \(bits\)"),
        (nifti(ARRAY, datatype=3), r"voxels of data type 3 \(unknown\)"),
        (nifti(ARRAY, bitpix=32), "is damaged: its data type 4 has 16 bits, its header 32"),
        (nifti(ARRAY, magic=b"what"), "is no NIfTI: the magic bytes are b'what'"),
        (nifti(ARRAY, sizeof_hdr=1), "is damaged: its header does not begin with its size, 348"),
        (nifti(ARRAY, vox_offset=40.0), "has the voxels begin at byte 40; they begin at 352 or later"),
        (nifti(ARRAY, vox_offset=float("nan")), "has the voxels begin at byte nan"),
        (nifti(ARRAY, vox_offset=1e30), "has the voxels begin at byte 1e"),
        (nifti(ARRAY, vox_offset=400.0), "is cut short: .* 72 are there"),
        (nifti(NOT_FINITE), r"2 of its 60 voxels are NaN or infinite, the first at \[2, 0, 3\]; fill or crop"),
        (nifti(ARRAY, scale=(float("inf"), 0.0)), "scales the voxels by inf and 0; give finite numbers"),
        (nifti(ARRAY, pixdim=(1.0, 0.25, 0.0, 3.0)), "gives the spacing 0.25 × 0 × 3; give numbers above 0 in mm"),
        (nifti(ARRAY, pixdim=(1.0, 0.25, -0.5, 3.0)), "gives the spacing 0.25 × -0.5 × 3"),
        (nifti(ARRAY, pixdim=(1.0, 0.25, float("nan"), 3.0)), "gives the spacing 0.25 × nan × 3"),
        (nifti(ARRAY, sform=(0.0,) * 12), "gives the spacing 0 × 0 × 0"),
        (nifti(ARRAY, sform=(float("nan"),) * 12), "gives the spacing nan"),
        (nifti(ARRAY, sform=(-0.25, 0, 0, np.inf, 0, -0.5, 0, 0, 0, 0, 3, 0)), "has an origin that is not finite"),
        (nifti(ARRAY, sform=SHEARED), "its axes are not at right angles, by 11°; resample it"),
        (
            nifti(ARRAY, pixdim=(1.0, 0.25, 0.75, 3.0)),
            r"gives two spacings: 0.25 × 0.75 × 3 \(pixdim\) and 0.25 × 0.5",
        ),
    ],
)
def test_refused(read, data, message):
    with pytest.raises(ImageError, match=r"scan\.nii: .*" + message):
        read(data)


def test_refused_where_the_quaternion_is_none(read):
    data = bytearray(nifti(ARRAY, codes=(1, 0)))
    data[256:268] = np.array([2.0, 2.0, 2.0], dtype="<f4").tobytes()
    with pytest.raises(ImageError, match="its qform is no rotation"):
        read(data)


def test_phases_of_one_volume_are_refused(read):
    with pytest.raises(ImageError, match="is one volume, not a series of phases"):
        read(nifti(ARRAY), phases=True)


def test_limit_is_the_callers(read):
    assert read(nifti(ARRAY), max_voxels=60).array.size == 60
    with pytest.raises(ImageError, match="has 5 × 4 × 3 voxels, more than the 59 allowed; crop it or raise"):
        read(nifti(ARRAY), max_voxels=59)


def test_a_small_file_that_unpacks_to_much_is_read_no_further_than_announced(read):
    bomb = gzip.compress(nifti(ARRAY) + bytes(2**24), 9)
    assert len(bomb) < 2**15
    with pytest.raises(ImageError, match="holds more than the 120 bytes"):
        read(bomb, "scan.nii.gz")


def test_gzip_in_several_members_and_padded_with_zeros(read):
    data = nifti(ARRAY)
    image = read(packed(data[:100]) + packed(data[100:400]) + packed(data[400:]) + bytes(512))
    np.testing.assert_array_equal(image.array, ARRAY)


RAW = nifti(ARRAY)
GZ = packed(RAW)


@given(st.integers(0, len(RAW) - 1), st.sampled_from(["scan.nii", "scan", "scan.img"]))
def test_cut_at_any_byte(tmp_path_factory, length, name):
    path = tmp_path_factory.mktemp("cut") / name
    path.write_bytes(RAW[:length])
    with pytest.raises(ImageError, match=re.escape(str(path)) + ": is "):
        read_volume(path)


@given(st.integers(0, len(GZ) - 1))
def test_gzip_cut_at_any_byte(tmp_path_factory, length):
    path = tmp_path_factory.mktemp("cut") / "scan.nii.gz"
    path.write_bytes(GZ[:length])
    with pytest.raises(ImageError, match=r"scan\.nii\.gz: is (cut short|empty)"):
        read_volume(path)


@given(st.lists(st.tuples(st.integers(0, 351), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_header_gives_an_image_error_or_an_image(tmp_path_factory, changes):
    data = bytearray(RAW)
    for place, value in changes:
        data[place] = value
    path = tmp_path_factory.mktemp("damaged") / "scan.nii"
    path.write_bytes(data)
    try:
        image = read_volume(path, max_voxels=10**6)
    except ImageError:
        return
    assert image.array.nbytes == 120 or image.array.dtype == np.float64


def test_damage_within_gzip_is_noticed(read):
    for place in range(18, len(GZ) - 8):
        data = bytearray(GZ)
        data[place] ^= 0x55
        with pytest.raises(ImageError, match=r"is damaged|is cut short|is no NIfTI|holds more"):
            read(data)


def test_without_nibabel_the_error_says_what_to_install(read, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "nibabel.nifti1", None)
    with pytest.raises(ImageError, match=r"a NIfTI file needs nibabel; pip install 'tumortrace\[medical\]'"):
        read(nifti(ARRAY))
