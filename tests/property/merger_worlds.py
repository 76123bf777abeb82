"""Small worlds in which gemeenten end: mutaties and ticks around the days on which they do, and the truth worked out from the days."""

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.catalogue import Catalogue
from schemas.codec import decode_signaal
from schemas.values import Basissignaal, Signaal
from streams.encoded import rows_in
from streams.fold import Folder
from streams.native.build import LIBRARY
from streams.store import PartitionStore
from tests.property import basis_worlds, worlds
from tests.property.basis_worlds import PERSOON, Event, Tick, delivered, events, iso, newest
from tests.property.kerns import Both, folders_of
from tests.property.worlds import BASIS, FIRST, Told

FEIT = "duo.studiefinanciering"
ENDS = {"gm0014": (FIRST + 5, "gm0599"), "gm0599": (FIRST + 15, "gm0363"), "gm0034": (FIRST + 10, None)}  # a chain, and one that is divided


def catalogue_in(folder: Path, ends: dict[str, tuple[int, str | None]] = ENDS) -> Catalogue:
    """The published catalogue in which some gemeenten end."""
    for path, data in Catalogue.load().bestanden.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    rows = [row for row in yaml.safe_load((folder / "ontvangers.yaml").read_text()) if "tot" not in row]
    by_id = {row["id"]: row for row in rows}
    for ontvanger, (day, opvolger) in ends.items():
        by_id[ontvanger] |= {"tot": iso(day)} | ({} if opvolger is None else {"opgegaan_in": opvolger})
    (folder / "ontvangers.yaml").write_text(yaml.safe_dump(rows))
    return Catalogue.load(folder)


@cache
def merging() -> Catalogue:
    """That of these worlds."""
    with TemporaryDirectory() as folder:
        return catalogue_in(Path(folder))


@cache
def _folders(library: Path) -> tuple[Folder, Folder]:
    return folders_of(merging(), library)


class Merging(Both):
    """Both cores under that catalogue."""

    def __init__(self, library: Path = LIBRARY) -> None:
        super().__init__(0)
        self.native, self.python = _folders(library)
        self.store = PartitionStore(self.python.rulebook.layout)


@st.composite
def mergers(draw: st.DrawFn, ticks: int = 4) -> list[Event]:
    """Events of which some basisfeiten are those of a gemeente that is divided."""
    divided = draw(st.booleans())
    return [_of_divided(e) if divided else e for e in draw(events((BASIS, FEIT), ticks))]


def _of_divided(event: Event) -> Event:
    if isinstance(event, Tick) or event.mutatie.feit is None or event.mutatie.feit.get("houder") != "gm0363":
        return event
    return Told(event.soort, replace(event.mutatie, feit={**event.mutatie.feit, "houder": "gm0034"}))


def told_by(engine: Both, transactions: Iterable[Sequence[Event]], persoon: bytes = PERSOON) -> list[tuple[str, bytes]]:
    """All that is said because of some transactions, in order."""
    found: list[tuple[str, bytes]] = []
    for together in transactions:
        effects = engine.take([delivered(e, persoon) for e in together])
        found += [(t, v) for (t, _), rows in effects.messages.items() if t.startswith("signalen.") for _, v, _ in rows_in(rows) if v]
    return found


Live = set[tuple[Any, ...]]


def live(messages: Iterable[tuple[str, bytes]]) -> Live:
    """What the ontvangers hold in the end."""
    said = [(topic, decode_signaal(value)) for topic, value in messages]
    assert all(topic == f"signalen.{s.ontvanger}" for topic, s in said)
    pairs = worlds.live([s for _, s in said if isinstance(s, Signaal)])
    return pairs | basis_worlds.live([(topic, value) for topic, value in messages if isinstance(decode_signaal(value), Basissignaal)])


def told_on(houder: str, day: int | None) -> str | None:
    """Who is told of a basisfeit of ``houder`` on the day of the klok."""
    wie: str | None = houder
    while wie in ENDS and day is not None and ENDS[wie][0] <= day:
        wie = ENDS[wie][1]
    return wie


def truth(told: Sequence[Event]) -> Live:
    """What the days say, each with whom it is to be told on that of the klok."""
    _, klok = newest(told)
    of_pairs = [t for t in told if isinstance(t, Told) and t.soort in {BASIS, FEIT}]
    pairs = worlds.truth(of_pairs, worlds.PUBLISHED, lambda houder: told_on(houder, klok))
    found = [(0, pair) for pair in pairs] + [(1, alone) for alone in basis_worlds.truth(told)]
    addressed = [(at, told_on(row[at], klok), row) for at, row in found]
    return {(*row[:at], wie, *row[at + 1 :]) for at, wie, row in addressed if wie is not None}
