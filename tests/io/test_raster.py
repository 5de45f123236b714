"""The guarded reader: every kind of pixel it takes, and every kind of file it refuses."""

import io
import os
import struct
import threading
import time
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import PIL.Image
import pytest
from PIL import ImageFile

from tumortrace.io import ColourWarning, Image, ImageError, _raster, decode, read_bytes, read_image, read_mask


@pytest.fixture
def grey(rng):
    return rng.integers(0, 256, (26, 24), dtype=np.uint8)


@pytest.fixture
def colour(rng):
    return rng.integers(0, 256, (26, 24, 3), dtype=np.uint8)


@pytest.fixture
def untold(monkeypatch):
    """As at the start of a process: nobody has been told of colour."""
    monkeypatch.setattr(_raster, "_colour_told", threading.Lock())


@pytest.fixture
def told(untold):
    _raster._colour_told.acquire()


def encoded(array, format, **options):
    picture = array if isinstance(array, PIL.Image.Image) else PIL.Image.fromarray(array)
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def luma(colour):
    return np.array(PIL.Image.fromarray(colour).convert("L"))


def png_header(width, height, bits=1):
    """A PNG of zeros, written by hand: what makes a small file large."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(bytes((width * bits // 8 + 1) * height), 9)
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("format", "options"),
    [
        ("PNG", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "tiff_adobe_deflate"}),
        ("TIFF", {"compression": "packbits"}),
    ],
)
def test_lossless_8_bit(grey, format, options):
    result = decode(encoded(grey, format, **options))
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, grey)


def test_jpeg(grey):
    data = encoded(grey, "JPEG", quality=95)
    np.testing.assert_array_equal(decode(data), np.asarray(PIL.Image.open(io.BytesIO(data))))


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_16_bit_stays_uint16(rng, format):
    array = rng.integers(0, 65536, (9, 7), dtype=np.uint16)
    result = decode(encoded(array, format))
    assert result.dtype == np.uint16
    np.testing.assert_array_equal(result, array)


def tiff(array, sample_format, byte_order="<", photometric=1):
    """An uncompressed TIFF of one strip, written by hand."""
    rows, cols = array.shape
    pixels = array.astype(array.dtype.newbyteorder(byte_order)).tobytes()
    tags = [
        (256, 4, cols),
        (257, 4, rows),
        (258, 3, array.itemsize * 8),
        (259, 3, 1),
        (262, 3, photometric),
        (273, 4, 8),
        (277, 3, 1),
        (278, 4, rows),
        (279, 4, len(pixels)),
        (339, 3, sample_format),
    ]
    data = (b"II*\0" if byte_order == "<" else b"MM\0*") + struct.pack(byte_order + "I", 8 + len(pixels)) + pixels
    data += struct.pack(byte_order + "H", len(tags))
    for tag, kind, value in tags:
        field = struct.pack(byte_order + ("HH" if kind == 3 else "I"), *((value, 0) if kind == 3 else (value,)))
        data += struct.pack(byte_order + "HHI", tag, kind, 1) + field
    return data + bytes(4)


@pytest.mark.parametrize(
    ("array", "sample_format", "byte_order"),
    [
        (np.array([[0, 1], [40000, 65535]], dtype=np.uint16), 1, "<"),
        (np.array([[0, 1], [40000, 65535]], dtype=np.uint16), 1, ">"),
        (np.array([[-32768, -1], [0, 32767]], dtype=np.int16), 2, "<"),
        (np.array([[-32768, -1], [0, 32767]], dtype=np.int16), 2, ">"),
        (np.array([[-(2**31), -1], [0, 2**31 - 1]], dtype=np.int32), 2, "<"),
        (np.array([[0, 1], [2**31, 2**32 - 1]], dtype=np.uint32), 1, "<"),
        (np.array([[-1.5, 0], [1e-7, 3e38]], dtype=np.float32), 3, "<"),
        (np.array([[-1.5, 0], [1e-7, 3e38]], dtype=np.float32), 3, ">"),
    ],
)
def test_tiff_of_more_than_8_bits(array, sample_format, byte_order):
    result = decode(tiff(array, sample_format, byte_order))
    assert result.dtype.isnative
    assert result.dtype.kind == array.dtype.kind
    np.testing.assert_array_equal(result, array)


def test_white_as_zero(grey):
    np.testing.assert_array_equal(decode(tiff(grey, 1, photometric=0)), 255 - grey)
    with pytest.raises(ImageError, match="stores white as 0"):
        decode(tiff(grey.astype(np.uint16), 1, photometric=0))


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF"])
def test_black_and_white_is_0_and_255(grey, format):
    picture = PIL.Image.fromarray(np.where(grey > 99, np.uint8(255), np.uint8(0))).convert("1")
    result = decode(encoded(picture, format))
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, np.where(grey > 99, 255, 0))


@pytest.mark.parametrize(("format", "mode"), [("PNG", "LA"), ("PNG", "RGBA"), ("TIFF", "RGBA"), ("BMP", "RGB")])
def test_grey_in_colour_channels_is_grey_without_a_word(grey, format, mode, untold):
    picture = PIL.Image.fromarray(grey).convert(mode)
    if "A" in mode:
        picture.putalpha(PIL.Image.fromarray(255 - grey))
    np.testing.assert_array_equal(decode(encoded(picture, format)), grey)


@pytest.mark.parametrize("format", ["PNG", "TIFF", "BMP"])
def test_palette_is_looked_up(grey, format, untold):
    palette = PIL.Image.fromarray(grey // 16)
    palette.putpalette([255 - 16 * (i // 3) for i in range(48)])
    np.testing.assert_array_equal(decode(encoded(palette, format)), 255 - 16 * (grey // 16))


def test_palette_with_transparency(grey, untold):
    palette = PIL.Image.fromarray(grey // 16)
    palette.putpalette([16 * (i // 3) for i in range(48)])
    np.testing.assert_array_equal(decode(encoded(palette, "PNG", transparency=bytes(range(16)))), grey // 16 * 16)


def test_colour_is_luma(colour, told):
    for data in (encoded(colour, "PNG"), encoded(colour, "TIFF"), encoded(colour, "BMP")):
        np.testing.assert_array_equal(decode(data), luma(colour))
    weighted = colour @ np.array([0.299, 0.587, 0.114])
    assert np.abs(luma(colour) - weighted).max() <= 0.51


def test_colour_jpeg_and_cmyk(colour, told):
    for mode in ("RGB", "CMYK"):
        data = encoded(PIL.Image.fromarray(colour).convert(mode), "JPEG", quality=95)
        expected = np.asarray(PIL.Image.open(io.BytesIO(data)).convert("RGB").convert("L"))
        np.testing.assert_array_equal(decode(data), expected)


def test_colour_warns_once(colour, untold):
    data = encoded(colour, "PNG")
    with pytest.warns(ColourWarning, match=r"first\.png is in colour and read as grey"):
        decode(data, "first.png")
    decode(data, "second.png")


def test_several_16_bit_channels_are_refused(rng):
    rgb16 = b"\x89PNG\r\n\x1a\n"
    pixels = b"".join(b"\0" + rng.bytes(2 * 6) for _ in range(3))
    for kind, data in (
        (b"IHDR", struct.pack(">IIBBBBB", 2, 3, 16, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(pixels)),
        (b"IEND", b""),
    ):
        rgb16 += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    with pytest.raises(ImageError, match="several channels of 16 bits; save it as 16-bit grey"):
        decode(rgb16)


def test_5_6_5_bitmap_is_8_bit_colour(told):
    header = struct.pack("<IiiHHIIiiII", 40, 2, 1, 1, 16, 3, 4, 0, 0, 0, 0) + struct.pack(
        "<III", 0xF800, 0x7E0, 0x1F
    )
    data = b"BM" + struct.pack("<IHHI", 14 + 52 + 4, 0, 0, 14 + 52) + header + struct.pack("<HH", 0xFFFF, 0)
    np.testing.assert_array_equal(decode(data), [[255, 0]])


def test_lab_is_refused(colour):
    picture = PIL.Image.merge("LAB", PIL.Image.fromarray(colour).split())
    data = encoded(picture, "TIFF")
    with pytest.raises(ImageError, match="pixels of mode LAB; save it as grey or RGB"):
        decode(data)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF"])
def test_orientation_is_applied(grey, format):
    picture = PIL.Image.fromarray(grey)
    exif = PIL.Image.Exif()
    exif[274] = 6  # turn a quarter clockwise to show
    upright = decode(encoded(picture, format))
    np.testing.assert_array_equal(decode(encoded(picture, format, exif=exif)), np.rot90(upright, -1))


def test_pages_of_a_tiff_are_slices(rng):
    volume = rng.integers(0, 65536, (3, 5, 4), dtype=np.uint16)
    first, *others = [PIL.Image.fromarray(page) for page in volume]
    data = encoded(first, "TIFF", save_all=True, append_images=others)
    np.testing.assert_array_equal(decode(data), volume)
    with pytest.raises(ImageError, match=r"5 × 4 × 3 pages pixels, more than the 59 allowed"):
        decode(data, max_pixels=59)


def test_pages_that_differ_are_refused(grey):
    first, other = PIL.Image.fromarray(grey), PIL.Image.fromarray(grey[1:])
    with pytest.raises(ImageError, match="page 2 has 25 × 24 pixels, page 1 another size"):
        decode(encoded(first, "TIFF", save_all=True, append_images=[other]))
    other = PIL.Image.fromarray(grey.astype(np.uint16))
    with pytest.raises(ImageError, match="different pixel types"):
        decode(encoded(first, "TIFF", save_all=True, append_images=[other]))


def test_animated_png_is_its_first_picture(grey):
    first, other = PIL.Image.fromarray(grey), PIL.Image.fromarray(255 - grey)
    np.testing.assert_array_equal(decode(encoded(first, "PNG", save_all=True, append_images=[other])), grey)


def test_decompression_bomb_is_refused_from_its_header(tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(12000, 12000))
    assert path.stat().st_size < 20_000
    read_bytes(path)
    start = time.perf_counter()
    with pytest.raises(
        ImageError, match=r"bomb\.png: has 12,000 × 12,000 pixels, more than the 67,108,864 allowed; .*max_pixels"
    ):
        read_image(path)
    assert time.perf_counter() - start < 0.1


def test_limit_is_the_callers(monkeypatch):
    data = png_header(1000, 1000)
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 10)  # Pillow's own limit plays no part
    assert decode(data, max_pixels=1000 * 1000).shape == (1000, 1000)
    with pytest.raises(ImageError, match="more than the 999,999 allowed"):
        decode(data, max_pixels=1000 * 1000 - 1)


def test_file_too_large_for_its_pixels(tmp_path, grey):
    path = tmp_path / "large.png"
    path.write_bytes(encoded(grey, "PNG") + bytes(2000))
    assert read_image(path, max_pixels=26 * 24).array.shape == (26, 24)
    path.write_bytes(encoded(grey, "PNG") + bytes(20000))
    with pytest.raises(ImageError, match="too many for 624 pixels"):
        read_image(path, max_pixels=26 * 24)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "BMP"])
def test_cut_short_at_any_byte(grey, format):
    data = encoded(grey, format)
    whole = decode(data)
    for length in range(1, int(0.9 * len(data)), 7):
        with pytest.raises(ImageError, match="cut: is "):
            decode(data[:length], "cut")
    for length in range(int(0.9 * len(data)), len(data)):
        with suppress(ImageError):  # what is missing held no pixels
            np.testing.assert_array_equal(decode(data[:length]), whole)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "BMP"])
def test_damage_is_an_image_error_or_an_image(grey, rng, format):
    data = np.frombuffer(encoded(grey, format), dtype=np.uint8)
    refused = 0
    for _ in range(300):
        damaged = data.copy()
        where = rng.integers(2, min(len(data), 150), 3)
        damaged[where] = rng.integers(0, 256, 3)
        try:
            decode(damaged.tobytes(), max_pixels=10_000)
        except (ImageError, ColourWarning):
            refused += 1
    assert refused > 10


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"patient,age\n1,50\n", "is no JPEG, PNG, TIFF or BMP: it begins with b'patient,'"),
        (b"GIF89a" + bytes(50), "is no JPEG, PNG, TIFF or BMP"),
        (b"%!PS-Adobe-3.0 EPSF", "is no JPEG, PNG, TIFF or BMP"),
        (b"BM and more text that is no bitmap", "is damaged or of an unusual kind"),
        (b"\xff\xd8\xff", "is damaged or of an unusual kind"),
    ],
)
def test_content_counts_not_the_ending(tmp_path, content, message):
    path = tmp_path / "scan.png"
    path.write_bytes(content)
    with pytest.raises(ImageError, match="scan.png: " + message.replace("(", r"\(")):
        read_image(path)


def test_wrong_ending_is_no_obstacle(tmp_path, grey):
    path = tmp_path / "really.jpg"
    path.write_bytes(encoded(grey, "PNG"))
    np.testing.assert_array_equal(read_image(path).array, grey)


def test_what_is_no_file(tmp_path):
    (tmp_path / "x.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    (tmp_path / "file.jpg").write_bytes(b"x")
    for name, message in (
        ("x.jpg", "is a folder; give an image file"),
        ("pipe.jpg", "is no regular file"),
        ("none.jpg", "does not exist"),
        ("loop.jpg", "cannot be read: Too many levels"),
        ("file.jpg/in.jpg", "cannot be read: Not a directory"),
        ("nul\0.jpg", "cannot be read: .*embedded null"),
    ):
        with pytest.raises(ImageError, match=message) as caught:
            read_image(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)


def test_unreadable_file(tmp_path, monkeypatch):
    path = tmp_path / "locked.jpg"
    path.write_bytes(b"x")

    def refuse(*args):  # what open does for a user who may not read; root always may
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(ImageError, match=r"locked\.jpg: cannot be read: Permission denied"):
        read_image(path)


def test_read_image_is_an_image(tmp_path, grey):
    path = tmp_path / "Läsion 1 – 中.png"
    path.write_bytes(encoded(grey, "PNG"))
    for given in (path, str(path)):
        image = read_image(given)
        assert isinstance(image, Image)
        np.testing.assert_array_equal(image.array, grey)
        assert (image.mask, image.spacing, image.source) == (None, None, str(path))
    assert repr(image) == f"Image(26 × 24, uint8, {str(path)!r})"
    with pytest.raises(AttributeError):
        image.source = ""


def test_repr_tells_of_mask_and_spacing(grey):
    assert repr(Image(grey, grey > 9, (0.5, 0.5), "a")) == "Image(26 × 24, uint8, mask, spacing (0.5, 0.5) mm, 'a')"


def test_read_mask(tmp_path, grey):
    path = tmp_path / "mask.png"
    path.write_bytes(encoded((grey // 100).astype(np.uint8), "PNG"))
    mask = read_mask(path)
    assert mask.dtype == bool
    np.testing.assert_array_equal(mask, grey >= 100)


def test_threads_agree(grey, colour, untold):
    files = [encoded(grey, "JPEG"), encoded(colour, "PNG"), encoded(grey, "TIFF", compression="tiff_lzw")]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        expected = [decode(data) for data in files]
        _raster._colour_told.release()
        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(decode, files * 60))
    for i, result in enumerate(results):
        np.testing.assert_array_equal(result, expected[i % 3])
    assert [w.category for w in caught] == [ColourWarning, ColourWarning]


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_file_cut_short_is_refused_where_another_library_lets_pillow_fill_it(grey, monkeypatch, kind):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    file = io.BytesIO()
    PIL.Image.fromarray(grey).save(file, kind)
    with pytest.raises(ImageError, match="lesion: is damaged"):
        decode(file.getvalue()[:-60], "lesion")


def test_pillow_settings_stay(grey):
    before = PIL.Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    decode(encoded(grey, "JPEG"))
    assert (PIL.Image.MAX_IMAGE_PIXELS, list(warnings.filters)) == before
