"""Rounds: the product, the floor, the recompute and, when the harness is at hand, Kafka Streams, back to back on one broker."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench.catalogues import own_filtering_catalogue
from bench.cluster import Broker, Cluster, broker_in, cluster_on
from bench.fill import Encoder, fill, kept
from bench.machine import commit
from bench.plan import Plan
from bench.prepare import Prepared, Truth, contract, prepare, prepared_once
from bench.product import run_product
from bench.results import FLOOR, RECOMPUTE, STREAMS, Figures, Round, Run, now
from bench.workload import SIZES, synthetic, translated
from schemas.catalogue import Catalogue


def rounds(plan: Plan) -> Iterator[Round]:
    """The rounds of ``plan``, all on one broker.

    A round comes again with each run that it gets, under the same date: what was measured stays when the next run fails.
    """
    folder, prepared = workload_of(plan)
    truth = prepared.truth(folder, full=plan.full)
    with broker_in(plan.work / "rounds") as broker:
        for number in plan.rounds:
            with filled_cluster(broker, folder, prepared) as cluster:
                steps = _steps(cluster, prepared, truth, plan, number)
                date, runs = now(), [Run(RECOMPUTE, prepared.size.mutations, figures=Figures(truth.mutations_s))]
                for step in steps:
                    runs = [*runs, step()]
                    yield Round(date, commit(), plan.size, runs)


def workload_of(plan: Plan) -> tuple[Path, Prepared]:
    """The catalogue's folder and the workload: that of the comparison when its harness is at hand, else the synthetic population."""
    folder = own_filtering_catalogue(plan.work)
    catalogue, size = Catalogue.load(folder), SIZES[plan.size]

    def make(at: Path) -> Prepared:
        made = synthetic(catalogue, size) if plan.peers is None else translated(catalogue, plan.peers.data(plan.size))
        return prepare(Encoder(catalogue), folder, size, made, at)

    whose = "own" if plan.peers is None else "peers"
    return folder, prepared_once(plan.work / f"{whose}-{plan.size}-{contract(catalogue)}", make)


@contextmanager
def filled_cluster(broker: Broker, catalogue: Path, prepared: Prepared) -> Iterator[Cluster]:
    """Fresh topics that hold the workload, removed at the end."""
    with cluster_on(broker, catalogue) as cluster:
        fill(cluster.brokers, kept(prepared.records))
        yield cluster


def _steps(cluster: Cluster, prepared: Prepared, truth: Truth, plan: Plan, number: int) -> list[Callable[[], Run]]:
    """The product and the first system beside it change places from round to round, and the others come behind."""
    product = partial(run_product, cluster, prepared, truth, full=plan.full)
    floor = [partial(_floor, cluster, prepared.size.mutations)] if FLOOR in plan.beside else []
    if plan.peers is None:
        return [product, *floor]
    # Latency and recovery are held against the first of them only; the others are there for their speed.
    beside = [partial(plan.peers.run, cluster, s, plan.size, full=plan.full and s == STREAMS) for s in plan.beside if s != FLOOR]
    first = number % 2
    return [*beside[:first], product, *beside[first:], *floor]


def _floor(cluster: Cluster, total: int) -> Run:
    outputs = [f"floor.{i}" for i in range(40)]
    cluster.create(outputs)
    command = [sys.executable, "-m", "bench.floor", cluster.brokers, str(total), ",".join(cluster.sources), ",".join(outputs)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1]).stdout
    cluster.delete(outputs)
    seconds, cpu = map(float, said.split())
    return Run(FLOOR, total, figures=Figures(round(total / seconds), round(cpu * 1e6 / total, 1)))
