"""The quickstart runs to its end and tells the truth."""

import numba
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from tumortrace import io, quickstart, report
from tumortrace.cli import main
from tumortrace.evaluation import auc, compare
from tumortrace.model import out_of_fold

SCORES = {"handcrafted": "score_handcrafted", "CNN": "score_cnn", "fused": "score"}

compiled = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="60 patients take minutes without the compiler")


@pytest.fixture
def briefly(monkeypatch):
    """Let the report be one line: it has tests of its own, and takes as long as the rest."""
    monkeypatch.setattr(report, "write_report", lambda what, out, **options: out.write_text(f"{what}\n"))


@compiled
def test_it_runs_to_its_end_and_is_neither_perfect_nor_guessing(tmp_path):
    out = tmp_path / "quickstart"
    told = []
    result = quickstart.run(out, patients=40, epochs=8, jobs=2, say=told.append)
    said = "\n".join(told)
    for name in ("features.csv", "panel.png", "roc.png", "classes.png"):
        assert (out / name).stat().st_size > 10_000
        assert str(out / name) in said
    assert "no medical device" in said
    page = (out / "report.html").read_text()
    assert str(result.curves["fused", "slice"].auc.value)[:5] in page
    assert "the answer is known" in page.lower()
    table = pd.read_csv(out / "features.csv")
    assert len(table) == len(io.find(out / "lesions").frame)
    assert set(table["status"]) <= {"ok", "incomplete"}

    rows = out_of_fold(out / "model")
    y = rows["label"] == "Malignant"
    for name, column in SCORES.items():
        area = auc(y, rows[column], rows["patient"])
        assert area == result.curves[name, "slice"].auc
        assert str(area) in said
        assert 0.6 < area.low < area.value < 0.97
    found = compare(y, rows["score"], rows["score_cnn"], rows["patient"]).difference
    assert found == result.comparisons["fused", "CNN", "slice"].difference
    assert f"fused − CNN, per slice: {found.value:+.3f} ({found.low:+.3f} to {found.high:+.3f})" in said


def test_the_command_hands_over_what_was_typed(tmp_path, monkeypatch):
    asked = {}
    monkeypatch.setattr(quickstart, "run", lambda out, **options: asked.update(options, out=out))
    assert main(["quickstart", "--out", str(tmp_path / "there"), "--jobs", "2"]) == 0
    assert asked == {"out": tmp_path / "there", "jobs": 2}


def test_few_patients_and_what_is_told_twice_the_same(tmp_path, briefly):
    said = []
    result = quickstart.run(tmp_path / "new" / "folder", patients=12, epochs=1, jobs=1, seed=3, say=said.append)
    models = ("handcrafted", "CNN", "fused")
    slices = {(model, level) for model in models for level in ("slice", "patient")}
    assert set(result.curves) == {("one crop", level) for level in ("image", "slice", "patient")} | slices
    assert set(result.comparisons) == {
        ("fused", other, level) for other in ("CNN", "handcrafted") for level in ("slice", "patient")
    }
    text = "\n".join(said)
    for path in result.files.values():
        assert path.exists()
        assert str(path) in text
    for curve in result.curves.values():
        assert str(curve.auc) in text

    told = []
    again = quickstart.run(tmp_path / "new" / "folder", patients=12, epochs=1, jobs=1, seed=3, say=told.append)
    assert f"0 rows computed, {len(pd.read_csv(result.files['features'])):,} taken over" in "\n".join(told)
    assert {key: curve.auc for key, curve in again.curves.items()} == {
        key: curve.auc for key, curve in result.curves.items()
    }


def test_without_networks_there_is_a_handcrafted_model_and_a_word_about_it(tmp_path, monkeypatch, briefly):
    monkeypatch.setattr(quickstart, "find_spec", lambda name: None)
    said = []
    result = quickstart.run(tmp_path, patients=12, jobs=1, say=said.append)
    assert {model for model, _ in result.curves} == {"one crop", "handcrafted"}
    assert result.comparisons == {}
    assert "pip install 'tumortrace[deep]'" in "\n".join(said)


def test_shape_and_identity_are_no_features_of_one_crop(monkeypatch):
    table = pd.DataFrame(
        {
            "image": [f"{i}.jpg" for i in range(40)],
            "label": ["Benign", "Malignant"] * 20,
            "patient": [f"p{i // 4}{'bm'[i % 2]}" for i in range(40)],
            "sequence": ["SUB1", "SUB1", "SUB2", "SUB2"] * 10,
            "slice": 1,
            "digest": "",
            "glcm_contrast": [0.1, 0.9] * 20,
            "shape_area": [1.0, 2.0] * 20,
            "status": "ok",
            "error": "",
        }
    )
    seen = set()

    class Records(LogisticRegression):
        def fit(self, X, y):
            seen.add(tuple(X.columns))
            return super().fit(X, y)

    monkeypatch.setattr(quickstart, "_model", Records)
    scored = quickstart._one_crop(table, seed=0)
    assert seen == {("glcm_contrast",)}
    assert auc(scored["label"], scored["score"], scored["patient"]).value == 1.0


def test_too_few_patients_are_refused(tmp_path):
    with pytest.raises(ValueError, match="patients is 4; give a whole number of at least 12"):
        quickstart.run(tmp_path, patients=4)
