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
_PER_NODE = (
    *("left_children", "right_children", "split_indices", "parents", "split_conditions"),
    *("split_type", "default_left", "base_weights", "sum_hessian", "loss_changes"),
)


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
    """Raise ModelError unless an XGBoost model, as its JSON gives it, is of numeric trees within their arrays."""
    learner = model["learner"]
    booster, sizes = learner["gradient_booster"], learner["learner_model_param"]
    _require(booster["name"] == "gbtree", f"a booster {booster['name']!r}; gbtree is read")
    columns, classes = int(sizes["num_feature"]), max(1, int(sizes["num_class"]))
    content = booster["model"]
    trees, info, rounds = content["trees"], content["tree_info"], content["iteration_indptr"]
    _require(
        len(trees) == len(info) == int(content["gbtree_model_param"]["num_trees"])
        and all(0 <= k < classes for k in info)
        and [rounds[0], *sorted(rounds), rounds[-1]] == [0, *rounds, len(trees)]
        and int(sizes["num_target"]) == 1
        and not any(content.get("cats", {}).values()),
        "trees of another number or kind than it says",
    )
    for place, tree in enumerate(trees):
        own, count = tree["tree_param"], len(tree["left_children"])
        _require(
            all(len(tree[name]) == count for name in _PER_NODE)
            and (int(own["num_nodes"]), int(own["num_feature"])) == (count, columns)
            and int(own["size_leaf_vector"]) <= 1
            and tree["id"] == place
            and not tree["categories"]
            and not any(tree["split_type"])
            and set(tree["default_left"]) <= {0, 1},
            "a tree whose arrays do not fit together",
        )
        left, right, feature, parents = (np.asarray(tree[name], dtype=np.int64) for name in _PER_NODE[:4])
        depth(left, right, feature, columns)
        inner = np.flatnonzero(left != _LEAF)
        _require(
            bool((parents[left[inner]] == inner).all() and (parents[right[inner]] == inner).all()),
            "a tree whose nodes do not know their parents",
        )


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
