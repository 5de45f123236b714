"""Dynamic series: every number is that of the functions it comes from."""

import json

import dicoms
import numpy as np
import pandas as pd
import pytest

from tumortrace import io
from tumortrace.cli import main
from tumortrace.features import first_order, kinetics
from tumortrace.io import synthetic
from tumortrace.table import extract_series

pytest.importorskip("nibabel")

TIMES = (0.0, 60.0, 120.0, 180.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return synthetic.make_series(
        tmp_path_factory.mktemp("dynamic") / "series", patients=3, phases=4, shape=(4, 16, 16)
    )


@pytest.fixture(scope="module")
def table(folder):
    return extract_series(folder / "manifest.csv", ["first_order"], relative=True, jobs=1)


def test_kinetics_and_texture_are_those_of_the_functions(folder, table):
    for place, name in enumerate(table["image"]):
        series = io.read_lesion(folder / name, folder / table["mask"][place], phases=True)
        assert series.times == TIMES
        wanted = kinetics(series.array, series.mask, spacing=series.spacing, times=TIMES)
        for feature, value in wanted.items():
            assert table.loc[place, f"kinetics_{feature}"] == pytest.approx(value, rel=1e-12, nan_ok=True)
        for phase in range(4):
            texture = first_order(series.array[phase], series.mask)
            for feature in ("mean", "histogram_entropy"):
                found = table.loc[place, f"phase_{phase}__first_order_{feature}"]
                assert found == pytest.approx(texture[feature], rel=1e-12)
    assert (table["status"] == "ok").all(), table["error"].tolist()


def test_differences_are_from_the_first_phase_or_the_one_before(folder, table):
    def mean(prefix, frame):
        return frame[f"{prefix}__first_order_mean"].to_numpy()

    np.testing.assert_allclose(mean("delta_3_0", table), mean("phase_3", table) - mean("phase_0", table))
    np.testing.assert_allclose(
        mean("relative_2_0", table), mean("delta_2_0", table) / np.abs(mean("phase_0", table))
    )
    steps = extract_series(
        folder / "manifest.csv", ["first_order"], kinetics=False, delta="previous", phases=(0, 1, 3), jobs=1
    )
    np.testing.assert_allclose(mean("delta_3_1", steps), mean("phase_3", steps) - mean("phase_1", steps))
    assert not any(name.startswith(("kinetics", "delta_3_0", "phase_2")) for name in steps.columns)
    none = extract_series(folder / "manifest.csv", ["first_order"], delta="none", texture=True, jobs=1)
    assert not any(name.startswith("delta") for name in none.columns)


def test_phases_in_files_of_their_own_are_gathered(folder, table, tmp_path):
    series = io.read_volume(folder / table["image"][0], phases=True)
    rows = []
    for phase in (2, 0, 3, 1):
        path = tmp_path / f"phase{phase}.nii.gz"
        io.write_nifti(path, series.array[phase], series)
        rows.append((path.name, str(folder / table["mask"][0]), "P1", phase, TIMES[phase]))
    columns = ["Image", "Mask", "Patient", "Phase", "Time"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "m.csv", index=False)
    found = extract_series(tmp_path / "m.csv", ["first_order"], relative=True, jobs=1)
    names = [name for name in table.columns if "__" in name or name.startswith("kinetics_")]
    assert found["status"].tolist() == ["ok"], found["error"].tolist()
    np.testing.assert_allclose(found.loc[0, names].astype(float), table.loc[0, names].astype(float), rtol=1e-12)


def test_a_dicom_series_is_read_with_its_times(tmp_path, rng):
    phases = rng.integers(50, 400, (4, 5, 12, 14)).astype(np.uint16)
    dicoms.write_dynamic(tmp_path / "dce", phases, times={"TemporalPositionIdentifier": (1, 2, 3, 4)})
    read = io.read_volume(tmp_path / "dce", phases=True)
    np.testing.assert_array_equal(read.array, phases)
    table = extract_series([tmp_path / "dce"], ["first_order"], times=(0, 1, 2, 3), jobs=1)
    means = [table[f"phase_{k}__first_order_mean"][0] for k in range(4)]
    assert means == pytest.approx(phases.mean(axis=(1, 2, 3)), rel=1e-12)


def test_what_is_wrong_with_a_series_is_said_in_its_row(folder, table, tmp_path):
    good = folder / table["image"][0]
    series = io.read_volume(good, phases=True)
    short = np.ascontiguousarray(series.array[:3])
    volume = series.array[0]
    bad = tmp_path / "cut.nii.gz"
    bad.write_bytes(good.read_bytes()[:-500])
    found = extract_series([series.array, short, volume, bad], ["first_order"], times=TIMES, jobs=1)
    assert found["status"].tolist() == ["ok", "failed", "failed", "failed"]
    assert "lacks phase 3" in found["error"][1]
    assert "and a series (phases, slices, rows, cols)" in found["error"][2]
    assert "cut short" in found["error"][3]
    no_times = extract_series([series.array], ["first_order"], jobs=1)
    assert no_times["status"].tolist() == ["failed"]
    assert "does not say when its phases were taken" in no_times["error"][0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"phases": (0, 2, 1)}, "give numbers that grow"),
        ({"phases": (0, 1)}, "kinetics needs 3"),
        ({"times": (0, 60, 30, 90)}, "grow"),
        ({"times": (0, 60)}, "times"),
        ({"delta": "last"}, "delta is 'last'"),
        ({"kinetics": {"times": (1, 2, 3, 4)}}, "belongs to the series"),
        ({"texture": False, "kinetics": False}, "both off"),
        ({"resume": True}, "resume needs out"),
    ],
)
def test_mistakes_are_told_before_the_work(folder, options, message):
    with pytest.raises(ValueError, match=message):
        extract_series(folder / "manifest.csv", ["first_order"], **options)


def test_the_command_writes_a_table_that_can_be_resumed(folder, tmp_path, capsys):
    out = tmp_path / "series.csv"
    command = ["dynamic", str(folder), "--features", "first_order", "-o", str(out), "--jobs", "1"]
    assert main(command) == 0
    first = out.read_bytes()
    assert main([*command, "--resume"]) == 0
    assert out.read_bytes() == first
    assert "reused 3" in capsys.readouterr().out
    record = json.loads(out.with_name("series.csv.json").read_text())
    assert record["settings"]["series"]["phases"] == [0, 1, 2, 3]
    assert main([*command[:2], "--phases", "2,1,0", "-o", str(out)]) == 1
    assert "give numbers that grow" in capsys.readouterr().err


def test_times_make_a_difference(folder, table):
    slower = extract_series(folder / "manifest.csv", ["first_order"], times=(0, 120, 240, 360), jobs=1)
    np.testing.assert_allclose(slower["kinetics_lesion_wash_in"] * 2, table["kinetics_lesion_wash_in"], rtol=1e-9)
