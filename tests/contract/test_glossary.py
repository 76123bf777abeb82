"""docs/glossary.md explains every word of the design, and every field, code and SuwiML name that the schemas have."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.catalogue import Catalogue, Topic, feit_fields

DOCS = Path(__file__).parents[2] / "docs"
GLOSSARY = (DOCS / "glossary.md").read_text(encoding="utf-8")
CATALOGUE = Catalogue.load()
WORDS = [
    "bron", "ontvanger", "persoon", "feit", "basisfeit", "mutatie", "dienst", "samenloop", "signaal", "kenmerk", "volgverzoek", "klok",
    "houder", "knooppunt", "OIN", "BSN", "tot en met", "quarantaine", "verwerkingsverslag", "bewaartermijn", "grondslag", "INGETROKKEN",
    "NIEUW", "GEWIJZIGD", "VERVALLEN", "terugmelding",
]  # fmt: skip


def table(title: str) -> list[tuple[str, ...]]:
    """The rows of the table under a heading, without its own head."""
    part = re.split(rf"^## {re.escape(title)}$", GLOSSARY, flags=re.MULTILINE)[1].split("\n## ")[0]
    return [tuple(cell.replace("`", "") for cell in row.strip("| ").split(" | ")) for row in part.splitlines() if row.startswith("| ")][2:]


def terms(title: str) -> set[str]:
    """What the table explains: one row may have several."""
    return {term for first, *_ in table(title) for term in first.split(", ")}


FEIT = {(soort, field): suwiml for soort, field, _, suwiml in table("Fields of a feit")}
OTHERS = "Fields of a signal, a terugmelding, a volgverzoek and a tick"


def parts(definition: Any) -> Iterator[dict[str, Any]]:
    """All named parts of an Avro schema: fields, records and enums."""
    if isinstance(definition, list):
        for one in definition:
            yield from parts(one)
    elif isinstance(definition, dict):
        yield definition
        for key in ("type", "items", "values", "fields"):
            yield from parts(definition.get(key))


def symbols() -> set[str]:
    return {symbol for schema in CATALOGUE.schemas.values() for part in parts(schema.definitie) for symbol in part.get("symbols", [])}


def fields_of(family: str) -> set[str]:
    """Names of all fields of the schemas that are not mutaties."""
    chosen = [s for s in CATALOGUE.schemas.values() if s.topic.topic.startswith(family)]
    return {field["name"] for schema in chosen for part in parts(schema.definitie) for field in part.get("fields", [])}


@pytest.mark.parametrize("word", WORDS)
def test_every_word_of_the_design_is_explained(word: str) -> None:
    assert word in terms("Words")


@pytest.mark.parametrize("topic", CATALOGUE.mutatie_topics.values(), ids=lambda t: t.soort)
def test_every_field_of_a_soort_is_explained_with_its_name_in_suwiml(topic: Topic) -> None:
    fields = feit_fields(CATALOGUE.latest_schema(topic.topic))
    assert {field for soort, field in FEIT if soort in {topic.soort, "all"}} == set(fields)
    for name, field in fields.items():
        said = re.search(r"SuwiML (\w+)", field["doc"])
        assert said is None or FEIT[topic.soort, name] == said[1]


def test_no_soort_is_explained_that_is_not_there() -> None:
    assert {soort for soort, _ in FEIT} - {"all"} == set(CATALOGUE.mutatie_topics)


def test_the_same_field_has_the_same_name_in_suwiml_everywhere() -> None:
    for name in {field for _, field in FEIT}:
        assert len({suwiml for (_, field), suwiml in FEIT.items() if field == name}) == 1


def test_the_codes_are_those_of_the_enums() -> None:
    assert terms("Codes") == symbols()


def test_the_fields_of_signals_terugmeldingen_volgverzoeken_and_ticks_are_explained_and_no_others() -> None:
    assert terms(OTHERS) == fields_of("signalen") | fields_of("terugmeldingen") | fields_of("volgverzoeken") | fields_of("klok")


@pytest.mark.parametrize("field", ["record_id", "versie", "registratietijd"])
def test_what_stands_around_a_feit_is_explained(field: str) -> None:
    assert re.search(rf"^Around the feit stand .*`{field}`", GLOSSARY, re.MULTILINE)


def test_folders_that_the_glossary_names_exist() -> None:
    assert all((DOCS.parent / path).exists() for path in re.findall(r"`(schemas/[\w./]+)`", GLOSSARY))
