"""The command that explains."""

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tumortrace.cli._common import (
    NOTICE,
    OK,
    SOME_FAILED,
    add_command,
    add_jobs,
    complain,
    names,
    whole,
    write_table,
)

if TYPE_CHECKING:
    from tumortrace.explain import Explanation

_MEANING = "What the model did, not why the tissue is as it is."


def add_commands(commands: Any) -> None:
    """Declare it."""
    command = add_command(
        commands,
        "explain",
        _explain,
        "draw what moved the score of each lesion: families, features, and where a network looked",
        "  tumortrace explain model lesions/ -o explanations\n"
        "  tumortrace explain model lesions/ --splits test --rows 50\n\n"
        "exit codes: 0 every row is explained, 3 some rows have no score, 2 wrong usage, 1 another error",
    )
    add = command.add_argument
    add("model", metavar="MODEL", type=Path, help="the folder of a model")
    add("source", metavar="SOURCE", help="a folder of images or a manifest (.csv with a column Image)")
    add(
        "-o",
        "--out",
        metavar="DIR",
        type=Path,
        default=Path("explanations"),
        help="where to write a picture per row, and explanations.csv (default: explanations)",
    )
    add("--rows", metavar="N", type=whole(1), default=10, help="the first so many rows (default: 10)")
    add("--splits", metavar="NAMES", type=names, help="of the source, these only: names with commas between")
    add_jobs(command)
    add("-q", "--quiet", action="store_true", help="print errors only")


def _explain(args: argparse.Namespace) -> int:
    from tumortrace import report
    from tumortrace.explain import explain_frame, picture, tabulate
    from tumortrace.model import load
    from tumortrace.model._inputs import FAILED, list_images

    model = load(args.model)
    listing = list_images(args.source, group=model.inputs.group, splits=args.splits)
    frame = model.inputs.frame(listing, jobs=args.jobs)
    first = frame.head(args.rows)
    explained = explain_frame(model, first)
    for k, one in enumerate(explained, 1):
        figure = report.plot_explanation(one, picture(one, listing))
        path = report.save(figure, args.out / f"{k:03}-{_name(one)}.png")
        if not args.quiet:
            print(path)
    write_table(tabulate(explained), args.out / "explanations.csv")
    failed = first[first["status"] == FAILED]
    for error in failed["error"]:
        complain(f"not explained: {error}")
    if not args.quiet:
        print(f"{args.out / 'explanations.csv'}: {len(explained):,} of {len(frame):,} rows")
        print(_MEANING, NOTICE)
    return SOME_FAILED if len(failed) else OK


def _name(one: "Explanation") -> str:
    """Return a part of a file name that says which row it is."""
    said = [
        str(one.identity[name]) for name in ("patient", "slice", "sequence") if one.identity.get(name, "") != ""
    ]
    return re.sub(r"[^\w.+-]+", "_", "-".join(said) or "row")
