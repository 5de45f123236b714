"""From files to images: guarded reading, and lists of the images of a folder, manifest or data set.

`find` lists what a source holds. `read_image` reads a picture, `read_volume` a volume of NIfTI, NRRD, MetaImage or
DICOM, and `read_labels` the regions of a mask; `same_grid` holds the two together, `resample_labels` brings them
there, `write_nifti` writes on the grid of an image. `read_bytes` and `decode` read a picture in two steps, for a
caller that needs the bytes too; `fingerprint` hashes what any image is read from. `breadm`, `folder` and `manifest`
know the kinds of sources, `synthetic` makes lesions to try things on.
"""

from tumortrace.io import breadm, folder, manifest, synthetic
from tumortrace.io._dicom import Series, list_series, read_series
from tumortrace.io._distribution import class_distribution
from tumortrace.io._error import ImageError
from tumortrace.io._find import find
from tumortrace.io._fingerprint import fingerprint
from tumortrace.io._grid import resample_labels, same_grid
from tumortrace.io._image import Image
from tumortrace.io._labels import Labels
from tumortrace.io._lesion import is_volume, read_lesion
from tumortrace.io._listing import Listing
from tumortrace.io._raster import (
    MAX_PIXELS,
    ColourWarning,
    decode,
    read_bytes,
    read_image,
    read_mask,
)
from tumortrace.io._volume import read_labels, read_volume
from tumortrace.io._voxels import MAX_VOXELS
from tumortrace.io._write_volume import write_nifti
from tumortrace.io.manifest import read_manifest

__all__ = [
    "MAX_PIXELS",
    "MAX_VOXELS",
    "ColourWarning",
    "Image",
    "ImageError",
    "Labels",
    "Listing",
    "Series",
    "breadm",
    "class_distribution",
    "decode",
    "find",
    "fingerprint",
    "folder",
    "is_volume",
    "list_series",
    "manifest",
    "read_bytes",
    "read_image",
    "read_labels",
    "read_lesion",
    "read_manifest",
    "read_mask",
    "read_series",
    "read_volume",
    "resample_labels",
    "same_grid",
    "synthetic",
    "write_nifti",
]
