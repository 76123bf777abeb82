"""The core that the partitions of a worker use in turn."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from streams import folding as module
from streams.effects import Effects, Row
from streams.encoded import rows_in
from streams.folding import Folding
from streams.records import Run, SourceRecord, run_of
from streams.store import PartitionStore

TOPIC = "mutaties.uwv.uitkering"


class Core:
    """A Folder that does what it is told while it has the core; ``at_work`` counts who has it."""

    def __init__(self, meanwhile: Callable[[], Any]) -> None:
        self._meanwhile = meanwhile
        self.at_work = self.most_at_work = 0
        self.threads: list[threading.Thread] = []

    def fold(self, *_: object) -> Effects:
        self.at_work += 1
        self.most_at_work = max(self.at_work, self.most_at_work)
        self.threads.append(threading.current_thread())
        self._meanwhile()
        self.at_work -= 1
        return Effects(changes={b"persoon": b"row"})

    def finished(self, rows: Mapping[bytes, bytes | None]) -> list[Row]:
        return [(key, row, []) for key, row in rows.items()]


def frame(records: int) -> tuple[str, Run]:
    return TOPIC, run_of([SourceRecord(b"", b"", n) for n in range(records)])


def folding(core: Core) -> Folding:
    return Folding(core)  # type: ignore[arg-type]


async def test_the_loop_goes_on_while_many_records_are_folded() -> None:
    loop, passed = asyncio.get_running_loop(), threading.Event()

    def wait_for_the_loop() -> None:
        loop.call_soon_threadsafe(passed.set)
        assert passed.wait(30)

    folded = await folding(Core(wait_for_the_loop)).fold(PartitionStore("layout"), 0, [frame(1_500), frame(1_500)])
    assert folded.effects.changes == {b"persoon": b"row"}
    assert [key for key, _, _ in rows_in(folded.rows)] == [b"persoon", b"#partitie"]


async def test_a_few_records_are_folded_without_the_way_to_a_thread() -> None:
    core = Core(lambda: None)
    await folding(core).fold(PartitionStore("layout"), 0, [frame(10)])
    assert core.threads == [threading.current_thread()]


async def test_partitions_have_the_core_one_after_the_other_also_when_one_is_cancelled() -> None:
    """It has one memory: two at once would mix what they say of their personen."""
    loop, begun, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def wait() -> None:
        loop.call_soon_threadsafe(begun.set)
        assert go_on.wait(30)

    core = Core(wait)
    shared = folding(core)
    first = asyncio.create_task(shared.fold(PartitionStore("layout"), 0, [frame(2_000)]))
    await begun.wait()
    others = [asyncio.create_task(shared.fold(PartitionStore("layout"), n, [frame(size)])) for n, size in ((1, 2_000), (2, 1))]
    first.cancel()
    await asyncio.sleep(0.05)
    assert core.at_work == len(core.threads) == 1
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await first
    await asyncio.gather(*others)
    assert len(core.threads) == 3
    assert core.most_at_work == 1


async def test_the_time_of_a_fold_is_not_that_of_the_folds_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all folds together it says what a mutatie costs."""
    now, left = 0.0, [5.0, 1.0]

    def work() -> None:
        nonlocal now
        now += left.pop(0)

    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now))
    shared = folding(Core(work))
    both = await asyncio.gather(*[shared.fold(PartitionStore("layout"), n, [frame(2_000)]) for n in range(2)])
    assert [folded.seconds for folded in both] == [5.0, 1.0]


async def test_what_the_core_raises_comes_to_the_partition() -> None:
    def fail() -> None:
        raise ValueError("not readable")

    for records in (1, 2_000):
        with pytest.raises(ValueError, match="not readable"):
            await folding(Core(fail)).fold(PartitionStore("layout"), 0, [frame(records)])
