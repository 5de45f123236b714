"""Several images give a row each, whatever some of them are."""

import math

import numpy as np
import pytest

from tumortrace.web._answer import answer
from tumortrace.web._error import DemoError
from tumortrace.web._reader import png, read, single
from tumortrace.web._shelf import open_shelf
from tumortrace.web._table import table


@pytest.fixture(scope="module")
def shelf(models):
    return open_shelf([models])


@pytest.fixture
def uploads(lesions, tmp_path):
    """Two crops and two that are none, as a server keeps them."""
    good = sorted(lesions.rglob("VIBRANT+C2/*.jpg"))[:2]
    contents = [good[0].read_bytes(), b"notes, no image", png(np.zeros((2, 2), np.uint8)), good[1].read_bytes()]
    paths = [tmp_path / str(number) for number in range(4)]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return paths


def test_every_file_has_a_row_in_its_place(shelf, uploads, tmp_path):
    names, told = ["a.jpg", "=cmd()|x.png", "tiny.png", "../b.jpg"], []
    work = tmp_path / "work"
    work.mkdir()
    found = table(shelf["fused"], uploads, names, workplace=work, progress=lambda *done: told.append(done))
    assert list(found) == ["image", "benign", "malignant", "threshold", "called", "confidence", "error"]
    assert list(found["image"]) == ["a.jpg", "'=cmd()|x.png", "tiny.png", "b.jpg"]
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    for place in (0, 3):
        said = answer(shelf["fused"], single(read(uploads[place])), workplace=work)
        row = found.iloc[place]
        assert (row["benign"], row["malignant"], row["called"]) == (said.negative, said.positive, said.called)
        assert (row["threshold"], row["confidence"], row["error"]) == (said.threshold, said.confidence.word, "")
    for place, reason in ((1, "'=cmd()|x.png: is text, whatever its name says"), (2, "tiny.png: has 2 × 2 pixels")):
        row = found.iloc[place]
        assert math.isnan(row["malignant"])
        assert row["called"] == ""
        assert row["error"].startswith(reason)
    assert list(work.iterdir()) == []


def test_too_many_none_and_phases_are_refused(shelf, uploads, tmp_path):
    with pytest.raises(DemoError, match="there are 68 files; give 64 at most"):
        table(shelf["fused"], uploads * 17, workplace=tmp_path)
    with pytest.raises(DemoError, match="there is no file"):
        table(shelf["fused"], [], workplace=tmp_path)
    with pytest.raises(DemoError, match="phases9 takes 9 phases of a slice; choose one of single crops"):
        table(shelf["phases9"], uploads, workplace=tmp_path)
