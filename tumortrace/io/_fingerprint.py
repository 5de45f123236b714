"""A hash over what an image is read from, without holding it in memory."""

import os
from hashlib import blake2b, file_digest
from pathlib import Path

from tumortrace.io import _mha, _nifti, _nrrd
from tumortrace.io._volume import kind_of, split_series
from tumortrace.io._voxels import opened


def fingerprint(path: str | os.PathLike[str]) -> bytes:
    """Hash the content of an image, volume or mask: equal hashes mean equal voxels.

    Parameters
    ----------
    path : str or path
        As `read_volume` takes it. Of a header with a data file both count; of a folder of DICOM files all do, of
        ``folder#series`` those of the series.

    Returns
    -------
    bytes
        32 of them. Names of files do not count.

    Raises
    ------
    ImageError
        If a file is missing or cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a.png").write_bytes(b"1"), Path(folder, "b.png").write_bytes(b"1")
    ...     fingerprint(f"{folder}/a.png") == fingerprint(f"{folder}/b.png")
    True
    """
    state = blake2b(digest_size=32)
    for file in _files(path):
        with opened(file) as stream:
            state.update(file_digest(stream, lambda: blake2b(digest_size=32)).digest())
    return state.digest()


def _files(path: str | os.PathLike[str]) -> list[Path]:
    """Return the files that an image is read from, in a fixed order."""
    kind = kind_of(path)
    if kind == "dicom":
        return _of_dicom(path)
    return [Path(path), *_data_file(path, kind)]


def _of_dicom(path: str | os.PathLike[str]) -> list[Path]:
    """Return the file, all files of a folder, or those of one series of it."""
    from tumortrace.io._dicom import list_series

    place, key = split_series(path)
    if place.is_file():
        return [place]
    if key is None:
        return sorted(file for file in place.rglob("[!.]*") if file.is_file())
    chosen = [series for series in list_series(place) if key in (str(series.number), series.key, series.uid)]
    return [file for series in chosen for file in series.files]


def _data_file(path: str | os.PathLike[str], kind: str) -> list[Path]:
    """Return the file of its own in which a header keeps the voxels, if there is one."""
    found = None
    with opened(path) as file:
        if kind == "nrrd":
            found = _nrrd.data_file_of(path, _nrrd.read_header(path, file))
        elif kind == "mha":
            found = _mha.data_file_of(path, _mha.read_header(path, file))
        elif kind == "nifti" and file.read(348)[344:347] == b"ni1":
            found = _nifti.data_file_of(path)
    return [] if found is None else [found]
