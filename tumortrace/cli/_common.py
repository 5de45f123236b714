"""What commands share: exit codes, one wording of complaints, how a command is declared, and small types."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

OK, FATAL, USAGE, SOME_FAILED, INTERRUPTED = 0, 1, 2, 3, 130
SHOWN = 5
"""How many lines of one kind are printed before the rest is counted."""

PRESETS = ("default", "ibsi", "pyradiomics", "all")
"""The presets of `tumortrace.table`, here so that help is quick; a test holds the two together."""

NAMES = ("ibsi", "pyradiomics")

NOTICE = "Research software, no medical device."


class UsageError(Exception):
    """What was typed makes no sense; the message says what would."""


def complain(message: str) -> None:
    """Print a line about something wrong to stderr."""
    print(f"tumortrace: {message}", file=sys.stderr)


def say(line: str) -> None:
    """Print a line of progress to stderr."""
    print(line, file=sys.stderr, flush=True)


def names(text: str) -> list[str]:
    """Return the names of an option that takes several with commas between."""
    return [name.strip() for name in text.split(",") if name.strip()]


def write_table(table: "pd.DataFrame", path: Path) -> None:
    """Write a table under a temporary name, then move it into place."""
    draft = path.with_name(f".{path.name}")
    table.to_csv(draft, index=False)
    draft.replace(path)


def add_command(
    commands: Any,
    name: str,
    run: Callable[[argparse.Namespace], int],
    summary: str,
    examples: str,
    *,
    kept: str = "",
) -> argparse.ArgumentParser:
    """Declare a command: what runs it, its help, and what is `kept` of its work when it is interrupted."""
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=run, kept=kept)
    return command


def whole(low: int) -> Callable[[str], int]:
    """Return the type of an option that takes whole numbers of at least `low`."""

    def whole_number(text: str) -> int:
        if not text.isdecimal() or int(text) < low:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {low}")
        return int(text)

    return whole_number


def add_jobs(command: argparse.ArgumentParser) -> None:
    """Declare the option for the number of processes that extract."""
    command.add_argument(
        "--jobs",
        metavar="N",
        type=whole(1),
        help="worker processes (default: every available CPU)",
    )
