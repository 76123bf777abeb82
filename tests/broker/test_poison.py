"""Bad records on a real node: whatever comes, the good ones arrive, and only the bad ones go to quarantine."""

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from bench.catalogues import own_filtering_catalogue
from connectors.broker.embedded import EmbeddedBroker
from connectors.broker.topics import apply_topics
from connectors.bronnen.population import Delivery, population, shuffled
from samenloop.quarantine import Selection, read_quarantine
from samenloop.retry import retry
from schemas.catalogue import Catalogue
from schemas.quarantine import MAX_VALUE, QUARANTAINE
from tests.broker.test_quarantine import BIJSTAND, PERSOON
from tests.broker.test_retry import until_counted
from tests.node import APP, PARTITIES, Node
from tests.oracle import fold, recompute

MB = 1_000_000
FLOOD = 2_000  # bad records between the good ones
# Each kind in turn: no key, no value, neither, not Avro, Avro of another soort, an empty record_id.
KINDS: list[tuple[bytes | None, bytes | None]] = [
    (None, b"\x00\x00\x00\x00\x01"),
    (PERSOON, None),
    (None, None),
    (PERSOON, b"\x07nonsense"),
    (PERSOON, b"\x00\x00\x00\x00\x02\x02r\x02\x00\x00"),
    (PERSOON, b"\x00\x00\x00\x00\x01\x00\x02\x00\x00"),
]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    """A broker that a test may kill."""
    broker = EmbeddedBroker(tmp_path)
    try:
        yield broker
    finally:
        broker.stop()


@pytest.fixture
def node(broker: EmbeddedBroker, tmp_path: Path) -> Iterator[Node]:
    """A node whose bronnen all filter themselves, so that the truth is that of all deliveries."""
    folder = own_filtering_catalogue(tmp_path)
    node = Node(broker.start().bootstrap, tmp_path, Catalogue.load(folder))
    node.env = {"SAMENLOOP_CATALOGUS": str(folder)}
    asyncio.run(apply_topics(node.brokers, node.catalogue, partities=PARTITIES, replicatie=1, toepassing=APP))
    try:
        yield node
    finally:
        node.stop_workers()


async def poison(node: Node, records: int, seed: int, pause: float = 0) -> None:
    """Bad records over all partitions of one topic, with a pause after each."""
    draw = random.Random(seed)
    producer = AIOKafkaProducer(bootstrap_servers=node.brokers, enable_idempotence=True)
    await producer.start()
    for i in range(records):
        key, value = KINDS[i % len(KINDS)]
        batch = producer.create_batch()
        batch.append(key=key, value=value, timestamp=None)
        await producer.send_batch(batch, BIJSTAND, partition=draw.randrange(PARTITIES))
        await asyncio.sleep(pause)
    await producer.stop()


def deliveries_of(node: Node, mutations: int) -> list[Delivery]:
    return shuffled(population(node.catalogue, persons=400, seed=7, mutations=mutations), seed=3)


def check(node: Node, deliveries: list[Delivery], bad: int, work: Path) -> None:
    """The ontvangers hold the recompute, quarantine holds exactly the bad ones, and the counts add up."""
    folded = fold(asyncio.run(node.signalen()))
    assert folded.live == recompute(((d.soort, d.line) for d in deliveries), work, node.catalogue)
    assert (folded.duplicates, folded.conflicts, folded.gaps) == (0, [], [])
    held = asyncio.run(node.records([QUARANTAINE]))
    assert Counter((r.key, r.value) for r in held) == Counter(KINDS[i % len(KINDS)] for i in range(bad))
    counts = asyncio.run(node.counts())
    assert counts[f"{BIJSTAND} quarantaine"] == bad
    assert sum(counts.values()) == len(deliveries) + bad


@pytest.mark.timeout(240)
def test_a_flood_of_bad_records_between_good_ones_stops_none_of_them(node: Node, tmp_path: Path) -> None:
    deliveries = deliveries_of(node, 4_000)

    async def scenario() -> None:
        node.start_worker()
        await asyncio.gather(node.publish(((d.soort, d.line) for d in deliveries), pause=0.1), poison(node, FLOOD, 1))
        await node.until_idle()

    asyncio.run(scenario())
    check(node, deliveries, FLOOD, tmp_path)


@pytest.mark.timeout(300)
def test_a_broker_that_is_killed_while_records_are_folded_sends_none_of_them_to_quarantine(
    node: Node, broker: EmbeddedBroker, tmp_path: Path
) -> None:
    deliveries = deliveries_of(node, 8_000)

    async def scenario() -> None:
        node.start_worker(SAMENLOOP_SESSION_TIMEOUT="6")
        bronnen = asyncio.gather(
            node.publish(((d.soort, d.line) for d in deliveries), pause=0.2, every=200), poison(node, 300, 2, pause=0.02)
        )
        while not await node.counts():
            pass  # until the first transaction stands
        assert broker._program is not None
        os.kill(broker._program.pid, signal.SIGKILL)  # the guard; the kernel then kills Kafka
        await asyncio.to_thread(broker._program.wait)
        assert not bronnen.done(), "it was killed before all was done"
        assert (await asyncio.to_thread(broker.start)).bootstrap == node.brokers
        await bronnen

    asyncio.run(scenario())
    node.stop_workers()
    node.start_worker(SAMENLOOP_SESSION_TIMEOUT="6")
    asyncio.run(until_counted(node, len(deliveries) + 300))
    check(node, deliveries, 300, tmp_path)


async def send(node: Node, value: bytes, **options: Any) -> bool:
    """Whether the topic of a bron took a record of this value, under a key of a persoon and with headers."""
    producer = AIOKafkaProducer(bootstrap_servers=node.brokers, max_batch_size=200 * MB, max_request_size=200 * MB, **options)
    await producer.start()
    try:
        await producer.send_and_wait(BIJSTAND, value, PERSOON, partition=0, headers=[("ce_id", b"x")])
    except MessageSizeTooLargeError:
        return False
    finally:
        await producer.stop()
    return True


@pytest.mark.timeout(240)
def test_whatever_a_source_topic_takes_stands_in_quarantine(node: Node) -> None:
    noise = random.Random(5).randbytes(2 * MB)  # cannot be compressed
    zeros = bytes(3 * MAX_VALUE)  # a few hundred bytes on the wire of the bron

    async def scenario() -> int:
        assert not await send(node, noise), "2 MB is more than the topic of a bron takes"
        fits, too_large = 1_048_000, 1_048_588
        while too_large - fits > 1:
            size = (fits + too_large) // 2
            fits, too_large = (size, too_large) if await send(node, noise[:size]) else (fits, size)
        assert await send(node, zeros[: 2 * MB], compression_type="gzip")
        assert await send(node, zeros, compression_type="gzip")
        node.start_worker()
        await node.until_idle()
        return fits

    largest = asyncio.run(scenario())
    held = asyncio.run(node.records([QUARANTAINE]))
    assert max(len(r.value) for r in held if r.value[0]) == largest
    assert [len(r.value) for r in held[-2:]] == [2 * MB, MAX_VALUE]
    assert dict(held[-1].headers)["omvang"] == b"%d" % len(zeros)
    found = asyncio.run(read_quarantine(node.brokers)).records()
    assert (found[-1].size, found[-2].size) == (len(zeros), 2 * MB)

    report = asyncio.run(retry(node.brokers, APP, [BIJSTAND], Selection()))
    assert sorted(report.left) == [h.number for h in found[:-2]], "so near the limit there is no room for the header of a retry"
    assert set(report.left.values()) == {"it is too large for its topic, with the headers of a retry"}
    copies = [len(r.value) for r in asyncio.run(node.records([BIJSTAND])) if "opnieuw_van" in dict(r.headers)]
    assert copies == [2 * MB, len(zeros)], "what quarantine holds the beginning of is written again whole"
    asyncio.run(until_counted(node, len(found) + len(report.retried)))
