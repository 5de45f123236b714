"""Every column of a table is in one group, and nothing else is taken for a feature."""

import pytest

from tumortrace.features import FEATURES, STACK_FEATURES
from tumortrace.table import Settings, column_groups


def test_columns_of_every_extractor_are_found():
    columns = Settings.of(preset="all").columns
    groups = column_groups(columns)
    assert list(groups) == list(FEATURES)
    assert [name for names in groups.values() for name in names] == list(columns)
    assert all(name.startswith(f"{extractor}_") for extractor, names in groups.items() for name in names)
    beside = [f"{sequence}__{name}" for sequence in ("sub1", "vibrant_c1") for name in columns]
    assert {k: len(v) for k, v in column_groups(beside).items()} == {k: 2 * len(v) for k, v in groups.items()}
    assert column_groups(beside, by="sequence") == {
        "sub1": beside[: len(columns)],
        "vibrant_c1": beside[len(columns) :],
    }


COLUMNS = ["vibrant__image", "image", "vibrant__mvm_lbp_3", "vibrant__shape_area", "kinetics_peak", "resnet18_017"]


@pytest.mark.parametrize(
    ("by", "sizes"),
    [
        ("extractor", {"image": 2, "mvm_lbp": 1, "shape": 1, "kinetics": 1, "resnet18": 1}),
        ("sequence", {"image": 2, "vibrant": 2, "kinetics": 1, "resnet18": 1}),
        ("kind", {"image": 2, "texture": 1, "shape": 1, "kinetics": 1, "embedding": 1}),
    ],
)
def test_each_column_is_in_one_group(by, sizes):
    groups = column_groups(COLUMNS, by=by)
    assert {name: len(columns) for name, columns in groups.items()} == sizes
    assert sorted(name for names in groups.values() for name in names) == sorted(COLUMNS)


def test_kinds_of_extractors():
    assert set(column_groups([f"{name}_x" for name in (*FEATURES, *STACK_FEATURES)], by="kind")) == {
        "texture",
        "shape",
        "kinetics",
    }


@pytest.mark.parametrize("column", ["patient", "slice", "label", "digest", "glcm", "sub1__contrast"])
def test_what_is_no_feature_is_refused(column):
    with pytest.raises(ValueError, match=f"1 columns are no features, the first '{column}'"):
        column_groups(["glcm_contrast", column])


def test_an_unknown_way_to_group():
    with pytest.raises(ValueError, match="by is 'colour'; give one of 'extractor', 'sequence', 'kind'"):
        column_groups([], by="colour")
