"""Time two ways of doing the same thing in one run, and know what the machine could do at best."""

import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numba
import numpy as np

PACKAGES = (
    "tumortrace",
    "numpy",
    "scipy",
    "numba",
    "pandas",
    "scikit-image",
    "scikit-learn",
    "mahotas",
    "opencv-python-headless",
    "joblib",
    "Pillow",
)


def race(ours: Callable[[], Any], theirs: Callable[[], Any], seconds: float) -> tuple[float, float]:
    """Return the median seconds of each, run in turn (ours, theirs, ours, …) so that both meet the same weather."""
    ours(), theirs()
    mine: list[float] = []
    other: list[float] = []
    end = time.perf_counter() + seconds
    while len(mine) < 5 or time.perf_counter() < end:
        mine.append(_once(ours))
        other.append(_once(theirs))
    return statistics.median(mine), statistics.median(other)


def _once(function: Callable[[], Any]) -> float:
    """Seconds of one call; calls too short for the clock are repeated and averaged."""
    start = time.perf_counter()
    function()
    elapsed = time.perf_counter() - start
    if elapsed > 2e-4:
        return elapsed
    repeats = max(1, int(5e-4 / max(elapsed, 1e-7)))
    start = time.perf_counter()
    for _ in range(repeats):
        function()
    return (time.perf_counter() - start) / repeats


def machine() -> dict[str, Any]:
    """What was measured on: processor, versions, and the two speeds that floors are made of."""
    cpu = platform.processor() or "unknown"
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), cpu)
    return {
        "cpu": cpu,
        "simd": numba.config.CPU_FEATURES or " ".join(sorted(_simd())),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "copy_gb_per_s": {
            name: _copy_speed(size) / 1e9 for name, size in {"1 MB": 1 << 20, "64 MB": 1 << 26}.items()
        },
        "operations_g_per_s": {dtype: _add_speed(dtype) / 1e9 for dtype in ("uint8", "int32", "float64")},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _simd() -> set[str]:
    import llvmlite.binding as llvm

    wanted = {"sse4.2", "avx2", "avx512f", "avx512bw", "neon", "sve"}
    return {name for name, there in llvm.get_host_cpu_features().items() if there and name in wanted}


def _copy_speed(size: int) -> float:
    """Bytes read plus bytes written per second of one thread copying a block of `size` bytes."""
    source, target = np.ones(size, np.uint8), np.zeros(size, np.uint8)
    times = [_once(lambda: np.copyto(target, source)) for _ in range(9)]
    return 2 * size / min(times)


def _add_speed(dtype: str) -> float:
    """Vectorised additions per second of one thread on numbers that stay in the nearest cache."""

    @numba.njit
    def add(a: Any, b: Any, rounds: int) -> None:
        for _ in range(rounds):
            for k in range(a.size):
                a[k] += b[k]

    a, b, rounds = np.zeros(2048, dtype), np.ones(2048, dtype), 2000
    add(a, b, 1)
    times = [_once(lambda: add(a, b, rounds)) for _ in range(9)]
    return a.size * rounds / min(times)
