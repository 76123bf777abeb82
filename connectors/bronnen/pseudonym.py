"""Pseudonyms: the only name of a person inside the node, made at the edge under the node's key."""

import base64
import hmac
import os
import stat
from pathlib import Path
from typing import Final

KEY_BYTES: Final = 32


class KeyFileError(Exception):
    """The key file cannot be used; the text names the file and the reason, never the key."""


class Pseudonymiser:
    """BSN → persoon: HMAC-SHA-256 under the key, in base32 without padding (52 characters)."""

    def __init__(self, key: bytes) -> None:
        self._keyed = hmac.new(key, digestmod="sha256")

    def persoon(self, bsn: str) -> str:
        """The pseudonym of a BSN of nine digits."""
        mac = self._keyed.copy()
        mac.update(bsn.encode("ascii"))
        return base64.b32encode(mac.digest()).decode("ascii").rstrip("=")


def read_key(file: Path) -> bytes:
    """The key in ``file``; raises KeyFileError when others may read it or it is not a key."""
    try:
        mode, key = file.stat().st_mode, file.read_bytes()
    except OSError as e:
        raise KeyFileError(f"{file}: {e.strerror}") from e
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyFileError(f"{file}: others than its owner may use it (mode {stat.S_IMODE(mode):04o}); 0600 is needed")
    if len(key) != KEY_BYTES:
        raise KeyFileError(f"{file}: a key has {KEY_BYTES} bytes, this file has {len(key)}")
    return key


def read_or_make_key(file: Path) -> bytes:
    """The key in ``file``, made with mode 0600 when there is none; two processes that race get the same one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.{os.getpid()}.new")
    if not file.exists():
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, os.urandom(KEY_BYTES))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        try:
            os.link(new, file)  # fails when another process was first: then its key counts
        except FileExistsError:
            pass
        finally:
            new.unlink()
    return read_key(file)
