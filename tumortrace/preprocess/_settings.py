"""Preprocessing: what is done to image and mask, checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from numbers import Real
from typing import Any

from tumortrace import _check
from tumortrace._entry import known

INTERPOLATIONS = ("nearest", "linear", "cubic")


@dataclass(frozen=True)
class Normalisation:
    """How the intensities of a whole image are brought to one scale: ``scale · (x − mean) / σ``.

    Parameters
    ----------
    scale : float, default 1
        What one standard deviation becomes.
    outliers : float, optional
        Cut what lies further from the mean than this many standard deviations down to there.
    """

    scale: float = 1.0
    outliers: float | None = None

    def __post_init__(self) -> None:
        _set(self, scale=_check.positive("normalise.scale", self.scale))
        if self.outliers is not None:
            _set(self, outliers=_check.positive("normalise.outliers", self.outliers))


@dataclass(frozen=True)
class Preprocessing:
    """What is done to an image and its mask before features are computed; as it stands, nothing.

    Make one with `Preprocessing.of`, which takes what a user writes.

    Parameters
    ----------
    spacing : float or sequence of float, optional
        Resample to this distance between voxels, in mm: one number for every axis along which the image has more
        than one voxel, or one per axis (slices, rows, cols), where 0 or None keeps an axis as it is.
    interpolation : {"linear", "nearest", "cubic"}
        How intensities are resampled; "cubic" is the interpolating cubic B-spline.
    grid : {"ibsi", "pyradiomics"}
        Where the new voxels lie. "ibsi": the centres of the old and the new grid coincide, which has
        ``ceil(n · old / new)`` voxels along an axis; beyond the border the image goes on as it ends. "pyradiomics":
        the first corners coincide, axes along which the mask is one voxel thick are left as they are, and beyond
        the border the image is mirrored.
    mask_interpolation : {"linear", "nearest"}
        How the mask is resampled.
    mask_threshold : float, default 0.5
        A new voxel is in the mask where the resampled mask is at least this, in (0, 1].
    rounding : {None, "nearest", "dtype"}
        What becomes of resampled intensities. "nearest": the nearest whole number, as IBSI asks for Hounsfield
        units. "dtype": they return to the number type of the image, where whole numbers lose their fraction, as in
        ITK and PyRadiomics.
    normalise : Normalisation or mapping, optional
        Bring the intensities of the whole image to one scale first; ``{}`` for mean 0 and standard deviation 1.
    range : sequence of two, optional
        Re-segmentation: leave out of the region what is below the first or above the second number; None is no
        bound.
    range_mode : {"absolute", "relative", "sigma"}
        What `range` counts: intensities; shares of the greatest intensity of the region; or standard deviations
        from its mean.
    outliers : float, optional
        Re-segmentation: leave out what lies further from the mean of the region than this many of its standard
        deviations. With `range` too, each looks at the whole region and what both keep remains, as IBSI defines it.
    padding : int, optional
        Keep this many voxels around the mask, whatever the filters need: the ``padDistance`` of PyRadiomics, on
        which the borders of its filters depend.

    Examples
    --------
    >>> settings = Preprocessing.of({"spacing": [0, 2, 2], "range": [-500, 400], "rounding": "nearest"})
    >>> settings.spacing, settings.range, settings.interpolation
    ((0.0, 2.0, 2.0), (-500.0, 400.0), 'linear')
    >>> Preprocessing.of({"spacings": 2})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    ValueError: unknown setting of preprocess: spacings (did you mean spacing?); valid: spacing, ...
    """

    spacing: float | tuple[float, ...] | None = None
    interpolation: str = "linear"
    grid: str = "ibsi"
    mask_interpolation: str = "linear"
    mask_threshold: float = 0.5
    rounding: str | None = None
    normalise: Normalisation | None = None
    range: tuple[float | None, float | None] | None = None
    range_mode: str = "absolute"
    outliers: float | None = None
    padding: int | None = None

    def __post_init__(self) -> None:
        _check.one_of("interpolation", self.interpolation, INTERPOLATIONS)
        _check.one_of("grid", self.grid, ("ibsi", "pyradiomics"))
        _check.one_of("mask_interpolation", self.mask_interpolation, INTERPOLATIONS[:2])
        _check.one_of("rounding", self.rounding, (None, "nearest", "dtype"))
        _check.one_of("range_mode", self.range_mode, ("absolute", "relative", "sigma"))
        threshold = _check.positive("mask_threshold", self.mask_threshold)
        if threshold > 1:
            raise ValueError(f"mask_threshold is {threshold:g}; give a number above 0 and up to 1")
        _set(
            self,
            spacing=_spacing(self.spacing),
            mask_threshold=threshold,
            normalise=_normalisation(self.normalise),
            range=_range(self.range),
            outliers=None if self.outliers is None else _check.positive("outliers", self.outliers),
            padding=None if self.padding is None else _check.integer("padding", self.padding, 0),
        )

    @classmethod
    def of(cls, source: Preprocessing | Mapping[str, Any] | None = None) -> Preprocessing:
        """Return checked settings from a mapping of the parameters above to values.

        Raises
        ------
        ValueError, TypeError
            If a key or a value is not valid; the message lists the valid ones.
        """
        if isinstance(source, cls):
            return source
        if source is None:
            return cls()
        if not isinstance(source, Mapping):
            raise TypeError(f"preprocess is {source!r}; give a mapping of setting to value")
        known(source, [field.name for field in fields(cls)], "setting of preprocess")
        return cls(**source)

    @property
    def resegments(self) -> bool:
        """Whether the region is cut down by the intensities in it."""
        return self.range is not None or self.outliers is not None

    def to_dict(self) -> dict[str, Any]:
        """Return every parameter and its value, as `of` takes them."""
        return asdict(self)


def _set(settings: Any, **values: Any) -> None:
    """Write checked values into a frozen dataclass that is being made."""
    for name, value in values.items():
        object.__setattr__(settings, name, value)


def _spacing(value: Any) -> float | tuple[float, ...] | None:
    """Return one number, or one per axis of 2 or 3 with 0 where an axis is kept; None where all are."""
    several = _is_sequence(value)
    numbers = [0 if v is None else v for v in value] if several else [value or 0]
    if not all(_is_number(v) and v >= 0 for v in numbers) or (several and len(numbers) not in (2, 3)):
        raise ValueError(
            f"spacing is {value!r}; give one number in mm, or one per axis (slices, rows, cols), 0 to keep an axis"
        )
    if not any(numbers):
        return None
    return tuple(map(float, numbers)) if several else float(numbers[0])


def _normalisation(value: Any) -> Normalisation | None:
    if value is None or isinstance(value, Normalisation):
        return value
    if not isinstance(value, Mapping):
        raise ValueError(
            f"normalise is {value!r}; give null, or a mapping with scale and outliers, {{}} for neither"
        )
    known(value, [field.name for field in fields(Normalisation)], "setting of normalise")
    return Normalisation(**value)


def _range(value: Any) -> tuple[float | None, float | None] | None:
    if value is None:
        return None
    bounds = list(value) if _is_sequence(value) else []
    if len(bounds) != 2 or not all(bound is None or _is_number(bound) for bound in bounds):
        raise ValueError(f"range is {value!r}; give the lowest and the highest intensity, null for no bound")
    low, high = (None if bound is None else float(bound) for bound in bounds)
    if low is not None and high is not None and low > high:
        raise ValueError(f"range is {value!r}, which is empty; give the lowest intensity first")
    return None if low is None and high is None else (low, high)


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str | Mapping)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and abs(float(value)) < float("inf")
