"""Reads partitions from where one was to where they end now, as one who reads committed sees them."""

import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from typing import Any, Final, NamedTuple, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.brokers import client_options

_TOGETHER: Final = 64  # partitions that are read at a time, each with a file open
_FETCH_BYTES: Final = 8_388_608  # the largest message that a topic takes
_STALL_SECONDS: Final = 60.0  # longer than an open transaction can hold up who reads committed


class StalledError(Exception):
    """A partition gives no more of what it should have; the text says which."""


class Span(NamedTuple):
    """What a partition has to read: offsets from ``start`` until before ``end``, of which it has lost those before ``begin``."""

    start: int
    begin: int
    end: int

    @property
    def first(self) -> int:
        """Where reading begins."""
        return max(self.start, self.begin)


class Taker(Protocol):
    """Takes the records of one partition."""

    def take(self, record: Any) -> None:  # noqa: ANN401 - aiokafka's ConsumerRecord
        """The next record."""

    def close(self) -> None:
        """All have come."""

    def abandon(self) -> None:
        """Reading has ended, whether all have come or not."""


class Committed:
    """Reads from a cluster; ``committed_of`` makes it."""

    def __init__(self, watcher: Any, consumer: Any) -> None:  # noqa: ANN401 - aiokafka has no types
        self._watcher, self._consumer = watcher, consumer

    async def topics(self) -> set[str]:
        """All topics of the cluster."""
        return set(await self._watcher.topics())

    async def spans(self, topics: Sequence[str], start_of: Callable[[str, int], int]) -> dict[TopicPartition, Span]:
        """What there is to read of each partition of ``topics``, when one has read it until ``start_of``."""
        if not topics:
            return {}
        await self._watcher._client.set_topics(topics)  # noqa: SLF001 - there is no public way to load metadata without a group
        tps = [TopicPartition(t, p) for t in topics for p in sorted(self._watcher.partitions_for_topic(t) or ())]
        # The high watermark: behind it may stand a transaction that is decided and not yet visible everywhere; reading waits for it.
        ends = await self._watcher.end_offsets(tps)
        begins = await self._watcher.beginning_offsets(tps)
        return {tp: Span(start_of(*tp), begins[tp], ends[tp]) for tp in tps}

    async def read(
        self,
        spans: Mapping[TopicPartition, Span],
        taker_of: Callable[[TopicPartition], Taker],
        told: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> None:
        """Give each partition's records to its taker; ``told`` hears how many offsets are done, and of how many. Raises StalledError."""
        todo = {tp: span for tp, span in spans.items() if span.first < span.end}
        of, done = sum(s.end - s.first for s in todo.values()), 0
        for some in _divided(list(todo)):
            with ExitStack() as stack:
                takers = {tp: taker_of(tp) for tp in some}
                for taker in takers.values():
                    stack.callback(taker.abandon)
                await self._read({tp: todo[tp] for tp in some}, takers)
            done += sum(todo[tp].end - todo[tp].first for tp in some)
            told(done, of)

    async def _read(self, spans: dict[TopicPartition, Span], takers: dict[TopicPartition, Taker]) -> None:
        consumer = self._consumer
        consumer.assign(list(spans))
        for tp, span in spans.items():
            consumer.seek(tp, span.first)
        waiting, moved = set(spans), time.monotonic()
        while waiting:
            for tp, records in (await consumer.getmany(timeout_ms=200)).items():
                moved = time.monotonic()
                for record in records:
                    if record.offset < spans[tp].end:
                        takers[tp].take(record)
            for tp in [tp for tp in waiting if await consumer.position(tp) >= spans[tp].end]:
                waiting.remove(tp)
                consumer.pause(tp)
                takers[tp].close()
                moved = time.monotonic()
            if time.monotonic() - moved > _STALL_SECONDS:
                tp = min(waiting)
                raise StalledError(f"{tp.topic}-{tp.partition}: nothing came for {_STALL_SECONDS:g} s, before offset {spans[tp].end}")


@asynccontextmanager
async def committed_of(brokers: str) -> AsyncIterator[Committed]:
    """Connects; raises aiokafka's errors."""
    async with _consumer(brokers, "read_uncommitted") as watcher, _consumer(brokers, "read_committed") as consumer:
        yield Committed(watcher, consumer)


@asynccontextmanager
async def _consumer(brokers: str, isolation: str) -> AsyncIterator[Any]:
    consumer = AIOKafkaConsumer(
        **client_options(brokers), isolation_level=isolation, enable_auto_commit=False, max_partition_fetch_bytes=_FETCH_BYTES
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


def _divided(tps: list[TopicPartition]) -> Iterator[list[TopicPartition]]:
    for i in range(0, len(tps), _TOGETHER):
        yield tps[i : i + _TOGETHER]
