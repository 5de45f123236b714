"""Draw the pictures of the docs and the README, made up all of them: ``python docs/pictures.py``."""

import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy import ndimage

from tumortrace import evaluation, io, report
from tumortrace.features import common_scale, enhancement_maps, enhancing_lesion, glcm_map
from tumortrace.io import synthetic
from tumortrace.report._style import COLOURS, new_figure, tidy

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


def course():
    """Return the phases of the same lesion, and the scale that its subtractions tell."""
    with tempfile.TemporaryDirectory() as folder:
        root = synthetic.make_lesions(folder)
        frame = io.find(root).frame
        frame = frame[frame["patient"] == PATIENT]
        arrays = frame.assign(array=[io.read_image(root / path).array for path in frame["image"]])
    images = arrays.pivot(index="slice", columns="sequence", values="array")
    stacks = [np.stack(row) for row in images[list(synthetic.SEQUENCES)].to_numpy().tolist()]
    scale = common_scale([s[0] for s in stacks], [s[1:9] for s in stacks], [s[9:] for s in stacks])
    return stacks[list(images.index).index(int(frame["slice"].median()))][:9], scale.k


def draw_kinetics():
    """Draw three maps of enhancement with the outline of the lesion, and the mean curves."""
    stack, scale = course()
    maps = enhancement_maps(stack, scale=scale)
    lesion = enhancing_lesion(maps.peak_enhancement)
    rim = lesion & ~ndimage.binary_erosion(lesion, np.ones((3, 3)))
    figure = new_figure(11, 2.9)
    grid = figure.subplots(1, 4, width_ratios=(1, 1, 1, 1.3))
    for axes, name in zip(grid, ("peak_enhancement", "time_to_peak", "signal_enhancement_ratio"), strict=False):
        shown = axes.imshow(getattr(maps, name), cmap="magma" if name == "peak_enhancement" else "viridis")
        axes.contour(lesion, [0.5], colors="white", linewidths=1)
        axes.set(xticks=[], yticks=[])
        axes.set_title(name.replace("_", " ").capitalize(), fontsize=11, loc="left")
        figure.colorbar(shown, ax=axes, shrink=0.8).outline.set_visible(False)
    before = scale * stack[0]
    enhancement = (stack - before) / before.mean()
    enhancement[0] = 0
    hot = maps.peak_enhancement >= np.quantile(maps.peak_enhancement, 0.9)
    zones = {"hot spot": hot, "rim": rim, "lesion": lesion, "around it": ~lesion}
    for colour, (name, zone) in zip(COLOURS, zones.items(), strict=False):
        grid[3].plot(enhancement[:, zone].mean(axis=1), color=colour, marker="o", ms=3, label=name)
    tidy(grid[3], "Mean curves", "phase", "enhancement")
    grid[3].set_ylim(top=1.3 * grid[3].get_ylim()[1])
    grid[3].legend(frameon=False, fontsize=8, ncols=2, loc="upper right")
    return figure


def draw_map():
    """Draw the joint entropy around each pixel of the lesion over it."""
    image, mask = lesion()
    entropy = glcm_map(image, window=5, levels=16, features=["joint_entropy"])["joint_entropy"]
    return report.plot_map(image, entropy, mask, label="joint entropy (bits)")


def main(out=Path(__file__).parent / "img"):
    """Draw them all into a folder."""
    image, mask = lesion()
    title = f"Synthetic lesion {PATIENT}, {SEQUENCE}"
    report.save(report.panel(image, mask, title=title), out / "panel.png", dpi=110)
    for view in ("hog", "sobel", "lbp", "mvm_lbp", "mvmbp", "glcm", "first_order"):
        report.save(report.panel(image, views=["image", view]), out / f"{view}.png", dpi=110)
    report.save(report.panel(image, mask, views=["image"]), out / "shape.png", dpi=110)
    report.save(draw_kinetics(), out / "kinetics.png", dpi=110)
    report.save(draw_map(), out / "maps.png", dpi=110)
    curves(out)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
