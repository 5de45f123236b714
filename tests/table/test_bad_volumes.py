"""A folder of volumes with everything that goes wrong: a row that says what, and the others whole."""

import io
import re

import numpy as np
import pandas as pd
import pytest
from bad_volumes import EDGE, FILES, GOOD, TO_NAME, UNDEFINED, write_all

from tumortrace.cli import main
from tumortrace.table import Settings, extract, feature_columns

pytest.importorskip("pydicom")

SETTINGS = {
    "preprocess: {range: [5000, 6000]}": r"^re-segmentation to \[5000, 6000\] leaves no voxel; .* lie in \[",
    "preprocess: {spacing: [40, 40, 40]}": r"^resampling to 40 × 40 × 40 mm leaves no voxel",
    "preprocess: {spacing: 0.0001}": r"^resampling to 0\.0001 × 0\.0001 × 0\.0001 mm makes .* voxels",
    "glcm: {bin_width: 0.0001}": r"^glcm: bin_width is 0\.0001, which makes \d+ grey levels",
    "first_order: {bin_width: 1.0e-9}": r"^first_order: bin_width is 1e-09, which makes \d+ grey levels",
}


class Run:
    """A run of the command line, and what it left."""

    def __init__(self, source, out, *arguments):
        command = ["extract", str(source), "--preset", "ibsi", "-o", str(out), "-q", *arguments]
        self.code = main(command)
        self.bytes = out.read_bytes()
        self.table = pd.read_csv(out, dtype={"roi": str}, keep_default_na=False, na_values={})
        self.numbers = pd.read_csv(out)
        self.record = pd.read_json(out.with_name(out.name + ".json"), typ="series")

    def row(self, name):
        (index,) = np.flatnonzero(self.table["image"] == name)
        return self.numbers.iloc[index], self.table.loc[index, "error"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("volumes") / "batch"
    folder.mkdir()
    return write_all(folder)


@pytest.fixture(scope="module")
def locked():
    """Deny a file by hand: no permission binds root, as whom this may run."""
    real = io.open

    def guarded(path, *args, **options):
        if str(path).endswith("locked.nii"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(io, "open", guarded)
        yield real


@pytest.fixture(scope="module")
def batch(folder, locked):
    return Run(folder, folder.with_name("batch.csv"), "--jobs", "1")


@pytest.fixture(scope="module")
def named(folder):
    return Run(folder.with_name("apart") / "manifest.csv", folder.with_name("named.csv"), "--jobs", "1")


def test_there_are_forty_and_more():
    assert len(FILES) >= 40


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_is_a_row_that_says_why(batch, name):
    row, error = batch.row(name)
    assert row["status"] == "failed"
    assert re.search(FILES[name].error, error), error
    assert row[feature_columns(batch.numbers)].isna().all()


@pytest.mark.parametrize("place", range(len(TO_NAME)), ids=list(TO_NAME))
def test_a_line_of_a_manifest_is_a_row_that_says_why(named, place):
    error, pattern = named.table.loc[place, "error"], [*TO_NAME.values()][place]
    assert named.table.loc[place, "status"] == ("failed" if pattern else "ok")
    assert re.search(pattern or "^$", error), error


def test_a_row_names_no_class_no_folder_of_the_machine_and_no_patient(batch, named, folder):
    for run in (batch, named):
        errors = "\n".join(run.table["error"])
        for word in ("Error", "Exception", "Traceback", str(folder.parent), "object at 0x"):
            assert word not in errors
        assert "Doe" not in run.bytes.decode()
        assert "4711" not in errors


@pytest.mark.parametrize("name", EDGE)
def test_what_is_not_defined_is_empty_and_said(batch, name):
    row, error = batch.row(name)
    columns = feature_columns(batch.numbers)
    extractors, features = UNDEFINED[name]
    wanted = features | {column for column in columns if column.split("_")[0] in extractors}
    assert {column for column in columns if np.isnan(row[column])} == wanted
    assert row["status"] == ("incomplete" if wanted else "ok")
    parts = {f"{column.split('_')[0]}" if column[:5] != "first" else "first_order" for column in wanted}
    assert {part for part in parts if f"{part}: " in error} == parts


def test_a_region_of_one_value_has_the_values_of_the_definition(batch):
    row, error = batch.row("constant.nii")
    count = np.count_nonzero(EDGE["constant.nii"][0])
    assert row["first_order_mean"] == row["first_order_maximum"] == 7
    assert row["first_order_energy"] == 49 * count
    assert row["first_order_variance"] == row["first_order_histogram_entropy"] == row["glcm_contrast"] == 0
    assert row["glcm_correlation"] == row["glcm_joint_maximum"] == row["gldzm_small_distance_emphasis"] == 1
    assert row["glszm_large_zone_emphasis"] == count**2
    assert row["ngtdm_coarseness"] == 1e6
    assert error == "morphology: morans_i_index: all intensities are equal"


def test_a_region_of_one_voxel_has_the_values_of_the_definition(batch):
    row, error = batch.row("one_voxel.nii")
    value = EDGE["one_voxel.nii"][1][3, 5, 6]
    assert row["first_order_mean"] == row["first_order_median"] == value
    assert row["glrlm_run_percentage"] == row["glszm_zone_percentage"] == row["gldzm_zone_percentage"] == 1
    assert row["morphology_volume_voxel_counting"] == 3.0 * 0.5 * 0.25
    assert "glcm: no pair of pixels at distance 1" in error
    assert "morphology: major_axis_length: one voxel has no axes" in error


def test_good_volumes_are_complete_and_the_same_as_alone(batch, folder):
    columns = feature_columns(batch.numbers)
    masks = dict(zip(batch.table["image"], batch.table["mask"], strict=True))
    sources = [folder / masks[name] if masks[name] else None for name in GOOD]
    alone = extract([folder / name for name in GOOD], Settings.of(preset="ibsi"), masks=sources, jobs=1)
    for place, name in enumerate(GOOD):
        row, error = batch.row(name)
        assert (row["status"], error) == ("ok", "")
        assert row[columns].tolist() == alone.loc[place, columns].tolist()


def test_the_exit_code_and_the_record_tell_of_every_row(batch):
    counts = batch.table["status"].value_counts()
    incomplete = sum(1 for extractors, features in UNDEFINED.values() if extractors or features)
    assert batch.code == 3
    assert counts.to_dict() == {
        "failed": len(FILES),
        "ok": len(GOOD) + len(EDGE) - incomplete,
        "incomplete": incomplete,
    }
    assert sorted(batch.table["image"]) == sorted([*FILES, *EDGE, *GOOD])
    assert [batch.record[key] for key in ("rows", "computed", "reused")] == [len(batch.table)] * 2 + [0]
    assert [batch.record[key] for key in ("failed", "incomplete")] == [len(FILES), incomplete]


def test_what_is_in_no_row_is_listed_with_the_reason(batch):
    reasons = {entry["path"]: entry["reason"] for entry in batch.record["skipped"]}
    assert reasons["lonely_mask.nii"].startswith("by its name a mask, but no image of that name is beside it")
    assert reasons["round"] == "a link back to a folder that contains it"


def test_two_workers_write_the_same_table(batch, folder, locked):
    again = Run(folder, folder.with_name("two.csv"), "--jobs", "2")
    assert (again.code, again.bytes) == (3, batch.bytes)


def test_resuming_keeps_nothing_bad(batch, folder, locked, monkeypatch):
    """The file that was locked is not any more; all that is bad is tried again."""
    monkeypatch.setattr(io, "open", locked)
    out = folder.with_name("resumed.csv")
    out.write_bytes(batch.bytes)
    again = Run(folder, out, "--jobs", "1", "--resume")
    assert again.code == 3
    assert [again.record[key] for key in ("computed", "reused", "failed")] == [
        len(FILES),
        len(EDGE) + len(GOOD),
        len(FILES) - 1,
    ]
    assert again.row("locked.nii")[0]["status"] == "ok"
    others = again.table["image"] != "locked.nii"
    pd.testing.assert_frame_equal(again.numbers[others], batch.numbers[others])


@pytest.mark.parametrize("text", SETTINGS)
def test_settings_that_leave_nothing_or_too_much_are_said_in_the_row(folder, tmp_path, text):
    (tmp_path / "settings.yaml").write_text(f"shape: {{}}\n{text}\n")
    out = tmp_path / "t.csv"
    name = "one_voxel" if "40" in text else "good_1"
    command = ["extract", str(folder / f"{name}.nii"), "--mask", str(folder / f"{name}_mask.nii"), "-q"]
    assert main([*command, "--settings", str(tmp_path / "settings.yaml"), "-o", str(out), "--jobs", "1"]) == 3
    table = pd.read_csv(out)
    assert table["status"].tolist() == ["failed"]
    assert re.search(SETTINGS[text], table["error"][0]), table["error"][0]
