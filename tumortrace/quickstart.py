"""The whole way in one go: lesions, features, a model, its score by patient, and pictures."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

    from tumortrace.evaluation import Roc

LEVELS = {"image": ["patient", "slice", "sequence"], "slice": ["patient", "slice"], "patient": ["patient"]}
_SINGLE, _BESIDE = "one crop", "all sequences"
_SHOWN = ((_SINGLE, "image"), (_BESIDE, "slice"), (_BESIDE, "patient"))
NOTICE = "Research software, no medical device. The lesions are synthetic: the figures say nothing about patients."


class Quickstart(NamedTuple):
    """What a quickstart wrote and measured.

    Attributes
    ----------
    files : dict of str to Path
        ``features``, ``classes``, ``panel`` and ``roc``.
    curves : dict of (str, str) to Roc
        Model and level ("image", "slice" or "patient") to the ROC curve with its area.
    """

    files: dict[str, Path]
    curves: "dict[tuple[str, str], Roc]"


def run(
    out: str | os.PathLike[str] = "tumortrace-quickstart",
    *,
    patients: int = 60,
    jobs: int | None = None,
    seed: int = 0,
    say: Callable[[str], object] = print,
) -> Quickstart:
    """Make synthetic lesions, extract their features, test two models by patient, and draw the results.

    Parameters
    ----------
    out : path, default "tumortrace-quickstart"
        Folder to write; made where missing. A second run in it takes over the features that are there.
    patients : int, default 60
        How many to make, at least 12: each class needs one for each of the five folds.
    jobs : int, optional
        Processes that extract; all processors by default.
    seed : int, default 0
        Of the lesions, the folds and the resampling: the same seed gives the same numbers.
    say : callable, default print
        What is told line by line.

    Returns
    -------
    Quickstart

    Raises
    ------
    ModuleNotFoundError
        If matplotlib is missing; said before any work.
    """
    from tumortrace import __version__, _check, extract, io, report

    _check.integer("patients", patients, 12)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    names = {"features": "features.csv", "classes": "classes.png", "panel": "panel.png", "roc": "roc.png"}
    files = {name: out / file for name, file in names.items()}
    say(f"tumortrace {__version__} quickstart. {NOTICE}\n")

    with _step(say, f"Synthetic breast DCE-MRI lesions of {patients} patients"):
        lesions = io.synthetic.make_lesions(out / "lesions", patients=patients, seed=seed)
        listing = io.find(lesions)
        counts = io.class_distribution(listing.frame)
        report.save(report.plot_class_distribution(counts, title="Synthetic lesions"), files["classes"])
    with _step(say, f"Features of {len(listing.frame):,} images (the first time, kernels are compiled)"):
        summary = extract(lesions, out=files["features"], resume=True, jobs=jobs)
    say(f"      {summary.computed:,} rows computed, {summary.reused:,} taken over from an earlier run")
    with _step(say, "Logistic regression, cross-validated by patient"):
        curves = _evaluate(_read(files["features"]), seed)
    with _step(say, "Pictures"):
        frame = listing.frame
        example = frame[(frame["label"] == "Malignant") & (frame["sequence"] == "VIBRANT+C2")].iloc[0]
        pixels = io.read_image(listing.root / example["image"]).array
        report.save(report.panel(pixels, title=f"{example['patient']}, {example['sequence']}"), files["panel"])
        shown = {f"{model}, per {level}": curves[model, level] for model, level in _SHOWN}
        report.save(report.plot_roc(shown, title="Synthetic lesions: benign or malignant?"), files["roc"])

    say(f"\n{_table(curves)}\n")
    for name, what in (
        ("features", "one row per image, one column per feature"),
        ("classes", "class distribution"),
        ("panel", "what the operators see"),
        ("roc", "ROC curves"),
    ):
        say(f"{files[name]}  {what}")
    return Quickstart(files, curves)


@contextmanager
def _step(say: Callable[[str], object], what: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    say(f"{time.perf_counter() - start:5.1f} s  {what}")


def _read(path: Path) -> "pd.DataFrame":
    import pandas as pd

    return pd.read_csv(path, dtype={"patient": str})


def _evaluate(table: "pd.DataFrame", seed: int) -> "dict[tuple[str, str], Roc]":
    """Score images one by one, and slices with all their sequences side by side; then average."""
    from tumortrace import evaluation
    from tumortrace.table import feature_columns, widen

    # the size of a crop is a fingerprint of the patient: shape stays out
    texture = [column for column in feature_columns(table) if not column.startswith("shape_")]
    slices = widen(table, features=texture)
    side_by_side = [column for column in slices.columns if "__" in column]
    models = {_SINGLE: (table, texture), _BESIDE: (slices, side_by_side)}
    curves = {}
    for name, (frame, columns) in models.items():
        malignant = (frame["label"] == "Malignant").to_numpy()
        score = evaluation.grouped_predictions(_model(), frame[columns], malignant, frame["patient"], seed=seed)
        identity = [c for c in LEVELS["image"] if c in frame]
        scored = frame[identity].assign(label=malignant, score=score)
        for level, by in LEVELS.items():
            if set(by) <= set(identity):
                rows = evaluation.aggregate(scored, by)
                curves[name, level] = evaluation.roc(rows["label"], rows["score"], rows["patient"], seed=seed)
    return curves


def _model() -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(C=1e-3, class_weight="balanced", max_iter=1000),
    )


def _table(curves: "dict[tuple[str, str], Roc]") -> str:
    lines = ["AUC by 5-fold cross-validation, no patient in two folds; 95 % interval from resampling patients"]
    lines.append(f"{'':16}" + "".join(f"per {level:20}" for level in LEVELS).rstrip())
    for model in dict.fromkeys(model for model, _ in curves):
        areas = (str(curves[model, level].auc) if (model, level) in curves else "–" for level in LEVELS)
        lines.append(f"{model:16}" + "".join(f"{area:24}" for area in areas).rstrip())
    return "\n".join(lines)
