"""docs/wire.md gives the limits and the retention that the contract has."""

import re
from pathlib import Path

import pytest

from schemas.catalogue import Catalogue, Topic
from schemas.codec import MAX_MUTATIE

DOCS = Path(__file__).parents[2] / "docs"
CATALOGUE = Catalogue.load()
WIRE = (DOCS / "wire.md").read_text(encoding="utf-8")
LIST = [t for t in CATALOGUE.topics.values() if not t.topic.startswith("mutaties.")]


def rows(page: str) -> list[tuple[str, ...]]:
    """The rows of all tables on a page."""
    return [
        tuple(cell.strip() for cell in line.strip("| ").split(" | "))
        for line in page.splitlines()
        if line.startswith("| ") and not line.startswith("| ---")
    ]


@pytest.mark.parametrize("topic", LIST, ids=lambda t: t.topic)
def test_the_wire_page_says_how_long_a_topic_is_kept(topic: Topic) -> None:
    (row,) = [r for r in rows(WIRE) if r[0].startswith(f"`{topic.topic}`")]
    months = re.fullmatch(r"P([0-9]+)M", topic.bewaartermijn or "")
    kept = "compacted" if months is None else f"{months[1]} month"
    assert row[3].startswith(kept)


def test_the_wire_page_says_how_long_mutaties_are_kept() -> None:
    assert {t.bewaartermijn for t in CATALOGUE.mutatie_topics.values()} == {"P15M"}
    assert next(r for r in rows(WIRE) if r[0] == "`mutaties.<bron>.<soort>`")[3] == "15 months"


def test_the_wire_page_gives_the_limit_of_a_mutatie() -> None:
    assert f"{MAX_MUTATIE:,} bytes" in WIRE


def test_links_and_folders_on_the_wire_page_exist() -> None:
    assert all((DOCS / link).exists() for link in re.findall(r"\]\(([^)#:]+)\)", WIRE))
    assert all((DOCS.parent / path).exists() for path in re.findall(r"`(schemas/[\w./]+)`", WIRE))
