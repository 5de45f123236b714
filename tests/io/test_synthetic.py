"""Synthetic lesions: layout, determinism, what they copy, how hard they are, and whose folder they overwrite."""

import hashlib
import time

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from tumortrace.io import breadm, class_distribution, find, read_image, synthetic


@pytest.fixture(scope="module")
def lesions(tmp_path_factory):
    return find(synthetic.make_lesions(tmp_path_factory.mktemp("synthetic")))


def digest(root):
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(str(p.relative_to(root)).encode() + p.read_bytes() for p in files)).hexdigest()


def test_layout(lesions):
    assert (lesions.skipped, lesions.problems) == ((), ())
    frame = lesions.frame
    assert frame.columns.tolist() == list(breadm.COLUMNS)
    assert set(frame["sequence"]) == set(synthetic.SEQUENCES)
    assert (frame.groupby(["patient", "slice"])["sequence"].nunique() == 17).all()
    assert frame.groupby("patient")["slice"].nunique().between(2, 6).all()
    table = class_distribution(frame).set_index(["split", "label"])["patients"]
    assert table.loc["all"].to_dict() == {"Benign": 24, "Malignant": 36, "all": 60}
    assert table.loc["val"].to_dict() == {"Benign": 5, "Malignant": 7, "all": 12}


def test_sizes_are_those_of_lesions_and_say_nothing_of_the_class(lesions):
    frame = lesions.frame.drop_duplicates("patient")
    sides = np.array([read_image(lesions.root / path).array.shape for path in frame["image"]])
    assert sides.min() >= 6
    assert sides.max() <= 75
    assert 20 <= np.median(sides) <= 30
    assert 0.3 < roc_auc_score(frame["label"] == "Malignant", np.sqrt(sides.prod(axis=1))) < 0.7


def test_subtraction_is_a_scaled_difference(lesions):
    frame = lesions.frame
    r2 = []
    for _, images in frame[frame["slice"] == frame.groupby("patient")["slice"].transform("min")].groupby("patient"):
        path = images.set_index("sequence")["image"]
        v, c, sub = (
            read_image(lesions.root / path[s]).array.ravel().astype(float)
            for s in ("VIBRANT", "VIBRANT+C4", "SUB4")
        )
        seen = (sub > 5) & (sub < 250) & (c < 250) & (v < 250)
        if seen.sum() < 50:
            continue
        design = np.column_stack([c, v])[seen]
        fit, *_ = np.linalg.lstsq(design, sub[seen])
        assert fit[0] > 0 > fit[1]
        r2.append(1 - np.var(sub[seen] - design @ fit) / np.var(sub[seen]))
    assert len(r2) > 40
    assert np.median(r2) > 0.98


def test_same_seed_same_bytes(tmp_path):
    a, b, c = (tmp_path / name for name in "abc")
    settings = {"patients": 3, "slices": 2}
    synthetic.make_lesions(a, seed=7, **settings)
    synthetic.make_lesions(b, seed=7, **settings)
    synthetic.make_lesions(c, seed=8, **settings)
    assert digest(a) == digest(b) != digest(c)


def test_sixty_patients_are_quick(tmp_path):
    start = time.perf_counter()
    synthetic.make_lesions(tmp_path / "lesions")
    assert time.perf_counter() - start < 10


def simple_auc(listing, sequences):
    """Grouped cross-validation on a few numbers of each image, a slice's sequences side by side."""
    frame = listing.frame[listing.frame["sequence"].isin(sequences)]
    numbers = {}
    for row in frame.itertuples():
        image = read_image(listing.root / row.image).array.astype(float)
        step = np.hypot(*np.gradient(image))
        rows, cols = (side // 4 for side in image.shape)
        middle = image[rows:-rows, cols:-cols]
        numbers.setdefault((row.patient, row.slice, row.label), []).extend(
            [image.mean(), image.std(), step.mean(), step.std(), middle.mean(), middle.std(), np.median(middle)]
        )
    patients, _, labels = zip(*numbers, strict=True)
    truth = np.array(labels) == "Malignant"
    table = np.array(list(numbers.values()))
    scores = cross_val_predict(
        ExtraTreesClassifier(200, min_samples_leaf=2, random_state=0),
        table,
        truth,
        groups=patients,
        cv=StratifiedGroupKFold(5, shuffle=True, random_state=0),
        method="predict_proba",
    )
    return roc_auc_score(truth, scores[:, 1])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_good_model_is_good_but_not_perfect(tmp_path, seed):
    listing = find(synthetic.make_lesions(tmp_path / "lesions", seed=seed))
    assert 0.80 < simple_auc(listing, synthetic.SEQUENCES) < 0.97


def test_separation_is_the_difficulty(tmp_path):
    auc = [
        simple_auc(find(synthetic.make_lesions(tmp_path / str(d), separation=d)), synthetic.SEQUENCES)
        for d in (0, 1.8, 6)
    ]
    assert auc[0] < 0.7 < auc[1] < 0.97 < auc[2]


def test_progress_counts_patients(tmp_path):
    calls = []
    synthetic.make_lesions(tmp_path / "out", patients=3, slices=1, progress=lambda *call: calls.append(call))
    assert calls == [(1, 3), (2, 3), (3, 3)]


def test_one_class_and_no_split(tmp_path):
    frame = find(
        synthetic.make_lesions(tmp_path / "out", patients=2, slices=1, malignant_fraction=0, val_fraction=0)
    ).frame
    assert set(frame["label"]) == {"Benign"}
    assert set(frame["split"]) == {""}


def test_replaces_its_own_folder_and_no_other(tmp_path):
    out = tmp_path / "deep" / "out"
    synthetic.make_lesions(out, patients=2, slices=1)
    assert synthetic.make_lesions(out, patients=1, slices=1) == out
    assert find(out).frame["patient"].nunique() == 1
    (out / "mine.txt").write_text("precious")
    with pytest.raises(FileExistsError, match="holds other files; give a new or empty folder"):
        synthetic.make_lesions(out, patients=1)
    assert (out / "mine.txt").read_text() == "precious"
    with pytest.raises(FileExistsError, match="is a file"):
        synthetic.make_lesions(out / "mine.txt", patients=1)
    foreign = tmp_path / "foreign" / "train"
    foreign.mkdir(parents=True)
    with pytest.raises(FileExistsError, match="holds other files"):
        synthetic.make_lesions(tmp_path / "foreign", patients=1)


def test_interruption_leaves_nothing_behind(tmp_path):
    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synthetic.make_lesions(tmp_path / "out", patients=2, slices=1, progress=interrupt)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"patients": 0}, "patients is 0; give a whole number of at least 1"),
        ({"slices": 100}, "slices is 100; give a whole number from 1 to 99"),
        ({"malignant_fraction": 1.5}, "malignant_fraction is 1.5; give a number from 0 to 1"),
        ({"val_fraction": "half"}, "val_fraction is 'half'; give a number from 0 to 1"),
        ({"separation": -1}, "separation is -1; give a number of at least 0"),
        ({"separation": float("inf")}, "separation is inf"),
        ({"separation": float("nan")}, "separation is nan"),
        ({"seed": -1}, "seed is -1; give a whole number of at least 0"),
    ],
)
def test_bad_settings(tmp_path, settings, message):
    with pytest.raises(ValueError, match=message):
        synthetic.make_lesions(tmp_path / "out", **settings)
    assert list(tmp_path.iterdir()) == []
