"""Folders of volumes, their masks, and DICOM series."""

import dicoms
import numpy as np
import pytest

from tumortrace.io import ImageError, find, read_manifest, read_volume

SERIES = np.arange(60, dtype=np.uint16).reshape(3, 4, 5)


def touch(root, *paths):
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")


def test_volumes_are_images(tmp_path):
    names = ["P 1/a.nii", "P 1/b.NII.GZ", "P 1/c.nrrd", "P 1/d.nhdr", "P 1/e.mha", "P 1/f.mhd", "P 2/a.nii.gz"]
    touch(tmp_path, *names, "P 1/d.raw", "notes.txt")
    listing = find(tmp_path)
    assert listing.frame.to_dict("list") == {"image": names}
    assert [path for path, _ in listing.skipped] == ["notes.txt", "P 1/d.raw"]
    assert find(tmp_path / "P 1/a.nii").frame["image"].tolist() == ["a.nii"]


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("x.nii.gz", "x_mask.nii.gz"),
        ("x.nii.gz", "x_label.nrrd"),
        ("x.nii", "x_labels.nii"),
        ("x.nrrd", "x.seg.nrrd"),
        ("x.nii", "x_seg.nii"),
        ("x.nii", "X-Segmentation.nii"),
        ("x.nii", "x_roi.nii"),
        ("x.nii", "mask_x.nii"),
        ("x.nii", "label-x.nii"),
        ("brain1_image.nrrd", "brain1_label.nrrd"),
        ("brain1_img.nrrd", "brain1_mask.nrrd"),
        ("x_image.nii", "x_image_mask.nii"),
    ],
)
def test_a_mask_goes_with_its_image(tmp_path, image, mask):
    touch(tmp_path, f"P/{image}", f"P/{mask}", "P/other.nii")
    frame = find(tmp_path).frame
    assert set(zip(frame["image"], frame["mask"], strict=True)) == {
        (f"P/{image}", f"P/{mask}"),
        ("P/other.nii", ""),
    }


def test_each_of_several_masks_makes_a_row(tmp_path):
    touch(tmp_path, "x.nii", "x_mask.nii", "x_seg.nii")
    assert find(tmp_path).frame.to_dict("list") == {"image": ["x.nii"] * 2, "mask": ["x_mask.nii", "x_seg.nii"]}


def test_a_mask_without_its_image_is_skipped_aloud(tmp_path):
    touch(tmp_path, "a/x_mask.nii", "b/x.nii", "c/y.nii", "c/y_image.nii", "c/y_mask.nii")
    listing = find(tmp_path)
    assert listing.frame.to_dict("list") == {"image": ["b/x.nii", "c/y.nii", "c/y_image.nii"]}
    reasons = dict(listing.skipped)
    assert "by its name a mask, but no image of that name is beside it" in reasons["a/x_mask.nii"]
    assert "by its name a mask, but 2 images fit; pair them in a manifest" in reasons["c/y_mask.nii"]
    with pytest.raises(ValueError, match="holds no image; endings that count are"):
        find(tmp_path / "a")


def test_pictures_are_never_paired(tmp_path):
    touch(tmp_path, "x.png", "x_mask.png")
    assert find(tmp_path).frame.to_dict("list") == {"image": ["x.png", "x_mask.png"]}


def test_research_data_pair_up(data_root):
    frame = find(data_root / "volumes").frame
    assert frame["image"].tolist() == ["brain1_image.nrrd", "breast1_image.nrrd"]
    assert frame["mask"].tolist() == ["brain1_label.nrrd", "breast1_label.nrrd"]


@pytest.mark.parametrize("name", ["{}.dcm", "IM{}", "1.2.840.{}", "{}.IMA"])
def test_a_folder_of_slices_is_one_image(tmp_path, name):
    dicoms.write_series(tmp_path / "P 1" / "t1", SERIES, name=name)
    touch(tmp_path, "P 1/t1_mask.nii.gz", "P 1/t1/notes.txt", "P 2/a.nii")
    listing = find(tmp_path)
    assert listing.frame.to_dict("list") == {
        "image": ["P 1/t1", "P 2/a.nii"],
        "mask": ["P 1/t1_mask.nii.gz", ""],
    }
    assert [path for path, _ in listing.skipped] == ["P 1/t1/notes.txt"]
    np.testing.assert_array_equal(read_volume(listing.root / "P 1/t1").array, SERIES)


def test_the_folder_itself_may_be_the_image(tmp_path):
    dicoms.write_series(tmp_path / "t1", SERIES)
    listing = find(tmp_path / "t1")
    assert listing.frame.to_dict("list") == {"image": ["t1"]}
    np.testing.assert_array_equal(read_volume(listing.root / "t1").array, SERIES)


def test_each_series_of_a_folder_is_an_image_and_a_localizer_none(tmp_path):
    for number, shift in ((1, 0), (2, 100)):
        uid = f"1.2.{number}"
        dicoms.write_series(
            tmp_path / "P", SERIES + shift, name=f"{number}-{{}}.dcm", SeriesInstanceUID=uid, SeriesNumber=number
        )
    dicoms.write_slice(
        tmp_path / "P" / "scout.dcm",
        SERIES[0],
        ImageType=("ORIGINAL", "PRIMARY", "LOCALIZER"),
        SeriesInstanceUID="1.2.3",
        SeriesNumber=3,
    )
    listing = find(tmp_path)
    assert len(listing.frame) == 2
    for name, shift in zip(listing.frame["image"], (0, 100), strict=True):
        np.testing.assert_array_equal(read_volume(listing.root / name).array, SERIES + shift)
    assert [reason for _, reason in listing.skipped] == ["a localizer"]
    assert find(f"{tmp_path}/P#2").frame["image"].tolist() == ["P#2"]
    with pytest.raises(FileNotFoundError, match="does not exist"):
        find(f"{tmp_path}/Q#2")
    assert dicoms.PATIENT not in listing.frame.to_csv() + str(listing.skipped)


def test_a_damaged_folder_is_an_image_whose_reading_fails(tmp_path):
    dicoms.write_series(tmp_path / "P", SERIES)
    touch(tmp_path, "P/cut.dcm")
    listing = find(tmp_path)
    assert listing.frame["image"].tolist() == ["P"]
    with pytest.raises(ImageError, match=r"cut\.dcm"):
        read_volume(listing.root / "P")


def test_files_without_ending_are_dicom_by_content_only(tmp_path):
    touch(tmp_path, "README", "a.nii", "b.001")
    listing = find(tmp_path)
    assert listing.frame["image"].tolist() == ["a.nii"]
    assert [path for path, _ in listing.skipped] == ["b.001", "README"]


def test_manifest_knows_the_region(tmp_path):
    (tmp_path / "m.csv").write_text("Label,Image,ROI,Mask\nBenign,a.nii,2,m.nii\nBenign,a.nii,tumour,m.nii\n")
    frame = read_manifest(tmp_path / "m.csv")
    assert list(frame.columns) == ["image", "mask", "roi", "label"]
    assert frame["roi"].tolist() == ["2", "tumour"]
