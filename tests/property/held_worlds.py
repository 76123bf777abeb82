"""Small worlds with a bron whose records are held: mutaties that were registered on some days, ticks, and what the days say."""

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import strategies as st
from msgspec.structs import replace

from bench.catalogues import job_catalogue
from schemas.catalogue import Catalogue
from schemas.codec import Codec, decode_signaal
from schemas.values import Signaal
from streams.encoded import rows_in
from streams.fold import Folder
from streams.native.build import LIBRARY
from streams.store import PartitionStore
from tests.property import worlds
from tests.property.basis_worlds import KLOK, PERSOON, Event, Tick
from tests.property.kerns import PARTITION, Both, Delivered, folders_of
from tests.property.number_worlds import PARTITIES, Net
from tests.property.worlds import BASIS, FIRST, HORIZON, Told, deliveries

HELD, WAIT, DAY_MS = "duo.studiefinanciering", 5, 86_400_000


def catalogue_in(folder: Path, wait: str = f"P{WAIT}D") -> Catalogue:
    """The job of the comparison, in which what DUO registers is held."""
    made = job_catalogue(folder)
    bronnen = made / "bronnen.yaml"
    lines = [line.replace("}", f", aanhouden: {wait}}}") if "id: duo" in line else line for line in bronnen.read_text().splitlines()]
    bronnen.write_text("\n".join(lines) + "\n")
    return Catalogue.load(made)


@cache
def holding() -> Catalogue:
    """That of these worlds."""
    with TemporaryDirectory() as folder:
        return catalogue_in(Path(folder))


@cache
def _folders(library: Path) -> tuple[Folder, Folder]:
    return folders_of(holding(), library)


class Holding(Both):
    """Both cores under that catalogue."""

    def __init__(self, library: Path = LIBRARY, partition: int = PARTITION) -> None:
        super().__init__(0, partition=partition)
        self.native, self.python = _folders(library)
        self.store = PartitionStore(self.python.rulebook.layout)


class HoldingNet(Net):
    """Workers of all partitions, between which numbers change, under that catalogue."""

    def __init__(self) -> None:
        super().__init__()
        self.engines = [Holding(partition=p) for p in range(PARTITIES)]


@st.composite
def waiting(draw: st.DrawFn, ticks: int = 4) -> list[Event]:
    """Mutaties that were registered on days of their own, and ticks around the days on which they are let go."""
    told: list[Event] = []
    days: dict[tuple[str, str, int], int] = {}
    for t in draw(deliveries(HELD)):
        name = t.soort, t.mutatie.record_id, t.mutatie.versie
        day = days.setdefault(name, draw(st.integers(FIRST, HORIZON)))
        told.append(Told(t.soort, replace(t.mutatie, registratietijd=day * DAY_MS + draw(st.sampled_from((0, DAY_MS - 1))))))
    told += [Tick(day) for day in draw(st.lists(st.integers(FIRST - 2, HORIZON + WAIT + 2), max_size=ticks))]
    return draw(st.permutations(told))


@cache
def _codec() -> Codec:
    return Codec(holding())


def delivered(event: Event, persoon: bytes = PERSOON) -> Delivered:
    """An event as it stands on the log."""
    if isinstance(event, Tick):
        return Delivered(KLOK, None, _codec().encode(holding().latest_schema(KLOK).id, {"datum": event.day}))
    topic, m = f"mutaties.{event.soort}", event.mutatie
    value = {"record_id": m.record_id, "versie": m.versie, "registratietijd": m.registratietijd, "feit": m.feit}
    return Delivered(topic, persoon, _codec().encode(holding().latest_schema(topic).id, value))


def told_by(engine: Both, transactions: Iterable[Sequence[Event]]) -> list[bytes]:
    """All that is said because of some transactions, in order."""
    found: list[bytes] = []
    for together in transactions:
        effects = engine.take([delivered(e) for e in together])
        found += [v for (t, _), rows in effects.messages.items() if t.startswith("signalen.") for _, v, _ in rows_in(rows) if v]
    return found


def live(messages: Iterable[bytes]) -> worlds.Live:
    """What the ontvangers hold in the end."""
    return worlds.live([s for value in messages if isinstance(s := decode_signaal(value), Signaal)])


def truth(told: Iterable[Event]) -> worlds.Live:
    """What the days say of those records whose days of waiting are over."""
    events = list(told)
    klok = max((e.day for e in events if isinstance(e, Tick)), default=None)
    records = [e for e in events if isinstance(e, Told)]
    first = {
        name: min(t.mutatie.registratietijd // DAY_MS for t in records if t.mutatie.record_id == name)
        for name in {t.mutatie.record_id for t in records if t.soort != BASIS}
    }
    free = {name for name, day in first.items() if klok is not None and klok - day >= WAIT}
    return worlds.truth(t for t in records if t.soort == BASIS or t.mutatie.record_id in free)
