"""What a large volume costs: less than four times its size, all included; on a new machine, to compile too."""

import os
import subprocess
import sys

import numba
import numpy as np
import pytest

from tumortrace import io
from tumortrace.cli import main

pytest.importorskip("nibabel")

SHAPE = (400, 512, 512)
SIZE = 2 * 400 * 512 * 512
# getrusage would count the process that this one was started from
PROGRAM = """
import re, sys
from tumortrace.cli import main
code = main(sys.argv[1:])
print(code, 1024 * int(re.search("VmHWM:(.*) kB", open("/proc/self/status").read())[1]))
"""


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """A series of 512 × 512 × 400 int16 with a lesion, and its mask."""
    folder = tmp_path_factory.mktemp("large")
    array, mask = np.zeros(SHAPE, np.int16), np.zeros(SHAPE, np.uint8)
    box = np.s_[180:240, 200:280, 210:290]
    array[box] = np.random.default_rng(0).integers(-200, 400, array[box].shape)
    mask[box] = 1
    like = io.Image(array, spacing=(1.0, 0.7, 0.7), origin=(0.0, 0.0, 0.0), direction=np.eye(3)[::-1])
    io.write_nifti(folder / "ct.nii", array, like)
    io.write_nifti(folder / "ct_mask.nii.gz", mask, like)
    yield folder
    (folder / "ct.nii").unlink()


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="hundreds of thousands of voxels, in Python alone")
@pytest.mark.skipif(sys.platform != "linux", reason="peaks are counted in other units elsewhere")
@pytest.mark.parametrize(
    ("new", "extra"),
    [(True, ""), (False, "regions: [lesion, {ring: {width: 4}}]\npreprocess: {spacing: 1.5}\n")],
    ids=["new machine", "ring and resampling"],
)
def test_a_large_series_peaks_under_four_times_its_size(series, tmp_path, new, extra):
    settings = tmp_path / "settings.yaml"
    settings.write_text(f"preset: ibsi\n{extra}")
    cache = {"NUMBA_CACHE_DIR": str(tmp_path)} if new else {}
    command = ["extract", series / "ct.nii", "--mask", series / "ct_mask.nii.gz", "--settings", settings, "-q"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, command), "-o", str(tmp_path / "t.csv"), "--jobs", "1"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | cache,
    )
    assert done.stderr == ""
    code, peak = map(int, done.stdout.split())
    assert code == 0
    assert SIZE < peak < 4 * SIZE


def test_a_volume_is_shown_where_its_mask_is_largest(tmp_path, capsys):
    array = np.random.default_rng(1).integers(0, 200, (6, 30, 30)).astype(np.int16)
    mask = np.zeros(array.shape, np.uint8)
    mask[2, 8:12, 8:12] = 1
    mask[4, 6:20, 6:20] = 1
    like = io.Image(array, spacing=(1.0, 1.0, 1.0))
    io.write_nifti(tmp_path / "v.nii", array, like)
    io.write_nifti(tmp_path / "m.nii", mask, like)
    out = tmp_path / "panel.svg"
    assert main(["show", str(tmp_path / "v.nii"), "--mask", str(tmp_path / "m.nii"), "-o", str(out)]) == 0
    assert "slice 5 of 6" in out.read_text()
    assert main(["show", str(tmp_path / "v.nii"), "-o", str(out)]) == 0
    assert "slice 4 of 6" in out.read_text()
