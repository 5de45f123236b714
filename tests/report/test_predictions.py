"""Every figure of a table of predictions, level by level."""

import numpy as np
import pandas as pd
import pytest

from tumortrace.evaluation import auc
from tumortrace.report import plot_predictions


@pytest.fixture
def predictions(rng):
    patient = np.repeat([f"P{i}" for i in range(20)], 3)
    label = np.repeat(np.tile(["no", "yes"], 10), 3)
    score = 1 / (1 + np.exp(-rng.normal(size=60) - 2 * (label == "yes")))
    return pd.DataFrame({"patient": patient, "slice": np.tile([1, 2, 3], 20), "label": label, "score": score})


def texts(figure):
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]


def test_every_level_is_drawn_with_its_figures(predictions):
    figures = plot_predictions(predictions, "yes")
    assert list(figures) == [
        "roc", "precision_recall", "calibration", "confusion", "decision_curve_slice", "decision_curve_patient",
    ]  # fmt: skip
    area = auc(predictions["label"] == "yes", predictions["score"], predictions["patient"])
    assert f"per slice: {area}" in texts(figures["roc"])
    assert any(text.startswith("per patient: ") for text in texts(figures["roc"]))


@pytest.mark.parametrize(
    ("positive", "threshold", "counts"),
    [
        ("yes", 0.0, ["0", "30", "0", "30"]),
        ("yes", 1.0, ["30", "0", "30", "0"]),
        ("no", 0.0, ["30", "0", "30", "0"]),
    ],
)
def test_rows_are_called_at_their_own_threshold(predictions, positive, threshold, counts):
    rows = predictions.assign(threshold=threshold)
    figure = plot_predictions(rows, positive, levels={"slice": ("patient", "slice")})["confusion"]
    assert [text for text in texts(figure) if text.isdecimal()] == counts


def test_labels_must_be_two_and_one_of_them_positive(predictions):
    with pytest.raises(ValueError, match=r"the labels are \['no', 'yes'\] and the positive one 'maybe'"):
        plot_predictions(predictions, "maybe")
    with pytest.raises(ValueError, match=r"the labels are \['no'\]"):
        plot_predictions(predictions.query("label == 'no'"), "no")
