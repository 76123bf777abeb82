"""Rows of an archive's file whatever became of it: each block of records is read by itself, so that a broken one takes no other with it."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import fastavro

from streams.audit.manifest import ArchiveError, RowsFile, read_unverified, read_verified
from streams.audit.rows import SCHEMA, Row, rows_in

_SYNC: Final = 16  # bytes that end the header and each block
_SCHEMA: Final[Any] = SCHEMA
_MILLISECONDS: Final = [{"name": "timestamp", "type": "long"} if f["name"] == "timestamp" else f for f in _SCHEMA["fields"]]
_PLAIN: Final = {**_SCHEMA, "fields": _MILLISECONDS}


class Salvaged(NamedTuple):
    """What a file gives."""

    rows: list[Row]
    fault: str | None  # what is wrong with it, with its name


def salvaged(archive: Path, entry: RowsFile) -> Salvaged:
    """The rows that can be read, in the order in which they stand there."""
    try:
        rows = list(rows_in(read_verified(archive, entry), entry))
        return Salvaged(rows, None if len(rows) == entry.records else f"{entry.file}: it has {len(rows)} of {entry.records} records")
    except ArchiveError as e:
        fault = str(e)
    try:
        return Salvaged(list(_rows(read_unverified(archive, entry))), fault)
    except ArchiveError as e:
        return Salvaged([], str(e))


def _rows(data: bytes) -> Iterator[Row]:
    mark = _mark_of(data)
    header = io.BytesIO()
    fastavro.writer(header, _PLAIN, [], codec="deflate", sync_marker=mark)
    for block in data.split(mark)[1:]:
        yield from _rows_in(header.getvalue() + block + mark)


def _mark_of(data: bytes) -> bytes:
    """The bytes that divide the blocks: those at the end, unless it is the end that was changed."""
    if data.count(data[-_SYNC:]) > 1:
        return data[-_SYNC:]
    header = io.BytesIO(data)
    try:
        fastavro.schemaless_reader(header, _HEADER, None)
    except Exception:  # noqa: BLE001 - broken bytes raise anything
        return data[-_SYNC:]
    return data[header.tell() - _SYNC : header.tell()]


def _rows_in(file: bytes) -> list[Row]:
    """The rows of a file with one block; none when it is broken."""
    try:
        return [_row(r) for r in fastavro.reader(io.BytesIO(file))]
    except Exception:  # noqa: BLE001 - broken bytes raise anything, and say nothing
        return []


def _row(record: Any) -> Row:  # noqa: ANN401 - what Avro holds
    headers = [(h["key"], h["value"]) for h in record["headers"]]
    return Row(record["offset"], record["timestamp"], record["key"], record["value"], headers)


_HEADER: Final = fastavro.parse_schema(
    {
        "type": "record",
        "name": "Header",
        "namespace": "org.apache.avro.file",
        "fields": [
            {"name": "magic", "type": {"type": "fixed", "name": "magic", "size": 4}},
            {"name": "meta", "type": {"type": "map", "values": "bytes"}},
            {"name": "sync", "type": {"type": "fixed", "name": "sync", "size": 16}},
        ],
    }
)
