"""Pictures and reports: what an operator makes of a lesion, how well a model separates, and all of it on one page.

Every function that draws returns a `matplotlib.figure.Figure` and touches no global state of matplotlib, so that
figures can be drawn in threads and beside a program's own. Needs the extra ``report``.
"""

from importlib.util import find_spec

if missing := [name for name in ("matplotlib", "jinja2") if find_spec(name) is None]:
    raise ModuleNotFoundError(
        f"pictures and reports need {missing[0]}, which is not installed: pip install 'tumortrace[report]'"
    )

from tumortrace.report._calibration import plot_calibration
from tumortrace.report._confusion import plot_confusion
from tumortrace.report._curves import plot_decision_curve, plot_precision_recall, plot_roc
from tumortrace.report._distribution import plot_class_distribution
from tumortrace.report._document import (
    Code,
    Document,
    Figures,
    Items,
    Link,
    Note,
    Picture,
    Pictures,
    Questions,
    Section,
    Stack,
    Table,
    Text,
)
from tumortrace.report._explanation import plot_explanation, plot_importance
from tumortrace.report._forest import plot_forest
from tumortrace.report._history import plot_history
from tumortrace.report._map import plot_map
from tumortrace.report._panel import panel
from tumortrace.report._pipeline import plot_pipeline
from tumortrace.report._predictions import plot_predictions
from tumortrace.report._render import render
from tumortrace.report._stability import plot_stability
from tumortrace.report._style import save
from tumortrace.report._write import write_report

__all__ = [
    "Code",
    "Document",
    "Figures",
    "Items",
    "Link",
    "Note",
    "Picture",
    "Pictures",
    "Questions",
    "Section",
    "Stack",
    "Table",
    "Text",
    "panel",
    "plot_calibration",
    "plot_class_distribution",
    "plot_confusion",
    "plot_decision_curve",
    "plot_explanation",
    "plot_forest",
    "plot_history",
    "plot_importance",
    "plot_map",
    "plot_pipeline",
    "plot_precision_recall",
    "plot_predictions",
    "plot_roc",
    "plot_stability",
    "render",
    "save",
    "write_report",
]
