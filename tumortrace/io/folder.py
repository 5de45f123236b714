"""A folder of images in no particular layout."""

import os
from pathlib import Path

from tumortrace.io._listing import ENDINGS, Found, Listing, folder_path, walk


def scan(root: str | os.PathLike[str]) -> Listing:
    """List the images of a folder and of the folders in it.

    Parameters
    ----------
    root : str or path
        The folder. What ends in .jpg, .jpeg, .png, .tif, .tiff or .bmp (any case) counts as an image, whatever is
        inside; hidden files are passed over. Links are followed.

    Returns
    -------
    Listing
        Its frame has the column `image`, in natural order (p-9 before p-10). Other files are in `skipped`.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If `root` is no folder.
    ValueError
        If it holds no image.
    """
    root = folder_path(root)
    return arrange(root, list(walk(root)))


def arrange(root: Path, found: list[Found]) -> Listing:
    """Return the listing of what a walk of `root` met."""
    import pandas as pd

    images = [item.path for item in found if not item.reason]
    if not images:
        raise ValueError(f"{root}: holds no image; endings that count are {', '.join(ENDINGS)}")
    skipped = tuple((item.path, item.reason) for item in found if item.reason)
    return Listing(pd.DataFrame({"image": images}), root, skipped)
