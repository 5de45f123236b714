"""The command writes a picture per row and a table, and says what it could not explain."""

import argparse

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tumortrace import io
from tumortrace.cli import _explain
from tumortrace.explain import explain


@pytest.fixture(scope="module")
def saved(fused, tmp_path_factory):
    return fused.save(tmp_path_factory.mktemp("command") / "model")


def run(*words):
    parser = argparse.ArgumentParser()
    _explain.add_commands(parser.add_subparsers(required=True))
    args = parser.parse_args(["explain", *map(str, words), "--jobs", "1"])
    return args.run(args)


def test_a_picture_per_row_and_a_table(saved, fused, lesions, tmp_path, capsys):
    assert run(saved, lesions, "-o", tmp_path / "out", "--rows", 2) == 0
    found = explain(fused, lesions, rows=[0, 1], jobs=1)
    names = [f"{k:03}-{one.identity['patient']}-{one.identity['slice']}.png" for k, one in enumerate(found, 1)]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [*names, "explanations.csv"]
    for name in names:
        with Image.open(tmp_path / "out" / name) as picture:
            assert picture.width > picture.height > 800
    table = pd.read_csv(tmp_path / "out" / "explanations.csv")
    shap = np.concatenate([[*one.families, *one.features["shap"]] for one in found])
    np.testing.assert_allclose(table["shap"], shap, rtol=0, atol=1e-9)
    said = capsys.readouterr().out
    assert "2 of 16 rows" in said
    assert "no medical device" in said


def test_a_row_without_score_is_named(saved, lesions, tmp_path, capsys):
    found = io.find(lesions)
    frame = found.frame.assign(image=[str(found.root / image) for image in found.frame["image"]])
    of_first = (frame["patient"] == frame["patient"].iloc[0]) & (frame["slice"] == frame["slice"].iloc[0])
    lost = frame[~(of_first & (frame["sequence"] == "VIBRANT"))]
    lost.to_csv(tmp_path / "lost.csv", index=False)
    assert run(saved, tmp_path / "lost.csv", "-o", tmp_path / "out", "--rows", 2, "-q") == 3
    assert len(list((tmp_path / "out").glob("*.png"))) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "not explained: " in printed.err
