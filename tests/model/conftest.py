"""Small lesions to train on."""

import pytest

from tumortrace.io import synthetic


@pytest.fixture(scope="session")
def lesions(tmp_path_factory):
    """14 patients of two slices at most, 17 sequences each, in no split."""
    out = tmp_path_factory.mktemp("model") / "lesions"
    return synthetic.make_lesions(out, patients=14, slices=2, val_fraction=0, seed=3)


@pytest.fixture
def quick():
    """Parameters of a handcrafted training that takes a moment, with and without the compiler."""
    return {"features": ["first_order", "kinetics"], "sequences": ["VIBRANT+C2", "SUB2"], "folds": 3, "jobs": 1}


@pytest.fixture
def tiny():
    """Parameters of a network that takes a moment: this recipe predicts from one view, "small" from eight."""
    return {
        "size": 16,
        "epochs": 2,
        "recipe": "report",
        "sequences": ["VIBRANT", "VIBRANT+C2"],
        "folds": 3,
        "jobs": 1,
    }
