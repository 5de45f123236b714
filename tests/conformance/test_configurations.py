"""The configurations A to E of the IBSI, on a volume like a CT, against MIRP.

`data/mirp.json` holds what MIRP 2.7.0 gave, made by `data/make_mirp.py`.
"""

import json
from pathlib import Path

import pytest
from ct import SPACING, volume

from tumortrace.conformance import CONFIGURATIONS, verify_volume
from tumortrace.io import Image

MIRP = json.loads((Path(__file__).parent / "data" / "mirp.json").read_text())

ROUNDED = 3e-6  # MIRP reads images and takes some steps in single precision
# Where voxels touch along an edge only, the mesh of MIRP (Lewiner's cases) closes otherwise than ours, which is
# that of PyRadiomics. Volumes agree; areas, and what is made of them, nearly.
AREAS = {
    **dict.fromkeys(("C0JK", "2PR5", "KRCK", "QCFX", "R59B", "RDD2", "7T7F"), 0.004),
    "SKGS": 0.006,
    "BQWJ": 0.012,
    "25C7": 0.025,
}


def test_the_volume_is_the_one_that_mirp_was_given():
    array, mask = volume()
    assert int(array.astype(int)[mask].sum()) == MIRP["sum"]


@pytest.mark.parametrize("letter", CONFIGURATIONS)
def test_every_value_is_that_of_mirp(letter):
    array, mask = volume()
    checks = verify_volume(Image(array, mask, SPACING), letter)
    found = {f"{check.ibsi_code} {check.aggregation}".strip(): check.computed for check in checks}
    wanted = MIRP["values"][letter]
    assert len(found) == len(checks)
    assert wanted.keys() <= found.keys()
    wrong = {
        key: (found[key], value)
        for key, value in wanted.items()
        if found[key] != pytest.approx(value, rel=AREAS.get(key, ROUNDED), abs=1e-9)
    }
    assert not wrong
