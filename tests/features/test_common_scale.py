import numpy as np
import pytest

from tumortrace.features import CommonScale, common_scale, kinetics
from tumortrace.io import synthetic


def patient(rng, k=0.45, a=(1.2, 1.3, 1.4), b=(0, 0, 0), slices=3, noise=0.0):
    """Slices of one patient as 8-bit images: before, after and subtracted."""
    before, after, subtracted = [], [], []
    for i in range(slices):
        v = rng.uniform(60, 200, (14 + i, 12))
        uptake = np.stack([rng.uniform(5, 90, v.shape) * (p + 2) / 4 for p in range(3)])
        gain, offset = (np.array(x).reshape(3, 1, 1) for x in (a, b))
        before.append(v)
        after.append(k * v + uptake)
        subtracted.append(gain * uptake + offset)
    for images in (before, after, subtracted):
        for i, image in enumerate(images):
            images[i] = np.clip(np.rint(image + noise * rng.standard_normal(image.shape)), 0, 255).astype(np.uint8)
    return before, after, subtracted


@pytest.mark.parametrize("k", [0.2, 0.45, 1.0])
@pytest.mark.parametrize("b", [(0, 0, 0), (30, 40, 50)])
def test_the_scale_is_recovered(rng, k, b):
    found = common_scale(*patient(rng, k=k, b=b))
    assert isinstance(found, CommonScale)
    assert found.k == pytest.approx(k, abs=0.01)
    assert found.a == pytest.approx((1.2, 1.3, 1.4), rel=0.02)
    assert found.b == pytest.approx(b, abs=2)
    assert found.r_squared > 0.995
    assert found.reason == ""


def test_without_rounding_it_is_exact(rng):
    v = rng.random((6, 7)) + 1
    c = 0.5 * v + rng.random((4, 6, 7))
    found = common_scale([v], [c], [2 * (c - 0.5 * v) + 3])
    assert (found.k, found.r_squared, found.pixels) == (pytest.approx(0.5), pytest.approx(1), 4 * 42)
    assert found.a == pytest.approx((2,) * 4)
    assert found.b == pytest.approx((3,) * 4)


def test_clipped_pixels_are_left_out(rng):
    before, after, subtracted = patient(rng)
    for images in (before, after, subtracted):
        for image in images:
            image[..., :3, :] = 255
            image[..., 3:5, :] = 0
    found = common_scale(before, after, subtracted)
    assert found.pixels < sum(image.size for image in after)
    assert found.k == pytest.approx(0.45, abs=0.01)
    assert found.r_squared > 0.995


def test_the_ends_of_another_range(rng):
    before, after, subtracted = ([image * 16.0 for image in images] for images in patient(rng))
    assert common_scale(before, after, subtracted).pixels == 0
    found = common_scale(before, after, subtracted, clipped=(0, 4080))
    assert found.k == pytest.approx(0.45, abs=0.01)


def test_a_few_bad_pixels_hardly_matter(rng):
    before, after, subtracted = patient(rng)
    bad = [rng.random(image.shape) < 0.1 for image in subtracted]
    spoilt = [np.where(m, rng.integers(1, 255, s.shape), s) for m, s in zip(bad, subtracted, strict=True)]
    assert common_scale(before, after, spoilt).k == pytest.approx(0.45, abs=0.02)


def test_phases_and_slices_are_pooled(rng):
    before, after, subtracted = patient(rng, noise=4, slices=6)
    whole = common_scale(before, after, subtracted)
    parts = [common_scale([b], [a], [s]) for b, a, s in zip(before, after, subtracted, strict=True)]
    assert whole.pixels == sum(part.pixels for part in parts)
    assert min(p.k for p in parts) < whole.k < max(p.k for p in parts)


def test_volumes(rng):
    before, after, subtracted = patient(rng)
    volume = (np.stack([images[0]] * 2, axis=-3) for images in (before, after, subtracted))
    found = common_scale(*([v] for v in volume))
    assert found.k == pytest.approx(common_scale(before[:1], after[:1], subtracted[:1]).k)


def test_subtractions_that_tell_nothing(rng):
    before, after, subtracted = patient(rng)
    noise = [rng.integers(1, 255, s.shape) for s in subtracted]
    found = common_scale(before, after, noise)
    assert np.isnan(found.k)
    assert "do not follow from the phases" in found.reason
    assert found.r_squared < 0.25

    for other in (after, [a // 2 + b // 3 for a, b in zip(after, before, strict=True)]):
        found = common_scale(before, after, other)
        assert np.isnan(found.k)
        assert "not after minus before" in found.reason

    found = common_scale(before, after, [np.zeros_like(s) for s in subtracted])
    assert (found.pixels, np.isnan(found.k), np.isnan(found.r_squared)) == (0, True, True)
    assert found.reason == "0 pixels are not clipped, fewer than 20"

    found = common_scale(before, after, [np.full_like(s, 90) for s in subtracted])
    assert np.isnan(found.k)
    assert found.reason
    assert np.isnan(common_scale([np.full((9, 9), 90)], [np.full((3, 9, 9), 80)], [np.full((3, 9, 9), 70)]).k)


def test_a_phase_that_is_clipped_everywhere(rng):
    before, after, subtracted = patient(rng)
    for s in subtracted:
        s[1] = 0
    found = common_scale(before, after, subtracted)
    assert found.k == pytest.approx(0.45, abs=0.01)


def test_the_scale_makes_enhancement_of_synthetic_lesions_right():
    """Before contrast, after and subtracted have windows of their own; the recovered scale undoes that."""
    lesion = synthetic._draw(6, 3, 0.5, 0, 1.8, 3)
    for images in map(synthetic._render, lesion):
        after, subtracted = (images[s].transpose(1, 0, 2, 3) for s in (slice(1, 9), slice(9, 17)))
        found = common_scale(list(images[0]), list(after), list(subtracted))
        assert found.reason == ""
        assert found.r_squared > 0.9
        assert found.b == pytest.approx((0,) * 8, abs=8)
        v = kinetics(images[:9], scale=found.k)
        assert 0 < v["hot_spot_peak_enhancement"] < 20


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], [], []), "0, 0 and 0 slices"),
        (([np.ones((3, 3))], [np.ones((2, 3, 3))], []), "1, 1 and 0 slices"),
        (([np.ones((3, 3))], [np.ones((2, 3, 4))], [np.ones((2, 3, 4))]), r"slice 0: before has shape \(3, 3\)"),
        (([np.ones((3, 3))], [np.ones((2, 3, 3))], [np.ones((1, 3, 3))]), "slice 0"),
        (([np.ones((3, 3))] * 2, [np.ones((2, 3, 3)), np.ones((1, 3, 3))], [np.ones((2, 3, 3))] * 2), "slice 1"),
    ],
)
def test_errors_say_what_does_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        common_scale(*arguments)


def test_on_breast_lesions(data_root):
    """One k a patient explains the subtractions of the research data."""
    from tumortrace.io import find, read_image

    listing = find(data_root / "breadm-roi" / "val")
    found = []
    for _, rows in list(listing.frame.groupby("patient"))[:8]:
        images = rows.set_index(["sequence", "slice"])["image"].map(lambda p: read_image(listing.root / p).array)
        slices = images["VIBRANT"].index
        stacks = [
            [np.stack([images[f"{name}{i}", s] for i in range(1, 9)]) for s in slices]
            for name in ("VIBRANT+C", "SUB")
        ]
        found.append(common_scale([images["VIBRANT", s] for s in slices], *stacks))
    assert np.median([f.r_squared for f in found]) > 0.95
    assert all(0.2 < f.k < 0.8 for f in found)
