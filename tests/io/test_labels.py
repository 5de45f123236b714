"""Labels: choosing a region by number or name."""

import dicoms
import numpy as np
import pytest
from volumes import nifti

from tumortrace.io import ImageError, Labels, read_labels, read_volume, same_grid

ARRAY = np.zeros((2, 3, 4), dtype=np.uint8)
ARRAY[0, 1, 1:3], ARRAY[1, 2], ARRAY[1, 0, 0] = 1, 3, 12
LABELS = Labels(ARRAY, {1: "tumour", 3: "Fat", 4: "cyst"}, source="m.nii")
KNOWN = r"1 \('tumour'\), 3 \('Fat'\), 12"


@pytest.mark.parametrize(
    ("label", "number"),
    [(1, 1), (np.int64(3), 3), ("tumour", 1), ("Tumour", 1), (" fat ", 3), ("12", 12), (12.0, 12)],
)
def test_by_number_and_by_name(label, number):
    mask = LABELS.mask(label)
    assert mask.dtype == bool
    assert mask.flags.c_contiguous
    np.testing.assert_array_equal(mask, number == ARRAY)


def test_rois_are_those_with_voxels():
    assert LABELS.rois() == [(1, "tumour"), (3, "Fat"), (12, "")]
    assert Labels(np.zeros((1, 2, 2), dtype=np.uint8)).rois() == []


def test_the_only_region_needs_no_choice():
    np.testing.assert_array_equal(Labels(ARRAY * (ARRAY == 3)).mask(), ARRAY == 3)


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (None, f"m.nii: holds 3 regions: {KNOWN}; choose one, or loop over them"),
        (2, f"m.nii: has no region 2; it holds {KNOWN}"),
        ("lung", f"m.nii: has no region 'lung'; it holds {KNOWN}"),
        ("", f"m.nii: has no region ''; it holds {KNOWN}"),
        (0, "m.nii: has no region 0"),
        (4, "m.nii: its region 4 is empty; it holds"),
        ("Cyst", "m.nii: its region 'Cyst' is empty; it holds"),
    ],
)
def test_what_is_not_there(label, message):
    with pytest.raises(ImageError, match=message):
        LABELS.mask(label)


def test_a_name_that_is_a_number_means_the_region_of_that_name():
    labels = Labels(ARRAY, {1: "3"})
    np.testing.assert_array_equal(labels.mask("3"), ARRAY == 1)
    np.testing.assert_array_equal(labels.mask(3), ARRAY == 3)


def test_case_counts_only_where_it_must():
    labels = Labels(ARRAY, {1: "Fat", 3: "fat"})
    np.testing.assert_array_equal(labels.mask("fat"), ARRAY == 3)
    with pytest.raises(ImageError, match="regions 1 and 3 are both named 'FAT'; give the number"):
        labels.mask("FAT")


def test_empty_mask():
    for label in (None, 1, "tumour"):
        with pytest.raises(ImageError, match=r"m\.nii: the mask is empty: no voxel is inside"):
            Labels(np.zeros((1, 2, 2), dtype=np.uint8), {1: "tumour"}, source="m.nii").mask(label)


def test_many_regions_are_not_all_listed():
    labels = Labels(np.arange(1, 101).reshape(1, 10, 10))
    with pytest.raises(ImageError, match=r"holds 100 regions: 1, 2, .*, 20 and 80 more"):
        labels.mask()


def test_layers_may_overlap():
    layers = np.zeros((2, 2, 3, 4), dtype=np.uint8)
    layers[0, 0], layers[1, 0, 1:] = 1, 2
    labels = Labels(layers)
    assert labels.rois() == [(1, ""), (2, "")]
    np.testing.assert_array_equal(labels.mask(2), layers[1] == 2)
    assert labels.mask(1).sum() == 12
    assert repr(labels) == "Labels(2 layers × 2 × 3 × 4, uint8, '')"


def test_repr():
    assert repr(LABELS) == "Labels(2 × 3 × 4, uint8, 3 names, 'm.nii')"


@pytest.mark.parametrize(
    ("dtype", "top", "stored"),
    [("int16", 3, "uint8"), ("float32", 3, "uint8"), ("int32", 300, "uint16"), ("float64", 70000, "uint32")],
)
def test_read_in_the_smallest_type(tmp_path, dtype, top, stored):
    array = np.zeros((2, 3, 4), dtype=dtype)
    array[1, 1, 1] = top
    (tmp_path / "m.nii").write_bytes(nifti(array))
    labels = read_labels(tmp_path / "m.nii")
    assert (labels.array.dtype, labels.rois()) == (stored, [(top, "")])
    assert labels.spacing == (3.0, 0.5, 0.25)
    np.testing.assert_array_equal(labels.array, array)


@pytest.mark.parametrize(
    ("dtype", "value", "message"),
    [
        ("float32", 0.5, r"m\.nii: holds 0.5; the voxels of a mask are whole numbers"),
        ("int16", -1, r"m\.nii: holds the label -1; the labels of a mask are 0 and above"),
        ("float64", -2.0, r"m\.nii: holds the label -2"),
        ("float64", 1e30, r"m\.nii: holds the label 1e\+30"),
        ("float32", np.nan, r"m\.nii: 1 of its 24 voxels are NaN"),
    ],
)
def test_what_is_no_label(tmp_path, dtype, value, message):
    array = np.zeros((2, 3, 4), dtype=dtype)
    array[1, 1, 1] = value
    (tmp_path / "m.nii").write_bytes(nifti(array))
    with pytest.raises(ImageError, match=message):
        read_labels(tmp_path / "m.nii")


def test_a_series_is_no_mask(tmp_path):
    (tmp_path / "m.nii").write_bytes(nifti(np.ones((2, 2, 3, 4), dtype=np.uint8)))
    with pytest.raises(ImageError, match="is a series of 2 volumes"):
        read_labels(tmp_path / "m.nii")


def test_a_picture_has_one_region(tmp_path):
    import PIL.Image

    pixels = np.array([[0, 7, 255], [1, 0, 0]], dtype=np.uint8)
    PIL.Image.fromarray(pixels).save(tmp_path / "m.png")
    labels = read_labels(tmp_path / "m.png")
    assert labels.rois() == [(1, "")]
    np.testing.assert_array_equal(labels.mask(), pixels > 0)


def test_regions_of_dicom(tmp_path):
    """Contours and segmentations by the same door as any other mask, and slices of labels too."""
    volume = np.zeros((3, 6, 7), dtype=np.uint16)
    volume[1, 2:4, 2:5] = 2
    dicoms.write_series(tmp_path / "ct", volume)
    image = read_volume(tmp_path / "ct")
    drawn = np.array([[1.5, 1.5, 2.0], [4.5, 1.5, 2.0], [4.5, 3.5, 2.0], [1.5, 3.5, 2.0]])
    dicoms.write_rtstruct(tmp_path / "rt.dcm", {"GTV": [drawn]})
    frames = [(1, place, plane == 2) for place, plane in zip(dicoms.positions(3, 2.0), volume, strict=True)]
    for name in ("seg.dcm", "seg/1-1.dcm"):
        dicoms.write_seg(tmp_path / name, frames, names=("GTV",))
    for name, region in (("rt.dcm", "GTV"), ("seg.dcm", "GTV"), ("seg", "GTV"), ("ct", 2)):
        labels = read_labels(tmp_path / name, image=image)
        same_grid(image, labels)
        np.testing.assert_array_equal(labels.mask(region), volume == 2, err_msg=name)
        assert dicoms.PATIENT not in repr(labels)
    with pytest.raises(ImageError, match="need the image that they were drawn on"):
        read_labels(tmp_path / "rt.dcm")


def test_a_mask_in_place_takes_no_memory_of_its_own():
    array = np.array([[[0, 1, 2], [2, 0, 1]]], dtype=np.uint8)
    apart = Labels(array.copy()).mask(2)
    inside = Labels(array).mask(2, in_place=True)
    np.testing.assert_array_equal(inside, apart)
    assert np.shares_memory(inside, array)
    assert not np.shares_memory(Labels(array.astype(np.uint16) * 300).mask(in_place=True), array)
