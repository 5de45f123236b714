"""The commands of images and tables, from extract to quickstart."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tumortrace.cli import _common
from tumortrace.cli._common import (
    NAMES,
    OK,
    PRESETS,
    SHOWN,
    SOME_FAILED,
    UsageError,
    add_command,
    add_jobs,
    complain,
    say,
    whole,
)

if TYPE_CHECKING:
    from tumortrace.table import Settings, Summary

_RESUME = "; rows so far are kept: go on with the same command and --resume"


def add_commands(commands: Any) -> None:
    """Declare them."""
    _add_extract(commands)
    _add_slices(commands)
    _add_distribution(commands)
    _add_show(commands)
    _add_synthetic(commands)
    _add_quickstart(commands)


def _add_extract(commands: Any) -> None:
    command = add_command(
        commands,
        "extract",
        _extract,
        "compute the features of many images as one table",
        "  tumortrace extract lesions/ -o features.csv\n"
        "  tumortrace extract manifest.csv --features glcm,lbp --set glcm.levels=64 -o features.parquet\n"
        "  tumortrace extract volumes/ --preset ibsi --label all -o features.csv\n"
        "  tumortrace extract ct.nii.gz --mask lesion.nii.gz --preset pyradiomics -o features.csv\n"
        "  tumortrace extract lesions/ --settings settings.yaml -o features.csv --resume\n\n"
        "exit codes: 0 every row is good, 3 some rows failed, 2 wrong usage, 1 another error, 130 interrupted",
        kept=_RESUME,
    )
    add = command.add_argument
    add(
        "source",
        metavar="SOURCE",
        help="a folder of images or volumes, a manifest (.csv with a column Image), or one",
    )
    add_choice_of_features(command)
    add_choice_of_masks(command)
    add_jobs(command)
    add(
        "-o",
        "--out",
        metavar="FILE",
        type=Path,
        default=Path("features.csv"),
        help="the table, .csv or .parquet "
        "(default: features.csv); its record of versions and settings is FILE.json",
    )
    add(
        "--resume",
        action="store_true",
        help="keep the rows of an earlier run whose image and settings are the same",
    )
    add("--progress", action=argparse.BooleanOptionalAction, help="progress bar (default: on a terminal)")
    add("-q", "--quiet", action="store_true", help="print errors only")


def add_choice_of_features(
    command: argparse.ArgumentParser, usual: str = "ibsi for extract of volumes, else default"
) -> None:
    """Declare the options that choose extractors and parameters; `usual` is the preset where none is given."""
    add = command.add_argument
    add("--settings", metavar="FILE", type=Path, help="YAML file of extractors and parameters; see: settings init")
    add(
        "--preset",
        metavar="NAME",
        choices=PRESETS,
        help=f"settings to start from: {', '.join(PRESETS)} (default: {usual})",
    )
    add("--features", metavar="NAMES", help="run these extractors only: names with commas between; see: features")
    add(
        "--set",
        metavar="NAME.PARAMETER=VALUE",
        action="append",
        default=[],
        help="set a parameter; may be repeated",
    )


def add_choice_of_masks(command: argparse.ArgumentParser) -> None:
    """Declare the options that choose a region, and the names of columns."""
    add = command.add_argument
    add("--mask", metavar="FILE", type=Path, help="the mask, where SOURCE is one image")
    add("--label", metavar="N", help="the region of a mask that has several: number or name, or all for a row each")
    add("--resample-mask", action="store_true", help="bring a mask on another grid onto that of its image")
    add(
        "--names",
        choices=NAMES,
        help="names of columns: ours, which are those of IBSI where it has the feature (default), or PyRadiomics' "
        "names and numbers",
    )


def chosen_settings(
    args: argparse.Namespace, preset: str | None = None, overrides: Sequence[str] = (), names: str | None = None
) -> "Settings":
    """Return the settings that were asked for; the name of the table is looked at too, before any work."""
    from tumortrace.table import Settings

    if args.out.suffix not in (".csv", ".parquet"):
        raise UsageError(f"the table is {str(args.out)!r}; give a name that ends in .csv or .parquet")
    chosen = None if args.features is None else _common.names(args.features)
    try:
        return Settings.of(
            args.settings,
            preset=args.preset or preset,
            features=chosen,
            overrides=[*args.set, *overrides],
            names=names,
        )
    except (ValueError, TypeError) as error:
        raise UsageError(error) from error


def of_masks(args: argparse.Namespace) -> list[str]:
    """Return what the options of masks set."""
    given = []
    if args.label is not None:
        given.append(f"mask.label={json.dumps(args.label)}")
    if args.resample_mask:
        given.append("mask.resample=true")
    return given


def fitting_preset(args: argparse.Namespace) -> str | None:
    """Return the preset that fits the source, where none was asked for."""
    if args.preset or args.settings or args.features:
        return None
    from tumortrace import io

    if not all(io.is_volume(image) for image in io.find(args.source).frame["image"]):
        return None
    if not args.quiet:
        say("the source holds volumes: the preset is ibsi; choose another with --preset or --features")
    return "ibsi"


def _extract(args: argparse.Namespace) -> int:
    from tumortrace.table import WorkerDied, extract

    settings = chosen_settings(args, fitting_preset(args), of_masks(args), args.names)
    progress = sys.stderr.isatty() if args.progress is None else args.progress
    try:
        summary = extract(
            args.source if args.mask is None else [args.source],
            settings,
            masks=None if args.mask is None else [args.mask],
            out=args.out,
            jobs=args.jobs,
            resume=args.resume,
            progress=progress and not args.quiet,
        )
    except WorkerDied as error:
        raise WorkerDied(f"{error}{_RESUME}") from error
    if not args.quiet:
        report_table(summary)
    return SOME_FAILED if summary.failed else OK


def report_table(summary: "Summary") -> None:
    """Print what a run did, and what went wrong."""
    for problem in summary.problems[:SHOWN]:
        complain(f"warning: {problem}")
    for path, reason in summary.skipped[:SHOWN]:
        complain(f"left out: {path}: {reason}")
    hidden = max(len(summary.problems) - SHOWN, 0) + max(len(summary.skipped) - SHOWN, 0)
    if hidden:
        complain(f"{hidden:,} more such lines are in {summary.path}.json")
    print(f"{summary.path}: {summary.rows:,} rows, {summary.columns:,} features each")
    print(f"computed {summary.computed}, reused {summary.reused}, failed {summary.failed}")
    if summary.failed or summary.incomplete:
        incomplete = f"{summary.incomplete} incomplete (some features undefined)"
        print(f"{summary.failed} failed, {incomplete}: the column error says why")


def _add_slices(commands: Any) -> None:
    command = add_command(
        commands,
        "slices",
        _slices,
        "compute one row per slice: texture of every sequence, and kinetics",
        "  tumortrace slices lesions/ -o slices.csv\n"
        "  tumortrace slices lesions/ --no-texture -o kinetics.csv\n"
        "  tumortrace slices lesions/ --features glcm,lbp --no-kinetics -o texture.parquet\n\n"
        "exit codes: 0 every slice is good, 3 some slices failed, 2 wrong usage, 1 another error",
    )
    add = command.add_argument
    add(
        "source",
        metavar="SOURCE",
        help="a folder in the BreaDM layout, or a manifest with patient, slice and sequence",
    )
    add_choice_of_features(command)
    add("--texture", action=argparse.BooleanOptionalAction, default=True, help="texture (default: yes)")
    add("--kinetics", action=argparse.BooleanOptionalAction, default=True, help="kinetics (default: yes)")
    add_jobs(command)
    add(
        "-o",
        "--out",
        metavar="FILE",
        type=Path,
        default=Path("slices.csv"),
        help="the table, .csv or .parquet (default: slices.csv); texture of single images goes to NAME.images.csv",
    )
    add("--resume", action="store_true", help="take over the rows of an earlier NAME.images.csv")
    add("--progress", action=argparse.BooleanOptionalAction, help="progress bar (default: on a terminal)")
    add("-q", "--quiet", action="store_true", help="print errors only")


def _slices(args: argparse.Namespace) -> int:
    from tumortrace.table import extract_slices

    settings = chosen_settings(args)
    if not args.texture and not args.kinetics:
        raise UsageError("--no-texture and --no-kinetics leave nothing to compute")
    given = args.settings is not None or args.features is not None or args.set
    progress = sys.stderr.isatty() if args.progress is None else args.progress
    table = extract_slices(
        args.source,
        settings if given else None,
        texture=args.texture,
        kinetics=args.kinetics,
        out=args.out,
        jobs=args.jobs,
        resume=args.resume,
        progress=progress and not args.quiet,
    )
    counts = table["status"].value_counts()
    failed, incomplete = (int(counts.get(name, 0)) for name in ("failed", "incomplete"))
    if not args.quiet:
        print(f"{args.out}: {len(table):,} slices")
        if failed or incomplete:
            print(f"{failed} failed, {incomplete} incomplete (some features undefined): the column error says why")
    return SOME_FAILED if failed else OK


def _add_distribution(commands: Any) -> None:
    command = add_command(
        commands,
        "distribution",
        _distribution,
        "count images, slices and patients of each class and split",
        "  tumortrace distribution lesions/\n  tumortrace distribution lesions/ -o classes.png --csv classes.csv",
    )
    command.add_argument("source", metavar="SOURCE", help="a folder in the BreaDM layout, or a manifest with Label")
    command.add_argument("-o", "--out", metavar="FILE", type=Path, help="a picture: .png, .svg or .pdf")
    command.add_argument("--csv", metavar="FILE", type=Path, help="the counts as CSV")


def _distribution(args: argparse.Namespace) -> int:
    from tumortrace import io

    counts = io.class_distribution(io.find(args.source).frame)
    print(counts.to_string(index=False, na_rep="-"))
    if args.csv is not None:
        counts.to_csv(args.csv, index=False)
    if args.out is not None:
        from tumortrace import report

        report.save(report.plot_class_distribution(counts), args.out)
    return OK


def _add_show(commands: Any) -> None:
    command = add_command(
        commands,
        "show",
        _show,
        "draw an image with what the operators make of it",
        "  tumortrace show p-040.jpg -o panel.png\n  tumortrace show lesion.png --mask mask.png -o panel.svg",
    )
    command.add_argument(
        "image",
        metavar="IMAGE",
        type=Path,
        help="a picture, or a volume, of which the slice with the largest area of the mask is drawn",
    )
    command.add_argument("--mask", metavar="FILE", type=Path, help="a mask of the same size, not 0 inside")
    command.add_argument("--label", metavar="N", help="the region of a mask of a volume that has several")
    command.add_argument(
        "-o",
        "--out",
        metavar="FILE",
        type=Path,
        default=Path("panel.png"),
        help="a picture: .png, .svg or .pdf (default: panel.png)",
    )


def _show(args: argparse.Namespace) -> int:
    from tumortrace import io, report

    title = args.image.name
    if io.is_volume(args.image):
        image = io.read_lesion(args.image, args.mask, label=args.label)
        areas = [0] if image.mask is None else image.mask.sum(axis=(1, 2)).tolist()
        shown = len(image.array) // 2 if image.mask is None else areas.index(max(areas))
        array, mask = image.array[shown], None if image.mask is None else image.mask[shown]
        title += f", slice {shown + 1} of {len(image.array)}"
    else:
        array = io.read_image(args.image).array
        mask = None if args.mask is None else io.read_mask(args.mask)
    print(report.save(report.panel(array, mask, title=title), args.out))
    return OK


def _add_synthetic(commands: Any) -> None:
    command = add_command(
        commands,
        "synthetic",
        _synthetic,
        "make synthetic breast DCE-MRI lesions in the BreaDM layout",
        "  tumortrace synthetic lesions/ --patients 60 --seed 1",
    )
    command.add_argument("out", metavar="OUT", type=Path, help="the folder to write")
    command.add_argument("--patients", metavar="N", type=whole(1), default=60, help="how many (default: 60)")
    command.add_argument("--seed", metavar="N", type=whole(0), default=0, help="the same seed makes the same files")


def _synthetic(args: argparse.Namespace) -> int:
    from tumortrace.io import synthetic

    print(synthetic.make_lesions(args.out, patients=args.patients, seed=args.seed))
    return OK


def _add_quickstart(commands: Any) -> None:
    command = add_command(
        commands,
        "quickstart",
        _quickstart,
        "make lesions, extract their features, and compare handcrafted, CNN and fused models by patient",
        "  tumortrace quickstart\n  tumortrace quickstart --out try/ --jobs 2",
    )
    command.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        default=Path("tumortrace-quickstart"),
        help="folder for everything it writes (default: tumortrace-quickstart)",
    )
    add_jobs(command)


def _quickstart(args: argparse.Namespace) -> int:
    from tumortrace import quickstart

    quickstart.run(args.out, jobs=args.jobs)
    return OK
