"""What the headers of DICOM files say of each image plane: where it lies, how it is stored, when it was taken.

A file holds one plane, or many (enhanced MR and CT). Only what is needed to make a volume is read: no name, no
identity and no date of birth of a patient is ever looked at.
"""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tumortrace.io._error import ImageError, missing_extra

if TYPE_CHECKING:
    from pydicom import Dataset

TAGS = [
    *("SOPClassUID", "Modality", "ImageType", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription"),
    *("FrameOfReferenceUID", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"),
    *("SliceThickness", "SpacingBetweenSlices", "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel"),
    *("PhotometricInterpretation", "BitsAllocated", "BitsStored", "PixelRepresentation"),
    *("RescaleSlope", "RescaleIntercept", "ModalityLUTSequence", "EchoTime", "DiffusionBValue"),
    *("TemporalPositionIdentifier", "TemporalResolution", "AcquisitionNumber", "TriggerTime"),
    *("AcquisitionDateTime", "AcquisitionDate", "AcquisitionTime", "ContentDate", "ContentTime"),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
]
"""All that is read of a header."""

_DEFLATED = b"1.2.840.10008.1.2.1.99"
_UNDEFINED = 0xFFFFFFFF  # a length that is told by a delimiter
_EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Plane:
    """One image plane: a file, or one frame of a file.

    Parameters
    ----------
    path, frame
        The file and the number of the frame in it, from 0.
    uid, number, modality, description
        Of its series.
    reference
        UID of the frame of reference; empty where there is none.
    kind : tuple of (str, str)
        Attributes that tell apart images of one place that are no phases: image type, echo time, b-value.
    shape : tuple of int
        Rows and columns.
    spacing : tuple of float, optional
        Millimetres between rows and between columns.
    orientation : tuple of float, optional
        Unit vectors of a row (towards higher columns) and of a column (towards higher rows).
    position : tuple of float, optional
        Centre of the first pixel, in millimetres.
    thickness : float, optional
        The distance between slices that the header claims: only a single slice needs it.
    slope, intercept
        Stored numbers times slope plus intercept are the values.
    bits, signed
        Bits that a stored number has, and whether it has a sign.
    moments : dict
        What may tell phases apart: name of an attribute to a number, times in seconds.
    step : float, optional
        Seconds between phases, where the header says.
    """

    path: Path
    frame: int
    uid: str
    number: int | None
    modality: str
    description: str
    reference: str
    kind: tuple[tuple[str, str], ...]
    shape: tuple[int, int]
    spacing: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    position: tuple[float, ...] | None
    thickness: float | None
    slope: float
    intercept: float
    bits: int
    signed: bool
    moments: dict[str, float] = field(default_factory=dict)
    step: float | None = None


def read_planes(path: Path) -> list[Plane]:
    """Return the planes of a DICOM image file, from its header alone; none if it is DICOM but no image.

    Raises
    ------
    ImageError
        If the file cannot be read, is no DICOM file, is cut short, in colour, or says something impossible.
    """
    header = read_header(path, TAGS)
    with guarded(path):
        return _planes(path, header) if _is_image(header) else []


@contextmanager
def guarded(path: object) -> Iterator[None]:
    """Turn whatever a damaged header makes pydicom raise into an ImageError, without quoting what stands in it.

    Values are looked at when they are asked for; one that is too long by a digit is no reason for a warning.
    """
    import pydicom

    try:
        with pydicom.config.disable_value_validation():
            yield
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(f"{path}: has a damaged DICOM header ({type(error).__name__}); export it anew") from error


def read_header(path: Path, tags: list[str] | None = None, *, pixels: bool = False) -> "Dataset":
    """Return the data set of a DICOM file, with some attributes or all, without or with its pixels."""
    try:
        import pydicom
    except ImportError:
        raise missing_extra(path, "pydicom", "a DICOM file") from None
    from pydicom.errors import InvalidDicomError

    try:
        _refuse_deflated(path)
        with pydicom.config.disable_value_validation():
            data = pydicom.dcmread(path, stop_before_pixels=not pixels, specific_tags=list(tags) if tags else None)
    except ImageError:
        raise
    except FileNotFoundError:
        raise ImageError(f"{path}: does not exist") from None
    except IsADirectoryError:
        raise ImageError(f"{path}: is a folder; give a DICOM file") from None
    except InvalidDicomError:
        raise ImageError(f"{path}: is no DICOM file: 'DICM' does not stand after its first 128 bytes") from None
    except OSError as error:
        raise ImageError(f"{path}: cannot be read: {error.strerror or error}") from error
    except Exception as error:
        raise ImageError(f"{path}: has a damaged DICOM header ({type(error).__name__}); export it anew") from error
    if "MediaStorageSOPClassUID" not in data.file_meta or "TransferSyntaxUID" not in data.file_meta:
        raise ImageError(f"{path}: is cut short: its DICOM header is not complete")
    for element in data.values():  # pydicom takes what is there of the last value for the whole
        whole = getattr(element, "length", _UNDEFINED)
        if whole != _UNDEFINED and whole > len(element.value or b""):
            raise ImageError(f"{path}: is cut short: the file ends within the value of {element.tag}")
    return data


def _refuse_deflated(path: Path) -> None:
    """Refuse a file that is compressed as a whole: how large it will be is not known before it is in memory."""
    with path.open("rb") as file:
        if _DEFLATED in file.read(1024):
            raise ImageError(
                f"{path}: is deflated (transfer syntax {_DEFLATED.decode()}); save it with another, "
                "such as Explicit VR Little Endian"
            )


def _is_image(header: "Dataset") -> bool:
    """Tell an image from a report, segmentation, dose or plan; a private kind with rows is taken for an image."""
    kind = header.file_meta.MediaStorageSOPClassUID
    return "Image Storage" in kind.name or (kind.is_private and "Rows" in header)


def _planes(path: Path, header: "Dataset") -> list[Plane]:
    for name in ("Rows", "Columns", "SeriesInstanceUID", "BitsAllocated", "PhotometricInterpretation"):
        if header.get(name) is None:
            raise ImageError(f"{path}: is cut short or no image: its DICOM header has no {name}")
    colour = str(header.PhotometricInterpretation)
    if colour == "MONOCHROME1":
        raise ImageError(f"{path}: stores white as its lowest value (MONOCHROME1); save it as MONOCHROME2")
    if colour != "MONOCHROME2" or header.get("SamplesPerPixel", 1) != 1:
        raise ImageError(f"{path}: is in colour ({colour}); give grey images (MONOCHROME2)")
    if "ModalityLUTSequence" in header:
        raise ImageError(
            f"{path}: turns stored numbers into values by a table (Modality LUT); save it with a slope"
        )
    if header.Rows < 1 or header.Columns < 1:
        raise ImageError(f"{path}: has {header.Rows} rows and {header.Columns} columns; both must be above 0")
    stored = header.get("BitsStored") or header.BitsAllocated
    if header.BitsAllocated not in (8, 16, 32) or not 1 <= stored <= header.BitsAllocated:
        raise ImageError(
            f"{path}: stores {stored} bits of a pixel in {header.BitsAllocated}; give 8, 16 or 32 bits"
        )
    _refuse_short(path, header)
    shared = next(iter(header.get("SharedFunctionalGroupsSequence") or []), None)
    groups = header.get("PerFrameFunctionalGroupsSequence")
    frames = int(header.get("NumberOfFrames") or 1)
    if groups is None and frames > 1:
        raise ImageError(f"{path}: holds {frames} frames and does not say where each lies; give a series of slices")
    if groups is not None and len(groups) != frames:
        raise ImageError(f"{path}: says that it holds {frames} frames, and where {len(groups)} of them lie")
    return [_plane(path, i, Attributes(header, shared, own)) for i, own in enumerate(groups or [None])]


def _refuse_short(path: Path, header: "Dataset") -> None:
    """Refuse a file that is smaller than the pixels it announces, before anything is made of that size."""
    frames = int(header.get("NumberOfFrames") or 1)
    needed = header.Rows * header.Columns * frames * int(header.BitsAllocated) // 8
    size = path.stat().st_size
    compressed = header.file_meta.TransferSyntaxUID.is_compressed
    if not compressed and size < needed:
        raise ImageError(
            f"{path}: is cut short or no image: {frames} × {header.Rows} × {header.Columns} pixels need "
            f"{needed:,} bytes, and the file has {size:,}"
        )


class Attributes:
    """The attributes of one frame: its own functional groups, the shared ones, and the header, in that order."""

    def __init__(self, header: "Dataset", shared: "Dataset | None", own: "Dataset | None") -> None:
        self._header = header
        self._groups = [group for group in (own, shared) if group is not None]

    def get(self, name: str, macro: str = "") -> Any:
        """Return an attribute, from the functional group `macro` where there is one; None where it is absent."""
        for group in self._groups if macro else ():
            items = group.get(macro)
            if items and items[0].get(name) is not None:
                return items[0].get(name)
        return self._header.get(name)

    def floats(self, name: str, macro: str, count: int) -> tuple[float, ...] | None:
        """Return an attribute of `count` finite numbers; None where it is absent or empty."""
        value = self.get(name, macro)
        if value is None or value == "":
            return None
        numbers = tuple(float(v) for v in (value if count > 1 else [value]))
        if len(numbers) != count or not all(map(math.isfinite, numbers)):
            raise ImageError(f"{self._header.filename}: {name} is {value}; it must be {count} finite numbers")
        return numbers

    def number(self, name: str, macro: str = "") -> float | None:
        """Return an attribute of one finite number; None where it is absent or empty."""
        numbers = self.floats(name, macro, 1)
        return numbers[0] if numbers else None


def _plane(path: Path, frame: int, of: Attributes) -> Plane:
    spacing = of.floats("PixelSpacing", "PixelMeasuresSequence", 2)
    if spacing and min(spacing) <= 0:
        raise ImageError(f"{path}: PixelSpacing is {spacing} mm; both must be above 0")
    number = of.number("SeriesNumber")
    slope = of.number("RescaleSlope", "PixelValueTransformationSequence")
    if slope == 0:
        raise ImageError(f"{path}: RescaleSlope is 0, which makes every value the same; it must be another number")
    resolution = of.number("TemporalResolution")
    return Plane(
        path=path,
        frame=frame,
        uid=str(of.get("SeriesInstanceUID")),
        number=None if number is None else int(number),
        modality=str(of.get("Modality") or ""),
        description=str(of.get("SeriesDescription") or ""),
        reference=str(of.get("FrameOfReferenceUID") or ""),
        kind=tuple(_kind(of)),
        shape=(int(of.get("Rows")), int(of.get("Columns"))),
        spacing=spacing,
        orientation=of.floats("ImageOrientationPatient", "PlaneOrientationSequence", 6),
        position=of.floats("ImagePositionPatient", "PlanePositionSequence", 3),
        thickness=of.number("SpacingBetweenSlices", "PixelMeasuresSequence")
        or of.number("SliceThickness", "PixelMeasuresSequence"),
        slope=1.0 if slope is None else slope,
        intercept=of.number("RescaleIntercept", "PixelValueTransformationSequence") or 0.0,
        bits=int(of.get("BitsStored") or of.get("BitsAllocated")),
        signed=bool(of.get("PixelRepresentation")),
        moments=dict(_moments(of)),
        step=resolution / 1000 if resolution else None,
    )


def _kind(of: Attributes) -> Iterator[tuple[str, str]]:
    kind = of.get("FrameType", "MRImageFrameTypeSequence") or of.get("FrameType", "CTImageFrameTypeSequence")
    kind = kind or of.get("ImageType") or ""
    yield "ImageType", kind if isinstance(kind, str) else "\\".join(kind)
    echo = of.number("EffectiveEchoTime", "MREchoSequence") or of.number("EchoTime")
    yield "EchoTime", f"{echo or 0:g} ms"
    yield "DiffusionBValue", f"{of.number('DiffusionBValue', 'MRDiffusionSequence') or 0:g} s/mm²"


def _moments(of: Attributes) -> Iterator[tuple[str, float]]:
    """Yield what may tell phases apart, in the order in which `split` tries it."""
    position = of.number("TemporalPositionIndex", "FrameContentSequence")
    acquisition = of.number("FrameAcquisitionNumber", "FrameContentSequence")
    trigger = of.number("NominalCardiacTriggerDelayTime", "CardiacSynchronizationSequence")
    found = {
        "TemporalPositionIdentifier": of.number("TemporalPositionIdentifier") if position is None else position,
        "TemporalPositionTimeOffset": of.number("TemporalPositionTimeOffset", "TemporalPositionSequence"),
        "AcquisitionNumber": of.number("AcquisitionNumber") if acquisition is None else acquisition,
        "TriggerTime": _seconds(of.number("TriggerTime") if trigger is None else trigger),
        "AcquisitionTime": _clock(
            of.get("FrameAcquisitionDateTime", "FrameContentSequence") or of.get("AcquisitionDateTime"),
            of.get("AcquisitionDate"),
            of.get("AcquisitionTime"),
        ),
        "ContentTime": _clock(None, of.get("ContentDate"), of.get("ContentTime")),
    }
    yield from ((name, value) for name, value in found.items() if value is not None)


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _clock(moment: Any, date: Any, time: Any) -> float | None:
    """Return the seconds of a DICOM date and time since some fixed day; without a date, since midnight."""
    text = str(moment or (f"{date or '19700101'}{time}" if time else ""))
    match = re.match(r"(\d{14})(\.\d+)?", text)
    if not match:
        return None
    try:
        instant = datetime.strptime(match[1], "%Y%m%d%H%M%S")
    except ValueError:
        return None
    return (instant - _EPOCH).total_seconds() + float(match[2] or 0)
