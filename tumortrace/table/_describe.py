"""What extractors there are, said from their signatures and docstrings."""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from typing import NamedTuple

from tumortrace.features import FEATURES
from tumortrace.table._settings import Settings


class Parameter(NamedTuple):
    """A parameter of an extractor: its name, its default as YAML, and what it means in a sentence."""

    name: str
    default: str
    meaning: str


class Description(NamedTuple):
    """An extractor: what it computes in a line, its parameters, and its columns with the defaults."""

    name: str
    summary: str
    parameters: tuple[Parameter, ...]
    columns: tuple[str, ...]


def describe(name: str) -> Description:
    """Describe an extractor.

    Raises
    ------
    ValueError
        If there is none of this name; the message lists those there are.

    Examples
    --------
    >>> describe("first_order").parameters[1].name
    'levels'
    """
    settings = Settings.of([name])
    lines = inspect.getdoc(FEATURES[name]) or ""
    meanings = _meanings(lines)
    parameters = tuple(
        Parameter(key, json.dumps(value), meanings.get(key, "")) for key, value in settings.parameters[name].items()
    )
    return Description(name, lines.partition("\n")[0], parameters, settings.columns)


def template(preset: str = "default") -> str:
    """Return a settings file in YAML: the extractors of a preset, each parameter with its value and meaning.

    Parameters
    ----------
    preset : str, default "default"
        A name that `Settings.of` knows.

    Raises
    ------
    ValueError
        If there is no such preset; the message lists those there are.
    """
    settings = Settings.of(preset=preset)
    head = f"""
        Settings of tumortrace: extractor, and below it parameters; this is the preset {preset}.
        Remove an extractor to leave it out, and a parameter to keep to its default: `glcm:` alone is enough.
        Sections that may be added: preprocess, filters, regions, mask, names; the docs have a page on them.
        """
    lines = [f"# {line}" for line in textwrap.dedent(head).strip().splitlines()]
    if settings.sections:
        import yaml

        sections = json.loads(json.dumps(settings.sections))
        lines += ["", *yaml.safe_dump(sections, sort_keys=False, default_flow_style=None).splitlines()]
    for name, values in settings.parameters.items():
        description = describe(name)
        lines += ["", *_comment(f"{description.summary} {len(description.columns)} columns."), f"{name}:"]
        for parameter in description.parameters:
            value = json.dumps(values[parameter.name])
            lines += [*_comment(parameter.meaning, "  "), f"  {parameter.name}: {value}"]
    return "\n".join(lines) + "\n"


def _comment(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, 100, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")


def _meanings(doc: str) -> dict[str, str]:
    """Return, of each parameter in a numpydoc docstring, the first sentence and the values to choose from."""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\S[^\n]*\n-{3,}\n|\Z)", doc, re.MULTILINE | re.DOTALL)
    entries = re.findall(r"^(\S.*)\n((?:[ ].*\n|\n)*)", section[1] if section else "", re.MULTILINE)
    meanings: dict[str, str] = {}
    for head, body in entries:
        names, _, kind = head.partition(" : ")
        text = " ".join(body.replace("``", "`").split()).partition(": - ")[0]
        sentence = re.split(r"(?<=\.)\s", text, maxsplit=1)[0].removesuffix(".") + "."
        choices = re.search(r"\{(.*)\}", kind)
        if choices:
            sentence += f" One of {choices[1]}."
        meanings |= dict.fromkeys([name.strip() for name in names.split(",")], sentence)
    return meanings
