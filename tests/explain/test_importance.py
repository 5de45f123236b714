"""Importances by hand, and their intervals over patients."""

import numpy as np
import pandas as pd
import pytest

from tumortrace.explain import Explanation, explain_frame, importance, in_words


def one(patient, features=True, **families):
    table = pd.DataFrame({"family": ["glcm"] * 2, "shap": [0.25 * families["glcm"], 0.75 * families["glcm"]]})
    table.index = ["glcm_a", "glcm_b"]
    return Explanation(
        {"patient": patient}, 0.5, ("no", "yes"), 0.5, 0.0, 0.0, pd.Series(families), table if features else None
    )


FOUND = [one("A", glcm=1.0, cnn=-3.0), one("A", glcm=-1.0, cnn=1.0), one("B", glcm=4.0, cnn=0.0)]


def test_means_by_hand():
    table = importance(FOUND, resamples=200)
    assert table[["kind", "name", "family"]].to_numpy().tolist() == [
        ["family", "glcm", "glcm"],
        ["family", "cnn", "cnn"],
        ["feature", "glcm_b", "glcm"],
        ["feature", "glcm_a", "glcm"],
    ]
    np.testing.assert_allclose(table["importance"], [2, 4 / 3, 1.5, 0.5])


def test_intervals_come_from_whole_patients():
    table = importance(FOUND, level=0.9, resamples=400).set_index("name")
    # of two patients: A twice, both, or B twice, a quarter of the draws at either end
    assert table.loc["glcm", ["low", "high"]].tolist() == [1, 4]
    assert table.loc["cnn", ["low", "high"]].tolist() == [0, 2]
    pd.testing.assert_frame_equal(
        importance(FOUND, level=0.9, resamples=400).set_index("name"), table, check_exact=True
    )


def test_one_patient_has_no_interval():
    table = importance(FOUND[:2])
    assert table[["low", "high"]].isna().all(axis=None)
    assert table["importance"].notna().all()


def test_families_alone():
    assert importance([one("A", False, glcm=1.0), one("B", False, glcm=2.0)])["kind"].tolist() == ["family"]


def test_the_column_that_decides_matters_most(by_hand):
    model, rows = by_hand
    table = importance(explain_frame(model, rows, rows=range(30)), resamples=100)
    assert table["name"].tolist()[0] == "glcm"
    first, second = table[table["kind"] == "feature"].iloc[:2].to_dict("records")
    assert first["name"] == "glcm_a"
    assert first["low"] > second["high"]


@pytest.mark.parametrize(
    ("found", "options", "message"),
    [
        ([], {}, "there are no explanations"),
        ([one("", glcm=1.0)], {}, "names no patient"),
        ([one("A", glcm=1.0), one("B", glcm=1.0, cnn=1.0)], {}, "different families"),
        ([one("A", glcm=1.0), one("B", False, glcm=1.0)], {}, "explain all in one way"),
        (FOUND, {"level": 95}, "level is 95"),
        (FOUND, {"resamples": 1}, "resamples is 1"),
    ],
)
def test_what_cannot_be_weighed_is_refused(found, options, message):
    with pytest.raises(ValueError, match=message):
        importance(found, **options)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cnn", "CNN"),
        ("mvm_lbp", "MVM-LBP"),
        ("lbp_uniform_3", "LBP uniform 3"),
        ("mvm_lbp_code_12", "MVM-LBP code 12"),
        ("mvmbp_code_12", "MVMBP code 12"),
        ("subtraction_turn__first_order_mean", "First order mean, early less later subtractions"),
        ("sub3__hog_block_0", "HOG block 0, sub3"),
        ("age", "age"),
    ],
)
def test_names_in_words(name, words):
    assert in_words(name) == words
