"""Class distribution: how many images, slices and patients each split has of each class."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

TOTAL = "all"


def class_distribution(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Count the images, slices and patients of each split and class.

    Parameters
    ----------
    frame : DataFrame
        One row per image with a column `label`; `split`, `patient` and `slice` where known, as in `Listing.frame`.

    Returns
    -------
    DataFrame
        Columns `split`, `label`, `images`, `slices`, `patients`: a row for each split and class, one per split with
        the label "all", and one for "all" splits and each class and everything. A slice is a pair of patient and
        slice number and counts once, however many sequences show it. Without the columns that a count needs, it is
        missing (<NA>). A patient in two splits or classes counts once in the totals.

    Raises
    ------
    ValueError
        If there is no column `label`.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"label": ["Benign", "Benign", "Malignant"], "patient": ["a", "a", "b"]})
    >>> class_distribution(frame)
      split      label  images  slices  patients
    0   all     Benign       2    <NA>         1
    1   all  Malignant       1    <NA>         1
    2   all        all       3    <NA>         2
    """
    import pandas as pd

    if "label" not in frame:
        raise ValueError("the images have no label; give a folder in the BreaDM layout or a manifest with Label")
    labels = sorted(frame["label"].unique())
    splits = [s for s in dict.fromkeys(frame.get("split", [])) if s]
    rows = []
    for split in [*splits, TOTAL] if len(splits) > 1 else splits or [TOTAL]:
        inside = frame if split == TOTAL else frame[frame["split"] == split]
        rows += [(split, label, *_count(inside[inside["label"] == label])) for label in labels]
        rows.append((split, TOTAL, *_count(inside)))
    table = pd.DataFrame(rows, columns=["split", "label", "images", "slices", "patients"])
    return table.astype({"images": "Int64", "slices": "Int64", "patients": "Int64"})


def _count(frame: "pd.DataFrame") -> tuple[int, int | None, int | None]:
    patients = frame["patient"].nunique() if "patient" in frame else None
    slices = len(frame[["patient", "slice"]].drop_duplicates()) if {"patient", "slice"} <= set(frame) else None
    return len(frame), slices, patients
