"""Compile what no run before has compiled: extractors side by side, before any image is read.

One process takes three quarters of a minute for all of them, and keeps 220 MB of what a compiler leaves behind.
Here other processes fill the cache of numba and end; who started them loads from it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from tumortrace import _numba
from tumortrace.table._pool import available_cpus

if TYPE_CHECKING:
    from tumortrace.table._pipeline import Call

_WORKERS = 2  # each grows to 300 MB: more of them would need more memory than the images that come next
_log = logging.getLogger(__name__)


def compile_ahead(calls: Sequence[Call]) -> None:
    """Compile the kernels of extractors that were never compiled, if they are several.

    Where that fails nothing is lost: a kernel that is not in the cache is compiled at its first call.
    """
    new = [call for call in calls if not _numba.is_cached(sys.modules[call.function.__module__])]
    workers = min(len(new), available_cpus(), _WORKERS)
    if workers < 2:
        return
    from joblib.externals.loky import ProcessPoolExecutor

    _log.info("compiling %d extractors, once for all runs to come …", len(new))
    with suppress(OSError, RuntimeError), ProcessPoolExecutor(workers) as pool:
        list(pool.map(_compile, new))


def _compile(call: Call) -> None:
    """Run an extractor as volumes and crops will; what is wrong with its settings is said by who asked for it."""
    image = np.arange(3 * 16 * 16).reshape(3, 16, 16) % 200
    for array in (image.astype(np.uint8), image.astype(np.float64)):
        for mask in (None, image > 50):
            with suppress(ValueError, TypeError):
                call.function(array, mask, **call.parameters)
