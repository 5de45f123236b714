"""The command that writes a report."""

import argparse
from pathlib import Path
from typing import Any

from tumortrace.cli._common import NOTICE, OK, UsageError, add_command, add_jobs, names, say, whole


def add_commands(commands: Any) -> None:
    """Declare it."""
    command = add_command(
        commands,
        "report",
        _report,
        "write what a model was found to do, or what a table of features is, as one page of HTML",
        "  tumortrace report model -o report.html                  # its out-of-fold predictions\n"
        "  tumortrace report model lesions/ --splits test -o report.html\n"
        "  tumortrace report predictions.csv --compare others.csv -o report.html --pdf\n"
        "  tumortrace report features.csv --maps contrast,joint_entropy -o features.html",
    )
    add = command.add_argument
    add(
        "what",
        metavar="MODEL|TABLE",
        type=Path,
        help="the folder of a model, a table of predictions (.csv) with labels, or a table of features as extract "
        "writes it",
    )
    add(
        "source",
        metavar="SOURCE",
        nargs="?",
        help="labelled images to score, a folder or a manifest (.csv); of a table of predictions, its images",
    )
    add(
        "-o",
        "--out",
        metavar="FILE",
        type=Path,
        default=Path("report.html"),
        help="the page to write (default: report.html)",
    )
    add("--splits", metavar="NAMES", type=names, help="of the source, these only: names with commas between")
    add(
        "--compare",
        metavar="OTHER",
        nargs="+",
        default=[],
        type=Path,
        help="other models, or tables of predictions, of the same rows",
    )
    add("--positive", metavar="LABEL", help="the positive label of a table (default: Malignant)")
    looked = command.add_mutually_exclusive_group()
    looked.add_argument(
        "--images",
        metavar="N",
        type=whole(0),
        help="of a table of features, look at so many of its rows (default: 6)",
    )
    looked.add_argument(
        "--rows", metavar="NUMBERS", type=_rows, help="look at these rows, from 1: numbers with commas between"
    )
    add(
        "--maps",
        metavar="NAMES",
        type=_maps,
        help="of a table of features, what to map over its volumes: names with commas between, or none (default: "
        "mean and joint entropy, of two volumes at most)",
    )
    add("--title", metavar="TEXT", help="heading of the page")
    add("--question", metavar="TEXT", help="what was asked")
    add("--author", metavar="NAME", help="who answers for the report")
    add("--pdf", action="store_true", help="print the page too; needs Chromium or WeasyPrint")
    add("--seed", metavar="N", type=whole(0), default=0, help="the same seed gives the same figures")
    add_jobs(command)
    add("-q", "--quiet", action="store_true", help="print errors only")


def _report(args: argparse.Namespace) -> int:
    from tumortrace.report import write_report

    if args.out.suffix != ".html":
        raise UsageError(f"the report is {str(args.out)!r}; give a name that ends in .html")
    if args.splits is not None and args.source is None:
        raise UsageError("--splits go with a SOURCE")
    written = write_report(
        args.what,
        args.out,
        source=args.source,
        splits=args.splits,
        compare=args.compare,
        positive=args.positive,
        images=args.images,
        rows=args.rows,
        maps=args.maps,
        title=args.title,
        question=args.question,
        author=args.author,
        pdf=args.pdf,
        seed=args.seed,
        jobs=args.jobs,
        say=None if args.quiet else say,
    )
    if not args.quiet:
        print(written)
        if args.pdf:
            print(written.with_suffix(".pdf"))
        print(NOTICE)
    return OK


def _rows(text: str) -> list[int]:
    return [whole(1)(part) for part in names(text)]


def _maps(text: str) -> list[str]:
    return [] if text == "none" else names(text)
