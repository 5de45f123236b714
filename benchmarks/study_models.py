"""The models of a study: averages of the log-odds of parts, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks.study_parts import Part, Rows
from tumortrace.table import column_groups

SLICE = ["patient", "slice"]
EVERY = "17 sequences"
SEQUENCES: dict[str, tuple[str, ...] | None] = {
    EVERY: None,
    "9 phases": ("vibrant", *(f"vibrant_c{phase}" for phase in range(1, 9))),
    "one crop per slice": ("vibrant_c2",),
}
TEXTURE = ("hog", "sobel", "lbp", "mvm_lbp", "mvmbp", "glcm", "first_order")
REPORT_NETWORKS = ("vgg16", "resnet18", "resnet50")
SEEDS = (0, 1, 2)
CROP_EPOCHS = {"small": 3, "report": 10}  # of 17 times as many rows


class Model(NamedTuple):
    """A row of the table.

    Attributes
    ----------
    tree : str, tuple or OverSequences
        Name of a part, or the trees whose log-odds are averaged.
    frame : str
        Whose rows it scores.
    lesion : bool
        Whether a slice is given the mean over the slices of its lesion.
    """

    tree: Any
    frame: str = "slice"
    lesion: bool = False


class OverSequences(NamedTuple):
    """For each slice, the mean over its sequences of what a tree of single images says."""

    tree: Any


class Study(NamedTuple):
    """What is trained, what is measured, and what is compared with what.

    Attributes
    ----------
    parts : list of Part
    main, ablations : dict of str to Model
    pairs : list of (str, str)
        Models of `main` to compare.
    """

    parts: list[Part]
    main: dict[str, Model]
    ablations: dict[str, Model]
    pairs: list[tuple[str, str]]


def odds(model: Model, scores: dict[str, np.ndarray], frames: dict[str, Rows]) -> np.ndarray:
    """Return the log-odds of a model for each row of its frame."""
    found = _average(model.tree, scores, frames)
    if not model.lesion:
        return found
    _, who = np.unique(frames[model.frame].patients, return_inverse=True)
    return (np.bincount(who, found) / np.bincount(who))[who]


def _average(tree: Any, scores: dict[str, np.ndarray], frames: dict[str, Rows]) -> np.ndarray:
    if isinstance(tree, str):
        return scores[tree]
    if isinstance(tree, OverSequences):
        images, slices = (pd.MultiIndex.from_frame(frames[name].frame[SLICE]) for name in ("image", "slice"))
        means = pd.Series(_average(tree.tree, scores, frames), index=images).groupby(level=SLICE).mean()
        return means.loc[slices].to_numpy()
    return np.mean([_average(branch, scores, frames) for branch in tree], axis=0)


class Parts(dict[str, Part]):
    """The parts of a study by name; what adds one returns the name, for use in a tree."""

    def add(self, name: str, frame: str, columns: Sequence[str], **options: Any) -> str:
        self[name] = Part(name, frame, tuple(columns), **options)
        return name

    def texture(self, label: str, frame: str, columns: dict[str, list[str]], *others: str) -> tuple[str, ...]:
        """Add a part per extractor of texture, with further columns for each."""
        return tuple(self.add(f"{name}, {label}", frame, [*columns[name], *others]) for name in TEXTURE)

    def networks(
        self, label: str, frame: str, columns: Sequence[str], seeds: Sequence[int], **network: Any
    ) -> tuple[str, ...]:
        """Add a network per seed; what is None is left to its recipe."""
        settings = tuple(sorted((key, value) for key, value in network.items() if value is not None))
        return tuple(self.add(f"{label}, seed {k}", frame, columns, network=settings, seed=k) for k in seeds)


def study(frames: dict[str, Rows], budget: str, *, epochs: int | None = None, weights: str | None = None) -> Study:
    """Return what is trained and measured with a budget.

    Parameters
    ----------
    frames : dict of str to Rows
        ``slice``, ``image`` and ``concatenate``.
    budget : {"cpu", "gpu"}
        "gpu" has the networks of the report besides.
    epochs : int, optional
        Of every network, in place of its recipe's.
    weights : "imagenet", optional
        Where the networks of the report start.
    """
    parts = Parts()
    small = {"backbone": "resnet8", "recipe": "small", "epochs": epochs}
    slices, images = _features(frames["slice"]), _features(frames["image"])
    paths, crops = slices.pop("image"), images.pop("image")
    kinetics = parts.add("kinetics", "slice", slices["kinetics"])
    textures, cnns = {}, {}
    for label, sequences in SEQUENCES.items():
        chosen = {name: _of(columns, sequences) for name, columns in slices.items()}
        textures[label] = parts.texture(label, "slice", chosen)
        seeds = SEEDS if label == EVERY else SEEDS[:2]
        cnns[label] = parts.networks(f"CNN, {label}", "slice", _of(paths, sequences), seeds, **small)
    texture, cnn = textures[EVERY], cnns[EVERY]
    handcrafted, fused = (texture, kinetics), (texture, kinetics, cnn)  # the fused one as in tumortrace.model

    crop_texture = parts.texture("single crop", "image", images, "sequence")
    crop_network = small | {"epochs": epochs or CROP_EPOCHS["small"]}
    crop_cnn = parts.networks("CNN, single crop", "image", crops, SEEDS[:2], **crop_network)
    crops_of_slice = OverSequences(crop_cnn)
    main = {
        "handcrafted": Model(handcrafted),
        "CNN": Model(cnn),
        "fused": Model(fused),
        "CNN, two networks": Model((cnn, crops_of_slice)),
        "fused, two networks": Model((*fused, crops_of_slice)),
        "handcrafted, whole lesion": Model(handcrafted, lesion=True),
        "CNN, whole lesion": Model(cnn, lesion=True),
        "fused, whole lesion": Model(fused, lesion=True),
        "handcrafted, single crop": Model(crop_texture, "image"),
        "CNN, single crop": Model(crop_cnn, "image"),
        "fused, single crop": Model((crop_texture, crop_cnn), "image"),
    }
    pairs = [
        ("fused, two networks", "CNN, two networks"),
        ("fused, two networks", "handcrafted"),
        ("fused, two networks", "fused"),
    ]
    pairs += [
        (f"{one}{view}", f"{other}{view}")
        for view in ("", ", whole lesion", ", single crop")
        for one, other in (("fused", "CNN"), ("fused", "handcrafted"), ("handcrafted", "CNN"))
    ]

    shape = parts.add("shape", "slice", slices["shape"])
    concatenated = parts.add("mvm_lbp, concatenate", "concatenate", _features(frames["concatenate"])["mvm_lbp"])
    ablations = {f"{name} alone": Model(part) for name, part in zip(TEXTURE, texture, strict=True)}
    ablations["mvm_lbp alone, combine=concatenate"] = Model(concatenated, "concatenate")
    ablations["shape alone"] = Model(shape)
    ablations["kinetics alone"] = Model(kinetics)
    ablations["handcrafted with shape"] = Model(((*texture, shape), kinetics))
    ablations["fused, handcrafted and CNN counting the same"] = Model((handcrafted, cnn))
    for label in SEQUENCES:
        ablations[f"texture without kinetics, {label}"] = Model(textures[label])
        ablations[f"CNN, {label}"] = Model(cnns[label])
        ablations[f"fused without kinetics, {label}"] = Model((textures[label], cnns[label]))
    ablations |= {name: Model(name) for name in cnn} | {name: Model(name, "image") for name in crop_cnn}

    for name in REPORT_NETWORKS if budget == "gpu" else ():
        report = {"backbone": name, "recipe": "report", "epochs": epochs, "weights": weights}
        beside = parts.networks(f"{name}, {EVERY}", "slice", paths, SEEDS[:2], **report)
        crop_report = report | {"epochs": epochs or CROP_EPOCHS["report"]}
        single = parts.networks(f"{name}, single crop", "image", crops, SEEDS[:1], **crop_report)
        main[f"{name}"] = Model(beside)
        main[f"fused with {name}"] = Model((texture, kinetics, beside))
        main[f"{name}, single crop"] = Model(single, "image")
        pairs.append((f"fused with {name}", f"{name}"))
    return Study(list(parts.values()), main, ablations, pairs)


def _features(rows: Rows) -> dict[str, list[str]]:
    """Return extractor → its columns in a frame; `image` are those of paths."""
    others = {"image", "split", "label", "patient", "sequence", "slice", "digest", "status", "error"}
    return column_groups(name for name in rows.frame.columns if name not in others)


def _of(columns: Sequence[str], sequences: Sequence[str] | None) -> list[str]:
    """Return the columns of some sequences."""
    return [name for name in columns if sequences is None or name.partition("__")[0] in sequences]
