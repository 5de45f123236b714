"""Rows go to the model of their own sequence, and nowhere else."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from tumortrace.fusion import EarlyFusion, LateFusion, OverSequences, PerSequence


@pytest.fixture
def rows(cohort):
    X, y, patients = cohort
    frame = pd.DataFrame(X[:, :4]).add_prefix("x")
    frame.insert(2, "sequence", np.tile(["SUB1", "SUB2", "VIBRANT"], 40))
    return frame, y, patients


def test_each_sequence_has_its_own_model(rows):
    frame, y, patients = rows
    model = PerSequence(LogisticRegression(), column="sequence").fit(frame, y, patients)
    assert model.values_ == ["SUB1", "SUB2", "VIBRANT"]
    shuffled = frame.sample(frac=1, random_state=0)
    got = pd.Series(model.predict_proba(shuffled)[:, 1], shuffled.index)
    for name, part in frame.groupby("sequence"):
        X = part.drop(columns="sequence")
        expected = LogisticRegression().fit(X, y[part.index]).predict_proba(X)[:, 1]
        np.testing.assert_array_equal(got[part.index], expected, err_msg=name)
    one = model.predict_proba(frame[frame["sequence"] == "SUB2"])  # not all sequences need be there
    np.testing.assert_array_equal(one[:, 1], got.sort_index()[frame["sequence"] == "SUB2"])


def test_the_column_may_be_a_position(rows):
    frame, y, _ = rows
    codes = frame.assign(sequence=frame["sequence"].factorize()[0]).to_numpy()
    by_name = PerSequence(column="sequence").fit(frame, y).predict_proba(frame)
    np.testing.assert_array_equal(PerSequence(column=2).fit(codes, y).predict_proba(codes), by_name)


def test_without_a_column_there_is_one_model(cohort):
    X, y, _ = cohort
    model = PerSequence().fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), EarlyFusion().fit(X, y).predict_proba(X))
    assert model.values_ == [None]


def test_as_a_member_of_late_fusion(rows):
    frame, y, patients = rows
    members = [("routed", PerSequence(column="sequence"), ["sequence", "x0", "x1"]), ("all", EarlyFusion(), ["x2"])]
    model = LateFusion(members, combine="weighted").fit(frame, y, patients)
    assert model.score(frame, y) > 0.7


def test_mistakes(rows):
    frame, y, _ = rows
    model = PerSequence(column="sequence").fit(frame, y)
    with pytest.raises(
        ValueError, match=r"sequence 'SUB3' was not there when .*; it knows 'SUB1', 'SUB2', 'VIBRANT'"
    ):
        model.predict_proba(frame.assign(sequence="SUB3"))
    with pytest.raises(ValueError, match="sequence has missing values"):
        model.predict_proba(frame.assign(sequence=frame["sequence"].mask(frame.index == 3)))
    with pytest.raises(ValueError, match="sequence 'SUB2' has rows of class 1 only"):
        PerSequence(column="sequence").fit(
            frame[(frame["sequence"] != "SUB2") | (y == 1)], y[(frame["sequence"] != "SUB2") | (y == 1)]
        )
    with pytest.raises(ValueError, match="column: X lacks 1 of its columns, the first 'phase'"):
        PerSequence(column="phase").fit(frame, y)


def test_every_column_is_a_case_and_the_score_their_mean(cohort):
    X, y, patients = cohort
    frame = pd.DataFrame(X[:, :3], columns=["sub1__x", "sub2__x", "vibrant__x"])
    model = OverSequences(LogisticRegression()).fit(frame, y, patients)
    one = LogisticRegression().fit(pd.DataFrame({"image": X[:, :3].T.ravel()}), np.tile(y, 3))
    np.testing.assert_array_equal(model.estimator_.coef_, one.coef_)
    odds = one.coef_[0] * X[:, :3] + one.intercept_
    second = model.predict_proba(frame)[:, 1]
    np.testing.assert_allclose(np.log(second / (1 - second)), np.clip(odds, -9.21, 9.21).mean(axis=1), atol=1e-3)
    np.testing.assert_array_equal(
        OverSequences(LogisticRegression()).fit(X[:, :3], y).predict_proba(X[:, :3])[:, 1], second
    )


def test_a_case_has_the_patient_of_its_row(cohort):
    X, y, patients = cohort
    told = []

    class Tells(LogisticRegression):
        def fit(self, X, y, patients=None):
            told.extend(zip(X[:, 0], patients, strict=True))
            return super().fit(X, y)

    OverSequences(Tells()).fit(X[:, :2], y, patients)
    assert sorted(told) == sorted(
        (value, who) for row, who in zip(X[:, :2], patients, strict=True) for value in row
    )
