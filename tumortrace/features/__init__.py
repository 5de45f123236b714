"""Extractors: an image, and a mask where there is one, to a `FeatureVector`.

`FEATURES` is the one list of extractors; the table, the command line, the transformer, the docs and the contract
test read it.
"""

from collections.abc import Callable

from tumortrace.features._discretise import discretise
from tumortrace.features._first_order import first_order
from tumortrace.features._shape import shape
from tumortrace.features._vector import FeatureVector

FEATURES: dict[str, Callable[..., FeatureVector]] = {
    "first_order": first_order,
    "shape": shape,
}

__all__ = ["FEATURES", "FeatureVector", "discretise", "first_order", "shape"]
