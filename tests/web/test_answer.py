"""The demo says what `tumortrace predict` says, the same every time, and how sure to be of it."""

import dataclasses
import json
import math
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.stats import binomtest

from tumortrace import io
from tumortrace.cli import main
from tumortrace.io.synthetic import SEQUENCES
from tumortrace.model import read_predictions
from tumortrace.web._answer import answer
from tumortrace.web._confidence import confidence
from tumortrace.web._error import DemoError
from tumortrace.web._reader import Box, Lesion, crop, lossless, phases, png, read, read_data, single
from tumortrace.web._shelf import open_shelf

SINGLE = ("cnn", "fused", "handcrafted", "resnet18", "resnet50", "vgg16")


@pytest.fixture(scope="module")
def shelf(models):
    return open_shelf([models])


@pytest.fixture(scope="module")
def unseen(tmp_path_factory):
    """The files of a slice of a patient that no model saw: sequence → path."""
    made = io.synthetic.make_lesions(tmp_path_factory.mktemp("unseen") / "lesions", patients=1, slices=1, seed=99)
    found = io.find(made)
    return {row["sequence"]: found.root / row["image"] for row in found.frame.to_dict("records")}


@pytest.fixture
def lesion(unseen):
    return single(read(unseen["VIBRANT+C2"]))


def predicted(model, source, folder):
    """What `tumortrace predict` writes."""
    assert main(["predict", str(model), str(source), "-o", str(folder / "out.csv"), "--jobs", "1", "-q"]) == 0
    return read_predictions(folder / "out.csv").iloc[0]


@pytest.mark.parametrize("key", SINGLE)
def test_a_crop_is_scored_as_predict_scores_it(shelf, models, unseen, lesion, tmp_path, key):
    found = answer(shelf[key], lesion, workplace=tmp_path)
    row = predicted(models / key, unseen["VIBRANT+C2"], tmp_path)
    assert (found.positive, found.threshold, found.called) == (row["score"], row["threshold"], row["predicted"])
    assert found.negative == 1 - found.positive
    assert found.classes == ("Benign", "Malignant")
    assert found.called == found.classes[found.positive >= found.threshold]
    assert {f"score_{score.name}": score.positive for score in found.members} == {
        name: row[name] for name in row.index if name.startswith("score_")
    }
    assert list(tmp_path.iterdir()) == [tmp_path / "out.csv"]


@pytest.mark.parametrize("count", [9, 17])
def test_the_phases_of_a_slice_are_scored_as_predict_scores_them(shelf, models, unseen, tmp_path, count):
    names = SEQUENCES[:count]
    manifest = tmp_path / "slice.csv"
    rows = [f"{unseen[name]},P,{name},1" for name in reversed(names)]
    manifest.write_text("\n".join(["Image,Patient,Sequence,Slice", *rows]))
    lesion = phases([unseen[name] for name in names], [f"{name}.jpg" for name in names])
    found = answer(shelf[f"phases{count}"], lesion, workplace=tmp_path)
    assert found.positive == predicted(models / f"phases{count}", manifest, tmp_path)["score"]
    assert {score.parent for score in found.members} >= {None, "handcrafted"}


def test_a_box_is_scored_as_the_pixels_in_it(shelf, models, unseen, rng, tmp_path):
    inside = io.read_image(unseen["VIBRANT+C2"]).array
    field = rng.integers(0, 256, (90, 110), dtype=np.uint8)
    field[20 : 20 + inside.shape[0], 30 : 30 + inside.shape[1]] = inside
    box = Box(30, 20, inside.shape[1], inside.shape[0])
    found = answer(shelf["fused"], single(crop(read_data(png(field), "slice.png"), box)), workplace=tmp_path)
    assert found.positive == predicted(models / "fused", unseen["VIBRANT+C2"], tmp_path)["score"]


def test_leaves_weigh_as_much_as_they_say(shelf, lesion, tmp_path):
    found = answer(shelf["fused"], lesion, workplace=tmp_path)
    parents = {score.parent for score in found.members}
    leaves = [score for score in found.members if score.name not in parents]
    assert sum(score.weight for score in leaves) == pytest.approx(1)
    odds = sum(score.weight * math.log(score.positive / (1 - score.positive)) for score in leaves)
    assert odds == pytest.approx(math.log(found.positive / found.negative), abs=1e-9)


def test_threads_get_the_same_answer(shelf, lesion, tmp_path):
    keys = ["fused", "handcrafted", "resnet18"] * 6
    expected = {key: answer(shelf[key], lesion, workplace=tmp_path).positive for key in set(keys)}
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda key: answer(shelf[key], lesion, workplace=tmp_path).positive, keys))
    assert found == [expected[key] for key in keys]
    assert list(tmp_path.iterdir()) == []


def test_a_lesion_of_the_training_is_known_again(shelf, lesions, lesion, tmp_path):
    path = next(lesions.rglob("VIBRANT+C2/*.jpg"))
    seen = answer(shelf["handcrafted"], single(read(path, "renamed.png")), workplace=tmp_path)
    fresh = answer(shelf["handcrafted"], lesion, workplace=tmp_path)
    assert any("among those that the model was trained on" in notice for notice in seen.notices)
    assert fresh.notices == ()
    synthetic = dataclasses.replace(shelf["handcrafted"], synthetic=True)
    assert answer(synthetic, lesion, workplace=tmp_path).notices == (
        "This model was trained on synthetic lesions alone: what it says of a real one means nothing.",
    )


@pytest.mark.parametrize("count", [9, 17])
def test_a_slice_of_the_training_is_known_again(shelf, lesions, tmp_path, count):
    patient = next(lesions.rglob("VIBRANT")).parent
    paths = [next((patient / name).iterdir()) for name in SEQUENCES[:count]]
    found = answer(shelf[f"phases{count}"], phases(paths, list(SEQUENCES[:count])), workplace=tmp_path)
    assert any("among those that the model was trained on" in notice for notice in found.notices)


def test_what_to_mind_is_said(shelf, rng, tmp_path):
    colour = rng.integers(0, 256, (5, 30, 3), dtype=np.uint8)
    found = answer(shelf["handcrafted"], single(read_data(png(colour), "x.png")), workplace=tmp_path)
    assert "The image is in colour; its brightness was read as grey." in found.notices
    assert any(notice.startswith("The crop has 5 × 30 pixels: too few") for notice in found.notices)
    assert 0 < found.positive < 1


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
@pytest.mark.parametrize("shape", [(3, 3), (3, 40), (17, 11)])
def test_any_depth_and_size_has_an_answer(shelf, rng, tmp_path, dtype, shape):
    data, ending = lossless(rng.integers(0, 5000, shape).astype(dtype))
    found = answer(shelf["fused"], single(read_data(data, f"x{ending}")), workplace=tmp_path)
    assert 0 < found.positive < 1


def test_the_wrong_number_of_pictures_is_refused(shelf, lesion, unseen, tmp_path):
    with pytest.raises(DemoError, match="phases9 takes the 9 phases of a slice, and here is one crop"):
        answer(shelf["phases9"], lesion, workplace=tmp_path)
    nine = phases([unseen[name] for name in SEQUENCES[:9]], [f"{name}.jpg" for name in SEQUENCES[:9]])
    with pytest.raises(DemoError, match="fused takes one crop, and here are 9 phases; choose another model"):
        answer(shelf["fused"], nine, workplace=tmp_path)


def test_what_cannot_be_scored_says_why(shelf, lesion, tmp_path):
    broken = Lesion((dataclasses.replace(lesion.pictures[0], data=b"rubbish", name="scan.jpg"),))
    with pytest.raises(DemoError, match=r"scan\.jpg: the model cannot score it: "):
        answer(shelf["fused"], broken, workplace=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_of_a_model_of_several_sequences_the_crop_says_which(models, lesion, tmp_path):
    one = open_shelf([models / "handcrafted"])["handcrafted"]
    record = json.loads(json.dumps(dict(one.record)))
    record["inputs"]["sequences"] = ["SUB2", "VIBRANT+C2"]
    several = dataclasses.replace(one, record=record)
    with pytest.raises(DemoError, match=r"knows VIBRANT\+C2, SUB2; say which one the crop is"):
        answer(several, lesion, workplace=tmp_path)
    assert answer(several, lesion, workplace=tmp_path, sequence="SUB2").row["sequence"] == "SUB2"


def test_a_damaged_model_is_said_to_be(models, lesion, tmp_path):
    shutil.copytree(models / "handcrafted", tmp_path / "damaged")
    (tmp_path / "damaged" / "sklearn.skops").write_bytes(b"x")
    with pytest.raises(DemoError, match="the model damaged cannot be read: it is damaged") as caught:
        answer(open_shelf([tmp_path / "damaged"])["damaged"], lesion, workplace=tmp_path)
    assert str(tmp_path) not in str(caught.value)


def record(low, high, share=0.5, *, patients=20, threshold=0.5, classes=("Benign", "Malignant")):
    bins = [
        {"from": 0.0, "to": 0.4, "score": 0.2, "share": 0.1, "low": 0.0, "high": 0.2, "rows": 9, "patients": 8},
        {"from": 0.6, "to": 0.8, "score": 0.7, "share": share, "low": low, "high": high, "rows": 34}
        | {"patients": patients},
    ]
    return {"classes": classes, "threshold": threshold, "calibration": bins, "inputs": {"unit": "image"}}


@pytest.mark.parametrize(
    ("low", "high", "threshold", "word"),
    [
        (0.8, 0.9, 0.5, "High"),
        (0.79, 0.9, 0.5, "Moderate"),
        (0.5, 0.9, 0.5, "Low"),
        (0.1, 0.2, 0.9, "High"),  # called benign, and 80 % of such lesions were
        (0.1, 0.21, 0.9, "Moderate"),
        (0.1, 0.5, 0.9, "Low"),
    ],
)
def test_the_word_is_what_the_lower_end_of_the_interval_allows(low, high, threshold, word):
    assert confidence(record(low, high, threshold=threshold), 0.7).word == word


def test_confidence_is_counted_in_words():
    found = confidence(record(0.54, 0.84, 0.71, classes=("healthy", "Ill")), 0.7)
    assert found.sentence == (
        "Of lesions with a score like this one (0.6 to 0.8) in the model's own test, 71 % (54 to 84 %; 34 images "
        "of 20 patients) were ill."
    )
    assert (found.share, found.low, found.high) == (0.71, 0.54, 0.84)


@pytest.mark.parametrize("share", [0.0, 1.0])
@pytest.mark.parametrize("patients", [1, 4, 40])
def test_an_interval_without_spread_is_that_of_wilson(share, patients):
    found = confidence(record(share, share, share, patients=patients), 0.7)
    expected = binomtest(round(share * patients), patients).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert ("1 patient)" in found.sentence) == (patients == 1)


def test_nothing_is_made_up_where_nothing_was_counted():
    gap, untested = confidence(record(0.8, 0.9), 0.5), confidence(record(0.8, 0.9) | {"calibration": []}, 0.7)
    assert (gap.word, untested.word) == ("Unknown", "Unknown")
    assert gap.sentence == "No lesion of the model's own test had a score like this one."
    assert untested.sentence == "The model was not tested, so nothing is known of how often it is right."
    assert gap.share is untested.share is None


@pytest.mark.parametrize(
    ("score", "said"),
    [
        (0.7, "The score is 0.20 above the threshold of 0.50."),
        (0.3, "The score is 0.20 below the threshold of 0.50."),
        (0.5, "The score is 0.00 above the threshold of 0.50: a slightly different crop may be called otherwise."),
    ],
)
def test_the_distance_to_the_threshold_is_said(score, said):
    assert confidence(record(0.8, 0.9), score).distance == said
