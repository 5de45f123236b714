"""The one table of comparisons: ours, the peer, what must be equal, and the floor.

Each row first proves that both sides give the same result, then both are timed in one run. A floor is the time the
machine needs at least for the bytes that must be touched (`traffic`, per pixel) or for the operations that must be
done (`operations`, per pixel, by the narrowest type of number that holds them, at full vector width; "count" is an
increment in a table), whichever is longer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import mahotas
import numpy as np
from scipy import ndimage
from skimage.feature import graycomatrix, graycoprops, hog, local_binary_pattern

from benchmarks import peers_plain, peers_scipy, peers_skimage
from tumortrace import features
from tumortrace.table import PRESETS

ANGLES = (0, np.pi / 4, np.pi / 2, 3 * np.pi / 4)
SIZES = (24, 64, 256, 512, 1024, 2048)
Function = Callable[[Any], Any]

# differences; magnitude and the test against each edge between bins; one vote
HOG_WORK = {"int16": 4, "float32": 6 + 8 * 3, "count": 1}
# median network and the comparisons; sums; squares, variance and the threshold
MVM_LBP_WORK = {"uint8": 20 + 16, "int16": 4, "int32": 10}


@dataclass(frozen=True)
class Comparison:
    """One row of the table.

    `ours` and `theirs` take what `prepare` makes of the 8-bit image, each its own part. `same` compares their two
    results and raises where they differ; None where the peer computes a relative of the operator and not the same
    numbers, which `note` then says. `goal` is the ratio asked for, at the size `goal_size`.
    """

    name: str
    peer: str
    ours: Function
    theirs: Function
    same: Callable[[Any, Any], None] | None
    traffic: float
    operations: dict[str, float]
    goal: float | None = None
    goal_size: int = 1024
    data: str = "noise"
    sizes: tuple[int, ...] = SIZES
    prepare: Callable[[Any], tuple[Any, Any]] = lambda image: (image, image)
    note: str = ""

    def floor(self, pixels: int, machine: dict[str, Any]) -> float:
        """Seconds that no program on this machine can undercut, for an image of `pixels`."""
        total = pixels * self.traffic
        speed = machine["copy_gb_per_s"]["1 MB" if total < 2**21 else "64 MB"] * 1e9
        work = sum(number / machine["operations_g_per_s"][lane] for lane, number in self.operations.items())
        return max(total / speed, pixels * work / 1e9)


def image(size: int, data: str) -> np.ndarray:
    """An 8-bit image: independent noise, or smooth texture over the full range."""
    noise = np.random.default_rng(size).normal(size=(size, size))
    if data == "texture":
        noise = ndimage.gaussian_filter(noise, 2.0, mode="wrap")
    low, high = noise.min(), noise.max()
    return np.round((noise - low) / (high - low) * 255).astype(np.uint8)


def identical(ours: Any, theirs: Any) -> None:
    np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))


def close(ours: Any, theirs: Any) -> None:
    np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=1e-6, atol=1e-9)


def _crop(size: int) -> np.ndarray:
    return np.ascontiguousarray(image(size, "texture")[:, :-2])


def _all_features(pixels: np.ndarray) -> np.ndarray:
    return np.concatenate([np.asarray(features.FEATURES[name](pixels)) for name in PRESETS["default"]()])


def _opencv_hog(pixels: np.ndarray) -> np.ndarray:
    rows, cols = (n // 8 * 8 for n in pixels.shape)
    return cv2.HOGDescriptor((cols, rows), (16, 16), (8, 8), (8, 8), 9).compute(pixels[:rows, :cols])


def _opencv_magnitude(pixels: np.ndarray) -> np.ndarray:
    options = {"ksize": 3, "borderType": cv2.BORDER_REFLECT}
    return cv2.magnitude(
        cv2.Sobel(pixels, cv2.CV_32F, 1, 0, **options), cv2.Sobel(pixels, cv2.CV_32F, 0, 1, **options)
    )


def _scipy_magnitude(pixels: np.ndarray) -> np.ndarray:
    values = pixels.astype(np.float64)
    return np.hypot(ndimage.sobel(values, 0), ndimage.sobel(values, 1))


def _four_properties(grey: np.ndarray, levels: int) -> np.ndarray:
    matrix = graycomatrix(grey, [1], ANGLES, levels=levels, symmetric=True, normed=True)
    return np.array([graycoprops(matrix, p).mean() for p in ("contrast", "energy", "homogeneity", "correlation")])


def _same_four(ours: Any, theirs: Any) -> None:
    mine = [ours[name] for name in ("contrast", "energy", "homogeneity", "correlation")]
    np.testing.assert_allclose(mine, theirs, rtol=1e-10)


def _glcm_row(levels: int, goal: float | None, data: str) -> Comparison:
    return Comparison(
        name=f"glcm, {levels} levels, 4 angles, {data}",
        peer="scikit-image, matrix and 4 properties",
        ours=lambda pixels: features.glcm(pixels, levels=levels, aggregation="2d_average"),
        theirs=lambda grey: _four_properties(grey, levels),
        same=_same_four,
        # the pixels once, and the four matrices, which stay in the cache, cell by cell
        traffic=1,
        operations={"count": 4},
        goal=goal,
        data=data,
        prepare=lambda pixels: (pixels, (features.discretise(pixels, levels=levels)[0] - 1).astype(np.uint8)),
        note="ours: levels, matrix and all features; scikit-image is given the levels",
    )


def _lbp_row(points: int, radius: int, goal: float) -> Comparison:
    diagonal = points - 4
    return Comparison(
        name=f"lbp uniform ({points}, {radius})",
        peer="scikit-image",
        ours=lambda pixels: features.lbp_codes(pixels, points=points, radius=radius, method="uniform"),
        theirs=lambda pixels: local_binary_pattern(pixels, points, radius, "uniform"),
        same=identical,
        traffic=2,
        # four points lie on pixels; each other one is interpolated from four
        operations={"uint8": 4 * 2, "float64": diagonal * 8},
        goal=goal,
    )


COMPARISONS = (
    Comparison(
        name="hog",
        peer="scikit-image",
        ours=lambda pixels: features.hog_blocks(pixels, pixels_per_cell=(8, 8), cells_per_block=(3, 3)),
        theirs=lambda pixels: hog(pixels, 9, (8, 8), (3, 3), block_norm="L2-Hys", feature_vector=False),
        same=close,
        traffic=1 + 81 * 8 / 64,
        operations=HOG_WORK,
        goal=60,
    ),
    Comparison(
        name="hog, 2×2 blocks",
        peer="OpenCV HOGDescriptor",
        ours=lambda pixels: features.hog_blocks(pixels, pixels_per_cell=(8, 8), cells_per_block=(2, 2)),
        theirs=_opencv_hog,
        same=None,
        traffic=1 + 36 * 8 / 64,
        operations=HOG_WORK,
        goal=4,
        note="the same work, other numbers: OpenCV interpolates between bins and cells",
    ),
    Comparison(
        name="sobel magnitude",
        peer="OpenCV, two passes and magnitude",
        ours=features.sobel_magnitude,
        theirs=_opencv_magnitude,
        same=close,
        traffic=5,
        operations={"int16": 10, "float32": 4},
        goal=1,
    ),
    Comparison(
        name="sobel magnitude",
        peer="scipy.ndimage",
        ours=features.sobel_magnitude,
        theirs=_scipy_magnitude,
        same=close,
        traffic=5,
        operations={"int16": 10, "float32": 4},
    ),
    _lbp_row(8, 1, goal=40),
    _lbp_row(16, 2, goal=30),
    Comparison(
        name="lbp rotation invariant (8, 1)",
        peer="mahotas, with histogram",
        ours=lambda pixels: features.lbp(pixels, points=8, radius=1, method="ror"),
        theirs=lambda pixels: mahotas.features.lbp(pixels, 1, 8),
        same=None,
        traffic=2,
        operations={"uint8": 4 * 2, "float64": 4 * 8},
        note="other numbers: mahotas interpolates with splines",
    ),
    Comparison(
        name="mvm_lbp",
        peer="scipy composition",
        ours=features.mvm_lbp_codes,
        theirs=peers_scipy.mvm_lbp_scipy,
        same=identical,
        traffic=2,
        operations=MVM_LBP_WORK,
        goal=40,
    ),
    Comparison(
        name="mvm_lbp",
        peer="plain Python loops",
        ours=features.mvm_lbp_codes,
        theirs=peers_plain.mvm_lbp_codes,
        same=identical,
        traffic=2,
        operations=MVM_LBP_WORK,
        goal=5000,
        goal_size=256,
        sizes=(24, 64, 256),
    ),
    Comparison(
        name="mvmbp",
        peer="scipy composition",
        ours=features.mvmbp_codes,
        theirs=peers_scipy.mvmbp_scipy,
        same=identical,
        traffic=2,
        operations={"int16": 6, "uint8": 16},
        goal=40,
    ),
    Comparison(
        name="mvmbp",
        peer="plain Python loops",
        ours=features.mvmbp_codes,
        theirs=peers_plain.mvmbp_codes,
        same=identical,
        traffic=2,
        operations={"int16": 6, "uint8": 16},
        goal=5000,
        goal_size=256,
        sizes=(24, 64, 256),
    ),
    _glcm_row(32, 2, "noise"),
    _glcm_row(256, 5, "noise"),
    _glcm_row(32, None, "texture"),
    _glcm_row(256, None, "texture"),
    Comparison(
        name="glcm, 256 levels, 4 angles, noise",
        peer="mahotas haralick, 13 features",
        ours=lambda pixels: features.glcm(pixels, levels=256, aggregation="2d_average"),
        theirs=lambda pixels: mahotas.features.haralick(pixels, return_mean=True),
        same=lambda ours, theirs: np.testing.assert_allclose(
            [
                ours["angular_second_moment"],
                ours["contrast"],
                ours["inverse_difference_moment"],
                ours["joint_entropy"],
            ],
            theirs[[0, 1, 4, 8]],
            rtol=1e-6,
        ),
        traffic=1,
        operations={"count": 4},
    ),
    Comparison(
        name="all extractors, a 26×24 crop",
        peer="scikit-image and SciPy, same columns",
        ours=_all_features,
        theirs=lambda pixels: list(peers_skimage.describe(pixels).values()),
        same=close,
        traffic=1,
        operations={"float64": 200, "count": 9},
        goal=10,
        goal_size=24,
        sizes=(24,),
        prepare=lambda pixels: (_crop(26), _crop(26)),
    ),
)
