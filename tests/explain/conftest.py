"""Small models to explain: one of slices with every kind of member, and one by hand."""

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from tumortrace.fusion import EarlyFusion, LateFusion
from tumortrace.io import synthetic
from tumortrace.model import Inputs, Model, member_scores, train
from tumortrace.model._inputs import list_images


@pytest.fixture(scope="package", autouse=True)
def one_thread():
    """On pictures and matrices as small as these, threads only wait for each other."""
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def lesions(tmp_path_factory):
    """12 patients of at most two slices, 17 sequences each, in no split."""
    out = tmp_path_factory.mktemp("explain") / "lesions"
    return synthetic.make_lesions(out, patients=12, slices=2, val_fraction=0, seed=3)


@pytest.fixture(scope="session")
def fused(lesions):
    """A model of slices: texture of two families, kinetics, a network of slices and one of crops."""
    return train(
        "fused",
        lesions,
        features=["first_order", "lbp", "kinetics"],
        sequences=["VIBRANT", "VIBRANT+C2"],
        networks="both",
        recipe="report",
        size=16,
        epochs=2,
        folds=0,
        jobs=1,
    )


@pytest.fixture(scope="session")
def frame(fused, lesions):
    """The rows of the lesions, as the model takes them."""
    return fused.inputs.frame(list_images(lesions), jobs=1)


@pytest.fixture
def by_hand():
    """A logistic regression per family, of which column `glcm_a` alone decides; its rows, and a model of both."""
    rng = np.random.default_rng(5)
    y = np.tile([0, 1], 40)
    names = ["glcm_a", "glcm_b", "lbp_a", "lbp_b", "lbp_c"]
    rows = pd.DataFrame(rng.normal(size=(80, 5)), columns=names)
    rows["glcm_a"] += 3 * y
    members = [(name, EarlyFusion(), [c for c in names if c.startswith(name)]) for name in ("glcm", "lbp")]
    estimator = LateFusion(members, weights={"glcm": 3, "lbp": 1}).fit(rows, y)
    score, scores = member_scores(estimator, rows[:30])
    background = rows[:30].assign(label=np.array(["no", "yes"])[y[:30]], **scores, score=score)
    model = Model(
        estimator,
        Inputs("image", texture={"glcm": {}, "lbp": {}}),
        ("no", "yes"),
        0.5,
        {"seen": []},
        background=background,
    )
    return model, rows.assign(patient=np.repeat(range(40), 2).astype(str), status="ok", error="")
