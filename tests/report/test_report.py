"""The figures show what the operators compute, for any image, and touch nothing global."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from tumortrace.evaluation import roc
from tumortrace.features import glcm_matrix, lbp_codes, mvm_lbp_codes, mvmbp_codes, sobel_gradients
from tumortrace.io import class_distribution
from tumortrace.report import panel, plot_class_distribution, plot_roc, save
from tumortrace.report._panel import _outline


def views(figure):
    return {axes.get_title(loc="left"): axes for axes in figure.axes if axes.get_title(loc="left")}


def lesion(rng, shape=(24, 26)):
    rows, cols = np.indices(shape)
    disc = np.hypot(rows - shape[0] / 2, cols - shape[1] / 2) < min(shape) / 3
    return (90 + 80 * disc + rng.normal(0, 10, shape)).astype(np.uint8), disc


def test_each_view_shows_its_intermediate(rng):
    image, _ = lesion(rng)
    shown = {title: axes.images[0].get_array() for title, axes in views(panel(image)).items() if axes.images}
    assert list(views(panel(image))) == [
        "Image", "First order", "Sobel", "HOG", "GLCM", "LBP", "MVM-LBP", "MVMBP",
    ]  # fmt: skip
    np.testing.assert_array_equal(shown["Image"], image)
    np.testing.assert_array_equal(shown["Sobel"], sobel_gradients(image).magnitude)
    np.testing.assert_array_equal(shown["LBP"], lbp_codes(image, method="uniform"))
    for title, codes, border in (("MVM-LBP", mvm_lbp_codes(image), 1), ("MVMBP", mvmbp_codes(image), 2)):
        assert shown[title].shape == image.shape
        assert shown[title].count() == codes.size  # the border has no code
        np.testing.assert_array_equal(shown[title][border:-border, border:-border], codes)
    counts = glcm_matrix(image).squeeze()
    assert counts.shape == (32, 32)
    np.testing.assert_allclose(shown["GLCM"], counts / counts.sum())


def test_hog_strokes_run_along_the_edge():
    image = np.zeros((32, 32), np.uint8)
    image[:, 16:] = 200
    axes = views(panel(image, views=["hog"]))["HOG"]
    strokes = axes.collections[0]
    brightest = strokes.get_segments()[np.argmax(strokes.get_colors()[:, 3])]
    (x0, y0), (x1, y1) = brightest
    assert abs(x1 - x0) < abs(y1 - y0) / 2  # a vertical edge, within the width of a bin
    diagonal = np.add.outer(np.arange(32), np.arange(32)) > 32
    strokes = views(panel(diagonal, views=["hog"]))["HOG"].collections[0]
    (x0, y0), (x1, y1) = strokes.get_segments()[np.argmax(strokes.get_colors()[:, 3])]
    assert (x1 - x0) * (y1 - y0) < 0  # from the lower left to the upper right, y pointing down


def test_a_mask_is_outlined_and_counted(rng):
    image, disc = lesion(rng)
    figure = panel(image, disc, views=["image", "glcm", "first_order"])
    assert f"{disc.sum()} in the mask" in views(figure)["Image"].get_xlabel()
    inside = glcm_matrix(image, disc).squeeze()
    np.testing.assert_allclose(views(figure)["GLCM"].images[0].get_array(), inside / inside.sum())
    assert sum(bar.get_height() for bar in views(figure)["First order"].patches) == disc.sum()


def test_the_outline_has_an_edge_between_each_pixel_inside_and_outside():
    edges = np.array(_outline(np.array([[True, True, False]])))
    assert len(edges) == 6
    assert {tuple(p) for p in edges.reshape(-1, 2)} == {(x, y) for x in (-0.5, 0.5, 1.5) for y in (-0.5, 0.5)}


def test_a_volume_shows_the_middle_slice_of_its_mask(rng):
    volume = rng.integers(0, 256, (9, 20, 22), dtype=np.uint8)
    mask = np.zeros(volume.shape, bool)
    mask[5:8, 4:16, 4:16] = True
    figure = panel(volume, mask, title="Tumour")
    assert figure.get_suptitle() == "Tumour, slice 7 of 9"
    np.testing.assert_array_equal(views(figure)["Image"].images[0].get_array(), volume[6])
    assert panel(volume).get_suptitle() == "Volume, slice 5 of 9"


def test_spacing_gives_pixels_their_proportions(rng):
    image, disc = lesion(rng)
    for title, axes in views(panel(image, disc, spacing=(2, 1))).items():
        assert axes.get_aspect() == ("auto" if title == "First order" else 1 if title == "GLCM" else 2), title


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (5, 5), (24, 26), (300, 400), (90, 12), (6, 75)])
@pytest.mark.parametrize("constant", [False, True])
def test_any_size_draws_without_a_warning(rng, tmp_path, shape, constant):
    image = np.full(shape, 7) if constant else rng.normal(0, 1e3, shape)
    assert save(panel(image, np.ones(shape)), tmp_path / "panel.png", dpi=40).stat().st_size > 5000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"views": ["lpb"]}, "'mvmbp'"),
        ({"views": []}, "views is empty"),
        ({"mask": np.zeros((8, 8))}, "mask is empty"),
        ({"spacing": (1, 0)}, "spacing is"),
    ],
)
def test_unfit_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        panel(np.eye(8), **arguments)


def rows(split, label, patients, sequences):
    return [
        {"split": split, "label": label, "patient": f"{label}{split}{p}", "slice": 1}
        for p in range(patients)
        for _ in range(sequences)
    ]


def test_class_distribution_bars_are_the_counts():
    frame = pd.DataFrame(
        rows("train", "Benign", 3, 17) + rows("train", "Malignant", 5, 17) + rows("val", "Malignant", 2, 17)
    )
    panels = views(plot_class_distribution(class_distribution(frame), title="Lesions"))
    assert list(panels) == ["Images", "Slices", "Patients"]
    widths = {bars.get_label(): [bar.get_width() for bar in bars] for bars in panels["Images"].containers}
    assert widths == {"Benign": [51, 0], "Malignant": [85, 34]}
    assert [text.get_text() for text in panels["Patients"].texts] == ["3", "0", "5", "2"]


def test_class_distribution_without_splits_and_slices():
    frame = pd.DataFrame({"label": ["a", "a", "b"], "patient": ["1", "1", "2"]})
    panels = views(plot_class_distribution(class_distribution(frame)))
    assert list(panels) == ["Images", "Patients"]
    assert [bars.get_label() for bars in panels["Images"].containers] == ["a", "b"]


def test_class_distribution_refuses_other_frames():
    with pytest.raises(ValueError, match="counts lack images, label"):
        plot_class_distribution(pd.DataFrame({"split": [], "slices": [], "patients": []}))
    many = pd.DataFrame({"label": list("abcdefg")})
    with pytest.raises(ValueError, match="7 classes"):
        plot_class_distribution(class_distribution(many))


def test_roc_legend_gives_the_area_and_its_interval(rng):
    y = np.arange(40) % 2
    curve = roc(y, y + rng.normal(size=40), np.arange(40), resamples=50, level=0.9)
    figure = plot_roc({"texture": curve}, title="ROC")
    legend = figure.axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == [f"texture: {curve.auc}"]
    assert "90 %" in legend.get_title().get_text()
    line = figure.axes[0].lines[1].get_xydata()
    np.testing.assert_array_equal(line[0], (0, 0))
    np.testing.assert_array_equal(line[1:, 1], curve.tpr)


def test_roc_needs_one_to_six_curves():
    with pytest.raises(ValueError, match="0 curves"):
        plot_roc({})


def test_save_moves_a_complete_file_into_place(tmp_path):
    path = save(Figure(), tmp_path / "new" / "figure.svg")
    assert path.read_text().startswith("<?xml")
    assert [p.name for p in path.parent.iterdir()] == ["figure.svg"]


def test_save_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "figure.png"
    path.write_bytes(b"old")

    def fails(self, draft, **_):
        draft.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(Figure, "savefig", fails)
    with pytest.raises(OSError, match="disk full"):
        save(Figure(), path)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["figure.png"]


def test_save_lists_the_endings_it_knows(tmp_path):
    with pytest.raises(ValueError, match=r"\.pdf.*\.png.*\.svg"):
        save(Figure(), tmp_path / "figure.docx")


def python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_no_global_state_of_matplotlib_is_used():
    code = "import sys, numpy; from tumortrace.report import panel; panel(numpy.eye(9)).canvas.draw()"
    done = python(f"{code}; assert 'matplotlib.pyplot' not in sys.modules")
    assert done.returncode == 0, done.stderr


def test_without_matplotlib_the_error_says_what_to_install():
    code = "import sys; sys.modules['matplotlib'] = None; import tumortrace.report"
    done = python(code)
    assert done.returncode == 1
    assert "pip install 'tumortrace[report]'" in done.stderr
