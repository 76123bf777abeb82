"""One partition at work, where what surrounds it does not do as it should."""

import asyncio
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from schemas.catalogue import Catalogue
from schemas.quarantine import QUARANTAINE
from streams.effects import Effects
from streams.fold import Folder
from streams.folding import Folding
from streams.metrics import Metrics
from streams.partition import Partition, State
from streams.records import Batch, Run, SourceRecord, run_of
from streams.recovery import Progress
from streams.settings import EngineSettings
from streams.store import PartitionStore

SETTINGS = EngineSettings("127.0.0.1:1", "x", 1, Path(), kern="python")
TOPIC = "mutaties.uwv.uitkering"


class Log:
    """A Kafka that takes everything."""

    group_is_behind = False
    progress = Progress()

    def __init__(self, catalogue: Catalogue) -> None:
        self.taken: list[Effects] = []
        self.begun, self.committed = asyncio.Event(), asyncio.Event()
        self._topics = [f"mutaties.{s}" for s in catalogue.mutatie_topics]

    async def open(self, _: PartitionStore) -> dict[tuple[str, int], int]:
        await self.begun.wait()
        return {(topic, 0): 0 for topic in self._topics}

    async def commit(self, effects: Effects, *_: Any) -> None:
        self.taken.append(effects)
        self.committed.set()

    async def tell_group(self) -> None: ...

    async def close(self) -> None: ...


class Owner:
    """A worker that notes what a partition met."""

    transaction_records = 40_000

    def __init__(self, catalogue: Catalogue) -> None:
        self.metrics = Metrics([TOPIC], catalogue.diensten, lambda: None)  # type: ignore[arg-type, return-value]
        self.failed: list[Exception] = []
        self.end = 0  # of the log

    def opened(self) -> None: ...

    def records_behind(self, _topic: str, _partition: int, offset: int) -> int:
        return max(0, self.end - offset)

    def fail(self, error: Exception) -> None:
        self.failed.append(error)


def a_run(first: int, behind: int) -> Run:
    """Records that go to quarantine."""
    return run_of([SourceRecord(b"no pseudonym", b"no mutatie", n) for n in range(first, behind)])


async def turns() -> None:
    """Let the partition do what it can do by now."""
    for _ in range(20):
        await asyncio.sleep(0)


def a_partition(catalogue: Catalogue, log: Any, settings: EngineSettings = SETTINGS) -> tuple[Partition, Owner]:
    folder, owner = Folder(catalogue, "x", "python"), Owner(catalogue)
    return Partition(0, settings, Folding(folder), PartitionStore(folder.rulebook.layout), log, owner), owner


async def test_frames_that_overlap_are_taken_once(catalogue: Catalogue) -> None:
    """Before its partitions stand where they must be read from, a worker may have fetched what comes again behind it."""
    log = Log(catalogue)
    partition, owner = a_partition(catalogue, log)
    for first, behind in ((0, 4), (0, 6), (2, 3)):
        await partition.offer(TOPIC, a_run(first, behind))
    log.begun.set()
    await log.committed.wait()
    await partition.close()
    (effects,) = log.taken
    assert len(effects.messages[QUARANTAINE, 0]) == 6
    assert effects.offsets[TOPIC, 0] == 6
    assert owner.failed == []


async def test_frames_of_which_all_is_done_lead_to_no_transaction(catalogue: Catalogue) -> None:
    log = Log(catalogue)
    log.begun.set()
    partition, _ = a_partition(catalogue, log)
    for first, behind in ((0, 4), (0, 4), (4, 5)):
        await partition.offer(TOPIC, a_run(first, behind))
        await turns()
    await partition.close()
    assert [effects.offsets[TOPIC, 0] for effects in log.taken] == [4, 5]


@pytest.mark.parametrize(
    ("frame", "left", "transactions"),
    [(99, 1, [101]), (99, 12, [112]), (99, 13, [100, 113]), (99, 99, [100, 199]), (99, 100, [200]), (100, 1, [100, 101])],
)
async def test_a_transaction_waits_for_more_than_a_frame_and_a_large_one_for_the_little_that_is_left(
    catalogue: Catalogue, frame: int, left: int, transactions: list[int]
) -> None:
    assert await taken_by(catalogue, replace(SETTINGS, frame_records=frame, linger=60), left, arrives=True) == transactions


async def test_what_is_said_to_be_left_and_does_not_come_is_waited_for_a_moment_only(catalogue: Catalogue) -> None:
    """Behind the last record of a log a marker may stand, which is no record."""
    assert await taken_by(catalogue, replace(SETTINGS, frame_records=99, linger=0.01), 1, arrives=False) == [100]


async def taken_by(catalogue: Catalogue, settings: EngineSettings, left: int, *, arrives: bool) -> list[int]:
    """How far each transaction came, of a frame of 100 records and then of one of those that were left in the log."""
    log = Log(catalogue)
    log.begun.set()
    partition, owner = a_partition(catalogue, log, settings)
    owner.end = 100 + left
    for first, behind in ((0, 100), (100, 100 + left))[: 1 + arrives]:
        await partition.offer(TOPIC, a_run(first, behind))
        await turns()
    if not arrives:
        await log.committed.wait()
    await partition.close()
    return [effects.offsets[TOPIC, 0] for effects in log.taken]


async def test_a_partition_whose_restoring_was_cancelled_by_a_library_ends_its_worker(catalogue: Catalogue) -> None:
    """It would stand still for ever, and nobody would know."""

    async def cancelled(_: PartitionStore) -> None:
        raise asyncio.CancelledError

    partition, owner = a_partition(catalogue, SimpleNamespace(open=cancelled, close=Log(catalogue).close, progress=Progress()))
    with pytest.raises(asyncio.CancelledError):
        await partition._task
    assert partition.state is State.LOST
    assert len(owner.failed) == 1


async def test_a_partition_that_is_given_up_while_it_is_restored_is_no_failure(catalogue: Catalogue) -> None:
    partition, owner = a_partition(catalogue, Log(catalogue))
    await asyncio.sleep(0)
    await partition.close()
    assert owner.failed == []


async def test_a_batch_that_breaks_kafkas_format_is_named_with_its_place(catalogue: Catalogue) -> None:
    log = Log(catalogue)
    log.begun.set()
    partition, owner = a_partition(catalogue, log)
    await partition.offer(TOPIC, Run([Batch(7, 1, bytes([100, 0, 0]), 7)], 7))
    await partition._task
    assert [str(e) for e in owner.failed] == [f"{TOPIC}-0: [Error 2] CorruptRecordException: a record of the batch at offset 7 is cut off"]
    assert log.taken == []
