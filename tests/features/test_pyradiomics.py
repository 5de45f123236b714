"""Names, settings and numbers of PyRadiomics on a made-up volume, as `examples/from_pyradiomics.py` tells them.

`data/pyradiomics.json` holds what PyRadiomics 3.0.1 gave for that volume; `data/make_pyradiomics.py` made it.
"""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

from tumortrace.features import first_order, glcm

ROOT = Path(__file__).parents[2]
THEIRS = json.loads((Path(__file__).parent / "data" / "pyradiomics.json").read_text())
OF_DIRECTIONS = {"aggregation": "3d_average"}


@pytest.fixture(scope="module")
def page():
    return runpy.run_path(str(ROOT / "examples" / "from_pyradiomics.py"))


@pytest.mark.parametrize("family", ["firstorder", "glcm"])
def test_the_page_has_every_name_with_the_number_that_pyradiomics_gave(page, family):
    table = page["FIRST_ORDER" if family == "firstorder" else "GLCM"]
    numbers = {f"{family}_{theirs}": number for theirs, (_, number) in table.items()}
    expected = {name: value for name, value in THEIRS["volume"]["bin width"].items() if name.startswith(family)}
    assert numbers == pytest.approx(expected, rel=1e-9)
    assert page["spacing"] == tuple(THEIRS["spacing"])


def test_the_preset_computes_everything_that_pyradiomics_does(page):
    theirs = {f"original_{name}": value for name, value in THEIRS["defaults"].items()}
    assert page["found"] == pytest.approx(theirs, rel=1e-9, abs=1e-12)
    assert page["NUMBERS"] == pytest.approx({name: theirs[name] for name in page["NUMBERS"]}, rel=1e-9)


def test_first_order(page):
    for theirs, (name, _) in page["FIRST_ORDER"].items():
        expected = THEIRS["volume"]["bin width"][f"firstorder_{theirs}"]
        assert page["ours"][name] == pytest.approx(expected, rel=1e-10, abs=1e-14), theirs
    counted = first_order(page["image"], page["mask"], levels=32)
    assert counted["histogram_entropy"] == pytest.approx(THEIRS["volume"]["bin count"]["firstorder_Entropy"])
    assert counted["histogram_uniformity"] == pytest.approx(THEIRS["volume"]["bin count"]["firstorder_Uniformity"])


@pytest.mark.parametrize(
    ("setting", "bins", "parameters"),
    [
        ("bin width", {"bin_width": 25}, OF_DIRECTIONS),
        ("bin count", {"levels": 32}, OF_DIRECTIONS),
        ("in the plane", {"bin_width": 25}, {"aggregation": "2.5d_direction_merge"}),
        ("merged", {"bin_width": 25}, {"aggregation": "3d_volume_merge"}),
    ],
)
def test_glcm(page, setting, bins, parameters):
    vector = glcm(page["image"], page["mask"], first_edge="pyradiomics", **bins, **parameters)
    for theirs, (name, _) in page["GLCM"].items():
        assert vector[name] == pytest.approx(THEIRS["volume"][setting][f"glcm_{theirs}"], rel=1e-10), theirs


def test_glcm_of_one_slice(page):
    vector = glcm(np.floor(page["image"][1] / 25), page["mask"][1], bin_width=1, aggregation="2d_average")
    for theirs, (name, _) in page["GLCM"].items():
        assert vector[name] == pytest.approx(THEIRS["slice"][f"glcm_{theirs}"], rel=1e-10), theirs


def test_what_the_page_calls_unequal_is_unequal(page):
    binned = np.floor(page["image"] / 25)
    apart = glcm(binned, page["mask"], bin_width=1, distances=2, **OF_DIRECTIONS)
    assert apart["contrast"] != pytest.approx(THEIRS["volume"]["distance 2"]["glcm_Contrast"], rel=1e-3)
    edges = glcm(page["image"], page["mask"], bin_width=25, **OF_DIRECTIONS)
    assert edges["contrast"] != pytest.approx(THEIRS["volume"]["bin width"]["glcm_Contrast"], rel=1e-3)
    symmetric = THEIRS["volume"]["bin width"]["glcm_JointEntropy"]
    assert THEIRS["volume"]["not symmetrical"]["glcm_JointEntropy"] != pytest.approx(symmetric, rel=1e-3)
