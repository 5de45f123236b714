"""The models of a study: averages of the log-odds of parts, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from benchmarks.study_parts import Part, Rows
from tumortrace.table import column_groups

ONE = "vibrant_c2"
PHASES = ("vibrant", *(f"vibrant_c{phase}" for phase in range(1, 9)))
TEXTURE = ("hog", "sobel", "lbp", "mvm_lbp", "mvmbp", "glcm", "first_order")
REPORT_NETWORKS = ("vgg16", "resnet18", "resnet50")
SEEDS = {"slice": (0, 1, 2), "image": (0, 1)}
_IMAGE_EPOCHS = 3  # of 17 times as many rows


class Model(NamedTuple):
    """A row of the table.

    Attributes
    ----------
    tree : str or tuple
        Name of a part, or the trees whose log-odds are averaged.
    frame : str
        Whose rows it scores.
    lesion : bool
        Whether a slice is given the mean over the slices of its lesion.
    """

    tree: Any
    frame: str = "slice"
    lesion: bool = False


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


def odds(model: Model, scores: dict[str, np.ndarray], patients: np.ndarray) -> np.ndarray:
    """Return the log-odds of a model for each row of its frame."""
    found = _average(model.tree, scores)
    if not model.lesion:
        return found
    _, who = np.unique(patients, return_inverse=True)
    return (np.bincount(who, found) / np.bincount(who))[who]


def _average(tree: Any, scores: dict[str, np.ndarray]) -> np.ndarray:
    if isinstance(tree, str):
        return scores[tree]
    return np.mean([_average(branch, scores) for branch in tree], axis=0)


def study(frames: dict[str, Rows], budget: str, epochs: int | None = None) -> Study:
    """Return what is trained and measured with a budget; `epochs` shortens the training of every network."""
    parts = {}

    def part(name: str, frame: str, columns: Sequence[str], **options: Any) -> str:
        parts[name] = Part(name, frame, tuple(columns), **options)
        return name

    def networks(
        name: str, frame: str, columns: Sequence[str], seeds: Sequence[int], **network: Any
    ) -> tuple[str, ...]:
        network = {key: value for key, value in network.items() if value is not None}
        settings = tuple(sorted(network.items()))
        return tuple(part(f"{name}, seed {k}", frame, columns, network=settings, seed=k) for k in seeds)

    slices, images = _features(frames["slice"]), _features(frames["image"])
    paths = slices.pop("image")
    (path,) = images.pop("image")
    small = {"backbone": "resnet8", "recipe": "small", "epochs": epochs}

    def texture(sequences: Sequence[str] | None, label: str) -> dict[str, str]:
        return {
            name: part(f"{name}, {label}", "slice", _of(slices[name], sequences)) for name in (*TEXTURE, "shape")
        }

    def slice_networks(sequences: Sequence[str] | None, label: str, seeds: Sequence[int]) -> tuple[str, ...]:
        return networks(f"CNN, {label}", "slice", _of(paths, sequences), seeds, **small)

    labels = {"17 sequences": None, "9 phases": PHASES, "one crop per slice": (ONE,)}
    families = {label: texture(sequences, label) for label, sequences in labels.items()}
    textures = {label: tuple(found[name] for name in TEXTURE) for label, found in families.items()}
    cnns = {
        label: slice_networks(sequences, label, SEEDS["slice"] if sequences is None else SEEDS["image"])
        for label, sequences in labels.items()
    }
    kinetics = part("kinetics", "slice", slices["kinetics"])
    all_texture, all_cnn = textures["17 sequences"], cnns["17 sequences"]
    handcrafted = (all_texture, kinetics)
    fused = (all_texture, kinetics, all_cnn)  # as in tumortrace.model: three kinds, counting the same

    single = tuple(part(f"{name}, image", "image", [*images[name], "sequence"]) for name in TEXTURE)
    crop_epochs = epochs or _IMAGE_EPOCHS
    single_cnn = networks("CNN, image", "image", [path], SEEDS["image"], **(small | {"epochs": crop_epochs}))

    main = {
        "handcrafted": Model(handcrafted),
        "CNN": Model(all_cnn),
        "fused": Model(fused),
        "handcrafted, whole lesion": Model(handcrafted, lesion=True),
        "CNN, whole lesion": Model(all_cnn, lesion=True),
        "fused, whole lesion": Model(fused, lesion=True),
        "handcrafted, single crop": Model(single, "image"),
        "CNN, single crop": Model(single_cnn, "image"),
        "fused, single crop": Model((single, single_cnn), "image"),
    }
    pairs = [
        (f"{one}{view}", f"{other}{view}")
        for view in ("", ", whole lesion", ", single crop")
        for one, other in (("fused", "CNN"), ("fused", "handcrafted"), ("handcrafted", "CNN"))
    ]
    concatenated = part("mvm_lbp concatenate", "concatenate", _features(frames["concatenate"])["mvm_lbp"])
    ablations = {f"{name} alone": Model(families["17 sequences"][name]) for name in (*TEXTURE, "shape")}
    ablations["mvm_lbp alone, combine=concatenate"] = Model(concatenated, "concatenate")
    ablations["kinetics alone"] = Model(kinetics)
    ablations["texture without kinetics"] = Model(all_texture)
    ablations["handcrafted with shape"] = Model(((*all_texture, families["17 sequences"]["shape"]), kinetics))
    ablations["fused without kinetics"] = Model((all_texture, all_cnn))
    ablations["fused, handcrafted and CNN counting the same"] = Model((handcrafted, all_cnn))
    for label in labels:
        ablations[f"texture, {label}"] = Model(textures[label])
        ablations[f"CNN, {label}"] = Model(cnns[label])
        ablations[f"texture and CNN, {label}"] = Model((textures[label], cnns[label]))
    ablations |= {name: Model(name) for name in all_cnn} | {name: Model(name, "image") for name in single_cnn}
    if budget == "gpu":
        for name in REPORT_NETWORKS:
            report = {"backbone": name, "recipe": "report", "epochs": epochs}
            beside = networks(f"{name}, 17 sequences", "slice", paths, SEEDS["image"], **report)
            main[f"{name} as in the report"] = Model(beside)
            main[f"fused with {name}"] = Model((all_texture, kinetics, beside))
            pairs.append((f"fused with {name}", f"{name} as in the report"))
            crops = networks(
                f"{name}, image", "image", [path], SEEDS["image"][:1], **report | {"epochs": crop_epochs}
            )
            main[f"{name} as in the report, single crop"] = Model(crops, "image")
    return Study(list(parts.values()), main, ablations, pairs)


def _features(rows: Rows) -> dict[str, list[str]]:
    """Return extractor → its columns in a frame; `image` are those of paths."""
    others = {"image", "split", "label", "patient", "sequence", "slice", "digest", "status", "error"}
    return column_groups(name for name in rows.frame.columns if name not in others)


def _of(columns: Sequence[str], sequences: Sequence[str] | None) -> list[str]:
    """Return the columns of some sequences."""
    return [name for name in columns if sequences is None or name.partition("__")[0] in sequences]
