"""Run the benchmarks and keep the results: `python -m benchmarks.run`.

    python -m benchmarks.run                     everything; writes benchmarks/results.json and docs/benchmarks.md
    python -m benchmarks.run kernels startup     some parts; the others keep their last results
    python -m benchmarks.run batch --data ROOT   the batch job on a BreastDM tree besides synthetic lesions

Both sides of every comparison run on one thread, the batch job on the same number of processes.
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

PARTS = ("kernels", "startup", "batch", "deep")
HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="default: all of them")
    parser.add_argument("--data", type=Path, help="BreastDM tree for the batch job, besides synthetic lesions")
    parser.add_argument("--jobs", type=int, default=4, help="processes of the batch job, for both sides")
    parser.add_argument("--seconds", type=float, default=1.0, help="time for each pair of timings")
    parser.add_argument("--only", default="", help="kernels and deep: names that contain this")
    parser.add_argument("-o", "--out", type=Path, default=HERE / "results.json")
    options = parser.parse_args()

    from benchmarks import measure, page

    results: dict[str, Any] = json.loads(options.out.read_text()) if options.out.exists() else {}
    results["machine"] = measure.machine()
    for part in options.parts or PARTS:
        print(f"== {part}", flush=True)
        results[part] = _PARTS[part](options, results)
        options.out.write_text(json.dumps(results, indent=1) + "\n")
    page.write(results, HERE.parent / "docs" / "benchmarks.md")


def _kernels(options: argparse.Namespace, results: dict[str, Any]) -> list[dict[str, Any]]:
    from benchmarks import kernels

    kept = [row for row in results.get("kernels", []) if options.only and options.only not in row["name"]]
    rows = kept + kernels.run(results["machine"], options.seconds, options.only)
    order = [row.name for row in kernels.COMPARISONS]
    return sorted(rows, key=lambda row: order.index(row["name"]))


def _startup(options: argparse.Namespace, results: dict[str, Any]) -> dict[str, Any]:
    from benchmarks import startup

    return startup.run()


def _batch(options: argparse.Namespace, results: dict[str, Any]) -> list[dict[str, Any]]:
    from benchmarks import batch

    sources = [None, options.data] if options.data else [None]
    return [batch.run(source, options.jobs) for source in sources]


def _deep(options: argparse.Namespace, results: dict[str, Any]) -> list[dict[str, Any]]:
    from benchmarks import deep

    return deep.run(results["machine"], options.seconds, options.only)


_PARTS = {"kernels": _kernels, "startup": _startup, "batch": _batch, "deep": _deep}

if __name__ == "__main__":
    main()
