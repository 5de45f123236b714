"""The commands of models: train, predict, evaluate, compare."""

import argparse
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tumortrace.cli._common import (
    NOTICE,
    OK,
    SOME_FAILED,
    UsageError,
    add_command,
    add_jobs,
    complain,
    names,
    say,
    whole,
    write_table,
)

if TYPE_CHECKING:
    import pandas as pd

    from tumortrace.model import Model

_COLUMNS = ("auc", "accuracy", "sensitivity", "specificity")
_SOURCE = "a folder of images or a manifest (.csv with a column Image)"


def add_commands(commands: Any) -> None:
    """Declare them."""
    _add_train(commands)
    _add_predict(commands)
    _add_evaluate(commands)
    _add_compare(commands)


def _add_train(commands: Any) -> None:
    command = add_command(
        commands,
        "train",
        _train,
        "train a model and test it on patients it did not see",
        "  tumortrace train handcrafted lesions/ -o model --group patient\n"
        "  tumortrace train cnn lesions/ -o model --backbone resnet18 --sequences 9 --size 64\n"
        "  tumortrace train fused lesions/ -o model --splits train,val\n\n"
        "Beside MODEL come MODEL.training/, with the out-of-fold predictions (which name patients), the history\n"
        "of networks and figures, and, until it is done, MODEL.partial/: a training that was stopped goes on when\n"
        "the same command is given again.",
        kept="; what is finished is kept: go on with the same command",
    )
    add = command.add_argument
    add(
        "kind",
        choices=("cnn", "handcrafted", "fused"),
        help="a network on pixels, texture and kinetics, or an average of all three",
    )
    add("source", metavar="SOURCE", help=f"{_SOURCE}, with labels")
    add("-o", "--out", metavar="MODEL", type=Path, required=True, help="the folder to save the model to")
    add("--group", metavar="COLUMN", help="the column that tells patients apart (default: patient); never split")
    add("--unit", choices=("slice", "image"), default="slice", help="what is scored (default: slice)")
    add("--positive", metavar="LABEL", help="the label of the positive class (default: Malignant)")
    add("--splits", metavar="NAMES", type=names, help="train on these splits (default: all but one called test)")
    add(
        "--sequences",
        metavar="WHICH",
        type=_sequences,
        help="1, 9, 17, or names with commas between (default: all)",
    )
    add("--classifier", metavar="NAME", default="svm", help="svm (default), logistic, forest or xgboost")
    add(
        "--features",
        metavar="NAMES",
        type=names,
        help="extractors and kinetics, with commas between (default: all but shape, which tells patients apart)",
    )
    add(
        "--networks",
        metavar="slice|both",
        default="slice",
        help="slice (default): one network on all sequences of a slice; both: another on single crops, better and "
        "slower",
    )
    add("--backbone", metavar="NAME", default="resnet8", help="resnet8 (default), resnet18, resnet50 or vgg16")
    add("--weights", metavar="imagenet|FILE", help="where the network starts (default: random weights)")
    add("--recipe", metavar="NAME", default="small", help="how the network is trained: small (default) or report")
    add("--size", metavar="N", type=whole(8), help="side of the network's input in pixels (default: the recipe's)")
    add("--epochs", metavar="N", type=whole(1), help="epochs at most (default: the recipe's)")
    add(
        "--folds",
        metavar="N",
        type=whole(0),
        default=5,
        help="of the cross-validation (default: 5); 0 leaves it out",
    )
    add("--seed", metavar="N", type=whole(0), default=0, help="the same seed and images give the same model")
    add_jobs(command)
    add("--force", action="store_true", help="overwrite MODEL, and discard an unfinished training")
    add("-q", "--quiet", action="store_true", help="print the result only")


def _train(args: argparse.Namespace) -> int:
    import pandas as pd

    from tumortrace.model import train, training_folder

    if args.group is None and not args.quiet:
        say("no --group: the column patient tells patients apart, and none is on both sides of a split")
    model = train(
        args.kind,
        args.source,
        unit=args.unit,
        classifier=args.classifier,
        networks=args.networks,
        backbone=args.backbone,
        weights=args.weights,
        recipe=args.recipe,
        size=args.size,
        epochs=args.epochs,
        sequences=args.sequences,
        features=args.features,
        group=args.group or "patient",
        positive=args.positive,
        splits=args.splits,
        folds=args.folds,
        seed=args.seed,
        jobs=args.jobs,
        out=args.out,
        force=args.force,
        say=None if args.quiet else say,
    )
    if find_spec("matplotlib") is not None:
        _draw_training(model, training_folder(args.out))
    print(f"{args.out}: {args.kind} model of {model.record['data']['rows']:,} {args.unit}s")
    if model.out_of_fold is None:
        print("not tested: there were no folds; a row is called positive from a score of 0.5")
        print(NOTICE)
    else:
        print(f"out-of-fold predictions, {args.folds} folds by {args.group or 'patient'}:")
        _print_measured(pd.DataFrame(model.record["metrics"]))
        _print_members(model)
    return OK


def _print_members(model: "Model") -> None:
    """Print what a fused model differs by from each of its two parts."""
    from tumortrace.model import compare_predictions

    rows = model.out_of_fold
    assert rows is not None
    for part in model.estimator.members_ if model.record["plan"]["kind"] == "fused" else ():
        alone = rows.assign(score=rows[f"score_{part}"])
        for level, found in compare_predictions(rows, alone, model.classes[1]).items():
            print(f"\nfused against {part} alone, per {level}: {found}")


def _add_predict(commands: Any) -> None:
    command = add_command(
        commands,
        "predict",
        _predict,
        "score slices or images with a trained model",
        "  tumortrace predict model lesions/ -o predictions.csv\n\n"
        "exit codes: 0 every row has a score, 3 some rows have none, 2 wrong usage, 1 another error",
    )
    add = command.add_argument
    add("model", metavar="MODEL", type=Path, help="the folder of a model")
    add("source", metavar="SOURCE", help=_SOURCE)
    add(
        "-o",
        "--out",
        metavar="FILE",
        type=Path,
        default=Path("predictions.csv"),
        help="the table to write (default: predictions.csv)",
    )
    add("--splits", metavar="NAMES", type=names, help="score these splits only: names with commas between")
    add_jobs(command)
    add("-q", "--quiet", action="store_true", help="print errors only")


def _predict(args: argparse.Namespace) -> int:
    from tumortrace.model import load

    if args.out.suffix != ".csv":
        raise UsageError(f"the table is {str(args.out)!r}; give a name that ends in .csv")
    if not args.out.parent.is_dir():
        raise UsageError(f"{args.out.parent} does not exist; make the folder first")
    table = load(args.model).predict(args.source, splits=args.splits, jobs=args.jobs)
    write_table(table, args.out)
    failed = int(table["score"].isna().sum())
    if not args.quiet:
        called = table["predicted"][table["score"].notna()].value_counts()
        print(
            f"{args.out}: {len(table):,} rows, {', '.join(f'{n:,} called {label}' for label, n in called.items())}"
        )
        if failed:
            print(f"{failed:,} have no score: the column error says why")
        print(NOTICE)
    return SOME_FAILED if failed else OK


def _add_evaluate(commands: Any) -> None:
    command = add_command(
        commands,
        "evaluate",
        _evaluate,
        "measure predictions per image, slice and patient, with intervals from resampling patients",
        "  tumortrace evaluate predictions.csv\n"
        "  tumortrace evaluate model                       # its out-of-fold predictions\n"
        "  tumortrace evaluate model lesions/ --splits test --csv measured.csv --figures figures/",
    )
    add = command.add_argument
    add(
        "what",
        metavar="PREDICTIONS|MODEL",
        type=Path,
        help="a table of predictions (.csv), or the folder of a model",
    )
    add("source", metavar="SOURCE", nargs="?", help=f"what the model is to score: {_SOURCE}, with labels")
    add("--splits", metavar="NAMES", type=names, help="of the source, these only: names with commas between")
    add("--positive", metavar="LABEL", help="the positive label of a table of predictions (default: Malignant)")
    add("--csv", metavar="FILE", type=Path, help="every metric at every level as CSV")
    add(
        "--figures",
        metavar="DIR",
        type=Path,
        help="draw ROC, precision-recall, calibration, decision and confusion",
    )
    add_jobs(command)


def _evaluate(args: argparse.Namespace) -> int:
    from tumortrace.model import load, measure_predictions

    if args.source is None:
        if args.splits is not None or args.jobs is not None:
            raise UsageError("--splits and --jobs go with a model and a SOURCE to score")
        table, positive = _predictions_of(args.what, args.positive)
    else:
        if not args.what.is_dir():
            raise UsageError(f"{args.what} is no folder of a model; a SOURCE is scored by a model")
        model = load(args.what)
        table, positive = model.predict(args.source, splits=args.splits, jobs=args.jobs), model.classes[1]
    measured = measure_predictions(table, positive)
    _tell_of_failed(table)
    _print_measured(measured)
    if args.csv is not None:
        write_table(measured, args.csv)
    if args.figures is not None:
        _draw(table, positive, args.figures)
    return OK


def _add_compare(commands: Any) -> None:
    command = add_command(
        commands,
        "compare",
        _compare,
        "compare two models on the same rows: is one better by more than chance?",
        "  tumortrace compare fused cnn                    # their out-of-fold predictions\n"
        "  tumortrace compare predictions_a.csv predictions_b.csv",
    )
    add = command.add_argument
    for name in ("a", "b"):
        add(name, metavar=name.upper(), type=Path, help="a table of predictions (.csv), or the folder of a model")
    add("--positive", metavar="LABEL", help="the positive label of tables of predictions (default: Malignant)")


def _compare(args: argparse.Namespace) -> int:
    from tumortrace.model import compare_predictions

    (first, positive), (second, other) = (_predictions_of(path, args.positive) for path in (args.a, args.b))
    if positive != other:
        raise UsageError(f"the positive label of {args.a} is {positive!r}, that of {args.b} {other!r}")
    print(f"A  {args.a}\nB  {args.b}")
    for level, found in compare_predictions(first, second, positive).items():
        print(f"\nper {level}: {found}")
    print(f"\n{NOTICE}")
    return OK


def _predictions_of(path: Path, positive: str | None) -> "tuple[pd.DataFrame, str]":
    """Return a table of predictions, for a model the out-of-fold ones, and the positive label."""
    from tumortrace.model import load, out_of_fold, read_predictions, two_classes

    if path.is_dir():
        classes = load(path).classes
        if positive not in (None, classes[1]):
            raise UsageError(f"--positive is {positive!r}, but the model {path} was trained for {classes[1]!r}")
        say(f"{path}: its out-of-fold predictions, each by a model that did not see the patient")
        return out_of_fold(path), classes[1]
    table = read_predictions(path)
    return table, two_classes(table.get("label", ()), positive)[1]


def _tell_of_failed(table: "pd.DataFrame") -> None:
    failed = int(table["score"].isna().sum())
    if failed:
        complain(f"warning: {failed:,} of {len(table):,} rows have no score and are left out")


def _print_measured(measured: "pd.DataFrame") -> None:
    """Print a line per level with the most important metrics and their intervals."""
    cells = [["level", "rows", "patients", "AUC", *_COLUMNS[1:]]]
    for level, rows in measured.groupby("level", sort=False):
        by_metric = rows.set_index("metric")
        shown = (by_metric.loc[name, ["value", "low", "high"]].astype(float) for name in _COLUMNS)
        counts = (f"{int(rows[name].iloc[0]):,}" for name in ("n", "patients"))
        cells.append([str(level), *counts, *("{:.3f} ({:.3f} to {:.3f})".format(*numbers) for numbers in shown)])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    print("95 % intervals from resampling patients")
    print(NOTICE)


def _draw(table: "pd.DataFrame", positive: str, folder: Path) -> None:
    from tumortrace import report
    from tumortrace.model import levels_of, scored_rows

    rows = scored_rows(table)
    for name, figure in report.plot_predictions(rows, positive, levels=levels_of(rows)).items():
        print(report.save(figure, folder / f"{name}.png"))


def _draw_training(model: "Model", folder: Path) -> None:
    """Draw the ROC curves and the history of a training into its folder."""
    from tumortrace import report
    from tumortrace.model import levels_of

    for name in ("roc.png", "history.png"):  # of an earlier model in this place
        (folder / name).unlink(missing_ok=True)
    if (rows := model.out_of_fold) is not None:
        figures = report.plot_predictions(rows, model.classes[1], levels=levels_of(rows))
        report.save(figures["roc"], folder / "roc.png")
    if model.history is not None:
        report.save(report.plot_history(model.history[model.history["fold"] == 0]), folder / "history.png")


def _sequences(text: str) -> int | list[str]:
    return int(text) if text.isdecimal() else names(text)
