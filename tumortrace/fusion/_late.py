"""Late fusion: each member scores by itself, then their probabilities are combined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import check_is_fitted

from tumortrace import _check
from tumortrace.fusion._base import CLIP, BinaryClassifier, positions, take
from tumortrace.fusion._crossfit import Member, fit_all, folds_by_patient, out_of_fold, positive
from tumortrace.fusion._early import EarlyFusion


class LateFusion(BinaryClassifier):
    """One classifier per member, each on its own columns; their probabilities combined on the scale of log-odds.

    Parameters
    ----------
    members : list of (name, classifier, columns), optional
        As in `sklearn.compose.ColumnTransformer`: a name, an unfitted classifier with `predict_proba`, and its
        columns: a list of names (of a DataFrame) or positions, or None for all. A classifier gets its columns as
        they are, numbers, texts or paths of images. None is one `EarlyFusion` on all columns.
    combine : {"average", "weighted", "stacked"}, default "average"
        "average": the mean of the members' log-odds, by `weights` where they are given. "weighted": their mean by
        weights that are learned: of all that are not negative and 1 in sum, those under which some multiple of the
        mean makes the labels most likely.
        "stacked": a logistic regression on the log-odds, which has an offset and may count a member against
        itself. Both learn from out-of-fold probabilities alone, and count both classes equally.
    weights : mapping of str to float, optional
        Of "average": name of each member → how much it counts. None counts all the same.
    folds : int, default 5
        Folds by patient; fewer where a class has fewer patients. "average" needs none.
    seed : int, default 0
        Of the folds.
    n_jobs : int, optional
        Fits at the same time, as in joblib; None is 1. A job is one member in one fold.

    Attributes
    ----------
    classes_ : ndarray, shape (2,)
        The second is the positive class.
    members_ : dict of str to classifier
        The members, fitted on every row; their classes are 0 and 1.
    columns_ : dict of str to list of int
        Positions of the columns of each member.
    out_of_fold_ : ndarray of float64, shape (n, members)
        Probability of the positive class for each training row, by members that saw no row of its patient. Not
        there for "average".
    folds_ : ndarray of int, shape (n,)
        The fold in which each row was scored. Not there for "average".
    weights_ : dict of str to float
        The weights of "average" and "weighted".
    stacker_ : LogisticRegression
        The combining model of "stacked".
    n_features_in_, feature_names_in_
        As in scikit-learn.

    See Also
    --------
    EarlyFusion : one classifier on all columns.

    Notes
    -----
    Probabilities are clipped to ``[1e-4, 1 - 1e-4]`` before their log-odds are taken. The mean of log-odds is the
    geometric mean of odds: a member that is sure counts more than in a mean of probabilities.

    Why out-of-fold: a member that has seen a row is surer of it than of any new row, and the more it overfits the
    surer; weights learnt from such scores go to the member that remembers best.

    Why some multiple: the mean of several members that err apart is less sure than it could be, and a likelihood of
    the mean itself would give all weight to the surest member.

    A frame whose ``attrs["in_sample"]`` lists rows, as embeddings of a network's own training rows have it, is
    refused by `fit`.

    References
    ----------
    Wolpert, Stacked generalization, Neural Networks 5, 1992, 10.1016/S0893-6080(05)80023-1; van der Laan, Polley
    and Hubbard, Super Learner, Statistical Applications in Genetics and Molecular Biology 6, 2007,
    10.2202/1544-6115.1309.

    Examples
    --------
    >>> from tumortrace.fusion import classifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat([0, 1], 60)
    >>> X = np.column_stack([2 * y + rng.normal(size=120), rng.normal(size=120)])
    >>> members = [("useful", classifier("logistic", C=1), [0]), ("useless", classifier("logistic", C=1), [1])]
    >>> model = LateFusion(members, combine="weighted").fit(X, y, patients=np.repeat(np.arange(60), 2))
    >>> {name: round(weight, 2) for name, weight in model.weights_.items()}
    {'useful': 1.0, 'useless': 0.0}
    """

    def __init__(
        self,
        members: Sequence[tuple[str, Any, Sequence[str] | Sequence[int] | None]] | None = None,
        *,
        combine: str = "average",
        weights: Mapping[str, float] | None = None,
        folds: int = 5,
        seed: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.members = members
        self.combine = combine
        self.weights = weights
        self.folds = folds
        self.seed = seed
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: ArrayLike, patients: ArrayLike | None = None) -> LateFusion:
        """Learn how to combine from out-of-fold probabilities, then fit each member on every row.

        Parameters
        ----------
        X : DataFrame or array_like, shape (n, columns)
            Members get their columns of it unchanged.
        y : array_like, shape (n,)
            Two classes; the second in sorted order is the positive one. Members are fitted on 0 and 1.
        patients : array_like, shape (n,), optional
            The patient of each row; None means that each row is a patient of its own. A member whose `fit` takes it
            is given it, as are the steps of a member that is a `sklearn.pipeline.Pipeline`.

        Raises
        ------
        ValueError, TypeError
            If a parameter, member or column is not valid, `X` holds in-sample embeddings, or there are not two
            classes (with two patients each, where folds are needed).
        """
        _check.one_of("combine", self.combine, ("average", "weighted", "stacked"))
        if self.weights is not None and self.combine != "average":
            raise ValueError(f"weights are given, but combine={self.combine!r} learns them; give one or the other")
        X, codes, patients = self._start(X, y, patients)
        members = self._resolved_members(X)
        self.columns_ = {name: columns for name, (_, columns) in members.items()}
        jobs: list[Member] = list(members.values())
        if self.combine == "average":
            self.weights_ = self._given_weights(list(members))
        else:
            self.folds_ = folds_by_patient(codes, patients, self.folds, self.seed)
            self.out_of_fold_ = out_of_fold(jobs, X, codes, patients, self.folds_, self.n_jobs)
            self._learn_to_combine(_log_odds(self.out_of_fold_), codes)
        self.members_ = dict(zip(members, fit_all(jobs, X, codes, patients, self.n_jobs), strict=True))
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probabilities of the two classes, shape (n, 2)."""
        return self.combined(self.member_probabilities(X))

    def combined(self, probabilities: ArrayLike) -> NDArray[np.float64]:
        """Return the probabilities of the two classes, shape (n, 2), that follow from those of the members.

        Parameters
        ----------
        probabilities : array_like, shape (n, members)
            What `member_probabilities` returns.
        """
        odds = _log_odds(np.asarray(probabilities, dtype=np.float64))
        if self.combine == "stacked":
            return np.asarray(self.stacker_.predict_proba(odds), dtype=np.float64)
        second = expit(odds @ np.array(list(self.weights_.values())))
        return np.column_stack([1 - second, second])

    def member_probabilities(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of the positive class by each member, shape (n, members)."""
        check_is_fitted(self)
        X = self._rows(X, reset=False)
        return np.column_stack(
            [positive(model, take(X, columns=self.columns_[name])) for name, model in self.members_.items()]
        )

    def _resolved_members(self, X: Any) -> dict[str, tuple[Any, list[int]]]:
        """Return name → classifier and positions of its columns."""
        everything = list(range(X.shape[1]))
        if self.members is None:
            return {"all": (EarlyFusion(seed=self.seed), everything)}
        resolved: dict[str, tuple[Any, list[int]]] = {}
        for member in self.members:
            if not isinstance(member, Sequence) or len(member) != 3:
                raise TypeError(f"a member is {member!r}; give (name, classifier, columns)")
            name, model, columns = member
            if name in resolved:
                raise ValueError(f"two members are named {name!r}; give each a name of its own")
            if not hasattr(model, "predict_proba"):
                raise TypeError(f"member {name!r} is {model!r}; give a classifier with predict_proba")
            resolved[name] = (
                model,
                everything if columns is None else positions(X, columns, f"member {name!r}"),
            )
        if not resolved:
            raise ValueError("members is empty; give one or more, or None for one on all columns")
        return resolved

    def _given_weights(self, names: list[str]) -> dict[str, float]:
        """Return the weights of "average", 1 in sum."""
        given = dict.fromkeys(names, 1.0) if self.weights is None else dict(self.weights)
        if set(given) != set(names):
            raise ValueError(f"weights name {', '.join(map(repr, given))}; give one to each of {', '.join(names)}")
        weights = {name: _check.positive(f"the weight of {name!r}", given[name]) for name in names}
        return {name: weight / sum(weights.values()) for name, weight in weights.items()}

    def _learn_to_combine(self, odds: NDArray[np.float64], y: NDArray[np.int_]) -> None:
        if self.combine == "stacked":
            self.stacker_ = LogisticRegression(class_weight="balanced", max_iter=1000).fit(odds, y)
        else:
            self.weights_ = dict(zip(self.columns_, _best_weights(odds, y).tolist(), strict=True))


def _log_odds(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(logit(np.clip(probabilities, CLIP, 1 - CLIP)))


def _best_weights(odds: NDArray[np.float64], y: NDArray[np.int_]) -> NDArray[np.float64]:
    """Return weights, none negative and 1 in sum, in proportion to the likeliest multiples of the members.

    A logistic regression without offset and with coefficients of at least 0; classes count equally. Where all
    coefficients are 0, no member says anything, and the weights are equal.
    """
    share = compute_sample_weight("balanced", y) / len(y)
    count = odds.shape[1]

    def loss(multiples: NDArray[np.float64]) -> float:
        return float(share @ np.logaddexp(0, np.where(y == 1, -1, 1) * (odds @ multiples)))

    def slope(multiples: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((share * (expit(odds @ multiples) - y)) @ odds)

    found = minimize(
        loss,
        np.full(count, 1 / count),
        jac=slope,
        method="L-BFGS-B",
        bounds=[(0, None)] * count,
        options={"ftol": 1e-14, "gtol": 1e-9, "maxiter": 1000},
    )
    total = float(found.x.sum())
    return np.asarray(found.x / total) if total > 0 else np.full(count, 1 / count)
