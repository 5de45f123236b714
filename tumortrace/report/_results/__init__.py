"""The sections of a report that say what was found."""

from tumortrace.report._document import Section
from tumortrace.report._results._ablated import ablations
from tumortrace.report._results._compared import comparisons
from tumortrace.report._results._data import data
from tumortrace.report._results._failures import failures
from tumortrace.report._results._importance import importance
from tumortrace.report._results._limits import limits
from tumortrace.report._results._measured import results
from tumortrace.report._study import Study

_SECTIONS = (data, results, comparisons, ablations, importance, failures, limits)


def result_sections(study: Study) -> list[Section]:
    """Return what was found, in the order of reading.

    Parameters
    ----------
    study : Study
        The predictions, and what is known of them.

    Returns
    -------
    list of Section
        With the ids ``data``, ``results``, ``comparisons``, ``ablations``, ``importance``, ``failures`` and
        ``limits``, each of them always: where there is nothing to show, the section says why.
    """
    return [section(study) for section in _SECTIONS]
