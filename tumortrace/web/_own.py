"""The demo's own models: trained on synthetic lesions at the first start, and kept."""

from __future__ import annotations

import json
import os
import shutil
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tumortrace import __version__, _check, io
from tumortrace.io.synthetic import SHOWN
from tumortrace.web._error import DemoError
from tumortrace.web._examples import examples
from tumortrace.web._shelf import LABELS, Shelf, Shelved, read_shelved

if TYPE_CHECKING:
    import pandas as pd

Say = Callable[[str], object]

BACKBONES = ("resnet8", "resnet18", "resnet50", "vgg16")
SEED = 20

_DEEP = ("torch", "torchvision", "safetensors")
_PARTS = ("handcrafted", "cnn")
_COUNTS = {"crop": 1, "9-phases": 9, "17-phases": 17}
_LARGE = {"size": 32, "epochs": 3}  # of a network that was made for photographs


@dataclass(frozen=True)
class Recipe:
    """What the demo's own models are made of.

    Parameters
    ----------
    patients, slices : int
        Synthetic patients, and the most slices of each. The models of phases learn from half of the patients: a
        slice of theirs is 9 or 17 images.
    folds : int
        Of the cross-validation.
    epochs : int
        Of the small network.
    """

    patients: int = 96
    slices: int = 2
    folds: int = 3
    epochs: int = 16

    def __post_init__(self) -> None:
        _check.integer("patients", self.patients, 24)
        _check.integer("slices", self.slices, 1, 99)
        _check.integer("folds", self.folds, 2)
        _check.integer("epochs", self.epochs, 1)


def own_models(
    folder: str | os.PathLike[str] | None = None,
    *,
    backbones: Sequence[str] = ("resnet8",),
    recipe: Recipe | None = None,
    jobs: int | None = None,
    say: Say = print,
) -> Shelf:
    """Return the demo's own models; what is not there yet is trained, in under a minute on two processors.

    Parameters
    ----------
    folder : path, optional
        Where they are kept; by default the user's cache folder. Made where missing.
    backbones : sequence of str, default ("resnet8",)
        Some of ``"resnet8"``, the small network of the fused models, and ``"resnet18"``, ``"resnet50"`` and
        ``"vgg16"``, which are trained by themselves on one crop and take longer.
    recipe : Recipe, optional
        Of the training; the same one gives the same models.
    jobs : int, optional
        Worker processes of the extraction; one per available CPU by default.
    say : callable, default print
        Told of the progress line by line.

    Returns
    -------
    Shelf
        For one crop, for 9 and for 17 phases of a slice each a fused model and its two parts, handcrafted and CNN;
        then the further networks of one crop. Without the extra ``deep`` the handcrafted ones alone, which its
        notices say.

    Raises
    ------
    DemoError
        If a backbone is not known, or one was asked for and there is no torch.

    Notes
    -----
    Every model is trained under a temporary name and moved into place; a start that was interrupted goes on with
    the next one. Two starts at once do the work twice and keep the first.
    """
    chosen = _chosen(backbones)
    recipe = recipe or Recipe()
    deep = _is_deep()
    home = _home(folder, recipe, deep)
    wanted = [(name, "", deep) for name in _COUNTS] + [(name, name, True) for name in chosen if name != "resnet8"]
    missing = [one for one in wanted if not (home / one[0]).is_dir()]
    if missing:
        start = time.perf_counter()
        steps = "one step" if len(missing) == 1 else f"{len(missing)} steps"
        say(f"Training the demo's own models on synthetic lesions, {steps}; they are kept in {home}")
        home.mkdir(parents=True, exist_ok=True)
        with _workshop(home) as workshop:
            lesions = io.synthetic.make_lesions(
                workshop / "lesions", patients=recipe.patients, slices=recipe.slices, val_fraction=0, seed=SEED
            )
            for number, (name, backbone, _) in enumerate(missing, start=1):
                _build(workshop, lesions, name, backbone, recipe, deep, jobs)
                _move(workshop / name, home / name)
                done = f"{number} of {len(missing)}: {_said(name, backbone, deep)}"
                say(f"{time.perf_counter() - start:5.1f} s  {done}")
    models = _collected(home, [name for name, _, _ in wanted])
    return Shelf(models, examples(home / "examples"), _notices(chosen, deep))


def _notices(chosen: Sequence[str], deep: bool) -> tuple[str, ...]:
    """Say which networks are not here, and how to have them."""
    if not deep:
        return ("There are no networks here, as torch is not installed: pip install 'tumortrace[deep]'",)
    absent = [name for name in BACKBONES[1:] if name not in chosen]
    if not absent:
        return ()
    return (
        f"Not here: {', '.join(LABELS[name] for name in absent)}. Start with --backbones {','.join(BACKBONES)} to "
        "train them too, in some minutes, or with models of your own.",
    )


def _chosen(backbones: Sequence[str]) -> list[str]:
    """Return the backbones in the order of the page, after checking them."""
    if isinstance(backbones, str):
        backbones = [backbones]
    for name in backbones:
        if name not in BACKBONES:
            raise DemoError(f"there is no backbone {name!r}; give some of {', '.join(BACKBONES)}")
    chosen = [name for name in BACKBONES if name in backbones]
    if set(chosen) - {"resnet8"} and not _is_deep():
        raise DemoError(f"{chosen[-1]} needs torch, which is not installed: pip install 'tumortrace[deep]'")
    return chosen


def _is_deep() -> bool:
    return all(find_spec(name) for name in _DEEP)


def _home(folder: str | os.PathLike[str] | None, recipe: Recipe, deep: bool) -> Path:
    """Return the folder of the models of a recipe: one of its own for each version of the program."""
    from platformdirs import user_cache_path

    from tumortrace.model._store import VERSION

    root = user_cache_path("tumortrace") / "demo" if folder is None else Path(folder)
    made_of = json.dumps([asdict(recipe), deep, VERSION, SEED, _LARGE], sort_keys=True)
    return root / f"{__version__}-{blake2b(made_of.encode(), digest_size=4).hexdigest()}"


@contextmanager
def _workshop(home: Path) -> Iterator[Path]:
    workshop = home / f".partial-{os.getpid()}"
    shutil.rmtree(workshop, ignore_errors=True)
    workshop.mkdir()
    try:
        yield workshop
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def _build(
    workshop: Path, lesions: Path, name: str, backbone: str, recipe: Recipe, deep: bool, jobs: int | None
) -> None:
    """Train what belongs to a name and save it as a folder of models."""
    from tumortrace.model import train

    (workshop / name).mkdir()
    single = backbone or _COUNTS[name] == 1
    source = _rows(lesions, 1 if single else _COUNTS[name], recipe.patients if single else recipe.patients // 2)
    kind = "cnn" if backbone else "fused" if deep else "handcrafted"
    network: dict[str, Any] = {"epochs": recipe.epochs}
    if backbone:
        network = {"backbone": backbone, **_LARGE}
    with warnings.catch_warnings():
        # nine phases come without subtractions here, and a user's do
        warnings.filterwarnings("ignore", message=".*has no subtractions")
        model = train(
            kind, source, unit="image" if single else "slice", folds=recipe.folds, seed=SEED, jobs=jobs, **network
        )
    if kind != "fused":
        model.save(workshop / name / kind)
        return
    model.save(workshop / name / kind)
    for part in _PARTS:
        model.member(part).save(workshop / name / part)


def _rows(lesions: Path, count: int, patients: int) -> pd.DataFrame:
    """Return the images of so many patients in the first `count` sequences; one crop is `SHOWN` and names none."""
    found = io.find(lesions)
    chosen = found.frame["patient"].isin(sorted(set(found.frame["patient"]))[:patients])
    frame = found.frame[chosen].assign(image=lambda rows: [str(found.root / image) for image in rows["image"]])
    if count == 1:
        return frame.loc[frame["sequence"] == SHOWN, ["image", "label", "patient"]].reset_index(drop=True)
    known = frame["sequence"].isin(io.synthetic.SEQUENCES[:count])
    return frame.loc[known, ["image", "label", "patient", "sequence", "slice"]].reset_index(drop=True)


def _move(built: Path, place: Path) -> None:
    try:
        built.replace(place)
    except OSError:
        if not place.is_dir():  # nobody else was faster
            raise


def _said(name: str, backbone: str, deep: bool) -> str:
    what = {"crop": "one crop", "9-phases": "9 phases", "17-phases": "17 phases"}.get(name, "one crop")
    return f"{what}: {backbone or ('fused, handcrafted and CNN' if deep else 'handcrafted')}"


def _collected(home: Path, names: Sequence[str]) -> dict[str, Shelved]:
    """Return the models of each name, the whole before its parts."""
    order = ("fused", *_PARTS)
    models = {}
    for name in names:
        for kind in order:
            path = home / name / kind
            if path.is_dir():
                key = f"{name}-{kind}" if name in _COUNTS else f"crop-{name}"
                models[key] = read_shelved(path, key=key, synthetic=True)
    return models
