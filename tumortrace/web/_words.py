"""Numbers and shares, as a reader says them."""

import math


def share(value: float) -> str:
    """Return a share as a percentage, never rounded to a certainty that it is not.

    >>> share(0.774), share(0.9996), share(0.0), share(float("nan"))
    ('77 %', '> 99 %', '0 %', 'not known')
    """
    if math.isnan(value):
        return "not known"
    percent = 100 * value
    if 0 < percent < 1:
        return "< 1 %"
    if 99 < percent < 100:
        return "> 99 %"
    return f"{percent:.0f} %"


def number(value: float) -> str:
    """Return a measured value with three digits that matter.

    >>> number(12345.6), number(0.012345), number(float("nan"))
    ('12,300', '0.0123', 'not measured')
    """
    if math.isnan(value):
        return "not measured"
    if value and (abs(value) >= 1e7 or abs(value) < 1e-4):
        return f"{value:.2e}"
    digits = 2 - math.floor(math.log10(abs(value))) if value else 0
    return f"{round(value, digits):,.{max(digits, 0)}f}"


def signed(value: float) -> str:
    """Return a push with its sign, minus as one character; what rounds to nothing has none.

    >>> signed(0.456), signed(-1.2), signed(-0.001)
    ('+0.46', '−1.20', '0.00')
    """
    return f"{value:+.2f}".replace("-", "−") if round(value, 2) else "0.00"
