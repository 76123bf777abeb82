"""Records in Kafka's format v2: what we write is what aiokafka writes, and what we read is what was written."""

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from streams.effects import Encoded, Row
from streams.encoded import Raw, RecordFormatError, decode, encode_rows, rows_in

HEADER_BYTES = 61  # of a batch
contents = st.none() | st.binary(max_size=200)
rows = st.tuples(contents, contents, st.lists(st.tuples(st.text(max_size=12), st.binary(max_size=80)), max_size=4))


@given(st.lists(rows, min_size=1, max_size=80))
def test_records_are_those_that_aiokafka_writes(told: list[Row]) -> None:
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 1 << 30)
    for offset, (key, value, headers) in enumerate(told):
        builder.append(offset, 0, key, value, headers)
    assert encode_rows(told) == Encoded(len(told), bytes(builder.build())[HEADER_BYTES:])


@given(st.lists(rows, max_size=80))
def test_what_is_read_is_what_was_written(told: list[Row]) -> None:
    encoded = encode_rows(told)
    assert list(rows_in([*told, encoded])) == told * 2
    assert [r.offset for r in decode(Raw(70, encoded.count, encoded.data))] == [*range(70, 70 + len(told))]


@given(st.lists(rows, min_size=1, max_size=3), st.data())
def test_bytes_that_are_no_records_are_refused(told: list[Row], data: st.DataObject) -> None:
    encoded = encode_rows(told)
    cut = data.draw(st.integers(0, len(encoded.data) - 1))
    for broken in (Raw(0, encoded.count, encoded.data[:cut]), Raw(0, encoded.count, encoded.data + b"\0")):
        with pytest.raises(RecordFormatError):
            list(decode(broken))
