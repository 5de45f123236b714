import inspect
import re

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tumortrace import features
from tumortrace.features import (
    STACK_FEATURES,
    EnhancementMaps,
    FeatureVector,
    enhancement_maps,
    enhancing_lesion,
    kinetics,
)

REAL = [bool, *"bBhHiIlLqQ", np.float16, np.float32, np.float64, np.longdouble]
VARIANTS = [{}, {"scale": 0.4}, {"times": (0, 60, 90, 200)}, {"early": 1}, {"early": 9}, {"plateau": 0.5}]


def stack_of(*shape, phases=4, seed=0):
    """Whole numbers to 100: a bright spot that comes and goes, over a background."""
    rng = np.random.default_rng(seed)
    grid = np.indices(shape)
    distance = sum((g - (n - 1) / 2) ** 2 for g, n in zip(grid, shape, strict=True)) / max(shape)
    course = np.array([0, 1, 0.9, 0.6, 0.8, 0.7])[:phases].reshape(-1, *[1] * len(shape))
    return (20 + rng.integers(0, 20, (phases, *shape)) + 60 * course * np.exp(-distance)).astype(np.int8)


def blob(*shape):
    mask = np.zeros(shape, bool)
    mask[..., 1:-2, 2:-1] = True
    mask[..., 3, 4] = False
    mask[..., -1, 0] = True
    return mask


FLAT, DEEP = stack_of(12, 13), stack_of(3, 10, 11)


def assert_sound(vector):
    values = np.asarray(vector)
    assert isinstance(vector, FeatureVector)
    assert values.dtype == np.float64
    assert not np.isinf(values).any()
    assert np.isnan(values).any() == bool(vector.reason), vector.reason
    return vector


def assert_same(one, other, rel=0.0):
    assert one.names == other.names
    if rel:
        assert one.to_dict() == pytest.approx(other.to_dict(), rel=rel, abs=rel, nan_ok=True)
    else:
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def expected(stack, mask=None, *, scale=1.0, times=None, early=2, plateau=0.1, spacing=(1, 1, 1)):
    stack = np.asarray(stack, float)
    stack = stack[:, None] if stack.ndim == 3 else stack
    mask = np.ones(stack.shape[1:], bool) if mask is None else np.reshape(mask, stack.shape[1:])
    times = range(len(stack)) if times is None else times
    return naive.kinetics(stack, mask, scale, times, min(early, len(stack) - 2), plateau, spacing)


# values


def test_a_curve_by_hand():
    course = [100.0, 150, 300, 250, 200]
    stack = np.array(course)[:, None, None] * np.ones((5, 3, 4))
    v = kinetics(stack, times=[10, 20, 40, 50, 60])
    for zone in ("lesion", "rim", "hot_spot"):
        assert v[f"{zone}_wash_in"] == pytest.approx(0.05)
        assert v[f"{zone}_peak_enhancement"] == 2
        assert v[f"{zone}_time_to_peak"] == 30
        assert v[f"{zone}_wash_out"] == pytest.approx(0.5)
        assert v[f"{zone}_signal_enhancement_ratio"] == pytest.approx(2)
        assert v[f"{zone}_area_under_curve"] == pytest.approx((2.5 + 25 + 17.5 + 12.5) / 50)
        assert v[f"{zone}_delayed_slope"] == pytest.approx(-0.05)
        assert v[f"baseline_{zone}"] == 1
    assert (v["persistent_fraction"], v["plateau_fraction"], v["washout_fraction"]) == (0, 0, 1)
    assert v["lesion_fraction"] == 1
    assert v["curve_roughness"] == pytest.approx((1 + 2 + 0) / 3 / 2)


def test_the_types_of_curves_by_hand():
    initial = np.array([[150.0, 181, 190, 200, 200, 200, 200, 200]])
    last = np.array([[200.0, 200, 200, 200, 190, 181, 179, 150]])
    stack = [np.full((1, 8), 100.0), initial, initial, last]
    v = kinetics(stack)
    assert v["lesion_fraction"] == 1
    assert (v["persistent_fraction"], v["plateau_fraction"], v["washout_fraction"]) == (0.25, 0.5, 0.25)
    v = kinetics(stack, plateau=0.3)
    assert (v["persistent_fraction"], v["plateau_fraction"], v["washout_fraction"]) == (0.125, 0.875, 0)


def test_lesion_rim_and_hot_spot_of_a_disc():
    y, x = np.indices((21, 21)) - 10
    inside = np.hypot(y, x) < 7.2
    ring = np.hypot(y, x) > 5.7
    before = np.full((21, 21), 100.0)
    after = before + inside * np.where(ring, 150, 80)
    v = kinetics([before, after, after, after])
    assert v["lesion_fraction"] == inside.mean()
    assert v["rim_peak_enhancement"] == 1.5
    assert 0.8 < v["lesion_peak_enhancement"] < 1.5
    assert v["hot_spot_peak_enhancement"] == 1.5
    assert v["hot_spot_offset"] == pytest.approx(0, abs=1e-12)
    assert kinetics([before, before, after, after])["lesion_wash_in"] == 0


def test_texture_of_the_maps():
    before = np.full((8, 8), 10.0)
    board = np.indices((8, 8)).sum(0) % 2
    slope = np.arange(8.0) * np.ones((8, 1))
    for pattern, ratio in ((board, 2), (slope, 7 * 8 / (2 * 56 * 2 * slope.var()))):
        v = kinetics([before, before + pattern, before + pattern, before + pattern])
        assert v["peak_enhancement_contiguity"] == pytest.approx(ratio)
        assert v["baseline_contiguity"] == 0
    noise = np.random.default_rng(0).random((60, 60))
    v = kinetics([np.full((60, 60), 10.0), noise + 20, noise + 20, noise + 20])
    assert v["peak_enhancement_contiguity"] == pytest.approx(1, abs=0.05)


def test_correlation_with_the_baseline():
    before = np.arange(100.0, 200).reshape(10, 10)
    for after, sign in ((3 * before, 1), (1000 - before, -1)):
        v = kinetics([before, after, after, after], plateau=1)
        assert v["peak_enhancement_baseline_correlation"] == pytest.approx(sign)
        assert v["time_to_peak_baseline_correlation"] == 0


def test_components_of_curves():
    before = np.full((1, 40), 100.0)
    rng = np.random.default_rng(1)
    strength, other = rng.random((2, 1, 40))
    one = [before, *(before + 900 + c * strength for c in (10, 30, 20))]
    two = [before, *(before + 900 + c * strength + d * other for c, d in ((10, 3), (30, 0), (20, 9)))]
    assert kinetics(one)["curve_first_component"] == pytest.approx(1)
    v = kinetics(two)
    assert 0 < v["curve_second_component"] < v["curve_first_component"] < 1
    assert v["curve_first_component"] + v["curve_second_component"] == pytest.approx(1)


def test_maps_are_curves_of_pixels():
    maps = enhancement_maps(DEEP, scale=0.5, times=(0, 1, 3, 4), early=1)
    assert isinstance(maps, EnhancementMaps)
    unit = 0.5 * DEEP[0].mean()
    for at in ((0, 0, 0), (1, 5, 6), (2, 9, 10)):
        course = [float((phase[at] - 0.5 * DEEP[0][at]) / unit) for phase in DEEP[1:].astype(float)]
        for name, value in naive.curve(course, [1, 3, 4], 1).items():
            assert getattr(maps, name)[at] == pytest.approx(value, abs=1e-12), name
    mask = blob(10, 11)
    whole, masked = enhancement_maps(DEEP[:, 0]), enhancement_maps(DEEP[:, 0], mask)
    factor = DEEP[0, 0].mean() / DEEP[0, 0][mask].mean()
    np.testing.assert_allclose(masked.peak_enhancement, factor * whole.peak_enhancement)


def test_of_equally_good_thresholds_the_lowest_is_taken():
    for unit in (1, 3, 7, 230.4):
        peak = np.array([-80, 0, -32, -160, -128]) / unit  # two and three pixels, or three and two
        lesion = enhancing_lesion(peak[np.newaxis])
        assert lesion.tolist() == [[True, True, True, False, False]]
        assert naive.otsu(peak) == peak[0]


def test_a_peak_that_comes_twice_is_the_first():
    stack = np.full((5, 1, 3), 16, np.uint8)
    stack[0, 0, 0], stack[2, 0, 1], stack[3, 0, 2] = 0, 176, 176  # the mean curve is as high at both phases
    for scale in (0.3, 1.0, 2.0):
        assert kinetics(stack, np.ones((1, 3)), scale=scale)["lesion_time_to_peak"] == 2


@pytest.mark.parametrize("phases", [5, 6, 7, 8])
def test_a_flat_curve_has_no_slope_and_its_map_no_contiguity(phases):
    stack = np.full((phases, 1, 2), 16, np.uint8)
    stack[0, 0, 0] = 0
    v = kinetics(stack, scale=0.25, early=1)
    assert v["lesion_delayed_slope"] == 0
    assert v["delayed_slope_contiguity"] == 0
    assert (enhancement_maps(stack, scale=0.25, early=1).delayed_slope == 0).all()


@given(
    arrays(np.uint8, st.tuples(st.integers(3, 6), st.integers(1, 2), st.integers(1, 5), st.integers(1, 5))),
    st.sampled_from([0.25, 1.0, 2.0]),
    st.integers(1, 4),
    st.sampled_from([0.1, 0.3]),
    st.data(),
)
def test_features_equal_the_naive_version(stack, scale, early, plateau, data):
    stack = stack // 16 * 16
    mask = data.draw(st.none() | arrays(bool, stack.shape[1:]).filter(np.any))
    times = data.draw(st.none() | st.just([3, 4, 6, 7, 11, 12][: len(stack)]))
    spacing = data.draw(st.sampled_from([(1, 1, 1), (3, 0.5, 2)]))
    v = kinetics(stack, mask, scale=scale, early=early, plateau=plateau, times=times, spacing=spacing)
    inside = stack[0][mask] if mask is not None else stack[0]
    if not inside.any():
        assert v.reason
        return
    found = expected(stack, mask, scale=scale, early=early, plateau=plateau, times=times, spacing=spacing)
    assert set(v.names) == set(found)
    assert v.to_dict() == pytest.approx({name: found[name] for name in v}, rel=1e-9, abs=1e-9)


def test_shares_are_shares(rng):
    for seed in range(5):
        v = kinetics(stack_of(9, 14, phases=6, seed=seed))
        assert v["persistent_fraction"] + v["plateau_fraction"] + v["washout_fraction"] == pytest.approx(1)
        shares = [n for n in v if n.endswith(("_fraction", "_component", "wash_out"))]
        assert all(0 <= v[n] <= 1 for n in shares)


@given(arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(1, 6)), elements=st.integers(-3, 9)), st.data())
def test_the_lesion_is_above_otsus_threshold(peak, data):
    mask = data.draw(st.none() | arrays(bool, peak.shape).filter(np.any))
    inside = np.ones(peak.shape, bool) if mask is None else mask
    lesion = enhancing_lesion(peak, mask)
    outside = peak[inside & ~lesion]
    assert lesion.any()
    assert not (lesion & ~inside).any()
    assert outside.size == 0 or outside.max() < peak[lesion].min()
    x, best = peak[inside], naive.otsu(peak[inside])

    def between(t):
        low, high = x[x < t], x[x >= t]
        return low.size * high.size * (high.mean() - low.mean()) ** 2 if low.size else 0

    assert between(peak[lesion].min()) == pytest.approx(between(best))


def test_the_lesion_is_the_one_of_kinetics():
    mask = blob(3, 10, 11)
    lesion = enhancing_lesion(enhancement_maps(DEEP, mask).peak_enhancement, mask)
    assert lesion.sum() / mask.sum() == kinetics(DEEP, mask)["lesion_fraction"]
    assert not enhancing_lesion(np.full((3, 4), np.nan)).any()
    with pytest.raises(ValueError, match="mask has shape"):
        enhancing_lesion(np.ones((3, 4)), np.ones((4, 3)))


# what changes nothing


def test_a_gain_of_all_phases_changes_nothing():
    expected = kinetics(FLAT, scale=0.5)
    for gain in (4, 1e-90, 1e50):
        assert_same(kinetics(gain * FLAT.astype(float), scale=0.5), expected, rel=1e-9)


def test_the_scale_multiplies_the_phase_before_contrast():
    scaled = FLAT.astype(float)
    scaled[0] *= 0.25
    assert_same(kinetics(FLAT, scale=0.25), kinetics(scaled))


def test_the_unit_and_origin_of_time():
    seconds = kinetics(FLAT, times=(100, 160, 220, 280))
    plain = kinetics(FLAT)
    for name in plain:
        factor = 60 if "time_to_peak" in name else 1 / 60 if "wash_in" in name or "slope" in name else 1
        if name.endswith(("contiguity", "correlation")):
            factor = 1
        assert seconds[name] == pytest.approx(factor * plain[name]), name


def test_size_is_in_no_number():
    small = np.kron(FLAT, np.ones((1, 1, 1)))
    large = np.kron(FLAT, np.ones((1, 2, 2)))
    v, w = kinetics(small), kinetics(large)
    told_by_neighbours = [n for n in v if n.startswith(("rim", "hot_spot", "baseline_rim", "baseline_hot"))]
    for name in v:
        if not name.endswith("contiguity") and name not in told_by_neighbours:
            assert w[name] == pytest.approx(v[name]), name


# the contract of an extractor, for a stack


@pytest.mark.parametrize("name", STACK_FEATURES)
def test_signature_and_docstring(name):
    function = STACK_FEATURES[name]
    assert function is getattr(features, name)
    assert name in features.__all__
    stack, mask, *others = inspect.signature(function).parameters.values()
    assert (stack.name, mask.name, mask.default) == ("stack", "mask", None)
    assert (others[0].name, others[0].default) == ("spacing", None)
    assert all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in others)
    doc = inspect.getdoc(function)
    assert {"Parameters", "Returns", "Raises", "Notes", "Examples"} <= set(
        re.findall(r"^(\w[\w ]+)\n-+$", doc, re.M)
    )
    assert "IBSI" in doc
    assert all(f"\n{p.name} : " in doc for p in (stack, mask, *others))


@pytest.mark.parametrize("parameters", VARIANTS)
def test_columns_depend_on_the_parameters_alone(parameters):
    names = kinetics(FLAT, blob(12, 13), **parameters).names
    assert all(re.fullmatch("[a-z0-9_]+", name) for name in names)
    assert len(set(names)) == len(names) <= 80
    own = {k: v for k, v in parameters.items() if k != "times"}
    for stack in (DEEP, stack_of(5, 20, phases=6), np.ones((3, 1, 1)), np.zeros((3, 2, 3)), stack_of(4, 1, 1)):
        assert assert_sound(kinetics(stack, **own)).names == names


@pytest.mark.parametrize("dtype", REAL, ids=lambda d: np.dtype(d).name + np.dtype(d).char)
def test_every_real_dtype_gives_the_same_numbers(dtype):
    for stack in (FLAT, DEEP):
        whole = (stack > 40).astype(np.int8) if dtype is bool else stack
        assert_same(assert_sound(kinetics(whole.astype(dtype))), kinetics(whole.astype(np.float64)))


@pytest.mark.parametrize("stack", [FLAT, DEEP], ids=["3-D", "4-D"])
def test_layout_does_not_matter_and_input_is_not_changed(stack):
    mask = blob(*stack.shape[1:])
    for dtype in (np.uint8, np.float64):
        plain = np.ascontiguousarray(stack, dtype)
        expected = kinetics(plain, mask, scale=0.5)
        reverse = (slice(None, None, -1),) * stack.ndim
        for laid_out in (
            np.asfortranarray(plain),
            np.ascontiguousarray(plain[reverse])[reverse],
            plain.astype(np.dtype(dtype).newbyteorder()),
            list(plain),
        ):
            assert_same(kinetics(laid_out, np.asfortranarray(mask), scale=0.5), expected)
        before = plain.tobytes(), mask.tobytes()
        plain.flags.writeable = mask.flags.writeable = False
        kinetics(plain, mask, scale=0.5)
        enhancement_maps(plain, mask, scale=0.5)
        assert (plain.tobytes(), mask.tobytes()) == before
        mask.flags.writeable = True


def test_masks():
    mask = blob(12, 13)
    expected = kinetics(FLAT, mask)
    for other in (mask.astype(np.uint8) * 255, mask * -0.5, mask.tolist()):
        assert_same(kinetics(FLAT, other), expected)
    assert_same(kinetics(FLAT, np.ones((12, 13))), kinetics(FLAT))
    assert_same(kinetics(np.where(mask, FLAT, 120), mask), expected)


def test_a_stack_of_images_is_one_of_volumes_of_one_slice():
    mask = blob(12, 13)
    for parameters in VARIANTS:
        assert_same(kinetics(FLAT[:, None], mask[None], **parameters), kinetics(FLAT, mask, **parameters))
    deep = kinetics(FLAT[:, None], mask[None], spacing=(9, 0.5, 2))
    assert_same(deep, kinetics(FLAT, mask, spacing=(0.5, 2)))


def test_slices_without_mask_do_not_matter():
    mask = blob(3, 10, 11)
    stack = np.concatenate([stack_of(2, 10, 11, seed=4), DEEP, stack_of(1, 10, 11, seed=5)], axis=1)
    assert_same(kinetics(stack, np.pad(mask, ((2, 1), (0, 0), (0, 0)))), kinetics(DEEP, mask), rel=1e-9)


DEGENERATE = {
    "one pixel": [[[7]], [[9]], [[8]]],
    "one row": stack_of(1, 9),
    "one column": stack_of(9, 1),
    "two pixels": [[[3, 9]]] * 3,
    "one voxel a slice": stack_of(4, 1, 1),
    "no enhancement": np.full((4, 6, 6), 9),
    "constant fraction": np.full((4, 6, 6), 0.1),
    "less after than before": [np.full((4, 4), v) for v in (90, 50, 40, 30)],
    "white": np.full((3, 7, 8), 255, np.uint8),
    "tiny": FLAT * 5e-324,
    "small step on a large offset": 9e59 * (1 + FLAT * 2.0**-52),
}


@pytest.mark.parametrize("case", DEGENERATE)
def test_degenerate_stacks_have_an_answer(case):
    stack = np.asarray(DEGENERATE[case])
    for parameters in ({}, {"scale": 0.1}, {"early": 1}):
        v = assert_sound(kinetics(stack, **parameters))
        assert not v.reason
        mask = np.zeros(stack.shape[1:], bool)
        mask.flat[mask.size // 2] = True
        assert_sound(kinetics(stack, mask, **parameters))


@pytest.mark.parametrize(
    "stack",
    [
        np.zeros((4, 5, 5)),
        -FLAT.astype(float),
        np.concatenate([np.zeros((1, 12, 13)), FLAT[1:]]),
        np.concatenate([np.tile([-3.0, 3.0], (1, 12, 7))[:, :, :13], FLAT[1:]]),
        np.concatenate([np.full((1, 12, 13), 1e-9), FLAT[1:]]),
    ],
)
def test_without_a_baseline_there_is_no_unit(stack):
    v = kinetics(stack)
    assert np.isnan(np.asarray(v)).all()
    assert "before contrast" in v.reason
    assert all(np.isnan(m).all() and m.shape == stack.shape[1:] for m in enhancement_maps(stack))


@pytest.mark.parametrize(
    ("stack", "error"),
    [
        (np.ones((2, 4, 4)), ValueError),
        (np.ones((4, 4)), ValueError),
        (np.ones((3, 2, 2, 2, 2)), ValueError),
        (np.ones((3, 0, 4)), ValueError),
        (np.full((3, 2, 2), np.nan), ValueError),
        (np.full((3, 2, 2), np.inf), ValueError),
        (np.full((3, 2, 2), 1e61), ValueError),
        (np.full((3, 2, 2), 2**60), ValueError),
        (np.ones((3, 2, 2), complex), TypeError),
        ([[["a"]]] * 3, TypeError),
    ],
)
def test_bad_stacks_are_named(stack, error):
    with pytest.raises(error, match=r"^stack "):
        kinetics(stack)
    with pytest.raises(error, match=r"^stack "):
        enhancement_maps(stack)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"mask": np.zeros((12, 13))}, ValueError, "mask is empty"),
        ({"mask": np.ones((13, 12))}, ValueError, r"mask has shape \(13, 12\)"),
        ({"mask": np.full((12, 13), "a")}, TypeError, "mask has dtype"),
        ({"spacing": (1, 1, 1)}, ValueError, "spacing is"),
        ({"spacing": (1, 0)}, ValueError, "spacing is"),
        ({"scale": 0}, ValueError, "scale is 0"),
        ({"scale": np.nan}, ValueError, "scale is nan"),
        ({"times": (0, 1, 2)}, ValueError, "times are .*; give 4 growing numbers"),
        ({"times": (0, 1, 1, 2)}, ValueError, "times are"),
        ({"times": (0, 1, 2, np.inf)}, ValueError, "times are"),
        ({"times": "abcd"}, ValueError, "times are"),
        ({"early": 0}, ValueError, "early is 0"),
        ({"early": 1.5}, ValueError, "early is 1.5"),
        ({"plateau": -0.1}, ValueError, "plateau is -0.1"),
        ({"platau": 0.1}, TypeError, "platau"),
    ],
)
def test_errors_name_the_argument(arguments, error, message):
    with pytest.raises(error, match=message):
        kinetics(FLAT, **arguments)
