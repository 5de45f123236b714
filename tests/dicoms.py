"""DICOM files for the tests, made with pydicom: series, multi-frame images, segmentations, contours."""

from pathlib import Path

import numpy as np
import pydicom
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    RTStructureSetStorage,
    SegmentationStorage,
)

LabelMapSegmentationStorage = pydicom.uid.UID("1.2.840.10008.5.1.4.1.1.66.7")  # newer than pydicom 3.0

AXIAL = (1, 0, 0, 0, 1, 0)
SAGITTAL = (0, 1, 0, 0, 0, -1)
CORONAL = (1, 0, 0, 0, 0, -1)
OBLIQUE = (0.8, 0.6, 0.0, -0.48, 0.64, 0.6)
PATIENT = "Doe^Jane"  # must never turn up in what is returned or said

STUDY, SERIES, FRAME = (f"1.2.826.0.1.3680043.8.498.{n}" for n in (1, 2, 3))


def normal(orientation):
    return np.cross(orientation[:3], orientation[3:])


def positions(count, step, origin=(0.0, 0.0, 0.0), orientation=AXIAL):
    """The positions of slices `step` millimetres apart along the normal."""
    return [tuple(np.asarray(origin) + k * step * normal(orientation)) for k in range(count)]


def dataset(sop_class=MRImageStorage, **tags):
    """A data set of any kind, with a patient in it."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = sop_class
    data.SOPInstanceUID = pydicom.uid.generate_uid()
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.PatientName, data.PatientID, data.PatientBirthDate = PATIENT, "4711", "19600229"
    data.StudyInstanceUID, data.SeriesInstanceUID = STUDY, SERIES
    data.FrameOfReferenceUID = FRAME
    data.Modality, data.SeriesNumber, data.StudyDate = "MR", 3, "20200101"
    put(data, tags)
    return data


def put(data, tags):
    """Set attributes; None takes one away."""
    for name, value in tags.items():
        if value is None:
            if name in data:
                del data[name]
        else:
            setattr(data, name, list(value) if isinstance(value, tuple) else value)


def put_pixels(data, pixels):
    """Set the pixels, (rows, cols) or (frames, rows, cols), and what describes them."""
    pixels = np.ascontiguousarray(pixels)
    if pixels.ndim == 3:
        data.NumberOfFrames = len(pixels)
    data.Rows, data.Columns = pixels.shape[-2:]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    if pixels.dtype == bool:
        bits, stored = 1, np.packbits(pixels.ravel(), bitorder="little").tobytes()
    else:
        bits, stored = pixels.dtype.itemsize * 8, pixels.tobytes()
    data.BitsAllocated = data.BitsStored = bits
    data.HighBit, data.PixelRepresentation = bits - 1, int(pixels.dtype.kind == "i")
    data.PixelData = stored + b"\0" * (len(stored) % 2)
    data["PixelData"].VR = "OB" if bits <= 8 else "OW"


def save(path, data):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)
    return path


def write_slice(path, pixels, position=(0.0, 0.0, 0.0), orientation=AXIAL, spacing=(1.0, 1.0), **tags):
    """Write one slice; `tags` override whatever stands in it, the pixels' description included."""
    data = dataset(
        ImagePositionPatient=tuple(float(f"{v:.8g}") for v in position),
        ImageOrientationPatient=tuple(orientation),
        PixelSpacing=tuple(spacing),
        ImageType=("ORIGINAL", "PRIMARY", "M"),
    )
    put_pixels(data, pixels)
    put(data, tags)
    if "SOPClassUID" in tags:
        data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    return save(path, data)


def write_series(
    folder,
    volume,
    step=2.0,
    origin=(0.0, 0.0, 0.0),
    orientation=AXIAL,
    spacing=(1.0, 1.0),
    name="{:03}.dcm",
    **tags,
):
    """Write a volume (slices, rows, cols), first slice at `origin`; a tag that is a list has a value a slice."""
    places = positions(len(volume), step, origin, orientation)
    return [
        write_slice(
            Path(folder, name.format(k)),
            volume[k],
            places[k],
            orientation,
            spacing,
            **{tag: value[k] if isinstance(value, list) else value for tag, value in tags.items()},
        )
        for k in range(len(volume))
    ]


def write_dynamic(folder, series, *, times=None, **tags):
    """Write a series (phases, slices, rows, cols) under one UID; `times` maps a tag to its value in each phase."""
    for phase, volume in enumerate(series):
        own = {tag: values[phase] for tag, values in (times or {}).items()}
        write_series(folder, volume, name=f"{phase}-{{:03}}.dcm", **own, **tags)


def item(**tags):
    data = Dataset()
    put(data, tags)
    return data


def frame_groups(position, **groups):
    """The functional groups of a frame."""
    place = [item(ImagePositionPatient=tuple(float(v) for v in position))]
    return item(PlanePositionSequence=place, **{name: [item(**tags)] for name, tags in groups.items()})


def write_multiframe(path, volume, places, *, per_frame=None, orientation=AXIAL, spacing=(1.0, 1.0), **tags):
    """Write an enhanced MR image: `places` has the position of each frame, `per_frame` more groups of each."""
    data = dataset(EnhancedMRImageStorage, ImageType=("ORIGINAL", "PRIMARY", "M"))
    put_pixels(data, volume)
    data.SharedFunctionalGroupsSequence = [
        item(
            PlaneOrientationSequence=[item(ImageOrientationPatient=tuple(orientation))],
            PixelMeasuresSequence=[item(PixelSpacing=tuple(spacing), SliceThickness=9.0)],
        )
    ]
    groups = per_frame or [{} for _ in places]
    data.PerFrameFunctionalGroupsSequence = [
        frame_groups(place, **group) for place, group in zip(places, groups, strict=True)
    ]
    put(data, tags)
    return save(path, data)


def write_seg(path, frames, *, names=("tumour",), kind="BINARY", orientation=AXIAL, spacing=(1.0, 1.0), step=2.0):
    """Write a segmentation: `frames` is a list of (segment, position, pixels); segment None: a label map."""
    data = dataset(LabelMapSegmentationStorage if kind == "LABELMAP" else SegmentationStorage, Modality="SEG")
    data.SegmentationType = kind
    put_pixels(data, np.stack([pixels for _, _, pixels in frames]))
    if kind == "FRACTIONAL":
        data.MaximumFractionalValue, data.SegmentationFractionalType = 255, "PROBABILITY"
    data.SegmentSequence = [item(SegmentNumber=k, SegmentLabel=name) for k, name in enumerate(names, start=1)]
    data.SharedFunctionalGroupsSequence = [
        item(
            PlaneOrientationSequence=[item(ImageOrientationPatient=tuple(orientation))],
            PixelMeasuresSequence=[
                item(PixelSpacing=tuple(spacing), SliceThickness=step, SpacingBetweenSlices=step)
            ],
        )
    ]
    data.PerFrameFunctionalGroupsSequence = [
        frame_groups(position)
        if segment is None
        else frame_groups(position, SegmentIdentificationSequence={"ReferencedSegmentNumber": segment})
        for segment, position, _ in frames
    ]
    return save(path, data)


def write_rtstruct(path, rois, kind="CLOSED_PLANAR"):
    """Write contours: `rois` maps a name to a list of contours, arrays (points, 3) in millimetres."""
    data = dataset(RTStructureSetStorage, Modality="RTSTRUCT")
    data.StructureSetROISequence = [item(ROINumber=k, ROIName=name) for k, name in enumerate(rois, start=1)]
    data.ROIContourSequence = [
        item(
            ReferencedROINumber=k,
            ContourSequence=[
                item(
                    ContourGeometricType=kind,
                    NumberOfContourPoints=len(points),
                    ContourData=[f"{v:.6f}".rstrip("0") for v in np.ravel(points)],
                )
                for points in contours
            ],
        )
        for k, contours in enumerate(rois.values(), start=1)
    ]
    return save(path, data)


def ct(**tags):
    """Tags that make a slice one of CT."""
    return {"SOPClassUID": CTImageStorage, "Modality": "CT", "RescaleSlope": 1, "RescaleIntercept": -1024, **tags}
