"""One simulated worker process: the real engine on a loop of its own, with what Faust does around it: frames, revoke, assign."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from schemas.catalogue import Catalogue
from schemas.sources import is_overdrachten
from streams.engine import Engine
from streams.log import NotTakenError
from streams.records import run_of
from streams.recovery import RecoveryError
from streams.settings import EngineSettings
from tests.simulation.clients import Request, clients_of
from tests.simulation.kafka import TP, Cluster, Entry
from tests.simulation.loop import Loop

PARTITIES = 2
SETTINGS = EngineSettings(brokers="", toepassing="sim", partities=PARTITIES, datadir=Path(), backlog_frames=2)
CHANGELOG = SETTINGS.changelog
VERLOOP = SETTINGS.verloop
_BUFFER = 6  # frames that Faust holds for its agent


class Process:
    """A worker from its start to its end. Everything that it asks of Kafka stands in ``requests`` until the scheduler moves it."""

    def __init__(self, name: str, cluster: Cluster, catalogue: Catalogue, draw: Random) -> None:
        self.name = name
        self.cluster = cluster
        self.draw = draw
        self.loop = Loop(lambda: cluster.now)
        self.requests: list[Request] = []
        self.frozen = False
        self.exiting = False
        self.exited = False
        self.phase = "out"  # out, revoking, joined, stable
        self.assignment: tuple[int, list[TP]] | None = None  # generation of the group and partitions, not yet taken over
        self.positions: dict[TP, int] = {}
        self.waiting = 0
        self._flow = 0  # counts the times that Faust stopped the flow; frames of an earlier one are dropped
        self.clients = clients_of(self)
        self.engine: Engine
        self.do(self._boot(catalogue))

    def do(self, what: Any) -> None:
        """Start a coroutine in the process, and run it as far as it goes."""
        self.loop.create_task(what)
        self.loop.run()

    def call(self, what: str, apply: Callable[[], Any], lane: object = None, *, by_engine: bool = True) -> "asyncio.Future[Any]":
        """Send a request."""
        if self.loop.dead:
            raise ConnectionError
        request = Request(f"{what} of {self.name}", apply, self.loop.create_future(), lane, by_engine, self._delay(), self._delay())
        self.requests.append(request)
        return request.future

    def _delay(self) -> int:
        return self.cluster.events + self.draw.randint(5, 100) if self.draw.random() < self.cluster.slow else 0

    def answer(self, request: Request) -> None:
        """The answer of a request comes in."""
        self.requests.remove(request)
        if not request.future.done():
            if request.error is not None:
                request.future.set_exception(request.error)
            else:
                request.future.set_result(request.result)
        self.loop.run()

    def kill(self) -> None:
        """kill -9."""
        self.exited = True
        self.loop.kill()

    def stop(self) -> None:
        """SIGTERM, or the end after a failure: as ``run_worker`` ends."""
        if not self.exiting:
            self.exiting = True
            self.do(self._exit())

    def frames_of(self, partition: int) -> list[Any]:
        """The frames that were folded last of a partition."""
        watched: Any = self.engine._folder
        return list(watched.taken(partition))

    @property
    def failure(self) -> BaseException | None:
        """What ended the worker, when Kafka is not to blame for it."""
        failed = self.engine.failed
        error = failed.exception() if failed.done() else None
        return None if error is None or isinstance(error, KafkaError | NotTakenError | RecoveryError) else error

    async def _boot(self, catalogue: Catalogue) -> None:
        self.engine = Engine(SETTINGS, catalogue, self.clients)
        self.engine.failed.add_done_callback(lambda _: self.stop_soon())
        self._frames: asyncio.Queue[tuple[int, TP, list[Entry]]] = asyncio.Queue()
        while True:
            flow, (topic, partition), records = await self._frames.get()
            self.waiting = self._frames.qsize()
            if flow == self._flow:
                await self.engine.take(topic, partition, run_of(records))

    def stop_soon(self) -> None:
        """The engine has failed; the callback runs inside the loop."""
        if not self.exiting:
            self.exiting = True
            self.loop.create_task(self._exit())

    async def _exit(self) -> None:
        await self.engine.revoked()
        self.exited = True

    # -- what Faust does

    def revoke(self) -> None:
        """The flow stops, what waits is dropped, the partitions are given up."""
        self.phase = "revoking"
        self.positions = {}
        self._flow += 1
        self.do(self._revoke())

    async def _revoke(self) -> None:
        await self.engine.revoked()
        self.phase = "joined"

    def assign(self) -> None:
        """Take the assignment over: open the partitions, and read on from the offsets of the group."""
        assert self.assignment is not None
        tps, self.assignment = self.assignment[1], None
        self.phase = "stable"
        self.do(self._assign(tps, self._flow))

    async def _assign(self, tps: list[TP], flow: int) -> None:
        await self.engine.assigned([TopicPartition(*tp) for tp in tps])  # type: ignore[arg-type]
        group = await self.call("positions", lambda: dict(self.cluster.group), by_engine=False)
        if flow == self._flow:
            self.positions = {tp: group.get(tp, 0) for tp in tps}

    def _given(self, tp: TP, start: int) -> Iterator[Entry]:
        """The records of a source partition: bronnen take nothing back, but what the engine hands over to itself is read committed."""
        return self.cluster.read(tp, start, committed=is_overdrachten(tp[0]))

    def ready(self, *, ordered: bool) -> list[TP]:
        """The partitions from which a fetch would bring something; ``ordered``: only that whose next record is the oldest."""
        if self.waiting >= _BUFFER or self.exiting:
            return []
        found = {}
        for tp, start in self.positions.items():
            if self.cluster.ends[tp] > start:
                following = next(self._given(tp, start), None)
                if following is not None:
                    found[tp] = following.sequence
        if not ordered:
            return list(found)
        oldest: dict[int, TP] = {}
        for tp, _ in sorted(found.items(), key=lambda item: -item[1]):
            oldest[tp[1]] = tp
        return list(oldest.values())

    def fetch(self, tp: TP, *, ordered: bool) -> int:
        """One fetch: a run of records, cut into frames; returns the number of records."""
        run: list[Entry] = []
        limit = self._others(tp) if ordered else None
        for entry in self._given(tp, self.positions[tp]):
            if len(run) == 8 or (limit is not None and entry.sequence > limit):
                break
            run.append(entry)
        run = run[: self.draw.randint(1, len(run))]
        self.positions[tp] = run[-1].offset + 1
        size = self.draw.randint(1, len(run))
        for i in range(0, len(run), size):
            self._frames.put_nowait((self._flow, tp, run[i : i + size]))
        self.waiting = self._frames.qsize()
        self.loop.run()
        return len(run)

    def _others(self, tp: TP) -> int | None:
        """The sequence number of the oldest waiting record of the same partition number in another topic."""
        heads = [
            next((e.sequence for e in self._given(other, start)), None)
            for other, start in self.positions.items()
            if other != tp and other[1] == tp[1]
        ]
        return min((h for h in heads if h is not None), default=None)
