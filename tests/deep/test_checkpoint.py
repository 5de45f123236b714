"""Checkpoints come back whole, or say what is wrong with them; nothing in them can run."""

import numpy as np
import pytest
import torch

from tumortrace.deep import CheckpointError
from tumortrace.deep._checkpoint import Checkpoints, Snapshot

SETTINGS = {"learning_rate": 0.1, "normalise": (0.5, 0.5), "data": "abc"}


def snapshot(epochs=1):
    history = [{"epoch": i + 1, "loss": 0.1 + i / 3} for i in range(epochs)]
    generator = torch.Generator().manual_seed(epochs)
    tensors = {
        "network/weight": torch.rand(3, 2, 5, 5, generator=generator).to(memory_format=torch.channels_last),
        "network/count": torch.tensor(7),
        "optimiser/0/step": torch.tensor(3.0),
    }
    return Snapshot(history, tensors)


def assert_equal(first, second):
    assert first.history == second.history
    assert first.tensors.keys() == second.tensors.keys()
    for name, tensor in first.tensors.items():
        assert tensor.dtype == second.tensors[name].dtype
        assert torch.equal(tensor, second.tensors[name])


def filled(folder, epochs=3):
    checkpoints = Checkpoints(folder, SETTINGS)
    paths = [checkpoints.write(snapshot(i + 1)) for i in range(epochs)]
    return paths[-2:]


def test_a_snapshot_comes_back(tmp_path):
    folder = tmp_path / "new" / "run"
    assert Checkpoints(folder, SETTINGS).latest() is None
    filled(folder)
    assert_equal(Checkpoints(folder, SETTINGS).latest(), snapshot(3))


def test_the_last_two_and_the_history_are_kept(tmp_path):
    (tmp_path / ".epoch-0009.safetensors.part").write_bytes(b"what a killed run left")
    filled(tmp_path, epochs=5)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["epoch-0004.safetensors", "epoch-0005.safetensors", "history.csv"]
    table = np.genfromtxt(tmp_path / "history.csv", delimiter=",", names=True)
    assert table["loss"].tolist() == [row["loss"] for row in snapshot(5).history]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rate": 0.2}, "learning_rate 0.1, not 0.2; give another folder"),
        ({"data": "abd"}, "other training images, labels or patients"),
        ({"seed": 1}, "seed None, not 1"),
    ],
)
def test_another_training_is_refused(tmp_path, change, message):
    filled(tmp_path)
    with pytest.raises(CheckpointError, match=message):
        Checkpoints(tmp_path, SETTINGS | change).latest()


def truncate(content):
    return content[: len(content) // 2]


def flip_in_weights(content):
    return content[:-20] + bytes([content[-20] ^ 1]) + content[-19:]


def change_history(content):
    assert content.count(b"epoch") > 0
    return content.replace(b'\\"loss\\": 0.1', b'\\"loss\\": 0.2')


DAMAGES = [
    truncate,
    flip_in_weights,
    change_history,
    lambda _: b"",
    lambda _: b"\x80\x04K\x01.",
    lambda _: b"PK\x03\x04",
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_costs_one_epoch(tmp_path, damage):
    _, last = filled(tmp_path)
    content = last.read_bytes()
    assert damage(content) != content
    last.write_bytes(damage(content))
    with pytest.warns(UserWarning, match=r"epoch-0003.safetensors: is damaged.*goes on from epoch-0002"):
        found = Checkpoints(tmp_path, SETTINGS).latest()
    assert_equal(found, snapshot(2))


@pytest.mark.parametrize("damage", DAMAGES)
def test_without_a_whole_file_it_says_so(tmp_path, damage):
    for path in filled(tmp_path):
        path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(CheckpointError, match=r"epoch-0003.safetensors: is damaged.*to start anew"):
        Checkpoints(tmp_path, SETTINGS).latest()
