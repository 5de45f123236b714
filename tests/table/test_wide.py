import numpy as np
import pandas as pd
import pytest

from tumortrace.table import extract, feature_columns, widen


def test_each_number_stands_where_it_belongs(lesions):
    table = extract(lesions, ["shape"])
    table["slice"] %= 5
    table = table.drop_duplicates(["split", "label", "patient", "slice", "sequence"])
    wide = widen(table.sample(frac=1, random_state=0))
    features = feature_columns(table)
    assert list(wide.columns[:4]) == ["split", "label", "patient", "slice"]
    assert len(wide) == len(table[["split", "label", "patient", "slice"]].drop_duplicates())
    assert wide.shape[1] == 4 + 2 * len(features)
    assert sum(wide[[f"{s}__shape_area" for s in ("sub1", "vibrant_c1")]].notna().sum()) == len(table)
    for row in table.to_dict("records"):
        match = wide[(wide[["split", "label", "patient", "slice"]] == pd.Series(row)[wide.columns[:4]]).all(axis=1)]
        prefix = {"SUB1": "sub1", "VIBRANT+C1": "vibrant_c1"}[row["sequence"]]
        assert match[[f"{prefix}__{name}" for name in features]].to_numpy().tolist() == [[row[n] for n in features]]


def table_of(**columns):
    rows = len(next(iter(columns.values())))
    return pd.DataFrame({**columns, "digest": "", "f": np.arange(float(rows)), "status": "ok", "error": ""})


def test_other_columns_and_an_unknown_split():
    table = table_of(case=[1, 1, 2], phase=["pre", "post", "post"], split=[None, None, "val"])
    wide = widen(table, by=["split", "case"], across="phase", features=["f"])
    assert wide["case"].tolist() == [1, 2]
    assert wide["split"].isna().tolist() == [True, False]
    np.testing.assert_array_equal(wide["post__f"], [1, 2])
    np.testing.assert_array_equal(wide["pre__f"], [0, np.nan])


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            table_of(patient=[1, 1], slice=[3, 3], sequence=["A", "A"]),
            "1 rows repeat .* patient 1, slice 3, sequence A",
        ),
        (
            table_of(patient=[1, 1], slice=[3, 3], sequence=["A+", "a"]),
            "'a' cannot name columns: 'A.' has the same",
        ),
        (table_of(patient=[1], slice=[3], sequence=["+"]), "'.' cannot name columns"),
        (table_of(patient=[1], slice=[3]), "lacks the columns sequence"),
        (table_of(sequence=["A"]), "lacks the columns split, label, patient, slice"),
        (pd.DataFrame({"patient": [1], "sequence": ["A"]}), "lacks the column digest or status"),
    ],
)
def test_mistakes(table, message):
    with pytest.raises(ValueError, match=message):
        widen(table)
