"""Where and how a network runs: device, precision, threads, and the random numbers of its layers."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import torch

from tumortrace import _check

PRECISIONS = ("auto", "float32", "bfloat16")


def choose_device(device: str | torch.device = "auto") -> torch.device:
    """Return a device: `device` itself, or for "auto" the first there is of CUDA, Apple's MPS and the CPU."""
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.empty(1, device=chosen)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        first = str(error).splitlines()[0]
        raise ValueError(f"device is {device!r}, which is not there: {first}; give 'auto' or 'cpu'") from error
    return chosen


def choose_precision(precision: str, device: torch.device) -> str:
    """Return "float32" or "bfloat16"; "auto" is the latter on a CUDA device that computes it."""
    _check.one_of("precision", precision, PRECISIONS)
    if precision == "auto":
        return "bfloat16" if device.type == "cuda" and torch.cuda.is_bf16_supported() else "float32"
    return precision


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """Return the context in which a network computes in `precision`; its weights stay float32."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16")


@contextmanager
def own_random_numbers(device: torch.device) -> Iterator[None]:
    """Give torch's global generators back as they were: layers such as dropout draw from them."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield


def seed_layers(seed: int, device: torch.device) -> None:
    """Seed the generators that layers draw from."""
    torch.default_generator.manual_seed(seed)
    if device.type != "cpu":
        torch.get_device_module(device).manual_seed(seed)


@contextmanager
def few_threads() -> Iterator[None]:
    """Compute with one thread in a worker process: its siblings use the other processors."""
    if multiprocessing.parent_process() is None:
        yield
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
