"""aiokafka's clients as the engine uses them, on the simulated cluster: the scheduler lets each request arrive and be answered."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition
from aiokafka.errors import ProducerFenced

from streams.clients import Clients
from streams.encoded import rows_in
from streams.records import FinishedBatch, run_of
from tests.simulation.kafka import TP, Row, Session

if TYPE_CHECKING:
    from tests.simulation.process import Process

_BATCH_ROWS = 3  # so small that most transactions take several batches


@dataclass(eq=False)
class Request:
    """Something on its way to the broker, or back."""

    what: str
    apply: Callable[[], Any]
    future: "asyncio.Future[Any]"
    lane: object = None  # requests of one lane arrive in the order in which they were sent
    by_engine: bool = True  # and not by Faust
    arrives: int = 0  # at the earliest, counted in events
    answered: int = 0
    arrived: bool = False
    result: Any = None
    error: Exception | None = None


class Batch(list[Row]):
    """A batch under construction."""

    def append(self, *, timestamp: int | None, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]) -> object:  # type: ignore[override]
        if len(self) >= _BATCH_ROWS:
            return None
        super().append((key, value, headers))
        return self

    def close(self) -> None:
        """Nothing more will be appended."""


class Done:
    """Something to await that is done already."""

    def __await__(self) -> Iterator[None]:
        return iter(())


class Producer:
    """A transactional producer with aiokafka's manners: fenced once is fenced for ever; a rejected batch alone fails no commit."""

    def __init__(self, process: "Process", **options: Any) -> None:
        self._process = process
        self._name = options["transactional_id"]
        self._timeout = options["transaction_timeout_ms"] / 1000
        self._session: Session | None = None
        self._sent: list[asyncio.Future[Any]] = []
        self._open = False
        self._fatal: Exception | None = None
        self.client = self

    async def set_topics(self, topics: list[str]) -> None:
        """Metadata is always at hand."""

    async def start(self) -> None:
        cluster, process = self._process.cluster, self._process
        self._session = await process.call("init", lambda: cluster.init(self._name, process.name, self._timeout))

    def stop(self) -> "Done":
        """What is on its way stays so."""
        return Done()

    def create_batch(self) -> Batch:
        return Batch()

    async def send_batch(self, batch: Batch | FinishedBatch, topic: str, *, partition: int) -> "asyncio.Future[Any]":
        assert self._open
        tp, rows = (topic, partition), list(rows_in([batch.records]) if isinstance(batch, FinishedBatch) else batch)
        frames = self._process.frames_of(partition) if topic == self._process.engine.settings.changelog else ()

        def apply() -> Any:
            return SimpleNamespace(topic=topic, partition=partition, offset=self._cluster.produce(self._known, tp, rows, frames))

        future = self._process.call(f"produce {topic}", apply, lane=(self, tp))
        future.add_done_callback(self._settled)
        self._sent.append(future)
        return future

    async def send_offsets_to_transaction(self, offsets: dict[TopicPartition, int], group_id: str) -> None:
        assert self._open
        plain = {(tp.topic, tp.partition): o for tp, o in offsets.items()}
        await self._ask("offsets", lambda: self._cluster.add_offsets(self._known, plain))

    async def begin_transaction(self) -> None:
        if self._fatal is not None:
            raise self._fatal
        assert not self._open
        self._open, self._sent = True, []

    async def commit_transaction(self) -> None:
        if self._sent:
            await asyncio.wait(self._sent)
        if self._fatal is not None:
            raise self._fatal
        await self._ask("commit", lambda: self._cluster.end(self._known, committed=True))
        self._open = False

    async def abort_transaction(self) -> None:
        await self._ask("abort", lambda: self._cluster.end(self._known, committed=False))
        self._open = False

    async def _ask(self, what: str, apply: Callable[[], Any]) -> None:
        future = self._process.call(what, apply)
        future.add_done_callback(self._settled)
        await future

    def _settled(self, future: "asyncio.Future[Any]") -> None:
        error = None if future.cancelled() else future.exception()
        if isinstance(error, ProducerFenced):
            self._fatal = error

    @property
    def _cluster(self) -> Any:
        return self._process.cluster

    @property
    def _known(self) -> Session:
        assert self._session is not None
        return self._session


class Consumer:
    """A consumer of one assigned partition, as recovery uses it."""

    def __init__(self, process: "Process", **options: Any) -> None:
        self._process = process
        self._committed = options["isolation_level"] == "read_committed"
        self._positions: dict[TP, int] = {}

    async def start(self) -> None:
        """Nothing to connect to."""

    async def stop(self) -> None:
        """Nothing to let go of."""

    def assign(self, tps: list[TopicPartition]) -> None:
        self._positions = {(tp.topic, tp.partition): 0 for tp in tps}

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self._positions[tp.topic, tp.partition] = offset

    async def position(self, tp: TopicPartition) -> int:
        return self._positions[tp.topic, tp.partition]

    async def end_offsets(self, tps: list[TopicPartition]) -> dict[TopicPartition, int]:
        return await self._process.call("ends", lambda: {tp: self._end((tp.topic, tp.partition)) for tp in tps})

    async def beginning_offsets(self, tps: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(tps, 0)

    async def getmany(self, *, timeout_ms: int, max_records: int | None = None) -> dict[TopicPartition, list[Any]]:
        return await self._process.call("restore", self._fetch)

    def _end(self, tp: TP) -> int:
        cluster = self._process.cluster
        return cluster.stable(tp) if self._committed else cluster.ends[tp]

    def _fetch(self) -> dict[TopicPartition, list[Any]]:
        found = {}
        for tp, start in self._positions.items():
            run = list(self._process.cluster.read(tp, start, committed=self._committed))
            size = self._process.draw.randint(1, 12)
            self._positions[tp] = run[size].offset if len(run) > size else self._end(tp)
            if run:
                found[TopicPartition(*tp)] = run[:size]
        return found


class RowsConsumer(Consumer):
    """The same, giving runs."""

    async def getmany(self, *, timeout_ms: int, max_records: int | None = None) -> dict[TopicPartition, list[Any]]:
        found = await super().getmany(timeout_ms=timeout_ms, max_records=max_records)
        return {tp: [run_of(records)] for tp, records in found.items()}


class Admin:
    """The admin client, for the offsets of the group."""

    def __init__(self, process: "Process", **_: Any) -> None:
        self._process = process

    async def start(self) -> None:
        """Nothing to connect to."""

    async def close(self) -> None:
        """Nothing to let go of."""

    async def list_consumer_group_offsets(self, group_id: str) -> dict[TopicPartition, Any]:
        group = self._process.cluster.group
        return await self._process.call("group", lambda: {TopicPartition(*tp): SimpleNamespace(offset=o) for tp, o in group.items()})


def clients_of(process: "Process") -> Clients:
    """The clients of one process."""
    return Clients(
        producer=lambda **options: Producer(process, **options),
        consumer=lambda **options: Consumer(process, **options),
        rows=lambda **options: RowsConsumer(process, **options),
        admin=lambda **options: Admin(process, **options),
    )
