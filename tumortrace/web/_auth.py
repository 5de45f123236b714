"""Who may log in to the demo: a file of names and hashed passwords, and a check that guessing cannot hurry."""

import base64
import binascii
import hashlib
import hmac
import math
import os
import secrets
import stat
import tempfile
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.to_thread

_SCRYPT = {"n": 2**15, "r": 8, "p": 3}  # as OWASP advises where 32 MB are to do; about 0.2 s
_SHORTEST = 12
_REMEMBERED = 1024
_LONGEST_WAIT = 60.0


def add_user(path: str | os.PathLike[str], name: str, password: str) -> Path:
    """Write a name with the hash of a password into a file of accounts; the name's earlier line is replaced.

    Parameters
    ----------
    path : path
        The file; made where missing, readable by its owner only.
    name : str
        1 to 64 printable characters, no colon.
    password : str
        At least 12 characters.

    Returns
    -------
    Path
        The file, with a line ``name:scrypt$n$r$p$salt$hash`` per account.

    Raises
    ------
    ValueError
        If the name or the password is none to use, or the file is no file of accounts.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = add_user(Path(folder) / "accounts", "ada", "a long sentence")
    ...     accounts = read_accounts(path)
    >>> sorted(accounts)
    ['ada']
    >>> is_right(accounts["ada"], "a long sentence"), is_right(accounts["ada"], "a short one")
    (True, False)
    """
    path = Path(path)
    if not (1 <= len(name) <= 64 and name.isprintable() and name == name.strip() and ":" not in name):
        raise ValueError(f"the name is {name!r}; give 1 to 64 printable characters without a colon")
    if len(password) < _SHORTEST:
        raise ValueError(f"the password has {len(password)} characters; give at least {_SHORTEST}")
    accounts = (read_accounts(path) if path.exists() else {}) | {name: _hashed(password)}
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".accounts")  # readable by its owner only
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.writelines(f"{user}:{hashed}\n" for user, hashed in accounts.items())
    Path(draft).replace(path)
    return path


def read_accounts(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return the names of a file of accounts with the hashes of their passwords.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, others can read it, a line is no account, or there is none.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file of accounts; make one with --add-user NAME")
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ValueError(f"{path}: others than its owner can read or write it; run chmod 600 on it first")
    accounts = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        name, _, hashed = line.partition(":")
        if not name or not _is_hash(hashed):
            raise ValueError(
                f"{path}: line {number} is no account; write it with --add-user NAME, never a password as it is"
            )
        accounts[name] = hashed
    if not accounts:
        raise ValueError(f"{path}: holds no account; add one with --add-user NAME")
    return accounts


def is_right(hashed: str, password: str) -> bool:
    """Return whether a password is the one that was hashed, in a time that does not tell how wrong it is."""
    _, n, r, p, salt, expected = hashed.split("$")
    found = _scrypt(password, bytes.fromhex(salt), int(n), int(r), int(p))
    return hmac.compare_digest(found, bytes.fromhex(expected))


def _hashed(password: str) -> str:
    salt = secrets.token_bytes(16)
    digest = _scrypt(password, salt, **_SCRYPT)
    return f"scrypt${_SCRYPT['n']}${_SCRYPT['r']}${_SCRYPT['p']}${salt.hex()}${digest.hex()}"


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=256 * n * r, dklen=32)


def _is_hash(text: str) -> bool:
    kind, *rest = text.split("$")
    try:
        n, r, p = map(int, rest[:3])
        salt, digest = map(bytes.fromhex, rest[3:])
    except ValueError:
        return False
    cheap = n * r <= 2**20 and 1 <= p <= 16 and r >= 1 and n > 1 and n & (n - 1) == 0
    return kind == "scrypt" and cheap and len(salt) >= 16 and len(digest) == 32


class TooSoonError(Exception):
    """An attempt comes too early after failed ones; `wait` seconds are left."""

    def __init__(self, wait: float):
        self.wait = wait
        super().__init__(f"too many failed log-ins: wait {math.ceil(wait)} s and try again")


@dataclass
class Door:
    """Answers who asks, from the header of HTTP's basic authentication.

    A log-in that was right is remembered under a keyed digest, so that a page of a hundred files costs one hash.
    After a failed one, the same name from the same address has to wait: 1 second, then 2, 4, and so on to a minute.
    A name that nobody has takes as long as one with a wrong password.

    Parameters
    ----------
    accounts : dict of str to str
        What `read_accounts` returned.
    """

    accounts: dict[str, str]
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    _known: OrderedDict[bytes, str] = field(default_factory=OrderedDict, repr=False)
    _failed: OrderedDict[tuple[str, str], tuple[int, float]] = field(default_factory=OrderedDict, repr=False)
    _nobody: str = field(default_factory=lambda: _hashed(secrets.token_hex()), repr=False)
    _workers: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(2), repr=False)

    async def who(self, header: str | None, address: str) -> str | None:
        """Return the name of who sent a header ``Authorization``, None where nobody has logged in.

        Raises
        ------
        TooSoonError
            If the last attempts failed and the time to wait is not over.
        """
        credentials = _credentials(header)
        if header is None or credentials is None:
            return None
        digest = hmac.digest(self._key, header.encode(), "sha256")
        if digest in self._known:
            self._known.move_to_end(digest)
            return self._known[digest]
        name, password = credentials
        attempt = (address, name)
        count, until = self._failed.get(attempt, (0, 0.0))
        if (wait := until - time.monotonic()) > 0:
            raise TooSoonError(wait)
        # counted as failed before it is known, so that attempts side by side gain nothing
        self._failed[attempt] = (count + 1, time.monotonic() + min(2.0**count, _LONGEST_WAIT))
        hashed = self.accounts.get(name, self._nobody)
        right = await anyio.to_thread.run_sync(is_right, hashed, password, limiter=self._workers)
        right = right and name in self.accounts
        if right:
            self._failed.pop(attempt, None)
            self._known[digest] = name
        for memory in (self._known, self._failed):
            while len(memory) > _REMEMBERED:
                memory.popitem(last=False)
        return name if right else None


def _credentials(header: str | None) -> tuple[str, str] | None:
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, password) if colon else None
