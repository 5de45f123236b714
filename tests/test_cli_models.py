"""The commands of models: what they print, what they write, and their exit codes."""

import re

import numpy as np
import pandas as pd
import pytest

from tumortrace import io
from tumortrace.cli import main
from tumortrace.model import load, out_of_fold

QUICK = ["--features", "first_order,kinetics", "--sequences", "VIBRANT,SUB2", "--folds", "3", "--jobs", "1"]
NOTICE = "Research software, no medical device."


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def lesions(tmp_path_factory):
    return io.synthetic.make_lesions(tmp_path_factory.mktemp("cli") / "lesions", patients=18, slices=2, seed=5)


@pytest.fixture(scope="module")
def models(tmp_path_factory, lesions):
    """A folder with two models that were trained on the split train."""
    folder = tmp_path_factory.mktemp("models")
    for name, more in (("a", []), ("b", ["--classifier", "logistic", "--seed", "1"])):
        command = [
            "train",
            "handcrafted",
            lesions,
            "-o",
            folder / name,
            "--splits",
            "train",
            *QUICK,
            *more,
            "--quiet",
        ]
        assert main(list(map(str, command))) == 0
    return folder


def test_train_says_how_it_groups_how_far_it_is_and_how_good_the_model_is(lesions, tmp_path, capsys):
    out = tmp_path / "model"
    assert run("train", "handcrafted", lesions, "-o", out, *QUICK) == 0
    printed = capsys.readouterr()
    told = printed.err.splitlines()
    assert told[0].startswith("no --group: the column patient tells patients apart")
    assert [line.partition(":")[0] for line in told[2:]] == [
        "fold 1 of 3",
        "fold 2 of 3",
        "fold 3 of 3",
        "all rows",
    ]
    first, second, header, slices, patients, intervals, notice = printed.out.splitlines()
    model = load(out)
    assert first == f"{out}: handcrafted model of {model.record['data']['rows']} slices"
    assert second == "out-of-fold predictions, 3 folds by patient:"
    assert header.split() == ["level", "rows", "patients", "AUC", "accuracy", "sensitivity", "specificity"]
    measured = {(row["level"], row["metric"]): row for row in model.record["metrics"]}
    for line, level in ((slices, "slice"), (patients, "patient")):
        numbers = re.findall(r"(\d\.\d{3}) \((\d\.\d{3}) to (\d\.\d{3})\)", line)
        for metric, found in zip(("auc", "accuracy", "sensitivity", "specificity"), numbers, strict=True):
            row = measured[level, metric]
            assert found == tuple(f"{row[name]:.3f}" for name in ("value", "low", "high"))
    assert (intervals, notice) == ("95 % intervals from resampling patients", NOTICE)
    written = {path.name for path in (tmp_path / "model.training").iterdir()}
    assert {"out_of_fold.csv", "roc.png"} <= written
    assert run("train", "handcrafted", lesions, "-o", out, *QUICK) == 1
    assert "exists; give another name, or force" in capsys.readouterr().err
    assert run("train", "handcrafted", lesions, "-o", out, *QUICK, "--force", "-q", "--group", "patient") == 0
    assert capsys.readouterr().err == ""


def test_train_a_network_and_draw_its_history(lesions, tmp_path, capsys):
    out = tmp_path / "model"
    options = ["--size", "16", "--epochs", "1", "--recipe", "report", "--sequences", "1", "--folds", "2"]
    assert run("train", "cnn", lesions, "-o", out, "--group", "patient", *options) == 0
    printed = capsys.readouterr()
    assert "no --group" not in printed.err
    assert re.search(r"^fold 2 of 2, epoch 1: learning_rate .*, loss \d", printed.err, re.MULTILINE)
    assert (tmp_path / "model.training" / "history.png").stat().st_size > 5_000
    assert load(out).inputs.pixels == ("VIBRANT+C2",)
    assert run("train", "handcrafted", lesions, "-o", out, *QUICK, "--force", "--quiet") == 0
    assert not (tmp_path / "model.training" / "history.png").exists()


def test_train_without_folds_is_said_to_be_untested(lesions, tmp_path, capsys):
    assert run("train", "handcrafted", lesions, "-o", tmp_path / "m", *QUICK, "--folds", "0", "--quiet") == 0
    assert "not tested: there were no folds" in capsys.readouterr().out
    assert run("evaluate", tmp_path / "m") == 1
    assert "put it back, or give images to score" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--group", "subject"], 1, "has no column 'subject' to tell patients apart, its columns are image, split"),
        (["--sequences", "T1,T2"], 1, "the source lacks the sequences T1, T2; it has SUB1"),
        (["--sequences", "4"], 1, "sequences is 4; give one of 1, 9, 17"),
        (["--features", "textur"], 1, "features are textur; give some of"),
        (["--splits", "test"], 1, "has no split 'test'; it has 'train', 'val'"),
        (["--folds", "9"], 1, "the class 'Benign' has 7 patients: 9 folds need one each at least"),
        (["--positive", "Bad"], 1, "the positive label is 'Bad', but the labels are 'Benign', 'Malignant'"),
    ],
)
def test_mistakes_of_train_take_one_line(lesions, tmp_path, capsys, arguments, code, message):
    assert run("train", "handcrafted", lesions, "-o", tmp_path / "m", *QUICK, *arguments, "--quiet") == code
    error = capsys.readouterr().err
    assert error.startswith("tumortrace: error: ")
    assert message in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command", [["train", "lesions"], ["train", "cnn", "x"], ["predict", "m"], ["compare", "a"]]
)
def test_wrong_usage(command, capsys):
    with pytest.raises(SystemExit) as stop:
        run(*command)
    assert stop.value.code == 2
    assert "usage: tumortrace" in capsys.readouterr().err


def test_predict_writes_a_table_and_counts(models, lesions, tmp_path, capsys):
    out = tmp_path / "p.csv"
    assert run("predict", models / "a", lesions, "--splits", "val", "-o", out, "--jobs", "1") == 0
    printed = capsys.readouterr()
    table = pd.read_csv(out, keep_default_na=False)
    counts = ", ".join(f"{n} called {label}" for label, n in table["predicted"].value_counts().items())
    assert printed.out == f"{out}: {len(table)} rows, {counts}\n{NOTICE}\n"
    assert printed.err == ""
    assert list(table) == [
        "split", "label", "patient", "slice", "score_texture", "score_kinetics",
        "score", "threshold", "predicted", "status", "error",
    ]  # fmt: skip
    expected = load(models / "a").predict(lesions, splits=["val"], jobs=1)
    np.testing.assert_array_equal(table["score"], expected["score"])


@pytest.mark.filterwarnings("default")
def test_predict_warns_of_rows_the_model_was_trained_on(models, lesions, tmp_path, capsys):
    out = tmp_path / "p.csv"
    assert run("predict", models / "a", lesions, "-o", out, "--jobs", "1", "-q") == 0
    assert "rows are among those that the model was trained on" in capsys.readouterr().err


def test_predict_goes_on_where_a_row_has_no_score(models, lesions, tmp_path, capsys):
    listing = io.find(lesions)
    frame = listing.frame.assign(image=[str(listing.root / image) for image in listing.frame["image"]])
    frame = frame[frame["split"] == "val"].reset_index(drop=True)
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    last = frame["patient"] == frame["patient"].iloc[-1]
    frame.loc[last, "image"] = str(tmp_path / "bad.jpg")
    frame.to_csv(tmp_path / "manifest.csv", index=False)
    out = tmp_path / "p.csv"
    assert run("predict", models / "a", tmp_path / "manifest.csv", "-o", out, "--jobs", "1") == 3
    table = pd.read_csv(out, dtype={"error": str})
    failed = table["score"].isna()
    assert set(table["patient"][failed]) == {frame["patient"].iloc[-1]}
    assert table["error"][failed].str.contains("is no JPEG, PNG, TIFF or BMP").all()
    assert f"{failed.sum()} have no score: the column error says why" in capsys.readouterr().out
    assert run("evaluate", out) == 0
    assert f"warning: {failed.sum()} of {len(table)} rows have no score" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["none", "x"], 1, "none: is no folder; give the folder that a model was saved to"),
        (["a", "none"], 1, "none: does not exist; give a folder"),
        (["a", "x", "-o", "p.xlsx"], 2, "give a name that ends in .csv"),
        (["a", "x", "-o", "no/p.csv"], 2, "no does not exist; make the folder first"),
    ],
)
def test_mistakes_of_predict(models, monkeypatch, capsys, arguments, code, message):
    monkeypatch.chdir(models)
    assert run("predict", *arguments) == code
    assert message in capsys.readouterr().err


def test_evaluate_a_model_a_table_and_images(models, lesions, tmp_path, capsys):
    assert run("evaluate", models / "a", "--csv", tmp_path / "m.csv", "--figures", tmp_path / "figures") == 0
    printed = capsys.readouterr()
    assert (
        printed.err
        == f"{models / 'a'}: its out-of-fold predictions, each by a model that did not see the patient\n"
    )
    measured = pd.read_csv(tmp_path / "m.csv")
    recorded = pd.DataFrame(load(models / "a").record["metrics"])
    pd.testing.assert_frame_equal(measured, recorded, check_dtype=False)
    drawn = sorted(path.name for path in (tmp_path / "figures").iterdir())
    assert drawn == [
        "calibration.png", "confusion.png", "decision_curve_patient.png", "decision_curve_slice.png",
        "precision_recall.png", "roc.png",
    ]  # fmt: skip
    table = "\n".join(printed.out.splitlines()[:5])
    assert run("evaluate", models / "a.training" / "out_of_fold.csv") == 0
    assert capsys.readouterr().out == f"{table}\n"
    assert (
        run("predict", models / "a", lesions, "--splits", "val", "-o", tmp_path / "p.csv", "--jobs", "1", "-q") == 0
    )
    assert run("evaluate", tmp_path / "p.csv") == 0
    from_table = capsys.readouterr().out
    assert run("evaluate", models / "a", lesions, "--splits", "val", "--jobs", "1") == 0
    assert capsys.readouterr().out == from_table
    assert from_table.endswith(f"{NOTICE}\n")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["a", "--splits", "val"], 2, "--splits and --jobs go with a model and a SOURCE"),
        (["a.training/out_of_fold.csv", "x"], 2, "is no folder of a model"),
        (["a", "--positive", "Benign"], 2, "was trained for 'Malignant'"),
        (["a.training/out_of_fold.csv", "--positive", "Bad"], 1, "the positive label is 'Bad'"),
        (["none.csv"], 1, "none.csv"),
    ],
)
def test_mistakes_of_evaluate(models, monkeypatch, capsys, arguments, code, message):
    monkeypatch.chdir(models)
    assert run("evaluate", *arguments) == code
    assert message in capsys.readouterr().err


def test_compare_models_and_tables(models, tmp_path, capsys):
    assert run("compare", models / "a", models / "b") == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"A  {models / 'a'}\nB  {models / 'b'}\n\nper slice: AUC ")
    assert "\nper patient: AUC " in printed
    assert printed.count("DeLong") == 2
    assert printed.endswith(f"\n{NOTICE}\n")
    assert run("compare", *(models / f"{name}.training" / "out_of_fold.csv" for name in "ab")) == 0
    assert capsys.readouterr().out.splitlines()[2:] == printed.splitlines()[2:]
    few = out_of_fold(models / "b").iloc[3:]
    few.to_csv(tmp_path / "few.csv", index=False)
    assert run("compare", models / "a", tmp_path / "few.csv") == 1
    message = f"{len(few)} rows are in both tables, 3 only in the first and 0 only in the second"
    assert message in capsys.readouterr().err
