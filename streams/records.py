"""Kafka's record batches, format v2: read without an object for each record, and written from finished ones. Records: see encoded.py.

aiokafka makes of each record an object with a key, a value and all headers, at 2.7 µs; the fold needs the bytes.
The format: Kafka's protocol guide, "Record Batch"; KIP-98.
"""

import struct
import time
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, Protocol

from aiokafka import codec
from aiokafka.errors import CorruptRecordException
from aiokafka.record.util import calc_crc32c, decode_varint

from streams.effects import Encoded
from streams.encoded import Raw, encode_record

_HEADER: Final = struct.Struct(">qiibIhiqqqhii")  # base offset … number of records
_CRC_AT: Final = struct.calcsize(">qiib")
_CRC_FROM: Final = struct.calcsize(">qiibI")
_LENGTH_FROM: Final = struct.calcsize(">qi")
_MAGIC: Final = 2
_CODEC: Final = 0x07
_TRANSACTIONAL: Final = 0x10
_CONTROL: Final = 0x20
_ZSTD: Final = 4
_ZSTD_LEVEL: Final = 1  # half of the time of level 3, for signals that are 4 % smaller with that
_INFLATE: Final = {1: codec.gzip_decode, 2: codec.snappy_decode, 3: codec.lz4_decode, _ZSTD: codec.zstd_decode}
_ABORT: Final = b"\0\0\0\0"  # key of the marker that takes a transaction back: version 0, type 0


class Keyed(Protocol):
    """What counts of a record of Kafka, whoever read it."""

    @property
    def key(self) -> bytes | None:
        """The persoon, if it is as it should be."""

    @property
    def value(self) -> bytes | None:
        """The mutatie."""

    @property
    def offset(self) -> int:
        """Its place in the partition."""


class SourceRecord(NamedTuple):
    """A record without its headers."""

    key: bytes | None
    value: bytes | None
    offset: int


class Batch(Raw, frozen=True, gc=False):
    """Records that stand one behind another in the log."""

    last: int  # offset of the last record


class Run:
    """The records of one partition that a fetch brought, from the offset ``start`` on."""

    __slots__ = ("batches", "start")

    def __init__(self, batches: list[Batch], start: int) -> None:
        self.batches = batches
        self.start = start

    def first(self) -> int:
        """The offset of the first record; raises CorruptRecordException."""
        return next((record.offset for record in self), self.start)

    @property
    def following(self) -> int:
        """The offset behind the last record."""
        return self.batches[-1].last + 1

    def since(self, offset: int) -> "Run | None":
        """The records from ``offset`` on, if there are any."""
        if offset <= self.start:
            return self
        batches = [b for b in self.batches if b.last >= offset]
        return Run(batches, offset) if batches else None

    def followed_by(self, run: "Run") -> "Run | None":
        """Both as one; None where that would bring records of ``run`` back that stand before its start; raises CorruptRecordException."""
        whole = next(_records(run.batches[0])).offset >= run.start > self.batches[-1].last
        return Run([*self.batches, *run.batches], self.start) if whole else None

    def __len__(self) -> int:
        """How many records these are; in a compacted log at most so many."""
        return sum(min(b.count, b.last + 1 - self.start) for b in self.batches)

    def __iter__(self) -> Iterator[SourceRecord]:
        """The records one by one; raises CorruptRecordException."""
        for batch in self.batches:
            for record in _records(batch):
                if record.offset >= self.start:
                    yield record


def run_of(records: Iterable[Keyed]) -> Run:
    """A run of records that are not in Kafka; at least one."""
    found = list(records)
    base = found[0].offset
    data = b"".join(encode_record(r.offset - base, r.key, r.value) for r in found)
    return Run([Batch(base, len(found), data, found[-1].offset)], base)


def batches(
    data: bytes, start: int, aborted: Iterable[tuple[int, int]], most: int, *, check: bool = False
) -> Iterator[tuple[Batch | None, int]]:
    """Batches of what a fetch brought, from ``start`` on, each with the offset behind it; None for what is not to be read.

    ``aborted`` are the producer and first offset of the transactions that were taken back. No batch holds more than ``most`` records.
    ``check``: whether the checksum of each must be right. Raises CorruptRecordException.
    The last batch of a fetch may be cut off: the next fetch brings it whole.
    """
    waiting, gone, at = sorted(aborted, key=lambda a: a[1]), set[int](), 0
    while at + _HEADER.size <= len(data):
        base, length, _, magic, crc, attributes, last_delta, _, _, producer, _, _, count = _HEADER.unpack_from(data, at)
        begin, at = at, at + _LENGTH_FROM + length
        if at > len(data):
            return
        _check(magic, crc if check else None, memoryview(data)[begin + _CRC_FROM : at])
        while waiting and waiting[0][1] <= base:
            gone.add(waiting.pop(0)[0])
        last = base + last_delta
        if attributes & _CONTROL:
            if count and next(_records(Raw(base, 1, data[begin + _HEADER.size : at]))).key == _ABORT:  # else it was cleaned up
                gone.discard(producer)
            yield None, last + 1
        elif last < start or (attributes & _TRANSACTIONAL and producer in gone):
            yield None, last + 1
        elif count:
            batch = Batch(base, count, _inflated(attributes & _CODEC, data[begin + _HEADER.size : at]), last)
            for part in (batch,) if count <= most else _parts(batch, most):
                yield (part if part.last >= start else None), part.last + 1
        else:
            yield None, last + 1


class FinishedBatch:
    """Finished records as a transactional batch that aiokafka's ``send_batch`` takes; to it this is a BatchBuilder."""

    def __init__(self, records: Encoded) -> None:
        self.records = records
        self._compressed: bytes | None = None
        self._producer = (-1, -1, 0)

    def compress(self) -> bytes:
        """The records compressed, once: on whatever thread asks first."""
        if self._compressed is None:
            self._compressed = codec.zstd_encode(self.records.data, level=_ZSTD_LEVEL)
        return self._compressed

    @staticmethod
    def append(**_: object) -> None:
        """Nothing is taken any more."""

    def close(self) -> None:
        """It is closed."""

    def closed(self) -> bool:
        """Whether nothing can be added."""
        return True

    def size(self) -> int:
        """Bytes of the batch before it is compressed."""
        return _HEADER.size + len(self.records.data)

    def record_count(self) -> int:
        """Number of the records."""
        return self.records.count

    def _set_producer_state(self, producer_id: int, producer_epoch: int, base_sequence: int) -> None:
        self._producer = (producer_id, producer_epoch, base_sequence)

    def _build(self) -> bytes:
        data, count, now = self.compress(), self.records.count, int(time.time() * 1000)
        length = _HEADER.size - _LENGTH_FROM + len(data)
        fields = (_ZSTD | _TRANSACTIONAL, count - 1, now, now, *self._producer, count)
        batch = bytearray(_HEADER.pack(0, length, -1, _MAGIC, 0, *fields) + data)
        struct.pack_into(">I", batch, _CRC_AT, calc_crc32c(memoryview(batch)[_CRC_FROM:]))
        return bytes(batch)


def _check(magic: int, crc: int | None, data: memoryview) -> None:
    if magic != _MAGIC:
        raise CorruptRecordException(f"a record batch of format {magic}, not {_MAGIC}")
    if crc is not None and calc_crc32c(data) != crc:
        raise CorruptRecordException("a record batch with another checksum than it says")


def _inflated(method: int, data: bytes) -> bytes:
    if not method:
        return data
    if method not in _INFLATE:
        raise CorruptRecordException(f"a record batch compressed by method {method}, which Kafka does not have")
    return bytes(_INFLATE[method](data))


def record_at(batch: Raw, at: int) -> SourceRecord:
    """The record that begins at byte ``at`` of a batch; raises CorruptRecordException."""
    return _record(batch, at)[0]


def _records(batch: Raw) -> Iterator[SourceRecord]:
    at = 0
    for _ in range(batch.count):
        record, at = _record(batch, at)
        yield record


def _record(batch: Raw, at: int) -> tuple[SourceRecord, int]:
    base, data = batch.base_offset, batch.data
    length, at = decode_varint(data, at)
    end = at + length
    if length <= 0 or end > len(data):
        raise CorruptRecordException(f"a record of the batch at offset {base} is cut off")
    _, at = decode_varint(data, at + 1)
    delta, at = decode_varint(data, at)
    size, at = decode_varint(data, at)
    key = None if size < 0 else data[at : at + size]
    at += max(0, size)
    if at >= end:  # aiokafka's reader of numbers would read on, wherever that is
        raise CorruptRecordException(f"the record at offset {base + delta} is cut off")
    size, at = decode_varint(data, at)
    value = None if size < 0 else data[at : at + size]
    if max(at, at + size) > end:
        raise CorruptRecordException(f"the record at offset {base + delta} is cut off")
    return SourceRecord(key, value, base + delta), end


def _parts(batch: Batch, most: int) -> Iterator[Batch]:
    """The records of a large batch in several."""
    at, begin, count, data = 0, 0, 0, batch.data
    for number in range(1, batch.count + 1):
        length, body = decode_varint(data, at)
        if length <= 0 or body + length > len(data):
            raise CorruptRecordException(f"a record of the batch at offset {batch.base_offset} is cut off")
        at, count = body + length, count + 1
        if count == most or number == batch.count:
            _, after = decode_varint(data, body + 1)
            delta = decode_varint(data, after)[0]
            last = batch.last if number == batch.count else batch.base_offset + delta
            yield Batch(batch.base_offset, count, data[begin:at], last)
            begin, count = at, 0
