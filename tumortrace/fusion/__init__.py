"""Fusion of what different columns say, as scikit-learn classifiers that split by patient.

`EarlyFusion` puts groups of columns, each prepared apart, into one classifier. `LateFusion` gives each member its
own columns and combines their probabilities. `PerSequence` fits one classifier per sequence, `OverSequences` one
for all, image by image. `TimeCourse` turns features of many sequences into their course over time. All classifiers
take two classes, and the patients of the rows in ``fit(X, y, patients)``.
"""

from tumortrace.fusion._classifiers import GRIDS, PlattSVC, classifier
from tumortrace.fusion._early import EarlyFusion
from tumortrace.fusion._late import LateFusion
from tumortrace.fusion._sequences import OverSequences, PerSequence
from tumortrace.fusion._time_course import TimeCourse

__all__ = [
    "GRIDS",
    "EarlyFusion",
    "LateFusion",
    "OverSequences",
    "PerSequence",
    "PlattSVC",
    "TimeCourse",
    "classifier",
]
