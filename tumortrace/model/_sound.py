"""Numbers that compiled code takes for indices without a look: checked before a model is used.

The type of an object says nothing of its content. scikit-learn, libsvm and XGBoost follow the child of a node, or
the count of support vectors, wherever it points; in a file from a stranger it may point outside of the array. A
model that passes here gives an answer or an exception, not a crash.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumortrace.model._error import ModelError

_LEAF = -1


def check(estimators: list[Any]) -> None:
    """Raise ModelError if a tree or a support vector machine in `estimators` would lead outside of its arrays."""
    for found in _nested(estimators, set()):
        state = vars(found)
        if "tree_" in state:
            _check_tree(found.tree_, found.n_features_in_)
        if "estimators_" in state:
            _require(
                all(member.n_features_in_ == found.n_features_in_ for member in found.estimators_),
                "members that take another number of columns than the whole",
            )
        if "support_vectors_" in state:
            _check_svm(found)


def check_xgboost(model: Any) -> None:
    """Raise ModelError if the trees of an XGBoost model, as its JSON gives them, lead outside of their arrays."""
    learner = model["learner"]
    booster = learner["gradient_booster"]
    _require(booster["name"] == "gbtree", f"a booster {booster['name']!r}; gbtree is read")
    columns = int(learner["learner_model_param"]["num_feature"])
    classes = max(1, int(learner["learner_model_param"]["num_class"]))
    trees, info = booster["model"]["trees"], booster["model"]["tree_info"]
    _require(len(trees) == len(info) and all(0 <= k < classes for k in info), "trees of classes it does not have")
    for tree in trees:
        _require(not tree["categories"], "categorical splits, which tumortrace does not make")
        names = ("left_children", "right_children", "split_indices", "split_conditions", "default_left", "parents")
        arrays = [tree[name] for name in (*names, "base_weights", "sum_hessian", "loss_changes", "split_type")]
        count = int(tree["tree_param"]["num_nodes"])
        _require(all(len(array) == count for array in arrays), "a tree with arrays of different lengths")
        left, right, feature = (np.asarray(array, dtype=np.int64) for array in arrays[:3])
        depth(left, right, feature, columns)


def depth(left: NDArray[Any], right: NDArray[Any], feature: NDArray[Any], columns: int) -> int:
    """Return the depth of a binary tree given as arrays of children; node 0 is the root, a leaf has no left child.

    Raises
    ------
    ModelError
        If a child lies outside, a node is reached twice, or an inner node asks for a column that there is not.

    Examples
    --------
    >>> depth(np.array([1, -1, -1]), np.array([2, -1, -1]), np.array([0, -2, -2]), columns=1)
    1
    """
    count = len(left)
    _require(count > 0, "a tree without nodes")
    reached = np.zeros(count, dtype=bool)
    level, levels = np.zeros(1, dtype=np.int64), -1
    while level.size:
        reached[level] = True
        levels += 1
        inner = level[left[level] != _LEAF]
        asked = feature[inner]
        _require(bool(((asked >= 0) & (asked < columns)).all()), "a tree that asks for a column that there is not")
        level = np.concatenate([left[inner], right[inner]])
        inside = bool(((level > 0) & (level < count)).all())
        _require(
            inside and not reached[level].any() and len(np.unique(level)) == len(level),
            "a tree whose branches lead astray",
        )
    return levels


def _check_tree(tree: Any, columns: int) -> None:
    _require(0 < tree.node_count <= tree.capacity, "a tree with another number of nodes than it says")
    _require(tree.n_features == columns, "a tree that takes another number of columns than its classifier")
    _require(
        depth(tree.children_left, tree.children_right, tree.feature, columns) <= tree.max_depth,
        "a tree that is deeper than it says",
    )


def _check_svm(svm: Any) -> None:
    counts, vectors = svm._n_support, svm.support_vectors_
    classes = len(counts)
    pairs = classes * (classes - 1) // 2
    _require(
        vectors.shape == (len(svm.support_), svm.n_features_in_)
        and svm.shape_fit_[1] == svm.n_features_in_
        and bool((counts >= 0).all())
        and int(counts.sum()) == len(vectors)
        and svm._dual_coef_.shape == (classes - 1, len(vectors))
        and svm._intercept_.shape == (pairs,)
        and all(p.shape in ((0,), (pairs,)) for p in (svm._probA, svm._probB)),
        "a support vector machine whose arrays do not fit together",
    )


def _nested(value: Any, seen: set[int]) -> Iterator[Any]:
    """Yield the scikit-learn objects in `value`, itself included."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from _nested(item, seen)
    elif isinstance(value, dict):
        yield from _nested(list(value.values()), seen)
    elif isinstance(value, np.ndarray) and value.dtype == object:
        yield from _nested(value.ravel().tolist(), seen)
    elif type(value).__module__.startswith("sklearn.") and hasattr(value, "__dict__") and id(value) not in seen:
        seen.add(id(value))
        yield value
        yield from _nested(list(vars(value).values()), seen)


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise ModelError(f"holds {otherwise}; do not use this file")
