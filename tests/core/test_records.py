"""Record batches in Kafka's format v2: what aiokafka writes we read alike, and what we write aiokafka reads."""

import msgspec
import pytest
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from streams.effects import Row
from streams.encoded import encode_rows, varint
from streams.native.newest import newest_of
from streams.native.rows import NativeRows
from streams.records import Batch, FinishedBatch, Run, SourceRecord, batches, run_of

contents = st.none() | st.binary(max_size=60)
rows = st.lists(st.tuples(contents, contents, st.just([("ce_id", b"x")])), min_size=1, max_size=30)
NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)
BASE_OFFSET = slice(0, 8)
MAGIC = 16
HEADER = 61  # bytes
FIRST_CHECKED = 21
CONTROL = 0x20


def wire(told: list[Row], base: int, codec: int = NONE, producer: int = -1) -> bytes:
    """A batch as a broker gives it, written by aiokafka."""
    builder = DefaultRecordBatchBuilder(2, codec, producer >= 0, producer, 0, 0, 1 << 30)
    for delta, (key, value, headers) in enumerate(told):
        builder.append(delta, 0, key, value, headers)
    data = bytearray(builder.build())
    data[BASE_OFFSET] = base.to_bytes(8, "big")
    return bytes(data)


def marker(kind: bytes, base: int, producer: int) -> bytes:
    """The control batch that ends a transaction."""
    data = bytearray(wire([(kind, b"\0" * 6, [])], base, NONE, producer))
    data[22] |= CONTROL  # the low byte of the attributes
    return bytes(data)


def read(data: bytes, start: int = 0, aborted: tuple[tuple[int, int], ...] = (), most: int = 1_000) -> list[SourceRecord]:
    """The records of a fetch, taken as the transport takes them: in runs that begin where the one before ended."""
    found, at = [], start
    for batch, following in batches(data, start, aborted, most):
        if batch is not None:
            assert batch.count <= most
            found += Run([batch], at)
        at = max(at, following)
    return found


@given(rows, st.integers(0, 1 << 40), st.sampled_from([NONE, GZIP, SNAPPY, LZ4, ZSTD]), st.integers(1, 40), st.integers(0, 40))
def test_what_aiokafka_writes_is_read_from_any_offset_in_runs_of_any_size(
    told: list[Row], base: int, codec: int, most: int, skipped: int
) -> None:
    wanted = [SourceRecord(key, value, base + i) for i, (key, value, _) in enumerate(told)]
    assert read(wire(told, base, codec), base + skipped, most=most) == wanted[skipped:]


@given(rows, rows)
def test_a_batch_that_the_fetch_cut_off_is_left_for_the_next_one(first: list[Row], second: list[Row]) -> None:
    whole, cut = wire(first, 0), wire(second, len(first))[:-1]
    assert [r.offset for r in read(whole + cut)] == list(range(len(first)))


@given(rows)
def test_what_a_transaction_took_back_is_not_read_and_what_its_producer_wrote_next_is(told: list[Row]) -> None:
    n = len(told)
    log = wire(told, 0, ZSTD, 7) + wire(told, n, NONE, 8) + marker(b"\0\0\0\0", 2 * n, 7) + wire(told, 2 * n + 1, NONE, 7)
    assert [r.offset for r in read(log, aborted=((7, 0),))] == [*range(n, 2 * n), *range(2 * n + 1, 3 * n + 1)]


def test_a_marker_of_which_kafka_cleaned_up_the_record_is_passed() -> None:
    whole = bytearray(marker(b"\0\0\0\1", 5, 7))
    empty = whole[:HEADER]
    empty[8:12] = (HEADER - 12).to_bytes(4, "big")
    empty[HEADER - 4 :] = bytes(4)
    assert list(batches(bytes(empty), 5, [], 10)) == [(None, 6)]


def test_a_marker_moves_the_place_to_read_on_from() -> None:
    assert list(batches(marker(b"\0\0\0\1", 5, 7), 5, [], 10)) == [(None, 6)]


@given(rows, st.integers(0, 40))
def test_a_run_leaves_out_what_stands_before_an_offset(told: list[Row], offset: int) -> None:
    run = run_of([SourceRecord(key, value, i) for i, (key, value, _) in enumerate(told)])
    rest = run.since(offset)
    assert [r.offset for r in rest or []] == list(range(offset, len(told)))
    assert len(rest or []) == max(0, len(told) - offset)
    assert run.following == len(told)


@given(rows, rows, st.data())
def test_runs_that_follow_one_another_are_one_run_with_the_records_of_both(
    first: list[Row], second: list[Row], data: st.DataObject
) -> None:
    """Also when a fetch began inside a batch; only where that would bring records back which stand before its start, two are left."""
    base = len(first) + data.draw(st.integers(0, 3))
    cut = data.draw(st.integers(0, len(second) - 1))
    one = Run([batch for batch, _ in batches(wire(first, 0), 0, (), 1_000) if batch], data.draw(st.integers(0, len(first) - 1)))
    two = Run([batch for batch, _ in batches(wire(second, base), base, (), 1_000) if batch], base + cut)
    both = one.followed_by(two)
    assert (both is None) == (cut > 0)
    if both is not None:
        assert list(both) == [*one, *two]
        assert (len(both), both.following) == (len(one) + len(two), two.following)
    assert two.followed_by(one) is None, "the other way round they are not"


few = st.sampled_from([None, b"", b"a", b"b", bytes(9), b"a" * 52])
repeated = st.lists(st.tuples(few, contents, st.just([("ce_id", b"x")])), min_size=1, max_size=30)


@given(repeated, st.integers(0, 40))
def test_of_each_key_the_newest_value_is_found(told: list[Row], skipped: int) -> None:
    half = len(told) // 2
    data = b"".join(wire(part, at) for part, at in ((told[:half], 7), (told[half:], 7 + half)) if part)
    found = [batch for batch, _ in batches(data, 7 + skipped, (), 1_000) if batch is not None]
    newest = dict(newest_of(Run(found, max(7 + skipped, found[0].base_offset)))) if found else {}
    assert newest == {key or b"": value for key, value, _ in told[skipped:]}


def test_the_native_core_refuses_a_batch_with_a_record_cut_off() -> None:
    native = NativeRows()
    data = run_of([SourceRecord(b"k", b"value", 0)]).batches[0].data
    assert native.newest(data, 1) == [(b"k", b"value")]
    for count, cut in ((1, data[:-2]), (2, data), (1, b""), (-1, data), (1 << 40, data)):
        with pytest.raises(CorruptRecordException, match="cut off"):
            native.newest(cut, count)


@given(rows, st.data())
def test_a_bit_that_fell_over_is_found_where_checksums_are_looked_at(told: list[Row], data: st.DataObject) -> None:
    good = wire(told, 0)
    assert len(list(batches(good, 0, (), 1_000, check=True))) == 1
    bad = bytearray(good)
    bad[data.draw(st.integers(FIRST_CHECKED, len(bad) - 1))] ^= 1
    with pytest.raises(CorruptRecordException, match="checksum"):
        list(batches(bytes(bad), 0, (), 1_000, check=True))


@given(rows)
def test_what_we_finish_is_a_batch_for_aiokafka(told: list[Row]) -> None:
    finished = FinishedBatch(encode_rows(told))
    finished._set_producer_state(7, 3, 11)
    batch = DefaultRecordBatch(finished._build())
    assert (batch.validate_crc(), batch.is_transactional, batch.is_control_batch) == (True, True, False)
    assert (batch.producer_id, batch.producer_epoch, batch.base_sequence, batch.next_offset) == (7, 3, 11, len(told))
    assert [(r.key, r.value, r.headers) for r in batch] == told
    assert finished.record_count() == len(told)


def test_a_batch_of_another_format_or_with_a_record_cut_off_is_no_batch() -> None:
    data = bytearray(wire([(b"k", b"v", [])], 0))
    data[MAGIC] = 1
    with pytest.raises(CorruptRecordException, match="format 1"):
        read(bytes(data))
    records = run_of([SourceRecord(b"k", b"value", 0)]).batches[0]
    with pytest.raises(CorruptRecordException, match="cut off"):
        list(Run([msgspec.structs.replace(records, data=records.data[:-2])], 0))


@pytest.mark.parametrize("size", [1, 7, 1 << 40, (1 << 62) - 1])
def test_a_key_or_value_that_says_to_be_larger_than_its_record_is_refused(size: int) -> None:
    for fields in (varint(size) + b"k", varint(1) + b"k" + varint(size)):
        body = b"\0\0\0" + fields
        data = varint(len(body)) + body
        with pytest.raises(CorruptRecordException, match="cut off"):
            list(Run([Batch(0, 1, data, 0)], 0))
