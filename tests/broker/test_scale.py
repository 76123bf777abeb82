"""Scale-out on a real Kafka: workers that come, go, come back under their name, or take another's."""

import asyncio
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from bench.catalogues import own_filtering_catalogue
from bench.rolling import opened
from connectors.bronnen.population import Delivery, population, shuffled
from schemas.catalogue import Catalogue
from tests.node import Node, fresh_node
from tests.oracle import fold, recompute

_numbers = count()


@contextmanager
def a_node(brokers: str, tmp_path: Path, partities: int) -> Iterator[Node]:
    """A node whose bronnen all filter themselves, so that the truth is that of all deliveries; its group is new."""
    folder = own_filtering_catalogue(tmp_path)
    with fresh_node(brokers, tmp_path, Catalogue.load(folder), partities, app=f"scale-{next(_numbers)}") as node:
        node.env |= {"SAMENLOOP_CATALOGUS": str(folder)}
        yield node


@pytest.fixture(scope="module")
def deliveries(job: Catalogue) -> list[Delivery]:
    """About 12,000 mutaties in any order."""
    return shuffled(population(job, persons=900, seed=8, mutations=12_000), seed=3)


def check(node: Node, deliveries: list[Delivery], work: Path) -> None:
    """What the ontvangers hold is the recompute, each signal was sent once, and every record is accounted for."""
    folded = fold(asyncio.run(node.signalen()))
    assert folded.live == recompute(((d.soort, d.line) for d in deliveries), work, node.catalogue)
    assert (folded.duplicates, folded.conflicts, folded.gaps, folded.wrong_topic) == (0, [], [], [])
    assert sum(asyncio.run(node.counts()).values()) == len(deliveries)


async def until(what: str, node: Node, number: int, times: int = 1) -> None:
    """Wait until the log of a worker says ``what`` so many times."""
    async with asyncio.timeout(60):
        while node.logs()[number].count(what) < times:  # noqa: ASYNC110 - another process, which tells nobody
            await asyncio.sleep(0.1)


@pytest.mark.timeout(280)
def test_one_two_and_four_workers_on_eight_partitions_are_right_and_the_partitions_move(
    brokers: str, tmp_path: Path, deliveries: list[Delivery]
) -> None:
    async def scenario(node: Node) -> None:
        for number, wave in enumerate((deliveries[:4000], deliveries[4000:8000], deliveries[8000:])):
            for _ in range((1, 1, 2)[number]):
                node.start_worker()
            for worker in range(len(node.workers)):
                await until("partition ready", node, worker)
            await node.publish((d.soort, d.line) for d in wave)
            await node.until_idle()
            assert all(w.poll() is None for w in node.workers)

    with a_node(brokers, tmp_path, 8) as node:
        asyncio.run(scenario(node))
        check(node, deliveries, tmp_path)
        assert set(node.stop_workers()) == {0}


@pytest.mark.timeout(240)
def test_more_workers_than_partitions_are_of_no_harm_and_take_over_when_one_goes(
    brokers: str, tmp_path: Path, deliveries: list[Delivery]
) -> None:
    async def scenario(node: Node) -> None:
        for number in range(3):
            node.start_worker()
            await asyncio.sleep(2 if number else 0)
        await node.publish((d.soort, d.line) for d in deliveries[:3000])
        await node.until_idle()
        publishing = asyncio.create_task(node.publish(((d.soort, d.line) for d in deliveries[3000:6000]), pause=0.2, every=100))
        await asyncio.sleep(1)  # so that records come while the partitions move
        working = next(w for w, log in zip(node.workers, node.logs(), strict=True) if opened(log))
        working.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(working.wait, 15) == 0
        await publishing
        await node.until_idle()
        assert [w.poll() for w in node.workers if w is not working] == [None, None]

    with a_node(brokers, tmp_path, 2) as node:
        asyncio.run(scenario(node))
        check(node, deliveries[:6000], tmp_path)


@pytest.mark.timeout(280)
def test_a_rolling_restart_of_named_workers_under_load_is_exact_and_moves_no_partition(
    brokers: str, tmp_path: Path, deliveries: list[Delivery]
) -> None:
    async def scenario(node: Node) -> list[list[int]]:
        node.start_worker(SAMENLOOP_INSTANTIE="a")
        await until("partition ready", node, 0, 8)
        node.start_worker(SAMENLOOP_INSTANTIE="b")
        await until("partition ready", node, 1, 4)
        await until("partition ready", node, 0, 8 + 4)  # the group has changed: what stays is opened anew
        before = [opened(log)[-4:] for log in node.logs()]
        publishing = asyncio.create_task(node.publish(((d.soort, d.line) for d in deliveries), pause=1))
        for number, name in enumerate(("a", "b")):
            node.workers[number].send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(node.workers[number].wait, 15) == 0
            node.start_worker(SAMENLOOP_INSTANTIE=name)
            await until("partition ready", node, 2 + number, 4)
        await publishing
        await node.until_idle()
        return before

    with a_node(brokers, tmp_path, 8) as node:
        node.env |= {"SAMENLOOP_SESSION_TIMEOUT": "30"}  # longer than a restart takes
        before = asyncio.run(scenario(node))
        check(node, deliveries, tmp_path)
        assert [sorted(opened(log)) for log in node.logs()[2:]] == [sorted(b) for b in before], "each came back to its own partitions"
        assert [len(opened(log)) for log in node.logs()] == [12, 4, 4, 4], "nobody opened a partition anew when another one came back"


@pytest.mark.timeout(240)
def test_a_second_worker_of_one_name_ends_the_first_which_says_why(brokers: str, tmp_path: Path, deliveries: list[Delivery]) -> None:
    async def scenario(node: Node) -> subprocess.Popen[bytes]:
        first = node.start_worker(SAMENLOOP_INSTANTIE="a")
        await until("partition ready", node, 0, 2)
        await node.publish((d.soort, d.line) for d in deliveries[:2000])
        second = node.start_worker(SAMENLOOP_INSTANTIE="a")
        assert await asyncio.to_thread(first.wait, 30) == 2
        await node.publish((d.soort, d.line) for d in deliveries[2000:4000])
        await node.until_idle()
        return second

    with a_node(brokers, tmp_path, 2) as node:
        second = asyncio.run(scenario(node))
        check(node, deliveries[:4000], tmp_path)
        assert "another worker has joined the group as a" in node.logs()[0]
        assert second.poll() is None
