"""CloudEvents 1.0 in Kafka's binary mode, after the NL GOV profile 1.1: the headers of what goes over the wire."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, get_args

from schemas.catalogue import Bron, Ontvanger
from schemas.values import Basissignaal, ElkSignaal, Ketensignaal, Place, Signaal, Signaalsoort, Stand

Headers = list[tuple[str, bytes]]

SPECVERSION: Final = b"1.0"
AVRO: Final = b"application/avro"
JSON: Final = b"application/json"


def source_of(bron: Bron | Ontvanger, system: str) -> str:
    """``urn:nld:oin:<20 digits>:systeem:<name>``, the profile's form of an organisation's system."""
    return f"urn:nld:oin:{bron.oin}:systeem:{system}"


def event_type(subject: str, event: str) -> str:
    """Reverse DNS without an organisation's name, with one version: ``nl.samenloop.signaal.nieuw.v1``."""
    return f"nl.samenloop.{subject}.{event}.v1"


def dataschema(file: str) -> str:
    """A URI for a schema of the catalogue; it names the schema, not a place to fetch it from."""
    return f"urn:samenloop:schema:{file}"


def _headers(id_: str, source_: str, type_: str, time: str, subject: str, schema: str, content_type: bytes) -> Headers:
    return [
        _SPECVERSION,
        ("ce_id", id_.encode()),
        ("ce_source", source_.encode()),
        ("ce_type", type_.encode()),
        ("ce_time", time.encode()),
        ("ce_subject", subject.encode()),
        ("ce_dataschema", schema.encode()),
        ("content-type", content_type),
    ]


def signaal_headers(signaal: ElkSignaal, source: str) -> Headers:
    """Headers of a signaal: the subject is the ontvanger's own kenmerk."""
    return [
        _SPECVERSION,
        ("ce_id", f"{signaal.signaal_id}:{signaal.versie}".encode()),
        _source_header(source),
        _SIGNAAL_TYPES[signaal.soort],
        ("ce_time", signaal.registratietijd.encode()),
        ("ce_subject", signaal.kenmerk.encode()),
        _SIGNAAL_SCHEMAS[type(signaal)],
        _JSON_CONTENT,
    ]


@lru_cache(maxsize=8)
def _source_header(source: str) -> tuple[str, bytes]:
    return ("ce_source", source.encode())


def mutatie_headers(  # noqa: PLR0913 - one parameter an attribute
    soort: str, persoon: str, record_id: str, versie: int, registratietijd: str, source: str, schema: str, *, ingetrokken: bool
) -> Headers:
    """Headers of a mutatie: the subject is the pseudonym. ``registratietijd`` is RFC 3339 in UTC, ``schema`` a file of the catalogue."""
    event = event_type("mutatie", "ingetrokken" if ingetrokken else "vastgesteld")
    return _headers(f"{soort}:{record_id}:{versie}", source, event, registratietijd, persoon, dataschema(schema), AVRO)


def volgverzoek_headers(persoon: str, versie: int, registratietijd: str, bron: str, source: str) -> Headers:
    """Headers of a volgverzoek: the subject is the pseudonym."""
    return _headers(
        f"{bron}:{persoon}:{versie}", source, event_type("volgverzoek", "gewijzigd"), registratietijd, persoon, _VOLGVERZOEK_SCHEMA, AVRO
    )


def gewist_headers(persoon: str, oorzaak: Place, tijd: str, bron: str, source: str) -> Headers:
    """Headers of a null that erases the volgverzoek about a persoon, because of the tick at ``oorzaak``."""
    event, id_ = event_type("volgverzoek", "gewist"), f"{bron}:{persoon}:{oorzaak.topic}:{oorzaak.partition}:{oorzaak.offset}"
    return [h for h in _headers(id_, source, event, tijd, persoon, "", AVRO) if h[0] not in {"ce_dataschema", "content-type"}]


def terugmelding_headers(signaal_id: str, versie: int, stand: Stand, registratietijd: str, source: str) -> Headers:
    """Headers of a terugmelding: the subject is the signaal."""
    event = event_type("terugmelding", stand.lower())
    return _headers(f"{signaal_id}:{versie}:{stand}", source, event, registratietijd, signaal_id, _TERUGMELDING_SCHEMA, AVRO)


def afhandeling_headers(persoon: str, signaal_id: str, versie: int, registratietijd: str, source: str) -> Headers:
    """Headers of an afhandeling: the subject is the pseudonym."""
    event = event_type("afhandeling", "gemeld")
    return _headers(f"afhandeling:{signaal_id}:{versie}", source, event, registratietijd, persoon, _AFHANDELING_SCHEMA, AVRO)


def nummerwijziging_headers(persoon: str, versie: int, registratietijd: str, source: str, *, ingetrokken: bool) -> Headers:
    """Headers of a nummerwijziging: the subject is the pseudonym that is no longer in force."""
    event = event_type("nummerwijziging", "ingetrokken" if ingetrokken else "vastgesteld")
    return _headers(f"nummerwijziging:{persoon}:{versie}", source, event, registratietijd, persoon, _NUMMERWIJZIGING_SCHEMA, AVRO)


def overdracht_headers(persoon: str, cause: Place, deel: int, registratietijd: str, source: str) -> Headers:
    """Headers of an overdracht: the subject is the pseudonym to which it goes over."""
    event = event_type("overdracht", "gedaan")
    return _headers(f"overdracht:{cause}:{deel}", source, event, registratietijd, persoon, _OVERDRACHT_SCHEMA, AVRO)


def klok_headers(datum: str, source: str) -> Headers:
    """Headers of the tick that begins ``datum`` (ISO 8601)."""
    return _headers(datum, source, event_type("klok", "tik"), f"{datum}T00:00:00.000Z", datum, _KLOK_SCHEMA, AVRO)


_SPECVERSION: Final = ("ce_specversion", SPECVERSION)
_SIGNAAL_TYPES: Final = {s: ("ce_type", event_type("signaal", s.lower()).encode()) for s in get_args(Signaalsoort)}
_SIGNAAL_SCHEMAS: Final[Mapping[type[ElkSignaal], tuple[str, bytes]]] = {
    Signaal: ("ce_dataschema", dataschema("signalen.v1.avsc").encode()),
    Basissignaal: ("ce_dataschema", dataschema("signalen.v2.avsc").encode()),
    Ketensignaal: ("ce_dataschema", dataschema("signalen.v3.avsc").encode()),
}
_JSON_CONTENT: Final = ("content-type", JSON)
_VOLGVERZOEK_SCHEMA: Final = dataschema("volgverzoeken.v1.avsc")
_TERUGMELDING_SCHEMA: Final = dataschema("terugmeldingen.v1.avsc")
_AFHANDELING_SCHEMA: Final = dataschema("afhandelingen.v1.avsc")
_NUMMERWIJZIGING_SCHEMA: Final = dataschema("nummerwijzigingen.v1.avsc")
_OVERDRACHT_SCHEMA: Final = dataschema("overdrachten.v2.avsc")
_KLOK_SCHEMA: Final = dataschema("klok.v1.avsc")
