"""The command `map`, from files to files."""

import json

import numpy as np
import pytest
from PIL import Image as Picture

from tumortrace import io
from tumortrace.cli import main
from tumortrace.features import first_order_map, glcm_map


@pytest.fixture
def picture(tmp_path, rng):
    pixels = rng.integers(0, 256, (12, 15), dtype=np.uint8)
    Picture.fromarray(pixels).save(tmp_path / "p.png")
    mask = np.zeros((12, 15), np.uint8)
    mask[3:9, 4:12] = 255
    Picture.fromarray(mask).save(tmp_path / "m.png")
    return pixels, mask


@pytest.fixture
def volume(tmp_path, rng):
    pytest.importorskip("nibabel")
    array = rng.integers(0, 900, (4, 9, 10)).astype(np.int16)
    labels = np.zeros(array.shape, np.uint8)
    labels[1:3, 2:7, 3:8] = 1
    labels[0, 0, :4] = 2
    grid = io.Image(array, spacing=(3.0, 0.5, 0.7), origin=(1.0, -2.0, 5.0), direction=np.fliplr(np.eye(3)))
    io.write_nifti(tmp_path / "v.nii.gz", array, grid)
    io.write_nifti(tmp_path / "l.nii.gz", labels, grid)
    return grid, labels


def run(*arguments):
    return main(["map", *map(str, arguments)])


def test_maps_of_a_volume_lie_on_its_grid(volume, tmp_path, capsys):
    image, labels = volume
    out = tmp_path / "maps"
    chosen = (
        "--features",
        "contrast,joint_entropy",
        "--window",
        3,
        "--bin-width",
        100,
        "--first-edge",
        "pyradiomics",
    )
    source = (tmp_path / "v.nii.gz", "--mask", tmp_path / "l.nii.gz", "--label", 1)
    assert run(*source, *chosen, "--aggregation", "3d_average", "--threads", 2, "-o", out) == 0
    printed = capsys.readouterr().out
    assert printed.splitlines() == [
        str(out / "contrast.nii.gz"),
        str(out / "joint_entropy.nii.gz"),
        f"{out}: 2 maps, 2 files. Research software, no medical device.",
    ]
    expected = glcm_map(
        image.array, labels == 1, window=3, bin_width=100, first_edge="pyradiomics", aggregation="3d_average"
    )
    nibabel = pytest.importorskip("nibabel")
    for name in ("contrast", "joint_entropy"):
        written = nibabel.load(out / f"{name}.nii.gz")
        assert np.array_equal(written.dataobj, expected[name].T.astype(np.float32), equal_nan=True)
        assert np.allclose(written.affine, nibabel.load(tmp_path / "v.nii.gz").affine)
    record = json.loads((out / "maps.json").read_text())
    assert record["kind"] == "glcm"
    assert record["label"] == "1"
    assert record["maps"] == ["contrast", "joint_entropy"]
    assert record["parameters"]["aggregation"] == "3d_average"


def test_pictures_of_the_slices_that_the_mask_touches(volume, tmp_path):
    out = tmp_path / "maps"
    source = (tmp_path / "v.nii.gz", "--mask", tmp_path / "l.nii.gz", "--label", 1)
    assert (
        run(*source, "--kind", "first_order", "--features", "mean", "--window", "1,3,3", "--png", "-o", out, "-q")
        == 0
    )
    assert sorted(path.name for path in out.iterdir()) == ["maps.json", "mean-2.png", "mean-3.png"]


def test_maps_of_a_picture_are_pictures(picture, tmp_path, monkeypatch, capsys):
    from tumortrace import report

    drawn = []
    plot = report.plot_map
    monkeypatch.setattr(report, "plot_map", lambda *args, **options: drawn.append(args) or plot(*args, **options))
    out = tmp_path / "maps"
    chosen = ("--kind", "first_order", "--features", "mean", "--window", 5, "--beyond-mask")
    assert run(tmp_path / "p.png", "--mask", tmp_path / "m.png", *chosen, "-o", out, "--progress") == 0
    captured = capsys.readouterr()
    assert captured.out.startswith(f"{out / 'mean.png'}\n")
    assert "100%" in captured.err
    pixels, mask = picture
    expected = first_order_map(pixels, mask, window=5, masked=False)["mean"]
    assert np.array_equal(drawn[0][1], expected, equal_nan=True)
    assert (out / "mean.png").stat().st_size > 1000


def test_both_kinds_of_files(volume, tmp_path):
    out = tmp_path / "maps"
    source = (tmp_path / "v.nii.gz", "--mask", tmp_path / "l.nii.gz", "--label", 2)
    assert run(*source, "--features", "energy", "--window", 3, "--png", "--nifti", "-o", out, "-q") == 0
    assert sorted(path.name for path in out.iterdir()) == ["energy-1.png", "energy.nii.gz", "maps.json"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--nifti"], 2, "a picture has no grid to write a NIfTI file on"),
        (["--label", "1"], 2, "--label chooses a region of a mask"),
        (["--kind", "first_order", "--distances", "2"], 2, "--aggregation and --distances are for --kind glcm"),
        (["--features", "roughness"], 1, "features is 'roughness'; give one of 'joint_maximum'"),
        (["--window", "4"], 1, "window is 4; give an odd side"),
        (["--mask", "absent.png"], 1, "absent.png"),
    ],
)
def test_errors_say_what_would_be_right(picture, tmp_path, capsys, monkeypatch, arguments, code, message):
    monkeypatch.chdir(tmp_path)
    assert run("p.png", *arguments) == code
    assert message in capsys.readouterr().err
    assert not (tmp_path / "maps").exists()


@pytest.mark.parametrize(
    "wrong", [["--window", "a"], ["--first-edge", "low"], ["--levels", "8", "--bin-width", "2"]]
)
def test_wrong_usage_ends_with_2(picture, tmp_path, capsys, wrong):
    with pytest.raises(SystemExit) as ended:
        run(tmp_path / "p.png", *wrong)
    assert ended.value.code == 2
    assert capsys.readouterr().err
