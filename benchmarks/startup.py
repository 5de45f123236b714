"""What one waits for before the first number: imports, the first call from the cache, compilation from nothing."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from typing import Any

IMPORT = "import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
IMPORTS = ("import tumortrace", "import tumortrace.features", "from skimage.feature import graycomatrix, hog")

FIRST_CALLS = """
import json, time
import numpy as np
from tumortrace.features import FEATURES
image = np.random.default_rng(0).integers(0, 256, (26, 24)).astype(np.{dtype})
seconds = {{}}
for name, function in FEATURES.items():
    start = time.perf_counter()
    function(image)
    seconds[name] = time.perf_counter() - start
print(json.dumps(seconds))
"""


def _python(code: str, **environment: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, check=True
    ).stdout


def run(repeats: int = 5) -> dict[str, Any]:
    """Seconds of each start, medians over fresh interpreters."""
    imports = {
        statement: statistics.median(float(_python(IMPORT.format(statement=statement))) for _ in range(repeats))
        for statement in IMPORTS
    }
    with tempfile.TemporaryDirectory() as cache:
        cold = {
            dtype: json.loads(_python(FIRST_CALLS.format(dtype=dtype), NUMBA_CACHE_DIR=cache))
            for dtype in ("uint8", "float64")
        }
        cached = [
            json.loads(_python(FIRST_CALLS.format(dtype="uint8"), NUMBA_CACHE_DIR=cache)) for _ in range(repeats)
        ]
    return {
        "import_s": imports,
        "cold_compile_s": {dtype: sum(seconds.values()) for dtype, seconds in cold.items()},
        "first_call_cached_s": {name: statistics.median(c[name] for c in cached) for name in cached[0]},
    }
