"""GLRLM, NGTDM and NGLDM by the values that IBSI and PyRadiomics published."""

import csv
import gzip
import json
import re

import numpy as np
import pytest

from tumortrace.features import glrlm, glrlm_matrix, ngldm, ngldm_matrix, ngtdm, ngtdm_matrix
from tumortrace.features._glcm import AGGREGATIONS as OF_DIRECTIONS
from tumortrace.features._glcm import DIRECTIONS
from tumortrace.features._nomenclature import TERMS
from tumortrace.features._zones import AGGREGATIONS as OF_NEIGHBOURS

# the order of the printed tables, as steps (x, y, z)
IN_PLANE = [(0, 1, 0), (1, -1, 0), (1, 0, 0), (1, 1, 0)]
IN_SPACE = [
    *[(0, 0, 1), (0, 1, -1), (0, 1, 0), (0, 1, 1), (1, -1, -1), (1, -1, 0), (1, -1, 1)],
    *[(1, 0, -1), (1, 0, 0), (1, 0, 1), (1, 1, -1), (1, 1, 0), (1, 1, 1)],
]
FAMILIES = {
    "TP0I": (glrlm, list(OF_DIRECTIONS)),
    "IPET": (ngtdm, list(OF_NEIGHBOURS)),
    "REK0": (ngldm, list(OF_NEIGHBOURS)),
}


@pytest.fixture(scope="module")
def phantom(data_root):
    data = np.load(data_root / "ibsi" / "digital_phantom.npz")
    assert str(data["axis_order"]) == "zyx"
    return data["image"], data["mask"]


@pytest.fixture(scope="module")
def printed(data_root):
    tables = json.loads((data_root / "ibsi" / "digital_phantom_matrices.json").read_text())
    return lambda name: [
        {(int(float(row[0])), *map(float, row[1:])) for row in table["rows"]} for table in tables[name]
    ]


def direction_of(step_xyz):
    step = np.array(step_xyz[::-1])
    return next(d for d, ours in enumerate(DIRECTIONS) if (ours == step).all() or (ours == -step).all())


def cells(matrix):
    """Level, size and number of what occurs, as the manual prints them."""
    return {(i + 1, j + 1, matrix[i, j]) for i, j in np.argwhere(matrix)}


def slug(feature):
    return re.sub(r"[^a-z0-9]+", "_", feature.lower().replace("'", "")).strip("_")


@pytest.mark.parametrize(
    ("family", "aggregation"), [(family, a) for family, (_, every) in FAMILIES.items() for a in every]
)
def test_features_are_the_consensus_values(phantom, data_root, family, aggregation):
    """Consensus values have three digits and, for the phantom, no tolerance beyond them."""
    with (data_root / "ibsi" / "digital_phantom_reference.csv").open() as file:
        rows = [
            r for r in csv.DictReader(file) if (r["family_code"], r["aggregation_slug"]) == (family, aggregation)
        ]
    extractor, _ = FAMILIES[family]
    v = extractor(*phantom, bin_width=1, aggregation=aggregation)
    assert v.names == tuple(slug(row["feature"]) for row in rows)
    for row in rows:
        assert not row["tolerance"]
        assert float(f"{v[slug(row['feature'])]:.3g}") == float(row["value"]), row["feature"]
        assert TERMS[extractor.__name__][slug(row["feature"])].ibsi == row["ibsi_code"]
        assert f"({row['ibsi_code']})" in extractor.__doc__


def test_runs_are_the_printed_ones(phantom, printed):
    name = "Grey level run length matrix"
    in_slices = glrlm_matrix(*phantom, bin_width=1, aggregation="2d_average").reshape(4, 4, 6, -1)
    tables = np.reshape(printed(f"{name} (2D)"), (4, 4))  # direction, slice
    for of_direction, step in zip(tables, IN_PLANE, strict=True):
        ours = in_slices[:, direction_of(step)]
        assert [cells(matrix) for matrix in ours] == of_direction.tolist()
    merged = glrlm_matrix(*phantom, bin_width=1, aggregation="2d_slice_merge")
    assert [cells(matrix) for matrix in merged] == printed(f"{name} (2D, merged)")
    in_space = glrlm_matrix(*phantom, bin_width=1, aggregation="3d_average")
    for table, step in zip(printed(f"{name} (3D)"), IN_SPACE, strict=True):
        assert cells(in_space[direction_of(step)]) == table
    merged = glrlm_matrix(*phantom, bin_width=1)
    assert [cells(matrix) for matrix in merged] == printed(f"{name} (3D, merged)")


@pytest.mark.parametrize("aggregation", ["2d", "3d"])
def test_dependences_are_the_printed_ones(phantom, printed, aggregation):
    matrices = ngldm_matrix(*phantom, bin_width=1, aggregation=aggregation)
    expected = printed(f"Neighbouring grey level dependence matrix ({aggregation.upper()})")
    assert [cells(matrix) for matrix in matrices] == expected


@pytest.mark.parametrize("aggregation", ["2d", "3d"])
def test_tone_differences_are_the_printed_ones(phantom, printed, aggregation):
    matrices = ngtdm_matrix(*phantom, bin_width=1, aggregation=aggregation)
    tables = printed(f"Neighbourhood grey tone difference matrix ({aggregation.upper()})")
    assert len(tables) == len(matrices)
    for table, matrix in zip(tables, matrices, strict=True):
        ours = {i + 1: matrix[i] for i in np.flatnonzero(matrix[:, 0])}
        assert {i for i, *_ in table} == ours.keys()
        for i, s, n in table:
            assert n == ours[i][0]
            assert s == pytest.approx(ours[i][1], abs=1e-6)


def nrrd(path):
    head, _, body = path.read_bytes().partition(b"\n\n")
    fields = dict(line.split(": ", 1) for line in head.decode().splitlines() if ": " in line)
    sizes = [int(size) for size in fields["sizes"].split()]
    return np.frombuffer(gzip.decompress(body), {"short": "<i2", "int": "<i4"}[fields["type"]]).reshape(sizes[::-1])


@pytest.fixture(scope="module")
def theirs(data_root):
    with (data_root / "volumes" / "pyradiomics_reference.csv").open() as file:
        rows = list(csv.DictReader(file))
    return lambda *of: {
        r["feature"]: float(r["value"]) for r in rows if (r["class"], r["case"], r["variant"]) == of
    }


@pytest.mark.parametrize("case", ["brain1", "breast1"])
@pytest.mark.parametrize(
    ("variant", "parameters"),
    [
        ("plain", {"bin_width": 25}),
        ("2d", {"bin_width": 25, "in_plane": True}),
        ("FBN", {"levels": 64}),
        ("flatRegion", {"bin_width": 5000}),
    ],
)
@pytest.mark.parametrize(
    ("extractor", "name", "in_space", "in_plane"),
    [
        (glrlm, "glrlm", "3d_average", "2.5d_direction_merge"),
        (ngtdm, "ngtdm", "3d", "2.5d"),
        (ngldm, "gldm", "3d", "2.5d"),
    ],
)
def test_features_are_those_of_pyradiomics(
    data_root, theirs, case, variant, parameters, extractor, name, in_space, in_plane
):
    folder = data_root / "volumes"
    image, mask = nrrd(folder / f"{case}_image.nrrd"), nrrd(folder / f"{case}_label.nrrd") == 1
    aggregation = in_plane if "in_plane" in parameters else in_space
    bins = {p: value for p, value in parameters.items() if p != "in_plane"}
    v = extractor(image, mask, first_edge="pyradiomics", aggregation=aggregation, **bins)
    expected = theirs(name, case, variant)
    assert len(expected) == {"glrlm": 16, "ngtdm": 5, "gldm": 14}[name]
    terms = TERMS[extractor.__name__]
    ours = {terms[own].pyradiomics: value for own, value in v.items() if terms[own].pyradiomics in expected}
    assert ours == pytest.approx(expected, rel=1e-9, abs=1e-12)
