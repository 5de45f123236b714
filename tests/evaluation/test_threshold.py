"""Thresholds do what their rule says, also on ties and nonsense, and never look at the fold they serve."""

import numpy as np
import pytest
from evaluation.cohorts import cohort
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score

from tumortrace.evaluation import carried_thresholds, choose_threshold, grouped_folds
from tumortrace.evaluation._threshold import RULES

NEEDS = {"sensitivity": 0.9, "specificity": 0.9}


def rates(y, score, threshold):
    called = np.asarray(score) >= threshold
    y = np.asarray(y).astype(bool)
    return (called & y).sum() / y.sum(), (~called & ~y).sum() / (~y).sum()


def every_cut(score):
    """All ways to part the scores, from calling all positive to calling none."""
    return [*np.unique(score), np.inf]


drawn = st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=2, max_size=30).filter(
    lambda rows: len({y for y, _ in rows}) == 2
)


@given(drawn)
def test_each_rule_finds_the_best_cut_there_is(rows):
    y, score = (np.array(column) for column in zip(*rows, strict=True))
    share = y.mean()
    cuts = np.array([rates(y, score, cut) for cut in every_cut(score)])
    found = {rule: rates(y, score, choose_threshold(y, score, rule=rule, at=NEEDS.get(rule))) for rule in RULES}
    assert sum(found["youden"]) == pytest.approx(cuts.sum(axis=1).max())
    assert abs(np.subtract(*found["balanced"])) == pytest.approx(abs(cuts[:, 0] - cuts[:, 1]).min())
    assert np.dot(found["accuracy"], [share, 1 - share]) == pytest.approx((cuts @ [share, 1 - share]).max())
    sensitive, specific = cuts[:, 0] >= 0.9, cuts[:, 1] >= 0.9
    assert found["sensitivity"][0] >= 0.9
    assert found["sensitivity"][1] == pytest.approx(cuts[sensitive, 1].max())
    assert found["specificity"][1] >= 0.9
    assert found["specificity"][0] == pytest.approx(cuts[specific, 0].max())


@given(drawn)
def test_equally_good_thresholds_give_the_lowest(rows):
    y, score = (np.array(column) for column in zip(*rows, strict=True))
    best = sum(rates(y, score, choose_threshold(y, score)))
    lower = [cut for cut in every_cut(score) if cut < choose_threshold(y, score)]
    # the cut at the score just above the threshold parts the rows in the same way
    assert all(sum(rates(y, score, cut)) < best - 1e-12 for cut in lower)


def test_a_threshold_lies_half_way():
    assert choose_threshold([0, 1], [0.25, 0.75]) == 0.5
    above = np.nextafter(0.3, 1)
    assert rates([0, 1], [0.3, above], choose_threshold([0, 1], [0.3, above])) == (1, 1)


def test_equal_scores():
    y, score = [0, 1, 0], [0.4, 0.4, 0.4]
    assert choose_threshold(y, score) == 0.4  # all positive
    none = choose_threshold(y, score, rule="accuracy")
    assert rates(y, score, none) == (0, 1)
    assert np.isfinite(none)
    assert rates(y, score, choose_threshold(y, score, rule="specificity", at=1)) == (0, 1)


def test_scores_that_point_the_wrong_way_call_all_positive():
    assert rates([0, 0, 1, 1], [0.8, 0.9, 0.1, 0.2], choose_threshold([0, 0, 1, 1], [0.8, 0.9, 0.1, 0.2])) == (1, 0)


def test_youden_is_the_best_balanced_accuracy(rng):
    y, score, _ = cohort(rng, decimals=2)
    found = balanced_accuracy_score(y, score >= choose_threshold(y, score))
    assert found == pytest.approx(max(balanced_accuracy_score(y, score >= cut) for cut in every_cut(score)))


@pytest.mark.parametrize("rule", RULES)
def test_a_fold_has_no_say_in_its_threshold(rng, rule):
    y, score, names = cohort(rng)
    folds = grouped_folds(y, names, folds=4)
    before = carried_thresholds(y, score, folds, rule=rule, at=NEEDS.get(rule))
    for fold in range(4):
        inside = folds == fold
        changed = np.where(inside, rng.random(len(y)), score)
        after = carried_thresholds(np.where(inside, 1 - y, y), changed, folds, rule=rule, at=NEEDS.get(rule))
        assert set(after[inside]) == set(before[inside])
        assert len(set(after[inside])) == 1
        assert before[inside][0] == choose_threshold(y[~inside], score[~inside], rule=rule, at=NEEDS.get(rule))
    changed = np.where(folds == 0, 1 - score, score)
    after = carried_thresholds(y, changed, folds, rule=rule, at=NEEDS.get(rule))
    assert (after[folds != 0] != before[folds != 0]).any()  # the others do listen to it


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rule": "best"}, "rule is 'best'; give one of 'youden'"),
        ({"rule": "sensitivity"}, "at is None; give the sensitivity to reach"),
        ({"rule": "specificity", "at": 95}, "at is 95; give the specificity"),
        ({"rule": "youden", "at": 0.9}, "which rule 'youden' does not take"),
        ({"y_score": [0.1, np.inf]}, "NaN or infinity"),
    ],
)
def test_unfit_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        choose_threshold(**({"y_true": [0, 1], "y_score": [0.1, 0.9]} | arguments))


@pytest.mark.parametrize("folds", [["a", "a", "a", "a"], ["a", "b", "a", "b"]])
def test_other_folds_must_hold_both_classes(folds):
    with pytest.raises(ValueError, match="outside fold a there are not rows of both classes"):
        carried_thresholds([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4], folds)
