"""The program that compares fused with CNN: its folds, what it keeps, what it holds out, what it writes."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import fused_vs_cnn, study_models, study_page
from benchmarks.study_models import Model, OverSequences, Study
from benchmarks.study_parts import HELD_OUT, Part, Rows, score
from tumortrace.io import synthetic


@pytest.fixture(scope="module")
def lesions(tmp_path_factory):
    out = tmp_path_factory.mktemp("study") / "lesions"
    return synthetic.make_lesions(out, patients=20, slices=2, val_fraction=0.3, seed=2)


@pytest.fixture(scope="module")
def frames(lesions):
    return fused_vs_cnn.read(lesions, "val", jobs=1)


def small_study(frames):
    """Three of the models, from two parts that fit in a moment."""
    columns = [name for name in frames["slice"].frame if name.startswith("kinetics_")]
    network = (("backbone", "resnet8"), ("epochs", 1), ("recipe", "small"), ("size", 8))
    parts = [
        Part("kinetics", "slice", tuple(columns), classifier="logistic"),
        Part("CNN, seed 0", "slice", ("vibrant_c2__image",), network),
    ]
    main = {
        "handcrafted": Model("kinetics"),
        "CNN": Model("CNN, seed 0"),
        "fused": Model(("kinetics", "CNN, seed 0")),
    }
    lesion = {"fused, whole lesion": Model(("kinetics", "CNN, seed 0"), lesion=True)}
    return Study(parts, main, lesion, [("fused", "CNN")])


def test_frames_share_folds_and_hold_out_the_test_split(frames):
    assert set(frames) == {"slice", "concatenate", "image"}
    fold_of = {}
    for rows in frames.values():
        assert ((rows.fold == HELD_OUT) == (rows.frame["split"] == "val")).all()
        for who, fold in zip(rows.patients, rows.fold, strict=True):
            assert fold_of.setdefault(who, fold) == fold
    assert set(fold_of.values()) == {HELD_OUT, 0, 1, 2, 3, 4}


def test_a_split_that_is_not_there_ends_the_program(lesions):
    with pytest.raises(SystemExit, match="--test final: the data have no such split, but train, val"):
        fused_vs_cnn.read(lesions, "final", jobs=1)


@pytest.mark.parametrize("budget", ["cpu", "gpu"])
def test_every_model_is_made_of_parts(frames, budget):
    study = study_models.study(frames, budget)
    names = {part.name for part in study.parts}
    assert len(names) == len(study.parts)
    scores = {part.name: np.zeros(len(frames[part.frame].y)) for part in study.parts}
    for name, model in (study.main | study.ablations).items():
        rows = frames[model.frame]
        assert study_models.odds(model, scores, frames).shape == rows.y.shape, name
    assert {name for pair in study.pairs for name in pair} <= set(study.main)
    networks = [part for part in study.parts if part.network]
    assert all("image" in column for part in networks for column in part.columns)
    assert not any("shape" in column for part in study.parts for column in part.columns if "shape" not in part.name)
    assert any("vgg16" in part.name for part in networks) == (budget == "gpu")


def test_means_over_the_sequences_of_a_slice_and_the_slices_of_a_lesion(frames):
    images, slices = frames["image"], frames["slice"]
    rng = np.random.default_rng(1)
    scores = {"crops": rng.normal(size=len(images.y)), "slices": rng.normal(size=len(slices.y))}
    found = study_models.odds(Model(OverSequences("crops")), scores, frames)
    for row, value in zip(slices.frame.itertuples(), found, strict=True):
        own = (images.frame["patient"] == row.patient) & (images.frame["slice"] == row.slice)
        assert value == pytest.approx(scores["crops"][own].mean())
    found = study_models.odds(Model("slices", lesion=True), scores, frames)
    for who in set(slices.patients):
        assert found[slices.patients == who] == pytest.approx(scores["slices"][slices.patients == who].mean())


def test_a_part_is_fitted_once_and_never_on_whom_it_scores(frames, tmp_path):
    study, said = small_study(frames), []
    folds = [*range(5), HELD_OUT]
    scores, costs = score(study.parts, frames, folds, tmp_path, 1, said.append)
    assert said[0] == "0 of 12 fits are there from an earlier run"
    assert all(np.isfinite(found).all() for found in scores.values())
    assert len(costs) == 12
    assert (costs["seconds"] > 0).all()

    next(iter(tmp_path.glob("*.npz"))).unlink()  # as if the run was killed before the last fit
    told = []
    again, _ = score(study.parts, frames, folds, tmp_path, 1, told.append)
    assert told[0] == "11 of 12 fits are there from an earlier run"
    for name, found in scores.items():
        np.testing.assert_array_equal(again[name], found)

    rows = frames["slice"]
    mixed = Rows(rows.frame, rows.y, np.full(len(rows.y), "one"), np.arange(len(rows.y)) % 5)
    with pytest.raises(RuntimeError, match="a patient is on both sides of fold 0"):
        score(study.parts[:1], {"slice": mixed}, [0], tmp_path, 1, said.append)


def test_what_is_measured_is_written(frames, tmp_path):
    study = small_study(frames)
    rng = np.random.default_rng(0)
    scores = {part.name: frames["slice"].y + rng.normal(size=len(frames["slice"].y)) for part in study.parts}
    found = study_page.measure_study(study, frames, scores, resamples=50, held_out="val")
    assert set(found.results["evaluated"]) == {"cross-validation", "val"}
    areas = found.results.query("metric == 'auc' and level == 'slice' and evaluated == 'val'")
    assert set(areas["n"]) == {(frames["slice"].fold == HELD_OUT).sum()}
    study_page.write(
        tmp_path,
        found,
        study,
        pd.DataFrame({"part": ["kinetics"], "fold": 0, "seconds": 60.0, "memory": 10**9}),
        data=study_page.describe(frames, "val"),
        command="python",
        seconds=60,
        memory=10**9,
        jobs=1,
    )
    text = (tmp_path / "results.md").read_text()
    assert "| fused − CNN | patient |" in text
    assert "no medical device" in text
    assert "## Val (scored once)" in text
    assert len(list((tmp_path / "figures").glob("*.png"))) == 10
    assert len(pd.read_csv(tmp_path / "predictions" / "val" / "fused.csv")) == set(areas["n"]).pop()


def test_the_program_runs_to_its_end_and_goes_on(lesions, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(study_models, "study", lambda frames, budget, **options: small_study(frames))
    arguments = ["--data", str(lesions), "--test", "val", "--jobs", "1", "--out", str(tmp_path / "out")]
    fused_vs_cnn.main(arguments)
    first = capsys.readouterr()
    assert "0 of 12 fits are there" in first.err
    assert "| fused − CNN | slice |" in first.out
    assert "`python benchmarks/fused_vs_cnn.py --data ROOT --budget cpu --test val`" in first.out
    fused_vs_cnn.main(arguments)
    second = capsys.readouterr()
    assert "12 of 12 fits are there" in second.err
    assert second.out.split("## Time")[0] == first.out.split("## Time")[0]
