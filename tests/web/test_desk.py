"""What happens on the page: models and examples that fit, boxes, flags, and answers in their turn."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
from web.fakes import picture, shelved

from tumortrace.web._controls import Turns
from tumortrace.web._desk import Desk, File
from tumortrace.web._error import DemoError
from tumortrace.web._examples import Example
from tumortrace.web._kinds import KINDS
from tumortrace.web._page import build
from tumortrace.web._reader import Box
from tumortrace.web._shelf import Shelf

PART = {kind.name: kind for kind in KINDS}


def desk(*models, examples=(), flag_folder=None):
    return Desk(Shelf({one.key: one for one in models}, examples), Path("nowhere"), flag_folder)


def test_labels_of_models_are_told_apart_and_fused_ones_come_first():
    models = desk(shelved("c", kind="cnn"), shelved("a"), shelved("b"), shelved("d", count=9))
    assert models.models([1]) == [("Fused, a", "a"), ("Fused, b", "b"), ("CNN (ResNet8)", "c")]
    assert models.phase_counts() == [9]


def test_a_sequence_is_asked_for_only_where_a_model_of_crops_knows_several():
    models = desk(
        shelved("one", sequences=("SUB1",)), shelved("two", sequences=("SUB1", "SUB2")), shelved("d", count=9)
    )
    assert [models.sequences(key) for key in ("one", "two", "d")] == [(), ("SUB1", "SUB2"), ()]


def test_a_box_cuts_what_it_encloses():
    whole = picture(shape=(20, 30), dtype=np.uint16)
    cut = desk().cut(whole, [4, 5, 6, 7])
    assert (cut.pictures[0].array == whole.array[5:12, 4:10]).all()


@pytest.mark.parametrize(
    "box", [None, [], [1, 2, 3], [1, 2, 3, 4.5], [1, 2, 3, True], "abcd", {"left": 1}, [-1, 0, 5, 5]]
)
def test_what_is_no_box_is_refused_in_words(box):
    with pytest.raises(DemoError, match=r"box.*(draw|give)"):
        desk().cut(picture(), box)


def test_flagging_without_a_folder_or_an_answer_is_refused():
    with pytest.raises(DemoError, match="no answer to flag"):
        desk().flagged(None, "")


def test_examples_are_those_that_a_model_takes(tmp_path):
    known = [
        Example(kind, kind, kind, "Benign", (tmp_path,), ("x.png",), box)
        for kind, box in (("crop", None), ("slice", Box(1, 2, 3, 4)), ("9", None), ("17", None))
    ]
    models = desk(shelved("a"), shelved("b", count=9), examples=tuple(known))
    assert [one.caption for one in PART["phases"].examples(models)] == ["9"]
    assert [one.box for one in PART["slice"].examples(models)] == [[1, 2, 3, 4]]
    (several,) = PART["several"].examples(models)
    assert several.files == (File(str(tmp_path), "x.png"),)


def built(*models, workplace, **options):
    """Return the page; without a loop that runs, Gradio would open some and leave them."""

    async def make():
        return build(Shelf({one.key: one for one in models}), workplace=workplace, **options)

    return asyncio.run(make())


def controls(page):
    return {block.elem_id: block for block in page.blocks.values() if block.elem_id}


def test_the_page_has_a_tab_for_each_input_that_some_model_takes(tmp_path):
    models = (shelved("a"), shelved("b", count=9), shelved("c", count=17))
    every = controls(built(*models, workplace=tmp_path))
    for name in PART:
        assert {f"{name}-file", f"{name}-model", f"{name}-analyse", f"{name}-about"} <= set(every)
    assert every["phases-model"].choices == [("Fused", "c")]
    assert not every["flag"].visible
    few = controls(built(models[1], workplace=tmp_path))
    assert [name for name in PART if f"{name}-file" in few] == ["phases"]


def test_no_event_flags_unless_the_operator_chose_a_folder(tmp_path):
    counts = [
        len(built(shelved("a"), workplace=tmp_path, flag_folder=folder).fns)
        for folder in (None, tmp_path / "flags")
    ]
    assert counts[1] == counts[0] + 1


def test_an_answer_to_an_earlier_question_is_not_shown(tmp_path):
    page = built(shelved("a"), workplace=tmp_path)
    (ask,) = (one.fn for one in page.fns.values() if one.api_name == "ask_crop")
    turns = Turns()
    steps = ask(None, None, "a", None, turns)
    assert "Analysing" in next(steps)[1]
    assert "nothing to analyse" in next(steps)[0]
    assert list(steps) == []
    steps = ask(None, None, "a", None, turns)
    next(steps)
    turns.ask("another")
    assert list(steps) == []


def test_a_change_that_its_question_has_overtaken_takes_no_answer_away(tmp_path):
    page = built(shelved("a"), shelved("b"), workplace=tmp_path)
    (ask,) = (one.fn for one in page.fns.values() if one.api_name == "ask_crop")
    (model,) = (one.fn for one in page.fns.values() if one.name == "_model" and one.fn.__self__.kind.name == "crop")
    turns = Turns()
    steps = ask(None, None, "b", None, turns)
    next(steps)
    model(None, "b", None, turns)
    assert "nothing to analyse" in next(steps)[0]
    model(None, "a", None, turns)
    assert "No result yet" in next(steps)[2]


def test_a_change_while_something_is_asked_leaves_nothing_on_the_page(tmp_path):
    page = built(shelved("a"), workplace=tmp_path)
    (ask,) = (one.fn for one in page.fns.values() if one.api_name == "ask_crop")
    turns = Turns()
    steps = ask(None, None, "a", None, turns)
    next(steps)
    turns.change()
    (last,) = list(steps)
    assert "No result yet" in last[2]
    steps = ask(None, None, "a", None, turns)
    next(steps), next(steps)
    turns.change()  # between the last step and its arrival
    (last,) = list(steps)
    assert "No result yet" in last[2]


@pytest.mark.parametrize("count", [0, 65])
def test_none_and_too_many_images_are_refused_when_they_come(count):
    with pytest.raises(DemoError, match="no file" if count == 0 else "65 files"):
        PART["several"].read(desk(), [File("nowhere", "x.png")] * count)
