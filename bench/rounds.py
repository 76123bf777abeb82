"""Rounds: the product, the floor, the recompute and, when the harness is at hand, Kafka Streams, back to back on one broker."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.catalogues import own_filtering_catalogue
from bench.cluster import Cluster, cluster_in
from bench.fill import Encoder, fill, kept
from bench.machine import commit
from bench.peers import Peers
from bench.prepare import Prepared, Truth, contract, prepare, prepared_once
from bench.product import run_product
from bench.results import FLOOR, RECOMPUTE, STREAMS, STREAMS_BEST, Figures, Round, Run, now
from bench.workload import SIZES, synthetic, translated
from schemas.catalogue import Catalogue


def rounds(size: str, numbers: Iterable[int], peers: Peers | None, work: Path, *, full: bool) -> Iterator[Round]:
    """A round for each of ``numbers``, on a fresh broker; the order of the systems turns round at odd ones.

    ``full`` adds latency and recovery. The prepared workload is kept in ``work`` and found there again.
    """
    folder = own_filtering_catalogue(work)
    catalogue = Catalogue.load(folder)

    def make(at: Path) -> Prepared:
        made = synthetic(catalogue, SIZES[size]) if peers is None else translated(catalogue, peers.data(size))
        return prepare(Encoder(catalogue), folder, SIZES[size], made, at)

    prepared = prepared_once(work / f"{'own' if peers is None else 'peers'}-{size}-{contract(catalogue)}", make)
    truth = prepared.truth(folder, full=full)
    for number in numbers:
        with filled_cluster(work / "round", folder, prepared) as cluster:
            steps = _steps(cluster, prepared, truth, size, peers, full=full)
            if number % 2:
                steps.reverse()
            runs = [Run(RECOMPUTE, prepared.size.mutations, figures=Figures(truth.mutations_s)), *(step() for step in steps)]
        yield Round(now(), commit(), size, runs)


@contextmanager
def filled_cluster(folder: Path, catalogue: Path, prepared: Prepared) -> Iterator[Cluster]:
    """A fresh cluster whose topics hold the workload; its folder is removed at the end."""
    try:
        with cluster_in(folder, catalogue) as cluster:
            fill(cluster.brokers, kept(prepared.records))
            cluster.settle()
            yield cluster
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _steps(cluster: Cluster, prepared: Prepared, truth: Truth, size: str, peers: Peers | None, *, full: bool) -> list[Callable[[], Run]]:
    steps: list[Callable[[], Run]] = [lambda: run_product(cluster, prepared, truth, full=full)]
    if peers is not None:
        steps += [lambda: peers.run(cluster, STREAMS, size, full=full), lambda: peers.run(cluster, STREAMS_BEST, size, full=False)]
    return [*steps, lambda: _floor(cluster, prepared.size.mutations)]


def _floor(cluster: Cluster, total: int) -> Run:
    outputs = [f"floor.{i}" for i in range(40)]
    cluster.create(outputs)
    command = [sys.executable, "-m", "bench.floor", cluster.brokers, str(total), ",".join(cluster.sources), ",".join(outputs)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1]).stdout
    cluster.delete(outputs)
    seconds, cpu = map(float, said.split())
    return Run(FLOOR, total, figures=Figures(round(total / seconds), round(cpu * 1e6 / total, 1)))
