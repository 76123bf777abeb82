"""What the edge makes of a line: a mutatie on the wire, or a rejection with place and reason and nothing of the line."""

import json
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.bronnen.checks import MAX_LINE
from connectors.bronnen.lines import LineReader, Published
from connectors.bronnen.pseudonym import Pseudonymiser
from connectors.bronnen.rejections import RejectedError, RejectionCode
from schemas.catalogue import Catalogue
from schemas.codec import MAX_DAY, MIN_DAY, Codec
from tests.core.edge import BSN, KEY, bsns, opgave, raw


@cache
def _catalogue() -> Catalogue:
    return Catalogue.load()


@cache
def _reader(soort: str = "uwv.inkomstenopgave") -> LineReader:
    return LineReader(_catalogue(), soort, Pseudonymiser(KEY))


def _rejection(line: bytes) -> tuple[str, str | None]:
    with pytest.raises(RejectedError) as e:
        _reader().read(line)
    return e.value.code.value, e.value.field


def _outcome(line: bytes) -> Published | RejectedError:
    try:
        return _reader().read(line)
    except RejectedError as e:
        return e


def _ok(line: bytes) -> dict[str, Any]:
    return Codec(_catalogue()).decode(_reader().read(line).value)


def test_a_good_line_becomes_a_mutatie_of_the_newest_schema() -> None:
    found = _reader().read(raw(opgave()))
    codec = Codec(_catalogue())
    assert codec.schema_of(found.value) == _catalogue().latest_schema("mutaties.uwv.inkomstenopgave")
    assert codec.decode(found.value) == {
        "record_id": "ikv-1",
        "versie": 1,
        "registratietijd": datetime(2026, 2, 2, 9, tzinfo=UTC),
        "feit": {**opgave()["feit"], "begindatum": date(2026, 1, 1), "einddatum": date(2026, 1, 31)},
    }
    assert (found.persoon, found.record_id, found.versie) == (Pseudonymiser(KEY).persoon(BSN), "ikv-1", 1)
    assert found.reach == date(2026, 1, 31).toordinal() - date(1970, 1, 1).toordinal()


def test_its_headers_are_those_of_a_cloudevent() -> None:
    found = _reader().read(raw(opgave(registratietijd="2026-02-02T10:00:00.25+01:00")))
    assert dict(found.headers) == {
        "ce_specversion": b"1.0",
        "ce_id": b"uwv.inkomstenopgave:ikv-1:1",
        "ce_source": b"urn:nld:oin:00000099000900002000:systeem:uwv-inkomstenopgave",
        "ce_type": b"nl.samenloop.mutatie.vastgesteld.v1",
        "ce_time": b"2026-02-02T09:00:00.250Z",
        "ce_subject": found.persoon.encode(),
        "ce_dataschema": b"urn:samenloop:schema:mutaties.uwv.inkomstenopgave.v2.avsc",
        "content-type": b"application/avro",
    }


def test_a_feit_of_null_withdraws() -> None:
    found = _reader().read(raw(opgave(feit=None)))
    assert Codec(_catalogue()).decode(found.value)["feit"] is None
    assert dict(found.headers)["ce_type"] == b"nl.samenloop.mutatie.ingetrokken.v1"
    assert found.reach < MIN_DAY


def test_a_field_with_a_default_may_be_left_out_and_a_feit_may_not() -> None:
    line = opgave(without="einddatum")
    del line["feit"]["verloonde_uren"]
    assert _ok(raw(line))["feit"]["einddatum"] is None
    assert _reader().read(raw(line)).reach == MAX_DAY
    assert _rejection(raw(opgave(without="feit"))) == ("VELD_ONTBREEKT", "feit")


BAD = [
    (opgave(without="bsn"), "VELD_ONTBREEKT", "bsn"),
    (opgave(without="loon_sv"), "VELD_ONTBREEKT", "feit.loon_sv"),
    (opgave(naam="Jansen"), "VELD_ONBEKEND", None),
    (opgave(feit={**opgave()["feit"], "Jansen": 1}), "VELD_ONBEKEND", "feit"),
    (opgave(feit=[]), "VELD_TYPE", "feit"),
    (opgave("999990018"), "BSN_ONGELDIG", "bsn"),
    (opgave(bsn=999990019), "VELD_TYPE", "bsn"),
    (opgave(record_id=""), "VELD_WAARDE", "record_id"),
    (opgave(record_id="x" * 101), "VELD_WAARDE", "record_id"),
    (opgave(record_id="a\nb"), "VELD_WAARDE", "record_id"),
    (opgave(record_id=f"ikv-{BSN}"), "BSN_IN_VELD", "record_id"),
    (opgave(record_id="9999.90.019"), "BSN_IN_VELD", "record_id"),
    (opgave("012345672", record_id="12345672-1"), "BSN_IN_VELD", "record_id"),
    (opgave(loonheffingennummer=f"{BSN}L01"), "BSN_IN_VELD", "feit.loonheffingennummer"),
    (opgave(loon_sv=int(BSN)), "BSN_IN_VELD", "feit.loon_sv"),
    (opgave(versie=0), "VELD_WAARDE", "versie"),
    (opgave(versie=True), "VELD_TYPE", "versie"),
    (opgave(versie=1.0), "VELD_TYPE", "versie"),
    (opgave(versie=2**31), "VELD_WAARDE", "versie"),
    (opgave(loon_sv=2**63), "VELD_WAARDE", "feit.loon_sv"),
    (opgave(ikv_nummer="1"), "VELD_TYPE", "feit.ikv_nummer"),
    (opgave(ikv_nummer=None), "VELD_TYPE", "feit.ikv_nummer"),
    (opgave(tijdvak="KWARTAAL"), "VELD_WAARDE", "feit.tijdvak"),
    (opgave(loonheffingennummer="1L01"), "VELD_WAARDE", "feit.loonheffingennummer"),
    (opgave(loonheffingennummer="001234567L01\n"), "VELD_WAARDE", "feit.loonheffingennummer"),
    (opgave(begindatum="00000000"), "DATUM_ONBEKEND", "feit.begindatum"),
    (opgave(begindatum="0000-00-00"), "DATUM_ONBEKEND", "feit.begindatum"),
    (opgave(begindatum="2024-00-00"), "DATUM_ONBEKEND", "feit.begindatum"),
    (opgave(einddatum="2024-05-00"), "DATUM_ONBEKEND", "feit.einddatum"),
    (opgave(begindatum="20240500"), "DATUM_ONBEKEND", "feit.begindatum"),
    (opgave(begindatum="2025-02-29"), "DATUM_ONGELDIG", "feit.begindatum"),
    (opgave(begindatum="20260101"), "DATUM_ONGELDIG", "feit.begindatum"),
    (opgave(begindatum="2026-W01-1"), "DATUM_ONGELDIG", "feit.begindatum"),
    (opgave(begindatum=f"{chr(0xFF12)}026-01-01"), "DATUM_ONGELDIG", "feit.begindatum"),
    (opgave(begindatum="1899-12-31"), "DATUM_BUITEN_BEREIK", "feit.begindatum"),
    (opgave(einddatum="2200-01-01"), "DATUM_BUITEN_BEREIK", "feit.einddatum"),
    (opgave(einddatum="2025-12-31"), "EINDDATUM_VOOR_BEGINDATUM", "feit.einddatum"),
    (opgave(registratietijd="2026-02-02T09:00:00"), "TIJD_ONGELDIG", "registratietijd"),
    (opgave(registratietijd="2026-02-02 09:00:00Z"), "TIJD_ONGELDIG", "registratietijd"),
    (opgave(registratietijd="2026-02-30T09:00:00Z"), "TIJD_ONGELDIG", "registratietijd"),
    (opgave(registratietijd="2026-02-02T09:00:00+25:00"), "TIJD_ONGELDIG", "registratietijd"),
    (opgave(registratietijd="0001-01-01T00:00:00+14:00"), "DATUM_BUITEN_BEREIK", "registratietijd"),
    (opgave(registratietijd="9999-12-31T23:59:59-12:00"), "DATUM_BUITEN_BEREIK", "registratietijd"),
]


@pytest.mark.parametrize(("line", "code", "field"), BAD)
def test_a_bad_line_is_rejected_with_its_field_and_reason(line: dict[str, Any], code: str, field: str | None) -> None:
    assert _rejection(raw(line)) == (code, field)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"", "GEEN_JSON"),
        (b"[]", "GEEN_JSON"),
        (b"null", "GEEN_JSON"),
        (raw(opgave())[:-1], "GEEN_JSON"),
        (raw(opgave()) + b"{}", "GEEN_JSON"),
        (b"[" * MAX_LINE, "GEEN_JSON"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "GEEN_JSON"),
        (b'{"versie": ' + b"9" * 60_000 + b"}", "GEEN_JSON"),
        (b'{"versie": NaN}', "GEEN_JSON"),
        (b'{"record_id": "\\ud800"}', "GEEN_JSON"),
        (b'{"record_id": "\xff"}', "GEEN_UTF8"),
        (raw(opgave()).decode().encode("utf-16"), "GEEN_UTF8"),
        (b" " * (MAX_LINE + 1), "REGEL_TE_LANG"),
    ],
)
def test_what_is_not_a_json_object_of_64_kib_in_utf8_is_rejected(line: bytes, code: str) -> None:
    assert _rejection(line) == (code, None)


def test_a_houder_that_is_no_ontvanger_is_rejected() -> None:
    feit = {"begindatum": "2026-01-01", "houder": "gm9999", "kenmerk": "K-1", "wet": "PARTICIPATIEWET"}
    with pytest.raises(RejectedError) as e:
        _reader("gemeente.bijstand").read(raw(opgave(feit=feit)))
    assert (e.value.code, e.value.field) == (RejectionCode.HOUDER_ONBEKEND, "feit.houder")
    assert _reader("gemeente.bijstand").read(raw(opgave(feit={**feit, "houder": "gm0363"})))


def test_a_low_bsn_does_not_forbid_small_numbers() -> None:
    low = "000000012"
    assert _ok(raw(opgave(low, ikv_nummer=12, verloonde_uren=12)))["feit"]["verloonde_uren"] == 12


def test_every_soort_of_the_catalogue_has_a_check_of_its_schema() -> None:
    for soort in _catalogue().mutatie_topics:
        assert LineReader(_catalogue(), soort, Pseudonymiser(KEY)).topic == f"mutaties.{soort}"


def test_every_code_has_a_text() -> None:
    assert all(code.text.endswith(".") for code in RejectionCode)


_ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.dates().map(str), st.datetimes().map(str),
    st.lists(st.text(), max_size=2), st.dictionaries(st.text(), st.text(), max_size=2), bsns,
)  # fmt: skip
_NAMES = ["bsn", "record_id", "versie", "registratietijd", "feit", *opgave()["feit"]]
_KNOWN = {None, "feit", *(f"feit.{n}" for n in opgave()["feit"]), *opgave()}


@given(bsns, st.dictionaries(st.sampled_from(_NAMES) | st.text(), _ODD, max_size=4))
def test_any_line_is_read_or_rejected_and_a_rejection_shows_nothing_of_it(bsn: str, changes: dict[str, Any]) -> None:
    line = opgave(bsn)
    for name, value in changes.items():
        (line["feit"] if isinstance(line["feit"], dict) and name in opgave()["feit"] else line)[name] = value
    found = _outcome(raw(line))
    if isinstance(found, RejectedError):
        # The text is one of the closed list, the place one of the schema's own names: there is no room for a value.
        assert found.field in _KNOWN
        assert str(found) == f"{found.field + ': ' if found.field else ''}{found.code.text}"
        assert found.__cause__ is None
    else:
        shown = found.value + b"".join(v for _, v in found.headers)
        assert line["bsn"].zfill(9).encode() not in shown
        Codec(_catalogue()).decode_mutatie(_reader().topic, found.value)


@given(st.binary(max_size=200))
def test_any_bytes_are_rejected(data: bytes) -> None:
    found = _outcome(data)
    assert isinstance(found, RejectedError)
    assert found.code in {RejectionCode.GEEN_JSON, RejectionCode.GEEN_UTF8, RejectionCode.VELD_ONTBREEKT}


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)), st.dates(date(1900, 1, 1), date(2199, 12, 31)))
def test_every_day_of_the_range_comes_out_as_it_went_in(one: date, other: date) -> None:
    begin, end = sorted((one, other))
    feit = _ok(raw(opgave(begindatum=begin.isoformat(), einddatum=end.isoformat())))["feit"]
    assert (feit["begindatum"], feit["einddatum"]) == (begin, end)


@given(st.datetimes(datetime(1900, 1, 2), datetime(2199, 12, 30)), st.integers(-839, 839))  # noqa: DTZ001 - the offset comes beside it
def test_a_time_with_an_offset_comes_out_in_utc(moment: datetime, minutes: int) -> None:
    text = f"{moment.isoformat(timespec='milliseconds')}{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    found = _reader().read(raw(opgave(registratietijd=text)))
    wanted = datetime.fromisoformat(text)
    assert Codec(_catalogue()).decode(found.value)["registratietijd"] == wanted
    assert datetime.fromisoformat(dict(found.headers)["ce_time"].decode()) == wanted


def test_json_may_be_written_in_any_valid_way() -> None:
    assert _ok(json.dumps(opgave(record_id="é€"), indent=1).encode())["record_id"] == "é€"
    assert _ok(raw(opgave(record_id="é€")))["record_id"] == "é€"
