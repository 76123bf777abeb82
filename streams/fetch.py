"""What a fetch brought goes on as bytes, in runs: aiokafka's fetcher, with its own unpacking of records left out.

aiokafka has no place where this could be said: its fetcher makes the reader of what came, and the reader is put in the place of that.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.structs import TopicPartition

from streams.records import Batch, Run, batches

_MESSAGE_SET: Final = -1  # among what a fetch's answer says of a partition


def fetch_runs(consumer: Any, most: int, pause: float = 0.0) -> None:  # noqa: ANN401 - aiokafka has no types
    """From now on ``consumer``, which has started and has no partitions yet, gives runs of at most ``most`` records and one batch.

    ``pause``: seconds that lie between two fetches of one broker at least.
    """
    fetcher = consumer._fetcher  # noqa: SLF001
    fetcher._client = tapped = _Tapped(fetcher._client, pause, fetcher._records)  # noqa: SLF001
    process = fetcher._proc_fetch_request  # noqa: SLF001

    async def processed(assignment: Any, node: int, request: Any) -> bool:  # noqa: ANN401
        try:
            woken: bool = await process(assignment, node, request)
            for tp, data in tapped.answered(request):
                result = fetcher._records.get(tp)  # noqa: SLF001
                if type(result) is FetchResult and not isinstance(result._partition_records, _Runs):  # noqa: SLF001
                    result._partition_records = _Runs(data, result._partition_records, most)  # noqa: SLF001
            return woken
        finally:
            tapped.forget(request)  # also when a rebalance cancels the fetch

    fetcher._proc_fetch_request = processed  # noqa: SLF001


class RunConsumer(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka has no types
    """aiokafka's consumer; ``getmany`` gives runs of at most ``most`` records."""

    most = 50_000  # so many that most keys of a log which was not cleaned up come more than once

    async def start(self) -> None:
        """Connect; raises KafkaError."""
        await super().start()
        fetch_runs(self, self.most)


def held(consumer: Any, partitions: Iterable[TopicPartition]) -> None:  # noqa: ANN401 - aiokafka has no types
    """What was fetched of these stays for now; aiokafka would put the fetch of all others off, as for what is about to be taken."""
    fetcher = consumer._fetcher  # noqa: SLF001
    for tp in partitions:
        result = fetcher._records.get(tp)  # noqa: SLF001
        if result is not None and result.calculate_backoff():
            result._backoff = 0  # noqa: SLF001
            fetcher._notify(fetcher._wait_consume_future)  # noqa: SLF001


class _Tapped:
    """aiokafka's client; keeps the answers to fetches until their work is done, and says how long each may wait."""

    def __init__(self, client: Any, pause: float, waiting: Mapping[TopicPartition, Any]) -> None:  # noqa: ANN401
        self._client = client
        self._pause = pause
        self._waiting = waiting  # partition → what was fetched of it and not taken yet
        self._fetched: dict[Any, float] = {}  # broker → when it was last asked
        self._answers: dict[int, Any] = {}

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._client, name)

    async def send(self, node: int, request: Any) -> Any:  # noqa: ANN401
        """Send a request; the answer to a fetch is kept."""
        if not isinstance(request, FetchRequest):
            return await self._client.send(node, request)
        await asyncio.sleep(self._fetched.get(node, 0.0) + self._pause - time.monotonic())
        if self._pause and self._waiting:  # partitions that it leaves out: until it is answered nothing more of them can be fetched
            request._max_wait_ms = min(request._max_wait_ms, int(1000 * self._pause))  # noqa: SLF001
        self._fetched[node] = time.monotonic()
        self._answers[id(request)] = response = await self._client.send(node, request)
        return response

    def answered(self, request: Any) -> Iterator[tuple[TopicPartition, bytes]]:  # noqa: ANN401
        """What the answer to ``request`` brought of each partition."""
        response = self._answers.get(id(request))
        if response is not None:
            for topic, partitions in response.topics:
                for partition, *rest in partitions:
                    yield TopicPartition(topic, partition), rest[_MESSAGE_SET]

    def forget(self, request: Any) -> None:  # noqa: ANN401
        """Its answer is needed no more."""
        self._answers.pop(id(request), None)


class _Runs:
    """Gives runs where aiokafka gives records; ``next_fetch_offset`` is what it asks for beside them."""

    def __init__(self, data: bytes, records: Any, most: int) -> None:  # noqa: ANN401
        self.next_fetch_offset: int = records.next_fetch_offset
        self._most = most
        aborted, check = records._aborted_transactions, records._check_crcs  # noqa: SLF001
        self._batches = batches(data, self.next_fetch_offset, aborted, most, check=check)

    def __iter__(self) -> "_Runs":
        return self

    def __next__(self) -> Run:
        found: list[Batch] = []
        start, records = self.next_fetch_offset, 0
        for batch, following in self._batches:
            self.next_fetch_offset = max(following, self.next_fetch_offset)
            if batch is not None:
                found.append(batch)
                records += batch.count
                if records >= self._most:
                    break
        if not found:
            raise StopIteration
        return Run(found, max(start, found[0].base_offset))
