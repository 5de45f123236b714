"""Every value that PyRadiomics keeps as a reference of its own, from the settings that stand beside it."""

import ast
import csv
from collections import defaultdict

import numpy as np
import pytest

from tumortrace.io import read_labels, read_volume
from tumortrace.table import Settings, from_pyradiomics

CASES = ("brain1", "breast1")
VARIANTS = (
    *("plain", "2d", "FBN", "combined", "flatRegion", "normalization", "resampling", "resegmentation", "shape2D"),
)
FORM = ("shape", "shape2D")


@pytest.fixture(scope="module")
def reference(data_root):
    """Case, variant → settings → class, feature → value."""
    found = defaultdict(lambda: defaultdict(dict))
    with (data_root / "volumes" / "pyradiomics_reference.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            values = found[row["case"], row["variant"]][row["settings"]]
            values[row["class"], row["feature"]] = float(row["value"])
    return found


@pytest.fixture(scope="module")
def volumes(data_root):
    folder = data_root / "volumes"
    return {
        case: (read_volume(folder / f"{case}_image.nrrd"), read_labels(folder / f"{case}_label.nrrd").array == 1)
        for case in CASES
    }


def computed(image, mask, settings, classes):
    """Return our numbers by the names of PyRadiomics."""
    parameters = {"setting": settings, "featureClass": dict.fromkeys(classes)}
    wanted = Settings.of(from_pyradiomics(parameters))
    values, reason = wanted.compute(image.array, mask, image.spacing, image.direction, image.origin)
    assert reason == ""
    return dict(zip(wanted.columns, values, strict=True))


def test_the_reference_is_whole(reference):
    assert set(reference) == {(case, variant) for case in CASES for variant in VARIANTS}
    assert sum(len(values) for sets in reference.values() for values in sets.values()) == 1348


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("case", CASES)
def test_every_value(reference, volumes, case, variant):
    for settings, expected in reference[case, variant].items():
        found = computed(*volumes[case], ast.literal_eval(settings), {family for family, _ in expected})
        for (family, feature), value in expected.items():
            # the meshes of the reference were measured in other arithmetic
            close = pytest.approx(value, rel=1e-3 if family in FORM else 1e-6, abs=1e-12)
            assert found[f"original_{family}_{feature}"] == close, (family, feature)


def test_the_reference_tells_settings_apart(reference, volumes):
    """The comparison would notice: other settings give other numbers."""
    ((_, expected),) = reference["breast1", "plain"].items()
    found = computed(*volumes["breast1"], {"binWidth": 20}, {"glcm"})
    same = [
        feature
        for (family, feature), value in expected.items()
        if family == "glcm" and np.isclose(found[f"original_glcm_{feature}"], value, rtol=1e-6)
    ]
    assert len(same) <= 1
