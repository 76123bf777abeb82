"""Avro bodies joined into one block: read as one by one, and no body can shift another."""

import io
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.catalogue import Catalogue
from streams.audit.bodies import UnreadableError, columns_of

DEFINITION: Any = {
    "type": "record",
    "name": "Mutatie",
    "fields": [
        {"name": "record_id", "type": "string"},
        {"name": "registratietijd", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {
            "name": "feit",
            "type": [
                "null",
                {
                    "type": "record",
                    "name": "Feit",
                    "fields": [
                        {"name": "begindatum", "type": {"type": "int", "logicalType": "date"}},
                        {"name": "soort", "type": ["null", {"type": "enum", "name": "Soort", "symbols": ["A", "B"]}]},
                    ],
                },
            ],
        },
    ],
}
FEITEN = st.none() | st.fixed_dictionaries({"begindatum": st.integers(-(2**31), 2**31 - 1), "soort": st.sampled_from((None, "A", "B"))})
VALUES = st.fixed_dictionaries({"record_id": st.text(max_size=5), "registratietijd": st.integers(-(2**63), 2**63 - 1), "feit": FEITEN})


def plain(definition: Any) -> Any:
    if isinstance(definition, dict):
        return {k: plain(v) for k, v in definition.items() if k != "logicalType"}
    return [plain(d) for d in definition] if isinstance(definition, list) else definition


def body(value: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, plain(DEFINITION), value)
    return out.getvalue()


@given(st.lists(VALUES, min_size=1, max_size=70))
def test_columns_are_what_a_reader_of_one_record_reads(values: list[dict[str, Any]]) -> None:
    columns = columns_of(DEFINITION, [body(v) for v in values])
    assert columns["record_id"].to_list() == [v["record_id"] for v in values]
    assert columns["registratietijd"].to_list() == [v["registratietijd"] for v in values]
    assert columns["feit"].struct.field("begindatum").to_list() == [v["feit"] and v["feit"]["begindatum"] for v in values]
    numbers = {None: None, "A": 0, "B": 1}
    assert columns["feit"].struct.field("soort").to_list() == [v["feit"] and numbers[v["feit"]["soort"]] for v in values]


@given(st.lists(VALUES, min_size=1, max_size=5), st.data())
def test_bodies_that_are_cut_or_carry_more_are_refused_together(values: list[dict[str, Any]], data: st.DataObject) -> None:
    bodies = [body(v) for v in values]
    at = data.draw(st.integers(0, len(bodies) - 1))
    more = data.draw(st.binary(min_size=1, max_size=4) | st.sampled_from(bodies))
    cut = bodies[at][: data.draw(st.integers(0, len(bodies[at]) - 1))]
    for changed in (bodies[at] + more, cut):
        with pytest.raises(UnreadableError):
            columns_of(DEFINITION, [*bodies[:at], changed, *bodies[at + 1 :]])


def test_a_body_that_holds_what_would_be_the_next_number_is_refused() -> None:
    """Read from the start, the text of the second copy is a length, and its length the number 1."""
    one = body({"record_id": "\x12", "registratietijd": 0, "feit": None})
    with pytest.raises(UnreadableError):
        columns_of(DEFINITION, [one + one])


def test_every_schema_of_the_catalogue_can_be_read_so(catalogue: Catalogue) -> None:
    for topic in catalogue.mutatie_topics.values():
        for ref in topic.schemas:
            out = io.BytesIO()
            value = {"record_id": "x", "versie": 1, "registratietijd": 0, "feit": None}
            fastavro.schemaless_writer(out, plain(catalogue.schemas[ref.id].definitie), value)
            assert columns_of(catalogue.schemas[ref.id].definitie, [out.getvalue()]).height == 1
