"""Models: the same bits in a fresh process, an error row for what cannot be scored, and predictions compared."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from tumortrace import evaluation, io
from tumortrace.model import (
    Inputs,
    ModelError,
    compare_predictions,
    levels_of,
    load,
    measure_predictions,
    read_predictions,
    train,
    write,
)


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """Three patients that no model was trained on."""
    out = tmp_path_factory.mktemp("other") / "lesions"
    return io.synthetic.make_lesions(out, patients=3, slices=3, val_fraction=0, seed=11)


def listed(source):
    found = io.find(source)
    return found.frame.assign(image=[str(found.root / image) for image in found.frame["image"]])


def predict_elsewhere(model, source, out):
    """Predict in a fresh process."""
    code = (
        "import sys; from tumortrace.model import load; "
        "load(sys.argv[1]).predict(sys.argv[2], jobs=1).to_csv(sys.argv[3], index=False)"
    )
    subprocess.run([sys.executable, "-c", code, model, source, out], check=True)
    return read_predictions(out)


def test_a_saved_model_predicts_the_same_bits_in_a_fresh_process(lesions, other, quick, tiny, tmp_path):
    model = train("fused", lesions, out=tmp_path / "model", **quick | tiny | {"folds": 0})
    table = model.predict(other, jobs=1)
    assert [name for name in table.columns if not name.startswith("score_")] == [
        "split", "label", "patient", "slice", "score", "threshold", "predicted", "status", "error",
    ]  # fmt: skip
    pd.testing.assert_frame_equal(
        predict_elsewhere(tmp_path / "model", other, tmp_path / "p.csv"), table, check_exact=True
    )
    assert set(table["predicted"]) <= {"Benign", "Malignant"}
    assert table["predicted"].eq("Malignant").equals(table["score"] >= model.threshold)
    alone = listed(other)
    alone = alone[alone["patient"] == alone["patient"].iloc[0]].drop(columns=["label", "split"])
    rows = model.predict(alone, jobs=1)
    assert "label" not in rows
    np.testing.assert_array_equal(rows["score"], table["score"][: len(rows)])


@pytest.mark.parametrize("backbone", ["vgg16", "resnet18", "resnet50"])
def test_the_networks_of_the_report(lesions, other, tiny, tmp_path, backbone):
    few = listed(lesions).query("patient in ['SYN-001', 'SYN-002', 'SYN-003', 'SYN-004', 'SYN-005', 'SYN-006']")
    parameters = tiny | {"folds": 0, "epochs": 1, "sequences": ["VIBRANT"], "size": 32}
    model = train("cnn", few, backbone=backbone, out=tmp_path / "model", **parameters)
    score = model.predict(other, jobs=1)["score"]
    assert score.between(0, 1).all()
    assert model.record["plan"]["backbone"] == backbone
    if backbone != "vgg16":  # half a gigabyte to read once more
        pd.testing.assert_series_equal(load(tmp_path / "model").predict(other, jobs=1)["score"], score)


def test_rows_that_cannot_be_scored_say_why(lesions, other, tiny, tmp_path):
    model = train("cnn", lesions, **tiny | {"folds": 0, "epochs": 1})
    good = model.predict(other, jobs=1)
    frame = listed(other)
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    frame.loc[frame["sequence"] == "VIBRANT", "image"] = [
        str(tmp_path / "bad.jpg") if i == 1 else image
        for i, image in enumerate(frame.loc[frame["sequence"] == "VIBRANT", "image"])
    ]
    table = model.predict(frame.drop(index=frame[frame["sequence"] == "VIBRANT+C2"].index[0]), jobs=1)
    assert table["status"].tolist() == ["failed", "failed"] + ["ok"] * (len(table) - 2)
    assert table["error"][0] == "it has no vibrant_c2"
    assert "bad.jpg" in table["error"][1]
    assert table["score"][:2].isna().all()
    assert table["predicted"][:2].tolist() == ["", ""]
    np.testing.assert_array_equal(table["score"][2:], good["score"][2:])
    nothing = model.predict(frame.assign(image=str(tmp_path / "bad.jpg")), jobs=1)
    assert nothing["status"].eq("failed").all()


def test_rows_the_model_was_trained_on_are_noticed(lesions, other, quick):
    model = train("handcrafted", lesions, **quick | {"folds": 0})
    both = pd.concat([listed(lesions), listed(other)], ignore_index=True)
    both = both.assign(
        patient=both["image"].str.contains("model").map({True: "old ", False: "new "}) + both["patient"]
    )
    with pytest.warns(UserWarning, match="19 of 2[0-9] rows are among those that the model was trained on"):
        model.predict(both, jobs=1)


def test_a_source_that_lacks_what_the_model_needs(lesions, other, quick):
    model = train("handcrafted", lesions, **quick | {"folds": 0})
    frame = listed(other)
    with pytest.raises(ValueError, match="the source lacks the sequences SUB2; it has SUB1, SUB3"):
        model.predict(frame[frame["sequence"] != "SUB2"])
    with pytest.raises(ValueError, match="names no patient"):
        model.predict(frame.drop(columns="patient"))


def test_a_model_of_another_make_is_refused(tmp_path):
    from sklearn.linear_model import LogisticRegression

    write(tmp_path / "model", {"kind": "other"}, LogisticRegression().fit([[0.0], [1.0]], [0, 1]))
    with pytest.raises(ModelError, match="its manifest is not that of a trained model"):
        load(tmp_path / "model")


def predictions(seed, patients=20, shift=1.0):
    rng = np.random.default_rng(seed)
    patient = np.repeat([f"P{i:02}" for i in range(patients)], 3)
    label = np.repeat(np.where(np.arange(patients) % 2, "Malignant", "Benign"), 3)
    odds = rng.normal(size=len(patient)) + shift * (label == "Malignant")
    return pd.DataFrame(
        {
            "patient": patient,
            "slice": np.tile([1, 2, 3], patients),
            "label": label,
            "score": 1 / (1 + np.exp(-odds)),
        }
    )


def test_predictions_are_compared_row_by_row_whatever_their_order():
    a, b = predictions(0, shift=2), predictions(1, shift=0.5)
    found = compare_predictions(a, b.sample(frac=1, random_state=0), "Malignant")
    y = a["label"] == "Malignant"
    assert found["slice"] == evaluation.compare(y, a["score"], b["score"], a["patient"])
    by = ["patient"]
    means = [evaluation.aggregate(table, by) for table in (a, b)]
    expected = evaluation.compare(
        means[0]["label"] == "Malignant", means[0]["score"], means[1]["score"], means[0]["patient"]
    )
    assert found["patient"] == expected
    assert found["slice"].difference.value > 0 > compare_predictions(b, a, "Malignant")["slice"].difference.value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda t: t.iloc[5:],
            "55 rows are in both tables, 5 only in the first and 0 only in the second, by",
        ),
        (lambda t: t.assign(label=t["label"].to_numpy()[::-1]), "60 rows differ in label"),
        (lambda t: t.drop(columns="label"), "have no column label"),
        (lambda t: t.assign(score=np.nan), "no row of the predictions has a label and a score"),
        (lambda t: pd.concat([t, t]), "the second table has rows twice"),
    ],
)
def test_what_cannot_be_compared(change, message):
    with pytest.raises(ValueError, match=message):
        compare_predictions(predictions(0), change(predictions(1)), "Malignant")


def test_levels_are_those_that_the_rows_agree_on():
    table = predictions(0)
    assert list(levels_of(table)) == ["slice", "patient"]
    assert list(levels_of(table.assign(image=np.arange(60).astype(str)))) == ["image", "slice", "patient"]
    two_lesions = table.assign(label=np.where(table["slice"] == 1, "Benign", "Malignant"))
    assert list(levels_of(two_lesions)) == ["slice"]
    assert set(measure_predictions(two_lesions, "Malignant")["level"]) == {"slice"}


def test_predictions_come_back_from_csv_as_they_were(tmp_path):
    table = predictions(0).assign(fold=1, error="", status="ok", score_cnn=lambda t: t["score"] / 3)
    table.loc[3, "score"] = np.nan
    table["patient"] = table["patient"].str.replace("P", "0")
    table.to_csv(tmp_path / "p.csv", index=False)
    pd.testing.assert_frame_equal(read_predictions(tmp_path / "p.csv"), table, check_exact=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is no table of predictions"),
        ("patient,label\na,b\n", "has no column score; its columns are patient, label"),
        ("patient,score\na,high\n", "the column score holds another thing than numbers"),
        ("\x89PNG", "is no table of predictions"),
    ],
)
def test_what_is_no_table_of_predictions(tmp_path, content, message):
    path = tmp_path / "p.csv"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ValueError, match=message):
        read_predictions(path)


def test_the_phases_of_kinetics_are_those_of_the_training(lesions, quick):
    model = train("handcrafted", lesions, **quick)
    assert len(model.inputs.phases) == 9
    assert len(model.inputs.subtractions) == 8
    assert Inputs.from_dict(model.inputs.to_dict()) == model.inputs
    there = io.find(lesions).frame
    fewer = there[there["sequence"] != "VIBRANT+C8"]
    fewer = fewer.assign(image=[str(lesions / image) for image in fewer["image"]])
    with pytest.raises(ValueError, match=r"lacks the sequences VIBRANT\+C8"):
        model.predict(fewer, jobs=1)
