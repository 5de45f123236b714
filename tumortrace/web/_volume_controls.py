"""The controls of the tab of volumes."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from tumortrace import io
from tumortrace.web import _parts
from tumortrace.web._controls import KEPT_SECONDS, html
from tumortrace.web._desk import Desk, File
from tumortrace.web._examples import volume_example
from tumortrace.web._look import part
from tumortrace.web._measures import PRESETS
from tumortrace.web._shades import LEVELS
from tumortrace.web._slices import largest_slice
from tumortrace.web._volumes import FORMATS, MAX_BYTES, MAX_VOXELS, read_image, read_region

_TOLD = (
    f"A volume and a mask of the lesion in it: {FORMATS}; up to {MAX_BYTES // 2**20} MiB a file and "
    f"{MAX_VOXELS // 10**6} million voxels. The page shows slices, features and maps of texture. No model here "
    "scores volumes."
)
_CROP = (
    "Or ask a model of crops about one slice: that in which the region has its largest area, cut close around it."
)


@dataclass(frozen=True)
class Given:
    """What was uploaded, perhaps not all yet."""

    image: File | None = None
    mask: File | None = None


@dataclass(frozen=True)
class CropControls:
    """Those that ask a model of crops about one slice; there are none where no model takes a crop."""

    model: gr.Radio
    about: gr.HTML
    sequence: gr.Dropdown
    ask: gr.Button


@dataclass(frozen=True)
class VolumeControls:
    """The controls of the tab."""

    image: gr.File
    mask: gr.File
    resample: gr.Checkbox
    examples: gr.HTML
    said: gr.HTML
    label: gr.Dropdown
    view: gr.HTML
    preset: gr.Radio
    levels: gr.Radio
    go: gr.Button
    given: gr.State
    example: Given | None
    crop: CropControls | None


def volume_controls(desk: Desk) -> VolumeControls:
    """Lay out the tab; its controls have ids that begin with ``volume-``."""
    example = _example(desk.workplace)
    with gr.Tab("Volume", id="volume", elem_id="tab-volume"):
        html(_parts.said(_TOLD))
        with gr.Row():
            image, mask = (
                gr.File(
                    label=label,
                    height=112,
                    elem_id=f"volume-{name}",
                    elem_classes=["tt-upload", "tt-large"],
                    min_width=130,
                )
                for name, label in (("file", "Volume"), ("mask", "Mask"))
            )
        return VolumeControls(
            image=image,
            mask=mask,
            resample=gr.Checkbox(
                label="Resample the mask: bring one on another grid onto that of the volume, by nearest neighbour",
                elem_id="volume-resample",
            ),
            examples=html(
                _button(example, desk.workplace),
                elem_id="volume-examples",
                elem_classes="tt-slot",
                js_on_load=part("examples.js"),
            ),
            said=html("", elem_id="volume-given", elem_classes="tt-slot"),
            label=gr.Dropdown([], label="Region of the mask", visible=False, elem_id="volume-label"),
            view=gr.HTML(
                None,
                html_template=part("volume.html"),
                js_on_load=part("volume.js"),
                apply_default_css=False,
                elem_id="volume-view",
            ),
            preset=gr.Radio(
                [(words, name) for name, words in PRESETS.items()],
                value="ibsi",
                label="Features as defined by",
                elem_id="volume-preset",
                elem_classes="tt-model",
            ),
            levels=gr.Radio(
                list(LEVELS),
                value=LEVELS[-1],
                label="Grey levels of the maps",
                elem_id="volume-levels",
                elem_classes="tt-model",
            ),
            go=gr.Button("Compute features and maps", variant="primary", elem_id="volume-analyse"),
            given=gr.State(Given(), time_to_live=KEPT_SECONDS),
            example=example,
            crop=_crop_controls(desk),
        )


def _crop_controls(desk: Desk) -> CropControls | None:
    models = desk.models([1])
    if not models:
        return None
    chosen = models[0][1]
    sequences = desk.sequences(chosen)
    html(_parts.said(_CROP))
    return CropControls(
        model=gr.Radio(models, value=chosen, label="Model", elem_id="volume-model", elem_classes="tt-model"),
        about=html(desk.about(chosen), elem_id="volume-about"),
        sequence=gr.Dropdown(
            list(sequences),
            value=sequences[0] if sequences else None,
            label="Which sequence the volume is of",
            visible=bool(sequences),
            elem_id="volume-sequence",
        ),
        ask=gr.Button("Ask about the largest slice", elem_id="volume-slice-analyse"),
    )


def _example(workplace: Path) -> Given | None:
    with suppress(io.ImageError):  # without the extra `medical` there is none
        image, mask = volume_example(workplace / "volume")
        return Given(File(str(image), image.name), File(str(mask), mask.name))
    return None


def _button(example: Given | None, workplace: Path) -> str:
    if example is None or example.image is None or example.mask is None:
        return _parts.said("Volumes other than .mha need more packages: pip install 'tumortrace[medical]'.")
    volume = read_region(read_image(*example.image, workplace), *example.mask, workplace)
    (picture,) = largest_slice(volume).pictures
    return _parts.examples(
        "volume-example", "Or choose a synthetic example:", [_parts.shown(picture, "A volume with two regions")]
    )
