"""Image: pixels, the region of interest in them, and where they came from."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Image:
    """One grey image or volume, as a reader returns it.

    Parameters
    ----------
    array : ndarray, shape (rows, cols) or (slices, rows, cols)
        Grey values in the dtype of the file.
    mask : ndarray of bool, same shape, optional
        The region of interest.
    spacing : tuple of float, optional
        Pixel spacing in millimetres, one number per axis of `array`; None where the file does not say.
    source : str
        Where the pixels came from, usually a path.

    Examples
    --------
    >>> Image(np.zeros((26, 24), dtype=np.uint8), source="p-040.jpg")
    Image(26 × 24, uint8, 'p-040.jpg')
    """

    array: NDArray[Any]
    mask: NDArray[np.bool_] | None = None
    spacing: tuple[float, ...] | None = None
    source: str = ""

    def __repr__(self) -> str:
        shape = " × ".join(map(str, self.array.shape))
        mask = "" if self.mask is None else ", mask"
        spacing = "" if self.spacing is None else f", spacing {self.spacing} mm"
        return f"Image({shape}, {self.array.dtype}{mask}{spacing}, {self.source!r})"
