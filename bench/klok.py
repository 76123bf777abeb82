"""One tick of the klok over many persons: its CPU time when those are due whom a day makes due, and when everybody is;
of a rule that time alone makes true, and of what is kept for a bewaartermijn.

./.venv/bin/python -m bench.klok --persons 400000
"""

import time
from collections.abc import Callable
from typing import Annotated, Any, Final
from uuid import UUID

import typer

from schemas.catalogue import Catalogue
from schemas.codec import Codec
from streams.fold import Folder
from streams.records import SourceRecord, run_of
from streams.store import PartitionStore

FIRST: Final = 20_454  # 2026-01-01
_OF_23: Final = 8_401  # days in 23 years


class Ticking:
    """One partition of a catalogue."""

    def __init__(self) -> None:
        self.catalogue = Catalogue.load()
        self.folder, self.codec = Folder(self.catalogue, "samenloop"), Codec(self.catalogue)
        self.store = PartitionStore(self.folder.rulebook.layout)

    def passes(self, name: str, day: int) -> None:
        """A tick, and what it takes."""
        begin = time.process_time()
        value = self.codec.encode(self.catalogue.latest_schema("klok").id, {"datum": day})
        effects = self.folder.fold(self.store, 0, [("klok", run_of([SourceRecord(None, value, day)]))])
        self.store.apply(effects)
        spent, rows = time.process_time() - begin, len(effects.changes)
        typer.echo(f"{name:30} {spent:8.3f} s of CPU, {rows:9,} rows, {len(effects.announced):9,} signals, {effects.erased:9,} erased")

    def fill(self, soort: str, persons: int, feit_of: Callable[[int], dict[str, Any]]) -> None:
        """A record of each persoon."""
        topic = f"mutaties.{soort}"
        schema, records = self.catalogue.latest_schema(topic).id, []
        for n in range(persons):
            value = {"record_id": str(UUID(int=n)), "versie": 1, "registratietijd": FIRST * 86_400_000, "feit": feit_of(n)}
            records.append(SourceRecord(_key(n), self.codec.encode(schema, value), n))
        for begin in range(0, persons, 10_000):
            self.store.apply(self.folder.fold(self.store, 0, [(topic, run_of(records[begin : begin + 10_000]))]))


def bench(persons: Annotated[int, typer.Option(help="All of one partition.")] = 400_000) -> None:
    """A day before anybody is due, a plain day of a year, the others at once: of who turns 23, and of whose bijstand ended."""
    young = Ticking()
    young.passes("the first tick", FIRST)
    begun = {"begindatum": FIRST - 300, "houder": "gm0363"}
    own = {"einddatum": None, "kenmerk": "RMC-1"}
    young.fill("gemeente.jongere", persons, lambda n: {**begun, **own, "geboortedatum": FIRST - _OF_23 + 2 + n % 365})
    typer.echo(f"{young.store.persons:,} persons, {len(young.store.due(FIRST + 366)):,} due within a year")
    young.passes("a day on which nobody is due", FIRST + 1)
    young.passes("a plain day", FIRST + 2)
    young.passes("the rest of the year at once", FIRST + 366)
    ended = Ticking()
    ended.passes("the first tick", FIRST)
    own = {"kenmerk": "PW-1", "wet": "PARTICIPATIEWET"}
    ended.fill("gemeente.bijstand", persons, lambda n: {**begun, **own, "einddatum": FIRST + 2 + n % 365})
    job = {
        "begindatum": FIRST,
        "einddatum": None,
        "loonheffingennummer": "123456789L01",
        "ikv_nummer": 1,
        "soort_inkomstenverhouding": "15",
    }
    ended.fill("uwv.inkomstenverhouding", persons, lambda _: job)
    over = FIRST + ended.folder.rulebook.bewaren
    ended.passes("a day on which nobody is due", FIRST + 1)
    ended.passes("everybody is looked at", over + 1)
    ended.passes("a plain day", over + 3)
    ended.passes("the rest of the year at once", over + 368)
    typer.echo(f"{len(ended.store.rows):,} rows are left")


def _key(n: int) -> bytes:
    """A pseudonym."""
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return bytes(letters[n >> 5 * i & 31] for i in range(6)) + b"A" * 46


if __name__ == "__main__":
    typer.run(bench)
