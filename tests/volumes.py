"""Volumes as bytes, written by hand: NIfTI, NRRD and MetaImage, right ones and wrong ones."""

import gzip
import struct

import numpy as np

NIFTI = {
    "uint8": 2,
    "int16": 4,
    "int32": 8,
    "float32": 16,
    "float64": 64,
    "int8": 256,
    "uint16": 512,
    "uint32": 768,
}
NIFTI |= {"int64": 1024, "uint64": 1280}
NRRD = {"uint8": "uchar", "int8": "signed char", "int16": "short", "uint16": "ushort", "int32": "int"}
NRRD |= {"uint32": "uint", "int64": "longlong", "uint64": "ulonglong", "float32": "float", "float64": "double"}
MHA = {"uint8": "MET_UCHAR", "int8": "MET_CHAR", "int16": "MET_SHORT", "uint16": "MET_USHORT", "int32": "MET_INT"}
MHA |= {"uint32": "MET_UINT", "float32": "MET_FLOAT", "float64": "MET_DOUBLE", "int64": "MET_LONG_LONG"}
MHA |= {"uint64": "MET_ULONG_LONG"}
SPACING = (3.0, 0.5, 0.25)  # slices, rows, cols
ORIGIN = (10.0, -20.0, 30.5)

_DIM, _TYPE, _PIXDIM, _OFFSET, _SLOPE, _UNITS, _CODES, _SFORM, _MAGIC = 40, 70, 76, 108, 112, 123, 252, 280, 344


def nifti(array, order="<", **fields):
    """A NIfTI-1 file with its axes along LPS; `fields` replace those of the header."""
    array = np.asarray(array)
    shape = array.shape[::-1]
    x, y, z = ORIGIN
    dx, dy, dz = SPACING[::-1]
    values = {
        "sizeof_hdr": 348,
        "dim": (len(shape), *shape),
        "datatype": NIFTI[array.dtype.name],
        "bitpix": 8 * array.itemsize,
        "pixdim": (1.0, dx, dy, dz, 60.0),
        "vox_offset": 352.0,
        "scale": (1.0, 0.0),
        "units": 2 | 8,
        "codes": (0, 1),
        "sform": (-dx, 0, 0, -x, 0, -dy, 0, -y, 0, 0, dz, z),
        "magic": b"n+1\0",
    } | fields
    header = bytearray(352)
    struct.pack_into(f"{order}i", header, 0, values["sizeof_hdr"])
    struct.pack_into(f"{order}{len(values['dim'])}h", header, _DIM, *values["dim"])
    struct.pack_into(f"{order}2h", header, _TYPE, values["datatype"], values["bitpix"])
    struct.pack_into(f"{order}{len(values['pixdim'])}f", header, _PIXDIM, *values["pixdim"])
    struct.pack_into(f"{order}f", header, _OFFSET, values["vox_offset"])
    struct.pack_into(f"{order}2f", header, _SLOPE, *values["scale"])
    struct.pack_into("B", header, _UNITS, values["units"])
    struct.pack_into(f"{order}2h", header, _CODES, *values["codes"])
    struct.pack_into(f"{order}12f", header, _SFORM, *values["sform"])
    header[_MAGIC : _MAGIC + 4] = values["magic"]
    return bytes(header) + array.astype(array.dtype.newbyteorder(order)).tobytes()


def packed(data):
    """The same bytes as gzip."""
    return gzip.compress(data, 6, mtime=0)


def nrrd(array, data=None, order="<", **fields):
    """An NRRD file with its axes along LPS; `fields` replace those of the header, None takes one out."""
    array = np.asarray(array)
    dz, dy, dx = SPACING
    x, y, z = ORIGIN
    values = {
        "type": NRRD[array.dtype.name],
        "dimension": array.ndim,
        "space": "left-posterior-superior",
        "sizes": " ".join(map(str, array.shape[::-1])),
        "space_directions": f"({dx},0,0) (0,{dy},0) (0,0,{dz})",
        "kinds": "domain domain domain",
        "endian": "little" if order == "<" else "big",
        "encoding": "raw",
        "space_origin": f"({x},{y},{z})",
    } | fields
    lines = ["NRRD0005", "# made by a test"]
    lines += [f"{key.replace('_', ' ')}: {value}" for key, value in values.items() if value is not None]
    pixels = array.astype(array.dtype.newbyteorder(order)).tobytes() if data is None else data
    return "\n".join(lines).encode() + b"\n\n" + pixels


def mha(array, data=None, order="<", **fields):
    """A MetaImage file with its axes along LPS; `fields` replace those of the header, None takes one out."""
    array = np.asarray(array)
    n = array.ndim
    spacing = [*SPACING[::-1], 1.0][:n]
    origin = [*ORIGIN, 0.0][:n]
    values = {
        "ObjectType": "Image",
        "NDims": n,
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": str(order == ">"),
        "CompressedData": "False",
        "TransformMatrix": " ".join(f"{v:g}" for v in np.eye(n).ravel()),
        "Offset": " ".join(map(str, origin)),
        "ElementSpacing": " ".join(map(str, spacing)),
        "DimSize": " ".join(map(str, array.shape[::-1])),
        "ElementType": MHA[array.dtype.name],
        "ElementDataFile": "LOCAL",
    } | fields
    values["ElementDataFile"] = values.pop("ElementDataFile")  # the last of a header
    text = "".join(f"{key} = {value}\n" for key, value in values.items() if value is not None)
    pixels = array.astype(array.dtype.newbyteorder(order)).tobytes() if data is None else data
    return text.encode() + pixels


def checked(image):
    """Assert that a volume lies where the functions above put it."""
    np.testing.assert_allclose(image.spacing, SPACING)
    np.testing.assert_allclose(image.origin, ORIGIN)
    np.testing.assert_array_equal(image.direction, np.eye(3)[:, ::-1])
    assert image.array.flags.c_contiguous
    assert image.array.dtype.isnative
