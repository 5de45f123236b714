import csv
import json
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from table.toy import write_images

import tumortrace
from tumortrace.features import FEATURES, first_order
from tumortrace.table import Settings, extract, feature_columns

FAST = ["first_order", "shape"]


def read(path):
    """Read a table as Python reads text and numbers, with no guess of its own."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    numbers = {n: table[n].map(lambda v: float(v or "nan")) for n in feature_columns(table)}
    whole = {n: table[n].astype(int) for n in ["slice"] if n in table}
    return table.assign(**numbers, **whole)


def test_arrays(rng):
    images = [rng.integers(0, 256, (9, 8), dtype=np.uint8), rng.normal(size=(3, 7, 6)), np.eye(5)]
    masks = [images[0] > 99, None, np.eye(5) > 0]
    table = extract(images, FAST, masks=masks)
    assert list(table.columns) == ["image", "digest", *Settings.of(FAST).columns, "status", "error"]
    assert table["image"].tolist() == ["0", "1", "2"]
    assert table["status"].tolist() == ["ok", "ok", "ok"]
    for i, (image, mask) in enumerate(zip(images, masks, strict=True)):
        expected = first_order(image, mask)
        np.testing.assert_array_equal(table.loc[i, [f"first_order_{n}" for n in expected]].astype(float), expected)


def test_public_name():
    assert tumortrace.extract is extract


def test_a_stack_is_its_images():
    stack = np.arange(120.0).reshape(4, 5, 6)
    pd.testing.assert_frame_equal(extract(stack, FAST), extract(list(stack), FAST))


def test_a_folder_and_its_file_hold_the_same(lesions, tmp_path):
    table = extract(lesions, FAST)
    summary = extract(lesions, FAST, out=tmp_path / "t.csv")
    assert (summary.rows, summary.computed, summary.reused, summary.failed, summary.incomplete) == (30, 30, 0, 0, 0)
    assert list(table.columns[:7]) == ["image", "split", "label", "patient", "sequence", "slice", "digest"]
    pd.testing.assert_frame_equal(read(tmp_path / "t.csv"), table, check_dtype=False, rtol=0, atol=0)
    assert not list(tmp_path.glob("*.part*"))


def test_the_same_bytes_whatever_the_number_of_jobs(lesions, tmp_path, toy_extractor):
    settings = {"first_order": {}, "toy": {"wait": 0.03}}
    for jobs in (1, 2, 3):
        extract(lesions, settings, out=tmp_path / f"{jobs}.csv", jobs=jobs)
    assert (
        (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes() == (tmp_path / "3.csv").read_bytes()
    )


def test_numbers_read_back_exactly(tmp_path):
    rng = np.random.default_rng(7)
    images = [rng.normal(scale=10.0**e, size=(6, 6)) for e in range(-12, 13)]
    extract(images, ["first_order"], out=tmp_path / "t.csv")
    names = list(Settings.of(["first_order"]).columns)
    np.testing.assert_array_equal(read(tmp_path / "t.csv")[names], extract(images, ["first_order"])[names])


def test_every_extractor(rng):
    table = extract([rng.integers(0, 256, (8, 32, 30), dtype=np.uint8)], Settings.of(preset="all"))
    assert {name for name in FEATURES if any(c.startswith(f"{name}_") for c in table.columns)} == set(FEATURES)
    assert table["status"].tolist() == ["ok"], table["error"].tolist()


def test_some_features_undefined_is_incomplete_and_says_why(toy_extractor, tmp_path):
    images = [np.ones((2, 5)), np.ones((6, 5))]
    table = extract(images, ["toy", "shape"])
    assert table["status"].tolist() == ["incomplete", "ok"]
    assert "toy: too few rows" in table["error"][0]
    assert table["toy_value_0"].isna().tolist() == [True, False]
    assert table["shape_pixel_count"].tolist() == [10, 30]
    summary = extract(images, ["toy", "shape"], out=tmp_path / "t.csv")
    assert (summary.incomplete, summary.failed) == (1, 0)


def test_an_image_that_an_extractor_refuses_fails_alone():
    table = extract([np.full((4, 4), np.nan), np.ones((4, 4))], FAST)
    assert table["status"].tolist() == ["failed", "ok"]
    assert table["error"][0].startswith("first_order: image is not finite")
    assert table[list(Settings.of(FAST).columns)].isna().all(axis=1).tolist() == [True, False]


def test_a_manifest_with_masks_and_carried_columns(tmp_path):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (3, 8, 9), dtype=np.uint8)
    inside = (np.indices((8, 9)).sum(axis=0) > 7).astype(np.uint8) * 255
    for i in range(3):
        Image.fromarray(pixels[i]).save(tmp_path / f"{i}.png")
    Image.fromarray(inside).save(tmp_path / "mask.png")
    Image.fromarray(inside[:4]).save(tmp_path / "small.png")
    (tmp_path / "m.csv").write_text(
        'Image,Label,Note,Mask\n0.png,Benign,"a, ""b""\nc",mask.png\n1.png,Malignant,,\n2.png,Benign,é,small.png\n'
    )
    for out in (None, tmp_path / "t.csv"):
        table = extract(tmp_path / "m.csv", FAST, out=out)
        table = table if out is None else read(out)
        assert list(table.columns[:5]) == ["image", "mask", "label", "Note", "digest"]
        assert table["Note"].tolist() == ['a, "b"\nc', "", "é"]
        assert table["status"].tolist() == ["ok", "ok", "failed"]
        assert table["error"][2].startswith("first_order: mask has shape (4, 9)")
        assert table["first_order_mean"][:2].tolist() == [
            pixels[0][inside > 0].mean(),
            pixels[1].mean(),
        ]


def test_a_mask_that_cannot_be_read(tmp_path):
    Image.fromarray(np.eye(8, dtype=np.uint8)).save(tmp_path / "0.png")
    (tmp_path / "m.csv").write_text("Image,Mask\n0.png,none.png\n")
    assert extract(tmp_path / "m.csv", FAST)["error"].tolist() == ["mask: does not exist"]


def test_a_data_frame_carries_its_columns(tmp_path):
    images = [np.eye(5), np.ones((4, 6))]
    Image.fromarray(np.eye(8, dtype=np.uint8)).save(tmp_path / "0.png")
    frame = pd.DataFrame(
        {"age": [50, None, 61], "image": [*images, str(tmp_path / "0.png")], "mask": [images[0], None, None]},
        index=[7, 8, 9],
    )
    table = extract(frame, FAST)
    assert list(table.columns[:4]) == ["image", "mask", "age", "digest"]
    assert table["image"].tolist() == ["0", "1", str(tmp_path / "0.png")]
    assert table["mask"].tolist() == ["0", "", ""]
    assert table["age"].tolist() == [50, "", 61]
    assert table["first_order_mean"].tolist() == [1.0, 1.0, 0.125]
    assert list(frame.columns) == ["age", "image", "mask"]


def test_an_image_file(tmp_path):
    Image.fromarray(np.eye(8, dtype=np.uint8)).save(tmp_path / "0.png")
    table = extract(str(tmp_path / "0.png"), FAST)
    assert table["image"].tolist() == ["0.png"]
    assert table["status"].tolist() == ["ok"]


def test_digest_tells_image_mask_and_settings_apart():
    image, mask = np.eye(6), np.ones((6, 6))
    digests = [
        extract([image], FAST)["digest"][0],
        extract([image.astype(np.float32)], FAST)["digest"][0],
        extract([image], FAST, masks=[mask])["digest"][0],
        extract([mask], FAST, masks=[image])["digest"][0],
        extract([image], ["shape"])["digest"][0],
    ]
    assert len(set(digests)) == 5
    assert extract([image.copy()], FAST)["digest"][0] == digests[0]


def test_the_record_beside_the_table(lesions, tmp_path):
    (lesions / "notes.txt").write_text("no image")
    extract(lesions, {"first_order": {"levels": 8}}, out=tmp_path / "t.csv")
    record = json.loads((tmp_path / "t.csv.json").read_text())
    assert record["settings"]["first_order"] == {
        "spacing": None,
        "levels": 8,
        "bin_width": None,
        "first_edge": "ibsi",
    }
    assert record["settings_hash"] == Settings.of({"first_order": {"levels": 8}}).hash
    assert record["versions"]["tumortrace"] == tumortrace.__version__
    assert record["versions"]["numpy"] == np.__version__
    assert (record["rows"], record["failed"], record["feature_columns"]) == (30, 0, 41)
    assert record["root"] == str(lesions)
    assert [entry["path"] for entry in record["skipped"]] == ["notes.txt"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_memory_does_not_grow_with_the_number_of_images(tmp_path, toy_extractor, jobs):
    settings = {"toy": {"width": 5000, "wait": 0.004 * (jobs > 1)}}
    one_row = 5000 * 8
    peaks = []
    for count in (200, 500):
        folder = write_images(tmp_path / str(count), count)
        tracemalloc.start()
        extract(folder, settings, out=tmp_path / "t.csv", jobs=jobs)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 60 * one_row


def test_names_that_are_no_text_are_written_all_the_same(tmp_path):
    image = tmp_path / "images" / b"caf\xe9.png".decode("utf-8", "surrogateescape")
    image.parent.mkdir()
    out = tmp_path / "t.csv"
    try:
        Image.fromarray(np.eye(8, dtype=np.uint8)).save(image)
    except OSError:
        pytest.skip("this file system takes no such name")
    extract([image], FAST, out=out)
    row = next(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert (row["image"], row["status"]) == (rf"{image.parent}/caf\udce9.png", "ok")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"source": [np.eye(4)], "jobs": 0}, ValueError, "jobs is 0"),
        ({"source": [np.eye(4)], "resume": True}, ValueError, "resume needs out"),
        ({"source": []}, ValueError, "there are no images"),
        ({"source": [3]}, TypeError, "images hold a int; give arrays or paths"),
        ({"source": [None]}, TypeError, "images hold a NoneType"),
        ({"source": np.eye(4)}, ValueError, r"array of shape \(4, 4\); give a list of arrays"),
        ({"source": [np.eye(4)], "masks": [None, None]}, ValueError, "1 images and 2 masks"),
        ({"source": "here", "masks": [None]}, ValueError, "for a folder write a manifest"),
        ({"source": pd.DataFrame({"image": [np.eye(4)]}), "masks": [None]}, ValueError, "a column mask"),
        ({"source": pd.DataFrame({"path": ["a.png"]})}, ValueError, "no column image; its columns are path"),
        ({"source": pd.DataFrame({"image": ["a.png"], "status": ""})}, ValueError, "'status' has the name"),
        ({"source": pd.DataFrame({"image": ["a"], "shape_area": ""})}, ValueError, "'shape_area' .* a feature"),
        ({"source": "no such folder"}, FileNotFoundError, "no such folder"),
        ({"source": [np.eye(4)], "out": "t.xlsx"}, ValueError, r"t.xlsx: a table ends in .csv or .parquet"),
        ({"source": [np.eye(4)], "out": "none/t.csv"}, FileNotFoundError, "make the folder first"),
        ({"source": [np.eye(4)], "settings": ["shap"]}, ValueError, "did you mean shape"),
    ],
)
def test_mistakes(arguments, error, message):
    with pytest.raises(error, match=message):
        extract(**{"settings": FAST, **arguments})


def test_a_folder_in_the_way(tmp_path):
    (tmp_path / "t.csv").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder; give a file"):
        extract([np.eye(4)], FAST, out=tmp_path / "t.csv")
