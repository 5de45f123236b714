"""Entries of a settings list: a name with parameters, checked against the signature of the function it names.

Filters and regions are written alike, ``- gabor: {sigma: 2, wavelength: [4, 8]}``, and named alike in columns.
"""

import difflib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from itertools import product
from typing import Any, NamedTuple

_NUMBER = re.compile(r"[-+]?[0-9]*\.?[0-9]+[eE][-+]?[0-9]+")


class Entry(NamedTuple):
    """One function and every parameter it is called with."""

    name: str
    parameters: dict[str, Any]


def expand(
    entry: Any, functions: Mapping[str, Callable[..., Any]], what: str, supplied: Iterable[str]
) -> tuple[Entry, ...]:
    """Return what an entry stands for: one `Entry` for each combination of the parameters that are lists.

    Parameters
    ----------
    entry
        A name, or a mapping of one name to its parameters (None: its defaults).
    functions
        Name → function; keyword-only parameters are what may be set.
    what
        What an entry is, for errors: ``"filter"``.
    supplied
        Parameters that come from the image and not from the user.

    Raises
    ------
    ValueError
        If the name or a parameter is unknown, or a parameter without default is missing.
    """
    name, given = _split(entry, what)
    known([name], functions, what)
    valid = parameters_of(functions[name], supplied)
    known(given, valid, f"parameter of {name}")
    missing = [key for key, default in valid.items() if default is inspect.Parameter.empty and key not in given]
    if missing:
        raise ValueError(f"{what} {name} needs {' and '.join(missing)}; write {name}: {{{missing[0]}: …}}")
    choices = [_choices(f"{key} of {name}", given.get(key, default)) for key, default in valid.items()]
    return tuple(Entry(name, dict(zip(valid, values, strict=True))) for values in product(*choices))


def parameters_of(function: Callable[..., Any], supplied: Iterable[str]) -> dict[str, Any]:
    """Return parameter → default (`inspect.Parameter.empty` where it has none) of what a user may set."""
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in supplied}


def known(names: Iterable[Any], valid: Iterable[str], what: str) -> None:
    """Raise an error that lists what is valid unless all of `names` are."""
    valid = list(valid)
    for name in names:
        if name not in valid:
            near = difflib.get_close_matches(str(name), valid, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise ValueError(f"unknown {what}: {name}{hint}; valid: {', '.join(valid) or 'none'}")


def words(value: Any) -> str:
    """Return a value as a part of a column name, ``[a-z0-9_]+``: 1.5 is ``1_5``, -2 is ``m2``."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).lower().replace("-", "m").replace("+", "")
    return re.sub(r"[^a-z0-9]+", "_", text).strip("_")


def _split(entry: Any, what: str) -> tuple[str, dict[str, Any]]:
    if isinstance(entry, str):
        return entry, {}
    if isinstance(entry, Mapping) and len(entry) == 1:
        ((name, given),) = entry.items()
        if given is None or isinstance(given, Mapping):
            return str(name), {str(key): value for key, value in (given or {}).items()}
    raise ValueError(
        f"{what} is {entry!r}; give a name, or one name with its parameters: {{name: {{parameter: 1}}}}"
    )


def _choices(name: str, value: Any) -> list[Any]:
    choices = list(value) if isinstance(value, list | tuple) else [value]
    if not choices:
        raise ValueError(f"{name} is an empty list; give at least one value")
    return [float(v) if isinstance(v, str) and _NUMBER.fullmatch(v) else v for v in choices]
