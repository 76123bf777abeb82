"""What a followed persoon costs in memory."""

import gc
import tracemalloc
from pathlib import Path
from uuid import UUID

from bench.catalogues import job_catalogue
from schemas.catalogue import Catalogue
from schemas.values import Mutatie, Place
from streams.core.rulebook import rulebook_of
from streams.core.step import step
from streams.core.timeline import timeline_of
from streams.effects import Effects
from streams.store import PartitionStore

PERSONS, RECORDS = 2_000, 20


def _state(catalogue: Catalogue, number: int) -> bytes:
    """A benefit and nineteen wages that overlap it, each with a live signaal, and the volgverzoeken."""
    rules, timeline = rulebook_of(catalogue), timeline_of(b"", lambda _: None)
    bijstand = {"begindatum": 19_000, "einddatum": None, "houder": "gm0363", "kenmerk": f"PW-2026-{number:06d}", "wet": "IOAW"}
    wage = {"loonheffingennummer": f"{number:09d}L01", "ikv_nummer": 1, "tijdvak": "MAAND", "loon_sv": 210_000, "verloonde_uren": 140}
    for i in range(RECORDS):
        feit = bijstand if i == 0 else {**wage, "begindatum": 19_000 + 30 * i, "einddatum": 19_029 + 30 * i}
        topic = "mutaties.gemeente.bijstand" if i == 0 else "mutaties.uwv.inkomstenopgave"
        mutatie = Mutatie(str(UUID(int=number * 1000 + i)), 1, 1_760_000_000_000, feit)
        timeline = step(rules, timeline, rules.by_topic[topic], mutatie, Place(topic, 0, 70_000 + i), None).timeline
    (state,) = timeline.rows().values()
    assert state is not None
    return state


def test_a_followed_persoon_with_twenty_records_takes_at_most_1200_bytes(tmp_path: Path) -> None:
    one = _state(Catalogue.load(job_catalogue(tmp_path)), 7)
    store = PartitionStore("")
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    store.apply(Effects(changes={f"{i:052d}".encode(): bytes(bytearray(one)) for i in range(PERSONS)}))
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown / PERSONS <= 1_200
