"""Sends mutaties to Kafka in batches, in bounded memory, and knows what has been acknowledged."""

import asyncio
from collections import deque
from typing import Any, Final, Self

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner

from schemas.cloudevents import Headers

_BATCH_BYTES: Final = 200_000
_OUTSTANDING: Final = 64  # batches that may wait for their acknowledgement


class MutatieProducer:
    """An idempotent producer for one bron. ``sent`` is numbered by the caller, e.g. with the line of a file."""

    def __init__(self, brokers: str) -> None:
        self._producer = AIOKafkaProducer(
            bootstrap_servers=brokers, enable_idempotence=True, compression_type="lz4", max_batch_size=_BATCH_BYTES, linger_ms=0
        )
        self._partitioner = DefaultPartitioner()
        self._partitions: dict[str, list[int]] = {}
        self._open: dict[tuple[str, int], tuple[int, Any]] = {}  # (topic, partition) → number of its first mutatie, batch
        self._flying: deque[tuple[int, asyncio.Future[Any]]] = deque()
        self._next = 0

    async def __aenter__(self) -> Self:
        """Connect; raises aiokafka's errors."""
        await self._producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect; what was not flushed may be lost."""
        await self._producer.stop()

    @property
    def acknowledged(self) -> int:
        """The number up to which, not including it, all that was sent is acknowledged."""
        waiting = [first for first, _ in self._open.values()] + [first for first, future in self._flying if not _stands(future)]
        return min(waiting, default=self._next)

    async def send(self, topic: str, persoon: str, value: bytes, headers: Headers, number: int) -> None:
        """Add a mutatie to its batch; waits while too many batches are on their way. Raises what a batch before it raised."""
        key = persoon.encode()
        partitions = self._partitions.get(topic)
        if partitions is None:
            partitions = self._partitions[topic] = sorted(await self._producer.partitions_for(topic))
        place = topic, self._partitioner(key, partitions, partitions)
        self._next = number + 1
        _, batch = self._open.get(place) or self._begin(place, number)
        if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
            await self._submit(place)
            _, batch = self._begin(place, number)
            batch.append(timestamp=None, key=key, value=value, headers=headers)

    async def flush(self) -> None:
        """Wait until all is acknowledged; raises what any batch raised."""
        for place in list(self._open):
            await self._submit(place)
        while self._flying:
            await self._flying[0][1]
            self._flying.popleft()

    def _begin(self, place: tuple[str, int], number: int) -> tuple[int, Any]:
        self._open[place] = (number, self._producer.create_batch())
        return self._open[place]

    async def _submit(self, place: tuple[str, int]) -> None:
        while len(self._flying) >= _OUTSTANDING:
            await self._flying[0][1]
            self._flying.popleft()
        first, batch = self._open[place]
        batch.close()
        self._flying.append((first, await self._producer.send_batch(batch, place[0], partition=place[1])))
        del self._open[place]


def _stands(future: "asyncio.Future[Any]") -> bool:
    return future.done() and not future.cancelled() and future.exception() is None
