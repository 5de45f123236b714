"""The checklists CLEAR and METRICS, filled in as far as software knows: the sections ``clear`` and ``metrics``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tumortrace.report._checklist_items import CLEAR, CONDITIONS, METRICS, Item
from tumortrace.report._document import Cell, Items, Link, Section, Table, Text
from tumortrace.report._gather import SCORED, Origin
from tumortrace.report._method import IMAGES, MODEL, TEST, families
from tumortrace.report._results._words import count, family, listed
from tumortrace.report._study import Study

REPORTED, PART, NOT_DONE, ASKED = "Reported", "In part", "Not done", "Author"
"""The states of an item: said here, said in part, not done and said so, left to the author."""

_STATES = {
    REPORTED: "is said in this report",
    PART: "is said in part; the rest is for the author to say",
    NOT_DONE: "was not done by the software",
    ASKED: "only the author can answer",
}

_COUNTED = {
    REPORTED: "are reported here",
    PART: "in part",
    NOT_DONE: "were not done by the software",
    ASKED: "are left to the author",
}


class Answer(NamedTuple):
    """What is said of an item.

    Attributes
    ----------
    state : str
        One of the four states.
    text : str
        What the report knows.
    target : str
        The id of the section that says more.
    """

    state: str
    text: str
    target: str = ""


Method = Mapping[str, Mapping[str, str]]


def clear(study: Study, origin: Origin, found: Method, there: Mapping[str, str], *, asked: bool) -> Section:
    """Return CLEAR 1.0.

    Parameters
    ----------
    study, origin
        What the report is about.
    found : mapping
        What `method` returned.
    there : mapping of str to str
        Id → title of the sections that can be linked to.
    asked : bool
        Whether the author said what was asked.
    """
    answers = {
        7: Answer(REPORTED, "CLEAR 1.0 and METRICS 1.0, filled in here.", "metrics"),
        **_clear_model(study, found),
        **_clear_test(study, origin, found),
    }
    if asked:
        answers[6] = Answer(PART, "In the words of the author.", "question")
    return Section(
        "clear",
        "CLEAR checklist",
        [
            Text(
                "What a report of radiomics research should say, by the CheckList for EvaluAtion of Radiomics "
                "research, version 1.0 (Kocak et al. 2023, doi 10.1186/s13244-023-01415-8), in short words of our "
                "own; the published list says each item in full. It asks whether a thing is reported, not whether "
                f"it is good. {_tally(CLEAR, answers)}"
            ),
            answered("CLEAR 1.0, the 58 items", CLEAR, answers, there),
        ],
    )


def metrics(study: Study, origin: Origin, found: Method, there: Mapping[str, str]) -> Section:
    """Return METRICS 1.0; the parameters are those of `clear`."""
    answers = {
        1: Answer(REPORTED, "CLEAR 1.0, filled in here.", "clear"),
        **_metrics_model(study, found),
        **_metrics_test(study, origin, found),
    }
    return Section(
        "metrics",
        "METRICS checklist",
        [
            Text(
                "What the method of a radiomics study is judged by: METhodological RadiomICs Score, version 1.0 "
                "(Kocak et al. 2024, doi 10.1186/s13244-023-01572-w), in short words of our own. The score itself "
                "is left to the author: it weighs the items, and some of them only the author can answer. "
                f"{_tally(METRICS, answers)}"
            ),
            Items(_conditions(study)),
            answered("METRICS 1.0, the 30 items", METRICS, answers, there),
        ],
    )


def _clear_model(study: Study, found: Method) -> dict[int, Answer]:
    """Answer what is about the model."""
    if study.model is None:
        return {}
    images, model = found[IMAGES], found[MODEL]
    data = study.model.record["data"]
    of_class = listed(f"{number:,} {name.lower()}" for name, number in data["patients"].items())
    left_out = "; ".join(data["left_out"]) or "No row was left out"
    missing = "Missing numbers became the median of their column." if "Missing numbers" in model else ""
    answers = {
        12: Answer(REPORTED, "The figure of how a score comes about.", "methods-model"),
        19: Answer(PART, images["Region"], "methods-images"),
        21: Answer(PART, images["Grey values"], "methods-images"),
        22: Answer(PART, images["Resampling"], "methods-images"),
        24: Answer(REPORTED, "The images as given. No filter is applied before features.", "methods-images"),
        29: Answer(REPORTED, f"{left_out}. {missing}".strip(), "methods-model"),
        30: Answer(REPORTED, f"Patients: {of_class}. {model.get('Imbalance', '')}".strip(), "data"),
        34: Answer(REPORTED, model.get("Fusion", model.get("Network", "")), "methods-model"),
        35: Answer(
            REPORTED, f"Nothing was tuned. {model.get('Training of the network', '')}".strip(), "methods-model"
        ),
        55: Answer(PART, "Every setting is listed here.", "provenance-settings"),
        56: Answer(PART, "The call that trains the model is given here.", "provenance-plan"),
        57: Answer(PART, "The model is a folder of numbers without code; its hash is given here.", "provenance"),
    }
    if "Features" in images:
        answers |= {
            25: Answer(REPORTED, images["Definitions"], "methods-images"),
            26: Answer(REPORTED, listed(family(name) for name in families(study.model)) + ".", "methods-images"),
            27: Answer(REPORTED, images["Features"], "methods-images"),
            28: Answer(REPORTED, "Parameters that are not the default are marked.", "provenance-settings"),
            32: Answer(REPORTED, f"{model['Scaling']} Learned from the rows of the training.", "methods-model"),
            33: Answer(REPORTED, model["Selection"], "methods-model"),
        }
        if "shape" not in families(study.model):
            text = "Size and form of a crop, which tell patients apart, are no features."
            answers[36] = Answer(PART, text, "methods-images")
    if "Grey levels" in images:
        answers[23] = Answer(REPORTED, images["Grey levels"], "methods-images")
    return answers


def _clear_test(study: Study, origin: Origin, found: Method) -> dict[int, Answer]:
    """Answer what is about the test and its results."""
    test = found[TEST]
    negative, positive = study.classes
    answers = {
        18: Answer(PART, f"The labels are {negative} and {positive}, as the data give them.", "data"),
        39: Answer(PART, "AUC, average precision, sensitivity, specificity and others, at every level.", "results"),
        40: Answer(REPORTED, test["Intervals"], "methods-test"),
        42: Answer(PART, "What acting on the score would bring: decision curves.", "results-decision"),
        44: Answer(PART, "Patients, slices and images of each class and split.", "data"),
        45: Answer(PART, "What could not be read is counted.", "data"),
        47: Answer(REPORTED, "Every metric at every level, with curves and the worst errors.", "results"),
        49: Answer(PART, "The findings in short.", "summary"),
        52: Answer(PART, "What software can see of the limits.", "limits"),
    }
    if study.cross_fitted:
        answers[15] = Answer(REPORTED, test["Testing"], "methods-test")
        answers[38] = Answer(REPORTED, "Internal: cross-validation. There is no external test.", "methods-test")
        answers[37] = Answer(PART, f"The threshold only: {test['Threshold']}", "methods-test")
    elif origin.kind == SCORED:
        answers[15] = answers[38] = Answer(PART, test["Testing"], "methods-test")
    if _compared(study):
        answers[41] = Answer(REPORTED, test["Comparisons"], "comparisons")
        answers[48] = Answer(PART, "Other models on the same rows, and the parts of this one.", "comparisons")
    if study.leaves or study.features is not None:
        answers[43] = Answer(REPORTED, "Which families and features matter, and worst errors.", "importance")
        answers[46] = Answer(PART, "How features tell the classes apart, and how stable that is.", "importance")
    return answers


def _metrics_model(study: Study, found: Method) -> dict[int, Answer]:
    """Answer what is about the model."""
    if study.model is None:
        return {}
    images, model, numbers = found[IMAGES], found[MODEL], families(study.model)
    patients = sum(study.model.record["data"]["patients"].values())
    answers = {
        8: Answer(PART, images["Region"], "methods-images"),
        11: Answer(PART, f"{images['Grey values']} {images['Resampling']}", "methods-images"),
        13: Answer(REPORTED, "Every parameter is listed.", "provenance"),
        29: Answer(PART, "The call that trains the model is given here.", "provenance-plan"),
        30: Answer(PART, "The model is a folder of numbers without code; its hash is given here.", "provenance"),
    }
    if numbers:
        total = f"{sum(numbers.values()):,} numbers for {count(patients, 'patient')}"
        answers |= {
            12: Answer(REPORTED, images["Definitions"], "methods-images"),
            14: Answer(NOT_DONE, "No feature is removed for lack of robustness.", "methods-model"),
            15: Answer(NOT_DONE, model["Selection"], "methods-model"),
            16: Answer(PART, f"{total}; classifiers with a penalty, one per family.", "methods-model"),
        }
    if "Network" in model:
        answers[17] = Answer(NOT_DONE, "Nothing of the kind is part of the test.", "methods-test")
    if len(study.model.inputs.sequences or ()) == 1:
        answers[23] = Answer(REPORTED, "One sequence is used.", "methods-images")
    return answers


def _metrics_test(study: Study, origin: Origin, found: Method) -> dict[int, Answer]:
    """Answer what is about the test and its results."""
    test = found[TEST]
    answers = {
        20: Answer(REPORTED, "AUC, precision and recall, and the confusion matrix at every level.", "results"),
        21: Answer(REPORTED, test["Intervals"], "methods-test"),
        22: Answer(
            REPORTED, "Calibration curves, expected calibration error and Brier score.", "results-calibration"
        ),
        24: Answer(PART, "Decision curves; no method beside it is measured.", "results-decision"),
    }
    if study.cross_fitted:
        answers[18] = Answer(PART, test["Testing"], "methods-test")
        answers[26] = Answer(NOT_DONE, "Cross-validation only; no patients were set apart.", "methods-test")
    elif origin.kind == SCORED:
        answers[18] = answers[26] = Answer(PART, test["Testing"], "methods-test")
    if _compared(study):
        answers[25] = Answer(PART, "Other models, and the parts of this one, on the same rows.", "comparisons")
    return answers


def _compared(study: Study) -> bool:
    return bool(study.others or study.members)


def _conditions(study: Study) -> list[tuple[str, Cell]]:
    """Return the conditions of METRICS with their answers."""
    answers = ["Author to say: are the crops drawn by hand or by machine?", "Author to say."]
    if study.model is None:
        answers += ["Not known from the predictions."] * 3
    else:
        handcrafted = "Yes." if families(study.model) else "No."
        answers += [handcrafted, handcrafted, "Yes." if study.model.inputs.pixels is not None else "No."]
    return list(zip(CONDITIONS, answers, strict=True))


def _tally(items: Sequence[Item], answers: Mapping[int, Answer]) -> str:
    states = Counter(answers[item.number].state if item.number in answers else ASKED for item in items)
    said = [f"{states[state]} {_COUNTED[state]}" for state in _STATES if states[state]]
    return f"Of {len(items)} items, {listed(said)}."


def answered(caption: str, items: Sequence[Item], answers: Mapping[int, Answer], there: Mapping[str, str]) -> Table:
    """Return items with their states, and what is said or asked of each."""
    rows: list[list[Cell]] = []
    for item in items:
        answer = answers.get(item.number, Answer(ASKED, ""))
        said: list[str | Link] = [answer.text] if answer.text else []
        if answer.state != REPORTED:
            said.append(f"To the author: {item.question}")
        if (link := _where(answer.target, there)) is not None:
            said += ["See", link]
        rows.append([str(item.number), f"{item.part}: {item.asks}", answer.state, tuple(said)])
    states = "; ".join(f"{state}: {words}" for state, words in _STATES.items())
    return Table(caption, ["No.", "Item", "State", "What is said, or asked"], rows, note=f"{states}.")


def _where(target: str, there: Mapping[str, str]) -> Link | None:
    """Return a link to the section, or to the one that it would be part of."""
    found = next((name for name in (target, target.partition("-")[0]) if name in there), None)
    return None if found is None else Link(there[found], found)
