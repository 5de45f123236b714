"""Thresholds: chosen by a stated rule, on rows that are not those they are used on."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace.evaluation._ranks import Ranks
from tumortrace.evaluation._rows import codes, labels, scores

RULES = ("youden", "balanced", "accuracy", "sensitivity", "specificity")


def choose_threshold(
    y_true: ArrayLike, y_score: ArrayLike, *, rule: str = "youden", at: float | None = None
) -> float:
    """Return the threshold that a rule asks for; a row is called positive where its score is at least that.

    Parameters
    ----------
    y_true : array_like, shape (n,)
        1 or True for the positive class, 0 or False for the other.
    y_score : array_like, shape (n,)
        Higher for the positive class.
    rule : str, default "youden"
        - ``"youden"``: the highest sensitivity + specificity, and so the highest balanced accuracy;
        - ``"balanced"``: sensitivity and specificity as near each other as they come;
        - ``"accuracy"``: the most rows right, which on unequal classes favours the larger one;
        - ``"sensitivity"``: the highest specificity among thresholds with a sensitivity of `at` or more;
        - ``"specificity"``: the highest sensitivity among thresholds with a specificity of `at` or more.
    at : float, optional
        What the last two rules must reach, above 0 and at most 1; for these only, and needed there.

    Returns
    -------
    float
        Half-way between the two neighbouring scores it parts; the lowest score where every row is called positive;
        the next number above the highest score where none is. Of thresholds that serve the rule equally well the
        lowest, which misses the fewest positives. So where all scores are equal, ``"youden"`` calls all positive.

    Raises
    ------
    ValueError
        If lengths differ, a score is not finite, `y_true` is not 0 and 1 with both present, `rule` is not known, or
        `at` does not fit it.

    See Also
    --------
    carried_thresholds : the same in cross-validation.

    Notes
    -----
    A threshold fits the rows it was chosen on: what it reaches there is too good. Choose it on training or
    validation rows and measure on others. Youden 1950,
    https://doi.org/10.1002/1097-0142(1950)3:1<32::aid-cncr2820030106>3.0.co;2-3.

    Examples
    --------
    >>> y, score = [0, 0, 0, 1, 1], [0.25, 0.375, 0.75, 0.5, 1.0]
    >>> choose_threshold(y, score)
    0.4375
    >>> choose_threshold(y, score, rule="specificity", at=1.0)
    0.875
    """
    y = labels(y_true)
    _rule(rule, at)
    return _chosen(y, scores("y_score", y_score, len(y)), rule, at)


def carried_thresholds(
    y_true: ArrayLike, y_score: ArrayLike, folds: ArrayLike, *, rule: str = "youden", at: float | None = None
) -> NDArray[np.float64]:
    """Return for each row a threshold chosen on the rows of the other folds.

    Parameters
    ----------
    y_true, y_score, rule, at
        As in `choose_threshold`; the scores are out-of-fold, as `grouped_predictions` gives them.
    folds : array_like, shape (n,)
        The fold of each row, from `grouped_folds`.

    Returns
    -------
    ndarray of float64, shape (n,)
        The same number for all rows of a fold. It depends on no label and no score of that fold.

    Raises
    ------
    ValueError
        As in `choose_threshold`, or if there is one fold, or the rows outside a fold are of one class.

    Notes
    -----
    The scores of the other folds come from models that were trained with the patients of this one. A threshold
    carried over in this way costs no extra training, and is nearly, not perfectly, independent of the fold.

    Examples
    --------
    >>> y, score = [0, 1, 0, 1], [0.25, 0.75, 0.5, 1.0]
    >>> carried_thresholds(y, score, [0, 0, 1, 1])
    array([0.75, 0.75, 0.5 , 0.5 ])
    """
    y = labels(y_true)
    score, fold = scores("y_score", y_score, len(y)), codes("folds", folds, len(y))
    _rule(rule, at)
    thresholds = np.empty(len(y))
    for k in range(int(fold.max()) + 1):
        inside, others = fold == k, fold != k
        if len(np.unique(y[others])) < 2:
            raise ValueError(f"outside fold {np.asarray(folds)[inside][0]} there are not rows of both classes")
        thresholds[inside] = _chosen(y[others], score[others], rule, at)
    return thresholds


def _rule(rule: str, at: float | None) -> None:
    _check.one_of("rule", rule, RULES)
    if rule in ("sensitivity", "specificity"):
        if at is None or not 0 < at <= 1:
            raise ValueError(f"at is {at!r}; give the {rule} to reach, above 0 and at most 1")
    elif at is not None:
        raise ValueError(f"at is {at!r}, which rule {rule!r} does not take; leave it out")


def _chosen(y: NDArray[np.bool_], score: NDArray[np.float64], rule: str, at: float | None) -> float:
    hits, alarms = Ranks.of(y, score, np.zeros(len(y), np.intp)).counts(np.ones(1))
    tp, fp = np.append(0.0, hits), np.append(0.0, alarms)  # from none called positive to all
    positives, negatives = tp[-1], fp[-1]
    # gains are whole numbers, so that what is equal compares equal
    if rule == "youden":
        gain = tp * negatives - fp * positives
    elif rule == "balanced":
        gain = -np.abs(tp * negatives - (negatives - fp) * positives)
    elif rule == "accuracy":
        gain = tp - fp
    elif rule == "sensitivity":
        gain = np.where(tp / positives >= at, -fp, -np.inf)
    else:
        gain = np.where((negatives - fp) / negatives >= at, tp, -np.inf)
    best = len(gain) - 1 - int(gain[::-1].argmax())
    return float(_cuts(np.unique(score)[::-1])[best])


def _cuts(falling: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return thresholds that take in none, one, two, … all of the distinct scores, given from the highest down."""
    above, below = falling[:-1], falling[1:]
    middle = above / 2 + below / 2
    parted = np.where(middle > below, middle, above)  # neighbours in float64 have nothing between them
    return np.concatenate([[np.nextafter(falling[0], np.inf)], parted, falling[-1:]])
