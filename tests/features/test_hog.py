import naive
import numpy as np
import pytest
import skimage.feature
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tumortrace.features import hog, hog_blocks, hog_cells
from tumortrace.features._hog import _NARROW_ORIENTATIONS
from tumortrace.features._sobel import cotangents

NORMS = ["L1", "L1-sqrt", "L2", "L2-Hys"]


def texture(rng, shape):
    """Noise, a flat patch, a ramp with ties, and steps."""
    image = rng.integers(0, 256, shape)
    rows, cols = shape
    image[: rows // 3, : cols // 2] = 77
    image[rows // 2 :, : cols // 3] = np.add.outer(np.arange(rows - rows // 2), np.arange(cols // 3)) % 256
    image[-3:, cols // 2 :] = 255
    return image


@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
@pytest.mark.parametrize("orientations", [7, 8, 9, 12])
@pytest.mark.parametrize("block_norm", NORMS)
@pytest.mark.parametrize(
    ("shape", "cell", "block"),
    [((40, 32), (8, 8), (3, 3)), ((29, 47), (8, 8), (2, 2)), ((23, 30), (5, 7), (2, 1)), ((6, 6), (1, 2), (1, 3))],
)
def test_blocks_equal_scikit_image(rng, dtype, orientations, block_norm, shape, cell, block):
    image = texture(rng, shape).astype(dtype)
    if dtype == np.float64:
        image += rng.random(shape) * (image != 77)
    parameters = {
        "orientations": orientations,
        "pixels_per_cell": cell,
        "cells_per_block": block,
        "block_norm": block_norm,
    }
    expected = skimage.feature.hog(image, feature_vector=False, **parameters)
    got = hog_blocks(image, **parameters)
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=0)


@given(
    arrays(
        np.uint8, st.tuples(st.integers(6, 11), st.integers(6, 11)), elements=st.sampled_from([0, 1, 2, 9, 255])
    ),
    st.sampled_from([1, 2, 3, 6, 8, 9, 12]),
    st.sampled_from(NORMS),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.tuples(st.integers(1, 2), st.integers(1, 2)),
)
def test_blocks_equal_the_naive_version(image, orientations, block_norm, cell, block):
    cells = naive.hog_cells(image, orientations, cell)
    np.testing.assert_allclose(
        hog_cells(image, orientations=orientations, pixels_per_cell=cell), cells, rtol=1e-12, atol=0
    )
    got = hog_blocks(
        image, orientations=orientations, pixels_per_cell=cell, cells_per_block=block, block_norm=block_norm
    )
    np.testing.assert_allclose(got, naive.hog_blocks(cells, block, block_norm), rtol=1e-12, atol=0)


def test_one_cell_by_hand():
    image = [[0, 0, 0, 0], [0, 0, 3, 0], [0, 4, 0, 0], [0, 0, 0, 0]]
    # two gradients: (row 4, col 3), of length 5 at 53°, and (-3, -4), of length 5 at 217° or 37°
    cells = hog_cells(image, orientations=4, pixels_per_cell=(4, 4))
    assert cells.tolist() == [[[5 / 16, 5 / 16, 0, 0]]]


@pytest.mark.parametrize("narrow", [True, False])
def test_every_8_bit_gradient_falls_in_its_bin(narrow):
    row, col = np.mgrid[-255:256, -255:256]
    some = (row != 0) | (col != 0)
    row, col = row[some], col[some]
    angle = np.rad2deg(np.arctan2(row.astype(float), col)) % 180
    turned = np.where((row < 0) | ((row == 0) & (col < 0)), -1, 1)
    number = np.float32 if narrow else np.float64
    r, c = (turned * row).astype(number), (turned * col).astype(number)
    for orientations in range(1, _NARROW_ORIENTATIONS + 1):
        edges = (180 * np.arange(1, orientations) / orientations).astype(np.float32)
        reached = np.zeros(row.size, int)
        for cotangent in cotangents(orientations, narrow):
            reached += c <= r * cotangent
        assert np.array_equal(reached, np.searchsorted(edges.astype(float), angle, side="right"))


def test_more_orientations_than_float32_can_tell_apart(rng):
    image = rng.integers(0, 256, (40, 40), dtype=np.uint8)
    for orientations in (_NARROW_ORIENTATIONS + 1, 127):
        parameters = {"orientations": orientations, "pixels_per_cell": (20, 20)}
        expected = naive.hog_cells(image, orientations, (20, 20))
        np.testing.assert_allclose(hog_cells(image, **parameters), expected, rtol=1e-12)


def test_a_gradient_just_below_180_degrees_votes_in_the_last_bin():
    image = np.array([[0.0, 1e-20, 0.0], [0.0, 0.0, 8.0], [0.0, 0.0, 0.0]])
    assert hog_cells(image, orientations=4, pixels_per_cell=(3, 3))[0, 0, 3] == pytest.approx(8 / 9)


def test_cells_of_a_volume_are_those_of_its_slices(rng):
    volume = rng.integers(0, 256, (3, 17, 25), dtype=np.uint8)
    cells, blocks = hog_cells(volume), hog_blocks(volume)
    assert cells.shape == (3, 2, 3, 9)
    assert blocks.shape == (3, 1, 2, 2, 2, 9)
    for z in range(3):
        assert np.array_equal(cells[z], hog_cells(volume[z]))
        assert np.array_equal(blocks[z], hog_blocks(volume[z]))


def test_an_image_smaller_than_a_cell_has_no_cells():
    assert hog_cells(np.eye(5)).shape == (0, 0, 9)


def test_names_and_order(rng):
    image = rng.random((24, 24))
    v = hog(image)
    assert len(v) == 144
    assert v.names[0] == "block_0_0_cell_0_0_bin_0"
    assert v["block_1_0_cell_0_1_bin_7"] == hog_blocks(image)[1, 0, 0, 1, 7]
    assert len(hog(image, size=(32, 24), orientations=6, cells_per_block=(3, 1))) == 2 * 3 * 3 * 6


@pytest.mark.parametrize("shape", [(24, 26), (70, 9), (1, 1), (2, 3), (24, 24)])
@pytest.mark.parametrize("block_norm", NORMS)
def test_equals_the_naive_version_of_the_resized_image(rng, shape, block_norm):
    image = rng.integers(0, 256, shape, dtype=np.uint8)
    cells = naive.hog_cells(naive.resized(image, (24, 24)), 9, (8, 8))
    expected = naive.hog_blocks(cells, (2, 2), block_norm).ravel()
    np.testing.assert_allclose(np.asarray(hog(image, block_norm=block_norm)), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("spread", [0.1, 0.5])
def test_slices_and_masks_equal_the_naive_version(rng, spread):
    volume = rng.random((4, 30, 33))
    mask = np.zeros(volume.shape, bool)
    mask[1:3, 4:22, 5:31] = rng.random((2, 18, 26)) < spread
    rows, cols = np.argwhere(mask)[:, 1], np.argwhere(mask)[:, 2]
    box = np.s_[rows.min() : rows.max() + 1, cols.min() : cols.max() + 1]
    cells = [
        naive.hog_cells(naive.resized(volume[z][box], (24, 24)), 9, (8, 8), naive.resized(mask[z][box], (24, 24)))
        for z in (1, 2)
    ]
    expected = naive.hog_blocks(np.mean(cells, axis=0), (2, 2), "L2-Hys").ravel()
    np.testing.assert_allclose(np.asarray(hog(volume, mask)), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("shape", [(24, 24), (13, 40)])
def test_a_rectangular_mask_is_a_crop(rng, shape):
    image = rng.integers(0, 256, (50, 60), dtype=np.uint8)
    mask = np.zeros(image.shape, np.uint8)
    mask[5 : 5 + shape[0], 7 : 7 + shape[1]] = 1
    crop = image[mask.any(axis=1)][:, mask.any(axis=0)]
    np.testing.assert_allclose(np.asarray(hog(image, mask)), np.asarray(hog(crop)), rtol=1e-12)


def test_pixels_outside_the_mask_do_not_vote():
    image = np.zeros((24, 24))
    image[:, 18:] = 9  # an edge, right of the mask but for its corners
    mask = np.zeros((24, 24), bool)
    mask[:, :12] = True
    mask[[0, -1], -1] = True
    assert np.asarray(hog(image)).any()
    assert not np.asarray(hog(image, mask)).any()


@pytest.mark.parametrize(
    "image", [np.full((37, 19), 201.0), np.full((9, 8), 0.1), np.zeros((1, 1)), np.ones((2, 3))]
)
@pytest.mark.parametrize("block_norm", NORMS)
def test_a_flat_image_is_all_zero(image, block_norm):
    assert not np.asarray(hog(image, block_norm=block_norm)).any()


@pytest.mark.parametrize("shape", [(24, 24), (21, 35)])
@pytest.mark.parametrize("dtype", [np.uint16, np.int64, np.float32, np.float64])
def test_any_dtype_gives_the_same_numbers(rng, dtype, shape):
    image = rng.integers(0, 256, shape, dtype=np.uint8)
    assert np.array_equal(np.asarray(hog(image)), np.asarray(hog(image.astype(dtype))))
    assert np.array_equal(hog_cells(image), hog_cells(image.astype(dtype)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": (24, 0)}, "size is"),
        ({"size": 24}, "size is"),
        ({"size": (24, 15)}, "size is 24×15 pixels, less than one block of 2×2 cells of 8×8 pixels"),
        ({"orientations": 0}, "orientations is 0"),
        ({"pixels_per_cell": (8,)}, "pixels_per_cell is"),
        ({"cells_per_block": (0, 2)}, "cells_per_block is"),
        ({"block_norm": "l2"}, "block_norm is 'l2'; give one of 'L1', 'L1-sqrt', 'L2', 'L2-Hys'"),
        ({"spacing": (1,)}, "spacing is"),
        ({"mask": np.zeros((4, 4))}, "mask is empty"),
    ],
)
def test_errors_name_the_argument(arguments, message):
    with pytest.raises(ValueError, match=message):
        hog(np.eye(4), **arguments)


def test_blocks_need_room():
    with pytest.raises(ValueError, match="image is 15×40 pixels, less than one block"):
        hog_blocks(np.zeros((15, 40)))
