"""The command that measures how stable features are."""

import argparse
import sys
from pathlib import Path
from typing import Any

from tumortrace.cli._common import (
    NOTICE,
    OK,
    SHOWN,
    UsageError,
    add_command,
    add_jobs,
    complain,
    whole,
    write_table,
)
from tumortrace.cli._tables import (
    add_choice_of_features,
    add_choice_of_masks,
    chosen_settings,
    fitting_preset,
    of_masks,
)


def add_commands(commands: Any) -> None:
    """Declare it."""
    command = add_command(
        commands,
        "stability",
        _stability,
        "perturb each lesion, measure it again, and tell how stable each feature is",
        "  tumortrace stability volumes/ --preset ibsi -o stability.csv --figure stability.png\n"
        "  tumortrace stability lesions/ --features glcm,lbp --perturb copies.yaml -o stability.csv\n\n"
        "copies.yaml is a list such as: [{shift: {by: [0.25, 0.5]}}, noise, [{rotate: {degrees: 2}}, noise]]",
    )
    add = command.add_argument
    add("source", metavar="SOURCE", help="a folder of images or volumes, a manifest, or one image")
    add_choice_of_features(command)
    add_choice_of_masks(command)
    add("--perturb", metavar="FILE", type=Path, help="YAML list of perturbed copies (default: ten of four kinds)")
    add("--seed", metavar="N", type=whole(0), default=0, help="of the noise (default: 0)")
    add_jobs(command)
    add("-o", "--out", metavar="FILE", type=Path, default=Path("stability.csv"), help="a row per feature, .csv")
    add("--figure", metavar="FILE", type=Path, help="a picture: .png, .svg or .pdf")
    add("--progress", action=argparse.BooleanOptionalAction, help="progress bar (default: on a terminal)")
    add("-q", "--quiet", action="store_true", help="print errors only")


def _stability(args: argparse.Namespace) -> int:
    from tumortrace.stability import parse, stability

    settings = chosen_settings(args, fitting_preset(args), of_masks(args), args.names)
    wanted = None if args.perturb is None else _read(args.perturb)
    if wanted is not None:
        try:
            parse(wanted)
        except (ValueError, TypeError) as error:
            raise UsageError(f"{args.perturb}: {error}") from error
    table = stability(
        args.source if args.mask is None else [args.source],
        settings,
        masks=None if args.mask is None else [args.mask],
        perturbations=wanted,
        seed=args.seed,
        jobs=args.jobs,
        progress=(sys.stderr.isatty() if args.progress is None else args.progress) and not args.quiet,
    )
    for image, reason in table.attrs["left_out"][:SHOWN]:
        complain(f"left out: {image}: {reason}")
    write_table(table, args.out)
    if args.figure is not None:
        from tumortrace import report

        report.save(report.plot_stability(table), args.figure)
    if not args.quiet:
        counts = table["stability"].replace("", "undefined").value_counts()
        print(f"{args.out}: {len(table):,} features of {table['lesions'].max()} lesions")
        print(", ".join(f"{count} {word}" for word, count in counts.items()))
        print(NOTICE)
    return OK


def _read(path: Path) -> list[Any]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, list):
        raise UsageError(f"{path}: holds {content!r}; give a list of perturbations")
    return content
