"""Draw the pictures of the docs and the README from one synthetic lesion: ``python docs/pictures.py``."""

import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy import ndimage

from tumortrace import io, report
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


def main(out=Path(__file__).parent / "img"):
    """Draw them all into a folder."""
    image, mask = lesion()
    title = f"Synthetic lesion {PATIENT}, {SEQUENCE}"
    report.save(report.panel(image, mask, title=title), out / "panel.png", dpi=110)
    for view in ("hog", "sobel", "lbp", "mvm_lbp", "mvmbp", "glcm", "first_order"):
        report.save(report.panel(image, views=["image", view]), out / f"{view}.png", dpi=110)
    report.save(report.panel(image, mask, views=["image"]), out / "shape.png", dpi=110)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
