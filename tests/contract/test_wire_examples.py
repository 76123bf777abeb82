"""docs/wire.md shows records of every schema, and what it shows is in the golden records, byte for byte."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from schemas.catalogue import Catalogue
from schemas.codec import Codec
from tests.contract.examples import Example, examples

WIRE = (Path(__file__).parents[2] / "docs" / "wire.md").read_text(encoding="utf-8")
EXAMPLES = {e.name: e for e in examples()}
SHOWN = dict(re.findall(r"`schemas/examples/([^`]+)\.json`:\n\n```json\n(.*?)```", WIRE, re.DOTALL))
BYTES = re.compile(r"^\| ((?:`[0-9a-f ]+` ?)+)\| (.*) \|$", re.MULTILINE)


@pytest.mark.parametrize("name", SHOWN)
def test_a_record_is_shown_as_it_is(name: str) -> None:
    assert json.loads(SHOWN[name]) == EXAMPLES[name].value


@pytest.mark.parametrize("bestand", [s.bestand for s in Catalogue.load().schemas.values()])
def test_every_schema_has_a_record_that_is_shown(bestand: str) -> None:
    assert any(name.startswith(bestand.removesuffix(".avsc")) for name in SHOWN)


def test_every_block_of_json_names_its_golden_record() -> None:
    assert WIRE.count("```json") == len(SHOWN)


def test_the_bytes_that_are_explained_are_those_of_a_golden_record() -> None:
    rows = BYTES.findall(WIRE)
    explained = bytes.fromhex("".join(cells.replace("`", "") for cells, _ in rows))
    (found,) = [e for e in examples() if e.raw == explained]
    assert says(rows) == fields(found)
    assert found.name in SHOWN


def says(rows: list[tuple[str, str]]) -> dict[str, Any]:
    """The values that the table explains, by field."""
    text = {field: rest for _, said in rows if said.startswith("`") for field, rest in [said[1:].split("`: ", 1)]}
    milliseconds = re.match(r"[0-9,]+", text["registratietijd"])
    assert milliseconds
    return {
        "record_id": text["record_id"].split("`")[1],
        "versie": int(text["versie"].split(";")[0]),
        "registratietijd": int(milliseconds[0].replace(",", "")),
    }


def fields(example: Example) -> dict[str, Any]:
    """The same values by the codec."""
    mutatie = Codec(Catalogue.load()).decode_mutatie(example.topic, example.raw)
    return {"record_id": mutatie.record_id, "versie": mutatie.versie, "registratietijd": mutatie.registratietijd}
