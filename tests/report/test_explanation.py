"""The pictures of an explanation show its numbers, and survive what is missing."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from tumortrace.explain import Explanation, importance
from tumortrace.report import plot_explanation, plot_importance, save
from tumortrace.report._explanation import NOTICE


def explanation(**changed):
    index = ["glcm_contrast", "change__lbp_uniform_3", "glcm_correlation"]
    features = pd.DataFrame(
        {
            "family": ["glcm", "lbp", "glcm"],
            "shap": [0.8, -0.5, 0.2],
            "value": [3.0, np.nan, 12.0],
            "percentile": [60.0, np.nan, 100.0],
            "low": [1.0, 0.1, 2.0],
            "median": [2.5, 0.2, 3.0],
            "high": [5.0, 0.3, 4.0],
            "median_negative": [2.0, 0.15, 2.5],
            "median_positive": [4.0, 0.25, 3.5],
        },
        index=index,
    )
    families = pd.Series({"glcm": 1.0, "lbp": -0.5, "cnn": 2.0})
    heat = np.zeros((20, 16), np.float32)
    heat[5:9, 4:10] = 1
    fields = {
        "identity": {"patient": "P7", "slice": 3},
        "score": float(1 / (1 + np.exp(-2.2))),
        "classes": ("Benign", "Malignant"),
        "threshold": 0.4,
        "output": 2.2,
        "base": -0.3,
        "families": families,
        "features": features,
        "maps": {"cnn": [heat]},
    }
    return Explanation(**fields | changed)


IMAGE = np.arange(320.0).reshape(20, 16)


def words(figure):
    return [text.get_text() for text in figure.findobj(Text)]


def titled(figure, title):
    return next(axes for axes in figure.axes if axes.get_title(loc="left").startswith(title))


def test_the_way_leads_from_base_to_output():
    bars = titled(plot_explanation(explanation(), IMAGE), "What moved").patches
    assert [bar.get_width() for bar in bars] == pytest.approx([2.0, 1.0, -0.5])
    assert bars[0].get_x() == -0.3
    assert bars[-1].get_x() + bars[-1].get_width() == pytest.approx(2.2)
    assert bars[0].get_facecolor() == bars[1].get_facecolor() != bars[2].get_facecolor()


def test_it_says_who_what_and_that_it_is_for_research():
    said = words(plot_explanation(explanation(), IMAGE))
    assert "P7, slice 3" in said
    assert "Score 0.90 for Malignant, at or above the threshold of 0.40: called Malignant." in said
    assert {"CNN", "GLCM", "LBP", "mean training lesion", "this lesion", "+2.00", "−0.50"} <= set(said)
    assert {"GLCM contrast", "LBP uniform 3, change with contrast", "3, 60 %", "missing", "+0.80"} <= set(said)
    assert NOTICE in said
    below = words(plot_explanation(explanation(threshold=0.95), IMAGE, title="Mine"))
    assert "Mine" in below
    assert any("below the threshold of 0.95: called Benign" in text for text in below)


def test_the_map_lies_over_the_lesion():
    figure = plot_explanation(explanation(), IMAGE)
    ground, heat = titled(figure, "Grad-CAM: CNN").images
    np.testing.assert_array_equal(ground.get_array(), IMAGE)
    assert heat.get_array()[6, 6] == 1
    assert len(titled(figure, "Lesion").images) == 1
    nothing = {"crops": [np.zeros((20, 16), np.float32)] * 2}
    assert "nothing here speaks for Malignant" in words(plot_explanation(explanation(maps=nothing), IMAGE))


def test_several_maps_are_averaged():
    halves = np.zeros((2, 20, 16), np.float32)
    halves[0, :10], halves[1, :, :8] = 1, 1
    figure = plot_explanation(explanation(maps={"crops": list(halves)}), IMAGE)
    heat = titled(figure, "Grad-CAM: CNN, single crops").images[1]
    np.testing.assert_array_equal(heat.get_array(), halves.mean(axis=0))
    assert "mean of 2 sequences" in words(figure)


def test_a_value_stands_on_its_strip_or_beyond_it():
    axes = titled(plot_explanation(explanation(), IMAGE), "The 3 strongest of 3 features")
    marks = [(line.get_marker(), float(line.get_xdata()[0])) for line in axes.lines]
    assert marks[:3] == [(6, 0.25), (7, 0.75), ("D", 0.5)]
    assert [marker for marker, _ in marks[3:5]] == [6, 7]  # of the second feature the value is missing
    assert marks[-1] == (">", 1.05)


@pytest.mark.parametrize(
    "changed",
    [
        {"features": None},
        {"features": pd.DataFrame()},
        {"maps": {}},
        {"identity": {}},
        {"families": pd.Series({"cnn": 2.5}), "maps": {}, "features": None},
        {"families": pd.Series({"cnn": 0.0}), "output": -0.3},
    ],
)
def test_what_is_missing_leaves_the_rest(changed, tmp_path):
    figure = plot_explanation(explanation(**changed), IMAGE)
    assert any(axes.get_title(loc="left") == "What moved the score" for axes in figure.axes)
    assert any("strongest" in text for text in words(figure)) == ("features" not in changed)
    assert any("Grad-CAM" in text for text in words(figure)) == ("maps" not in changed)
    assert save(figure, tmp_path / "e.png", dpi=40).stat().st_size > 3000


@pytest.mark.parametrize("shape", [(1, 1), (3, 40), (60, 4)])
def test_any_size_draws_without_a_warning(shape, tmp_path):
    maps = {"slices": [np.ones(shape, np.float32)], "crops": [np.eye(*shape, dtype=np.float32)]}
    figure = plot_explanation(explanation(maps=maps), np.zeros(shape), features=2)
    assert save(figure, tmp_path / "e.png", dpi=40).stat().st_size > 3000


def test_a_feature_that_does_not_vary_is_drawn(tmp_path):
    one = explanation()
    features = one.features.assign(low=2.0, high=2.0, median_negative=2.0, median_positive=2.0, value=2.0)
    axes = titled(plot_explanation(explanation(features=features), IMAGE, features=1), "The 1 strongest")
    assert [float(line.get_xdata()[0]) for line in axes.lines] == [0.5, 0.5, 0.5]


def test_an_image_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"map of cnn has shape \(20, 16\), the image \(4, 4\)"):
        plot_explanation(explanation(), np.eye(4))
    with pytest.raises(ValueError, match=r"image has shape \(2, 20, 16\); give one picture"):
        plot_explanation(explanation(), np.zeros((2, 20, 16)))


def test_importances_with_their_intervals(tmp_path):
    found = [explanation(identity={"patient": str(k)}) for k in range(3)]
    table = importance(found, resamples=20)
    figure = plot_importance(table, features=2, title="Test")
    families, features = figure.axes
    assert [bar.get_width() for bar in families.patches] == pytest.approx([2.0, 1.0, 0.5])
    assert [label.get_text() for label in features.get_yticklabels()] == [
        "GLCM contrast",
        "LBP uniform 3, change with contrast",
    ]
    low, high = features.collections[0].get_segments()[0][:, 0]
    assert (low, high) == (table["low"][3], table["high"][3])
    assert save(figure, tmp_path / "i.png", dpi=40).stat().st_size > 3000
    assert len(plot_importance(table[table["kind"] == "family"]).axes) == 1
    with pytest.raises(ValueError, match="the table is empty"):
        plot_importance(table.iloc[:0])
