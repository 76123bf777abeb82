"""The JSON Schemas of a signaal, of each kind: each says what its Avro schema says, and each signaal that the codec writes fits one."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from msgspec.structs import asdict

from schemas.catalogue import Catalogue
from schemas.codec import decode_signaal, encode_signaal
from schemas.values import Basissignaal, Bronrecord, ElkSignaal, Ketensignaal, Onderdeel, Oorzaak, Regel, Signaal, Signaalsoort
from tests.contract.examples import SIGNALEN, Example

FOLDER = Path(__file__).parents[2] / "schemas" / "json"
SCHEMAS = {
    i: json.loads((FOLDER / f"signalen.{v}.schema.json").read_text(encoding="utf-8")) for i, v in ((102, "v1"), (106, "v2"), (113, "v3"))
}
VALIDATORS = {i: Draft202012Validator(s, format_checker=Draft202012Validator.FORMAT_CHECKER) for i, s in SCHEMAS.items()}
FORMS: dict[type[ElkSignaal], int] = {Signaal: 102, Basissignaal: 106, Ketensignaal: 113}
OF_PAIRS = [e for e in SIGNALEN if e.schema_id == 102]
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
def signalen(draw: st.DrawFn) -> ElkSignaal:
    """Any signaal that the values and the rules of the wire allow."""
    soort = draw(st.sampled_from(SOORTEN))
    begin, end = (st.none(), st.none()) if soort == "VERVALLEN" else (days, st.none() | days)
    record = st.builds(Bronrecord, texts, texts, texts, positive, texts, partitions, offsets, begin, end)
    if draw(st.booleans()):
        part = st.builds(Onderdeel, texts, days, st.none() | days, st.dictionaries(texts, values, max_size=3))
        parts = st.lists(part, max_size=3).map(tuple)
        told, feiten = (None, ()) if soort == "VERVALLEN" else (draw(parts), draw(st.lists(record, max_size=3).map(tuple)))
        cause, name = st.builds(Oorzaak, texts, partitions, offsets), str(draw(st.uuids(version=5)))
        return Basissignaal(
            name, draw(positive), soort, draw(texts), Regel("ontbreken", draw(positive)), draw(texts), draw(texts),
            draw(begin), draw(end), told, 0, draw(record), feiten, draw(cause), draw(times),
        )  # fmt: skip
    of_pair = Signaal(
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
    if soort == "VERVALLEN" or draw(st.booleans()):
        return of_pair
    return Ketensignaal(
        **asdict(of_pair), vervolg=draw(st.lists(record, min_size=1, max_size=3).map(tuple)), weggelaten=draw(st.integers(0, 9))
    )


def same(avro: Any, found: Any, records: dict[str, Any], path: str = "signaal") -> None:
    """Hold an Avro type against the JSON Schema of the same thing; fails with the path of the first difference."""
    records.setdefault("$defs", found.get("$defs"))
    if "$ref" in found:
        found = records["$defs"][found["$ref"].removeprefix("#/$defs/")]
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
    elif avro["type"] == "array":
        assert found["type"] == "array", path
        same(avro["items"], found["items"], records, f"{path}[]")
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


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=lambda s: s["$id"])
def test_it_is_a_good_schema_of_2020_12(schema: Any) -> None:
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("schema_id", SCHEMAS)
def test_it_says_what_the_avro_schema_says(schema_id: int, catalogue: Catalogue) -> None:
    same(catalogue.schemas[schema_id].definitie, SCHEMAS[schema_id], {})


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("versie", {"type": "string"}),
        ("soort", {"type": "enum", "name": "S", "symbols": ["NIEUW", "VERVALLEN"]}),
        ("begindatum", "int"),
        ("kenmerk", ["null", "string"]),
        ("gegevens", ["null", {"type": "map", "values": "string"}]),
        ("oorzaak", {"type": "record", "name": "O", "fields": []}),
        ("basisfeit", "string"),
        ("feiten", {"type": "array", "items": "string"}),
    ],
)
def test_a_difference_from_the_avro_schema_is_seen(field: str, change: Any, catalogue: Catalogue) -> None:
    for schema_id, schema in SCHEMAS.items():
        definition = json.loads(json.dumps(catalogue.schemas[schema_id].definitie))
        fields = [f for f in definition["fields"] if f["name"] == field]
        assert fields or field == "feiten"
        for one in fields:
            one["type"] = change
            with pytest.raises((AssertionError, KeyError)):
                same(definition, schema, {})


@pytest.mark.parametrize("example", SIGNALEN, ids=str)
def test_the_golden_signalen_fit(example: Example) -> None:
    VALIDATORS[example.schema_id].validate(json.loads(example.raw))


@given(signalen())
def test_every_signaal_that_the_codec_writes_fits_one_of_them_and_is_read_back(signaal: ElkSignaal) -> None:
    data = encode_signaal(signaal)
    assert [i for i, v in VALIDATORS.items() if v.is_valid(json.loads(data))] == [FORMS[type(signaal)]]
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
    (example,) = [e for e in OF_PAIRS if e.value["soort"] == "NIEUW"]
    signaal = json.loads(example.raw)
    place = signaal
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    assert not VALIDATORS[102].is_valid(signaal)


@pytest.mark.parametrize("field", ["begindatum", "einddatum"])
@pytest.mark.parametrize("part", [None, "basisfeit", "feit"])
def test_a_vervallen_with_a_date_does_not_fit(field: str, part: str | None) -> None:
    (example,) = [e for e in OF_PAIRS if e.value["soort"] == "VERVALLEN"]
    signaal = json.loads(example.raw)
    (signaal if part is None else signaal[part])[field] = "2026-01-01"
    assert not VALIDATORS[102].is_valid(signaal)


@pytest.mark.parametrize(("schema_id", "field"), [(i, f) for i, schema in SCHEMAS.items() for f in schema["required"]])
def test_a_signaal_without_one_of_its_fields_does_not_fit(schema_id: int, field: str) -> None:
    signaal = json.loads(next(e for e in SIGNALEN if e.schema_id == schema_id).raw)
    del signaal[field]
    assert not VALIDATORS[schema_id].is_valid(signaal)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("gegevens",), None),
        (("gegevens",), {}),
        (("gegevens", 0, "velden", "onderwijssoort"), 1.5),
        (("gegevens", 0, "extra"), 1),
        (("feiten", 0, "begindatum"), None),
        (("feiten",), None),
        (("weggelaten",), -1),
    ],
)
def test_what_is_not_a_signaal_about_a_basisfeit_does_not_fit(path: tuple[Any, ...], value: object) -> None:
    (example,) = [e for e in SIGNALEN if e.schema_id == 106 and e.value["soort"] == "NIEUW"]
    signaal = json.loads(example.raw)
    place = signaal
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    assert not VALIDATORS[106].is_valid(signaal)
