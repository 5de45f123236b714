"""How numbers are written: the same everywhere in a report."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from tumortrace.evaluation import Interval

NONE = "–"
INTERVALS = "95 % intervals from resampling patients, 1,000 times."
SMALLEST = "1,000 draws give no p below 0.002."


def family(member: str) -> str:
    """Return what a member of a model is called in a text.

    Examples
    --------
    >>> family("mvm_lbp")
    'MVM-LBP'
    """
    from tumortrace.explain import in_words

    return in_words(member)


feature = family


def count(number: int, noun: str) -> str:
    """Return a number and what is counted.

    Examples
    --------
    >>> count(1, "slice"), count(1204, "slice")
    ('1 slice', '1,204 slices')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def number(value: float, digits: int = 3) -> str:
    """Return a number with a sign that is as long as a plus; a dash where there is none."""
    return NONE if math.isnan(value) else f"{value:.{digits}f}".replace("-", "−")


def interval(value: Interval | Sequence[float], digits: int = 3) -> str:
    """Return a number with its bounds.

    Examples
    --------
    >>> interval(Interval(0.81234, 0.7, 0.9)), interval((0.5, math.nan, math.nan))
    ('0.812 (0.700 to 0.900)', '0.500')
    """
    middle, low, high = value
    if math.isnan(low):
        return number(middle, digits)
    return f"{number(middle, digits)} ({number(low, digits)} to {number(high, digits)})"


def signed(value: Interval | Sequence[float], digits: int = 3) -> str:
    """Return a difference with its bounds, each with its sign.

    Examples
    --------
    >>> signed((0.0123, -0.0001, 0.02))
    '+0.012 (0.000 to +0.020)'
    """
    middle, low, high = (_with_sign(n, digits) for n in value)
    return f"{middle} ({low} to {high})"


def _with_sign(value: float, digits: int) -> str:
    rounded = round(value, digits)
    return f"{rounded:+.{digits}f}".replace("-", "−") if rounded else f"{0:.{digits}f}"


def p_value(p: float) -> str:
    """Return a p with as many digits as it deserves."""
    if math.isnan(p):
        return NONE
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def percent(share: float) -> str:
    """Return a share as a percentage."""
    return NONE if math.isnan(share) else f"{100 * share:.0f} %"


def listed(words: Iterable[str]) -> str:
    """Join words as a sentence does.

    Examples
    --------
    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
