"""Evaluation by patient: predictions no patient leaks into, and intervals from resampling patients."""

from tumortrace.evaluation._bootstrap import Interval
from tumortrace.evaluation._calibration import Calibration, calibration
from tumortrace.evaluation._compare import Comparison, DeLong, compare, delong
from tumortrace.evaluation._curves import (
    DecisionCurve,
    PrecisionRecall,
    Roc,
    auc,
    decision_curve,
    precision_recall,
    roc,
)
from tumortrace.evaluation._folds import grouped_folds
from tumortrace.evaluation._icc import ICC, icc
from tumortrace.evaluation._measure import LEVELS, measure
from tumortrace.evaluation._metrics import METRICS, classification_report, confusion, metrics
from tumortrace.evaluation._predictions import aggregate, grouped_predictions
from tumortrace.evaluation._threshold import carried_thresholds, choose_threshold

__all__ = [
    "ICC",
    "LEVELS",
    "METRICS",
    "Calibration",
    "Comparison",
    "DeLong",
    "DecisionCurve",
    "Interval",
    "PrecisionRecall",
    "Roc",
    "aggregate",
    "auc",
    "calibration",
    "carried_thresholds",
    "choose_threshold",
    "classification_report",
    "compare",
    "confusion",
    "decision_curve",
    "delong",
    "grouped_folds",
    "grouped_predictions",
    "icc",
    "measure",
    "metrics",
    "precision_recall",
    "roc",
]
