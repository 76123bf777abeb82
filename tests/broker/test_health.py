"""Health and metrics of real workers: ready when they are, numbers that add up, and nothing of a person."""

import asyncio
import json
import socket
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiokafka import AIOKafkaProducer
from prometheus_client.parser import text_string_to_metric_families

from connectors.bronnen.population import Delivery, population
from schemas.catalogue import Catalogue
from schemas.codec import decode_signaal
from streams.app import App
from streams.settings import EngineSettings
from streams.worker import run_worker
from tests.node import APP, PARTITIES, Node, node_in


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Iterator[Node]:
    with node_in(tmp_path_factory.mktemp("health"), catalogue) as node:
        node.env = {"SAMENLOOP_SESSION_TIMEOUT": "4"}
        yield node


@pytest.fixture
def node(broker: Node) -> Iterator[Node]:
    """The node of all tests here, without workers."""
    yield broker
    broker.stop_workers()


@pytest.fixture(scope="module")
def deliveries(catalogue: Catalogue) -> list[Delivery]:
    return list(population(catalogue, persons=400, seed=3, mutations=5_000))


def start(node: Node, **env: str) -> int:
    """The number of a new worker."""
    node.start_worker(**env)
    return len(node.workers) - 1


async def until_ready(node: Node, worker: int) -> list[tuple[int, dict[str, Any]]]:
    """The different answers of /ready until it is 200."""
    answers: list[tuple[int, dict[str, Any]]] = []
    async with asyncio.timeout(60):
        while not answers or answers[-1][0] != 200:
            status, body = await node.health(worker, "/ready")
            if not answers or answers[-1] != (status, json.loads(body)):
                answers.append((status, json.loads(body)))
            await asyncio.sleep(0.01)
    return answers


async def run(node: Node, deliveries: list[Delivery]) -> list[str]:
    """Two workers do it all, and some of it twice, with records that nobody can read; the metrics of both."""
    workers = start(node), start(node)
    for worker in workers:
        await until_ready(node, worker)
    lines = [(d.soort, d.line) for d in deliveries]
    await node.publish([*lines, *lines[:300]])
    producer = AIOKafkaProducer(bootstrap_servers=node.brokers)
    await producer.start()
    for _ in range(3):
        await producer.send_and_wait("mutaties.gemeente.bijstand", b"unreadable", b"A" * 52)
    await producer.stop()
    await node.until_idle()
    return [(await node.health(worker, "/metrics"))[1] for worker in workers]


def summed(expositions: list[str]) -> Counter[tuple[str, ...]]:
    total: Counter[tuple[str, ...]] = Counter()
    for text in expositions:
        for sample in (s for family in text_string_to_metric_families(text) for s in family.samples):
            total[sample.name, *(v for _, v in sorted(sample.labels.items()))] += sample.value  # type: ignore[assignment]  # floats
    return total


def test_the_metrics_of_all_workers_add_up_to_the_accounting_and_hold_nothing_of_a_person(node: Node, deliveries: list[Delivery]) -> None:
    expositions = asyncio.run(run(node, deliveries))
    total = summed(expositions)

    counted = {
        f"{topic} {fate}": n for (name, *labels), n in total.items() if name == "samenloop_records_total" for fate, topic in [labels]
    }
    assert {key: n for key, n in counted.items() if n} == asyncio.run(node.counts())
    assert sum(counted.values()) == len(deliveries) + 303
    assert {key.split()[1] for key, n in counted.items() if n} == {"opgeslagen", "bekend", "niet_bewaard", "quarantaine"}

    signalen = [decode_signaal(value) for _, value in asyncio.run(node.signalen())]
    sent = {(dienst, soort): n for (name, *labels), n in total.items() if name == "samenloop_signals_total" for dienst, soort in [labels]}
    assert {key: n for key, n in sent.items() if n} == Counter((s.dienst, s.soort) for s in signalen)
    assert total[("samenloop_registration_to_signal_seconds_count",)] == len(signalen)
    assert total["samenloop_partitions", "open"] == PARTITIES
    assert sum(n for (name, *_), n in total.items() if name == "samenloop_lag_records") == 0
    state = {r.key: r.value for r in asyncio.run(node.records([f"{APP}-personen-changelog"])) if r.key != b"#partitie"}
    assert total[("samenloop_state_bytes",)] == sum(len(k) + len(v) for k, v in state.items() if v is not None)

    told = "\n".join(expositions)
    reader = node.reader("gemeente.bijstand")
    people = {d.line["bsn"] for d in deliveries}
    assert not [bsn for bsn in people if bsn in told]
    assert not [bsn for bsn in people if reader._pseudonymiser.persoon(bsn) in told]
    assert not [s for s in signalen if s.kenmerk in told or s.signaal_id in told]
    assert set(labels_of(expositions, "topic")) == {tp.topic for tp in node.sources}
    assert set(labels_of(expositions, "dienst")) == {d.dienst for d in node.catalogue.diensten.values()}


def labels_of(expositions: list[str], name: str) -> Iterator[str]:
    for text in expositions:
        for family in text_string_to_metric_families(text):
            yield from (s.labels[name] for s in family.samples if name in s.labels)


def test_a_worker_is_not_ready_until_its_partitions_are_and_two_on_one_host_do_not_clash(node: Node) -> None:
    first = start(node)
    answers = asyncio.run(until_ready(node, first))
    assert answers[0] == (503, {"ready": False, "joined": False, "partitions": {}})
    assert answers[-1] == (
        200,
        {"ready": True, "joined": True, "partitions": {str(n): {"state": "open", "percent": 100} for n in range(PARTITIES)}},
    )
    assert asyncio.run(node.health(first, "/live"))[0] == 200
    second = start(node)
    asyncio.run(until_ready(node, second))
    assert asyncio.run(node.health(first, "/live"))[0] == asyncio.run(node.health(second, "/live"))[0] == 200


def test_ready_is_false_during_a_rebalance_and_live_when_a_partition_is_stuck_or_the_worker_fails(node: Node, tmp_path: Path) -> None:
    async def scenario() -> int:
        port = free_port()
        settings = EngineSettings(node.brokers, APP, PARTITIES, tmp_path, http=f"127.0.0.1:{port}")
        started: asyncio.Future[App] = asyncio.get_running_loop().create_future()
        stop = asyncio.Event()
        worker = asyncio.create_task(run_worker(settings, node.catalogue, stop, started.set_result))
        engine = (await started).engine
        await engine.ready.wait()

        async def status(path: str) -> int:
            async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
                return answer.status

        assert (await status("/live"), await status("/ready")) == (200, 200)
        engine.partitions[0].busy_since = time.monotonic() - 2 * settings.transaction_timeout - 1
        assert await status("/live") == 503
        engine.partitions[0].busy_since = None
        await engine.revoked()
        assert (await status("/live"), await status("/ready")) == (200, 503)
        engine.fail(RuntimeError("planted"))
        assert await status("/live") == 503
        return await worker

    assert asyncio.run(scenario()) == 2


def test_an_address_that_is_taken_is_named_and_with_off_nothing_listens(node: Node) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        clashing = start(node, SAMENLOOP_HTTP=address)
        assert node.workers[clashing].wait(60) == 2
    assert f"cannot listen on {address}" in node.logs()[clashing]
    silent = start(node, SAMENLOOP_HTTP="off")
    deadline = time.monotonic() + 60
    while "partition ready" not in node.logs()[silent]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert "health is told" not in node.logs()[silent]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
