"""The quickstart runs to its end and tells the truth."""

import numba
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from tumortrace import io, quickstart
from tumortrace.cli import main

compiled = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="60 patients take minutes without the compiler")


@compiled
def test_the_command_runs_goes_on_where_it_was_and_is_neither_perfect_nor_guessing(tmp_path, capsys):
    out = tmp_path / "quickstart"
    assert main(["quickstart", "--out", str(out), "--jobs", "2"]) == 0
    said = capsys.readouterr().out
    for name in ("features.csv", "panel.png", "roc.png", "classes.png"):
        assert (out / name).stat().st_size > 10_000
        assert str(out / name) in said
    assert "no medical device" in said
    table = pd.read_csv(out / "features.csv")
    assert len(table) == len(io.find(out / "lesions").frame)
    assert set(table["status"]) <= {"ok", "incomplete"}

    before = (out / "features.csv").read_bytes()
    told = []
    curves = quickstart.run(out, jobs=2, say=told.append).curves
    assert f"0 rows computed, {len(table):,} taken over" in "\n".join(told)
    assert (out / "features.csv").read_bytes() == before

    areas = {key: curve.auc for key, curve in curves.items()}
    assert all(area.low < area.value < area.high and str(area) in said for area in areas.values())
    assert 0.80 < areas["all sequences", "patient"].value < 0.97
    assert areas["all sequences", "slice"].value > areas["one crop", "image"].value


def test_few_patients_and_what_is_told(tmp_path):
    said = []
    result = quickstart.run(tmp_path / "new" / "folder", patients=12, jobs=1, seed=3, say=said.append)
    assert set(result.curves) == {
        ("one crop", "image"),
        ("one crop", "slice"),
        ("one crop", "patient"),
        ("all sequences", "slice"),
        ("all sequences", "patient"),
    }
    text = "\n".join(said)
    for path in result.files.values():
        assert path.exists()
        assert str(path) in text
    for curve in result.curves.values():
        assert str(curve.auc) in text


def test_shape_and_identity_are_no_features_of_the_models(monkeypatch):
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
    curves = quickstart._evaluate(table, seed=0)
    assert seen == {("glcm_contrast",), ("sub1__glcm_contrast", "sub2__glcm_contrast")}
    assert curves["one crop", "image"].auc.value == 1.0


def test_too_few_patients_are_refused(tmp_path):
    with pytest.raises(ValueError, match="patients is 4; give a whole number of at least 12"):
        quickstart.run(tmp_path, patients=4)
