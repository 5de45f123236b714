"""MetaImage: what is read, from where, and every kind of file that is refused."""

import re
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from volumes import MHA, ORIGIN, SPACING, checked, mha

from tumortrace.io import ImageError, read_volume

ARRAY = np.arange(-12, 48, dtype=np.int16).reshape(3, 4, 5)
PIXELS = ARRAY.astype("<i2").tobytes()
PACKED = {"CompressedData": "True", "CompressedDataSize": 42}


@pytest.fixture
def read(tmp_path):
    """Write bytes to a file and read it as a volume."""

    def read(data, name="scan.mha", **options):
        path = tmp_path / name
        path.write_bytes(data)
        return read_volume(path, **options)

    return read


@pytest.mark.parametrize("dtype", sorted(MHA))
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compressed", [False, True])
def test_every_dtype_and_byte_order(read, dtype, order, compressed):
    array = np.abs(ARRAY).astype(dtype)
    pixels = array.astype(array.dtype.newbyteorder(order)).tobytes()
    image = read(mha(array, zlib.compress(pixels), order, **PACKED) if compressed else mha(array, None, order))
    checked(image)
    assert image.array.dtype == dtype
    np.testing.assert_array_equal(image.array, array)


def test_each_row_of_the_matrix_is_the_direction_of_an_axis(read):
    image = read(mha(ARRAY, TransformMatrix="0 0.6 0.8 0 -0.8 0.6 1 0 0"))
    np.testing.assert_allclose(image.direction, [[1, 0, 0], [0, -0.8, 0.6], [0, 0.6, 0.8]])
    np.testing.assert_allclose(image.spacing, SPACING)
    np.testing.assert_allclose(image.origin, ORIGIN)


def test_older_words(read):
    image = read(mha(ARRAY, Offset=None, Position="1 2 3", ElementSpacing=None, ElementSize="1 2 4"))
    assert (image.origin, image.spacing) == ((1.0, 2.0, 3.0), (4.0, 2.0, 1.0))


def test_what_is_not_said_is_unknown(read):
    image = read(mha(ARRAY, Offset=None))
    assert (image.spacing, image.origin, image.direction) == (SPACING, None, None)
    image = read(mha(ARRAY, Offset=None, ElementSpacing=None))
    assert (image.spacing, image.origin, image.direction) == (None, None, None)


def test_phases(read):
    series = np.stack([ARRAY, ARRAY + 1])
    image = read(mha(series), phases=True)
    checked(image)
    np.testing.assert_array_equal(image.array, series)
    assert image.times is None
    with pytest.raises(ImageError, match="is a series of 2 volumes; save the one that is meant"):
        read(mha(series))


def test_one_slice(read):
    image = read(mha(ARRAY[0]))
    assert (image.array.shape, image.spacing) == ((1, 4, 5), (1.0, 0.5, 0.25))


def test_data_file_beside_the_header(read, tmp_path):
    (tmp_path / "pixels.zraw").write_bytes(zlib.compress(PIXELS))
    image = read(mha(ARRAY, b"", **PACKED, ElementDataFile="pixels.zraw"), "scan.mhd")
    checked(image)
    np.testing.assert_array_equal(image.array, ARRAY)


@pytest.mark.parametrize("name", ["/etc/passwd", "../secret.raw", "sub/secret.raw", ".."])
def test_data_file_elsewhere_is_refused(read, tmp_path, name):
    (tmp_path.parent / "secret.raw").write_bytes(PIXELS)
    with pytest.raises(ImageError, match=r"keeps the voxels in .*; give one file, in the folder of the header"):
        read(mha(ARRAY, b"", ElementDataFile=name), "scan.mhd")


NOT_FINITE = np.zeros((3, 4, 5), dtype=np.float32)
NOT_FINITE[0, 2, 3] = np.nan


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (mha(ARRAY)[:-1], "is cut short: its header announces 120 bytes of voxels, 119 are there"),
        (mha(ARRAY) + b"\0", "holds more than the 120 bytes"),
        (mha(ARRAY, zlib.compress(PIXELS)[:-1], **PACKED), "is cut short: its compressed data end early"),
        (mha(ARRAY, zlib.compress(PIXELS[:-1]), **PACKED), "is cut short: .* 119 are there"),
        (mha(ARRAY, zlib.compress(PIXELS) + b"more", **PACKED), "is damaged: other data follow the compressed"),
        (mha(ARRAY, PIXELS, **PACKED), "is damaged: "),
        (mha(ARRAY).partition(b"DimSize")[0], "is cut short or damaged: its header has no"),
        (mha(NOT_FINITE), r"1 of its 60 voxels are NaN or infinite, the first at \[0, 2, 3\]"),
        (mha(ARRAY, DimSize="5 -4 3"), "gives the size 5 × -4 × 3; every size is 1 at least"),
        (mha(ARRAY, DimSize="50000 50000 50000"), "voxels, more than the 1,073,741,824 allowed"),
        (mha(ARRAY, DimSize="1000 1000 1000"), "is cut short: .* 2,000,000,000 bytes of voxels, 120 are there"),
        (mha(ARRAY, DimSize="5 4"), "gives 3 dimensions and 2 sizes"),
        (mha(ARRAY, DimSize="5 4 x"), "DimSize holds 'x'; give whole numbers"),
        (mha(ARRAY, DimSize="5 4 " + "9" * 5000), "is damaged: DimSize holds"),
        (mha(ARRAY, NDims=5, DimSize="5 4 3 1 1"), "gives 5 dimensions"),
        (mha(ARRAY, ElementType="MET_LONG"), "has voxels of type MET_LONG; give one of MET_CHAR"),
        (mha(ARRAY, ElementType=None), "its header has no ElementType"),
        (mha(ARRAY, ElementNumberOfChannels=3), "has 3 channels in a voxel; give a volume of grey values"),
        (mha(ARRAY, BinaryData="False"), "keeps its voxels as text; save it as binary data"),
        (mha(ARRAY, HeaderSize=-1), r"skips part of the data \(HeaderSize\)"),
        (mha(ARRAY, ElementDataFile="LIST"), "spreads the voxels over several files"),
        (mha(ARRAY, ElementDataFile="I%03d.raw 1 3 1"), "spreads the voxels over several files"),
        (mha(ARRAY, ObjectType="Tube"), "holds a Tube; give an Image"),
        (mha(ARRAY, ElementSpacing="0.25 0 3"), "gives the spacing 0.25 × 0 × 3; give numbers above 0"),
        (mha(ARRAY, ElementSpacing="0.25 -1 3"), "gives the spacing 0.25 × -1 × 3"),
        (mha(ARRAY, ElementSpacing="0.25 nan 3"), "gives the spacing 0.25 × nan × 3"),
        (mha(ARRAY, ElementSpacing="0.25 1"), "ElementSpacing has 2 numbers, not 3"),
        (mha(ARRAY, ElementSpacing="0.25 1 x"), "ElementSpacing is no list of numbers"),
        (mha(ARRAY, TransformMatrix="1 0 0 0.5 1 0 0 0 1"), "its axes are not at right angles, by 27°"),
        (mha(ARRAY, TransformMatrix="2 0 0 0 1 0 0 0 1"), "its TransformMatrix is no rotation"),
        (mha(ARRAY, TransformMatrix="0 0 0 0 1 0 0 0 1"), "gives the spacing 0 × 0.5 × 3"),
        (mha(ARRAY, Offset="inf 0 0"), "its Offset no place in space"),
        (b"NDims = 3\nnonsense\n", "line 2 of its header is no Key = Value"),
        (b"NDims = " + b"3" * 2**20, "has a header of more than 1,048,576 bytes"),
    ],
)
def test_refused(read, data, message):
    with pytest.raises(ImageError, match=r"scan\.mha: .*" + message):
        read(data)


RAW = mha(ARRAY)
ZLIB = mha(ARRAY, zlib.compress(PIXELS), **PACKED)


@given(st.sampled_from([RAW, ZLIB]), st.floats(0, 1, exclude_max=True))
def test_cut_at_any_byte(tmp_path_factory, data, part):
    path = tmp_path_factory.mktemp("cut") / "scan.mha"
    path.write_bytes(data[: int(part * len(data))])
    with pytest.raises(ImageError, match=re.escape(str(path.parent))):
        read_volume(path)


@given(st.lists(st.tuples(st.integers(0, RAW.index(b"LOCAL")), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_header_gives_an_image_error_or_an_image(tmp_path_factory, changes):
    data = bytearray(RAW)
    for place, value in changes:
        data[place] = value
    path = tmp_path_factory.mktemp("damaged") / "scan.mha"
    path.write_bytes(data)
    try:
        image = read_volume(path)
    except ImageError:
        return
    assert image.array.nbytes == 120
