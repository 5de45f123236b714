"""A model on disk: a folder of a manifest, the hash of the manifest, and parts.

The order of reading is the point: the hash of the manifest, the manifest, the list of files, their sizes and
hashes, and only then is a part parsed, from the bytes that were hashed. A hash finds damage, not malice: who can
write the parts can write the hashes. Against malice stands what a part may hold; see `TRUSTED` and `OWN`.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import secrets
import shutil
import stat
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import tumortrace
from tumortrace.model._encode import Parts, decode, encode
from tumortrace.model._error import ModelError

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "tumortrace-model"
VERSION = 2

MANIFEST, DIGEST = "manifest.json", "manifest.sha256"
_PART = re.compile(r"sklearn\.skops|array\d{3,6}\.npy|network\d{3,6}\.safetensors|xgboost\d{3,6}\.json")
_LIBRARIES = {"sklearn": "sklearn", "xgboost": "xgboost", "network": "torch"}
_LARGEST_MANIFEST = 64 * 2**20
_DAMAGED = "the model is damaged; copy it again or train it again"


class Stored(NamedTuple):
    """What a folder holds.

    Attributes
    ----------
    record : dict
        What was written about the model: plain JSON.
    estimator : scikit-learn estimator
        The model itself, fitted.
    versions : dict of str to str
        The libraries that made it.
    background : DataFrame or None
        Rows of numbers and text that the model is explained by.
    """

    record: dict[str, Any]
    estimator: Any
    versions: dict[str, str]
    background: pd.DataFrame | None = None


def write(
    path: str | os.PathLike[str],
    record: dict[str, Any],
    estimator: Any,
    *,
    background: pd.DataFrame | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a fitted estimator and what is known about it as a folder.

    Parameters
    ----------
    path : path
        The folder to make; the folder that it lies in must exist.
    record : dict
        What belongs to the model beside its numbers: kind, settings, columns, classes, threshold, metrics, the hash
        of its training data. Plain JSON: dicts with names as keys, lists, text, finite numbers, booleans, None.
    estimator : scikit-learn estimator
        An estimator of tumortrace or scikit-learn, an ``XGBClassifier``, or a pipeline of such.
    background : DataFrame, optional
        Columns of numbers and of text that belong to it. The index is not kept.
    overwrite : bool, default False
        Take the place of a model that is there. Of nothing else: a folder that is no model is left alone.

    Returns
    -------
    Path
        The folder. It is in place at once: a process that is killed on the way leaves what was there before, or
        nothing, and a hidden folder beside it whose name begins with the name of the model.

    Raises
    ------
    ModelError
        If something in `estimator` has a type that cannot be written, or `record` is not plain JSON.
    FileExistsError
        If something is there already, and it is not a model that may be overwritten.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.linear_model import LogisticRegression
    >>> model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    >>> with TemporaryDirectory() as folder:
    ...     written = write(f"{folder}/model", {"kind": "handcrafted"}, model)
    ...     print(*sorted(file.name for file in written.iterdir()))
    ...     print(read(written).record, read(written).estimator.predict([[0.9]]))
    manifest.json manifest.sha256 sklearn.skops
    {'kind': 'handcrafted'} [1]
    """
    path = Path(path)
    _check_target(path, overwrite)
    parts = Parts()
    try:
        manifest = _manifest(record, estimator, background, parts)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    files = {**parts.contents, MANIFEST: manifest, DIGEST: _digest_line(manifest)}
    draft = _beside(path)
    draft.mkdir()
    try:
        for name, data in files.items():
            _write_file(draft / name, data)
        _sync_folder(draft)
        _read(draft, path)  # a model that cannot be read is found now, not in a year
        _put_in_place(draft, path)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return path


def read(path: str | os.PathLike[str]) -> Stored:
    """Read the folder that `write` made.

    Parameters
    ----------
    path : path
        The folder.

    Returns
    -------
    Stored
        The record, the estimator, which predicts the same bits as the one that was written, and the versions of the
        libraries that made it.

    Raises
    ------
    ModelError
        If a file is missing, changed, too many, or not of this format, a part holds something that is not trusted,
        or a newer tumortrace wrote the folder. No code that a file brings or names is run.
    ModuleNotFoundError
        If the model needs a library that is not installed; the message says which.

    Warns
    -----
    UserWarning
        If the model has parts of scikit-learn, XGBoost or torch, and that library has another version here than the
        one that made it.
    """
    path = Path(path)
    stored, here = _read(path, path)
    made = stored.versions
    changed = [f"{name} {made.get(name)} (here {here[name]})" for name in here if made.get(name) != here[name]]
    if changed:
        warnings.warn(
            f"{path}: made with {', '.join(changed)}; compare some predictions with those of the time before use",
            stacklevel=2,
        )
    return stored


def _read(path: Path, called: Path) -> tuple[Stored, dict[str, str]]:
    """Return what `path` holds, which errors call `called`, and the versions here of the libraries it needs."""
    with _errors_of(called):
        manifest = _read_manifest(path)
        parts = Parts(_read_parts(path, manifest["parts"]))
        estimator = decode(manifest["estimator"], parts)
        if not hasattr(estimator, "get_params"):
            raise ModelError(f"{MANIFEST} describes a {type(estimator).__name__}, no estimator; {_DAMAGED}")
        background = _table(decode(manifest.get("background"), parts))
        return Stored(manifest["record"], estimator, manifest["versions"], background), _libraries(parts)


def _manifest(record: dict[str, Any], estimator: Any, background: pd.DataFrame | None, parts: Parts) -> bytes:
    if type(record) is not dict:
        raise ModelError(f"record is a {type(record).__name__}; give a dict")
    _check_plain(record, "record")
    if not hasattr(estimator, "get_params"):
        raise ModelError(f"estimator is a {type(estimator).__name__}; give a fitted estimator")
    node = encode(estimator, parts)
    beside = None if background is None else encode(_table_parts(background), parts, "background")
    parts.close()
    listed = [{"name": n, "bytes": len(d), "sha256": _sha256(d)} for n, d in parts.contents.items()]
    content = {
        "format": FORMAT,
        "version": VERSION,
        "versions": _versions(parts),
        "record": record,
        "parts": listed,
        "estimator": node,
        "background": beside,
    }
    return json.dumps(content, indent=1, allow_nan=False).encode("ascii") + b"\n"


def _check_plain(value: Any, where: str) -> None:
    """Raise ModelError unless `value` comes back from JSON as it is."""
    if type(value) is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise ModelError(f"{where} has the key {key!r}; give text")
            _check_plain(item, f"{where}[{key!r}]")
    elif type(value) is list:
        for i, item in enumerate(value):
            _check_plain(item, f"{where}[{i}]")
    elif not (
        value is None or type(value) in (bool, int, str) or (type(value) is float and abs(value) < float("inf"))
    ):
        raise ModelError(f"{where} is {value!r}, a {type(value).__name__}; give plain JSON, None for no number")


def _read_manifest(path: Path) -> dict[str, Any]:
    """Return the manifest, its hash and its form checked."""
    if not path.is_dir():
        raise ModelError("is no folder; give the folder that a model was saved to")
    for name in (MANIFEST, DIGEST):
        if not (path / name).exists():
            raise ModelError(f"{name} is missing; give the folder that a model was saved to, with all of its files")
    data = _read_file(path / MANIFEST, _LARGEST_MANIFEST)
    if _read_file(path / DIGEST, len(_digest_line(b""))) != _digest_line(data):
        raise ModelError(f"{MANIFEST} does not have the hash that {DIGEST} says; {_DAMAGED}")
    try:
        manifest = json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{MANIFEST} is no JSON that tumortrace writes: {error}; {_DAMAGED}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ModelError(f"{MANIFEST} is not of a tumortrace model; give the folder that a model was saved to")
    version = manifest.get("version")
    if type(version) is int and version > VERSION:
        raise ModelError(
            f"has version {version} of the format, and tumortrace {tumortrace.__version__} reads up to {VERSION}; "
            f"it was made by tumortrace {_made_by(manifest)}: install that or a later one"
        )
    kinds: dict[str, Any] = {"format": str, "version": int, "versions": dict, "record": dict, "parts": list}
    kinds["estimator"] = dict
    if version == 2:  # version 1 had no background
        kinds["background"] = dict | None
    if (
        set(manifest) != set(kinds)
        or type(version) is not int
        or version < 1
        or not all(isinstance(manifest[k], t) for k, t in kinds.items())
    ):
        raise ModelError(
            f"{MANIFEST} does not have the fields of a version of the format up to {VERSION}; {_DAMAGED}"
        )
    return manifest


def _table_parts(table: pd.DataFrame) -> dict[str, Any]:
    """Return a table as names, one array of numbers, and columns of text."""
    text = [name for name in table.columns if table[name].dtype.kind not in "biuf"]
    numbers = table.drop(columns=text)
    return {
        "columns": [str(name) for name in table.columns],
        "numbers": numbers.to_numpy(np.float64),
        "text": {name: [str(value) for value in table[name]] for name in text},
    }


def _table(parts: Any) -> pd.DataFrame | None:
    """Return the table that `_table_parts` took apart."""
    if parts is None:
        return None
    import pandas as pd

    match parts:
        case {"columns": list(names), "numbers": np.ndarray() as numbers, "text": dict(text)} if (
            all(type(name) is str for name in names)
            and numbers.ndim == 2
            and numbers.dtype == np.float64
            and set(text) <= set(names)
            and len(set(names)) == len(names) == numbers.shape[1] + len(text)
            and all(len(column) == len(numbers) for column in text.values())
        ):
            table = pd.DataFrame(numbers, columns=[name for name in names if name not in text])
            return pd.concat([table, pd.DataFrame(text, index=table.index)], axis=1)[names]
    raise ModelError(f"{MANIFEST} describes a background that is no table; {_DAMAGED}")


def _read_parts(path: Path, listed: list[Any]) -> dict[str, bytes]:
    """Return the content of every part, after the list of files, the sizes and the hashes were found right."""
    entries: dict[str, tuple[int, str]] = {}
    for entry in listed:
        match entry:
            case {"name": str(name), "bytes": int(size), "sha256": str(digest)} if (
                _PART.fullmatch(name) and len(entry) == 3
            ):
                entries[name] = (size, digest)
            case _:
                raise ModelError(
                    f"{MANIFEST} lists a part {entry!r}, which is none that tumortrace writes; {_DAMAGED}"
                )
    if len(entries) < len(listed):
        raise ModelError(f"{MANIFEST} lists a part twice; {_DAMAGED}")
    there = {file.name for file in path.iterdir()}
    missing, foreign = sorted(entries.keys() - there), sorted(there - entries.keys() - {MANIFEST, DIGEST})
    if missing:
        raise ModelError(f"{missing[0]} is missing; {_DAMAGED}")
    if foreign:
        raise ModelError(f"{foreign[0]} does not belong to the model; move it elsewhere")
    contents = {}
    for name, (size, digest) in entries.items():
        data = _read_file(path / name, size)
        if len(data) != size or _sha256(data) != digest:
            raise ModelError(f"{name} is not the file that {MANIFEST} describes, by size or SHA-256; {_DAMAGED}")
        contents[name] = data
    return contents


def _read_file(path: Path, largest: int) -> bytes:
    """Return the content of a plain file of no more than `largest` bytes."""
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise ModelError(f"{path.name} is no plain file (a folder or a link); {_DAMAGED}")
    if status.st_size > largest:
        raise ModelError(
            f"{path.name} has {status.st_size:,} bytes, and no more than {largest:,} belong there; {_DAMAGED}"
        )
    return path.read_bytes()


@contextmanager
def _errors_of(path: Path) -> Iterator[None]:
    """Let nothing out but a ModelError that names the folder, and what is missing on this machine."""
    try:
        yield
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    except ModuleNotFoundError:
        raise
    except Exception as error:
        raise ModelError(
            f"{path}: {MANIFEST} describes no estimator: {type(error).__name__}: {error}; {_DAMAGED}"
        ) from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in an object")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _made_by(manifest: dict[str, Any]) -> str:
    versions = manifest.get("versions")
    return str(versions.get("tumortrace", "unknown") if isinstance(versions, dict) else "unknown")


def _versions(parts: Parts) -> dict[str, str]:
    own = {"tumortrace": tumortrace.__version__, "python": platform.python_version(), "numpy": np.__version__}
    return {**own, **_libraries(parts)}


def _libraries(parts: Parts) -> dict[str, str]:
    """Return the versions, here, of the libraries whose parts a model has."""
    needed = [name for start, name in _LIBRARIES.items() if any(part.startswith(start) for part in parts.contents)]
    return {name: str(sys.modules[name].__version__) for name in needed}


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _digest_line(manifest: bytes) -> bytes:
    """Return what ``sha256sum manifest.json`` prints."""
    return f"{_sha256(manifest)}  {MANIFEST}\n".encode()


def _check_target(path: Path, overwrite: bool) -> None:
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent}: does not exist; make the folder first")
    if not os.path.lexists(path):
        return
    if not overwrite:
        raise FileExistsError(f"{path}: exists; give another name, or overwrite=True where it is a model")
    if path.is_symlink() or not (path / MANIFEST).is_file() or not (path / DIGEST).is_file():
        raise FileExistsError(f"{path}: is no model, and is left alone; give another name or remove it")


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}")


def _put_in_place(draft: Path, path: Path) -> None:
    if not path.exists():
        draft.rename(path)
    else:
        earlier = _beside(path)
        path.rename(earlier)
        try:
            draft.rename(path)
        except OSError:
            earlier.rename(path)
            raise
        shutil.rmtree(earlier)
    _sync_folder(path.parent)


def _write_file(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    """Let the names in a folder reach the disk, where the system can do that."""
    if os.name == "posix":
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
