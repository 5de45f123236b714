"""One row per slice: texture of every sequence side by side, and the kinetics of its phases."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tumortrace import _check
from tumortrace.features import FeatureVector
from tumortrace.table._extract import SettingsLike, to_frame
from tumortrace.table._phases import Course, Kinetics, Slice, phase_names
from tumortrace.table._pool import run
from tumortrace.table._presets import PRESETS
from tumortrace.table._record import put, record_path, versions
from tumortrace.table._rows import FAILED, INCOMPLETE, OK, Compute, Item, cells, numbers
from tumortrace.table._settings import Settings
from tumortrace.table._source import LAST, Images, collect
from tumortrace.table._wide import SLICE, safe_names, widen
from tumortrace.table._write import check_target, progress_bar, write_table

if TYPE_CHECKING:
    import pandas as pd

_NEEDED = ("patient", "sequence", "slice")


def extract_slices(
    source: Any,
    settings: SettingsLike = None,
    *,
    texture: bool = True,
    kinetics: bool | Mapping[str, Any] = True,
    phases: Sequence[str] | None = None,
    subtractions: Sequence[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    resume: bool = False,
    progress: bool = False,
) -> pd.DataFrame:
    """Compute one row per slice: the texture of each of its sequences, and the kinetics of its phases.

    Parameters
    ----------
    source
        As `extract` takes it: a folder in the BreaDM layout, a manifest, or a DataFrame with a column `image`. It
        must tell `patient`, `slice` and `sequence`.
    settings : optional
        Extractors of texture as `extract` takes them. Without it those of the preset "default", except
        `shape`: the size of a crop is a fingerprint of the patient.
    texture : bool, default True
        Whether to compute texture.
    kinetics : bool or mapping, default True
        Whether to compute kinetics, or parameters of `features.kinetics` to do it with.
    phases : sequence of str, optional
        The sequences that are the phases, the one before contrast first. By default those of BreaDM that the source
        has: ``VIBRANT``, ``VIBRANT+C1``, … ``VIBRANT+C8``.
    subtractions : sequence of str, optional
        The subtraction that belongs to each phase after contrast. From them `features.common_scale` recovers the
        scale of the phase before contrast, patient by patient. By default ``SUB1``, … ``SUB8``; with ``()`` the
        phases are taken to have one scale.
    out : path, optional
        Write the table to this .csv or .parquet file too, with a record beside it. The texture of each image goes
        to ``<name>.images.csv``.
    jobs : int, optional
        Worker processes; one per available CPU by default, 1 for none.
    resume : bool, default False
        Take over the rows of an earlier ``<name>.images.csv``, as `extract` does.
    progress : bool, default False
        Show progress bars on stderr.

    Returns
    -------
    DataFrame
        A row per slice in the order in which slices first occur. First those of `split`, `label`, `patient` and
        `slice` that are known; then ``<sequence>__image``, absolute paths (left out where images are arrays);
        ``<sequence>__<extractor>_<feature>``; ``kinetics_<feature>``; `status`, "ok", "incomplete" (some numbers
        are NaN) or "failed" (all are); and `error`, the reasons. Sequences are named as by `widen`. Its ``attrs``
        tell the `phases` and `subtractions` that were used.

    Raises
    ------
    ValueError, TypeError
        If the source, the settings or a parameter is not valid. A slice that lacks a phase, or whose phases differ
        in size, is no error but has NaN, and `error` says why.
    FileNotFoundError
        If the source, the settings file or the folder of `out` does not exist.

    Warns
    -----
    UserWarning
        If the source has none of the subtractions, and `subtractions` was not given.

    Notes
    -----
    Where an image has a mask, texture uses that of each image, and kinetics that of the first phase that has one.

    Examples
    --------
    >>> import tempfile
    >>> from tumortrace.io.synthetic import make_lesions
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     slices = extract_slices(make_lesions(folder, patients=2, slices=1), ["first_order"], jobs=1)
    >>> len(slices), slices.columns[-1], "vibrant_c1__first_order_mean" in slices
    (2, 'error', True)
    """
    if not texture and kinetics is False:
        raise ValueError("texture and kinetics are both off; compute one at least")
    if resume and out is None:
        raise ValueError("resume needs out: the table to go on with")
    if jobs is not None:
        _check.integer("jobs", jobs, 1)
    target = None if out is None else Path(out)
    if target is not None:
        check_target(target)
    images = collect(source)
    missing = [name for name in _NEEDED if name not in images.identity]
    if missing:
        raise ValueError(f"a slice table needs the columns {', '.join(_NEEDED)}; {images.name} lacks {missing[0]}")
    identity, rows = _layout(images)
    keys = identity.columns.tolist()
    function = None
    if kinetics is not False:
        names = phase_names(images.name, rows.columns.tolist(), phases, subtractions)
        function = Kinetics(*names, {} if kinetics is True else dict(kinetics))
        columns = function.names  # finds a parameter that is not valid before the work
    blocks = [identity, _paths(images, rows)]
    reasons = [[f"no {name}" for name in rows.columns[places < 0]] for places in rows.to_numpy()]
    made: dict[str, Any] = {"sequences": rows.columns.tolist()}
    if texture:
        checked = Settings.of(
            [name for name in PRESETS["default"]() if name != "shape"] if settings is None else settings
        )
        table = _per_image(images, checked, target, jobs, resume, progress)
        blocks.append(widen(table, by=keys, features=checked.columns).drop(columns=keys))
        _gather(reasons, rows, table["error"].tolist())
        made |= {"settings_hash": checked.hash, "settings": checked.content}
    if function is not None:
        groups = identity.groupby([name for name in keys if name != "slice"], sort=False, dropna=False).indices
        places = [np.asarray(group) for group in groups.values()]
        courses = _courses(images, rows, places, function, jobs, progress)
        blocks.append(_laid_out(courses, places, columns, reasons))
        made |= {"phases": function.phases, "subtractions": function.subtractions}
        patients = [str(identity["patient"].iloc[group[0]]) for group in places]
        scales = {patient: _plain(course) for patient, course in zip(patients, courses, strict=True)}
        made |= {"kinetics": function.parameters, "scales": scales}
    return _finished(blocks, reasons, made, images, target)


def _layout(images: Images) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what names each slice, and for each sequence the row of its image, −1 where there is none."""
    frame = images.identity.astype({"sequence": str})
    wide = widen(frame.assign(row=np.arange(len(frame))), features=["row"])
    names = frame["sequence"].unique().tolist()
    keys = [name for name in SLICE if name in frame]
    rows = wide.drop(columns=keys).fillna(-1).astype(int).set_axis(names, axis=1)
    return wide[keys], rows


def _paths(images: Images, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the absolute path of each image, empty where a slice lacks it; no column where images are arrays."""
    import pandas as pd

    if any(isinstance(image, np.ndarray) for image in images.images):
        return pd.DataFrame(index=rows.index)
    paths = np.array([*(str((images.root / image).absolute()) for image in images.images), ""], dtype=object)
    return pd.DataFrame({f"{name}__image": paths[rows[value]] for value, name in safe_names(list(rows)).items()})


def _per_image(
    images: Images, settings: Settings, target: Path | None, jobs: int | None, resume: bool, progress: bool
) -> pd.DataFrame:
    """Return the table of the images, which lies beside `target` too."""
    import pandas as pd

    if target is None:
        return to_frame(images, Compute(settings), jobs, progress)
    path = target.with_name(f"{target.stem}.images.csv")
    write_table(images, Compute(settings), path, jobs=jobs, resume=resume, progress=progress)
    n = len(settings.columns)
    values, last = np.empty((len(images), n)), []
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        next(lines)
        for i, row in enumerate(lines):
            values[i] = [float(cell) if cell else np.nan for cell in row[-n - len(LAST) : -len(LAST)]]
            last.append(row[-len(LAST) :])
    found = [pd.DataFrame(values, columns=list(settings.columns)), pd.DataFrame(last, columns=list(LAST))]
    return pd.concat([images.identity, *found], axis=1)


def _gather(reasons: list[list[str]], rows: pd.DataFrame, errors: Sequence[str]) -> None:
    """Add to the reasons of each slice what went wrong with its images."""
    for name in rows:
        for found, row in zip(reasons, rows[name], strict=True):
            if row >= 0 and errors[row]:
                found.append(f"{name}: {errors[row]}")


def _courses(
    images: Images,
    rows: pd.DataFrame,
    places: Sequence[NDArray[np.intp]],
    function: Kinetics,
    jobs: int | None,
    progress: bool,
) -> list[Course]:
    """Compute the kinetics of each patient, given the places of its slices."""
    items = [*images.items(), None]  # row −1 is no image

    def of(names: Sequence[str], place: int) -> list[Item | None]:
        return [items[rows[name].iloc[place]] if name in rows else None for name in names]

    def one(place: int) -> Slice:
        phases, subtractions = of(function.phases, place), of(function.subtractions, place)
        masks = [item.mask for item in phases if item is not None and item.mask is not None]
        first, second = (tuple(item and item.image for item in group) for group in (phases, subtractions))
        return Slice(first, second, masks[0] if masks else None)

    patients = ([one(int(place)) for place in group] for group in places)
    with closing(run(function, patients, len(places), jobs)) as results:
        courses = []
        with progress_bar(len(places), progress, "patient") as bar:
            for _, course in results:
                courses.append(course)
                bar.update()
    return courses


def _laid_out(
    courses: Sequence[Course], places: Sequence[NDArray[np.intp]], names: Sequence[str], reasons: list[list[str]]
) -> pd.DataFrame:
    """Return the numbers of each slice; adds to the reasons why some are NaN."""
    import pandas as pd

    values = np.full((len(reasons), len(names)), np.nan)
    for course, group in zip(courses, places, strict=True):
        for place, described in zip(group, course.slices, strict=True):
            if isinstance(described, FeatureVector):
                values[place] = np.asarray(described)
            why = described.reason if isinstance(described, FeatureVector) else described
            if why:
                reasons[place].append(f"kinetics: {why}")
    return pd.DataFrame(values, columns=[f"kinetics_{name}" for name in names])


def _finished(
    blocks: Sequence[pd.DataFrame],
    reasons: Sequence[Sequence[str]],
    made: dict[str, Any],
    images: Images,
    target: Path | None,
) -> pd.DataFrame:
    """Join the blocks, say how each slice fared, and write the table where it is to be written."""
    import pandas as pd

    features = pd.concat(blocks[2:], axis=1)
    undefined = features.isna()
    status = np.select([undefined.all(axis=1), undefined.any(axis=1)], [FAILED, INCOMPLETE], OK)
    last = dict(zip(LAST, (status, ["; ".join(why) for why in reasons]), strict=True))
    table = pd.concat([*blocks[:2], features, pd.DataFrame(last)], axis=1)
    if target is not None:
        _write(table, features.columns.tolist(), target)
        counts = table["status"].value_counts()
        content = {
            "table": target.name,
            "source": images.name,
            "root": str(images.root.absolute()),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "versions": versions(),
            "rows": len(table),
            INCOMPLETE: int(counts.get(INCOMPLETE, 0)),
            FAILED: int(counts.get(FAILED, 0)),
            **made,
        }
        put(record_path(target), content)
    table.attrs.update({name: made[name] for name in ("phases", "subtractions") if name in made})
    return table


def _write(table: pd.DataFrame, features: list[str], target: Path) -> None:
    """Write the table; it goes into place at once."""
    draft = target.with_name(target.name + ".new")
    if target.suffix == ".parquet":
        table.to_parquet(draft, index=False)
    else:
        first = table.columns.get_loc(features[0])
        before = table.iloc[:, :first].itertuples(index=False, name=None)
        last = table[list(LAST)].itertuples(index=False, name=None)
        with draft.open("wb") as file:
            file.write(cells(table.columns))
            for start, values, end in zip(before, table[features].to_numpy(), last, strict=True):
                file.write(b"%b,%b,%b" % (cells(start)[:-1], numbers(values), cells(end)))
    draft.replace(target)


def _plain(course: Course) -> dict[str, Any] | None:
    """Return the scale of a patient as JSON holds it."""
    scale = course.scale
    if scale is None:
        return None
    return {
        "k": None if np.isnan(scale.k) else scale.k,
        "r_squared": None if np.isnan(scale.r_squared) else scale.r_squared,
        "pixels": scale.pixels,
    }
