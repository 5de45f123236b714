"""Numbers of the filters: by hand, from the definitions, and from pywt, SimpleITK and scipy."""

import sys

import numpy as np
import pytest
from filters.definitions import convolved, gabor_kernel, log_kernel, outer, right_angle_rotations
from scipy import ndimage

from tumortrace.features import lbp_codes
from tumortrace.filters import (
    exponential,
    gabor,
    gradient,
    laplacian_of_gaussian,
    laws,
    lbp,
    logarithm,
    mean,
    reach,
    simoncelli,
    square,
    square_root,
    wavelet,
)
from tumortrace.filters._laws import KERNELS

BOUNDARIES = ["mirror", "nearest", "constant", "periodic"]
boundaries = pytest.mark.parametrize("boundary", BOUNDARIES)


@pytest.fixture
def image(rng):
    return rng.normal(100, 30, (5, 6))


@pytest.fixture
def volume(rng):
    return rng.normal(100, 30, (3, 4, 5))


@pytest.fixture
def cube(rng):
    return rng.normal(100, 30, (8, 8, 8))


def impulse(*shape):
    result = np.zeros(shape)
    result[tuple(n // 2 for n in shape)] = 1
    return result


@pytest.mark.parametrize(
    ("boundary", "expected"),
    [
        ("mirror", [2, 3, 6]),  # 1 | 1 4 4 10 | 10
        ("nearest", [2, 3, 6]),
        ("constant", [5 / 3, 3, 6]),  # 0 | 1 4 4 10 | 0
        ("periodic", [5, 3, 6]),  # 10 | 1 4 4 10 | 1
    ],
)
def test_boundaries_by_hand(boundary, expected):
    response = mean(np.tile([1.0, 4.0, 4.0, 10.0], (3, 1)), size=3, boundary=boundary)[1, :3]
    np.testing.assert_allclose(response, expected)


def test_the_mirror_repeats_the_edge():
    ramp = np.tile(np.arange(6.0), (7, 1))
    for size in (3, 5):
        beyond = np.concatenate([ramp[0, : size // 2][::-1], ramp[0, : size // 2 + 1]])
        assert mean(ramp, size=size)[3, 0] == pytest.approx(beyond.mean())
        edge = np.concatenate([np.zeros(size // 2), ramp[0, : size // 2 + 1]])
        assert mean(ramp, size=size, boundary="nearest")[3, 0] == pytest.approx(edge.mean())


@boundaries
def test_mean_is_the_convolution_with_a_box(boundary, volume):
    expected = convolved(volume, np.full((3, 3, 3), 1 / 27), boundary)
    np.testing.assert_allclose(mean(volume, size=3, boundary=boundary), expected, rtol=1e-12)
    flat = convolved(volume, np.full((1, 5, 5), 1 / 25), boundary)
    np.testing.assert_allclose(mean(volume, size=5, boundary=boundary, dimensions=2), flat, rtol=1e-12)


@boundaries
def test_log_is_the_convolution_with_its_kernel(boundary, image, volume):
    expected = convolved(image, log_kernel(0.8, 2), boundary)
    np.testing.assert_allclose(laplacian_of_gaussian(image, sigma=0.8, boundary=boundary), expected, atol=1e-10)
    kernel = log_kernel(0.7, 3, truncate=2)
    response = laplacian_of_gaussian(volume, sigma=1.4, spacing=(2, 2, 2), truncate=2, boundary=boundary)
    np.testing.assert_allclose(response, convolved(volume, kernel, boundary), atol=1e-10)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_response_of_log_to_an_impulse_is_its_kernel(dimensions):
    kernel = log_kernel(1.5, dimensions)
    assert kernel.shape == (13,) * dimensions
    response = laplacian_of_gaussian(impulse(*[17] * dimensions), sigma=3, spacing=[2] * dimensions)
    np.testing.assert_allclose(response[(slice(2, -2),) * dimensions], kernel, atol=1e-15)
    assert not response[0].any()
    assert reach("log", {"sigma": 3}, [2] * dimensions) == (6,) * dimensions


def test_log_of_voxels_that_are_no_cubes_is_that_of_the_tissue():
    z, y, x = np.meshgrid(np.arange(13) * 2.0, *[np.arange(25) * 1.0] * 2, indexing="ij")
    blob = np.exp(-((z - 12) ** 2 + (y - 12) ** 2 + (x - 12) ** 2) / (2 * 3**2))
    together = 3**2 + 2**2
    expected = -3 / together * (3**2 / together) ** 1.5
    for convention, scale, tolerance in (("ibsi", 1, 0.01), ("pyradiomics", 2**2, 0.02)):
        response = laplacian_of_gaussian(blob, sigma=2, spacing=(2, 1, 1), convention=convention)[6, 12, 12]
        assert response == pytest.approx(expected * scale, rel=tolerance)
    with pytest.raises(ValueError, match="under two thirds of a voxel of 2 mm"):
        laplacian_of_gaussian(blob, sigma=1.3, spacing=(2, 1, 1))
    assert laplacian_of_gaussian(blob, sigma=1.3, spacing=(2, 1, 1), dimensions=2)[6, 12, 12] < 0


def test_the_convention_of_pyradiomics_leaves_nothing_of_a_constant_and_knows_parabolas():
    flat = laplacian_of_gaussian(np.full((6, 40, 40), 1000), sigma=1, convention="pyradiomics", spacing=(5, 1, 1))
    assert np.abs(flat).max() < 1e-9
    parabola = np.tile((np.arange(81) - 40.0) ** 2, (1, 1, 1))
    response = laplacian_of_gaussian(parabola, sigma=2, convention="pyradiomics")
    assert response[0, 0, 40] == pytest.approx(2 * 2**2, rel=1e-6)
    assert np.abs(laplacian_of_gaussian(np.full((40, 40), 1000.0), sigma=1)[20, 20]) < 1000 * 0.001 * 2


@pytest.mark.parametrize("spacing", [(1, 1, 1), (4, 0.7, 0.9)])
@pytest.mark.parametrize("sigma", [1, 2.5])
def test_the_convention_of_pyradiomics_is_the_filter_of_itk(spacing, sigma, rng):
    sitk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")
    image = ndimage.gaussian_filter(rng.normal(100, 40, (8, 16, 14)), 1)
    theirs = sitk.LaplacianRecursiveGaussianImageFilter()
    theirs.SetNormalizeAcrossScale(True)
    theirs.SetSigma(sigma)
    volume = sitk.GetImageFromArray(image)
    volume.SetSpacing([float(s) for s in spacing[::-1]])
    expected = sitk.GetArrayFromImage(theirs.Execute(volume))
    response = laplacian_of_gaussian(image, sigma=sigma, spacing=spacing, convention="pyradiomics")
    np.testing.assert_allclose(response, expected, atol=1e-5 * expected.std())  # theirs in single precision
    slopes = sitk.GetArrayFromImage(sitk.GradientMagnitude(volume, True))
    np.testing.assert_allclose(gradient(image, spacing=spacing, boundary="nearest"), slopes, rtol=1e-5)


def test_laws_kernels_are_normalised_and_ordered_x_y_z(rng):
    for name, kernel in KERNELS.items():
        assert len(kernel) == int(name[1])
        response = laws(impulse(9, 9), kernel=f"{name}l3")
        along_x = np.array(kernel) / np.linalg.norm(kernel)
        half = len(kernel) // 2
        np.testing.assert_allclose(response[4, 4 - half : 5 + half], along_x * 2 / np.sqrt(6), atol=1e-15)
    volume = impulse(9, 9, 9)
    kernels = [np.array(KERNELS[k]) / np.linalg.norm(KERNELS[k]) for k in ("s5", "l5", "e5")]
    np.testing.assert_allclose(laws(volume, kernel="E5L5S5")[2:7, 2:7, 2:7], outer(*kernels), atol=1e-15)


@boundaries
def test_laws_is_the_convolution_with_the_product_of_its_kernels(boundary, volume):
    e, w, r = (np.array(KERNELS[k]) / np.linalg.norm(KERNELS[k]) for k in ("e3", "w5", "r5"))
    expected = convolved(volume, outer(r, w, e), boundary)
    response = laws(volume, kernel="e3w5r5", boundary=boundary)
    np.testing.assert_allclose(response, expected, atol=1e-10)
    energy = laws(volume, kernel="e3w5r5", boundary=boundary, energy=1)
    np.testing.assert_allclose(energy, mean(np.abs(expected), size=3, boundary=boundary), atol=1e-10)


@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize(
    "filtered",
    [
        lambda image, **k: laws(image, kernel="e5l5s3" if image.ndim == 3 else "w5s3", **k),
        lambda image, **k: wavelet(image, wavelet="db2", subband="lhl"[: image.ndim], level=2, **k),
        lambda image, **k: wavelet(image, wavelet="coif1", subband="hhl"[: image.ndim], boundary="periodic", **k),
    ],
    ids=["laws", "db2", "coif1"],
)
def test_pooling_is_over_the_rotations_of_the_image(pooling, filtered, cube):
    pytest.importorskip("pywt", reason="PyWavelets is not installed")
    for image in (cube, cube[0]):
        responses, seen = [], set()
        for turned, undo in right_angle_rotations(image):
            if turned.tobytes() not in seen:
                seen.add(turned.tobytes())
                responses.append(undo(filtered(turned)))
        assert len(responses) == (24 if image.ndim == 3 else 4)
        pool = np.max if pooling == "max" else np.mean
        pooled = filtered(image, pooling=pooling)
        np.testing.assert_allclose(pooled, pool(responses, axis=0), atol=1e-10)
        if image.ndim == 2:
            np.testing.assert_allclose(np.rot90(pooled), filtered(np.rot90(image), pooling=pooling), atol=1e-10)


@boundaries
def test_gabor_is_the_modulus_of_the_convolution_with_its_kernel(boundary, image):
    for theta in (0, 30, 225):
        kernel = gabor_kernel(1.2, 2.5, 0.8, theta)
        response = gabor(image, sigma=1.2, wavelength=2.5, gamma=0.8, theta=theta, boundary=boundary)
        np.testing.assert_allclose(response, np.abs(convolved(image, kernel, boundary)), rtol=1e-9)


def test_gabor_knows_millimetres(image):
    kernel = gabor_kernel(1.5, 3, 1.5, 60, sides=(2.0, 0.9))
    response = gabor(image[np.newaxis], sigma=1.5, wavelength=3, gamma=1.5, theta=60, spacing=(7, 2, 0.9))[0]
    np.testing.assert_allclose(response, np.abs(convolved(image, kernel, "mirror")), rtol=1e-9)


def test_the_response_of_gabor_to_an_impulse_is_the_ellipse_of_its_kernel():
    response = gabor(
        impulse(61, 61), sigma=10, wavelength=4, gamma=0.5, theta=60, spacing=(2, 2), boundary="constant"
    )
    y, x = (np.arange(61) - 30) * 2.0, (np.arange(61)[:, np.newaxis] - 30) * 2.0
    along = y * np.cos(np.pi / 3) + x * np.sin(np.pi / 3)
    across = -y * np.sin(np.pi / 3) + x * np.cos(np.pi / 3)
    np.testing.assert_allclose(response, np.exp(-(along**2 + across**2 / 4) / 200), atol=1e-12)


def test_directions_and_planes_are_pooled(volume):
    parameters = {"sigma": 1.1, "wavelength": 2.2, "gamma": 0.9}
    one = [gabor(volume, theta=t, **parameters) for t in (10, 70, 130)]
    for step in (60, 120):  # 10, 130 and 250 degrees are 10, 130 and 70
        pooled = gabor(volume, theta=10, theta_step=step, **parameters)
        np.testing.assert_allclose(pooled, np.mean(one, axis=0), rtol=1e-12)
    top = gabor(volume, theta=10, theta_step=60, pooling="max", **parameters)
    np.testing.assert_allclose(top, np.max(one, axis=0), rtol=1e-12)
    planes = [
        np.moveaxis(gabor(np.moveaxis(volume, axis, 0), theta_step=90, **parameters), 0, axis) for axis in range(3)
    ]
    pooled = gabor(volume, theta_step=90, orthogonal=True, **parameters)
    np.testing.assert_allclose(pooled, np.mean(planes, axis=0), rtol=1e-12)
    with pytest.raises(ValueError, match="need a volume"):
        gabor(volume[0], orthogonal=True, **parameters)


@boundaries
def test_wavelets_are_convolutions_with_spread_kernels(boundary, volume):
    pywt = pytest.importorskip("pywt", reason="PyWavelets is not installed")
    for name in ("haar", "db2", "bior2.2"):
        low, high = (np.append(k, [0] * (1 - len(k) % 2)) for k in pywt.Wavelet(name).filter_bank[:2])
        first = wavelet(volume, wavelet=name, subband="hll", boundary=boundary)
        np.testing.assert_allclose(first, convolved(volume, outer(low, low, high), boundary), atol=1e-9)
        wide = [np.insert(kernel, np.arange(1, len(kernel)), 0) for kernel in (low, high)]
        smooth = convolved(volume[0], outer(low, low), boundary)
        expected = convolved(smooth, outer(wide[1], wide[0]), boundary)
        second = wavelet(volume[0], wavelet=name, subband="lh", level=2, boundary=boundary)
        np.testing.assert_allclose(second, expected, atol=1e-9)


@pytest.mark.parametrize("name", ["coif1", "haar", "db3", "bior1.3"])
@pytest.mark.parametrize("shape", [(6, 8, 10), (5, 8, 7)])
def test_the_convention_of_pyradiomics_is_swtn(name, shape, rng):
    pywt = pytest.importorskip("pywt", reason="PyWavelets is not installed")
    image = rng.normal(size=shape)
    padded = np.pad(image, [(0, n % 2) for n in shape], mode="wrap")
    for level in (1, 2):
        bands = pywt.swtn(padded, name, level=1, axes=(2, 1, 0))[0]
        padded = bands["aaa"]
        for band, expected in bands.items():
            subband = band.replace("a", "l").replace("d", "h")
            response = wavelet(image, wavelet=name, subband=subband, level=level, convention="pyradiomics")
            np.testing.assert_allclose(response, expected[tuple(map(slice, shape))], atol=1e-12)


def test_without_pywavelets_the_error_says_what_to_install(image, monkeypatch):
    from tumortrace.filters import _wavelet

    _wavelet._filters.cache_clear()
    monkeypatch.setitem(sys.modules, "pywt", None)
    with pytest.raises(ImportError, match=r"pip install 'tumortrace\[medical\]'"):
        wavelet(image, wavelet="haar", subband="ll")


def test_parts_for_three_dimensions_need_a_volume(image):
    with pytest.raises(ValueError, match="kernel is 'l5l5l5', for three dimensions"):
        laws(image, kernel="l5l5l5")
    pytest.importorskip("pywt", reason="PyWavelets is not installed")
    with pytest.raises(ValueError, match="subband is 'lll', for three dimensions"):
        wavelet(image, wavelet="haar", subband="lll")


def gain(frequency, level):
    octave = np.log2(2 * frequency * 2 ** (level - 1))
    return np.cos(np.pi / 2 * octave) if abs(octave) <= 1 else 0


@pytest.mark.parametrize("n", [31, 32])
def test_simoncelli_passes_its_octaves(n):
    for cycles in (1, 3, 5, 8, 12):
        wave = np.tile(np.cos(2 * np.pi * cycles * np.arange(n) / n), (5, 1, 1))
        for level in (1, 2, 3):
            # even: the frequencies of both directions are half a step off, one up, one down
            steps = [2 * cycles] if n % 2 else [2 * cycles - 1, 2 * cycles + 1]
            expected = np.mean([gain(step / (n - 1), level) for step in steps]) * wave
            np.testing.assert_allclose(simoncelli(wave, level=level), expected, atol=1e-12)


def test_simoncelli_is_the_product_of_transforms_on_an_even_grid(rng):
    for shape in ((6, 7, 8), (8, 5)):
        image = rng.normal(size=shape)
        grid = np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij")
        radius = np.fft.ifftshift(np.sqrt(sum(axis**2 for axis in grid)))
        for level in (1, 2, 3):
            band = np.vectorize(lambda r, level=level: gain(r, level) if r else 0, otypes=[float])(radius)
            expected = np.fft.ifftn(np.fft.fftn(image) * band).real
            np.testing.assert_allclose(simoncelli(image, level=level), expected, atol=1e-12)


def test_simoncelli_has_no_direction_and_no_mean(rng):
    image = rng.normal(size=(15, 15))
    np.testing.assert_allclose(simoncelli(np.rot90(image)), np.rot90(simoncelli(image)), atol=1e-13)
    assert np.abs(simoncelli(image).mean()) < 1e-15


def test_gradient_in_millimetres():
    z, y, x = np.meshgrid(np.arange(4) * 3.0, np.arange(5) * 0.5, np.arange(6) * 2.0, indexing="ij")
    slopes = gradient(2 * z + 3 * y - 6 * x, spacing=(3, 0.5, 2))
    np.testing.assert_allclose(slopes[1:-1, 1:-1, 1:-1], 7)
    np.testing.assert_allclose(gradient(2 * z + 3 * y - 6 * x, spacing=(3, 0.5, 2), dimensions=2)[0, 2, 2], 45**0.5)


def test_lbp_is_the_image_of_codes(rng):
    image = rng.integers(0, 50, (3, 9, 8))
    for parameters in ({}, {"points": 12, "radius": 2.5, "method": "ror"}, {"method": "var"}):
        codes = np.nan_to_num(lbp_codes(image, **{"method": "uniform", **parameters}).astype(float))
        np.testing.assert_allclose(lbp(image, boundary="constant", **parameters), codes, rtol=1e-12)
        margin = int(np.ceil(parameters.get("radius", 1)))
        inner = (slice(None), slice(margin, -margin), slice(margin, -margin))
        np.testing.assert_allclose(lbp(image, **parameters)[inner], codes[inner], rtol=1e-12)
    assert not lbp(np.full((4, 4), 7), method="var").any()
    assert (lbp(np.full((4, 4), 7)) == 8).all()


def test_intensity_transforms_by_hand():
    image = np.array([[-4.0, 0.0, 1.0, 4.0]])
    np.testing.assert_allclose(square(image), [[4, 0, 0.25, 4]])
    np.testing.assert_allclose(square_root(image), [[-4, 0, 2, 4]])
    np.testing.assert_allclose(logarithm(image), [[-4, 0, 4 * np.log(2) / np.log(5), 4]])
    np.testing.assert_allclose(exponential(image), [[0.25, 1, 4**0.25, 4]])
    blank = np.zeros((2, 2))
    assert [f(blank).max() for f in (square, square_root, logarithm, exponential)] == [0, 0, 0, 1]
