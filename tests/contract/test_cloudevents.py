"""Each MUST of CloudEvents 1.0 and the NL GOV profile 1.1 that a producer has to keep, as a test of all kinds of events."""

import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.bronnen.lines import LineReader
from connectors.bronnen.pseudonym import Pseudonymiser
from schemas.catalogue import Catalogue, feit_fields
from schemas.cloudevents import (
    Headers,
    afhandeling_headers,
    event_type,
    klok_headers,
    mutatie_headers,
    nummerwijziging_headers,
    overdracht_headers,
    signaal_headers,
    source_of,
    terugmelding_headers,
    volgverzoek_headers,
)
from schemas.codec import MAX_MUTATIE, Codec, WireError, decode_signaal, encode_signaal
from schemas.reasons import Reason
from schemas.values import Basissignaal, Bronrecord, Ketensignaal, Onderdeel, Oorzaak, Place, Regel, Signaal
from streams.core.messages import MOST_PARTS
from tests.contract.examples import SIGNALEN, Example, examples
from tests.core.edge import BSN, KEY, opgave, raw

WIRE = Path(__file__).parents[2] / "docs" / "wire.md"
LIMIT = 64 * 1024
every_event = pytest.mark.parametrize("event", examples(), ids=str)
record_ids = st.text(min_size=1, max_size=100).filter(str.isprintable)


def attributes(event: Example) -> dict[str, str]:
    """The context attributes, without the prefix that Kafka's binary mode gives them."""
    return {k.removeprefix("ce_"): v for k, v in event.headers.items() if k.startswith("ce_")}


def made(event: Example, catalogue: Catalogue) -> Headers:  # noqa: PLR0911 - one a kind
    """The headers as the product makes them for what the golden record holds."""
    value, source, time = event.value, event.headers["ce_source"], event.headers["ce_time"]
    kind = event.topic.split(".", 1)[0]
    if kind == "signalen":
        return signaal_headers(decode_signaal(event.raw), source)
    if kind == "klok":
        return klok_headers(value["datum"], source)
    assert event.key is not None
    if kind == "terugmeldingen":
        return terugmelding_headers(event.key, value["versie"], value["stand"], time, source)
    if kind == "afhandelingen":
        return afhandeling_headers(event.key, value["signaal_id"], value["versie"], time, source)
    if "nummerwijziging" in event.headers["ce_type"] or "overdracht" in event.headers["ce_type"]:
        return made_of_numbers(event, event.key)
    if kind == "volgverzoeken":
        return volgverzoek_headers(event.key, value["versie"], time, event.topic.split(".")[1], source)
    schema = catalogue.schemas[event.schema_id]
    return mutatie_headers(
        schema.topic.soort, event.key, value["record_id"], value["versie"], time, source, schema.bestand, ingetrokken=value["feit"] is None
    )


def made_of_numbers(event: Example, persoon: str) -> Headers:
    value, source, time = event.value, event.headers["ce_source"], event.headers["ce_time"]
    if event.topic == "nummerwijzigingen":
        return nummerwijziging_headers(persoon, value["versie"], time, source, ingetrokken=value["nieuw"] is None)
    return overdracht_headers(persoon, Place(**value["oorzaak"]), value["deel"], time, source)


@every_event
def test_the_product_makes_the_headers_that_are_tested_here(event: Example, catalogue: Catalogue) -> None:
    now = catalogue.latest_schema(event.topic).bestand if event.topic.endswith("-overdrachten") else None  # no bron writes an older one
    named = {"ce_dataschema": f"urn:samenloop:schema:{now}"} if now else {}
    assert {k: v.decode() for k, v in made(event, catalogue)} == event.headers | named


def test_all_kinds_of_events_are_tested_here() -> None:
    assert {e.headers["ce_type"] for e in examples()} == {
        event_type("mutatie", "vastgesteld"),
        event_type("mutatie", "ingetrokken"),
        event_type("signaal", "nieuw"),
        event_type("signaal", "gewijzigd"),
        event_type("signaal", "vervallen"),
        event_type("volgverzoek", "gewijzigd"),
        event_type("klok", "tik"),
        event_type("afhandeling", "gemeld"),
        event_type("nummerwijziging", "vastgesteld"),
        event_type("nummerwijziging", "ingetrokken"),
        event_type("overdracht", "gedaan"),
        event_type("terugmelding", "bezorgd"),
        event_type("terugmelding", "geaccepteerd"),
        event_type("terugmelding", "afgehandeld"),
    }


@every_event
def test_id_source_specversion_and_type_must_be_there_and_not_empty(event: Example) -> None:
    assert all(attributes(event).get(name) for name in ("id", "source", "specversion", "type"))


@every_event
def test_specversion_must_be_1_0(event: Example) -> None:
    assert attributes(event)["specversion"] == "1.0"


@every_event
def test_each_attribute_must_be_given_once(event: Example, catalogue: Catalogue) -> None:
    names = [name for name, _ in made(event, catalogue)]
    assert len(names) == len(set(names))


@every_event
def test_attribute_names_must_be_lower_case_letters_and_digits_and_at_most_20(event: Example) -> None:
    assert all(re.fullmatch(r"[a-z0-9]{1,20}", name) for name in attributes(event))


@every_event
def test_in_kafka_all_attributes_must_have_the_prefix_ce_and_the_content_type_none(event: Example) -> None:
    assert [name for name in event.headers if not name.startswith("ce_")] == ["content-type"]
    assert "datacontenttype" not in attributes(event)


@given(record_id=record_ids, versie=st.integers(1, 2**31 - 1))
def test_attribute_values_must_be_text_without_control_characters_and_noncharacters(record_id: str, versie: int) -> None:
    headers = mutatie_headers("uwv.uitkering", "A" * 52, record_id, versie, "2026-01-01T00:00:00.000Z", "urn:x:y", "f", ingetrokken=False)
    for _, value in headers:
        text = value.decode("utf-8")
        assert text.isprintable()
        assert not any(ord(c) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(c) <= 0xFDEF for c in text)


@pytest.mark.parametrize("kenmerk", ["A\x00", "A\nB", "A\x9f", "\ufdd0", "A" * 41])
def test_a_kenmerk_that_could_not_be_a_subject_is_refused_on_the_wire(kenmerk: str, catalogue: Catalogue) -> None:
    feit = {"begindatum": 20_000, "einddatum": None, "houder": "gm0363", "kenmerk": kenmerk, "wet": "IOAW"}
    codec = Codec(catalogue)
    data = codec.encode(1, {"record_id": "r", "versie": 1, "registratietijd": 0, "feit": feit})
    with pytest.raises(WireError) as e:
        codec.decode_mutatie("mutaties.gemeente.bijstand", data)
    assert e.value.reason is Reason.TEKST_ONGELDIG


@every_event
def test_source_must_be_a_uri_and_is_a_urn_of_nld_with_an_oin_of_20_digits_and_a_system(event: Example, catalogue: Catalogue) -> None:
    match = re.fullmatch(r"urn:nld:oin:([0-9]{20}):systeem:[A-Za-z0-9-]+", attributes(event)["source"])
    assert match
    assert match[1] in {b.oin for b in (*catalogue.bronnen.values(), *catalogue.ontvangers.values())}


@pytest.mark.parametrize("bron", Catalogue.load().bronnen.values(), ids=lambda b: b.id)
def test_the_source_of_every_bron_has_its_own_oin(bron, catalogue: Catalogue) -> None:
    assert source_of(bron, "x") == f"urn:nld:oin:{bron.oin}:systeem:x"
    assert re.fullmatch(r"[0-9]{20}", bron.oin)


@every_event
def test_source_must_not_refer_to_a_location_outside(event: Example) -> None:
    assert urlsplit(attributes(event)["source"]).netloc == ""


@every_event
def test_type_must_be_in_reverse_domain_name_notation(event: Example) -> None:
    labels = attributes(event)["type"].split(".")
    assert labels[0] == "nl"
    assert len(labels) >= 3
    assert all(re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", label) for label in labels)


@every_event
def test_type_names_no_organisation(event: Example, catalogue: Catalogue) -> None:
    gemeenten = list(catalogue.ontvangers.values())
    names = {*catalogue.bronnen} | {o.id for o in gemeenten} | {o.naam.lower() for o in gemeenten}
    assert not names & set(attributes(event)["type"].split("."))


@every_event
def test_type_must_hold_at_most_one_version_and_that_with_the_letter_v(event: Example) -> None:
    labels = attributes(event)["type"].split(".")
    assert sum(bool(re.fullmatch(r"v[0-9]+", label)) for label in labels) <= 1
    assert not any(re.fullmatch(r"[0-9]+", label) for label in labels)


@every_event
def test_the_meaning_of_the_type_must_be_explained_to_consumers(event: Example) -> None:
    assert f"`{attributes(event)['type']}`" in WIRE.read_text(encoding="utf-8")


def test_the_meaning_of_time_must_be_documented() -> None:
    assert re.search(r"`ce_time`.*registration time", WIRE.read_text(encoding="utf-8"))


@every_event
def test_time_must_be_rfc_3339(event: Example) -> None:
    time = attributes(event)["time"]
    assert re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", time)
    assert datetime.fromisoformat(time).tzinfo == UTC


@every_event
def test_dataschema_must_be_an_absolute_uri_and_names_the_schema_of_the_value(event: Example, catalogue: Catalogue) -> None:
    uri = attributes(event)["dataschema"]
    assert re.fullmatch(r"urn:[a-z0-9][a-z0-9-]{0,30}[a-z0-9]:[A-Za-z0-9._:-]+", uri)
    assert uri.endswith(f":{catalogue.schemas[event.schema_id].bestand}")


@every_event
def test_the_content_type_must_be_a_media_type_and_is_that_of_the_topic(event: Example, catalogue: Catalogue) -> None:
    assert re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", event.headers["content-type"])
    assert event.headers["content-type"] == f"application/{catalogue.schemas[event.schema_id].topic.waarde}"


@every_event
def test_subject_must_not_be_empty_and_is_the_pseudonym_or_the_kenmerk(event: Example) -> None:
    known = {event.value.get("kenmerk"), event.value.get("datum"), None if event.key is None else event.key}
    assert attributes(event)["subject"]
    assert attributes(event)["subject"] in known


def test_source_and_id_must_be_unique_among_events() -> None:
    seen = [
        (e.headers["ce_source"], e.headers["ce_id"])
        for e in examples()
        if e.schema_id != 3  # 3 and 4 are one record under two schemas
    ]
    assert len(seen) == len(set(seen))


names = st.tuples(st.sampled_from(["uwv.uitkering", "uwv.inkomstenopgave", "svb.pensioen"]), record_ids, st.integers(1, 2**31 - 1))


@given(one=names, other=names)
def test_two_versions_of_records_never_share_an_id(one: tuple[str, str, int], other: tuple[str, str, int]) -> None:
    ids = [dict(mutatie_headers(s, "A" * 52, r, v, "t", "urn:x", "f", ingetrokken=False))["ce_id"] for s, r, v in (one, other)]
    assert (ids[0] == ids[1]) == (one == other)


def test_two_versions_differ_even_when_a_record_id_looks_like_the_end_of_an_id() -> None:
    ids = {
        dict(mutatie_headers("s", "A", r, v, "t", "urn:x", "f", ingetrokken=False))["ce_id"] for r, v in (("a", 1), ("a:1", 1), ("a", 11))
    }
    assert len(ids) == 3


def test_the_same_version_sent_again_keeps_its_id(catalogue: Catalogue) -> None:
    reader = LineReader(catalogue, "uwv.inkomstenopgave", Pseudonymiser(KEY))
    assert reader.read(raw(opgave())).headers == reader.read(raw(opgave())).headers


@pytest.mark.parametrize("feit", [opgave()["feit"], None], ids=["vastgesteld", "ingetrokken"])
def test_no_bsn_and_no_field_of_the_feit_in_the_attributes_of_a_mutatie(feit: object, catalogue: Catalogue) -> None:
    found = LineReader(catalogue, "uwv.inkomstenopgave", Pseudonymiser(KEY)).read(raw(opgave(feit=feit)))
    said = b"\n".join(value for _, value in found.headers)
    assert BSN.encode() not in said
    assert b"001234567L01" not in said
    assert b"250000" not in said


@pytest.mark.parametrize("event", SIGNALEN, ids=str)
def test_no_field_of_the_feit_in_the_attributes_of_a_signaal(event: Example) -> None:
    said = list(attributes(event).values())
    told = event.value["gegevens"] or {}
    parts = [told] if isinstance(told, dict) else [part["velden"] for part in told]
    assert all(str(value) not in text for part in parts for value in part.values() for text in said)


def size(key: str, headers: Headers, value: bytes) -> int:
    return len(key) + len(value) + sum(len(k) + len(v) for k, v in headers)


def test_the_largest_mutatie_must_stay_below_64_kb() -> None:
    source = "urn:nld:oin:00000099000900002000:systeem:uwv-inkomstenverhouding"
    file = "mutaties.uwv.inkomstenverhouding.v1.avsc"
    headers = mutatie_headers(
        "uwv.inkomstenverhouding", "A" * 52, "\U00020000" * 100, 2**31 - 1, "2199-12-31T23:59:59.999Z", source, file, ingetrokken=False
    )
    assert size("A" * 52, headers, bytes(MAX_MUTATIE)) < LIMIT


def test_the_largest_signaal_must_stay_below_64_kb() -> None:
    text = "\x01" * MAX_MUTATIE  # a character that takes six bytes in JSON, as long as the mutatie that brought it
    name = "\U00020000" * 100
    record = Bronrecord("gemeente", "uwv.inkomstenverhouding", name, 2**31 - 1, "t" * 249, 10**6, 2**63 - 1, "2199-12-31", "2199-12-31")
    cause = Oorzaak("t" * 249, 10**6, 2**63 - 1)
    signaal = Signaal(
        "u" * 36,
        2**31 - 1,
        "GEWIJZIGD",
        "d" * 100,
        Regel("samenloop", 1),
        "gm0363",
        text,
        "2199-12-31",
        "2199-12-31",
        {"veld": text},
        record,
        record,
        cause,
        "2199-12-31T23:59:59.999Z",
    )
    assert size("u" * 36, signaal_headers(signaal, "urn:nld:oin:00000099000900000000:systeem:samenloop"), encode_signaal(signaal)) < LIMIT


def test_the_largest_signaal_about_feiten_that_go_on_as_one_must_stay_below_64_kb() -> None:
    name = "\U00020000" * 100
    record = Bronrecord("gemeente", "uwv.inkomstenverhouding", name, 2**31 - 1, "t" * 60, 512, 2**63 - 1, "2199-12-31", "2199-12-31")
    signaal = Ketensignaal(
        "u" * 36, 2**31 - 1, "GEWIJZIGD", "d" * 100, Regel("samenloop", 1), "gm0363", "K" * 40, "2199-12-31", "2199-12-31",
        {f"een_lange_naam_van_een_veld_{i}": "W" * 40 for i in range(9)}, record, record, Oorzaak("t" * 60, 512, 2**63 - 1),
        "2199-12-31T23:59:59.999Z", (record,) * MOST_PARTS, 2**31 - 1,
    )  # fmt: skip
    assert size("u" * 36, signaal_headers(signaal, "urn:nld:oin:00000099000900000000:systeem:samenloop"), encode_signaal(signaal)) < LIMIT


def test_the_largest_signaal_about_a_basisfeit_must_stay_below_64_kb() -> None:
    record = Bronrecord(
        "gemeente", "uwv.inkomstenverhouding", "\U00020000" * 100, 2**31 - 1, "t" * 60, 512, 2**63 - 1, "2199-12-31", "2199-12-31"
    )
    part = Onderdeel(
        "uwv.inkomstenverhouding", "2199-12-31", "2199-12-31", {f"een_lange_naam_van_een_veld_{i}": "W" * 40 for i in range(4)}
    )
    signaal = Basissignaal(
        "u" * 36, 2**31 - 1, "GEWIJZIGD", "d" * 100, Regel("informatiepakket", 1), "gm0363", "K" * 40, "2199-12-31", "2199-12-31",
        (part,) * MOST_PARTS, 2**31 - 1, record, (record,) * MOST_PARTS, Oorzaak("t" * 60, 512, 2**63 - 1), "2199-12-31T23:59:59.999Z",
    )  # fmt: skip
    assert size("u" * 36, signaal_headers(signaal, "urn:nld:oin:00000099000900000000:systeem:samenloop"), encode_signaal(signaal)) < LIMIT


def test_texts_of_a_signaal_about_more_than_two_records_are_short(catalogue: Catalogue) -> None:
    for dienst in (d for d in catalogue.diensten.values() if d.regel.patroon != "samenloop" or any(f.groepeer for f in d.feiten)):
        for part in (dienst.basisfeit, *dienst.feiten):
            fields = feit_fields(catalogue.latest_schema(f"mutaties.{part.soort}"))
            texts = [fields[v.veld] for v in part.velden if "string" in str(fields[v.veld]["type"])]
            assert all("patroon" in field and not re.fullmatch(field["patroon"], "W" * 41) for field in texts), part.soort


def test_a_mutatie_that_could_make_a_larger_signaal_is_refused(catalogue: Catalogue) -> None:
    codec = Codec(catalogue)
    feit = {"begindatum": 0, "einddatum": None, "houder": "gm0363", "kenmerk": "K" * MAX_MUTATIE, "wet": "IOAW"}
    data = codec.encode(1, {"record_id": "r", "versie": 1, "registratietijd": 0, "feit": feit})
    with pytest.raises(WireError) as e:
        codec.decode_mutatie("mutaties.gemeente.bijstand", data)
    assert e.value.reason is Reason.TE_GROOT
