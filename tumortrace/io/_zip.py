"""Unpack a zip of image files that a stranger made: bounded, and never outside the folder it is given."""

import io
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from tumortrace.io._error import ImageError

MAX_FILES = 5_000
"""The most files of a zip that are unpacked."""

MAX_BYTES = 2**31
"""The most bytes that all files of a zip may unpack to."""

MAX_RATIO = 200
"""The most bytes that a byte of a file may unpack to; images stay below 100, bombs are above 1,000."""

_CHUNK = 2**20
_SMALL = 2**20  # what unpacks to less is harmless, whatever its ratio
_PASSED_OVER = ("__macosx", ".ds_store", "thumbs.db", "desktop.ini")
_NESTED = (".zip", ".gz", ".7z", ".rar", ".tar", ".bz2", ".xz")


def read_zip(
    data: bytes,
    into: Path,
    *,
    source: str = "zip",
    max_files: int = MAX_FILES,
    max_bytes: int = MAX_BYTES,
) -> Path:
    """Unpack the files of a zip into a folder.

    Parameters
    ----------
    data : bytes
        The zip.
    into : Path
        An empty folder.
    source : str
        The name of the zip, for messages.
    max_files, max_bytes : int
        Refuse a zip of more files, or of more bytes when unpacked.

    Returns
    -------
    Path
        `into`. The folders of the zip are kept; files of desktops (``.DS_Store``, ``__MACOSX``) are left out.

    Raises
    ------
    ImageError
        If it is no zip, damaged, encrypted, empty, too large, packed too tightly to be images, or holds links,
        archives other than .nii.gz, or names that lead out of the folder. Nothing is unpacked before the names are
        checked, and no more bytes are written than were announced.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            members = [member for member in members if not _is_passed_over(member.filename)]
            _check(source, members, max_files, max_bytes)
            for member in members:
                _unpack(source, archive, member, into)
    except ImageError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise ImageError(f"{source}: is no zip, or a damaged one: {error}") from error
    except OSError as error:
        raise ImageError(f"{source}: cannot be unpacked: {error.strerror or error}") from error
    return into


def _is_passed_over(name: str) -> bool:
    return any(part.lower() in _PASSED_OVER for part in PurePosixPath(name).parts)


def _check(source: str, members: list[zipfile.ZipInfo], max_files: int, max_bytes: int) -> None:
    if not members:
        raise ImageError(f"{source}: holds no file; give a zip of a DICOM folder")
    if len(members) > max_files:
        raise ImageError(f"{source}: holds {len(members):,} files, more than the {max_files:,} allowed")
    total = sum(member.file_size for member in members)
    if total > max_bytes:
        raise ImageError(f"{source}: unpacks to {total:,} bytes, more than the {max_bytes:,} allowed")
    for member in members:
        name = member.filename
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not path.parts:
            raise ImageError(f"{source}: holds {name!r}, whose name leads out of its folder")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise ImageError(f"{source}: holds {name!r}, which is a link; give the file itself")
        if member.flag_bits & 1:
            raise ImageError(f"{source}: is encrypted; give it without a password")
        lower = name.lower()
        if lower.endswith(_NESTED) and not lower.endswith(".nii.gz"):
            raise ImageError(f"{source}: holds {name!r}, an archive in the archive; unpack it first")
        if member.file_size > max(_SMALL, MAX_RATIO * member.compress_size):
            raise ImageError(f"{source}: {name!r} unpacks to {member.file_size:,} bytes, too many for its size")


def _unpack(source: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo, into: Path) -> None:
    """Write a file, and no more bytes of it than were announced; the checksum is checked on the way."""
    target = into.joinpath(*PurePosixPath(member.filename).parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    left = member.file_size
    with archive.open(member) as packed, target.open("xb") as file:
        while block := packed.read(_CHUNK):
            left -= len(block)
            if left < 0:
                raise ImageError(f"{source}: {member.filename!r} unpacks to more bytes than it says")
            file.write(block)
    if left:
        raise ImageError(f"{source}: {member.filename!r} is cut short")
