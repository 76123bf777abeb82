"""How much work a mutatie is, counted in calls and bytes and never in time: it must not grow with what is already known of a persoon."""

import gc
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any
from uuid import UUID

import pytest

from schemas.catalogue import Catalogue
from schemas.codec import Codec
from streams.core import page
from streams.core.period import iso_day
from streams.fold import Folder
from streams.records import Run, SourceRecord, run_of
from streams.settings import KernChoice
from streams.store import PartitionStore

PERSOON = b"A" * 52
BIJSTAND = {"begindatum": 19_000, "einddatum": None, "houder": "gm0363", "kenmerk": "PW-2026-000001", "wet": "IOAW"}
WAGE = {"loonheffingennummer": "123456789L01", "ikv_nummer": 1, "tijdvak": "MAAND", "loon_sv": 210_000, "verloonde_uren": 140}
HEAVY = 5_000
MOST_CALLS = 158  # unpacking included


class Bench:
    """A fold over one persoon."""

    def __init__(self, catalogue: Catalogue, kern: KernChoice = "python") -> None:
        iso_day.cache_clear()  # which days it knows depends on the tests before this one
        self.folder, self.codec = Folder(catalogue, "bench", kern), Codec(catalogue)
        self.store = PartitionStore(self.folder.rulebook.layout)
        self.schemas = {s: catalogue.latest_schema(f"mutaties.{s}").id for s in catalogue.mutatie_topics}
        self.tell("gemeente.bijstand", [(0, 1, BIJSTAND)])

    def wages(self, first: int, number: int) -> list[tuple[int, int, Any]]:
        """Wages of consecutive months, all of them under the bijstand."""
        return [
            (i, 1, WAGE | {"begindatum": 19_000 + 30 * (i % 90), "einddatum": 19_029 + 30 * (i % 90)}) for i in range(first, first + number)
        ]

    def tell(self, soort: str, told: list[tuple[int, int, Any]]) -> dict[bytes, bytes | None]:
        """Fold versions of records into the store; the rows that are written."""
        return self._take(soort, self._run(soort, told))

    def _run(self, soort: str, told: list[tuple[int, int, Any]]) -> Run:
        return run_of([SourceRecord(PERSOON, self._wire(soort, *one), i) for i, one in enumerate(told)])

    def _take(self, soort: str, run: Run) -> dict[bytes, bytes | None]:
        effects = self.folder.fold(self.store, 0, [(f"mutaties.{soort}", run)])
        self.store.apply(effects)
        return effects.changes

    def _wire(self, soort: str, number: int, versie: int, feit: Any) -> bytes:
        value = {"record_id": str(UUID(int=number * 7919)), "versie": versie, "registratietijd": 1_760_000_000_000, "feit": feit}
        return self.codec.encode(self.schemas[soort], value)

    def calls(self, first: int) -> float:
        """Calls of functions, Python's and others, for one more new wage in a frame; wages from ``first`` on must be new."""
        soort = "uwv.inkomstenopgave"
        some, more = self._run(soort, self.wages(first, 4)), self._run(soort, self.wages(first + 4, 14))
        return (counted(lambda: self._take(soort, more)) - counted(lambda: self._take(soort, some))) / 10


def counted(work: Callable[[], object]) -> int:
    """How many calls ``work`` makes."""
    calls = 0

    def seen(_: FrameType, event: str, __: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    gc.disable()  # Hypothesis has callbacks of the collector, which would be counted
    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(None)
        gc.enable()
    return calls


@pytest.fixture
def bench(job: Catalogue) -> Bench:
    return Bench(job)


def test_a_mutatie_takes_no_more_calls_than_it_did(bench: Bench) -> None:
    bench.tell("uwv.inkomstenopgave", bench.wages(1, 3))
    assert bench.calls(100) <= MOST_CALLS


def test_a_mutatie_takes_the_native_core_no_call_of_python(catalogue: Catalogue) -> None:
    bench = Bench(catalogue, "native")
    if bench.folder.kern == "python":
        pytest.skip(bench.folder.without_kern)
    bench.tell("uwv.inkomstenopgave", bench.wages(1, 3))
    assert bench.calls(100) <= 1


def _every_feit_unpacked(self: page.Page, soort: Any, name: bytes) -> Any:
    return next((r for r in self.of(soort) if r.name == name), None)


def _whole_page_packed(self: page.Page, soort: Any, record: Any) -> page.Page:
    packed = page.Page()
    for other in (*self.of(soort), record):
        packed = PUT(packed, soort, other)
    return packed


PUT = page.Page.put
PLANTED = {"find": _every_feit_unpacked, "put": _whole_page_packed}


@pytest.mark.parametrize("slowdown", PLANTED)
def test_a_planted_slowdown_is_seen(bench: Bench, monkeypatch: pytest.MonkeyPatch, slowdown: str) -> None:
    bench.tell("uwv.inkomstenopgave", bench.wages(1, 3))
    monkeypatch.setattr(page.Page, slowdown, PLANTED[slowdown])
    assert bench.calls(100) > MOST_CALLS


def test_a_wage_of_a_persoon_with_thousands_is_no_more_work_than_of_one_with_twenty(bench: Bench) -> None:
    bench.tell("uwv.inkomstenopgave", bench.wages(1, 3))
    light = bench.calls(50)
    for first in range(100, HEAVY, 500):
        bench.tell("uwv.inkomstenopgave", bench.wages(first, 500))
    heavy = bench.calls(HEAVY + 600)
    assert heavy <= 1.5 * light
    written = bench.tell("uwv.inkomstenopgave", bench.wages(HEAVY + 700, 1))
    assert sum(len(row or b"") for row in written.values()) <= 1_200
    assert len(bench.store.rows) > HEAVY / 24


def test_a_new_kenmerk_costs_as_much_as_it_has_signals_to_send(bench: Bench) -> None:
    calls = []
    for known in (10, 20, 40):
        bench.tell("uwv.inkomstenopgave", bench.wages(known, known))
        calls.append(counted(lambda: bench.tell("gemeente.bijstand", [(0, known, BIJSTAND | {"kenmerk": f"PW-{known}"})])))  # noqa: B023
    ten, thirty, seventy = calls
    assert thirty <= 4 * ten
    assert seventy <= 9 * ten
