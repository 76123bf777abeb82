"""The field of a fault: a real broker, workers under a supervisor, and deliveries that come in while things go wrong."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from subprocess import Popen
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient

from bench.catalogues import own_filtering_catalogue
from connectors.broker.embedded import EmbeddedBroker, _free_port, _kafka_pid
from connectors.broker.running import RunningBroker
from connectors.bronnen.population import Delivery, Knobs, population, shuffled
from schemas.catalogue import Catalogue
from streams.crash_points import SETTING
from tests.node import Node, make_anew
from tests.oracle import Folded
from tests.verdict import assert_exact

ONTVANGERS = 12
SESSION = 3.0  # seconds; also of the workers that are frozen
STOPS_WITHIN = 10.0  # seconds after SIGTERM, always
SAID = re.compile(r"worker failed|worker did not stop in time|^samenloop: ", re.MULTILINE)
BROKER_SETTINGS = {
    "group.min.session.timeout.ms": "1000",
    # Whom no rule names may do all: only so can a test forbid one thing while everything runs.
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
}

Worker = Popen[bytes]


class Surroundings:
    """A broker that can be killed, frozen and started again, and the catalogue of all runs on it."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.folder = small_catalogue(data)
        self.catalogue = Catalogue.load(self.folder)
        self.broker = EmbeddedBroker(data, settings=BROKER_SETTINGS)
        self.running: RunningBroker = self.broker.start()
        self._runs = 0

    @property
    def pid(self) -> int:
        """The broker's JVM."""
        return _kafka_pid(self.running.pid)

    async def kill_broker(self) -> None:
        """kill -9."""
        os.kill(self.pid, signal.SIGKILL)
        await asyncio.to_thread(self.broker.stop)

    async def start_broker(self) -> None:
        """Start it again on the same directory and port."""
        self.running = await asyncio.to_thread(self.broker.start)

    async def know_second_broker(self) -> None:
        """Start another broker of the same cluster and stop it: Kafka then knows of it, and that it is gone."""
        home = self.data / "second" / "kafka" / "data"
        if not home.exists():
            home.mkdir(parents=True)
            cluster = re.search(r"cluster\.id=(\S+)", (self.data / "kafka" / "data" / "meta.properties").read_text())
            assert cluster is not None
            (home / "meta.properties").write_text(f"version=1\ncluster.id={cluster.group(1)}\nnode.id=2\n")
            port = _free_port()
            settings = {
                "process.roles": "broker",
                "node.id": "2",
                "listeners": f"PLAINTEXT://127.0.0.1:{port}",
                "controller.quorum.voters": f"1@127.0.0.1:{self.running.controller_port}",
            }
            second = EmbeddedBroker(home.parents[1], port=port, settings=BROKER_SETTINGS | settings, heap_mb=256)
            await asyncio.to_thread(second.start)
            await asyncio.to_thread(second.stop)

    async def new_node(self) -> Node:
        """Fresh topics, and another name of the engine."""
        self._runs += 1
        data = self.data / f"run-{self._runs}"
        data.mkdir()
        node = Node(self.running.bootstrap, data, self.catalogue, app=f"fault-{self._runs}")
        node.env = {"SAMENLOOP_CATALOGUS": str(self.folder), "SAMENLOOP_SESSION_TIMEOUT": str(SESSION)}
        await make_anew(node)
        return node

    def close(self) -> None:
        """Stop the broker."""
        self.broker.stop()


def small_catalogue(work: Path) -> Path:
    """The catalogue with few ontvangers, in which all bronnen filter themselves but SVB: of it nothing may be kept."""
    folder = own_filtering_catalogue(work, ontvangers=ONTVANGERS)
    bronnen = (folder / "bronnen.yaml").read_text()
    (folder / "bronnen.yaml").write_text(re.sub(r"(id: svb.*filtert_zelf:) true", r"\1 false", bronnen))
    return folder


def field_deliveries(catalogue: Catalogue, seed: int, mutations: int) -> list[Delivery]:
    """Deliveries in any order; those of SVB only about persons without bijstand, so that the truth asks for no register."""
    knobs = Knobs(amsterdam=0, svb_pension=0.4, second_benefit=0.2, corrected=0.2, withdrawn=0.1)
    found = shuffled(population(catalogue, persons=mutations // 14, seed=seed, mutations=mutations, knobs=knobs), seed)
    followed = {d.line["bsn"] for d in found if d.soort == "gemeente.bijstand"}
    return [d for d in found if not (d.soort.startswith("svb.") and d.line["bsn"] in followed)]


@asynccontextmanager
async def admin(node: Node) -> AsyncIterator[AIOKafkaAdminClient]:
    """Kafka's administration."""
    kafka = AIOKafkaAdminClient(bootstrap_servers=node.brokers)
    await kafka.start()
    try:
        yield kafka
    finally:
        await kafka.close()


@dataclass
class Run:
    """One fault on a node under way: the fault delivers, starts workers and harms them; a supervisor starts again what ended."""

    place: Surroundings
    node: Node
    rnd: Random
    deliveries: list[Delivery]
    thorough: bool  # as long as the fault is described; else as long as a test may take

    @property
    def outage(self) -> float:
        """Seconds that what is stopped stays away: longer than sessions and transactions last."""
        return 60.0 if self.thorough else 8.0

    quarantined: int = 0  # records delivered beside the deliveries that nobody can read
    endings: list[int] = field(default_factory=list)  # exit codes of workers that the supervisor started again
    _published: int = 0
    _supervised: set[Worker] = field(default_factory=set)

    def often(self, quick: int, thorough: int) -> range:
        """How often something happens."""
        return range(thorough if self.thorough else quick)

    def start(self, crash: str | None = None, *, supervised: bool = True, **env: str) -> Worker:
        """One more worker; ``crash`` names its crash point. An unsupervised one is not started again when it ends."""
        worker = self.node.start_worker(**({SETTING: crash} if crash else {}), **env)
        if supervised:
            self._supervised.add(worker)
        return worker

    async def start_ready(self, number: int = 1, **env: str) -> list[Worker]:
        """So many supervised workers, each with a partition."""
        workers = [self.start(**env) for _ in range(number)]
        await asyncio.gather(*(self.node.until_ready(w) for w in workers))
        return workers

    async def dismiss(self, worker: Worker, *, well: bool = True) -> None:
        """SIGTERM, of which the supervisor knows: the worker ends within its time, and ``well``, or else says that it could not."""
        self._supervised.discard(worker)
        worker.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(worker.wait, STOPS_WITHIN)
        hardly_begun = code == -signal.SIGTERM and not self.log_of(worker)  # Python was still loading
        said = not well and code == 2 and SAID.search(self.log_of(worker))
        assert code == 0 or hardly_begun or said, f"exit code {code} after SIGTERM"

    async def end_of(self, worker: Worker, seconds: float = 60) -> int:
        """The exit code of an unsupervised worker that must end by itself."""
        code = await asyncio.to_thread(worker.wait, seconds)
        assert code in {-signal.SIGKILL, 2}, f"a worker ended with {code}"
        if code == 2:
            assert SAID.search(self.log_of(worker)), "a worker that ends says why"
        return code

    def log_of(self, worker: Worker) -> str:
        """What it wrote."""
        return self.node.logs()[self.node.workers.index(worker)]

    async def deliver(self, share: float = 1.0, seconds: float = 0.0) -> None:
        """Publish the next ``share`` of all deliveries, or what is left of them, spread over about so many seconds."""
        part = self.deliveries[self._published :][: round(share * len(self.deliveries)) + 1]
        self._published += len(part)
        every = 50
        await self.node.publish(((d.soort, d.line) for d in part), pause=seconds * every / max(len(part), 1), every=every)

    @asynccontextmanager
    async def load(self, seconds: float) -> AsyncIterator[None]:
        """Publish what is left in the background, over about so many seconds at least."""
        publishing = asyncio.create_task(self.deliver(1.0, seconds))
        try:
            yield
            await publishing
        finally:
            publishing.cancel()

    def moment(self, low: float, high: float) -> float:
        """A number of seconds between the two that the seed chooses."""
        return self.rnd.uniform(low, high)

    async def supervise(self) -> None:
        """Start again what ended, as a supervisor would; fails when a worker ended as none may."""
        while True:
            for worker in [w for w in self._supervised if w.poll() is not None]:
                self._supervised.remove(worker)
                self.endings.append(await self.end_of(worker))
                self.start()
            await asyncio.sleep(0.3)

    async def stop(self) -> None:
        """SIGTERM to all workers that still run."""
        await asyncio.gather(*(self.dismiss(w) for w in self.node.workers if w.poll() is None))


Act = Callable[[Run], Any]


@dataclass(frozen=True)
class Fault:
    """What may go wrong. ``shape`` makes of the deliveries what is delivered."""

    name: str
    act: Act
    fast: bool = True
    shape: Callable[[Random, list[Delivery]], list[Delivery]] | None = None

    @property
    def what(self) -> str:
        """What happens, as its functions say."""
        return " ".join(str(f.__doc__) for f in (self.shape, self.act) if f is not None)


async def survive(fault: Fault, place: Surroundings, seed: int, *, mutations: int, thorough: bool) -> tuple[Run, Folded]:
    """Let ``fault`` happen to a node under way, and fail unless all is exact in the end."""
    rnd = Random(seed)
    node = await place.new_node()
    deliveries = field_deliveries(place.catalogue, rnd.randrange(1 << 30), mutations)
    if fault.shape is not None:
        deliveries = fault.shape(rnd, deliveries)
    run = Run(place, node, rnd, deliveries, thorough)
    supervisor = asyncio.create_task(run.supervise())
    acting = asyncio.create_task(_act(fault, run))
    try:
        await asyncio.wait((supervisor, acting), return_when=asyncio.FIRST_COMPLETED)
        for task in (supervisor, acting):
            if task.done():
                task.result()
        supervisor.cancel()
        await run.stop()
        return run, await assert_exact(node, deliveries, node.data, run.quarantined)
    finally:
        supervisor.cancel()
        acting.cancel()
        for worker in node.workers:
            worker.kill()
            worker.wait()


async def _act(fault: Fault, run: Run) -> None:
    await fault.act(run)
    await run.deliver()
    if not any(w.poll() is None for w in run.node.workers):
        run.start()
    await run.node.until_idle(180)
