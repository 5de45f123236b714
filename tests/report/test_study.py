"""What a report says was found: every number recomputed another way."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from report.reading import blocks, walk, words
from sklearn.metrics import average_precision_score, roc_auc_score

from tumortrace.evaluation import auc, compare
from tumortrace.explain import in_words
from tumortrace.report._document import Note, Picture, Table
from tumortrace.report._results import result_sections
from tumortrace.report._results._compared import comparisons
from tumortrace.report._results._crops import files, of_one_sequence
from tumortrace.report._results._data import data
from tumortrace.report._results._failures import failures, with_margin
from tumortrace.report._results._importance import importance
from tumortrace.report._results._limits import limits
from tumortrace.report._results._measured import results
from tumortrace.report._results._parts import contributions, recombined
from tumortrace.report._results._words import p_value
from tumortrace.report._study import Study

IDS = ["data", "results", "comparisons", "ablations", "importance", "failures", "limits"]


def test_a_study_knows_what_its_rows_are(study, predictions):
    assert (study.classes, study.unit, study.cross_fitted) == (("benign", "malignant"), "slice", True)
    assert list(study.levels) == ["slice", "patient"]
    assert list(study.leaves) == ["glcm", "lbp", "kinetics"]
    assert {name: member.weight for name, member in study.leaves.items()} == pytest.approx(
        {"glcm": 0.3, "lbp": 0.2, "kinetics": 0.5}
    )
    alone = Study(predictions.drop(columns=["fold", "slice"]).drop_duplicates("patient"), "malignant")
    assert (alone.unit, alone.cross_fitted, alone.members, alone.seen) == ("patient", False, {}, None)
    assert Study(predictions.drop(columns="slice"), "malignant").unit == "row"


def test_labels_must_be_two_and_one_of_them_positive(predictions):
    with pytest.raises(ValueError, match=r"the labels are \['benign', 'malignant'\] and the positive one 'cancer'"):
        Study(predictions, "cancer")
    with pytest.raises(ValueError, match=r"the labels are \['benign'\]"):
        Study(predictions.query("label == 'benign'"), "benign")


def test_features_follow_the_rows_whatever_their_order(predictions, study):
    frame = predictions[["patient", "slice"]].assign(
        value=predictions["score"], digest=[f"d{i}" for i in range(72)]
    )
    shuffled = frame.sample(frac=1, random_state=1)
    model = SimpleNamespace(estimator=None, record={"seen": ["d0", "d7"]})
    with_frame = Study(predictions, "malignant", model=model, frame=shuffled)
    np.testing.assert_array_equal(with_frame.features["value"], predictions["score"])
    assert np.flatnonzero(with_frame.seen).tolist() == [0, 7]
    assert Study(predictions, "malignant", frame=shuffled[:-1]).features is None
    assert study.features is None


def test_results_are_those_of_scikit_learn(study, predictions):
    table = next(block for block in blocks([results(study)], Table) if "every level" in block.caption)
    found = {row[0]: row[1:] for row in table.rows}
    assert table.header == ["Measure", "Per slice (72)", "Per patient (24)"]
    patients = predictions.groupby("patient").agg(label=("label", "first"), score=("score", "mean"))
    for place, rows in enumerate((predictions, patients)):
        y = rows["label"] == "malignant"
        assert found["Area under the ROC curve (AUC)"][place].startswith(f"{roc_auc_score(y, rows['score']):.3f} (")
        precision = average_precision_score(y, rows["score"])
        assert found["Average precision"][place].startswith(f"{precision:.3f} (")
        assert found["Sensitivity"][place].startswith(f"{(rows['score'][y] >= 0.5).mean():.3f} (")
        assert found["Specificity"][place].startswith(f"{(rows['score'][~y] < 0.5).mean():.3f} (")
    assert "(" not in found["Expected calibration error (lower is better)"][0]


def test_each_fold_is_measured_on_its_own_patients(study, predictions):
    table = next(block for block in blocks([results(study)], Table) if "each fold" in block.caption)
    for fold, row in enumerate(table.rows):
        own = predictions[predictions["fold"] == fold]
        area = roc_auc_score(own["label"] == "malignant", own["score"])
        assert row[:4] == [str(fold), "3", "3", f"{area:.3f}"]
    of_one_class = predictions.assign(fold=(predictions["label"] == "benign").astype(int))
    table = blocks([results(Study(of_one_class, "malignant"))], Table)[1]
    assert table.rows[0] == ["0", "12", "0", "–", "–"]


def test_rows_of_the_training_are_said_to_be_in_sample(predictions):
    rows = predictions.drop(columns="fold")
    frame = rows[["patient", "slice"]].assign(digest=[f"d{i}" for i in range(72)])
    record = {"seen": ["d1", "d2"], "data": {"left_out": []}, "plan": {"kind": "cnn"}}
    seen = Study(rows, "malignant", model=SimpleNamespace(estimator=None, record=record), frame=frame)
    note = blocks([results(seen)], Note)[0]
    assert "2 of 72 rows are among those that the model was trained on" in note.text
    assert "2 of 72 rows were in the training" in words([limits(seen)])
    fresh = Study(
        rows, "malignant", model=SimpleNamespace(estimator=None, record=record | {"seen": []}), frame=frame
    )
    assert blocks([results(fresh)], Note) == []
    assert "none was in the training" in words([limits(fresh)])
    assert "is not known from the predictions" in words([limits(Study(rows, "malignant"))])


def test_comparisons_are_those_of_the_evaluation(study, predictions):
    other = predictions.sample(frac=1, random_state=2).assign(score=lambda rows: rows["score_lbp"])
    both = Study(predictions, "malignant", model=study.model, others={"before": other})
    table = blocks([comparisons(both)], Table)[0]
    assert [row[:2] for row in table.rows] == [
        [name, level] for level in ("slice", "patient") for name in ("The model", "Texture", "Kinetics", "before")
    ]
    y = predictions["label"] == "malignant"
    expected = compare(y, predictions["score"], predictions["score_lbp"], predictions["patient"])
    assert table.rows[0][2] == f"{expected.a.value:.3f} ({expected.a.low:.3f} to {expected.a.high:.3f})"
    assert table.rows[3][2] == f"{expected.b.value:.3f} ({expected.b.low:.3f} to {expected.b.high:.3f})"
    more = [f"{number:+.3f}".replace("-", "−") for number in expected.difference]
    assert table.rows[3][3] == f"{more[0]} ({more[1]} to {more[2]})"
    assert table.rows[3][4:] == [p_value(expected.p), p_value(expected.p_delong)]
    assert "Per patient, " in words([comparisons(both)])


def test_other_rows_cannot_be_compared(predictions):
    fewer = Study(predictions, "malignant", others={"another": predictions[:-1]})
    with pytest.raises(ValueError, match="another: 71 rows are in both tables, 1 only in the first"):
        comparisons(fewer)


def test_margins_take_the_threshold_as_positive(predictions):
    rows = predictions[predictions["patient"].isin(["P00", "P01"])].assign(score=[0.5, 0.4, 0.9, 0.5, 0.4, 0.9])
    found = with_margin(Study(rows, "malignant"))["margin"].to_numpy()
    assert (found < 0).tolist() == [True, False, True, False, True, False]
    np.testing.assert_allclose(np.abs(found), [0, 0.1, 0.4, 0, 0.1, 0.4], atol=1e-9)


def test_failures_are_the_worst_of_each_patient(study, predictions):
    section = failures(study)
    assert [one.id for one in section.subsections] == ["missed", "false-alarms"]
    rows = predictions.assign(wrong=(predictions["score"] >= 0.5) != (predictions["label"] == "malignant"))
    for one, label, sign in ((section.subsections[0], "malignant", 1), (section.subsections[1], "benign", -1)):
        wrong = rows[rows["wrong"] & (rows["label"] == label)]
        worst = wrong.loc[(sign * wrong["score"]).groupby(wrong["patient"]).idxmin()]
        worst = worst.loc[(sign * worst["score"]).sort_values().index][:3]
        said = [block.text for block in one.blocks]
        assert len(said) == len(worst) > 0
        for text, row in zip(said, worst.to_dict("records"), strict=True):
            assert text.startswith(f"{row['patient']}, slice {row['slice']}: {label}, score {row['score']:.2f}, ")
        pulled = contributions(study).loc[worst.index[0]] * (-1 if label == "malignant" else 1)
        names = {"glcm": "GLCM", "lbp": "LBP", "kinetics": "Kinetics"}
        assert f" {names[pulled.idxmax()]} " in said[0]
        assert "pulled the wrong way most" in said[0]


def test_without_an_error_there_is_no_failure(predictions):
    right = predictions.assign(score=np.where(predictions["label"] == "malignant", 0.9, 0.1))
    section = failures(Study(right, "malignant"))
    assert words([section]) == "Every slice was called right at its threshold."
    assert section.subsections == ()


def test_data_are_counted_and_what_is_missing_is_said(study, predictions):
    more = pd.concat([predictions, predictions[:2].assign(slice=[8, 9], score=np.nan)])
    section = data(Study(more, "malignant", model=study.model))
    table = blocks([section], Table)[0]
    assert table.header == ["Split", "Class", "Patients", "Slices"]  # images are not known from slices
    assert [row[1:4] for row in table.rows] == [
        ["benign", "12", "36"],
        ["malignant", "12", "36"],
        ["all", "24", "72"],
    ]
    text = words([section])
    assert "72 slices of 24 patients" in text
    assert "Slices of a patient: 3 to 3, median 3" in text
    assert "Left out: 2 rows have no label; 2 rows of the predictions without a label or a score" in text
    assert "synthetic" not in text


def test_limits_tell_calibration_from_its_lack(predictions):
    low = limits(Study(predictions.assign(score=predictions["score"] / 3), "malignant"))
    assert "Do not read the score as a probability" in words([low])
    fair = predictions.assign(score=np.where(predictions["label"] == "malignant", 0.6, 0.42))
    assert "On average that fits" in words([limits(Study(fair, "malignant"))])
    assert "No threshold came with the predictions" in words(
        [limits(Study(fair.drop(columns="threshold"), "malignant"))]
    )


def test_single_images_are_measured_sequence_by_sequence(predictions):
    both = pd.concat(
        [
            predictions.assign(sequence="SUB2", score=predictions["score_lbp"]),
            predictions.assign(sequence="VIBRANT+C2"),
        ]
    ).assign(image=[f"{i}.png" for i in range(144)])
    images = Study(both, "malignant")
    assert (images.unit, list(images.levels)) == ("image", ["image", "slice", "patient"])
    table = next(block for block in blocks([results(images)], Table) if "sequence" in block.caption)
    assert [row[:3] for row in table.rows] == [["SUB2", "72", "24"], ["VIBRANT+C2", "72", "24"]]
    for row, column in zip(table.rows, ("score_lbp", "score"), strict=True):
        area = auc(predictions["label"] == "malignant", predictions[column], predictions["patient"])
        assert row[3] == f"{area.value:.3f} ({area.low:.3f} to {area.high:.3f})"


def test_a_bare_table_gives_every_section(predictions):
    bare = Study(predictions[["patient", "label", "score"]].drop_duplicates("patient"), "malignant")
    sections = result_sections(bare)
    assert [section.id for section in sections] == IDS
    assert all(section.blocks for section in sections)
    text = words(sections)
    assert "There is nothing to compare with" in text
    assert "How the parts of a model are weighed is not known" in text
    assert "give the model and its images" in words([importance(bare)])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A fused model of 12 synthetic patients, with its images and their features."""
    pytest.importorskip("torch", reason="networks need the extra deep")
    from tumortrace.io.synthetic import make_lesions
    from tumortrace.model import train
    from tumortrace.model._inputs import list_images

    source = make_lesions(
        tmp_path_factory.mktemp("study") / "lesions", patients=12, slices=2, malignant_fraction=0.5, seed=5
    )
    model = train(
        "fused", source, features=["first_order", "sobel"], sequences=["VIBRANT", "VIBRANT+C2"], size=16, epochs=1,
        recipe="report", folds=2, jobs=1,
    )  # fmt: skip
    listing = list_images(source)
    frame = model.inputs.frame(listing, jobs=1)
    return Study(model.out_of_fold, model.classes[1], model=model, frame=frame, listing=listing)


@pytest.fixture(scope="module")
def sections(trained):
    return result_sections(trained)


def test_a_trained_model_is_shown_from_data_to_limits(trained, sections):
    assert [section.id for section in sections] == IDS
    ids = [section.id for section in walk(sections)]
    assert len(set(ids)) == len(ids)
    assert {"examples", "families", "features-alone", "features-in-model", "curves", "folds"} <= set(ids)
    assert "The lesions are synthetic" in words(sections)
    pictures = blocks(sections, Picture)
    assert all(picture.alt for picture in pictures)
    gap = np.abs(recombined(trained, list(trained.leaves)) - trained.rows["score"]).max()
    assert gap < 1e-9


def test_examples_are_one_per_patient_and_show_the_course_of_contrast(trained, sections):
    crops, course = (
        picture.content for picture in next(one for one in walk(sections) if one.id == "examples").blocks
    )
    drawn = [axes.get_title().split("\n") for axes in crops.axes]
    assert len({patient for patient, _ in drawn}) == len(drawn) == 12
    for axes, (patient, size) in zip(crops.axes, drawn, strict=True):
        shape = axes.images[0].get_array().shape
        assert size == f"{shape[0]} × {shape[1]}"
        own = trained.rows[trained.rows["patient"] == patient]
        assert own["label"].iloc[0] == ("Malignant" if axes in crops.axes[:6] else "Benign")
    assert [axes.get_title() for axes in course.axes] == ["VIBRANT", *(f"C{phase}" for phase in range(1, 9))] * 2


def test_an_image_has_one_file_and_its_slice_has_all(trained):
    one = trained.listing.iloc[5]
    row = one[["image", "patient", "sequence", "slice"]].to_dict()
    assert files(trained, row) == {one["sequence"]: one["path"]}
    whole = files(trained, row, whole_slice=True)
    assert len(whole) == 17
    assert whole[one["sequence"]] == one["path"]
    images = pd.DataFrame({"sequence": ["SUB1", "VIBRANT+C2", "SUB1"], "patient": ["a", "a", "b"]})
    assert of_one_sequence(images)["patient"].tolist() == ["a"]
    assert len(of_one_sequence(images.drop(columns="sequence"))) == 3


def test_shap_of_the_final_model_is_that_of_explain_and_said_to_be_in_sample(trained, sections):
    from tumortrace.explain import explain_frame

    section = next(one for one in walk(sections) if one.id == "features-in-model")
    assert "In-sample" in blocks([section], Note)[0].text
    table = blocks([section], Table)[0]
    one_each = trained.rows.groupby("patient").apply(lambda own: own.index[len(own) // 2]).to_list()
    explained = explain_frame(trained.model, trained.features.loc[one_each].reset_index(drop=True), maps=False)
    sizes = pd.concat([one.features["shap"].abs() for one in explained]).groupby(level=0).mean()
    strongest = sizes.nlargest(3)
    assert [row[0] for row in table.rows[:3]] == [in_words(name) for name in strongest.index]
    assert table.rows[0][2].startswith(f"{strongest.iloc[0]:.4f} (")


def test_failures_show_where_the_network_looked(trained, sections):
    section = next(one for one in sections if one.id == "failures")
    pictures = blocks(section.subsections, Picture)
    assert pictures
    for picture in pictures:
        titles = [axes.get_title() for axes in picture.content.axes]
        assert titles == ["VIBRANT", "C1", "C4", "C8", "Grad-CAM on C2", "← Benign    Malignant →"]
        bars = picture.content.axes[-1]
        shown = sum(bar.get_width() for bar in bars.patches)
        assert np.isclose(contributions(trained).sum(axis=1), shown).any()
    assert "The map is that of the final model, which had." in words([section])


def test_the_same_study_gives_the_same_words(trained, sections):
    again = result_sections(trained)
    assert words(again) == words(sections)
    assert blocks(again, Table) == blocks(sections, Table)
