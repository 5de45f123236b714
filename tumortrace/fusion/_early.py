"""Early fusion: groups of columns, each prepared apart, then one classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler
from sklearn.utils.validation import check_is_fitted

from tumortrace import _check
from tumortrace.fusion._base import BinaryClassifier, numbers, positions, take
from tumortrace.fusion._classifiers import GRIDS, classifier
from tumortrace.fusion._crossfit import fit, folds_by_patient


class EarlyFusion(BinaryClassifier):
    """Groups of columns, each scaled and selected apart, then one classifier on all of them.

    Missing numbers become the median of their column, columns are scaled to mean 0 and variance 1 (before that,
    where `scale` says so, to a normal distribution), and columns that do not vary are dropped. Then each group is
    selected from and weighted, and the groups are laid side by side.

    Parameters
    ----------
    groups : mapping of str to list of str or int, optional
        Name of a group → its columns, by name (of a DataFrame) or position. Other columns are not used. None is one
        group of all columns.
    classifier : {"logistic", "svm", "forest", "xgboost"} or scikit-learn classifier, default "logistic"
        A name, for `classifier` with this `seed`, or an unfitted classifier.
    scale : {"standard", "normal"}, default "standard"
        "normal" replaces each number by the quantile of the normal distribution that has its rank: what texture
        features need that run over orders of magnitude, and no outlier rules.
    select : int, transformer, mapping or None, default None
        What is kept of each group. A whole number: so many columns, those that correlate most with the class (for
        two classes the order of the F test of ANOVA); a smaller group is kept whole. A scikit-learn transformer
        such as ``PCA(20)``: what it makes of the scaled columns. None: every column. A mapping gives each group its
        own; a group that is not in it is kept whole.
    stable : mapping of str to float, optional
        Feature → how stable it is, such as the lower end of its intraclass correlation from
        `tumortrace.stability.stability`. Columns whose feature is below `min_stability` or has no number are left
        out before anything is learnt; those of features that it does not name stay. A column is of the feature
        whose name it has, or has after its last ``__``. Needs a DataFrame.
    min_stability : float, default 0.75
        Of a feature that is kept, where `stable` is given.
    balance : bool, default True
        Weight the groups so that each has the same total variance: else thousands of columns of one kind drown
        thirty of another. The weights leave the mean total variance as it is, so that the penalty of a classifier
        keeps its meaning. Trees do not see weights.
    tune : bool or mapping, default False
        True tries the grid that `GRIDS` has for the classifier's name; a mapping, such as
        ``{"select": [20, 50], "classifier__C": [0.01, 0.1]}``, gives the grid by parameters of this estimator. The
        best mean AUC over folds by patient wins; everything is fitted anew in each fold.
    folds : int, default 5
        Folds of the tuning; fewer where a class has fewer patients.
    seed : int, default 0
        Of a classifier given by name, and of the folds.
    n_jobs : int, optional
        Processes that tune, as in joblib; None is 1.

    Attributes
    ----------
    classes_ : ndarray, shape (2,)
        The second is the positive class.
    columns_ : dict of str to list of int
        Positions of the columns of each group.
    kept_ : dict of str to list of int
        Positions, among the columns of each group, of those that vary and were selected.
    transformers_ : dict of str to transformer
        The fitted transformers of groups that have one.
    weights_ : dict of str to float
        What each group is multiplied by; a group of which nothing varies is not in it.
    imputer_, scaler_ : SimpleImputer, and StandardScaler or a Pipeline that ends in one
        Of all columns of all groups, in the order of `columns_`.
    classifier_ : classifier
        The fitted classifier; its classes are 0 and 1.
    best_params_ : dict
        What tuning chose; empty without tuning.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    See Also
    --------
    LateFusion : one classifier per group, then their probabilities.

    Notes
    -----
    A frame whose ``attrs["in_sample"]`` lists rows, as embeddings of a network's own training rows have it, is
    refused by `fit`. Embeddings must come from networks that did not see the patient.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = np.tile([0, 1], 60)
    >>> few, many = rng.normal(size=(120, 2)) + y[:, None], rng.normal(size=(120, 50))
    >>> model = EarlyFusion({"kinetics": [0, 1], "texture": list(range(2, 52))}, select={"texture": 10})
    >>> model.fit(np.hstack([few, many]), y).weights_
    {'kinetics': 1.7320508075688772, 'texture': 0.7745966692414834}
    """

    def __init__(
        self,
        groups: Mapping[str, Sequence[str] | Sequence[int]] | None = None,
        classifier: Any = "logistic",
        *,
        scale: str = "standard",
        select: Any = None,
        stable: Mapping[str, float] | None = None,
        min_stability: float = 0.75,
        balance: bool = True,
        tune: bool | Mapping[str, Sequence[Any]] = False,
        folds: int = 5,
        seed: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.groups = groups
        self.classifier = classifier
        self.scale = scale
        self.select = select
        self.stable = stable
        self.min_stability = min_stability
        self.balance = balance
        self.tune = tune
        self.folds = folds
        self.seed = seed
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: ArrayLike, patients: ArrayLike | None = None) -> EarlyFusion:
        """Prepare the groups and fit the classifier.

        Parameters
        ----------
        X : DataFrame or array_like, shape (n, columns)
            Numbers; NaN where one is missing. Columns of a DataFrame that are in no group may hold anything.
        y : array_like, shape (n,)
            Two classes; the second in sorted order is the positive one.
        patients : array_like, shape (n,), optional
            The patient of each row; None means that each row is a patient of its own. Tuning splits by it, and a
            classifier whose `fit` takes it is given it.

        Raises
        ------
        ValueError, TypeError
            If a parameter or column is not valid, `X` holds infinity or in-sample embeddings, no column varies, or
            there are not two classes.
        """
        _check.one_of("scale", self.scale, ("standard", "normal"))
        X, codes, patients = self._start(X, y, patients)
        self.columns_ = self._resolved_groups(X)
        model = clone(self).set_params(classifier=clone(self._unfitted()), tune=False)
        self.best_params_ = self._tuned(model, X, codes, patients) if self.tune else {}
        model.set_params(**self.best_params_)
        prepared = self._prepare(model, self._numbers(X), codes)
        self.classifier_ = fit(model.classifier, prepared, codes, patients)
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probabilities of the two classes, shape (n, 2)."""
        check_is_fitted(self)
        return np.asarray(self.classifier_.predict_proba(self.prepare(X)), dtype=np.float64)

    def prepare(self, X: Any) -> NDArray[np.float64]:
        """Return what the classifier sees: the prepared groups side by side.

        Parameters
        ----------
        X : DataFrame or array_like, shape (n, columns)
            Columns as in `fit`.

        Returns
        -------
        ndarray of float64, shape (n, kept columns)
        """
        check_is_fitted(self)
        scaled = self.scaler_.transform(self.imputer_.transform(self._numbers(self._rows(X, reset=False))))
        parts = []
        for name, block in self._blocks(scaled).items():
            if name in self.weights_:
                kept = block[:, self.kept_[name]]
                parts.append(
                    self.weights_[name]
                    * (self.transformers_[name].transform(kept) if name in self.transformers_ else kept)
                )
        return np.hstack(parts)

    def _resolved_groups(self, X: Any) -> dict[str, list[int]]:
        if self.groups is None:
            return {"all": self._stable(X, list(range(X.shape[1])))}
        if not isinstance(self.groups, Mapping) or not self.groups:
            raise TypeError(f"groups is {self.groups!r}; give a mapping of names to lists of columns, or None")
        return {
            str(name): self._stable(X, positions(X, columns, f"group {name!r}"))
            for name, columns in self.groups.items()
        }

    def _stable(self, X: Any, columns: list[int]) -> list[int]:
        """Return the columns of features that are stable enough, or of which nothing is known."""
        if self.stable is None:
            return columns
        if not isinstance(self.stable, Mapping):
            raise TypeError(f"stable is {self.stable!r}; give a mapping of feature to number")
        if not hasattr(X, "columns"):
            raise TypeError("stable names features; give X as a DataFrame, whose columns have names")
        names = [str(X.columns[k]) for k in columns]
        known = [self.stable.get(name, self.stable.get(name.rpartition("__")[2], np.inf)) for name in names]
        kept = [k for k, number in zip(columns, known, strict=True) if number >= self.min_stability]
        if not kept:
            raise ValueError(f"no column has a stability of {self.min_stability}; give a lower min_stability")
        return kept

    def _unfitted(self) -> Any:
        return classifier(self.classifier, seed=self.seed) if isinstance(self.classifier, str) else self.classifier

    def _tuned(self, model: EarlyFusion, X: Any, y: NDArray[np.int_], patients: NDArray[Any]) -> dict[str, Any]:
        """Return the parameters of the best mean AUC over folds by patient."""
        if isinstance(self.tune, Mapping):
            grid = dict(self.tune)
        else:
            if not isinstance(self.classifier, str):
                raise ValueError(
                    "tune=True has grids for classifiers given by name; give a mapping, such as "
                    "{'classifier__C': [0.01, 0.1]}"
                )
            grid = {f"classifier__{name}": values for name, values in GRIDS[self.classifier].items()}
        split = PredefinedSplit(folds_by_patient(y, patients, self.folds, self.seed))
        search = GridSearchCV(
            model, grid, scoring="roc_auc", cv=split, refit=False, n_jobs=self.n_jobs, error_score="raise"
        )
        return dict(search.fit(X, y, patients=patients).best_params_)

    def _prepare(self, model: EarlyFusion, X: NDArray[np.float64], y: NDArray[np.int_]) -> NDArray[np.float64]:
        """Fit imputer, scaler, selection and weights of `model`; return the prepared rows."""
        self.imputer_ = SimpleImputer(strategy="median", keep_empty_features=True).fit(X)
        filled = self.imputer_.transform(X)
        self.scaler_ = _scaler(model.scale, len(X)).fit(filled)
        blocks = self._blocks(self.scaler_.transform(filled))
        select = _per_group(model.select, list(blocks))
        self.kept_: dict[str, list[int]] = {}
        self.transformers_: dict[str, Any] = {}
        for name, block in blocks.items():
            self.kept_[name] = _kept(block, y, select[name])
            block = block[:, self.kept_[name]]
            if hasattr(select[name], "fit") and block.shape[1]:
                self.transformers_[name] = clone(select[name]).fit(block, y)
                block = np.asarray(self.transformers_[name].transform(block))
            blocks[name] = block
        variance = {name: float(block.var(axis=0).sum()) for name, block in blocks.items() if block.shape[1]}
        if not variance:
            raise ValueError("no column varies over the rows of X; there is nothing to learn from")
        mean = float(np.mean(list(variance.values())))
        self.weights_ = {name: (mean / v) ** 0.5 if model.balance else 1.0 for name, v in variance.items()}
        return np.hstack([weight * blocks[name] for name, weight in self.weights_.items()])

    def _numbers(self, X: Any) -> NDArray[np.float64]:
        """Return the columns of the groups, group by group, as float64."""
        return numbers(take(X, columns=[k for columns in self.columns_.values() for k in columns]), nan=True)

    def _blocks(self, values: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        ends = np.cumsum([len(columns) for columns in self.columns_.values()])
        return dict(zip(self.columns_, np.split(values, ends[:-1], axis=1), strict=True))


def _scaler(scale: str, rows: int) -> Any:
    if scale == "standard":
        return StandardScaler()
    ranks = QuantileTransformer(n_quantiles=min(200, rows), output_distribution="normal", subsample=None)
    return make_pipeline(ranks, StandardScaler())


def _per_group(select: Any, groups: list[str]) -> dict[str, Any]:
    """Return the checked selection of each group."""
    if isinstance(select, Mapping):
        unknown = [name for name in select if name not in groups]
        if unknown:
            raise ValueError(f"select names the group {unknown[0]!r}; the groups are {', '.join(groups)}")
        chosen = {name: select.get(name) for name in groups}
    else:
        chosen = dict.fromkeys(groups, select)
    for name, one in chosen.items():
        if one is not None and not (hasattr(one, "fit") and hasattr(one, "transform")):
            _check.integer(f"select of group {name!r}", one, 1)
    return chosen


def _kept(block: NDArray[np.float64], y: NDArray[np.int_], select: Any) -> list[int]:
    """Return the positions of the columns that vary and, where `select` is a number, correlate most with `y`."""
    varying = np.flatnonzero(block.var(axis=0) > 0.5)  # scaled: 1, or about 0 where a column is constant
    if select is None or hasattr(select, "fit") or len(varying) <= select:
        return [int(k) for k in varying]
    correlation = np.abs((y - y.mean()) @ block[:, varying])
    best = np.argsort(-correlation, kind="stable")[:select]
    return [int(k) for k in np.sort(varying[best])]
