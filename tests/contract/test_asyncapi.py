"""The AsyncAPI document: valid by the specification's own schema, and it names every topic, message and example of the catalogue."""

import copy
import gzip
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from samenloop.publication.site import site_of
from schemas.catalogue import Catalogue, Schema
from tests.contract.examples import examples
from tests.contract.spoiling import PUBLISHED

SPECIFICATION = gzip.decompress((Path(__file__).parent / "asyncapi" / "3.0.0.json.gz").read_bytes())
VALIDATOR = Draft7Validator(json.loads(SPECIFICATION))


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return site_of(PUBLISHED)


@pytest.fixture(scope="module")
def document(files: dict[str, bytes]) -> Any:
    return json.loads(files["asyncapi.json"])


def test_the_schema_of_the_specification_is_the_one_that_was_published() -> None:
    assert sha256(SPECIFICATION).hexdigest() == "abe96881dbfaad495ccbb6bd8d3fb43ca18a13b9d7564849ccb66f39d5e5b20f"


def test_the_document_is_valid_by_the_specification(document: Any) -> None:
    assert [f"{list(e.path)}: {e.message[:200]}" for e in VALIDATOR.iter_errors(document)] == []


def first(found: dict[str, Any]) -> Any:
    return next(iter(found.values()))


BREACHES: list[Callable[[Any], Any]] = [
    lambda d: d.pop("info"),
    lambda d: d.update(asyncapi="2.6.0"),
    lambda d: first(d["channels"]).update(address=1),
    lambda d: first(d["operations"]).update(action="publish"),
    lambda d: first(d["operations"]).pop("channel"),
    lambda d: first(d["components"]["messages"]).update(payloads={}),
    lambda d: d.update(topics={}),
]


@pytest.mark.parametrize("breach", BREACHES, ids=range(len(BREACHES)))
def test_a_planted_breach_is_refused(breach: Callable[[Any], Any], document: Any) -> None:
    spoilt = copy.deepcopy(document)
    breach(spoilt)
    assert not VALIDATOR.is_valid(spoilt)


def test_every_reference_in_the_document_leads_to_something(document: Any) -> None:
    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                place = document
                for part in value["$ref"].removeprefix("#/").split("/"):
                    place = place[part]
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(document)


def test_every_topic_that_others_meet_is_a_channel(document: Any, catalogue: Catalogue) -> None:
    addresses = {c["address"] for c in document["channels"].values()}
    assert addresses == {t.replace("<", "{").replace(">", "}") for t in catalogue.topics if "<toepassing>" not in t}
    (signalen,) = [c for c in document["channels"].values() if c["address"] == "signalen.{ontvanger}"]
    assert set(signalen["parameters"]["ontvanger"]["enum"]) == set(catalogue.ontvangers)
    assert {o["action"] for o in document["operations"].values()} == {"send", "receive"}
    assert len(document["operations"]) == len(document["channels"])


def schemas_for_others(catalogue: Catalogue) -> dict[int, Schema]:
    """Those of topics that not only the engine itself uses."""
    return {i: s for i, s in catalogue.schemas.items() if "<toepassing>" not in s.topic.topic}


def test_every_schema_that_others_meet_is_a_message_and_every_golden_record_an_example(document: Any, catalogue: Catalogue) -> None:
    messages = document["components"]["messages"]
    for schema in schemas_for_others(catalogue).values():
        message = messages[schema.bestand.removesuffix(".avsc")]
        if schema.topic.waarde == "avro":
            assert message["payload"]["schema"] == schema.definitie
        shown = [e["payload"] for e in message["examples"]]
        assert all(e.value in shown for e in examples() if e.schema_id == schema.id)


def test_headers_of_golden_records_are_as_the_document_says(document: Any, catalogue: Catalogue) -> None:
    schemas = schemas_for_others(catalogue)
    for example in (e for e in examples() if e.schema_id in schemas):
        message = document["components"]["messages"][schemas[example.schema_id].bestand.removesuffix(".avsc")]
        Draft7Validator(message["headers"]).validate(example.headers)
        assert not Draft7Validator(message["headers"]).is_valid({**example.headers, "ce_source": "urn:nld:oin:1:systeem:x"})


@pytest.mark.parametrize(
    ("name", "message"), [("Signaal", "signalen.v1"), ("Basissignaal", "signalen.v2"), ("Ketensignaal", "signalen.v3")]
)
def test_the_signalen_that_are_shown_fit_the_schema_in_the_document(name: str, message: str, document: Any) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    shown = [e["payload"] for e in document["components"]["messages"][message]["examples"]]
    assert {s["soort"] for s in shown} == {"NIEUW", "GEWIJZIGD", *(("VERVALLEN",) if message != "signalen.v3" else ())}
    for signaal in shown:
        Draft7Validator(schema).validate(signaal)


def test_the_yaml_says_what_the_json_says(files: dict[str, bytes], document: Any) -> None:
    assert yaml.safe_load(files["asyncapi.yaml"]) == document
