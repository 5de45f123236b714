"""Intervals below each other: every number where its name is."""

import numpy as np
import pytest

from tumortrace.evaluation import Interval
from tumortrace.report._forest import plot_forest

AREAS = {"glcm": Interval(0.8, 0.7, 0.9), "lbp": Interval(0.6, 0.5, 0.75)}


def test_each_row_has_its_point_its_interval_and_its_dots():
    figure = plot_forest(
        {"AUC": AREAS, "change": {"lbp": Interval(-0.1, -0.2, 0.0)}},
        lines={"AUC": 0.85},
        dots={"AUC": {"glcm": [0.75, 0.82]}},
        title="Parts",
    )
    left, right = figure.axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["glcm", "lbp"]
    assert (left.get_xlabel(), right.get_xlabel()) == ("AUC", "change")
    drawn = [(line.get_xdata(), line.get_ydata()) for line in left.lines]
    dashed, dots, span, point = drawn[:4]
    assert list(dashed[0]) == [0.85, 0.85]
    np.testing.assert_allclose(dots[0], [0.75, 0.82])
    assert (list(span[0]), list(span[1])) == ([0.7, 0.9], [0, 0])
    assert (list(point[0]), list(point[1])) == ([0.8], [0])
    assert [list(line.get_ydata()) for line in right.lines][1:] == [[1, 1], [1]]
    assert left.get_ylim()[0] > left.get_ylim()[1]


def test_there_must_be_something_to_draw_and_names_must_be_known():
    for nothing in ({}, {"AUC": {}}):
        with pytest.raises(ValueError, match="there is nothing to draw"):
            plot_forest(nothing)
    with pytest.raises(ValueError, match="the panel 'change' has 'hog', which the first panel has not"):
        plot_forest({"AUC": AREAS, "change": {"hog": Interval(0, 0, 0)}})
