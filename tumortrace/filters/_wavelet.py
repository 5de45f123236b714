"""Wavelets: separable ones without decimation (IBSI 25BO), and Simoncelli's (IBSI LODD, PRT7).

References: Fowler 2005, The redundant discrete wavelet transform and additive noise,
https://doi.org/10.1109/LSP.2005.853048; Portilla, Simoncelli 2000, A parametric texture model based on joint
statistics of complex wavelet coefficients, https://doi.org/10.1023/A:1026553619983.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tumortrace import _check
from tumortrace.filters._boundary import POOLINGS, Volume, axes_of, checked, like
from tumortrace.filters._laws import axes_of_parts
from tumortrace.filters._rotations import Chain, separable

CONVENTIONS = {"ibsi": "mirror", "pyradiomics": "periodic"}
"""Convention → its boundary where none is given."""
MAX_LEVEL = 16


def wavelet(
    image: ArrayLike,
    *,
    spacing: Sequence[float] | None = None,
    boundary: str | None = None,
    wavelet: str,
    subband: str,
    level: int = 1,
    pooling: str | None = None,
    convention: str = "ibsi",
) -> Volume:
    """Return one subband of an undecimated separable wavelet transform.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype.
    spacing : sequence of float, optional
        Accepted by every filter; the kernels are of voxels, so it has no effect here.
    boundary : {"mirror", "constant", "nearest", "periodic"}, optional
        What lies beyond the image; see `tumortrace.filters`. None: ``"mirror"``; ``"periodic"``, the only one it
        has, under the convention of PyRadiomics.
    wavelet : str
        A discrete wavelet of PyWavelets: ``"haar"``, ``"db2"``, ``"coif1"``, ….
    subband : str
        L (low pass) or H (high pass) along x (columns), y (rows) and z (slices): three letters for a volume
        (``"llh"``), two for slice by slice or a 2-D image (``"lh"``).
    level : int, default 1
        Level of decomposition: the levels before are low pass along every axis.
    pooling : {"max", "average"}, optional
        Pool the responses of all right-angle rotations of the filter; None: no rotation.
    convention : {"ibsi", "pyradiomics"}, default "ibsi"
        ``"ibsi"``: kernels are spread by zeros at each further level (à trous). ``"pyradiomics"``: they are not,
        the image is periodic, and one voxel is repeated where a side is odd: the numbers of ``pywt.swtn``.

    Returns
    -------
    ndarray of float64, shape of `image`

    Raises
    ------
    ImportError
        If PyWavelets is not installed.
    ValueError
        If a parameter is not valid, or `subband` has three letters for a 2-D image.

    Notes
    -----
    IBSI: separable wavelets (25BO), undecimated. The kernels are PyWavelets' decomposition filters, convolved; the
    middle of one of even length n is its tap n/2, counted from 0.

    Examples
    --------
    The high pass of Haar along x is the difference of neighbours, its low pass along y their sum, both over √2:

    >>> image = [[0, 0, 8, 8], [0, 0, 8, 8]]
    >>> wavelet(image, wavelet="haar", subband="hl").round(3)[0]
    array([ 0., -8.,  0.,  0.])
    """
    _check.one_of("convention", convention, tuple(CONVENTIONS))
    boundary = CONVENTIONS[convention] if boundary is None else boundary
    volume, _ = checked(image, spacing, boundary)
    if convention == "pyradiomics" and boundary != "periodic":
        raise ValueError(f"boundary is {boundary!r}; under the convention 'pyradiomics' it is 'periodic'")
    _check.one_of("pooling", pooling, (None, *POOLINGS))
    chains = _chains(wavelet, subband, _check.integer("level", level, 1, MAX_LEVEL), convention)
    axes = axes_of_parts("subband", subband, len(chains), np.ndim(image))
    shape = volume.shape
    if convention == "pyradiomics":
        volume = np.pad(volume, [(0, n % 2 if axis in axes else 0) for axis, n in enumerate(shape)], mode="wrap")
    response = separable(volume, chains, axes, boundary, pooling)
    return like(image, response[: shape[0], : shape[1], : shape[2]])


def wavelet_reach(parameters: Mapping[str, Any], spacing: tuple[float, float, float]) -> tuple[int, ...] | None:
    """Return the half width of the kernels of all levels together."""
    if parameters["convention"] == "pyradiomics":
        return None
    chains = _chains(parameters["wavelet"], parameters["subband"], parameters["level"], "ibsi")
    return (0, *(sum(len(kernel) // 2 for kernel in chain) for chain in chains))[-3:]


def simoncelli(
    image: ArrayLike,
    *,
    spacing: Sequence[float] | None = None,
    boundary: str = "periodic",
    level: int = 1,
    dimensions: int = 3,
) -> Volume:
    """Return one band of Simoncelli's wavelet, which has no direction.

    Parameters
    ----------
    image : array_like, shape (rows, cols) or (slices, rows, cols)
        Any real dtype.
    spacing : sequence of float, optional
        Accepted by every filter; frequencies are per voxel, so it has no effect here.
    boundary : {"periodic"}, default "periodic"
        The filter is defined on the Fourier transform of the image, which is periodic.
    level : int, default 1
        Level of decomposition; each further one is an octave lower.
    dimensions : {3, 2}, default 3
        3: of the volume; 2: slice by slice. A 2-D image is filtered in two dimensions.

    Returns
    -------
    ndarray of float64, shape of `image`

    Raises
    ------
    ValueError
        If a parameter is not valid.

    Notes
    -----
    IBSI: non-separable wavelets (LODD), Simoncelli (PRT7). The Fourier transform is multiplied by
    ``cos(π/2 · log₂(2ν·2^(level − 1)))`` where the argument of the logarithm lies in [1/2, 2], by 0 elsewhere; ν is
    the length of the vector of frequencies. As in IBSI's reference, the n frequencies of an axis are spaced evenly
    from −1 to 1, both included, and the real part is taken. The true frequencies of n voxels are closer by 1/n, and
    on an even n off by half a step: what is 1 is not quite the Nyquist frequency.

    Examples
    --------
    Two waves in nine pixels have ν = 1/2, the middle of the first band; they pass as they are:

    >>> waves = np.tile(np.cos(2 * np.pi * 2 * np.arange(9) / 9), (9, 1))
    >>> bool(np.allclose(simoncelli(waves), waves))
    True
    """
    _check.one_of("boundary", boundary, ("periodic",))
    volume, _ = checked(image, spacing, boundary)
    level = _check.integer("level", level, 1, MAX_LEVEL)
    axes = axes_of(image, dimensions)

    from scipy.fft import irfftn, rfftn

    band = _band([volume.shape[axis] if axis in axes else 1 for axis in range(3)], level)
    return like(image, irfftn(rfftn(volume, axes=axes) * band, s=[volume.shape[axis] for axis in axes], axes=axes))


def _band(shape: Sequence[int], level: int) -> Volume:
    """Return what the half of a Fourier transform that a real image has is multiplied by.

    The frequencies of an even axis lie askew, so that a frequency and its opposite are not multiplied alike; the
    real part of the response is that to the mean of both.
    """
    squares, places = np.zeros(1), []
    for n in shape:
        # as many as there are lengths, since opposite ones share theirs
        lengths = np.abs(np.linspace(-1, 1, n))[: (n + 1) // 2] if n > 1 else np.zeros(1)
        squares = squares[..., np.newaxis] + lengths**2
        place = np.fft.ifftshift(np.minimum(np.arange(n), np.arange(n)[::-1]))
        places.append((place, np.roll(place[::-1], 1)))
    squares = squares[0]
    octaves = np.log2(np.sqrt(squares) * 2.0**level, out=np.full(squares.shape, np.inf), where=squares > 0)
    band = np.where(np.abs(octaves) <= 1, np.cos(np.pi / 2 * np.clip(octaves, -1, 1)), 0.0)
    half = shape[-1] // 2 + 1
    there, opposite = ((*rest, last[:half]) for *rest, last in zip(*places, strict=True))
    result: Volume = (band[np.ix_(*there)] + band[np.ix_(*opposite)]) / 2
    return result


@lru_cache(maxsize=64)
def _filters(name: str) -> tuple[Volume, Volume]:
    """Return the low and high pass of a wavelet, of odd length: with a zero at the end where it was even."""
    try:
        import pywt
    except ImportError as error:
        raise ImportError("wavelets need PyWavelets: pip install 'tumortrace[medical]'") from error
    valid = pywt.wavelist(kind="discrete")
    if name not in valid:
        raise ValueError(f"wavelet is {name!r}; give a discrete wavelet of PyWavelets: {', '.join(valid)}")
    found = pywt.Wavelet(name)
    low, high = (np.pad(kernel, (0, 1 - len(kernel) % 2)) for kernel in (found.dec_lo, found.dec_hi))
    return low, high


def _chains(name: str, subband: str, level: int, convention: str) -> list[Chain]:
    """Return the kernels of all levels in the order of array axes, slices first."""
    letters = subband.lower() if isinstance(subband, str) else ""
    if len(letters) not in (2, 3) or set(letters) - {"l", "h"}:
        raise ValueError(f"subband is {subband!r}; give two or three letters L or H, such as 'llh'")
    low, high = _filters(name)
    spread = [2**i if convention == "ibsi" else 1 for i in range(level)]
    before = tuple(_spread(low, step) for step in spread[:-1])
    return [(*before, _spread(high if letter == "h" else low, spread[-1])) for letter in reversed(letters)]


def _spread(kernel: Volume, step: int) -> Volume:
    """Return a kernel with `step` − 1 zeros between its taps."""
    result = np.zeros((len(kernel) - 1) * step + 1)
    result[::step] = kernel
    return result
