"""What a stranger uploads is read within bounds, or refused in words."""

import io as _io
import struct
import threading
import unicodedata
import zlib

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumortrace import io
from tumortrace.io import _raster
from tumortrace.io.synthetic import SEQUENCES
from tumortrace.web._error import DemoError
from tumortrace.web._phases import assign, phase_of
from tumortrace.web._reader import (
    MAX_BYTES,
    Box,
    Picture,
    check_count,
    crop,
    lossless,
    phases,
    png,
    read,
    read_data,
    shown_name,
    single,
)


@pytest.fixture
def grey(rng):
    return rng.integers(0, 256, (26, 24), dtype=np.uint8)


def encoded(array, format="PNG", **options):
    out = _io.BytesIO()
    PIL.Image.fromarray(array).save(out, format, **options)
    return out.getvalue()


def header(cols, rows):
    """A PNG that says to be so large, and holds little."""
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", cols, rows, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(100))),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "BMP"])
def test_a_file_is_read_as_the_library_reads_it_and_kept_as_it_is(tmp_path, grey, format):
    path = tmp_path / "upload"
    path.write_bytes(encoded(grey, format))
    picture = read(path, "my lesion.png")
    np.testing.assert_array_equal(picture.array, io.read_image(path).array)
    assert (picture.name, picture.colour, picture.data) == ("my lesion.png", False, path.read_bytes())
    assert not picture.array.flags.writeable
    assert single(picture).shape == (26, 24)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"patient,age\n1,50\n" * 40, "is text, whatever its name says; give a JPEG, PNG, TIFF or BMP file"),
        (b"", r"is empty \(0 bytes\)"),
        (b"GIF89a\x00\x01" + bytes(60), "is no JPEG, PNG, TIFF or BMP"),
        (bytes(128) + b"DICM" + bytes(20), "is DICOM, which this page does not read; export the image as PNG"),
        (encoded(np.eye(60, dtype=np.uint8))[:-40], "is damaged or of an unusual kind: .*; save it anew"),
        (header(12000, 12000), r"12,000 × 12,000 pixels, more than the 16,777,216 allowed; crop it$"),
        (bytes(MAX_BYTES + 1), "has 10.0 MiB; give a file of at most 10 MiB"),
        (encoded(np.zeros((2, 9), np.uint8)), "has 2 × 9 pixels; give at least 3 along each side"),
        (encoded(np.zeros((4, 4097), np.uint8)), "has 4 × 4,097 pixels; give at most 4,096 along a side"),
        (encoded(np.full((5, 5), np.nan, np.float32), "TIFF"), "has pixels that are no number or infinite"),
    ],
    ids=["text", "empty", "gif", "dicom", "cut", "bomb", "large", "thin", "long", "nan"],
)
def test_rubbish_is_refused_in_words(tmp_path, data, message):
    path = tmp_path / "f3a9"
    path.write_bytes(data)
    with pytest.raises(DemoError, match=f"^scan.png: .*{message}") as caught:
        read(path, "../scan.png")
    assert str(tmp_path) not in str(caught.value)
    if data:
        with pytest.raises(DemoError, match=message):
            read_data(data, "scan.png")


def test_a_file_that_has_gone_is_said_without_its_place(tmp_path):
    with pytest.raises(DemoError, match=r"^lesion\.png: ") as caught:
        read(tmp_path / "gone", "lesion.png")
    assert str(tmp_path) not in str(caught.value)


@given(st.text())
def test_a_shown_name_is_one_short_printable_part(name):
    shown = shown_name(name)
    assert 1 <= len(shown) <= 80
    assert not set("/\\") & set(shown)
    assert not any(letter != " " and unicodedata.category(letter)[0] in "CZ" for letter in shown)


def test_colour_is_read_as_grey_and_said(rng, monkeypatch):
    colour = rng.integers(0, 256, (9, 8, 3), dtype=np.uint8)
    data = encoded(colour)
    monkeypatch.setattr(_raster, "_colour_told", threading.Lock())
    picture = read_data(data, "colour.png")
    again = read_data(data, "colour.png")
    assert (picture.colour, again.colour) == (True, True)
    np.testing.assert_array_equal(picture.array, np.asarray(PIL.Image.fromarray(colour).convert("L")))
    np.testing.assert_array_equal(picture.array, again.array)
    monkeypatch.setattr(_raster, "_colour_told", threading.Lock())
    np.testing.assert_array_equal(io.decode(picture.data), picture.array)  # and no warning, which were an error


@pytest.mark.parametrize("transparency", [None, 3, bytes(range(256))])
def test_a_palette_is_colour_whatever_is_transparent_in_it(rng, transparency):
    palette = PIL.Image.fromarray(rng.integers(0, 256, (9, 8, 3), dtype=np.uint8)).convert("P")
    out = _io.BytesIO()
    palette.save(out, "PNG", **({} if transparency is None else {"transparency": transparency}))
    picture = read_data(out.getvalue(), "palette.png")
    assert picture.colour
    np.testing.assert_array_equal(picture.array, np.asarray(palette.convert("RGB").convert("L")))


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "BMP"])
@pytest.mark.parametrize("channels", [1, 3])
def test_damage_is_refused_or_read(rng, format, channels):
    whole = np.frombuffer(
        encoded(rng.integers(0, 256, (20, 22, channels), dtype=np.uint8).squeeze(), format), np.uint8
    )
    refused = 0
    for _ in range(60):
        damaged = whole.copy()
        damaged[rng.integers(2, min(len(whole), 200), 3)] = rng.integers(0, 256, 3)
        try:
            picture = read_data(damaged.tobytes(), "damaged")
        except DemoError:
            refused += 1
        else:
            np.testing.assert_array_equal(io.decode(picture.data), picture.array)
    assert refused > 0


def test_three_equal_channels_are_grey(grey):
    data = encoded(np.stack([grey] * 3, axis=-1))
    picture = read_data(data, "grey.png")
    assert (picture.colour, picture.data) == (False, data)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32])
@pytest.mark.parametrize("pages", [0, 3])
def test_what_is_written_is_what_was_read(rng, dtype, pages):
    array = rng.integers(0, 250, (pages, 5, 4) if pages else (5, 4)).astype(dtype)
    data, ending = lossless(array)
    found = read_data(data, f"x{ending}")
    np.testing.assert_array_equal(found.array, array)
    assert found.array.dtype == array.dtype
    assert (ending == ".png") == (dtype in (np.uint8, np.uint16) and not pages)


def test_a_box_is_cut_out_to_the_pixel(grey):
    picture = read_data(encoded(grey), "slice.png")
    found = crop(picture, Box(left=3, top=5, width=10, height=12))
    np.testing.assert_array_equal(found.array, grey[5:17, 3:13])
    np.testing.assert_array_equal(io.decode(found.data), grey[5:17, 3:13])
    np.testing.assert_array_equal(crop(picture, Box(0, 0, 24, 26)).array, grey)


@pytest.mark.parametrize(
    ("box", "message"),
    [
        (Box(-1, 0, 5, 5), "the image has columns 0 to 23 and rows 0 to 25: draw it inside"),
        (Box(20, 0, 5, 5), "reaches from column 20 to 24"),
        (Box(0, 22, 5, 5), "row 22 to 26"),
        (Box(0, 0, 2, 9), "has 2 × 9 pixels; draw one of at least 3 × 3"),
        (Box(5, 5, -3, 9), "has -3 × 9 pixels"),
    ],
)
def test_a_box_outside_or_too_small_is_refused(grey, box, message):
    with pytest.raises(DemoError, match=message):
        crop(read_data(encoded(grey), "slice.png"), box)


def test_several_pages_are_no_single_image(rng):
    data, _ = lossless(rng.integers(0, 256, (3, 5, 4), dtype=np.uint8))
    picture = read_data(data, "pages.tif")
    with pytest.raises(DemoError, match=r"pages.tif: has 3 pages; give a single image"):
        single(picture)
    with pytest.raises(DemoError, match=r"pages.tif: has 3 pages; give one slice"):
        crop(picture, Box(0, 0, 4, 4))


def stack(folder, names, rng, shape=(6, 7)):
    """Write a picture for each name; return the paths and the pixels."""
    arrays = [rng.integers(0, 256, shape, dtype=np.uint8) for _ in names]
    paths = []
    for number, array in enumerate(arrays):
        paths.append(folder / f"upload{number}")
        paths[-1].write_bytes(png(array))
    return paths, arrays


@pytest.mark.parametrize("count", [9, 17])
@pytest.mark.parametrize(
    "pattern", ["{}.jpg", "Malignant/SYN-001/{}/p-040.jpg", "lesion_{}.png", "C:\\scan\\{}.png"]
)
def test_names_tell_the_phases_in_any_order(tmp_path, rng, count, pattern):
    names = [pattern.format(name) for name in SEQUENCES[:count]]
    if pattern.startswith("lesion"):
        names = [name.replace("VIBRANT+", "").replace("VIBRANT", "C0") for name in names]
    order = rng.permutation(count)
    paths, arrays = stack(tmp_path, names, rng)
    lesion = phases([paths[k] for k in order], [names[k] for k in order])
    assert (lesion.sequences, len(lesion)) == (SEQUENCES[:count], count)
    assert lesion.how == "the names of the files tell the phases"
    for picture, array in zip(lesion.pictures, arrays, strict=True):
        np.testing.assert_array_equal(picture.array, array)


@pytest.mark.parametrize("count", [9, 17])
def test_without_telling_names_the_order_decides_numbers_as_numbers(tmp_path, rng, count):
    paths, arrays = stack(tmp_path, range(count), rng)
    names = [f"scan {number}.png" for number in range(count)]
    order = sorted(range(count), key=lambda k: names[k])  # 1, 10, 11, ..., 2
    lesion = phases([paths[k] for k in order], [names[k] for k in order])
    assert "in the order of their names" in lesion.how
    for picture, array in zip(lesion.pictures, arrays, strict=True):
        np.testing.assert_array_equal(picture.array, array)


@pytest.mark.parametrize("count", [9, 17])
def test_pages_of_a_tiff_are_phases(tmp_path, rng, count):
    arrays = rng.integers(0, 256, (count, 6, 5), dtype=np.uint8)
    (tmp_path / "upload").write_bytes(lossless(arrays)[0])
    lesion = phases([tmp_path / "upload"], ["stack.tif"])
    assert lesion.sequences == SEQUENCES[:count]
    assert lesion.how == "the pages of stack.tif, in their order"
    assert lesion.pictures[1].name == f"stack.tif, page 2 of {count}"
    for picture, array in zip(lesion.pictures, arrays, strict=True):
        np.testing.assert_array_equal(io.decode(picture.data), array)


NINE = [f"{name}.jpg" for name in SEQUENCES[:9]]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (NINE[:8], "there are 8 files; give 9, the image before contrast and eight after it, or 17"),
        ([*NINE[:8], "notes.jpg"], "notes.jpg: its name tells no phase, and other names do; name it as VIBRANT"),
        ([*NINE[:8], "C7.jpg"], r"of the 9 phases there is no VIBRANT\+C8; VIBRANT\+C7 is there more than once"),
        ([*NINE[:8], "SUB1.jpg"], r"there is no VIBRANT\+C8$"),
        (["p-040.jpg"] * 9, "9 files are named p-040.jpg, so that nothing tells which phase each is"),
    ],
)
def test_names_that_contradict_each_other_are_refused(names, message):
    with pytest.raises(DemoError, match=message):
        assign(names)


def test_a_number_that_is_no_phase_tells_none():
    assert [phase_of(name) for name in ("C9.png", "SUB12.png", "abc1.png", "VIBRANTE.png", "c 8.png")] == [
        *[None] * 4, "VIBRANT+C8",
    ]  # fmt: skip


def test_phases_must_be_alike(tmp_path, rng):
    paths, _ = stack(tmp_path, NINE, rng)
    paths[4].write_bytes(png(np.zeros((6, 8), np.uint8)))
    with pytest.raises(DemoError, match=r"VIBRANT\+C4.jpg \(VIBRANT\+C4\) has 6 × 8 pixels, VIBRANT.jpg"):
        phases(paths, NINE)
    paths[4].write_bytes(lossless(np.zeros((2, 6, 7), np.uint8))[0])
    with pytest.raises(DemoError, match="has 2 pages; give one file for each phase"):
        phases(paths, NINE)
    with pytest.raises(DemoError, match=r"VIBRANT.jpg: is a single image; give the 9 or 17 phases"):
        phases(paths[:1], NINE[:1])


def test_phases_have_a_bound_together(tmp_path, rng, monkeypatch):
    monkeypatch.setattr("tumortrace.web._reader.MAX_SIDE", 16)
    paths, _ = stack(tmp_path, NINE, rng)
    with pytest.raises(DemoError, match="the phases have more than 256 pixels together"):
        phases(paths, NINE)


def test_files_are_counted():
    check_count(1)
    check_count(64)
    for count, message in ((0, "there is no file"), (65, "there are 65 files; give 64 at most")):
        with pytest.raises(DemoError, match=message):
            check_count(count)


def test_pictures_are_plain_data(grey):
    first, second = (read_data(encoded(grey), "a.png") for _ in range(2))
    assert isinstance(first, Picture)
    assert (first.data, first.name) == (second.data, second.name)
