"""What the codec takes, from damaged bytes too, is a value of the published schema, the same as for Apache's reader."""

import io
import json

import avro.io
import avro.schema
import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.reasons import Reason
from tests.contract.examples import AVRO, HEADER, Example
from tests.contract.odd_bytes import (
    CATALOGUE,
    CODEC,
    MUTATIE,
    READERS,
    SCHEMA_OF,
    TOPICS,
    WITHDRAWN,
    frame,
    kind_of,
    number,
    reason_of,
    text,
)

PARSED = {i: fastavro.parse_schema(dict(s.definitie)) for i, s in CATALOGUE.schemas.items()}


@given(event=st.sampled_from(AVRO), place=st.integers(min_value=0), instead=st.binary(min_size=1, max_size=6))
def test_what_is_taken_from_damaged_bytes_fits_the_schema_all_the_same(event: Example, place: int, instead: bytes) -> None:
    at = HEADER + place % (len(event.raw) - HEADER)
    data = event.raw[:at] + instead + event.raw[at + 1 :]
    if reason_of(READERS[kind_of(event)], data) is None:
        assert fastavro.validate(CODEC.decode(data), PARSED[event.schema_id], strict=True)


NUMBERS = [(2**31 - 1, None), (-(2**31), None), *((n, Reason.NIET_LEESBAAR) for n in (2**31, -(2**31) - 1, 2**63 - 1))]


@pytest.mark.parametrize(("ikv_nummer", "reason"), NUMBERS)
def test_an_int_of_more_than_32_bits_is_refused(ikv_nummer: int, reason: Reason | None) -> None:
    topic = "mutaties.uwv.inkomstenverhouding"
    feit = number(1) + number(9) + number(0) + text("001234567L01") + number(ikv_nummer) + text("15")
    assert reason_of(READERS[topic], frame(SCHEMA_OF[topic], MUTATIE, feit)) is reason


@pytest.mark.parametrize("topic", TOPICS)
def test_a_versie_of_more_than_31_bits_is_refused_on_every_topic(topic: str) -> None:
    largest, too_large = (frame(SCHEMA_OF[topic], text("r"), number(n), number(0), WITHDRAWN) for n in (2**31 - 1, 2**31))
    assert reason_of(READERS[topic], largest) is None
    assert reason_of(READERS[topic], too_large) is Reason.VERSIE_ONGELDIG


@pytest.mark.parametrize(
    ("versie", "time", "vanaf", "reason"),
    [
        (1, 0, 9, None),
        (0, 0, 9, Reason.VERSIE_ONGELDIG),
        (2**31, 0, 9, Reason.VERSIE_ONGELDIG),
        (1, 2**63 - 1, 9, Reason.DATUM_BUITEN_BEREIK),
        (1, 0, -25_568, Reason.DATUM_BUITEN_BEREIK),
        (1, 0, 84_006, Reason.DATUM_BUITEN_BEREIK),
    ],
)
def test_a_volgverzoek_that_cannot_be_used_is_refused_with_its_reason(versie: int, time: int, vanaf: int, reason: Reason | None) -> None:
    data = frame(101, number(versie), number(time), number(1), text("d"), number(vanaf), number(0))
    assert reason_of(CODEC.decode_volgverzoek, data) is reason


@pytest.mark.parametrize("day", [-25_568, 84_006, 2**31, -(2**63)])
def test_a_tick_of_a_day_outside_the_calendar_is_refused(day: int) -> None:
    assert reason_of(CODEC.decode_klok, frame(100, number(day))) is Reason.DATUM_BUITEN_BEREIK


NEGATIVE = {
    "the last symbol of an enum": (number(1) + number(9) + number(0) + number(-1) + number(0) + number(0), "IOW"),
    "the last branch but one of a union": (number(-2), None),
}


@pytest.mark.parametrize("kind", NEGATIVE)
def test_a_negative_symbol_or_branch_counts_from_the_end_as_in_apaches_python_reader(kind: str) -> None:
    """Avro gives such a number no meaning, and readers in other languages refuse it. Pinned: whoever closes this has to see it."""
    body, regeling = NEGATIVE[kind]
    data = frame(SCHEMA_OF["mutaties.uwv.uitkering"], MUTATIE, body)
    feit = CODEC.decode_mutatie("mutaties.uwv.uitkering", data).feit
    schema = avro.schema.Parse(json.dumps(CATALOGUE.schemas[SCHEMA_OF["mutaties.uwv.uitkering"]].definitie))
    theirs = avro.io.DatumReader(schema).read(avro.io.BinaryDecoder(io.BytesIO(data[HEADER:])))
    assert feit == theirs["feit"]
    assert (None if feit is None else feit["regeling"]) == regeling
