"""The picture of a map shows its numbers where they are, and nothing where there are none."""

import numpy as np
import pytest

from tumortrace.report import plot_map, save


@pytest.fixture
def slice_and_map(rng):
    image, mask = rng.integers(0, 255, (20, 30)), np.zeros((20, 30), bool)
    mask[5:15, 8:25] = True
    return image, np.where(mask, rng.random((20, 30)), np.nan), mask


def test_the_map_lies_over_the_slice(slice_and_map, tmp_path):
    image, values, mask = slice_and_map
    figure = plot_map(image, values, mask, spacing=(2.0, 1.0), label="contrast", title="Slice 3 of 9")
    left, right, bar = figure.axes
    assert np.array_equal(left.images[0].get_array(), image)
    slice_below, overlay = right.images
    assert np.array_equal(slice_below.get_array(), image)
    assert np.array_equal(overlay.get_array().filled(np.nan), values, equal_nan=True)
    assert overlay.get_clim() == (np.nanmin(values), np.nanmax(values))
    assert overlay.get_cmap().name == "viridis"
    assert overlay.get_alpha() == 0.75
    assert right.get_aspect() == 2
    assert bar.get_ylabel() == "contrast"
    assert len(left.collections) == len(right.collections) == 1  # the outline of the mask
    assert figure.get_suptitle() == "Slice 3 of 9"
    assert save(figure, tmp_path / "a.png").stat().st_size > 1000


def test_colours_can_be_shared_between_slices(slice_and_map):
    image, values, mask = slice_and_map
    overlay = plot_map(image, values, mask, limits=(-1, 4), opacity=1).axes[1].images[1]
    assert overlay.get_clim() == (-1, 4)
    assert overlay.get_alpha() == 1


def test_a_map_without_a_number_and_a_mask_of_everything_are_drawn(tmp_path):
    image = np.ones((4, 5))
    figure = plot_map(image, np.full((4, 5), np.nan), np.ones((4, 5)))
    assert figure.axes[1].images[1].get_array().count() == 0
    assert not figure.axes[0].collections
    assert save(figure, tmp_path / "b.png").exists()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"image": np.zeros((2, 4, 5))}, "give one slice"),
        ({"values": np.zeros((5, 4))}, r"values have shape \(5, 4\); give the shape of the image, \(4, 5\)"),
        ({"opacity": 0}, "opacity is 0"),
        ({"spacing": (1.0,)}, "spacing is"),
    ],
)
def test_errors_say_what_would_be_right(changed, message):
    with pytest.raises(ValueError, match=message):
        plot_map(**{"image": np.zeros((4, 5)), "values": np.zeros((4, 5)), **changed})
