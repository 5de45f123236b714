from types import ModuleType

import numba
import pytest

from tumortrace._numba import is_cached, kernel


def twice(x):
    return 2 * x


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled with the JIT off")
def test_the_policy():
    compiled = kernel(twice)
    assert compiled(21) == 42
    assert compiled.targetoptions["nogil"]
    assert compiled.targetoptions["error_model"] == "numpy"
    assert not {"parallel", "fastmath"} & {name for name, value in compiled.targetoptions.items() if value}
    again = kernel(twice)
    assert again(21) == 42
    assert sum(again.stats.cache_hits.values()) == 1


def test_where_nothing_can_be_cached_it_is_compiled_all_the_same():
    namespace = {}
    exec("def thrice(x):\n    return 3 * x", namespace)
    assert kernel(namespace["thrice"])(14) == 42


def test_a_module_without_kernels_or_without_a_cache_has_nothing_to_compile_ahead():
    module = ModuleType("module")
    assert is_cached(module)
    module.kernel = numba.njit(twice)
    assert is_cached(module)
