"""Morphology: size and form of a region as IBSI defines them, on the mesh of its surface and on its voxels.

Reference: Zwanenburg et al. 2020, The Image Biomarker Standardization Initiative,
https://doi.org/10.1148/radiol.2020191145, and the reference manual, section 3.1.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumortrace import _check
from tumortrace.features._autocorrelation import spatial_autocorrelation
from tumortrace.features._enclosing import enclosing_box, enclosing_ellipsoid
from tumortrace.features._mesh import Surface, surface
from tumortrace.features._region import Region, region
from tumortrace.features._shape import _axes
from tumortrace.features._vector import FeatureVector

_NAMES = (
    "volume_mesh",
    "volume_voxel_counting",
    "surface_area_mesh",
    "surface_to_volume_ratio",
    "compactness_1",
    "compactness_2",
    "spherical_disproportion",
    "sphericity",
    "asphericity",
    "centre_of_mass_shift",
    "maximum_3d_diameter",
    "major_axis_length",
    "minor_axis_length",
    "least_axis_length",
    "elongation",
    "flatness",
    "volume_density_axis_aligned_bounding_box",
    "area_density_axis_aligned_bounding_box",
    "volume_density_approximate_enclosing_ellipsoid",
    "area_density_approximate_enclosing_ellipsoid",
    "volume_density_convex_hull",
    "area_density_convex_hull",
    "integrated_intensity",
    "morans_i_index",
    "gearys_c_measure",
    "maximum_2d_diameter_slice",
    "maximum_2d_diameter_row",
    "maximum_2d_diameter_column",
)
_ENCLOSING = (
    "volume_density_oriented_minimum_bounding_box",
    "area_density_oriented_minimum_bounding_box",
    "volume_density_minimum_volume_enclosing_ellipsoid",
    "area_density_minimum_volume_enclosing_ellipsoid",
)
_UNDEFINED = {
    "centre_of_mass_shift": "the intensities sum to 0",
    "major_axis_length": "one voxel has no axes",
    "volume_density_approximate_enclosing_ellipsoid": "the region is flat",
    "area_density_approximate_enclosing_ellipsoid": "the region is a line",
    "morans_i_index": "all intensities are equal",
}


def morphology(
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    spacing: Sequence[float] | None = None,
    morphological_mask: ArrayLike | None = None,
    enclosing: bool = False,
) -> FeatureVector:
    """Measure the morphology of a region: its mesh, axes, hull, and how its intensities lie in it.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype. A 2-D image counts as one slice of 1 mm, whose mesh is a slab.
    mask : array_like, same shape, optional
        The intensity mask: non-zero is inside; without it the whole image is.
    spacing : sequence of float, optional
        Voxel spacing in mm, one number per axis; 1 mm where not given.
    morphological_mask : array_like, same shape, optional
        The mask before re-segmentation, from which size and form are taken; without it `mask`.
    enclosing : bool, default False
        Add the densities in the smallest box and ellipsoid, which take longer than all else.

    Returns
    -------
    FeatureVector
        28 numbers, or 32. Of the mesh, with volume V and area A:

        - ``volume_mesh`` V (mm³), ``surface_area_mesh`` A (mm²), ``surface_to_volume_ratio`` A/V (1/mm)
        - ``compactness_1`` V / √(π A³), ``compactness_2`` 36π V² / A³, ``sphericity`` (36π V²)^⅓ / A,
          ``spherical_disproportion``, its inverse, and ``asphericity``, that less 1
        - ``maximum_3d_diameter`` (mm), the largest distance between two vertices
        - ``volume_density_convex_hull``, ``area_density_convex_hull``: V and A over those of the vertices' hull
        - ``volume_density_axis_aligned_bounding_box``, ``area_density_…``: over those of the box around the voxels
        - ``volume_density_approximate_enclosing_ellipsoid``, ``area_density_…``: over those of the ellipsoid with
          the axis lengths below; NaN where it is flat, or a line

        Of the voxels:

        - ``volume_voxel_counting`` (mm³)
        - ``major_axis_length``, ``minor_axis_length``, ``least_axis_length`` (mm): 4 √λ with the eigenvalues λ of
          the covariance of the voxel centres, Σ(p − p̄)(p − p̄)ᵀ / (n − 1); ``elongation`` and ``flatness``, the
          second and the third over the first; NaN for one voxel

        Of the intensities x, with mean μ:

        - ``integrated_intensity`` μ V
        - ``centre_of_mass_shift`` (mm): distance between the centre of the voxels and the centre weighted by
          intensity; NaN where the intensities sum to 0
        - ``morans_i_index`` n Σ w (xᵢ − μ)(xⱼ − μ) / (Σ w Σ(x − μ)²) and
          ``gearys_c_measure`` (n − 1) Σ w (xᵢ − xⱼ)² / (2 Σ w Σ(x − μ)²), both over all pairs of voxels, w being
          one over their distance; NaN where all intensities are equal

        And ``maximum_2d_diameter_slice``, ``…_row``, ``…_column`` (mm): the largest distance between two vertices
        that lie at the same slice, column and row coordinate.

        With `enclosing`, V and A over those of the smallest box in any direction with a face in the plane of a face
        of the hull, ``…_density_oriented_minimum_bounding_box``, and over those of the ellipsoid of least volume
        around the mesh, ``…_density_minimum_volume_enclosing_ellipsoid``.

    Raises
    ------
    TypeError
        If an array is not real.
    ValueError
        If an argument is not as said.

    Notes
    -----
    IBSI morphology (HCUG), in the order of the vector: RNU0, YEKZ, C0JK, 2PR5, SKGS, BQWJ, KRCK, QCFX, 25C7, KLMA,
    L0JK, TDIC, P9VJ, 7J51, Q3CK, N17B, PBX1, R59B, 6BDE, RDD2, R3ER, 7T7F, 99N0, N365, NPT7. The next three are
    PyRadiomics', with its meaning of row and column. Those of `enclosing` (ZH1A, IQYR, SWZ1, BRI8) are IBSI's
    without a consensus: it leaves open how the smallest box is found.

    The mesh runs half-way between voxels inside and outside (marching cubes) and has PyRadiomics' triangles. These
    treat inside and outside alike, so that where two voxels touch along an edge only, the mesh may have a hole; its
    volume then depends, slightly, on where the box around the region begins. PyRadiomics' axis lengths are shorter
    by √(1 − 1/n). The area of the ellipsoid is IBSI's series, as the consensus value needs it; it is right for a
    sphere, and some percent too little for unequal axes.

    Moran's I and Geary's C take n log n steps by fast Fourier transform, in the box around the mask.

    References
    ----------
    Zwanenburg et al. 2020, https://doi.org/10.1148/radiol.2020191145; Lorensen and Cline 1987,
    https://doi.org/10.1145/37401.37422

    Examples
    --------
    >>> v = morphology(np.ones((4, 4, 4)), spacing=(1, 0.5, 0.5))
    >>> v["volume_voxel_counting"], v["maximum_2d_diameter_slice"], v["least_axis_length"]
    (16.0, 2.5, 2.253744679276044)
    """
    _check.one_of("enclosing", enclosing, (False, True))
    chosen = region(image, mask, spacing)
    solid = chosen if morphological_mask is None else _morphological(image, morphological_mask, spacing)
    ndim = np.ndim(image)
    steps = np.array((1.0,) * (3 - ndim) + _check.spacing(spacing, ndim))
    mesh = surface(solid.inside, steps)
    centre, covariance = _of_voxels(solid, steps)
    mass_centre, mean = _of_intensities(chosen, steps)
    n = np.count_nonzero(solid.inside)
    axes = _axes(covariance) if n > 1 else (math.nan,) * 5
    numbers: tuple[float, ...] = (
        *_of_mesh(mesh, n * float(np.prod(steps))),
        float(np.linalg.norm(mass_centre - centre)),
        mesh.diameter,
        *axes,
        *_densities(mesh, *_box(*np.array(solid.inside.shape) * steps)),
        *_densities(mesh, *_ellipsoid(*(length / 2 for length in axes[:3]))),
        *_densities(mesh, mesh.hull_volume, mesh.hull_area),
        mean * mesh.volume,
        *spatial_autocorrelation(*chosen[:2], steps),
        *mesh.plane_diameters,
    )
    reasons = [f"{name}: {why}" for name, why in _UNDEFINED.items() if math.isnan(numbers[_NAMES.index(name)])]
    if not enclosing:
        return FeatureVector(_NAMES, numbers, "; ".join(reasons))
    numbers += _densities(mesh, *_box(*enclosing_box(mesh.corners)))
    numbers += _densities(mesh, *_ellipsoid(*enclosing_ellipsoid(mesh.corners).tolist()))
    return FeatureVector(_NAMES + _ENCLOSING, numbers, "; ".join(reasons))


def _morphological(image: ArrayLike, mask: ArrayLike, spacing: Sequence[float] | None) -> Region:
    try:
        return region(image, mask, spacing)
    except (TypeError, ValueError) as error:  # the image has passed: this is about the mask
        raise type(error)(f"morphological_{error}") from None


def _of_mesh(mesh: Surface, volume_of_voxels: float) -> tuple[float, ...]:
    v, a = mesh.volume, mesh.area
    sphericity = (36 * math.pi * v * v) ** (1 / 3) / a
    return (
        v,
        volume_of_voxels,
        a,
        a / v,
        v / math.sqrt(math.pi * a**3),
        sphericity**3,
        1 / sphericity,
        sphericity,
        1 / sphericity - 1,
    )


def _densities(mesh: Surface, volume: float, area: float) -> tuple[float, float]:
    """Return the mesh's volume and area over those of something around it."""
    return mesh.volume / volume if volume > 0 else math.nan, mesh.area / area if area > 0 else math.nan


def _box(z: float, y: float, x: float) -> tuple[float, float]:
    """Return volume and area of a box with these sides."""
    return z * y * x, 2 * (z * y + y * x + x * z)


def _ellipsoid(a: float, b: float, c: float) -> tuple[float, float]:
    """Return the volume of an ellipsoid with these semi-axes, longest first, and IBSI's series for its area.

    The series is 4π a b Σ (αβ)ᵛ Pᵥ((α² + β²) / 2αβ) / (1 − 4v²) with α² = 1 − (b/a)², β² = 1 − (c/a)² and
    Legendre's polynomials Pᵥ, v from 0 to 20; (αβ)ᵛ Pᵥ has a recurrence that does not divide by αβ.
    """
    alpha, beta = 1 - (b / a) ** 2, 1 - (c / a) ** 2
    before, term, total = 0.0, 1.0, 1.0
    for v in range(20):
        before, term = term, ((2 * v + 1) * (alpha + beta) / 2 * term - v * alpha * beta * before) / (v + 1)
        total += term / (1 - 4 * (v + 1) ** 2)
    return 4 / 3 * math.pi * a * b * c, 4 * math.pi * a * b * total


def _of_voxels(solid: Region, steps: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the centre of the voxels in mm and their covariance, over n − 1, in mm²."""
    n = np.count_nonzero(solid.inside)
    pairs = {(i, j): solid.inside.sum(axis=3 - i - j) for i, j in ((0, 1), (0, 2), (1, 2))}
    alone = pairs[0, 1].sum(axis=1), pairs[0, 1].sum(axis=0), pairs[0, 2].sum(axis=0)
    centre, offsets = np.empty(3), []
    for axis, counts in enumerate(alone):
        places = (np.arange(counts.size) + solid.box[axis].start) * steps[axis]
        centre[axis] = places @ counts / n
        offsets.append(places - centre[axis])
    covariance = np.diag([(offset * offset) @ counts for offset, counts in zip(offsets, alone, strict=True)])
    for (i, j), counts in pairs.items():
        covariance[i, j] = covariance[j, i] = offsets[i] @ counts @ offsets[j]
    return centre, covariance / max(n - 1, 1)


def _of_intensities(chosen: Region, steps: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return the centre of mass in mm, NaN where there is no mass, and the mean intensity."""
    of_planes = tuple(np.zeros(n) for n in chosen.inside.shape)
    for z, (intensities, there) in enumerate(zip(chosen.volume, chosen.inside, strict=True)):
        masses = np.where(there, intensities, 0.0)
        of_planes[0][z] = masses.sum()
        of_planes[1][:] += masses.sum(axis=1)
        of_planes[2][:] += masses.sum(axis=0)
    total = float(of_planes[0].sum())
    mean = total / np.count_nonzero(chosen.inside)
    if total == 0:
        return np.full(3, np.nan), mean
    places = (np.arange(part.start, part.stop) * step for part, step in zip(chosen.box, steps, strict=True))
    return np.array([place @ (mass / total) for place, mass in zip(places, of_planes, strict=True)]), mean
