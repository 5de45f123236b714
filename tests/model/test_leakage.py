"""No row is ever scored by a network that saw its patient, neither in training nor inside a fusion."""

import pytest

from tumortrace.deep import CNNClassifier
from tumortrace.deep._inputs import collect
from tumortrace.fusion import EarlyFusion, LateFusion
from tumortrace.model import Inputs, _train, load, train
from tumortrace.model._inputs import list_images
from tumortrace.table import column_groups


@pytest.fixture
def scored(monkeypatch):
    """Digests of the rows that networks score, each with whether the network that scored it had seen it.

    The final model scores some of its own rows too, for the background of explanations; these are not counted.
    """
    seen = []
    plain = CNNClassifier.predict_proba

    def recorded(self, X):
        seen.extend((digest, digest in self.seen_) for digest in collect(X).digests)
        return plain(self, X)

    def explaining(self, estimator):
        with monkeypatch.context() as unrecorded:
            unrecorded.setattr(CNNClassifier, "predict_proba", plain)
            return background(self, estimator)

    background = _train._Run.background
    monkeypatch.setattr(CNNClassifier, "predict_proba", recorded)
    monkeypatch.setattr(_train._Run, "background", explaining)
    return seen


@pytest.mark.parametrize("networks", ["slice", "both"])
def test_training_a_fused_model(lesions, tiny, scored, networks, tmp_path):
    features = ["first_order", "kinetics"]
    model = train("fused", lesions, features=features, networks=networks, out=tmp_path / "model", **tiny)
    rows = model.out_of_fold
    assert len({digest for digest, _ in scored}) == len(rows) * (3 if networks == "both" else 1)
    assert not any(already for _, already in scored)
    assert {"score", "score_handcrafted", "score_cnn"} <= set(rows)
    assert rows.groupby("patient")["fold"].nunique().max() == 1
    with pytest.warns(UserWarning, match="trained on"):
        one, other = (one.predict(lesions, jobs=1)["score"] for one in (model, load(tmp_path / "model")))
    assert (one == other).all()


def test_an_image_has_one_network(lesions):
    with pytest.raises(ValueError, match="networks is 'both', but an image has one crop"):
        train("cnn", lesions, unit="image", networks="both")


@pytest.mark.parametrize("combine", ["weighted", "stacked"])
def test_a_fusion_that_learns_from_the_scores_of_a_network(lesions, scored, combine):
    texture = {"first_order": {}}
    frame = Inputs("slice", ("SUB2",), texture, pixels=("SUB2",)).frame(list_images(lesions), jobs=1)
    columns = column_groups(name for name in frame if name.startswith("sub2__"))
    members = [
        ("cnn", CNNClassifier(size=8, epochs=1, batch_size=8), columns["image"]),
        ("texture", EarlyFusion(), columns["first_order"]),
    ]
    LateFusion(members, combine=combine, folds=3).fit(
        frame[columns["image"] + columns["first_order"]], frame["label"], patients=frame["patient"]
    )
    assert len({digest for digest, _ in scored}) == len(scored) == len(frame)
    assert not any(already for _, already in scored)
