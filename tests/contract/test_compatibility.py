"""Versions of a schema: what the topic's ``compatibiliteit`` promises, by fastavro's own schema resolution, and breaches that it finds.

For each promise the writer's schema makes records that together use every branch of a union, every symbol of an enum and every
edge of a number, and the reader's schema reads them. A field that both have must keep its value: so a date that becomes a number
is found too, which Avro itself would allow.
"""

import io
import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import fastavro
import pytest
from fastavro.read import SchemaResolutionError

from schemas.catalogue import Catalogue, Topic, feit_fields

EDGES: dict[str, list[Any]] = {
    "null": [None],
    "boolean": [False, True],
    "int": [0, 2**31 - 1, -(2**31)],
    "long": [0, 2**63 - 1, -(2**63)],
    "string": ["", "Zoë"],
    "bytes": [b"", b"\x00\xff"],
    "date": [0, 84_005],
    "timestamp-millis": [0, 7_258_118_399_999],
}


class BreachError(AssertionError):
    """The reader's schema cannot read what the writer's schema wrote, or reads something else."""


def covering(schema: Any, named: dict[str, Any]) -> list[Any]:
    """Values of ``schema`` that use all of its parts at least once."""
    if isinstance(schema, list):
        return [value for branch in schema for value in covering(branch, named)]
    schema = named.get(schema, schema) if isinstance(schema, str) else schema
    kind = schema if isinstance(schema, str) else schema.get("logicalType", schema["type"])
    if kind == "record":
        return _covering_record(named.setdefault(schema["name"], schema), named)
    if kind == "enum":
        return list(schema["symbols"])
    if kind == "array":
        return [[], covering(schema["items"], named)]
    if kind == "map":
        return [{}, {str(i): value for i, value in enumerate(covering(schema["values"], named))}]
    return EDGES[kind]


def _covering_record(schema: Any, named: dict[str, Any]) -> list[Any]:
    """As many records as its richest field has values; the others take turns."""
    columns = {f["name"]: covering(f["type"], named) for f in schema["fields"]}
    return [{name: values[i % len(values)] for name, values in columns.items()} for i in range(max(map(len, columns.values())))]


def units(schema: Any, path: str = "") -> dict[str, str]:
    """What the numbers of a schema stand for, by the path of their field."""
    if isinstance(schema, list):
        return {k: v for branch in schema for k, v in units(branch, path).items()}
    if not isinstance(schema, dict):
        return {}
    found = {path: schema["logicalType"]} if "logicalType" in schema else {}
    for field in schema.get("fields", []):
        found |= units(field["type"], f"{path}.{field['name']}")
    for part in ("items", "values"):
        found |= units(schema.get(part), f"{path}.*")
    return found


def must_read(writer: Any, reader: Any) -> None:
    """Raise BreachError unless ``reader`` reads all that ``writer`` writes, shared fields unchanged."""
    written_units, read_units = units(writer), units(reader)
    for path in written_units.keys() & read_units.keys():
        if written_units[path] != read_units[path]:  # fastavro converts by the writer's unit, other readers need not
            raise BreachError(f"{path}: {written_units[path]} is read as {read_units[path]}")
    parsed = fastavro.parse_schema(json.loads(json.dumps(writer)))
    target = fastavro.parse_schema(json.loads(json.dumps(reader)))
    for value in covering(writer, {}):
        written = _turned(parsed, value)
        try:
            read = _turned(parsed, written, target)
            again = _turned(target, read)  # fastavro resolves to the writer's dates; this asks what they are to the reader
        except (SchemaResolutionError, ValueError, KeyError, TypeError, AttributeError) as e:
            raise BreachError(f"cannot be read: {e}") from e
        _same(written, read, "")
        _same(read, again, "")


def _turned(schema: Any, value: Any, reader: Any = None) -> Any:
    """``value`` written with ``schema`` and read again."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, value)
    return fastavro.schemaless_reader(io.BytesIO(out.getvalue()), schema, reader)


def _same(written: Any, read: Any, path: str) -> None:
    if isinstance(written, dict) and isinstance(read, dict):
        for name in written.keys() & read.keys():
            _same(written[name], read[name], f"{path}.{name}")
    elif isinstance(written, list) and isinstance(read, list) and len(written) == len(read):
        for i, (one, other) in enumerate(zip(written, read, strict=True)):
            _same(one, other, f"{path}.{i}")
    elif type(written) is not type(read) or written != read:
        raise BreachError(f"{path}: {written!r} is read as {read!r}")


def hold(compatibiliteit: str, older: Any, newer: Any) -> None:
    """Raise BreachError when ``newer`` breaks what a topic promises over ``older``."""
    if compatibiliteit in {"BACKWARD", "FULL"}:
        must_read(older, newer)
    if compatibiliteit == "FULL":
        must_read(newer, older)


CATALOGUE = Catalogue.load()
PAIRS = [
    (topic, older.id, newer.id)
    for topic in CATALOGUE.topics.values()
    for i, newer in enumerate(topic.schemas)
    for older in topic.schemas[: i + 1]  # with itself too: so every schema goes through the check
    if older is newer or not (older.naast or newer.naast)  # another kind of message is no version of those before it
]


@pytest.mark.parametrize(("topic", "older", "newer"), PAIRS, ids=lambda x: x.topic if isinstance(x, Topic) else str(x))
def test_a_newer_schema_keeps_what_its_topic_promises_over_all_older_ones(topic: Topic, older: int, newer: int) -> None:
    hold(topic.compatibiliteit, CATALOGUE.schemas[older].definitie, CATALOGUE.schemas[newer].definitie)


def test_there_are_two_versions_of_the_inkomstenopgave() -> None:
    assert ("mutaties.uwv.inkomstenopgave", 3, 4) in {(t.topic, o, n) for t, o, n in PAIRS}


@pytest.mark.parametrize("topic", CATALOGUE.topics.values(), ids=lambda t: t.topic)
def test_a_topic_with_a_schema_promises_something(topic: Topic) -> None:
    assert (topic.compatibiliteit == "NONE") == (not topic.schemas)


def feit(schema: Any) -> list[Any]:
    """The fields of the feit in a mutatie schema."""
    found: list[Any] = schema["fields"][3]["type"][1]["fields"]
    return found


def field(schema: Any, name: str) -> Any:
    return next(f for f in feit(schema) if f["name"] == name)


def without_default(schema: Any) -> None:
    feit(schema).append({"name": "nieuw", "type": "string"})


def other_name(schema: Any) -> None:
    field(schema, "loon_sv")["name"] = "loon"


def other_type(schema: Any) -> None:
    field(schema, "loon_sv")["type"] = "string"


def narrower(schema: Any) -> None:
    field(schema, "loon_sv")["type"] = "int"


def symbol_gone(schema: Any) -> None:
    field(schema, "tijdvak")["type"]["symbols"].remove("OVERIG")


def symbol_renamed(schema: Any) -> None:
    field(schema, "tijdvak")["type"]["symbols"][0] = "KALENDERMAAND"


def no_longer_nullable(schema: Any) -> None:
    del field(schema, "einddatum")["default"]
    field(schema, "einddatum")["type"] = {"type": "int", "logicalType": "date"}


def no_longer_withdrawn(schema: Any) -> None:
    del schema["fields"][3]["default"]
    schema["fields"][3]["type"].remove("null")


def date_as_number(schema: Any) -> None:
    field(schema, "begindatum")["type"] = "int"


def number_as_fraction(schema: Any) -> None:
    field(schema, "loon_sv")["type"] = "double"


def other_unit(schema: Any) -> None:
    schema["fields"][2]["type"]["logicalType"] = "timestamp-micros"


def other_mutatie(schema: Any) -> None:
    schema["name"] = "Wijziging"


def other_record(schema: Any) -> None:
    schema["fields"][3]["type"][1]["name"] = "Opgave"


def other_enum(schema: Any) -> None:
    field(schema, "tijdvak")["type"]["name"] = "Periode"


@pytest.mark.parametrize(
    "breach",
    [
        without_default,
        other_name,
        other_type,
        narrower,
        symbol_gone,
        symbol_renamed,
        no_longer_nullable,
        no_longer_withdrawn,
        date_as_number,
        number_as_fraction,
        other_unit,
        other_mutatie,
        other_record,
        other_enum,
    ],
)
def test_a_breach_of_backward_is_found(breach: Callable[[Any], None]) -> None:
    older = json.loads(json.dumps(CATALOGUE.schemas[3].definitie))
    newer = json.loads(json.dumps(older))
    breach(newer)
    with pytest.raises(BreachError):
        hold("BACKWARD", older, newer)
    hold("NONE", older, newer)


def symbol_added(schema: Any) -> None:
    field(schema, "tijdvak")["type"]["symbols"].append("JAAR")


def field_gone(schema: Any) -> None:
    feit(schema).remove(field(schema, "loon_sv"))


@pytest.mark.parametrize("change", [symbol_added, field_gone])
def test_what_backward_allows_is_a_breach_of_full(change: Callable[[Any], None]) -> None:
    older = json.loads(json.dumps(CATALOGUE.schemas[3].definitie))
    newer = json.loads(json.dumps(older))
    change(newer)
    hold("BACKWARD", older, newer)
    with pytest.raises(BreachError):
        hold("FULL", older, newer)


def test_a_field_with_a_default_is_no_breach_of_full() -> None:
    hold("FULL", CATALOGUE.schemas[3].definitie, CATALOGUE.schemas[4].definitie)


@pytest.mark.parametrize("topic", CATALOGUE.mutatie_topics.values(), ids=lambda t: t.topic)
def test_a_field_that_a_version_adds_is_null_by_default_as_the_engine_reads_it(topic: Topic) -> None:
    versions = [feit_fields(CATALOGUE.schemas[ref.id]) for ref in topic.schemas]
    for older, newer in pairwise(versions):
        assert all(newer[name]["default"] is None for name in newer.keys() - older.keys())
