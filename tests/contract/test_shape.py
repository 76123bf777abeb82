"""The quick reader of usual mutaties: it takes what the general reader takes, with the same values, and nothing else."""

from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from schemas.catalogue import Schema
from schemas.codec import Codec, WireError
from schemas.shape import Shape
from tests.contract.examples import HEADER, MUTATIES
from tests.contract.odd_bytes import CATALOGUE, CODEC, frame, number
from tests.contract.test_round_trip import MUTATIE_SCHEMAS, mutaties

SHAPES = {s.id: CODEC._shapes[s.topic.topic][frame(s.id)] for s in MUTATIE_SCHEMAS}


def general(schema: Schema, data: bytes) -> Any:
    """What the general reader makes of it; the reason when it refuses."""
    try:
        return msgspec.structs.astuple(CODEC._decode_any_mutatie(schema.topic.topic, data))
    except WireError as e:
        return e.reason


@pytest.mark.parametrize("schema", MUTATIE_SCHEMAS, ids=lambda s: s.bestand)
@given(data=st.data(), record_id=st.uuids().map(str))
def test_every_mutatie_with_a_uuid_is_usual_and_read_as_by_the_general_reader(schema: Schema, data: st.DataObject, record_id: str) -> None:
    value = data.draw(mutaties(schema)) | {"record_id": record_id}
    assume(all(-(2**62) <= x < 2**62 for x in (value["feit"] or {}).values() if isinstance(x, int)))  # greater amounts are not usual
    wire = CODEC.encode(schema.id, value)
    found = SHAPES[schema.id].read(wire)
    assert found == general(schema, wire)


@pytest.mark.parametrize("schema", MUTATIE_SCHEMAS, ids=lambda s: s.bestand)
@given(data=st.data(), place=st.integers(min_value=0), less=st.integers(0, 4), instead=st.binary(max_size=12))
def test_whatever_is_taken_of_damaged_bytes_is_what_the_general_reader_takes(
    schema: Schema, data: st.DataObject, place: int, less: int, instead: bytes
) -> None:
    wire = CODEC.encode(schema.id, data.draw(mutaties(schema)) | {"record_id": "6a9a2477-8d9e-2229-d560-256cad166959"})
    at = HEADER + place % (len(wire) - HEADER + 1)
    damaged = wire[:at] + instead + wire[at + less :]
    found = SHAPES[schema.id].read(damaged)
    assert found is None or found == general(schema, damaged)


ENVELOPE = b"\x486a9a2477-8d9e-2229-d560-256cad166959" + number(1) + number(0)
BIJSTAND = ENVELOPE + b"\x02" + number(9) + b"\x00" + b"\x0cgm0363"
NUMBERED = ENVELOPE + b"\x02" + number(9) + b"\x00" + b"\x18123456789L01"
ODD = {
    "a longer way to write a number": (1, BIJSTAND.replace(number(9), b"\x92\x80\x00") + b"\x06K-1\x02"),
    "a text that says to be shorter": (1, BIJSTAND + b"\x04K-1\x02"),
    "a text that says to be longer": (1, BIJSTAND + b"\x08K-1\x02"),
    "a text that takes the symbol behind it": (1, BIJSTAND + b"\x06K-1"),
    "a text of 64 characters": (1, BIJSTAND + b"\x80\x01" + b"K" * 64 + b"\x02"),
    "an empty text": (1, BIJSTAND + b"\x00\x02"),
    "a symbol that is none": (1, BIJSTAND + b"\x06K-1\x08"),
    "a negative symbol": (1, BIJSTAND + b"\x06K-1\x01"),
    "a line end behind a text": (1, BIJSTAND.replace(b"\x0cgm0363", b"\x0egm0363\n") + b"\x06K-1\x02"),
    "an int of 33 bits": (5, NUMBERED + number(2**32) + number(0) + number(5) + b"\x00"),
    "a long of 64 bits": (5, NUMBERED + number(1) + number(0) + number(2**63 - 1) + b"\x00"),
    "a day outside the calendar": (1, BIJSTAND.replace(number(9), number(10**6)) + b"\x06K-1\x02"),
    "an end before the beginning": (1, BIJSTAND.replace(number(9) + b"\x00", number(9) + b"\x02" + number(8)) + b"\x06K-1\x02"),
}


@pytest.mark.parametrize("odd", ODD)
def test_bytes_at_the_edge_of_the_shape_are_taken_as_by_the_general_reader_or_left_to_it(odd: str) -> None:
    schema_id, body = ODD[odd]
    data = frame(schema_id, body)
    found = SHAPES[schema_id].read(data)
    assert found is None or found == general(CATALOGUE.schemas[schema_id], data)


def test_memory_of_what_was_read_is_bounded() -> None:
    codec = Codec(CATALOGUE)
    event = next(e for e in MUTATIES if "inkomstenopgave.v2.vastgesteld" in e.name)
    value = msgspec.structs.asdict(codec.decode_mutatie(event.topic, event.raw))
    for loon in range(20_000):
        value["feit"]["loon_sv"] = loon
        codec.decode_mutatie(event.topic, codec.encode(event.schema_id, value))
    shape: Shape = codec._shapes[event.topic][event.raw[:HEADER]]
    assert max(len(values) for values in shape._values) <= 16_384
