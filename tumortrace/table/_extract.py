"""Images to one table of features."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from tumortrace.table._pool import run
from tumortrace.table._rows import Compute, Computes
from tumortrace.table._settings import ALL_LABELS, Settings
from tumortrace.table._source import AFTER_IDENTITY, LAST, Images, collect, each_roi
from tumortrace.table._write import Summary, progress_bar, write_table

if TYPE_CHECKING:
    import pandas as pd

SettingsLike = Settings | Mapping[str, Any] | Iterable[str] | str | Path | None


@overload
def extract(
    source: Any,
    settings: SettingsLike = None,
    *,
    masks: Sequence[Any] | None = None,
    features: Iterable[str] | None = None,
    out: None = None,
    jobs: int | None = None,
    resume: bool = False,
    progress: bool = False,
) -> pd.DataFrame: ...


@overload
def extract(
    source: Any,
    settings: SettingsLike = None,
    *,
    masks: Sequence[Any] | None = None,
    features: Iterable[str] | None = None,
    out: str | os.PathLike[str],
    jobs: int | None = None,
    resume: bool = False,
    progress: bool = False,
) -> Summary: ...


def extract(
    source: Any,
    settings: SettingsLike = None,
    *,
    masks: Sequence[Any] | None = None,
    features: Iterable[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    resume: bool = False,
    progress: bool = False,
) -> pd.DataFrame | Summary:
    """Compute the features of many images as one table.

    Parameters
    ----------
    source
        A folder of images (in the BreaDM layout or not), a manifest (.csv), an image file; a list of arrays or
        paths; an array ``(images, rows, cols)``; or a DataFrame with a column `image` of arrays or paths and
        perhaps `mask`, whose other columns are carried through.
    settings : optional
        A YAML file, a mapping of extractor to parameters (``{"glcm": {"levels": 64}}``), or names of extractors.
        Without it every extractor runs with its defaults.
    masks : sequence of array, path or None, optional
        One per image of a list.
    features : iterable of str, optional
        Run only these of the extractors.
    out : path, optional
        Write the table to this .csv or .parquet file. Memory then does not grow with the number of images.
    jobs : int, optional
        Worker processes; one per available CPU by default, 1 for none.
    resume : bool, default False
        Take over the rows of an earlier table at `out`, finished or interrupted, whose image, mask and settings are
        the same; compute the others.
    progress : bool, default False
        Show a progress bar with rate and remaining time on stderr.

    Returns
    -------
    DataFrame, or Summary where `out` is given
        The table has a row per image, in the order of the source: what is known of the image (`image`, and `mask`,
        `split`, `label`, `patient`, `sequence`, `slice` and others where known); `digest`, 32 hex digits over the
        settings, the version of tumortrace and the content of image and mask; the features,
        ``<extractor>_<feature>``; `status`, "ok", "incomplete" (some features undefined) or "failed" (no features);
        and `error`, the reason.

    Raises
    ------
    ValueError, TypeError
        If the source or the settings are not valid. An image that cannot be read is no error but a failed row.
    FileNotFoundError
        If the source, the settings file or the folder of `out` does not exist.

    Examples
    --------
    >>> import numpy as np
    >>> images = [np.arange(400).reshape(20, 20), np.eye(24)]
    >>> table = extract(images, {"first_order": {"levels": 8}})
    >>> table[["image", "first_order_mean", "status"]]
      image  first_order_mean status
    0     0        199.500000     ok
    1     1          0.041667     ok
    """
    if jobs is not None and (not isinstance(jobs, int) or isinstance(jobs, bool) or jobs < 1):
        raise ValueError(f"jobs is {jobs!r}; give a whole number of at least 1, or None for every available CPU")
    checked = Settings.of(settings, features=features)
    images = collect(source, masks)
    if checked.label == ALL_LABELS:
        images, checked = each_roi(images), checked.for_each_label()
    taken = sorted(set(images.identity.columns) & set(checked.columns))
    if taken:
        raise ValueError(f"the column {taken[0]!r} of the source has the name of a feature; rename it")
    if out is not None:
        return write_table(images, Compute(checked), Path(out), jobs=jobs, resume=resume, progress=progress)
    if resume:
        raise ValueError("resume needs out: the table to go on with")
    return to_frame(images, Compute(checked), jobs, progress)


def to_frame(images: Images, compute: Computes, jobs: int | None, progress: bool) -> pd.DataFrame:
    """Extract to memory; see `extract`."""
    import pandas as pd

    columns = list(compute.settings.columns)
    numbers = np.empty((len(images), len(columns)))
    digests, statuses, errors = [], [], []
    results = run(compute, images.items(), len(images), jobs)
    with closing(results), progress_bar(len(images), progress, compute.unit) as bar:
        for i, (_, row) in enumerate(results):
            assert row is not None
            numbers[i] = row.values
            digests.append(row.digest)
            statuses.append(row.status)
            errors.append(row.error)
            bar.update()
    first = images.identity.assign(**{AFTER_IDENTITY: digests})
    last = dict(zip(LAST, (statuses, errors), strict=True))
    return pd.concat([first, pd.DataFrame(numbers, columns=columns), pd.DataFrame(last)], axis=1)
