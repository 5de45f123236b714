"""Is fused better than the CNN alone, on patients neither has seen?

    python benchmarks/fused_vs_cnn.py --data ROOT                 five-fold cross-validation on every split
    python benchmarks/fused_vs_cnn.py --data ROOT --test test     and then, once, on the split held out
    python benchmarks/fused_vs_cnn.py --data ROOT --budget gpu    with the report's three networks at 224 pixels

ROOT is a folder in the BreaDM layout, or a manifest with label, patient, slice, sequence and split. Patients are
never split. Every fit is kept in OUT/fits, so that a run that was stopped goes on; the table, figures and
predictions are written to OUT. Research software, no medical device.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # run as a script, this folder is a package all the same

import numpy as np

from benchmarks import study_models, study_page
from benchmarks.study_parts import HELD_OUT, Rows, peak_memory, score
from tumortrace.evaluation import grouped_folds
from tumortrace.io.synthetic import SEQUENCES
from tumortrace.model import Inputs, two_classes
from tumortrace.model._inputs import list_images
from tumortrace.table import Settings

FOLDS, SEED = 5, 0


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="ROOT", help="folder in the BreaDM layout, or a manifest")
    add("--test", metavar="SPLIT", help="hold this split out of everything, and score it once at the end")
    add("--budget", choices=["cpu", "gpu"], default="cpu", help="cpu: small networks (default); gpu: the report's")
    add("--out", type=Path, default=Path("fused-vs-cnn"), metavar="DIR", help="default: fused-vs-cnn")
    add("--jobs", type=int, metavar="N", help="processes, one thread each (default: one per CPU)")
    add("--weights", choices=["imagenet"], help="where the report's networks start (default: random weights)")
    add("--epochs", type=int, metavar="N", help="epochs of every network, to try the program out")
    options = parser.parse_args(argv)

    import joblib

    begin = time.perf_counter()
    jobs = options.jobs or joblib.cpu_count()
    frames = read(options.data, options.test, jobs)
    study = study_models.study(frames, options.budget, epochs=options.epochs, weights=options.weights)
    folds = [*range(FOLDS), *([HELD_OUT] if options.test else [])]
    scores, costs = score(study.parts, frames, folds, options.out / "fits", jobs, _say)
    found = study_page.measure_study(study, frames, scores, resamples=1000, held_out=options.test)
    study_page.write(
        options.out,
        found,
        study,
        costs,
        data=study_page.describe(frames, options.test),
        command=study_page.command(options),
        seconds=time.perf_counter() - begin,
        memory=peak_memory(),
        jobs=jobs,
    )
    print((options.out / "results.md").read_text(encoding="utf-8"))


def read(source: Path, test: str | None, jobs: int) -> dict[str, Rows]:
    """Return the frames of the study: slices, single images, and slices with the other reading of MVM-LBP."""
    listing = list_images(source)
    splits = set(listing["split"]) if "split" in listing else set()
    if test is not None and test not in splits:
        raise SystemExit(f"--test {test}: the data have no such split, but {', '.join(sorted(splits)) or 'none'}")
    classes = two_classes(listing["label"], None)
    settings = Settings.of(None).parameters
    concatenate = Settings.of({"mvm_lbp": {"combine": "concatenate"}}).parameters
    wanted = {
        "slice": Inputs("slice", SEQUENCES, settings, {}, SEQUENCES),
        "concatenate": Inputs("slice", SEQUENCES, concatenate),
        "image": Inputs("image", SEQUENCES, settings, pixels=()),
    }
    frames: dict[str, Rows] = {}
    folds: dict[str, int] = {}
    for name, inputs in wanted.items():
        began = time.perf_counter()
        frame = inputs.frame(listing, jobs=jobs)
        failed = frame["status"] == "failed"
        frame = frame[~failed].reset_index(drop=True)
        y = (frame["label"] == classes[1]).to_numpy(np.int64)
        patients = frame["patient"].to_numpy(object)
        held_out = (frame["split"] == test).to_numpy() if test else np.zeros(len(frame), bool)
        if not folds:  # one assignment of patients for all frames
            tested = grouped_folds(y[~held_out], patients[~held_out], folds=FOLDS, seed=SEED)
            folds = dict(zip(patients[~held_out], tested.tolist(), strict=True))
            if both := folds.keys() & set(patients[held_out]):
                raise SystemExit(f"{len(both)} patients are in {test} and in another split: {sorted(both)[0]}, …")
        fold = np.array([HELD_OUT if out else folds[who] for who, out in zip(patients, held_out, strict=True)])
        frames[name] = Rows(frame, y, patients, fold)
        _say(
            f"{name}: {len(frame):,} rows, {len(set(patients))} patients, {failed.sum()} rows left out, "
            f"{time.perf_counter() - began:.0f} s"
        )
    return frames


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
