"""The command demo: a page to click, served on this machine."""

import argparse
from getpass import getpass
from pathlib import Path
from typing import Any

from tumortrace.cli._common import OK, UsageError, add_command, names, whole


def add_commands(commands: Any) -> None:
    """Declare it."""
    command = add_command(
        commands,
        "demo",
        _demo,
        "serve a page on this machine: upload a lesion, see what models say of it and why",
        "  tumortrace demo                # its own models, trained on synthetic lesions at the first start\n"
        "  tumortrace demo models/ --flag flagged/\n"
        "  tumortrace demo --add-user ada --auth-file accounts\n"
        "  tumortrace demo model --host 0.0.0.0 --auth-file accounts\n\n"
        "Ctrl+C ends it. Nothing leaves the machine, and what was uploaded is removed.",
    )
    add = command.add_argument
    add(
        "models",
        metavar="MODEL",
        nargs="*",
        type=Path,
        help="folders of models, or folders that hold them (default: the demo's own)",
    )
    add(
        "--host",
        metavar="ADDRESS",
        default="127.0.0.1",
        help="where to listen (default: 127.0.0.1, this machine only); any address that others reach needs "
        "--auth-file",
    )
    add("--port", metavar="N", type=whole(0), help="the port (default: 7860, or the next free one)")
    add("--auth-file", metavar="FILE", type=Path, help="who may log in; only its owner may read it (chmod 600)")
    add(
        "--add-user",
        metavar="NAME",
        help="ask for a password, write the name with its hash to --auth-file, and end",
    )
    add("--flag", metavar="DIR", type=Path, help="let users flag answers: image and answer are written here")
    add(
        "--backbones",
        metavar="NAMES",
        type=names,
        help="networks of the demo's own models: resnet8 (default), resnet18, resnet50, vgg16, with commas between",
    )
    add(
        "--folder",
        metavar="DIR",
        type=Path,
        help="where the demo's own models are kept (default: the user's cache)",
    )
    add("--open", action="store_true", help="open the page in the browser")


def _demo(args: argparse.Namespace) -> int:
    if args.add_user is not None:
        return _add_user(args)
    if args.models and (args.backbones is not None or args.folder is not None):
        raise UsageError("--backbones and --folder are of the demo's own models; leave them out, or the MODELs")
    from tumortrace.web import serve

    serve(
        args.models,
        host=args.host,
        port=args.port,
        auth_file=args.auth_file,
        flag_folder=args.flag,
        own_folder=args.folder,
        backbones=args.backbones or ["resnet8"],
        open_browser=args.open,
        say=_say,
    )
    return OK


def _say(line: str) -> None:
    print(line, flush=True)  # the address is wanted at once, by a pipe too


def _add_user(args: argparse.Namespace) -> int:
    if args.auth_file is None:
        raise UsageError("--add-user needs --auth-file, the file to write the account to")
    from tumortrace.web import add_user

    password = getpass(f"password of {args.add_user}, at least 12 characters: ")
    if getpass("once more: ") != password:
        raise UsageError("the two passwords differ; nothing is written")
    print(f"{add_user(args.auth_file, args.add_user, password)}: {args.add_user} may log in")
    return OK
