"""Embedding and training against plain torchvision code doing the same, after proving that both give the same."""

import dataclasses
import tempfile
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numba
import numpy as np
import safetensors.torch
import torch
from PIL import Image
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import peers_torchvision as plain
from benchmarks.measure import _once, race
from tumortrace.deep import RECIPES, Augmentation, CNNEmbedding, Preprocessing, Recipe, backbone
from tumortrace.deep._inputs import collect
from tumortrace.deep._train import Rows, Training
from tumortrace.io.synthetic import make_lesions

DATASHEET = {"H100": 67e12, "H200": 67e12, "A100": 19.5e12}
"""Float32 operations per second that the maker states for a device."""


@dataclass(frozen=True)
class Case:
    """One row: what is done, by which network, to how many pictures of which side, `batch` at a time."""

    what: str
    network: str
    size: int
    batch: int
    images: int

    @property
    def name(self) -> str:
        return f"{self.what} {self.network}"


CASES = tuple(
    Case(what, network, size, batch, images)
    for what in ("embedding", "training")
    for network, size, batch, images in (
        ("resnet8", 32, 16, 64),
        ("resnet18", 64, 32, 64),
        ("resnet18", 224, 8, 8),
        ("resnet50", 224, 8, 8),
        ("vgg16", 224, 8, 8),
    )
)
Run = Callable[[], Any]


def run(machine: dict[str, Any], seconds: float, only: str = "") -> list[dict[str, Any]]:
    """Return one record per case; print each as it comes."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    peak = peak_speed(device)
    with tempfile.TemporaryDirectory() as folder:
        paths = pictures(Path(folder), max(case.images for case in CASES))
        return [_record(case, paths, device, peak, machine, seconds) for case in CASES if only in case.name]


def pictures(folder: Path, n: int) -> list[Path]:
    """Return paths of `n` synthetic lesions of many sizes."""
    make_lesions(folder / "lesions", patients=max(2, n // 17 + 1), slices=1)
    return sorted((folder / "lesions").rglob("*.jpg"))[:n]


def check(case: Case, paths: list[Path], device: str) -> tuple[Run, Run, int]:
    """Assert that both sides agree; return what each side does, and its floating point operations."""
    paths = paths[: case.images]
    sides = _embedding if case.what == "embedding" else _training
    return sides(case, paths, Preprocessing(case.size, 1, (0.5,), (0.5,)), device)


def floor(case: Case, operations: int, weights: int, peak: float, machine: dict[str, Any]) -> float:
    """Seconds that no program can undercut: the operations, or the bytes of weights and images, at full speed.

    Each batch reads the weights once; a step of training reads them twice, writes gradients, reads and writes
    weights and momentum: 7 passes.
    """
    passes = 1 if case.what == "embedding" else 7
    batches = case.images / case.batch
    traffic = 4 * (passes * batches * weights + case.images * case.size**2)
    return max(operations / peak, traffic / (machine["copy_gb_per_s"]["64 MB"] * 1e9))


def peak_speed(device: str) -> float:
    """Float32 operations per second at best: of all threads multiplying and adding, or of a GPU as its maker says.

    A GPU that is not in the list is held against a product of two matrices.
    """
    if device == "cpu":
        return _multiply_add_speed() * torch.get_num_threads()
    for name, speed in DATASHEET.items():
        if name in torch.cuda.get_device_name():
            return speed
    a, b = torch.rand(2, 8192, 8192, device=device)

    def product() -> None:
        torch.mm(a, b)
        torch.cuda.synchronize()

    return 2 * 8192**3 / min(_once(product) for _ in range(5))


def _multiply_add_speed() -> float:
    """Vectorised operations per second of one thread: eight times a product and a sum on each number."""

    @numba.njit(fastmath={"contract"})
    def work(a: Any, b: Any, rounds: int) -> None:
        for _ in range(rounds):
            for k in range(a.size):
                x, y = a[k], b[k]
                for _ in range(8):
                    x = x * y + y
                a[k] = x

    a, b, rounds = np.zeros(2048, np.float32), np.full(2048, 0.5, np.float32), 500
    work(a, b, 1)
    return 16 * a.size * rounds / min(_once(lambda: work(a, b, rounds)) for _ in range(50))


def _embedding(case: Case, paths: list[Path], ready: Preprocessing, device: str) -> tuple[Run, Run, int]:
    torch.manual_seed(0)
    network = backbone(case.network, in_channels=1).eval()
    with tempfile.TemporaryDirectory() as folder:
        embedding = CNNEmbedding(
            case.network,
            weights=_saved(network, Path(folder)),
            preprocessing=ready,
            batch_size=case.batch,
            device=device,
        ).fit(paths)
    trunk = plain.without_head(plain.network(case.network, network)).to(device)
    data = plain.Pictures(paths, [0] * len(paths), plain.plain_transform(case.size))
    ours = partial(embedding.transform, paths)
    theirs = partial(plain.embed, trunk, data, case.batch, device)
    mine, other = ours().to_numpy(), theirs()
    assert np.ptp(other) > 0
    np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-4 * np.abs(other).max())
    return ours, theirs, _operations(ours)


def _training(case: Case, paths: list[Path], ready: Preprocessing, device: str) -> tuple[Run, Run, int]:
    """Both sides hold decoded pictures in memory; each call is one epoch."""
    torch.manual_seed(0)
    network = backbone(case.network, in_channels=1)
    opened = [Image.open(path).convert("L") for path in paths]
    targets = [i % 2 for i in range(len(paths))]
    resized = ready.resize(collect(paths))
    recipe = dataclasses.replace(RECIPES["report"], size=case.size, batch_size=case.batch, epochs=1, validation=0.0)

    # one batch, so that its order does not matter, and no dropout
    n, calm = case.batch, _without_dropout(network)
    still = dataclasses.replace(recipe, augmentation=Augmentation())
    first = Rows(resized[:n], torch.tensor(targets[:n]), np.arange(n))
    data = plain.Pictures(opened[:n], targets, plain.plain_transform(case.size))
    mine, other = deepcopy(calm), _without_dropout(plain.network(case.network, calm)).to(device)
    losses = _train(mine, still, ready, first, device), plain.train(other, data, n, device)
    np.testing.assert_allclose(*losses, rtol=1e-4)
    # batch normalisation of a few images magnifies rounding: plain float32 is itself 2 % from float64 in resnet50
    step, difference = _distance(other, calm), _distance(mine, other)
    assert difference < 0.15 * step, f"{case}: the steps differ by {difference:.2g} of {step:.2g}"

    stored = Rows(resized.mul(255).round().to(torch.uint8), torch.tensor(targets), np.arange(len(paths)))
    peer = plain.network(case.network, network).to(device)
    augmented = plain.Pictures(opened, targets, plain.augmenting_transform(case.size))
    ours = partial(_train, network, recipe, ready, stored, device)
    return ours, partial(plain.train, peer, augmented, case.batch, device), _operations(ours)


def _train(network: nn.Module, recipe: Recipe, ready: Preprocessing, rows: Rows, device: str) -> list[float]:
    """Train by a recipe; return the loss of each epoch."""
    job = Training(network, recipe, ready, seed=0, device=torch.device(device), precision="float32")
    job.run(rows)
    return [row["loss"] for row in job.history]


def _without_dropout(network: nn.Module) -> nn.Module:
    calm = deepcopy(network)
    for module in calm.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return calm


def _distance(a: nn.Module, b: nn.Module) -> float:
    """Euclidean distance between the weights of two networks."""
    pairs = zip(a.parameters(), b.parameters(), strict=True)
    return sum(float((p.detach().cpu() - q.detach().cpu()).double().square().sum()) for p, q in pairs) ** 0.5


def _saved(network: nn.Module, folder: Path) -> Path:
    path = folder / "weights.safetensors"
    safetensors.torch.save_file(network.state_dict(), path)
    return path


def _operations(function: Run) -> int:
    """Floating point operations of the products and convolutions of a call, forward and backward."""
    with FlopCounterMode(display=False) as counter:
        function()
    return counter.get_total_flops()


def _record(
    case: Case, paths: list[Path], device: str, peak: float, machine: dict[str, Any], seconds: float
) -> dict[str, Any]:
    ours, theirs, operations = check(case, paths, device)
    mine, other = race(ours, theirs, seconds)
    weights = sum(p.numel() for p in backbone(case.network, in_channels=1).parameters())
    least = floor(case, operations, weights, peak, machine)
    print(
        f"{case.name:20} {case.size:4}  {mine * 1e3:9.1f} ms  {other * 1e3:9.1f} ms  ×{other / mine:.2f}  "
        f"{case.images / mine:9.1f} images/s  {operations / mine / peak:5.0%} of peak  {mine / least:5.1f} floors",
        flush=True,
    )
    return dataclasses.asdict(case) | {
        "device": torch.cuda.get_device_name()
        if device == "cuda"
        else f"the CPU, threads: {torch.get_num_threads()}",
        "ours_s": mine,
        "theirs_s": other,
        "ratio": other / mine,
        "floor_s": least,
        "operations": operations,
        "peak_per_s": peak,
    }
