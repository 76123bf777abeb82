"""``./run soak``: a node at a steady rate for as long as wanted; exit 1 when a promise was not kept."""

import asyncio
import gc
import json
import signal
import sys
import tempfile
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer
from rich.console import Console
from rich.table import Table

from bench.catalogues import own_filtering_catalogue
from bench.soak.judge import Sample, Verdict, judge_result, judge_run
from bench.soak.publisher import SteadyPublisher
from bench.soak.stream import HOUDERS, length_of_first_part, steady
from bench.soak.watch import SignalWatch, StateWatch, percentile
from connectors.broker.running import running
from schemas.catalogue import Catalogue
from tests.node import APP, PARTITIES, Node, node_in
from tests.oracle import recompute

SEED = 4
_SETTLE = 60.0  # seconds after the last new person that still count as warm-up; a tenth of the run at most
_ROW = "{:>7} {:>10} {:>9} {:>8} {:>8} {:>9} {:>9} {:>7} {:>7} {:>7}"
_HEAD = ("second", "published", "signals", "persons", "state MB", "worker MB", "broker MB", "lag", "p50 ms", "p99 ms")


@dataclass(frozen=True)
class Plan:
    """What is to be run."""

    seconds: float
    rate: float
    persons: int
    workers: int
    every: float  # seconds between samples


def soak(
    *,
    minutes: Annotated[float, typer.Option(help="How long mutations are published.")] = 30,
    rate: Annotated[float, typer.Option(help="Mutations a second.")] = 2000,
    persons: Annotated[int | None, typer.Option(help="Size of the population; by default it is complete after a tenth of the run.")] = None,
    workers: Annotated[int, typer.Option(min=1)] = 1,
    every: Annotated[float, typer.Option(help="Seconds between two lines.")] = 10,
    out: Annotated[Path | None, typer.Option(help="Write plan, samples and verdicts as JSON.")] = None,
) -> None:
    """Run a node on the embedded broker at a steady rate: memory flat, lag bounded, result equal to the recompute."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))  # so that what was started is stopped
    gc.set_threshold(50_000, 20, 50)  # the register of the stream is large and has no cycles
    seconds = 60 * minutes
    plan = Plan(seconds, rate, persons or max(20, round(seconds * rate / 10 / 16)), workers, every)  # some 16 records a person
    with tempfile.TemporaryDirectory() as folder:
        verdicts = run_soak(plan, Path(folder), out)
    _show(verdicts)
    if not all(v.kept for v in verdicts):
        raise typer.Exit(1)


def run_soak(plan: Plan, work: Path, out: Path | None = None) -> list[Verdict]:
    """Run ``plan`` with all its files in ``work``; the verdicts."""
    folder = own_filtering_catalogue(work)
    catalogue = Catalogue.load(folder)
    typer.echo(_ROW.format(*_HEAD))
    with node_in(work, catalogue) as node:
        node.env = {"SAMENLOOP_CATALOGUS": str(folder)}
        soaking = Soak(node, plan)
        asyncio.run(soaking.run())
        ended = node.stop_workers()
        warm = [s for s in soaking.samples if s.second >= soaking.warm]
        wanted = recompute(islice(steady(catalogue, persons=plan.persons, seed=SEED), soaking.publisher.published), work, catalogue)
        counted = sum(asyncio.run(node.counts()).values())
        verdicts = [
            *judge_run(warm, plan.rate),
            *judge_result(soaking.signals.folding.result(), wanted, counted, soaking.publisher.published),
            Verdict("workers stop when told to", f"exit codes {ended}", set(ended) == {0}),
        ]
    if out is not None:
        out.write_text(json.dumps(_report(plan, soaking, verdicts), indent=1))
    return verdicts


class Soak:
    """A node under a steady stream, looked at again and again."""

    def __init__(self, node: Node, plan: Plan) -> None:
        self._node = node
        self._plan = plan
        self.publisher = SteadyPublisher(node, steady(node.catalogue, persons=plan.persons, seed=SEED), plan.rate)
        self.signals = SignalWatch()
        self.state = StateWatch()
        self.samples: list[Sample] = []
        first = length_of_first_part(node.catalogue, persons=plan.persons, seed=SEED) / plan.rate
        self.warm = first + min(_SETTLE, plan.seconds / 10)  # seconds from the start after which nothing should grow
        self._processes: list[psutil.Process] = []

    async def run(self) -> None:
        """Publish for as long as planned and wait until all is done."""
        node = self._node
        self._processes = [psutil.Process(node.start_worker().pid) for _ in range(self._plan.workers)]
        while not all("partition ready" in log for log in node.logs()):  # noqa: ASYNC110 - other processes, which tell nobody
            await asyncio.sleep(0.1)
        topics = [f"signalen.{o}" for o in sorted(node.catalogue.blijvende_ontvangers)[:HOUDERS]]
        watching = _tasks(
            self.signals.run(node.brokers, topics), self.state.run(node.brokers, f"{APP}-personen-changelog", PARTITIES), self._sample()
        )
        try:
            publishing = asyncio.create_task(self.publisher.run(self._plan.seconds))
            await asyncio.wait((publishing, *watching), return_when=asyncio.FIRST_COMPLETED)
            for ended in (t for t in (publishing, *watching) if t.done()):
                ended.result()
            await node.until_idle()
            await asyncio.sleep(2)  # what is committed has then been read by the watch too; if not, the recompute tells
        finally:
            for task in watching:
                task.cancel()
            for task in watching:
                with suppress(asyncio.CancelledError):
                    await task

    async def _sample(self) -> None:
        begin = time.monotonic()
        while True:
            await asyncio.sleep(self._plan.every)
            p50, p99 = self.signals.take()
            sample = Sample(
                round(time.monotonic() - begin, 1),
                self.publisher.published,
                self.signals.signals,
                self.state.persons,
                self.state.size,
                sum(p.memory_info().rss for p in self._processes),
                self._broker_bytes(),
                await self._node.lag(),
                p50,
                p99,
            )
            self.samples.append(sample)
            typer.echo(_row(sample))

    def _broker_bytes(self) -> int:
        found = running(self._node.data)
        assert found is not None
        guard = psutil.Process(found.pid)
        return sum(p.memory_info().rss for p in guard.children(recursive=True))


def _tasks(*work: Coroutine[Any, Any, None]) -> list["asyncio.Task[None]"]:
    return [asyncio.create_task(w) for w in work]


def _row(s: Sample) -> str:
    mb = [f"{b / 1e6:.1f}" for b in (s.state_bytes, s.worker_bytes, s.broker_bytes)]
    return _ROW.format(f"{s.second:.0f}", s.published, s.signals, s.persons, *mb, s.lag, s.p50_ms, s.p99_ms)


def _report(plan: Plan, soaking: Soak, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    soaking.signals.take()
    latencies = soaking.signals.all_latencies
    return {
        "plan": asdict(plan),
        "warm_second": round(soaking.warm),
        "publisher_behind_s": round(soaking.publisher.behind, 2),
        "latency_ms": {f"p{p}": percentile(latencies, p) for p in (50, 90, 99)},
        "verdicts": [v._asdict() for v in verdicts],
        "samples": [asdict(s) for s in soaking.samples],
    }


def _show(verdicts: Sequence[Verdict]) -> None:
    table = Table("promise", "found", "kept")
    for v in verdicts:
        table.add_row(v.promise, v.found, "yes" if v.kept else "[bold]NO[/]")
    Console(highlight=False).print(table)


if __name__ == "__main__":
    typer.run(soak)
