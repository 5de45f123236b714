"""Draw the pictures of the docs and the README, made up all of them: ``python docs/pictures.py``."""

import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy import ndimage

from tumortrace import evaluation, io, report
from tumortrace.io import synthetic

PATIENT, SEQUENCE = "SYN-014", "VIBRANT+C2"


def lesion():
    """Return a lesion as image and mask: where the subtraction exceeds the middle of its range, in one piece."""
    with tempfile.TemporaryDirectory() as folder:
        root = synthetic.make_lesions(folder)
        frame = io.find(root).frame
        frame = frame[frame["patient"] == PATIENT]
        paths = frame[frame["slice"] == int(frame["slice"].median())].set_index("sequence")["image"]
        image, enhancement = (io.read_image(root / paths[name]).array for name in (SEQUENCE, "SUB2"))
    smooth = ndimage.gaussian_filter(enhancement.astype(float), 1)
    pieces, _ = ndimage.label(smooth > (smooth.min() + smooth.max()) / 2)
    largest = np.bincount(pieces.ravel())[1:].argmax() + 1
    return image, ndimage.binary_fill_holes(pieces == largest)


def scores():
    """Return labels, the scores of two models, and patients: 120 of six slices, some of them hard for both."""
    label = np.arange(120) % 2
    hard, own, noise = (np.random.default_rng(seed) for seed in range(3))
    shared = hard.normal(size=120)
    models = {}
    for name, skill in (("fused", 2.6), ("CNN", 2.0)):
        logit = np.repeat(skill * (label - 0.5) + shared + 0.5 * own.normal(size=120), 6)
        models[name] = 1 / (1 + np.exp(-logit - 0.4 * noise.normal(size=720)))
    return np.repeat(label, 6), models, np.repeat(np.arange(120), 6)


def curves(out):
    """Draw the figures of the page on evaluation."""
    label, models, patients = scores()
    for name in ("precision_recall", "calibration", "decision_curve"):
        measured = {model: getattr(evaluation, name)(label, score, patients) for model, score in models.items()}
        report.save(getattr(report, f"plot_{name}")(measured), out / f"{name}.png", dpi=90)
    classes = np.array(["Benign", "Malignant"])
    called = {model: classes[(score >= 0.5).astype(int)] for model, score in models.items()}
    tables = {model: evaluation.confusion(classes[label], names) for model, names in called.items()}
    report.save(report.plot_confusion(tables), out / "confusion.png", dpi=90)


def main(out=Path(__file__).parent / "img"):
    """Draw them all into a folder."""
    image, mask = lesion()
    title = f"Synthetic lesion {PATIENT}, {SEQUENCE}"
    report.save(report.panel(image, mask, title=title), out / "panel.png", dpi=110)
    for view in ("hog", "sobel", "lbp", "mvm_lbp", "mvmbp", "glcm", "first_order"):
        report.save(report.panel(image, views=["image", view]), out / f"{view}.png", dpi=110)
    report.save(report.panel(image, mask, views=["image"]), out / "shape.png", dpi=110)
    curves(out)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
