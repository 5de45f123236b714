"""Image: pixels, the region of interest in them, where they lie, and where they came from."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Image:
    """One grey image, volume or series of volumes, as a reader returns it.

    Parameters
    ----------
    array : ndarray, shape (rows, cols), (slices, rows, cols) or (phases, slices, rows, cols)
        Grey values in the dtype of the file. The axes are those of the file, slowest first: a volume is never
        turned.
    mask : ndarray of bool, of the shape of one phase, optional
        The region of interest.
    spacing : tuple of float, optional
        Pixel spacing in millimetres, one number per axis of space, in the order of `array`; None where the file
        does not say.
    source : str
        Where the pixels came from, usually a path.
    origin : tuple of float, optional
        Where the centre of the first voxel lies: (x, y, z) in millimetres, in the axes of DICOM (to the left, the
        back and the head of the patient).
    direction : ndarray, shape (3, 3), optional
        Its column `a` is the unit vector of axis `a` of a volume, in the same axes. Voxel `index` lies at
        ``origin + direction @ (spacing * index)``.
    times : tuple of float, optional
        The seconds from the first phase to each.

    Examples
    --------
    >>> Image(np.zeros((26, 24), dtype=np.uint8), source="p-040.jpg")
    Image(26 × 24, uint8, 'p-040.jpg')
    >>> series = np.zeros((3, 20, 26, 24), dtype=np.int16)
    >>> Image(series, spacing=(3.0, 0.7, 0.7), source="t.nii", times=(0.0, 60.0, 120.0))
    Image(3 phases × 20 × 26 × 24, int16, spacing (3.0, 0.7, 0.7) mm, times 0 to 120 s, 't.nii')
    """

    array: NDArray[Any]
    mask: NDArray[np.bool_] | None = None
    spacing: tuple[float, ...] | None = None
    source: str = ""
    origin: tuple[float, float, float] | None = None
    direction: NDArray[np.float64] | None = None
    times: tuple[float, ...] | None = None

    def __repr__(self) -> str:
        shape = " × ".join(map(str, self.array.shape))
        if self.array.ndim == 4:
            shape = shape.replace(" ×", " phases ×", 1)
        mask = "" if self.mask is None else ", mask"
        spacing = "" if self.spacing is None else f", spacing {self.spacing} mm"
        times = "" if not self.times else f", times {self.times[0]:g} to {self.times[-1]:g} s"
        return f"Image({shape}, {self.array.dtype}{mask}{spacing}{times}, {self.source!r})"
