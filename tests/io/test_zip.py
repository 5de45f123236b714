"""Zips of strangers: unpacked within bounds, or refused by name."""

import io
import stat
import zipfile

import numpy as np
import pytest
from dicoms import write_series
from hypothesis import given
from hypothesis import strategies as st

from tumortrace.io import ImageError
from tumortrace.io._dicom import read_series
from tumortrace.io._zip import read_zip


def packed(*files, method=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return buffer.getvalue()


def refused(tmp_path, data, message, **options):
    with pytest.raises(ImageError, match=message):
        read_zip(data, tmp_path / "out", source="a.zip", **options)
    assert sorted(path.name for path in tmp_path.iterdir()) in ([], ["out"])


def test_a_dicom_folder(tmp_path, rng):
    volume = rng.integers(0, 4000, (3, 5, 6)).astype(np.uint16)
    paths = write_series(tmp_path / "in", volume)
    files = [(f"Serie ä/{path.name}", path.read_bytes()) for path in paths]
    data = packed(*files, ("__MACOSX/._000.dcm", b"x"), ("Serie ä/.DS_Store", b"x"))
    folder = read_zip(data, tmp_path / "out")
    assert sorted(path.name for path in (folder / "Serie ä").iterdir()) == ["000.dcm", "001.dcm", "002.dcm"]
    np.testing.assert_array_equal(read_series(folder).array, volume)


@pytest.mark.parametrize("name", ["../a.dcm", "b/../../a.dcm", "/a.dcm", "..\\a.dcm", "c:/a.dcm"])
def test_names_that_lead_out(tmp_path, name):
    refused(tmp_path, packed((name, b"x")), "leads out of its folder")
    assert not (tmp_path / "out").exists()


def test_links(tmp_path):
    link = zipfile.ZipInfo("a.dcm")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    refused(tmp_path, packed((link, "/etc/passwd")), "is a link")


def test_bounds(tmp_path):
    refused(tmp_path, packed(("a", b"1"), ("b", b"2")), "holds 2 files, more than the 1 allowed", max_files=1)
    refused(tmp_path, packed(("a", b"123")), "unpacks to 3 bytes, more than the 2 allowed", max_bytes=2)
    refused(tmp_path, packed(("a", bytes(2**22))), "too many for its size")
    refused(tmp_path, packed(), "holds no file")
    refused(tmp_path, packed(("a.zip", packed(("b", b"1")))), "an archive in the archive")


def test_a_size_that_is_a_lie(tmp_path):
    data = packed(("a", b"x" * 100), method=zipfile.ZIP_STORED)
    for size in (50, 200):
        lie = data.replace((100).to_bytes(4, "little"), size.to_bytes(4, "little"))
        refused(tmp_path, lie, "a.zip")
        (tmp_path / "out" / "a").unlink(missing_ok=True)


def test_same_name_twice(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = packed(("a", b"1"), ("a", b"2"))
    refused(tmp_path, data, "cannot be unpacked: File exists")


@given(data=st.data())
def test_cut_short_anywhere(tmp_path_factory, data):
    whole = packed(("a.dcm", bytes(range(200))))
    with pytest.raises(ImageError, match="a zip: is no zip, or a damaged one"):
        read_zip(whole[: data.draw(st.integers(0, len(whole) - 1))], tmp_path_factory.mktemp("z"), source="a zip")
