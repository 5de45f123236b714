"""What is compiled ahead is compiled elsewhere, once, and is what would have been compiled here."""

import json
import os
import subprocess
import sys

import numba
import numpy as np
import pytest

from tumortrace.table import Settings

pytestmark = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")

PROGRAM = """
import json, logging, sys
import numpy as np
from tumortrace import _numba
from tumortrace.table import Settings
logging.basicConfig(level=logging.INFO, format="%(message)s")
names = sys.argv[1:]
modules = [sys.modules[f"tumortrace.features._{name}"] for name in names]
before = [_numba.is_cached(module) for module in modules]
image = np.arange(400).reshape(20, 20) % 251
numbers = Settings.of(names).compute(image.astype(np.uint8))[0]
kernels = {kernel for module in modules for kernel in vars(module).values() if hasattr(kernel, "stats")}
compiled = sum(sum(kernel.stats.cache_misses.values()) for kernel in kernels)
print(json.dumps([before, [_numba.is_cached(module) for module in modules], compiled, list(numbers)]))
"""


def ran(names, cache):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *names],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"NUMBA_CACHE_DIR": str(cache)},
    )
    return json.loads(done.stdout), done.stderr


def test_several_new_extractors_are_compiled_in_other_processes_and_once(tmp_path):
    names = ["sobel", "mvmbp"]
    (before, after, compiled, numbers), said = ran(names, tmp_path)
    assert before == [False, False]
    assert after == [True, True]
    assert compiled == 0
    assert said == "compiling 2 extractors, once for all runs to come …\n"
    image = (np.arange(400).reshape(20, 20) % 251).astype(np.uint8)
    np.testing.assert_array_equal(numbers, Settings.of(names).compute(image)[0])
    (before, _, compiled, again), said = ran(names, tmp_path)
    assert (before, compiled, again, said) == ([True, True], 0, numbers, "")


def test_one_new_extractor_is_compiled_where_it_is_needed(tmp_path):
    (before, after, compiled, _), said = ran(["sobel"], tmp_path)
    assert (before, after, said) == ([False], [True], "")
    assert compiled > 0


@pytest.mark.parametrize("broken", [OSError("no more processes"), RuntimeError("no semaphores")])
def test_what_cannot_be_compiled_elsewhere_is_compiled_here(monkeypatch, broken):
    from joblib.externals import loky

    from tumortrace import _numba

    def fail(workers):
        raise broken

    monkeypatch.setattr(_numba, "is_cached", lambda module: False)
    monkeypatch.setattr(loky, "ProcessPoolExecutor", fail)
    both = Settings.of(["sobel", "shape"]).columns
    assert both == Settings.of(["sobel"]).columns + Settings.of(["shape"]).columns
