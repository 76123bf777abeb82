"""Bytes that nobody should send: each is refused with a WireError and its reason, at no cost in memory."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import MAX_MUTATIE, decode_signaal
from schemas.reasons import Reason
from tests.contract.examples import AVRO, HEADER, SIGNALEN, Example
from tests.contract.odd_bytes import (
    CODEC,
    MUTATIE,
    READERS,
    SCHEMA_OF,
    TOPICS,
    WITHDRAWN,
    Read,
    frame,
    kind_of,
    number,
    reason_of,
    text,
)

ALL: dict[str, Read] = {**READERS, "signalen": decode_signaal, "for people": CODEC.decode}
UITKERING = "mutaties.uwv.uitkering"
framed = st.builds(frame, st.sampled_from(sorted({3, 102, *SCHEMA_OF.values()})), st.binary(max_size=200))


@pytest.mark.parametrize("name", ALL)
@given(data=st.binary(max_size=200) | framed)
def test_no_bytes_end_in_anything_but_a_value_or_a_wire_error(name: str, data: bytes) -> None:
    reason_of(ALL[name], data)


@pytest.mark.parametrize("event", AVRO, ids=str)
def test_a_record_that_is_cut_off_anywhere_is_refused(event: Example) -> None:
    reasons = [reason_of(READERS[kind_of(event)], event.raw[:n]) for n in range(len(event.raw))]
    assert reasons == [Reason.LEEG] + [Reason.AFGEKAPT] * (len(event.raw) - 1)


@pytest.mark.parametrize("event", SIGNALEN, ids=str)
def test_a_signaal_that_is_cut_off_anywhere_is_refused(event: Example) -> None:
    assert {reason_of(decode_signaal, event.raw[:n]) for n in range(1, len(event.raw))} == {Reason.NIET_LEESBAAR}


@pytest.mark.parametrize("event", AVRO, ids=str)
@pytest.mark.parametrize("more", [b"\x00", b"\x00" * 100], ids=["one", "hundred"])
def test_bytes_behind_a_record_are_refused(event: Example, more: bytes) -> None:
    assert reason_of(READERS[kind_of(event)], event.raw + more) is Reason.RESTBYTES


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("magic", [1, 2, 127, 128, 255])
def test_another_magic_byte_is_refused(kind: str, magic: int) -> None:
    assert reason_of(READERS[kind], bytes([magic]) + AVRO[0].raw[1:]) is Reason.MAGISCHE_BYTE


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("schema_id", [0, 99, 2**31, 2**32 - 1])
def test_a_schema_id_that_nobody_gave_is_refused(kind: str, schema_id: int) -> None:
    assert reason_of(READERS[kind], frame(schema_id, AVRO[0].raw[HEADER:])) is Reason.SCHEMA_ONBEKEND


@pytest.mark.parametrize("event", AVRO, ids=str)
@pytest.mark.parametrize("kind", READERS)
def test_every_kind_of_topic_takes_its_own_records_and_no_others(event: Example, kind: str) -> None:
    assert reason_of(READERS[kind], event.raw) is (None if kind == kind_of(event) else Reason.SCHEMA_VAN_ANDER_TOPIC)


def measured(read: Read, data: bytes) -> Reason | None:
    """Why ``data`` is refused; taking more than 100 KB for that fails the test."""
    tracemalloc.start()
    try:
        reason = reason_of(read, data)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
    return reason


LENGTHS = [2**60, 2**62 - 1, 2**31, -1, -(2**31), -(2**63)]


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("topic", TOPICS)
def test_a_text_that_says_to_be_longer_than_its_record_takes_no_memory(topic: str, length: int) -> None:
    assert measured(READERS[topic], frame(SCHEMA_OF[topic], number(length), b"r" * 9)) is Reason.AFGEKAPT


@pytest.mark.parametrize("count", LENGTHS)
def test_a_list_that_says_to_be_longer_than_its_record_takes_no_memory(count: int) -> None:
    size = number(2**60) if count < 0 else b""
    assert measured(CODEC.decode_volgverzoek, frame(101, number(1), number(0), number(count), size, b"\xff" * 8)) is Reason.AFGEKAPT


@pytest.mark.parametrize("byte", [b"\xff", b"\x80"])
@pytest.mark.parametrize("kind", READERS)
def test_a_number_without_an_end_is_refused(kind: str, byte: bytes) -> None:
    assert measured(READERS[kind], frame(SCHEMA_OF[kind], byte * (MAX_MUTATIE - HEADER))) is Reason.AFGEKAPT


@pytest.mark.parametrize("topic", TOPICS)
def test_a_mutatie_is_too_large_from_4097_bytes_on(topic: str) -> None:
    rest = MAX_MUTATIE - HEADER
    assert reason_of(READERS[topic], frame(SCHEMA_OF[topic], bytes(rest))) is Reason.RESTBYTES
    assert reason_of(READERS[topic], frame(SCHEMA_OF[topic], bytes(rest + 1))) is Reason.TE_GROOT


def feit(begin: int, end: int | None, regeling: int = 0) -> bytes:
    """A feit of uwv.uitkering without an amount, and with days that are certain."""
    return number(1) + number(begin) + (number(0) if end is None else number(1) + number(end)) + number(regeling) + number(0) + number(0)


ODD: dict[str, tuple[bytes, Reason | None]] = {
    "a good withdrawal": (MUTATIE + WITHDRAWN, None),
    "a good feit": (MUTATIE + feit(9, None), None),
    "one day": (MUTATIE + feit(9, 9), None),
    "all days that there are": (MUTATIE + feit(-25_567, 84_005), None),
    "no record_id": (text("") + number(1) + number(0) + WITHDRAWN, Reason.RECORD_ID_ONGELDIG),
    "record_id of 101 characters": (text("r" * 101) + number(1) + number(0) + WITHDRAWN, Reason.RECORD_ID_ONGELDIG),
    "record_id with a line end": (text("r\n") + number(1) + number(0) + WITHDRAWN, Reason.RECORD_ID_ONGELDIG),
    "record_id that is no UTF-8": (number(2) + b"\xff\xfe" + number(1) + number(0) + WITHDRAWN, Reason.NIET_LEESBAAR),
    "versie 0": (text("r") + number(0) + number(0) + WITHDRAWN, Reason.VERSIE_ONGELDIG),
    "versie -1": (text("r") + number(-1) + number(0) + WITHDRAWN, Reason.VERSIE_ONGELDIG),
    "versie of 64 bits": (text("r") + number(2**63 - 1) + number(0) + WITHDRAWN, Reason.VERSIE_ONGELDIG),
    "registered before 1900": (text("r") + number(1) + number(-(10**13)) + WITHDRAWN, Reason.DATUM_BUITEN_BEREIK),
    "registered after 2199": (text("r") + number(1) + number(2**63 - 1) + WITHDRAWN, Reason.DATUM_BUITEN_BEREIK),
    "a third branch of a union": (MUTATIE + number(2), Reason.AFGEKAPT),
    "an eleventh symbol": (MUTATIE + feit(9, None, regeling=10), Reason.AFGEKAPT),
    "a begindatum before 1900": (MUTATIE + feit(-25_568, None), Reason.DATUM_BUITEN_BEREIK),
    "a begindatum after 2199": (MUTATIE + feit(84_006, None), Reason.DATUM_BUITEN_BEREIK),
    "an einddatum after 2199": (MUTATIE + feit(9, 84_006), Reason.DATUM_BUITEN_BEREIK),
    "ended before it began": (MUTATIE + feit(9, 8), Reason.EINDDATUM_VOOR_BEGINDATUM),
}


@pytest.mark.parametrize("odd", ODD)
def test_a_mutatie_that_cannot_be_used_is_refused_with_its_reason(odd: str) -> None:
    body, reason = ODD[odd]
    assert reason_of(READERS[UITKERING], frame(SCHEMA_OF[UITKERING], body)) is reason


@pytest.mark.parametrize("wrong", [b"NaN", b"1e400", b"-Infinity", b"1.5", b'"1"', b"null", b"[1]"])
def test_a_signaal_with_a_number_that_is_not_one_is_refused(wrong: bytes) -> None:
    data = SIGNALEN[0].raw.replace(b'"offset":17', b'"offset":' + wrong)
    assert data != SIGNALEN[0].raw
    assert reason_of(decode_signaal, data) is Reason.NIET_LEESBAAR


@pytest.mark.parametrize("data", [b"[" * 100_000, b'{"a":' * 100_000, b'"' + b"a" * 100_000], ids=["lists", "objects", "text"])
def test_json_of_any_depth_that_is_no_signaal_is_refused(data: bytes) -> None:
    assert reason_of(decode_signaal, data) is Reason.NIET_LEESBAAR


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_sentence_for_people(reason: Reason) -> None:
    assert reason.text.endswith(".")
