"""The AsyncAPI 3 document of the catalogue: every topic that others write or read, its messages, their headers and examples."""

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any, Final

from samenloop.publication.examples import Example
from samenloop.publication.words import duration
from schemas.catalogue import Catalogue, Topic

_BINDING: Final = "0.5.0"  # of Kafka, as AsyncAPI numbers it
_AVRO: Final = "application/vnd.apache.avro+json;version=1.9.0"
_INTERNAL: Final = "<toepassing>"  # in the name of a topic that only the engine itself uses
_WRITTEN: Final = ("signalen", "volgverzoeken", "quarantaine", "klok")  # by the node; all others it reads


def asyncapi_of(
    catalogue: Catalogue, signaal: Mapping[str, Mapping[str, Any]], golden: Mapping[str, Example], signalen: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The document; ``signaal`` is the JSON Schema of each kind of signal, by the name of its Avro schema, ``signalen`` are examples."""
    topics = {channel_of(t): t for t in catalogue.topics.values() if _INTERNAL not in t.topic}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Knooppunt Samenloop",
            "version": version("samenloop"),
            "description": (
                "Mutaties van bronnen, signalen voor ontvangers en wat zij daarvan terugmelden, en volgverzoeken aan bronnen, op Apache "
                "Kafka. De sleutel van een persoon is een pseudoniem; geen enkel bericht bevat een BSN. Lees met "
                "isolation.level=read_committed. "
                f"Gemaakt uit de catalogus met versie {catalogue.versie}."
            ),
        },
        "defaultContentType": "application/json",
        "channels": {name: _channel(catalogue, name, t) for name, t in topics.items()},
        "operations": {
            f"{'verstuurt' if name in _WRITTEN else 'ontvangt'}-{name.replace('.', '-')}": {
                "action": "send" if name in _WRITTEN else "receive",
                "channel": {"$ref": f"#/channels/{name}"},
                "summary": t.uitleg,
            }
            for name, t in topics.items()
        },
        "components": {
            "messages": {m: found for name, t in topics.items() for m, found in _messages(catalogue, name, t, golden, signalen)},
            "schemas": {name: part for found in signaal.values() for name, part in _local(dict(found)).items()},
        },
    }


def channel_of(topic: Topic) -> str:
    """The name of a topic or family of topics without its variable part."""
    return topic.topic.replace(f"{_INTERNAL}-", "").split(".<")[0]


def _channel(catalogue: Catalogue, name: str, topic: Topic) -> dict[str, Any]:
    names = [r.bestand.removesuffix(".avsc") for r in topic.schemas] or [name]
    found: dict[str, Any] = {
        "address": topic.topic.replace("<", "{").replace(">", "}"),
        "title": topic.naam,
        "description": f"{topic.uitleg} Bewaard: {duration(topic.bewaartermijn)}.",
        "messages": {n: {"$ref": f"#/components/messages/{n}"} for n in names},
    }
    asked = sorted({b.id for b in map(catalogue.bron_of, catalogue.mutatie_topics) if not b.filtert_zelf})
    ontvangers = "ontvanger", sorted(catalogue.ontvangers)
    variable = {"signalen": ontvangers, "terugmeldingen": ontvangers, "volgverzoeken": ("bron", asked)}.get(name)
    if variable:
        found["parameters"] = {variable[0]: {"description": f"Code van de {variable[0]}.", "enum": variable[1]}}
    else:
        found["bindings"] = {"kafka": {"topic": topic.topic, "bindingVersion": _BINDING}}
    return found


def _messages(
    catalogue: Catalogue, name: str, topic: Topic, golden: Mapping[str, Example], signalen: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    if not topic.schemas:
        yield name, {"title": topic.naam, "contentType": "application/octet-stream", "payload": {}}
    for ref in topic.schemas:
        is_json = topic.waarde == "json"
        kafka: dict[str, Any] = {"key": {"type": "string", "description": topic.sleutel}, "bindingVersion": _BINDING}
        if not is_json:
            kafka |= {"schemaIdLocation": "payload", "schemaIdPayloadEncoding": "confluent"}
        shown = [
            {"name": e.name.replace(".", "-"), "headers": dict(e.headers), "payload": dict(e.value)}
            for e in golden.values()
            if e.schema_id == ref.id
        ]
        avro = {"schemaFormat": _AVRO, "schema": catalogue.schemas[ref.id].definitie}
        yield (
            ref.bestand.removesuffix(".avsc"),
            {
                "name": ref.bestand.removesuffix(".avsc"),
                "title": topic.naam,
                "contentType": "application/json" if is_json else "application/avro",
                "headers": _headers(ref.bestand, "application/json" if is_json else "application/avro"),
                "payload": {"$ref": f"#/components/schemas/{_FORMS[ref.bestand]}"} if is_json else avro,
                "bindings": {"kafka": kafka},
                "examples": [*shown, *({"payload": dict(s)} for s in signalen if is_json and _form(s) == ref.bestand)],
            },
        )


_FORMS: Final = {"signalen.v1.avsc": "Signaal", "signalen.v2.avsc": "Basissignaal", "signalen.v3.avsc": "Ketensignaal"}


def _form(signaal: Mapping[str, Any]) -> str:
    """The schema that an example of a signal fits."""
    return "signalen.v2.avsc" if "feiten" in signaal else "signalen.v3.avsc" if "vervolg" in signaal else "signalen.v1.avsc"


def _headers(bestand: str, content_type: str) -> dict[str, Any]:
    """CloudEvents 1.0 in Kafka's binary mode, after the NL GOV profile."""
    properties: dict[str, Any] = {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "minLength": 1},
        "ce_source": {"type": "string", "pattern": "^urn:nld:oin:[0-9]{20}:systeem:[a-z0-9-]+$"},
        "ce_type": {"type": "string", "pattern": r"^nl\.samenloop\.[a-z]+\.[a-z]+\.v1$"},
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_subject": {"type": "string", "minLength": 1},
        "ce_dataschema": {"const": f"urn:samenloop:schema:{bestand}"},
        "content-type": {"const": content_type},
    }
    return {"type": "object", "required": list(properties), "properties": properties}


def _local(signaal: dict[str, Any]) -> dict[str, Any]:
    """The schema of a signal and its parts as components: there are no ``$defs`` of one schema inside an AsyncAPI document."""
    parts = signaal.pop("$defs", {})
    whole = {k: v for k, v in signaal.items() if k not in {"$schema", "$id"}}
    return {signaal["title"]: _pointed(whole), **{name: _pointed(part) for name, part in parts.items()}}


def _pointed(value: Any) -> Any:  # noqa: ANN401 - a schema is plain JSON
    if isinstance(value, dict):
        return {k: v.replace("#/$defs/", "#/components/schemas/") if k == "$ref" else _pointed(v) for k, v in value.items()}
    return [_pointed(v) for v in value] if isinstance(value, list) else value
