import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.feature import graycomatrix, graycoprops

from tumortrace.features import FEATURES, discretise, glcm, glcm_matrix
from tumortrace.features._glcm import AGGREGATIONS
from tumortrace.features._glcm_features import NAMES

HARALICK = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 2, 2, 2], [2, 2, 3, 3]], dtype=np.uint8)
ANGLES = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
# an information correlation of 0 is the root of a rounding error
ROOTS = {"information_correlation_2": 1e-6, "maximal_correlation_coefficient": 1e-7}


def assert_equals_naive(v, expected):
    assert set(v) == set(expected)
    for name, value in expected.items():
        assert v[name] == pytest.approx(value, rel=1e-9, abs=ROOTS.get(name, 1e-9)), name


def smooth(rng, shape):
    return np.add.accumulate(np.add.accumulate(rng.integers(-9, 10, shape), -1), -2)


def test_the_four_matrices_of_haralick_1973():
    horizontal, _, vertical, _ = glcm_matrix(HARALICK, levels=4, aggregation="2d_average")[0].tolist()
    assert horizontal == [[4, 2, 1, 0], [2, 4, 0, 0], [1, 0, 6, 1], [0, 0, 1, 2]]
    assert vertical == [[6, 0, 2, 0], [0, 4, 2, 0], [2, 2, 2, 2], [0, 0, 2, 0]]
    falling, rising = glcm_matrix(HARALICK, levels=4, aggregation="2d_average")[0, [1, 3]].tolist()
    assert falling == [[2, 1, 3, 0], [1, 2, 1, 0], [3, 1, 0, 2], [0, 0, 2, 0]]
    assert rising == [[4, 1, 0, 0], [1, 2, 2, 0], [0, 2, 4, 1], [0, 0, 1, 0]]


def test_features_by_hand():
    v = glcm([[0, 0, 1]], levels=2)  # p = [[1/2, 1/4], [1/4, 0]]
    expected = {
        "joint_maximum": 1 / 2,
        "joint_average": 5 / 4,
        "joint_variance": 3 / 16,
        "joint_entropy": 1.5,
        "sum_average": 5 / 2,
        "sum_entropy": 1,
        "angular_second_moment": 3 / 8,
        "contrast": 1 / 2,
        "inverse_difference": 3 / 4,
        "normalised_inverse_difference": 1 / 2 + (1 / 2) / (3 / 2),
        "inverse_variance": 1 / 2,
        "correlation": -1 / 3,
        "autocorrelation": 3 / 2,
        "cluster_tendency": 1 / 4,
        "maximal_correlation_coefficient": 1 / 3,
        "energy": np.sqrt(3 / 8),
        "homogeneity": 3 / 4,
    }
    for name, value in expected.items():
        assert v[name] == pytest.approx(value, abs=1e-14), name
    assert v.reason == ""


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("normed", [False, True])
@pytest.mark.parametrize("shape", [(33, 47), (1, 9), (9, 1), (70, 3)])
def test_matrix_is_that_of_scikit_image(rng, shape, symmetric, normed):
    image = rng.integers(0, 256, shape, dtype=np.uint8)
    image[: shape[0] // 2] //= 32
    ours = glcm_matrix(image, levels=256, aggregation="2d_average", symmetric=symmetric, normed=normed)
    theirs = graycomatrix(image, [1], ANGLES, symmetric=symmetric, normed=normed)
    assert ours.dtype == theirs.dtype
    assert np.array_equal(ours.transpose(2, 3, 0, 1), theirs)


def test_distances_are_those_of_scikit_image_along_axes_and_times_root_two_along_diagonals(rng):
    image = rng.integers(0, 256, (24, 31), dtype=np.uint8)
    distances = (1, 2, 5, 23, 24, 30)
    ours = glcm_matrix(image, levels=256, distances=distances, aggregation="2d_average", symmetric=False)
    axes = graycomatrix(image, distances, [0, np.pi / 2])
    diagonals = graycomatrix(image, np.multiply(distances, np.sqrt(2)), [np.pi / 4, 3 * np.pi / 4])
    assert np.array_equal(ours[:, ::2].transpose(2, 3, 0, 1), axes)
    assert np.array_equal(ours[:, 1::2].transpose(2, 3, 0, 1), diagonals)


def their_matrices(grey, levels, distance):
    axes = graycomatrix(grey, [distance], [0, np.pi / 2], levels=levels, symmetric=True)
    diagonals = graycomatrix(
        grey, [distance * np.sqrt(2)], [np.pi / 4, 3 * np.pi / 4], levels=levels, symmetric=True
    )
    return np.concatenate([axes, diagonals], axis=3)


@pytest.mark.parametrize("merged", [False, True])
@pytest.mark.parametrize("levels", [32, 256])
@pytest.mark.parametrize("kind", ["noise", "smooth", "constant"])
def test_properties_are_those_of_scikit_image(rng, kind, levels, merged):
    image = {
        "noise": rng.integers(0, 256, (40, 150)),
        "smooth": np.clip(smooth(rng, (40, 150)) + 128, 0, 255),
        "constant": np.full((40, 150), 77),
    }[kind].astype(np.uint8)
    grey, _ = discretise(image, levels=levels)
    v = glcm(image, levels=levels, distances=(1, 3), aggregation="2d_slice_merge" if merged else "2d_average")
    for distance in (1, 3):
        theirs = their_matrices(grey - 1, levels, distance)
        if merged:
            theirs = theirs.sum(axis=3, keepdims=True)
        for ours, prop in {
            "contrast": "contrast",
            "dissimilarity": "dissimilarity",
            "homogeneity": "homogeneity",
            "energy": "energy",
            "angular_second_moment": "ASM",
            "correlation": "correlation",
            "joint_average": "mean",
            "joint_variance": "variance",
            "joint_entropy": "entropy",
        }.items():
            expected = graycoprops(theirs, prop).mean()
            expected = {"mean": expected + 1, "entropy": expected / np.log(2)}.get(prop, expected)
            assert v[f"{ours}_d{distance}"] == pytest.approx(expected, rel=1e-10, abs=1e-10), (ours, distance)


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_a_ball_equals_the_naive_version(rng, aggregation):
    """Most of its rows end before the box does."""
    image = rng.integers(0, 5, (5, 7, 9))
    z, y, x = np.indices(image.shape)
    mask = ((z - 2) / 2) ** 2 + ((y - 3) / 3) ** 2 + ((x - 4) / 4) ** 2 <= 1
    grey, _ = discretise(image, mask, levels=5)
    matrices = naive.symmetric_matrices(grey.astype(int), 5, 1, aggregation)
    assert np.array_equal(glcm_matrix(image, mask, levels=5, aggregation=aggregation)[0], matrices)
    # many levels, and so one copy of unordered pairs
    v = glcm(image, mask, levels=50, aggregation=aggregation)
    grey, _ = discretise(image, mask, levels=50)
    assert v["contrast"] == pytest.approx(naive.glcm(grey.astype(int), 50, 1, aggregation)["contrast"])


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.parametrize("distance", [1, 2])
def test_volumes_equal_the_naive_version(rng, aggregation, distance):
    image = smooth(rng, (4, 7, 6)).astype(float)
    mask = rng.random(image.shape) < 0.8
    mask[2] = False
    mask[:, :, 5] = False
    arguments = {"levels": 6, "distances": distance, "aggregation": aggregation}
    grey, n_levels = discretise(image, mask, levels=6)
    assert_equals_naive(
        glcm(image, mask, **arguments), naive.glcm(grey.astype(int), n_levels, distance, aggregation)
    )
    matrices = naive.symmetric_matrices(grey.astype(int), n_levels, distance, aggregation)
    assert np.array_equal(glcm_matrix(image, mask, **arguments)[0], matrices)


@given(
    image=hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=3, max_side=6), elements=st.integers(0, 9)),
    levels=st.sampled_from([1, 2, 5, 40, 256]),
    distance=st.integers(1, 4),
    aggregation=st.sampled_from(list(AGGREGATIONS)),
    seed=st.integers(0, 99),
)
def test_any_image_equals_the_naive_version(image, levels, distance, aggregation, seed):
    mask = np.random.default_rng(seed).random(image.shape) < 0.7
    mask.flat[0] = True
    grey, n_levels = discretise(image, mask, levels=levels)
    v = glcm(image, mask, levels=levels, distances=distance, aggregation=aggregation)
    grey = grey.astype(int).reshape((1, *image.shape)[-3:])
    expected = naive.glcm(grey, n_levels, distance, aggregation)
    if expected is None:
        assert np.isnan(np.asarray(v)).all()
        assert v.reason == f"no pair of pixels at distance {distance} inside the image or mask"
    else:
        assert_equals_naive(v, expected)


def test_bands_and_copies_count_every_pair(rng):
    """An image of many bands, small matrices (four copies) and large ones, a mask with empty and ragged rows."""
    image = smooth(rng, (90, 300)).astype(float)
    mask = np.hypot(*np.mgrid[-45:45, -150:150] / [[[40]], [[140]]]) < 1
    for levels in (8, 64):
        grey, n_levels = discretise(image, mask, levels=levels)
        inside = mask[:, :-3] & mask[:, 3:]
        pairs = grey[:, :-3][inside].astype(int) * n_levels + grey[:, 3:][inside] - n_levels - 1
        expected = np.bincount(pairs, minlength=n_levels**2).reshape(n_levels, n_levels)
        ordered = glcm_matrix(
            image, mask, levels=levels, distances=3, aggregation="2.5d_direction_merge", symmetric=False
        )[0]
        assert np.array_equal(ordered[0], expected)
        all_pairs = (ordered + ordered.swapaxes(1, 2)).sum(axis=0)
        expected = naive.glcm_features(all_pairs)
        assert_equals_naive(glcm(image, mask, levels=levels, distances=3), expected)


def test_dtype_and_layout_do_not_matter(rng):
    image = rng.integers(0, 200, (20, 30), dtype=np.uint8)
    expected = np.asarray(glcm(image))
    shifted = np.asarray(glcm(image.astype(np.int16) - 300))
    frozen = np.asfortranarray(image.astype(float))
    frozen.flags.writeable = False
    for other in (image.astype(np.uint16), image.astype(np.float32), frozen, np.repeat(image, 2, axis=1)[:, ::2]):
        assert np.array_equal(glcm(other), expected)
    assert np.array_equal(shifted, expected)
    assert np.array_equal(glcm(image, np.ones(image.shape)), expected)
    assert np.array_equal(glcm(image[np.newaxis], aggregation="2d_slice_merge"), expected)


def test_only_the_region_counts(rng):
    image = rng.normal(size=(5, 20, 30))
    mask = np.zeros(image.shape, bool)
    mask[1:4, 4:12, 7:20] = True
    cut = image[1:4, 4:12, 7:20]
    assert np.array_equal(glcm(image, mask), glcm(cut))
    image[~mask] = 1e9
    assert np.array_equal(glcm(image, mask), glcm(cut))
    assert np.array_equal(glcm_matrix(image, mask), glcm_matrix(cut))


def test_fixed_bin_width():
    v = glcm([[0.0, 10.0, 30.0]], bin_width=10)  # levels 1, 2, 4 of 4
    assert v["contrast"] == pytest.approx((1 + 4) / 2)
    assert v["normalised_inverse_difference"] == pytest.approx((1 / (1 + 1 / 4) + 1 / (1 + 2 / 4)) / 2)
    assert glcm_matrix([[0.0, 10.0, 30.0]], bin_width=10).shape == (1, 1, 4, 4)


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_a_constant_region_has_the_documented_values(aggregation):
    v = glcm(np.full((3, 4, 5), 7), aggregation=aggregation)
    ones = {
        "joint_maximum",
        "joint_average",
        "angular_second_moment",
        "inverse_difference",
        "normalised_inverse_difference",
        "inverse_difference_moment",
        "normalised_inverse_difference_moment",
        "correlation",
        "autocorrelation",
        "maximal_correlation_coefficient",
        "energy",
        "homogeneity",
    }
    assert v.to_dict() == {name: 2.0 if name == "sum_average" else float(name in ones) for name in NAMES}
    assert v.reason == ""


def test_no_pair_is_nan_with_the_reason():
    v = glcm([[1, 2, 3]], distances=(2, 5))
    assert np.isfinite([v[f"{name}_d2"] for name in NAMES]).all()
    assert np.isnan([v[f"{name}_d5"] for name in NAMES]).all()
    assert v.reason == "no pair of pixels at distance 5 inside the image or mask"
    assert np.isnan(np.asarray(glcm([[4]]))).all()
    assert np.isnan(np.asarray(glcm(np.eye(5), np.eye(5) > 2 * np.eye(5, k=1), distances=10**12))).all()
    assert not glcm_matrix([[4]], normed=True).any()


def test_slices_without_a_pair_are_left_out():
    image = np.array([[[0, 1, 1]], [[1, 0, 0]], [[0, 1, 0]]])
    mask = np.array([[[1, 1, 1]], [[1, 0, 1]], [[0, 0, 0]]])
    assert np.array_equal(glcm(image, mask, aggregation="2d_average"), glcm(image[0]))


def test_names_follow_the_parameters():
    image = np.arange(20).reshape(4, 5)
    assert glcm(image).names == NAMES
    assert len(NAMES) == 28
    assert glcm(image, distances=3).names == NAMES
    several = glcm(image, distances=(1, 3))
    assert several.names == tuple(f"{n}_d1" for n in NAMES) + tuple(f"{n}_d3" for n in NAMES)
    assert np.array_equal(np.asarray(several)[28:], glcm(image, distances=3))
    assert FEATURES["glcm"] is glcm


@pytest.mark.parametrize("n_parts", [1, 2, 3])
def test_maximal_correlation_of_parts_that_never_meet_is_one(n_parts):
    blocks = [np.kron([[2 * k, 2 * k + 1]], np.ones((6, 3))) for k in range(n_parts)]
    image = np.concatenate(blocks)
    mask = np.concatenate([np.vstack([np.ones((5, 6)), np.zeros((1, 6))]) for _ in range(n_parts)])
    value = glcm(image, mask, bin_width=1)["maximal_correlation_coefficient"]
    q = naive.glcm_features(glcm_matrix(image, mask, bin_width=1)[0, 0])["maximal_correlation_coefficient"]
    assert value == pytest.approx(1 if n_parts > 1 else q, abs=1e-12)


def test_maximal_correlation_where_the_levels_form_a_chain():
    """Levels that only meet the next one are bipartite: the eigenvalue −1 counts."""
    assert glcm([np.arange(9)], bin_width=1)["maximal_correlation_coefficient"] == pytest.approx(1, abs=1e-12)


def test_maximal_correlation_of_pairs_of_one_level_depends_on_the_rest_of_the_region():
    mask = [[1, 1, 0, 1]]
    assert glcm([[1, 1, 0, 1]], mask, bin_width=1)["maximal_correlation_coefficient"] == 1
    assert glcm([[1, 1, 0, 2]], mask, bin_width=1)["maximal_correlation_coefficient"] == 0
    # across there is 1 beside 1, down and along the diagonal 1 beside 2
    corner = glcm([[1, 1], [2, 0]], [[1, 1], [1, 0]], bin_width=1, aggregation="2d_average")
    assert corner["maximal_correlation_coefficient"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("scale", [0, 2, 8])
def test_maximal_correlation_of_256_levels(rng, scale):
    image = rng.normal(size=(80, 80))
    image = np.add.accumulate(image, axis=1) if scale else image
    for axis in range(2 if scale else 0):
        image = sum(np.roll(image, k, axis) for k in range(scale))
    counts = glcm_matrix(image, levels=256)[0, 0].astype(float)
    occurring = counts.sum(axis=1) > 0
    p = counts[occurring][:, occurring] / counts.sum()
    root = np.sqrt(p.sum(axis=1))
    eigenvalues = np.sort(np.abs(np.linalg.eigvalsh(p / np.outer(root, root))))
    v = glcm(image, levels=256)
    assert v["maximal_correlation_coefficient"] == pytest.approx(eigenvalues[-2], abs=1e-11)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"distances": ()}, "distances"),
        ({"distances": 0}, "distances is 0"),
        ({"distances": (1, 1.5)}, "distances"),
        ({"distances": (1, 1)}, "each distance once"),
        ({"aggregation": "mean"}, "2.5d_volume_merge"),
        ({"levels": 0}, "levels is 0"),
        ({"bin_width": -1}, "bin_width is -1"),
    ],
)
def test_errors_name_the_argument(arguments, message):
    for function in (glcm, glcm_matrix):
        with pytest.raises(ValueError, match=message):
            function([[0, 1], [1, 0]], **arguments)


def test_spacing_is_checked_and_has_no_effect():
    image = np.arange(12).reshape(3, 4)
    assert np.array_equal(glcm(image, spacing=(1, 2)), glcm(image))
    with pytest.raises(ValueError, match="spacing"):
        glcm(image, spacing=(1, 2, 3))


def test_too_many_voxels_to_count_is_an_error(monkeypatch):
    monkeypatch.setattr("tumortrace.features._glcm._MAX_PAIRS", 13 * 12)
    assert glcm(np.arange(11).reshape(1, 11))["contrast"] > 0
    with pytest.raises(ValueError, match="12 voxels, too many to count 13 directions"):
        glcm(np.arange(12).reshape(3, 4))
