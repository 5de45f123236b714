"""The command line: parses and prints; the work is in the package.

Exit codes: 0 all good, 1 a fatal error, 2 wrong usage, 3 some rows of a table failed, 130 interrupted.
"""

import argparse
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import tumortrace
from tumortrace.cli import (
    _demo,
    _dynamic,
    _explain,
    _map,
    _models,
    _report,
    _settings,
    _stability,
    _tables,
    _verify,
)
from tumortrace.cli._common import FATAL, INTERRUPTED, OK, USAGE, UsageError, complain

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        What follows the name of the program; by default what was typed.
    """
    args = _parser().parse_args(argv)
    with warnings.catch_warnings(), _logged(quiet=getattr(args, "quiet", False)):
        warnings.showwarning = _print_warning
        try:
            return int(args.run(args))
        except KeyboardInterrupt:
            complain(f"interrupted{args.kept}")
            return INTERRUPTED
        except BrokenPipeError:  # a reader such as head has closed stdout
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return OK
        except Exception as error:
            if args.debug or os.environ.get("TUMORTRACE_DEBUG"):
                raise
            text = " ".join(str(error).split()) or type(error).__name__
            complain(f"error: {text}")
            return USAGE if isinstance(error, UsageError) else FATAL


@contextmanager
def _logged(*, quiet: bool) -> Iterator[None]:
    """Print to stderr what the package logs: what takes long, unless it is to be quiet, and what goes wrong."""
    log, handler = logging.getLogger("tumortrace"), logging.StreamHandler()
    before = log.level
    log.setLevel(logging.WARNING if quiet else logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


def _print_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, file: Any = None, line: Any = None
) -> None:
    complain(f"warning: {message}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tumortrace",
        description="Fast, named texture features of lesions, as one table. Research software, no medical device.",
        epilog="Begin with: tumortrace quickstart",
    )
    parser.add_argument("--version", action="version", version=f"tumortrace {tumortrace.__version__}")
    parser.add_argument(
        "--debug", action="store_true", help="show the traceback of an error (or set TUMORTRACE_DEBUG)"
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _tables.add_commands(commands)
    _dynamic.add_commands(commands)
    _settings.add_commands(commands)
    _stability.add_commands(commands)
    _models.add_commands(commands)
    _explain.add_commands(commands)
    _verify.add_commands(commands)
    _map.add_commands(commands)
    _report.add_commands(commands)
    _demo.add_commands(commands)
    return parser
