"""In which order a transaction is sent to Kafka."""

import asyncio
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import IllegalOperation, ProducerFenced

from streams.clients import Clients
from streams.effects import Effects, Encoded
from streams.log import PartitionLog
from streams.records import FinishedBatch
from streams.settings import EngineSettings
from streams.store import PartitionStore

SETTINGS = EngineSettings("127.0.0.1:1", "x", 1, Path())


class Taking:
    """A producer whose Kafka takes a batch when it is asked to; it notes what was on its way at that moment."""

    def __init__(self) -> None:
        self.waiting: list[tuple[str, asyncio.Future[Any]]] = []
        self.taken: list[list[str]] = []

    async def begin_transaction(self) -> None:
        """Begin."""

    async def commit_transaction(self) -> None:
        """All must be taken before."""
        assert not self.waiting

    def create_batch(self) -> Any:
        return SimpleNamespace(append=lambda **_: True, close=lambda: None)

    async def send_batch(self, _: object, topic: str, *, partition: int) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.waiting.append((f"{topic}/{partition}", future))
        return future

    def take(self) -> None:
        """Take what is on its way."""
        waiting, self.waiting = self.waiting, []
        self.taken.append([place for place, _ in waiting])
        for place, future in waiting:
            future.set_result(SimpleNamespace(topic=place.partition("/")[0], offset=7))


@pytest.mark.parametrize(("ontvangers", "steps"), [(3, 1), (300, 2)])
async def test_a_transaction_to_many_topics_sends_one_batch_ahead(ontvangers: int, steps: int) -> None:
    """Kafka refuses it while it writes the markers of the one before: to ask that for hundreds of partitions costs a core."""
    kafka = Taking()
    log = PartitionLog(SETTINGS, 0, ["mutaties"], [], Clients())
    log._producer = kafka
    effects = Effects()
    for number in range(ontvangers):
        effects.send(f"signalen.{number}", 0, (b"k", b"v", []))
    committing = asyncio.create_task(log.commit(effects, PartitionStore("layout"), [(b"#partitie", b"{}", [])]))
    while not committing.done():
        await asyncio.sleep(0)
        if kafka.waiting:
            await asyncio.sleep(0.01)  # what else is on its way without waiting for it
            kafka.take()
    await committing
    assert len(kafka.taken) == steps
    assert len(kafka.taken[0]) == (1 if steps > 1 else ontvangers + 1)
    assert sorted(place for taken in kafka.taken for place in taken) == sorted(
        [*(f"signalen.{n}/0" for n in range(ontvangers)), "x-personen-changelog/0"]
    )


async def test_a_partition_that_was_taken_over_while_it_told_the_group_is_lost_and_has_not_failed() -> None:
    """What aiokafka says of the batch that is sent next, that there is no transaction, would end the whole worker."""

    class TakenOver(Taking):
        async def send_offsets_to_transaction(self, *_: object) -> None:
            raise ProducerFenced

        async def send_batch(self, _: object, topic: str, *, partition: int) -> asyncio.Future[Any]:
            if self.waiting:
                await asyncio.sleep(0)
                raise IllegalOperation
            return await super().send_batch(_, topic, partition=partition)

    log = PartitionLog(SETTINGS, 0, ["mutaties"], [], Clients())
    log._producer = TakenOver()
    messages: Any = {("signalen.a", 0): [Encoded(1, b""), Encoded(1, b"")]}
    with pytest.raises(ProducerFenced):
        await log._transact(messages, {("mutaties", 0): 1})


@pytest.mark.parametrize(
    ("sizes", "where"),
    [([200_000], [False]), ([600] * 400, [False] * 400), ([600] * 4, [])],
    ids=["one large one", "large together", "small together"],
)
async def test_batches_are_compressed_on_another_thread_before_the_transaction_begins(
    monkeypatch: pytest.MonkeyPatch, sizes: list[int], where: list[bool]
) -> None:
    """Meanwhile the loop works for other partitions; a few small ones are not worth the way, and an open transaction holds readers up."""
    compressed: list[bool] = []

    class Late(Taking):
        async def begin_transaction(self) -> None:
            assert compressed == where

    def compress(batch: FinishedBatch) -> None:
        assert batch.record_count() == 3
        compressed.append(threading.current_thread() is threading.main_thread())

    monkeypatch.setattr(FinishedBatch, "compress", compress)
    log = PartitionLog(SETTINGS, 0, ["mutaties"], [], Clients())
    log._producer = kafka = Late()
    messages: Any = {(f"signalen.{n}", 0): [Encoded(3, bytes(size))] for n, size in enumerate(sizes)}
    committing = asyncio.create_task(log._transact(messages, {}))
    while not committing.done():
        await asyncio.sleep(0)
        kafka.take()
    await committing
    assert compressed == where
