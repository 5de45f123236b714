"""A model taken apart: its members alone, left out, and what each feature says by itself."""

import numpy as np
import pandas as pd
import pytest
from report.reading import blocks, words
from scipy.special import expit, logit
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from tumortrace.evaluation import aggregate, auc, compare
from tumortrace.evaluation._bootstrap import replicates
from tumortrace.evaluation._rows import codes
from tumortrace.explain import in_words
from tumortrace.report._document import Table
from tumortrace.report._results._ablated import ablated, ablations, alike, leaves_below
from tumortrace.report._results._families import families, measured_families
from tumortrace.report._results._parts import contributions, recombined
from tumortrace.report._results._univariate import TOP, top_share, univariate
from tumortrace.report._study import Study

WEIGHTS = {"glcm": 0.3, "lbp": 0.2, "kinetics": 0.5}


def test_parts_add_up_to_the_log_odds(study, predictions):
    parts = contributions(study)
    odds = logit(predictions["score"])
    np.testing.assert_allclose(
        parts.sum(axis=1), odds - odds.groupby(predictions["fold"]).transform("mean"), atol=1e-12
    )
    by_hand = WEIGHTS["lbp"] * logit(predictions["score_lbp"])
    first = predictions["fold"] == 0
    np.testing.assert_allclose(parts.loc[first, "lbp"], by_hand[first] - by_hand[first].mean(), atol=1e-12)


def test_a_mean_is_put_together_again_with_fewer_members(study, predictions):
    np.testing.assert_allclose(recombined(study, list(WEIGHTS)), predictions["score"], atol=1e-12)
    np.testing.assert_allclose(recombined(study, ["glcm", "lbp"]), predictions["score_texture"], atol=1e-12)
    two = 0.3 / 0.8 * logit(predictions["score_glcm"]) + 0.5 / 0.8 * logit(predictions["score_kinetics"])
    np.testing.assert_allclose(recombined(study, ["glcm", "kinetics"]), expit(two), atol=1e-12)


def test_scores_at_the_ends_are_clipped_as_the_fusion_clips_them(predictions, study):
    sure = predictions.assign(score_lbp=1.0)
    found = recombined(Study(sure, "malignant", model=study.model), ["lbp"])
    np.testing.assert_allclose(found, 1 - 1e-4)


@pytest.mark.parametrize("level", ["slice", "patient"])
def test_ablations_are_paired_with_the_whole(study, predictions, level):
    found = ablated(study, level)
    assert list(found) == ["glcm", "lbp", "kinetics", "texture"]
    by = ["patient", "slice"] if level == "slice" else ["patient"]
    tables = {
        name: aggregate(predictions, by, score=f"score{name}")
        for name in ("", "_glcm", "_lbp", "_texture", "_kinetics")
    }
    y = tables[""]["label"] == "malignant"
    whole = roc_auc_score(y, tables[""]["score"])
    for name in ("glcm", "lbp", "kinetics", "texture"):
        alone = roc_auc_score(y, tables[f"_{name}"][f"score_{name}"])
        assert found[name].alone.b.value == pytest.approx(alone)
        assert found[name].alone.difference.value == pytest.approx(whole - alone)
    without_kinetics = compare(y, tables[""]["score"], tables["_texture"]["score_texture"], tables[""]["patient"])
    assert found["kinetics"].without.difference == pytest.approx(without_kinetics.difference, abs=1e-12)
    assert found["kinetics"].without.p == pytest.approx(without_kinetics.p)
    assert leaves_below(study, "texture") == ["glcm", "lbp"]


def test_parts_that_rank_alike_are_found(study, predictions):
    found = alike(study, "patient")
    means = predictions.groupby("patient")[["score_glcm", "score_lbp", "score_kinetics"]].mean()
    assert found["glcm", "kinetics"] == pytest.approx(spearmanr(means["score_glcm"], means["score_kinetics"])[0])
    assert len(found) == 3
    assert found.is_monotonic_increasing
    a, b = (in_words(name) for name in found.index[-1])
    assert f"to {found.iloc[-1]:.2f} ({a} and {b})" in words([ablations(study)])


def test_a_part_that_only_harms_is_named(predictions, study):
    noisy = predictions.assign(score_lbp=np.where(predictions["label"] == "malignant", 0.02, 0.98))
    odds = sum(weight * logit(noisy[f"score_{name}"]) for name, weight in WEIGHTS.items())
    section = ablations(Study(noisy.assign(score=expit(odds)), "malignant", model=study.model))
    assert "not corrected for looking at 3 parts, the model is better without LBP." in words([section])
    table = blocks([section], Table)[1]
    change = next(row for row in table.rows if row[0] == "LBP")[5]
    assert change.startswith("+")
    assert "−" not in change


def test_families_are_sized_by_hand_and_by_patient(study, predictions):
    found = measured_families(study)
    parts = contributions(study)
    sizes = parts.abs().mean()
    assert list(found) == list(sizes.sort_values(ascending=False).index)
    draws = replicates(lambda weights: weights, study.y, codes("patient", predictions["patient"], 72), 1000, 0)
    for name, one in found.items():
        assert one.size.value == pytest.approx(sizes[name])
        malignant = parts.loc[study.y, name].mean()
        assert one.apart.value == pytest.approx(malignant - parts.loc[~study.y, name].mean())
        assert one.folds == pytest.approx(parts[name].abs().groupby(predictions["fold"]).mean().to_list())
        repeated = np.repeat(draws, 3, axis=1)
        drawn = (repeated * parts[name].abs().to_numpy()).sum(axis=1) / repeated.sum(axis=1)
        assert one.size[1:] == pytest.approx(np.quantile(drawn, [0.025, 0.975]))


def test_a_family_that_says_nothing_is_said_to(predictions, study):
    # half of the patients of each class far up, half far down: large, and of no use
    sway = np.repeat(np.where(np.arange(24) // 2 % 2, 3.0, -3.0), 3)
    useful = expit(np.where(predictions["label"] == "malignant", 1.0, -1.0))
    scores = {"score_kinetics": expit(sway), "score_glcm": useful, "score_lbp": useful}
    useless = Study(
        predictions.assign(**scores, fold=np.repeat(np.arange(24) // 4 % 2, 3)), "malignant", model=study.model
    )
    assert measured_families(useless)["kinetics"].apart.value == pytest.approx(0)
    said = "Kinetics moves the scores most. For Kinetics, these data do not show that the classes are moved apart."
    assert said in words([families(useless)])


def test_features_by_themselves_equal_the_areas_of_each(rng):
    y = np.repeat(np.tile([False, True], 9), 2)
    patients = np.repeat([f"P{i}" for i in range(18)], 2)
    table = pd.DataFrame({f"f{i}": rng.integers(0, 6, 36) + 0.4 * i * y for i in range(26)}).assign(
        flat=1.0, empty=np.nan, odd=np.where(np.arange(36) == 5, np.nan, np.arange(36.0))
    )
    found = univariate(table, y, patients, resamples=30, seed=3)
    assert set(found.index) == set(table.columns) - {"flat", "empty"}
    filled = table.fillna(table.median())
    for name, row in found.iterrows():
        expected = auc(y, filled[name], patients, resamples=30, seed=3)
        assert tuple(row[["auc", "low", "high"]]) == pytest.approx(expected)
    assert (np.diff((found["auc"] - 0.5).abs()) <= 0).all()
    draws = replicates(lambda weights: weights, y, codes("patients", patients, 36), 30, 3)
    distances = []
    for weights in draws:
        rows = np.repeat(
            np.arange(36), np.repeat(weights, 2).astype(int)[np.argsort(np.argsort(patients, kind="stable"))]
        )
        distances.append([abs(roc_auc_score(y[rows], filled[name].to_numpy()[rows]) - 0.5) for name in found.index])
    ranks = np.sort(distances, axis=1)[:, -TOP]
    np.testing.assert_allclose(found["top"], (np.array(distances) >= ranks[:, None] - 1e-9).mean(axis=0))


def test_ties_for_the_last_place_are_inside():
    sizes = np.tile(np.arange(30.0), (2, 1))
    sizes[1, 9] = 10.0
    np.testing.assert_allclose(top_share(sizes)[8:12], [0, 0.5, 1, 1])
