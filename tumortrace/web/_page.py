"""The page of the demo: what stands where, and what happens on a click."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from tumortrace.web import _parts
from tumortrace.web._controls import Controls, Outcome, Turns, boxed, controls, html, offered, outcome
from tumortrace.web._desk import Asked, Desk, File
from tumortrace.web._kinds import KINDS, Kind
from tumortrace.web._look import part
from tumortrace.web._shelf import Shelf
from tumortrace.web._turns import QUIET, explaining, in_turn, say_unheard, tried
from tumortrace.web._volume_controls import volume_controls
from tumortrace.web._volume_tab import VolumeTab

TITLE = "tumortrace demo"


def build(shelf: Shelf, *, workplace: Path, flag_folder: Path | None = None) -> gr.Blocks:
    """Build the page.

    Parameters
    ----------
    shelf : Shelf
        The models to choose from, and the examples.
    workplace : Path
        A private folder, where images lie while a model reads them.
    flag_folder : Path, optional
        Where flags are kept. By default there is no button to flag.

    Returns
    -------
    gradio.Blocks
        To be launched or mounted with `tumortrace.web._look.launch_options`.
    """
    desk = Desk(shelf, workplace, flag_folder)
    kinds = [kind for kind in KINDS if desk.models(kind.counts)]
    page = gr.Blocks(title=TITLE, analytics_enabled=False)
    with page:
        html(part("notice.html"), elem_id="notice")
        html(part("head.html"), elem_id="head")
        with gr.Row(elem_id="desk"):
            with (
                gr.Column(scale=6, min_width=320, elem_id="asked"),
                gr.Tabs(elem_id="tabs", overflow_behavior="wrap"),
            ):
                tabs = [controls(desk, kind) for kind in kinds]
                volume = volume_controls(desk)
            with gr.Column(scale=5, min_width=320, elem_id="told"):
                out = outcome(TITLE, can_flag=flag_folder is not None)
        out.why.render()  # type: ignore[no-untyped-call]
        html(_parts.said(" ".join(shelf.notices)), elem_id="shelf-notices", visible=bool(shelf.notices))
        html(part("foot.html"), elem_id="foot")
        for kind, tab in zip(kinds, tabs, strict=True):
            _Wiring(desk, kind, tab, out).connect()
        VolumeTab(desk, volume, out).connect()
        out.result.tick(lambda: None, None, None, concurrency_limit=None, **QUIET)
        if flag_folder is not None:
            out.flag.click(
                _flag(desk), [out.asked, out.comment], [out.message, out.status, out.comment, out.flag], **QUIET
            )
    return page


@dataclass(frozen=True)
class _Wiring:
    """What happens on the clicks of one tab. Whatever changes what is asked, clears what was answered."""

    desk: Desk
    kind: Kind
    tab: Controls
    out: Outcome

    def connect(self) -> None:
        """Let every control do what it is for."""
        tab, out, name = self.tab, self.out, self.kind.name
        shown = [tab.file, tab.read, tab.preview, tab.model, tab.about, *out.outputs]
        changes = [tab.sequence.input, *([tab.box.input] if self.kind.boxed else [])]
        read = tab.file.upload(self._read, [tab.file, out.turns], shown, api_name=f"read_{name}", **QUIET)
        chosen = tab.examples.select(self._choose, out.turns, shown, api_name=f"choose_{name}", **QUIET)
        question = [tab.box, tab.model, tab.sequence, out.turns]
        tab.model.input(self._model, question, [tab.about, tab.sequence, *out.outputs], **QUIET)
        gr.on(changes, self._changed, question, out.outputs, **QUIET)
        asked = [tab.read, *question]
        answered = tab.go.click(self._answer, asked, out.outputs, api_name=f"ask_{name}", **QUIET)
        why = explaining(self.desk)
        answered.success(why, [out.asked, out.turns], out.why, api_name=f"explain_{name}", **QUIET)
        say_unheard([read, chosen, answered], out.message)

    def _answer(self, read: Any, box: Any, key: str, sequence: str | None, turns: Turns) -> Iterator[list[Any]]:
        steps = self._steps(read, box, key, sequence)
        yield from in_turn(turns, (self.kind, box, key, sequence), "Analysing", steps, self.out.show)

    def _steps(self, read: Any, box: Any, key: str, sequence: str | None) -> Iterator[list[Any]]:
        if read is None:
            raise ValueError("there is nothing to analyse yet; choose an example or upload an image")
        found = self.kind.ask(self.desk, read, box, key, sequence)
        if not isinstance(found, Asked):
            yield from (self.out.show(result=shown, status=status) for shown, status in found)
            return
        yield self.out.show(
            result=self.desk.answered(found),
            status=_parts.answer_said(found.answer),
            why=_parts.working("Finding out why …"),
            asked=found,
        )

    def _changed(self, box: Any, key: str, sequence: str | None, turns: Turns) -> list[Any]:
        if turns.question == (self.kind, box, key, sequence):  # the question that it leads to has overtaken it
            return [gr.skip()] * len(self.out.outputs)
        turns.change()
        return self.out.show()

    def _read(self, paths: str | list[str] | None, turns: Turns) -> list[Any]:
        turns.change()
        files = [File(path, Path(path).name) for path in ([paths] if isinstance(paths, str) else paths or [])]
        return tried(lambda: self._shown(files, None), self._forget)

    def _choose(self, turns: Turns, event: gr.EventData) -> list[Any]:
        turns.change()

        def choose() -> list[Any]:
            found = self.kind.examples(self.desk)
            number = event.example
            if type(number) is not int or not 0 <= number < len(found):
                raise ValueError(f"there is no example {number!r}; choose one of the {len(found)} on the page")
            return self._shown(list(found[number].files), found[number].box)

        return tried(choose, self._forget)

    def _model(self, box: Any, key: str, sequence: str | None, turns: Turns) -> list[Any]:
        names = self.desk.sequences(key)
        choices = gr.Dropdown(list(names), value=names[0] if names else None, visible=bool(names))
        return [self.desk.about(key), choices, *self._changed(box, key, sequence, turns)]

    def _shown(self, files: list[File], box: list[int] | None) -> list[Any]:
        """Return what to show of files that can be read; the upload is emptied, ready for the next."""
        read = self.kind.read(self.desk, files)
        if self.kind.boxed:
            preview = boxed(_parts.shown(read).source, read.array.shape, box)
        else:
            preview = self.kind.show(read)
        models, about = gr.skip(), gr.skip()
        if len(self.kind.counts) > 1:
            choices = offered(self.desk, self.kind, len(read))
            models = gr.Radio(choices, value=choices[0][1])
            about = self.desk.about(choices[0][1])
        return [None, read, preview, models, about, *self.out.show()]

    def _forget(self, message: str) -> list[Any]:
        preview = boxed("", (1, 1), None) if self.kind.boxed else ""
        return [None, None, preview, gr.skip(), gr.skip(), *self.out.show(message=message)]


def _flag(desk: Desk) -> Callable[[Asked | None, str], list[Any]]:
    def flag(asked: Asked | None, comment: str) -> list[Any]:
        def kept() -> list[Any]:
            words = f"Flagged. It is kept as {desk.flagged(asked, comment)}."
            return [_parts.done(words), words, gr.Textbox(value="", visible=False), gr.Button(visible=False)]

        return tried(kept, lambda message: [message, "", gr.skip(), gr.skip()])

    return flag
