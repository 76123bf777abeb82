"""Sends mutaties to Kafka in batches, in bounded memory and time, and knows what has been acknowledged."""

import asyncio
from collections import deque
from typing import Any, Final, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError

from schemas.brokers import client_options
from schemas.cloudevents import Headers
from schemas.partitioner import partition_of

_BATCH_BYTES: Final = 200_000
_REQUEST_SECONDS: Final = 40.0  # aiokafka's own; after it a batch is given up, although the broker may come back within our patience
_ASK_AGAIN_SECONDS: Final = 0.2
_OUTSTANDING: Final = 64  # batches that may wait for their acknowledgement


class TopicMissingError(Exception):
    """Kafka has no such topic; the text names it."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"Kafka has no topic {topic}")


class MutatieProducer:
    """An idempotent producer for one bron. What is sent is numbered by the caller, rising, e.g. with the line of a file.

    ``patience``: seconds without an acknowledgement after which Kafka counts as gone; aiokafka itself would try for ever.
    """

    def __init__(self, brokers: str, *, patience: float = 60) -> None:
        self._producer = AIOKafkaProducer(
            **client_options(brokers),
            enable_idempotence=True,
            compression_type="zstd",
            max_batch_size=_BATCH_BYTES,
            linger_ms=0,
            request_timeout_ms=int(1000 * max(patience, _REQUEST_SECONDS)),
        )
        self._brokers = brokers
        self._patience = patience
        self._partitions: dict[str, int] = {}  # topic → how many it has
        self._open: dict[tuple[str, int], tuple[int, Any]] = {}  # (topic, partition) → number of its first mutatie, batch
        self._flying: deque[tuple[int, asyncio.Future[Any]]] = deque()
        self._next = 0

    async def __aenter__(self) -> Self:
        """Connect; raises KafkaError."""
        try:
            await self._producer.start()
        except BaseException:
            await self._give_up()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Disconnect; after an error at once, and then what was not acknowledged may be lost."""
        if kind is None:
            await self._producer.stop()
        else:
            await self._give_up()

    async def _give_up(self) -> None:
        """Close without aiokafka's flush, which would wait as long as Kafka takes nothing. It has no public way to do so."""
        self._producer._closed = True  # noqa: SLF001
        await self._producer._sender.close()  # noqa: SLF001
        await self._producer.client.close()

    @property
    def acknowledged(self) -> int:
        """The number up to which, not including it, all that was sent is acknowledged."""
        waiting = [first for first, _ in self._open.values()] + [first for first, future in self._flying if not _stands(future)]
        return min(waiting, default=self._next)

    async def require(self, topic: str) -> None:
        """Learn the partitions of ``topic``.

        Raises TopicMissingError at once where ``send`` would wait for it to appear, and KafkaTimeoutError when no broker answers.
        """
        if topic not in self._partitions:
            there = await self._within(self._topics())
            if not there.partitions_for_topic(topic):
                raise TopicMissingError(topic)
            self._partitions[topic] = len(await self._producer.partitions_for(topic))

    async def _topics(self) -> Any:  # noqa: ANN401 - aiokafka has no types
        """What topics there are. While a broker is away aiokafka waits for all else, but not for this."""
        while True:
            try:
                return await self._producer.client.fetch_all_metadata()
            except KafkaError:
                await asyncio.sleep(_ASK_AGAIN_SECONDS)

    async def send(self, topic: str, key: str, value: bytes, headers: Headers, number: int) -> None:
        """Add a mutatie to its batch; waits while too many batches are on their way.

        Raises TopicMissingError, and KafkaError for this batch or one before it.
        """
        name = key.encode()
        partitions = self._partitions.get(topic)
        if partitions is None:
            await self.require(topic)
            partitions = self._partitions[topic]
        place = topic, partition_of(name, partitions)
        self._next = number + 1
        _, batch = self._open.get(place) or self._begin(place, number)
        if batch.append(timestamp=None, key=name, value=value, headers=headers) is None:
            await self._submit(place)
            _, batch = self._begin(place, number)
            batch.append(timestamp=None, key=name, value=value, headers=headers)

    async def flush(self) -> None:
        """Wait until all is acknowledged; raises KafkaError."""
        for place in list(self._open):
            await self._submit(place)
        while self._flying:
            await self._land()

    def _begin(self, place: tuple[str, int], number: int) -> tuple[int, Any]:
        self._open[place] = (number, self._producer.create_batch())
        return self._open[place]

    async def _submit(self, place: tuple[str, int]) -> None:
        while len(self._flying) >= _OUTSTANDING:
            await self._land()
        first, batch = self._open[place]
        batch.close()
        future = await self._within(self._producer.send_batch(batch, place[0], partition=place[1]))
        self._flying.append((first, future))
        del self._open[place]

    async def _land(self) -> None:
        """Wait for the oldest batch."""
        await self._within(asyncio.shield(self._flying[0][1]))
        self._flying.popleft()

    async def _within(self, work: Any) -> Any:  # noqa: ANN401 - aiokafka has no types
        try:
            return await asyncio.wait_for(work, self._patience)
        except TimeoutError as e:
            raise KafkaTimeoutError(f"{self._brokers} did not acknowledge for {self._patience:g} s") from e


def _stands(future: "asyncio.Future[Any]") -> bool:
    return future.done() and not future.cancelled() and future.exception() is None
