"""The JSON Schema of a signaal: says what its Avro schema says, and every signaal that the codec writes fits it."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from schemas.catalogue import Catalogue
from schemas.codec import decode_signaal, encode_signaal
from schemas.values import Bronrecord, Oorzaak, Regel, Signaal, Signaalsoort
from tests.contract.examples import SIGNALEN, Example

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "json" / "signalen.v1.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
PRIMITIVES = {"null": "null", "boolean": "boolean", "int": "integer", "long": "integer", "string": "string"}
SOORTEN: tuple[Signaalsoort, ...] = get_args(Signaalsoort)

days = st.dates().map(lambda d: d.isoformat())
times = st.datetimes().map(lambda t: f"{t.isoformat(timespec='milliseconds')}Z")
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=100)
positive = st.integers(1, 2**31 - 1)
offsets = st.integers(0, 2**63 - 1)
partitions = st.integers(0, 2**31 - 1)
values = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | texts


@st.composite
def signalen(draw: st.DrawFn) -> Signaal:
    """Any signaal that the values and the rules of the wire allow."""
    soort = draw(st.sampled_from(SOORTEN))
    begin, end = (st.none(), st.none()) if soort == "VERVALLEN" else (days, st.none() | days)
    record = st.builds(Bronrecord, texts, texts, texts, positive, texts, partitions, offsets, begin, end)
    return Signaal(
        signaal_id=str(draw(st.uuids(version=5))),
        versie=draw(positive),
        soort=soort,
        dienst=draw(texts),
        regel=Regel("samenloop", draw(positive)),
        ontvanger=draw(texts),
        kenmerk=draw(texts),
        begindatum=draw(begin),
        einddatum=draw(end),
        gegevens=None if soort == "VERVALLEN" else draw(st.dictionaries(texts, values, max_size=5)),
        basisfeit=draw(record),
        feit=draw(record),
        oorzaak=draw(st.builds(Oorzaak, texts, partitions, offsets)),
        registratietijd=draw(times),
    )


def same(avro: Any, found: Any, records: dict[str, Any], path: str = "signaal") -> None:
    """Hold an Avro type against the JSON Schema of the same thing; fails with the path of the first difference."""
    if "$ref" in found:
        found = SCHEMA["$defs"][found["$ref"].removeprefix("#/$defs/")]
    if isinstance(avro, str) and avro in records:
        avro = records[avro]
    if isinstance(avro, list):
        _same_union(avro, found, records, path)
    elif isinstance(avro, str):
        assert found["type"] == PRIMITIVES[avro], path
    elif avro["type"] == "record":
        _same_record(avro, found, records, path)
    elif avro["type"] == "enum":
        assert found["enum"] == avro["symbols"], path
    elif avro["type"] == "map":
        assert found["type"] == "object", path
        same(avro["values"], found["additionalProperties"], records, f"{path}.*")
    else:
        raise AssertionError(f"{path}: {avro['type']} has no counterpart here")


def _same_union(avro: list[Any], found: Any, records: dict[str, Any], path: str) -> None:
    branches = [b for b in avro if b != "null"]
    assert ("null" in found["type"]) == ("null" in avro), path
    kinds = [t for t in found["type"] if t != "null"]
    if len(branches) == 1:
        assert len(kinds) == 1, path
        same(branches[0], found | {"type": kinds[0]}, records, path)
    else:
        assert set(kinds) == {PRIMITIVES[b] for b in branches}, path


def _same_record(avro: Any, found: Any, records: dict[str, Any], path: str) -> None:
    records[avro["name"]] = avro
    names = [f["name"] for f in avro["fields"]]
    assert found["type"] == "object", path
    assert list(found["properties"]) == names, path
    assert found["required"] == names, path
    assert found["additionalProperties"] is False, path
    for field in avro["fields"]:
        same(field["type"], found["properties"][field["name"]], records, f"{path}.{field['name']}")


def test_it_is_a_good_schema_of_2020_12() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(SCHEMA)


def test_it_says_what_the_avro_schema_says(catalogue: Catalogue) -> None:
    same(catalogue.latest_schema("signalen.<ontvanger>").definitie, SCHEMA, {})


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("versie", {"type": "string"}),
        ("soort", {"type": "enum", "name": "S", "symbols": ["NIEUW", "VERVALLEN"]}),
        ("begindatum", "string"),
        ("kenmerk", ["null", "string"]),
        ("gegevens", ["null", {"type": "map", "values": "string"}]),
        ("oorzaak", {"type": "record", "name": "O", "fields": []}),
        ("basisfeit", "string"),
    ],
)
def test_a_difference_from_the_avro_schema_is_seen(field: str, change: Any, catalogue: Catalogue) -> None:
    definition = json.loads(json.dumps(catalogue.latest_schema("signalen.<ontvanger>").definitie))
    next(f for f in definition["fields"] if f["name"] == field)["type"] = change
    with pytest.raises((AssertionError, KeyError)):
        same(definition, SCHEMA, {})


@pytest.mark.parametrize("example", SIGNALEN, ids=str)
def test_the_golden_signalen_fit(example: Example) -> None:
    VALIDATOR.validate(json.loads(example.raw))


@given(signalen())
def test_every_signaal_that_the_codec_writes_fits_and_is_read_back(signaal: Signaal) -> None:
    data = encode_signaal(signaal)
    VALIDATOR.validate(json.loads(data))
    assert decode_signaal(data) == signaal


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("extra",), 1),
        (("soort",), "NIEUWER"),
        (("versie",), 0),
        (("versie",), "1"),
        (("signaal_id",), "14ddccf6-daf5-40d2-a262-8fab8344559d"),
        (("begindatum",), None),
        (("begindatum",), "2026-02-30"),
        (("einddatum",), "31-01-2026"),
        (("gegevens",), None),
        (("gegevens", "loon_sv"), 1.5),
        (("gegevens", "loon_sv"), ["1"]),
        (("feit", "begindatum"), None),
        (("feit", "bsn"), "x"),
        (("oorzaak", "offset"), -1),
        (("registratietijd",), "2026-02-03 09:15"),
    ],
)
def test_what_is_not_a_signaal_does_not_fit(path: tuple[str, ...], value: object) -> None:
    (example,) = [e for e in SIGNALEN if e.value["soort"] == "NIEUW"]
    signaal = json.loads(example.raw)
    place = signaal
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    assert not VALIDATOR.is_valid(signaal)


@pytest.mark.parametrize("field", ["begindatum", "einddatum"])
@pytest.mark.parametrize("part", [None, "basisfeit", "feit"])
def test_a_vervallen_with_a_date_does_not_fit(field: str, part: str | None) -> None:
    (example,) = [e for e in SIGNALEN if e.value["soort"] == "VERVALLEN"]
    signaal = json.loads(example.raw)
    (signaal if part is None else signaal[part])[field] = "2026-01-01"
    assert not VALIDATOR.is_valid(signaal)


@pytest.mark.parametrize("field", SCHEMA["required"])
def test_a_signaal_without_one_of_its_fields_does_not_fit(field: str) -> None:
    signaal = json.loads(SIGNALEN[0].raw)
    del signaal[field]
    assert not VALIDATOR.is_valid(signaal)
