"""A folder with everything that goes wrong: one row each, the others whole."""

import struct
import zlib

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tumortrace.cli import main
from tumortrace.features import FEATURES, FeatureVector
from tumortrace.table import extract, feature_columns

BAD = {
    "bomb.png": "pixels, more than the",
    "cut.jpg": "is damaged",
    "empty.png": "is empty (0 bytes)",
    "folder.jpg": "is a folder",
    "gone.png": "does not exist",
    "text.png": "is no JPEG, PNG, TIFF or BMP",
}
SMALL = ["one.png", "two_by_three.png"]
GOOD = ["good_1.png", "good_2.jpg", "good_3.tif"]


def png_of_zeros(rows, cols):
    """Return a black PNG without ever holding its pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1 + cols // 8)) for _ in range(rows)) + packer.flush()
    head = struct.pack(">IIBBBBB", cols, rows, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "mixed"
    folder.mkdir()
    pixels = np.random.default_rng(3).integers(0, 256, (40, 36), dtype=np.uint8)
    for name in GOOD:
        Image.fromarray(pixels).save(folder / name)
    Image.fromarray(pixels[:1, :1]).save(folder / "one.png")
    Image.fromarray(pixels[:2, :3]).save(folder / "two_by_three.png")
    (folder / "empty.png").touch()
    (folder / "cut.jpg").write_bytes((folder / "good_2.jpg").read_bytes()[:300])
    (folder / "text.png").write_text("not a picture")
    (folder / "bomb.png").write_bytes(png_of_zeros(12_000, 12_000))
    (folder / "folder.jpg").mkdir()
    (folder / "gone.png").symlink_to(folder / "nowhere")
    return folder


def test_one_row_each_and_the_others_whole(folder, tmp_path, capsys):
    assert (folder / "bomb.png").stat().st_size < 20_000
    assert main(["extract", str(folder), "-o", str(tmp_path / "t.csv")]) == 3
    printed = capsys.readouterr().out
    assert "computed 11, reused 0, failed 6" in printed
    table = pd.read_csv(tmp_path / "t.csv").set_index("image")
    features = feature_columns(table)
    assert table.index.tolist() == sorted([*BAD, *SMALL, *GOOD])
    for name, message in BAD.items():
        assert table.loc[name, "status"] == "failed"
        assert message in table.loc[name, "error"]
        assert str(folder) not in table.loc[name, "error"]
        assert table.loc[name, features].isna().all()
    for name in GOOD:
        assert table.loc[name, "status"] == "ok", table.loc[name, "error"]
        assert table.loc[name, features].notna().all()
    for name in SMALL:
        assert table.loc[name, "status"] == "incomplete"
        assert table.loc[name, "error"].startswith(("hog: ", "sobel: ", "lbp: ", "mvm_lbp: "))
        assert 0 < table.loc[name, features].isna().sum() < len(features)


def test_an_unreadable_file_is_a_row(folder, monkeypatch):
    """Denied by hand: no permission binds root, as whom this may run."""
    real = open

    def guarded(path, *args, **options):
        if str(path).endswith("good_1.png"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *args, **options)

    monkeypatch.setattr("builtins.open", guarded)
    table = extract(folder, ["shape"]).set_index("image")
    assert table.loc["good_1.png", "error"] == "cannot be read: Permission denied"
    assert table.loc["good_2.jpg", "status"] == "ok"


def test_an_error_that_nobody_foresaw_is_a_row_with_its_name(monkeypatch):
    def odd(image, mask=None, *, spacing=None):
        if np.max(image) > 0:
            raise ZeroDivisionError
        return FeatureVector(("a",), [np.nan])

    monkeypatch.setitem(FEATURES, "odd", odd)
    table = extract([np.zeros((4, 4)), np.eye(4)], ["odd"])
    assert table["status"].tolist() == ["incomplete", "failed"]
    assert table["error"].tolist() == ["some features are undefined on this image", "odd: ZeroDivisionError"]
