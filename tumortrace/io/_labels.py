"""Labels: the regions that a mask file holds, by number and by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumortrace.io._error import ImageError

_SHOWN = 20


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Labels:
    """The regions of a mask, drawn on a grid.

    Parameters
    ----------
    array : ndarray of integers, shape (slices, rows, cols) or (layers, slices, rows, cols)
        0 outside, the number of the region inside. Regions that overlap are in different layers; a number means the
        same region in each.
    names : mapping of int to str, optional
        The names of regions, where the file has some.
    spacing, source, origin, direction
        As in `Image`.

    Examples
    --------
    >>> labels = Labels(np.array([[[0, 1, 1], [0, 2, 0]]], dtype=np.uint8), {1: "tumour"}, source="m.nii")
    >>> labels.rois()
    [(1, 'tumour'), (2, '')]
    >>> labels.mask("tumour").sum(), labels.mask(2).sum()
    (np.int64(2), np.int64(1))
    >>> labels.mask()
    Traceback (most recent call last):
        ...
    tumortrace.io._error.ImageError: m.nii: holds 2 regions: 1 ('tumour'), 2; choose one, or loop over them
    """

    array: NDArray[Any]
    names: Mapping[int, str] = field(default_factory=dict)
    spacing: tuple[float, ...] | None = None
    source: str = ""
    origin: tuple[float, float, float] | None = None
    direction: NDArray[np.float64] | None = None

    def rois(self) -> list[tuple[int, str]]:
        """Return number and name of every region of at least one voxel, by number; the name may be empty."""
        planes = self.array.reshape(-1, *self.array.shape[-2:])
        present = {int(value) for plane in planes if plane.any() for value in np.unique(plane)} - {0}
        return [(label, self.names.get(label, "")) for label in sorted(present)]

    def mask(self, label: int | str | None = None, *, in_place: bool = False) -> NDArray[np.bool_]:
        """Return the voxels of one region.

        Parameters
        ----------
        label : int or str, optional
            The number or the name of the region (the case of letters may differ; a number as text will do). Without
            it, the only region that there is.
        in_place : bool, default False
            Write the mask where the labels are, which saves their memory and is the end of them; only where a label
            takes one byte, as it mostly does.

        Returns
        -------
        ndarray of bool, shape (slices, rows, cols)

        Raises
        ------
        ImageError
            If there is no such region, two have the name, none was named and there are several, or no voxel is
            inside. The message lists the regions that there are.
        """
        rois = self.rois()
        if not rois:
            raise ImageError(f"{self.source}: the mask is empty: no voxel is inside; give a mask with a region")
        number, out = self._number(label, rois), None
        if in_place and self.array.dtype.itemsize == 1:
            out = self.array.view(np.bool_)
        inside: NDArray[np.bool_] = np.equal(self.array, number, out=out)
        return np.logical_or.reduce(inside, axis=0) if inside.ndim == 4 else inside

    def _number(self, label: int | str | None, rois: list[tuple[int, str]]) -> int:
        if label is None:
            if len(rois) > 1:
                raise ImageError(
                    f"{self.source}: holds {len(rois)} regions: {_listed(rois)}; choose one, or loop over them"
                )
            return rois[0][0]
        matches = _matches(label, rois)
        if not matches:
            known = _matches(label, [*self.names.items()])
            problem = f"its region {label!r} is empty" if known else f"has no region {label!r}"
            raise ImageError(f"{self.source}: {problem}; it holds {_listed(rois)}")
        if len(matches) > 1:
            numbers = " and ".join(map(str, matches))
            raise ImageError(f"{self.source}: regions {numbers} are both named {label!r}; give the number")
        return matches[0]

    def __repr__(self) -> str:
        shape = " × ".join(map(str, self.array.shape))
        if self.array.ndim == 4:
            shape = shape.replace(" ×", " layers ×", 1)
        names = f", {len(self.names)} names" if self.names else ""
        return f"Labels({shape}, {self.array.dtype}{names}, {self.source!r})"


def _matches(label: int | str, rois: list[tuple[int, str]]) -> list[int]:
    """Return the numbers of the regions that `label` means: by name, as number, or by name in any case."""
    if not isinstance(label, str):
        return [number for number, _ in rois if number == label]
    text = label.strip()
    exact = [number for number, name in rois if name and name == text]
    numbered = [number for number, _ in rois if str(number) == text]
    return exact or numbered or [number for number, name in rois if name and name.casefold() == text.casefold()]


def _listed(rois: list[tuple[int, str]]) -> str:
    """Return regions in words, the first twenty."""
    words = [f"{number} ({name!r})" if name else str(number) for number, name in rois[:_SHOWN]]
    more = f" and {len(rois) - _SHOWN} more" if len(rois) > _SHOWN else ""
    return ", ".join(words) + more
