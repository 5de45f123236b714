"""The model card: what one should know before using a model.

After Mitchell et al. 2019, Model cards for model reporting, https://doi.org/10.1145/3287560.3287596.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tumortrace.report._document import NOTICE, Items, Link, Questions, Section, Text
from tumortrace.report._gather import Origin
from tumortrace.report._method import MODEL, TEST, families
from tumortrace.report._results._words import count, family, listed
from tumortrace.report._study import Study

_USES = (
    "Which use is the model meant for, and by whom?",
    "On which patients, scanners and protocols must it not be used because nobody tested it there?",
)
_ETHICS = (
    "Who approved the use of the images, and did the patients consent?",
    "Which groups of patients (age, ethnicity, breast density, implants, prior treatment) are rare in the data?",
    "What harm would a wrong call do, and who would notice it?",
)


def model_card(
    study: Study,
    origin: Origin,
    found: Mapping[str, Mapping[str, str]],
    *,
    author: str | None,
    there: Collection[str],
) -> Section | None:
    """Return the card of the model; None where there is no model, or it is not known.

    Parameters
    ----------
    study, origin
        What the report is about.
    found : mapping
        What `method` returned.
    author : str, optional
        Who answers for the model.
    there : collection of str
        The ids of the sections that it can link to.
    """
    if study.model is None:
        return None
    parts = [
        ("Model details", _details(study, origin, found, author)),
        ("Intended use", _use(study)),
        (
            "Factors",
            "What the figures may depend on is not in the data: scanner, protocol, age. See the questions.",
        ),
        ("Metrics", f"{found[TEST]['Levels']} Intervals: {found[TEST]['Intervals'].lower()}"),
        ("Training data", _training_data(study)),
        ("Evaluation data", found[TEST]["Testing"]),
    ]
    items: list[tuple[str, str | Link]] = list(parts)
    for term, words, target in (
        ("Quantitative analyses", "Results at every level, with intervals", "results"),
        ("Caveats", "Limits of what was found", "limits"),
        ("To make it again", "Settings, versions and the call", "provenance"),
    ):
        if target in there:
            items.append((term, Link(words, target)))
    return Section(
        "model-card",
        "Model card",
        [
            Text(f"What one should know before using the model. {NOTICE}."),
            Items(items),
            Questions([*_USES, *_ETHICS]),
        ],
    )


def _details(study: Study, origin: Origin, found: Mapping[str, Mapping[str, str]], author: str | None) -> str:
    assert study.model is not None
    plan = study.model.record["plan"]
    kind = {"fused": "handcrafted features and a network, fused", "cnn": "a network"}.get(
        plan["kind"], "handcrafted features"
    )
    text = f"{origin.name}: {kind}. "
    if numbers := families(study.model):
        text += f"Features: {listed(family(name) for name in numbers)}. "
    if "Network" in found[MODEL]:
        text += f"Network: {found[MODEL]['Network']} "
    text += f"Made with tumortrace {(origin.versions or {}).get('tumortrace', '')}".strip() + ". "
    return text + (f"Author: {author}." if author else "Author: not named.")


def _use(study: Study) -> str:
    negative, positive = study.classes
    return (
        f"Research on telling {positive.lower()} from {negative.lower()} by crops of lesions that somebody has "
        "already found and marked. It finds no lesions. Not for diagnosis, triage or any decision about a patient."
    )


def _training_data(study: Study) -> str:
    assert study.model is not None
    data = study.model.record["data"]
    of_class = listed(f"{number:,} {name.lower()}" for name, number in data["patients"].items())
    patients = sum(data["patients"].values())
    text = f"{count(data['rows'], study.model.inputs.unit)} of {count(patients, 'patient')}, {of_class}."
    if study.synthetic:
        text += " The lesions are synthetic."
    if data["left_out"]:
        text += f" Left out: {'; '.join(data['left_out'])}."
    return text
