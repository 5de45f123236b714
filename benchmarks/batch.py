"""The batch job, a folder of crops to a CSV: `tumortrace extract` against a scikit-image and joblib pipeline."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil

from tumortrace.io import synthetic


def run(data: Path | None, jobs: int, repeats: int = 3) -> dict[str, Any]:
    """Run both as whole processes, compare every column, then report medians of wall time and peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        root = data or Path(folder) / "lesions"
        if data is None:
            synthetic.make_lesions(root, patients=60, seed=0)
        tables = {name: Path(folder) / f"{name}.csv" for name in ("ours", "theirs")}
        commands = {
            "ours": [sys.executable, "-m", "tumortrace", "extract", str(root), "--jobs", str(jobs), "--quiet"],
            "theirs": [sys.executable, "-m", "benchmarks.peers_skimage", str(root), "--jobs", str(jobs)],
        }
        runs: dict[str, list[tuple[float, int]]] = {name: [] for name in commands}
        for _ in range(repeats):
            for name, command in commands.items():
                runs[name].append(_measure([*command, "-o", str(tables[name])]))
                seconds, peak = runs[name][-1]
                print(f"{name:7} {seconds:7.2f} s  peak {peak / 1e6:6.0f} MB", flush=True)
        images, columns = _same(tables["ours"], tables["theirs"])
    wall = {name: float(np.median([seconds for seconds, _ in all_])) for name, all_ in runs.items()}
    peak = {name: max(memory for _, memory in all_) for name, all_ in runs.items()}
    print(f"{images} images, {columns} columns: ×{wall['theirs'] / wall['ours']:.1f}")
    return {
        "data": f"BreastDM, {data.name}" if data else "synthetic lesions",
        "images": images,
        "columns": columns,
        "jobs": jobs,
        "wall_s": wall,
        "ratio": wall["theirs"] / wall["ours"],
        "peak_bytes": peak,
    }


def _measure(command: list[str]) -> tuple[float, int]:
    """Wall seconds and the peak memory of the process and its children (proportional set size, sampled)."""
    start = time.perf_counter()
    process = psutil.Popen(command, cwd=Path(__file__).parent.parent, env=os.environ | {"PYTHONUNBUFFERED": "1"})
    peak = 0
    while process.poll() is None:
        peak = max(peak, _memory(process))
        time.sleep(0.05)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return time.perf_counter() - start, peak


def _memory(process: psutil.Process) -> int:
    total = 0
    for each in [process, *process.children(recursive=True)]:
        try:
            info = each.memory_full_info()
            total += getattr(info, "pss", info.rss)
        except psutil.NoSuchProcess:
            continue
    return total


def _same(ours: Path, theirs: Path) -> tuple[int, int]:
    """Assert that both tables hold the same numbers; return the counts of rows and feature columns."""
    mine, other = (pd.read_csv(path, index_col="image").sort_index() for path in (ours, theirs))
    assert mine["status"].eq("ok").all(), mine["error"].dropna().head()
    columns = list(mine.columns[mine.columns.get_loc("digest") + 1 : mine.columns.get_loc("status")])
    for column, number in zip(columns, other.columns, strict=True):
        assert column.startswith(number.rpartition("_")[0]), (column, number)
    np.testing.assert_allclose(mine[columns], other, rtol=1e-6, atol=1e-6)
    return len(mine), len(columns)
