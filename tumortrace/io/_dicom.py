"""DICOM series: what a folder holds, and one series as an image.

A folder may hold several series, and one series UID several volumes: phases, echoes, planes of a localizer. Nothing
is guessed: what is no regular volume is refused, and the message says why.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tumortrace.io._dicom_phases import split
from tumortrace.io._dicom_pixels import fill
from tumortrace.io._dicom_plane import Plane, read_planes
from tumortrace.io._dicom_stack import SHIFT, Grid, stack
from tumortrace.io._error import ImageError
from tumortrace.io._image import Image
from tumortrace.io._voxels import MAX_VOXELS, check_shape

_ENDINGS = ("", ".dcm", ".dicom", ".ima")
_NO_DICOM = ("dicomdir", "license", "lockfile", "readme", "version")
_TOLERANCE = 1e-4  # headers of one series may round the same number differently


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Series:
    """The images of a folder that share a series UID and may make up one volume, or one for each phase.

    Parameters
    ----------
    key : str
        Eight hexadecimal digits that stay the same wherever the series is read: what `read_series` chooses by.
    number : int or None
        The number of the series in its study.
    modality, description, uid : str
        As in the headers. The description and the UID are not shown: people write names and dates into them.
    shape : tuple of int
        Rows and columns.
    localizer : bool
        Whether the images say that they are a localizer (scout).
    planes : list of Plane
        Where each image lies, in the order of the files.
    """

    key: str
    number: int | None
    modality: str
    description: str
    uid: str
    shape: tuple[int, int]
    localizer: bool
    planes: list[Plane] = field(default_factory=list)

    @property
    def files(self) -> list[Path]:
        """The files of the series, in the order of their names."""
        return list(dict.fromkeys(plane.path for plane in self.planes))

    def __repr__(self) -> str:
        number = "" if self.number is None else f", number {self.number}"
        kind = ", localizer" if self.localizer else ""
        images = f"{len(self.planes)} images of {self.shape[0]} × {self.shape[1]}"
        return f"Series({self.key!r}{number}, {self.modality}, {images}{kind})"


def list_series(path: str | os.PathLike[str]) -> list[Series]:
    """List the DICOM series of a folder and the folders below it, from the headers alone.

    Parameters
    ----------
    path : str or path
        A folder, or one DICOM file. Other files are passed over, if their names do not end like those of DICOM
        files (.dcm, .dicom, .ima, digits or nothing); so are DICOM files that are no images (reports,
        segmentations, dose, plans).

    Returns
    -------
    list of Series
        By number, then key. Images of one series UID that differ in size, spacing, orientation, frame of reference,
        image type, echo time or b-value are series of their own.

    Raises
    ------
    ImageError
        If the path does not exist, a file is no DICOM file though its name says so, or one is damaged.
    """
    found: list[Series] = []
    for file in _files(Path(path)):
        for plane in read_planes(file):
            for series in found:
                if not differences(series.planes[0], plane):
                    series.planes.append(plane)
                    break
            else:
                found.append(_series(plane))
    return sorted(found, key=lambda series: (series.number is None, series.number or 0, series.key))


def read_series(
    path: str | os.PathLike[str],
    *,
    series: int | str | None = None,
    phases: bool = False,
    max_voxels: int = MAX_VOXELS,
) -> Image:
    """Read a DICOM series: a folder of slices, or a multi-frame file.

    Parameters
    ----------
    path : str or path
        A folder, or one file.
    series : int or str, optional
        Which series: its number, key or UID, as `list_series` gives them. Without it, the only one that there is.
    phases : bool, default False
        Read all phases of a dynamic series.
    max_voxels : int, default 1_073_741_824
        Refuse a larger series before reading a pixel.

    Returns
    -------
    Image
        Its array has the shape (slices, rows, cols), or (phases, slices, rows, cols) with `phases`. Slices are in
        the order of the normal, the vector product of the direction of a row and of a column. Integers stay
        integers where slope and intercept of all slices are whole and the same; otherwise the values are float64.
        `times` are seconds since the first phase, None where the headers do not say.

    Raises
    ------
    ImageError
        If there are several series and none was chosen; if the images are no regular volume: a slice is missing or
        there twice, distances differ, slices are shifted against each other (tilted gantry), position, orientation
        or spacing is missing; if it is a localizer; if it is dynamic and `phases` is False, or the other way round;
        if the images are in colour or MONOCHROME1, have no pixels, are cut short, compressed in a way that no
        installed package decodes, or too large.

    Notes
    -----
    The distance between slices is that of their positions; a single slice has what its header says
    (`SpacingBetweenSlices`, else `SliceThickness`). Phases are told apart by the first of these that works:
    `TemporalPositionIdentifier` (in a multi-frame file `TemporalPositionIndex`, `TemporalPositionTimeOffset`),
    `AcquisitionNumber`, `TriggerTime`, then by the order in which the images at each place were taken
    (`TriggerTime`, `AcquisitionTime`, `ContentTime`). The time of a phase is that of its first image, from
    `TemporalPositionTimeOffset`, `TriggerTime` or `AcquisitionTime`, or from `TemporalResolution`.

    The checks of a volume are those of highdicom, with its tolerance for distances (1 %), and stricter for slices
    that are shifted against each other (a quarter of a pixel).
    """
    chosen = _choose(list_series(path), series, path)
    _refuse_no_volume(chosen, path)
    check_shape(path, (len(chosen.planes), *chosen.shape), max_voxels)
    parts = split(chosen.planes, path)
    if len(parts.planes) > 1 and not phases:
        raise ImageError(
            f"{path}: is a dynamic series of {len(parts.planes)} phases (by {parts.by}); read it with phases=True"
        )
    if len(parts.planes) == 1 and phases:
        raise ImageError(f"{path}: is one volume and no dynamic series; read it without phases")
    stacks = [stack(planes, path) for planes in parts.planes]
    grid = _common([grid for _, grid in stacks], path)
    array = fill([planes for planes, _ in stacks])
    return Image(
        array if phases else array[0],
        spacing=grid.spacing,
        source=str(path),
        origin=grid.origin,
        direction=grid.direction,
        times=parts.times,
    )


def _files(path: Path) -> Iterator[Path]:
    """Yield the files that are DICOM or ought to be, in a fixed order."""
    if not path.exists():
        raise ImageError(f"{path}: does not exist; give a folder of DICOM files, or one file")
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path, onerror=_refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            file = Path(folder, name)
            stem, ending = name.lower(), file.suffix.lower()
            expected = (ending in _ENDINGS or ending[1:].isdigit()) and stem not in _NO_DICOM
            if not name.startswith(".") and (expected or _says_dicom(file)):
                yield file


def _refuse(error: OSError) -> None:
    raise ImageError(f"{error.filename}: is a folder that cannot be listed: {error.strerror}") from error


def _says_dicom(file: Path) -> bool:
    """Tell whether a file begins as DICOM files do."""
    try:
        with file.open("rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:
        return False


def differences(one: Plane, other: Plane) -> list[str]:
    """Return in what two planes differ that keeps them from being slices of one volume."""
    pairs = [
        ("series", one.uid, other.uid),
        ("size", one.shape, other.shape),
        ("frame of reference", one.reference, other.reference),
        *((name, dict(one.kind).get(name), value) for name, value in other.kind),
    ]
    numbers = [
        ("spacing", one.spacing, other.spacing),
        ("orientation", one.orientation, other.orientation),
        ("position", one.position and (0.0,), other.position and (0.0,)),
    ]
    return [name for name, mine, yours in pairs if mine != yours] + [
        name for name, mine, yours in numbers if not _close(mine, yours)
    ]


def _close(mine: Sequence[float] | None, yours: Sequence[float] | None) -> bool:
    if mine is None or yours is None:
        return mine is yours
    return all(abs(a - b) <= _TOLERANCE for a, b in zip(mine, yours, strict=True))


def _series(plane: Plane) -> Series:
    """Return the series that a plane begins."""
    numbers = [f"{number:.3f}" for number in (*(plane.spacing or ()), *(plane.orientation or ()))]
    identity = repr((plane.uid, plane.reference, plane.kind, plane.shape, numbers))
    return Series(
        key=hashlib.sha256(identity.encode()).hexdigest()[:8],
        number=plane.number,
        modality=plane.modality,
        description=plane.description,
        uid=plane.uid,
        shape=plane.shape,
        localizer="LOCALIZER" in dict(plane.kind)["ImageType"].split("\\"),
        planes=[plane],
    )


def _choose(found: list[Series], series: int | str | None, path: object) -> Series:
    """Return the one series that is meant."""
    if not found:
        raise ImageError(f"{path}: holds no DICOM image; give a folder of slices, or a multi-frame file")
    wanted = [one for one in found if series is None or str(series) in (str(one.number), one.key, one.uid)]
    if len(wanted) == 1:
        return wanted[0]
    listed = ", ".join(map(repr, wanted or found))
    if not wanted:
        raise ImageError(f"{path}: has no series {series!r}; it holds {listed}")
    reasons = differences(wanted[0].planes[0], wanted[1].planes[0])
    why = "" if "series" in reasons else f" under one series UID, which differ in {' and '.join(reasons)}"
    raise ImageError(f"{path}: holds {len(wanted)} series{why}: {listed}; choose one by its key: series=...")


def _refuse_no_volume(series: Series, path: object) -> None:
    """Refuse a localizer, and images that do not say where they lie."""
    if series.localizer:
        raise ImageError(f"{path}: is a localizer (by its ImageType), not a volume; give the series itself")
    first = series.planes[0]
    needed = {
        "ImagePositionPatient": first.position,
        "ImageOrientationPatient": first.orientation,
        "PixelSpacing": first.spacing,
    }
    missing = [name for name, value in needed.items() if value is None]
    if missing:
        raise ImageError(
            f"{path}: does not say where its images lie (no {', '.join(missing)}), so they make no volume; "
            f"first file: {first.path.name}"
        )


def _common(grids: list[Grid], path: object) -> Grid:
    """Return the grid that all phases share."""
    first = grids[0]
    for number, grid in enumerate(grids[1:], start=2):
        shift = float(np.linalg.norm(np.subtract(grid.origin, first.origin)))
        if shift > SHIFT * min(first.spacing):
            raise ImageError(f"{path}: phase {number} lies {shift:.3g} mm off the first; all must lie on one grid")
    return first
