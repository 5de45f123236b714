"""The commands of extractors and settings: what there is, and files of settings."""

import argparse
from pathlib import Path
from typing import Any

from tumortrace.cli._common import OK, PRESETS, UsageError, add_command


def add_commands(commands: Any) -> None:
    """Declare them."""
    _add_features(commands)
    _add_settings(commands)


def _add_features(commands: Any) -> None:
    command = add_command(
        commands,
        "features",
        _features,
        "list the extractors, their parameters, defaults and columns",
        "  tumortrace features\n  tumortrace features glcm",
    )
    command.add_argument(
        "name", metavar="NAME", nargs="?", help="an extractor: show what its parameters mean and every column"
    )


def _features(args: argparse.Namespace) -> int:
    from tumortrace.features import FEATURES
    from tumortrace.table import describe

    if args.name is None:
        for name in FEATURES:
            found = describe(name)
            print(f"{name}: {found.summary} {len(found.columns)} columns.")
            print(f"    {', '.join(f'{p.name}={p.default}' for p in found.parameters)}")
        return OK
    try:
        found = describe(args.name)
    except ValueError as error:
        raise UsageError(error) from error
    print(f"{found.name}: {found.summary}\n\nparameters")
    for parameter in found.parameters:
        print(f"    {parameter.name} = {parameter.default}\n        {parameter.meaning}")
    print(f"\n{len(found.columns)} columns with these defaults")
    for column in found.columns:
        print(f"    {column}")
    return OK


def _add_settings(commands: Any) -> None:
    command = commands.add_parser("settings", help="write a settings file", description="Settings files.")
    actions = command.add_subparsers(title="actions", required=True, metavar="ACTION")
    init = add_command(
        actions,
        "init",
        _settings_init,
        "write a commented settings file with every parameter at its default",
        "  tumortrace settings init -o settings.yaml",
    )
    init.add_argument(
        "--preset", choices=PRESETS, default="default", help="whose settings to write (default: default)"
    )
    init.add_argument("-o", "--out", metavar="FILE", type=Path, help="where to (default: print it)")
    init.add_argument("--force", action="store_true", help="overwrite a file that exists")

    convert = add_command(
        actions,
        "convert",
        _settings_convert,
        "turn a parameter file of PyRadiomics into settings that compute the same numbers",
        "  tumortrace settings convert Params.yaml -o settings.yaml",
    )
    convert.add_argument("parameters", metavar="PARAMETERS", type=Path, help="the YAML or JSON file of PyRadiomics")
    convert.add_argument("-o", "--out", metavar="FILE", type=Path, help="where to (default: print it)")
    convert.add_argument("--force", action="store_true", help="overwrite a file that exists")


def _settings_init(args: argparse.Namespace) -> int:
    from tumortrace.table import template

    if args.out is None:
        print(template(args.preset), end="")
        return OK
    _put(template(args.preset), args)
    print(f"{args.out}: the preset {args.preset}; edit it, then: tumortrace extract … --settings {args.out}")
    return OK


def _settings_convert(args: argparse.Namespace) -> int:
    import json

    import yaml

    from tumortrace.table import Settings, from_pyradiomics

    settings = Settings.of(from_pyradiomics(args.parameters))
    text = yaml.safe_dump(json.loads(json.dumps(settings.content)), sort_keys=False, allow_unicode=True)
    if args.out is None:
        print(text, end="")
        return OK
    _put(text, args)
    print(f"{args.out}: the settings of {args.parameters}; tumortrace extract … --settings {args.out}")
    return OK


def _put(text: str, args: argparse.Namespace) -> None:
    """Write a file of settings, under a temporary name first."""
    if args.out.exists() and not args.force:
        raise UsageError(f"{args.out} exists; give another name, or --force to overwrite it")
    draft = args.out.with_name(f".{args.out.name}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(args.out)
