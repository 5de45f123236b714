"""What is flagged is kept whole, in the operator's folder and nowhere else."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import numpy as np
import pytest

from tumortrace import io
from tumortrace.web._answer import Answer
from tumortrace.web._confidence import Confidence
from tumortrace.web._error import DemoError
from tumortrace.web._flag import FILE, flag
from tumortrace.web._reader import Lesion, lossless, png, read_data, single
from tumortrace.web._shelf import Shelved

SHELVED = Shelved("crop-fused", None, {"plan": {"kind": "fused"}, "data": {"digest": "d1"}})
ANSWER = Answer(("Benign", "Malignant"), 0.25, 0.75, 0.5, "Malignant", Confidence("Low", "", ""), (), (), {})


def lines(folder):
    return [json.loads(line) for line in (folder / FILE).read_text().splitlines()]


def test_a_line_and_the_picture_are_kept(tmp_path, rng):
    folder = tmp_path / "kept" / "flags"
    array = rng.integers(0, 256, (9, 7), dtype=np.uint8)
    lesion = single(read_data(png(array), "../../etc/passwd\u2028.png"))
    name = flag(folder, SHELVED, lesion, ANSWER, comment="looks wrong\nto me")
    (line,) = lines(folder)
    assert datetime.fromisoformat(line.pop("time")).tzinfo is not None
    assert line == {
        "flag": name, "model": "crop-fused", "kind": "Fused", "data": "d1", "score": 0.75, "threshold": 0.5,
        "called": "Malignant", "comment": "looks wrong\nto me",
        "pictures": [{"file": f"{name}/00.png", "name": "passwd.png", "sequence": ""}],
    }  # fmt: skip
    np.testing.assert_array_equal(io.read_image(folder / name / "00.png").array, array)
    assert {path.relative_to(folder).parts[0] for path in folder.rglob("*")} == {FILE, name}


def test_nobody_else_can_read_it(tmp_path, rng):
    folder = tmp_path / "flags"
    name = flag(folder, SHELVED, single(read_data(png(np.eye(5, dtype=np.uint8)), "x.png")), ANSWER)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / name, folder / FILE)}
    assert modes == {folder: 0o700, folder / name: 0o700, folder / FILE: 0o600}


def test_phases_are_kept_in_their_order_without_loss(tmp_path, rng):
    arrays = rng.random((3, 5, 4)).astype(np.float32)
    pictures = tuple(read_data(lossless(array)[0], f"{k}.tif") for k, array in enumerate(arrays))
    name = flag(tmp_path, SHELVED, Lesion(pictures, ("a", "b", "c"), "told"), ANSWER)
    kept = lines(tmp_path)[0]["pictures"]
    assert [(one["file"], one["sequence"]) for one in kept] == [
        (f"{name}/00.tif", "a"),
        (f"{name}/01.tif", "b"),
        (f"{name}/02.tif", "c"),
    ]
    for one, array in zip(kept, arrays, strict=True):
        np.testing.assert_array_equal(io.read_image(tmp_path / one["file"]).array, array)


def test_many_at_once_are_a_line_each(tmp_path, rng):
    lesion = single(read_data(png(rng.integers(0, 256, (20, 20), dtype=np.uint8)), "x.png"))
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda k: flag(tmp_path, SHELVED, lesion, ANSWER, comment="ü" * 40 * k), range(40)))
    found = lines(tmp_path)
    assert sorted(line["flag"] for line in found) == sorted(set(names))
    assert len(names) == 40
    assert all((tmp_path / line["pictures"][0]["file"]).is_file() for line in found)


def test_what_cannot_be_kept_is_said_without_a_path(tmp_path, rng):
    lesion = single(read_data(png(np.eye(5, dtype=np.uint8)), "x.png"))
    with pytest.raises(DemoError, match="the comment has 2,001 letters; give 2,000 at most"):
        flag(tmp_path, SHELVED, lesion, ANSWER, comment="x" * 2001)
    (tmp_path / "file").write_text("")
    with pytest.raises(DemoError, match=r"it could not be flagged: .*; tell whoever runs this page") as caught:
        flag(tmp_path / "file", SHELVED, lesion, ANSWER)
    assert str(tmp_path) not in str(caught.value)
