"""``python -m bench.rolling``: workers are restarted one after the other under a steady stream; how long do signals take meanwhile?"""

import asyncio
import re
import signal
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.console import Console
from rich.table import Table

from bench.catalogues import own_filtering_catalogue
from bench.soak.publisher import SteadyPublisher
from bench.soak.stream import HOUDERS, steady
from bench.soak.watch import SignalWatch, percentile
from schemas.catalogue import Catalogue
from tests.node import Node, node_in

PARTITIES = 8
_REST = 4.0  # seconds between two restarts


class Heard(NamedTuple):
    """A signal that came: the partition of its cause, when that was due, and when the signal was there."""

    partition: int
    due: float
    arrived: float


class Restart(NamedTuple):
    """One worker that went and came back: when, and the partitions that it had."""

    begin: float
    end: float
    partitions: frozenset[int]


def rolling(
    *,
    workers: Annotated[int, typer.Option(min=2, max=8)] = 2,
    rate: Annotated[float, typer.Option(help="Mutations a second.")] = 200,
    persons: Annotated[int, typer.Option(min=20)] = 100,
) -> None:
    """Restart all workers in turn, with and without names of their own, and compare the latency of everybody's signals."""
    table = Table("workers", "signals of", "p50 ms", "p99 ms", "longest ms")
    for named in (True, False):
        with tempfile.TemporaryDirectory() as folder:
            heard, restarts = _run(Path(folder), workers, rate, persons, named=named)
        for whose, others in (("other workers", True), ("the restarted worker", False)):
            found = during(heard, restarts, others=others)
            figures = (percentile(found, 50), percentile(found, 99), max(found, default=0))
            table.add_row("named" if named else "nameless", whose, *map(str, figures))
    Console(highlight=False).print(table)


def during(heard: list[Heard], restarts: list[Restart], *, others: bool) -> Counter[int]:
    """Milliseconds → signals due while a worker was away: those of its own partitions, or of all others."""
    found: Counter[int] = Counter()
    for h in heard:
        for r in restarts:
            if r.begin <= h.due < r.end and (h.partition not in r.partitions) == others:
                found[round(1000 * (h.arrived - h.due))] += 1
    return found


def opened(log: str) -> list[int]:
    """The partitions that a worker opened, in the order of its log."""
    return [int(n) for n in re.findall(r'partition=(\d+) .*event="partition ready"', log)]


def _run(work: Path, workers: int, rate: float, persons: int, *, named: bool) -> tuple[list[Heard], list[Restart]]:
    folder = own_filtering_catalogue(work)
    catalogue = Catalogue.load(folder)
    with node_in(work, catalogue, PARTITIES) as node:
        node.env = {"SAMENLOOP_CATALOGUS": str(folder), "SAMENLOOP_SESSION_TIMEOUT": "30"}
        return asyncio.run(_restart_all(node, workers, rate, persons, named=named))


async def _restart_all(node: Node, workers: int, rate: float, persons: int, *, named: bool) -> tuple[list[Heard], list[Restart]]:
    names = [{"SAMENLOOP_INSTANTIE": f"worker-{n}"} if named else {} for n in range(workers)]
    for name in names:
        node.start_worker(**name)
        await asyncio.sleep(5)
    heard: list[Heard] = []
    watch = SignalWatch(lambda *h: heard.append(Heard(*h)))
    publisher = SteadyPublisher(node, steady(node.catalogue, persons=persons, seed=1), rate)
    topics = [f"signalen.{o}" for o in sorted(node.catalogue.blijvende_ontvangers)[:HOUDERS]]
    watching, publishing = asyncio.create_task(watch.run(node.brokers, topics)), asyncio.create_task(publisher.run(600))
    try:
        await asyncio.sleep(3 * _REST)
        restarts = [await _restart(node, number, name) for number, name in enumerate(names)]
        await asyncio.sleep(_REST)
    finally:
        publisher.stopped = True
        await publishing
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
    return heard, restarts


async def _restart(node: Node, number: int, name: dict[str, str]) -> Restart:
    """Stop a worker as a supervisor would, start it again, and wait until all partitions of the new one are open."""
    begin = time.time()
    share = PARTITIES // len([w for w in node.workers if w.poll() is None])
    partitions = frozenset(opened(node.logs()[number])[-share:])
    node.workers[number].send_signal(signal.SIGTERM)
    await asyncio.to_thread(node.workers[number].wait, 20)
    node.start_worker(**name)
    async with asyncio.timeout(90):
        while len(set(opened(node.logs()[-1]))) < share:  # noqa: ASYNC110 - another process, which tells nobody
            await asyncio.sleep(0.1)
    restart = Restart(begin, time.time(), partitions)
    await asyncio.sleep(_REST)
    return restart


if __name__ == "__main__":
    typer.run(rolling)
