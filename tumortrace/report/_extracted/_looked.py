"""Lesions of a table, to look at: the section ``images``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tumortrace import features, io
from tumortrace.report._document import Block, Items, Picture, Pictures, Section, Stack, Text
from tumortrace.report._extracted._picture import grey_range, picture
from tumortrace.report._extracted._read import Extracted
from tumortrace.report._results._words import count, listed
from tumortrace.table._rows import FAILED

DEFAULT_MAPS = ("first_order_mean", "glcm_joint_entropy")
FEW = 2
"""How many volumes there are maps of where none are asked for."""

SLICES = 32
_MARGIN = 8  # voxels beside the lesion
_INCH = 2.6
_MAPS: dict[str, Callable[..., features.FeatureMaps]] = {
    "glcm": features.glcm_map,
    "first_order": features.first_order_map,
}


class Lesion(NamedTuple):
    """A lesion as it is looked at: three axes, the first of slices; upright where the file tells how it lies."""

    array: NDArray[Any]
    mask: NDArray[np.bool_]
    spacing: tuple[float, float, float]
    flat: bool
    upright: bool

    @property
    def areas(self) -> NDArray[np.intp]:
        """How many voxels of the mask are in each slice."""
        areas: NDArray[np.intp] = np.count_nonzero(self.mask, axis=(1, 2))
        return areas


class Map(NamedTuple):
    """A map of a lesion, by the name of its column, and the values at the ends of its colours."""

    name: str
    values: NDArray[np.float64]
    limits: tuple[float, float]


def chosen_rows(table: Extracted, images: int, rows: Sequence[int] | None) -> list[int]:
    """Return the places of the rows to look at, from 0: those asked for, else some of those with numbers, evenly.

    Raises
    ------
    ValueError
        If there is no such row.
    """
    if rows is not None:
        if wrong := [row for row in rows if not 1 <= row <= len(table.frame)]:
            raise ValueError(f"rows: there is no row {wrong[0]}; give numbers from 1 to {len(table.frame)}")
        return [row - 1 for row in rows]
    there = np.flatnonzero(table.frame["status"] != FAILED)
    places = np.linspace(0, len(there) - 1, min(images, len(there))).round().astype(int)
    return [int(row) for row in there[places]]


def chosen_maps(maps: Sequence[str] | None, volumes: int) -> list[tuple[str, str]]:
    """Return the kind and the feature of each map.

    Raises
    ------
    ValueError
        If there is no such map.
    """
    if maps is None:
        maps = DEFAULT_MAPS if volumes <= FEW else ()
    blank = np.zeros((1, 2, 2), np.uint8)
    known = [(kind, name) for kind, function in _MAPS.items() for name in function(blank, window=(1, 3, 3))]
    found = []
    for asked in maps:
        kinds = [(kind, name) for kind, name in known if asked in (name, f"{kind}_{name}")]
        if not kinds:
            valid = ", ".join(f"{kind}_{name}" for kind, name in known)
            raise ValueError(f"maps: there is no map {asked!r}; give some of {valid}")
        found.append(kinds[0])
    return found


def looked_at(
    table: Extracted, rows: Sequence[int], maps: Sequence[tuple[str, str]], *, threads: int | None = None
) -> Section:
    """Return pictures of rows: the slice with the most of each lesion, and of volumes all slices in reach."""
    whole: list[Picture] = []
    stacks: list[Section] = []
    missing: list[tuple[str, str]] = []
    upright = False
    for row in rows:
        name = f"Row {row + 1}: {table.called(row)}"
        try:
            lesion = read_lesion(table, row)
        except (OSError, ValueError) as error:
            missing.append((name, table.without_root(str(error))))
            continue
        upright |= lesion.upright
        whole.append(_whole(lesion, name))
        if not lesion.flat:
            over = [] if lesion.mask.all() else _maps(lesion, maps, table.parameters, threads)
            stack = _stack(lesion, name, over)
            stacks.append(Section(f"images-{row + 1}", name, [stack]))
    blocks: list[Block] = [Text(_about(table, len(rows), upright, bool(stacks)))]
    if whole:
        blocks.append(Pictures(whole, "The slice of each in which the region is largest, outlined."))
    if missing:
        blocks.append(Text("These could not be looked at:"))
        blocks.append(Items(missing))
    return Section("images", "Images looked at", blocks, stacks)


def read_lesion(table: Extracted, row: int) -> Lesion:
    """Read the image of a row and its mask.

    Raises
    ------
    ImageError
        If one of them is missing or damaged, or the mask is empty.
    """
    values = table.frame.iloc[row]
    mask = table.root / values["mask"] if values.get("mask") else None
    path = table.root / values["image"]
    said = table.sections.get("mask", {})
    if io.is_volume(path):
        label = values.get("roi") or said.get("label")
        label = int(label) if isinstance(label, str) and label.isdecimal() else label
        found = io.read_lesion(path, mask, label=label, resample=bool(said.get("resample")))
    else:
        found = io.read_image(path)
        found = io.Image(found.array, None if mask is None else io.read_mask(mask), spacing=found.spacing)
    inside = np.ones(found.array.shape, bool) if found.mask is None else np.asarray(found.mask, bool)
    if not inside.any():
        raise io.ImageError("the mask is empty")
    flat = found.array.ndim == 2
    array, inside = (part[np.newaxis] if flat else part for part in (found.array, inside))
    spacing = (1.0,) * (3 - array.ndim) + tuple(found.spacing or (1.0,) * 3)
    flips = turned(found.direction)
    turn = tuple(slice(None, None, -1 if flip else 1) for flip in flips)
    depth, height, width = (1.0, *spacing)[-3:]
    return Lesion(array[turn], inside[turn], (depth, height, width), flat, found.direction is not None)


def turned(direction: NDArray[np.float64] | None) -> tuple[bool, bool, bool]:
    """Say of rows and columns whether they are turned round to be looked at; slices keep their order.

    Columns then go to the left or the back of the patient, and rows to the back or the feet, as is usual.

    Examples
    --------
    >>> turned(np.array([[0.0, 0.0, -1.0], [0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]))
    (False, True, True)
    """
    if direction is None:
        return False, False, False
    usual = (1.0, 1.0, -1.0)  # to the left, the back and the feet
    main = np.abs(direction).argmax(axis=0)
    along = [direction[main[axis], axis] * usual[main[axis]] for axis in (1, 2)]
    return False, bool(along[0] < 0), bool(along[1] < 0)


def shown_slices(areas: NDArray[np.intp], most: int = SLICES) -> tuple[list[int], int]:
    """Return the slices of a lesion, evenly some of them where there are many, and where the largest is among them.

    Examples
    --------
    >>> shown_slices(np.array([0, 2, 5, 3, 0]))
    ([1, 2, 3], 1)
    """
    there = np.flatnonzero(areas)
    some = there[np.linspace(0, len(there) - 1, min(most, len(there))).round().astype(int)]
    largest = int(areas.argmax())
    some[np.abs(some - largest).argmin()] = largest
    return some.tolist(), some.tolist().index(largest)


def _about(table: Extracted, asked: int, upright: bool, slider: bool) -> str:
    words = [
        f"{count(asked, 'row')} of {len(table.frame):,}. Outlines are those of the masks in their files, and grey "
        "values those of the images: before any preprocessing of the settings."
    ]
    if upright:
        words.append(
            "Slices are turned as radiologists look at them where the file tells how it lies: the left of the "
            "patient is on the right."
        )
    if slider:
        words.append("Step through a volume with its buttons or the arrow keys; slices are counted from 1.")
    return " ".join(words)


def _whole(lesion: Lesion, name: str) -> Picture:
    place = int(lesion.areas.argmax())
    pixels = lesion.array[place]
    voxels = count(int(lesion.areas[place]), "pixel")
    where = "" if lesion.flat else f", slice {place + 1} of {len(lesion.array)}"
    drawn = picture(pixels, lesion.mask[place], greys=grey_range(pixels), spacing=lesion.spacing[1:], side=384)
    alt = f"{name}{where}: the whole slice, with an outline around {voxels}."
    return Picture(drawn, alt, f"{name}{where}", width=2.0)


def _stack(lesion: Lesion, name: str, maps: Sequence[Map]) -> Stack:
    """Return all slices of a lesion, cut to where it lies."""
    slices, first = shown_slices(lesion.areas)
    box = _box(lesion)
    cut, inside = lesion.array[:, *box], lesion.mask[:, *box]
    greys = grey_range(cut[slices])
    layers = []
    for place in slices:
        said = f"Slice {place + 1} of {len(lesion.array)}"
        voxels = count(int(lesion.areas[place]), "pixel")
        given: dict[str, Any] = {"greys": greys, "spacing": lesion.spacing[1:]}
        plain = picture(cut[place], inside[place], **given)
        pictures = [Picture(plain, f"{said}: the lesion with its outline, {voxels}.", said, width=_INCH)]
        for name_, values, limits in maps:
            over = picture(cut[place], None, **given, over=values[place][box], limits=limits)
            alt = f"{said}: {_in_words(name_)} in colours over the lesion, {_span(values[place])}."
            legend = f"{_in_words(name_).capitalize()}, {limits[0]:.4g} (left) to {limits[1]:.4g} (right)"
            pictures.append(Picture(over, alt, legend, width=_INCH))
        layers.append((str(place + 1), pictures))
    largest = f"The slice with the most of the region is {slices[first] + 1}."
    held = "All slices that hold it" if len(slices) == np.count_nonzero(lesion.areas) else f"{len(slices)} slices"
    caption = f"{held}, cut to where it lies. {largest}"
    if maps:
        caption += (
            f" The maps of {listed(_in_words(m.name) for m in maps)} are of a window of 7 voxels along each axis, "
            "within the region; their colours are the same for all slices."
        )
    return Stack(f"Slice of {name}", layers, caption, first)


def _box(lesion: Lesion) -> tuple[slice, slice]:
    """Return rows and columns of the lesion with a margin of half its side, at least eight voxels."""
    found = []
    for axis in (1, 2):
        there = np.flatnonzero(lesion.mask.any(axis=(0, 3 - axis)))
        start, stop = int(there[0]), int(there[-1]) + 1
        margin = max(_MARGIN, (stop - start) // 2)
        found.append(slice(max(start - margin, 0), min(stop + margin, lesion.mask.shape[axis])))
    rows, cols = found
    return rows, cols


def _maps(
    lesion: Lesion,
    wanted: Sequence[tuple[str, str]],
    parameters: Mapping[str, Mapping[str, Any]],
    threads: int | None,
) -> list[Map]:
    """Compute maps with the grey levels that the settings of their kind say."""
    found = {}
    for kind in dict.fromkeys(kind for kind, _ in wanted):
        usual = ("levels", "bin_width", "first_edge")
        given = {key: value for key, value in parameters.get(kind, {}).items() if key in usual}
        names = list(dict.fromkeys(name for of, name in wanted if of == kind))
        maps = _MAPS[kind](lesion.array, lesion.mask, features=names, threads=threads, **given)
        for name, values in maps.items():
            some = values[np.isfinite(values)]
            limits = (float(some.min()), float(some.max())) if some.size else (0.0, 1.0)
            found[kind, name] = Map(f"{kind}_{name}", values, limits)
    return [found[key] for key in wanted]


def _in_words(name: str) -> str:
    """Return what a map shows: the feature without its kind."""
    kind = next(kind for kind in _MAPS if name.startswith(f"{kind}_"))
    return name.removeprefix(f"{kind}_").replace("_", " ")


def _span(values: NDArray[np.float64]) -> str:
    some = values[np.isfinite(values)]
    return f"from {some.min():.4g} to {some.max():.4g}" if some.size else "without a number"
