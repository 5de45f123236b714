import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import tumortrace
from tumortrace import io
from tumortrace.cli import main
from tumortrace.features import FEATURES
from tumortrace.table import Settings


@pytest.fixture
def lesions(tmp_path, rng):
    """Four images in the BreaDM layout, and a file that does not fit it."""
    for label in ("Benign", "Malignant"):
        for number in (1, 2):
            folder = tmp_path / "lesions" / label / f"P-{label[0]}" / "SUB1"
            folder.mkdir(parents=True, exist_ok=True)
            pixels = rng.integers(0, 256, (9, 8), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"p-{number:03d}.png")
    (tmp_path / "lesions" / "readme.txt").write_text("a note")
    return tmp_path / "lesions"


def width_of(path):
    with Image.open(path) as picture:
        return picture.width


def extract(*arguments):
    return main(["extract", "--features", "first_order,shape", *map(str, arguments)])


def test_extract_and_resume(lesions, tmp_path, capsys):
    out = tmp_path / "t.csv"
    assert extract(lesions, "-o", out) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{out}: 4 rows, 57 features each\ncomputed 4, reused 0, failed 0\n"
    assert printed.err.startswith("tumortrace: left out: readme.txt: not an image")
    assert pd.read_csv(out)["status"].tolist() == ["ok"] * 4
    assert extract(lesions, "-o", out, "--resume", "--jobs", "2") == 0
    assert "computed 0, reused 4, failed 0" in capsys.readouterr().out


def test_default_name_of_the_table(lesions, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert extract("lesions", "--quiet") == 0
    assert (tmp_path / "features.csv.json").exists()


def test_quiet_and_progress(lesions, tmp_path, capsys):
    assert extract(lesions, "-o", tmp_path / "t.csv", "--quiet", "--progress") == 0
    assert capsys.readouterr() == ("", "")
    assert extract(lesions, "-o", tmp_path / "t.csv", "--progress") == 0
    assert "4/4" in capsys.readouterr().err
    assert extract(lesions, "-o", tmp_path / "t.csv") == 0
    assert "4/4" not in capsys.readouterr().err


def test_settings_features_and_set(lesions, tmp_path):
    (tmp_path / "s.yaml").write_text("first_order: {levels: 8}\nshape:\n")
    out = tmp_path / "t.csv"
    command = ["extract", str(lesions), "-o", str(out), "--settings", str(tmp_path / "s.yaml")]
    assert main([*command, "--features", "first_order", "--set", "first_order.bin_width=2.5"]) == 0
    wanted = Settings.of({"first_order": {"levels": 8, "bin_width": 2.5}})
    assert f'"settings_hash": "{wanted.hash}"' in (tmp_path / "t.csv.json").read_text()


def test_failed_and_incomplete_rows(lesions, tmp_path, capsys):
    (lesions / "Benign/P-B/SUB1/p-003.png").write_bytes(b"")
    Image.fromarray(np.eye(1, dtype=np.uint8)).save(lesions / "Benign/P-B/SUB1/p-004.png")
    assert main(["extract", str(lesions), "--features", "sobel", "-o", str(tmp_path / "t.csv")]) == 3
    printed = capsys.readouterr().out
    assert "computed 6, reused 0, failed 1\n" in printed
    assert "1 failed, 1 incomplete (some features undefined): the column error says why" in printed


def test_what_looks_wrong_is_said_in_a_few_lines(lesions, tmp_path, capsys):
    for i in range(9):
        (lesions / f"note_{i}.txt").touch()
    (lesions / "Malignant/P-M").rename(lesions / "Malignant/P-B")
    assert extract(lesions, "-o", tmp_path / "t.csv") == 0
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 7
    assert "P-B is in 2 classes" in errors[0]
    assert errors[-1] == f"tumortrace: 5 more such lines are in {tmp_path / 't.csv'}.json"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["--set", "first_order.level=3"],
            2,
            "unknown parameter of first_order: level (did you mean levels?); valid:",
        ),
        (["--set", "first_order.levels=many"], 2, "levels is 'many'; give a whole number from 1 to 4096"),
        (["--features", "textur"], 2, "unknown extractor: textur; valid: "),
        (["-o", "t.xlsx"], 2, "give a name that ends in .csv or .parquet"),
        (["-o", "no/such/t.csv"], 1, "make the folder first"),
        (["--settings", "none.yaml"], 1, "none.yaml"),
    ],
)
def test_mistakes_take_one_line(lesions, tmp_path, capsys, monkeypatch, arguments, code, message):
    monkeypatch.chdir(tmp_path)
    assert extract(lesions, *arguments) == code
    errors = capsys.readouterr().err
    assert errors.startswith("tumortrace: error: ")
    assert message in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize("command", [["extract", "none"], ["distribution", "none"], ["show", "none.png"]])
def test_a_source_that_is_missing(tmp_path, monkeypatch, capsys, command):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    assert main(command) == 1
    assert "does not exist" in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], ["nonsense"], ["extract"], ["extract", "x", "--jobs", "0"], ["settings"]])
def test_usage(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main(command)
    assert stop.value.code == 2
    assert "usage: tumortrace" in capsys.readouterr().err


def test_the_traceback_on_demand(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError):
        main(["--debug", "extract", str(tmp_path / "none")])
    monkeypatch.setenv("TUMORTRACE_DEBUG", "1")
    with pytest.raises(FileNotFoundError):
        main(["extract", str(tmp_path / "none")])


def test_a_warning_takes_one_line(tmp_path):
    colour = np.zeros((9, 9, 3), dtype=np.uint8)
    colour[:4, :, 0] = 200
    for name in ("a.png", "b.png"):
        Image.fromarray(colour).save(tmp_path / name)
    command = [sys.executable, "-m", "tumortrace", "extract", tmp_path, "--features", "shape"]
    done = subprocess.run(
        [*command, "-o", tmp_path / "t.csv"], capture_output=True, text=True, check=True, env=without_filters()
    )
    assert done.stderr.startswith(f"tumortrace: warning: {tmp_path / 'a.png'} is in colour")
    assert done.stderr.count("\n") == 1


def without_filters():
    return {key: value for key, value in os.environ.items() if key != "PYTHONWARNINGS"}


def test_version_and_help_of_every_command(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"tumortrace {tumortrace.__version__}\n"
    for command in (["extract"], ["features"], ["settings", "init"], ["distribution"], ["show"], ["synthetic"]):
        with pytest.raises(SystemExit) as stop:
            main([*command, "--help"])
        assert stop.value.code == 0
        assert f"examples:\n  tumortrace {' '.join(command)}" in capsys.readouterr().out


def test_features_lists_everything(capsys):
    assert main(["features"]) == 0
    printed = capsys.readouterr().out
    for name in FEATURES:
        assert f"\n{name}: " in f"\n{printed}"
        assert f"{len(Settings.of([name]).columns)} columns." in printed
    assert "levels=32" in printed


def test_features_of_one(capsys):
    assert main(["features", "first_order"]) == 0
    printed = capsys.readouterr().out
    assert "    levels = 32\n        Fixed bin number of the histogram" in printed
    assert [line.strip() for line in printed.splitlines()[-41:]] == list(Settings.of(["first_order"]).columns)
    assert main(["features", "nothing"]) == 2
    assert "unknown extractor: nothing; valid: " in capsys.readouterr().err


def test_settings_init(tmp_path, capsys):
    assert main(["settings", "init"]) == 0
    printed = capsys.readouterr().out
    file = tmp_path / "s.yaml"
    assert main(["settings", "init", "-o", str(file)]) == 0
    assert file.read_text() == printed
    assert Settings.of(file) == Settings.of()
    file.write_text("mine")
    assert main(["settings", "init", "-o", str(file)]) == 2
    assert "exists; give another name, or --force" in capsys.readouterr().err
    assert file.read_text() == "mine"
    assert main(["settings", "init", "-o", str(file), "--force"]) == 0
    assert file.read_text() == printed


def test_distribution(lesions, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    command = ["distribution", str(lesions), "--csv", str(tmp_path / "c.csv"), "-o", str(tmp_path / "c.png")]
    assert main(command) == 0
    printed = capsys.readouterr().out.split()
    assert printed[:5] == ["split", "label", "images", "slices", "patients"]
    assert pd.read_csv(tmp_path / "c.csv")["images"].tolist() == [2, 2, 4]
    assert width_of(tmp_path / "c.png") > 100


def test_show(lesions, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    image = next(lesions.rglob("*.png"))
    Image.fromarray(np.eye(9, 8, dtype=np.uint8)).save(tmp_path / "mask.png")
    assert main(["show", str(image), "--mask", str(tmp_path / "mask.png"), "-o", str(tmp_path / "p.png")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'p.png'}\n"
    assert width_of(tmp_path / "p.png") > 400


def test_synthetic(tmp_path, capsys):
    out = tmp_path / "made"
    assert main(["synthetic", str(out), "--patients", "2", "--seed", "5"]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert len({path.parent.parent for path in out.rglob("*.*g") if path.is_file()}) == 2


def test_quickstart_passes_on_what_was_typed(tmp_path, monkeypatch):
    from tumortrace import quickstart

    calls = []
    monkeypatch.setattr(quickstart, "run", lambda *args, **options: calls.append((args, options)))
    assert main(["quickstart", "--out", str(tmp_path / "q"), "--jobs", "2"]) == 0
    assert calls == [((tmp_path / "q",), {"jobs": 2})]


def test_interrupted(lesions, tmp_path, monkeypatch, capsys):
    def interrupt(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("tumortrace.table.extract", interrupt)
    assert extract(lesions, "-o", tmp_path / "t.csv") == 130
    assert capsys.readouterr().err == (
        "tumortrace: interrupted; rows so far are kept: go on with the same command and --resume\n"
    )
    monkeypatch.setattr("tumortrace.table.template", interrupt)
    assert main(["settings", "init"]) == 130
    assert capsys.readouterr().err == "tumortrace: interrupted\n"


@pytest.mark.skipif(os.name != "posix", reason="pipes and exit codes of POSIX")
def test_as_a_module_into_a_pipe_that_closes():
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "tumortrace", "features", "first_order"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_slices(tmp_path, capsys):
    lesions = io.synthetic.make_lesions(tmp_path / "lesions", patients=2, slices=1, seed=1)
    out = tmp_path / "slices.csv"
    arguments = ["slices", str(lesions), "-o", str(out), "--jobs", "1"]
    assert main([*arguments, "--features", "first_order"]) == 0
    assert "slices.csv: 2 slices" in capsys.readouterr().out
    columns = set(pd.read_csv(out))
    assert {"patient", "sub1__image", "sub1__first_order_mean", "kinetics_lesion_wash_in", "status"} <= columns
    assert main([*arguments, "--no-texture", "-q"]) == 0
    assert capsys.readouterr().out == ""
    assert not any("first_order" in name for name in pd.read_csv(out))
    next(lesions.rglob("VIBRANT/*.jpg")).unlink()
    assert main([*arguments, "--no-texture"]) == 3
    assert "1 failed" in capsys.readouterr().out
    assert main([*arguments, "--no-texture", "--no-kinetics"]) == 2
    assert "leave nothing to compute" in capsys.readouterr().err
