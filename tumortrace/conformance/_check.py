"""A computed number beside the value that it should have."""

from __future__ import annotations

import csv
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

_DIGITS = 3
_ROUNDING = 1e-9  # of the value: what floating-point arithmetic may add at the edge of a tolerance

_NEEDED = ("family_code", "aggregation_slug", "ibsi_code", "feature", "value", "tolerance", "consensus")


class Reference(NamedTuple):
    """A value of a table of references.

    Attributes
    ----------
    family_code, ibsi_code : str
        The codes of the family and the feature in the IBSI manual.
    aggregation : str
        As extractors take it; empty where the family has none.
    feature : str
        Its name in the IBSI manual.
    value : float
    tolerance : float
        How far a computed value may be from it: the tolerance of the table, at least `half_unit` of the value.
    consensus : str
        How strong the agreement is, such as "strong".
    """

    family_code: str
    ibsi_code: str
    aggregation: str
    feature: str
    value: float
    tolerance: float
    consensus: str


class Check(NamedTuple):
    """A computed number, and the reference beside it; ``pandas.DataFrame(checks)`` is a table of them.

    Attributes
    ----------
    family : str
        The extractor.
    aggregation, feature, ibsi_code : str
        What is computed; `feature` as the extractor names it.
    computed : float
        NaN where nothing of the kind is computed.
    reference, tolerance : float or None
        None without a reference.
    consensus : str
    within : bool or None
        Whether the number is within the tolerance; None without a reference.
    """

    family: str
    aggregation: str
    feature: str
    ibsi_code: str
    computed: float
    reference: float | None = None
    tolerance: float | None = None
    consensus: str = ""
    within: bool | None = None


def half_unit(printed: str) -> float:
    """Return half a unit of the last digit of a printed value; the IBSI prints three significant digits.

    Zeros at the end count as digits up to the third. A printed 0 has no digits: it is exactly zero.

    Examples
    --------
    >>> half_unit("0.698"), half_unit("2.6"), half_unit("-11300"), half_unit("0")
    (0.0005, 0.005, 50.0, 0.0)
    """
    number = Decimal(printed)
    if not number:
        return 0.0
    digits = max(_DIGITS, len(number.normalize().as_tuple().digits))
    return float(Decimal(5).scaleb(number.adjusted() - digits))


def within(computed: float, value: float, tolerance: float) -> bool:
    """Say whether a computed number is within a tolerance; NaN never is.

    Examples
    --------
    >>> within(0.6983, 0.698, 0.0005), within(0.6986, 0.698, 0.0005), within(float("nan"), 0.698, 0.0005)
    (True, False, False)
    """
    return abs(computed - value) <= tolerance + _ROUNDING * max(abs(value), 1e-3)


def read_reference(path: str | Path) -> list[Reference]:
    """Read a table of references.

    Parameters
    ----------
    path : str or path
        A CSV file with the columns family_code, aggregation_slug, feature, ibsi_code, value, tolerance and
        consensus; others are ignored. Rows without a value have no consensus and are left out.

    Raises
    ------
    ValueError
        If a column is missing, a number is none, or no row has a value.

    Examples
    --------
    >>> from tumortrace.conformance._verify import REFERENCE
    >>> values = read_reference(REFERENCE)
    >>> len(values), values[0].feature, values[0].value, values[0].tolerance
    (482, 'Volume (mesh)', 556.0, 4.0)
    """
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
        if missing:
            raise ValueError(f"{path} has no column {missing[0]}; it needs {', '.join(_NEEDED)}")
        try:
            found = [_reference(row) for row in reader if row["value"].strip()]
        except (InvalidOperation, ValueError) as error:
            raise ValueError(f"{path}, line {reader.line_num}: a value or tolerance is no number") from error
    if not found:
        raise ValueError(f"{path} has no values to compare with")
    return found


def _reference(row: dict[str, str]) -> Reference:
    printed, tolerance = row["value"].strip(), row["tolerance"].strip()
    return Reference(
        row["family_code"].strip(),
        row["ibsi_code"].strip(),
        row["aggregation_slug"].strip(),
        row["feature"].strip(),
        float(printed),
        max(float(tolerance or 0), half_unit(printed)),
        row["consensus"].strip(),
    )
