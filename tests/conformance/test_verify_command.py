"""The command prints every value beside the consensus, and says by its exit code whether all are right."""

import argparse
import functools
import json

import numpy as np
import pandas as pd
import pytest

from tumortrace import conformance, io
from tumortrace.cli import _verify
from tumortrace.cli._common import UsageError
from tumortrace.features import FEATURES, FeatureVector


def run(*words):
    parser = argparse.ArgumentParser()
    _verify.add_commands(parser.add_subparsers(required=True))
    args = parser.parse_args(["verify", *map(str, words)])
    return args.run(args)


@pytest.fixture
def broken(monkeypatch):
    """An extractor whose contrast is 5 % too large."""
    right = FEATURES["glcm"]

    @functools.wraps(right)
    def wrong(*args, **parameters):
        values = right(*args, **parameters).to_dict()
        values["contrast"] *= 1.05
        return FeatureVector(tuple(values), list(values.values()))

    monkeypatch.setitem(FEATURES, "glcm", wrong)


@pytest.fixture
def volume(tmp_path):
    pytest.importorskip("nibabel")
    k, j, i = np.indices((5, 9, 9))
    hu = (60 * np.sin(i * 0.9) + 25 * np.cos(j + k)).round().astype(np.int16)
    labels = ((k - 2) ** 2 * 3 + (j - 4) ** 2 + (i - 4) ** 2 < 14).astype(np.uint8)
    grid = io.Image(hu, spacing=(3.0, 1.0, 1.0))
    io.write_nifti(tmp_path / "ct.nii.gz", hu, grid)
    io.write_nifti(tmp_path / "roi.nii.gz", 3 * labels, grid)
    return tmp_path / "ct.nii.gz", tmp_path / "roi.nii.gz"


def test_the_last_line_counts_and_every_value_is_printed(capsys):
    assert run() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "482 of 482 within tolerance"
    assert lines[-2] == "Research software, no medical device."
    assert sum(line.endswith(" ok") for line in lines) == 482
    assert [line for line in lines[:-2] if line and line[0] != " "] == [
        *("morphology", "local_intensity", "first_order", "ivh", "glcm"),
        *("glrlm", "glszm", "gldzm", "ngtdm", "ngldm"),
    ]
    row = next(line for line in lines if "coarseness" in line and " 2.5d " in line).split()
    assert row == ["coarseness", "QCDE", "2.5d", "0.0284701", "0.0285", "5e-05", "strong", "ok"]


def test_families_are_chosen(capsys):
    assert run("--family", "glrlm,ngtdm", "--quiet") == 0
    assert capsys.readouterr().out == "111 of 111 within tolerance\n"


@pytest.mark.usefixtures("broken")
def test_a_broken_extractor_gives_exit_code_1(capsys):
    assert run("--quiet") == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "476 of 482 within tolerance"
    failed = [line for line in lines if line.endswith(" NOT WITHIN")]
    assert len(failed) == 6
    assert all("ACUI" in line for line in failed)
    assert not any(line.endswith(" ok") for line in lines)


def test_as_json(capsys):
    assert run("--json", "--family", "ivh") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["within"], found["of"]) == (6, 6)
    assert found["checks"] == [check._asdict() for check in conformance.verify(families=["ivh"])]


@pytest.mark.usefixtures("broken")
def test_as_a_table(tmp_path, capsys):
    assert run("--csv", tmp_path / "checks.csv", "--quiet") == 1
    frame = pd.read_csv(tmp_path / "checks.csv", keep_default_na=False)
    assert len(frame) == 482
    assert set(frame.loc[~frame["within"], "ibsi_code"]) == {"ACUI"}
    assert [path.name for path in tmp_path.iterdir()] == ["checks.csv"]


def test_a_volume_without_a_reference_is_only_computed(volume, capsys):
    assert run("--phantom", *volume, "--configuration", "B", "--family", "ngtdm,glcm") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "110 values, compared with nothing: no reference is given"
    assert lines.count("glcm") == lines.count("ngtdm") == 1


def test_a_volume_with_a_reference(volume, tmp_path, capsys):
    image = io.read_lesion(*volume)
    check = next(c for c in conformance.verify_volume(image, "C", families=["ngtdm"]) if c.feature == "contrast")
    head = "family_code,aggregation_slug,feature,ibsi_code,value,tolerance,consensus"
    for value, code in ((check.computed, 0), (check.computed * 1.01, 1)):
        (tmp_path / "c.csv").write_text(f"{head}\nIPET,3d,Contrast,65HE,{value:.6g},,strong\n")
        words = ("--phantom", *volume, "--label", 3, "--configuration", "C", "--reference", tmp_path / "c.csv")
        assert run(*words, "--quiet") == code
        assert capsys.readouterr().out.splitlines()[-1] == f"{1 - code} of 1 within tolerance"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--configuration", "A"), "--configuration is for --phantom"),
        (("--reference", "a.csv"), "--reference is for --phantom"),
        (("--label", "1"), "--label is for --phantom"),
        (("--phantom", "a.nii", "b.nii"), "--phantom needs --configuration, one of A, B, C, D, E"),
    ],
)
def test_options_that_make_no_sense(words, message):
    with pytest.raises(UsageError, match=message):
        run(*words)


def test_the_help_names_the_configurations():
    assert tuple(conformance.CONFIGURATIONS) == _verify._CONFIGURATIONS
