"""The command that describes dynamic series."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tumortrace.cli._common import OK, SOME_FAILED, UsageError, add_command, add_jobs, names, whole
from tumortrace.cli._tables import (
    add_choice_of_features,
    add_choice_of_masks,
    chosen_settings,
    of_masks,
    report_table,
)

if TYPE_CHECKING:
    from tumortrace.table import Settings

DELTAS = ("first", "previous", "none")
"""What phases are compared with, here so that help is quick; a test holds this and `tumortrace.table` together."""

_RESUME = "; rows so far are kept: go on with the same command and --resume"


def add_commands(commands: Any) -> None:
    """Declare it."""
    command = add_command(
        commands,
        "dynamic",
        _dynamic,
        "compute one row per dynamic series: kinetics, texture of each phase, and its change between phases",
        "  tumortrace dynamic series/ -o series.csv\n"
        "  tumortrace dynamic dce.nii.gz --mask lesion.nii.gz --times 0,90,180,270,360 -o series.csv\n"
        "  tumortrace dynamic manifest.csv --features glcm --phases 0,1,4 --delta previous -o series.csv\n"
        "  tumortrace dynamic manifest.csv --no-texture --early 3 -o kinetics.csv\n\n"
        "A manifest with the columns Image, Mask, Patient, Phase and Time (seconds) has a row per phase.\n"
        "Phases are not registered: they must lie on one another.\n"
        "exit codes: 0 every row is good, 3 some rows failed, 2 wrong usage, 1 another error, 130 interrupted",
        kept=_RESUME,
    )
    add = command.add_argument
    add("source", metavar="SOURCE", help="a folder or manifest of series (NIfTI, NRRD, DICOM), or one")
    add("--phases", metavar="K,K", type=_phases, help="use these phases only, the one before contrast first")
    add("--times", metavar="S,S", type=_times, help="seconds, one per phase used, in place of those of the files")
    add("--texture", action=argparse.BooleanOptionalAction, default=True, help="texture (default: yes)")
    add("--kinetics", action=argparse.BooleanOptionalAction, default=True, help="kinetics (default: yes)")
    add("--early", metavar="N", type=whole(1), help="kinetics: initial phases after contrast (default: 2)")
    add("--plateau", metavar="SHARE", type=float, help="kinetics: change of signal of a plateau (default: 0.1)")
    add(
        "--delta",
        choices=DELTAS,
        default="first",
        help="take the texture of this phase from each: the first (default), the previous one, or none",
    )
    add("--relative", action="store_true", help="add these differences as shares of what is taken away")
    add_choice_of_features(command, "ibsi without morphology")
    add_choice_of_masks(command)
    add_jobs(command)
    add(
        "-o",
        "--out",
        metavar="FILE",
        type=Path,
        default=Path("series.csv"),
        help="the table, .csv or .parquet (default: series.csv); its record of versions and settings is FILE.json",
    )
    add("--resume", action="store_true", help="keep the rows of an earlier run that would be the same")
    add("--progress", action=argparse.BooleanOptionalAction, help="progress bar (default: on a terminal)")
    add("-q", "--quiet", action="store_true", help="print errors only")


def _phases(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(name) for name in names(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} are no phases; write 0,1,4") from None


def _times(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(name) for name in names(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} are no times; write seconds: 0,60,120") from None


def _dynamic(args: argparse.Namespace) -> int:
    from tumortrace.table import WorkerDied
    from tumortrace.table._series import extract_series

    if not args.texture and not args.kinetics:
        raise UsageError("--no-texture and --no-kinetics leave nothing to compute")
    parameters = {name: getattr(args, name) for name in ("early", "plateau") if getattr(args, name) is not None}
    if parameters and not args.kinetics:
        raise UsageError("--early and --plateau are for kinetics; leave out --no-kinetics")
    progress = sys.stderr.isatty() if args.progress is None else args.progress
    try:
        summary = extract_series(
            args.source if args.mask is None else [args.source],
            _settings(args),
            masks=None if args.mask is None else [args.mask],
            phases=args.phases,
            times=args.times,
            texture=args.texture,
            kinetics=parameters if args.kinetics else False,
            delta=args.delta,
            relative=args.relative,
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


def _settings(args: argparse.Namespace) -> "Settings":
    """Return the settings of texture and mask; by default the families of `extract_series`."""
    from tumortrace.table._dynamics import TEXTURE

    preset = None
    if not (args.settings or args.features or args.preset):
        args.features, preset = ",".join(TEXTURE), "ibsi"
    return chosen_settings(args, preset, of_masks(args), args.names)
