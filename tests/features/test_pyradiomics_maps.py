"""Maps equal those of PyRadiomics on a made-up volume.

`data/pyradiomics_maps.json` holds what PyRadiomics 3.0.1 gave for it; `data/make_pyradiomics_maps.py` made it.
"""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

from tumortrace.features import first_order_map, glcm_map
from tumortrace.features._nomenclature import TERMS

DATA = Path(__file__).parent / "data"
THEIRS = json.loads((DATA / "pyradiomics_maps.json").read_text())
LIKE_PYRADIOMICS = {"window": 3, "bin_width": 25, "first_edge": "pyradiomics"}


@pytest.fixture(scope="module")
def image():
    return runpy.run_path(str(DATA / "make_pyradiomics_maps.py"))["volume"]()


def both(maps, family):
    """Yield the name of each feature that both have, our map and theirs."""
    for name in maps:
        theirs = TERMS[family][name].pyradiomics if name in TERMS[family] else ""
        if theirs in THEIRS[family]:
            yield name, maps[name], np.array(THEIRS[family][theirs])


def test_glcm(image):
    maps = glcm_map(image, aggregation="3d_average", **LIKE_PYRADIOMICS)
    compared = list(both(maps, "glcm"))
    assert len(compared) == 24
    for name, ours, theirs in compared:
        if name == "maximal_correlation_coefficient":
            flat = 13 * (ours - theirs)  # each of 13 directions with one level counts 1 here and 0 there
            assert np.abs(flat - np.round(flat)).max() < 1e-9
            assert flat.max() > 0.5
            assert flat.min() > -0.5
            assert (np.abs(flat) < 0.5).any()
        else:
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9, err_msg=name)


def test_first_order(image):
    maps = first_order_map(image, **LIKE_PYRADIOMICS)
    compared = list(both(maps, "first_order"))
    assert len(compared) == 17
    for name, ours, theirs in compared:
        excess = 3 if name == "kurtosis" else 0  # IBSI subtracts that of a normal distribution
        np.testing.assert_allclose(ours, theirs - excess, rtol=1e-9, atol=1e-9, err_msg=name)
