"""What the log says of one Kafka record: its offset, its time, and a hash over its key, value and headers as they are stored.

The record itself is not in the log: when it is deleted or can no longer be read, what the log says of it stays, and so does every proof.
"""

from collections.abc import Iterable
from hashlib import sha256
from struct import Struct
from typing import Final, NamedTuple, Self

_ENTRY: Final = Struct(">qq32s")
_LENGTH: Final = Struct(">i")
_NULL: Final = _LENGTH.pack(-1)
_pack = _LENGTH.pack

ENTRY_BYTES: Final = _ENTRY.size

Headers = Iterable[tuple[str, bytes | None]]


class Entry(NamedTuple):
    """A leaf of the tree of one partition."""

    offset: int
    timestamp: int  # milliseconds since the epoch, as Kafka has it
    digest: bytes

    @property
    def data(self) -> bytes:
        """The 48 bytes that are hashed into the tree: offset and time as big-endian integers of 64 bits, and the digest."""
        return _ENTRY.pack(*self)

    @classmethod
    def of(cls, data: bytes) -> Self:
        """The other way round."""
        return cls(*_ENTRY.unpack(data))


def entry_of(offset: int, timestamp: int, key: bytes | None, value: bytes | None, headers: Headers) -> Entry:
    """The leaf of a Kafka record."""
    return Entry(offset, timestamp, sha256(stored(key, value, headers)).digest())


def stored(key: bytes | None, value: bytes | None, headers: Headers) -> bytes:
    """What of a record is hashed: the key, the value, and the name and value of each header in their order.

    Each is preceded by its length, a big-endian integer of 32 bits, which is -1 when there is none; a name is UTF-8.
    """
    parts: list[bytes] = []
    for part in (key, value):
        parts += (_NULL,) if part is None else (_pack(len(part)), part)
    for name, part in headers:
        encoded = name.encode()
        parts += (_pack(len(encoded)), encoded)
        parts += (_NULL,) if part is None else (_pack(len(part)), part)
    return b"".join(parts)


def key_and_value(data: bytes) -> tuple[bytes | None, bytes | None]:
    """The key and the value in what ``stored`` made; raises ValueError."""
    key, rest = _first(data)
    value, _ = _first(rest)
    return key, value


def _first(data: bytes) -> tuple[bytes | None, bytes]:
    length = int.from_bytes(data[: _LENGTH.size], signed=True)
    rest = data[_LENGTH.size :]
    if len(data) < _LENGTH.size or length < -1 or length > len(rest):
        raise ValueError("a length is not that of what follows")
    return (None, rest) if length == -1 else (rest[:length], rest[length:])
