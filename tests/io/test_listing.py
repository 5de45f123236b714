"""Folders, the BreaDM layout, one way in, and the class distribution."""

import os

import pandas as pd
import pytest

from tumortrace.io import ImageError, Listing, breadm, class_distribution, find, folder, read_image


def touch(root, *paths):
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")


@pytest.fixture
def tree(tmp_path):
    touch(
        tmp_path,
        "train/Benign/P-2/SUB1/p-010.jpg",
        "train/Benign/P-2/SUB1/p-9.jpg",
        "train/Benign/P-10/VIBRANT+C1/p-001.PNG",
        "val/MALIGNANT/Q 1/SUB1/p-003.tif",
    )
    return tmp_path


def test_breadm_columns_in_natural_order(tree):
    listing = breadm.scan(str(tree))
    assert isinstance(listing, Listing)
    expected = pd.DataFrame(
        [
            ("train/Benign/P-2/SUB1/p-9.jpg", "train", "Benign", "P-2", "SUB1", 9),
            ("train/Benign/P-2/SUB1/p-010.jpg", "train", "Benign", "P-2", "SUB1", 10),
            ("train/Benign/P-10/VIBRANT+C1/p-001.PNG", "train", "Benign", "P-10", "VIBRANT+C1", 1),
            ("val/MALIGNANT/Q 1/SUB1/p-003.tif", "val", "Malignant", "Q 1", "SUB1", 3),
        ],
        columns=["image", "split", "label", "patient", "sequence", "slice"],
    )
    pd.testing.assert_frame_equal(listing.frame, expected)
    assert (listing.root, listing.skipped, listing.problems) == (tree, (), ())


def test_breadm_without_splits(tree):
    frame = breadm.scan(tree / "train").frame
    assert frame["image"][0] == "Benign/P-2/SUB1/p-9.jpg"
    assert frame["split"].tolist() == ["", "", ""]


def test_breadm_reports_what_does_not_fit(tree):
    touch(
        tree,
        "notes.txt",
        "cover.png",
        "train/Benign/P-2/p-001.jpg",
        "train/Benign/P-2/SUB1/deep/p-001.jpg",
        "train/Normal/P-3/SUB1/p-001.jpg",
        "train/Benign/P-2/SUB1/final.jpg",
        "train/Benign/P-2/SUB1/p-1e3.jpg",
        "train/Benign/P-2/SUB1/.p-011.jpg",
        ".git/Benign/P/SUB1/p-001.jpg",
    )
    listing = breadm.scan(tree)
    assert len(listing.frame) == 4
    reasons = dict(listing.skipped)
    assert len(reasons) == len(listing.skipped) == 7
    assert "ends in none of .jpg" in reasons["notes.txt"]
    assert reasons["cover.png"].startswith("0 folders deep; the layout is [split/]Benign|Malignant/")
    assert reasons["train/Benign/P-2/p-001.jpg"].startswith("'train' stands where Benign or Malignant should")
    assert reasons["train/Benign/P-2/SUB1/deep/p-001.jpg"].startswith("5 folders deep")
    assert reasons["train/Normal/P-3/SUB1/p-001.jpg"].startswith("'Normal' stands where")
    for name in ("final.jpg", "p-1e3.jpg"):
        assert "no slice number" in reasons[f"train/Benign/P-2/SUB1/{name}"]


def test_breadm_keeps_a_folder_named_like_an_image_as_a_row_that_fails(tree):
    touch(tree, "val/MALIGNANT/Q 1/SUB1/p-004.jpg/inside.jpg")
    listing = breadm.scan(tree)
    assert listing.frame["image"].iloc[-1] == "val/MALIGNANT/Q 1/SUB1/p-004.jpg"
    with pytest.raises(ImageError, match="is a folder"):
        read_image(listing.root / listing.frame["image"].iloc[-1])


def test_breadm_tells_of_patients_in_two_places_and_slices_twice(tree):
    touch(
        tree,
        "val/Benign/P-2/SUB1/p-001.jpg",
        "train/malignant/P-10/SUB1/p-001.jpg",
        "train/Benign/P-2/SUB1/p-09.png",
    )
    assert breadm.scan(tree).problems == (
        "patient P-2 is in 2 splits: 'train', 'val'",
        "patient P-10 is in 2 classes: 'Benign', 'Malignant'",
        "train/Benign/P-2/SUB1/p-09.png: its slice has another image of the same sequence",
    )


@pytest.mark.parametrize("scan", [breadm.scan, folder.scan])
def test_scan_wants_a_folder_with_images(tmp_path, scan):
    touch(tmp_path, "a.txt")
    with pytest.raises(FileNotFoundError, match="does not exist; give a folder"):
        scan(tmp_path / "none")
    with pytest.raises(NotADirectoryError, match=r"a\.txt: is a file; give a folder"):
        scan(tmp_path / "a.txt")
    with pytest.raises(ValueError, match=r"nothing in it fits the layout|holds no image"):
        scan(tmp_path)


def test_folder_lists_images_below_in_natural_order(tmp_path):
    touch(tmp_path, "b/2.tiff", "b/10.BMP", "a10.jpg", "a9.JPEG", "notes.md", ".hidden.png", "ä ö.png")
    (tmp_path / "x.jpg").mkdir()
    touch(tmp_path, "x.jpg/below.png")
    listing = folder.scan(tmp_path)
    assert listing.frame.columns.tolist() == ["image"]
    assert listing.frame["image"].tolist() == ["a9.JPEG", "a10.jpg", "b/2.tiff", "b/10.BMP", "x.jpg", "ä ö.png"]
    assert [path for path, _ in listing.skipped] == ["notes.md"]


def test_links_are_followed_but_not_in_circles(tmp_path):
    touch(tmp_path, "data/real/1.png")
    (tmp_path / "data/linked").symlink_to(tmp_path / "data/real")
    (tmp_path / "data/real/up").symlink_to(tmp_path / "data")
    (tmp_path / "data/self").symlink_to(tmp_path / "data/self")
    (tmp_path / "data/gone.png").symlink_to(tmp_path / "nowhere.png")
    listing = folder.scan(tmp_path / "data")
    assert listing.frame["image"].tolist() == ["gone.png", "linked/1.png", "real/1.png"]
    reasons = dict(listing.skipped)
    assert reasons["linked/up"] == reasons["real/up"] == "a link back to a folder that contains it"
    assert "not an image" in reasons["self"]


def test_name_that_is_no_text_is_skipped(tmp_path):
    touch(tmp_path, "good.png")
    (tmp_path / os.fsdecode(b"bad\xff.png")).write_bytes(b"x")
    listing = folder.scan(tmp_path)
    assert listing.frame["image"].tolist() == ["good.png"]
    assert listing.skipped == ((r"'bad\udcff.png'", "its name is no valid text; rename it"),)


def test_folder_that_may_not_be_listed_is_skipped(tmp_path, monkeypatch):
    touch(tmp_path, "good.png", "locked/hidden.png")
    scandir = os.scandir

    def refuse(path):  # what the system does for a user who may not look; root always may
        if os.fspath(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    listing = find(tmp_path)
    assert listing.frame["image"].tolist() == ["good.png"]
    assert listing.skipped == (("locked", "a folder that cannot be listed: Permission denied"),)


def test_find_takes_breadm_folder_manifest_or_image(tree):
    assert find(tree).frame.columns.tolist() == list(breadm.COLUMNS)
    plain = find(tree / "train/Benign")
    assert plain.frame.columns.tolist() == ["image"]
    assert plain.frame["image"][0] == "P-2/SUB1/p-9.jpg"
    one = find(tree / "val/MALIGNANT/Q 1/SUB1/p-003.tif")
    assert one.frame["image"].tolist() == ["p-003.tif"]
    assert one.root == tree / "val/MALIGNANT/Q 1/SUB1"
    (tree / "list.CSV").write_text("Image,Label,age\nval/a.png,Benign,050\n")
    listed = find(tree / "list.CSV")
    assert listed.frame.to_dict("list") == {"image": ["val/a.png"], "label": ["Benign"], "age": ["050"]}
    assert listed.root == tree
    with pytest.raises(FileNotFoundError, match="give a folder, a manifest"):
        find(tree / "none")


def test_find_in_a_folder_with_classes_but_another_layout_is_a_plain_folder(tmp_path):
    touch(tmp_path, "Benign/1.png", "Malignant/2.png")
    assert find(tmp_path).frame["image"].tolist() == ["Benign/1.png", "Malignant/2.png"]


def test_class_distribution_counts_images_slices_and_patients():
    rows = [
        ("train", "Benign", "a", "SUB1", 1),
        ("train", "Benign", "a", "SUB2", 1),
        ("train", "Benign", "a", "SUB1", 2),
        ("train", "Benign", "b", "SUB1", 1),
        ("train", "Malignant", "c", "SUB1", 1),
        ("val", "Malignant", "d", "SUB1", 1),
        ("val", "Malignant", "d", "SUB2", 1),
    ]
    frame = pd.DataFrame(rows, columns=["split", "label", "patient", "sequence", "slice"])
    table = class_distribution(frame)
    assert [tuple(row) for row in table.itertuples(index=False)] == [
        ("train", "Benign", 4, 3, 2),
        ("train", "Malignant", 1, 1, 1),
        ("train", "all", 5, 4, 3),
        ("val", "Benign", 0, 0, 0),
        ("val", "Malignant", 2, 1, 1),
        ("val", "all", 2, 1, 1),
        ("all", "Benign", 4, 3, 2),
        ("all", "Malignant", 3, 2, 2),
        ("all", "all", 7, 5, 4),
    ]


def test_class_distribution_of_one_split_has_no_second_total():
    frame = pd.DataFrame({"split": ["val", "val"], "label": ["Benign", "Malignant"]})
    assert class_distribution(frame)["split"].tolist() == ["val", "val", "val"]
    frame["split"] = ""
    table = class_distribution(frame)
    assert table["split"].tolist() == ["all", "all", "all"]
    assert table[["slices", "patients"]].isna().all(axis=None)


def test_class_distribution_wants_labels():
    with pytest.raises(ValueError, match="no label; give a folder in the BreaDM layout"):
        class_distribution(pd.DataFrame({"image": ["a.png"]}))


@pytest.mark.parametrize(("split", "images"), [("val", 1989), ("train", 20434)])
def test_research_data_scan_whole(data_root, split, images):
    listing = find(data_root / "breadm-roi" / split)
    assert len(listing.frame) == images
    assert (listing.skipped, listing.problems) == ((), ())
    assert listing.frame["sequence"].nunique() == 17


def test_research_data_distribution(data_root):
    frame = find(data_root / "breadm-roi").frame
    table = class_distribution(frame).set_index(["split", "label"])
    assert table.loc[("all", "all")].tolist() == [22423, 1319, 185]
    assert table.loc[("val", "all"), "images"] == 1989
