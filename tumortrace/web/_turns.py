"""Answers in their turn: step by step, whatever fails said in words, and nothing of an earlier question."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import gradio as gr

from tumortrace.web import _parts
from tumortrace.web._controls import Turns
from tumortrace.web._desk import Asked, Desk

QUIET: dict[str, Any] = {"show_progress": "hidden", "trigger_mode": "multiple"}
"""Of every event: the page says itself what it is doing, and what is asked while something runs is not dropped."""

_log = logging.getLogger(__name__)
_UNHEARD = "too many ask at once, or the connection is lost; try again in a minute"
T = TypeVar("T")


def in_turn(
    turns: Turns, question: Any, what: str, steps: Iterator[list[Any]], show: Callable[..., list[Any]]
) -> Iterator[list[Any]]:
    """Yield the steps of an answer for as long as its question is the one that counts.

    Parameters
    ----------
    turns : Turns
        Of the person who asks.
    question
        Not None.
    what : str
        What is being done, such as "Analysing".
    steps : iterator
        What to show, step by step.
    show : callable
        Returns values for the components, as `Outcome.show` does; message first.
    """
    turn = turns.ask(question)
    yield show(result=_parts.working(f"{what} …"), status=f"{what}.")
    while turns.count == turn:
        shown = tried(lambda: next(steps, None), lambda message: show(message=message))
        if shown is None:
            return
        if turns.count == turn:
            yield shown
    if turns.question is None:  # what was shown meanwhile may have come after what cleared it
        yield [gr.skip(), *show()[1:]]


def explaining(desk: Desk) -> Callable[[Asked | None, Turns], Iterator[Any]]:
    """Return what yields why a model answered as it did, if that is still asked."""

    def explain(asked: Asked | None, turns: Turns) -> Iterator[Any]:
        if asked is None:
            return
        turn = turns.count
        shown = tried(lambda: desk.explained(asked), lambda message: message)
        if turns.count == turn:
            yield shown
        if turns.count != turn and turns.question is None:
            yield ""

    return explain


def say_unheard(events: list[Any], message: gr.HTML) -> None:
    """Let the page say by itself that something did not come to the server."""
    for event in events:
        event.failure(None, None, message, js=f"() => {json.dumps(_parts.fault(_UNHEARD))}")


def tried(action: Callable[[], T], failed: Callable[[str], T]) -> T:
    """Return what an action returns, or what `failed` makes of a message that says what went wrong."""
    try:
        return action()
    except ValueError as error:  # DemoError, ModelError, ImageError: said for whoever reads the page
        return failed(_parts.fault(str(error)))
    except Exception:
        _log.exception("the page failed")
        return failed(_parts.fault("this failed for a reason that the page does not know; its log says more"))
