"""One tick of the klok over many persons: its CPU time when those are due whom a day makes due, and when everybody is.

./.venv/bin/python -m bench.klok --persons 400000
"""

import time
from typing import Annotated, Final
from uuid import UUID

import typer

from schemas.catalogue import Catalogue
from schemas.codec import Codec
from streams.effects import Effects
from streams.fold import Folder
from streams.records import SourceRecord, run_of
from streams.store import PartitionStore

FIRST: Final = 20_454  # 2026-01-01
_OF_23: Final = 8_401  # days in 23 years


def bench(persons: Annotated[int, typer.Option(help="All of one partition.")] = 400_000) -> None:
    """Persons on the list of a gemeente who turn 23 on any day of a year: a day before anybody does, a plain day, the others at once."""
    catalogue = Catalogue.load()
    folder, codec = Folder(catalogue, "samenloop"), Codec(catalogue)
    store = PartitionStore(folder.rulebook.layout)
    tick = catalogue.latest_schema("klok").id

    def passes(day: int) -> tuple[float, Effects]:
        begin = time.process_time()
        value = codec.encode(tick, {"datum": day})
        effects = folder.fold(store, 0, [("klok", run_of([SourceRecord(None, value, day)]))])
        store.apply(effects)
        return time.process_time() - begin, effects

    passes(FIRST)
    _fill(folder, codec, store, catalogue.latest_schema("mutaties.gemeente.jongere").id, persons)
    typer.echo(f"{store.persons:,} persons, {len(store.due(FIRST + 366)):,} due within a year")
    for name, day in (
        ("a day on which nobody is due", FIRST + 1),
        ("a plain day", FIRST + 2),
        ("the rest of the year at once", FIRST + 366),
    ):
        spent, effects = passes(day)
        rows = len(effects.changes)
        typer.echo(f"{name:30} {spent:8.3f} s of CPU, {rows:9,} rows, {len(effects.announced):9,} signals")


def _fill(folder: Folder, codec: Codec, store: PartitionStore, schema: int, persons: int) -> None:
    records = []
    for n in range(persons):
        born = FIRST - _OF_23 + 2 + n % 365
        feit = {"begindatum": FIRST - 300, "einddatum": None, "houder": "gm0363", "kenmerk": f"RMC-{n}", "geboortedatum": born}
        value = {"record_id": str(UUID(int=n)), "versie": 1, "registratietijd": FIRST * 86_400_000, "feit": feit}
        records.append(SourceRecord(_key(n), codec.encode(schema, value), n))
    for begin in range(0, persons, 10_000):
        store.apply(folder.fold(store, 0, [("mutaties.gemeente.jongere", run_of(records[begin : begin + 10_000]))]))


def _key(n: int) -> bytes:
    """A pseudonym."""
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return bytes(letters[n >> 5 * i & 31] for i in range(6)) + b"A" * 46


if __name__ == "__main__":
    typer.run(bench)
