"""NRRD: what is read, from where, and every kind of file that is refused."""

import bz2
import gzip
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from volumes import NRRD, ORIGIN, SPACING, checked, nrrd

from tumortrace.io import ImageError, read_labels, read_volume

ARRAY = np.arange(-12, 48, dtype=np.int16).reshape(3, 4, 5)
PIXELS = ARRAY.astype("<i2").tobytes()
SERIES = "none (0.25,0,0) (0,0.5,0) (0,0,3)"


@pytest.fixture
def read(tmp_path):
    """Write bytes to a file and read it as a volume."""

    def read(data, name="scan.nrrd", **options):
        path = tmp_path / name
        path.write_bytes(data)
        return read_volume(path, **options)

    return read


@pytest.mark.parametrize("dtype", sorted(NRRD))
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_dtype_and_byte_order(read, dtype, order):
    array = np.abs(ARRAY).astype(dtype)
    image = read(nrrd(array, order=order))
    checked(image)
    assert image.array.dtype == dtype
    np.testing.assert_array_equal(image.array, array)


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("gzip", gzip.compress(PIXELS)),
        ("GZ", gzip.compress(PIXELS)),
        ("bzip2", bz2.compress(PIXELS)),
        ("ascii", " ".join(map(str, ARRAY.ravel())).encode()),
        ("txt", "\n".join(map(str, ARRAY.ravel())).encode()),
    ],
)
def test_every_encoding(read, encoding, data):
    image = read(nrrd(ARRAY, data, encoding=encoding))
    checked(image)
    assert image.array.dtype == np.int16
    np.testing.assert_array_equal(image.array, ARRAY)


@pytest.mark.filterwarnings("ignore:datetime:DeprecationWarning")  # pynrrd's writer, with Python 3.12
def test_written_by_pynrrd(tmp_path):
    import nrrd as pynrrd

    directions = np.array([[0.0, 0.6, -0.8], [0.0, 0.8, 0.6], [2.0, 0.0, 0.0]])
    header = {"space": "RAS", "space directions": directions, "space origin": [1.0, 2.0, 3.0]}
    pynrrd.write(str(tmp_path / "a.nrrd"), ARRAY.T, header)
    image = read_volume(tmp_path / "a.nrrd")
    np.testing.assert_array_equal(image.array, ARRAY)
    np.testing.assert_allclose(image.spacing, (2.0, 1.0, 1.0))
    np.testing.assert_allclose(image.origin, (-1.0, -2.0, 3.0))
    np.testing.assert_allclose(image.direction, [[-1, 0, 0], [0, -0.8, -0.6], [0, 0.6, -0.8]])


@pytest.mark.parametrize(
    ("space", "signs"),
    [
        ("LPS", (1, 1, 1)),
        ("right-anterior-superior", (-1, -1, 1)),
        ("RAS", (-1, -1, 1)),
        ("left-anterior-superior", (1, -1, 1)),
    ],
)
def test_spaces(read, space, signs):
    image = read(nrrd(ARRAY, space=space))
    np.testing.assert_allclose(image.origin, np.multiply(ORIGIN, signs))
    np.testing.assert_allclose(image.direction, (np.eye(3) * signs)[:, ::-1])


def test_without_a_space_of_the_body_the_place_is_unknown(read):
    for fields in ({"space": "3D-right-handed"}, {"space": None, "space_dimension": 3}, {"space_origin": None}):
        image = read(nrrd(ARRAY, **fields))
        np.testing.assert_allclose(image.spacing, SPACING)
        assert (image.origin, image.direction) == (None, None)
    plain = {"space": None, "space_directions": None, "space_origin": None}
    assert read(nrrd(ARRAY, **plain)).spacing is None
    assert read(nrrd(ARRAY, **plain, spacings="0.25 0.5 3")).spacing == SPACING


def test_units_of_space(read):
    image = read(nrrd(ARRAY, space_units='"cm" "cm" "cm"'))
    np.testing.assert_allclose(image.spacing, np.multiply(SPACING, 10))
    np.testing.assert_allclose(image.origin, np.multiply(ORIGIN, 10))
    with pytest.raises(ImageError, match="measures space in inch; give mm"):
        read(nrrd(ARRAY, space_units='"inch" "inch" "inch"'))


def test_phases_whose_axis_is_the_fastest(read):
    series = np.stack([ARRAY, ARRAY + 100])
    stored = np.moveaxis(series, 0, -1)
    fields = {"kinds": "list domain domain domain", "space_directions": SERIES}
    image = read(nrrd(np.ascontiguousarray(stored), **fields), phases=True)
    checked(image)
    np.testing.assert_array_equal(image.array, series)
    assert image.times is None
    timed = read(nrrd(stored, **fields, spacings="90 nan nan nan", units='"s" "" "" ""'), phases=True)
    assert timed.times == (0.0, 90.0)
    with pytest.raises(ImageError, match="is a series of 2 volumes; save the one that is meant"):
        read(nrrd(stored, **fields))


def test_phases_whose_axis_is_the_slowest(read):
    series = np.stack([ARRAY, ARRAY + 100])
    directions = "(0.25,0,0) (0,0.5,0) (0,0,3) none"
    image = read(nrrd(series, kinds="domain domain domain time", space_directions=directions), phases=True)
    checked(image)
    np.testing.assert_array_equal(image.array, series)


def test_data_file_beside_the_header(read, tmp_path):
    header = nrrd(ARRAY, b"", data_file="pixels 1.raw")
    with pytest.raises(ImageError, match=r"pixels 1\.raw: does not exist"):
        read(header, "scan.nhdr")
    (tmp_path / "pixels 1.raw").write_bytes(PIXELS)
    np.testing.assert_array_equal(read(header, "scan.nhdr").array, ARRAY)
    np.testing.assert_array_equal(read(header.replace(b"pixels", b"./pixels"), "scan.nhdr").array, ARRAY)
    (tmp_path / "pixels 1.raw").write_bytes(PIXELS[:-3])
    with pytest.raises(ImageError, match=r"pixels 1\.raw: is cut short: .* 120 bytes of voxels, 117 are there"):
        read(header, "scan.nhdr")


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../secret.raw", "sub/secret.raw", "..", ".", "", "c:\\secret.raw"]
)
def test_data_file_elsewhere_is_refused(read, tmp_path, name):
    (tmp_path.parent / "secret.raw").write_bytes(PIXELS)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "secret.raw").write_bytes(PIXELS)
    with pytest.raises(ImageError, match=r"keeps the voxels in .*; give one file, in the folder of the header"):
        read(nrrd(ARRAY, b"", data_file=name), "scan.nhdr")


def test_data_file_that_is_a_link_elsewhere_is_refused(read, tmp_path):
    (tmp_path.parent / "secret.raw").write_bytes(PIXELS)
    (tmp_path / "link.raw").symlink_to(tmp_path.parent / "secret.raw")
    with pytest.raises(ImageError, match="is a link out of the folder of the header"):
        read(nrrd(ARRAY, b"", data_file="link.raw"), "scan.nhdr")


NOT_FINITE = np.zeros((3, 4, 5))
NOT_FINITE[1, 2, 3] = np.inf


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (nrrd(ARRAY)[:-1], "is cut short: its header announces 120 bytes of voxels, 119 are there"),
        (nrrd(ARRAY) + b"\n", "holds more than the 120 bytes of voxels"),
        (nrrd(ARRAY, gzip.compress(PIXELS)[:-1], encoding="gzip"), "is cut short: its compressed data end early"),
        (nrrd(ARRAY, gzip.compress(PIXELS[:-1]), encoding="gzip"), "is cut short: .* 119 are there"),
        (nrrd(ARRAY, gzip.compress(PIXELS * 2), encoding="gzip"), "holds more than the 120 bytes"),
        (nrrd(ARRAY, PIXELS, encoding="gzip"), "is damaged: "),
        (nrrd(ARRAY, bz2.compress(PIXELS)[:-5], encoding="bzip2"), "is cut short: its compressed data end early"),
        (nrrd(ARRAY, PIXELS, encoding="bzip2"), "is damaged: Invalid data stream, after 0 of 120 bytes"),
        (nrrd(ARRAY, b"1 2 3", encoding="text"), "announces 60 numbers, 3 are there"),
        (nrrd(ARRAY, b"1.5 " * 60, encoding="text"), "holds what is no int16"),
        (nrrd(ARRAY, b"99999 " * 60, encoding="text"), "holds what is no int16"),
        (nrrd(NOT_FINITE, b"nan " * 60, encoding="text"), "60 of its 60 voxels are NaN"),
        (nrrd(ARRAY, encoding="hex"), "is packed as 'hex'; give raw, gzip, bzip2 or text"),
        (nrrd(NOT_FINITE), r"1 of its 60 voxels are NaN or infinite, the first at \[1, 2, 3\]"),
        (nrrd(ARRAY, sizes="5 -4 3"), "gives the size 5 × -4 × 3; every size is 1 at least"),
        (nrrd(ARRAY, sizes="50000 50000 50000"), "voxels, more than the 1,073,741,824 allowed"),
        (nrrd(ARRAY, sizes="1000 1000 1000"), "is cut short: .* 2,000,000,000 bytes of voxels, 120 are there"),
        (nrrd(ARRAY, sizes="9" * 30 + " 4 3"), "header cannot be understood|more than"),
        (nrrd(ARRAY, sizes="5 4"), "gives 3 dimensions and 2 sizes"),
        (nrrd(ARRAY, sizes=None), "its header has no field 'sizes'"),
        (nrrd(ARRAY, type=None), "its header has no field 'type'"),
        (nrrd(ARRAY, type="block"), "has voxels of type 'block'; give integers or floats"),
        (nrrd(ARRAY, endian=None), "gives no byte order; endian is little or big"),
        (nrrd(ARRAY, line_skip=2), "skips part of the data"),
        (nrrd(ARRAY, byte_skip=-1), "skips part of the data"),
        (nrrd(ARRAY, data_file="LIST"), "spreads the voxels over several files; save them as one"),
        (nrrd(ARRAY, data_file="I.%03d 1 9 1"), "spreads the voxels over several files"),
        (nrrd(ARRAY, kinds="RGB-color domain domain"), "has an axis of kind rgb-color; give a volume of grey"),
        (nrrd(ARRAY, kinds="vector domain domain"), "has an axis of kind vector"),
        (nrrd(ARRAY, kinds="list domain domain"), "has 3 dimensions, 1 of them lists"),
        (nrrd(ARRAY, space_directions="(0.25,0,0) (0,0,0) (0,0,3)"), "gives the spacing 0.25 × 0 × 3"),
        (nrrd(ARRAY, space_directions="(nan,0,0) (0,1,0) (0,0,3)"), "gives the spacing nan × 1 × 3"),
        (nrrd(ARRAY, space_directions="(1,0,0) (0.5,1,0) (0,0,3)"), "its axes are not at right angles, by 27°"),
        (nrrd(ARRAY, space_directions="(1,0) (0,1) (0,0)"), "its space directions are not those of a volume"),
        (nrrd(ARRAY, space_origin="(nan,0,0)"), "its space origin is no place in space"),
        (nrrd(ARRAY, space_directions=None, spacings="1 -1 1"), "gives the spacing .*give numbers above 0"),
        (b"NRRD0005\ntype: " + b"x" * 2**20, "has a header of more than 1,048,576 bytes, or none that ends"),
        (b"NRRD0005\nnonsense\n\n", "its header cannot be understood"),
        (b"NRRD9999\ntype: short\n\n", "its header cannot be understood"),
    ],
)
def test_refused(read, data, message):
    with pytest.raises(ImageError, match=r"scan\.nrrd: .*(" + message + ")"):
        read(data)


def test_the_header_is_not_quoted(read):
    data = nrrd(ARRAY, content="Doe^Jane", sizes="'Doe Jane' 4 3")
    with pytest.raises(ImageError) as caught:
        read(data)
    assert "Doe" not in str(caught.value)
    image = read(nrrd(ARRAY, content="Doe^Jane"))
    assert "Doe" not in repr(image)


RAW = nrrd(ARRAY)
GZ = nrrd(ARRAY, gzip.compress(PIXELS, mtime=0), encoding="gzip")


@given(st.sampled_from([RAW, GZ]), st.floats(0, 1, exclude_max=True))
def test_cut_at_any_byte(tmp_path_factory, data, part):
    path = tmp_path_factory.mktemp("cut") / "scan.nrrd"
    path.write_bytes(data[: int(part * len(data))])
    with pytest.raises(ImageError, match=re.escape(str(path)) + ": "):
        read_volume(path)


@given(st.lists(st.tuples(st.integers(4, RAW.index(b"\n\n")), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_header_gives_an_image_error_or_an_image(tmp_path_factory, changes):
    data = bytearray(RAW)
    for place, value in changes:
        data[place] = value
    path = tmp_path_factory.mktemp("damaged") / "scan.nrrd"
    path.write_bytes(data)
    try:
        image = read_volume(path)
    except ImageError:
        return
    assert image.array.nbytes == 120


def segments(array, *descriptions, **fields):
    """A segmentation as 3D Slicer writes it: name, value, layer of each segment."""
    lines = "".join(
        f"Segment{i}_ID:=S{i}\nSegment{i}_Name:={name}\nSegment{i}_LabelValue:={value}\nSegment{i}_Layer:={layer}\n"
        for i, (name, value, layer) in enumerate(descriptions)
    )
    return nrrd(array, **fields).replace(b"\n\n", b"\n" + lines.encode() + b"\n", 1)


def test_names_of_segments(tmp_path):
    path = tmp_path / "m.seg.nrrd"
    array = np.zeros((3, 4, 5), dtype=np.uint8)
    array[1, 1:3] = [[1] * 5, [2] * 5]
    path.write_bytes(segments(array, ("tumour", 2, 0), ("Fettgewebe", 1, 0)))
    labels = read_labels(path)
    assert labels.rois() == [(1, "Fettgewebe"), (2, "tumour")]
    np.testing.assert_array_equal(labels.mask("Tumour"), array == 2)


def test_segments_that_overlap_are_numbered(tmp_path):
    path = tmp_path / "m.seg.nrrd"
    layers = np.zeros((2, 3, 4, 5), dtype=np.uint8)
    layers[0, 1, 1:3], layers[0, 2], layers[1, 1, 2:4] = 1, 2, 1
    stored = np.ascontiguousarray(np.moveaxis(layers, 0, -1))
    path.write_bytes(
        segments(
            stored,
            ("a", 1, 0),
            ("b", 2, 0),
            ("c", 1, 1),
            kinds="list domain domain domain",
            space_directions=SERIES,
        )
    )
    labels = read_labels(path)
    assert labels.rois() == [(1, "a"), (2, "b"), (3, "c")]
    assert (labels.array.shape, labels.array.dtype) == ((2, 3, 4, 5), np.uint8)
    np.testing.assert_array_equal(labels.mask("c"), layers[1] == 1)
    np.testing.assert_array_equal(labels.mask(1), layers[0] == 1)


def test_a_label_that_is_no_number_is_an_image_error(tmp_path):
    path = tmp_path / "m.seg.nrrd"
    path.write_bytes(segments(np.ones((3, 4, 5), dtype=np.uint8), ("a", "one", 0)))
    with pytest.raises(ImageError, match=r"m\.seg\.nrrd: is damaged or of an unusual kind"):
        read_labels(path)


def test_without_pynrrd_the_error_says_what_to_install(read, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "nrrd", None)
    with pytest.raises(ImageError, match=r"an NRRD file needs pynrrd; pip install 'tumortrace\[medical\]'"):
        read(nrrd(ARRAY))


@pytest.mark.parametrize(
    ("name", "shape", "spacing", "voxels"),
    [
        ("brain1", (25, 256, 256), (6.5, 0.78125, 0.78125), 4137),
        ("breast1", (21, 120, 45), (2.1, 0.664062, 0.664062), None),
    ],
)
def test_research_data(data_root, name, shape, spacing, voxels):
    """Shape and spacing as PyRadiomics has them; volume of the mask as its reference value."""
    import csv

    folder = data_root / "volumes"
    image, labels = read_volume(folder / f"{name}_image.nrrd"), read_labels(folder / f"{name}_label.nrrd")
    assert (image.array.shape, labels.array.shape) == (shape, shape)
    np.testing.assert_allclose(image.spacing, spacing)
    assert image.array.dtype == np.int16
    with (folder / "pyradiomics_reference.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["case"] == name and row["feature"] == "VoxelVolume"]
    count = np.count_nonzero(labels.mask(1))
    assert count * np.prod(image.spacing) == pytest.approx(float(rows[0]["value"]), rel=1e-9)
    assert voxels in (None, count)
