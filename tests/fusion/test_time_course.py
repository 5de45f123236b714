"""The course of features over the phases."""

import numpy as np
import pandas as pd
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from tumortrace.fusion import TimeCourse

AFTER = [f"vibrant_c{i}" for i in range(1, 9)]
SUBTRACTIONS = [f"sub{i}" for i in range(1, 9)]


@parametrize_with_checks([TimeCourse()])
def test_scikit_learn_checks_pass(estimator, check):
    check(estimator)  # asserts


def slices(rng, features=("glcm_contrast", "lbp_code_0"), sequences=("vibrant", *AFTER, *SUBTRACTIONS)):
    names = [f"{s}__{f}" for s in sequences for f in features]
    return pd.DataFrame(rng.normal(size=(5, len(names))), columns=names, index=list("abcde"))


def test_contrasts_are_what_the_notes_say(rng):
    x = slices(rng).assign(kinetics_peak=7.0)
    found = TimeCourse().fit_transform(x)
    assert list(found.index) == list(x.index)
    assert found.columns[0] == "kinetics_peak"
    for f in ("glcm_contrast", "lbp_code_0"):
        b = x[f"vibrant__{f}"]
        a, s = (np.stack([x[f"{name}__{f}"] for name in names]) for names in (AFTER, SUBTRACTIONS))
        t = np.linspace(-1, 1, 8)[:, None]
        expected = {
            "before": b,
            "after": a.mean(0),
            "change": a.mean(0) - b,
            "first_change": a[0] - b,
            "trend": (t * a).mean(0),
            "turn": a[0] - (a[1] + a[2]) / 2,
            "subtraction": s.mean(0),
            "subtraction_trend": (t * s).mean(0),
            "subtraction_turn": s[0] - (s[1] + s[2]) / 2,
        }
        for name, values in expected.items():
            np.testing.assert_allclose(found[f"{name}__{f}"], values, atol=1e-12)
    assert found.shape[1] == 1 + 2 * 9
    assert list(TimeCourse().fit(x).get_feature_names_out()) == list(found.columns)


def test_order_of_columns_does_not_matter(rng):
    x = slices(rng)
    shuffled = x[rng.permutation(x.columns)]
    a, b = TimeCourse().fit_transform(x), TimeCourse().fit_transform(shuffled)
    pd.testing.assert_frame_equal(a, b[a.columns])


@pytest.mark.parametrize(
    ("sequences", "contrasts"),
    [
        (["vibrant"], {"before"}),
        (["vibrant_c2"], {"after"}),
        (["vibrant", "vibrant_c1"], {"before", "after", "change", "first_change"}),
        (["sub1", "sub2"], {"subtraction", "subtraction_trend", "subtraction_turn"}),
        (["other"], {"other"}),
    ],
)
def test_what_sequences_there_are_decides(rng, sequences, contrasts):
    found = TimeCourse().fit_transform(slices(rng, sequences=sequences))
    assert {name.partition("__")[0] for name in found} == contrasts


def test_a_missing_number_spoils_only_what_it_is_part_of(rng):
    x = slices(rng)
    x.loc["b", "sub3__glcm_contrast"] = np.nan
    missing = TimeCourse().fit_transform(x).isna()
    assert set(missing.columns[missing.loc["b"]]) == {
        "subtraction__glcm_contrast",
        "subtraction_trend__glcm_contrast",
        "subtraction_turn__glcm_contrast",
    }
    assert missing.to_numpy().sum() == 3


def test_sequences_with_other_features_are_refused(rng):
    x = slices(rng).drop(columns="sub2__lbp_code_0")
    with pytest.raises(ValueError, match="lacks 1 columns of the sequence sub2, the first lbp_code_0"):
        TimeCourse().fit(x)
    with pytest.raises(ValueError, match="name a sequence twice"):
        TimeCourse(before="sub1").fit(slices(rng))
