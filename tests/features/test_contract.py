"""The contract of an extractor, held over everything that `FEATURES` lists.

A new extractor is covered by being in `FEATURES`. A new parameter needs a line in `VALID` and one in `INVALID`.
"""

import inspect
import re

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tumortrace import features
from tumortrace.features import FEATURES, FeatureVector

EXAMPLES = settings(max_examples=10 if numba.config.DISABLE_JIT else 60)

# The same word means the same thing in every extractor: what a parameter may be, besides its default ...
VALID = {
    "spacing": [],
    "levels": [1, 5, 256],
    "bin_width": [7.5, 60],
    "first_edge": ["ibsi", "pyradiomics"],
    "distance": [2],
    "coarseness": [1],
    "lone_pixels": [True],
    "last_edge": [],
    "morphological_mask": [],
    "enclosing": [True],
    "distances": [2, (1, 3)],
    "aggregation": [
        "2d_average",
        "2d_slice_merge",
        "2.5d_direction_merge",
        "2.5d_volume_merge",
        "3d_average",
        "3d_volume_merge",
    ],
    "points": [4, 12],
    "radius": [1.5, 2],
    "method": ["default", "ror", "uniform", "nri_uniform", "var"],
    "bins": ["all", "uniform"],
    "combine": ["threshold", "concatenate"],
    "size": [(16, 32)],
    "orientations": [1, 4],
    "pixels_per_cell": [(4, 6)],
    "cells_per_block": [(1, 1)],
    "block_norm": ["L1", "L1-sqrt", "L2", "L2-Hys"],
    "edge_threshold": [0.5],
}
# ... where an extractor has a meaning of its own for the word
VALID_OF = {(name, "aggregation"): ["2d", "2.5d", "3d"] for name in ("glszm", "gldzm", "ngtdm", "ngldm")}
VALID_OF["ivh", "first_edge"] = ["ibsi"]
# ... and what it may not.
INVALID = {
    "spacing": [1, (1,), (1, 0), (1, -1), (1, np.nan), (1, np.inf), (1, "a"), (1, 1, 1), "ab"],
    "levels": [0, -3, 2.5, 5000, "8", None, True],
    "bin_width": [0, -1.0, np.nan, np.inf, "1", 1e-9],
    "first_edge": ["IBSI", "", None, np.nan, np.inf],
    "last_edge": ["ibsi", True, 5000.0, np.nan, np.inf],
    "distance": [0, -1, 1.5, "1", (1,), None],
    "coarseness": [-1, np.nan, np.inf, "1", None],
    "lone_pixels": ["yes", None, 2],
    "enclosing": ["yes", None, 2],
    "morphological_mask": [np.zeros((2, 2))],
    "distances": [0, (), (1, 0), 1.5, "1", (1, 1), None],
    "aggregation": ["3D", "", None, 3],
    "points": [0, 2.5, "8", None],
    "radius": [0, -1, np.nan, np.inf, "1", None],
    "method": ["Uniform", "", None, 3],
    "bins": ["none", "", None, 3],
    "combine": ["sum", "", None, 3],
    "size": [0, (24,), (24, 0), (24, 24, 24), (24.5, 24), "ab", None],
    "orientations": [0, -1, 2.5, "9", None],
    "pixels_per_cell": [0, (8,), (8, 0), (8, 8, 8), "ab", None],
    "cells_per_block": [0, (2,), (2, 0), (2, 2, 2), "ab", None],
    "block_norm": ["l2", "", None, 3],
    "edge_threshold": [0, -1, np.nan, np.inf, "2", None],
}
# Extractors whose numbers may depend on pixels outside the mask, and what their definition says.
SEES_BESIDE_THE_MASK = {
    "hog": "describes the bounding box of the mask",
    "sobel": "gradients are those of the image",
    "lbp": "the circle of a pixel may reach out of the mask",
    "mvm_lbp": "the window of a pixel may reach out of the mask",
    "mvmbp": "the window of a pixel may reach out of the mask",
    "local_intensity": "the sphere around a voxel may reach out of the mask",
}
REACH = 6  # no window at its default reaches farther from the pixels inside
# Which columns are shares of a whole: those with the same first group.
SHARES = {
    "lbp": r"()",
    "mvm_lbp": r"(|mean|median|variance)_?(?:code_\d+|nonuniform)$",
    "mvmbp": r"()",
    "sobel": r"(orientation)_\d+$",
}

REAL = [bool, *"bBhHiIlLqQ", np.float16, np.float32, np.float64, np.longdouble]
NAMES = sorted(FEATURES)

every_extractor = pytest.mark.parametrize("name", NAMES)


def picture(*shape, seed=0):
    """Whole numbers from 0 to 100 with some structure: every dtype but bool holds them."""
    grid = sum(np.indices(shape))
    return (20 * np.sin(grid / 2) + 30 + np.random.default_rng(seed).integers(0, 50, shape)).astype(np.int8)


def blob(*shape):
    """A mask off the middle, with a hole and a pixel apart."""
    mask = np.zeros(shape, bool)
    mask[..., 1:-2, 2:-1] = True
    mask[..., 3, 4] = False
    mask[..., -1, 0] = True
    return mask


FLAT, DEEP = picture(12, 13), picture(3, 10, 11)


def valid(name, parameter):
    return VALID_OF.get((name, parameter), VALID[parameter])


def parameters_of(name):
    return [p for p in inspect.signature(FEATURES[name]).parameters if p not in ("image", "mask")]


def variants_of(name):
    """The defaults, then every other valid value of one parameter at a time."""
    return [{}] + [{p: value} for p in parameters_of(name) for value in valid(name, p)]


def assert_sound(vector):
    """A vector holds finite numbers, or NaN and why."""
    values = np.asarray(vector)
    assert values.dtype == np.float64
    assert not np.isinf(values).any(), [n for n in vector if np.isinf(vector[n])]
    undefined = [n for n in vector if np.isnan(vector[n])]
    assert bool(undefined) == bool(vector.reason), (undefined, vector.reason)
    return vector


def assert_same(one, other, rel=0.0):
    assert one.names == other.names
    if rel:
        assert one.to_dict() == pytest.approx(other.to_dict(), rel=rel, abs=rel, nan_ok=True)
    else:
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
    assert bool(one.reason) == bool(other.reason)


# what an extractor looks like


@every_extractor
def test_signature(name):
    function = FEATURES[name]
    assert function is getattr(features, name)
    assert name in features.__all__
    image, mask, *others = inspect.signature(function).parameters.values()
    assert (image.name, image.default) == ("image", inspect.Parameter.empty)
    assert (mask.name, mask.default) == ("mask", None)
    assert all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in others)
    assert (others[0].name, others[0].default) == ("spacing", None)


@every_extractor
def test_parameters_are_words_of_the_project(name):
    assert set(parameters_of(name)) <= VALID.keys() & INVALID.keys()


@every_extractor
def test_docstring(name):
    doc = inspect.getdoc(FEATURES[name])
    sections = re.findall(r"^(\w[\w ]+)\n-+$", doc, re.M)
    assert {"Parameters", "Returns", "Raises", "Notes", "Examples"} <= set(sections)
    assert "IBSI" in doc, "says whether IBSI defines it"
    assert ">>> " in doc.split("Examples\n")[1]
    documented = doc.split("Parameters\n")[1].split("Returns\n")[0]
    named = {word for line in re.findall(r"^(\w[\w, ]*) : ", documented, re.M) for word in line.split(", ")}
    assert named == {"image", "mask", *parameters_of(name)}


@every_extractor
def test_names(name):
    for parameters in variants_of(name):
        vector = FEATURES[name](FLAT, **parameters)
        assert isinstance(vector, FeatureVector)
        assert all(re.fullmatch(r"[a-z0-9_]+", n) for n in vector.names)
        assert len(set(vector.names)) == len(vector.names) == np.asarray(vector).size > 0


@every_extractor
def test_columns_depend_on_the_parameters_alone(name):
    others = [DEEP, FLAT.astype(float), picture(5, 20, seed=1), [[3]], np.zeros((2, 3)), picture(4, 1, 1)]
    for parameters in variants_of(name):
        names = FEATURES[name](FLAT, blob(12, 13), **parameters).names
        assert all(assert_sound(FEATURES[name](image, **parameters)).names == names for image in others)


# what it may be given


@every_extractor
@pytest.mark.parametrize("dtype", REAL, ids=lambda d: np.dtype(d).name + np.dtype(d).char)
def test_every_real_dtype_gives_the_same_numbers(name, dtype):
    for image in (FLAT, DEEP):
        whole = (image > 40).astype(np.int8) if dtype is bool else image
        assert_same(
            assert_sound(FEATURES[name](whole.astype(dtype))), FEATURES[name](whole.astype(np.float64)), rel=1e-9
        )


@every_extractor
@pytest.mark.parametrize("image", [FLAT, DEEP], ids=["2-D", "3-D"])
def test_layout_and_byte_order_do_not_matter(name, image):
    mask = blob(*image.shape)
    for dtype in (np.uint8, np.float64):
        plain = np.ascontiguousarray(image, dtype)
        expected = FEATURES[name](plain, mask)
        spread = np.zeros([2 * n for n in image.shape], dtype)[(slice(None, None, 2),) * image.ndim]
        spread[...] = plain
        reverse = (slice(None, None, -1),) * image.ndim
        for laid_out in (
            np.asfortranarray(plain),
            np.ascontiguousarray(plain[reverse])[reverse],
            spread,
            plain.astype(np.dtype(dtype).newbyteorder()),
            plain.tolist() if dtype == np.float64 else plain,
        ):
            assert_same(FEATURES[name](laid_out, np.asfortranarray(mask)), expected)


@every_extractor
def test_input_is_not_changed(name):
    for parameters in variants_of(name):
        for dtype in (np.uint8, np.float64):
            image, mask = FLAT.astype(dtype), blob(12, 13)
            before = image.tobytes(), mask.tobytes()
            FEATURES[name](image, mask, **parameters)
            assert (image.tobytes(), mask.tobytes()) == before
            image.flags.writeable = mask.flags.writeable = False
            FEATURES[name](image, mask, **parameters)


@every_extractor
def test_same_call_same_bits(name):
    first = np.asarray(FEATURES[name](FLAT)).tobytes()
    FEATURES[name](DEEP)
    assert np.asarray(FEATURES[name](FLAT)).tobytes() == first


@every_extractor
def test_a_2d_image_is_a_volume_of_one_slice(name):
    mask = blob(12, 13)
    for parameters in variants_of(name):
        assert_same(FEATURES[name](FLAT, mask, **parameters), FEATURES[name](FLAT[None], mask[None], **parameters))
    assert_same(
        FEATURES[name](FLAT, mask, spacing=(0.5, 2)),
        FEATURES[name](FLAT[None], mask[None], spacing=(1, 0.5, 2)),
    )


# masks


@every_extractor
def test_a_full_mask_is_no_mask(name):
    for parameters in variants_of(name):
        for image in (FLAT, DEEP, FLAT.astype(float)):
            full = FEATURES[name](image, np.ones(image.shape, bool), **parameters)
            assert_same(full, FEATURES[name](image, **parameters), rel=1e-12)


@every_extractor
def test_any_non_zero_is_inside(name):
    mask = blob(12, 13)
    expected = FEATURES[name](FLAT, mask)
    for other in (mask.astype(np.uint8) * 255, mask * -0.5, mask.tolist(), mask.astype(">i4")):
        assert_same(FEATURES[name](FLAT, other), expected)


@every_extractor
def test_what_is_outside_the_mask(name):
    for parameters in variants_of(name):
        image, mask = picture(26, 27).astype(np.uint8), np.zeros((26, 27), bool)
        mask[9:17, 10:17] = blob(8, 7)
        expected = FEATURES[name](image, mask, **parameters)
        near = np.zeros(image.shape, bool)
        near[9 - REACH : 17 + REACH, 10 - REACH : 17 + REACH] = name in SEES_BESIDE_THE_MASK
        changed = np.where(mask | near, image, 250)
        assert_same(FEATURES[name](changed, mask, **parameters), expected, rel=1e-12)


@every_extractor
def test_slices_without_mask_do_not_matter(name):
    mask = blob(3, 10, 11)
    padded_image = np.concatenate([picture(2, 10, 11, seed=4), DEEP, picture(1, 10, 11, seed=5)])
    padded_mask = np.pad(mask, ((2, 1), (0, 0), (0, 0)))
    for variant in variants_of(name):
        parameters = {"spacing": (20, 1, 1), **variant}  # no sphere of 1 cm³ reaches from slice to slice
        expected = FEATURES[name](DEEP, mask, **parameters)
        assert_same(FEATURES[name](padded_image, padded_mask, **parameters), expected, rel=1e-9)


# degenerate input


DEGENERATE = {
    "one pixel": [[7]],
    "one row": picture(1, 9),
    "one column": picture(9, 1),
    "2 × 3": [[1, 2, 3], [4, 5, 6]],
    "3 × 3": picture(3, 3),
    "two pixels": [[0, 9]],
    "one voxel": [[[2.5]]],
    "one voxel a slice": picture(4, 1, 1),
    "constant": np.full((12, 12), 9, np.uint8),
    "constant fraction": np.full((9, 9), 0.1),
    "black": np.zeros((12, 12), np.uint8),
    "black volume": np.zeros((3, 6, 6)),
    "white": np.full((7, 8), 255, np.uint8),
    "checkerboard": np.indices((8, 8)).sum(0) % 2 * np.uint8(255),
    "negative": -picture(8, 8) - 1.0,
    "sum of 0": np.tile([-3.0, 3.0], (8, 4)),
    "one bright pixel": np.eye(1, 64).reshape(8, 8) * 200,
    "wide": np.where(np.indices((8, 8)).sum(0) % 3 == 0, -1e60, 1e60),
    "float32 extremes": np.tile(np.array([-1, 1], np.float32) * np.finfo(np.float32).max, (7, 4)),
    "tiny": picture(8, 8) * 5e-324,
    "small step on a large offset": 9e59 * (1 + picture(8, 8) * 2.0**-52),
    "whole numbers to 2⁵³": np.tile(np.array([-(2**53), 0, 2**53, 1]), (8, 2)),
}


@every_extractor
@pytest.mark.parametrize("case", DEGENERATE)
def test_degenerate_images_have_an_answer(name, case):
    image = np.asarray(DEGENERATE[case])
    for parameters in variants_of(name):
        if "bin_width" in parameters and np.ptp(image.astype(float)) > 4000:
            continue  # too many levels, which is an error
        assert_sound(FEATURES[name](image, **parameters))
    for parameters in ({}, variants_of(name)[-1]):
        mask = np.zeros(image.shape, bool)
        mask.flat[image.size // 2] = True
        assert_sound(FEATURES[name](image, mask, **parameters))


@every_extractor
@given(data=st.data())
@EXAMPLES
def test_any_image_mask_and_parameters(name, data):
    shape = data.draw(hnp.array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=9), label="shape")
    dtype = data.draw(st.sampled_from([np.uint8, np.uint16, np.int16, np.float32, np.float64]), label="dtype")
    values = st.integers(0, 255) if dtype == np.uint8 else st.integers(0, 4000)
    if dtype in (np.float32, np.float64):
        values = st.floats(-2000, 2000, width=32)
    image = data.draw(hnp.arrays(dtype, shape, elements=values), label="image")
    mask = data.draw(st.none() | hnp.arrays(bool, shape).filter(np.any), label="mask")
    parameters = {
        p: data.draw(
            st.sampled_from([inspect.signature(FEATURES[name]).parameters[p].default, *valid(name, p)]), label=p
        )
        for p in parameters_of(name)
    }
    before = image.tobytes()
    found = assert_sound(FEATURES[name](image, mask, **parameters))
    assert image.tobytes() == before
    assert found.names == FEATURES[name]([[1]], **parameters).names
    if parameters.get("levels") != 256:
        assert_same(FEATURES[name](image.astype(np.float64), mask, **parameters), found, rel=1e-9)


@pytest.mark.parametrize("name", sorted(SHARES.keys() & FEATURES.keys()))
def test_shares_sum_to_1(name):
    for parameters in variants_of(name):
        for vector in (FEATURES[name](FLAT, **parameters), FEATURES[name](DEEP, blob(*DEEP.shape), **parameters)):
            totals = {}
            for n, share in vector.items():
                if part := re.match(SHARES[name], n):
                    assert 0 <= share <= 1
                    totals[part[1]] = totals.get(part[1], 0) + share
            assert totals
            assert totals == pytest.approx(dict.fromkeys(totals, 1))


# errors


@every_extractor
@pytest.mark.parametrize(
    ("image", "error"),
    [
        ([[1.0, np.nan]], ValueError),
        ([[1.0, np.inf]], ValueError),
        ([[1.0, 1e61]], ValueError),
        (np.ones((3, 3), complex), TypeError),
        ([["a", "b"]], TypeError),
        (np.array([[None]]), TypeError),
        (np.ones(5), ValueError),
        (np.ones((2, 2, 2, 2)), ValueError),
        (np.ones((0, 5)), ValueError),
        (5, ValueError),
        (np.ones((20, 20, 3), np.uint8), ValueError),
    ],
    ids=["NaN", "inf", "1e61", "complex", "str", "object", "1-D", "4-D", "empty", "number", "RGB"],
)
def test_bad_images_are_named(name, image, error):
    with pytest.raises(error, match=r"^image "):
        FEATURES[name](image)


@every_extractor
@pytest.mark.parametrize(
    ("mask", "error"),
    [
        (np.zeros((12, 13)), ValueError),
        (np.ones((13, 12)), ValueError),
        (np.ones((1, 12, 13)), ValueError),
        (np.full((12, 13), np.nan), ValueError),
        (np.ones((12, 13), complex), TypeError),
        (np.full((12, 13), "a"), TypeError),
    ],
    ids=["empty", "shape", "3-D", "NaN", "complex", "str"],
)
def test_bad_masks_are_named(name, mask, error):
    with pytest.raises(error, match=r"^mask "):
        FEATURES[name](FLAT, mask)


@every_extractor
def test_bad_parameters_are_named_with_what_is_valid(name):
    for parameter in parameters_of(name):
        choices = [value for value in valid(name, parameter) if isinstance(value, str)]
        for value in INVALID[parameter]:
            with pytest.raises((ValueError, TypeError), match=rf"\b{parameter}\b") as caught:
                FEATURES[name](FLAT, **{parameter: value})
            assert all(repr(choice) in str(caught.value) for choice in choices)


@every_extractor
def test_unknown_and_positional_parameters_are_errors(name):
    with pytest.raises(TypeError, match="levles"):
        FEATURES[name](FLAT, levles=8)
    with pytest.raises(TypeError, match="positional"):
        FEATURES[name](FLAT, None, (1, 1))
