"""The demo's explanation adds up to its answer, its maps lie over the lesion, its pictures are always the same."""

import dataclasses
import io as _io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import PIL.Image
import pytest
from scipy.special import logit

from tumortrace import io
from tumortrace.explain import explain
from tumortrace.web._answer import answer
from tumortrace.web._details import TOP, _overlay, code_maps, details, picture_png, shown_picture
from tumortrace.web._error import DemoError
from tumortrace.web._reader import Lesion, lossless, phases, png, read, read_data, single
from tumortrace.web._shelf import open_shelf


@pytest.fixture(scope="module")
def shelf(models):
    return open_shelf([models])


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Sequence → file, of a slice that no model saw."""
    made = io.synthetic.make_lesions(tmp_path_factory.mktemp("unseen") / "lesions", patients=1, slices=1, seed=98)
    found = io.find(made)
    return {row["sequence"]: found.root / row["image"] for row in found.frame.to_dict("records")}


@pytest.fixture(scope="module")
def lesion(files):
    return single(read(files["VIBRANT+C2"]))


def pixels(data):
    return np.asarray(PIL.Image.open(_io.BytesIO(data)))


@pytest.mark.parametrize("key", ["fused", "handcrafted", "cnn", "phases9"])
def test_the_pushes_add_up_to_the_answer(shelf, files, lesion, tmp_path, key):
    asked = lesion if key != "phases9" else phases(list(files.values())[8:], list(files)[8:])
    found = details(shelf[key], asked, workplace=tmp_path)
    said = answer(shelf[key], asked, workplace=tmp_path)
    assert found.output == pytest.approx(logit(said.positive), abs=1e-9)
    assert found.base + sum(push.shap for push in found.families) == pytest.approx(found.output, abs=1e-9)
    assert logit(found.base_probability) == pytest.approx(found.base)
    strengths = [abs(push.shap) for push in found.families]
    assert strengths == sorted(strengths, reverse=True)
    assert [bool(found.features), bool(found.maps)] == [key != "cnn", key != "handcrafted"]
    assert list(tmp_path.iterdir()) == []


def test_the_features_are_the_strongest_of_the_explanation(shelf, files, lesion, tmp_path):
    found = details(shelf["fused"], lesion, workplace=tmp_path)
    table = explain(shelf["fused"].model, str(files["VIBRANT+C2"]), jobs=1)[0].features
    assert [feature.name for feature in found.features] == list(table.index[:TOP])
    assert found.others == len(table) - TOP
    for feature in found.features:
        row = table.loc[feature.name]
        for name in ("shap", "value", "percentile", "low", "median", "high", "median_negative", "median_positive"):
            assert getattr(feature, name) == row[name]
        assert feature.family == row["family"]
        assert feature.words != feature.name


def test_the_same_lesion_has_the_same_bytes_in_every_thread(shelf, lesion, tmp_path):
    expected = details(shelf["fused"], lesion, workplace=tmp_path), code_maps(lesion)
    with ThreadPoolExecutor(3) as pool:
        found = list(
            pool.map(lambda _: (details(shelf["fused"], lesion, workplace=tmp_path), code_maps(lesion)), range(3))
        )
    assert found == [expected] * 3


def test_a_map_is_the_more_opaque_the_hotter(lesion):
    rows, cols = lesion.shape
    heat = np.zeros((rows, cols), np.float32)
    heat[: rows // 3, -(cols // 3) :] = 1
    found = _overlay("cnn", lesion, [heat])
    colour = pixels(found.png)
    assert colour.shape[0] * cols == colour.shape[1] * rows
    alpha = colour[..., 3]
    assert alpha[0, -1] == 255
    assert alpha[-1].max() == alpha[:, 0].max() == 0
    assert found.alt.startswith("Grad-CAM of CNN: hottest in the upper right, above half in ")
    cold = _overlay("cnn", lesion, [0 * heat])
    assert "nothing in the image speaks for the positive class" in cold.alt
    assert pixels(cold.png)[..., 3].max() == 0


def test_every_operator_has_its_picture(lesion):
    found = code_maps(lesion)
    assert [one.name for one in found] == ["hog", "sobel", "lbp", "mvm_lbp", "mvmbp", "glcm"]
    assert len({one.png for one in found}) == 6
    for one in found:
        assert pixels(one.png).std() > 10
        assert one.alt


def test_the_second_phase_after_contrast_is_looked_at(files):
    names = list(files)
    lesion = phases(list(files.values()), names)
    assert shown_picture(lesion) is lesion.pictures[lesion.sequences.index("VIBRANT+C2")]
    other = Lesion(lesion.pictures[:2], ("before", "after"))
    assert shown_picture(other) is lesion.pictures[0]


def test_a_browser_is_given_eight_bits(rng):
    grey = rng.integers(0, 256, (5, 4), dtype=np.uint8)
    np.testing.assert_array_equal(pixels(picture_png(read_data(png(grey), "x.png"))), grey)
    deep = np.array([[1000, 2000, 3000]] * 3, np.uint16)
    np.testing.assert_array_equal(pixels(picture_png(read_data(png(deep), "x.png")))[0], [0, 128, 255])
    flat = read_data(lossless(np.full((2, 4, 4), 0.5, np.float32))[0], "x.tif")
    np.testing.assert_array_equal(pixels(picture_png(flat)), np.zeros((4, 4)))


def test_a_model_that_kept_nothing_to_explain_it_by_says_so(models, lesion, tmp_path):
    shelved = open_shelf([models / "handcrafted"])["handcrafted"]
    shelved.__dict__["model"] = dataclasses.replace(shelved.model, background=None)
    with pytest.raises(DemoError, match="trained by an earlier version; train it again to explain it"):
        details(shelved, lesion, workplace=tmp_path)
