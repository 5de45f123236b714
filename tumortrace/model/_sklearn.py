"""scikit-learn estimators as skops files, of types that are named here and of no others.

skops makes an object by importing what a file names and setting its attributes, after a look at the names. Its own
list of what is harmless is long (all of scikit-learn, the functions of numpy and scipy); `TRUSTED` is short, and is
held against the file twice: by a walk over its schema before skops sees it, and by skops.

Known errors of skops let a file do more than the look at its names showed: CVE-2024-37065 (mended in 0.10),
CVE-2025-54412 and CVE-2025-54413 (0.12), CVE-2025-54886 (0.13; of ``Card``, which is not used here), the names of
bit generators and the number of the protocol (0.15). The loaders concerned are not in `TRUSTED` at all.
"""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Iterator
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from tumortrace.model import _arrays, _sound
from tumortrace.model._error import ModelError

TRUSTED: dict[str, frozenset[str]] = {
    "JsonNode": frozenset({"builtins.str"}),
    "DictNode": frozenset({"builtins.dict"}),
    "ListNode": frozenset({"builtins.list"}),
    "TupleNode": frozenset({"builtins.tuple"}),
    "SliceNode": frozenset({"builtins.slice"}),
    "DTypeNode": frozenset({"numpy.dtype"}),
    "NdArrayNode": frozenset(
        f"numpy.{name}" for name in ("ndarray", "bool", "int32", "int64", "float32", "float64", "str_")
    ),
    "TypeNode": frozenset(
        {"builtins.bool", "builtins.int", "builtins.float", "builtins.str"}
        | {f"numpy.{name}" for name in ("int32", "int64", "float32", "float64", "str_")}
    ),
    "FunctionNode": frozenset(
        f"sklearn.feature_selection.{name}"
        for name in ("_univariate_selection.f_classif", "_mutual_info.mutual_info_classif")
    ),
    "TreeNode": frozenset({"sklearn.tree._tree.Tree"}),
    "ObjectNode": frozenset(
        f"sklearn.{name}"
        for name in (
            "calibration.CalibratedClassifierCV",
            "calibration._CalibratedClassifier",
            "calibration._SigmoidCalibration",
            "compose._column_transformer.ColumnTransformer",
            "decomposition._pca.PCA",
            "dummy.DummyClassifier",
            "ensemble._forest.ExtraTreesClassifier",
            "ensemble._forest.RandomForestClassifier",
            "feature_selection._from_model.SelectFromModel",
            "feature_selection._univariate_selection.SelectKBest",
            "feature_selection._univariate_selection.SelectPercentile",
            "feature_selection._variance_threshold.VarianceThreshold",
            "impute._base.MissingIndicator",
            "impute._base.SimpleImputer",
            "isotonic.IsotonicRegression",
            "linear_model._logistic.LogisticRegression",
            "linear_model._logistic.LogisticRegressionCV",
            "pipeline.Pipeline",
            "preprocessing._data.MinMaxScaler",
            "preprocessing._data.PowerTransformer",
            "preprocessing._data.QuantileTransformer",
            "preprocessing._data.RobustScaler",
            "preprocessing._data.StandardScaler",
            "preprocessing._function_transformer.FunctionTransformer",
            "preprocessing._label.LabelEncoder",
            "svm._classes.LinearSVC",
            "svm._classes.SVC",
            "tree._classes.DecisionTreeClassifier",
            "tree._classes.ExtraTreeClassifier",
        )
    ),
}
"""What a skops file may hold: the names of types, and by which of skops's loaders."""

_SCHEMA = "schema.json"
_PROTOCOL = 2
_MODEST, _RATIO = 64 * 2**20, 50


def dump(estimators: list[Any]) -> bytes:
    """Return estimators of scikit-learn as the content of a skops file.

    Raises
    ------
    ModelError
        If one holds an object of a type that is not in `TRUSTED`.
    """
    import skops.io

    try:
        data: bytes = skops.io.dumps(estimators, compression=ZIP_DEFLATED)
    except (TypeError, ValueError, skops.io.exceptions.UnsupportedTypeException) as error:
        raise ModelError(f"cannot be written by skops: {error}") from error
    _check(data, "cannot be saved: it holds")
    return data


def load(data: bytes) -> list[Any]:
    """Return the estimators of a skops file, and run nothing that `TRUSTED` does not name.

    Raises
    ------
    ModelError
        If it is no skops file, names another type, or holds numbers that would lead compiled code astray.
    """
    import skops.io
    from sklearn.exceptions import InconsistentVersionWarning

    _check(data, "holds")
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", InconsistentVersionWarning
        )  # the versions of all libraries are told by `read`
        estimators = skops.io.loads(data, trusted=sorted(set().union(*TRUSTED.values())))
    if type(estimators) is not list:
        raise ModelError("holds no list of estimators; do not use this file")
    _sound.check(estimators)
    return estimators


def _check(data: bytes, holds: str) -> None:
    """Raise ModelError unless `data` is a zip file of a schema of trusted types and of arrays, of modest size."""
    with ZipFile(io.BytesIO(data)) as file:
        members = file.infolist()
        names = [member.filename for member in members]
        unpacked = sum(member.file_size for member in members)
        if unpacked > _MODEST + _RATIO * len(data):
            raise ModelError(f"unpacks to {unpacked:,} bytes from {len(data):,}; do not use this file")
        if len(set(names)) < len(names) or any(m.compress_type not in (ZIP_DEFLATED, ZIP_STORED) for m in members):
            raise ModelError("is no archive as skops writes it; do not use this file")
        schema = json.loads(file.read(_SCHEMA))
        protocol = schema["protocol"]
        if type(protocol) is not int or protocol != _PROTOCOL:
            raise ModelError(f"has protocol {protocol!r} of skops; this version of tumortrace knows {_PROTOCOL}")
        foreign = sorted({f"{kind} ({loader})" for loader, kind in _kinds(schema) if kind not in _trusted(loader)})
        if foreign:
            raise ModelError(f"{holds} {', '.join(foreign)}, which tumortrace does not trust")
        for name in names:
            if name != _SCHEMA:
                _arrays.check(file.read(name), _arrays.NUMBERS + "UV")


def _trusted(loader: Any) -> frozenset[str]:
    return TRUSTED.get(loader, frozenset()) if isinstance(loader, str) else frozenset()


def _kinds(state: Any) -> Iterator[tuple[Any, str]]:
    """Yield the loader and the type of every object in a schema, wherever it stands."""
    if isinstance(state, dict):
        if "__loader__" in state:
            yield state["__loader__"], f"{state.get('__module__')}.{state.get('__class__')}"
        for value in state.values():
            yield from _kinds(value)
    elif isinstance(state, list):
        for value in state:
            yield from _kinds(value)
