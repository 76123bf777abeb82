"""The rows of an archive: Kafka records in Avro object container files, which any Avro tool reads."""

import hashlib
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import fastavro
import polars as pl
from fastavro.write import Writer

from schemas.cloudevents import Headers
from streams.audit.manifest import ArchiveError, RowsFile

MOST_RECORDS: Final = 250_000  # of a file: who reads it holds it in memory
MOST_BYTES: Final = 64 << 20  # of the keys and values in a file
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_BYTES: Final = ["null", "bytes"]
_HEADER: Final = {
    "type": "record",
    "name": "Header",
    "fields": [{"name": "key", "type": "string"}, {"name": "value", "type": _BYTES}],
}

SCHEMA: Final = fastavro.parse_schema(
    {
        "type": "record",
        "name": "Row",
        "namespace": "nl.samenloop.archive",
        "fields": [
            {"name": "offset", "type": "long"},
            {"name": "timestamp", "type": {"type": "long", "logicalType": "timestamp-millis"}},
            {"name": "key", "type": _BYTES},
            {"name": "value", "type": _BYTES},
            {"name": "headers", "type": {"type": "array", "items": _HEADER}},
        ],
    }
)


class Row(NamedTuple):
    """A Kafka record."""

    offset: int
    timestamp: int  # milliseconds since the epoch, as Kafka has it
    key: bytes | None
    value: bytes | None
    headers: Headers


def day_of(timestamp: int) -> str:
    """The day (UTC) of a Kafka timestamp, ISO 8601."""
    return (_EPOCH + timestamp * _MILLISECOND).date().isoformat()


def frame_in(data: bytes, entry: RowsFile, columns: list[str] | None = None) -> pl.DataFrame:
    """A file with that content as columns, those of the schema or some of them; raises ArchiveError."""
    try:
        return pl.read_avro(io.BytesIO(data), columns=columns)
    except pl.exceptions.PolarsError as e:
        raise ArchiveError(f"{entry.file}: {e}") from e


def rows_in(data: bytes, entry: RowsFile) -> Iterator[Row]:
    """The rows of a file with that content; raises ArchiveError."""
    frame = frame_in(data, entry)
    times = frame["timestamp"].dt.epoch("ms").to_list()
    columns = (frame["offset"].to_list(), times, frame["key"].to_list(), frame["value"].to_list(), _headers(frame["headers"]))
    return map(Row, *columns)


def _headers(column: pl.Series) -> Iterator[Headers]:
    """The headers of each row. Taken out of polars all at once: row by row costs four times as much."""
    numbers = column.list.len()
    every = column.filter(numbers > 0).explode().struct
    pairs = list(zip(every.field("key").to_list(), every.field("value").to_list(), strict=True))
    at = 0
    for number in numbers.to_list():
        yield pairs[at : at + number]
        at += number


class RowsWriter:
    """Writes the records of one partition that follow one another, of one day, under a name that does not count yet."""

    def __init__(self, archive: Path, topic: str, partition: int, first: int, day: str) -> None:
        folder = archive / topic / str(partition)
        folder.mkdir(parents=True, exist_ok=True)
        self._name = f"{topic}/{partition}/{day}.{first:020d}.avro"
        self.part = folder / f"{day}.{first:020d}.avro.part"
        self.day = day
        self._topic, self._partition, self._first = topic, partition, first
        self._last = self._records = self._bytes = 0
        self._out = self.part.open("wb")
        metadata = {"samenloop.topic": topic, "samenloop.partition": str(partition), "samenloop.day": day}
        self._writer = Writer(self._out, SCHEMA, codec="deflate", sync_interval=256_000, metadata=metadata)

    def write(self, record: Any) -> None:  # noqa: ANN401 - aiokafka's ConsumerRecord
        """Add a record."""
        headers = [{"key": k, "value": v} for k, v in record.headers]
        self._writer.write(
            {"offset": record.offset, "timestamp": record.timestamp, "key": record.key, "value": record.value, "headers": headers}
        )
        self._last = record.offset
        self._records += 1
        self._bytes += len(record.key or b"") + len(record.value or b"")

    @property
    def full(self) -> bool:
        """Whether the next record belongs into another file."""
        return self._records >= MOST_RECORDS or self._bytes >= MOST_BYTES

    def close(self) -> RowsFile:
        """Finish the file; what the manifest has to say of it."""
        self._writer.flush()
        self._out.close()
        data = self.part.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        return RowsFile(self._name, len(data), digest, self._topic, self._partition, self.day, self._first, self._last, self._records)

    def abandon(self) -> None:
        """Leave nothing behind."""
        self._out.close()
        self.part.unlink()
