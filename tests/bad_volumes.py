"""Volumes that cannot be measured, and some at the edge of what can: how to write them, and what is said of each.

Names are those of rows: a file, or a folder of DICOM files. What lies beside ``x.nii`` as ``x_mask.nii`` is its
mask.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import dicoms
import numpy as np
import PIL.Image
from volumes import mha, nifti, nrrd, packed

_RNG = np.random.default_rng(40)
IMAGE = _RNG.integers(-200, 800, (6, 10, 12)).astype(np.int16)
MASK = np.zeros(IMAGE.shape, dtype=np.uint8)
MASK[1:5, 2:8, 3:10] = 1
MASK[1, 2, 3:6] = 0
SERIES = IMAGE.astype(np.uint16) % 900
IDENTITY_SFORM = (-0.25, 0, 0, -10.0, 0, -0.5, 0, 20.0, 0, 0, 3.0, 30.5)


class Bad(NamedTuple):
    """How to write an input into a folder, and the pattern of what its row has to say."""

    write: Callable[[Path], object]
    error: str


def _file(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


def _masked(mask: bytes, image: bytes | None = None) -> Callable[[Path], object]:
    """Write an image and a mask beside it."""

    def write(path: Path) -> None:
        path.write_bytes(nifti(IMAGE) if image is None else image)
        path.with_name(f"{path.name.partition('.')[0]}_mask.nii").write_bytes(mask)

    return write


def _series(*changes: Callable[[Path], object], volume=SERIES, **tags) -> Callable[[Path], object]:
    """Write a DICOM series, then change some of it."""

    def write(folder: Path) -> None:
        dicoms.write_series(folder, volume, **tags)
        for change in changes:
            change(folder)

    return write


def _cut(name: str, count: int) -> Callable[[Path], object]:
    """Take bytes from the end of a file."""

    def change(folder: Path) -> None:
        data = Path(folder, name).read_bytes()
        Path(folder, name).write_bytes(data[:-count])

    return change


def _one_more(**given) -> Callable[[Path], object]:
    given = {"pixels": SERIES[0], "position": (0, 0, 0)} | given
    return lambda folder: dicoms.write_slice(Path(folder, "more.dcm"), **given)


def _at(array, index, value, dtype=np.float64):
    changed = np.array(array, dtype=dtype)
    changed[index] = value
    return changed


def _detached(name: str, header: Callable[..., bytes], field: str, data: bool = False) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        path.write_bytes(header(IMAGE, data=b"", **{field: name}))
        if data:
            Path(path.parent, name).symlink_to(path.parent.parent / "elsewhere.raw")

    return write


def _link(path: Path, target: str) -> None:
    path.symlink_to(target)


_NIFTI, _NRRD, _MHA = nifti(IMAGE), nrrd(IMAGE), mha(IMAGE)
_TURNED = (-0.25, 0, 0, -10.0, 0, 0, -3.0, 20.0, 0, 0.5, 0, 30.5)

FILES = {
    # cut short
    "cut.nii": Bad(_file(_NIFTI[:-100]), r"is cut short: its header announces 1,440 bytes of voxels, 1,340 are"),
    "cut_header.nii": Bad(_file(_NIFTI[:200]), r"is cut short: 200 bytes, and the header of NIfTI has 348"),
    "cut_off.nii": Bad(_file(_NIFTI[:352]), r"announces 1,440 bytes of voxels, 0 are there"),
    "cut.nii.gz": Bad(_file(packed(_NIFTI)[:-300]), r"is cut short: its compressed data end early"),
    "cut_last.nii.gz": Bad(_file(packed(_NIFTI)[:-4]), r"is cut short: its compressed data end early"),
    "cut.nrrd": Bad(_file(_NRRD[:-1]), r"is cut short: its header announces 1,440 bytes of voxels, 1,439 are"),
    "cut_header.nrrd": Bad(_file(_NRRD[:60]), r"is (cut short or )?damaged: its header"),
    "cut_packed.nrrd": Bad(
        _file(nrrd(IMAGE, data=packed(IMAGE.tobytes())[:-200], encoding="gzip")), r"is cut short: its compressed"
    ),
    "cut.mha": Bad(_file(_MHA[:-40]), r"is cut short: its header announces 1,440 bytes of voxels, 1,400 are"),
    "cut_header.mha": Bad(_file(_MHA[:90]), r"is damaged: line 5 of its header"),
    "cut.dcm": Bad(_series(_cut("002.dcm", 30)), r"002\.dcm: is cut short"),
    "cut_header.dcm": Bad(_series(_cut("002.dcm", 500)), r"002\.dcm: (is cut short|has a damaged DICOM header)"),
    # sizes that are none
    "huge.nii": Bad(
        _file(nifti(IMAGE, dim=(3, 32767, 32767, 32767))), r"32,767 × 32,767 × 32,767 voxels, more than"
    ),
    "huge.nii.gz": Bad(_file(packed(nifti(IMAGE, dim=(3, 1000, 1000, 1000)))), r"cannot hold as many"),
    "huge.nrrd": Bad(_file(nrrd(IMAGE, sizes="99999 99999 99999")), r"99,999 × 99,999 × 99,999 voxels, more than"),
    "huge.mha": Bad(_file(mha(IMAGE, DimSize="99999 99999 99999")), r"99,999 × 99,999 × 99,999 voxels, more than"),
    "huge.dcm": Bad(_series(Rows=65535, Columns=65535), r"cut short or no image: 1 × 65535 × 65535 pixels need"),
    "large.nii": Bad(
        _file(nifti(IMAGE, dim=(3, 1000, 1000, 1000))), r"announces 2,000,000,000 bytes of voxels, 1,4"
    ),
    "negative.nii": Bad(
        _file(nifti(IMAGE, dim=(3, 12, -10, 6))), r"the size 12 × -10 × 6; every size is 1 at least"
    ),
    "zero.nii": Bad(_file(nifti(IMAGE, dim=(3, 12, 0, 6))), r"the size 12 × 0 × 6; every size is 1 at least"),
    "negative.nrrd": Bad(_file(nrrd(IMAGE, sizes="12 -10 6")), r"the size 12 × -10 × 6; every size is 1 at least"),
    "negative.mha": Bad(_file(mha(IMAGE, DimSize="12 -10 6")), r"the size 12 × -10 × 6; every size is 1 at least"),
    "dimensions.nii": Bad(_file(nifti(IMAGE, dim=(-3, 12, 10, 6))), r"gives -3 dimensions"),
    "four.nii": Bad(_file(nifti(np.stack([IMAGE] * 3))), r"is a series of 3 volumes; save the one that is meant"),
    "four.nrrd": Bad(
        _file(nrrd(np.stack([IMAGE] * 3), kinds=None, space_directions=None, space=None, space_origin=None)),
        r"is a series of 3 volumes",
    ),
    "four.mha": Bad(_file(mha(np.stack([IMAGE] * 3))), r"is a series of 3 volumes"),
    "five.nii": Bad(
        _file(nifti(np.zeros((2, 2, 6, 10, 12), np.int16), pixdim=(1, 1, 1, 1, 1, 1), codes=(0, 0))),
        r"has 5 dimensions, 12 × 10 × 6 × 2 × 2",
    ),
    # voxels that are no grey values
    "complex.nii": Bad(_file(nifti(IMAGE, datatype=32, bitpix=64)), r"data type 32 \(complex\); give integers"),
    "rgb.nii": Bad(_file(nifti(IMAGE, datatype=128, bitpix=24)), r"data type 128 \(RGB\); give integers"),
    "bits.nii": Bad(_file(nifti(IMAGE, bitpix=32)), r"its data type 4 has 16 bits, its header 32"),
    "rgb.nrrd": Bad(_file(nrrd(IMAGE, kinds="RGB-color domain domain")), r"an axis of kind rgb-color"),
    "block.nrrd": Bad(_file(nrrd(IMAGE, type="block")), r"voxels of type 'block'"),
    "rgb.mha": Bad(_file(mha(IMAGE, ElementNumberOfChannels=3)), r"has 3 channels in a voxel"),
    "rgb.dcm": Bad(_series(SamplesPerPixel=3, PhotometricInterpretation="RGB"), r"000\.dcm: is in colour \(RGB\)"),
    "nan.nii": Bad(
        _masked(nifti(MASK), nifti(_at(IMAGE, (2, 4, 5), np.nan))), r"1 of its 720 voxels are NaN .* at \[2, 4, 5\]"
    ),
    "inf.nrrd": Bad(_file(nrrd(_at(IMAGE, 1, -np.inf))), r"120 of its 720 voxels are NaN or infinite"),
    "scale.nii": Bad(_file(nifti(IMAGE, scale=(np.inf, 0.0))), r"scales the voxels by inf and 0"),
    # voxels that are elsewhere
    "outside.nhdr": Bad(_detached("../elsewhere.raw", nrrd, "data_file"), r"in the folder of the header"),
    "absolute.nhdr": Bad(_detached("/etc/passwd", nrrd, "data_file"), r"in the folder of the header"),
    "missing.nhdr": Bad(_detached("gone.raw", nrrd, "data_file"), r"gone\.raw: does not exist"),
    "spread.nhdr": Bad(_detached("LIST", nrrd, "data_file"), r"over several files; save them as one"),
    "linked.nhdr": Bad(_detached("linked.raw", nrrd, "data_file", True), r"a link out of the folder of the header"),
    "outside.mhd": Bad(_detached("../elsewhere.raw", mha, "ElementDataFile"), r"in the folder of the header"),
    "absolute.mhd": Bad(_detached("/etc/passwd", mha, "ElementDataFile"), r"in the folder of the header"),
    "missing.mhd": Bad(_detached("gone.raw", mha, "ElementDataFile"), r"gone\.raw: does not exist"),
    "without_pixels.dcm": Bad(
        _series(_one_more(position=(0, 0, 12.0), PixelData=None)), r"more\.dcm: has no pixel data"
    ),
    # DICOM series that are no volume
    "gap": Bad(_series(lambda folder: Path(folder, "003.dcm").unlink()), r"(?i)missing|gap"),
    "duplicate": Bad(_series(_one_more(position=(0, 0, 4.0))), r"(?i)two|twice|same place|at one place"),
    "uneven": Bad(_series(_one_more(position=(0, 0, 13.1))), r"(?i)distance|apart"),
    "mixed_shapes": Bad(
        _series(_one_more(pixels=SERIES[0, 1:], position=(0, 0, 12.0))),
        r"under one series UID, which differ in size",
    ),
    "dynamic": Bad(
        lambda folder: dicoms.write_dynamic(folder, [SERIES] * 2, times={"TemporalPositionIdentifier": (1, 2)}),
        r"is a dynamic series of 2 phases",
    ),
    "localizer": Bad(
        _series(ImageType=("ORIGINAL", "PRIMARY", "LOCALIZER")), r"is a localizer \(by its ImageType\)"
    ),
    "nowhere": Bad(_series(ImagePositionPatient=None), r"does not say where its images lie \(no ImagePosition"),
    "tilted": Bad(
        _series(ImagePositionPatient=[(0, 1.0 * k, 2.0 * k) for k in range(len(SERIES))]), r"(?i)shifted|tilt"
    ),
    "skew.dcm": Bad(_series(ImageOrientationPatient=(1, 0, 0, 0.5, 1, 0)), r"two perpendicular unit vectors"),
    # geometry
    "zero_spacing.nii": Bad(
        _file(nifti(IMAGE, pixdim=(1, 0, 0.5, 3.0))), r"spacing 0 × 0\.5 × 3; give numbers above 0"
    ),
    "nan_spacing.nii": Bad(_file(nifti(IMAGE, pixdim=(1, np.nan, 0.5, 3.0))), r"spacing nan × 0\.5 × 3; give"),
    "two_spacings.nii": Bad(_file(nifti(IMAGE, pixdim=(1, 2.0, 0.5, 3.0))), r"gives two spacings"),
    "zero_spacing.nrrd": Bad(
        _file(nrrd(IMAGE, space_directions="(0,0,0) (0,0.5,0) (0,0,3)")),
        r"spacing 0 × 0\.5 × 3; give numbers above 0",
    ),
    "zero_spacing.mha": Bad(
        _file(mha(IMAGE, ElementSpacing="0 0.5 3")), r"spacing 0 × 0\.5 × 3; give numbers above 0"
    ),
    "zero_spacing.dcm": Bad(
        _series(PixelSpacing=(0.0, 1.0)), r"PixelSpacing is \(0\.0, 1\.0\) mm; both must be above"
    ),
    "skew.nii": Bad(
        _file(nifti(IMAGE, sform=(-0.25, 0.2, 0, 0, 0, -0.4583, 0, 0, 0, 0, 3.0, 0))), r"are not at right angles"
    ),
    # files that are none
    "folder.nii": Bad(lambda path: path.mkdir(), r"holds no DICOM image"),
    "empty.nii": Bad(_file(b""), r"is empty \(0 bytes\)"),
    "empty.nrrd": Bad(_file(b""), r"is empty \(0 bytes\)"),
    "empty.mha": Bad(_file(b""), r"is empty \(0 bytes\)"),
    "text.nii.gz": Bad(_file(b"not a volume\n" * 60), r"is no NIfTI: the magic bytes are"),
    "text.nrrd": Bad(_file(b"not a volume\n" * 60), r"is damaged: its header"),
    "text.dcm": Bad(
        lambda path: dicoms.Path(path).mkdir() or Path(path, "a.dcm").write_text("no image\n" * 60),
        r"a\.dcm: is no DICOM file",
    ),
    "nothing.nii.gz": Bad(_file(packed(b"")), r"is cut short: 0 bytes, and the header of NIfTI has 348"),
    "flipped.nii.gz": Bad(_file(packed(_NIFTI)[:-8] + b"crc?" + packed(_NIFTI)[-4:]), r"is damaged:"),
    "garbage.nii": Bad(_file(_NIFTI + b"more"), r"holds more than the 1,440 bytes of voxels"),
    "garbage.nii.gz": Bad(_file(packed(_NIFTI + b"more")), r"holds more than the 1,440 bytes of voxels"),
    "after.nii.gz": Bad(_file(packed(_NIFTI) + b"more"), r"other data follow the compressed ones"),
    "garbage.nrrd": Bad(_file(_NRRD + b"\0"), r"holds more than the 1,440 bytes of voxels"),
    "garbage.mha": Bad(_file(_MHA + b"\0"), r"holds more than the 1,440 bytes of voxels"),
    "loop.nii": Bad(lambda path: _link(path, path.name), r"cannot be read: Too many levels of symbolic links"),
    "broken_link.nii": Bad(lambda path: _link(path, "nowhere.nii"), r"does not exist"),
    "locked.nii": Bad(_file(_NIFTI), r"cannot be read: Permission denied"),
    # masks
    "void.nii": Bad(_masked(nifti(MASK * 0)), r"^mask: the mask is empty: no voxel is inside"),
    "several.nii": Bad(
        _masked(nifti(MASK + MASK * (IMAGE > 300))), r"^mask: holds 2 regions: 1, 2; choose one, or loop"
    ),
    "fractions.nii": Bad(_masked(nifti(MASK * 0.5)), r"^mask: holds 0\.5; the voxels of a mask are whole numbers"),
    "hole.nii": Bad(_masked(nifti(_at(MASK, (0, 0, 0), np.nan))), r"^mask: 1 of its 720 voxels are NaN"),
    "below_zero.nii": Bad(_masked(nifti(-MASK.astype(np.int8))), r"^mask: holds the label -1"),
    "short.nii": Bad(_masked(nifti(MASK)[:-9]), r"^mask: is cut short"),
    "words.nii": Bad(_masked(b"no mask\n" * 60), r"^mask: is no NIfTI"),
    "grid_shape.nii": Bad(
        _masked(nifti(MASK[:, :, :-1])), r"^mask: lies on another grid .* shape is 6 × 10 × 11, not 6"
    ),
    "grid_spacing.nii": Bad(
        _masked(nifti(MASK, pixdim=(1, 0.25, 0.5, 2.5), sform=(-0.25, 0, 0, -10, 0, -0.5, 0, 20, 0, 0, 2.5, 30.5))),
        r"^mask: lies on another grid .* its spacing differs by 0\.5 mm",
    ),
    "grid_origin.nii": Bad(
        _masked(nifti(MASK, sform=(-0.25, 0, 0, -12, 0, -0.5, 0, 20, 0, 0, 3.0, 30.5))),
        r"^mask: lies on another grid .* its origin by 2 mm.*--resample-mask",
    ),
    "grid_direction.nii": Bad(
        _masked(nifti(MASK, sform=(0.25, 0, 0, -10, 0, -0.5, 0, 20, 0, 0, 3.0, 30.5))),
        r"^mask: lies on another grid .* its axes by 180°",
    ),
    "huge_values.nii": Bad(_masked(nifti(MASK), nifti(IMAGE * 1e300)), r"image is beyond 1e60"),
}
"""What a folder holds: name → how to write it, and what is to be said."""


def _only(*index) -> np.ndarray:
    return _at(MASK * 0, index, 1, np.uint8)


_GEARY = {"morphology_morans_i_index", "morphology_gearys_c_measure"}
_ELLIPSOIDS = {f"morphology_{what}_density_approximate_enclosing_ellipsoid" for what in ("volume", "area")}
_AXES = {f"morphology_{name}_axis_length" for name in ("major", "minor", "least")}

EDGE = {
    "one_voxel.nii": (_only(3, 5, 6), IMAGE),
    "constant.nii": (MASK, np.where(MASK, 7, IMAGE).astype(np.int16)),
    "one_slice.nii": (_only(3, slice(2, 8), slice(3, 10)), IMAGE),
    "border.nii": (_only(slice(0, 2), slice(0, 5), slice(0, 5)), IMAGE),
    "whole.nii": (MASK * 0 + 1, IMAGE),
    "apart.nii": (_only([0, 5], [0, 9], [0, 11]), IMAGE),
    "two_d.nii": (MASK[2], IMAGE[2]),
    "large_values.nii": (MASK, IMAGE * 1e50),
}
"""Volumes with their masks of which some features are not defined, or one might think so."""

UNDEFINED = {
    "one_voxel.nii": (
        {"glcm", "ngtdm"},
        _AXES | _ELLIPSOIDS | _GEARY | {"morphology_elongation", "morphology_flatness"},
    ),
    "constant.nii": (set(), _GEARY),
    "one_slice.nii": (set(), {"morphology_volume_density_approximate_enclosing_ellipsoid"}),
    "border.nii": (set(), set()),
    "whole.nii": (set(), set()),
    "apart.nii": (
        {"glcm", "ngtdm"},
        _ELLIPSOIDS | {f"first_order_{kind}robust_mean_absolute_deviation" for kind in ("", "histogram_")},
    ),
    "two_d.nii": (set(), {"morphology_volume_density_approximate_enclosing_ellipsoid"}),
    "large_values.nii": (set(), set()),
}
"""Name in `EDGE` → the extractors of which no feature is defined, and single features."""

GOOD = {
    "good_1.nii": lambda path: _masked(nifti(MASK), _NIFTI)(path),
    "good_2.nii.gz": lambda path: _masked(nifti(MASK), packed(nifti(IMAGE[::-1].astype(np.float32))))(path),
    "läsion 肿瘤 3.nii": lambda path: _masked(nifti(MASK), nifti(IMAGE[:, ::-1]))(path),
    "good 4.nrrd": _file(_NRRD),
    "good_5": _series(),
    "good_6.mha": _file(_MHA),
}
"""Volumes that are whole, in every format, with a mask or without."""

TO_NAME = {
    "gone.nii,,": r"^does not exist$",
    "good_1.nii,gone.nii,": r"^mask: does not exist$",
    "good_1.nii,empty.nii,": r"^mask: is empty \(0 bytes\)",
    "good_1.nii,folder.nii,": r"^mask: holds no DICOM image",
    "several.nii,several_mask.nii,9": r"^mask: has no region '9'; it holds 1, 2",
    "several.nii,several_mask.nii,tumour": r"^mask: has no region 'tumour'; it holds 1, 2",
    "several.nii,several_mask.nii,": r"^mask: holds 2 regions: 1, 2; choose one",
    "good_1.nii,flat.png,": r"^mask: lies on another grid than good_1.nii",
    "two_series,,": r"^holds 2 series: .* choose one by its key",
    "two_series#12345678,,": r"has no series '12345678'; it holds",
    "pair.hdr,,": r"^pair.img: does not exist",
    "good_5,contours,": r"^mask: the mask is empty",
    "good_1.nii,whole_mask.nii,1": "",
    "several.nii,several_mask.nii,2": "",
}
"""What a manifest has to name: image, mask and region → what is said, nothing where the row is good."""


def write_all(folder: Path) -> Path:
    """Write everything into a folder, and a manifest with the rows of `TO_NAME`."""
    for name, bad in FILES.items():
        bad.write(folder / name)
    for name, write in GOOD.items():
        write(folder / name)
    for name, (mask, image) in EDGE.items():
        _masked(nifti(mask), nifti(image))(folder / name)
    (folder / "lonely_mask.nii").write_bytes(nifti(MASK))
    (folder / "round").symlink_to(folder)
    apart = folder.with_name("apart")
    apart.mkdir()
    for uid in ("1.2.3", "1.2.4"):
        dicoms.write_series(apart / "two_series", SERIES, name=f"{uid}-{{}}.dcm", SeriesInstanceUID=uid)
    outside = np.array([[100, 100, 4], [110, 100, 4], [110, 110, 4]])
    dicoms.write_rtstruct(apart / "contours", {"tumour": [outside]})
    (apart / "pair.hdr").write_bytes(nifti(IMAGE, magic=b"ni1\0", vox_offset=0.0)[:348])
    PIL.Image.fromarray(MASK[2]).save(apart / "flat.png")
    for name in (
        "good_1.nii",
        "good_5",
        "empty.nii",
        "folder.nii",
        "several.nii",
        "several_mask.nii",
        "whole_mask.nii",
    ):
        (apart / name).symlink_to(folder / name)
    (apart / "manifest.csv").write_text("Image,Mask,ROI\n" + "\n".join(TO_NAME))
    return folder
