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
    "torch",
    "torchvision",
)

LANES = ("uint8", "int16", "int32", "float32", "float64")


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
    """Seconds until the result is there; calls too short for the clock are repeated and averaged."""
    start = time.perf_counter()
    result = function()
    elapsed = time.perf_counter() - start
    del result
    if elapsed > 2e-4:
        return elapsed
    repeats = max(1, int(5e-4 / max(elapsed, 1e-7)))
    start = time.perf_counter()
    for _ in range(repeats):
        function()
    return (time.perf_counter() - start) / repeats


def machine() -> dict[str, Any]:
    """What was measured on: processor, versions, and the two speeds that floors are made of."""
    return {
        "cpu": processor(),
        "simd": numba.config.CPU_FEATURES or " ".join(sorted(_simd())),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "copy_gb_per_s": {
            name: _copy_speed(size) / 1e9 for name, size in {"1 MB": 1 << 20, "64 MB": 1 << 26}.items()
        },
        "operations_g_per_s": {lane: _operation_speed(lane) / 1e9 for lane in LANES}
        | {"count": _counting_speed() / 1e9},
    }


def processor() -> str:
    """Return what the processor calls itself."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text().splitlines() if known.exists() else []
    named = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or "unknown")


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


def _operation_speed(dtype: str) -> float:
    """Vectorised additions and maxima per second of one thread, sixteen on each number in a register."""

    @numba.njit
    def work(a: Any, b: Any, rounds: int) -> None:
        number = a.dtype.type  # keeps each result as narrow as its operands
        for _ in range(rounds):
            for k in range(a.size):
                x, y = a[k], b[k]
                for _ in range(8):
                    x = number(max(x, y) + y)
                a[k] = x

    a, b, rounds = np.zeros(2048, dtype), np.ones(2048, dtype), 500
    work(a, b, 1)
    times = [_once(lambda: work(a, b, rounds)) for _ in range(9)]
    return 16 * a.size * rounds / min(times)


def _counting_speed() -> float:
    """Increments per second of one thread in four small tables in turn, at places that cannot be foreseen."""

    @numba.njit
    def count(places: Any, tables: Any) -> None:
        for k in range(places.shape[1]):
            tables[0, places[0, k]] += np.uint32(1)
            tables[1, places[1, k]] += np.uint32(1)
            tables[2, places[2, k]] += np.uint32(1)
            tables[3, places[3, k]] += np.uint32(1)

    places = np.random.default_rng(0).integers(0, 1024, (4, 1 << 13)).astype(np.uint32)
    tables = np.zeros((4, 1024), np.uint32)
    count(places, tables)
    times = [_once(lambda: count(places, tables)) for _ in range(9)]
    return places.size / min(times)
