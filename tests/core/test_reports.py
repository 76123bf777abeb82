"""Lines of an ontvanger: what becomes a terugmelding, and what is rejected with which reason."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.bronnen.rejections import RejectedError, RejectionCode
from connectors.ontvangers.terugmelding import ReportReader
from schemas.catalogue import Catalogue
from schemas.codec import Codec
from schemas.values import Terugmelding

SENT, NOT_SENT = "14ddccf6-daf5-50d2-a262-8fab8344559d", "14ddccf6-daf5-50d2-a262-8fab8344559e"
NOW = "2026-03-02T09:00:00.000+00:00"
CATALOGUE = Catalogue.load()
READER = ReportReader(CATALOGUE, "gm0363", {SENT: 3}, NOW)


@pytest.fixture(scope="module")
def reader() -> ReportReader:
    return READER


def line(without: str = "", **changes: Any) -> bytes:
    told = {"signaal_id": SENT, "stand": "AFGEHANDELD", "uitkomst": "JUIST", **changes}
    told.pop(without, None)
    return json.dumps(told).encode()


def test_a_line_becomes_a_terugmelding_about_the_newest_version_registered_now(reader: ReportReader) -> None:
    found = reader.read(line())
    moment = round(datetime(2026, 3, 2, 9, tzinfo=UTC).timestamp() * 1000)
    assert Codec(CATALOGUE).decode_terugmelding(found.value) == Terugmelding(SENT, 3, "AFGEHANDELD", "JUIST", moment)
    assert (reader.topic, found.key) == ("terugmeldingen.gm0363", SENT)
    assert dict(found.headers)["ce_source"].decode() == "urn:nld:oin:00000099000000363000:systeem:terugmeldingen"


def test_a_line_may_say_of_which_version_it_is_and_when_it_was_registered(reader: ReportReader) -> None:
    told = line("uitkomst", stand="BEZORGD", versie=2, registratietijd="2026-03-01T10:00:00+01:00")
    found = Codec(CATALOGUE).decode_terugmelding(reader.read(told).value)
    assert (found.versie, found.stand, found.uitkomst) == (2, "BEZORGD", None)
    assert dict(reader.read(told).headers)["ce_time"] == b"2026-03-01T09:00:00.000Z"


@pytest.mark.parametrize(
    ("told", "code", "field"),
    [
        (b"x" * 65_537, RejectionCode.REGEL_TE_LANG, None),
        (b"[]", RejectionCode.GEEN_JSON, None),
        (b'{"signaal_id": "\xff"}', RejectionCode.GEEN_UTF8, None),
        (line("stand"), RejectionCode.VELD_ONTBREEKT, "stand"),
        (line("signaal_id"), RejectionCode.VELD_ONTBREEKT, "signaal_id"),
        (line(toelichting="vader van A."), RejectionCode.VELD_ONBEKEND, None),
        (line(signaal_id="x"), RejectionCode.VELD_WAARDE, "signaal_id"),
        (line(signaal_id=7), RejectionCode.VELD_WAARDE, "signaal_id"),
        (line(stand="GELEZEN"), RejectionCode.VELD_WAARDE, "stand"),
        (line(uitkomst="FRAUDE"), RejectionCode.VELD_WAARDE, "uitkomst"),
        (line(uitkomst=None), RejectionCode.UITKOMST_ONGELDIG, "uitkomst"),
        (line("uitkomst"), RejectionCode.UITKOMST_ONGELDIG, "uitkomst"),
        (line(stand="BEZORGD"), RejectionCode.UITKOMST_ONGELDIG, "uitkomst"),
        (line(versie=0), RejectionCode.VELD_WAARDE, "versie"),
        (line(versie="1"), RejectionCode.VELD_TYPE, "versie"),
        (line(versie=4), RejectionCode.VERSIE_ONBEKEND, "versie"),
        (line(registratietijd="gisteren"), RejectionCode.TIJD_ONGELDIG, "registratietijd"),
        (line(signaal_id=NOT_SENT), RejectionCode.SIGNAAL_ONBEKEND, "signaal_id"),
    ],
)
def test_a_line_that_cannot_be_taken_is_rejected_with_its_reason(
    told: bytes, code: RejectionCode, field: str | None, reader: ReportReader
) -> None:
    with pytest.raises(RejectedError) as e:
        reader.read(told)
    assert (e.value.code, e.value.field) == (code, field)
    assert "vader" not in str(e.value)


@given(st.binary(max_size=200) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(lambda v: json.dumps(v).encode()))
def test_no_line_ends_in_anything_but_a_terugmelding_or_a_rejection(told: bytes) -> None:
    try:
        READER.read(told)
    except RejectedError:
        return
    raise AssertionError("nothing random is a terugmelding of a signal that was sent")
