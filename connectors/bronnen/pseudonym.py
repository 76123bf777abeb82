"""Pseudonyms: the only name of a person inside the node, made at the edge under the node's key."""

import hmac
import os
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final

from schemas.disk import sync_folder

KEY_BYTES: Final = 32
_TOGETHER: Final = 4096  # personen that are remembered: what a bron has of one stands close together in what it delivers
_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"  # base32 of RFC 4648
_PAIRS: Final = [a + b for a in _ALPHABET for b in _ALPHABET]  # of ten bits
_SHIFTS: Final = tuple(range(250, -1, -10))


class KeyFileError(Exception):
    """The key file cannot be used; the text names the file and the reason, never the key."""


class Pseudonymiser:
    """BSN → persoon: HMAC-SHA-256 under the key, in base32 without padding (52 characters)."""

    def __init__(self, key: bytes) -> None:
        self._keyed = hmac.new(key, digestmod="sha256")
        self.persoon: Callable[[str], str] = lru_cache(_TOGETHER)(self._persoon)
        """The pseudonym of a BSN of nine digits."""

    def _persoon(self, bsn: str) -> str:
        mac = self._keyed.copy()
        mac.update(bsn.encode("ascii"))
        return _base32(mac.digest())


def _base32(digest: bytes) -> str:
    """Base32 of 32 bytes without padding, in half the time of the standard library's."""
    bits = int.from_bytes(digest, "big") << 4  # 256 bits and four of filling are 26 pairs of characters
    return "".join([_PAIRS[bits >> shift & 1023] for shift in _SHIFTS])


def read_key(file: Path) -> bytes:
    """The key in ``file``; raises KeyFileError when others may read it or it is not a key."""
    try:
        with file.open("rb") as f:
            mode, key = os.fstat(f.fileno()).st_mode, f.read(KEY_BYTES + 1)
    except OSError as e:
        raise KeyFileError(f"{file}: {e.strerror}") from e
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyFileError(f"{file}: others than its owner may use it (mode {stat.S_IMODE(mode):04o}); 0600 is needed")
    if len(key) != KEY_BYTES:
        raise KeyFileError(f"{file}: a key has {KEY_BYTES} bytes, this file has {'more' if len(key) > KEY_BYTES else len(key)}")
    return key


def read_or_make_key(file: Path) -> bytes:
    """The key in ``file``, made with mode 0600 when there is none; two processes that race get the same one. Raises KeyFileError."""
    if not file.exists():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            _make_key(file)
        except OSError as e:
            raise KeyFileError(f"{file}: a key could not be made: {e.strerror}") from e
    return read_key(file)


def _make_key(file: Path) -> None:
    """Write a whole key beside ``file`` and give it that name, unless another process was first: then its key counts."""
    descriptor, new = tempfile.mkstemp(prefix=f"{file.name}.", dir=file.parent)  # with mode 0600 and O_EXCL
    try:
        with os.fdopen(descriptor, "wb") as f:
            f.write(os.urandom(KEY_BYTES))
            f.flush()
            os.fsync(f.fileno())
        with suppress(FileExistsError):
            os.link(new, file)
        sync_folder(file.parent)  # a key that is lost in a power cut leaves pseudonyms that nobody can make again
    finally:
        Path(new).unlink()
