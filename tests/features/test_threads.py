"""Extractors in many threads at once: the same bits as in one."""

import inspect
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import pytest

from tumortrace.features import FEATURES

THREADS = 8


def pictures():
    """Images of many sizes and both kernel dtypes, half of them with a mask."""
    rng = np.random.default_rng(7)
    for k in range(6 if numba.config.DISABLE_JIT else 60):
        size = tuple(rng.integers(1, 5, k % 2)) + tuple(rng.integers(3, 30, 2))
        image = rng.integers(0, 256, size).astype((np.uint8, np.uint16, np.float32)[k % 3])
        mask = rng.random(size) < 0.7 if k % 4 > 1 else None
        yield image, mask if mask is not None and mask.any() else None


def bits(function, image, mask):
    vector = function(image, mask)
    return np.asarray(vector).tobytes(), vector.reason


@pytest.mark.parametrize("name", sorted(FEATURES))
def test_threads_give_the_same_bits(name):
    function, work = FEATURES[name], list(pictures())
    serial = [bits(function, *item) for item in work]
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(1 if numba.config.DISABLE_JIT else 5):
            assert list(pool.map(lambda item: bits(function, *item), work)) == serial


def test_all_extractors_at_once_give_the_same_bits():
    work = [(function, *item) for item in pictures() for function in FEATURES.values()]
    serial = [bits(*item) for item in work]
    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(lambda item: bits(*item), work)) == serial


FIRST_CALL = """
import sys
import threading
import numpy as np
from tumortrace.features import FEATURES

function, image, found, start = FEATURES[sys.argv[1]], np.arange(99.0).reshape(9, 11), [], threading.Barrier(4)

def call():
    start.wait()
    found.append(np.asarray(function(image)).tobytes())

threads = [threading.Thread(target=call) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(found) == 4 and len(set(found)) == 1
"""


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled with the JIT off")
def test_threads_may_meet_at_the_first_call(tmp_path, monkeypatch):
    """Four threads that find nothing compiled compile it once, and agree."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", FIRST_CALL, "first_order"], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", sorted(FEATURES))
def test_no_kernel_keeps_scratch_between_calls(name):
    """Modules of the extractors hold no array that a kernel could write into."""
    module = inspect.getmodule(FEATURES[name])
    for attribute, value in vars(module).items():
        if isinstance(value, np.ndarray) and value.flags.writeable and value.size:
            before = value.tobytes()
            for image, mask in pictures():
                FEATURES[name](image, mask)
            assert value.tobytes() == before, f"{module.__name__}.{attribute}"
