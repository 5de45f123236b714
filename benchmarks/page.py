"""docs/benchmarks.md, written from the results."""

from pathlib import Path
from typing import Any

INTRODUCTION = """# Benchmarks

This page is written by `python -m benchmarks.run`, in a clone with `pip install -e '.[bench]'`; the raw figures
are in `benchmarks/results.json`. Every comparison
first proves that both sides give the same result (the few that cannot are marked), then times both in turn in one
run, on one thread. Figures are medians. On a shared machine only the ratios mean something.

**Ratio** is the peer's time over ours: above 1 we are faster. **Floors** is our time over the time this machine
needs at least for the bytes that must be touched or the operations that must be done, whichever is longer, at the
speeds measured in the same run: 1 would be perfect.
"""


def write(results: dict[str, Any], path: Path) -> None:
    """Write the page by a temporary name, then move it into place."""
    parts = [INTRODUCTION, _machine(results["machine"])]
    if "kernels" in results:
        parts.append(_kernels(results["kernels"]))
    if "batch" in results:
        parts.append(_batch(results["batch"]))
    if "deep" in results:
        parts.append(_deep(results["deep"]))
    if "startup" in results:
        parts.append(_startup(results["startup"]))
    temporary = path.with_suffix(".md.part")
    temporary.write_text("\n".join(parts), encoding="utf-8")
    temporary.replace(path)


def _machine(machine: dict[str, Any]) -> str:
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    copies = ", ".join(f"{speed:.0f} GB/s for {block}" for block, speed in machine["copy_gb_per_s"].items())
    rates = ", ".join(f"{speed:.0f} G/s {lane}" for lane, speed in machine["operations_g_per_s"].items())
    return (
        f"Measured on: {machine['cpu']} ({machine['simd']}), {machine['system']}, Python {machine['python']}; "
        f"{packages}. One thread copies {copies}, and adds {rates}.\n"
    )


def _kernels(rows: list[dict[str, Any]]) -> str:
    lines = [
        "## Kernels\n",
        "| what | peer | size | ours | peer | ratio | floors | asked for |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    notes: dict[str, int] = {}
    for row in rows:
        ours, theirs = _time(row["ours_s"]), _time(row["theirs_s"])
        mark = f" [{notes.setdefault(row['note'], len(notes) + 1)}]" if row["note"] else ""
        goal = f"×{row['goal']:g}" if row["goal"] else ""
        lines.append(
            f"| {row['name']} | {row['peer']}{mark} | {row['size']} | {ours} | {theirs} "
            f"| {_ratio(row['ratio'])} | {row['ours_s'] / row['floor_s']:.1f} | {goal} |"
        )
    lines += [""] + [f"[{number}] {note}.\n" for note, number in notes.items()]
    return "\n".join(lines)


def _batch(batches: list[dict[str, Any]]) -> str:
    columns, jobs = batches[0]["columns"], batches[0]["jobs"]
    lines = [
        "## The batch job\n",
        f"A folder of crops to a CSV of {columns:,} feature columns, as whole commands on {jobs}",
        "processes: `tumortrace extract` against scikit-image, SciPy and joblib computing the same columns,",
        "written by pandas. Asked for: ×8, and under 600 MB. Memory is the peak of all processes together, shared",
        "pages counted once. Of our time about one second is start-up, whatever the number of images.\n",
        "| images | | wall | images per second | peak memory | ratio |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for batch in batches:
        for side, name in (("ours", "tumortrace"), ("theirs", "scikit-image + joblib")):
            wall, peak = batch["wall_s"][side], batch["peak_bytes"][side] / 1e6
            source = f"{batch['images']:,} ({batch['data']})" if side == "ours" else ""
            ratio = _ratio(batch["ratio"]) if side == "ours" else ""
            lines.append(
                f"| {source} | {name} | {wall:.1f} s | {batch['images'] / wall:,.0f} | {peak:.0f} MB | {ratio} |"
            )
    return "\n".join([*lines, ""])


def _deep(rows: list[dict[str, Any]]) -> str:
    peak, device = rows[0]["peak_per_s"] / 1e9, rows[0]["device"]
    lines = [
        "## Networks\n",
        "`CNNEmbedding` and the training of `CNNClassifier` against plain torchvision code doing the same: a",
        "Dataset of PIL pictures, torchvision's transforms and networks, a DataLoader without workers; the",
        "same weights, batch, size and number of threads (resnet8, which torchvision lacks, is our module on",
        "both sides). An embedding is from files to features, equal within 1e-4 of the largest. A training is",
        "one epoch with the augmentation of the recipe `report`, from decoded pictures in memory; with",
        "augmentation and dropout off, both have the same loss and, but for rounding, the same step.",
        f"Float32 ({device}), where the peak is {peak:,.0f} G operations per second. The floor counts the",
        "operations of convolutions and products, forward and backward, or the bytes of weights and images.",
        "Asked for: ×1.\n",
        "| what | network | side | batch | ours, images per second | plain | ratio | share of peak | floors |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        share = row["operations"] / row["ours_s"] / row["peak_per_s"]
        lines.append(
            f"| {row['what']} | {row['network']} | {row['size']} | {row['batch']} "
            f"| {row['images'] / row['ours_s']:,.1f} | {row['images'] / row['theirs_s']:,.1f} "
            f"| ×{row['ratio']:.2f} | {share:.0%} | {row['ours_s'] / row['floor_s']:.1f} |"
        )
    return "\n".join([*lines, ""])


def _startup(startup: dict[str, Any]) -> str:
    imports = "\n".join(f"| `{statement}` | {_time(s)} |" for statement, s in startup["import_s"].items())
    first = "\n".join(
        f"| first `{name}`, cached | {_time(s)} |" for name, s in startup["first_call_cached_s"].items()
    )
    cold = "\n".join(
        f"| every extractor compiled from nothing, {dtype} | {_time(s)} |"
        for dtype, s in startup["cold_compile_s"].items()
    )
    return f"""## Before the first number

Fresh interpreters; the first calls in the order of the list, so each finds what those before it have loaded.

| what | time |
|---|--:|
{imports}
{first}
{cold}
"""


def _time(seconds: float) -> str:
    if seconds < 1e-3:
        return f"{seconds * 1e6:.1f} µs"
    return f"{seconds * 1e3:.2f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _ratio(ratio: float) -> str:
    return f"×{ratio:,.0f}" if ratio >= 100 else f"×{ratio:.1f}"
