"""The parts of the page as HTML: pure functions of what was read and answered. Every text is escaped."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from tumortrace.web import _words
from tumortrace.web._details import picture_png, shown_picture
from tumortrace.web._draw import KEY, push, strip
from tumortrace.web._look import part
from tumortrace.web._reader import Lesion, Picture

if TYPE_CHECKING:
    import pandas as pd

    from tumortrace.web._answer import Answer
    from tumortrace.web._details import Details, Feature, Map
    from tumortrace.web._measures import Measures
    from tumortrace.web._shelf import Shelved

_TEMPLATES = (
    "answer", "done", "empty", "examples", "fault", "measures", "model", "read", "said", "table", "why", "working",
)  # fmt: skip


class Shown(NamedTuple):
    """A picture on the page.

    Attributes
    ----------
    source : str
        A data URI.
    caption, alt : str
        What stands below it, and what is read aloud in its place.
    """

    source: str
    caption: str = ""
    alt: str = ""


def uri(data: bytes, kind: str = "image/png") -> str:
    """Return bytes as a data URI, so that the page asks for no file.

    >>> uri(b"a,b", "text/csv")
    'data:text/csv;base64,YSxi'
    """
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def shown(picture: Picture, caption: str = "") -> Shown:
    """Return an uploaded picture for the page, captioned with its name unless another caption is given."""
    rows, cols = picture.array.shape[-2:]
    said = caption or picture.name
    return Shown(uri(picture_png(picture)), said, f"{said}, {rows} × {cols} pixels")


def reading(lesion: Lesion) -> str:
    """Show what was read of one lesion: the crop, or its phases with the sequence that each was taken for."""
    rows, cols = lesion.shape
    size = f"{rows} × {cols} pixels"
    if len(lesion) == 1:
        picture = lesion.pictures[0]
        return _rendered("read", pictures=[shown(picture)], said=f"{picture.name}, {size}.")
    pairs = zip(lesion.pictures, lesion.sequences, strict=True)
    pictures = [shown(picture, sequence.removeprefix("VIBRANT+")) for picture, sequence in pairs]
    return _rendered("read", pictures=pictures, said=f"{len(lesion)} phases of {size}: {lesion.how}.")


def examples(id: str, told: str, pictures: Sequence[Shown]) -> str:
    """Show lesions to click on, as buttons whose ids are ``<id>-0``, ``<id>-1`` and so on."""
    return _rendered("examples", id=id, said=told, examples=pictures)


def fault(message: str) -> str:
    """Say what is wrong, and what would be right."""
    return _rendered("fault", message=f"{message.rstrip('.')}.")


def working(what: str) -> str:
    """Say what is being done."""
    return _rendered("working", what=what)


def empty() -> str:
    """Say how to come to a result."""
    return _rendered("empty")


def said(text: str) -> str:
    """Return one quiet paragraph."""
    return _rendered("said", text=text)


def done(text: str) -> str:
    """Say that something was done."""
    return _rendered("done", text=text)


def answered(answer: Answer, lesion: Lesion, model: str) -> str:
    """Show an answer: what was called, both probabilities, the threshold, the confidence, and the members."""
    from tumortrace.explain import in_words

    depths: dict[str | None, int] = {None: -1}
    for member in answer.members:
        depths[member.name] = depths[member.parent] + 1
    members = [(in_words(member.name), depths[member.name], member) for member in answer.members]
    picture = uri(picture_png(shown_picture(lesion)))
    return _rendered("answer", answer=answer, members=members, model=model, picture=picture)


def answer_said(answer: Answer) -> str:
    """Return an answer as one sentence, to be read aloud."""
    negative, positive = answer.classes
    return (
        f"Called {answer.called}: {positive} {_words.share(answer.positive)}, {negative} "
        f"{_words.share(answer.negative)}, threshold {_words.share(answer.threshold)}."
    )


def explained(details: Details, codes: Sequence[Map], answer: Answer) -> str:
    """Show why a model answered so: where a network looked, families, features, and what the operators see."""
    most = max((abs(family.shap) for family in details.families), default=0.0)
    return _rendered(
        "why",
        answer=answer,
        base=details.base_probability,
        picture=uri(details.lesion),
        overlays=[(uri(one.png), one.alt) for one in details.maps],
        families=[(one, push(one.shap, most), _towards(one.shap, answer.classes)) for one in details.families],
        features=[_feature(one, answer.classes) for one in details.features],
        others=details.others,
        codes=_codes(codes),
        figure=uri(details.figure),
    )


def unexplained(message: str, codes: Sequence[Map]) -> str:
    """Show what the operators see where a model cannot be explained, and say why it cannot."""
    return fault(message) + _rendered("why", overlays=[], families=[], features=[], codes=_codes(codes), figure="")


def table(predictions: pd.DataFrame, shelved: Shelved) -> str:
    """Show the answers to several images, with the whole table to download."""
    negative, positive = (label.lower() for label in shelved.classes)
    rows = [{"negative": row[negative], "positive": row[positive], **row} for row in predictions.to_dict("records")]
    csv = predictions.to_csv(index=False, lineterminator="\n").encode()
    return _rendered("table", rows=rows, model=shelved, csv=uri(csv, "text/csv;charset=utf-8"))


def measured(measures: Measures, about: str, notices: Sequence[str]) -> str:
    """Show the features of a region by family, with the whole table to download."""
    return _rendered(
        "measures",
        measures=measures,
        about=about,
        notices=notices,
        csv=uri(measures.csv, "text/csv;charset=utf-8"),
    )


def model_said(label: str, about: str) -> str:
    """Say of the model that is chosen what it was trained on and how it was tested."""
    return _rendered("model", label=label, about=about)


def _feature(one: Feature, classes: tuple[str, str]) -> dict[str, Any]:
    return {
        "words": one.words,
        "name": one.name,
        "shap": one.shap,
        "towards": _towards(one.shap, classes),
        "value": _words.number(one.value),
        "place": _place(one.percentile),
        "strip": strip(one, classes),
    }


def _towards(shap: float, classes: tuple[str, str]) -> str:
    return classes[shap > 0] if round(shap, 2) else "neither"


def _place(percentile: float) -> str:
    if math.isnan(percentile):
        return ""
    if percentile <= 0:
        return "below all"
    return "above all" if percentile >= 100 else f"above {_words.share(percentile / 100)}"


def _codes(codes: Sequence[Map]) -> list[tuple[str, str]]:
    return [(uri(one.png), one.alt) for one in codes]


def _inside(share: float) -> float:
    """Return where a caption of the bar is centred, in percent, so that it stays within it."""
    return min(max(100 * share, 16.0), 84.0)


@cache
def _environment() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.DictLoader({name: part(f"{name}.html.j2") for name in _TEMPLATES}),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "share": _words.share,
        "number": _words.number,
        "signed": _words.signed,
        "inside": _inside,
        "key": KEY,
    }
    return environment


def _rendered(name: str, **values: Any) -> str:
    text: str = _environment().get_template(name).render(values)
    return text
