"""Evaluation by patient: predictions no patient leaks into, and intervals from resampling patients."""

from tumortrace.evaluation._folds import grouped_folds
from tumortrace.evaluation._intervals import Interval, Roc, auc, roc
from tumortrace.evaluation._predictions import aggregate, grouped_predictions

__all__ = ["Interval", "Roc", "aggregate", "auc", "grouped_folds", "grouped_predictions", "roc"]
