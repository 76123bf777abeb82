"""CloudEvents 1.0 in Kafka's binary mode, after the NL GOV profile 1.1: the headers of what goes over the wire."""

from collections.abc import Sequence
from typing import Final

from schemas.catalogue import Bron

Headers = Sequence[tuple[str, bytes]]

SPECVERSION: Final = b"1.0"
AVRO: Final = b"application/avro"
JSON: Final = b"application/json"


def source(bron: Bron, system: str) -> str:
    """``urn:nld:oin:<20 digits>:systeem:<name>``, the profile's form of an organisation's system."""
    return f"urn:nld:oin:{bron.oin}:systeem:{system}"


def event_type(subject: str, event: str) -> str:
    """Reverse DNS without an organisation's name, with one version: ``nl.samenloop.signaal.nieuw.v1``."""
    return f"nl.samenloop.{subject}.{event}.v1"


def headers(
    *, ce_id: str, ce_source: str, ce_type: str, ce_time: str, ce_subject: str, ce_dataschema: str, content_type: bytes
) -> list[tuple[str, bytes]]:
    """The context attributes as Kafka headers. ``ce_time`` is the registration time, RFC 3339; ``ce_subject`` is never a BSN."""
    return [
        ("ce_specversion", SPECVERSION),
        ("ce_id", ce_id.encode()),
        ("ce_source", ce_source.encode()),
        ("ce_type", ce_type.encode()),
        ("ce_time", ce_time.encode()),
        ("ce_subject", ce_subject.encode()),
        ("ce_dataschema", ce_dataschema.encode()),
        ("content-type", content_type),
    ]


def dataschema(file: str) -> str:
    """A URI for a schema of the catalogue that names no place where it must be fetched."""
    return f"urn:samenloop:schema:{file}"
