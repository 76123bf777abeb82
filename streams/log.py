"""The log of one partition: its state is restored from there, and effects go there in transactions."""

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import zip_longest
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, ProducerFenced

from schemas.brokers import client_options
from streams.clients import AIOKAFKA, Clients, committed_offsets
from streams.crash_points import crash_point
from streams.effects import Effects, Encoded, Row, SourceOffsets
from streams.group import GroupOffsets
from streams.records import FinishedBatch
from streams.recovery import Progress, patience, restore
from streams.settings import EngineSettings
from streams.store import PartitionStore

_BATCH_BYTES = 1_000_000  # below the broker's message.max.bytes, also before compression
_REQUEST_BYTES = 8_388_608
_LARGE_BYTES = 65_536  # a fifth of a millisecond to compress: less is not worth the way to another thread
_CLOSE_SECONDS = 3.0
_MANY = 32  # partitions of a transaction


_Messages = Mapping[tuple[str, int], Iterable[Row | Encoded]]


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
        self._group = GroupOffsets({}, {}, settings.group_interval)
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
            known = await self._committed()
        taken = {(t, self._partition): store.meta.offsets.get(t, 0) for t in self._topics}
        self._group = GroupOffsets(known, taken, self._settings.group_interval)
        return dict(self._group.taken)

    async def commit(self, effects: Effects, store: PartitionStore, rows: list[Row | Encoded]) -> None:
        """Make the effects true in one transaction and then take them over into ``store``; ``rows`` are those of it, for the changelog.

        Raises NotTakenError or whatever aiokafka raises; then the log must be closed, and the next ``open`` finds out what stands.
        """
        changelog = (self._settings.changelog, self._partition)
        messages = effects.routed(self._settings.partities)
        messages[changelog] = rows
        position = await self._stand(messages, effects.offsets, self._group.due(effects.offsets, _now()))
        crash_point("after-commit")
        store.apply(effects)
        store.position = max(store.position, position)

    @property
    def group_is_behind(self) -> bool:
        """Whether the consumer group does not know yet how far the partition is."""
        return bool(self._group.behind)

    async def tell_group(self) -> None:
        """Tell the consumer group what it does not know yet, in a transaction of its own; raises as ``commit`` does."""
        if self.group_is_behind:
            crash_point("before-group")
            await self._stand({}, {}, self._group.behind)

    async def _stand(self, messages: _Messages, offsets: SourceOffsets, told: SourceOffsets) -> int:
        """A transaction within its time that takes up to ``offsets`` and tells the group ``told``; returns what ``_transact`` does."""
        try:
            async with asyncio.timeout(self._settings.commit_timeout):
                position = await self._transact(messages, told)
        except TimeoutError:
            seconds = self._settings.commit_timeout
            raise NotTakenError(f"Kafka did not take a transaction of partition {self._partition} within {seconds:g} s") from None
        self._group.stands(offsets, told, _now())
        return position

    async def _transact(self, messages: _Messages, told: SourceOffsets) -> int:
        """One transaction; returns an offset of the changelog below which all is true, 0 when nothing is written there.

        Nothing is aborted here: aiokafka would wait for a broker that may be gone, and whoever opens the log next does it.
        """
        assert self._producer is not None  # noqa: S101 - opened before
        batches = [(topic, partition, self._batches(found)) for (topic, partition), found in messages.items()]
        await _compress([batch for _, _, made in batches for batch in made])
        await self._producer.begin_transaction()
        crash_point("after-begin")
        sent = await self._send_ahead(batches[0]) if len(batches) > _MANY else []
        # One of each first: all partitions then join the transaction in one request, where aiokafka else sends one for each.
        rounds = zip_longest(*[[(topic, partition, b) for b in made] for topic, partition, made in batches])
        sent += await self._send(next(rounds, ()))
        telling = asyncio.create_task(self._tell(told))  # meanwhile; what is left waits until the first of its partition is on its way
        try:
            for each in rounds:
                sent += await self._send(each)
            crash_point("after-all-batches")
            await telling
        finally:
            telling.cancel()
            (answer,) = await asyncio.gather(telling, return_exceptions=True)  # when both fail, what is raised above says why
            if isinstance(answer, ProducerFenced):  # but for this, which is why the other fails
                raise answer
        crash_point("after-offsets")
        results = [await _acknowledged(topic, future) for topic, future in sent]
        crash_point("before-commit")
        await self._producer.commit_transaction()
        return max((int(r.offset) + 1 for r in results if r.topic == self._settings.changelog), default=0)

    async def _send_ahead(self, batches: tuple[str, int, list[Any]]) -> list[tuple[str, Awaitable[Any]]]:
        """The first of the batches alone, until Kafka has it: as long as the markers of the transaction before are not written, it refuses
        the next, and aiokafka asks again. With hundreds of partitions in each request that filled a core, which the markers then lacked."""
        topic, partition, made = batches
        sent = await self._send([(topic, partition, made.pop(0))])
        await _acknowledged(*sent[0])
        return sent

    async def _send(self, batches: Iterable[tuple[str, int, Any] | None]) -> list[tuple[str, Awaitable[Any]]]:
        sent = []
        for topic, partition, batch in filter(None, batches):
            sent.append((topic, await self._producer.send_batch(batch, topic, partition=partition)))
            crash_point("after-some-batches")
        return sent

    async def _tell(self, offsets: SourceOffsets) -> None:
        """Put the offsets of source topics into the transaction."""
        if offsets:
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
        """What the consumer group knows of this partition."""
        offsets = await committed_offsets(self._clients, self._settings.brokers, self._settings.toepassing)
        return {(tp.topic, tp.partition): o for tp, o in offsets.items() if tp.partition == self._partition and tp.topic in self._topics}


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _compress(batches: Iterable[Any]) -> None:
    """Compress batches that are large together on another thread: it needs no Python, and the loop goes on with other partitions."""
    finished = [batch for batch in batches if isinstance(batch, FinishedBatch)]
    if sum(batch.size() for batch in finished) > _LARGE_BYTES:
        await asyncio.to_thread(_compress_all, finished)


def _compress_all(batches: Iterable[FinishedBatch]) -> None:
    for batch in batches:
        batch.compress()


async def _acknowledged(topic: str, future: Awaitable[Any]) -> Any:  # noqa: ANN401 - aiokafka has no types
    try:
        return await future
    except ProducerFenced:
        raise
    except KafkaError as e:
        raise NotTakenError(f"Kafka refused what was sent to {topic}: {type(e).__name__}") from e
