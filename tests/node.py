"""A whole node for tests: a real broker, workers in processes of their own, and a view of everything on the topics."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, NodeNotReadyError

from connectors.broker.embedded import EmbeddedBroker
from connectors.broker.topics import apply_topics
from connectors.bronnen.lines import LineReader, Published
from connectors.bronnen.producer import MutatieProducer
from connectors.bronnen.pseudonym import Pseudonymiser
from schemas.catalogue import Catalogue
from schemas.sources import PLAIN, overdrachten_topic

PARTITIES = 4
APP = "samenloop"
KEY = bytes(range(32))


class Node:
    """A broker with the catalogue's topics; workers come and go."""

    def __init__(self, brokers: str, data: Path, catalogue: Catalogue, app: str = APP, partities: int = PARTITIES) -> None:
        self.brokers = brokers
        self.partities = partities
        self.data = data
        self.catalogue = catalogue
        self.app = app
        self.workers: list[subprocess.Popen[bytes]] = []
        self.env: dict[str, str] = {}  # of all workers
        self._readers: dict[str, LineReader] = {}

    def start_worker(self, **env: str) -> "subprocess.Popen[bytes]":
        """One more worker, as a user would start it."""
        log = (self.data / f"worker-{len(self.workers)}.log").open("ab")
        command = [str(Path(sys.executable).with_name("samenloop")), "worker", "--data", str(self.data)]
        own = {"SAMENLOOP_BROKERS": self.brokers, "SAMENLOOP_TOEPASSING": self.app, "SAMENLOOP_PARTITIES": str(self.partities)}
        environment = {**os.environ, **own, **self.env, **env}
        worker = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment, start_new_session=True)
        self.workers.append(worker)
        return worker

    def stop_workers(self) -> list[int]:
        """SIGTERM to all that still run; their exit codes."""
        for worker in self.workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGTERM)
        try:
            return [worker.wait(15) for worker in self.workers]
        finally:
            for worker in self.workers:
                worker.kill()

    def reader(self, soort: str) -> LineReader:
        """The edge for one soort."""
        if soort not in self._readers:
            self._readers[soort] = LineReader(self.catalogue, soort, Pseudonymiser(KEY))
        return self._readers[soort]

    def checked(self, soort: str, line: Mapping[str, Any]) -> Published:
        """A line as the edge would publish it."""
        return self.reader(soort).read(json.dumps(line).encode())

    def logs(self) -> list[str]:
        """What the workers logged, in the order in which they were started."""
        return [(self.data / f"worker-{i}.log").read_text() for i in range(len(self.workers))]

    async def health(self, worker: int, path: str, seconds: float = 30) -> tuple[int, str]:
        """Status and body of ``path`` of a worker's health endpoint, asked as soon as it listens."""
        log, deadline = self.data / f"worker-{worker}.log", time.monotonic() + seconds
        while not (found := re.search(r"url=(http://\S+)/ready", log.read_text())):
            assert time.monotonic() < deadline, "nothing listens"
            await asyncio.sleep(0.02)
        async with aiohttp.ClientSession() as session, session.get(found.group(1) + path) as answer:
            return answer.status, await answer.text()

    async def until_ready(self, worker: "subprocess.Popen[bytes]", seconds: float = 60) -> None:
        """Wait until ``worker`` has a partition; fails when it ends instead."""
        log = self.data / f"worker-{self.workers.index(worker)}.log"
        deadline = time.monotonic() + seconds
        while "partition ready" not in log.read_text():
            assert worker.poll() is None, f"the worker ended with {worker.returncode}:\n{log.read_text()[-2000:]}"
            assert time.monotonic() < deadline, "the worker got no partition"
            await asyncio.sleep(0.05)

    async def publish(self, deliveries: Iterable[tuple[str, Mapping[str, Any]]], pause: float = 0, every: int = 1000) -> int:
        """Publish (soort, line) in order, through the edge; with a pause after so many."""
        number = 0
        async with MutatieProducer(self.brokers, patience=240) as producer:
            for number, (soort, line) in enumerate(deliveries, 1):
                m = self.checked(soort, line)
                await producer.send(f"mutaties.{soort}", m.persoon, m.value, m.headers, number)
                if pause and number % every == 0:
                    await producer.flush()
                    await asyncio.sleep(pause)
            await producer.flush()
        return number

    @property
    def sources(self) -> list[TopicPartition]:
        """All partitions that the engine reads."""
        topics = [f"mutaties.{s}" for s in self.catalogue.mutatie_topics] + [*PLAIN, overdrachten_topic(self.app)]
        return [TopicPartition(t, p) for t in topics for p in range(self.partities)]

    async def lag(self, app: str | None = None) -> int:
        """Records that no worker of ``app``, by default the node's, has committed yet; never too few: the ends are read last."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.brokers)
        await admin.start()
        try:
            committed = await admin.list_consumer_group_offsets(app or self.app)
        except GroupCoordinatorNotAvailableError:
            committed = {}  # no worker has ever asked for it
        finally:
            await admin.close()
        ends = await self.ends(self.sources)
        done = {tp: max(0, committed[tp].offset if tp in committed else 0) for tp in ends}
        over = overdrachten_topic(self.app)  # there markers of transactions stand behind the last record
        lag = sum(end - done[tp] for tp, end in ends.items() if tp.topic != over)
        if any(end > done[tp] for tp, end in ends.items() if tp.topic == over):
            lag += sum(r.offset >= done[TopicPartition(over, r.partition)] for r in await self.records([over]))
        return lag

    async def until_idle(self, seconds: float = 120) -> None:
        """Wait until nothing is left to be done; fails when that takes too long or a worker ends."""
        deadline = time.monotonic() + seconds
        calm = 0
        while calm < 3:
            lag: int | None = None
            with suppress(NodeNotReadyError):  # a broker that was frozen is in nobody's metadata until it has registered again
                lag = await self.lag()
            calm = calm + 1 if lag == 0 else 0
            assert time.monotonic() < deadline, f"{lag} records are still to be done"
            await asyncio.sleep(0.2)

    async def ends(self, tps: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """End offsets."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.brokers)
        await consumer.start()
        try:
            await consumer._client.set_topics({tp.topic for tp in tps})  # else aiokafka learns of one topic after the other, at 0.1 s each
            return dict(await consumer.end_offsets(list(tps)))
        finally:
            await consumer.stop()

    async def topics(self) -> list[str]:
        """All topics of the cluster but Kafka's own."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.brokers)
        await consumer.start()
        try:
            return sorted(t for t in await consumer.topics() if not t.startswith("__"))
        finally:
            await consumer.stop()

    async def records(self, topics: Sequence[str], isolation: str = "read_committed") -> list[Any]:
        """Everything on ``topics``, in the order of each partition."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.brokers, isolation_level=isolation, max_partition_fetch_bytes=8 << 20)
        await consumer.start()
        try:
            await consumer._client.set_topics(topics)
            tps = [TopicPartition(t, p) for t in topics for p in consumer.partitions_for_topic(t) or ()]
            consumer.assign(tps)
            await consumer.seek_to_beginning(*tps)
            ends = {tp: end for tp, end in (await consumer.end_offsets(tps)).items() if end}
            found: list[Any] = []
            while ends:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found.extend(records)
                ends = {tp: end for tp, end in ends.items() if await consumer.position(tp) < end}
            return found
        finally:
            await consumer.stop()

    async def signalen(self, isolation: str = "read_committed") -> list[tuple[str, bytes]]:
        """(topic, value) of all signals that stand."""
        topics = [f"signalen.{o}" for o in self.catalogue.ontvangers]
        return [(r.topic, r.value) for r in await self.records(topics, isolation)]

    async def metas(self) -> dict[int, dict[str, Any]]:
        """The newest row that each partition keeps about itself."""
        rows = await self.records([f"{self.app}-personen-changelog"])
        return {r.partition: json.loads(r.value) for r in rows if r.key == b"#partitie"}

    async def counts(self) -> dict[str, int]:
        """Where the input records ended, summed over the partitions: "<topic> <fate>" → records."""
        total: dict[str, int] = {}
        for meta in (await self.metas()).values():
            for key, number in meta["counts"].items():
                total[key] = total.get(key, 0) + number
        return total


SHORT_SESSIONS = {"group.min.session.timeout.ms": "1000"}  # a worker that died is soon missed


@contextmanager
def fresh_node(brokers: str, data: Path, catalogue: Catalogue, partities: int = PARTITIES, app: str = APP) -> Iterator[Node]:
    """A node with fresh topics on a broker that served others before: they may have had other partitions."""
    node = Node(brokers, data, catalogue, app, partities)
    asyncio.run(make_anew(node))
    try:
        yield node
    finally:
        node.stop_workers()


async def make_anew(node: Node) -> None:
    """Delete all topics of the cluster, which takes the committed offsets with it, and make those of the catalogue."""
    await remade(node, await node.topics())


async def remade(node: Node, topics: Sequence[str]) -> None:
    """Delete topics, and make what the cluster then lacks of the catalogue."""
    admin = AIOKafkaAdminClient(bootstrap_servers=node.brokers)
    await admin.start()
    try:
        if topics:
            await admin.delete_topics(list(topics))
        while {*topics} & {*await node.topics()}:  # noqa: ASYNC110 - Kafka tells nobody
            await asyncio.sleep(0.1)
    finally:
        await admin.close()
    await apply_topics(node.brokers, node.catalogue, partities=node.partities, replicatie=1, toepassing=node.app)


@contextmanager
def node_in(data: Path, catalogue: Catalogue, partities: int = PARTITIES) -> Iterator[Node]:
    """A node on a broker of its own."""
    broker = EmbeddedBroker(data, settings=SHORT_SESSIONS)
    node = Node(broker.start().bootstrap, data, catalogue, partities=partities)
    try:
        asyncio.run(apply_topics(node.brokers, catalogue, partities=partities, replicatie=1, toepassing=APP))
        yield node
    finally:
        node.stop_workers()
        broker.stop()
