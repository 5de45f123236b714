"""The compile policy of every kernel, in one place.

A kernel is compiled at its first call for the types it is given (lazy signature), kept on disk for the next
process (``cache``), and releases the GIL (``nogil``), so that threads may run over images. No kernel is parallel
inside: threads belong to whoever loops over images. Division follows IEEE 754 (``error_model="numpy"``), which
keeps loops free of the branch that would stop them from being vectorised.

A kernel calls only kernels of its own file: the cache of a caller does not notice an edit elsewhere.
"""

from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import Any, TypeVar, cast

import numba

# numba loads half of itself, and scipy.linalg, with the first kernel; loaded here, no first call waits for that
with suppress(ImportError, AttributeError):  # no public name of numba: if it goes, the wait comes back, no more
    from numba.core.registry import cpu_target

    cpu_target.target_context.refresh()

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile `function` under the policy above."""
    compiled = numba.njit(nogil=True, error_model="numpy")(function)
    if hasattr(compiled, "enable_caching"):  # absent where the JIT is off
        with suppress(RuntimeError):  # nowhere to write: a read-only installation without a home compiles each time
            compiled.enable_caching()
    return cast(F, compiled)


def is_cached(module: ModuleType) -> bool:
    """Say whether the cache holds any kernel that a module knows; yes too where it knows none, or has no cache."""
    kernels = [value for value in vars(module).values() if hasattr(value, "enable_caching")]
    try:  # no public name of numba: if it goes, what is new is compiled at its first call
        return not kernels or any(kernel._cache._cache_file._load_index() for kernel in kernels)
    except AttributeError:
        return True
