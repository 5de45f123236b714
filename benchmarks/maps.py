"""Maps of the GLCM against flash-radiomics, after proving that both give the same; and a large image on its own.

    OMP_NUM_THREADS=1 python -m benchmarks.maps        a synthetic region of the size of the goal
    python -m benchmarks.maps --image A --mask B       a volume and its mask, of intensities a bin of 25 wide suits

The peer is no dependency of this project: pip install flash-radiomics==1.0.0 SimpleITK h5py pykwalify trimesh.
"""

import argparse
import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from benchmarks.measure import race
from tumortrace.features import glcm_map
from tumortrace.features._glcm_features import NAMES
from tumortrace.features._nomenclature import TERMS
from tumortrace.io import read_lesion

WINDOW, BIN_WIDTH = 3, 25
THEIRS = {name: term.pyradiomics for name, term in TERMS["glcm"].items() if term.pyradiomics}
IN_PYTHON = {"dissimilarity": "Dissimilarity", "sum_variance": "SumVariance"}
"""What flash-radiomics computes, in loops in Python, besides the 24 features of PyRadiomics when asked for all."""


def region(side: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """A smooth volume and a ball of 4,139 voxels in it, which has 33 bins of 25."""
    noise = ndimage.gaussian_filter(np.random.default_rng(7).normal(size=(side,) * 3), 1)
    ball = sum((axis - side // 2) ** 2 for axis in np.ogrid[:side, :side, :side]) < 100
    low, high = noise[ball].min(), noise[ball].max()
    return np.round(450 + (noise - low) / (high - low) * 824).astype(np.int16), ball


def ours(image: np.ndarray, mask: np.ndarray, features: list[str]) -> Callable[[], Any]:
    return lambda: glcm_map(
        image,
        mask,
        window=WINDOW,
        bin_width=BIN_WIDTH,
        first_edge="pyradiomics",
        aggregation="3d_average",
        features=features,
        threads=1,
    )


def theirs(image: np.ndarray, mask: np.ndarray, features: list[str], folder: str) -> Callable[[], Any]:
    import flash_radiomics
    import SimpleITK

    logging.disable(logging.INFO)
    extractor = flash_radiomics.RadiomicsFeatureExtractor(
        binWidth=BIN_WIDTH, backend="cpu", num_threads=1, hdf5OutputDirectory=folder
    )
    extractor.disableAllFeatures()
    extractor.enableFeaturesByName(glcm=features)
    pair = SimpleITK.GetImageFromArray(image), SimpleITK.GetImageFromArray(mask.astype(np.uint8))
    prepared = extractor.preprocess_case(*pair, label=1, label_channel=None, spatialMode=True)
    return lambda: extractor.extract_from_preprocessed(prepared)


def check(maps: Any, peer: Any, mask: np.ndarray, names: dict[str, str]) -> None:
    """Assert that the maps of the peer, which are cut to a box of their own, are ours."""
    import SimpleITK

    for ours_is, theirs_is in names.items():
        found = peer[f"original_glcm_{theirs_is}"]
        corner = [round(x) for x in reversed(found.GetOrigin())]
        values = SimpleITK.GetArrayFromImage(found)
        box = tuple(slice(start, start + size) for start, size in zip(corner, values.shape, strict=True))
        inside = mask[box]
        np.testing.assert_allclose(
            maps[ours_is][box][inside], values[inside], rtol=1e-8, atol=1e-8, err_msg=ours_is
        )


def run(seconds: float, image: np.ndarray, mask: np.ndarray) -> list[dict[str, Any]]:
    """Return a record per comparison; print each as it comes."""
    records = []
    cases = (("all that the peer has", THEIRS | IN_PYTHON, 20.0), ("the 24 of PyRadiomics", THEIRS, None))
    with tempfile.TemporaryDirectory() as folder:
        for what, names, goal in cases:
            mine, other = ours(image, mask, list(names)), theirs(image, mask, list(names.values()), folder)
            check(mine(), other(), mask, names)
            records.append(_record(f"glcm_map, {what}", "flash-radiomics", race(mine, other, seconds), goal))
    return records


def alone(side: int = 512, threads: int = 4) -> float:
    """Seconds for all features of a noisy image, window 7, 16 levels; the goal is one second."""
    image = np.random.default_rng(0).integers(0, 256, (side, side), dtype=np.uint8)
    best = np.inf
    for _ in range(4):
        start = time.perf_counter()
        glcm_map(image, window=7, levels=16, threads=threads)
        best = min(best, time.perf_counter() - start)
    return float(best)


def _record(name: str, peer: str, times: tuple[float, float], goal: float | None) -> dict[str, Any]:
    mine, other = times
    print(f"{name:36} {peer:18} {mine * 1e3:9.2f} ms  {other * 1e3:9.2f} ms  ×{other / mine:6.1f}", flush=True)
    return {"name": name, "peer": peer, "ours_s": mine, "theirs_s": other, "ratio": other / mine, "goal": goal}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", type=Path, help="a volume; without it, a synthetic one")
    parser.add_argument("--mask", type=Path, help="its mask")
    parser.add_argument("--seconds", type=float, default=10.0, help="time for each pair of timings")
    options = parser.parse_args()
    image, mask = region()
    if options.image:
        lesion = read_lesion(options.image, options.mask)
        image, mask = lesion.array, lesion.mask
    print(f"{np.count_nonzero(mask):,} voxels, window {WINDOW}, bins of {BIN_WIDTH}, one thread each")
    run(options.seconds, image, mask)
    print(f"512 × 512, window 7, 16 levels, all {len(NAMES)} features, 4 threads: {alone():.3f} s")


if __name__ == "__main__":
    main()
