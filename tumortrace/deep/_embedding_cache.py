"""Features on disk, found by what they were computed from."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from torch import nn

from tumortrace.deep._preprocess import Preprocessing

_DAMAGE = (EOFError, ValueError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error, struct.error)


class EmbeddingCache:
    """A folder of features of images by their digest, for one network and one preprocessing.

    Parameters
    ----------
    root : Path
        The folder of all caches. This one is a folder in it, named after layers, weights and preprocessing.
    trunk : torch.nn.Module
        The network whose output is kept.
    preprocessing : Preprocessing
        What is done to an image before.
    n_features : int
        Length of its output.

    Notes
    -----
    Each `write` makes one ``.npz`` file under a temporary name and moves it into place, so that a reader meets
    whole files only and writers do not disturb each other. A zip file carries a checksum of what it holds: a
    damaged one is removed, and what it held computed anew.
    """

    def __init__(self, root: Path, trunk: nn.Module, preprocessing: Preprocessing, n_features: int) -> None:
        self.folder = root / _settings_hash(trunk, preprocessing)
        self.n_features = n_features

    def read(self, digests: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        """Return the features of those of `digests` that are kept."""
        wanted = set(digests)
        found: dict[str, NDArray[np.float32]] = {}
        for path in sorted(self.folder.glob("*.npz")):
            try:
                with np.load(path, allow_pickle=False) as file:
                    names, features = file["digests"].tolist(), file["features"]
                if features.shape != (len(names), self.n_features) or features.dtype != np.float32:
                    raise ValueError(f"{path}: holds features of another shape")
            except FileNotFoundError:  # another process found it damaged
                continue
            except _DAMAGE:
                path.unlink(missing_ok=True)
                continue
            found.update((name, row) for name, row in zip(names, features, strict=True) if name in wanted)
        return found

    def write(self, digests: Sequence[str], features: NDArray[np.float32]) -> None:
        """Keep the features of images, one row each."""
        self.folder.mkdir(parents=True, exist_ok=True)
        name = blake2b("".join(digests).encode(), digest_size=16).hexdigest()
        temporary = self.folder / f"{name}.{uuid4().hex}.part"
        try:
            with temporary.open("xb") as file:
                np.savez(file, digests=np.array(digests), features=features)
            temporary.replace(self.folder / f"{name}.npz")
        finally:
            temporary.unlink(missing_ok=True)


def _settings_hash(trunk: nn.Module, preprocessing: Preprocessing) -> str:
    """Return 32 hex digits over the layers, the weights and the preprocessing."""
    content = blake2b(repr(trunk).encode(), digest_size=16)
    content.update(json.dumps(preprocessing.to_dict(), sort_keys=True).encode())
    for name, tensor in sorted(trunk.state_dict().items()):
        content.update(name.encode())
        content.update(tensor.cpu().contiguous().numpy().data)
    return content.hexdigest()
