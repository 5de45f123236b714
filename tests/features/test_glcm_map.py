import naive
import numpy as np
import pytest
from naive_maps import window_maps

from tumortrace.features import discretise, glcm, glcm_map
from tumortrace.features._glcm_features import NAMES

# both are roots, and the oracle's are of rounding errors where they are 0
ROOTS = {"information_correlation_2": 1e-7, "maximal_correlation_coefficient": 1e-7}
AGGREGATIONS = ("3d_volume_merge", "3d_average", "2.5d_volume_merge", "2.5d_direction_merge")


def volume(grey):
    return grey.reshape((1,) * (3 - grey.ndim) + grey.shape)


def assert_equals_naive(maps, grey, n_levels, wanted, reach, distance=1, aggregation="3d_volume_merge"):
    expected = window_maps(
        lambda levels, _: naive.glcm(volume(levels), n_levels, distance, aggregation, flat=1),
        grey,
        grey > 0,
        wanted,
        reach,
    )
    assert tuple(maps) == NAMES
    for name in NAMES:
        np.testing.assert_allclose(maps[name], expected[name], rtol=1e-9, atol=ROOTS.get(name, 1e-10), err_msg=name)


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_equals_the_features_of_each_window_of_a_volume(rng, aggregation):
    image = np.add.accumulate(rng.integers(-3, 4, (3, 5, 6)), -1)
    mask = rng.random(image.shape) > 0.3
    grey, _ = discretise(image, mask, levels=5)
    maps = glcm_map(image, mask, window=3, levels=5, aggregation=aggregation)
    assert_equals_naive(maps, grey, 5, mask, (1, 1, 1), aggregation=aggregation)
    assert all(np.isnan(maps[name][~mask]).all() for name in NAMES)


@pytest.mark.parametrize(("window", "distance"), [(5, 1), (5, 2), ((3, 7), 2), ((1, 5), 3)])
def test_equals_the_features_of_each_window_of_an_image(rng, window, distance):
    image = rng.integers(0, 6, (6, 9))
    reach = tuple(side // 2 for side in ((window,) * 2 if isinstance(window, int) else window))
    maps = glcm_map(image, window=window, levels=6, distances=distance)
    assert_equals_naive(maps, discretise(image, levels=6)[0], 6, np.ones((6, 9), bool), reach, distance)


def test_equals_glcm_where_the_window_is_the_image(rng):
    image = rng.integers(0, 200, (7, 7), dtype=np.uint8)
    maps, vector = glcm_map(image, window=13, levels=16), glcm(image, levels=16)
    for name in NAMES:
        assert maps[name][3, 3] == pytest.approx(vector[name], rel=1e-12, abs=1e-12), name


def test_larger_windows_with_many_levels_equal_glcm(rng):
    image = np.add.accumulate(np.add.accumulate(rng.integers(-9, 10, (2, 11, 14)), -1), -2)
    grey, _ = discretise(image, levels=40)
    maps = glcm_map(image, window=(3, 9, 9), levels=40)
    for x in (0, 6, 13):
        expected = glcm(grey[:, 1:10, max(x - 4, 0) : x + 5], bin_width=1, first_edge=1.0)
        for name in NAMES:
            if "normalised" not in name:  # those depend on the number of levels, which is that of the whole image
                assert maps[name][0, 5, x] == pytest.approx(expected[name], rel=1e-10, abs=1e-10), name


def test_windows_may_look_beyond_the_mask(rng):
    image = rng.integers(0, 5, (6, 8))
    mask = np.zeros((6, 8), bool)
    mask[2:4, 3:7] = True
    maps = glcm_map(image, mask, window=3, levels=5, masked=False)
    assert_equals_naive(maps, discretise(image, levels=5)[0], 5, mask, (1, 1))


def test_threads_and_order_of_the_rows_do_not_matter(rng):
    image = rng.integers(0, 255, (2, 9, 11))
    one = glcm_map(image, window=5, levels=8, threads=1)
    shares = []
    four = glcm_map(image, window=5, levels=8, threads=4, progress=shares.append)
    for name in NAMES:
        assert np.array_equal(one[name], four[name], equal_nan=True), name
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_some_features_in_the_order_asked_for_and_several_distances(rng):
    image = rng.integers(0, 255, (8, 9))
    every = glcm_map(image, window=5, levels=8, distances=2)
    asked = ["energy", "contrast"]
    maps = glcm_map(image, window=5, levels=8, distances=(1, 2), features=asked)
    assert maps.names == ("energy_d1", "contrast_d1", "energy_d2", "contrast_d2")
    assert np.array_equal(maps["contrast_d2"], every["contrast"])
    assert not np.array_equal(maps["contrast_d1"], maps["contrast_d2"])


def test_degenerate_windows_have_the_values_of_glcm():
    flat = glcm_map(np.full((4, 5), 7.0), window=3)
    assert all(np.isin(flat[name], [0, 1, 2]).all() for name in NAMES)
    assert (flat["correlation"] == 1).all()
    assert (flat["maximal_correlation_coefficient"] == 1).all()
    assert (flat["joint_entropy"] == 0).all()
    assert (flat["information_correlation_1"] == 0).all()
    alone = np.zeros((5, 5))
    alone[2, 2] = 1
    maps = glcm_map(np.ones((5, 5)), alone, window=3)
    assert all(np.isnan(maps[name]).all() for name in NAMES)  # no pair anywhere


def test_only_the_box_around_the_mask_is_kept(rng):
    image, mask = rng.integers(0, 9, (4, 30, 40)), np.zeros((4, 30, 40))
    mask[1:3, 10:13, 20:24] = 1
    maps = glcm_map(image, mask, window=3, levels=4, features="contrast")
    assert maps.values_in_box.shape == (1, 2, 3, 4)
    assert maps["contrast"].shape == image.shape
    assert np.isfinite(maps["contrast"][mask > 0]).all()
    assert np.isnan(maps["contrast"][mask == 0]).all()
    with pytest.raises(KeyError, match="no map 'energy'; there are contrast"):
        maps["energy"]
    assert repr(maps) == "FeatureMaps(contrast; 4 × 30 × 40)"
    assert len(maps) == 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"window": 4}, "window is 4; give an odd side in voxels, or 2 of them"),
        ({"window": 1}, "at least one above 1"),
        ({"window": (3, 3, 3)}, "or 2 of them"),
        ({"features": ["contrast", "roughness"]}, "features is 'roughness'; give one of 'joint_maximum'"),
        ({"features": []}, "features is empty"),
        ({"features": ["energy", "energy"]}, "each name once"),
        ({"distances": 7}, "distances is 7, which does not fit in a window of 7"),
        ({"distances": (1, 1)}, "give each distance once"),
        ({"aggregation": "2d_average"}, "give one of '2.5d_direction_merge'"),
        ({"levels": 2000}, "2000 grey levels, too many for a map; give 1024 at most"),
        ({"window": 2001}, "too many for a map; give a smaller one"),
        ({"threads": 0}, "threads is 0"),
    ],
)
def test_errors_say_what_would_be_right(wrong, message):
    image = np.zeros((600, 600) if wrong.get("window") == 2001 else (9, 9))
    with pytest.raises(ValueError, match=message):
        glcm_map(image, **wrong)
