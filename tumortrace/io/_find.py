"""One way in: a folder, a manifest or an image file to the list of its images."""

import os
from pathlib import Path

from tumortrace.io import breadm, folder
from tumortrace.io._listing import Listing, walk
from tumortrace.io._volume import split_series
from tumortrace.io.manifest import read_manifest

MANIFEST_ENDINGS = (".csv", ".tsv")


def find(source: str | os.PathLike[str]) -> Listing:
    """List the images of a source.

    Parameters
    ----------
    source : str or path
        A folder in the BreaDM layout (see `breadm.scan`), any other folder of images, volumes and DICOM files (see
        `folder.scan`), a manifest (.csv or .tsv, see `manifest.read_manifest`), one image file, or one series of a
        DICOM folder (``folder#series``). A folder of which any image fits the BreaDM layout is taken to be in it;
        what does not fit is then in `skipped`.

    Returns
    -------
    Listing
        One row per image. No image has been read: whether each can be is found out on reading it.

    Raises
    ------
    FileNotFoundError
        If `source` does not exist.
    ValueError
        If it holds no image, or is a manifest with a mistake.
    """
    import pandas as pd

    path = Path(source)
    if path.is_dir():
        found = list(walk(path))
        return breadm.arrange(path, found) or folder.arrange(path, found)
    if not split_series(path)[0].exists():
        raise FileNotFoundError(f"{path}: does not exist; give a folder, a manifest (.csv) or an image file")
    if path.suffix.lower() in MANIFEST_ENDINGS:
        return Listing(read_manifest(path), path.parent)
    return Listing(pd.DataFrame({"image": [path.name]}), path.parent)
