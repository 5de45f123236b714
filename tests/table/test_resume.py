import signal
import time

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from table.toy import write_images

from tumortrace import io
from tumortrace.table import extract

FAST = ["first_order", "shape"]


def until_rows(folder, rows, process):
    """Wait until the part file holds some rows."""
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if any(path.read_bytes().count(b"\n") > rows for path in folder.glob("t.*.part*")):
            return
        time.sleep(0.005)
    raise AssertionError(process.communicate())


@pytest.mark.parametrize(
    ("how", "jobs", "ending"),
    [
        (signal.SIGKILL, 1, "csv"),
        (signal.SIGKILL, 2, "csv"),
        (signal.SIGKILL, 2, "parquet"),
        (signal.SIGINT, 1, "csv"),
        (signal.SIGINT, 2, "csv"),
    ],
)
def test_an_interrupted_run_resumes_to_the_same_bytes(tmp_path, start, toy_extractor, how, jobs, ending):
    lesions = write_images(tmp_path / "lesions", 90)
    files = io.find(lesions).frame["image"]
    for index, rows in ((16, 31), (64, 32)):
        Image.fromarray(np.ones((rows, 9), np.uint8)).save(lesions / files[index])
    settings = ["--features", "toy,first_order", "--set", "toy.wait=0.01"]
    out = tmp_path / f"t.{ending}"
    command = ["extract", lesions, *settings, "--jobs", jobs, "-o", out]
    for rows, stops_at in ((10, 31), (40, 32)):  # interrupted twice
        process = start(*command, *(["--resume"] if rows > 10 else []), stops_at=stops_at)
        until_rows(tmp_path, rows, process)
        process.send_signal(how)
        _, errors = process.communicate(timeout=10)  # returns when no worker is left that holds the pipe
        assert process.returncode == (-9 if how == signal.SIGKILL else 130), errors
        assert how == signal.SIGINT or errors == ""
        assert not out.exists()
        if how == signal.SIGINT:
            assert errors == (
                "tumortrace: interrupted; rows so far are kept: go on with the same command and --resume\n"
            )
    process = start(*command, "--resume")
    printed, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    computed = int(printed.partition("computed ")[2].partition(",")[0])
    assert 0 < computed <= 50
    assert f"computed {computed}, reused {90 - computed}, failed 0" in printed
    whole = tmp_path / f"whole.{ending}"
    extract(lesions, {"toy": {"wait": 0.01}, "first_order": {}}, out=whole, jobs=2)
    assert out.read_bytes() == whole.read_bytes()
    assert not list(tmp_path.glob("*.part*"))


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_second_run_computes_nothing(lesions, tmp_path, ending):
    out = tmp_path / f"t.{ending}"
    extract(lesions, FAST, out=out)
    before = out.read_bytes()
    for _ in range(2):
        summary = extract(lesions, FAST, out=out, resume=True)
        assert (summary.computed, summary.reused) == (0, 30)
        assert out.read_bytes() == before


def test_without_resume_everything_is_computed(lesions, tmp_path):
    extract(lesions, FAST, out=tmp_path / "t.csv")
    assert extract(lesions, FAST, out=tmp_path / "t.csv").computed == 30


def test_a_changed_image_is_computed_again(lesions, tmp_path):
    extract(lesions, FAST, out=tmp_path / "t.csv")
    changed = sorted(lesions.rglob("*.png"))[3]
    Image.fromarray(np.eye(9, dtype=np.uint8)).save(changed)
    summary = extract(lesions, FAST, out=tmp_path / "t.csv", resume=True)
    assert (summary.computed, summary.reused) == (1, 29)
    extract(lesions, FAST, out=tmp_path / "new.csv")
    assert (tmp_path / "t.csv").read_bytes() == (tmp_path / "new.csv").read_bytes()


def test_changed_settings_compute_everything_again(lesions, tmp_path):
    extract(lesions, ["first_order"], out=tmp_path / "t.csv")
    summary = extract(lesions, {"first_order": {"levels": 16}}, out=tmp_path / "t.csv", resume=True)
    assert (summary.computed, summary.reused) == (30, 0)
    summary = extract(lesions, FAST, out=tmp_path / "t.csv", resume=True)
    assert (summary.computed, summary.reused) == (30, 0)


def test_new_and_removed_images(lesions, tmp_path):
    extract(lesions, FAST, out=tmp_path / "t.csv")
    first, *_, last = sorted(lesions.rglob("*.png"))
    first.unlink()
    Image.fromarray(np.eye(9, dtype=np.uint8)).save(last.with_name("p-900.png"))
    summary = extract(lesions, FAST, out=tmp_path / "t.csv", resume=True)
    assert (summary.rows, summary.computed, summary.reused) == (30, 1, 29)
    extract(lesions, FAST, out=tmp_path / "new.csv")
    assert (tmp_path / "t.csv").read_bytes() == (tmp_path / "new.csv").read_bytes()


def test_failed_rows_are_tried_again(lesions, tmp_path):
    broken = sorted(lesions.rglob("*.png"))[7]
    good = broken.read_bytes()
    broken.write_bytes(good[:-30])
    out = tmp_path / "t.csv"
    assert extract(lesions, FAST, out=out).failed == 1
    summary = extract(lesions, FAST, out=out, resume=True)
    assert (summary.computed, summary.reused, summary.failed) == (1, 29, 1)
    broken.write_bytes(good)
    summary = extract(lesions, FAST, out=out, resume=True)
    assert (summary.computed, summary.reused, summary.failed) == (1, 29, 0)


def test_incomplete_rows_are_kept_and_counted(tmp_path, toy_extractor):
    images = [np.ones((2, 5)), np.ones((6, 5))]
    extract(images, ["toy"], out=tmp_path / "t.csv")
    summary = extract(images, ["toy"], out=tmp_path / "t.csv", resume=True)
    assert (summary.computed, summary.reused, summary.incomplete) == (0, 2, 1)


def test_a_changed_label_or_mask_is_computed_again(tmp_path):
    for name, pixels in {"a": np.arange(64), "b": np.arange(64) % 7, "m": np.arange(64) > 9}.items():
        Image.fromarray(pixels.astype(np.uint8).reshape(8, 8)).save(tmp_path / f"{name}.png")
    manifest, out = tmp_path / "m.csv", tmp_path / "t.csv"
    manifest.write_text("Image,Label,Mask\na.png,Benign,m.png\nb.png,Benign,\n")
    extract(manifest, FAST, out=out)
    manifest.write_text("Image,Label,Mask\na.png,Benign,m.png\nb.png,Malignant,\n")
    assert extract(manifest, FAST, out=out, resume=True).computed == 1
    Image.fromarray(np.eye(8, dtype=np.uint8)).save(tmp_path / "m.png")
    assert extract(manifest, FAST, out=out, resume=True).computed == 1
    assert pd.read_csv(out)["label"].tolist() == ["Benign", "Malignant"]


def test_a_line_that_is_torn_anywhere_is_passed_over(tmp_path):
    Image.fromarray(np.eye(8, dtype=np.uint8)).save(tmp_path / "a.png")
    manifest, out = tmp_path / "m.csv", tmp_path / "t.csv"
    notes = ["plain", '"two, and ""more""\nlines\nin it"', '"\n"', "last"]
    manifest.write_text("Image,Note\n" + "".join(f"a.png,{note}\n" for note in notes))
    extract(manifest, ["shape"], out=out)
    whole = out.read_bytes()
    header = whole.index(b"\n") + 1
    ends = [
        i for i in range(header, len(whole) + 1) if whole[:i].count(b'"') % 2 == 0 and whole[i - 1 : i] == b"\n"
    ]
    assert len(ends) == 5
    for cut in sorted(
        {*range(0, len(whole), 13), *ends, *(end - 1 for end in ends), *(end + 1 for end in ends[:-1])}
    ):
        out.unlink()
        (tmp_path / "t.csv.part3").write_bytes(whole[:cut])
        summary = extract(manifest, ["shape"], out=out, resume=True)
        assert summary.reused == sum(end <= cut for end in ends[1:]), cut
        assert out.read_bytes() == whole


def test_a_worker_that_dies_loses_no_row(tmp_path, start):
    lesions = write_images(tmp_path / "lesions", 120)
    command = ["extract", lesions, "--features", "toy", "--set", "toy.wait=0.01", "--jobs", 2]
    command += ["-o", tmp_path / "t.csv"]
    process = start(*command, "--set", "toy.fatal_rows=8")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors == (
        "tumortrace: error: a worker process ended unexpectedly: killed, or out of memory; "
        "rows so far are kept: go on with the same command and --resume\n"
    )
    assert list(tmp_path.glob("t.csv.part1"))


def test_a_table_of_something_else_is_no_help_and_no_harm(lesions, tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    summary = extract(lesions, FAST, out=tmp_path / "t.csv", resume=True)
    assert (summary.computed, summary.reused) == (30, 0)
