"""What the columns of a table are, read from their names."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tumortrace import _check
from tumortrace.features import FEATURES, STACK_FEATURES

_EMBEDDING = re.compile(r"(.+)_[0-9]+")


def column_groups(columns: Iterable[str], by: str = "extractor") -> dict[str, list[str]]:
    """Group feature columns by what made them, as `tumortrace.fusion.EarlyFusion` takes groups.

    Parameters
    ----------
    columns : iterable of str
        Names of feature columns: ``[<sequence>__]<extractor>_<feature>`` for an extractor of `FEATURES` or
        `STACK_FEATURES`, ``[<sequence>__]<network>_<number>`` for an embedding, ``[<sequence>__]image`` for paths.
    by : {"extractor", "sequence", "kind"}, default "extractor"
        "extractor": ``glcm``, ``kinetics``, ``resnet18``, ... "sequence": ``sub1``, ``vibrant_c1``, ...; columns
        that belong to no one sequence are in a group named after their extractor. "kind": ``shape`` (that of
        morphology too), ``texture`` (every other extractor of single images, first-order statistics among
        them), ``kinetics``, ``embedding``. Whatever `by` is, columns of paths are the group ``image``.

    Returns
    -------
    dict of str to list of str
        Groups in the order in which they first occur; each column is in one.

    Raises
    ------
    ValueError
        If a column is none of these, such as ``patient``, which is no feature.

    Examples
    --------
    >>> columns = ["sub1__image", "sub1__glcm_contrast", "sub2__glcm_contrast", "sub2__shape_area", "kinetics_peak"]
    >>> list(column_groups(columns))
    ['image', 'glcm', 'shape', 'kinetics']
    >>> column_groups(columns, by="sequence")["sub2"]
    ['sub2__glcm_contrast', 'sub2__shape_area']
    >>> column_groups(columns, by="kind")["texture"]
    ['sub1__glcm_contrast', 'sub2__glcm_contrast']
    """
    _check.one_of("by", by, ("extractor", "sequence", "kind"))
    groups: dict[str, list[str]] = {}
    unknown = []
    for column in columns:
        sequence, _, feature = column.rpartition("__")
        extractor = _extractor(feature)
        if extractor is None:
            unknown.append(column)
        elif extractor == "image" or by == "extractor" or (by == "sequence" and not sequence):
            groups.setdefault(extractor, []).append(column)
        else:
            groups.setdefault(sequence if by == "sequence" else _kind(extractor), []).append(column)
    if unknown:
        raise ValueError(
            f"{len(unknown)} columns are no features, the first {unknown[0]!r}; give names that begin with an "
            f"extractor ({', '.join([*FEATURES, *STACK_FEATURES])}) or end in the number of an embedding"
        )
    return groups


def _extractor(feature: str) -> str | None:
    """Return the extractor, the network, or ``image`` for a column of paths; None where it is none of them."""
    if feature == "image":
        return "image"
    for name in (*FEATURES, *STACK_FEATURES):
        if feature.startswith(f"{name}_"):
            return name
    embedding = _EMBEDDING.fullmatch(feature)
    return embedding[1] if embedding else None


def _kind(extractor: str) -> str:
    if extractor in ("shape", "morphology"):
        return "shape"
    if extractor in STACK_FEATURES:
        return extractor
    return "texture" if extractor in FEATURES else "embedding"
