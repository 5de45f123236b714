"""Features on disk, found by what they were computed from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from torch import nn

from tumortrace.deep._preprocess import Preprocessing


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

    Notes
    -----
    Each `write` makes one ``.npz`` file under a temporary name and moves it into place, so that a reader meets
    whole files only and writers do not disturb each other. The name of a file is the digest of its bytes: a damaged
    one is known before it is parsed, removed, and what it held computed anew.
    """

    def __init__(self, root: Path, trunk: nn.Module, preprocessing: Preprocessing) -> None:
        self.folder = root / _settings_hash(trunk, preprocessing)

    def read(self, digests: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        """Return the features of those of `digests` that are kept."""
        wanted = set(digests)
        found: dict[str, NDArray[np.float32]] = {}
        for path in sorted(self.folder.glob("*.npz")):
            try:
                content = path.read_bytes()
            except FileNotFoundError:  # another process found it damaged
                continue
            if path.stem != _hash(content):
                path.unlink(missing_ok=True)
                continue
            with np.load(BytesIO(content), allow_pickle=False) as file:
                names, features = file["digests"].tolist(), file["features"]
            found.update((name, row) for name, row in zip(names, features, strict=True) if name in wanted)
        return found

    def write(self, digests: Sequence[str], features: NDArray[np.float32]) -> None:
        """Keep the features of images, one row each."""
        buffer = BytesIO()
        np.savez(buffer, digests=np.array(digests), features=features)
        content = buffer.getvalue()
        self.folder.mkdir(parents=True, exist_ok=True)
        temporary = self.folder / f"{uuid4().hex}.part"
        try:
            temporary.write_bytes(content)
            temporary.replace(self.folder / f"{_hash(content)}.npz")
        finally:
            temporary.unlink(missing_ok=True)


def _hash(content: bytes) -> str:
    return blake2b(content, digest_size=16).hexdigest()


def _settings_hash(trunk: nn.Module, preprocessing: Preprocessing) -> str:
    """Return 32 hex digits over the layers, the weights and the preprocessing."""
    content = blake2b(repr(trunk).encode(), digest_size=16)
    content.update(json.dumps(preprocessing.to_dict(), sort_keys=True).encode())
    for name, tensor in sorted(trunk.state_dict().items()):
        content.update(name.encode())
        content.update(tensor.cpu().contiguous().numpy().data)
    return content.hexdigest()
