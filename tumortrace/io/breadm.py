"""A data set in the layout of BreaDM: ``[split/]Benign|Malignant/<patient>/<sequence>/p-NNN.jpg``.

Zhao et al. 2023, BreastDM: a DCE-MRI dataset for breast tumor image segmentation and classification,
https://doi.org/10.1016/j.compbiomed.2023.107255.
"""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tumortrace.io._listing import Found, Listing, folder_path, walk

if TYPE_CHECKING:
    import pandas as pd

LABELS = {"benign": "Benign", "malignant": "Malignant"}
COLUMNS = ("image", "split", "label", "patient", "sequence", "slice")
LAYOUT = "[split/]Benign|Malignant/<patient>/<sequence>/p-NNN.jpg"

_SLICE = re.compile(r"p-([0-9]{1,9})\.[a-z]+", re.IGNORECASE)


def scan(root: str | os.PathLike[str]) -> Listing:
    """List the images of a folder in the BreaDM layout.

    Parameters
    ----------
    root : str or path
        The folder that holds the splits, or the class folders of one split.

    Returns
    -------
    Listing
        Its frame has the columns `image`, `split`, `label` ("Benign" or "Malignant", whatever the case of the
        folder), `patient`, `sequence` and `slice` (int), in natural order of the paths. `split` is empty where
        there is no such level. What does not fit the layout is in `skipped`, with the reason. A patient in two
        splits or classes, and a slice with two images of one sequence, is in `problems`.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If `root` is no folder.
    ValueError
        If nothing in it fits the layout.
    """
    root = folder_path(root)
    listing = arrange(root, list(walk(root)))
    if listing is None:
        raise ValueError(f"{root}: nothing in it fits the layout {LAYOUT}")
    return listing


def arrange(root: Path, found: list[Found]) -> Listing | None:
    """Return the listing of what a walk of `root` met, or None where nothing fits the layout."""
    import pandas as pd

    rows, skipped = [], []
    for item in found:
        reason = item.reason or _misfit(item.parts)
        if reason:
            skipped.append((item.path, reason))
            continue
        label, patient, sequence, name = item.parts[-4:]
        split = item.parts[0] if len(item.parts) == 5 else ""
        number = _SLICE.fullmatch(name)
        assert number is not None
        rows.append((item.path, split, LABELS[label.lower()], patient, sequence, int(number[1])))
    if not rows:
        return None
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return Listing(frame, root, tuple(skipped), tuple(_problems(frame)))


def _misfit(parts: tuple[str, ...]) -> str:
    """Return why an image does not fit the layout, or an empty string."""
    if len(parts) not in (4, 5):
        return f"{len(parts) - 1} folders deep; the layout is {LAYOUT}"
    if parts[-4].lower() not in LABELS:
        return f"{parts[-4]!r} stands where Benign or Malignant should: the layout is {LAYOUT}"
    if not _SLICE.fullmatch(parts[-1]):
        return "its name gives no slice number: p-NNN.jpg is wanted"
    return ""


def _problems(frame: "pd.DataFrame") -> list[str]:
    problems = []
    for column, word in (("split", "splits"), ("label", "classes")):
        places = frame.groupby("patient", sort=False)[column].unique()
        problems += [
            f"patient {patient} is in {len(values)} {word}: {', '.join(map(repr, values))}"
            for patient, values in places.items()
            if len(values) > 1
        ]
    same = frame.duplicated(["split", "label", "patient", "sequence", "slice"])
    problems += [f"{path}: its slice has another image of the same sequence" for path in frame["image"][same]]
    return problems
