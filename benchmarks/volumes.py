"""Volumes: GLCM alone, and all texture families with first order, against Pictologics and PyRadiomics.

    python -m benchmarks.volumes --pictologics PYTHON --pyradiomics PYTHON

The peers live in interpreters of their own, as Pictologics needs Python 3.12 and PyRadiomics an older numpy:

    python3.12 -m venv pictologics && pictologics/bin/pip install pictologics==0.9.0
    python3.11 -m venv pyradiomics && pyradiomics/bin/pip install "numpy<2" pyradiomics

Both sides begin with the same image and mask, in turn, on one thread; where it says "levels given", Pictologics is
spared the discretisation and we are not. Before anything is timed, every number that a peer defines as IBSI does is
compared. PyRadiomics has no GLDZM; it is timed on what it has.
"""

import argparse
import json
import math
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from benchmarks import measure
from tumortrace.features import glcm
from tumortrace.features._nomenclature import PYRADIOMICS_CLASSES, TERMS
from tumortrace.table import Settings

HERE = Path(__file__).parent
FAMILIES = ("first_order", "glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm")
SIZES = {"260 thousand": (128, 39.6), "2.3 million": (256, 82.0)}
WORK = {"glcm": ("glcm",), "all": FAMILIES}
GOALS = {
    ("Pictologics", "glcm"): 1.3,
    ("Pictologics", "all"): 1.2,
    ("PyRadiomics", "glcm"): 8.0,
    ("PyRadiomics", "all"): 12.0,
}
TOLERANCE = 1e-6
# what a peer calls by an IBSI code or name, but computes otherwise
OTHERWISE = {
    "Pictologics": {"GPMT"},  # its 90th percentile of the histogram, under the code of the 10th
    "PyRadiomics": {
        "firstorder_Kurtosis",  # without the 3 of excess kurtosis
        "glrlm_RunPercentage",  # merged runs are not divided by the number of directions
    },
}


def volume(size: int, radius: float, kind: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return whole numbers in float64, noise or a smooth field with some, and a sphere."""
    rng = np.random.default_rng(0)
    distance = np.sqrt(sum((axis - (size - 1) / 2) ** 2 for axis in np.ogrid[:size, :size, :size]))
    if kind == "noise":
        image = rng.integers(0, 1000, (size,) * 3).astype(float)
    else:
        field = gaussian_filter(rng.standard_normal((size,) * 3), size / 32)
        image = np.round(100 * field / field.std() + 20 * rng.standard_normal(field.shape))
    return image, distance <= radius


@contextmanager
def worker(python: str, peer: str, folder: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    command = [python, str(HERE / "peers_volumes.py"), peer, str(folder)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    assert process.stdout
    try:
        line = process.stdout.readline()
        if not line:
            raise SystemExit(f"{python} could not run {peer}; how to install it is in the head of {__file__}")
        yield process, json.loads(line)
    finally:
        process.stdin.close()
        process.wait()


def their_seconds(process: subprocess.Popen[str], task: str) -> float:
    assert process.stdin
    assert process.stdout
    print(task, file=process.stdin, flush=True)
    return float(process.stdout.readline())


def settings(first_edge: str) -> Settings:
    return Settings({name: {"levels": 32, "first_edge": first_edge} for name in FAMILIES})


_ALL = settings("ibsi")
_OURS = {"glcm": lambda image, mask: glcm(image, mask, levels=32), "all": _ALL.compute}


def compare(image: NDArray[Any], mask: NDArray[np.bool_], peer: str, theirs: dict[str, float]) -> int:
    """Assert that every number the peer defines as IBSI does is the same; return how many."""
    chosen = settings("pyradiomics" if peer == "PyRadiomics" else "ibsi")
    ours = dict(zip(chosen.columns, chosen.compute(image, mask)[0], strict=True))
    expected = {}
    for family in FAMILIES:
        for name, term in TERMS[family].items():
            if peer == "PyRadiomics":
                key = f"{PYRADIOMICS_CLASSES.get(family)}_{term.pyradiomics}"
                found = theirs.get(key)
            else:
                key = term.ibsi
                found = next((value for k, value in theirs.items() if k.endswith(f"_{key}")), None)
            if found is not None and key not in OTHERWISE[peer]:
                expected[f"{family}_{name}"] = found
    for column, number in expected.items():
        assert math.isclose(ours[column], number, rel_tol=TOLERANCE, abs_tol=1e-12), (column, ours[column], number)
    return len(expected)


def run(pythons: dict[str, str], seconds: float) -> list[dict[str, Any]]:
    rows = []
    for roi, (size, radius) in SIZES.items():
        for kind in ("noise", "smooth"):
            image, mask = volume(size, radius, kind)
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                np.save(folder / "image.npy", image)
                np.save(folder / "mask.npy", mask)
                for peer, python in pythons.items():
                    with worker(python, peer, folder) as (process, greeting):
                        rows += _rows(image, mask, process, greeting, {"roi": roi, "data": kind}, seconds)
    return rows


def _rows(
    image: NDArray[Any],
    mask: NDArray[np.bool_],
    process: subprocess.Popen[str],
    greeting: dict[str, Any],
    about: dict[str, str],
    seconds: float,
) -> list[dict[str, Any]]:
    peer = greeting["peer"].split()[0]
    compared = compare(image, mask, peer, greeting["features"])
    floors = {work: floor(image, mask, families) for work, families in WORK.items()}
    rows = []
    for task in greeting["tasks"]:
        work = task.split(",")[0]
        ours = partial(_OURS[work], image, mask)
        mine, other = _race(ours, partial(their_seconds, process, task), seconds)
        goal = GOALS[peer, work]
        rows.append(
            {
                **about,
                "task": task,
                "peer": greeting["peer"],
                "ours_s": mine,
                "theirs_s": other,
                "ratio": other / mine,
                "goal": goal,
                "compared": compared,
                "floor_s": floors[work],
            }
        )
        print(
            f"{about['roi']:>13} {about['data']:7} {task:20} {greeting['peer']:18} {mine * 1e3:8.2f} ms "
            f"{other * 1e3:9.2f} ms  ×{other / mine:6.2f} {mine / floors[work]:5.1f} floors "
            f"{'' if other / mine >= goal else f'(below {goal})'}",
            flush=True,
        )
    return rows


def _race(ours: Any, theirs: Any, seconds: float) -> tuple[float, float]:
    """Return the least seconds of each, run in turn; `theirs` says its own."""
    mine, other = [], []
    ours(), theirs()
    end = time.perf_counter() + seconds
    while len(mine) < 5 or time.perf_counter() < end:
        start = time.perf_counter()
        ours()
        mine.append(time.perf_counter() - start)
        other.append(theirs())
    return min(mine), min(other)


def floor(image: NDArray[Any], mask: NDArray[np.bool_], families: tuple[str, ...]) -> float:
    """Return the least seconds this machine could take: bytes read once, 13 pairs or runs of each voxel counted."""
    box = [np.flatnonzero(mask.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    bytes_read = mask.nbytes + image.itemsize * math.prod(int(np.ptp(b)) + 1 for b in box)
    counted = 13 * int(mask.sum()) * sum(f in ("glcm", "glrlm") for f in families) + int(mask.sum()) * len(families)
    return bytes_read / SPEEDS["copy"] + counted / SPEEDS["count"]


SPEEDS: dict[str, float] = {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictologics", help="interpreter that has it")
    parser.add_argument("--pyradiomics", help="interpreter that has it")
    parser.add_argument("--seconds", type=float, default=2.0, help="time for each pair of timings")
    parser.add_argument("-o", "--out", type=Path, default=HERE / "volumes.json")
    options = parser.parse_args()
    pythons = {name: getattr(options, name) for name in ("pictologics", "pyradiomics") if getattr(options, name)}
    if not pythons:
        parser.error("give an interpreter for at least one peer; --help says how to make one")
    machine = measure.machine()
    SPEEDS.update(copy=machine["copy_gb_per_s"]["64 MB"] * 1e9, count=machine["operations_g_per_s"]["count"] * 1e9)
    rows = run(pythons, options.seconds)
    temporary = options.out.with_suffix(".part")
    temporary.write_text(json.dumps({"machine": machine, "tolerance": TOLERANCE, "rows": rows}, indent=1) + "\n")
    temporary.replace(options.out)


if __name__ == "__main__":
    main()
