"""Rows of an archive by the native core and by Python: the same records, the same digests; whatever is no row is refused."""

import io
from hashlib import blake2b
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.audit.packed import DIGEST, Packed, digests_of, pack, packed_in
from streams.audit.rows import SCHEMA, Row, RowsWriter
from streams.effects import Encoded
from streams.encoded import RecordFormatError, decode, encode_rows, fields_of
from streams.native.rows import NativeRows

NATIVE = NativeRows()
BYTES = st.none() | st.binary(max_size=20)
HEADERS = st.lists(st.tuples(st.text(max_size=8), BYTES), max_size=3)
OFFSETS = st.tuples(st.integers(0, 2**61), st.lists(st.integers(1, 2**27), max_size=6))


@st.composite
def rows_of_a_file(draw: st.DrawFn) -> list[Row]:
    offset, steps = draw(OFFSETS)
    rows = [Row(offset, 0, draw(BYTES), draw(BYTES), draw(HEADERS))]
    for step in steps:
        rows.append(Row(rows[-1].offset + step, 0, draw(BYTES), draw(BYTES), draw(HEADERS)))
    return rows


def blocks_of(rows: list[Row]) -> tuple[bytes, int]:
    """The rows as a block of a file, decompressed."""
    out = io.BytesIO()
    for row in rows:
        told = {**row._asdict(), "headers": [{"key": k, "value": v} for k, v in row.headers]}
        fastavro.schemaless_writer(out, SCHEMA, told)
    return out.getvalue(), len(rows)


@given(rows_of_a_file(), st.booleans())
def test_both_cores_make_the_same_records(rows: list[Row], headers: bool) -> None:
    found = NATIVE.pack([blocks_of(rows[:2]), blocks_of(rows[2:])], headers=headers)
    assert found == pack(rows, headers=headers)

    packed = Packed(found)
    assert list(packed.contents()) == [(r.key, r.value) for r in rows]
    for begin in range(len(rows)):
        batch = packed.batch(begin, len(rows))
        told = [(r.offset, r.key, r.value) for r in rows[begin:]]
        assert [(r.offset, r.key, r.value) for r in decode(batch)] == told
        assert (batch.count, batch.last) == (len(rows) - begin, rows[-1].offset)


@given(st.lists(st.tuples(BYTES, st.none() | st.binary(max_size=300), HEADERS), max_size=5))
def test_the_digest_of_a_record_is_that_of_all_that_it_says(rows: list[tuple[Any, Any, Any]]) -> None:
    said = [blake2b(fields_of(*row), digest_size=DIGEST).digest() for row in rows]
    assert digests_of(encode_rows(rows)) == b"".join(said)


@settings(max_examples=300)
@given(rows_of_a_file(), st.randoms(use_true_random=False))
def test_bytes_that_are_no_rows_are_refused(rows: list[Row], draw: Random) -> None:
    block, count = blocks_of(rows)
    broken = bytearray(block)
    for _ in range(draw.randint(1, 4)):
        broken[draw.randrange(len(broken))] ^= 1 << draw.randrange(8)
    found = NATIVE.pack([(bytes(broken[: draw.randint(0, len(broken))]), count)], headers=True)
    if found is not None:
        assert len(list(Packed(found).contents())) == count
    assert NATIVE.pack([(block[:-1], count)], headers=True) is None
    assert NATIVE.pack([(block + b"\0", count)], headers=True) is None
    with pytest.raises(RecordFormatError):
        digests_of(Encoded(1, b"\x7f\0\0"))


@pytest.mark.parametrize("offsets", [(5, 5), (5, 4), (0, 2**31), (-1,)])
def test_offsets_that_no_file_can_have_are_left_to_the_python(offsets: tuple[int, ...]) -> None:
    block = blocks_of([Row(o, 0, None, None, []) for o in offsets])
    assert NATIVE.pack([block], headers=False) is None


def written(folder: Path) -> tuple[bytes, Any]:
    writer = RowsWriter(folder, "klok", 0, 7, "2026-01-01")
    for offset in range(7, 10):
        writer.write(SimpleNamespace(offset=offset, timestamp=1, key=b"k", value=None, headers=[("h", b"1")]))
    entry = writer.close()
    return writer.part.read_bytes(), entry


def test_a_file_that_another_tool_wrote_is_read_too(tmp_path: Path) -> None:
    data, entry = written(tmp_path)
    fields: Any = SCHEMA
    other = fastavro.parse_schema({"type": "record", "name": "Other", "fields": fields["fields"][::-1]})
    out = io.BytesIO()
    fastavro.writer(out, other, fastavro.reader(io.BytesIO(data)))
    ours, theirs = packed_in(data, entry, headers=True), packed_in(out.getvalue(), entry, headers=True)
    assert (ours.data, ours.offsets) == (theirs.data, theirs.offsets)
    assert list(ours.offsets) == [7, 8, 9]
