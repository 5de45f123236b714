"""The digital phantom of the Image Biomarker Standardisation Initiative, and two volumes of PyRadiomics."""

import csv
import gzip
import json

import naive
import numpy as np
import pytest

from tumortrace.features import glcm, glcm_matrix
from tumortrace.features._glcm import AGGREGATIONS, DIRECTIONS

# the order of the printed tables, as steps (x, y, z)
PRINTED_IN_PLANE = [(0, 1, 0), (1, -1, 0), (1, 0, 0), (1, 1, 0)]
PRINTED_IN_SPACE = [
    *[(0, 0, 1), (0, 1, -1), (0, 1, 0), (0, 1, 1), (1, -1, -1), (1, -1, 0), (1, -1, 1)],
    *[(1, 0, -1), (1, 0, 0), (1, 0, 1), (1, 1, -1), (1, 1, 0), (1, 1, 1)],
]


@pytest.fixture(scope="module")
def phantom(data_root):
    data = np.load(data_root / "ibsi" / "digital_phantom.npz")
    assert str(data["axis_order"]) == "zyx"
    return data["image"], data["mask"]


@pytest.fixture(scope="module")
def printed(data_root):
    tables = json.loads((data_root / "ibsi" / "digital_phantom_matrices.json").read_text())
    return lambda name: [dense(table["rows"]) for table in tables[f"Grey level co-occurrence matrix ({name})"]]


def dense(rows):
    counts = np.zeros((6, 6), dtype=int)
    for i, j, n in rows:
        counts[int(float(i)) - 1, int(float(j)) - 1] = int(float(n))
    return counts


def matrices(phantom, aggregation):
    return glcm_matrix(*phantom, bin_width=1, aggregation=aggregation)[0]


def direction_of(step_xyz):
    step = np.array(step_xyz[::-1])
    return next(d for d, ours in enumerate(DIRECTIONS) if (ours == step).all() or (ours == -step).all())


def test_matrices_of_slices_and_directions_are_the_printed_ones(phantom, printed):
    ours = matrices(phantom, "2d_average").reshape(4, 4, 6, 6)
    expected = np.reshape(printed("2D"), (4, 4, 6, 6))  # direction, slice
    for table, step in zip(expected, PRINTED_IN_PLANE, strict=True):
        assert np.array_equal(ours[:, direction_of(step)], table)
    assert np.array_equal(matrices(phantom, "2.5d_direction_merge"), ours.sum(axis=0))
    assert np.array_equal(matrices(phantom, "2d_slice_merge"), printed("2D, merged"))
    assert np.array_equal(matrices(phantom, "2.5d_volume_merge")[0], np.sum(printed("2D, merged"), axis=0))


def test_matrices_of_directions_in_space_are_the_printed_ones(phantom, printed):
    ours = matrices(phantom, "3d_average")
    for table, step in zip(printed("3D"), PRINTED_IN_SPACE, strict=True):
        assert np.array_equal(ours[direction_of(step)], table)
    assert np.array_equal(matrices(phantom, "3d_volume_merge"), printed("3D, merged"))


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_all_features_are_the_consensus_values(phantom, data_root, aggregation):
    """Consensus values have three digits and, for the phantom, no tolerance beyond them."""
    with (data_root / "ibsi" / "digital_phantom_reference.csv").open() as file:
        rows = [
            r for r in csv.DictReader(file) if r["family_code"] == "LFYI" and r["aggregation_slug"] == aggregation
        ]
    assert len(rows) == 25
    v = glcm(*phantom, bin_width=1, aggregation=aggregation)
    for row in rows:
        assert not row["tolerance"]
        name = row["feature"].lower().replace(" ", "_")
        assert float(f"{v[name]:.3g}") == float(row["value"]), name


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_features_are_those_of_plain_numpy(phantom, aggregation):
    image, mask = phantom
    expected = naive.glcm(np.where(mask > 0, image, 0), 6, 1, aggregation)
    v = glcm(image, mask, bin_width=1, aggregation=aggregation)
    assert v.to_dict() == pytest.approx(expected, abs=1e-10)


PYRADIOMICS = {
    "Autocorrelation": "autocorrelation",
    "ClusterProminence": "cluster_prominence",
    "ClusterShade": "cluster_shade",
    "ClusterTendency": "cluster_tendency",
    "Contrast": "contrast",
    "Correlation": "correlation",
    "DifferenceAverage": "difference_average",
    "DifferenceEntropy": "difference_entropy",
    "DifferenceVariance": "difference_variance",
    "Id": "inverse_difference",
    "Idm": "inverse_difference_moment",
    "Idmn": "normalised_inverse_difference_moment",
    "Idn": "normalised_inverse_difference",
    "Imc1": "information_correlation_1",
    "Imc2": "information_correlation_2",
    "InverseVariance": "inverse_variance",
    "JointAverage": "joint_average",
    "JointEnergy": "angular_second_moment",
    "JointEntropy": "joint_entropy",
    "MCC": "maximal_correlation_coefficient",
    "MaximumProbability": "joint_maximum",
    "SumAverage": "sum_average",
    "SumEntropy": "sum_entropy",
    "SumSquares": "joint_variance",
}


def nrrd(path):
    head, _, body = path.read_bytes().partition(b"\n\n")
    fields = dict(line.split(": ", 1) for line in head.decode().splitlines() if ": " in line)
    sizes = [int(size) for size in fields["sizes"].split()]
    return np.frombuffer(gzip.decompress(body), {"short": "<i2", "int": "<i4"}[fields["type"]]).reshape(sizes[::-1])


@pytest.mark.parametrize("case", ["brain1", "breast1"])
def test_features_are_those_of_pyradiomics(data_root, case):
    """Bins of width 25 that begin at multiples of 25, 13 directions, averaged."""
    folder = data_root / "volumes"
    image, mask = nrrd(folder / f"{case}_image.nrrd"), nrrd(folder / f"{case}_label.nrrd") == 1
    v = glcm(np.floor(image / 25), mask, bin_width=1, aggregation="3d_average")
    with (folder / "pyradiomics_reference.csv").open() as file:
        rows = [r for r in csv.DictReader(file) if (r["class"], r["case"], r["variant"]) == ("glcm", case, "plain")]
    assert {row["feature"] for row in rows} == set(PYRADIOMICS)
    for row in rows:
        assert v[PYRADIOMICS[row["feature"]]] == pytest.approx(float(row["value"]), rel=1e-10), row["feature"]
