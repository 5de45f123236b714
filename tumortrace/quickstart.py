"""The whole way in one go: lesions, features, models, their scores by patient, pictures, and a report."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

    from tumortrace.evaluation import Comparison, Roc

_SINGLE = "one crop"
_SHOWN = ("handcrafted", "CNN", "fused")
_DEEP = ("torch", "torchvision", "safetensors")
_QUESTION = (
    "Are synthetic lesions benign or malignant, and does a network that sees pixels tell more than texture and "
    "the course of enhancement? The answer is known: the classes were drawn to overlap. What is to be seen is how "
    "a study is reported."
)
NOTICE = "Research software, no medical device. The lesions are synthetic: the figures say nothing about patients."


class Quickstart(NamedTuple):
    """What a quickstart wrote and measured.

    Attributes
    ----------
    files : dict of str to Path
        ``features``, ``classes``, ``panel``, ``roc``, ``report``, and ``model``, a folder.
    curves : dict of (str, str) to Roc
        Model and level ("image", "slice" or "patient") to the ROC curve with its area.
    comparisons : dict of (str, str, str) to Comparison
        Two models and the level to their difference; empty where there is no network.
    """

    files: dict[str, Path]
    curves: "dict[tuple[str, str], Roc]"
    comparisons: "dict[tuple[str, str, str], Comparison]"


def run(
    out: str | os.PathLike[str] = "tumortrace-quickstart",
    *,
    patients: int = 60,
    epochs: int = 20,
    jobs: int | None = None,
    seed: int = 0,
    say: Callable[[str], object] = print,
) -> Quickstart:
    """Make synthetic lesions, extract features, compare handcrafted, CNN and fused models by patient, and report.

    Parameters
    ----------
    out : path, default "tumortrace-quickstart"
        Folder to write; made where missing. A second run in it takes over the features that are there.
    patients : int, default 60
        How many to make, at least 12: each class needs one for each of the five folds.
    epochs : int, default 20
        Of each network.
    jobs : int, optional
        Processes that extract; all processors by default.
    seed : int, default 0
        Of the lesions, the folds, the networks and the resampling: the same seed gives the same numbers.
    say : callable, default print
        What is told line by line.

    Returns
    -------
    Quickstart

    Raises
    ------
    ModuleNotFoundError
        If matplotlib is missing; said before any work. Without the extra ``deep`` there is no network, and nothing
        to compare, which is said too.
    """
    from tumortrace import __version__, _check, extract, io, report

    _check.integer("patients", patients, 12)
    _check.integer("epochs", epochs, 1)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    names = {
        "features": "features.csv",
        "classes": "classes.png",
        "panel": "panel.png",
        "roc": "roc.png",
        "report": "report.html",
    }
    files = {name: out / file for name, file in (names | {"model": "model"}).items()}
    deep = all(find_spec(name) for name in _DEEP)
    say(f"tumortrace {__version__} quickstart. {NOTICE}\n")

    with _step(say, f"Synthetic breast DCE-MRI lesions of {patients} patients"):
        lesions = io.synthetic.make_lesions(out / "lesions", patients=patients, seed=seed)
        listing = io.find(lesions)
        counts = io.class_distribution(listing.frame)
        report.save(report.plot_class_distribution(counts, title="Synthetic lesions"), files["classes"])
    with _step(say, f"Features of {len(listing.frame):,} images (the first time, kernels are compiled)"):
        summary = extract(lesions, out=files["features"], resume=True, jobs=jobs)
    say(f"      {summary.computed:,} rows computed, {summary.reused:,} taken over from an earlier run")
    with _step(say, "One crop: logistic regression on the texture of single images"):
        scores = {_SINGLE: _one_crop(_read(files["features"]), seed)}
    kind = "fused" if deep else "handcrafted"
    with _step(say, f"All sequences of a slice: {'texture and kinetics, a CNN, and both' if deep else kind}"):
        scores |= _slices(lesions, kind, files["model"], epochs, seed, jobs, say)
    if not deep:
        say("      No CNN, so nothing to compare with: pip install 'tumortrace[deep]'")
    with _step(say, "Resampling patients, and pictures"):
        curves, comparisons = _measure(scores, seed)
        frame = listing.frame
        example = frame[(frame["label"] == "Malignant") & (frame["sequence"] == io.synthetic.SHOWN)].iloc[0]
        pixels = io.read_image(listing.root / example["image"]).array
        report.save(report.panel(pixels, title=f"{example['patient']}, {example['sequence']}"), files["panel"])
        shown = {f"{model}, per slice": curves[model, "slice"] for model in _SHOWN if model in scores}
        report.save(report.plot_roc(shown, title="Synthetic lesions: benign or malignant?"), files["roc"])
    with _step(say, f"A report on the {kind} model"):
        report.write_report(files["model"], files["report"], question=_QUESTION, seed=seed, jobs=jobs)

    say(f"\n{_table(curves)}\n")
    for (a, b, level), found in comparisons.items():
        say(
            f"{a} − {b}, per {level}: {found.difference.value:+.3f} ({found.difference.low:+.3f} to "
            f"{found.difference.high:+.3f}), p {found.p:.3f}"
        )
    say("")
    for name, what in (
        ("features", "one row per image, one column per feature"),
        ("classes", "class distribution"),
        ("panel", "what the operators see"),
        ("roc", "ROC curves"),
        ("report", "all of it on one page: open it in a browser"),
        ("model", f"the {kind} model: tumortrace predict {files['model']} {lesions}"),
    ):
        say(f"{files[name]}  {what}")
    return Quickstart(files, curves, comparisons)


@contextmanager
def _step(say: Callable[[str], object], what: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    say(f"{time.perf_counter() - start:5.1f} s  {what}")


def _read(path: Path) -> "pd.DataFrame":
    import pandas as pd

    return pd.read_csv(path, dtype={"patient": str})


def _one_crop(table: "pd.DataFrame", seed: int) -> "pd.DataFrame":
    """Return the images of a table with the score of each by itself."""
    from tumortrace import evaluation
    from tumortrace.table import feature_columns

    # the size of a crop is a fingerprint of the patient: shape stays out
    texture = [column for column in feature_columns(table) if not column.startswith("shape_")]
    malignant = (table["label"] == "Malignant").to_numpy()
    score = evaluation.grouped_predictions(_model(), table[texture], malignant, table["patient"], seed=seed)
    return table[["patient", "slice", "sequence"]].assign(label=malignant, score=score)


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


def _slices(
    lesions: Path,
    kind: str,
    model: Path,
    epochs: int,
    seed: int,
    jobs: int | None,
    say: Callable[[str], object],
) -> "dict[str, pd.DataFrame]":
    """Train and save a model of slices; return its out-of-fold scores, and those of its members by their names."""
    from tumortrace.model import train

    def tell(line: str) -> None:
        if "epoch" not in line:
            say(f"      {line}")

    trained = train(kind, lesions, epochs=epochs, seed=seed, jobs=jobs, out=model, force=True, say=tell).out_of_fold
    assert trained is not None
    rows = trained[["patient", "slice"]].assign(label=trained["label"] == "Malignant")
    if kind == "handcrafted":
        return {kind: rows.assign(score=trained["score"])}
    columns = {"handcrafted": "score_handcrafted", "CNN": "score_cnn", "fused": "score"}
    return {name: rows.assign(score=trained[column]) for name, column in columns.items()}


def _measure(
    scores: "dict[str, pd.DataFrame]", seed: int
) -> "tuple[dict[tuple[str, str], Roc], dict[tuple[str, str, str], Comparison]]":
    """Return the ROC curves of all models at all levels, and what the fused one differs from the others by."""
    from tumortrace import evaluation

    rows = {
        (name, level): evaluation.aggregate(table, by)
        for name, table in scores.items()
        for level, by in evaluation.LEVELS.items()
        if set(by) <= set(table)
    }
    curves = {key: evaluation.roc(r["label"], r["score"], r["patient"], seed=seed) for key, r in rows.items()}
    comparisons = {}
    for other in ("CNN", "handcrafted") if "fused" in scores else ():
        for level in ("slice", "patient"):
            a, b = rows["fused", level], rows[other, level]
            comparisons["fused", other, level] = evaluation.compare(
                a["label"], a["score"], b["score"], a["patient"], seed=seed
            )
    return curves, comparisons


def _table(curves: "dict[tuple[str, str], Roc]") -> str:
    levels = list(dict.fromkeys(level for _, level in curves))
    lines = ["AUC by 5-fold cross-validation, no patient in two folds; 95 % interval from resampling patients"]
    lines.append(f"{'':16}" + "".join(f"per {level:20}" for level in levels).rstrip())
    for model in dict.fromkeys(model for model, _ in curves):
        areas = (str(curves[model, level].auc) if (model, level) in curves else "–" for level in levels)
        lines.append(f"{model:16}" + "".join(f"{area:24}" for area in areas).rstrip())
    return "\n".join(lines)
