"""The figure of a training shows the numbers of its history."""

import numpy as np
import pandas as pd
import pytest

from tumortrace.report import plot_history, save

PLAIN = pd.DataFrame(
    {"epoch": [1, 2, 3], "learning_rate": [1e-3, 1e-4, 1e-5], "loss": [0.7, 0.5, 0.4], "seconds": [1.0, 1.0, 1.0]}
)
HELD_OUT = PLAIN.assign(validation_loss=[0.7, 0.6, 0.8], validation_accuracy=[0.5, 0.7, 0.6], validation_auc=0.8)


def drawn(figure):
    """Title of each panel → label of each line → its values."""
    return {
        axes.get_title(loc="left"): {
            line.get_label(): line.get_ydata().tolist() for line in axes.lines if len(line.get_xdata()) == 3
        }
        for axes in figure.axes
    }


def test_each_panel_shows_its_columns(tmp_path):
    figure = plot_history(HELD_OUT, title="Fold 1")
    panels = drawn(figure)
    assert list(panels) == ["Loss", "On the patients held out", "Learning rate"]
    assert panels["Loss"] == {"Training": [0.7, 0.5, 0.4], "Patients held out": [0.7, 0.6, 0.8]}
    assert panels["On the patients held out"] == {"AUC": [0.8] * 3, "Accuracy": [0.5, 0.7, 0.6]}
    assert list(panels["Learning rate"].values()) == [[1e-3, 1e-4, 1e-5]]
    assert save(figure, tmp_path / "history.png").stat().st_size > 5000


def test_the_best_epoch_is_marked():
    loss = plot_history(HELD_OUT).axes[0]
    assert [line.get_xdata() for line in loss.lines if len(line.get_xdata()) == 2] == [[2, 2]]
    assert all(len(line.get_xdata()) == 3 for line in plot_history(PLAIN).axes[0].lines)


def test_without_patients_held_out_there_is_no_panel_for_them():
    assert list(drawn(plot_history(PLAIN))) == ["Loss", "Learning rate"]


def test_a_rate_of_zero_is_drawn():
    axes = plot_history(PLAIN.assign(learning_rate=[0.1, 0.05, 0.0])).axes[-1]
    assert axes.get_yscale() == "linear"
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [0.1, 0.05, 0.0])


@pytest.mark.parametrize(
    ("history", "message"), [(PLAIN.drop(columns="loss"), "lacks loss"), (PLAIN.iloc[:0], "lacks rows")]
)
def test_what_is_no_history_is_refused(history, message):
    with pytest.raises(ValueError, match=message):
        plot_history(history)
