"""Estimators to plain JSON and parts, and back.

A node is JSON: a scalar or a list stands for itself, everything else is an object with a ``type``. What is large,
or has a format of its own, becomes a part, a file that the node names. What may be there is written down in this
file and in `TRUSTED`; no class is looked up by a name from a file that is not in one of the two.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import math
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tumortrace.model import _arrays
from tumortrace.model._error import ModelError

OWN = {
    "CNNClassifier": "tumortrace.deep",
    "EarlyFusion": "tumortrace.fusion",
    "FeatureExtractor": "tumortrace.table",
    "LateFusion": "tumortrace.fusion",
    "OverSequences": "tumortrace.fusion",
    "PerSequence": "tumortrace.fusion",
    "PlattSVC": "tumortrace.fusion",
    "Pipeline": "sklearn.pipeline",
    "TimeCourse": "tumortrace.fusion",
}
"""Estimators that are taken apart: their parameters and what they learned are nodes themselves. Name to module."""

REFITTED = {"CNNEmbedding": "tumortrace.deep"}
"""Estimators whose `fit` learns nothing: their parameters say all."""

SETTINGS = {"Preprocessing": "tumortrace.deep", "Recipe": "tumortrace.deep"}
"""Parameters that are objects, with `to_dict` and `from_dict`."""

OF_THE_RUN = frozenset({"cache", "checkpoint", "device", "progress"})
"""Parameters that say how and where a training ran, not what the model is: they are not saved."""

SKLEARN = "sklearn.skops"
"""The part that all estimators of scikit-learn share."""

_SMALL = 64
_DTYPES = ("bool", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)), "float32", "float64")
_LEARNED = re.compile(r"[A-Za-z][A-Za-z0-9_]*_")
_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class Parts:
    """The files of a model beside its manifest, in memory.

    Parameters
    ----------
    contents : mapping of str to bytes
        File name to content.
    """

    def __init__(self, contents: Mapping[str, bytes] | None = None) -> None:
        self.contents = dict(contents or {})
        self._names: dict[bytes, str] = {}
        self._estimators: list[tuple[Any, str]] = []
        self._loaded: list[Any] | None = None

    def add(self, data: bytes, stem: str, ending: str) -> str:
        """Keep `data` and return the name of its file; what is there already is not kept twice."""
        fresh = f"{stem}{len(self.contents) + 1:03}.{ending}"
        name = self._names.setdefault(hashlib.sha256(data).digest(), fresh)
        self.contents[name] = data
        return name

    def add_estimator(self, estimator: Any, where: str) -> int:
        """Keep an estimator of scikit-learn and return its place; `close` writes all of them as one file."""
        self._estimators.append((estimator, where))
        return len(self._estimators) - 1

    def close(self) -> None:
        """Write the estimators of scikit-learn, after the last one was added."""
        from tumortrace.model import _sklearn

        if not self._estimators:
            return
        try:
            self.contents[SKLEARN] = _sklearn.dump([estimator for estimator, _ in self._estimators])
        except ModelError:
            for estimator, where in self._estimators:
                try:
                    _sklearn.dump([estimator])
                except ModelError as error:
                    raise ModelError(f"{where}, a {type(estimator).__name__}, {error}") from error
            raise

    def estimator(self, place: int) -> Any:
        """Return the estimator of scikit-learn at a place."""
        from tumortrace.model import _sklearn

        if self._loaded is None:
            self._loaded = self.load(SKLEARN, _sklearn.load)
        return self._loaded[place]

    def load(self, name: str, parse: Callable[[bytes], Any]) -> Any:
        """Return what `parse` makes of a file; whatever it raises becomes a ModelError that names the file."""
        if name not in self.contents:
            raise ModelError(f"manifest.json names a part {name!r} that it does not list")
        try:
            return parse(self.contents[name])
        except ModelError as error:
            raise ModelError(f"{name} {error}") from error
        except Exception as error:
            raise ModelError(f"{name} cannot be read: {type(error).__name__}: {error}") from error


def encode(value: Any, parts: Parts, where: str = "estimator") -> Any:
    """Return `value` as a node, its large contents added to `parts`.

    Parameters
    ----------
    value : object
        An estimator, an array, a scalar, or a list, tuple or dict of such.
    parts : Parts
        Receives files.
    where : str
        What `value` is called in errors.

    Raises
    ------
    ModelError
        If something in it is of a type that has no node.

    Examples
    --------
    >>> encode({"C": (1.0, float("nan"))}, Parts())
    {'type': 'dict', 'items': [['C', {'type': 'tuple', 'items': [1.0, {'type': 'float', 'value': 'nan'}]}]]}
    """
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {"type": "float", "value": repr(value)}
    if type(value) is list:
        return [encode(item, parts, f"{where}[{i}]") for i, item in enumerate(value)]
    if type(value) is tuple:
        return {"type": "tuple", "items": encode(list(value), parts, where)}
    if type(value) is dict:
        pairs = [[encode(k, parts, where), encode(v, parts, f"{where}[{k!r}]")] for k, v in value.items()]
        return {"type": "dict", "items": pairs}
    if isinstance(value, np.str_):
        return {"type": "scalar", "dtype": "str", "value": str(value)}
    if isinstance(value, np.generic) and value.dtype.name in _DTYPES:
        return {"type": "scalar", "dtype": value.dtype.name, "value": encode(value.item(), parts, where)}
    if type(value) is np.ndarray:
        return _encode_array(value, parts, where)
    return _encode_estimator(value, parts, where)


def decode(node: Any, parts: Parts) -> Any:
    """Return what `encode` made a node of.

    Raises
    ------
    ModelError
        If the node or a part of it is not as `encode` makes them.

    Examples
    --------
    >>> decode({"type": "tuple", "items": [1, "a"]}, Parts())
    (1, 'a')
    """
    if node is None or isinstance(node, bool | int | float | str):
        return node
    if isinstance(node, list):
        return [decode(item, parts) for item in node]
    kind = node.get("type")
    if kind not in _DECODERS:
        raise ModelError(f"manifest.json describes a {kind!r}, which this version of tumortrace does not know")
    return _DECODERS[kind](node, parts)


def _encode_array(array: np.ndarray[Any, Any], parts: Parts, where: str) -> Any:
    small = array.size <= _SMALL and array.flags.c_contiguous and array.dtype.name in _DTYPES
    if small or array.dtype.kind in "OU":
        dtype = {"O": "object", "U": "str"}.get(array.dtype.kind, array.dtype.name)
        values = encode(array.ravel().tolist(), parts, where)
        return {"type": "array", "dtype": dtype, "shape": list(array.shape), "values": values}
    if array.dtype.kind in _arrays.NUMBERS:
        return {"type": "npy", "part": parts.add(_arrays.dump(array), "array", "npy")}
    raise ModelError(f"{where} is an array of dtype {array.dtype}, which cannot be saved; make it numbers or text")


def _decode_array(node: Any, parts: Parts) -> Any:
    values, dtype = decode(node["values"], parts), node["dtype"]
    if dtype == "object":
        array = np.empty(len(values), dtype=object)
        for i, value in enumerate(values):
            array[i] = value
    elif dtype == "str" and all(isinstance(value, str) for value in values):
        array = np.array(values, dtype=np.str_)
    elif dtype in _DTYPES:
        array = np.array(values, dtype=dtype)
    else:
        raise ModelError(f"manifest.json describes an array of {dtype!r}, which is no dtype of numbers or text")
    return array.reshape(node["shape"])


def _encode_estimator(value: Any, parts: Parts, where: str) -> Any:
    cls = type(value)
    if _is_listed(cls, OWN) and not (cls.__name__ == "Pipeline" and _is_plain(value)):
        return _encode_own(value, parts, where)
    if _is_listed(cls, REFITTED):
        return _encode_refitted(value, parts, where)
    if _is_listed(cls, SETTINGS):
        return {"type": "settings", "class": cls.__name__, "fields": json.loads(json.dumps(value.to_dict()))}
    if cls.__name__ == "XGBClassifier" and cls.__module__.startswith("xgboost."):
        return _encode_xgboost(value, parts, where)
    if cls.__module__.startswith("sklearn.") and hasattr(value, "get_params"):
        return {"type": "sklearn", "class": cls.__name__, "place": parts.add_estimator(value, where)}
    raise ModelError(
        f"{where} is a {cls.__module__}.{cls.__qualname__}, which cannot be saved; "
        "use estimators of tumortrace, scikit-learn or XGBoost, with parameters that are numbers, text or lists"
    )


def _encode_own(value: Any, parts: Parts, where: str) -> Any:
    name, params = type(value).__name__, value.get_params(deep=False)
    learned = {key: v for key, v in vars(value).items() if key not in params}
    if hasattr(value, "to_parts") and learned:
        return _encode_network(value, parts, where)
    private = [key for key in learned if not _LEARNED.fullmatch(key)]
    if private:
        raise ModelError(f"{where} holds {private[0]}, neither a parameter nor learned; it cannot be saved")
    return {
        "type": "estimator",
        "class": name,
        "params": {k: encode(v, parts, f"{where}.{k}") for k, v in params.items() if k not in OF_THE_RUN},
        "learned": {k: encode(v, parts, f"{where}.{k}") for k, v in learned.items()},
    }


def _decode_own(node: Any, parts: Parts) -> Any:
    estimator = _listed(node["class"], OWN)(**{name: decode(v, parts) for name, v in node["params"].items()})
    for name, value in node["learned"].items():
        if not _LEARNED.fullmatch(name):
            raise ModelError(f"manifest.json sets {name!r} of a {node['class']}, which is nothing learned")
        setattr(estimator, name, decode(value, parts))
    return estimator


def _encode_refitted(value: Any, parts: Parts, where: str) -> Any:
    name, params = type(value).__name__, value.get_params(deep=False)
    fitted = vars(value).keys() > params.keys()
    if fitted and isinstance(value.model, str):
        raise ModelError(
            f"{where} is a {name} of a backbone by name; only one of a fitted CNNClassifier can be saved"
        )
    kept = {key: encode(v, parts, f"{where}.{key}") for key, v in params.items() if key not in OF_THE_RUN}
    return {"type": "refitted", "class": name, "params": kept, "fitted": fitted}


def _decode_refitted(node: Any, parts: Parts) -> Any:
    params = {name: decode(v, parts) for name, v in node["params"].items()}
    estimator = _listed(node["class"], REFITTED)(**params)
    return estimator.fit() if node["fitted"] else estimator


def _encode_network(network: Any, parts: Parts, where: str) -> Any:
    name = type(network).__name__
    config, weights = network.to_parts()
    try:
        config = json.loads(json.dumps(config, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ModelError(f"{where}, a {name}, says of itself what is no JSON: {error}") from error
    return {
        "type": "network",
        "class": name,
        "config": config,
        "part": parts.add(weights, "network", "safetensors"),
    }


def _decode_network(node: Any, parts: Parts) -> Any:
    cls = _listed(node["class"], OWN)
    return parts.load(node["part"], lambda weights: cls.from_parts(node["config"], weights))


def _decode_sklearn(node: Any, parts: Parts) -> Any:
    estimator = parts.estimator(node["place"])
    if type(estimator).__name__ != node["class"]:
        raise ModelError(f"{SKLEARN} has a {type(estimator).__name__} where manifest.json has a {node['class']}")
    return estimator


def _encode_xgboost(model: Any, parts: Parts, where: str) -> Any:
    params = {name: encode(v, parts, f"{where}.{name}") for name, v in model.get_params(deep=False).items()}
    trees = None
    if hasattr(model, "_Booster"):
        trees = parts.add(bytes(model.get_booster().save_raw("json")), "xgboost", "json")
    return {"type": "xgboost", "params": params, "part": trees}


def _decode_xgboost(node: Any, parts: Parts) -> Any:
    try:
        from xgboost import XGBClassifier
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "the model needs XGBoost, which is not installed: pip install 'tumortrace[boost]'"
        ) from error
    from tumortrace.model import _sound

    model = XGBClassifier(**{name: decode(v, parts) for name, v in node["params"].items()})

    def parse(data: bytes) -> Any:
        _sound.check_xgboost(json.loads(data))
        model.load_model(bytearray(data))
        return model

    return model if node["part"] is None else parts.load(node["part"], parse)


def _is_plain(value: Any) -> bool:
    """Tell whether a scikit-learn pipeline has steps of scikit-learn alone."""
    if hasattr(value, "steps"):
        return all(_is_plain(step) for _, step in value.steps)
    return isinstance(value, str | None) or type(value).__module__.startswith("sklearn.")


def _is_listed(cls: type, listed: Mapping[str, str]) -> bool:
    """Tell whether `cls` is the very class that a list names."""
    module = sys.modules.get(listed.get(cls.__name__, ""))
    return module is not None and getattr(module, cls.__name__, None) is cls


def _listed(name: Any, listed: Mapping[str, str]) -> Any:
    """Return the class that a list names."""
    if name not in listed:
        raise ModelError(f"manifest.json describes a {name!r}, which this version of tumortrace does not know")
    return getattr(importlib.import_module(listed[name]), name)


_DECODERS: dict[str, Callable[[Any, Parts], Any]] = {
    "float": lambda node, parts: _NOT_FINITE[node["value"]],
    "tuple": lambda node, parts: tuple(decode(node["items"], parts)),
    "dict": lambda node, parts: {decode(k, parts): decode(v, parts) for k, v in node["items"]},
    "scalar": lambda node, parts: _decode_array({**node, "shape": [], "values": [node["value"]]}, parts)[()],
    "array": _decode_array,
    "refitted": _decode_refitted,
    "settings": lambda node, parts: _listed(node["class"], SETTINGS).from_dict(node["fields"]),
    "npy": lambda node, parts: parts.load(node["part"], _arrays.load),
    "estimator": _decode_own,
    "network": _decode_network,
    "sklearn": _decode_sklearn,
    "xgboost": _decode_xgboost,
}
