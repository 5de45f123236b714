"""What a network is given: arrays, paths and tables of paths become stacks, or an error that names the row."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image as Picture

from tumortrace.deep._inputs import Stacks, collect, count_channels, digest
from tumortrace.io import ImageError


@pytest.fixture
def pictures(tmp_path, rng):
    """Three files per channel and the arrays in them: rows × channels."""
    arrays = [[rng.integers(0, 256, (9 + i, 7 + i), dtype=np.uint8) for _ in range(2)] for i in range(3)]
    paths = [[tmp_path / f"p-{i}-{k}.png" for k in range(2)] for i in range(3)]
    for row, files in zip(arrays, paths, strict=True):
        for array, path in zip(row, files, strict=True):
            Picture.fromarray(array).save(path)
    return arrays, paths


def test_a_table_of_paths_has_a_channel_per_column(pictures):
    arrays, paths = pictures
    frame = pd.DataFrame(paths, columns=["vibrant__image", "sub1__image"], index=[5, 3, 8]).map(str)
    stacks = collect(frame)
    assert stacks.channels == count_channels(frame) == 2
    assert stacks.row_labels.tolist() == [5, 3, 8]
    for stack, row in zip(stacks, arrays, strict=True):
        np.testing.assert_array_equal(stack, np.stack(row))


@pytest.mark.parametrize("kind", [list, np.array, pd.Series])
def test_a_list_of_paths_has_one_channel(pictures, kind):
    arrays, paths = pictures
    stacks = collect(kind([str(row[0]) for row in paths]))
    assert stacks.channels == 1
    assert stacks.names[1].endswith("p-1-0.png")
    np.testing.assert_array_equal(stacks[1][0], arrays[1][0])


def test_arrays_of_all_kinds():
    images = [np.zeros((4, 5)), np.ones((6, 3), bool)]
    assert [stack.shape for stack in collect(images)] == [(1, 4, 5), (1, 6, 3)]
    assert [stack.shape for stack in collect(np.zeros((2, 4, 5)))] == [(1, 4, 5)] * 2
    assert [stack.shape for stack in collect(np.zeros((2, 9, 4, 5)))] == [(9, 4, 5)] * 2
    assert count_channels(np.zeros((2, 9, 4, 5))) == 9


def test_stacks_pass_as_they_are_and_can_be_chosen_from():
    stacks = collect(np.arange(24.0).reshape(4, 1, 2, 3))
    assert collect(stacks) is stacks
    chosen = stacks.take(np.array([2, 0]))
    assert isinstance(chosen, Stacks)
    assert chosen.names == ["image 2", "image 0"]
    assert chosen.digests == [stacks.digests[2], stacks.digests[0]]


def test_a_digest_is_that_of_the_content():
    image = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    assert digest(image) == digest(image.astype(float)) == digest(np.asfortranarray(image))
    assert digest(image) != digest(image.reshape(1, 4, 3))
    assert digest(image) != digest(image + 1)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ([], ValueError, "no images"),
        (7, TypeError, "X is a int"),
        ("a.png", TypeError, "one path"),
        (np.zeros((4, 5)), ValueError, r"shape \(4, 5\)"),
        ([np.zeros((4, 5)), np.zeros((2, 4, 5))], ValueError, "image 1 has 2 channels, image 0 has 1"),
        ([np.zeros((0, 5))], ValueError, r"image 0 has shape \(0, 5\)"),
        ([np.zeros(5)], ValueError, r"image 0 has shape \(5,\)"),
        ([np.array([[1j]])], TypeError, "dtype complex128"),
        ([np.array([[1.0, np.nan]])], ValueError, "holds NaN"),
        ([np.array([[1.0, np.inf]])], ValueError, "infinity"),
        ([np.zeros((32, 32, 3), np.uint8)], ValueError, "colours"),
        ([None], TypeError, "image 0 is a NoneType"),
        (["nowhere.png"], ImageError, r"nowhere\.png: does not exist"),
        (pd.DataFrame(index=[1, 2]), ValueError, "no columns"),
        (pd.DataFrame({"a": ["x.png", None]}, index=["p", "q"]), ValueError, "row 'q' has no path in column 'a'"),
        (pd.DataFrame({"a": [1.0]}), TypeError, "holds a float"),
    ],
)
def test_what_is_unfit_is_named(X, error, message):
    with pytest.raises(error, match=message):
        collect(X)


def test_another_number_of_channels_than_the_network_takes():
    with pytest.raises(ValueError, match="has 1 channels, the network takes 3"):
        collect([np.zeros((4, 5))], channels=3)


def test_channels_of_a_row_are_of_one_size(pictures):
    paths = pictures[1]
    with pytest.raises(ValueError, match=r"p-1-1\.png: is 10 × 8 pixels, the first channel of its row 9 × 7"):
        collect(pd.DataFrame({"a": [str(paths[0][0])], "b": [str(paths[1][1])]}))


def test_a_file_of_several_pages_is_no_channel(tmp_path):
    pages = [Picture.fromarray(np.zeros((4, 4), np.uint8)) for _ in range(2)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(ValueError, match=r"a\.tif: has 2 pages"):
        collect([tmp_path / "a.tif"])
