"""What a study found: measured at three levels, compared in pairs, as CSV, Markdown and figures."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit

from benchmarks.measure import processor
from benchmarks.study_models import Model, Study, odds
from benchmarks.study_parts import HELD_OUT, Rows
from tumortrace import evaluation, report

NOTICE = "Research software, no medical device."
CROSS_VALIDATED = "cross-validation"


class Found(NamedTuple):
    """What was measured.

    Attributes
    ----------
    results : DataFrame
        `evaluated`, `model`, `level`, `metric`, `value`, `low`, `high`, `n`, `patients`.
    comparisons : DataFrame
        `evaluated`, `a`, `b`, `level`, `difference`, `low`, `high`, `p`, `p_delong`.
    predictions : dict of (str, str) to DataFrame
        Where evaluated and model → its predictions.
    """

    results: pd.DataFrame
    comparisons: pd.DataFrame
    predictions: dict[tuple[str, str], pd.DataFrame]


def measure_study(
    study: Study, frames: dict[str, Rows], scores: dict[str, np.ndarray], *, resamples: int, held_out: str | None
) -> Found:
    """Measure every model of a study by cross-validation, and on the held-out split where there is one."""
    models = study.main | study.ablations
    everything = {name: _predictions(model, frames, scores) for name, model in models.items()}
    predictions = {(CROSS_VALIDATED, name): table[table["fold"] != HELD_OUT] for name, table in everything.items()}
    results = []
    for name in models:
        table = predictions[CROSS_VALIDATED, name]
        for rule, metrics in RULES.items():
            found = evaluation.measure(table, threshold=rule, resamples=resamples)
            results.append(found[found["metric"].isin(metrics)].assign(evaluated=CROSS_VALIDATED, model=name))
        if held_out:
            test = everything[name][everything[name]["fold"] == HELD_OUT]
            predictions[held_out, name] = test
            results += [found.assign(evaluated=held_out, model=name) for found in _held_out(table, test, resamples)]
    rows = []
    for evaluated in (CROSS_VALIDATED, *([held_out] if held_out else [])):
        for a, b in study.pairs:
            rows += _compare(evaluated, a, b, predictions, resamples)
    order = ["evaluated", "model", "level", "metric", "value", "low", "high", "n", "patients"]
    return Found(pd.concat(results, ignore_index=True)[order], pd.DataFrame(rows), predictions)


RULES = {
    "accuracy": ["accuracy"],
    "youden": [name for name in evaluation.METRICS if name != "accuracy"],
}
"""Rule of the threshold → the metrics it serves."""


def _predictions(model: Model, frames: dict[str, Rows], scores: dict[str, np.ndarray]) -> pd.DataFrame:
    rows = frames[model.frame]
    identity = [name for name in ("image", "split", "patient", "sequence", "slice") if name in rows.frame]
    probability = expit(odds(model, scores, frames))
    return rows.frame[identity].assign(label=rows.y, fold=rows.fold, score=probability)


def _held_out(known: pd.DataFrame, test: pd.DataFrame, resamples: int) -> list[pd.DataFrame]:
    """Measure the held-out rows, at thresholds chosen on the cross-validated ones."""
    found = []
    for level, by in evaluation.LEVELS.items():
        if not set(by) <= set(test):
            continue
        rows = evaluation.aggregate(known, by)
        for rule, metrics in RULES.items():
            threshold = evaluation.choose_threshold(rows["label"], rows["score"], rule=rule)
            table = evaluation.measure(test, levels=[level], threshold=threshold, resamples=resamples)
            found.append(table[table["metric"].isin(metrics)])
    return found


def _compare(
    evaluated: str, a: str, b: str, predictions: Mapping[tuple[str, str], pd.DataFrame], resamples: int
) -> list[dict[str, object]]:
    rows = []
    for level, by in evaluation.LEVELS.items():
        one, other = predictions[evaluated, a], predictions[evaluated, b]
        if not set(by) <= set(one):
            continue
        one, other = evaluation.aggregate(one, by), evaluation.aggregate(other, by)
        found = evaluation.compare(one["label"], one["score"], other["score"], one["patient"], resamples=resamples)
        difference = dict(zip(("difference", "low", "high"), found.difference, strict=True))
        rows.append(
            {"evaluated": evaluated, "a": a, "b": b, "level": level, **difference, "p": found.p}
            | {"p_delong": found.p_delong}
        )
    return rows


def describe(frames: dict[str, Rows], held_out: str | None) -> list[str]:
    """Return a line per set of rows: how many slices, patients and images, by class."""
    lines = []
    slices, images = frames["slice"], frames["image"]
    for name, wanted in ((CROSS_VALIDATED, True), (held_out, False)):
        if name is None:
            continue
        rows, crops = ((one.fold != HELD_OUT) == wanted for one in (slices, images))
        who = pd.Series(slices.y[rows], index=slices.patients[rows]).groupby(level=0).max()
        lines.append(
            f"{name}: {len(who)} patients ({int(who.sum())} malignant), {int(rows.sum()):,} slices "
            f"({int(slices.y[rows].sum()):,} malignant), {int(crops.sum()):,} images"
        )
    return lines


def command(options: argparse.Namespace) -> str:
    """Return how to run this again, without what only says where things lie."""
    words = ["python benchmarks/fused_vs_cnn.py --data ROOT", f"--budget {options.budget}"]
    words += [f"--test {shlex.quote(options.test)}"] if options.test else []
    words += [f"--weights {options.weights}"] if options.weights else []
    words += [f"--epochs {options.epochs}"] if options.epochs else []
    return " ".join(words)


def write(
    out: Path,
    found: Found,
    study: Study,
    costs: pd.DataFrame,
    *,
    data: list[str],
    command: str,
    seconds: float,
    memory: int,
    jobs: int,
) -> None:
    """Write results.md, results.csv, comparisons.csv, costs.csv, predictions/ and figures/."""
    out.mkdir(parents=True, exist_ok=True)
    for name, table in (("results", found.results), ("comparisons", found.comparisons), ("costs", costs)):
        table.to_csv(out / f"{name}.csv", index=False)
    for (evaluated, model), table in found.predictions.items():
        if model in study.main:
            folder = out / "predictions" / _file(evaluated)
            folder.mkdir(parents=True, exist_ok=True)
            table.to_csv(folder / f"{_file(model)}.csv", index=False)
    for evaluated in dict.fromkeys(found.results["evaluated"]):
        for name, figure in _figures(found, study, evaluated).items():
            report.save(figure, out / "figures" / f"{_file(evaluated)}-{name}.png")
    lines = [
        "# Fused against the CNN alone",
        "",
        f"`{command}`",
        "",
        NOTICE,
        "",
        *(f"- {line}" for line in data),
        "",
    ]
    for evaluated in dict.fromkeys(found.results["evaluated"]):
        lines += _tables(found, study, evaluated)
    fits = costs["seconds"].groupby(costs["part"].str.contains("seed")).sum() / 60
    lines += [
        "## Time and memory",
        "",
        f"{seconds / 60:.0f} min in this run, on {jobs} processes of one thread each ({processor()}). "
        f"The {len(costs)} fits took {fits.get(True, 0):.0f} min of one thread for networks and "
        f"{fits.get(False, 0):.0f} for features, those of earlier runs included. Peak memory: "
        f"{memory / 1e9:.1f} GB, and {costs['memory'].max() / 1e9:.1f} GB in each process that fits.",
        "",
    ]
    (out / "results.md").write_text("\n".join(lines), encoding="utf-8")


def _file(name: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split())


def _tables(found: Found, study: Study, evaluated: str) -> list[str]:
    head = "five folds, no patient in two" if evaluated == CROSS_VALIDATED else "scored once"
    lines = [
        f"## {evaluated.capitalize()} ({head})",
        "",
        "Area under the ROC curve; 95 % intervals, patients resampled.",
    ]
    results = found.results[found.results["evaluated"] == evaluated]
    for title, models in (("Models", study.main), ("Ablations", study.ablations)):
        lines += ["", f"| {title} | per image | per slice | per patient |", "|---|---|---|---|"]
        for name in models:
            cells = [_cell(results, name, level, "auc") for level in evaluation.LEVELS]
            lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += ["", "Per slice, thresholds chosen on other patients: accuracy where it was best, sensitivity and"]
    lines += ["specificity where Youden's index was (single crops: per image).", ""]
    columns = ["accuracy", "sensitivity", "specificity", "average_precision", "brier"]
    lines += [f"| Model | {' | '.join(columns).replace('_', ' ')} |", "|---" * (len(columns) + 1) + "|"]
    for name, model in study.main.items():
        level = "slice" if model.frame == "slice" else "image"
        lines.append(f"| {name} | {' | '.join(_cell(results, name, level, metric) for metric in columns)} |")
    lines += ["", "Paired differences of the areas, the same patients resampled for both.", ""]
    lines += ["| a − b | level | difference | p |", "|---|---|---|---|"]
    for row in found.comparisons[found.comparisons["evaluated"] == evaluated].itertuples():
        difference = f"{row.difference:+.3f} ({row.low:+.3f} to {row.high:+.3f})"
        lines.append(f"| {row.a} − {row.b} | {row.level} | {difference} | {row.p:.3f} |")
    return [*lines, ""]


def _cell(results: pd.DataFrame, model: str, level: str, metric: str) -> str:
    row = results[(results["model"] == model) & (results["level"] == level) & (results["metric"] == metric)]
    return "–" if row.empty else str(evaluation.Interval(*row.iloc[0][["value", "low", "high"]].tolist()))


def _figures(found: Found, study: Study, evaluated: str) -> dict[str, object]:
    """Return ROC, precision-recall, calibration, decision and confusion figures of the three models of slices."""
    tables = {
        name: evaluation.aggregate(found.predictions[evaluated, name], evaluation.LEVELS["slice"])
        for name in ("handcrafted", "CNN", "fused")
    }
    arguments = {name: (t["label"], t["score"], t["patient"]) for name, t in tables.items()}
    title = f"Per slice, {evaluated}"
    calls = {}
    for name, table in tables.items():
        known = evaluation.aggregate(found.predictions[CROSS_VALIDATED, name], evaluation.LEVELS["slice"])
        if evaluated == CROSS_VALIDATED:
            threshold = evaluation.carried_thresholds(table["label"], table["score"], table["fold"])
        else:
            threshold = evaluation.choose_threshold(known["label"], known["score"])
        calls[name] = evaluation.confusion(table["label"], table["score"] >= threshold)
    return {
        "roc": report.plot_roc({k: evaluation.roc(*v) for k, v in arguments.items()}, title=title),
        "precision-recall": report.plot_precision_recall(
            {k: evaluation.precision_recall(*v) for k, v in arguments.items()}, title=title
        ),
        "calibration": report.plot_calibration(
            {k: evaluation.calibration(*v) for k, v in arguments.items()}, title=title
        ),
        "decision": report.plot_decision_curve(
            {k: evaluation.decision_curve(*v) for k, v in arguments.items()}, title=title
        ),
        "confusion": report.plot_confusion(calls, title=title),
    }
