"""The engine on a real Kafka: partitions that move, workers that die, records that nobody can read."""

import asyncio
import signal
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from bench.catalogues import own_filtering_catalogue
from connectors.bronnen.population import Delivery, population, shuffled
from schemas.catalogue import Catalogue
from schemas.cloudevents import klok_headers, source_of
from schemas.codec import Codec
from schemas.reasons import Reason
from streams.crash_points import SETTING
from tests.node import PARTITIES, Node, fresh_node, remade
from tests.verdict import assert_exact

PERSOON = b"A" * 52
SESSION = 4  # seconds
BIJSTAND = "mutaties.gemeente.bijstand"


_numbers = count()


@pytest.fixture
def node(brokers: str, tmp_path: Path) -> Iterator[Node]:
    """A node whose bronnen all filter themselves, so that the truth is that of all deliveries."""
    folder = own_filtering_catalogue(tmp_path)
    with fresh_node(brokers, tmp_path, Catalogue.load(folder), app=f"engine-{next(_numbers)}") as node:
        node.env = {"SAMENLOOP_CATALOGUS": str(folder), "SAMENLOOP_SESSION_TIMEOUT": str(SESSION)}
        yield node


@pytest.fixture(scope="module")
def deliveries(job: Catalogue) -> list[Delivery]:
    """About 10,000 mutaties in any order."""
    return shuffled(population(job, persons=750, seed=5, mutations=10_000), seed=11)


@pytest.mark.timeout(240)
def test_two_workers_share_the_partitions_and_a_rebalance_loses_and_doubles_nothing(
    node: Node, deliveries: list[Delivery], tmp_path: Path
) -> None:
    async def scenario() -> None:
        publishing = asyncio.create_task(node.publish(((d.soort, d.line) for d in deliveries), pause=1))
        first = node.start_worker()
        await node.until_ready(first)
        second = node.start_worker()
        await node.until_ready(second)
        await asyncio.sleep(1)
        first.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(first.wait, 10) == 0
        third = node.start_worker()
        await node.until_ready(third)
        await publishing
        await node.until_idle()
        assert second.poll() is None
        assert third.poll() is None
        assert all("partition ready" in log for log in node.logs()), "each of them had partitions"

    asyncio.run(scenario())
    asyncio.run(assert_exact(node, deliveries, tmp_path))


@pytest.mark.timeout(240)
def test_kill_9_and_a_zombie_lose_and_double_nothing(node: Node, deliveries: list[Delivery], tmp_path: Path) -> None:
    async def scenario() -> None:
        publishing = asyncio.create_task(node.publish(((d.soort, d.line) for d in deliveries), pause=2))
        first = node.start_worker()
        await node.until_ready(first)
        first.kill()
        zombie = node.start_worker()
        await node.until_ready(zombie)
        await asyncio.sleep(1)
        zombie.send_signal(signal.SIGSTOP)
        await node.until_ready(node.start_worker())  # past the zombie's session: it has partitions of it now
        zombie.send_signal(signal.SIGCONT)
        await publishing
        await node.until_idle()
        assert zombie.poll() in {None, 2}, "a woken worker goes on with what is its own now, or ends and says so"

    asyncio.run(scenario())
    asyncio.run(assert_exact(node, deliveries, tmp_path))


@pytest.mark.timeout(240)
def test_a_worker_killed_before_the_group_was_told_leaves_nothing_to_be_done_twice(
    node: Node, deliveries: list[Delivery], tmp_path: Path
) -> None:
    async def scenario() -> None:
        publishing = asyncio.create_task(node.publish(((d.soort, d.line) for d in deliveries), pause=0.4))
        worker = node.start_worker(**{SETTING: "before-group"})
        assert await asyncio.to_thread(worker.wait, 60) == -signal.SIGKILL
        published = await publishing
        known, taken = published - await node.lag(), sum((await node.counts()).values())
        assert known < taken, "the group knows less than what is done"
        node.start_worker()
        await node.until_idle()

    asyncio.run(scenario())
    asyncio.run(assert_exact(node, deliveries, tmp_path))


def test_a_topic_that_was_removed_and_made_anew_is_read_from_its_beginning(node: Node) -> None:
    lines = [d.line for d in population(node.catalogue, persons=40, seed=8, mutations=400) if d.soort == "gemeente.bijstand"]
    half = len(lines) // 2

    async def work(some: list[Any]) -> None:
        await node.publish(("gemeente.bijstand", line) for line in some)
        node.start_worker()
        await node.until_idle(60)
        assert set(node.stop_workers()) == {0}

    async def scenario() -> None:
        await work(lines[:half])
        await remade(node, [BIJSTAND])
        await work(lines[half:])

    asyncio.run(scenario())
    assert sum(n for key, n in asyncio.run(node.counts()).items() if key.startswith(BIJSTAND)) == len(lines)


def test_what_cannot_be_read_goes_to_quarantine_with_its_reason_and_the_rest_goes_on(node: Node) -> None:
    codec = Codec(node.catalogue)
    good = {
        "record_id": "b-1",
        "versie": 1,
        "registratietijd": 1_760_000_000_000,
        "feit": {"begindatum": 20_000, "einddatum": None, "houder": "gm0363", "kenmerk": "K", "wet": "IOAW"},
    }
    framed = codec.encode(1, good)
    bad: list[tuple[bytes | None, bytes | None, Reason]] = [
        (PERSOON, None, Reason.LEEG),
        (PERSOON, b"", Reason.LEEG),
        (PERSOON, b"\x01" + framed[1:], Reason.MAGISCHE_BYTE),
        (PERSOON, framed[:3], Reason.AFGEKAPT),
        (PERSOON, b"\x00\x00\x00\x03\xe7" + framed[5:], Reason.SCHEMA_ONBEKEND),
        (PERSOON, b"\x00\x00\x00\x00\x02" + framed[5:], Reason.SCHEMA_VAN_ANDER_TOPIC),
        (PERSOON, framed[:-2], Reason.AFGEKAPT),
        (PERSOON, framed + b"\x00", Reason.RESTBYTES),
        (b"999990019", framed, Reason.SLEUTEL_ONGELDIG),
        (None, framed, Reason.SLEUTEL_ONGELDIG),
        (PERSOON, codec.encode(1, {**good, "versie": 0}), Reason.VERSIE_ONGELDIG),
        (PERSOON, codec.encode(1, {**good, "record_id": ""}), Reason.RECORD_ID_ONGELDIG),
        (PERSOON, codec.encode(1, {**good, "feit": {**good["feit"], "einddatum": 19_999}}), Reason.EINDDATUM_VOOR_BEGINDATUM),
        (PERSOON, codec.encode(1, {**good, "feit": {**good["feit"], "begindatum": 2_000_000}}), Reason.DATUM_BUITEN_BEREIK),
        (PERSOON, codec.encode(1, {**good, "feit": {**good["feit"], "houder": "gm9999"}}), Reason.HOUDER_ONBEKEND),
        (PERSOON, codec.encode(1, {**good, "feit": {**good["feit"], "kenmerk": ""}}), Reason.KENMERK_ONTBREEKT),
    ]

    async def scenario() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=node.brokers)
        await producer.start()
        for key, value, _ in bad:
            await producer.send_and_wait(BIJSTAND, value, key, partition=1)
        await producer.send_and_wait(BIJSTAND, framed, PERSOON, partition=1)
        await producer.stop()
        node.start_worker()
        await node.until_idle(60)

    asyncio.run(scenario())
    held = asyncio.run(node.records(["quarantaine"]))
    assert [(r.key, r.value, dict(r.headers)) for r in held] == [
        (key, value, {"reden": reason.encode(), "topic": BIJSTAND.encode(), "partition": b"1", "offset": str(i).encode()})
        for i, (key, value, reason) in enumerate(bad)
    ]
    assert asyncio.run(node.counts()) == {f"{BIJSTAND} opgeslagen": 1, f"{BIJSTAND} quarantaine": len(bad)}


def test_a_tick_of_the_klok_on_every_partition_is_taken_and_kept(node: Node) -> None:
    codec, source = Codec(node.catalogue), source_of(node.catalogue.bronnen["knooppunt"], "klok")

    async def scenario() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=node.brokers)
        await producer.start()
        for partition in range(PARTITIES):
            await producer.send_and_wait(
                "klok", codec.encode(100, {"datum": 20_500}), partition=partition, headers=klok_headers("2026-02-16", source)
            )
        await producer.stop()
        node.start_worker()
        await node.until_idle(60)

    asyncio.run(scenario())
    assert asyncio.run(node.counts()) == {"klok opgeslagen": PARTITIES}
    assert {m["klok"] for m in asyncio.run(node.metas()).values()} == {20_500}


def test_a_worker_ends_with_a_clear_message_when_the_state_is_of_another_catalogue(node: Node) -> None:
    async def scenario() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=node.brokers)
        await producer.start()
        meta = b'{"layout":"of another catalogue","klok":null,"counts":{}}'
        await producer.send_and_wait(f"{node.app}-personen-changelog", meta, b"#partitie", partition=0)
        await producer.stop()

    asyncio.run(scenario())
    begin = time.monotonic()
    assert node.start_worker().wait(60) == 2
    assert "the state has layout of another catalogue" in node.logs()[0]
    assert time.monotonic() - begin < 60


def test_a_worker_names_the_topics_that_the_cluster_lacks(node: Node) -> None:
    assert node.start_worker(SAMENLOOP_TOEPASSING="another").wait(60) == 2
    assert "another-personen-changelog" in node.logs()[0]
    assert "topics apply" in node.logs()[0]
