"""The controls of the page: those of one tab, and those that show what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from tumortrace.web import _parts
from tumortrace.web._desk import Desk
from tumortrace.web._flag import LONGEST_COMMENT
from tumortrace.web._kinds import Kind
from tumortrace.web._look import part
from tumortrace.web._reader import MAX_BYTES, MAX_FILES
from tumortrace.web._volumes import MAX_BYTES as MAX_VOLUME_BYTES

KEPT_SECONDS = 3600
"""How long the page remembers what was uploaded."""


@dataclass(frozen=True)
class Controls:
    """The controls of one tab."""

    file: gr.File
    examples: gr.HTML
    preview: Any
    box: Any
    model: gr.Radio
    about: gr.HTML
    sequence: gr.Dropdown
    go: gr.Button
    read: gr.State


@dataclass
class Turns:
    """Counts what one person asks and changes, so that nothing is shown that answers an earlier question."""

    count: int = 0
    question: Any = None

    def ask(self, question: Any) -> int:
        """Begin the turn of a question, which is not None, and return its number."""
        self.count, self.question = self.count + 1, question
        return self.count

    def change(self) -> None:
        """Begin a turn in which nothing is asked."""
        self.count, self.question = self.count + 1, None


@dataclass(frozen=True)
class Outcome:
    """What shows the outcome, the same for all tabs."""

    message: gr.HTML
    status: gr.HTML
    result: gr.HTML
    why: gr.HTML
    asked: gr.State
    turns: gr.State
    comment: gr.Textbox
    flag: gr.Button
    can_flag: bool

    @property
    def outputs(self) -> list[Any]:
        """Return the components that `show` gives values for, in its order."""
        return [self.message, self.status, self.result, self.why, self.comment, self.flag, self.asked]

    def show(
        self, *, message: str = "", status: str = "", result: str = "", why: str = "", asked: Any = None
    ) -> list[Any]:
        """Return values for the components; what is not given is cleared, and without an answer is no flag."""
        visible = self.can_flag and asked is not None
        flag = [gr.Textbox(value="", visible=visible), gr.Button(visible=visible)]
        return [message, status, result or _parts.empty(), why, *flag, asked]


def controls(desk: Desk, kind: Kind) -> Controls:
    """Lay out the tab of one kind of input; its controls have ids that begin with the kind's name."""
    name, models = kind.name, offered(desk, kind)
    chosen = models[0][1]
    sequences = desk.sequences(chosen)
    with gr.Tab(kind.title, id=name, elem_id=f"tab-{name}"):
        html(_parts.said(kind.told))
        box = _box() if kind.boxed else gr.State()
        return Controls(
            file=gr.File(
                label=kind.label,
                file_count="multiple" if kind.many else "single",
                height=112,
                elem_id=f"{name}-file",
                elem_classes="tt-upload",
            ),
            examples=html(
                _examples(desk, kind),
                elem_id=f"{name}-examples",
                elem_classes="tt-slot",
                js_on_load=part("examples.js"),
            ),
            preview=box if kind.boxed else html("", elem_id=f"{name}-preview", elem_classes="tt-slot"),
            box=box,
            model=gr.Radio(models, value=chosen, label="Model", elem_id=f"{name}-model", elem_classes="tt-model"),
            about=html(desk.about(chosen), elem_id=f"{name}-about"),
            sequence=gr.Dropdown(
                list(sequences),
                value=sequences[0] if sequences else None,
                label="Which sequence the image is of",
                visible=bool(sequences),
                elem_id=f"{name}-sequence",
            ),
            go=gr.Button("Analyse", variant="primary", elem_id=f"{name}-analyse"),
            read=gr.State(time_to_live=KEPT_SECONDS),
        )


def outcome(title: str, *, can_flag: bool) -> Outcome:
    """Lay out what shows the outcome; `why` is left to be rendered below both columns."""
    return Outcome(
        message=html(
            "",
            elem_id="messages",
            html_template=part("messages.html"),
            js_on_load=part("page.js"),
            title=title,
            limit=MAX_BYTES,
            volume_limit=MAX_VOLUME_BYTES,
            most=MAX_FILES,
        ),
        status=html("", elem_id="status", html_template=part("status.html")),
        result=html(_parts.empty(), elem_id="result", js_on_load=part("seen.js")),
        why=html("", elem_id="why", elem_classes="tt-slot", js_on_load=part("why.js"), render=False),
        asked=gr.State(time_to_live=KEPT_SECONDS),
        turns=gr.State(Turns()),
        comment=gr.Textbox(
            label="Is this answer wrong? Say why, and flag it for who runs this page",
            lines=2,
            max_length=LONGEST_COMMENT,
            visible=False,
            elem_id="flag-comment",
        ),
        flag=gr.Button("Flag this answer", visible=False, elem_id="flag"),
        can_flag=can_flag,
    )


def offered(desk: Desk, kind: Kind, count: int | None = None) -> list[tuple[str, str]]:
    """Return label and key of the models of a tab: those of one count of pictures, the largest by default."""
    counts = [one for one in kind.counts if desk.models([one])]
    return desk.models([counts[-1] if count is None else count])


def boxed(source: str, shape: tuple[int, int], box: list[int] | None) -> Any:
    """Return an update that shows a slice to draw in."""
    rows, cols = shape
    return gr.HTML(value=box, image=source, rows=rows, cols=cols)


def html(value: str, **options: Any) -> gr.HTML:
    """Return a component that shows HTML as it is, without Gradio's styles of prose."""
    return gr.HTML(value, **{"js_on_load": None, "apply_default_css": False, **options})


def _box() -> gr.HTML:
    return gr.HTML(
        None,
        html_template=part("box.html"),
        js_on_load=part("box.js"),
        apply_default_css=False,
        elem_id="box",
        image="",
        rows=1,
        cols=1,
    )


def _examples(desk: Desk, kind: Kind) -> str:
    found = kind.examples(desk)
    if not found:
        return ""
    pictures = [_parts.shown(kind.thumbnail(desk, one), one.caption) for one in found]
    return _parts.examples(f"{kind.name}-example", "Or choose a synthetic example:", pictures)
