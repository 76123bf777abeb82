"""A flood of input and a broker that stands still: what a worker holds stays within what its settings say."""

import asyncio
import os
import signal
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.catalogues import own_filtering_catalogue
from connectors.broker.running import running
from connectors.bronnen.population import population
from connectors.bronnen.producer import MutatieProducer
from schemas.catalogue import Catalogue
from streams.fetch import fetch_runs
from streams.settings import EngineSettings
from tests.node import APP, Node, node_in

FLOOD = 400_000
FROZEN_SECONDS = 8
PARTITIES = 2  # what a worker may hold grows with them, and so does the flood that it takes to show it


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """A node whose bronnen all filter themselves."""
    folder = own_filtering_catalogue(tmp_path, ontvangers=5)
    with node_in(tmp_path, Catalogue.load(folder), PARTITIES) as node:
        node.env = {"SAMENLOOP_CATALOGUS": str(folder)}
        yield node


async def flood(node: Node) -> None:
    """Fill the topics: the same mutaties again and again, so that the state stays small and what waits is all that can grow."""
    mutaties = [(d.soort, node.checked(d.soort, d.line)) for d in population(node.catalogue, persons=200, seed=2, mutations=4_000)]
    async with MutatieProducer(node.brokers) as producer:
        for number, (soort, m) in enumerate(islice(cycle(mutaties), FLOOD)):
            await producer.send(f"mutaties.{soort}", m.persoon, m.value, m.headers, number)
        await producer.flush()


async def bytes_a_record(node: Node) -> float:
    """What a record of the flood takes in memory as a worker holds it."""
    tp = TopicPartition("mutaties.uwv.inkomstenopgave", 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=node.brokers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        fetch_runs(consumer, 2_000)
        consumer.assign([tp])
        runs = (await consumer.getmany(tp, timeout_ms=5_000))[tp]
        return sum(len(b.data) for run in runs for b in run.batches) / sum(map(len, runs))
    finally:
        await consumer.stop()


def peak(pid: int) -> int:
    """The most resident memory that a process ever had, in bytes."""
    line = next(text for text in Path(f"/proc/{pid}/status").read_text().splitlines() if text.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
@pytest.mark.timeout(280)
def test_a_flood_and_a_broker_that_stands_still_keep_memory_within_the_stated_limit(node: Node) -> None:
    async def scenario() -> tuple[int, float]:
        await flood(node)
        cost = await bytes_a_record(node)
        worker = node.start_worker()
        while "partition ready" not in node.logs()[0]:  # noqa: ASYNC110 - another process, which tells nobody
            await asyncio.sleep(0.02)
        empty = psutil.Process(worker.pid).memory_info().rss
        broker = running(node.data)
        assert broker is not None
        kafka = psutil.Process(broker.pid).children()[0].pid
        while await node.lag() > FLOOD * 0.9:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        os.kill(kafka, signal.SIGSTOP)
        await asyncio.sleep(FROZEN_SECONDS)
        os.kill(kafka, signal.SIGCONT)
        await node.until_idle(200)
        assert worker.poll() is None, "a broker that was away for a moment ends no worker"
        return peak(worker.pid) - empty, cost

    grown, cost = asyncio.run(scenario())
    assert sum(asyncio.run(node.counts()).values()) == FLOOD
    settings = EngineSettings("", APP, PARTITIES, Path())
    fetched = settings.most_fetched_bytes(len(node.catalogue.mutatie_topics) + 1)
    limit = settings.most_records * cost + fetched + settings.most_fold_bytes
    assert limit < 0.8 * FLOOD * cost, "all of the flood at once would be more"
    print(f"grown by {grown / 1e6:.0f} MB, limit {limit / 1e6:.0f} MB, {cost:.0f} bytes a record")
    assert grown < limit
