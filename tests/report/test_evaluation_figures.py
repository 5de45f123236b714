"""The figures of an evaluation show the numbers they were given."""

import numpy as np
import pandas as pd
import pytest

from tumortrace.evaluation import calibration, confusion, decision_curve, precision_recall
from tumortrace.report import plot_calibration, plot_confusion, plot_decision_curve, plot_precision_recall, save


@pytest.fixture
def models(rng):
    y = np.arange(80) % 2
    scores = {name: np.clip(0.3 + 0.4 * y + rng.normal(0, s, 80), 0, 1) for name, s in (("A", 0.1), ("B", 0.4))}
    return {name: (y, score, np.arange(80) // 2) for name, score in scores.items()}


def curves(function, models, **options):
    return {name: function(*rows, resamples=20, **options) for name, rows in models.items()}


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_precision_and_recall(models):
    drawn = curves(precision_recall, models, level=0.9)
    figure = plot_precision_recall(drawn, title="Test")
    assert legend(figure) == [f"{name}: {curve.average_precision}" for name, curve in drawn.items()]
    assert "90 % interval" in figure.legends[0].get_title().get_text()
    baseline, first, second = figure.axes[0].lines
    assert set(baseline.get_ydata()) == {0.5}
    for line, curve in zip((first, second), drawn.values(), strict=True):
        np.testing.assert_array_equal(line.get_xydata(), np.column_stack([curve.recall, curve.precision]))
    assert len({line.get_color() for line in (first, second)}) == 2


def test_decision_curve(models):
    drawn = curves(decision_curve, models)
    figure = plot_decision_curve(drawn)
    assert legend(figure) == ["A", "B", "treat all", "treat none"]
    first, second, everyone, no_one = figure.axes[0].lines
    for line, curve in zip((first, second), drawn.values(), strict=True):
        np.testing.assert_array_equal(line.get_xydata(), np.column_stack([curve.threshold, curve.benefit]))
    t, benefit = everyone.get_xydata().T
    np.testing.assert_allclose(np.interp([0.2, 0.5], t, benefit), drawn["A"].treat_all[[19, 49]], atol=1e-3)
    assert set(no_one.get_ydata()) == {0}


def test_decision_curves_of_other_rows_are_refused(models):
    y, score, patients = models["A"]
    other = decision_curve(np.roll(np.arange(80) % 4 == 0, 1), score, patients, resamples=5)
    with pytest.raises(ValueError, match="different shares of positives"):
        plot_decision_curve({"A": decision_curve(y, score, patients, resamples=5), "other": other})


def test_calibration(models):
    drawn = curves(calibration, models)
    figure = plot_calibration(drawn)
    assert legend(figure) == [f"{k}: ECE {c.ece:.3f}, Brier {c.brier}" for k, c in drawn.items()]
    upper, lower = figure.axes
    assert (drawn["A"].rows == 0).any()  # which the figure leaves out
    for line, curve in zip(upper.lines[1:], drawn.values(), strict=True):
        some = curve.rows > 0
        np.testing.assert_array_equal(line.get_xydata(), np.column_stack([curve.score, curve.share])[some])
    heights = lower.patches[0].get_data().values
    np.testing.assert_allclose(heights, drawn["A"].rows / 80)


def test_confusion_gives_counts_and_shares_of_the_true_class():
    table = confusion(["b", "b", "b", "m"], ["b", "b", "m", "m"])
    figure = plot_confusion({"A": table, "B": table.T}, title="Test")
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["A", "B"]
    words = [text.get_text() for text in figure.axes[0].texts]
    assert words == ["2", "66.7 %", "1", "33.3 %", "0", "0.0 %", "1", "100.0 %"]
    np.testing.assert_allclose(figure.axes[0].images[0].get_array(), [[2 / 3, 1 / 3], [0, 1]])
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["b", "m"]


def test_a_class_without_rows_has_no_share():
    figure = plot_confusion({"A": pd.DataFrame([[0, 0], [1, 3]])})
    assert [text.get_text() for text in figure.axes[0].texts][:4] == ["0", "no row", "0", "no row"]


@pytest.mark.parametrize(
    ("plot", "function"),
    [
        (plot_precision_recall, precision_recall),
        (plot_decision_curve, decision_curve),
        (plot_calibration, calibration),
    ],
)
def test_one_to_six_curves_are_drawn(models, tmp_path, plot, function):
    one = function(*models["B"], resamples=5)
    assert save(plot({str(k): one for k in range(6)}), tmp_path / "six.png", dpi=40).stat().st_size > 5000
    with pytest.raises(ValueError, match="7 curves were given; give 1 to 6"):
        plot({str(k): one for k in range(7)})
    with pytest.raises(ValueError, match="0 curves"):
        plot({})


def test_one_to_six_square_tables_are_drawn(tmp_path):
    table = confusion([0, 1], [0, 1])
    figure = plot_confusion({str(k): table for k in range(4)})
    assert len(figure.axes) == 4
    assert save(figure, tmp_path / "four.png", dpi=40).stat().st_size > 2000
    with pytest.raises(ValueError, match="0 tables"):
        plot_confusion({})
    with pytest.raises(ValueError, match="'A' has shape"):
        plot_confusion({"A": pd.DataFrame([[1, 2]])})
