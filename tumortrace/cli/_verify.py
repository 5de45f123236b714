"""The command that compares with the consensus of the IBSI."""

import argparse
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tumortrace.cli._common import FATAL, NOTICE, OK, UsageError, add_command, names, write_table

if TYPE_CHECKING:
    from tumortrace.conformance import Check

_CONFIGURATIONS = ("A", "B", "C", "D", "E")
_HEAD = ("feature", "code", "aggregation", "computed", "consensus", "tolerance", "agreement", "")
_NUMBERS = ("computed", "consensus", "tolerance")
_MARKS = {True: "ok", False: "NOT WITHIN", None: ""}


def add_commands(commands: Any) -> None:
    """Declare it."""
    command = add_command(
        commands,
        "verify",
        _verify,
        "compute the digital phantom of the IBSI and compare every feature with the consensus",
        "  tumortrace verify\n"
        "  tumortrace verify --family glcm,glrlm --csv glcm.csv\n"
        "  tumortrace verify --phantom ct.nii.gz mask.nii.gz --configuration C --reference c.csv\n\n"
        "exit codes: 0 every value is within its tolerance, 1 some are not or another error, 2 wrong usage",
    )
    add = command.add_argument
    add("--family", metavar="NAMES", type=names, help="these extractors only: names with commas between")
    add(
        "--phantom",
        metavar=("IMAGE", "MASK"),
        nargs=2,
        help="a volume of yours instead, such as the IBSI CT phantom",
    )
    add("--label", metavar="N", help="the region, by number or name, where the mask has several")
    add("--configuration", choices=_CONFIGURATIONS, help="of the IBSI, for --phantom")
    add("--reference", metavar="FILE", type=Path, help="a table of values to compare with (.csv), for --phantom")
    add("--csv", metavar="FILE", type=Path, help="write every value as a table")
    shown = command.add_mutually_exclusive_group()
    shown.add_argument("--json", action="store_true", help="print every value as JSON")
    shown.add_argument("-q", "--quiet", action="store_true", help="print failures and the last line only")


def _verify(args: argparse.Namespace) -> int:
    checks = _checks(args)
    compared = [check for check in checks if check.within is not None]
    n_within = sum(bool(check.within) for check in compared)
    if args.csv:
        import pandas as pd

        write_table(pd.DataFrame(checks), args.csv)
    if args.json:
        print(json.dumps({"within": n_within, "of": len(compared), "checks": [_plain(check) for check in checks]}))
    else:
        shown = [check for check in compared if not check.within] if args.quiet else checks
        print("\n".join(_tables(shown)), end="\n" if shown else "")
        if not args.quiet:
            print(NOTICE)
        if compared:
            print(f"{n_within} of {len(compared)} within tolerance")
        else:
            print(f"{len(checks)} values, compared with nothing: no reference is given")
    return OK if n_within == len(compared) else FATAL


def _checks(args: argparse.Namespace) -> "list[Check]":
    from tumortrace import conformance

    if args.phantom is None:
        for option in ("label", "configuration", "reference"):
            if getattr(args, option) is not None:
                raise UsageError(f"--{option} is for --phantom; give that too")
        return conformance.verify(families=args.family)
    if args.configuration is None:
        raise UsageError(f"--phantom needs --configuration, one of {', '.join(_CONFIGURATIONS)}")
    from tumortrace import io

    label = int(args.label) if args.label is not None and args.label.isdecimal() else args.label
    image = io.read_lesion(*args.phantom, label=label)
    return conformance.verify_volume(image, args.configuration, args.reference, families=args.family)


def _tables(checks: "Iterable[Check]") -> list[str]:
    """Return the lines of one table per family."""
    families: dict[str, list[Check]] = {}
    for check in checks:
        families.setdefault(check.family, []).append(check)
    lines = []
    for family, members in families.items():
        rows = [_HEAD, *map(_row, members)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines += [family, *("  " + _line(row, widths).rstrip() for row in rows), ""]
    return lines


def _row(check: "Check") -> tuple[str, ...]:
    return (
        check.feature,
        check.ibsi_code,
        check.aggregation,
        f"{check.computed:.6g}",
        _number(check.reference),
        _number(check.tolerance),
        check.consensus,
        _MARKS[check.within],
    )


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    """Return a row with its numbers to the right and its words to the left."""
    return "  ".join(
        cell.rjust(width) if name in _NUMBERS else cell.ljust(width)
        for name, cell, width in zip(_HEAD, row, widths, strict=True)
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _plain(check: "Check") -> dict[str, Any]:
    """Return a check as JSON can hold it, where NaN is null."""
    return {**check._asdict(), "computed": None if math.isnan(check.computed) else check.computed}
