"""The topic quarantaine folded to what stands open, without a broker."""

from dataclasses import dataclass

import pytest

from samenloop.closing import checked_why
from samenloop.errors import NotDoneError
from samenloop.quarantine import NO_TOPIC, Quarantine, Selection, is_same, judge_of, schema_id_of, text_of
from schemas.catalogue import Catalogue
from schemas.codec import Codec
from schemas.quarantine import (
    MAX_KEY,
    MAX_VALUE,
    Closed,
    Headers,
    Refused,
    Retried,
    closed_headers,
    read_headers,
    refused_row,
    retried_headers,
)
from schemas.reasons import Reason
from schemas.values import Place

BIJSTAND = "mutaties.gemeente.bijstand"
FIRST, COPY, SECOND = Place(BIJSTAND, 1, 5), Place(BIJSTAND, 1, 9), Place(BIJSTAND, 1, 12)
KEY, VALUE = b"A" * 52, b"\x07nonsense"
GOOD = {
    "record_id": "b-1",
    "versie": 1,
    "registratietijd": 1_760_000_000_000,
    "feit": {"begindatum": 20_000, "einddatum": None, "houder": "gm0363", "kenmerk": "K", "wet": "IOAW"},
}


@dataclass
class Record:
    offset: int
    headers: Headers
    value: bytes | None = VALUE
    key: bytes | None = KEY
    timestamp: int = 1_760_000_000_000


def refused(offset: int, place: Place, reason: Reason = Reason.MAGISCHE_BYTE) -> Record:
    return Record(offset, refused_row(KEY, VALUE, reason, place)[2])


def retried(offset: int, number: int, place: Place) -> Record:
    return Record(offset, retried_headers(number, place), None)


def folded(*records: Record) -> Quarantine:
    quarantine = Quarantine()
    for record in records:
        quarantine.take(record)
    return quarantine


def test_a_record_stands_open_until_a_marker_says_where_it_was_written_again() -> None:
    assert [(h.number, h.is_open) for h in folded(refused(0, FIRST)).records()] == [(0, True)]
    done = folded(refused(0, FIRST), retried(1, 0, COPY)).records()
    assert [(h.number, h.is_open, h.copy, h.state) for h in done] == [(0, False, COPY, f"retried at {BIJSTAND}-1@9")]


def test_a_copy_that_is_refused_again_names_its_forerunner_and_is_named_by_it() -> None:
    first, second = folded(refused(0, FIRST), retried(1, 0, COPY), refused(3, COPY)).records()
    assert (first.again, first.state) == (3, f"retried at {BIJSTAND}-1@9, refused again as 3")
    assert (second.retry_of, second.is_open) == (0, True)


def test_the_first_marker_counts() -> None:
    assert folded(refused(0, FIRST), retried(1, 0, COPY), retried(2, 0, SECOND)).records()[0].copy == COPY


def test_a_closed_record_says_why_is_open_no_more_and_can_still_be_retried_by_its_number() -> None:
    why = "geen fout: de bron leverde het opnieuw"
    closed = Record(1, closed_headers(0, why), None, None)
    assert read_headers(closed.headers) == Closed(0, why)
    (held,) = folded(refused(0, FIRST), closed).records()
    assert (held.is_open, held.state, held.copy, held.as_json()["closed"]) == (False, f"closed: {why}", None, why)
    (held,) = folded(refused(0, FIRST), closed, retried(2, 0, COPY)).records()
    assert held.state == f"retried at {BIJSTAND}-1@9"


@pytest.mark.parametrize(
    "why", ["", "  ", "x" * 201, "het gaat om 999990019", "bsn 9999.90.019", "9 9 9 9 9 0 0 1 9", f"persoon {'A' * 52}", "1234-5678"]
)
def test_a_closing_says_why_in_a_line_that_names_nobody(why: str) -> None:
    with pytest.raises(NotDoneError):
        checked_why(why)


def test_a_closing_may_name_a_ticket_and_a_place() -> None:
    assert checked_why(" TICKET-4711:\n opnieuw geleverd,\tofset 1234567 ") == "TICKET-4711: opnieuw geleverd, ofset 1234567"


def test_a_place_counts_once_although_an_engine_with_another_name_refuses_it_again() -> None:
    again = folded(refused(0, FIRST), retried(1, 0, COPY), refused(7, FIRST)).records()
    assert [(h.number, h.is_open) for h in again] == [(0, False)]


def test_a_marker_whose_record_has_left_quarantine_still_names_the_forerunner() -> None:
    assert [(h.number, h.retry_of) for h in folded(retried(4, 0, COPY), refused(6, COPY)).records()] == [(6, 0)]


def test_what_neither_the_engine_nor_a_retry_wrote_is_counted_and_left_out() -> None:
    odd: list[Headers] = [[], [("reden", b"LEEG")], [("reden", b"\xff"), ("topic", b"\xff"), ("partition", b"x"), ("offset", b"-")]]
    quarantine = folded(*(Record(i, headers) for i, headers in enumerate(odd)))
    assert (quarantine.records(), quarantine.strangers) == ([], 3)


def test_the_headers_are_read_as_they_were_written() -> None:
    assert read_headers(refused_row(KEY, VALUE, Reason.LEEG, FIRST)[2]) == Refused("LEEG", FIRST)
    assert read_headers(retried_headers(12, COPY)) == Retried(12, COPY)


@pytest.mark.parametrize(("key", "value"), [(None, None), (None, b""), (b"", None), (KEY, VALUE), (b"k" * MAX_KEY, b"v" * MAX_VALUE)])
def test_what_can_be_held_is_held_as_it_came(key: bytes | None, value: bytes | None) -> None:
    held_key, held_value, headers = refused_row(key, value, Reason.LEEG, FIRST)
    assert (held_key, held_value, read_headers(headers)) == (key, value, Refused("LEEG", FIRST))


@pytest.mark.parametrize(("key", "value"), [(None, b"v" * (MAX_VALUE + 1)), (b"k" * (MAX_KEY + 1), b"v"), (b"k" * (MAX_KEY + 1), None)])
def test_what_is_too_large_to_be_held_is_cut_and_says_how_large_it_was(key: bytes | None, value: bytes | None) -> None:
    held_key, held_value, headers = refused_row(key, value, Reason.TE_GROOT, FIRST)
    assert (key or b"").startswith(held_key or b"")
    assert len(held_key or b"") <= MAX_KEY
    assert len(held_value or b"") <= MAX_VALUE
    assert read_headers(headers) == Refused("TE_GROOT", FIRST, len(value or b""))
    quarantine = folded(Record(0, headers, held_value, held_key))
    assert [(h.size, h.cut) for h in quarantine.records()] == [(len(value or b""), True)]
    assert is_same(Record(5, [], value, key), Record(0, headers, held_value, held_key))


def test_a_number_that_is_not_there_is_an_error_that_says_where_to_look() -> None:
    with pytest.raises(NotDoneError, match="there is no record 8 in quarantine"):
        folded(refused(0, FIRST)).one(8)


def test_a_selection_by_number_topic_and_reason() -> None:
    records = folded(refused(0, FIRST), refused(1, Place("klok", 0, 0), Reason.LEEG), refused(2, COPY, Reason.LEEG)).records()
    assert [h.number for h in Selection().of(records)] == [0, 1, 2]
    assert [h.number for h in Selection(numbers=[2, 0]).of(records)] == [0, 2]
    assert [h.number for h in Selection(topics=[BIJSTAND]).of(records)] == [0, 2]
    assert [h.number for h in Selection(reasons=["LEEG"], topics=[BIJSTAND]).of(records)] == [2]


@pytest.mark.parametrize(
    ("value", "schema_id"),
    [(None, None), (b"", None), (b"\x00\x00\x00", None), (b"\x01\x00\x00\x00\x07", None), (b"\x00\x00\x00\x03\xe7", 999)],
)
def test_the_schema_id_is_read_where_the_framing_has_one(value: bytes | None, schema_id: int | None) -> None:
    assert schema_id_of(value) == schema_id


def test_the_present_catalogue_is_asked_as_the_engine_asks_it(catalogue: Catalogue) -> None:
    judge, framed = judge_of(catalogue, "samenloop"), Codec(catalogue).encode(1, GOOD)
    unknown = Codec(catalogue).encode(1, {**GOOD, "feit": {**GOOD["feit"], "houder": "gm9999"}})  # type: ignore[dict-item]
    assert judge(FIRST, Record(0, [], framed)) is None
    assert judge(FIRST, Record(0, [], framed[:-1])) == Reason.AFGEKAPT
    assert judge(FIRST, Record(0, [], framed, key=b"999990019")) == Reason.SLEUTEL_ONGELDIG
    assert judge(FIRST, Record(0, [], unknown)) == Reason.HOUDER_ONBEKEND
    assert judge(Place("mutaties.kadaster.perceel", 0, 1), Record(0, [], framed)) == NO_TOPIC


def test_every_reason_has_a_text_and_one_of_a_newer_version_is_no_error() -> None:
    assert all(text_of(reason) == reason.text for reason in Reason)
    assert "no such topic" in text_of(NO_TOPIC)
    assert "does not know" in text_of("IETS_NIEUWS")
