"""Rows of an archive: written as Avro's own reader takes them, and read back as they were."""

from pathlib import Path
from types import SimpleNamespace

import fastavro
import polars as pl
from avro.datafile import DataFileReader
from avro.io import DatumReader
from hypothesis import given
from hypothesis import strategies as st

from streams.audit.rows import MOST_RECORDS, Row, RowsWriter, day_of, rows_in

BYTES = st.none() | st.binary(max_size=20)
HEADERS = st.lists(st.tuples(st.text(max_size=8), BYTES), max_size=3)
RECORDS = st.lists(st.tuples(st.integers(0, 2**62), st.integers(0, 2**41), BYTES, BYTES, HEADERS), min_size=1, max_size=6)


@given(RECORDS)
def test_rows_come_back_as_they_were_whoever_reads_them(tmp_path_factory, records) -> None:
    rows = [Row(*r) for r in records]
    folder = tmp_path_factory.mktemp("rows")
    writer = RowsWriter(folder, "klok", 3, rows[0].offset, "2026-01-01")
    for row in rows:
        writer.write(row)
    entry = writer.close()
    data = writer.part.read_bytes()

    assert list(rows_in(data, entry)) == rows
    assert (entry.first, entry.last, entry.records) == (rows[0].offset, rows[-1].offset, len(rows))
    with writer.part.open("rb") as file:
        assert [_plain(r) for r in fastavro.reader(file)] == [_plain_row(r) for r in rows]
    with DataFileReader(writer.part.open("rb"), DatumReader()) as reader:
        assert [_plain(r) for r in reader] == [_plain_row(r) for r in rows]
    frame = pl.read_avro(writer.part)
    assert frame["key"].to_list() == [r.key for r in rows]
    assert frame["timestamp"].dt.epoch("ms").to_list() == [r.timestamp for r in rows]


def _plain(read):
    return read["offset"], read["key"], read["value"], [(h["key"], h["value"]) for h in read["headers"]]


def _plain_row(row: Row):
    return row.offset, row.key, row.value, row.headers


def test_a_day_is_that_of_utc() -> None:
    assert [day_of(t) for t in (0, 86_399_999, 86_400_000, 1_767_225_599_999)] == ["1970-01-01", "1970-01-01", "1970-01-02", "2025-12-31"]


def test_a_file_is_full_before_its_reader_needs_much_memory(tmp_path: Path) -> None:
    writer = RowsWriter(tmp_path, "klok", 0, 0, "2026-01-01")
    row = SimpleNamespace(offset=0, timestamp=0, key=b"k" * 1_000_000, value=b"v" * 7_000_000, headers=[])
    taken = 0
    while not writer.full:
        writer.write(row)
        taken += 1
    assert taken < 10 < MOST_RECORDS
    writer.abandon()
    assert list((tmp_path / "klok" / "0").iterdir()) == []
