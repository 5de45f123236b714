"""How sure to be of a score: how often scores like it were right in the model's own test, in plain words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CLEAR, LIKELY = 0.8, 0.5
"""What share of like lesions must have been what this one is called, by the lower end of the interval."""
CLOSE = 0.05
"""A score so near to the threshold that a slightly different crop may be called otherwise."""

_Z = 1.959963984540054  # of 95 %


@dataclass(frozen=True)
class Confidence:
    """How sure to be of a call.

    Parameters
    ----------
    word : {"High", "Moderate", "Low", "Unknown"}
        High where, by the lower end of the interval, at least 80 % of the lesions with such a score were what this
        one is called; moderate where more than half; low otherwise. Unknown where the model was not tested.
    sentence : str
        What was counted.
    distance : str
        How far the score is from the threshold, in a sentence.
    share, low, high : float or None
        Of lesions with such a score, the share that was positive, and its 95 % interval.
    """

    word: str
    sentence: str
    distance: str
    share: float | None = None
    low: float | None = None
    high: float | None = None


def confidence(record: Mapping[str, Any], score: float) -> Confidence:
    """Say how sure to be of a score.

    Parameters
    ----------
    record : mapping
        Of a model: `classes`, `threshold`, `calibration` and `inputs` are read.
    score : float
        Its probability of the positive class, 0 to 1.

    Notes
    -----
    The intervals come from resampling patients. Where all lesions with such a score were of one class, resampling
    finds no spread, and the interval is that of Wilson, with as many trials as there were patients.

    References
    ----------
    Wilson, Probable inference, the law of succession, and statistical inference, JASA 22, 1927,
    10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> bins = [{"from": 0.6, "to": 0.8, "share": 0.9, "low": 0.82, "high": 0.97, "rows": 34, "patients": 20}]
    >>> record = {"classes": ["Benign", "Malignant"], "threshold": 0.5, "calibration": bins}
    >>> found = confidence(record | {"inputs": {"unit": "slice"}}, 0.7)
    >>> print(found.word, found.sentence, sep=": ")  # doctest: +NORMALIZE_WHITESPACE
    High: Of lesions with a score like this one (0.6 to 0.8) in the model's own test, 90 % (82 to 97 %; 34 slices
    of 20 patients) were malignant.
    >>> found.distance
    'The score is 0.20 above the threshold of 0.50.'
    """
    positive, threshold = str(record["classes"][1]).lower(), float(record["threshold"])
    distance = _distance(score, threshold)
    bins = record.get("calibration") or []
    if not bins:
        return Confidence(
            "Unknown", "The model was not tested, so nothing is known of how often it is right.", distance
        )
    found = next((one for one in bins if one["from"] <= score <= one["to"]), None)
    if found is None:
        return Confidence("Unknown", "No lesion of the model's own test had a score like this one.", distance)
    share, (low, high) = found["share"], _interval(found)
    counted = f"{_count(found['rows'], record['inputs']['unit'])} of {_count(found['patients'], 'patient')}"
    interval = f"{100 * low:.0f} to {100 * high:.0f} %"
    sentence = (
        f"Of lesions with a score like this one ({found['from']:.2g} to {found['to']:.2g}) in the model's own "
        f"test, {100 * share:.0f} % ({interval}; {counted}) were {positive}."
    )
    return Confidence(_word(score >= threshold, low, high), sentence, distance, share, low, high)


def _interval(found: Mapping[str, Any]) -> tuple[float, float]:
    """Return the interval of a bin.

    Resampling patients finds none where all lesions were of one class: all samples are alike. Then it is Wilson's,
    each patient counting once.
    """
    if found["low"] is not None and found["low"] < found["high"]:
        return found["low"], found["high"]
    n, share = found["patients"], found["share"]
    centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def _word(called_positive: bool, low: float, high: float) -> str:
    right = low if called_positive else 1 - high
    return "High" if right >= CLEAR else "Moderate" if right > LIKELY else "Low"


def _distance(score: float, threshold: float) -> str:
    side = "above" if score >= threshold else "below"
    gap = abs(score - threshold)
    said = f"The score is {gap:.2f} {side} the threshold of {threshold:.2f}"
    return f"{said}: a slightly different crop may be called otherwise." if gap < CLOSE else f"{said}."


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
