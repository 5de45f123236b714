"""Small drawings inside tables, as SVG: a push to one side, and a value beside the lesions of training."""

import math

from markupsafe import Markup

from tumortrace.web import _words
from tumortrace.web._details import Feature

INK, RANGE = "#16202b", "#c3ccd6"
NEGATIVE, POSITIVE = "#0072B2", "#D55E00"
"""The colours of the two classes, those of every figure."""

_WIDTH, _HEIGHT = 160.0, 22.0


def push(value: float, most: float) -> Markup:
    """Draw how far a family pushes: to the right for the positive class, to the left for the negative one."""
    middle = _WIDTH / 2
    length = (middle - 2) * abs(value) / most if most else 0.0
    left = middle if value > 0 else middle - length
    colour = POSITIVE if value > 0 else NEGATIVE
    return _svg(
        Markup(
            '<rect x="{:.2f}" y="5" width="{:.2f}" height="12" rx="2" fill="{}"/>'
            '<path d="M{} 1V21" stroke="{}" stroke-width="1.5"/>'
        ).format(left, length, colour, middle, INK)
    )


def strip(feature: Feature, classes: tuple[str, str]) -> Markup:
    """Draw where a value stands among the lesions of training.

    Parameters
    ----------
    feature : Feature
    classes : (str, str)
        The negative and the positive label.

    Returns
    -------
    Markup
        An SVG with a text in its place. A value far outside is drawn at the edge, with an arrow.
    """
    low, high, value = feature.low, feature.high, feature.value
    if math.isnan(low) or math.isnan(high):
        return _svg(Markup(), f"this lesion {_words.number(value)}; never measured in training")
    width = high - low if high > low else abs(low) or 1.0
    start, stop = low - 0.35 * width, high + 0.35 * width

    def x(value: float) -> float:
        return 8 + (_WIDTH - 16) * (min(max(value, start), stop) - start) / (stop - start)

    drawn = [
        Markup('<path d="M{:.2f} 11H{:.2f}" stroke="{}" stroke-width="8" stroke-linecap="round"/>').format(
            x(low), x(high), RANGE
        )
    ]
    medians = (feature.median_negative, feature.median_positive)
    for median, mark in zip(medians, (_circle, _diamond), strict=True):
        if not math.isnan(median):
            drawn.append(mark(x(median)))
    if not math.isnan(value):
        drawn.append(_here(x(value), arrow=1 if value > stop else -1 if value < start else 0))
    said = (
        f"this lesion {_words.number(value)}; lesions of training {_words.number(low)} to {_words.number(high)}, "
        + ", ".join(f"median {label} {_words.number(m)}" for label, m in zip(classes, medians, strict=True))
    )
    return _svg(Markup().join(drawn), said)


def _circle(x: float) -> Markup:
    return Markup('<circle cx="{:.2f}" cy="11" r="4.5" fill="#fff" stroke="{}" stroke-width="2.5"/>').format(
        x, NEGATIVE
    )


def _diamond(x: float) -> Markup:
    return Markup('<path d="M{:.2f} 5l6 6-6 6-6-6z" fill="{}" stroke="#fff"/>').format(x, POSITIVE)


def _here(x: float, *, arrow: int = 0) -> Markup:
    line = Markup('<path d="M{:.2f} 1V21" stroke="{}" stroke-width="{}"/>')
    drawn = line.format(x, "#fff", 5) + line.format(x, INK, 2.5)
    if arrow:
        drawn += Markup('<path d="M{:.2f} 7l{} 4 {} 4z" fill="{}"/>').format(
            x + 2 * arrow, 5 * arrow, -5 * arrow, INK
        )
    return drawn


def _svg(inside: Markup, said: str = "", width: float = _WIDTH) -> Markup:
    """Return a drawing, with a text in its place or hidden from who cannot see it."""
    role = Markup('role="img" aria-label="{}"').format(said) if said else Markup('aria-hidden="true"')
    return Markup('<svg viewBox="0 0 {:g} {:g}" {}>{}</svg>').format(width, _HEIGHT, role, inside)


KEY = {
    "range": _svg(
        Markup('<path d="M5 11H17" stroke="{}" stroke-width="8" stroke-linecap="round"/>').format(RANGE),
        width=_HEIGHT,
    ),
    "negative": _svg(_circle(11), width=_HEIGHT),
    "positive": _svg(_diamond(11), width=_HEIGHT),
    "here": _svg(_here(11), width=_HEIGHT),
}
"""What the marks of `strip` mean, as drawings."""
