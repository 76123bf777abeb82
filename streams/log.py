"""The log of one partition: its state is restored from there, and effects go there in transactions."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import zip_longest
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, ProducerFenced

from schemas.brokers import client_options
from streams.clients import AIOKAFKA, Clients, committed_offsets
from streams.crash_points import crash_point
from streams.effects import Effects, Encoded, Row, SourceOffsets
from streams.records import FinishedBatch
from streams.recovery import Progress, patience, restore
from streams.settings import EngineSettings
from streams.store import PartitionStore

_BATCH_BYTES = 1_000_000  # below the broker's message.max.bytes, also before compression
_REQUEST_BYTES = 8_388_608
_CLOSE_SECONDS = 3.0


Finished = Callable[[Mapping[bytes, bytes | None]], list[Row | Encoded]]


class NotTakenError(Exception):
    """Kafka did not take what a transaction sends; the text says what and why, without data of a record."""


class PartitionLog:
    """Owns the transactional producer of one partition.

    Opening fences whoever had the partition before, so that nothing of theirs can be added behind what is restored.
    """

    def __init__(
        self, settings: EngineSettings, partition: int, topics: Sequence[str], outputs: Iterable[str], clients: Clients = AIOKAFKA
    ) -> None:
        self._settings = settings
        self._partition = partition
        self._topics = topics
        self._outputs = list(outputs)
        self._clients = clients
        self._producer: Any = None
        self.progress = Progress()

    async def open(self, store: PartitionStore) -> SourceOffsets:
        """Fence, bring ``store`` up to date, and return where each source topic must be read from."""
        self._producer = self._clients.producer(
            **client_options(self._settings.brokers),
            transactional_id=self._settings.transactional_id(self._partition),
            transaction_timeout_ms=int(self._settings.transaction_timeout * 1000),
            max_batch_size=_BATCH_BYTES,
            max_request_size=_REQUEST_BYTES,
            compression_type="zstd",
            linger_ms=0,
        )
        async with patience(self._settings, f"Kafka did not hand partition {self._partition} over"):
            await self._producer.start()
            # One metadata request for all outputs: the first send to each of 700 topics took 58 s without it.
            await self._producer.client.set_topics([*self._outputs, *self._settings.own])
        await restore(self._settings, self._clients, self._partition, store, self.progress)
        async with patience(self._settings, f"Kafka did not say how far partition {self._partition} is"):
            return await self._committed()

    async def commit(self, effects: Effects, store: PartitionStore, finished: Finished) -> None:
        """Make the effects true in one transaction and then take them over into ``store``; ``finished`` makes messages of its rows.

        Raises NotTakenError or whatever aiokafka raises; then the log must be closed, and the next ``open`` finds out what stands.
        """
        changelog = (self._settings.changelog, self._partition)
        messages = effects.routed(self._settings.partities)
        messages[changelog] = finished(store.rows_of(effects))
        try:
            async with asyncio.timeout(self._settings.commit_timeout):
                position = await self._transact(messages, effects.offsets)
        except TimeoutError:
            seconds = self._settings.commit_timeout
            raise NotTakenError(f"Kafka did not take a transaction of partition {self._partition} within {seconds:g} s") from None
        crash_point("after-commit")
        store.apply(effects)
        store.position = max(store.position, position)

    async def _transact(self, messages: Mapping[tuple[str, int], Iterable[Row | Encoded]], offsets: SourceOffsets) -> int:
        """One transaction; returns an offset of the changelog below which all is true.

        Nothing is aborted here: aiokafka would wait for a broker that may be gone, and whoever opens the log next does it.
        """
        assert self._producer is not None  # noqa: S101 - opened before
        await self._producer.begin_transaction()
        crash_point("after-begin")
        batches = [(topic, partition, self._batches(found)) for (topic, partition), found in messages.items()]
        # One of each first: all partitions then join the transaction in one request, where aiokafka else sends one for each.
        first, *later = zip_longest(*[[(topic, partition, b) for b in made] for topic, partition, made in batches])
        sent = await self._send(first)
        told = asyncio.create_task(self._tell(offsets))  # meanwhile; what is left waits until the first of its partition is on its way
        try:
            for each in later:
                sent += await self._send(each)
            crash_point("after-all-batches")
            await told
        finally:
            told.cancel()
            await asyncio.gather(told, return_exceptions=True)  # when both fail, what is raised above says why
        crash_point("after-offsets")
        results = [await _acknowledged(topic, future) for topic, future in sent]
        crash_point("before-commit")
        await self._producer.commit_transaction()
        return max(int(r.offset) + 1 for r in results if r.topic == self._settings.changelog)

    async def _send(self, batches: Iterable[tuple[str, int, Any] | None]) -> list[tuple[str, Awaitable[Any]]]:
        sent = []
        for topic, partition, batch in filter(None, batches):
            sent.append((topic, await self._producer.send_batch(batch, topic, partition=partition)))
            crash_point("after-some-batches")
        return sent

    async def _tell(self, offsets: SourceOffsets) -> None:
        """Put the offsets of the source topics into the transaction."""
        await self._producer.send_offsets_to_transaction(
            {TopicPartition(t, p): o for (t, p), o in offsets.items()}, self._settings.toepassing
        )

    async def close(self) -> None:
        """Give the producer up; an open transaction is left to the next owner, who aborts it."""
        if self._producer is not None:
            producer, self._producer = self._producer, None
            with suppress(TimeoutError):  # aiokafka would try for ever to send what is left to a broker that is gone
                await asyncio.wait_for(producer.stop(), _CLOSE_SECONDS)

    def _batches(self, messages: Iterable[Row | Encoded]) -> list[Any]:
        assert self._producer is not None  # noqa: S101
        batches: list[Any] = []
        for message in messages:
            if isinstance(message, Encoded):
                batches.append(FinishedBatch(message))
                continue
            key, value, headers = message
            if not batches or batches[-1].append(timestamp=None, key=key, value=value, headers=headers) is None:
                batches.append(self._producer.create_batch())
                batches[-1].append(timestamp=None, key=key, value=value, headers=headers)
        for full in batches:
            full.close()
        return batches

    async def _committed(self) -> SourceOffsets:
        offsets = await committed_offsets(self._clients, self._settings.brokers, self._settings.toepassing)
        return {(t, self._partition): offsets.get(TopicPartition(t, self._partition), 0) for t in self._topics}


async def _acknowledged(topic: str, future: Awaitable[Any]) -> Any:  # noqa: ANN401 - aiokafka has no types
    try:
        return await future
    except ProducerFenced:
        raise
    except KafkaError as e:
        raise NotTakenError(f"Kafka refused what was sent to {topic}: {type(e).__name__}") from e
