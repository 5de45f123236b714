"""With what a report was made, so that it can be made again: the section ``provenance``."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from tumortrace.report._document import Block, Code, Items, Section, Table, Text
from tumortrace.report._gather import GIVEN, Origin
from tumortrace.report._method import families
from tumortrace.report._parameters import in_words
from tumortrace.report._results._words import NONE, family
from tumortrace.report._study import Study

LIBRARIES = ("numpy", "scipy", "pandas", "numba", "scikit-learn", "matplotlib", "jinja2")
_NAMES = {"sklearn": "scikit-learn"}


def provenance(study: Study, origin: Origin) -> Section:
    """Return files, versions, settings and the call that trains the model again."""
    blocks: list[Block] = [Items(_files(study, origin)), versions(origin.versions, "model")]
    below = []
    if study.model is not None:
        plan = study.model.record["plan"]
        below.append(
            Section(
                "provenance-plan",
                "The training, to repeat",
                [
                    Text("The same call on the same images gives the same model with the same versions."),
                    Code(call(plan, origin)),
                ],
            )
        )
        if study.model.inputs.texture or study.model.inputs.kinetics:
            below.append(Section("provenance-settings", "Settings of the features", [_settings(study)]))
    return Section("provenance", "Settings and provenance", blocks, below)


def call(plan: dict[str, Any], origin: Origin) -> str:
    """Return the Python that asks for a plan.

    Examples
    --------
    >>> print(call({"kind": "cnn", "seed": 0}, Origin("model", "", "out-of-fold", "lesions")))
    from tumortrace.model import train
    <BLANKLINE>
    train(
        "cnn",
        "lesions",
        seed=0,
        out="model",
    )
    """
    given = {name: value for name, value in plan.items() if name != "kind" and value is not None}
    lines = [repr(plan["kind"]), repr(origin.source or "the folder of images")]
    lines += [f"{name}={value!r}" for name, value in given.items()]
    lines.append(f"out={origin.name!r}")
    body = "\n".join(f"    {line},".replace("'", '"') for line in lines)
    return f"from tumortrace.model import train\n\ntrain(\n{body}\n)"


def _files(study: Study, origin: Origin) -> list[tuple[str, str]]:
    found = [("Predictions" if origin.kind == GIVEN else "Model", origin.name)]
    found.append(("SHA-256", origin.sha256 + ("" if origin.kind == GIVEN else " (of its manifest)")))
    if origin.source is not None:
        splits = f", the splits {', '.join(origin.splits)}" if origin.splits else ""
        found.append(("Images", f"{origin.source}{splits}"))
    if study.model is not None:
        data = study.model.record["data"]
        found.append(("Data of the training", f"{data['digest']} (BLAKE2b over images, classes and patients)"))
    found.append(("Seed", f"{study.seed} for resampling and draws of this report"))
    return found


def versions(made: Mapping[str, str] | None, what: str) -> Table:
    """Return with which versions something was made, and this report."""
    ours = {"tumortrace": _version("tumortrace"), "python": platform.python_version()}
    ours |= {name: _version(name) for name in LIBRARIES}
    theirs = {_NAMES.get(name, name): found for name, found in (made or {}).items()}
    ours = {name: _version(name) for name in theirs} | ours
    rows = [[name, theirs.get(name, NONE), ours.get(name, NONE)] for name in ours]
    if not theirs:
        return Table("Versions that made this report", ["Software", "Report"], [[row[0], row[2]] for row in rows])
    return Table(
        f"Versions that made the {what} and this report",
        ["Software", what.capitalize(), "Report"],
        rows,
        note="A dash: not recorded, or not used.",
    )


def _settings(study: Study) -> Table:
    """Return every parameter of every extractor, marked where it is not the default."""
    assert study.model is not None
    inputs, numbers = study.model.inputs, families(study.model)
    rows = []
    for name, parameters in (inputs.texture or {}).items():
        rows.append([family(name), f"{numbers.get(name, 0):,}", in_words(name, parameters)])
    if inputs.kinetics is not None:
        shown = [f"{key} = {json.dumps(value)}" for key, value in inputs.kinetics.items()]
        rows.append([family("kinetics"), f"{numbers.get('kinetics', 0):,}", "; ".join(shown) or "defaults"])
    return Table(
        f"Extractors and their parameters; {study.model.inputs.unit}s are the rows",
        ["Extractor", "Columns", "Parameters"],
        rows,
        note="Every parameter is listed but the pixel spacing, where none is given. All are the defaults of the "
        "version above unless marked.",
        numeric=(1,),
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return NONE
