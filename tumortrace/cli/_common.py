"""What every command shares: exit codes, one wording of complaints, and how a command is declared."""

import argparse
import sys
from collections.abc import Callable
from typing import Any

OK, FATAL, USAGE, SOME_FAILED, INTERRUPTED = 0, 1, 2, 3, 130
SHOWN = 5
"""How many lines of one kind are printed before the rest is counted."""


class UsageError(Exception):
    """What was typed makes no sense; the message says what would."""


def complain(message: str) -> None:
    """Print a line about something wrong to stderr."""
    print(f"tumortrace: {message}", file=sys.stderr)


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
