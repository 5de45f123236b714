"""One row per dynamic series: its kinetics, the texture of its phases, and how that changes between them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from tumortrace import _check, io
from tumortrace.io import Image
from tumortrace.io._series import read_phases
from tumortrace.table._dynamics import TEXTURE, Dynamics
from tumortrace.table._extract import SettingsLike, to_frame
from tumortrace.table._gather import PhaseFiles, gather
from tumortrace.table._parameters import in_one_line
from tumortrace.table._rows import FAILED, INCOMPLETE, OK, Item, Row
from tumortrace.table._settings import ALL_LABELS, Settings
from tumortrace.table._source import Images, collect, each_roi
from tumortrace.table._write import Summary, write_table

if TYPE_CHECKING:
    import pandas as pd


@overload
def extract_series(
    source: Any,
    settings: SettingsLike = None,
    *,
    masks: Sequence[Any] | None = None,
    phases: Iterable[int] | None = None,
    times: Sequence[float] | None = None,
    texture: bool = True,
    kinetics: bool | Mapping[str, Any] = True,
    delta: str = "first",
    relative: bool = False,
    out: None = None,
    jobs: int | None = None,
    resume: bool = False,
    progress: bool = False,
) -> pd.DataFrame: ...


@overload
def extract_series(
    source: Any,
    settings: SettingsLike = None,
    *,
    masks: Sequence[Any] | None = None,
    phases: Iterable[int] | None = None,
    times: Sequence[float] | None = None,
    texture: bool = True,
    kinetics: bool | Mapping[str, Any] = True,
    delta: str = "first",
    relative: bool = False,
    out: str | os.PathLike[str],
    jobs: int | None = None,
    resume: bool = False,
    progress: bool = False,
) -> Summary: ...


def extract_series(
    source: Any,
    settings: SettingsLike = None,
    *,
    masks: Sequence[Any] | None = None,
    phases: Iterable[int] | None = None,
    times: Sequence[float] | None = None,
    texture: bool = True,
    kinetics: bool | Mapping[str, Any] = True,
    delta: str = "first",
    relative: bool = False,
    out: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    resume: bool = False,
    progress: bool = False,
) -> pd.DataFrame | Summary:
    """Compute one row per dynamic series: kinetics, texture of each phase, and its change between phases.

    Phases are taken to lie on one another: registration is for another program to do first.

    Parameters
    ----------
    source
        A folder, a manifest (.csv) or a file of series that hold all their phases (NIfTI or NRRD of four
        dimensions, a DICOM series with its phases under one UID), or a list of such paths or of arrays
        ``(phases, slices, rows, cols)``. Or a manifest, or DataFrame, with a row per phase: the columns `image`,
        `patient` and `phase` (a whole number, 0 before contrast) and perhaps `mask`, `lesion`, `roi` and `time`
        (seconds); rows that agree in patient, lesion and ROI are a series.
    settings : optional
        Of the texture, as `extract` takes them; each phase is preprocessed and filtered by itself. Without it the
        families of IBSI, but morphology: the mask is one for all phases.
    masks : sequence of array, path or None, optional
        One per series of a list. A mask has the shape of one phase.
    phases : iterable of int, optional
        Use these phases alone; the first is the one before contrast. By default all phases of the first series,
        and a series with others is a failed row.
    times : sequence of float, optional
        Seconds, one for each phase that is used, growing; they replace what the series say.
    texture : bool, default True
        Whether to compute texture.
    kinetics : bool or mapping, default True
        Whether to compute kinetics, or parameters of `features.kinetics` to do it with.
    delta : {"first", "previous", "none"}, default "first"
        What is taken from the texture of each phase: that of the first phase, of the one before it, or nothing.
    relative : bool, default False
        Add these differences divided by the absolute value of what is taken away.
    out, jobs, resume, progress
        As in `extract`. A process has one series in memory at a time.

    Returns
    -------
    DataFrame, or Summary where `out` is given
        As of `extract`, with a row per series, and these numbers:

        - ``kinetics_<feature>``: of `features.kinetics`, with time in seconds. So `time_to_peak` is in seconds,
          `wash_in` and `delayed_slope` are per second (times 60: per minute);
        - ``phase_<k>__[<region>__][<filter>__]<extractor>_<feature>``: texture of phase `k`;
        - ``delta_<k>_<j>__…``: texture of phase `k` minus that of phase `j`;
        - ``relative_<k>_<j>__…``: the same over the absolute value of that of phase `j`; NaN where that is 0.

        Of phases that are files of their own, `image` is the first. A series whose kinetics or texture cannot be
        computed has NaN there; `status` is "failed" where nothing can be.

    Raises
    ------
    ValueError, TypeError
        If the source, the settings or a parameter is not valid, or `phases` are not given and no series can be
        read. A series that cannot be read, lacks a phase, has phases on different grids or no times that grow where
        kinetics needs them, is no error but a failed row.
    FileNotFoundError
        If the source, the settings file or the folder of `out` does not exist.

    See Also
    --------
    extract_slices : a row per slice, from crops in a file per sequence and slice.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> series = 100 + np.arange(4).reshape(4, 1, 1, 1) * rng.random((4, 3, 8, 8))
    >>> table = extract_series([series], ["first_order"], times=(0, 60, 120, 180))
    >>> table[["kinetics_lesion_time_to_peak", "phase_0__first_order_mean", "status"]]
       kinetics_lesion_time_to_peak  phase_0__first_order_mean status
    0                         180.0                      100.0     ok
    """
    if not texture and kinetics is False:
        raise ValueError("texture and kinetics are both off; compute one at least")
    if resume and out is None:
        raise ValueError("resume needs out: the table to go on with")
    if jobs is not None:
        _check.integer("jobs", jobs, 1)
    checked = Settings.of(settings) if settings is not None else Settings.of(preset="ibsi", features=TEXTURE)
    images = gather(collect(source, masks))
    if checked.label == ALL_LABELS:
        images, checked = each_roi(images), checked.for_each_label()
    dynamics = Dynamics(
        checked,
        _numbers(images) if phases is None else _check.integers("phases", phases, 0),
        texture,
        None if kinetics is False else {} if kinetics is True else dict(kinetics),
        delta,
        relative,
        None if times is None else tuple(float(t) for t in times),
    )
    compute = ComputeSeries(dynamics, all_phases=phases is None)
    taken = sorted(set(images.identity.columns) & set(dynamics.columns))
    if taken:
        raise ValueError(f"the column {taken[0]!r} of the source has the name of a feature; rename it")
    if out is not None:
        return write_table(images, compute, Path(out), jobs=jobs, resume=resume, progress=progress)
    return to_frame(images, compute, jobs, progress)


@dataclass(frozen=True)
class ComputeSeries:
    """Items to their rows, one series after another; with `all_phases`, a series that has others is refused."""

    settings: Dynamics
    all_phases: bool
    unit: str = "series"

    def __call__(self, items: Sequence[Item]) -> list[Row | None]:
        """Compute the rows; None where the row of the earlier run has the same digest and stays as it is."""
        return [self._row(item) for item in items]

    def _row(self, item: Item) -> Row | None:
        digest = ""
        try:
            digest = self._digest(item)
            if digest == item.digest:
                return None
            values, reason = self.settings.compute(*self._read(item))
        except Exception as error:  # whatever it was belongs to this series: the row tells it, the batch goes on
            reason = in_one_line(error).removeprefix(f"{item.image}: ")
            return Row(digest, np.full(len(self.settings.columns), np.nan), FAILED, reason)
        undefined = np.isnan(values)
        if undefined.any():
            reason = reason or "some features are undefined on this series"
            return Row(digest, values, FAILED if undefined.all() else INCOMPLETE, reason)
        return Row(digest, values, OK, "")

    def _read(self, item: Item) -> tuple[Image, list[int]]:
        """Return a series with its mask, and where in it the chosen phases are."""
        wanted, source = self.settings.phases, _source(item)
        label, resample = item.roi or self.settings.settings.label, self.settings.settings.resample_mask
        mask = None if isinstance(item.mask, np.ndarray) else item.mask
        if isinstance(source, PhaseFiles):
            self._refuse_others(source.numbers)
            chosen = source.only(wanted)
            series = read_phases(chosen.paths, mask, label=label, resample=resample)
            series = replace(series, times=chosen.times)
            places = list(range(len(wanted)))
        else:
            if isinstance(source, np.ndarray):
                series = Image(_checked(source))
            else:
                series = io.read_lesion(source, mask, label=label, resample=resample, phases=True)
                _checked(series.array)
            self._refuse_others(range(len(series.array)))
            places = list(wanted)
        return (series if mask is item.mask else replace(series, mask=_fitting(item.mask, series))), places

    def _refuse_others(self, numbers: Sequence[int]) -> None:
        """Refuse a series that lacks a phase, or has others where all are meant."""
        wanted = self.settings.phases
        missing = [k for k in wanted if k not in numbers]
        if missing:
            raise ValueError(
                f"lacks phase {missing[0]}: it has {_phases(numbers)}; choose phases that all series have"
            )
        if self.all_phases and len(numbers) > len(wanted):
            first = _phases(wanted)
            raise ValueError(
                f"has {_phases(numbers)}, the first series {first}; choose phases that all series have"
            )

    def _digest(self, item: Item) -> str:
        """Hash the settings and the content of series and mask: equal digests mean equal numbers."""
        state = blake2b(self.settings.hash.encode(), digest_size=16)
        source = _source(item)
        if isinstance(source, PhaseFiles):
            source = source.only(self.settings.phases)
            state.update(repr((source.numbers, source.times)).encode())
            parts: list[Any] = [*source.paths, item.mask]
        else:
            parts = [source, item.mask]
        for part in parts:
            state.update(b"" if part is None else _content(part))
        state.update(item.roi.encode())
        return state.hexdigest()


def _source(item: Item) -> PhaseFiles | Path | NDArray[Any]:
    source: Any = item.image
    return source  # type: ignore[no-any-return]


def _checked(array: NDArray[Any]) -> NDArray[Any]:
    if array.ndim != 4:
        raise ValueError(
            f"has shape {array.shape}, and a series (phases, slices, rows, cols); where each phase is a file, give "
            "a manifest with the columns Patient and Phase"
        )
    return array


def _fitting(mask: Any, series: Image) -> NDArray[np.bool_]:
    inside = np.asarray(mask, dtype=bool)
    if inside.shape != series.array.shape[1:]:
        raise ValueError(f"mask has shape {inside.shape}; give the shape of a phase, {series.array.shape[1:]}")
    return inside


def _content(source: Any) -> bytes:
    """Return what tells the pixels of a file or an array from others."""
    if isinstance(source, np.ndarray):
        return f"{source.dtype.str}{source.shape}".encode() + source.tobytes()
    return io.fingerprint(source)


def _numbers(images: Images) -> tuple[int, ...]:
    """Return the numbers of the phases of the first series that can be read."""
    reasons = []
    for item in images.items():
        source = _source(item)
        if isinstance(source, PhaseFiles):
            return source.numbers
        try:
            array = source if isinstance(source, np.ndarray) else io.read_volume(source, phases=True).array
            return tuple(range(len(_checked(array))))
        except ValueError as error:
            reasons.append(in_one_line(error))
    raise ValueError(f"{images.name}: no series can be read, the first: {reasons[0]}")


def _phases(numbers: Sequence[int]) -> str:
    """Return the numbers of phases in words: those that follow one another by the first and the last."""
    if len(numbers) > 2 and list(numbers) == list(range(numbers[0], numbers[-1] + 1)):
        return f"phases {numbers[0]} to {numbers[-1]}"
    return f"phases {', '.join(map(str, numbers))}"
