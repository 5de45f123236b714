"""The tab of volumes: slices, features and maps of a region, and its largest slice as a crop for a model."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from tumortrace import io
from tumortrace.web import _parts
from tumortrace.web._controls import Outcome, Turns
from tumortrace.web._desk import Desk, File
from tumortrace.web._error import DemoError
from tumortrace.web._measures import PRESETS, measures
from tumortrace.web._shades import LEVELS, WINDOW, in_steps, shades
from tumortrace.web._slices import Part, largest_slice, part_of, view
from tumortrace.web._turns import QUIET, explaining, in_turn, say_unheard, tried
from tumortrace.web._volume_controls import Given, VolumeControls
from tumortrace.web._volumes import OtherGridError, Volume, read_image, read_region, size

_MIND = (
    "This is one slice of a volume, as an image of 8 bits. Models here are trained on crops of breast lesions in "
    "DCE MRI: of another organ or kind of image their score says nothing."
)
_IN_ORDER = {**QUIET, "concurrency_id": "volume", "concurrency_limit": 1}
"""Of what reads a file: a mask that is given while its volume is read waits, and finds it there."""
_ONE_VOLUME = threading.Lock()
"""Held while a volume is in memory, which may take gigabytes."""


@dataclass(frozen=True)
class VolumeTab:
    """What happens on the clicks of the tab. Whatever changes what is asked, clears what was answered."""

    desk: Desk
    tab: VolumeControls
    out: Outcome

    def connect(self) -> None:
        """Let every control do what it is for."""
        tab, out = self.tab, self.out
        shown = [tab.image, tab.mask, tab.given, tab.said, tab.label, tab.view, *out.outputs]
        chosen = [tab.resample, tab.given, out.turns]
        image = tab.image.upload(self._image, [tab.image, *chosen], shown, api_name="read_volume", **_IN_ORDER)
        mask = tab.mask.upload(self._mask, [tab.mask, *chosen], shown, api_name="read_mask", **_IN_ORDER)
        example = tab.examples.select(self._choose, [out.turns], shown, api_name="choose_volume", **_IN_ORDER)
        gr.on(
            [tab.resample.input, tab.label.input],
            self._again,
            [tab.label, *chosen],
            shown,
            api_name="read_region",
            **_IN_ORDER,
        )
        gr.on([tab.preset.input, tab.levels.input], self._changed, out.turns, [*out.outputs, tab.view], **QUIET)
        question = [tab.given, tab.label, tab.resample]
        asked = [*question, tab.preset, tab.levels, out.turns]
        measured = tab.go.click(self._measure, asked, [*out.outputs, tab.view], api_name="measure_volume", **QUIET)
        events = [image, mask, example, measured]
        if tab.crop is not None:
            crop = tab.crop
            asked = [*question, crop.model, crop.sequence, out.turns]
            answered = crop.ask.click(self._ask, asked, [*out.outputs, tab.view], api_name="ask_volume", **QUIET)
            why = explaining(self.desk)
            answered.success(why, [out.asked, out.turns], out.why, api_name="explain_volume", **QUIET)
            told = [crop.about, crop.sequence, *out.outputs, tab.view]
            crop.model.input(self._other_model, [crop.model, out.turns], told, **QUIET)
            events.append(answered)
        say_unheard(events, out.message)

    def _image(self, path: str | None, resample: bool, given: Given, turns: Turns) -> list[Any]:
        return self._read(replace(given, image=_file(path)), replace(given, image=None), None, resample, turns)

    def _mask(self, path: str | None, resample: bool, given: Given, turns: Turns) -> list[Any]:
        return self._read(replace(given, mask=_file(path)), replace(given, mask=None), None, resample, turns)

    def _choose(self, turns: Turns) -> list[Any]:
        return self._read(self.tab.example or Given(), Given(), None, False, turns)

    def _again(self, label: int | None, resample: bool, given: Given, turns: Turns) -> list[Any]:
        return self._read(given, given, label, resample, turns)

    def _read(self, given: Given, otherwise: Given, label: int | None, resample: bool, turns: Turns) -> list[Any]:
        """Read what is there and return what to show of it; `otherwise` is what is kept where that fails."""
        turns.change()
        kept = otherwise

        def read() -> list[Any]:
            nonlocal kept
            if given.image is None or given.mask is None:
                return self._half(given)
            try:
                with _ONE_VOLUME:
                    volume = self._volume(given, label, resample)
                    around = part_of(volume)
            except OtherGridError:
                kept = given
                raise
            return self._shown(given, volume, around)

        return tried(read, lambda message: self._show(kept, _said_of(kept), message=message))

    def _half(self, given: Given) -> list[Any]:
        """Say of the one file that is there what it is."""
        if given.image is None:
            return self._show(given, _said_of(given))
        with _ONE_VOLUME:
            image = read_image(*given.image, self.desk.workplace)
            said = f"{_about(image)} Now give its mask."
        return self._show(given, said)

    def _shown(self, given: Given, volume: Volume, around: Part) -> list[Any]:
        said = f"{_about(volume.image)} {_region(volume)}"
        choices = [(f"{number} {name}".strip(), number) for number, name in volume.rois]
        label = gr.Dropdown(choices, value=volume.label, visible=len(choices) > 1)
        return self._show(given, said, label=label, view=view(around))

    def _show(
        self, given: Given, said: str, *, label: Any = None, view: Any = None, message: str = ""
    ) -> list[Any]:
        """Return values for all that reading changes; both uploads are emptied, ready for the next."""
        regions = gr.Dropdown([], value=None, visible=False) if label is None else label
        told = _parts.said(said) if said else ""
        return [None, None, given, told, regions, view, *self.out.show(message=message)]

    def _changed(self, turns: Turns) -> list[Any]:
        turns.change()
        return self._told(view={"maps": []})

    def _told(self, *, view: Any = None, **told: Any) -> list[Any]:
        return [*self.out.show(**told), gr.skip() if view is None else view]

    def _measure(
        self, given: Given, label: int | None, resample: bool, preset: str, levels: int, turns: Turns
    ) -> Iterator[list[Any]]:
        steps = self._steps(given, label, resample, preset, levels)
        question = (given, label, resample, preset, levels)
        yield from in_turn(turns, question, "Computing features", steps, self._told)

    def _steps(
        self, given: Given, label: int | None, resample: bool, preset: str, levels: int
    ) -> Iterator[list[Any]]:
        if preset not in PRESETS or levels not in LEVELS:
            raise DemoError(f"{preset} with {levels} levels is no choice of this page")
        with _ONE_VOLUME:
            volume = self._volume(given, label, resample)
            found, around, told = measures(volume, preset), part_of(volume), _region(volume)
            del volume
        notices = [text for text in (found.reason, "" if around.whole else _cut_down(around)) if text]
        about = f"{PRESETS[preset]} settings. {told}"
        answer = {"result": _parts.measured(found, about, notices), "status": f"{len(found.rows)} features."}
        yield self._told(**answer, why=_parts.working("Computing maps …"))
        computing = in_steps(lambda report: shades(around, levels, report))
        said = 0.0
        while True:
            try:
                share = next(computing)
            except StopIteration as done:
                maps = done.value
                break
            if share - said >= 0.1:
                said = share
                yield self._told(**answer, why=_parts.working(f"Computing maps: {100 * share:.0f} % …"))
        yield self._told(**answer, why=_parts.done(_mapped(len(maps), levels)), view=view(around, maps))

    def _ask(
        self, given: Given, label: int | None, resample: bool, key: str, sequence: str | None, turns: Turns
    ) -> Iterator[list[Any]]:
        def steps() -> Iterator[list[Any]]:
            with _ONE_VOLUME:
                crop = largest_slice(self._volume(given, label, resample))
            asked = self.desk.ask(crop, key, sequence)
            asked = replace(asked, answer=replace(asked.answer, notices=(*asked.answer.notices, _MIND)))
            yield self._told(
                result=self.desk.answered(asked),
                status=_parts.answer_said(asked.answer),
                why=_parts.working("Finding out why …"),
                asked=asked,
            )

        yield from in_turn(turns, (given, label, resample, key, sequence), "Analysing", steps(), self._told)

    def _other_model(self, key: str, turns: Turns) -> list[Any]:
        names = self.desk.sequences(key)
        choices = gr.Dropdown(list(names), value=names[0] if names else None, visible=bool(names))
        turns.change()
        return [self.desk.about(key), choices, *self._told()]

    def _volume(self, given: Given, label: int | None, resample: bool) -> Volume:
        if given.image is None or given.mask is None:
            raise DemoError("there is no volume with a mask yet; choose the example or upload both")
        image = read_image(*given.image, self.desk.workplace)
        return read_region(image, *given.mask, self.desk.workplace, label=label, resample=resample)


def _file(path: str | None) -> File | None:
    return None if path is None else File(path, Path(path).name)


def _said_of(given: Given) -> str:
    if given.image is None and given.mask is None:
        return ""
    there, missing = (given.mask, "volume") if given.image is None else (given.image, "mask")
    if given.image is not None and given.mask is not None:
        return f"{given.image.name} and {given.mask.name} are there."
    assert there is not None
    return f"{there.name} is there. Now give its {missing}."


def _about(image: io.Image) -> str:
    spacing = " × ".join(f"{step:.3g}" for step in image.spacing or ())
    apart = f", {spacing} mm apart" if spacing else ""
    return f"{image.source}: {size(image)} voxels{apart}."


def _region(volume: Volume) -> str:
    """Say which region it is and how large."""
    assert volume.image.mask is not None
    name = dict(volume.rois)[volume.label]
    called = f"{volume.label} ({name})" if name else str(volume.label)
    one = f"region {called} of {len(volume.rois)}" if len(volume.rois) > 1 else "its only region"
    lost = f", resampled; {100 * volume.outside:.1f} % of it lies outside the volume" if volume.outside else ""
    return f"{volume.mask_name}: {one}, {int(volume.image.mask.sum()):,} voxels{lost}."


def _cut_down(around: Part) -> str:
    slices, rows, cols = around.array.shape
    return (
        f"The region is larger than what is shown and mapped, {slices} × {rows} × {cols} voxels about the middle "
        "of its largest slice. The features are of all of it."
    )


def _mapped(count: int, levels: int) -> str:
    if not count:
        return "There is no map: the region has too few voxels."
    return (
        f"{count} maps are there: choose one below the slices. Each voxel of the region has the feature of the "
        f"window of {WINDOW} × {WINDOW} × {WINDOW} voxels around it, as far as it is in the region; {levels} grey "
        "levels."
    )
