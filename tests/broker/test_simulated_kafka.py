"""The simulated Kafka does what the real one does, as far as the engine can see: the same story on both leaves the same behind."""

import asyncio
from random import Random
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import ProducerFenced

from schemas.catalogue import Catalogue
from streams.clients import AIOKAFKA, Clients
from tests.simulation.folding import watching
from tests.simulation.kafka import TP, Cluster, Identity, NotYetError, Session, Transaction
from tests.simulation.process import Process

LOG, SOURCE, GROUP = "simulated-log", "simulated-source", "simulated-group"
PLACE = TopicPartition(LOG, 0)


class Story:
    """Producers of two transactional ids at work on one log."""

    def __init__(self, clients: Clients, brokers: str) -> None:
        self._clients = clients
        self._brokers = brokers
        self.seen: list[Any] = []

    async def tell(self) -> list[Any]:
        """What was seen after each chapter."""
        first = await self._producer("one")
        await self._write(first, b"a", source=1)
        await first.commit_transaction()
        await self._look("a commit makes rows and offsets true; its marker takes an offset")

        await self._write(first, b"b", source=2)
        second = await self._producer("one")
        await self._look("a new producer of the same name aborts what the old one left open")
        self.seen.append(await self._fenced(first))
        await self._look("the old one is fenced, and changes nothing")

        await self._write(second, b"c", source=3)
        other = await self._producer("other")
        await self._write(other, b"d", source=None)
        await second.commit_transaction()
        await self._look("behind a transaction that is still open nothing is visible, committed or not")
        await other.abort_transaction()
        await self._look("an abort opens the view again")
        for producer in (first, second, other):
            await producer.stop()
        return self.seen

    async def _producer(self, name: str) -> Any:
        producer = self._clients.producer(
            bootstrap_servers=self._brokers, transactional_id=f"simulated-{name}", transaction_timeout_ms=60_000, linger_ms=0
        )
        await producer.start()
        return producer

    async def _write(self, producer: Any, value: bytes, source: int | None) -> None:
        await producer.begin_transaction()
        batch = producer.create_batch()
        for key in (b"1", b"2"):
            batch.append(timestamp=None, key=key, value=value, headers=[])
        batch.close()
        await (await producer.send_batch(batch, LOG, partition=0))
        if source is not None:
            await producer.send_offsets_to_transaction({TopicPartition(SOURCE, 0): source}, GROUP)

    async def _fenced(self, producer: Any) -> str:
        try:
            await producer.commit_transaction()
        except ProducerFenced:
            return "fenced"
        return "not fenced"

    async def _look(self, chapter: str) -> None:
        admin = self._clients.admin(bootstrap_servers=self._brokers)
        await admin.start()
        try:
            offsets = {tp.topic: meta.offset for tp, meta in (await admin.list_consumer_group_offsets(GROUP)).items()}
        finally:
            await admin.close()
        self.seen.append((chapter, offsets, await self._read("read_committed"), await self._read("read_uncommitted")))

    async def _read(self, isolation: str) -> tuple[int, list[tuple[int, bytes]]]:
        consumer = self._clients.consumer(bootstrap_servers=self._brokers, isolation_level=isolation, enable_auto_commit=False)
        await consumer.start()
        try:
            consumer.assign([PLACE])
            end, found = (await consumer.end_offsets([PLACE]))[PLACE], []
            consumer.seek(PLACE, 0)
            while await consumer.position(PLACE) < end:
                found += [(r.offset, r.value) for r in (await consumer.getmany(timeout_ms=200)).get(PLACE, [])]
            return end, found
        finally:
            await consumer.stop()


async def _on_kafka(brokers: str) -> list[Any]:
    admin = AIOKafkaAdminClient(bootstrap_servers=brokers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 1, 1) for name in (LOG, SOURCE)])
    finally:
        await admin.close()
    return await Story(AIOKAFKA, brokers).tell()


def _simulated(catalogue: Catalogue) -> list[Any]:
    """Every request arrives at once, and markers follow at once."""
    cluster = Cluster()
    with watching():
        process = Process("w1", cluster, catalogue, Random(1))
    telling = process.loop.create_task(Story(process.clients, "").tell())
    process.loop.run()
    while not telling.done():
        for request in list(process.requests):
            try:
                request.result = request.apply()
            except NotYetError:
                continue
            except ProducerFenced as e:
                request.error = e
            process.answer(request)
        for transaction in list(cluster.unmarked):
            for tp in sorted(transaction.left):
                cluster.mark(transaction, tp)
    process.kill()
    return telling.result()


@pytest.fixture(scope="module")
def real(brokers: str) -> list[Any]:
    """What was seen of Kafka itself."""
    return asyncio.run(_on_kafka(brokers))


def test_the_simulated_kafka_leaves_behind_what_the_real_one_does(real: list[Any], catalogue: Catalogue) -> None:
    assert _simulated(catalogue) == real
    assert "fenced" in real
    assert len(real) == 6, "all chapters were told"


def _all_is_stable(self: Cluster, tp: TP) -> int:
    return self.ends[tp]


def _nobody_is_fenced(self: Cluster, session: Session) -> Identity:
    return self.identities[session.name]


def _markers_take_no_offset(self: Cluster, transaction: Transaction, tp: TP) -> None:
    end = self.ends[tp]
    _mark(self, transaction, tp)
    self.ends[tp] = end


_mark = Cluster.mark


@pytest.mark.parametrize(
    ("method", "planted"), [("stable", _all_is_stable), ("_current", _nobody_is_fenced), ("mark", _markers_take_no_offset)]
)
def test_a_simulated_kafka_that_does_otherwise_is_told_from_the_real_one(
    real: list[Any], catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, method: str, planted: Any
) -> None:
    monkeypatch.setattr(Cluster, method, planted)
    assert _simulated(catalogue) != real
