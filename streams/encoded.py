"""Records in Kafka's format v2, as they stand in a batch behind its header: from bytes to rows and back, readable and for every platform.

A record is: its length, attributes, timestamp delta, offset delta, key, value, headers; numbers are zigzag varints, a length of -1 is null.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from streams.effects import Encoded, Headers, Row


class RecordFormatError(Exception):
    """Bytes that are no records of this format; says nothing of what they hold."""


class Raw(msgspec.Struct, frozen=True, gc=False):
    """Records of one topic and partition as a fetch brought them, decompressed."""

    base_offset: int
    count: int
    data: bytes


class RawRecord(NamedTuple):
    """One of them."""

    key: bytes | None
    value: bytes | None
    offset: int
    headers: Headers


def encode_record(delta: int, key: bytes | None, value: bytes | None, headers: Headers = []) -> bytes:  # noqa: B006 - never changed
    """One record, ``delta`` offsets behind the first of its batch."""
    return _record(delta, fields_of(key, value, headers))


def fields_of(key: bytes | None, value: bytes | None, headers: Headers) -> bytes:
    """What a record says, without where it stands: equal when all of it is equal."""
    return b"".join((_bytes(key), _bytes(value), varint(len(headers)), encode_headers(headers)))


def row_of(fields: bytes) -> Row:
    """The row of which ``fields_of`` made this; raises RecordFormatError."""
    record = next(decode(Raw(0, 1, _record(0, fields))))
    return record.key, record.value, record.headers


def fields_in(messages: Iterable[Row | Encoded]) -> Iterator[bytes]:
    """Of each message what ``fields_of`` makes, whichever core made it, without taking it apart; raises RecordFormatError."""
    for message in messages:
        if isinstance(message, Encoded):
            yield from _fields(message)
        else:
            yield fields_of(*message)


def _fields(encoded: Encoded) -> Iterator[bytes]:
    return (encoded.data[begin:end] for _, begin, end in _places(encoded.data, encoded.count))


def _places(data: bytes, count: int) -> Iterator[tuple[int, int, int]]:
    """Of each record the offset behind the first, where its key begins, and where it ends; raises RecordFormatError."""
    at = 0
    try:
        for _ in range(count):
            size, begin = _varint(data, at)
            at = begin + size
            _, begin = _varint(data, begin + 1)  # behind the attributes the timestamp
            delta, begin = _varint(data, begin)
            yield delta, begin, at
    except IndexError:
        raise RecordFormatError("the records end too early, or are none") from None
    if at != len(data):
        raise RecordFormatError("the records have another length than they say")


def _record(delta: int, fields: bytes) -> bytes:
    body = b"".join((b"\0\0", varint(delta), fields))
    return varint(len(body)) + body


def encode_headers(headers: Headers) -> bytes:
    """Headers as they stand in a record behind their number."""
    return b"".join([_name(name) + _bytes(content) for name, content in headers])


def encode_rows(rows: Iterable[Row]) -> Encoded:
    """All ``rows`` as one piece."""
    records = [encode_record(delta, *row) for delta, row in enumerate(rows)]
    return Encoded(len(records), b"".join(records))


def as_one(messages: Iterable[Row | Encoded]) -> Encoded:
    """Messages as one piece, in which each of several pieces still counts its offsets from 0."""
    pieces = [m if isinstance(m, Encoded) else Encoded(1, encode_record(0, *m)) for m in messages]
    return pieces[0] if len(pieces) == 1 else Encoded(sum(p.count for p in pieces), b"".join([p.data for p in pieces]))


def decode(raw: Raw) -> Iterator[RawRecord]:
    """The records in ``raw``; raises RecordFormatError."""
    data = raw.data
    try:
        for delta, begin, end in _places(data, raw.count):
            key, at = _read(data, begin)
            value, at = _read(data, at)
            headers, at = _read_headers(data, at)
            if at != end:
                raise RecordFormatError("a record has another length than it says")
            yield RawRecord(key, value, raw.base_offset + delta, headers)
    except (IndexError, UnicodeDecodeError):
        raise RecordFormatError("the records end too early, or are none") from None


def rows_in(messages: Iterable[Row | Encoded]) -> Iterator[Row]:
    """Messages one by one, whichever core made them."""
    for message in messages:
        if isinstance(message, Encoded):
            yield from ((r.key, r.value, r.headers) for r in decode(Raw(0, message.count, message.data)))
        else:
            yield message


def varint(number: int) -> bytes:
    """A number as a zigzag varint, up to 64 bits."""
    return _SMALL[number] if 0 <= number < _MANY else _varint_of(number)


def _varint_of(number: int) -> bytes:
    rest = (number << 1) ^ (number >> 63)
    out = bytearray()
    while rest > 127:
        out.append(rest & 127 | 128)
        rest >>= 7
    out.append(rest)
    return bytes(out)


_MANY: Final = 8_192
_SMALL: Final = [_varint_of(number) for number in range(_MANY)]  # nearly all that occur: lengths, and offsets in a batch


@lru_cache(maxsize=256)
def _name(name: str) -> bytes:
    return _bytes(name.encode())


def _bytes(content: bytes | None) -> bytes:
    return b"\1" if content is None else varint(len(content)) + content


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number, and where it ends."""
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return (number >> 1) ^ -(number & 1), at
        shift += 7


def _read(data: bytes, at: int) -> tuple[bytes | None, int]:
    size, at = _varint(data, at)
    if size < 0:
        return None, at
    if at + size > len(data):
        raise IndexError
    return data[at : at + size], at + size


def _read_headers(data: bytes, at: int) -> tuple[Headers, int]:
    number, at = _varint(data, at)
    headers: Headers = []
    for _ in range(number):
        name, at = _read(data, at)
        content, at = _read(data, at)
        headers.append(((name or b"").decode(), content or b""))
    return headers, at
