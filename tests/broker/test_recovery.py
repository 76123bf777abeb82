"""Restoring the state from a real changelog: complete, interrupted, resumed, and at a standstill."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from faust.types import TP

from schemas.catalogue import Catalogue
from streams.clients import Clients
from streams.engine import Engine
from streams.fetch import RunConsumer
from streams.partition import State
from streams.recovery import Progress, RecoveryError, restore
from streams.settings import EngineSettings
from streams.store import PartitionStore
from tests.node import fresh_node

PERSONS = 3_000
CHANGES = 2  # of each person; the last one counts
GONE = b"%052d" % 7  # of whom nothing is kept any more
APP = "herstel"
ROWS = PERSONS * CHANGES + 1


@pytest.fixture(scope="module")
def settings(brokers: str, catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineSettings]:
    """An engine with one partition, on whose changelog stands the state of many persons."""

    async def fill() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=brokers, linger_ms=5)
        await producer.start()
        for change in range(CHANGES):
            for number in range(PERSONS):
                await producer.send(f"{APP}-personen-changelog", b"state %d" % change, b"%052d" % number, partition=0)
        await producer.send(f"{APP}-personen-changelog", None, GONE, partition=0)
        await producer.stop()
        consumer = AIOKafkaConsumer("klok", bootstrap_servers=brokers, group_id="any")  # Kafka has no coordinator before its first group
        await consumer.start()
        await consumer.stop()

    data = tmp_path_factory.mktemp("herstel")
    with fresh_node(brokers, data, catalogue, partities=1, app=APP):
        asyncio.run(fill())
        yield EngineSettings(brokers, APP, 1, data)


class Slow(RunConsumer):
    """Kafka's own consumer, which hands out little at a time."""

    most = 100

    async def getmany(self, *_: Any, **__: Any) -> Any:
        await asyncio.sleep(0.02)
        return await super().getmany(timeout_ms=200, max_records=1)


class Dry(RunConsumer):
    """Kafka's own consumer, of which nothing comes."""

    async def getmany(self, *_: Any, **__: Any) -> Any:
        await asyncio.sleep(0.05)
        return {}


class Silent(AIOKafkaProducer):  # type: ignore[misc]  # aiokafka has no types
    """Kafka's own producer, to which no coordinator answers."""

    async def start(self) -> None:
        await asyncio.Event().wait()


async def restored(settings: EngineSettings, store: PartitionStore, clients: Clients = Clients()) -> Progress:  # noqa: B008 - frozen
    progress = Progress()
    await restore(settings, clients, 0, store, progress)
    return progress


def whole(store: PartitionStore) -> bool:
    wanted = {b"%052d" % n: b"state %d" % (CHANGES - 1) for n in range(PERSONS)}
    return store.rows == {k: v for k, v in wanted.items() if k != GONE}


async def test_the_last_row_of_each_persoon_is_what_stands(settings: EngineSettings) -> None:
    store = PartitionStore("")

    progress = await restored(settings, store)

    assert whole(store)
    assert (progress.rows, progress.percent) == (ROWS, 100)
    assert store.size == sum(len(k) + len(v) for k, v in store.rows.items())


async def test_what_was_restored_is_not_read_again(settings: EngineSettings) -> None:
    store = PartitionStore("")
    await restored(settings, store)
    assert (await restored(settings, store)).rows == 0
    assert whole(store)


async def test_an_interrupted_restoring_goes_on_where_it_was(settings: EngineSettings) -> None:
    store, progress = PartitionStore(""), Progress()
    first = asyncio.create_task(restore(settings, Clients(rows=Slow), 0, store, progress))
    while progress.percent < 20:  # noqa: ASYNC110 - nobody is told
        await asyncio.sleep(0.01)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert 0 < progress.percent < 100

    rest = await restored(settings, store)

    assert progress.rows + rest.rows == ROWS
    assert whole(store)


async def test_a_changelog_of_which_nothing_comes_ends_with_a_clear_message(settings: EngineSettings) -> None:
    with pytest.raises(RecoveryError, match=r"partition 0: nothing came of herstel-personen-changelog for 0.5 s, at 0 %"):
        await restored(replace(settings, stall_timeout=0.5), PartitionStore(""), Clients(rows=Dry))


async def test_partitions_that_are_taken_back_while_they_are_restored_are_given_up_at_once(
    settings: EngineSettings, catalogue: Catalogue
) -> None:
    engine = Engine(settings, catalogue, Clients(rows=Slow))
    ours = [TP(topic, 0) for topic in engine.topics]
    await engine.assigned(ours)
    async with asyncio.timeout(60):
        while not engine.partitions[0].progress.percent:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert not engine.is_ready
    assert (engine.held().partitions[State.RESTORING], engine.partitions[0].state) == (1, State.RESTORING)
    assert 0 < engine.held().restored < 1

    partition = engine.partitions[0]
    await engine.revoked()
    assert partition.progress.percent < 100, "it did not wait until all was read"

    await engine.assigned(ours)
    async with asyncio.timeout(60):
        await engine.ready.wait()
    assert whole(engine.partitions[0].store)
    assert engine.partitions[0].progress.begin > 0, "it went on where it was"
    await engine.revoked()
    assert not engine.failed.done()


@pytest.mark.parametrize(
    ("clients", "complaint"), [(Clients(rows=Dry), "nothing came"), (Clients(producer=Silent), "did not hand partition 0 over")]
)
async def test_a_partition_that_cannot_be_opened_ends_the_worker(
    settings: EngineSettings, catalogue: Catalogue, clients: Clients, complaint: str
) -> None:
    engine = Engine(replace(settings, stall_timeout=2), catalogue, clients)
    await engine.assigned([TP(topic, 0) for topic in engine.topics])
    with pytest.raises(RecoveryError, match=complaint):
        await engine.failed
    assert not engine.is_ready
    await engine.revoked()
