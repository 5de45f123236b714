"""Which phase each of several files is, by their names or by their order."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tumortrace.io._listing import natural
from tumortrace.io.synthetic import SEQUENCES
from tumortrace.web._error import DemoError

COUNTS = (9, 17)
"""The image before contrast and eight after it; and with them their subtractions."""

_AFTER = re.compile(r"(?<![A-Z0-9])C[ _-]?([1-8])(?![0-9])")
_SUBTRACTION = re.compile(r"(?<![A-Z0-9])SUB[ _-]?([1-8])(?![0-9])")
_BEFORE = re.compile(r"(?<![A-Z0-9])(?:VIBRANT|C[ _-]?0)(?![A-Z0-9])")


def phase_of(name: str) -> str | None:
    """Return the sequence that a name tells, as `tumortrace.io.synthetic.SEQUENCES` calls it, or None.

    Parameters
    ----------
    name : str
        A file's, with its folders where known; any case.

    Examples
    --------
    >>> phase_of("SYN-001/VIBRANT+C2/p-040.jpg"), phase_of("lesion_c3.png"), phase_of("SUB1.tif")
    ('VIBRANT+C2', 'VIBRANT+C3', 'SUB1')
    >>> phase_of("VIBRANT.jpg"), phase_of("scan 4.jpg")
    ('VIBRANT', None)
    """
    stem = name.upper().replace("\\", "/")
    for part in reversed(stem.split("/")):
        if found := _SUBTRACTION.search(part):
            return f"SUB{found[1]}"
        if found := _AFTER.search(part):
            return f"VIBRANT+C{found[1]}"
        if _BEFORE.search(part):
            return "VIBRANT"
    return None


def assign(names: Sequence[str]) -> tuple[list[int], tuple[str, ...], str]:
    """Tell the phases of a slice apart by the names of their files.

    Parameters
    ----------
    names : sequence of str
        9 or 17. Where each tells a phase, as ``VIBRANT+C1.jpg``, ``lesion_C1.png`` or a path of BreaDM, names
        decide. Where none does, the files are taken in natural order: before contrast, after it, subtractions.

    Returns
    -------
    order : list of int
        Positions in `names`, in the order of the phases.
    sequences : tuple of str
        The phases.
    how : str
        A sentence that says what decided.

    Raises
    ------
    DemoError
        If there are neither 9 nor 17, only some names tell a phase, two tell the same, or none does and two are the
        same.
    """
    sequences = of_pages(len(names), "files")
    told = [phase_of(name) for name in names]
    if not any(told):
        if again := [name for name in names if names.count(name) > 1]:
            raise DemoError(
                f"{names.count(again[0])} files are named {again[0]}, so that nothing tells which phase each is; "
                "name them VIBRANT, C1 to C8 and SUB1 to SUB8, or 01 to 17 in that order"
            )
        order = sorted(range(len(names)), key=lambda place: natural(names[place]))
        return order, sequences, "no name tells its phase: the files are taken in the order of their names"
    nameless = [name for name, phase in zip(names, told, strict=True) if phase is None]
    if nameless:
        raise DemoError(
            f"{nameless[0]}: its name tells no phase, and other names do; name it as VIBRANT for the image before "
            "contrast, C1 to C8 after it, SUB1 to SUB8 for the subtractions"
        )
    missing = [phase for phase in sequences if phase not in told]
    if missing:
        twice = next((f"; {phase} is there more than once" for phase in sequences if told.count(phase) > 1), "")
        raise DemoError(f"of the {len(names)} phases there is no {', '.join(missing)}{twice}")
    return [told.index(phase) for phase in sequences], sequences, "the names of the files tell the phases"


def of_pages(count: int, what: str = "pages") -> tuple[str, ...]:
    """Return the sequences of 9 or 17 images in their order.

    Raises
    ------
    DemoError
        For another count.
    """
    if count not in COUNTS:
        raise DemoError(
            f"there are {count} {what}; give 9, the image before contrast and eight after it, or 17, with the "
            "eight subtractions"
        )
    return SEQUENCES[:count]
