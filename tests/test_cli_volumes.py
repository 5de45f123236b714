"""The command line with volumes: presets, names, regions of masks, settings from elsewhere."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml

from tumortrace import io
from tumortrace.cli import _common, main
from tumortrace.table import PRESETS, Settings, from_pyradiomics
from tumortrace.table._settings import NAMES

pytest.importorskip("nibabel")


@pytest.fixture
def folder(tmp_path, rng):
    """A volume with a mask of two regions, and one without a mask."""
    array = rng.integers(0, 500, (6, 24, 22)).astype(np.int16)
    labels = np.zeros(array.shape, np.uint8)
    labels[1:4, 4:14, 4:14] = 1
    labels[3:5, 16:22, 15:20] = 2
    like = io.Image(array, spacing=(3.0, 0.8, 0.8), origin=(0.0, 0.0, 0.0), direction=np.eye(3)[::-1])
    place = tmp_path / "volumes"
    place.mkdir()
    io.write_nifti(place / "a.nii.gz", array, like)
    io.write_nifti(place / "a_mask.nii.gz", labels, like)
    io.write_nifti(place / "b.nii.gz", array[:, ::-1], like)
    return place


def extracted(tmp_path, *words):
    out = tmp_path / "t.csv"
    code = main(["extract", *map(str, words), "-o", str(out), "--jobs", "1"])
    return code, pd.read_csv(out)


def test_the_command_line_knows_the_presets_and_names():
    assert tuple(PRESETS) == _common.PRESETS
    assert _common.NAMES == NAMES


def test_volumes_take_the_preset_ibsi_and_a_mask_with_regions_needs_a_choice(folder, tmp_path, capsys):
    code, table = extracted(tmp_path, folder)
    assert code == 3
    assert table["status"].tolist() == ["failed", "ok"]
    assert "holds 2 regions: 1, 2; choose one" in table["error"][0]
    assert set(Settings.of(preset="ibsi").columns) <= set(table.columns)
    assert "the preset is ibsi" in capsys.readouterr().err
    record = json.loads((tmp_path / "t.csv.json").read_text())
    assert record["deviations_from_ibsi"] == []


def test_all_regions_are_a_row_each_and_one_is_chosen_by_number(folder, tmp_path):
    _, table = extracted(tmp_path, folder, "--features", "first_order", "--label", "all")
    np.testing.assert_array_equal(table["roi"], [1, 2, np.nan])
    _, one = extracted(tmp_path, folder / "a.nii.gz", "--mask", folder / "a_mask.nii.gz", "--label", 2)
    lesion = io.read_lesion(folder / "a.nii.gz", folder / "a_mask.nii.gz", label=2)
    assert one["first_order_mean"][0] == pytest.approx(lesion.array[lesion.mask].mean())
    assert table["first_order_mean"][1] == one["first_order_mean"][0]


def test_names_of_pyradiomics_come_with_its_numbers(folder, tmp_path):
    words = (folder / "a.nii.gz", "--mask", folder / "a_mask.nii.gz", "--features", "first_order", "--label", "1")
    _, ours = extracted(tmp_path, *words)
    _, theirs = extracted(tmp_path, *words, "--names", "pyradiomics")
    assert theirs["original_firstorder_Kurtosis"][0] == pytest.approx(ours["first_order_kurtosis"][0] + 3)
    volume = 3.0 * 0.8 * 0.8
    assert theirs["original_firstorder_TotalEnergy"][0] == pytest.approx(
        ours["first_order_energy"][0] * volume, rel=1e-6
    )


def test_a_mask_on_another_grid_is_refused_or_brought_over(folder, tmp_path):
    image = io.read_volume(folder / "a.nii.gz")
    coarse = np.zeros((6, 12, 11), np.uint8)
    coarse[1:4, 2:7, 2:7] = 1
    like = io.Image(coarse, spacing=(3.0, 1.6, 1.6), origin=(0.4, 0.4, 0.0), direction=image.direction)
    io.write_nifti(tmp_path / "coarse.nii.gz", coarse, like)
    words = (folder / "a.nii.gz", "--mask", tmp_path / "coarse.nii.gz", "--features", "first_order,shape")
    code, table = extracted(tmp_path, *words)
    assert code == 3
    assert "its shape is 6 × 12 × 11, not 6 × 24 × 22" in table["error"][0]
    assert "--resample-mask" in table["error"][0]
    code, table = extracted(tmp_path, *words, "--resample-mask")
    assert code == 0
    assert table["shape_pixel_count"][0] == 4 * np.count_nonzero(coarse)


def test_settings_of_pyradiomics_are_converted(tmp_path, capsys):
    params = tmp_path / "Params.yaml"
    params.write_text("setting: {binWidth: 10, resampledPixelSpacing: [1, 1, 3]}\nimageType: {Original: {}}\n")
    out = tmp_path / "settings.yaml"
    assert main(["settings", "convert", str(params), "-o", str(out)]) == 0
    assert Settings.of(out) == Settings.of(from_pyradiomics(params))
    assert main(["settings", "convert", str(params), "-o", str(out)]) == 2
    assert "exists" in capsys.readouterr().err
    assert main(["settings", "convert", str(params)]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["glcm"]["bin_width"] == 10
    params.write_text("setting: {binwidth: 10}\n")
    assert main(["settings", "convert", str(params)]) == 1
    assert "did you mean binWidth?" in capsys.readouterr().err


@pytest.mark.parametrize("preset", list(PRESETS))
def test_a_preset_is_written_as_a_file_that_reads_back(preset, tmp_path):
    out = tmp_path / "settings.yaml"
    assert main(["settings", "init", "--preset", preset, "-o", str(out)]) == 0
    assert Settings.of(out) == Settings.of(preset=preset)


def test_regions_filters_and_preprocessing_are_columns(folder, tmp_path):
    settings = tmp_path / "settings.yaml"
    settings.write_text(
        "preprocess: {spacing: 1.5}\nfilters: [original, {log: {sigma: 2}}]\n"
        "regions: [lesion, {ring: {width: 3}}, versus_contralateral]\nmask: {label: 2}\nfirst_order:\nshape:\n"
    )
    words = ("--mask", folder / "a_mask.nii.gz", "--settings", settings)
    code, table = extracted(tmp_path, folder / "a.nii.gz", *words)
    assert code == 0
    row = table.iloc[0]
    assert row["shape_pixel_count"] != row["ring_3mm__shape_pixel_count"]
    assert "log_sigma_2__shape_pixel_count" not in table
    assert row["log_sigma_2__first_order_mean"] != row["first_order_mean"]
    assert np.isfinite(row["versus_contralateral__first_order_mean"])
    assert Settings.of(settings).columns == tuple(name for name in table.columns if "_" in name)
