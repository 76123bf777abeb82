"""Any value that a schema allows: written by the codec, read back the same by the codec, by Apache's reader and by a newer schema."""

import io
import json
from typing import Any

import avro.io
import avro.schema
import fastavro
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.catalogue import Catalogue, Schema
from schemas.codec import MAX_DAY, MAX_MUTATIE, MIN_DAY, Codec, decode_signaal, encode_signaal
from schemas.values import Basissignaal, ElkSignaal, Ketensignaal, Signaal, Volging, Volgverzoek
from tests.contract.examples import HEADER, MUTATIES, Example
from tests.contract.test_json_schema import signalen

CATALOGUE = Catalogue.load()
CODEC = Codec(CATALOGUE)
MUTATIE_SCHEMAS = [CATALOGUE.schemas[ref.id] for t in CATALOGUE.mutatie_topics.values() for ref in t.schemas]
APACHE = {i: avro.schema.Parse(json.dumps(s.definitie)) for i, s in CATALOGUE.schemas.items()}
SIGNALEN_SCHEMAS = {Signaal: CATALOGUE.schemas[102], Basissignaal: CATALOGUE.schemas[106], Ketensignaal: CATALOGUE.schemas[113]}
SIGNALEN_PARSED = {kind: fastavro.parse_schema(json.loads(json.dumps(s.definitie))) for kind, s in SIGNALEN_SCHEMAS.items()}

days = st.integers(MIN_DAY, MAX_DAY)
times = st.integers(MIN_DAY * 86_400_000, (MAX_DAY + 1) * 86_400_000 - 1)
names = st.text(min_size=1, max_size=100).filter(str.isprintable)
versies = st.integers(1, 2**31 - 1)
NUMBERS = {"int": st.integers(-(2**31), 2**31 - 1), "long": st.integers(-(2**63), 2**63 - 1)}


def values_of(field: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Any value of a plain field of a feit."""
    kind = field["type"]
    if isinstance(kind, list):
        return st.none() | values_of({**field, "type": kind[1]})
    if isinstance(kind, dict) and "logicalType" in kind:
        return days
    if isinstance(kind, dict):
        return st.sampled_from(kind["symbols"])
    return st.from_regex(field["patroon"], fullmatch=True).map(str.strip) if kind == "string" else NUMBERS[kind]


@st.composite
def mutaties(draw: st.DrawFn, schema: Schema) -> dict[str, Any]:
    """Any mutatie that the schema and the calendar allow."""
    union = schema.definitie["fields"][3]["type"]
    feit = None
    if draw(st.booleans()):
        feit = {f["name"]: draw(values_of(f)) for f in union[1]["fields"] if f["name"] not in {"begindatum", "einddatum"}}
        begin = draw(days)
        feit |= {"begindatum": begin, "einddatum": draw(st.none() | st.integers(begin, MAX_DAY))}
    return {"record_id": draw(names), "versie": draw(versies), "registratietijd": draw(times), "feit": feit}


def by_apache(data: bytes, schema_id: int, reader_id: int) -> Any:
    """What Apache's reader finds in the frame, read under another version of the schema."""
    reader = avro.io.DatumReader(APACHE[schema_id], APACHE[reader_id])
    return reader.read(avro.io.BinaryDecoder(io.BytesIO(data[HEADER:])))


@pytest.mark.parametrize("schema", MUTATIE_SCHEMAS, ids=lambda s: s.bestand)
@given(data=st.data())
def test_any_mutatie_is_read_back_as_it_was_by_us_and_by_apache(schema: Schema, data: st.DataObject) -> None:
    value = data.draw(mutaties(schema))
    wire = CODEC.encode(schema.id, value)
    assert len(wire) <= MAX_MUTATIE
    assert msgspec.structs.asdict(CODEC.decode_mutatie(schema.topic.topic, wire)) == value
    assert by_apache(wire, schema.id, schema.id) == value
    assert CODEC.encode(schema.id, CODEC.decode(wire), logical=True) == wire


@pytest.mark.parametrize("event", [e for e in MUTATIES if e.schema_id != CATALOGUE.latest_schema(e.topic).id], ids=str)
def test_apache_reads_an_older_golden_record_under_the_newest_schema(event: Example) -> None:
    newest = CATALOGUE.latest_schema(event.topic)
    older, newer = by_apache(event.raw, event.schema_id, event.schema_id), by_apache(event.raw, event.schema_id, newest.id)
    if older["feit"] is not None:
        added = newer["feit"].keys() - older["feit"].keys()
        assert added == {"verloonde_uren" if event.topic == "mutaties.uwv.inkomstenopgave" else "onzeker"}
        assert [newer["feit"].pop(name) for name in added] == [None]
    assert newer == older


volgverzoeken = st.builds(
    Volgverzoek, versies, times, st.lists(st.builds(Volging, st.sampled_from(sorted(CATALOGUE.diensten)), days), max_size=3).map(tuple)
)


@given(volgverzoeken)
def test_any_volgverzoek_is_read_back_as_it_was_by_us_and_by_apache(volgverzoek: Volgverzoek) -> None:
    wire = CODEC.encode_volgverzoek(volgverzoek)
    assert CODEC.decode_volgverzoek(wire) == volgverzoek
    assert by_apache(wire, 101, 101) == msgspec.to_builtins(volgverzoek) | {"volgt": [msgspec.to_builtins(v) for v in volgverzoek.volgt]}


@given(days)
def test_any_tick_is_read_back_as_it_was_by_us_and_by_apache(day: int) -> None:
    wire = CODEC.encode(100, {"datum": day})
    assert CODEC.decode_klok(wire) == by_apache(wire, 100, 100)["datum"] == day


@given(signalen())
def test_the_json_of_any_signaal_fits_its_avro_schema_too(signaal: ElkSignaal) -> None:
    value, schema = json.loads(encode_signaal(signaal)), SIGNALEN_SCHEMAS[type(signaal)]
    assert fastavro.validate(value, SIGNALEN_PARSED[type(signaal)], strict=True)
    wire = CODEC.encode(schema.id, value)
    assert by_apache(wire, schema.id, schema.id) == value
    assert decode_signaal(msgspec.json.encode(CODEC.decode(wire))) == signaal
