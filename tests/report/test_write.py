"""A whole report: which rows it is on, what it says of them, and what it asks the author."""

import argparse
import re
import shutil
from html import unescape

import pandas as pd
import pytest

from tumortrace.cli import _report as command
from tumortrace.cli._common import UsageError
from tumortrace.evaluation import aggregate, auc
from tumortrace.io import synthetic
from tumortrace.model import load, members, out_of_fold, train
from tumortrace.report import _checklists as checklists
from tumortrace.report import _pdf, _write, write_report
from tumortrace.report._checklist_items import CLEAR, METRICS
from tumortrace.report._document import Items, Table
from tumortrace.report._gather import GIVEN, OUT_OF_FOLD, SCORED, gather
from tumortrace.report._method import MODEL, TEST, families, method
from tumortrace.report._model_card import model_card
from tumortrace.report._pipeline import plot_pipeline
from tumortrace.report._provenance import call, provenance
from tumortrace.report._summary import summary

IDS = [
    "summary", "question", "data", "methods", "results", "comparisons", "ablations", "importance", "failures",
    "limits", "model-card", "provenance", "clear", "metrics",
]  # fmt: skip


@pytest.fixture(scope="module")
def lesions(tmp_path_factory):
    return synthetic.make_lesions(tmp_path_factory.mktemp("seen") / "lesions", patients=14, slices=2, seed=3)


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """Lesions of patients that the model has not seen."""
    return synthetic.make_lesions(tmp_path_factory.mktemp("new") / "others", patients=6, slices=1, seed=8)


@pytest.fixture(scope="module")
def model(lesions, tmp_path_factory):
    """The folder of a fused model of slices, trained in a moment."""
    out = tmp_path_factory.mktemp("trained") / "model"
    chosen = {"features": ["first_order", "sobel", "kinetics"], "sequences": ["VIBRANT", "VIBRANT+C2"]}
    train("fused", lesions, **chosen, size=16, epochs=1, recipe="report", folds=2, jobs=1, out=out)
    return out


@pytest.fixture(scope="module")
def study(model):
    return gather(model, jobs=1)


@pytest.fixture
def table(model, tmp_path):
    """The predictions of the model as a table."""
    path = tmp_path / "predictions.csv"
    out_of_fold(model).to_csv(path, index=False)
    return path


@pytest.fixture
def no_results(monkeypatch):
    """Leave out what other tests look at, to be quick."""
    monkeypatch.setattr(_write, "result_sections", lambda study: [])


def text(page):
    return re.sub(r"\s+", " ", unescape(re.sub("<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)))


def test_a_report_has_every_section_and_says_what_was_measured(model, tmp_path):
    said = []
    out = write_report(
        model, tmp_path / "report.html", author="A. Reader", question="Why?", jobs=1, say=said.append
    )
    page = out.read_text(encoding="utf-8")
    assert re.findall(r'<section id="([^"]+)" aria-labelledby="[^"]+">\n<h2', page) == IDS
    rows = aggregate(out_of_fold(model), ["patient"])
    area = auc(rows["label"] == "Malignant", rows["score"], rows["patient"])
    assert f"this is the AUC, {area}." in text(page)
    assert "A. Reader" in page
    assert page.count("Research use only, no medical device") >= 4
    assert list(tmp_path.iterdir()) == [out]
    assert said[-1] == "measuring, comparing, drawing"


def test_the_summary_counts_calls_at_the_threshold_of_each_row(study):
    rows = aggregate(study[0].predictions, ["patient"])
    sick = rows[rows["label"] == "Malignant"]
    called = int((sick["score"] >= sick["threshold"]).sum())
    words = summary(study[0]).blocks[1].text
    assert f"{called} of {len(sick)} malignant patients are called malignant" in words
    assert f"{len(rows)} patients, {len(rows) - len(sick)} benign and {len(sick)} malignant" in words


def test_out_of_fold_predictions_stand_for_a_model_and_for_the_images_it_was_trained_on(model, lesions, study):
    assert study[1].kind == OUT_OF_FOLD
    said = []
    again, origin = gather(model, source=lesions, jobs=1, say=said.append)
    assert origin.kind == OUT_OF_FOLD
    assert "the model was trained on these very rows: the report is on its out-of-fold predictions" in said
    pd.testing.assert_frame_equal(again.predictions, out_of_fold(model))
    assert len(again.frame) == len(again.predictions) == len(study[0].frame)


def test_rows_of_the_training_are_not_scored_by_the_model(model, lesions, tmp_path):
    alone = shutil.copytree(model, tmp_path / "alone")
    with pytest.raises(FileNotFoundError, match="give images of patients that it has not seen"):
        gather(alone, source=lesions, jobs=1)


def test_new_images_are_scored(model, others):
    found, origin = gather(model, source=others, jobs=1)
    assert origin.kind == SCORED
    assert not found.cross_fitted
    expected = load(model).predict(others, jobs=1)["score"]
    pd.testing.assert_series_equal(found.predictions["score"], expected)
    assert "The finished model scored the rows of others." in method(found, origin)[TEST]["Testing"]


def test_a_table_of_predictions_needs_no_model(table, tmp_path, no_results):
    page = text(write_report(table, tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "Model card" not in page
    assert "Benign or malignant? What a model was found to tell" in page
    found, origin = gather(table)
    assert (origin.kind, origin.name) == (GIVEN, "predictions.csv")
    assert set(method(found, origin)) == {TEST}


def test_a_table_takes_the_images_of_its_rows_from_a_source(model, lesions, tmp_path):
    path = tmp_path / "some.csv"
    rows = out_of_fold(model)
    some = rows[rows["patient"].isin(sorted(set(rows["patient"]))[:9])]
    some.to_csv(path, index=False)
    found, _ = gather(path, source=lesions)
    assert len(found.listing) == 17 * len(some)
    assert set(found.listing["patient"]) == set(some["patient"])


def test_others_are_compared_under_names_of_their_own(model, table, tmp_path):
    (tmp_path / "model.csv").write_bytes(table.read_bytes())
    found, _ = gather(model, compare=[tmp_path / "model.csv", model, table], jobs=1)
    assert list(found.others) == ["model (2)", "model (3)", "predictions"]
    pd.testing.assert_frame_equal(found.others["model (3)"], out_of_fold(model))


def test_method_says_what_the_model_is(study, model):
    found = method(*study)
    parts = families(study[0].model)
    names = [name for name in load(model).estimator.feature_names_in_ if not name.endswith("__image")]
    assert sum(parts.values()) == len(names)
    assert list(parts) == ["sobel", "first_order", "kinetics"]
    assert "mean of the log-odds" in found[MODEL]["Fusion"]
    assert found[MODEL]["Fusion"].count("33 %") == 3
    assert "2 channels of 16 × 16 pixels; from random weights" in found[MODEL]["Network"]
    assert "Cross-validation in 2 folds by patient" in found[TEST]["Testing"]


def test_the_picture_of_the_model_names_every_member_with_its_share(study):
    model = study[0].model
    words = [item.get_text() for item in plot_pipeline(model).findobj(lambda artist: hasattr(artist, "get_text"))]
    for name, member in members(model.estimator).items():
        assert any(f"{100 * member.weight:.0f} %" in word for word in words), name
    assert f"Malignant from {model.threshold:.3f}" in words


def test_the_call_of_the_provenance_asks_for_the_same_plan(study):
    plan = study[0].model.record["plan"]
    asked = {}

    def took(kind, source, **options):
        asked.update(options, kind=kind, source=source)

    code = call(plan, study[1]).replace("from tumortrace.model import train\n", "")
    exec(code, {"train": took})
    assert asked.pop("out") == "model"
    assert asked.pop("source") == "lesions"
    assert asked == {name: value for name, value in plan.items() if value is not None}


def test_provenance_marks_what_is_not_the_default(study, monkeypatch):
    def marked():
        settings = next(s for s in provenance(*study).subsections if s.id == "provenance-settings")
        return {row[0]: row[2] for row in settings.blocks[0].rows}

    assert not any("not the default" in parameters for parameters in marked().values())
    monkeypatch.setitem(study[0].model.inputs.texture["first_order"], "levels", 64)
    assert marked()["First order"].startswith("levels = 64 (not the default); bin_width = null")


def test_nothing_in_the_page_tells_of_the_machine(model, tmp_path, no_results):
    page = write_report(model, tmp_path / "report.html", jobs=1).read_text(encoding="utf-8")
    assert str(tmp_path.parent) not in page
    assert str(model.parent) not in page


def test_the_card_links_only_to_what_is_there(study):
    def terms(there):
        card = model_card(*study, method(*study), author=None, there=there)
        return [term for term, _ in next(block for block in card.blocks if isinstance(block, Items)).items]

    assert {"Quantitative analyses", "Caveats"} <= set(terms({"results", "limits"}))
    assert not {"Quantitative analyses", "Caveats"} & set(terms({"summary"}))


def test_the_checklists_have_the_items_of_the_published_lists():
    assert [item.number for item in CLEAR] == list(range(1, 59))
    assert [item.number for item in METRICS] == list(range(1, 31))
    published = {
        12: "Flowchart of the method", 15: "Split of the data", 18: "Reference standard", 23: "Discretisation",
        29: "Missing data", 36: "Confounders", 41: "Statistical comparison", 45: "Flowchart of patients",
        52: "Strengths and limits", 57: "Model shared",
    }  # fmt: skip
    assert {number: CLEAR[number - 1].asks for number in published} == published
    assert [item.number for item in CLEAR if item.part == "Results"] == list(range(44, 49))
    assert [item.number for item in CLEAR if item.part == "Open science"] == list(range(53, 59))
    assert [item.number for item in METRICS if item.part == "Metrics and comparison"] == list(range(20, 26))


def filled(study, asked=False):
    found = method(*study)
    there = {name: name.title() for name in IDS}
    sections = [
        checklists.clear(*study, found, there, asked=asked),
        checklists.metrics(*study, found, there),
    ]
    return [next(block for block in section.blocks if isinstance(block, Table)).rows for section in sections]


def test_what_software_does_not_know_is_asked_of_the_author(study):
    for rows, items in zip(filled(study), (CLEAR, METRICS), strict=True):
        for row, item in zip(rows, items, strict=True):
            state, said = row[2], row[3]
            assert (state == "Reported") != (f"To the author: {item.question}" in said), item
            assert said, item
    clear, metrics = filled(study)
    assert [clear[number - 1][2] for number in (8, 15, 18, 47)] == ["Author", "Reported", "In part", "Reported"]
    assert [metrics[number - 1][2] for number in (4, 14, 26)] == ["Author", "Not done", "Not done"]


def test_less_is_known_of_a_table(table, study):
    def reported(filled_in):
        return [sum(row[2] == "Reported" for row in rows) for rows in filled_in]

    of_table, of_model = reported(filled(gather(table))), reported(filled(study))
    assert all(0 < few < many for few, many in zip(of_table, of_model, strict=True))


def test_the_question_of_the_author_is_reported(study):
    assert filled(study)[0][5][2] == "Author"
    assert filled(study, asked=True)[0][5][2] == "In part"


@pytest.mark.parametrize(
    ("what", "options", "error", "message"),
    [
        (
            "model",
            {"out": "report.pdf"},
            ValueError,
            r"the report is 'report\.pdf'; give a name that ends in \.html",
        ),
        ("model", {"out": "none/report.html"}, FileNotFoundError, "none: does not exist; make the folder first"),
        ("model", {"splits": ["test"]}, ValueError, "splits are those of a source"),
        ("model", {"positive": "Benign"}, ValueError, "the model was trained for 'Malignant'"),
        ("report.txt", {}, ValueError, "give the folder of a model, a table of predictions"),
    ],
)
def test_what_makes_no_sense_is_said_before_the_work(model, tmp_path, what, options, error, message):
    out = tmp_path / options.pop("out", "report.html")
    with pytest.raises(error, match=message):
        write_report(model if what == "model" else tmp_path / what, out, jobs=1, **options)
    assert list(tmp_path.iterdir()) == []


def test_a_pdf_that_cannot_be_is_refused_before_the_work(model, tmp_path, monkeypatch):
    monkeypatch.setattr(_pdf, "_browser", lambda: None)
    monkeypatch.setattr(_pdf, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="Chromium"):
        write_report(model, tmp_path / "report.html", pdf=True)
    assert list(tmp_path.iterdir()) == []


def test_an_error_leaves_the_earlier_report(model, tmp_path, monkeypatch, no_results):
    out = tmp_path / "report.html"
    out.write_text("earlier")
    monkeypatch.setattr(_write, "render", lambda document: "\ud800")  # cannot be written as UTF-8
    with pytest.raises(UnicodeEncodeError):
        write_report(model, out, jobs=1)
    assert out.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [out]


def parsed(*words):
    parser = argparse.ArgumentParser()
    command.add_commands(parser.add_subparsers())
    return parser.parse_args(["report", *map(str, words)])


def test_the_command_writes_it(table, tmp_path, no_results, capsys):
    out = tmp_path / "my.html"
    args = parsed(table, "-o", out, "--title", "Mine", "--author", "A. Reader")
    assert args.run(args) == 0
    assert capsys.readouterr().out.splitlines() == [str(out), "Research software, no medical device."]
    assert "<h1>Mine</h1>" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [(["-o", "report.pdf"], "ends in .html"), (["--splits", "test"], "--splits go with a SOURCE")],
)
def test_the_command_refuses_what_makes_no_sense(table, words, message):
    args = parsed(table, *words)
    with pytest.raises(UsageError, match=message):
        args.run(args)
