"""No row is ever scored by a network that saw its patient, neither in training nor inside a fusion."""

import pytest

from tumortrace.deep import CNNClassifier
from tumortrace.deep._inputs import collect
from tumortrace.fusion import EarlyFusion, LateFusion
from tumortrace.model import Inputs, train
from tumortrace.model._inputs import list_images
from tumortrace.table import column_groups


@pytest.fixture
def scored(monkeypatch):
    """Digests of the rows that networks score, each with whether the network that scored it had seen it."""
    seen = []
    plain = CNNClassifier.predict_proba

    def recorded(self, X):
        seen.extend((digest, digest in self.seen_) for digest in collect(X).digests)
        return plain(self, X)

    monkeypatch.setattr(CNNClassifier, "predict_proba", recorded)
    return seen


def test_training_a_fused_model(lesions, tiny, scored):
    features = ["first_order", "kinetics"]
    rows = train("fused", lesions, features=features, **tiny).out_of_fold
    assert len({digest for digest, _ in scored}) == len(rows)
    assert not any(already for _, already in scored)
    assert {"score", "score_handcrafted", "score_cnn"} <= set(rows)
    assert rows.groupby("patient")["fold"].nunique().max() == 1


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
