"""Grids: when two are the same, and a mask from one to the other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumortrace.io import Image, ImageError, Labels, resample_labels, same_grid

SHAPE = (4, 5, 6)
SPACING = (3.0, 0.5, 0.25)
ORIGIN = (10.0, -20.0, 30.5)
AXIAL = np.eye(3)[:, ::-1]


def image(shape=SHAPE, spacing=SPACING, origin=ORIGIN, direction=AXIAL):
    return Image(np.zeros(shape), spacing=spacing, source="a.nii", origin=origin, direction=direction)


def labels(array, spacing=SPACING, origin=ORIGIN, direction=AXIAL, names=None):
    return Labels(np.asarray(array), names or {}, spacing, "m.nii", origin, direction)


def turned(degrees):
    """Axes turned about the first of the array."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return AXIAL @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def test_the_same_grid_passes():
    mask = np.ones(SHAPE, dtype=np.uint8)
    same_grid(image(), labels(mask))
    same_grid(image(), labels(np.stack([mask, mask])))
    same_grid(Image(np.zeros((7, *SHAPE)), spacing=SPACING), labels(mask))
    same_grid(Image(np.zeros((5, 6))), Labels(mask[0]))


def test_rounded_headers_pass():
    nearly = labels(
        np.ones(SHAPE, dtype=np.uint8),
        tuple(v + 1e-5 for v in SPACING),
        tuple(v + 1e-3 for v in ORIGIN),
        turned(0.001),
    )
    same_grid(image(), nearly)
    same_grid(image(), labels(np.ones(SHAPE, dtype=np.uint8), origin=None, direction=None))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"spacing": (3.0, 0.5, 0.3)}, "its spacing differs by 0.05 mm; bring it"),
        ({"origin": (10.0, -17.0, 34.5)}, "its origin by 5 mm; bring it"),
        ({"direction": turned(4)}, "its axes by 4°; bring it"),
        ({"direction": -AXIAL}, "its axes by 180°"),
        (
            {"spacing": (2.0, 0.5, 0.25), "origin": (0.0, 0.0, 0.0)},
            "its spacing differs by 1 mm; its origin by 37.8 mm",
        ),
    ],
)
def test_says_by_how_much_they_differ(changes, message):
    with pytest.raises(ImageError, match=r"m\.nii: lies on another grid than a\.nii: " + message) as caught:
        same_grid(image(), labels(np.ones(SHAPE, dtype=np.uint8), **changes))
    assert str(caught.value).endswith("onto the grid of the image with --resample-mask")


def test_another_shape():
    with pytest.raises(ImageError, match="its shape is 4 × 5 × 5, not 4 × 5 × 6; bring it"):
        same_grid(image(), labels(np.ones((4, 5, 5), dtype=np.uint8)))


def test_resampling_onto_the_same_grid_changes_nothing(rng):
    array = rng.integers(0, 3, SHAPE).astype(np.uint8)
    result, outside = resample_labels(labels(array, names={1: "a"}), image())
    np.testing.assert_array_equal(result.array, array)
    assert (result.array.dtype, result.names, result.source, outside) == (np.uint8, {1: "a"}, "m.nii", 0.0)


@given(
    st.tuples(*[st.integers(-2, 2)] * 3),
    st.permutations([0, 1, 2]),
    st.tuples(*[st.booleans()] * 3),
)
def test_shifted_turned_and_flipped_grids_by_index(shift, order, flips):
    """Nearest neighbours between grids of the same voxels are a matter of indices alone."""
    array = np.random.default_rng(7).integers(0, 4, SHAPE).astype(np.uint8)
    array[1:3, 1:4, 1:5] = 3
    other = np.flip(array.transpose(order), [a for a in range(3) if flips[a]])
    direction = AXIAL[:, order] * np.where(flips, -1, 1)
    spacing = np.array(SPACING)[list(order)]
    corner = np.zeros(3)
    for axis, (source, flipped) in enumerate(zip(order, flips, strict=True)):
        corner[source] = (other.shape[axis] - 1) if flipped else 0
    origin = ORIGIN + AXIAL @ (SPACING * (corner + shift))
    mask = labels(other, tuple(spacing), tuple(origin), direction)
    expected = np.zeros_like(array)
    into = tuple(slice(max(s, 0), n + min(s, 0)) for s, n in zip(shift, SHAPE, strict=True))
    out = tuple(slice(max(-s, 0), n + min(-s, 0)) for s, n in zip(shift, SHAPE, strict=True))
    expected[into] = array[out]
    result, outside = resample_labels(mask, image())
    np.testing.assert_array_equal(result.array, expected)
    assert outside == pytest.approx(1 - np.count_nonzero(expected) / np.count_nonzero(array))
    same_grid(image(), result)


def test_nearest_neighbours_of_a_turned_grid(rng):
    array = rng.integers(0, 3, (6, 7, 8)).astype(np.uint8)
    mask = labels(array, (1.0, 0.6, 0.5), (9.5, -20.2, 30.1), turned(20))
    result, _ = resample_labels(mask, image((5, 6, 7), (1.5, 0.4, 0.3)))
    for index in np.ndindex(result.array.shape):
        place = ORIGIN + AXIAL @ np.multiply((1.5, 0.4, 0.3), index)
        there = np.rint(mask.direction.T @ (place - mask.origin) / mask.spacing).astype(int)
        inside = ((there >= 0) & (there < array.shape)).all()
        assert result.array[index] == (array[tuple(there)] if inside else 0)


def test_finer_and_coarser():
    coarse = labels([[[1, 2], [0, 1]]], (1.0, 2.0, 2.0), (0.5, 0.5, 0.0))
    fine = image((1, 4, 4), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    result, outside = resample_labels(coarse, fine)
    np.testing.assert_array_equal(result.array[0], np.kron([[1, 2], [0, 1]], np.ones((2, 2))))
    assert outside == 0
    again, _ = resample_labels(result, image((1, 2, 2), (1.0, 2.0, 2.0), (0.5, 0.5, 0.0)))
    np.testing.assert_array_equal(again.array, coarse.array)


def test_layers_stay_apart():
    layers = np.zeros((2, *SHAPE), dtype=np.uint8)
    layers[0, 1:3], layers[1, 2:] = 1, 2
    result, _ = resample_labels(labels(layers), image())
    np.testing.assert_array_equal(result.array, layers)


def test_a_mask_elsewhere_is_refused():
    with pytest.raises(ImageError, match=r"m\.nii: all of the mask lies outside a\.nii; are they of one patient"):
        resample_labels(labels(np.ones(SHAPE, dtype=np.uint8), origin=(500.0, 0.0, 0.0)), image())


def test_a_mask_lost_between_voxels_is_refused():
    array = np.zeros((1, 8, 8), dtype=np.uint8)
    array[0, 1, 1] = 1
    with pytest.raises(ImageError, match="all of the mask falls between the voxels of"):
        resample_labels(
            labels(array, (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)), image((1, 2, 2), (1.0, 4.0, 4.0), (0.0, 0.0, 0.0))
        )


def test_grids_must_be_known():
    mask = np.ones(SHAPE, dtype=np.uint8)
    with pytest.raises(ImageError, match=r"m\.nii: does not say where it lies"):
        resample_labels(labels(mask, origin=None), image())
    with pytest.raises(ImageError, match=r"a\.nii: does not say where it lies"):
        resample_labels(labels(mask), image(spacing=None))


def test_an_empty_mask_is_refused():
    with pytest.raises(ImageError, match="the mask is empty"):
        resample_labels(labels(np.zeros(SHAPE, dtype=np.uint8)), image())
