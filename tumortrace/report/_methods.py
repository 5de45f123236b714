"""What was asked, and how it was answered: the sections ``question`` and ``methods``."""

from __future__ import annotations

from collections.abc import Mapping

from tumortrace.report._document import Block, Items, Picture, Questions, Section, Text
from tumortrace.report._gather import Origin
from tumortrace.report._history import plot_history
from tumortrace.report._method import IMAGES, MODEL, TEST
from tumortrace.report._pipeline import plot_pipeline
from tumortrace.report._study import Study


def question(study: Study, asked: str | None) -> Section:
    """Return what was asked: in the words of the author, or as the data have it with what is left to say."""
    negative, positive = study.classes
    if asked:
        return Section("question", "The question", [Text(asked)])
    blocks: list[Block] = [
        Text(
            f"Does the score of the {_called(study)} tell {positive.lower()} from {negative.lower()} in patients "
            "that it has never seen?"
        ),
        Questions(
            [
                "Which clinical decision would the answer change, and for whom?",
                "What is done today without it, and what does that miss?",
                "What was expected before the data were looked at?",
            ]
        ),
    ]
    return Section("question", "The question", blocks)


def methods(study: Study, origin: Origin, found: Mapping[str, Mapping[str, str]]) -> Section:
    """Return how images became scores, and how the scores were tested; `found` is what `method` returned."""
    below = []
    if study.model is not None:
        picture = Picture(
            plot_pipeline(study.model),
            alt="A tree of boxes: the images on the left, a classifier for each family of features and the network "
            "beside them, joined step by step to the score on the right.",
            caption="How a score comes about. Each box on the way is a score of its own; its share in the mean of "
            "log-odds is given in per cent.",
        )
        below.append(Section("methods-images", "From images to features", [Items(list(found[IMAGES].items()))]))
        below.append(
            Section("methods-model", "From features to a score", [picture, Items(list(found[MODEL].items()))])
        )
    below.append(Section("methods-test", "How it was tested", [Items(list(found[TEST].items()))]))
    if origin.history is not None and not origin.history.empty:
        below.append(_training(origin))
    return Section("methods", "Methods", [], below)


def _training(origin: Origin) -> Section:
    assert origin.history is not None
    final = origin.history[origin.history["fold"] == 0]
    epochs = final["epoch"].max()
    return Section(
        "methods-training",
        "How the network trained",
        [
            Picture(
                plot_history(final),
                alt=f"The loss of the network over {epochs:.0f} epochs, and its learning rate.",
                caption="Training of the final network, on all patients. Its quality is read from the folds, not "
                "from this loss.",
            )
        ],
    )


def _called(study: Study) -> str:
    if study.model is None:
        return "model"
    return f"{study.model.record['plan']['kind'].replace('cnn', 'network')} model"
