"""The rows of an archive as records in Kafka's format, a file at a time: a replay folds and compares them without an object for each.

The native core does it where there is one; the Python below is what it must come to.
"""

import io
import json
import zlib
from array import array
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any, Final, cast

import fastavro

from streams.audit.archive import Archive, checked
from streams.audit.manifest import RowsFile, read_verified
from streams.audit.rows import SCHEMA, Row, rows_in
from streams.effects import Encoded
from streams.encoded import encode_record, fields_in, fields_of, varint
from streams.native.rows import DIGEST, PackedRows, native_rows
from streams.records import Batch

__all__ = ["DIGEST", "Packed", "digest_of", "digests_of", "packed_files", "packed_in"]

_SPANS: Final = 4


class Packed:
    """The records of one file of an archive."""

    def __init__(self, rows: PackedRows) -> None:
        self.data, self.offsets, self.ends, self._spans = rows

    def __len__(self) -> int:
        """How many there are."""
        return len(self.offsets)

    def batch(self, begin: int, end: int) -> Batch:
        """The records with the numbers from ``begin`` to before ``end``, at least one."""
        data = self.data[self.ends[begin - 1] if begin else 0 : self.ends[end - 1]]
        return Batch(self.offsets[0], end - begin, data, self.offsets[end - 1])

    def contents(self) -> Iterator[tuple[bytes | None, bytes | None]]:
        """The key and the value of each record."""
        data, spans = self.data, iter(self._spans)
        for key, key_end, value, value_end in zip(spans, spans, spans, spans, strict=True):
            yield (None if key < 0 else data[key:key_end], None if value < 0 else data[value:value_end])


def packed_files(archive: Archive, topic: str, partition: int, since: int = 0, *, headers: bool) -> Iterator[Packed]:
    """The files of a topic and partition that hold a record from offset ``since`` on; raises ArchiveError at the first that is wrong."""
    last = -1
    for entry in archive.files_of(topic, partition):
        if entry.last >= since:
            packed = packed_in(read_verified(archive.folder, entry), entry, headers=headers)
            last = checked(entry, packed.offsets, last)
            yield packed


def packed_in(data: bytes, entry: RowsFile, *, headers: bool) -> Packed:
    """The rows of a file with that content, with their headers or without; raises ArchiveError when it cannot be read."""
    return Packed(_natively(data, headers=headers) or pack(list(rows_in(data, entry)), headers=headers))


def pack(rows: list[Row], *, headers: bool) -> PackedRows:
    """What the native core makes of rows, written down in Python."""
    found = PackedRows(b"", array("q"), array("q"), array("q"))
    records, at = [], 0
    for row in rows:
        told = row.headers if headers else []
        record = encode_record(row.offset - rows[0].offset, row.key, row.value, told)
        begin = at + len(record) - len(fields_of(row.key, row.value, told))
        for content in (row.key, row.value):
            size = -1 if content is None else len(content)
            begin += len(varint(size))
            found.spans.extend((-1, -1) if content is None else (begin, begin + size))
            begin += max(0, size)
        records.append(record)
        at += len(record)
        found.offsets.append(row.offset)
        found.ends.append(at)
    return found._replace(data=b"".join(records))


def digest_of(fields: bytes) -> bytes:
    """Sixteen bytes that differ when anything of a message differs; ``fields`` is what ``fields_of`` makes of it."""
    return blake2b(fields, digest_size=DIGEST).digest()


def digests_of(records: Encoded) -> bytes:
    """The digests of records; raises RecordFormatError."""
    native = native_rows()
    found = None if native is None else native.digests(records.data, records.count)
    return found or b"".join(map(digest_of, fields_in([records])))


def _natively(data: bytes, *, headers: bool) -> PackedRows | None:
    """What the native core makes of a file; None when it cannot be sure, and then the Python says what is wrong."""
    native = native_rows()
    try:
        reader = fastavro.block_reader(io.BytesIO(data))
        if native is None or json.loads(reader.metadata["avro.schema"]) != _WRITTEN:
            return None
        return native.pack(_blocks(reader), headers=headers)
    except (ValueError, KeyError, EOFError, OSError, IndexError, zlib.error):
        return None


def _blocks(reader: Iterable[Any]) -> Iterator[tuple[bytes, int]]:
    return ((block.bytes_.getvalue(), block.num_records) for block in reader)


_WRITTEN: Final = {k: v for k, v in cast("dict[str, Any]", SCHEMA).items() if not k.startswith("__")}
