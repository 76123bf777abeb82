"""Memory of the state of a persoon with twenty records: what the engine's own store takes, counted by Python's allocator."""

import gc
import tracemalloc
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from bench.fill import Encoder
from bench.machine import commit
from bench.results import State, now
from schemas.catalogue import Catalogue
from streams.effects import Effects
from streams.fold import Folder
from streams.records import Run, SourceRecord, run_of
from streams.store import PartitionStore

RECORDS: Final = 20


def state(catalogue: Catalogue, persons: int = 2_000) -> State:
    """A benefit and nineteen wages that overlap it a person, each wage with a signal that stands, and the volgverzoeken."""
    folder, encoder, rows = Folder(catalogue, "samenloop"), Encoder(catalogue), dict[bytes, bytes | None]()
    for number in range(persons):
        rows |= folder.fold(PartitionStore(folder.rulebook.layout), 0, _frames(encoder, number)).changes
    store = PartitionStore(folder.rulebook.layout)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    # Copies, as if they had been read from Kafka: what the fold still holds of them must not count as somebody else's.
    store.apply(Effects(changes={bytes(bytearray(k)): bytes(bytearray(v or b"")) for k, v in rows.items()}))
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return State(now(), commit(), RECORDS, round(grown / persons))


def _frames(encoder: Encoder, number: int) -> Iterator[tuple[str, Run]]:
    bijstand = {"houder": "gm0363", "kenmerk": f"PW-2026-{number:06d}", "wet": "PARTICIPATIEWET"}
    wage = {"loonheffingennummer": f"{number:09d}L01", "ikv_nummer": 1, "tijdvak": "MAAND", "loon_sv": 210_000, "verloonde_uren": 140}
    for i in range(RECORDS):
        soort = "uwv.inkomstenopgave" if i else "gemeente.bijstand"
        feit = {"begindatum": f"{2020 + i // 12}-{i % 12 + 1:02}-01", "einddatum": f"{2020 + i // 12}-{i % 12 + 1:02}-28", **wage}
        line = {
            "bsn": f"{number:09d}",
            "record_id": str(UUID(int=number * 1000 + i)),
            "versie": 1,
            "registratietijd": "2026-01-31T09:00:00.000Z",
            "feit": feit if i else {"begindatum": "2020-01-01", "einddatum": None, **bijstand},
        }
        record = encoder.encode((soort, line))
        yield record.topic, run_of([SourceRecord(record.key.encode(), record.value, 70_000 + i)])
