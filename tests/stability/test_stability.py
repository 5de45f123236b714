"""Perturbations do what they say, and stable features come out stable."""

import numpy as np
import pandas as pd
import pytest

from tumortrace.cli import main
from tumortrace.fusion import EarlyFusion
from tumortrace.io import synthetic
from tumortrace.report import plot_stability
from tumortrace.stability import DEFAULT, grow, noise, noise_level, parse, rotate, shift, stability

ONE = {"spacing": (1, 1, 1), "rng": None}


def ball(radius=6, size=21):
    z, y, x = np.indices((size,) * 3) - size // 2
    return z * z + y * y + x * x <= radius * radius


def test_a_shift_moves_a_ramp_and_a_mask():
    ramp = np.arange(41.0) * np.ones((9, 41, 1))
    mask = np.zeros(ramp.shape, bool)
    mask[3:6, 15:20, 15:20] = True
    moved, shifted = shift(ramp, mask, by=1, **ONE)
    np.testing.assert_allclose(moved[4, 20, 10:30], ramp[4, 20, 9:29], atol=1e-6)
    np.testing.assert_array_equal(shifted[4:7, 16:21, 16:21], True)
    assert shifted.sum() == mask.sum()


def test_a_quarter_turn_is_exact_and_four_are_none(rng):
    image = rng.normal(size=(3, 15, 15))
    mask = np.zeros(image.shape, bool)
    mask[:, 3:12, 3:12] = True
    mask[:, 5, 5] = False
    mask[:, 9, 9] = False
    turned, moved = rotate(image, mask, degrees=90, **ONE)
    np.testing.assert_allclose(turned, np.rot90(image, 1, axes=(1, 2)), atol=1e-9)
    np.testing.assert_array_equal(moved, np.rot90(mask, 1, axes=(1, 2)))


def test_a_turn_in_space_where_pixels_are_no_squares():
    """A line of 8 mm along the rows becomes one of 8 mm along the columns, twice as far apart."""
    mask = np.zeros((1, 21, 21), bool)
    mask[0, 6:15, 9:12] = True
    image = mask.astype(float)
    turned, _ = rotate(image, mask, spacing=(1, 1, 2), rng=None, degrees=90)
    assert np.ptp(np.nonzero(turned[0, 10] > 0.5)[0]) * 2 == pytest.approx(8, abs=2)


def test_the_level_of_noise_is_found_and_added(rng):
    image = 50 + np.add.outer(np.arange(120), np.arange(120)) + 4 * rng.normal(size=(120, 120))
    assert noise_level(image) == pytest.approx(4, rel=0.05)
    noisier, _ = noise(image, None, spacing=(1, 1), rng=np.random.default_rng(1))
    assert np.std(noisier - image) == pytest.approx(4, rel=0.05)
    assert noise_level(np.full((8, 8), 3)) == 0


@pytest.mark.parametrize("fraction", [-0.3, -0.1, 0.1, 0.4])
def test_a_mask_grows_and_shrinks_by_its_volume(fraction):
    mask = ball()
    _, changed = grow(np.zeros(mask.shape), mask, fraction=fraction, **ONE)
    assert changed.sum() / mask.sum() - 1 == pytest.approx(fraction, abs=0.002)
    assert (changed & mask).sum() == min(changed.sum(), mask.sum())
    assert grow(np.zeros((2, 2)), None, spacing=(1, 1), rng=None, fraction=0.5)[1] is None


def test_entries_are_parsed_and_mistakes_are_told():
    assert len(parse(DEFAULT)) == 10
    with pytest.raises(ValueError, match="unknown perturbation: shfit"):
        parse(["shfit"])
    with pytest.raises(ValueError, match="needs degrees"):
        parse(["rotate"])
    with pytest.raises(ValueError, match="one value"):
        parse([[{"shift": {"by": [1, 2]}}]])
    with pytest.raises(ValueError, match="there are no perturbations"):
        parse([])


@pytest.fixture(scope="module")
def volumes():
    rng = np.random.default_rng(5)
    mask = ball(5, 15)
    images = [100 * k + (4 + 3 * k) * rng.normal(size=mask.shape) for k in range(8)]
    return images, [mask] * 8


def test_what_tells_lesions_apart_is_stable_and_noise_is_not(volumes):
    images, masks = volumes
    table = stability(images, ["first_order", "morphology"], masks=masks, jobs=1).set_index("feature")
    assert table.loc["first_order_mean", "stability"] == "excellent"
    assert table.loc["first_order_mean", "icc"] > 0.99
    assert table.loc["first_order_skewness", "stability"] == "poor"
    same = table.loc["morphology_volume_voxel_counting"]  # one mask for all: no lesion differs from another
    assert same["icc"] < 0.1
    assert (table["copies"] == 10).all()
    assert (table["lesions"].dropna() <= 8).all()


def test_no_perturbation_is_no_difference(volumes):
    images, masks = volumes
    table = stability(images, ["first_order"], masks=masks, perturbations=[{"noise": {"sigma": 1e-12}}], jobs=1)
    assert (table["icc"].dropna() > 0.999999).sum() >= 20


def test_the_numbers_do_not_depend_on_processes_but_on_the_seed(volumes):
    images, masks = volumes
    one, two = (stability(images, ["first_order"], masks=masks, seed=3, jobs=jobs) for jobs in (1, 2))
    pd.testing.assert_frame_equal(one, two)
    other = stability(images, ["first_order"], masks=masks, seed=4, jobs=1)
    assert not one["icc"].equals(other["icc"])


def test_lesions_that_cannot_be_measured_are_told(volumes, tmp_path):
    images, masks = volumes
    empty = [*masks[:-1], np.zeros(masks[0].shape, bool)]
    table = stability(images, ["first_order"], masks=empty, perturbations=["noise"], jobs=1)
    ((name, reason),) = table.attrs["left_out"]
    assert (name, table["lesions"].max()) == ("7", 7)
    assert "mask is empty" in reason
    with pytest.raises(ValueError, match="2 lesions could be measured; give 3 at least"):
        stability(images[:2], ["first_order"], jobs=1)


def test_a_fusion_leaves_unstable_columns_out(rng):
    X = pd.DataFrame(rng.normal(size=(60, 3)), columns=["glcm_contrast", "sub1__glcm_contrast", "lbp_code_0"])
    y = np.tile([0, 1], 30)
    groups = {"texture": list(X.columns)}
    stable = {"glcm_contrast": 0.5, "lbp_code_0": 0.9}
    assert EarlyFusion(groups, stable=stable).fit(X, y).columns_ == {"texture": [2]}
    assert EarlyFusion(groups, stable=stable, min_stability=0.4).fit(X, y).columns_ == {"texture": [0, 1, 2]}
    assert EarlyFusion(groups, stable={"lbp_code_0": float("nan")}).fit(X, y).columns_ == {"texture": [0, 1]}
    with pytest.raises(ValueError, match="no column has a stability"):
        EarlyFusion(groups, stable=stable, min_stability=0.95).fit(X, y)
    with pytest.raises(TypeError, match="as a DataFrame"):
        EarlyFusion(stable=stable).fit(X.to_numpy(), y)


def test_the_command_writes_a_table_and_a_picture(tmp_path, capsys):
    lesions = synthetic.make_lesions(tmp_path / "lesions", patients=4, seed=1)
    manifest = tmp_path / "m.csv"
    images = sorted(lesions.rglob("VIBRANT+C2/*.jpg"))[:5]
    manifest.write_text("Image\n" + "\n".join(map(str, images)) + "\n")
    copies = tmp_path / "copies.yaml"
    copies.write_text("[noise, {rotate: {degrees: 5}}]")
    out = tmp_path / "s.csv"
    command = ["stability", str(manifest), "--features", "first_order,glcm", "-o", str(out), "--jobs", "1"]
    assert main([*command, "--perturb", str(copies), "--figure", str(tmp_path / "s.png")]) == 0
    table = pd.read_csv(out)
    assert set(table["copies"]) == {2}
    assert (tmp_path / "s.png").stat().st_size > 5000
    assert "69 features of 5 lesions" in capsys.readouterr().out
    figure = plot_stability(table, title="Stability")
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["glcm", "first_order"]
    copies.write_text("[turn]")
    assert main([*command, "--perturb", str(copies)]) == 2
